// The f-I curve: how a soma's rate follows a constant current. One neuron a current, all of them in one run.

import { InputError, type Soma } from '../index.ts';
import { checkKnown, checkNumber } from './check.ts';
import { intervalsOf } from './intervals.ts';
import { checkCurrents, DURATION, SHORT_RUN, type ShortRunOptions, spikeTrains } from './trains.ts';

export interface CurveOptions<Config extends object = object> extends ShortRunOptions {
  /** As for a population with one neuron a current; those not given are the soma's defaults. */
  parameters?: Config;
  /** `[currents]`, pA, each on from the first step to the last. */
  currents: ArrayLike<number>;
  /** ms: when what the onset does is over, for `steady`; half of the duration by default. */
  settle?: number;
}

/** An f-I curve, one value a current. */
export interface Curve {
  /** pA, as they were given. */
  currents: Float64Array;
  /** Spikes in the whole run. */
  counts: Uint32Array;
  /** Hz: spikes over the duration. */
  rates: Float64Array;
  /** Hz: 1 over the first interval; 0 where there is none. */
  first: Float64Array;
  /** Hz: 1 over the mean of the intervals that end after `settle`; 0 where none does. */
  steady: Float64Array;
  /** ms: when the first spike comes; NaN where none does. */
  latencies: Float64Array;
  /** ms: all spikes of each neuron. */
  trains: readonly Float64Array[];
  /** ms */
  duration: number;
  /** ms */
  settle: number;
}

/**
 * The f-I curve of a soma: one neuron a current, one run.
 *
 * @param soma - one of the exported somas
 * @param options - the currents, the neuron's parameters, `dt` (0.1 ms), `duration` (1000 ms), and what
 *   `Simulation.create` takes
 * @throws InputError naming what is unknown or wrong; NoBackendError and the like from `Simulation.create`; the signal's
 *   reason
 * @example
 * ```ts
 * import { ExponentialSoma } from 'somagpu';
 * import { currentsBetween, fiCurve } from 'somagpu/analysis';
 * const { steady } = await fiCurve(ExponentialSoma, { currents: currentsBetween(0, 100, 51), duration: 500 });
 * ```
 */
export async function fiCurve<Config extends object, State extends string>(
  soma: Soma<Config, State>,
  options: CurveOptions<Config>,
): Promise<Curve> {
  checkKnown('', options, ['parameters', 'currents', 'settle', ...SHORT_RUN], 'option of fiCurve:');
  const { parameters, currents: given, settle: asked, ...run } = options;
  const currents = checkCurrents(given);
  const { duration = DURATION } = run;
  checkNumber(duration, 'duration', { unit: 'ms', above: 0 });
  const settle = asked ?? duration / 2;
  checkNumber(settle, 'settle', { unit: 'ms', least: 0 });
  if (settle >= duration) {
    throw new InputError('settle', settle, `leaves nothing of the duration, ${duration} ms`, 'give an earlier moment');
  }
  const trains = await spikeTrains(soma, parameters, currents, run);
  const each = (figure: (train: Float64Array) => number) => Float64Array.from(trains, figure);
  return {
    currents,
    counts: Uint32Array.from(trains, ({ length }) => length),
    rates: each(({ length }) => (1000 * length) / duration),
    first: each(([first, second]) => (second === undefined ? 0 : 1000 / (second - (first as number)))),
    steady: each((train) => steadyRate(train, settle)),
    latencies: each(([first]) => first ?? Number.NaN),
    trains,
    duration,
    settle,
  };
}

function steadyRate(train: Float64Array, settle: number): number {
  const intervals = intervalsOf(train).filter((_, i) => (train[i + 1] as number) > settle);
  const sum = intervals.reduce((total, interval) => total + interval, 0);
  return intervals.length === 0 ? 0 : (1000 * intervals.length) / sum;
}

/**
 * Currents from one to another, both included, evenly spaced, pA.
 *
 * @throws InputError where the second is not above the first, or for fewer than 2 points
 * @example
 * ```ts
 * currentsBetween(0, 100, 5); // 0, 25, 50, 75, 100
 * ```
 */
export function currentsBetween(from: number, to: number, points: number): Float64Array {
  checkNumber(from, 'from', { unit: 'pA' });
  checkNumber(to, 'to', { unit: 'pA' });
  checkNumber(points, 'points', { unit: 'currents', whole: true, least: 2, most: 1e6 });
  if (from >= to) throw new InputError('to', to, `is not above from, ${from}`, 'give a larger current');
  return Float64Array.from({ length: points }, (_, i) => from + ((to - from) * i) / (points - 1));
}
