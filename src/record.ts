// What a user asks to record, checked: moments become steps, neurons flat indices, and each recording its recorder. How
// that collects is its own.

import { checkNames, InputError, isList } from './errors.ts';
import { firstStepAt, stepsIn } from './parameters.ts';
import { RateRecorder, SpikeRecorder, TraceRecorder, type Window } from './recorders.ts';
import { Recordings } from './recordings.ts';
import type { Soma } from './somas.ts';

/** When to record, ms of model time: steps n with from <= n dt < to. */
export interface RecordingWindow {
  /** 0 by default. */
  from?: number;
  /** The end by default. */
  to?: number | 'end';
  /** Keeps only the last so many ms of the time that has passed; all by default. 0 keeps nothing: for streams alone. */
  last?: number;
}

/** Whose spikes to record, and when. */
export interface SpikeRecording extends RecordingWindow {
  /** Flat indices, or `all` of them (the default). */
  neurons?: 'all' | ArrayLike<number>;
}

/** Which neurons' state to record, how often, and when. */
export interface StateRecording extends RecordingWindow {
  /** Flat indices, or `all` of them (the default). */
  neurons?: 'all' | ArrayLike<number>;
  /** Steps between samples, 1 by default: steps divisible by it are sampled. */
  every?: number;
}

/** In which bins to count the spikes of all neurons, and when. */
export interface RateRecording extends RecordingWindow {
  /** ms, a whole number of steps; the first bin begins at `from`. */
  bin: number;
}

/** When to gather the statistics of a state: every step goes in. */
export type StatisticsRecording = Omit<RecordingWindow, 'last'>;

const WINDOW = ['from', 'to', 'last'];

/** What to record of a population; nothing by default. */
export interface Recording<State extends string = string> {
  spikes?: boolean | SpikeRecording;
  states?: { [state in State]?: StateRecording };
  rate?: RateRecording;
  /** Mean, variance, least and most of states, neuron by neuron, computed on the device. */
  statistics?: { [state in State]?: StatisticsRecording };
}

/** Whose recording it is. */
interface Owner {
  readonly name: string;
  readonly soma: Soma;
  readonly neurons: number;
  readonly dt: number;
}

/**
 * Checks what a user asked to record, and makes what collects it.
 *
 * @throws InputError naming what is wrong
 */
export function makeRecordings(given: Recording, owner: Owner): Recordings {
  const path = `${owner.name}.record`;
  checkNames(path, given, ['spikes', 'states', 'rate', 'statistics'], 'key NAME of record');
  const { spikes = false, states = {}, rate, statistics = {} } = given;
  for (const [key, named] of Object.entries({ states, statistics })) {
    checkNames(`${path}.${key}`, named, Object.keys(owner.soma.states), `state NAME of ${owner.soma.name}`);
  }
  const traces = Object.entries(states as Record<string, StateRecording>).map(
    ([state, recording]) => [state, recordState(recording, owner, `${path}.states.${state}`)] as const,
  );
  const gathered = Object.entries(statistics as Record<string, StatisticsRecording>).map(([state, window]) => {
    const where = `${path}.statistics.${state}`;
    checkNames(where, window, ['from', 'to'], 'key NAME of gathered statistics');
    return [state, checkWindow(window, owner.dt, where)] as const;
  });
  return new Recordings(owner.name, {
    spikes: spikes === false ? undefined : recordSpikes(spikes === true ? {} : spikes, owner, `${path}.spikes`),
    rate: rate === undefined ? undefined : recordRate(rate, owner, `${path}.rate`),
    traces: new Map(traces),
    statistics: new Map(gathered),
  });
}

function recordSpikes(given: SpikeRecording, { neurons, dt }: Owner, path: string): SpikeRecorder {
  if (typeof given !== 'object' || given === null) {
    throw new InputError(path, given, 'is neither true nor false', 'give true to record all spikes, or an object');
  }
  checkNames(path, given, ['neurons', ...WINDOW], 'key NAME of recorded spikes');
  const { neurons: which = 'all' } = given;
  const chosen = which === 'all' ? undefined : checkIndices(which, neurons, `${path}.neurons`);
  return new SpikeRecorder(checkWindow(given, dt, path), dt, chosen && Uint32Array.from(new Set(chosen)).sort());
}

function recordState(given: StateRecording, { neurons, dt }: Owner, path: string): TraceRecorder {
  checkNames(path, given, ['neurons', 'every', ...WINDOW], 'key NAME of a recorded state');
  const { neurons: which = 'all', every = 1 } = given;
  if (!Number.isInteger(every) || every < 1 || every > 0xffffffff) {
    throw new InputError(`${path}.every`, every, 'is no number of steps', 'give a whole number from 1 on');
  }
  const all = () => Uint32Array.from({ length: neurons }, (_, i) => i);
  const chosen = which === 'all' ? all() : checkIndices(which, neurons, `${path}.neurons`);
  return new TraceRecorder(checkWindow(given, dt, path), dt, chosen, every);
}

function recordRate(given: RateRecording, { neurons, dt }: Owner, path: string): RateRecorder {
  checkNames(path, given, ['bin', ...WINDOW], 'key NAME of a recorded rate');
  const bin = stepsIn(given.bin, dt, `${path}.bin`);
  if (bin === 0) throw new InputError(`${path}.bin`, given.bin, 'has no step', `give ${dt} or a multiple of it`);
  return new RateRecorder(checkWindow(given, dt, path), dt, bin, neurons);
}

/** The steps of a window. @throws InputError */
export function checkWindow(
  { from = 0, to = 'end', last = Infinity }: RecordingWindow,
  dt: number,
  path: string,
): Window {
  const stepOf = (key: string, value: unknown, none?: unknown): number => {
    if (value === none) return 0xffffffff;
    if (typeof value === 'number' && value >= 0 && value < Infinity) return firstStepAt(value, dt);
    throw new InputError(`${path}.${key}`, value, 'is no time', 'give ms, 0 or more, or leave it out');
  };
  const window = { from: stepOf('from', from), to: stepOf('to', to, 'end'), last: stepOf('last', last, Infinity) };
  if (to === 'end' || to >= from) return window;
  throw new InputError(`${path}.to`, to, 'is before the beginning', 'give a later moment');
}

/** Checks flat indices of neurons. @throws InputError */
export function checkIndices(given: ArrayLike<number>, neurons: number, path: string): Uint32Array {
  if (!isList(given)) {
    throw new InputError(path, given, 'is no list of neurons', 'give flat indices');
  }
  return Uint32Array.from({ length: given.length }, (_, i) => {
    const neuron: unknown = given[i];
    if (Number.isInteger(neuron) && (neuron as number) >= 0 && (neuron as number) < neurons) return neuron as number;
    throw new InputError(
      `${path}[${i}]`,
      neuron,
      'is no neuron of this population',
      `give whole numbers from 0 to ${neurons - 1}`,
    );
  });
}
