// Input currents: what a user passes for `input`, checked and resolved. Currents computed on the device have a file in
// shaders/inputs/ each; `array` currents come from the host: currents.ts.

import { type ArrayInput, type HostCurrent, resolveArray } from './currents.ts';
import { derived } from './derived.ts';
import { standardNormal } from './draws.ts';
import { checkNames, InputError, suggest } from './errors.ts';
import { inputLaws, type LawInput } from './generated/shaders.ts';
import type { Value } from './initializers.ts';
import { firstStepAt, type Plane, Quantity, resolve, type Scope } from './parameters.ts';
import { hashName, uniforms } from './random.ts';
import type { Row } from './rows.ts';
import type { InputLaw } from './somas.ts';

export type Input = LawInput | ArrayInput;

export type {
  ConstantInput,
  LawInput,
  OrnsteinUhlenbeckInput,
  PoissonShotNoiseInput,
  PulsesInput,
  RampInput,
  SineInput,
  StepInput,
  WhiteNoiseInput,
} from './generated/shaders.ts';

/** A current computed on the device, its parameters resolved; edges in time are step numbers. */
export interface ResolvedInput {
  law: InputLaw;
  values: Record<string, Plane>;
  /** What its states start with: drawn only when asked for, for a restored population has them. */
  states: Record<string, () => Plane>;
}

const KINDS = [...Object.keys(inputLaws), 'array'];

/** Checks and resolves a population's inputs. `scope.path` is where the list stands. */
export function resolveInputs(given: readonly Input[], scope: Scope): { laws: ResolvedInput[]; host: HostCurrent[] } {
  if (!Array.isArray(given))
    throw new InputError(scope.path, given, 'is no list', 'give a list of inputs, [] for none');
  const laws: ResolvedInput[] = [];
  const host: HostCurrent[] = [];
  given.forEach((input: Input, index) => {
    const path = `${scope.path}[${index}]`;
    const kind = (input as { kind?: unknown } | null)?.kind;
    if (typeof kind !== 'string' || !KINDS.includes(kind)) {
      throw new InputError(`${path}.kind`, kind ?? null, 'unknown kind of input', suggest(String(kind), KINDS));
    }
    if (input.kind === 'array') host.push(resolveArray(input, { ...scope, path }));
    else laws.push(resolveLaw(input, { ...scope, path, owner: `the input ${kind}`, input: index }));
  });
  return { laws, host };
}

function resolveLaw({ kind, ...given }: LawInput, scope: Scope): ResolvedInput {
  const law = inputLaws[kind];
  const { shared, ...own } = given as Record<string, Value | undefined> & { shared?: unknown };
  const rows = Object.entries(law.parameters);
  const known = rows.flatMap(([name, row]) => (row.byHost ? [] : [name, ...(row.density ? [row.density] : [])]));
  checkNames(scope.path, given, law.random ? [...known, 'shared'] : known, `key NAME of ${scope.owner}`);
  const values: Record<string, Plane> = {};
  for (const [name, row] of rows) if (!row.byHost) values[name] = resolveRow(name, row, own, scope);
  const source = law.random ? sourceOf(shared, scope) : undefined;
  const { start, stop } = values as Record<string, number>;
  if (start !== undefined && stop !== undefined && stop < start) {
    throw new InputError(`${scope.path}.stop`, own.stop, 'is before start', 'give a later moment');
  }
  Object.assign(values, source?.words, derived[kind]?.(values, { ...scope, given: own }));
  for (const [name, row] of rows) if (row.onHost) delete values[name];
  const states = Object.entries(law.states).map(([name, row]) => {
    const start = () =>
      row.default === 'normal' ? normalStart(name, source as Source, scope) : (row.default as number);
    return [name, start] as const;
  });
  return { law, values, states: Object.fromEntries(states) };
}

/** One standard normal number a neuron, or one for all where the noise is shared. */
function normalStart(name: string, { key, words }: Source, { seed, neurons }: Scope): Plane {
  const draws = uniforms(seed, key, Quantity.start, words.input, name);
  const drawn = (neuron: number) => Math.fround(standardNormal(draws, neuron, 0));
  return words.own ? Float32Array.from({ length: neurons }, (_, neuron) => drawn(neuron)) : drawn(0);
}

function resolveRow(name: string, row: Row, given: Readonly<Record<string, Value | undefined>>, scope: Scope): Plane {
  const { density } = row;
  const dense = density === undefined ? undefined : given[density];
  if (density !== undefined && dense !== undefined) {
    if (given[name] !== undefined) {
      throw new InputError(`${scope.path}.${density}`, undefined, `says the same as ${name}`, 'give one of the two');
    }
    const plane = resolve(density, row, dense, 'current', scope);
    const scale = 1 / Math.sqrt(scope.dt);
    return typeof plane === 'number' ? Math.fround(plane * scale) : plane.map((value) => value * scale);
  }
  const { [name]: value = row.default } = given;
  const path = `${scope.path}.${name}`;
  if (value === undefined) {
    const or = density === undefined ? '' : `, or ${density} in ${row.unit}*sqrt(ms)`;
    throw new InputError(path, undefined, 'is missing', `give one, in ${row.unit}${or}`);
  }
  if (row.edge) return resolveEdge(row, value, path, scope.dt);
  if (row.single && typeof value !== 'number') {
    throw new InputError(path, value, 'is the same for all neurons', `give one number, in ${row.unit}`);
  }
  const plane = resolve(name, row, value as Value, 'current', scope);
  // What the host computes with stays as it was given: a frequency rounded to float32 is soon out of step.
  return row.single ? (value as number) : plane;
}

/** Names of shared noises stand in keys where those of populations do; no population can have such a name. */
const SHARED = '*';

/** What sets the random numbers of an input apart: a name, and the struct Source of shaders/random.wgsl. */
interface Source {
  key: string;
  words: { seed: number; stream: number; input: number; own: number };
}

function sourceOf(shared: unknown, { path, population, seed, input = 0 }: Scope): Source {
  const source = (key: string, input: number, own: number) => ({
    key,
    words: { seed, stream: hashName(key), input, own },
  });
  if (shared === undefined) return source(population, input, 1);
  if (typeof shared === 'string' && shared !== '') return source(SHARED + shared, 0, 0);
  throw new InputError(`${path}.shared`, shared, 'is no name', 'give one; all inputs that name it have the same noise');
}

function resolveEdge(row: Row, value: unknown, path: string, dt: number): number {
  if (value === 'end' && row.default === 'end') return 0xffffffff;
  if (typeof value === 'number' && Number.isFinite(value)) return firstStepAt(value, dt);
  throw new InputError(
    path,
    value,
    'is no moment in time',
    `give a number of ms${row.default === 'end' ? ', or leave it out for the end' : ''}`,
  );
}
