// Interleaved measuring: every variant once a round, so that a slow minute of the machine hits all of them alike.

export interface Variant {
  name: string;
  /** Neuron-steps in one call of `work`. */
  updates: number;
  work: () => Promise<void>;
}

export interface Figures {
  name: string;
  /** ns per update in each round. */
  rounds: number[];
  /** Time of the baseline over time of this, in each round; larger is faster. */
  ratios: number[];
}

/** Runs all variants for some rounds, after one that warms up; the first is the baseline. */
export async function measure(
  variants: readonly Variant[],
  rounds: number,
  onRound?: (done: number) => void,
): Promise<Figures[]> {
  const figures = variants.map(({ name }): Figures => ({ name, rounds: [], ratios: [] }));
  for (let round = -1; round < rounds; round++) {
    for (const [i, { updates, work }] of variants.entries()) {
      const begin = performance.now();
      await work();
      if (round >= 0) figures[i]?.rounds.push(((performance.now() - begin) * 1e6) / updates);
    }
    if (round >= 0)
      for (const figure of figures) figure.ratios.push((figures[0]?.rounds[round] ?? 0) / (figure.rounds[round] ?? 1));
    onRound?.(round + 1);
  }
  return figures;
}

/** `3.4 [3.1..4.0]`: median, least and greatest. */
export function spread(values: readonly number[], digits = 2): string {
  const sorted = [...values].sort((a, b) => a - b);
  const text = (value: number | undefined) => (value ?? Number.NaN).toFixed(digits);
  return `${text(median(values))} [${text(sorted[0])}..${text(sorted.at(-1))}]`;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}
