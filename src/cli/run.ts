// `somagpu run`: from an experiment file to files in a folder. It reads, shows progress, and writes whole files or none;
// what the experiment means is the engine's, how recordings get to the disk is recorded.ts's.

import { readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { SingleBar } from 'cli-progress';
import { type IntervalStatistics, IntervalTally } from '../analysis.ts';
import { ExperimentRun, provenanceOf, readExperiment, type Summary } from '../experiment.ts';
import { InputError, type Progress, type Recording, version } from '../index.ts';
import { findAdapter, findHardware } from '../node.ts';
import { ArrayFiles } from './arrays.ts';
import { Exit } from './exit.ts';
import { Aside } from './folder.ts';
import { parseJson } from './json.ts';
import { type Format, forStreams, Recorded } from './recorded.ts';
import { describeRun } from './report.ts';

export interface RunOptions {
  out: string;
  backend: 'auto' | 'webgpu' | 'cpu';
  seed?: number;
  workers?: number;
  format?: Format;
  picture?: boolean;
  quiet?: boolean;
}

/** An experiment that is ready to run: as the file had it, and what it records, by population. */
interface Opened {
  json: unknown;
  records: readonly (Recording | undefined)[];
  arrays: ArrayFiles;
  execution: ExperimentRun;
}

/** Runs an experiment; gives back whether it was interrupted. */
export async function run(
  file: string,
  { out, backend, seed, workers, format = 'npz', picture = false, quiet = false }: RunOptions,
): Promise<boolean> {
  const abort = new AbortController();
  const stopListening = onInterrupt(() => abort.abort());
  try {
    const opened = await open(file, { backend, seed, workers });
    try {
      const aside = await Aside.open(out);
      try {
        await aside.clear();
        const { summary, files, intervals } = await record(opened, aside, abort, { format, picture, quiet });
        await aside.publish(files);
        const { populations } = opened.execution;
        if (!quiet) process.stdout.write(describeRun(summary, populations, intervals, `${out}: ${files.join(', ')}`));
        return summary.interrupted ?? false;
      } finally {
        await aside.remove();
      }
    } finally {
      opened.execution.simulation.dispose();
      await opened.arrays.close();
    }
  } finally {
    stopListening();
  }
}

// Runs it, and makes the files.
async function record(
  { execution, json, records }: Opened,
  aside: Aside,
  abort: AbortController,
  { format, picture, quiet }: Required<Pick<RunOptions, 'format' | 'picture' | 'quiet'>>,
): Promise<{ summary: Summary; files: string[]; intervals: (IntervalStatistics | undefined)[] }> {
  const recorded: Recorded[] = [];
  try {
    for (const [i, population] of execution.populations.entries()) {
      recorded.push(await Recorded.open(population, records[i], execution.experiment.dt, aside));
    }
    const summary = await follow(execution, recorded, abort, quiet);
    const provenance = provenanceOf(summary, json);
    const files: string[] = [];
    const intervals: (IntervalStatistics | undefined)[] = [];
    for (const each of recorded) {
      files.push(...(await each.save(aside, format, provenance)));
      if (picture && each.population.recordsSpikes) files.push(await draw(each, aside, summary, provenance));
      intervals.push(quiet ? undefined : await intervalsOf(each));
    }
    const dated = { version, ...summary, date: new Date().toISOString() };
    await writeFile(aside.path('summary.json'), `${JSON.stringify(dated, null, 2)}\n`);
    return { summary, files: [...files, 'summary.json'], intervals };
  } finally {
    await Promise.all(recorded.map((each) => each.close()));
  }
}

// What cannot be written ends the run: the disk will not grow while it goes on.
async function follow(
  execution: ExperimentRun,
  recorded: readonly Recorded[],
  abort: AbortController,
  quiet: boolean,
): Promise<Summary> {
  const bar = quiet || !process.stderr.isTTY ? undefined : progressBar();
  const following = recorded.map((each) =>
    each.follow().catch((error: unknown) => {
      abort.abort();
      throw error;
    }),
  );
  // However it ends: the bar hides the cursor.
  const running = execution.run({ signal: abort.signal, onProgress: bar?.update }).finally(() => bar?.stop());
  const [ran, ...followed] = await Promise.allSettled([running, ...following]);
  if (ran.status === 'rejected') throw ran.reason;
  for (const one of followed) if (one.status === 'rejected') throw one.reason;
  for (const each of recorded) await each.finish();
  return ran.value;
}

async function draw(recorded: Recorded, aside: Aside, { steps, dt }: Summary, provenance: string): Promise<string> {
  const { drawRaster } = await import('./picture.ts');
  const { name, soma, neurons } = recorded.population;
  const subtitle = `${soma.name}, ${neurons.toLocaleString('en')} neurons, dt ${dt} ms`;
  const options = { neurons, duration: steps * dt, title: name, subtitle, metadata: provenance };
  const file = `${name}.svg`;
  await writeFile(aside.path(file), await drawRaster(() => recorded.spikes(), options));
  return file;
}

async function intervalsOf(recorded: Recorded): Promise<IntervalStatistics | undefined> {
  const { recordsSpikes, neurons } = recorded.population;
  if (!recordsSpikes) return undefined;
  const tally = new IntervalTally(neurons);
  for await (const spikes of recorded.spikes()) tally.add(spikes);
  return tally.statistics;
}

async function open(
  file: string,
  { backend, seed, workers }: Pick<RunOptions, 'backend' | 'seed' | 'workers'>,
): Promise<Opened> {
  const arrays = new ArrayFiles(dirname(file));
  try {
    const json = parseJson(await readText(file));
    const experiment = await readExperiment(json, arrays.read);
    const find = { auto: findHardware, webgpu: findAdapter, cpu: () => null }[backend];
    const adapter = await find();
    const given = seed === undefined ? {} : { seed };
    const options = { backend, adapter, workers, ...given };
    const records = experiment.populations.map(({ options }) => options.record);
    return { json, records, arrays, execution: await ExperimentRun.create(forStreams(experiment), options) };
  } catch (error) {
    await arrays.close();
    if (!(error instanceof InputError)) throw error;
    const path = [file, error.path].filter((part) => part !== '').join(': ');
    throw new InputError(path, error.value, error.reason, error.remedy);
  }
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new InputError(
      '',
      undefined,
      `cannot be read (${(error as NodeJS.ErrnoException).code})`,
      'give the path of an experiment file',
    );
  }
}

// A second interrupt ends the process at once: saving may be what takes too long.
function onInterrupt(stop: () => void): () => void {
  let interrupts = 0;
  const listener = () => {
    interrupts++;
    if (interrupts > 1) process.exit(Exit.interrupted);
    stop();
  };
  process.on('SIGINT', listener);
  process.on('SIGTERM', listener);
  return () => {
    process.off('SIGINT', listener);
    process.off('SIGTERM', listener);
  };
}

function progressBar(): { update: (progress: Progress) => void; stop: () => void } {
  const bar = new SingleBar({
    format: '{bar} {percentage} % | {value} of {total} steps | {eta_formatted} left',
    clearOnComplete: true,
    etaBuffer: 100,
    stream: process.stderr,
  });
  bar.start(1, 0);
  return {
    update: ({ steps, of }) => {
      bar.setTotal(of);
      bar.update(steps);
    },
    stop: () => bar.stop(),
  };
}
