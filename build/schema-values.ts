// The words of JSON schema (draft-07), and what a value in an experiment file may be: a number within a row's bounds, one a
// neuron, an array of a file, an initializer. The tables it reads are the engine's own. Where values stand is schema.ts's.

import { KINDS } from '../src/distributions.ts';
import type { Initializer } from '../src/initializers.ts';
import type { Bounds, Row, Table } from '../src/rows.ts';
import { describe } from './generate.ts';

/** A JSON schema, or a part of one. */
export interface Schema {
  readonly [keyword: string]: unknown;
}

/** By name. */
export type Properties = Readonly<Record<string, Schema>>;

// Descriptions stand beside no $ref: draft-07 ignores what does.
export const ref = (name: string): Schema => ({ $ref: `#/definitions/${name}` });

/** An object with these keys and no others. */
export const object = (properties: Properties, required: readonly string[] = [], more: Schema = {}): Schema => ({
  type: 'object',
  properties,
  ...(required.length > 0 ? { required } : {}),
  additionalProperties: false,
  ...more,
});

/** An object whose keys are those of the case that `key` names. */
export const cases = (key: string, what: string, byName: Readonly<Record<string, Schema>>): Schema => ({
  type: 'object',
  properties: { [key]: { enum: Object.keys(byName), description: what } },
  required: [key],
  allOf: Object.entries(byName).map(([name, schema]) =>
    when({ properties: { [key]: { const: name } }, required: [key] }, schema),
  ),
});

/** What holds where a condition does, and otherwise. */
export const when = (condition: Schema, then: Schema, otherwise?: Schema): Schema => ({
  if: condition,
  then,
  ...(otherwise ? { else: otherwise } : {}),
});

const bounds = ({ above, least, most }: Bounds): Schema => ({
  ...(above === undefined ? {} : { exclusiveMinimum: above }),
  ...(least === undefined ? {} : { minimum: least }),
  ...(most === undefined ? {} : { maximum: most }),
});

export const number = (description: string, allowed: Bounds = {}, more: Schema = {}): Schema => ({
  type: 'number',
  description,
  ...bounds(allowed),
  ...more,
});

export const whole = (description: string, least: number, most: number, more: Schema = {}): Schema => ({
  ...number(description, { least, most }, more),
  type: 'integer',
});

/** A number, one a neuron, an array of a file, or, unless something is divided by it, an initializer. */
export function value(description: string, row: Bounds & Pick<Row, 'whole'>, drawn = true, more: Schema = {}): Schema {
  const type = row.whole ? 'integer' : 'number';
  return {
    description,
    type: [type, 'array', 'object'],
    ...bounds(row),
    items: { type, ...bounds(row) },
    ...when({ type: 'object' }, ref(drawn ? 'drawn' : 'file')),
    ...more,
  };
}

export const withDefault = (given: unknown): Schema =>
  typeof given === 'number' && Number.isFinite(given) ? { default: given } : {};

export const words = (row: Row, meaning: string | undefined): string => {
  const steps = row.inSteps || row.whole ? ', whole steps' : '';
  return describe({ ...row, meaning: meaning ?? '' }) + steps;
};

export const rows = (table: Table, meanings: Readonly<Record<string, string>>): Properties =>
  Object.fromEntries(
    Object.entries(table).map(([name, row]) => [
      name,
      value(words(row, meanings[name]), row, true, withDefault(row.default)),
    ]),
  );

/** What each initializer gives a neuron. */
const INITIALIZERS: Readonly<Record<Initializer['initializer'], string>> = {
  constant: 'the same value for every neuron',
  uniform: 'even between low and high',
  normal: 'normal, without ends',
  truncated_normal: 'the part of a normal distribution from low to high',
  lognormal: 'lognormal; mean and sd are of the value, not of its logarithm',
  gamma: 'gamma, of mean shape * scale and variance shape * scale^2',
  sparse: 'what `of` gives with the probability density, else otherwise',
  spark_constant: "Spark's ConstantInitializer: scale",
  spark_uniform: "Spark's UniformInitializer: even from 0 to scale, then clipped",
  spark_sparse_uniform: "Spark's SparseUniformInitializer: 0 but for density, then clipped",
  spark_normalized_sparse_uniform:
    "Spark's NormalizedSparseUniformInitializer: the sparse one, each group scaled to the sum scale, then clipped",
};

/** Of initializers' keys. */
const KEYS: Readonly<Record<string, string>> = {
  value: 'what every neuron gets',
  low: 'the least',
  high: 'the greatest',
  mean: 'of the whole distribution',
  sd: 'standard deviation, of the whole distribution',
  shape: 'shape parameter',
  scale: 'what it is multiplied by',
  density: 'share of neurons that are not left out',
  min_value: 'what is below becomes this',
  max_value: 'what is above becomes this',
};

const part: Schema = { type: ['number', 'object'], ...when({ type: 'object' }, ref('initializer')) };

/** Keys that take more than a number. */
const OTHER_KEYS: Readonly<Record<string, { schema: Schema; required: boolean }>> = {
  of: { schema: { ...part, description: 'a number or an initializer' }, required: true },
  otherwise: {
    schema: { ...part, description: 'a number or an initializer; 0 by default', default: 0 },
    required: false,
  },
  norm_axes: {
    schema: {
      description: 'axes of units; neurons with the same place on these are a group; [0] by default',
      type: 'array',
      items: { type: 'integer', minimum: 0 },
      uniqueItems: true,
      default: [0],
    },
    required: false,
  },
};

type Key = (Bounds & { readonly default?: number }) | ((...given: never[]) => unknown);

function initializer(name: string, keys: Readonly<Record<string, Key>>): Schema {
  const properties: Record<string, Schema> = { initializer: {} };
  const required: string[] = [];
  for (const [key, takes] of Object.entries(keys)) {
    const other = OTHER_KEYS[key];
    if (typeof takes === 'function') {
      if (!other) throw new Error(`build/schema.ts wants to know what the key ${key} of ${name} takes`);
      properties[key] = other.schema;
      if (other.required) required.push(key);
      continue;
    }
    const initial =
      takes.default === undefined ? '' : Number.isFinite(takes.default) ? `; ${takes.default}` : '; no end';
    const description = `${KEYS[key]}${initial && `${initial} by default`}`;
    properties[key] = number(description, takes, withDefault(takes.default));
    if (takes.default === undefined) required.push(key);
  }
  return object(properties, required, { description: INITIALIZERS[name as Initializer['initializer']] });
}

const DRAWN = 'how values are drawn, one a neuron';

const initializers = (): Schema =>
  cases(
    'initializer',
    DRAWN,
    Object.fromEntries(
      Object.entries(KINDS).map(([name, { keys }]) => [
        name,
        initializer(name, keys as unknown as Readonly<Record<string, Key>>),
      ]),
    ),
  );

/** A place in a file of arrays. */
export const FILE: Properties = {
  file: { description: 'an npz or npy file; relative to the experiment', type: 'string' },
  array: { description: 'the name of an array in an npz file', type: 'string' },
};

/** Both are given of an npz file; an npy file is an array. */
export const ofFile = (): Schema =>
  when(
    { required: ['file'], properties: { file: { pattern: '\\.[nN][pP][yY]$' } } },
    { properties: { array: false } },
    { required: ['file', 'array'] },
  );

/** What values refer to. */
export const definitions = (): Properties => ({
  // The keys stand here too, so that an editor offers them where there is none yet.
  drawn: {
    type: 'object',
    properties: { initializer: { description: DRAWN }, ...FILE },
    ...when({ required: ['initializer'] }, ref('initializer'), ref('file')),
  },
  initializer: initializers(),
  file: { ...object(FILE), ...ofFile() },
});
