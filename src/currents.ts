// Currents that the host gives for every step, as an array or as a function that is asked for them block by block. All of
// a population's are summed into one stream for the device.

import { checkNames, InputError, inRoom, isList } from './errors.ts';
import { isInitializer } from './initializers.ts';
import type { StreamKind } from './kernel.ts';
import { resolve, type Scope } from './parameters.ts';
import type { Row } from './rows.ts';

/** A current for every step, pA: `[steps]`, the same for all neurons, or `[steps, neurons]`, row-major. */
export type ArrayInput = WholeCurrent | ReadCurrent;

/** One that is there. */
export interface WholeCurrent {
  kind: 'array';
  /** Flat with a `shape`; without one, a list of numbers (one a step) or of lists (one a step, a number a neuron). */
  values: ArrayLike<number> | readonly ArrayLike<number>[];
  shape?: readonly number[];
}

/** One that is larger than memory, or not known beforehand: it is asked for a block of steps when that is to be run. */
export interface ReadCurrent {
  kind: 'array';
  shape: readonly number[];
  read: CurrentReader;
}

/**
 * Gives the currents of some steps, row-major. It is asked for each step once, in order; and again, from where the
 * simulation stands, after a `reset` and for steps that an error or an abort kept from being made: an abort does not wait.
 */
export type CurrentReader = (first: number, steps: number) => ArrayLike<number> | Promise<ArrayLike<number>>;

/** A host current: `shared` has one value a step, the other kind one a step and neuron. */
export interface HostCurrent {
  path: string;
  shared: boolean;
  /** The step its values begin with. */
  first: number;
  steps: number;
  /** Nothing where they are read. */
  values: Float32Array;
  read?: CurrentReader;
}

/** The row that currents from the host are checked by. */
export const CURRENT: Row = { path: '', unit: 'pA' };

/** Checks an array input. @throws InputError */
export function resolveArray(input: ArrayInput, scope: Scope): HostCurrent {
  checkNames(scope.path, input, ['kind', 'values', 'shape', 'read'], 'key NAME of the input array');
  return 'read' in input && input.read !== undefined
    ? resolveRead(input, scope)
    : resolveWhole(input as WholeCurrent, scope);
}

function resolveRead(input: ReadCurrent, scope: Scope): HostCurrent {
  const { path } = scope;
  const { shape, read } = input;
  if ('values' in input) throw new InputError(`${path}.values`, undefined, 'stands beside read', 'give one of the two');
  if (typeof read !== 'function')
    throw new InputError(`${path}.read`, read, 'is no function', 'give (first, steps) => values');
  return { path, first: 0, ...layoutOf(shape, scope, 'shape'), values: new Float32Array(), read };
}

function resolveWhole(input: WholeCurrent, scope: Scope): HostCurrent {
  const { path, neurons } = scope;
  const given: unknown = input.values;
  if (!isList(given)) {
    const reason = given === undefined ? 'is missing' : 'is no list';
    throw new InputError(`${path}.values`, given, reason, 'give one value a step, or one a step and neuron');
  }
  const row = given[0];
  const nested = Array.isArray(row) || ArrayBuffer.isView(row);
  const values = nested ? joinRows(input.values as ArrayLike<number>[], scope) : (input.values as ArrayLike<number>);
  const { shape = nested ? [given.length, neurons] : [values.length] } = input;
  const layout = layoutOf(shape, scope, 'values', values.length);
  const plane = resolve('values', CURRENT, values, 'current', { ...scope, neurons: values.length });
  return { path, first: 0, ...layout, values: plane as Float32Array };
}

const shapes = ({ neurons }: Scope) => `give shape [steps] or [steps, ${neurons}]`;

// `values`: how many there are, where they are there.
function layoutOf(
  shape: readonly number[],
  scope: Scope,
  key: string,
  values?: number,
): { shared: boolean; steps: number } {
  const { path, neurons } = scope;
  if (!Array.isArray(shape)) throw new InputError(`${path}.shape`, shape, 'is no shape', shapes(scope));
  const [steps = 0, columns, ...more] = shape as number[];
  const right = more.length === 0 && Number.isInteger(steps) && steps >= 0 && (columns ?? neurons) === neurons;
  if (right && (values === undefined || steps * (columns ?? 1) === values))
    return { shared: columns === undefined, steps };
  const count = values === undefined ? '' : ` (${values} values)`;
  throw new InputError(
    `${path}.${key}`,
    undefined,
    `has shape [${shape.join(', ')}]${count} for ${neurons} neurons`,
    shapes(scope),
  );
}

function joinRows(rows: ArrayLike<ArrayLike<number>>, { path, neurons }: Scope): number[] {
  return Array.from(rows).flatMap((row, step) => {
    if (row?.length === neurons) return Array.from(row);
    const reason = `has ${row?.length ?? 'no'} values for ${neurons} neurons`;
    throw new InputError(`${path}.values[${step}]`, undefined, reason, 'give each step one value a neuron');
  });
}

/** The currents of a block: those that are read are asked for it. @throws InputError, and what the reader throws */
export async function currentsOf(
  currents: readonly HostCurrent[],
  first: number,
  steps: number,
  scope: Scope,
): Promise<HostCurrent[]> {
  const whole = async (current: HostCurrent): Promise<HostCurrent> => {
    if (!current.read) return current;
    const values = await current.read(first, steps);
    const wanted = current.shared ? steps : steps * scope.neurons;
    const name = `read(${first}, ${steps})`;
    const path = `${current.path}.${name}`;
    if (values?.length !== wanted) {
      const reason = `gave ${values?.length} values where ${wanted} are wanted`;
      throw new InputError(path, undefined, reason, `give ${current.shared ? 'one a step' : 'one a step and neuron'}`);
    }
    const own = { ...scope, path: current.path, neurons: wanted };
    const checked = inRoom(() => resolve(name, CURRENT, values, 'current', own));
    return { ...current, first, values: checked as Float32Array };
  };
  return Promise.all(currents.map(whole));
}

/** The current of a single step, the same for all neurons or one each. @throws InputError */
export function stepCurrent(given: number | ArrayLike<number>, step: number, scope: Scope): HostCurrent {
  const name = scope.population;
  const path = `${scope.path}.${name}`;
  if (isInitializer(given)) throw new InputError(path, given, 'is no current', 'give a number, or one a neuron');
  const plane = resolve(name, CURRENT, given, 'current', scope);
  const shared = typeof plane === 'number';
  return { path, shared, first: step, steps: 1, values: shared ? Float32Array.of(plane) : plane };
}

/** What the host gives the device for a block: no values, one a step, or one a step and neuron. */
export interface Stream {
  kind: StreamKind;
  values: Float32Array;
}

const NO_STREAM: Stream = { kind: 'none', values: new Float32Array(0) };

/** Of the sum of these. */
export function streamKind(currents: readonly HostCurrent[]): StreamKind {
  if (currents.length === 0) return 'none';
  return currents.every((current) => current.shared) ? 'shared' : 'each';
}

/** The sum of a population's host currents for a block of steps. */
export function streamOf(currents: readonly HostCurrent[], first: number, steps: number, neurons: number): Stream {
  const [only] = currents;
  if (!only) return NO_STREAM;
  const kind = streamKind(currents);
  const width = kind === 'shared' ? 1 : neurons;
  const begin = (current: HostCurrent) => (first - current.first) * (current.shared ? 1 : neurons);
  if (currents.length === 1) return { kind, values: only.values.subarray(begin(only), begin(only) + steps * width) };
  const values = new Float32Array(steps * width);
  for (const current of currents) {
    const from = begin(current);
    for (let i = 0; i < values.length; i++) {
      const source = current.shared ? Math.floor(i / width) : i;
      values[i] = (values[i] as number) + (current.values[from + source] as number);
    }
  }
  return { kind, values };
}
