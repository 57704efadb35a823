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

/** How far a number of hits is from what a probability promises, in standard deviations. */
export const surprise = (hits: number, of: number, probability: number): number =>
  hits === of * probability ? 0 : (hits - of * probability) / Math.sqrt(of * probability * (1 - probability));

/** Logarithm of the gamma function: Stirling's series from 10 on, where its first term left out is below 1e-13. */
function logGamma(x: number): number {
  if (x < 10) return logGamma(x + 1) - Math.log(x);
  const series = 1 / (12 * x) - 1 / (360 * x ** 3) + 1 / (1260 * x ** 5) - 1 / (1680 * x ** 7) + 1 / (1188 * x ** 9);
  return (x - 0.5) * Math.log(x) - x + Math.log(2 * Math.PI) / 2 + series;
}

/**
 * The shares of a gamma distribution of scale 1 below and above a value, both to many digits even where they are small:
 * the power series below the mean, Lentz's continued fraction above it (Abramowitz and Stegun 6.5.29 and 6.5.31).
 */
export function gammaShares(shape: number, x: number): { below: number; above: number } {
  if (x <= 0) return { below: 0, above: 1 };
  const front = Math.exp(shape * Math.log(x) - x - logGamma(shape));
  if (x < shape + 1) {
    let [term, sum] = [1 / shape, 1 / shape];
    for (let k = 1; term > sum * 1e-17; k++) {
      term *= x / (shape + k);
      sum += term;
    }
    return { below: front * sum, above: 1 - front * sum };
  }
  let b = x + 1 - shape;
  let [c, d] = [1e300, 1 / b];
  let fraction = d;
  for (let k = 1, factor = 0; Math.abs(factor - 1) > 1e-15; k++) {
    b += 2;
    d = 1 / (k * (shape - k) * d + b);
    c = b + (k * (shape - k)) / c;
    factor = c * d;
    fraction *= factor;
  }
  return { below: 1 - front * fraction, above: front * fraction };
}

/** The share of a standard normal distribution above a value; z^2 / 2 is gamma distributed with shape 1/2. */
export function normalTail(z: number): number {
  const { below, above } = gammaShares(0.5, (z * z) / 2);
  return z > 0 ? above / 2 : (1 + below) / 2;
}
