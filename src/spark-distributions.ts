// The initializers of Spark 1.0.0, nn/initializers/common.py, with what they do rather than what their docstrings say:
// numbers even from 0 to 1, masked, normalized, times scale, and last of all clipped. The random numbers are ours, their
// distributions Spark's.

import type { Kind } from './distributions.ts';
import { InputError } from './errors.ts';

interface Fields {
  scale: number;
  min_value: number;
  max_value: number;
  /** 1 where nothing is masked. */
  density: number;
  /** Undefined where nothing is normalized. */
  norm_axes: readonly number[] | undefined;
}

const SCALE = { scale: { default: 1 } };
const CLIPPED = { ...SCALE, min_value: { default: -Infinity }, max_value: { default: Infinity } };
const SPARSE = { ...CLIPPED, density: { default: 0.2, least: 0, most: 1 } };

/** As jnp.clip: where the two contradict each other, everything becomes max_value. */
const clip = ({ min_value, max_value }: Fields, value: number) => Math.min(Math.max(value, min_value), max_value);

/**
 * The probability that an entry is kept. Spark draws its mask in float16, where jax.random.uniform gives multiples of
 * 1/1024, and keeps those below the density, which becomes a float16 too: 0.2 keeps 205 of 1024, 0.0001 keeps 1.
 */
export function share(density: number): number {
  const spacing = 2 ** Math.max(Math.floor(Math.log2(density)) - 10, -24);
  // A half is rounded down, which differs from float16's half to even only where the count below is the same.
  return Math.ceil(Math.ceil(density / spacing - 0.5) * spacing * 1024) / 1024;
}

function readAxes(given: unknown = [0], path: string, units: readonly number[]): readonly number[] {
  const known = [...units.keys()];
  if (units.length < 2) {
    throw new InputError(path, undefined, 'there is nothing to sum over', 'give units of two dimensions or more');
  }
  if (Array.isArray(given) && given.every((axis, i) => known.includes(axis) && given.indexOf(axis) === i)) return given;
  throw new InputError(path, given, 'is no list of different axes', `the units have axes ${known.join(', ')}`);
}

/** Which group a neuron is of: neurons with the same place on these axes are one. */
const groupsOf = (units: readonly number[], axes: readonly number[]) => (neuron: number) => {
  let group = 0;
  for (let axis = units.length - 1, rest = neuron, size = 1; axis >= 0; axis--) {
    const side = units[axis] as number;
    if (axes.includes(axis)) {
      group += (rest % side) * size;
      size *= side;
    }
    rest = Math.floor(rest / side);
  }
  return group;
};

const clipped = (keys: object): Kind<Fields> => ({
  keys: keys as Kind<Fields>['keys'],
  support: (fields) => [clip(fields, Math.min(fields.scale, 0)), clip(fields, Math.max(fields.scale, 0))],
  sampler(fields, draws, units) {
    const { scale, density = 1, norm_axes } = fields;
    const kept = share(density);
    const even = (neuron: number) => (draws(neuron, 1) < kept ? draws(neuron, 0) : 0);
    if (!norm_axes) return (neuron) => clip(fields, scale * even(neuron));
    const groupOf = groupsOf(units, norm_axes);
    const sums: number[] = [];
    for (let neuron = units.reduce((product, side) => product * side, 1); neuron-- > 0; ) {
      sums[groupOf(neuron)] = (sums[groupOf(neuron)] ?? 0) + even(neuron);
    }
    // A group of zeros stays one, as in Spark.
    return (neuron) => clip(fields, scale * (even(neuron) / (sums[groupOf(neuron)] || 1)));
  },
});

export const spark = {
  spark_constant: {
    keys: SCALE,
    support: ({ scale }) => [scale, scale],
    sampler:
      ({ scale }) =>
      () =>
        scale,
  } as Kind<{ scale: number }>,
  spark_uniform: clipped(CLIPPED),
  spark_sparse_uniform: clipped(SPARSE),
  spark_normalized_sparse_uniform: clipped({ ...SPARSE, norm_axes: readAxes }),
};
