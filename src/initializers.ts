// What a user may give as a value: a number, one number a neuron, or an initializer that draws them. One entry of
// INITIALIZERS is one kind: its keys, the interval its values lie in, and how a neuron's value is drawn.

import { checkNames, InputError, suggest } from './errors.ts';

/** The same value for every neuron. */
export interface ConstantInitializer {
  initializer: 'constant';
  value: number;
}

/** Each neuron's value drawn evenly between `low` and `high`. */
export interface UniformInitializer {
  initializer: 'uniform';
  low: number;
  high: number;
}

export type Initializer = ConstantInitializer | UniformInitializer;

/** A number, an array with one value a neuron (flat, row-major), or an initializer. */
export type Value = number | ArrayLike<number> | Initializer;

/** Draws are numbers in (0, 1); a kind may ask for as many a neuron as it needs. */
type Draws = (neuron: number, draw: number) => number;

interface Kind<Fields> {
  readonly keys: readonly Extract<keyof Fields, string>[];
  /** Complains about fields that contradict each other. */
  check?(fields: Fields, path: string): void;
  /** The least and the greatest value it can give. */
  support(fields: Fields): readonly [number, number];
  value(fields: Fields, draws: Draws, neuron: number): number;
}

const INITIALIZERS: {
  [Name in Initializer['initializer']]: Kind<Omit<Extract<Initializer, { initializer: Name }>, 'initializer'>>;
} = {
  constant: {
    keys: ['value'],
    support: ({ value }) => [value, value],
    value: ({ value }) => value,
  },
  uniform: {
    keys: ['low', 'high'],
    check({ low, high }, path) {
      if (low > high) throw new InputError(`${path}.low`, low, 'is greater than high', `give a low of at most ${high}`);
    },
    support: ({ low, high }) => [low, high],
    value: ({ low, high }, draws, neuron) => low + draws(neuron, 0) * (high - low),
  },
};

/** Each neuron's value drawn evenly between `low` and `high`. */
export const uniform = (low: number, high: number): UniformInitializer => ({ initializer: 'uniform', low, high });

/** The same value for every neuron. */
export const constant = (value: number): ConstantInitializer => ({ initializer: 'constant', value });

export function isInitializer(value: unknown): value is Initializer {
  return typeof value === 'object' && value !== null && 'initializer' in value;
}

/** An initializer whose fields were checked, ready to draw. */
export interface Distribution {
  readonly support: readonly [number, number];
  /** The value of a neuron. */
  value(draws: Draws, neuron: number): number;
}

/** Checks an initializer's name and fields; `path` is where it stands. */
export function distribution(given: Initializer, path: string): Distribution {
  const { initializer: name, ...fields } = given;
  const known = Object.keys(INITIALIZERS);
  if (!known.includes(name)) {
    throw new InputError(`${path}.initializer`, name, 'unknown initializer', suggest(String(name), known));
  }
  const kind = INITIALIZERS[name] as Kind<Record<string, number>>;
  checkNames(path, fields, kind.keys, `key NAME of the initializer ${name}`);
  const numbers = fields as Record<string, number>;
  for (const key of kind.keys) {
    const value: unknown = numbers[key];
    if (typeof value !== 'number' || !Number.isFinite(value)) {
      throw new InputError(
        `${path}.${key}`,
        value ?? null,
        `the initializer ${name} wants a finite number here`,
        'give one',
      );
    }
  }
  kind.check?.(numbers, path);
  return { support: kind.support(numbers), value: (draws, neuron) => kind.value(numbers, draws, neuron) };
}
