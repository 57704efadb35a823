// Statistics that judge random numbers. Pure, and independent of the engine.

/** The probability that even numbers in (0, 1) lie as unevenly as these: Kolmogorov and Smirnov's, by Stephens' formula. */
export function evenness(values: ArrayLike<number>): number {
  const n = values.length;
  let distance = 0;
  for (const [i, value] of Float64Array.from(values).sort().entries()) {
    distance = Math.max(distance, value - i / n, (i + 1) / n - value);
  }
  const scaled = distance * (Math.sqrt(n) + 0.12 + 0.11 / Math.sqrt(n));
  let sum = 0;
  for (let k = 1; k <= 100; k++) sum += (k % 2 === 1 ? 2 : -2) * Math.exp(-2 * (k * scaled) ** 2);
  return Math.min(Math.max(sum, 0), 1);
}

/** Pearson's correlation, in standard deviations of what independent numbers have. */
export function correlation(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const n = Math.min(a.length, b.length);
  const mean = (values: ArrayLike<number>) => {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += values[i] as number;
    return sum / n;
  };
  const [meanA, meanB] = [mean(a), mean(b)];
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < n; i++) {
    const [x, y] = [(a[i] as number) - meanA, (b[i] as number) - meanB];
    ab += x * y;
    aa += x * x;
    bb += y * y;
  }
  return (ab / Math.sqrt(aa * bb)) * Math.sqrt(n);
}

/** The probability of a standard normal number below x: Marsaglia's series (2004, doi.org/10.18637/jss.v011.i04). */
export function normalCdf(x: number): number {
  if (Math.abs(x) > 8) return x > 0 ? 1 : 0;
  let [sum, term] = [x, x];
  for (let i = 3; Math.abs(term) > 1e-17 * Math.abs(sum) && i < 400; i += 2) {
    term *= (x * x) / i;
    sum += term;
  }
  return 0.5 + (sum * Math.exp((-x * x) / 2)) / Math.sqrt(2 * Math.PI);
}
