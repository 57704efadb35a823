// A soma configuration that Spark 1.0.0 saved (`config.to_file`), as an experiment, and what of it could not be carried
// over, in words. Pure: it takes parsed JSON and knows no file. The format is that of spark/core/serializer.py and
// spark/core/config.py; which initializer draws how is in spark/nn/initializers/common.py.

import { checkNames, InputError, suggest } from './errors.ts';
import { isInitializer, type Value } from './initializers.ts';
import { checkDt, resolveParameters, stepsIn } from './parameters.ts';
import { type Soma, somas } from './somas.ts';

export interface SparkOptions {
  /** How many neurons, or their shape: in Spark the shape of the first current, so no file has it. */
  units: readonly number[];
  /** ms; the file's by default. */
  dt?: number;
  /** ms; about a second by default. */
  duration?: number;
}

export interface SparkImport {
  /** What docs/experiment.md describes. */
  experiment: object;
  /** What is not as it was in Spark: a sentence each. */
  leftOut: string[];
}

type Json = Readonly<Record<string, unknown>>;

const NAME = 'cells';

/** What Spark's registry calls the configs of the somas there are here. */
const SOMAS: Readonly<Record<string, string>> = {
  exponential_soma_config: 'ExponentialSoma',
  refractory_exponential_soma_config: 'RefractoryExponentialSoma',
  adaptive_exponential_soma_config: 'AdaptiveExponentialSoma',
  simplified_adaptive_exponential_soma_config: 'SimplifiedAdaptiveExponentialSoma',
};

/** What Spark's registry calls its initializers, what they are called here, and the fields that have an effect in Spark. */
const INITIALIZERS: Readonly<Record<string, { name: string; keys: readonly string[] }>> = {
  constant_initializer_config: { name: 'spark_constant', keys: ['scale'] },
  uniform_initializer_config: { name: 'spark_uniform', keys: ['scale', 'min_value', 'max_value'] },
  sparse_uniform_initializer_config: {
    name: 'spark_sparse_uniform',
    keys: ['scale', 'min_value', 'max_value', 'density'],
  },
  normalized_sparse_uniform_initializer_config: {
    name: 'spark_normalized_sparse_uniform',
    keys: ['scale', 'min_value', 'max_value', 'density', 'norm_axes'],
  },
};

/** Spark's own, for a field that a file leaves out. A bound that is null clips nothing: it is left out here as well. */
const DEFAULTS: Json = { scale: 1, min_value: null, max_value: null, density: 0.2, norm_axes: [0] };

// How Spark splits names of nested configs, and which class a config is of, which its type says as well.
const PLUMBING = ['__config_delimiter__', '__shared_config_delimiter__', '__class_ref__'];
const METADATA = ['__metadata__', '__graph_editor_metadata__'];

/**
 * Turns a saved configuration into an experiment that `somagpu run` takes.
 *
 * @param json - the parsed file
 * @throws InputError with the path in the file
 */
export function fromSpark(json: unknown, { units, ...given }: SparkOptions): SparkImport {
  const { type, config } = configOf(unwrap(json), '', Object.keys(SOMAS), 'is no exponential soma of Spark');
  const soma = somas.find(({ name }) => name === SOMAS[type]) as Soma;
  const names = Object.keys(soma.parameters);
  checkNames('__cfg__', config, [...PLUMBING, ...METADATA, 'seed', 'dtype', 'dt', ...names], `field NAME of ${type}`);
  // 1 ms is Spark's default; null, of a file saved as partial, is none.
  const dt = given.dt ?? (config.dt === undefined ? 1 : config.dt);
  checkDt(dt, '__cfg__.dt');
  const parameters: Record<string, Value> = {};
  for (const name of names) {
    if (config[name] !== undefined) parameters[name] = readValue(config[name], `__cfg__.${name}`, units);
  }
  const seed = seedOf(config.seed);
  const refused = checkParameters(soma, parameters, { units, dt });
  const population = {
    soma: soma.name,
    units: units.length === 1 ? units[0] : units,
    parameters,
    record: { spikes: true },
  };
  const experiment = { dt, duration: durationOf(given.duration, dt), seed, populations: { [NAME]: population } };
  return { experiment, leftOut: [...differences(config, seed, parameters), ...refused] };
}

/** The encoder's own wrapper, which `to_file` leaves out and `json.dumps` does not. */
function unwrap(json: unknown): unknown {
  if (!isObject(json) || !('__version__' in json)) return json;
  if (json.__version__ === '1.0') return json.__data__;
  throw new InputError('__version__', json.__version__, 'is a format that is not known', 'give one of version "1.0"');
}

function configOf(
  json: unknown,
  path: string,
  known: readonly string[],
  reason: string,
): { type: string; config: Json } {
  const at = (key: string) => (path === '' ? key : `${path}.${key}`);
  if (!isObject(json))
    throw new InputError(path, json, 'is no configuration of Spark', 'give what config.to_file wrote');
  const { __type__: type, __cfg__: config } = json;
  if (typeof type !== 'string' || !known.includes(type)) {
    throw new InputError(at('__type__'), type ?? null, reason, suggest(String(type), known));
  }
  if (isObject(config)) return { type, config };
  throw new InputError(at('__cfg__'), config ?? null, 'is no object', 'give what config.to_file wrote');
}

const isObject = (json: unknown): json is Json => typeof json === 'object' && json !== null && !Array.isArray(json);

function readValue(json: unknown, path: string, units: readonly number[]): Value {
  if (typeof json === 'number') return json;
  if (json === null) {
    throw new InputError(
      path,
      null,
      'has no value: the file was saved as partial',
      'give it one in Spark, and save again',
    );
  }
  const type = isObject(json) ? json.__type__ : undefined;
  if (isObject(json) && (type === 'jax_array' || type === 'numpy_array')) return broadcast(json, path, units);
  if (isObject(json) && type !== undefined) return initializerOf(json, path);
  throw new InputError(
    path,
    json,
    'is no value of Spark',
    'give a number, an array or an initializer, as Spark saves it',
  );
}

/** An array as JAX would broadcast it against the units: aligned at the last side, sides of 1 repeated. */
function broadcast({ shape, data }: Json, path: string, units: readonly number[]): Value {
  const sides = Array.isArray(shape) ? (shape as number[]) : [];
  const size = sides.reduce((product, side) => product * side, 1);
  const values = [data].flat(Number.POSITIVE_INFINITY);
  if (!Array.isArray(shape) || values.length !== size || !values.every((value) => typeof value === 'number')) {
    throw new InputError(path, undefined, 'is no array of numbers of its shape', 'save it again from Spark');
  }
  if (size === 1) return values[0] as number;
  const missing = units.length - sides.length;
  const fits = missing >= 0 && sides.every((side, i) => side === 1 || side === units[missing + i]);
  if (!fits) {
    const reason = `has the shape [${sides}], which does not broadcast to units of [${units}]`;
    throw new InputError(path, undefined, reason, `give units of the shape ${sides.join('x')}`);
  }
  const aligned = units.map((_, i) => sides[i - missing] ?? 1);
  const neurons = units.reduce((product, side) => product * side, 1);
  return Array.from({ length: neurons }, (_, neuron) => values[source(neuron, units, aligned)] as number);
}

/** Which entry of an array of these sides a neuron gets; both are row-major. */
function source(neuron: number, units: readonly number[], sides: readonly number[]): number {
  let [rest, index, stride] = [neuron, 0, 1];
  for (let i = units.length - 1; i >= 0; i--) {
    const [unit, side] = [units[i] as number, sides[i] as number];
    if (side > 1) index += stride * (rest % unit);
    stride *= side;
    rest = Math.floor(rest / unit);
  }
  return index;
}

function initializerOf(json: Json, path: string): Value {
  const { type, config } = configOf(json, path, Object.keys(INITIALIZERS), 'is no initializer of Spark');
  const where = `${path}.__cfg__`;
  const { name, keys } = INITIALIZERS[type] as { name: string; keys: readonly string[] };
  // Its own dtype has no effect in Spark, where the soma's takes its place (InitializableField.init).
  const fields = [...PLUMBING, ...METADATA, 'dtype', 'scale', 'min_value', 'max_value', ...keys];
  checkNames(where, config, fields, `field NAME of ${type}`);
  const entries = keys.flatMap((key) => {
    const value = config[key] === undefined ? DEFAULTS[key] : config[key];
    if (value === null && DEFAULTS[key] === null) return [];
    const right = key === 'norm_axes' ? isAxes(value) : typeof value === 'number';
    if (right) return [[key, value] as const];
    const remedy = key === 'norm_axes' ? 'give a list of axes' : 'give a number';
    throw new InputError(`${where}.${key}`, value, 'is no value of an initializer', remedy);
  });
  return { initializer: name, ...Object.fromEntries(entries) } as unknown as Value;
}

const isAxes = (value: unknown): boolean => Array.isArray(value) && value.every((axis) => Number.isInteger(axis));

// Any whole number serves in Spark; with other draws, which one is chosen here matters little.
function seedOf(seed: unknown): number {
  if (seed === undefined) return 0;
  if (Number.isInteger(seed)) return (seed as number) >>> 0;
  throw new InputError('__cfg__.seed', seed, 'is no seed', 'give a whole number');
}

/** What the engine refuses is refused now, and not only when the experiment is run; of what is drawn it is told. */
function checkParameters(
  soma: Soma,
  parameters: Record<string, Value>,
  { units, dt }: { units: readonly number[]; dt: number },
): string[] {
  const neurons = units.reduce((product, side) => product * side, 1);
  const scope = { path: '__cfg__', owner: soma.name, population: NAME, neurons, units, dt, seed: 0 };
  try {
    resolveParameters(soma.parameters, parameters, scope);
    return [];
  } catch (error) {
    const drawn = Object.values(parameters).some(isInitializer);
    if (!drawn || !(error instanceof InputError)) throw error;
    return [`what a run refuses until it is changed: ${error.message.replace('__cfg__.', `${NAME}.parameters.`)}`];
  }
}

function durationOf(duration: number | undefined, dt: number): number {
  if (duration === undefined) return Number((Math.max(1, Math.round(1000 / dt)) * dt).toPrecision(12));
  stepsIn(duration, dt, 'duration');
  return duration;
}

function differences(config: Json, seed: number, parameters: Record<string, Value>): string[] {
  const drawn = Object.keys(parameters).filter((name) => isInitializer(parameters[name]));
  const again = drawn.length === 0 ? 'and nothing here is drawn' : `but it draws other numbers: ${drawn.join(', ')}`;
  const dtype = isObject(config.dtype) ? config.dtype.name : 'float16';
  const metadata = METADATA.filter((key) => isObject(config[key]) && Object.keys(config[key]).length > 0);
  return [
    ...(dtype === 'float32' ? [] : [`dtype ${dtype}; everything is float32 here`]),
    `JAX's random keys; the seed is ${seed}, ${again}`,
    ...metadata,
    `current and inhibition_mask, which Spark takes with each call and no file has; give populations.${NAME} an input`,
  ];
}
