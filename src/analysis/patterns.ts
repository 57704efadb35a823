// The firing pattern of a spike train under a step of current, in the words of Naud et al. 2008 and of Neuronal Dynamics.
// It sees spike times alone; the soma that made them is not known here.

import { InputError } from '../index.ts';
import { checkKnown, checkNumber, checkTimes } from './check.ts';
import { intervalsOf } from './intervals.ts';

/** How firing begins; `tonic`: as it goes on. */
export type Onset = 'tonic' | 'initial burst' | 'delayed';

/** How firing goes on; `single`: one spike, of which no more is known. */
export type SteadyState = 'tonic' | 'adapting' | 'accelerating' | 'bursting' | 'irregular' | 'single';

/** Both in one word or two. */
export type Pattern =
  | 'silent'
  | 'rebound'
  | 'transient'
  | 'initial burst'
  | 'delayed'
  | `delayed ${Exclude<SteadyState, 'tonic' | 'single'>}`
  | SteadyState;

export interface FiringPattern {
  pattern: Pattern;
  /** Nothing where it does not fire, or stops. */
  onset: Onset | undefined;
  steady: SteadyState | undefined;
  /** ms from the step's beginning to the first spike in it; NaN without one. */
  latency: number;
  /** ms; NaN with fewer than two spikes. */
  firstInterval: number;
  /** ms: the mean of those in the second half of the step; the last one where there is none. NaN with fewer than two spikes. */
  steadyInterval: number;
  /** Mean of 2 |next - last| / (next + last) over the intervals that `steadyInterval` is of; 0 with fewer than two. */
  variation: number;
}

/** The step of current that a train is the answer to. */
export interface StepOptions {
  /** ms: when the current was switched on; 0 by default. */
  start?: number;
  /** ms: when it was switched off, or the recording ended. */
  stop: number;
  /** ms: the membrane time constant, `potential_tau`. */
  tau: number;
}

/** A steady interval and the first one that differ by less are not told apart. */
const DISTINCT = 1.25;
/** A first spike is no later than the others where it takes less than so many times the first interval. */
const LATER = 1.1;
/** Firing begins with a burst where it begins so many times faster than it goes on: gradual adaptation is slower. */
const BURST = 10;
/** Membrane time constants after which a potential has settled, within e^-5: a first spike after that was held back. */
const SETTLED = 5;
/** Firing has stopped where silence lasts so many times longer than any before it. */
const STOPPED = 3;
/** Successive intervals of regular firing vary by less, on average; of a Poisson process it is 1. */
const REGULAR = 0.3;
/** Between a burst's intervals and those between bursts lies a gap of such a factor. */
const GAP = 3;

/**
 * The firing pattern of one neuron under a step of current.
 *
 * With the distinctions of Neuronal Dynamics, chapter 6.2.1 (neuronaldynamics.epfl.ch/online/Ch6.S2.html), and the names of
 * Naud et al. 2008 (doi.org/10.1007/s00422-008-0264-7): how firing begins is told apart from how it goes on. The criteria
 * are given there in words; the numbers are ours, chosen between the published cases. The analytical criterion of Naud et
 * al., by where resets lie in the phase plane, wants the soma's parameters and is not used.
 *
 * - silent: no spike in the step; rebound: the first comes after it;
 * - transient: it stops; the silence up to the end of the step is more than 3 times the longest wait for a spike before;
 * - how it goes on, by the intervals that end in the second half of the step (their mean the steady interval):
 *   - successive ones differ by less than 30 % on average: tonic; adapting where the steady interval is at least 1.25
 *     times the first one, accelerating where it is at most 1 / 1.25 of it;
 *   - they differ by more: bursting where they fall into short and long ones with a factor of 3 or more between, at least
 *     as many short as long, and two long ones at least; else irregular;
 * - how it begins:
 *   - initial burst: it goes on regularly, and the first interval is at most a tenth of the steady one;
 *   - delayed: the first spike comes after more than 5 membrane time constants, when a potential has long settled, and
 *     more than 1.1 times the first interval;
 *   - else tonic, that is, as it goes on.
 *
 * Made for a soma without noise: chance makes trains with few intervals adapt or accelerate.
 *
 * @param times - of one neuron's spikes, ms, in order
 * @throws InputError naming what is unknown, missing or wrong
 * @example
 * ```ts
 * firingPattern([5, 8, 16, 71, 135, 199, 263], { stop: 300, tau: 7 }).pattern; // 'initial burst'
 * ```
 */
export function firingPattern(times: ArrayLike<number>, options: StepOptions): FiringPattern {
  checkTimes(times, 'times');
  checkKnown('', options, ['start', 'stop', 'tau'], 'option of firingPattern:');
  const { start = 0, stop, tau } = options;
  checkNumber(start, 'start', { unit: 'ms' });
  checkNumber(stop, 'stop', { unit: 'ms' });
  checkNumber(tau, 'tau', { unit: 'ms', above: 0 });
  if (stop <= start) throw new InputError('stop', stop, `is not after start, ${start}`, 'give a later moment');
  const all = Float64Array.from(times);
  const train = all.filter((time) => time > start && time <= stop);
  const [first] = train;
  if (first === undefined) {
    const silent = all.every((time) => time <= stop);
    return { ...NOTHING, pattern: silent ? 'silent' : 'rebound', onset: undefined, steady: undefined };
  }
  const latency = first - start;
  const intervals = intervalsOf(train);
  const late = intervals.filter((_, i) => (train[i + 1] as number) > (start + stop) / 2);
  const lasting = late.length > 0 ? late : intervals.slice(-1);
  const figures = {
    latency,
    firstInterval: intervals[0] ?? Number.NaN,
    steadyInterval: meanOf(lasting),
    variation: variationOf(lasting),
  };
  const longest = intervals.reduce((most, interval) => Math.max(most, interval), latency);
  if (stop - (train.at(-1) as number) > STOPPED * longest) {
    return { ...figures, pattern: 'transient', onset: undefined, steady: undefined };
  }
  const steady = steadyOf(figures, lasting);
  const onset = onsetOf(figures, steady, tau);
  return { ...figures, pattern: patternOf(onset, steady), onset, steady };
}

type Figures = Pick<FiringPattern, 'latency' | 'firstInterval' | 'steadyInterval' | 'variation'>;

const NOTHING: Figures = {
  latency: Number.NaN,
  firstInterval: Number.NaN,
  steadyInterval: Number.NaN,
  variation: 0,
};

function steadyOf({ firstInterval, steadyInterval, variation }: Figures, lasting: Float64Array): SteadyState {
  if (lasting.length === 0) return 'single';
  if (variation >= REGULAR) return inBursts(lasting) ? 'bursting' : 'irregular';
  if (steadyInterval >= DISTINCT * firstInterval) return 'adapting';
  return DISTINCT * steadyInterval <= firstInterval ? 'accelerating' : 'tonic';
}

function onsetOf({ latency, firstInterval, steadyInterval }: Figures, steady: SteadyState, tau: number): Onset {
  if (steady === 'adapting' && steadyInterval >= BURST * firstInterval) return 'initial burst';
  // Of a single spike there is no interval to compare with.
  const late = latency > SETTLED * tau && !(latency <= LATER * firstInterval);
  return late ? 'delayed' : 'tonic';
}

function patternOf(onset: Onset, steady: SteadyState): Pattern {
  if (onset === 'initial burst') return onset;
  if (onset === 'tonic') return steady;
  return steady === 'tonic' || steady === 'single' ? onset : `delayed ${steady}`;
}

/** Whether intervals are short ones within bursts and long ones between. */
function inBursts(intervals: Float64Array): boolean {
  const sorted = Float64Array.from(intervals).sort();
  let [widest, short] = [0, 0];
  for (let i = 1; i < sorted.length; i++) {
    const factor = (sorted[i] as number) / (sorted[i - 1] as number);
    if (factor > widest) [widest, short] = [factor, i];
  }
  const long = sorted.length - short;
  return widest >= GAP && long >= 2 && short >= long;
}

const meanOf = (values: Float64Array): number => values.reduce((sum, value) => sum + value, 0) / values.length;

function variationOf(intervals: Float64Array): number {
  let sum = 0;
  for (let i = 1; i < intervals.length; i++) {
    const [last, next] = [intervals[i - 1] as number, intervals[i] as number];
    sum += (2 * Math.abs(next - last)) / (next + last || 1);
  }
  return intervals.length < 2 ? 0 : sum / (intervals.length - 1);
}
