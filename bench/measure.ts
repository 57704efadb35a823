// Interleaved measuring: every variant once a round, so that a slow minute of the machine hits all of them alike.

export interface Variant {
  name: string;
  /** Neuron-steps in one call of `work`. */
  updates: number;
  /** What it gives, if anything, is the seconds it took, where they are not its wall-clock here. */
  work: () => Promise<number | undefined>;
}

export interface Figures {
  name: string;
  /** ns per update in each round. */
  rounds: number[];
  /** Time of the baseline over time of this, in each round; larger is faster. */
  ratios: number[];
}

/** Runs all variants for some rounds, after those that warm up; the first is the baseline. */
export async function measure(
  variants: readonly Variant[],
  rounds: number,
  { warmUps = 1, onRound }: { warmUps?: number; onRound?: (done: number) => void } = {},
): Promise<Figures[]> {
  const figures = variants.map(({ name }): Figures => ({ name, rounds: [], ratios: [] }));
  for (let round = -warmUps; round < rounds; round++) {
    for (let turn = 0; turn < variants.length; turn++) {
      // Each round begins with another, so that none always follows the same neighbour.
      const i = (turn + Math.max(0, round)) % variants.length;
      const { updates, work } = variants[i] as Variant;
      const begin = performance.now();
      const seconds = (await work()) ?? (performance.now() - begin) / 1e3;
      if (round >= 0) figures[i]?.rounds.push((seconds * 1e9) / updates);
    }
    onRound?.(Math.max(0, round + 1));
  }
  for (const figure of figures) figure.ratios = speedOf(figure, figures[0] as Figures);
  return figures;
}

/** How many times as fast it is as the other, in each round. */
export function speedOf({ rounds }: Figures, other: Figures): number[] {
  return rounds.map((ns, round) => (other.rounds[round] as number) / ns);
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
