// What a run records of one population, on its way to files: the engine's streams are spooled while the run goes on, and
// packed as npz or CSV when it has ended. Nothing of it is ever whole in memory, but for rings, which are as long as the
// user said. When that happens is run.ts's affair.

import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type NpzEntry, packNpz, Spool } from '../disk/index.ts';
import type { Experiment } from '../experiment.ts';
import { csvHead, csvRows, type NpyArray, type NpyData } from '../files/index.ts';
import type { Population, Rate, Recording, Spikes, Trace } from '../index.ts';
import { checkWindow } from '../record.ts';
import type { Aside } from './folder.ts';

export type Format = 'npz' | 'csv';

type Arrays = Record<string, NpyData>;

/** How many values spools have, by their names. */
export type Positions = Readonly<Record<string, number>>;

/** One recording of a population, and how it lies in files. */
interface Kept {
  /** The engine keeps the last part of it, and only that is saved. */
  ring: boolean;
  stream(): AsyncIterable<object>;
  read(): Promise<object>;
  /** The arrays of a part of it, by their names in the npz. */
  arrays(part: object): Arrays;
  /** The array that tells rows apart, where the last one may come again. */
  key?: string;
  /** Values that a row of an array has, where that is not one. */
  width: Record<string, number>;
  /** Arrays of the npz that are known beforehand. */
  fixed: Arrays;
  /** Its CSV: NAME.`name`.csv, the names of its columns, and the columns. */
  name: string;
  head: string[];
  columns(arrays: Arrays): NpyData[];
}

/** Values of a column that are read from its spool at once. */
const PIECE = 1 << 17;

/** For CSV alone: in an npz they follow from the others. */
const IN_CSV_ALONE = 'rate_times';

/** An experiment recorded for streams alone: nothing stays in memory but what the user bounded himself, by `last`. */
export function forStreams(experiment: Experiment): Experiment {
  const unkept = (given: unknown): unknown => {
    return isObject(given) && !isRing(given) ? { ...given, last: 0 } : given;
  };
  const populations = experiment.populations.map((population) => {
    const record: unknown = population.options.record;
    // What is no record is the engine's to refuse.
    if (!isObject(record)) return population;
    const changed = eachValue(record, (given, key) => {
      // The device gathers statistics; no stream has them.
      if (key === 'statistics') return given;
      if (key === 'spikes' && given === true) return { last: 0 };
      return key === 'states' && isObject(given) ? eachValue(given, unkept) : unkept(given);
    });
    return { ...population, options: { ...population.options, record: changed } };
  });
  return { ...experiment, populations };
}

type Json = Record<string, unknown>;

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isRing = (given: unknown): boolean => isObject(given) && given.last !== undefined;

const eachValue = (given: Json, change: (value: unknown, key: string) => unknown): Json =>
  Object.fromEntries(Object.entries(given).map(([key, value]) => [key, change(value, key)]));

/** The recordings of one population. */
export class Recorded {
  private constructor(
    readonly population: Population,
    readonly record: Recording,
    readonly dt: number,
    readonly kept: readonly (Kept & { names: string[] })[],
    readonly spools: ReadonlyMap<string, Spool>,
  ) {}

  /**
   * Opens the spools.
   *
   * @param record - what the user asked for, before {@link forStreams}
   * @param positions - what to keep of earlier spools, as {@link positions} gave it
   */
  static async open(
    population: Population,
    record: Recording = {},
    dt: number,
    aside: Aside,
    positions: Positions = {},
  ): Promise<Recorded> {
    const kept = [];
    const spools = new Map<string, Spool>();
    for (const recording of await recordingsOf(population, record, dt)) {
      const nothing = recording.arrays(await recording.read());
      kept.push({ ...recording, names: Object.keys(nothing) });
      for (const [name, values] of Object.entries(nothing)) {
        const key = `${population.name}.${name}`;
        spools.set(name, await Spool.open(aside.path(key), values.constructor as Spool['type'], positions[key]));
      }
    }
    return new Recorded(population, record, dt, kept, spools);
  }

  /** Spools what comes until the run ends. @throws what ends the run, or what the system says that lets us not write */
  async follow(): Promise<void> {
    const streams = this.kept
      .filter(({ ring }) => !ring)
      .map((recording) => ({ ...recording, parts: recording.stream() }));
    const following = streams.map(async ({ parts, arrays, names, key }) => {
      let first = true;
      for await (const part of parts) {
        if (key && first) await this.#dropTwin(arrays(part)[key], key, names);
        first = false;
        await this.#append(arrays(part));
      }
    });
    await Promise.all(following);
  }

  // Where a run stopped in the middle of a bin, that came with what it had so far, and comes again whole.
  async #dropTwin([first]: NpyData = new Uint32Array(), key: string, names: readonly string[]): Promise<void> {
    const { position } = this.#spool(key);
    if (position === 0) return;
    for await (const [last] of this.#spool(key).read(1, position - 1)) {
      if (last === first) for (const name of names) await this.#spool(name).rewind(position - 1);
    }
  }

  /** How many values each spool has, safe on the disk; by its name in the folder. */
  async positions(): Promise<Positions> {
    const { name: population } = this.population;
    const positions: Record<string, number> = {};
    for (const [name, spool] of this.spools) {
      await spool.sync();
      positions[`${population}.${name}`] = spool.position;
    }
    return positions;
  }

  /** The run has ended: what the engine kept is spooled as well. */
  async finish(): Promise<void> {
    for (const { ring, read, arrays } of this.kept) if (ring) await this.#append(arrays(await read()));
  }

  async #append(arrays: Arrays): Promise<void> {
    for (const [name, values] of Object.entries(arrays)) await this.#spool(name).append(values);
  }

  #spool(name: string): Spool {
    return this.spools.get(name) as Spool;
  }

  /** Whose spikes were to be recorded, ascending (all, without), and from and to when, ms, in so many steps. */
  spikesAsked(steps: number): { chosen: Uint32Array | undefined; window: [from: number, to: number] } {
    const { spikes } = this.record;
    const { neurons = 'all', ...window } = typeof spikes === 'object' ? spikes : {};
    const { from, to, last } = checkWindow(window, this.dt, 'spikes');
    const begin = Math.max(from, steps - last);
    return {
      chosen: neurons === 'all' ? undefined : Uint32Array.from(new Set(Array.from(neurons))).sort(),
      window: [begin * this.dt, Math.min(to, steps) * this.dt],
    };
  }

  /** The spikes from the first on, in parts. */
  async *spikes(): AsyncGenerator<{ times: Float64Array; neurons: Uint32Array }> {
    for await (const { spike_steps, spike_neurons } of this.#rows(['spike_steps', 'spike_neurons'], {})) {
      yield { times: timesOf(spike_steps as Uint32Array, this.dt), neurons: spike_neurons as Uint32Array };
    }
  }

  // Rows of arrays, read side by side.
  async *#rows(names: readonly string[], width: Record<string, number>): AsyncGenerator<Arrays> {
    const rows = Math.ceil(PIECE / Math.max(1, ...Object.values(width)));
    const columns = names.map((name) => this.#spool(name).read(rows * (width[name] ?? 1)));
    while (true) {
      const parts = await Promise.all(columns.map((column) => column.next()));
      if (parts.every(({ done }) => done)) return;
      yield Object.fromEntries(names.map((name, i) => [name, (parts[i]?.value as NpyData) ?? new Float32Array(0)]));
    }
  }

  /** Makes the files, and gives their names. What is known only when a run has ended goes into them here. */
  async save(aside: Aside, format: Format, provenance: string): Promise<string[]> {
    if (format === 'npz') return [await this.#saveNpz(aside, provenance)];
    const files: string[] = [];
    for (const recording of this.kept) files.push(await this.#saveCsv(aside, provenance, recording));
    if (this.population.gatheredStates.length > 0) files.push(await this.#saveStatistics(aside, provenance));
    return files;
  }

  async #saveStatistics(aside: Aside, provenance: string): Promise<string> {
    const { name, neurons } = this.population;
    const file = `${name}.statistics.csv`;
    const entries = Object.entries(await statisticsOf(this.population)).filter(([, { shape }]) => shape.length > 0);
    const text = function* () {
      yield csvHead(['neuron', ...entries.map(([key]) => key)], provenance);
      for (let from = 0; from < neurons; from += PIECE) {
        const own = Uint32Array.from({ length: Math.min(PIECE, neurons - from) }, (_, i) => from + i);
        yield csvRows([own, ...entries.map(([, { data }]) => data.slice(from, from + PIECE))]);
      }
    };
    return writeText(aside, file, text());
  }

  async #saveNpz(aside: Aside, provenance: string): Promise<string> {
    const file = `${this.population.name}.npz`;
    const entries: Record<string, NpzEntry> = { dt: { shape: [], data: Float64Array.of(this.dt) }, provenance };
    for (const { names, width, fixed } of this.kept) {
      for (const name of names) {
        if (name === IN_CSV_ALONE) continue;
        const data = this.#spool(name);
        const columns = width[name];
        entries[name] = columns === undefined ? data : { shape: [this.#rowsOf(name), columns], data };
      }
      Object.assign(entries, fixed);
    }
    Object.assign(entries, await statisticsOf(this.population));
    await packNpz(aside.path(file), entries);
    return file;
  }

  // An array of no columns has rows all the same: its steps tell how many.
  #rowsOf(state: string): number {
    return this.#spool(`${state}_steps`).position;
  }

  async #saveCsv(
    aside: Aside,
    provenance: string,
    { name, head, columns, width, arrays, read }: Kept,
  ): Promise<string> {
    const file = `${this.population.name}.${name}.csv`;
    const names = Object.keys(arrays(await read()));
    const rows = this.#rows(names, width);
    const text = async function* () {
      yield csvHead(head, provenance);
      for await (const part of rows) yield csvRows(columns(part));
    };
    return writeText(aside, file, text());
  }

  /** Lets go of the spools. */
  async close(): Promise<void> {
    await Promise.all(Array.from(this.spools.values(), (spool) => spool.close()));
  }
}

/** Writes a text that comes in pieces: whole it may be longer than a text can be. */
async function writeText(aside: Aside, file: string, text: Iterable<string> | AsyncIterable<string>): Promise<string> {
  const to = aside.path(file);
  await pipeline(Readable.from(text), createWriteStream(to)).catch(async (error: unknown) => {
    // In the folder of a checkpoint it would stay, and keep a full disk full.
    await rm(to, { force: true });
    throw error;
  });
  return file;
}

/** The statistics of its states as arrays, by their names in the npz; how many steps went in is a scalar. */
async function statisticsOf(population: Population): Promise<Record<string, NpyArray>> {
  const arrays: Record<string, NpyArray> = {};
  for (const state of population.gatheredStates) {
    const { samples, ...each } = await population.statistics(state);
    for (const [name, data] of Object.entries(each)) arrays[`${state}_${name}`] = { shape: [data.length], data };
    arrays[`${state}_statistics_steps`] = { shape: [], data: Uint32Array.of(samples) };
  }
  return arrays;
}

/** When steps ended, ms. */
const timesOf = (steps: ArrayLike<number>, dt: number): Float64Array =>
  Float64Array.from(steps, (step) => (step + 1) * dt);

async function recordingsOf(population: Population, record: Recording, dt: number): Promise<Kept[]> {
  const kept: Kept[] = [];
  if (population.recordsSpikes) kept.push(spikesOf(population, record, dt));
  if (population.recordsRate) kept.push(rateOf(population, record));
  for (const state of population.recordedStates) kept.push(await traceOf(population, record, dt, state));
  return kept;
}

function spikesOf(population: Population, record: Recording, dt: number): Kept {
  const { inhibitory } = population;
  return {
    ring: isRing(record.spikes),
    stream: () => population.stream('spikes'),
    read: () => population.spikes(),
    arrays: (part) => {
      const { steps, neurons } = part as Spikes;
      const signs = () => Int8Array.from(neurons, (neuron) => (inhibitory?.[neuron] ? -1 : 1));
      return { spike_steps: steps, spike_neurons: neurons, ...(inhibitory ? { spike_signs: signs() } : {}) };
    },
    width: {},
    fixed: {},
    name: 'spikes',
    head: ['step', 'time_ms', 'neuron', ...(inhibitory ? ['sign'] : [])],
    columns: ({ spike_steps, ...others }) => [
      spike_steps as Uint32Array,
      timesOf(spike_steps as Uint32Array, dt),
      ...Object.values(others),
    ],
  };
}

function rateOf(population: Population, record: Recording): Kept {
  return {
    ring: isRing(record.rate),
    stream: () => population.stream('rate'),
    read: () => population.rate(),
    arrays: (part) => {
      const { steps, times, counts, rates } = part as Rate;
      return { rate: rates, rate_counts: counts, rate_steps: steps, [IN_CSV_ALONE]: times };
    },
    width: {},
    fixed: {},
    key: 'rate_steps',
    name: 'rate',
    head: ['step', 'time_ms', 'count', 'rate_hz'],
    columns: ({ rate, rate_counts, rate_steps, [IN_CSV_ALONE]: times }) =>
      [rate_steps, times, rate_counts, rate] as NpyData[],
  };
}

async function traceOf(population: Population, record: Recording, dt: number, state: string): Promise<Kept> {
  const { neurons } = await population.trace(state);
  const ofSteps = `${state}_steps`;
  return {
    ring: isRing(record.states?.[state]),
    stream: () => population.stream(state),
    read: () => population.trace(state),
    arrays: (part) => ({ [state]: (part as Trace).values, [ofSteps]: (part as Trace).steps }),
    width: { [state]: neurons.length },
    fixed: { [`${state}_neurons`]: neurons },
    name: state,
    head: ['step', 'time_ms', ...Array.from(neurons, (neuron) => `neuron_${neuron}`)],
    columns: ({ [ofSteps]: steps, [state]: values }) => [steps, timesOf(steps as Uint32Array, dt), values] as NpyData[],
  };
}
