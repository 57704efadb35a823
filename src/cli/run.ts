// `somagpu run`: from an experiment file to files in a folder. It reads, shows progress, and writes whole files or none;
// what the experiment means is the engine's.

import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { SingleBar } from 'cli-progress';
import { ExperimentRun, type ReadArray, readExperiment, type Summary } from '../experiment.ts';
import { type NpyArray, readNpzArray, writeNpz } from '../files/index.ts';
import { InputError, type Population, type Progress, SomaError, type Spikes, version } from '../index.ts';
import { findAdapter, findHardware } from '../node.ts';
import { Exit } from './exit.ts';
import { parseJson } from './json.ts';
import { describeRun } from './report.ts';

export interface RunOptions {
  out: string;
  backend: 'auto' | 'webgpu' | 'cpu';
  seed?: number;
  workers?: number;
  picture?: boolean;
  quiet?: boolean;
}

/** Runs an experiment; gives back whether it was interrupted. */
export async function run(
  file: string,
  { out, backend, seed, workers, picture = false, quiet = false }: RunOptions,
): Promise<boolean> {
  const abort = new AbortController();
  const stopListening = onInterrupt(() => abort.abort());
  try {
    const execution = await open(file, { backend, seed, workers });
    try {
      await makeFolder(out);
      const bar = quiet || !process.stderr.isTTY ? undefined : progressBar();
      const running = execution.run({ signal: abort.signal, onProgress: bar?.update });
      // However it ends: the bar hides the cursor.
      const summary = await running.finally(() => bar?.stop());
      const recorded = await Promise.all(execution.populations.map(readSpikes));
      const { files, lost } = await outputs(execution, recorded, summary, picture);
      await save(out, files);
      if (lost.length > 0) throw new SomaError(`all but this was saved in ${out}: ${lost.join('; ')}`);
      if (!quiet)
        process.stdout.write(
          describeRun(summary, execution.populations, recorded, `${out}: ${[...files.keys()].join(', ')}`),
        );
      return summary.interrupted ?? false;
    } finally {
      execution.simulation.dispose();
    }
  } finally {
    stopListening();
  }
}

async function open(
  file: string,
  { backend, seed, workers }: Pick<RunOptions, 'backend' | 'seed' | 'workers'>,
): Promise<ExperimentRun> {
  try {
    const experiment = await readExperiment(parseJson(await readText(file)), arrayReader(dirname(file)));
    const find = { auto: findHardware, webgpu: findAdapter, cpu: () => null }[backend];
    const adapter = await find();
    const given = seed === undefined ? {} : { seed };
    return await ExperimentRun.create(experiment, { backend, adapter, workers, ...given });
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    const path = [file, error.path].filter((part) => part !== '').join(': ');
    throw new InputError(path, error.value, error.reason, error.remedy);
  }
}

/** Makes a folder, and those it lies in. @throws InputError where a file is in the way */
export async function makeFolder(out: string): Promise<void> {
  try {
    await mkdir(out, { recursive: true });
  } catch (error) {
    if (!['EEXIST', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    throw new InputError('--out', out, 'is, or lies in, a file', 'give a folder, there or to be made');
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

async function readBytes(file: string): Promise<Uint8Array> {
  try {
    return await readFile(file);
  } catch (error) {
    throw new SomaError(`cannot be read (${(error as NodeJS.ErrnoException).code})`, { cause: error });
  }
}

// An experiment may name many arrays of one file: it is read once, and kept while the experiment is.
function arrayReader(folder: string): ReadArray {
  const opened = new Map<string, Promise<Uint8Array>>();
  return async (path, name) => {
    const file = resolve(folder, path);
    const bytes = opened.get(file) ?? readBytes(file);
    opened.set(file, bytes);
    const { shape, data } = readNpzArray(await bytes, name);
    const whole = data instanceof BigInt64Array || data instanceof BigUint64Array;
    return { shape, data: whole ? Float64Array.from(data, Number) : data };
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

const readSpikes = (population: Population): Promise<Spikes> | undefined =>
  population.recordsSpikes ? population.spikes() : undefined;

/** The files of a run, by name, and what could not become one. */
async function outputs(
  { simulation, populations }: ExperimentRun,
  recorded: readonly (Spikes | undefined)[],
  summary: Summary,
  picture: boolean,
): Promise<{ files: Map<string, Uint8Array | string>; lost: string[] }> {
  const files = new Map<string, Uint8Array | string>();
  const lost: string[] = [];
  for (const [i, population] of populations.entries()) {
    const spikes = recorded[i];
    const { name, soma, neurons } = population;
    try {
      files.set(`${name}.npz`, writeNpz(await arraysOf(population, spikes, simulation.dt)));
    } catch (error) {
      // One population too large for a file must not cost the others theirs.
      lost.push(`${name}.npz: ${(error as Error).message}`);
    }
    if (!picture || !spikes) continue;
    const { drawRaster } = await import('./picture.ts');
    const subtitle = `${soma.name}, ${neurons.toLocaleString('en')} neurons, dt ${simulation.dt} ms`;
    files.set(`${name}.svg`, drawRaster(spikes, { neurons, duration: simulation.time, title: name, subtitle }));
  }
  const dated = { version, ...summary, date: new Date().toISOString() };
  files.set('summary.json', `${JSON.stringify(dated, null, 2)}\n`);
  return { files, lost };
}

async function arraysOf(
  population: Population,
  spikes: Spikes | undefined,
  dt: number,
): Promise<Record<string, NpyArray | NpyArray['data']>> {
  const arrays: Record<string, NpyArray | NpyArray['data']> = { dt: { shape: [], data: Float64Array.of(dt) } };
  if (spikes) {
    const { inhibitory } = population;
    arrays.spike_steps = spikes.steps;
    arrays.spike_neurons = spikes.neurons;
    if (inhibitory) arrays.spike_signs = Int8Array.from(spikes.neurons, (neuron) => (inhibitory[neuron] ? -1 : 1));
  }
  if (population.recordsRate) {
    const { steps, counts, rates } = await population.rate();
    Object.assign(arrays, { rate: rates, rate_counts: counts, rate_steps: steps });
  }
  for (const state of population.recordedStates) {
    const { steps, neurons, values } = await population.trace(state);
    arrays[state] = { shape: [steps.length, neurons.length], data: values };
    arrays[`${state}_steps`] = steps;
    arrays[`${state}_neurons`] = neurons;
  }
  return arrays;
}

/** Writes all files aside, then renames them: each appears whole or not at all, also when the disk is full. */
export async function save(folder: string, files: ReadonlyMap<string, Uint8Array | string>): Promise<void> {
  const written: { aside: string; target: string }[] = [];
  try {
    for (const [name, content] of files) {
      const aside = join(folder, `.${name}.${process.pid}`);
      written.push({ aside, target: join(folder, name) });
      await writeFile(aside, content);
    }
    for (const { aside, target } of written) await rename(aside, target);
  } finally {
    await Promise.all(written.map(({ aside }) => rm(aside, { force: true })));
  }
}
