// From even numbers to other distributions. Every number is a function of its neuron and of how many were used for it, so
// rejection is as free of order as the rest: attempt k of a neuron has draws of its own, and there is an end to attempts.

/** Even numbers in (0, 1); a distribution may ask for as many a neuron as it needs. */
export type Draws = (neuron: number, draw: number) => number;

/** No more than this: each is accepted with a probability of at least 0.3, so all are rejected once in 10^31 neurons. */
const ATTEMPTS = 200;

/** Beyond this many standard deviations from the mean, all of a tail lies within one rounding of where it begins. */
const FAR = 1e7;

/** A standard normal number from two draws: Box and Muller 1958 (doi.org/10.1214/aoms/1177706645). */
export const standardNormal = (draws: Draws, neuron: number, first: number): number =>
  Math.sqrt(-2 * Math.log(draws(neuron, first))) * Math.cos(2 * Math.PI * draws(neuron, first + 1));

/**
 * A standard normal number between `a` and `b`, exact wherever they lie. By rejection, because the inverse of the
 * distribution function wants dozens of coefficients and has no digits left beyond 38 standard deviations. What is
 * proposed depends on where the interval lies, as in Robert 1995 (doi.org/10.1007/BF00143942): normal numbers, even
 * ones, or in the tail Rayleigh's, as in Marsaglia 1964 (doi.org/10.1080/00401706.1964.10490150).
 */
export function truncatedNormal(a: number, b: number, draws: Draws, neuron: number): number {
  // Only the tail: turned where a + b changes its sign, a rounding would turn all values of an even interval round.
  if (b < -0.5) return -truncatedNormal(-b, -a, draws, neuron);
  if (a > FAR) return Math.min(a, Number.MAX_VALUE);
  const inTail = a > 0.5;
  const wide = b - a > 2.5;
  let x = 0;
  for (let attempt = 0; attempt < 2 * ATTEMPTS; attempt += 2) {
    const u = draws(neuron, attempt);
    let accepted: boolean;
    if (inTail) {
      x = Math.sqrt(a * a - 2 * Math.log1p(u * Math.expm1(((a - b) * (a + b)) / 2)));
      accepted = draws(neuron, attempt + 1) * x < a;
    } else if (wide) {
      x = standardNormal(draws, neuron, attempt);
      accepted = x >= a && x <= b;
    } else {
      x = a + u * (b - a);
      accepted = draws(neuron, attempt + 1) < Math.exp((-x * x) / 2);
    }
    if (accepted) break;
  }
  return x;
}

/**
 * A gamma number of scale 1: Marsaglia and Tsang 2000 (doi.org/10.1145/358407.358414), who accept 95 of 100 and more.
 * Below a shape of 1 it is one of `shape + 1` times an even number to the power 1 / shape, as they say.
 */
export function standardGamma(shape: number, draws: Draws, neuron: number): number {
  if (shape < 1) {
    const later: Draws = (neuron, draw) => draws(neuron, draw + 1);
    return standardGamma(shape + 1, later, neuron) * draws(neuron, 0) ** (1 / shape);
  }
  const d = shape - 1 / 3;
  for (let attempt = 0; attempt < 3 * ATTEMPTS; attempt += 3) {
    const z = standardNormal(draws, neuron, attempt);
    const v = (1 + z / Math.sqrt(9 * d)) ** 3;
    if (v > 0 && Math.log(draws(neuron, attempt + 2)) < (z * z) / 2 + d * (1 - v + Math.log(v))) return d * v;
  }
  return d;
}
