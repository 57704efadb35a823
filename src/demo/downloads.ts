// What the page gives away as files: its set-up as an experiment that `somagpu run` takes, recordings as npz and CSV laid
// out as that command lays them out. Files are bytes with names here; only the last function knows a page.

import { provenanceOf } from '../experiment.ts';
import { csvHead, csvRows, type NpzValue, npzBlob } from '../files/index.ts';
import {
  type Recording,
  type RunOptions,
  Simulation,
  type SimulationOptions,
  type Spikes,
  type Trace,
} from '../index.ts';
import { POPULATION, populationOf, type Setup } from './setup.ts';

/** A file to be saved. */
export interface Download {
  name: string;
  content: Blob;
}

type Arrays = Record<string, Float32Array>;

/**
 * The experiment of a set-up, from rest on: `somagpu run` makes the spikes that the set-up's population makes.
 *
 * @param duration - ms; rounded to whole steps
 * @param record - what the run shall leave
 * @returns the experiment, and what it finds in a file beside it, if anything: numbers neuron by neuron, which are too
 *   many for a readable JSON
 * @throws InputError where the set-up itself is wrong
 */
export function experimentOf(
  setup: Setup,
  duration: number,
  record: Recording = { spikes: true },
): { experiment: Record<string, unknown>; beside?: { file: string; arrays: Arrays } } {
  const { dt, seed } = setup;
  const { soma, options } = populationOf(setup);
  const { name = POPULATION, units, parameters, input = [] } = options;
  const arrays: Arrays = {};
  input.forEach((each, i) => {
    for (const [key, value] of Object.entries(each)) {
      if (value instanceof Float32Array) arrays[`input_${i}_${key}`] = value;
    }
  });
  const file = `${POPULATION}-${checksum(arrays)}.npz`;
  const inputs = input.map((each, i) =>
    Object.fromEntries(
      Object.entries(each).map(([key, value]: [string, unknown]) => {
        const array = `input_${i}_${key}`;
        return [key, array in arrays ? { file, array } : value];
      }),
    ),
  );
  const population = { soma: soma.name, units, parameters, input: inputs, record };
  // 3 * 0.1 is no number to show to anybody.
  const whole = Number((Math.round(duration / dt) * dt).toPrecision(12));
  const experiment = { dt, duration: whole, seed, populations: { [name]: population } };
  return Object.keys(arrays).length > 0 ? { experiment, beside: { file, arrays } } : { experiment };
}

// In the file's name, so that an experiment finds its own arrays in a folder full of downloads, or none. FNV-1a, by words.
function checksum(arrays: Arrays): string {
  let sum = 0x811c9dc5;
  for (const { buffer } of Object.values(arrays)) {
    for (const word of new Uint32Array(buffer)) sum = Math.imul(sum ^ word, 0x01000193);
  }
  return (sum >>> 0).toString(16).padStart(8, '0');
}

/** The files of {@link experimentOf}: the experiment, and its arrays where it has some. */
export async function experimentFiles(setup: Setup, duration: number, record?: Recording): Promise<Download[]> {
  const { experiment, beside } = experimentOf(setup, duration, record);
  const files = [textFile(`${POPULATION}.json`, `${JSON.stringify(experiment, null, 2)}\n`, 'application/json')];
  if (beside) files.push(await npzFile(beside.file, beside.arrays));
  return files;
}

/** What was recorded of the page's population. */
export interface Recorded {
  /** ms */
  dt: number;
  spikes?: Spikes;
  /** By state. */
  traces?: Readonly<Record<string, Trace>>;
  /** Where it comes from: `provenanceOf` of somagpu/experiment. */
  provenance?: string;
}

/** How to run for {@link recordedOf}, and on what: the page's own device, say. */
export interface RecordOptions extends RunOptions, Pick<SimulationOptions, 'backend' | 'device' | 'workers'> {
  /** All spikes by default. */
  record?: Recording;
}

/**
 * Runs a set-up from rest, beside what the page runs, and gives what `somagpu run` records of its experiment.
 *
 * @param duration - ms; rounded to whole steps
 * @throws InputError, and what else a simulation throws; the signal's reason where it was aborted
 */
export async function recordedOf(
  setup: Setup,
  duration: number,
  { record = { spikes: true }, signal, onProgress, ...path }: RecordOptions = {},
): Promise<Recorded> {
  const { dt, seed } = setup;
  const simulation = await Simulation.create({ dt, seed, ...path });
  try {
    const { soma, options } = populationOf(setup);
    const cells = simulation.add(soma, { ...options, record });
    await simulation.run(Math.round(duration / dt) * dt, { signal, onProgress });
    const traces = await Promise.all(
      cells.recordedStates.map(async (state) => [state, await cells.trace(state)] as const),
    );
    const { experiment } = experimentOf(setup, duration, record);
    return {
      dt,
      ...(record.spikes ? { spikes: await cells.spikes() } : {}),
      traces: Object.fromEntries(traces),
      provenance: provenanceOf(simulation, experiment),
    };
  } finally {
    simulation.dispose();
  }
}

/** The recordings as one npz, with the arrays that `somagpu run` gives their names. */
export function npzOf({ dt, spikes, traces = {}, provenance }: Recorded): Promise<Download> {
  const arrays: Record<string, NpzValue> = { dt: { shape: [], data: Float64Array.of(dt) } };
  if (provenance !== undefined) arrays.provenance = provenance;
  if (spikes) Object.assign(arrays, { spike_steps: spikes.steps, spike_neurons: spikes.neurons });
  for (const [state, { steps, neurons, values }] of Object.entries(traces)) {
    Object.assign(arrays, {
      [state]: { shape: [steps.length, neurons.length], data: values },
      [`${state}_steps`]: steps,
      [`${state}_neurons`]: neurons,
    });
  }
  return npzFile(`${POPULATION}.npz`, arrays);
}

/** Rows that become text at once: one text of all could be longer than texts can be. */
const PIECE = 1 << 16;

/** The recordings as CSV, one file each, with the columns that `somagpu run --format csv` gives them. */
export function csvOf({ spikes, traces = {}, provenance }: Recorded): Download[] {
  const files: Download[] = [];
  const add = (name: string, head: string[], rows: number, piece: (from: number, to: number) => string) => {
    const parts = [csvHead(head, provenance)];
    for (let from = 0; from < rows; from += PIECE) parts.push(piece(from, Math.min(from + PIECE, rows)));
    files.push({ name: `${POPULATION}.${name}.csv`, content: new Blob(parts, { type: 'text/csv' }) });
  };
  if (spikes) {
    const { steps, times, neurons } = spikes;
    add('spikes', ['step', 'time_ms', 'neuron'], steps.length, (from, to) =>
      csvRows([steps, times, neurons].map((column) => column.subarray(from, to))),
    );
  }
  for (const [state, { steps, times, neurons, values }] of Object.entries(traces)) {
    const width = neurons.length;
    const names = Array.from(neurons, (neuron) => `neuron_${neuron}`);
    add(state, ['step', 'time_ms', ...names], steps.length, (from, to) =>
      csvRows([steps.subarray(from, to), times.subarray(from, to), values.subarray(from * width, to * width)]),
    );
  }
  return files;
}

const textFile = (name: string, text: string, type: string): Download => ({
  name,
  content: new Blob([text], { type }),
});

const npzFile = async (name: string, arrays: Readonly<Record<string, NpzValue>>): Promise<Download> => ({
  name,
  content: await npzBlob(arrays),
});

/** Longer than a browser takes to begin a download. */
const KEPT = 60_000;

/** Lets the browser save files. */
export function save(files: readonly Download[]): void {
  for (const { name, content } of files) {
    const link = document.createElement('a');
    link.href = URL.createObjectURL(content);
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), KEPT);
  }
}
