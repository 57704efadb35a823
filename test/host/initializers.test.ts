// Initializers: each has the distribution it says, and single values are independent of one another. Spark's own are in
// spark-initializers.test.ts, ranges and refusals in initialized-values.test.ts.

import { describe, expect, test } from 'vitest';
import { distribution } from '../../src/distributions.ts';
import {
  constant,
  gamma,
  type Initializer,
  lognormal,
  normal,
  sparse,
  truncatedNormal,
  uniform,
} from '../../src/initializers.ts';
import { uniforms } from '../../src/random.ts';
import { correlation, evenness, gammaShares, normalTail, surprise } from '../support/statistics.ts';
import { CHANCE, SHARES } from '../support/tolerances.ts';

const DRAWS = 100_000;
const MILLION = 1_000_000;

/** The values of the first neurons. */
function draw(given: Initializer, neurons = DRAWS, name = 'threshold', seed = 7): Float64Array {
  const value = distribution(given, 'x', [neurons]).sampler(uniforms(seed, 'cells', 1, 0, name));
  return Float64Array.from({ length: neurons }, (_, neuron) => value(neuron));
}

/** The share of a normal distribution below a value, cut off at two ends; upper tails keep their digits. */
function normalShare(mean: number, sd: number, low = -Infinity, high = Infinity) {
  const tail = (value: number) => (value === Infinity ? 0 : value === -Infinity ? 1 : normalTail((value - mean) / sd));
  if (high < mean) {
    const mirrored = normalShare(-mean, sd, -high, -low);
    return (value: number): number => 1 - mirrored(-value);
  }
  return (value: number): number => (tail(low) - tail(value)) / (tail(low) - tail(high));
}

function lognormalShare(mean: number, sd: number) {
  const variance = Math.log(1 + (sd / mean) ** 2);
  const share = normalShare(Math.log(mean) - variance / 2, Math.sqrt(variance));
  return (value: number) => share(Math.log(value));
}

const gammaShare = (shape: number, scale: number) => (value: number) => gammaShares(shape, value / scale).below;

describe("the tests' own distribution functions", () => {
  test.each([
    [0.5, 0.3085375387259869],
    [1.959963984540054, 0.025],
    [10, 7.61985302416047e-24],
    [35, 1.1249107064724061e-268],
  ])('have the tail of a normal distribution beyond %s that SciPy has', (z, above) => {
    expect(Math.abs(normalTail(z) / above - 1)).toBeLessThan(SHARES);
    expect(Math.abs(normalTail(-z) / (1 - above) - 1)).toBeLessThan(SHARES);
  });

  test.each([
    [0.3, 0.01, 0.27924099635901484, 0.7207590036409852],
    [0.3, 2, 0.977974019172853, 0.022025980827146997],
    [1, 1, 0.6321205588285577, 0.36787944117144245],
    [50, 40, 0.07033506665939494, 0.9296649333406051],
    [50, 70, 0.994859497541494, 0.0051405024585059085],
  ])('have the shares of a gamma distribution of shape %s at %s that SciPy has', (shape, x, below, above) => {
    expect(Math.abs(gammaShares(shape, x).below / below - 1)).toBeLessThan(SHARES);
    expect(Math.abs(gammaShares(shape, x).above / above - 1)).toBeLessThan(SHARES);
  });
});

/** Every distribution without point masses, with the share below a value; together they go through every branch. */
const continuous: [string, Initializer, (value: number) => number][] = [
  ['uniform', uniform(-70, -55), (value) => (value + 70) / 15],
  ['normal', normal(-70, 5), normalShare(-70, 5)],
  ['truncated_normal, wide', truncatedNormal(5, 1, 2, 8), normalShare(5, 1, 2, 8)],
  ['truncated_normal, narrow', truncatedNormal(5, 1, 4.5, 6), normalShare(5, 1, 4.5, 6)],
  ['truncated_normal, narrow and beside its mean', truncatedNormal(5, 1, 5.4, 5.9), normalShare(5, 1, 5.4, 5.9)],
  ['truncated_normal, wide and beside its mean', truncatedNormal(5, 1, 5.4, 9), normalShare(5, 1, 5.4, 9)],
  ['truncated_normal in the upper tail', truncatedNormal(5, 1, 6, 9), normalShare(5, 1, 6, 9)],
  ['truncated_normal in the lower tail', truncatedNormal(5, 1, 0.5, 3), normalShare(5, 1, 0.5, 3)],
  ['truncated_normal, 30 deviations out', truncatedNormal(0, 1, 30, 31), normalShare(0, 1, 30, 31)],
  ['truncated_normal from below', truncatedNormal(1, 2, 0), normalShare(1, 2, 0)],
  ['truncated_normal from above', truncatedNormal(1, 2, undefined, 0), normalShare(1, 2, -Infinity, 0)],
  ['truncated_normal without ends', truncatedNormal(1, 2), normalShare(1, 2)],
  ['lognormal', lognormal(20, 10), lognormalShare(20, 10)],
  ['lognormal, broad', lognormal(1, 5), lognormalShare(1, 5)],
  ['gamma of shape 0.3', gamma(0.3, 2), gammaShare(0.3, 2)],
  ['gamma of shape 1', gamma(1, 2), gammaShare(1, 2)],
  ['gamma of shape 2.5', gamma(2.5, 10), gammaShare(2.5, 10)],
  ['gamma of shape 50', gamma(50, 0.1), gammaShare(50, 0.1)],
];

describe('the values of', () => {
  test.each(continuous)('%s are distributed so, by Kolmogorov and Smirnov', (_, given, share) => {
    for (const seed of [7, 4294967295]) {
      expect(evenness(draw(given, DRAWS, 'threshold', seed).map(share))).toBeGreaterThan(CHANCE.p);
    }
  });

  test.each([
    ['normal', normal(-70, 5), normalShare(-70, 5.2)],
    ['truncated_normal', truncatedNormal(5, 1, 2, 8), normalShare(5, 1, 2, 7)],
    ['truncated_normal in the tail', truncatedNormal(5, 1, 6, 9), normalShare(5, 0.97, 6, 9)],
    ['lognormal of a mean and sd of the logarithm', lognormal(2, 0.5), (x) => normalShare(2, 0.5)(Math.log(x))],
    ['gamma', gamma(2.5, 10), gammaShare(2.45, 10)],
  ] as typeof continuous)('%s would fail the same test if they were slightly others', (_, given, share) => {
    expect(evenness(draw(given).map(share))).toBeLessThan(CHANCE.p);
  });

  test.each([
    [2, 8],
    [4.5, 6],
    [6, 9],
    [0.5, 3],
    [5 + 1e6, 5 + 1e6 + 1],
  ])('truncated_normal stay from %s to %s', (low, high) => {
    expect(draw(truncatedNormal(5, 1, low, high)).filter((value) => !(value >= low && value <= high))).toHaveLength(0);
  });

  test('truncated_normal lie at the nearer end where the mean is so far away that all of them round to it', () => {
    for (const sd of [1e-300, 1e-8]) {
      expect(new Set(draw(truncatedNormal(0, sd, 5, 6), 10))).toEqual(new Set([5]));
      expect(new Set(draw(truncatedNormal(0, sd, -6, -5), 10))).toEqual(new Set([-5]));
    }
  });

  test('truncated_normal come to an end even if every proposal is rejected, and within the bounds', () => {
    for (const [low, high] of [
      [2, 8],
      [4.5, 6],
      [6, 9],
    ] as const) {
      const { sampler } = distribution(truncatedNormal(5, 1, low, high), 'x', [1]);
      let asked = 0;
      const worst = (_: number, nth: number) => {
        asked++;
        return nth % 2 === 0 ? 1e-12 : 1 - 1e-12;
      };
      const value = sampler(worst)(0);
      expect(value >= low && value <= high).toBe(true);
      expect(asked).toBeLessThan(1000);
    }
  });

  test('sparse are otherwise but for the share of the density, and those are distributed as it says', () => {
    const values = draw(sparse(0.2, normal(5, 1), -1));
    const drawn = values.filter((value) => value !== -1);
    expect(Math.abs(surprise(drawn.length, DRAWS, 0.2))).toBeLessThan(CHANCE.z);
    expect(evenness(drawn.map(normalShare(5, 1)))).toBeGreaterThan(CHANCE.p);
    expect(new Set(draw(sparse(0.5, 3), 100))).toEqual(new Set([0, 3]));
    expect(new Set(draw(sparse(0, 3), 100))).toEqual(new Set([0]));
    expect(new Set(draw(sparse(1, 3), 100))).toEqual(new Set([3]));
  });

  test('sparse of sparse are those of both densities: the two choose on their own', () => {
    const values = draw(sparse(0.5, sparse(0.4, uniform(1, 2), 7)));
    const share = (wanted: (value: number) => boolean) => values.filter(wanted).length;
    expect(
      Math.abs(
        surprise(
          share((value) => value === 0),
          DRAWS,
          0.5,
        ),
      ),
    ).toBeLessThan(CHANCE.z);
    expect(
      Math.abs(
        surprise(
          share((value) => value === 7),
          DRAWS,
          0.3,
        ),
      ),
    ).toBeLessThan(CHANCE.z);
    const even = values.filter((value) => value !== 0 && value !== 7).map((value) => value - 1);
    expect(evenness(even)).toBeGreaterThan(CHANCE.p);
  });

  test.each([
    ['normal', normal(3, 0)],
    ['truncated_normal', truncatedNormal(3, 0, 1, 5)],
    ['truncated_normal', truncatedNormal(9, 0, 1, 3)],
    ['lognormal', lognormal(3, 0)],
    ['constant', constant(3)],
  ])('%s without deviation are one number', (_, given) => {
    expect(distribution(given, 'x', [4]).support).toEqual([3, 3]);
    expect([...draw(given, 4)]).toEqual([3, 3, 3, 3]);
  });
});

describe('a million values', () => {
  test.each([
    ['normal', normal(0, 1)],
    ['truncated_normal', truncatedNormal(0, 1, 1, 3)],
    ['lognormal', lognormal(1, 0.5)],
    ['gamma', gamma(0.7, 1)],
    ['sparse', sparse(0.3, normal(3, 1))],
  ])(
    'of %s are not correlated between neighbours',
    (_, given) => {
      const values = draw(given, MILLION);
      expect(Math.abs(correlation(values, values.subarray(1)))).toBeLessThan(CHANCE.z);
      // A neighbour's share of a hundredth would be seen.
      const leaning = values.map((value, i) => value + 0.01 * (values[i + 1] ?? 0));
      expect(Math.abs(correlation(leaning, values.subarray(1)))).toBeGreaterThan(CHANCE.z);
    },
    60_000,
  );

  test('of neurons two, 64 and 256 apart, and of two parameters, are not correlated', () => {
    const [one, other] = ['threshold', 'resistance'].map((name) => draw(normal(0, 1), MILLION, name)) as [
      Float64Array,
      Float64Array,
    ];
    expect(Math.abs(correlation(one, other))).toBeLessThan(CHANCE.z);
    for (const lag of [2, 64, 256]) {
      expect(Math.abs(correlation(one, one.subarray(lag))), `lag ${lag}`).toBeLessThan(CHANCE.z);
    }
  }, 60_000);
});
