// Figures of spike trains. Pure functions over typed arrays; no simulation, no device.

/** Mean and coefficient of variation of the intervals between a neuron's successive spikes, pooled over neurons. */
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
}

/** The statistics of a population's interspike intervals, of spikes that come part by part. */
export class IntervalTally {
  readonly #last: Float64Array;
  #count = 0;
  #mean = 0;
  #squares = 0;
  #min = Infinity;
  #max = -Infinity;

  /** @param neurons - how many neurons there are */
  constructor(neurons: number) {
    this.#last = new Float64Array(neurons).fill(Number.NaN);
  }

  /** Takes further spikes, ordered in time, `times` in ms. */
  add({ times, neurons }: { times: Float64Array; neurons: Uint32Array }): void {
    const last = this.#last;
    for (let i = 0; i < times.length; i++) {
      const neuron = neurons[i] as number;
      const time = times[i] as number;
      const interval = time - (last[neuron] as number);
      last[neuron] = time;
      if (Number.isNaN(interval)) continue;
      // Welford's update: sums of squares of large numbers would lose the variance.
      this.#count++;
      const deviation = interval - this.#mean;
      this.#mean += deviation / this.#count;
      this.#squares += deviation * (interval - this.#mean);
      if (interval < this.#min) this.#min = interval;
      if (interval > this.#max) this.#max = interval;
    }
  }

  get statistics(): IntervalStatistics {
    const count = this.#count;
    if (count === 0) return { count, mean: Number.NaN, cv: Number.NaN, min: Number.NaN, max: Number.NaN };
    return {
      count,
      mean: this.#mean,
      cv: Math.sqrt(this.#squares / count) / this.#mean,
      min: this.#min,
      max: this.#max,
    };
  }
}

/**
 * The statistics of a population's interspike intervals.
 *
 * @param spikes - ordered in time; `times` in ms
 * @param neurons - how many neurons there are
 * @example
 * ```ts
 * intervalStatistics({ times: Float64Array.of(1, 3, 7), neurons: Uint32Array.of(0, 0, 0) }, 1).mean; // 3
 * ```
 */
export function intervalStatistics(
  spikes: { times: Float64Array; neurons: Uint32Array },
  neurons: number,
): IntervalStatistics {
  const tally = new IntervalTally(neurons);
  tally.add(spikes);
  return tally.statistics;
}
