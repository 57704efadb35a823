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
  const last = new Float64Array(neurons).fill(Number.NaN);
  let [count, mean, squares, min, max] = [0, 0, 0, Infinity, -Infinity];
  for (let i = 0; i < spikes.times.length; i++) {
    const neuron = spikes.neurons[i] as number;
    const time = spikes.times[i] as number;
    const interval = time - (last[neuron] as number);
    last[neuron] = time;
    if (Number.isNaN(interval)) continue;
    // Welford's update: sums of squares of large numbers would lose the variance.
    count++;
    const deviation = interval - mean;
    mean += deviation / count;
    squares += deviation * (interval - mean);
    min = Math.min(min, interval);
    max = Math.max(max, interval);
  }
  if (count === 0) return { count, mean: Number.NaN, cv: Number.NaN, min: Number.NaN, max: Number.NaN };
  return { count, mean, cv: Math.sqrt(squares / count) / mean, min, max };
}
