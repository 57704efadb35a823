// Spark's own initializers beside facts from the source of Spark 1.0.0, src/spark/nn/initializers/common.py and base.py,
// each of which was also seen by running that source with JAX 0.8.0. Numbers of lines are left out: names are quoted.

import { describe, expect, test } from 'vitest';
import { distribution } from '../../src/distributions.ts';
import { InputError } from '../../src/errors.ts';
import {
  type Initializer,
  sparkConstant,
  sparkNormalizedSparseUniform,
  sparkSparseUniform,
  sparkUniform,
} from '../../src/initializers.ts';
import { resolveParameters } from '../../src/parameters.ts';
import { uniforms } from '../../src/random.ts';
import { AdaptiveExponentialSoma } from '../../src/somas.ts';
import { share } from '../../src/spark-distributions.ts';
import { evenness, surprise } from '../support/statistics.ts';
import { CHANCE } from '../support/tolerances.ts';

const DRAWS = 100_000;

function draw(given: Initializer, units: readonly number[] = [DRAWS]): Float64Array {
  const value = distribution(given, 'x', units).sampler(uniforms(7, 'cells', 1, 0, 'threshold'));
  return Float64Array.from({ length: units.reduce((product, side) => product * side, 1) }, (_, i) => value(i));
}

/** Expects as many of these values as a probability says. */
function expectShare(values: Float64Array, value: number, probability: number): void {
  const hits = values.filter((other) => other === value).length;
  expect(Math.abs(surprise(hits, values.length, probability)), `${hits} are ${value}`).toBeLessThan(CHANCE.z);
}

const total = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0);

describe('spark_constant', () => {
  test('is scale everywhere, 1 by default: "self.config.scale * jnp.ones(shape)"', () => {
    expect([...draw(sparkConstant(3), [4])]).toEqual([3, 3, 3, 3]);
    expect([...draw(sparkConstant(), [2])]).toEqual([1, 1]);
  });
});

describe('spark_uniform: "scale * jax.random.uniform", then "jnp.clip(array, min=min_value, max=max_value)"', () => {
  test('is even from 0 to scale where nothing is clipped, 1 by default, and from scale to 0 below 0', () => {
    expect(evenness(draw(sparkUniform()))).toBeGreaterThan(CHANCE.p);
    expect(evenness(draw(sparkUniform({ scale: 30 })).map((value) => value / 30))).toBeGreaterThan(CHANCE.p);
    expect(evenness(draw(sparkUniform({ scale: -3 })).map((value) => value / -3))).toBeGreaterThan(CHANCE.p);
  });

  test('piles up at min_value with the probability min_value / scale, at max_value with 1 - max_value / scale', () => {
    const values = draw(sparkUniform({ scale: 10, min_value: 2, max_value: 7 }));
    expectShare(values, 2, 0.2);
    expectShare(values, 7, 0.3);
    const between = values.filter((value) => value !== 2 && value !== 7);
    expect(evenness(between.map((value) => (value - 2) / 5))).toBeGreaterThan(CHANCE.p);
  });

  test('is 5 everywhere with a min_value of 5, a max_value of 9 and the default scale of 1', () => {
    expect(distribution(sparkUniform({ min_value: 5, max_value: 9 }), 'x', [4]).support).toEqual([5, 5]);
  });

  test('is max_value everywhere where min_value is greater, as jnp.clip has it', () => {
    expect(distribution(sparkUniform({ scale: 10, min_value: 9, max_value: 5 }), 'x', [4]).support).toEqual([5, 5]);
  });

  test('of a scale of -3 and a min_value of -2 is -2 for a third', () => {
    expectShare(draw(sparkUniform({ scale: -3, min_value: -2 })), -2, 1 / 3);
  });
});

describe('spark_sparse_uniform', () => {
  // numpy.float16, then the number of k in 0..1023 with float16(k / 1024) below it.
  test.each([
    [0.2, 205],
    [0.0001, 1],
    [0.3, 308],
    [0.5, 512],
    [0.500244140625, 512],
    [0.50025, 513],
    [0.999, 1023],
    [0.99999, 1024],
    [1, 1024],
    [0, 0],
    [1e-9, 0],
  ])('keeps at a density of %s %i of 1024 entries: "uniform(dtype=jnp.float16) < density"', (density, of1024) => {
    expect(share(density) * 1024 + 0).toBe(of1024);
  });

  test('is 0 but for 205 of 1024 by default, and those are even from 0 to scale', () => {
    const values = draw(sparkSparseUniform({ scale: 30 }));
    expectShare(values, 0, 819 / 1024);
    expect(evenness(values.filter((value) => value !== 0).map((value) => value / 30))).toBeGreaterThan(CHANCE.p);
  });

  test('has no zeros with a min_value above 0, whatever its docstring says: "where(mask, ...)" comes before "clip"', () => {
    const values = draw(sparkSparseUniform({ scale: 10, min_value: 2, max_value: 8 }));
    expectShare(values, 0, 0);
    expectShare(values, 2, 819 / 1024 + (205 / 1024) * 0.2);
    expectShare(values, 8, (205 / 1024) * 0.2);
  });
});

describe('spark_normalized_sparse_uniform', () => {
  const [rows, columns] = [5000, 8];

  test('sums up to scale in each row by default: norm_axes (0,) are the axes that stay, "ij->i"', () => {
    const values = draw(sparkNormalizedSparseUniform({ scale: 10 }), [rows, columns]);
    const sums = Array.from({ length: rows }, (_, i) => total(values.subarray(i * columns, (i + 1) * columns)));
    const empty = sums.filter((sum) => sum === 0).length;
    // A row without an entry stays without: "jnp.where(norm != 0, 1/norm, 1)".
    expect(Math.abs(surprise(empty, rows, (819 / 1024) ** columns))).toBeLessThan(CHANCE.z);
    for (const sum of sums) if (sum !== 0) expect(sum).toBeCloseTo(10, 12);
    expectShare(values, 0, 819 / 1024);
  });

  test.each([[[1]], [[2, 0]], [[]]] as [number[]][])(
    'sums up to scale where the places on the axes %j are the same',
    (norm_axes: number[]) => {
      const units = [3, 4, 5];
      const values = draw(sparkNormalizedSparseUniform({ scale: 2, density: 1, norm_axes }), units);
      const sums = new Map<string, number>();
      let neuron = 0;
      for (let i = 0; i < 3; i++)
        for (let j = 0; j < 4; j++)
          for (let k = 0; k < 5; k++) {
            const group = norm_axes.map((axis: number) => [i, j, k][axis]).join();
            sums.set(group, (sums.get(group) ?? 0) + (values[neuron++] as number));
          }
      expect(sums.size).toBe(norm_axes.reduce((product: number, axis: number) => product * (units[axis] as number), 1));
      for (const sum of sums.values()) expect(sum).toBeCloseTo(2, 12);
    },
  );

  test('is scale or 0 with all axes: an entry divided by itself', () => {
    expect(new Set(draw(sparkNormalizedSparseUniform({ scale: 10, norm_axes: [0, 1] }), [100, 10]))).toEqual(
      new Set([0, 10]),
    );
  });

  test('of two columns is U / (U + V), with as much below t as t / (2 - 2t) up to a half', () => {
    const values = draw(sparkNormalizedSparseUniform({ density: 1 }), [DRAWS, 2]).filter((_, i) => i % 2 === 0);
    const below = (t: number) => (t < 0.5 ? t / (2 - 2 * t) : 1 - (1 - t) / (2 * t));
    expect(evenness(values.map(below))).toBeGreaterThan(CHANCE.p);
  });

  test('is clipped after that, so that rows need not sum up to scale', () => {
    const given = sparkNormalizedSparseUniform({ scale: 10, density: 1, min_value: 1, max_value: 2 });
    const values = draw(given, [rows, columns]);
    expect(Math.min(...values)).toBe(1);
    expect(Math.max(...values)).toBe(2);
    expect(total(values.subarray(0, columns))).not.toBeCloseTo(10, 3);
  });

  test('is refused for units of one dimension, as in Spark, and for axes that are not there', () => {
    const attempt = (units: readonly number[], norm_axes?: readonly number[]) => () =>
      distribution(sparkNormalizedSparseUniform({ norm_axes }), 'x', units);
    expect(attempt([100])).toThrow('x.norm_axes: there is nothing to sum over; give units of two dimensions or more');
    expect(attempt([10, 10])).not.toThrow();
    for (const wrong of [[2], [-1], [0.5], [0, 0], null, 0]) {
      expect(attempt([10, 10], wrong as number[])).toThrow('x.norm_axes: ');
      expect(attempt([10, 10], wrong as number[])).toThrow(InputError);
    }
    expect(attempt([10, 10], [1, 0])).not.toThrow();
  });
});

describe("Spark's initializers as values", () => {
  const resolve = (given: Initializer, units: readonly number[] | undefined = undefined) => {
    const { name: owner, parameters } = AdaptiveExponentialSoma;
    const place = { path: 'cells.parameters', owner, population: 'cells' };
    const scope = { ...place, neurons: 100, units, dt: 0.1, seed: 7 };
    return resolveParameters(parameters, { potential_tau: given }, scope).potential_tau;
  };

  test('are refused where the clipped interval leaves the range, and taken where min_value keeps them in it', () => {
    for (const given of [sparkUniform({ scale: 10 }), sparkSparseUniform({ scale: 10 })]) {
      expect(() => resolve(given)).toThrow('cells.parameters.potential_tau: must be greater than 0, got 0');
      expect(() => resolve({ ...given, min_value: 1 })).not.toThrow();
    }
    expect(() => resolve(sparkConstant(-1))).toThrow('must be greater than 0, got -1');
  });

  test('know the shape of their population', () => {
    const given = sparkNormalizedSparseUniform({ scale: 100, density: 1, min_value: 0.1 });
    expect(resolve(given, [10, 10])).toBeInstanceOf(Float32Array);
    expect(() => resolve(given)).toThrow('give units of two dimensions or more');
  });

  test.each([
    [
      { initializer: 'spark_uniform', min_value: null },
      '.min_value: the initializer spark_uniform wants',
      { initializer: 'spark_uniform', min_value: 1 },
    ],
    [
      { initializer: 'spark_uniform', dtype: 'float16' },
      'unknown key "dtype" of the initializer spark_uniform',
      sparkUniform({ min_value: 1 }),
    ],
    [
      { initializer: 'spark_constant', min_value: 1 },
      'unknown key "min_value" of the initializer spark_constant',
      sparkConstant(1),
    ],
    [
      { initializer: 'spark_sparse_uniform', min_value: 1, density: 2 },
      '.density: must be at most 1, got 2',
      sparkSparseUniform({ min_value: 1 }),
    ],
  ])('%j is refused', (wrong, reason, right) => {
    expect(() => resolve(wrong as unknown as Initializer)).toThrow(reason);
    expect(() => resolve(right as Initializer)).not.toThrow();
  });
});
