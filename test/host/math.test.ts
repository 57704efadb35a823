// The transcendental functions of shaders/math/, which the CPU has instead of WGSL's own, beside those of float64.

import { describe, expect, test } from 'vitest';
import { evaluate } from '../support/compiled.ts';
import { MATH } from '../support/tolerances.ts';

const POINTS = 1 << 20;
/** The smallest normal number and the largest. */
const SMALLEST = 2 ** -126;
const LARGEST = (2 - 2 ** -23) * 2 ** 127;

const bitsOf = (value: number): number => new Uint32Array(Float32Array.of(value).buffer)[0] as number;

const evenly = (from: number, to: number, points = POINTS): Float32Array =>
  Float32Array.from({ length: points }, (_, i) => from + ((to - from) * i) / (points - 1));

/** Positive numbers in their order, evenly spaced in bit pattern, so that every power of two has as many. */
const everywhere = (from = 0, to = bitsOf(LARGEST)): Float32Array =>
  new Float32Array(Uint32Array.from({ length: POINTS }, (_, i) => from + ((to - from) * i) / (POINTS - 1)).buffer);

const negative = (x: Float32Array): Float32Array => x.map((value) => -value);

/** Distance of float32 numbers at this one. */
const ulpOf = (value: number): number => {
  const size = Math.abs(value);
  // Math.log2 is off by an ulp now and then, which counts right below a power of two.
  const exponent = Math.floor(Math.log2(size));
  return 2 ** (Math.max(size < 2 ** exponent ? exponent - 1 : exponent, -126) - 23);
};

type Law = (x: number) => number;

/** The largest error, in what `unit` says at the exact value. NaN is the largest of all. */
const worst = (exact: Law, x: Float32Array, given: Float32Array, unit: Law = ulpOf) => {
  expect(given).toHaveLength(x.length);
  let largest = { most: 0, at: 0 };
  for (let i = 0; i < x.length; i++) {
    const [at, value] = [x[i] as number, exact(x[i] as number)];
    const error = given[i] === value ? 0 : Math.abs((given[i] as number) - value) / unit(value);
    if (!(error <= largest.most)) largest = { most: error, at };
    if (Number.isNaN(error)) break;
  }
  return largest;
};

const one = (name: string, x: number): number => evaluate(name, Float32Array.of(x))[0] as number;

describe('the measure', () => {
  const x = evenly(-87, 80, 10_000);
  const nearest = x.map((value) => Math.exp(value));

  test('finds float64 rounded to float32 off by half an ulp at most', () => {
    const { most } = worst(Math.exp, x, nearest);
    expect(most).toBeGreaterThan(0.49);
    expect(most).toBeLessThanOrEqual(0.5);
  });

  test('finds what is two numbers off, and NaN', () => {
    const off = new Float32Array(new Uint32Array(nearest.buffer).map((bits) => bits + 2).buffer);
    expect(worst(Math.exp, x, off).most).toBeGreaterThan(MATH.exp);
    expect(worst(Math.exp, x, nearest.fill(Number.NaN, 7, 8))).toEqual({ most: Number.NaN, at: x[7] });
  });
});

describe('exp', () => {
  test.each([
    ['from -87 to 80', evenly(-87, 80)],
    ['near 0', evenly(-1, 1)],
    ['from -87 to 0 by bit pattern', negative(everywhere(0, bitsOf(87)))],
    ['from 0 to 80 by bit pattern', everywhere(0, bitsOf(80))],
  ])('is right to a few ulp %s', (_, x) => {
    expect(worst(Math.exp, x, evaluate('exp', x)).most).toBeLessThanOrEqual(MATH.exp);
  });

  test('of 0 is 1', () => {
    expect([...evaluate('exp', Float32Array.of(0, -0, 1e-30, -1e-30))]).toEqual([1, 1, 1, 1]);
  });

  test('is +0 below -87.7, for the largest numbers too', () => {
    for (const x of [evenly(-1000, -87.7), negative(everywhere(bitsOf(87.7)))]) {
      expect(evaluate('exp', x).every((value) => Object.is(value, 0))).toBe(true);
    }
  });

  test('has subnormal numbers right before that', () => {
    const x = evenly(-87.68, -87.34);
    expect(worst(Math.exp, x, evaluate('exp', x)).most).toBeLessThanOrEqual(MATH.exp);
  });

  test('stays exp(88) above 88, for the largest numbers too', () => {
    const largest = one('exp', 88);
    expect(worst(Math.exp, Float32Array.of(88), Float32Array.of(largest)).most).toBeLessThanOrEqual(MATH.exp);
    for (const x of [evenly(88, 1000), everywhere(bitsOf(88))]) {
      expect(evaluate('exp', x).every((value) => value === largest)).toBe(true);
    }
  });

  test('is finite and not negative for every finite number', () => {
    for (const x of [everywhere(), negative(everywhere())]) {
      expect(evaluate('exp', x).every((value) => value >= 0 && value <= LARGEST)).toBe(true);
    }
  });
});

describe('log', () => {
  test.each([
    ['of all powers of two', everywhere(bitsOf(SMALLEST))],
    ['from 0.5 to 2', evenly(0.5, 2)],
    ['next to 1', evenly(1 - 2 ** -4, 1 + 2 ** -4)],
    ['from 0.001 to 1000', evenly(1e-3, 1e3)],
  ])('is right to an ulp or so, relative to its own value, for numbers %s', (_, x) => {
    expect(worst(Math.log, x, evaluate('log', x)).most).toBeLessThanOrEqual(MATH.log);
  });

  test('of 1 is 0', () => {
    expect(one('log', 1)).toBe(0);
  });

  test('never decreases', () => {
    const y = evaluate('log', everywhere());
    expect(y.every((value, i) => i === 0 || value >= (y[i - 1] as number))).toBe(true);
  });

  test('of subnormal and negative numbers and of 0 is that of the smallest normal number', () => {
    const smallest = one('log', SMALLEST);
    expect(smallest).toBe(Math.fround(Math.log(SMALLEST)));
    for (const x of [everywhere(0, bitsOf(SMALLEST)), negative(everywhere())]) {
      expect(evaluate('log', x).every((value) => value === smallest)).toBe(true);
    }
  });
});

describe.each<[string, Law]>([
  ['sin', Math.sin],
  ['cos', Math.cos],
])('%s', (name, exact) => {
  test.each([
    ['from -pi to pi', evenly(-Math.PI, Math.PI)],
    ['from -100 to 100', evenly(-100, 100)],
    ['from -10000 to 10000', evenly(-1e4, 1e4)],
    ['from 10000 to 50000', evenly(1e4, 5e4)],
    ['from 0 to 10000 by bit pattern', everywhere(0, bitsOf(1e4))],
  ])('is right to 2^-22.9 %s', (_, x) => {
    expect(worst(exact, x, evaluate(name, x), () => 1).most).toBeLessThanOrEqual(MATH.sine);
  });

  test('of 0 is exact', () => {
    expect(one(name, 0)).toBe(exact(0));
  });

  test('lies in [-1, 1] for every finite number', () => {
    for (const x of [everywhere(), negative(everywhere()), evenly(-LARGEST, LARGEST)]) {
      expect(evaluate(name, x).every((value) => value >= -1 && value <= 1)).toBe(true);
    }
  });
});
