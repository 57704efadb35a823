// The rheobase: the current from which on a soma fires. From its equations in closed form, and from short runs of many
// neurons at once.

import { InputError, type Soma } from '../index.ts';
import { checkKnown, checkNumber } from './check.ts';
import { currentsBetween } from './curves.ts';
import { holdingCurrent, type Neuron, neuronOf, numbersOf } from './neuron.ts';
import { DURATION, SHORT_RUN, type ShortRunOptions, spikeTrains } from './trains.ts';

/** The current at which a neuron's rest ends as the current slowly grows. */
export interface Rheobase {
  /** pA; NaN where no current leaves it a stable rest. */
  current: number;
  /**
   * What ends it: `saddle-node`, the resting state meets the unstable one and both vanish (type I: it may fire at any
   * rate); `hopf`, it gives way to oscillations that grow into spikes (type II); `threshold`, the potential passes the
   * threshold while it is still at rest; `none`, it is never at rest.
   */
  kind: 'saddle-node' | 'hopf' | 'threshold' | 'none';
  /** pA: where the saddle-node is, be it first or not; NaN where there is none. */
  saddleNode: number;
  /** pA: where the Hopf bifurcation is; NaN where there is none, as without adaptation. */
  hopf: number;
}

/** What happens at a rheobase, in a few words. */
export const rheobaseMeanings: Readonly<Record<Rheobase['kind'], string>> = {
  'saddle-node': 'saddle-node: rest and the unstable state vanish together',
  hopf: 'Hopf bifurcation: rest gives way to oscillations',
  threshold: 'the potential at rest passes the threshold',
  none: 'no current leaves it a stable rest',
};

/**
 * The rheobase of a soma from its equations, in continuous time: with R the resistance, g = 1 + R *
 * adaptation_subthreshold (1 without adaptation) and V_T the rheobase threshold above rest,
 *
 * - saddle-node: g * (V_T - spike_slope + spike_slope * ln g) / R, which without adaptation is
 *   (rheobase_threshold - potential_rest - spike_slope) / resistance;
 * - Hopf bifurcation, where potential_tau / adaptation_tau < g - 1: (g * V_H - spike_slope * h) / R, with
 *   h = 1 + potential_tau / adaptation_tau and V_H = V_T + spike_slope * ln h.
 *
 * A step of current may bring a spike or two below it, of a soma with adaptation: {@link findRheobase} finds that.
 *
 * @param parameters - one neuron's: numbers; those not given are the soma's defaults
 * @throws InputError naming what is unknown or wrong
 * @example
 * ```ts
 * rheobase(ExponentialSoma); // 36 pA, a saddle-node
 * rheobase(AdaptiveExponentialSoma); // 46.044 pA, a Hopf bifurcation; the saddle-node is at 46.116 pA
 * ```
 */
export function rheobase<Config extends object, State extends string>(
  soma: Soma<Config, State>,
  parameters?: Config,
): Rheobase {
  return rheobaseOf(neuronOf(soma, parameters));
}

function rheobaseOf(neuron: Neuron): Rheobase {
  const { gain, slope, onset, tau, adaptationTau, threshold, resistance } = neuron;
  // With a gain of 0 or less every fixed point is a saddle.
  if (gain <= 0) return { current: Number.NaN, kind: 'none', saddleNode: Number.NaN, hopf: Number.NaN };
  const saddle = onset + slope * Math.log(gain);
  const saddleNode = (gain * (saddle - slope)) / resistance;
  const ratio = adaptationTau === undefined ? Infinity : tau / adaptationTau;
  const oscillates = ratio < gain - 1;
  const turn = onset + slope * Math.log1p(ratio);
  const hopf = oscillates ? (gain * turn - slope * (1 + ratio)) / resistance : Number.NaN;
  const last = oscillates ? turn : saddle;
  if (threshold < last) return { current: holdingCurrent(neuron, threshold), kind: 'threshold', saddleNode, hopf };
  return oscillates
    ? { current: hopf, kind: 'hopf', saddleNode, hopf }
    : { current: saddleNode, kind: 'saddle-node', saddleNode, hopf };
}

export interface FindRheobaseOptions<Config extends object = object> extends ShortRunOptions {
  /** One neuron's: numbers; those not given are the soma's defaults. */
  parameters?: Config;
  /** ms: only spikes after it count; 0 by default. With the time that adaptation takes, the rheobase of lasting firing. */
  settle?: number;
  /** pA: where to look; by default around the analytic rheobase, and farther where it is not there. */
  from?: number;
  to?: number;
  /** pA: how near `silent` and `firing` have to come; 0.01 by default. */
  precision?: number;
  /** How many currents a run tries at once; 64 by default. */
  neurons?: number;
}

/** What a search for a rheobase found. */
export interface FoundRheobase {
  /** pA: the lowest current that was seen to make it fire; the same as `firing`. */
  current: number;
  /** pA: under which it did not fire, next below. */
  silent: number;
  firing: number;
  /** Runs this took. */
  runs: number;
}

/**
 * The rheobase as an experiment finds it: the lowest current that, switched on at rest, brings a spike within the duration.
 * By runs of many neurons at once, each between the last silent and the first firing current of the run before.
 *
 * It lies a little above {@link rheobase} where that is a saddle-node, because the first spike takes the longer, the nearer
 * the current is (by spike_slope / resistance * 2 * (pi * potential_tau / duration)^2 without adaptation); it may lie below
 * where adaptation comes too late for the first spike.
 *
 * @throws InputError naming what is unknown or wrong, also where it fires, or is silent, under all currents looked at;
 *   NoBackendError and the like from `Simulation.create`; the signal's reason
 * @example
 * ```ts
 * const { silent, firing } = await findRheobase(AdaptiveExponentialSoma, { duration: 500 });
 * ```
 */
export async function findRheobase<Config extends object, State extends string>(
  soma: Soma<Config, State>,
  options: FindRheobaseOptions<Config> = {},
): Promise<FoundRheobase> {
  const known = ['parameters', 'settle', 'from', 'to', 'precision', 'neurons', ...SHORT_RUN];
  checkKnown('', options, known, 'option of findRheobase:');
  const { parameters, settle = 0, from, to, precision = 0.01, neurons = 64, ...run } = options;
  const { duration = DURATION } = run;
  const range = firstRange(neuronOf(soma, parameters), from, to);
  checkNumber(duration, 'duration', { unit: 'ms', above: 0 });
  checkNumber(settle, 'settle', { unit: 'ms', least: 0 });
  if (settle >= duration) {
    throw new InputError('settle', settle, `leaves nothing of the duration, ${duration} ms`, 'give an earlier moment');
  }
  checkNumber(precision, 'precision', { unit: 'pA', above: 0 });
  checkNumber(neurons, 'neurons', { unit: 'neurons', whole: true, least: 3, most: 65536 });
  const numbers = numbersOf(soma, parameters);
  const fire = async (currents: Float64Array) => {
    const trains = await spikeTrains(soma, numbers, currents, run);
    return trains.map((train) => (train.at(-1) ?? -1) > settle);
  };
  return search(fire, range, { precision, neurons, duration });
}

/** Where to look first, and which ends are the user's, beyond which it does not go. */
interface Range {
  low: number;
  high: number;
  fixedLow: boolean;
  fixedHigh: boolean;
}

function firstRange(neuron: Neuron, from: number | undefined, to: number | undefined): Range {
  const { onset, slope, resistance } = neuron;
  const expected = rheobaseOf(neuron).current;
  const size = Math.max(Math.abs(expected) || 0, (Math.abs(onset) + slope) / resistance);
  const low = from ?? Math.min(0, 2 * (expected || 0), (to ?? Infinity) - size);
  const high = to ?? Math.max(2 * size, low + size);
  checkNumber(low, 'from', { unit: 'pA' });
  checkNumber(high, 'to', { unit: 'pA' });
  if (low >= high) throw new InputError('to', to, `is not above from, ${low}`, 'give a larger current');
  return { low, high, fixedLow: from !== undefined, fixedHigh: to !== undefined };
}

/** How often a range is widened, fourfold each time. */
const WIDENINGS = 10;

async function search(
  fire: (currents: Float64Array) => Promise<boolean[]>,
  { low, high, fixedLow, fixedHigh }: Range,
  { precision, neurons, duration }: { precision: number; neurons: number; duration: number },
): Promise<FoundRheobase> {
  let runs = 0;
  for (let widened = 0; ; ) {
    // As the engine has them: beyond float32 there is nothing between two currents.
    const currents = currentsBetween(low, high, neurons).map(Math.fround);
    const fires = await fire(currents);
    runs++;
    const first = fires.indexOf(true);
    const span = high - low;
    if (first > 0) {
      [low, high] = [currents[first - 1] as number, currents[first] as number];
      const finest = Math.max(Math.abs(low), Math.abs(high)) * 2 ** -22;
      if (high - low <= Math.max(precision, finest)) return { current: high, silent: low, firing: high, runs };
      continue;
    }
    const silent = first < 0;
    if ((silent ? fixedHigh : fixedLow) || widened === WIDENINGS) throw outOfRange(silent, low, high, duration);
    widened++;
    [low, high] = silent ? [high, high + 3 * span] : [low - 3 * span, low];
  }
}

function outOfRange(silent: boolean, low: number, high: number, duration: number): InputError {
  const seen = silent ? `does not fire within ${duration} ms up to` : 'fires down to';
  const remedy = silent ? 'give a larger to, or a longer duration' : 'give a smaller from';
  return new InputError(silent ? 'to' : 'from', undefined, `it ${seen} ${silent ? high : low} pA`, remedy);
}
