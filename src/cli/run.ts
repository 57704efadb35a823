// `somagpu run`: from an experiment file to files in a folder. It reads, shows progress, and writes whole files or none;
// what the experiment means is the engine's, how recordings get to the disk is recorded.ts's.

import { writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { SingleBar } from 'cli-progress';
import { type IntervalStatistics, IntervalTally } from '../analysis/index.ts';
import {
  type Experiment,
  ExperimentRun,
  type ExperimentRunOptions,
  provenanceOf,
  readExperiment,
  type Summary,
} from '../experiment.ts';
import { InputError, NoBackendError, type Progress, type Recording, version } from '../index.ts';
import { findAdapter, findHardware } from '../node.ts';
import { stepsIn } from '../parameters.ts';
import { ArrayFiles } from './arrays.ts';
import {
  type Checkpoint,
  checkDevice,
  checkSame,
  dataOf,
  elsewhere,
  findCheckpoint,
  type Identity,
  isCheckpoint,
  writeCheckpoint,
} from './checkpoint.ts';
import { Exit } from './exit.ts';
import { inFile, readText } from './file.ts';
import { Aside } from './folder.ts';
import { parseJson } from './json.ts';
import { type Format, forStreams, type Positions, Recorded } from './recorded.ts';
import { describeRun } from './report.ts';
import { somasIn } from './somas.ts';

export interface RunOptions {
  out: string;
  backend: 'auto' | 'webgpu' | 'cpu';
  seed?: number;
  workers?: number;
  format?: Format;
  picture?: boolean;
  quiet?: boolean;
  /** ms of model time between checkpoints. */
  checkpoint?: number;
  /** Whether to go on from the checkpoint in `out`. */
  resume?: boolean;
}

/** An experiment that is ready to run: as the file had it, and what it records, by population. */
interface Opened {
  json: unknown;
  records: readonly (Recording | undefined)[];
  arrays: ArrayFiles;
  execution: ExperimentRun;
  /** What it goes on from. */
  from: Checkpoint | undefined;
  /** Where it stands still, and what is done then. */
  pause: Pause | undefined;
}

interface Pause {
  /** Steps from one to the next. */
  every: number;
  at(recorded: readonly Recorded[]): Promise<void>;
}

/** Runs an experiment; gives back whether it was interrupted. */
export async function run(file: string, options: RunOptions): Promise<boolean> {
  const { out, format = 'npz', picture = false, quiet = false } = options;
  const abort = new AbortController();
  const stopListening = onInterrupt(() => abort.abort());
  try {
    const opened = await open(file, options, await findCheckpoint(out, options.resume ?? false));
    let complete = false;
    try {
      const aside = await Aside.open(out, opened.from ? 'resume' : opened.pause && 'new');
      try {
        await aside.clear();
        const recording = record(opened, aside, abort, { format, picture, quiet });
        const { summary, files, intervals } = await recording.catch((error: unknown) => {
          throw inFile(error, file);
        });
        await aside.publish(files);
        complete = !summary.interrupted;
        const written = `${out}: ${files.join(', ')}${complete || !opened.pause ? '' : '; --resume goes on'}`;
        if (!quiet) process.stdout.write(describeRun(summary, opened.execution.populations, intervals, written));
        return !complete;
      } finally {
        if (complete || !(await isCheckpoint(aside.folder))) await aside.remove();
        else await aside.leave();
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
  { execution, json, records, from, pause }: Opened,
  aside: Aside,
  abort: AbortController,
  { format, picture, quiet }: Required<Pick<RunOptions, 'format' | 'picture' | 'quiet'>>,
): Promise<{ summary: Summary; files: string[]; intervals: (IntervalStatistics | undefined)[] }> {
  const recorded: Recorded[] = [];
  const watched = !quiet && process.stderr.isTTY;
  try {
    for (const [i, population] of execution.populations.entries()) {
      recorded.push(await Recorded.open(population, records[i], execution.experiment.dt, aside, from?.positions));
    }
    const bar = watched ? progressBar() : undefined;
    // However it ends: the bar hides the cursor.
    const summary = await follow(execution, recorded, abort, pause, bar?.update).finally(() => bar?.stop());
    const provenance = provenanceOf(summary, json);
    const files: string[] = [];
    const intervals: (IntervalStatistics | undefined)[] = [];
    for (const each of recorded) {
      // Packing what was recorded in an hour takes a minute.
      if (watched) process.stderr.write(`\rwriting the files of ${each.population.name} ...${CLEAR_REST}`);
      files.push(...(await each.save(aside, format, provenance)));
      if (picture && each.population.recordsSpikes) files.push(await draw(each, aside, summary, provenance));
      intervals.push(quiet ? undefined : await intervalsOf(each));
    }
    const dated = { version, ...summary, date: new Date().toISOString() };
    await writeFile(aside.path('summary.json'), `${JSON.stringify(dated, null, 2)}\n`);
    return { summary, files: [...files, 'summary.json'], intervals };
  } finally {
    if (watched) process.stderr.write(`\r${CLEAR_REST}`);
    await Promise.all(recorded.map((each) => each.close()));
  }
}

// Runs it to its end, or to an interrupt, from one checkpoint to the next where there are any.
async function follow(
  execution: ExperimentRun,
  recorded: readonly Recorded[],
  abort: AbortController,
  pause: Pause | undefined,
  onProgress: ((progress: Progress) => void) | undefined,
): Promise<Summary> {
  const { simulation, experiment } = execution;
  let summary: Summary;
  do {
    const steps = pause && pause.every - (simulation.steps % pause.every);
    summary = await followSteps(execution, recorded, abort, { steps, onProgress });
    await pause?.at(recorded);
  } while (summary.steps < experiment.steps && !abort.signal.aborted);
  for (const each of recorded) await each.finish();
  return summary;
}

// What cannot be written ends the run: the disk will not grow while it goes on.
async function followSteps(
  execution: ExperimentRun,
  recorded: readonly Recorded[],
  abort: AbortController,
  options: ExperimentRunOptions,
): Promise<Summary> {
  const following = recorded.map((each) =>
    each.follow().catch((error: unknown) => {
      abort.abort();
      throw error;
    }),
  );
  const running = execution.run({ ...options, signal: abort.signal });
  const [ran, ...followed] = await Promise.allSettled([running, ...following]);
  if (ran.status === 'rejected') throw ran.reason;
  for (const one of followed) if (one.status === 'rejected') throw one.reason;
  return ran.value;
}

async function draw(recorded: Recorded, aside: Aside, { steps, dt }: Summary, provenance: string): Promise<string> {
  const { drawRaster } = await import('./picture.ts');
  const { name, soma, neurons } = recorded.population;
  const subtitle = `${soma.name}, ${neurons.toLocaleString('en')} neurons, dt ${dt} ms`;
  const place = { ...recorded.spikesAsked(steps), duration: steps * dt };
  const options = { neurons, ...place, title: name, subtitle, metadata: provenance };
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
  { out, backend, seed, workers, checkpoint }: RunOptions,
  from: Checkpoint | undefined,
): Promise<Opened> {
  const arrays = new ArrayFiles(dirname(file));
  try {
    const json = parseJson(await readText(file));
    const experiment = await readExperiment(json, arrays.read, arrays.open, somasIn(dirname(file)));
    const every = checkpoint ?? from?.every;
    const pace = every === undefined ? undefined : stepsBetween(every, experiment.dt);
    const identity =
      every === undefined ? undefined : { every, json, data: dataOf(experiment, await arrays.checksums()) };
    if (from) checkSame(from, json, identity?.data ?? 0, seed ?? experiment.seed);
    const records = experiment.populations.map(({ options }) => options.record);
    const unkept = forStreams(experiment);
    const given = seed === undefined ? {} : { seed };
    const execution = from
      ? await restore(unkept, from, { backend, workers })
      : await ExperimentRun.create(unkept, { ...(await pathOf(backend)), workers, ...given });
    const pause = identity && pace ? pauses(out, pace, identity, execution) : undefined;
    return { json, records, arrays, execution, from, pause };
  } catch (error) {
    await arrays.close();
    throw inFile(error, file);
  }
}

/** A checkpoint every so many steps. */
function pauses(out: string, every: number, identity: Identity, { simulation }: ExperimentRun): Pause {
  const at = async (recorded: readonly Recorded[]) => {
    const positions: Positions[] = [];
    for (const each of recorded) positions.push(await each.positions());
    await writeCheckpoint(out, identity, simulation, Object.assign({}, ...positions));
  };
  return { every, at };
}

async function pathOf(backend: RunOptions['backend']) {
  const find = { auto: findHardware, webgpu: findAdapter, cpu: () => null }[backend];
  const first = await find();
  let next = first;
  // It makes one device only; after a loss another is looked for.
  const adapter = async () => {
    const found = next ?? (await find());
    next = null;
    return found;
  };
  return { backend, adapter: first && adapter };
}

/** Steps from one checkpoint to the next. */
function stepsBetween(every: number, dt: number): number {
  const steps = stepsIn(every, dt, '--checkpoint');
  if (steps > 0) return steps;
  throw new InputError('--checkpoint', every, 'has no step', `give ms of model time, a multiple of ${dt}`);
}

// On the path, and the device, that made the checkpoint; on another only where that is named.
async function restore(
  experiment: Experiment,
  from: Checkpoint,
  { backend, workers }: Pick<RunOptions, 'backend' | 'workers'>,
): Promise<ExperimentRun> {
  const named = backend !== 'auto';
  const path = await pathOf(named ? backend : from.backend).catch((error: unknown) => {
    if (named || !(error instanceof NoBackendError)) throw error;
    const reason = `the checkpoint was made on ${from.backend} (${from.adapter}), which is not here (${error.message})`;
    throw new InputError('--resume', undefined, reason, elsewhere('cpu'));
  });
  const execution = await ExperimentRun.restore(experiment, from.simulation, { ...path, workers });
  try {
    if (!named) checkDevice(from, execution.simulation);
    return execution;
  } catch (error) {
    execution.simulation.dispose();
    throw error;
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

/** What a terminal clears the line by, from where it is. */
const CLEAR_REST = '\x1b[K';

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
