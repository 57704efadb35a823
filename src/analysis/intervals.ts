// Intervals between spikes: their figures, of a population and of each of its neurons. Pure functions over typed arrays; no
// simulation, no device.

import { InputError } from '../index.ts';
import { checkNumber, checkTimes } from './check.ts';

/** Figures of the intervals between a neuron's successive spikes, pooled over neurons. */
export interface IntervalStatistics {
  /** How many intervals there were. */
  count: number;
  /** ms; NaN without intervals. */
  mean: number;
  /** Standard deviation over mean; NaN without intervals. */
  cv: number;
  /** ms; the shortest and the longest. */
  min: number;
  max: number;
  /**
   * Mean of (next - last) / (next + last) over successive intervals of a neuron, from -1 to 1: above 0 where they grow;
   * NaN where no neuron has two.
   */
  adaptation: number;
}

/** The same of each neuron, one value a neuron. */
export interface NeuronIntervals {
  count: Uint32Array;
  mean: Float64Array;
  cv: Float64Array;
  min: Float64Array;
  max: Float64Array;
  adaptation: Float64Array;
}

/** Spikes ordered in time: when, ms, and of which neuron; what `population.spikes()` gives. */
export interface SpikeEvents {
  times: ArrayLike<number>;
  neurons: ArrayLike<number>;
}

/** The statistics of interspike intervals of spikes that come part by part, in one group of all neurons or one of each. */
class Tally {
  readonly #last: Float64Array;
  readonly #before: Float64Array;
  readonly #count: Uint32Array;
  readonly #pairs: Uint32Array;
  readonly #mean: Float64Array;
  readonly #squares: Float64Array;
  readonly #growth: Float64Array;
  readonly #min: Float64Array;
  readonly #max: Float64Array;
  readonly #apart: boolean;

  constructor(neurons: number, groups: number) {
    checkNumber(neurons, 'neurons', { unit: 'neurons', whole: true, least: 0, most: 0xffffffff });
    this.#last = new Float64Array(neurons).fill(Number.NaN);
    this.#before = new Float64Array(neurons).fill(Number.NaN);
    this.#apart = groups !== 1;
    const zeros = () => new Float64Array(groups);
    [this.#mean, this.#squares, this.#growth] = [zeros(), zeros(), zeros()];
    [this.#min, this.#max] = [zeros().fill(Infinity), zeros().fill(-Infinity)];
    [this.#count, this.#pairs] = [new Uint32Array(groups), new Uint32Array(groups)];
  }

  add({ times, neurons }: SpikeEvents): void {
    if (times.length !== neurons.length) {
      const reason = `has ${neurons.length} values for ${times.length} times`;
      throw new InputError('spikes.neurons', undefined, reason, 'give one of each a spike');
    }
    for (let i = 0; i < times.length; i++) {
      const neuron = neurons[i] as number;
      if (!(neuron >= 0 && neuron < this.#last.length)) {
        const reason = `is none of the ${this.#last.length} neurons`;
        throw new InputError(`spikes.neurons[${i}]`, neuron, reason, 'give the flat index of one');
      }
      const time = times[i] as number;
      const interval = time - (this.#last[neuron] as number);
      this.#last[neuron] = time;
      if (Number.isNaN(interval)) continue;
      const group = this.#apart ? neuron : 0;
      this.#take(interval, group);
      const before = this.#before[neuron] as number;
      this.#before[neuron] = interval;
      if (Number.isNaN(before)) continue;
      // Two spikes at one moment, as rounded times may have them, are no growth.
      this.#growth[group] = (this.#growth[group] as number) + (interval - before) / (interval + before || 1);
      this.#pairs[group] = (this.#pairs[group] as number) + 1;
    }
  }

  #take(interval: number, group: number): void {
    // Welford's update: sums of squares of large numbers would lose the variance.
    const count = (this.#count[group] as number) + 1;
    const deviation = interval - (this.#mean[group] as number);
    const mean = (this.#mean[group] as number) + deviation / count;
    this.#count[group] = count;
    this.#mean[group] = mean;
    this.#squares[group] = (this.#squares[group] as number) + deviation * (interval - mean);
    if (interval < (this.#min[group] as number)) this.#min[group] = interval;
    if (interval > (this.#max[group] as number)) this.#max[group] = interval;
  }

  of(group: number): IntervalStatistics {
    const count = this.#count[group] as number;
    const pairs = this.#pairs[group] as number;
    const { NaN: none } = Number;
    if (count === 0) return { count, mean: none, cv: none, min: none, max: none, adaptation: none };
    const mean = this.#mean[group] as number;
    return {
      count,
      mean,
      cv: Math.sqrt((this.#squares[group] as number) / count) / mean,
      min: this.#min[group] as number,
      max: this.#max[group] as number,
      adaptation: pairs === 0 ? none : (this.#growth[group] as number) / pairs,
    };
  }
}

/** The statistics of a population's interspike intervals, of spikes that come part by part. */
export class IntervalTally {
  readonly #tally: Tally;

  /** @param neurons - how many neurons there are */
  constructor(neurons: number) {
    this.#tally = new Tally(neurons, 1);
  }

  /** Takes further spikes, ordered in time, `times` in ms. */
  add(spikes: SpikeEvents): void {
    this.#tally.add(spikes);
  }

  get statistics(): IntervalStatistics {
    return this.#tally.of(0);
  }
}

/**
 * The statistics of a population's interspike intervals, pooled over neurons.
 *
 * @param spikes - ordered in time; `times` in ms
 * @param neurons - how many neurons there are
 * @throws InputError for a neuron that is none of them
 * @example
 * ```ts
 * intervalStatistics({ times: [1, 3, 7], neurons: [0, 0, 0] }, 1); // mean 3, adaptation 1 / 3
 * ```
 */
export function intervalStatistics(spikes: SpikeEvents, neurons: number): IntervalStatistics {
  const tally = new IntervalTally(neurons);
  tally.add(spikes);
  return tally.statistics;
}

/**
 * The statistics of each neuron's interspike intervals, one value a neuron; NaN where it has no interval, or for
 * `adaptation` no two.
 *
 * @param spikes - ordered in time; `times` in ms
 * @param neurons - how many neurons there are
 * @throws InputError for a neuron that is none of them
 * @example
 * ```ts
 * const { mean } = neuronIntervals(await cells.spikes(), cells.neurons);
 * ```
 */
export function neuronIntervals(spikes: SpikeEvents, neurons: number): NeuronIntervals {
  const tally = new Tally(neurons, neurons);
  tally.add(spikes);
  const each = Array.from({ length: neurons }, (_, neuron) => tally.of(neuron));
  const plane = (name: keyof IntervalStatistics) => Float64Array.from(each, (figures) => figures[name]);
  return {
    count: Uint32Array.from(each, ({ count }) => count),
    mean: plane('mean'),
    cv: plane('cv'),
    min: plane('min'),
    max: plane('max'),
    adaptation: plane('adaptation'),
  };
}

/**
 * The intervals of one spike train, ms: one less than it has spikes.
 *
 * @param times - of its spikes, ms, in order
 * @throws InputError where they are not
 * @example
 * ```ts
 * intervalsOf([1, 3, 7]); // 2, 4
 * ```
 */
export function intervalsOf(times: ArrayLike<number>): Float64Array {
  checkTimes(times, 'times');
  const next = (i: number) => (times[i + 1] as number) - (times[i] as number);
  return Float64Array.from({ length: Math.max(times.length - 1, 0) }, (_, i) => next(i));
}

/**
 * The adaptation index of one spike train (Druckmann et al. 2007, doi.org/10.3389/neuro.01.1.1.001.2007): the mean of
 * (next - last) / (next + last) over successive intervals. NaN where fewer than two are left.
 *
 * @param times - of its spikes, ms, in order
 * @param skipped - intervals at the beginning to pass over; by default, as there, four or a fifth of them, whichever is
 *   less, for what a step's onset does. With 0 it is the `adaptation` of {@link intervalStatistics}
 * @throws InputError for times out of order, and what is no number of intervals
 * @example
 * ```ts
 * adaptationIndex([10, 12, 16, 24], 0); // 1 / 3: each interval is twice the last
 * ```
 */
export function adaptationIndex(times: ArrayLike<number>, skipped?: number): number {
  const all = intervalsOf(times);
  const passed = skipped ?? Math.min(4, Math.floor(all.length / 5));
  checkNumber(passed, 'skipped', { unit: 'intervals', whole: true, least: 0 });
  const intervals = all.subarray(passed);
  let growth = 0;
  for (let i = 1; i < intervals.length; i++) {
    const [last, next] = [intervals[i - 1] as number, intervals[i] as number];
    growth += (next - last) / (next + last || 1);
  }
  return intervals.length < 2 ? Number.NaN : growth / (intervals.length - 1);
}
