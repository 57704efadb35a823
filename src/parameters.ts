// From what a user wrote to numbers a device can take: names, shapes, ranges and units are checked here, values become
// scalars or planes. Pure: it knows no device, no file and no clock.

import { type Distribution, distribution } from './distributions.ts';
import { checkNames, InputError, isList } from './errors.ts';
import { parameterOwners } from './generated/shaders.ts';
import { isInitializer, type Value } from './initializers.ts';
import { uniforms } from './random.ts';
import { boundsOf, outside, type Row, type Table } from './rows.ts';

/** One quantity of a population: the same for all neurons, or one value each. Always float32 numbers. */
export type Plane = number | Float32Array;

/** Where values are resolved, and for whom. */
export interface Scope {
  /** Where the table stands, for messages: `cells.parameters`. */
  path: string;
  /** Whose table it is: `AdaptiveExponentialSoma`, `initial states of ...`. */
  owner: string;
  population: string;
  neurons: number;
  /** The population's shape; a list of neurons where it is not given. */
  units?: readonly number[];
  dt: number;
  seed: number;
  /** Which of the population's inputs, where it is one's. */
  input?: number;
}

/** What a table is of. Numbers drawn for one kind share none with those of another. */
export const Quantity = { parameter: 1, state: 2, current: 3, start: 4 } as const;
export type Quantity = keyof typeof Quantity;

// The largest magnitudes, far beyond anything a cell does: products of three of them stay finite in float32.
const mostOf = (row: Row, quantity: Quantity): number => (row.unit === 'pA' && quantity !== 'parameter' ? 1e12 : 1e9);

/** Whole numbers are exact in a float32 lane up to 2^24; cooldown + 1 has to fit as well. */
const MOST_STEPS = 2 ** 24 - 2;

/** The number of whole steps a duration lasts, rounded as the reference rounds its float32 quotient: half to even. */
export function wholeSteps(ms: number, dt: number): number {
  const quotient = Math.fround(Math.fround(ms) / Math.fround(dt));
  const floor = Math.floor(quotient);
  const half = quotient - floor;
  return half > 0.5 || (half === 0.5 && floor % 2 === 1) ? floor + 1 : floor;
}

/** The first step that begins at or after a moment; a millionth of a step forgives the rounding of decimal times. */
export function firstStepAt(ms: number, dt: number): number {
  return Math.min(Math.max(Math.ceil(ms / dt - 1e-6), 0), 0xffffffff);
}

/** The steps in a duration. @throws InputError if they are no whole number, or negative */
export function stepsIn(duration: unknown, dt: number, path: string): number {
  const steps = typeof duration === 'number' ? Math.round(duration / dt) : Number.NaN;
  if (!(steps >= 0 && Number.isFinite(steps)))
    throw new InputError(path, duration, 'is no duration', 'give ms, 0 or more');
  const right = Math.abs((duration as number) / dt - steps) <= 1e-6 + steps * 2 ** -50;
  if (right) return steps;
  const near = [Math.floor((duration as number) / dt), Math.ceil((duration as number) / dt)].map((whole) =>
    Number((whole * dt).toPrecision(12)),
  );
  throw new InputError(
    path,
    duration,
    `is no whole number of steps of ${dt} ms`,
    `give ${near.join(' or ')}, or another dt`,
  );
}

export function checkDt(dt: unknown, path: string): asserts dt is number {
  if (typeof dt !== 'number' || !(dt >= 1e-6 && dt <= 1e6)) {
    throw new InputError(path, dt, 'is no time step', 'give ms, from 1e-6 to 1e6; 0.1 is usual');
  }
}

export function checkSeed(seed: unknown, path: string): asserts seed is number {
  if (!Number.isInteger(seed) || (seed as number) < 0 || (seed as number) > 0xffffffff) {
    throw new InputError(path, seed, 'is no seed', 'give a whole number from 0 to 4294967295');
  }
}

/** The value of one neuron. */
export const at = (plane: Plane, neuron: number): number =>
  typeof plane === 'number' ? plane : (plane[neuron] as number);

/** Which somas have a parameter that not all have, in words. */
export function ownersOf(parameter: string): string {
  const owners = Object.hasOwn(parameterOwners, parameter) ? parameterOwners[parameter] : undefined;
  return owners ? `${owners.join(' and ')} ${owners.length > 1 ? 'have' : 'has'} it` : '';
}

/**
 * Checks and resolves the parameters a user gave for a soma; those not given stay as they are, or get their defaults.
 *
 * @param given - by name; `undefined` counts as not given
 * @param present - those there are already, resolved: they are not checked or copied again, but for their stability
 * @returns every parameter of the table, in user units
 * @throws InputError naming the parameter, the neuron, the value and what would be right
 */
export function resolveParameters(
  table: Table,
  given: unknown,
  scope: Scope,
  present: Readonly<Record<string, Plane>> = {},
): Record<string, Plane> {
  checkNames(scope.path, given, Object.keys(table), `parameter NAME of ${scope.owner}`, ownersOf);
  const resolved: Record<string, Plane> = {};
  for (const [name, row] of Object.entries(table)) {
    const value = (given as Record<string, Value | undefined>)[name];
    const kept = value === undefined ? present[name] : undefined;
    resolved[name] =
      kept ?? resolve(name, row, value === undefined ? (row.default as number) : value, 'parameter', scope);
  }
  if (LINEAR.some((name) => resolved[name] !== present[name])) checkLinearPart(resolved, scope);
  return resolved;
}

/**
 * Checks and resolves states a user gave, in user units, to what the device keeps: relative to their origin.
 *
 * @param parameters - the population's, as {@link resolveParameters} gave them
 * @param given - by name
 */
export function resolveStates(
  table: Table,
  given: unknown,
  parameters: Record<string, Plane>,
  scope: Scope,
): Record<string, Plane> {
  checkNames(scope.path, given, Object.keys(table), `state NAME of ${scope.owner}`);
  const resolved: Record<string, Plane> = {};
  for (const [name, value] of Object.entries(given as Record<string, Value | undefined>)) {
    const row = table[name] as Row;
    if (value !== undefined) resolved[name] = resolve(name, row, value, 'state', scope, originOf(row, parameters));
  }
  return resolved;
}

/** The states a population starts with where the user gave none, as the device keeps them. */
export function defaultStates(table: Table, parameters: Record<string, Plane>): Record<string, Plane> {
  return Object.fromEntries(
    Object.entries(table).map(([name, row]) => {
      const start = typeof row.default === 'string' ? (parameters[row.default] as Plane) : (row.default as number);
      return [name, subtract(start, originOf(row, parameters))];
    }),
  );
}

/** What a state is kept relative to: a parameter, or nothing. */
export const originOf = (row: Row, parameters: Record<string, Plane>): Plane =>
  row.from ? (parameters[row.from] as Plane) : 0;

function subtract(plane: Plane, origin: Plane): Plane {
  if (typeof plane === 'number' && typeof origin === 'number') return Math.fround(plane - origin);
  const length = typeof plane === 'number' ? (origin as Float32Array).length : plane.length;
  return Float32Array.from({ length }, (_, neuron) => at(plane, neuron) - at(origin, neuron));
}

/**
 * Checks one value and resolves it; `origin` is subtracted in float64 before the one rounding to float32.
 *
 * @throws InputError
 */
export function resolve(
  name: string,
  row: Row,
  value: Value,
  quantity: Quantity,
  scope: Scope,
  origin: Plane = 0,
): Plane {
  const path = `${scope.path}.${name}`;
  const check = (number: unknown, neuron?: number): number => {
    const reason = complaint(number, row, quantity, scope.dt);
    if (reason === undefined) return number as number;
    const where = neuron === undefined ? path : `${path}[${neuron}]`;
    throw new InputError(where, number, reason, `allowed: ${allowed(row, quantity, scope.dt)}`);
  };
  if (typeof value === 'number') return subtract(check(value), origin);
  if (isInitializer(value)) {
    const drawn = distribution(value, path, scope.units ?? [scope.neurons]);
    checkSupport(drawn, path, row, quantity, scope.dt);
    if (drawn.support[0] === drawn.support[1]) return subtract(drawn.support[0], origin);
    const sample = drawn.sampler(uniforms(scope.seed, scope.population, Quantity[quantity], scope.input ?? 0, name));
    // A tail without end may go beyond what float32 or the counting of steps can hold; between two ends all is right.
    const sure = drawn.support.every(Number.isFinite);
    const values = new Float32Array(scope.neurons);
    for (let neuron = 0; neuron < values.length; neuron++) {
      const number = row.whole ? Math.round(sample(neuron)) : sample(neuron);
      values[neuron] = (sure ? number : check(number, neuron)) - at(origin, neuron);
    }
    return values;
  }
  if (!isList(value)) {
    throw new InputError(
      path,
      value,
      'not a value',
      'give a number, an array with one number a neuron, or an initializer',
    );
  }
  if (value.length !== scope.neurons) {
    const remedy = `give one value a neuron: ${scope.neurons}, in row-major order`;
    throw new InputError(path, undefined, `has ${value.length} values for ${scope.neurons} neurons`, remedy);
  }
  const values = new Float32Array(scope.neurons);
  const [low, high] =
    value instanceof Float32Array || value instanceof Float64Array ? plainRange(row, quantity, scope.dt) : [NaN, NaN];
  for (let neuron = 0; neuron < values.length; neuron++) {
    const number = value[neuron] as number;
    // What is right is told from what may be wrong by two comparisons: there may be millions.
    values[neuron] = (number >= low && number <= high ? number : check(number, neuron)) - at(origin, neuron);
  }
  return values;
}

/** Within it nothing can be wrong with a number, and near its ends hardly; none where a row wants more than a place between. */
function plainRange(
  { above = -Infinity, least = -Infinity, most = Infinity, ...row }: Row,
  quantity: Quantity,
  dt: number,
) {
  if (row.inSteps || row.whole) return [NaN, NaN] as const;
  const bound = mostOf(row, quantity);
  return [Math.max(least, -bound, above + 1e-6, row.leastDt ? dt : -bound), Math.min(most, bound)] as const;
}

/** What is wrong with a number, if anything. */
function complaint(number: unknown, row: Row, quantity: Quantity, dt: number): string | undefined {
  if (typeof number !== 'number') return 'is no number';
  if (!Number.isFinite(number)) return 'is not finite';
  if (Math.abs(number) > mostOf(row, quantity)) return 'is too large';
  const reason = outside(row, number);
  if (reason !== undefined) return reason;
  if (row.leastDt && Math.fround(number) < Math.fround(dt)) return `must not be below the time step of ${dt} ms`;
  if (row.inSteps && wholeSteps(number, dt) > MOST_STEPS)
    return `must not be longer than ${MOST_STEPS} steps of ${dt} ms`;
  if (row.whole && (!Number.isInteger(number) || number > 2 ** 24)) return 'must be a whole number up to 2^24';
  // A tiny positive number that float32 rounds to zero would divide by zero on the device.
  if (row.above === 0 && Math.fround(number) < 2 ** -126) return 'is too small for float32';
  return undefined;
}

/**
 * Refuses a distribution that can leave the range of its row, however seldom it would. Where it has no end, the row must
 * have none there either; the limits of float32 and of counting are no ends: single values are checked for them.
 *
 * @throws InputError with bounds to truncate it at, where there are some
 */
function checkSupport(drawn: Distribution, path: string, row: Row, quantity: Quantity, dt: number): void {
  const { given, support, parts, moments } = drawn;
  for (const [key, part] of Object.entries(parts ?? {})) checkSupport(part, `${path}.${key}`, row, quantity, dt);
  if (parts) return;
  const reasonOf = (bound: number) => complaint(bound, row, quantity, dt);
  const lowest = Math.max(row.above ?? -Infinity, row.least ?? -Infinity, row.leastDt ? dt : -Infinity);
  const [low, high] = support;
  const endless = high - low === Infinity;
  const wrong = endless ? undefined : support.find(reasonOf);
  if (endless ? low >= lowest && high <= (row.most ?? Infinity) : wrong === undefined) return;
  const reason = wrong === undefined ? `${given.initializer} reaches from ${low} to ${high}` : reasonOf(wrong);
  const fix = moments ? truncation(moments, lowest, row, reasonOf) : '';
  throw new InputError(path, wrong ?? given, reason as string, `allowed: ${allowed(row, quantity, dt)}${fix}`);
}

/** A truncated normal distribution that keeps to a row's range, in words: three deviations wide where that fits. */
function truncation(
  moments: readonly [number, number],
  lowest: number,
  row: Row,
  reasonOf: (bound: number) => string | undefined,
): string {
  const [mean, sd] = moments.map(tidy) as [number, number];
  const [up, down] = row.whole ? [Math.ceil, Math.floor] : [tidy, tidy];
  const first = (bounds: number[]) => bounds.find((bound) => !reasonOf(bound)) ?? NaN;
  const low = first([up(mean - 3 * sd), lowest, tidy(mean / 10)]);
  const high = first([down(mean + 3 * sd), row.most ?? NaN]);
  return low < high ? `; truncate it: ${JSON.stringify({ initializer: 'truncated_normal', mean, sd, low, high })}` : '';
}

/** Four digits, as a person would write a bound. */
const tidy = (value: number): number => Number(value.toPrecision(4));

function allowed(row: Row, quantity: Quantity, dt: number): string {
  const most = mostOf(row, quantity);
  const bounds = boundsOf({ ...(row.above === undefined ? { least: -most } : {}), most, ...row });
  const initial = row.default === undefined ? '' : `; default ${row.default}`;
  return `${bounds.join(', ').replace('dt', `dt (${dt})`)} ${row.unit}${initial}`;
}

/** What the check of the linear part is about. */
const LINEAR = ['potential_tau', 'resistance', 'adaptation_tau', 'adaptation_subthreshold'];

/**
 * Refuses neurons whose linear part grows without bound below threshold: the Euler step
 * [[1 - dt/tau, -dt R/tau], [a dt/tau_w, 1 - dt/tau_w]] of potential and adaptation must have a spectral radius of at
 * most 1. Published cases sit exactly at 1, hence the millionth. Somas without adaptation are covered by tau >= dt.
 */
function checkLinearPart(parameters: Record<string, Plane>, { path, neurons, dt }: Scope): void {
  const planes = LINEAR.map((name) => parameters[name]);
  if (!planes.every((plane) => plane !== undefined)) return;
  // One kind of array, which a number is read from again and again: three times as fast over a million neurons as asking
  // each time which it is.
  const [taus, resistances, adaptationTaus, subthresholds] = planes.map((plane) =>
    typeof plane === 'number' ? Float32Array.of(plane) : plane,
  ) as [Float32Array, Float32Array, Float32Array, Float32Array];
  const [t, r, w, a] = planes.map((plane) => (typeof plane === 'number' ? 0 : 1)) as [number, number, number, number];
  const last = t + r + w + a > 0 ? neurons : 1;
  for (let neuron = 0; neuron < last; neuron++) {
    const tau = taus[neuron * t] as number;
    const tauW = adaptationTaus[neuron * w] as number;
    const subthreshold = subthresholds[neuron * a] as number;
    const gain = (resistances[neuron * r] as number) * subthreshold;
    // The radius is at most 1 just where the determinant is and |trace| <= 1 + determinant: that is this, where no time
    // constant is below dt. What fails it is looked at with the millionth.
    if (gain >= -1 && (gain + 1) * dt <= tau + tauW) continue;
    const [k, b] = [dt / tau, dt / tauW];
    const radius = spectralRadius(2 - k - b, (1 - k) * (1 - b) + k * b * gain);
    if (radius <= 1 + 1e-6) continue;
    throw new InputError(
      `${path}.adaptation_subthreshold${last > 1 ? `[${neuron}]` : ''}`,
      Number(subthreshold.toPrecision(7)),
      `makes the neuron unstable below threshold (spectral radius ${radius.toPrecision(7)} of an Euler step of ${dt} ms)`,
      'bring resistance * adaptation_subthreshold nearer to 0 (not below -1), or use a smaller dt',
    );
  }
}

// Of a 2 x 2 matrix with this trace and determinant.
function spectralRadius(trace: number, determinant: number): number {
  const discriminant = (trace * trace) / 4 - determinant;
  return discriminant < 0 ? Math.sqrt(determinant) : Math.abs(trace) / 2 + Math.sqrt(discriminant);
}

/** A resolved quantity in the units of the device: durations marked `in steps` become step counts. */
export function onDevice(row: Row, plane: Plane, dt: number): Plane {
  if (!row.inSteps) return plane;
  return typeof plane === 'number' ? wholeSteps(plane, dt) : plane.map((ms) => wholeSteps(ms, dt));
}
