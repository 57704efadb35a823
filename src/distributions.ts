// How initializers draw. One entry of KINDS is one of them: its keys, the interval its values lie in, and how a neuron's
// value comes from even numbers.

import { type Draws, standardGamma, standardNormal, truncatedNormal } from './draws.ts';
import { checkNames, InputError, suggest } from './errors.ts';
import { type Initializer, isInitializer } from './initializers.ts';
import { type Bounds, boundsOf, outside } from './rows.ts';
import { spark } from './spark-distributions.ts';

/** What a key takes: numbers in a range, by default `default`; or what a reader makes of it. */
type Key<Field> =
  | (Bounds & { readonly default?: Field })
  | ((given: unknown, path: string, units: readonly number[]) => Field);

type Support = readonly [least: number, greatest: number];

export interface Kind<Fields> {
  readonly keys: { readonly [Name in keyof Fields]: Key<Fields[Name]> };
  /** Complains about fields that contradict each other. */
  check?(fields: Fields, path: string): void;
  /** The ends of what it can give, infinite where there is none; two equal ones are a constant, never drawn. */
  support(fields: Fields): Support;
  /** Mean and standard deviation, where a truncated normal distribution may stand for it. */
  moments?(fields: Fields): readonly [mean: number, sd: number];
  /** What it is made of, by key: these have to keep to a row's range then, not it. */
  parts?(fields: Fields): Record<string, Distribution>;
  /** Gives the value of a neuron. */
  sampler(fields: Fields, draws: Draws, units: readonly number[]): (neuron: number) => number;
}

/** An initializer whose fields were checked, ready to draw. */
export interface Distribution {
  readonly given: Initializer;
  readonly support: Support;
  readonly parts: Record<string, Distribution> | undefined;
  readonly moments: readonly [mean: number, sd: number] | undefined;
  sampler(draws: Draws): (neuron: number) => number;
}

interface Interval {
  low: number;
  high: number;
}

interface Spread {
  mean: number;
  sd: number;
}

const SPREAD = { mean: {}, sd: { least: 0 } };
const moments = ({ mean, sd }: Spread) => [mean, sd] as const;
const clamp = (value: number, low: number, high: number) => Math.min(Math.max(value, low), high);

function checkInterval({ low, high }: Interval, path: string): void {
  if (low > high) throw new InputError(`${path}.low`, low, 'is greater than high', `give a low of at most ${high}`);
}

/** By name. @internal */
export const KINDS: {
  constant: Kind<{ value: number }>;
  uniform: Kind<Interval>;
  normal: Kind<Spread>;
  truncated_normal: Kind<Spread & Interval>;
  lognormal: Kind<Spread>;
  gamma: Kind<{ shape: number; scale: number }>;
  sparse: Kind<{ density: number; of: Distribution; otherwise: Distribution }>;
} & typeof spark = {
  constant: {
    keys: { value: {} },
    support: ({ value }) => [value, value],
    sampler:
      ({ value }) =>
      () =>
        value,
  },
  uniform: {
    keys: { low: {}, high: {} },
    check: checkInterval,
    support: ({ low, high }) => [low, high],
    sampler:
      ({ low, high }, draws) =>
      (neuron) =>
        low + draws(neuron, 0) * (high - low),
  },
  normal: {
    keys: SPREAD,
    moments,
    support: ({ mean, sd }) => (sd ? [-Infinity, Infinity] : [mean, mean]),
    sampler:
      ({ mean, sd }, draws) =>
      (neuron) =>
        mean + sd * standardNormal(draws, neuron, 0),
  },
  truncated_normal: {
    keys: { ...SPREAD, low: { default: -Infinity }, high: { default: Infinity } },
    moments,
    check: checkInterval,
    support({ mean, sd, low, high }) {
      const only = clamp(mean, low, high);
      return sd ? [low, high] : [only, only];
    },
    sampler({ mean, sd, low, high }, draws) {
      const [a, b] = [(low - mean) / sd, (high - mean) / sd];
      return (neuron) => clamp(mean + sd * truncatedNormal(a, b, draws, neuron), low, high);
    },
  },
  lognormal: {
    keys: { ...SPREAD, mean: { above: 0 } },
    moments,
    support: ({ mean, sd }) => (sd ? [0, Infinity] : [mean, mean]),
    sampler({ mean, sd }, draws) {
      const variance = Math.log1p((sd / mean) ** 2);
      return (neuron) => mean * Math.exp(Math.sqrt(variance) * standardNormal(draws, neuron, 0) - variance / 2);
    },
  },
  gamma: {
    keys: { shape: { above: 0, most: 1e9 }, scale: { above: 0 } },
    support: () => [0, Infinity],
    moments: ({ shape, scale }) => [shape * scale, Math.sqrt(shape) * scale],
    sampler:
      ({ shape, scale }, draws) =>
      (neuron) =>
        scale * standardGamma(shape, draws, neuron),
  },
  sparse: {
    keys: {
      density: { least: 0, most: 1 },
      of: readPart,
      otherwise: (given = 0, ...where) => readPart(given, ...where),
    },
    support: () => [-Infinity, Infinity],
    parts: ({ of, otherwise }) => ({ of, otherwise }),
    sampler({ density, of, otherwise }, draws) {
      const later: Draws = (neuron, draw) => draws(neuron, draw + 1);
      const [one, other] = [of.sampler(later), otherwise.sampler(later)];
      return (neuron) => (draws(neuron, 0) < density ? one(neuron) : other(neuron));
    },
  },
  ...spark,
};

function readPart(given: unknown, path: string, units: readonly number[]): Distribution {
  const initializer = isInitializer(given) ? given : { initializer: 'constant' as const, value: given as number };
  return distribution(initializer, path, units);
}

function readNumber(given: unknown, path: string, key: Bounds & { default?: unknown }, name: string): unknown {
  if (given === undefined && key.default !== undefined) return key.default;
  if (typeof given !== 'number' || !Number.isFinite(given)) {
    throw new InputError(path, given ?? null, `the initializer ${name} wants a finite number here`, 'give one');
  }
  const reason = outside(key, given);
  if (reason !== undefined) throw new InputError(path, given, reason, `allowed: ${boundsOf(key).join(', ')}`);
  return given;
}

/**
 * Checks an initializer's name and fields.
 *
 * @param path - where it stands, for messages
 * @param units - the shape of the population it draws for
 */
export function distribution(given: Initializer, path: string, units: readonly number[]): Distribution {
  const { initializer: name, ...others } = given;
  const known = Object.keys(KINDS);
  if (!known.includes(name)) {
    throw new InputError(`${path}.initializer`, name, 'unknown initializer', suggest(String(name), known));
  }
  const kind = KINDS[name] as unknown as Kind<Record<string, unknown>>;
  checkNames(path, others, Object.keys(kind.keys), `key NAME of the initializer ${name}`);
  const fields: Record<string, unknown> = {};
  for (const [key, reader] of Object.entries(kind.keys)) {
    const [value, where] = [(others as Record<string, unknown>)[key], `${path}.${key}`];
    fields[key] = typeof reader === 'function' ? reader(value, where, units) : readNumber(value, where, reader, name);
  }
  kind.check?.(fields, path);
  const support = kind.support(fields);
  return {
    given,
    support,
    parts: kind.parts?.(fields),
    moments: kind.moments?.(fields),
    sampler: (draws) => (support[0] === support[1] ? () => support[0] : kind.sampler(fields, draws, units)),
  };
}
