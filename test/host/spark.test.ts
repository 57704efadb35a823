// Spark's saved configurations, as parsed JSON: what becomes what, what is named as left out, and what is refused, beside
// its control. Files that Spark wrote go through the command line in test/engine/import-spark.test.ts.

import { describe, expect, test } from 'vitest';
import { InputError } from '../../src/index.ts';
import { fromSpark, type SparkOptions } from '../../src/spark.ts';

type Json = Record<string, unknown>;

const plumbing = {
  ...{ __config_delimiter__: '__', __shared_config_delimiter__: '_s_' },
  ...{ __metadata__: {}, __graph_editor_metadata__: {} },
};
const float32 = { __type__: 'dtype', name: 'float32' };

const saved = (fields: Json = {}, type = 'exponential_soma_config') => ({
  __type__: type,
  __cfg__: { ...plumbing, seed: 5, dtype: float32, dt: 0.5, ...fields },
});
const array = (shape: number[], data: unknown, type = 'jax_array') => ({
  __type__: type,
  dtype: 'float32',
  shape,
  data,
});
const drawn = (type: string, fields: Json = {}) => ({
  __type__: `${type}_initializer_config`,
  __cfg__: { ...plumbing, dtype: float32, scale: 2, min_value: null, max_value: null, __class_ref__: '', ...fields },
});

interface Experiment {
  dt: number;
  duration: number;
  seed: number;
  populations: { cells: { soma: string; units: unknown; parameters: Json; record: Json } };
}

const read = (json: unknown, options: Partial<SparkOptions> = {}) => {
  const { experiment, leftOut } = fromSpark(json, { units: [4], ...options });
  return { ...(experiment as Experiment), leftOut };
};
const parameters = (fields: Json, units: number[] = [4]) => read(saved(fields), { units }).populations.cells.parameters;

describe('a saved configuration', () => {
  test('becomes an experiment with its numbers, its time step and its seed', () => {
    const { leftOut: _, ...experiment } = read(saved({ resistance: 0.25, spike_slope: 1 }));
    expect(experiment).toEqual({
      ...{ dt: 0.5, duration: 1000, seed: 5 },
      populations: {
        cells: {
          soma: 'ExponentialSoma',
          units: 4,
          parameters: { resistance: 0.25, spike_slope: 1 },
          record: { spikes: true },
        },
      },
    });
  });

  test.each([
    ['refractory', 'RefractoryExponentialSoma', { cooldown: 3 }],
    ['adaptive', 'AdaptiveExponentialSoma', { adaptation_delta: 60 }],
    ['simplified_adaptive', 'SimplifiedAdaptiveExponentialSoma', { cooldown: 3, threshold_tau: 50 }],
  ])('of type %s_exponential_soma_config is a %s', (type, soma, fields) => {
    const { cells } = read(saved(fields, `${type}_exponential_soma_config`)).populations;
    expect(cells).toMatchObject({ soma, parameters: fields });
  });

  test('may stand in the wrapper of the encoder', () => {
    expect(read({ __version__: '1.0', __data__: saved() })).toEqual(read(saved()));
  });

  test('has the defaults of Spark where it leaves out time step and dtype, and seed 0', () => {
    const { dt, seed, leftOut } = read({ __type__: 'exponential_soma_config', __cfg__: {} });
    expect({ dt, seed }).toEqual({ dt: 1, seed: 0 });
    expect(leftOut[0]).toContain('float16');
  });

  test('runs with the time step, for the time and in the shape that are asked for', () => {
    const { dt, duration, populations } = read(saved(), { dt: 0.1, duration: 50, units: [2, 3] });
    expect({ dt, duration, units: populations.cells.units }).toEqual({ dt: 0.1, duration: 50, units: [2, 3] });
  });

  test('lasts a whole number of its steps, about a second, unless told otherwise', () => {
    expect(read(saved({ dt: 0.3 })).duration).toBe(999.9);
    expect(read(saved({ dt: 4, potential_tau: 5 })).duration).toBe(1000);
    expect(() => read(saved({ dt: 0.3 }), { duration: 1000 })).toThrow(
      'duration: is no whole number of steps of 0.3 ms',
    );
  });
});

describe('an array of Spark', () => {
  test('of one value a neuron is taken as it is, row-major', () => {
    expect(parameters({ resistance: array([4], [0.1, 0.2, 0.3, 0.4]) }).resistance).toEqual([0.1, 0.2, 0.3, 0.4]);
    const nested = array(
      [2, 2],
      [
        [1, 2],
        [3, 4],
      ],
      'numpy_array',
    );
    expect(parameters({ resistance: nested }, [2, 2]).resistance).toEqual([1, 2, 3, 4]);
  });

  test('of one value is a number', () => {
    expect(parameters({ resistance: array([], 0.1) }).resistance).toBe(0.1);
    expect(parameters({ resistance: array([1, 1], [[0.1]]) }).resistance).toBe(0.1);
  });

  // As numpy.broadcast_to(array, (2, 3)).ravel() gives them.
  test.each([
    ['a row', array([3], [1, 2, 3]), [1, 2, 3, 1, 2, 3]],
    ['a row of two sides', array([1, 3], [[1, 2, 3]]), [1, 2, 3, 1, 2, 3]],
    ['a column', array([2, 1], [[1], [2]]), [1, 1, 1, 2, 2, 2]],
  ])('is broadcast as JAX would: %s', (_title, given, expected) => {
    expect(parameters({ resistance: given }, [2, 3]).resistance).toEqual(expected);
  });
});

describe('an initializer of Spark', () => {
  const slope = (json: unknown) => parameters({ spike_slope: json }).spike_slope;

  test.each([
    ['constant', {}, { initializer: 'spark_constant', scale: 2 }],
    ['uniform', {}, { initializer: 'spark_uniform', scale: 2 }],
    [
      'uniform',
      { min_value: -1, max_value: 3 },
      { initializer: 'spark_uniform', scale: 2, min_value: -1, max_value: 3 },
    ],
    ['sparse_uniform', { density: 0.5 }, { initializer: 'spark_sparse_uniform', scale: 2, density: 0.5 }],
    ['sparse_uniform', {}, { initializer: 'spark_sparse_uniform', scale: 2, density: 0.2 }],
    [
      'normalized_sparse_uniform',
      { density: 0.5, norm_axes: [0, 1] },
      { initializer: 'spark_normalized_sparse_uniform', scale: 2, density: 0.5, norm_axes: [0, 1] },
    ],
  ])('%s with %o keeps what has an effect, without bounds that are null', (type, fields, expected) => {
    expect(slope(drawn(type, fields))).toEqual(expected);
  });

  test('constant loses its bounds, which have no effect in Spark', () => {
    expect(slope(drawn('constant', { min_value: 5 }))).toEqual({ initializer: 'spark_constant', scale: 2 });
  });
});

describe('what is left out is named', () => {
  test('float16, in words; of float32 nothing is said', () => {
    const half = { dtype: { __type__: 'dtype', name: 'float16' } };
    expect(read(saved(half)).leftOut.join('\n')).toContain('dtype float16');
    expect(read(saved()).leftOut.join('\n')).not.toContain('dtype');
  });

  test('random keys, with the parameters that are drawn', () => {
    const { leftOut } = read(saved({ spike_slope: drawn('uniform'), threshold: drawn('constant') }));
    expect(leftOut).toContainEqual(
      "JAX's random keys; the seed is 5, but it draws other numbers: threshold, spike_slope",
    );
    expect(read(saved()).leftOut).toContainEqual("JAX's random keys; the seed is 5, and nothing here is drawn");
  });

  test('metadata that somebody wrote, and the current, which no file has', () => {
    const { leftOut } = read(saved({ __metadata__: { note: 'x' } }));
    expect(leftOut).toContain('__metadata__');
    expect(leftOut).not.toContain('__graph_editor_metadata__');
    expect(leftOut.at(-1)).toContain('current and inhibition_mask');
  });
});

describe('refused is', () => {
  const refusals: [title: string, wrong: unknown, right: unknown, says: string[]][] = [
    ['a list', [saved()], saved(), ['is no configuration of Spark']],
    [
      'any other JSON',
      { dt: 0.1, populations: {} },
      saved(),
      ['__type__: is no exponential soma of Spark, got null', 'known: exponential_soma_config'],
    ],
    [
      'another soma of Spark',
      saved({}, 'leaky_soma_config'),
      saved(),
      ['__type__: is no exponential soma of Spark, got "leaky_soma_config"'],
    ],
    ['a type without fields', { __type__: 'exponential_soma_config' }, saved(), ['__cfg__: is no object']],
    [
      'another version of the format',
      { __version__: '2.0', __data__: saved() },
      { __version__: '1.0', __data__: saved() },
      ['__version__', '"2.0"'],
    ],
    [
      'a field that no such config has',
      saved({ spike_slop: 2 }),
      saved({ spike_slope: 2 }),
      ['__cfg__: unknown field "spike_slop" of exponential_soma_config', 'did you mean "spike_slope"?'],
    ],
    [
      'a field of another soma',
      saved({ cooldown: 2 }),
      saved({ cooldown: 2 }, 'refractory_exponential_soma_config'),
      ['unknown field "cooldown"'],
    ],
    [
      'a value that a partial file lacks',
      saved({ resistance: null }),
      saved({ resistance: 1 }),
      ['__cfg__.resistance: has no value', 'partial'],
    ],
    [
      'a time step that a partial file lacks',
      saved({ dt: null }),
      saved({ dt: 1 }),
      ['__cfg__.dt: is no time step, got null'],
    ],
    ['a seed that is none', saved({ seed: 'x' }), saved({ seed: 7 }), ['__cfg__.seed: is no seed, got "x"']],
    [
      'a text',
      saved({ resistance: '1' }),
      saved({ resistance: 1 }),
      ['__cfg__.resistance: is no value of Spark, got "1"'],
    ],
    [
      'a bare list',
      saved({ resistance: [1, 1, 1, 1] }),
      saved({ resistance: array([4], [1, 1, 1, 1]) }),
      ['__cfg__.resistance: is no value of Spark'],
    ],
    [
      'an array that does not broadcast',
      saved({ resistance: array([3], [1, 1, 1]) }),
      saved({ resistance: array([4], [1, 1, 1, 1]) }),
      ['__cfg__.resistance: has the shape [3], which does not broadcast to units of [4]; give units of the shape 3'],
    ],
    [
      'an array of more sides than the units',
      saved({
        resistance: array(
          [2, 4],
          [
            [1, 1, 1, 1],
            [1, 1, 1, 1],
          ],
        ),
      }),
      saved({ resistance: array([4], [1, 1, 1, 1]) }),
      ['has the shape [2,4]', 'give units of the shape 2x4'],
    ],
    [
      'an array that has not as many values as its shape',
      saved({ resistance: array([4], [1, 1, 1]) }),
      saved({ resistance: array([4], [1, 1, 1, 1]) }),
      ['__cfg__.resistance: is no array of numbers of its shape'],
    ],
    [
      'an array of truths',
      saved({ resistance: array([1], [true]) }),
      saved({ resistance: array([1], [1]) }),
      ['__cfg__.resistance: is no array of numbers'],
    ],
    [
      'an initializer of somebody else',
      saved({ resistance: drawn('normal') }),
      saved({ resistance: drawn('uniform') }),
      ['__cfg__.resistance.__type__: is no initializer of Spark, got "normal_initializer_config"'],
    ],
    [
      'an initializer with a field it has not',
      saved({ resistance: drawn('uniform', { density: 1 }) }),
      saved({ resistance: drawn('sparse_uniform', { density: 1 }) }),
      ['__cfg__.resistance.__cfg__: unknown field "density"'],
    ],
    [
      'an initializer without a scale',
      saved({ resistance: drawn('uniform', { scale: null }) }),
      saved({ resistance: drawn('uniform') }),
      ['__cfg__.resistance.__cfg__.scale: is no value of an initializer, got null'],
    ],
    [
      'axes that are none',
      saved({ resistance: drawn('normalized_sparse_uniform', { norm_axes: 0 }) }),
      saved({ resistance: drawn('normalized_sparse_uniform', { norm_axes: [0] }) }),
      ['norm_axes', 'give a list of axes'],
    ],
    [
      'a value that Spark takes and the engine does not',
      saved({ spike_slope: 0 }),
      saved({ spike_slope: 0.1 }),
      ['__cfg__.spike_slope: must be greater than 0, got 0'],
    ],
    [
      'one of them in an array, naming the neuron',
      saved({ potential_tau: array([4], [5, 5, 0.1, 5]) }),
      saved({ potential_tau: array([4], [5, 5, 0.5, 5]) }),
      ['__cfg__.potential_tau[2]: must not be below the time step of 0.5 ms'],
    ],
  ];
  test.each(refusals)('%s', (_title, wrong, right, says) => {
    let message = 'nothing was refused';
    try {
      read(wrong);
    } catch (error) {
      expect(error, String(error)).toBeInstanceOf(InputError);
      message = (error as Error).message;
    }
    for (const part of says) expect(message).toContain(part);
    expect(() => read(right)).not.toThrow();
  });
});
