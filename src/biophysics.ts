// What papers print, capacitance and conductances, as the parameters of a soma, and back; a public entry of its own, so
// that who does without does not carry it. Papers write (Brette, Gerstner 2005, doi.org/10.1152/jn.00686.2005, equations
// 1 and 2): C dV/dt = -g_L (V - E_L) + g_L Delta_T exp((V - V_T) / Delta_T) - w + I and tau_w dw/dt = a (V - E_L) - w,
// with V to V_reset and w to w + b at a spike, when V passes V_peak. Divided by g_L this is docs/numerics.md with
// potential_tau = C / g_L and resistance = 1 / g_L (pF / nS = ms, 1 / nS = GOhm); all else is the same under other names.

import { checkNames, InputError, isList } from './errors.ts';
import { isInitializer, type Value } from './initializers.ts';
import { ownersOf } from './parameters.ts';
import type {
  AdaptiveExponentialSomaConfig,
  ExponentialSomaConfig,
  RefractoryAdaptiveExponentialSomaConfig,
  RefractoryExponentialSomaConfig,
  Soma,
} from './somas.ts';

/** A number, or an array with one value a neuron. */
export type Measured = number | ArrayLike<number>;

/** An exponential integrate-and-fire neuron as papers print it. Initializers serve wherever nothing is divided. */
export interface EifBiophysics {
  /** pF: membrane capacitance */
  C: Measured;
  /** nS: leak conductance */
  g_L: Measured;
  /** mV: leak reversal potential */
  E_L: Value;
  /** mV: where the exponential sets in */
  V_T: Value;
  /** mV: sharpness of the spike onset */
  Delta_T: Value;
  /** mV: where a spike is counted and reset */
  V_peak: Value;
  /** mV: where a spike resets to */
  V_reset: Value;
}

/** The same with a refractory period. */
export interface RefractoryEifBiophysics extends EifBiophysics {
  /** ms: it becomes the cooldown as it is; what that blocks stands in docs/numerics.md */
  t_ref: Value;
}

/** An adaptive exponential integrate-and-fire neuron (AdEx) as papers print it. */
export interface AdexBiophysics extends EifBiophysics {
  /** ms: adaptation time constant */
  tau_w: Value;
  /** nS: how strongly adaptation follows the potential */
  a: Value;
  /** pA: adaptation current added by a spike */
  b: Value;
}

/** The same with a refractory period. */
export interface RefractoryAdexBiophysics extends AdexBiophysics {
  /** ms: it becomes the cooldown as it is */
  t_ref: Value;
}

/** What may stand for a name. */
interface Allowed {
  readonly unit: string;
  readonly above?: number;
  readonly least?: number;
  /** What is computed of it, where it is not copied. */
  readonly quotient?: string;
}

/** What a printed name becomes. */
interface Printed extends Allowed {
  readonly parameter: string;
}

/** By the name that papers print. @internal */
export const PRINTED: Readonly<Record<string, Printed>> = {
  C: { parameter: 'potential_tau', unit: 'pF', above: 0, quotient: 'C / g_L' },
  g_L: { parameter: 'resistance', unit: 'nS', above: 0, quotient: '1 / g_L' },
  E_L: { parameter: 'potential_rest', unit: 'mV' },
  V_T: { parameter: 'rheobase_threshold', unit: 'mV' },
  Delta_T: { parameter: 'spike_slope', unit: 'mV', above: 0 },
  V_peak: { parameter: 'threshold', unit: 'mV' },
  V_reset: { parameter: 'potential_reset', unit: 'mV' },
  t_ref: { parameter: 'cooldown', unit: 'ms', least: 0 },
  tau_w: { parameter: 'adaptation_tau', unit: 'ms', above: 0 },
  a: { parameter: 'adaptation_subthreshold', unit: 'nS' },
  b: { parameter: 'adaptation_delta', unit: 'pA' },
};

const EIF = ['C', 'g_L', 'E_L', 'V_T', 'Delta_T', 'V_peak', 'V_reset'];
const ADEX = [...EIF, 'tau_w', 'a', 'b'];

/** Which names the parameters of a soma come from. */
interface Names {
  readonly required: readonly string[];
  readonly optional: readonly string[];
}

/** The names that a soma's parameters come from. @internal */
export function namesOf({ parameters }: Pick<Soma, 'parameters'>): Names {
  const known = Object.keys(PRINTED).filter((name) => Object.hasOwn(parameters, (PRINTED[name] as Printed).parameter));
  return { required: known.filter((name) => name !== 't_ref'), optional: known.filter((name) => name === 't_ref') };
}

type Values = Readonly<Record<string, Value | undefined>>;
type Given = Readonly<Record<string, unknown>>;

/**
 * The parameters of an `AdaptiveExponentialSoma` from what papers print; with `t_ref` those of a
 * `RefractoryAdaptiveExponentialSoma`.
 *
 * @throws InputError naming what is unknown, missing or wrong
 * @example
 * ```ts
 * import { adexFromBiophysics } from 'somagpu/biophysics';
 * const { potential_tau, resistance } = adexFromBiophysics({
 *   C: 200, g_L: 10, E_L: -70, V_T: -50, Delta_T: 2, V_peak: 0, V_reset: -58, tau_w: 30, a: 2, b: 0,
 * }); // 20 ms, 0.1 GOhm
 * ```
 */
export function adexFromBiophysics(given: RefractoryAdexBiophysics): Required<RefractoryAdaptiveExponentialSomaConfig>;
export function adexFromBiophysics(given: AdexBiophysics): Required<AdaptiveExponentialSomaConfig>;
export function adexFromBiophysics(given: AdexBiophysics): Required<AdaptiveExponentialSomaConfig> {
  const names = { required: ADEX, optional: ['t_ref'] };
  return convert(given, 'biophysics', names, {}) as Required<AdaptiveExponentialSomaConfig>;
}

/**
 * The parameters of an `ExponentialSoma` from what papers print; with `t_ref` those of a `RefractoryExponentialSoma`.
 *
 * @throws InputError naming what is unknown, missing or wrong
 */
export function eifFromBiophysics(given: RefractoryEifBiophysics): Required<RefractoryExponentialSomaConfig>;
export function eifFromBiophysics(given: EifBiophysics): Required<ExponentialSomaConfig>;
export function eifFromBiophysics(given: EifBiophysics): Required<ExponentialSomaConfig> {
  return convert(given, 'biophysics', { required: EIF, optional: ['t_ref'] }, {}) as Required<ExponentialSomaConfig>;
}

/**
 * What a paper would print for parameters: g_L = 1 / resistance, C = potential_tau / resistance, the others under their
 * names in papers. All parameters of the membrane are required, and all three of adaptation where there is one.
 *
 * @throws InputError naming what is unknown, missing or wrong
 */
export function biophysicsOf(parameters: Required<RefractoryAdaptiveExponentialSomaConfig>): RefractoryAdexBiophysics;
export function biophysicsOf(parameters: Required<AdaptiveExponentialSomaConfig>): AdexBiophysics;
export function biophysicsOf(parameters: Required<RefractoryExponentialSomaConfig>): RefractoryEifBiophysics;
export function biophysicsOf(parameters: Required<ExponentialSomaConfig>): EifBiophysics;
export function biophysicsOf(parameters: object): EifBiophysics {
  const path = 'parameters';
  const known = Object.values(PRINTED).map(({ parameter }) => parameter);
  checkNames(path, parameters, known, 'parameter NAME of what has a counterpart in papers');
  const given = parameters as Values;
  const adaptive = ADEX.slice(EIF.length).some((name) => given[PRINTED[name]?.parameter ?? ''] !== undefined);
  const back: Record<string, Value> = {};
  for (const name of [...(adaptive ? ADEX : EIF), 't_ref']) {
    const { parameter, quotient, ...range } = PRINTED[name] as Printed;
    const value = given[parameter];
    if (value === undefined && name === 't_ref') continue;
    const where = `${path}.${parameter}`;
    if (value === undefined) throw new InputError(where, undefined, 'is missing', `give what ${name} comes from`);
    const unit = { C: 'ms', g_L: 'GOhm' }[name] ?? range.unit;
    check(value, where, { ...range, unit, quotient: quotient && `1 / resistance and potential_tau / resistance` });
    back[name] = value;
  }
  const [tau, resistance] = [back.C as Measured, back.g_L as Measured];
  back.g_L = divide(1, resistance, `${path}.resistance`);
  back.C = divide(tau, resistance, `${path}.potential_tau`);
  return back as unknown as EifBiophysics;
}

/**
 * The parameters of a soma where `biophysics` stands among them in an experiment file. Each is said once: printed, or
 * beside under its own name.
 *
 * @param path - where the parameters stand
 * @throws InputError for what is unknown, missing, wrong or said twice
 * @internal
 */
export function withBiophysics(soma: Soma, biophysics: unknown, beside: Given, path: string): Given {
  return { ...convert(biophysics, `${path}.biophysics`, namesOf(soma), beside), ...beside };
}

function convert(given: unknown, path: string, names: Names, beside: Given): Record<string, Value> {
  const known = [...names.required, ...names.optional];
  checkNames(path, given, known, 'name NAME of biophysics', (name) => owners(name, known));
  const values = given as Values;
  const needed = (name: string) => names.required.includes(name) && needs(name, beside);
  for (const name of known) {
    const value = values[name];
    const row = PRINTED[name] as Printed;
    const where = `${path}.${name}`;
    const remedy = `give it, in ${row.unit}`;
    if (value === undefined && needed(name)) throw new InputError(where, undefined, 'is missing', remedy);
    if (value === undefined) continue;
    check(value, where, row);
    if (beside[row.parameter] === undefined) continue;
    throw new InputError(where, undefined, `says what ${row.parameter} beside it says`, 'keep one of the two');
  }
  return parametersOf(values, path);
}

// The leak conductance is in two parameters; only where both stand beside does it go.
const needs = (name: string, beside: Given): boolean =>
  beside[(PRINTED[name] as Printed).parameter] === undefined || (name === 'g_L' && beside.potential_tau === undefined);

function parametersOf(values: Values, path: string): Record<string, Value> {
  const parameters: Record<string, Value> = {};
  for (const [name, { parameter, quotient }] of Object.entries(PRINTED)) {
    const value = values[name];
    if (value !== undefined && quotient === undefined) parameters[parameter] = value;
  }
  const { C, g_L } = values as { C?: Measured; g_L?: Measured };
  if (g_L !== undefined) parameters.resistance = divide(1, g_L, `${path}.g_L`);
  if (g_L !== undefined && C !== undefined) parameters.potential_tau = divide(C, g_L, `${path}.C`);
  return parameters;
}

const owners = (name: string, known: readonly string[]): string => {
  const parameter = Object.hasOwn(PRINTED, name) && !known.includes(name) ? PRINTED[name]?.parameter : undefined;
  return parameter === undefined ? '' : ownersOf(parameter);
};

/** Refuses what is no number, no array of numbers, or out of range; initializers where something is divided. */
function check(value: unknown, path: string, row: Allowed): void {
  if (isInitializer(value)) {
    if (row.quotient === undefined) return;
    const remedy = 'give a number or an array with one value a neuron';
    throw new InputError(path, value, `cannot be an initializer, because ${row.quotient} is computed of it`, remedy);
  }
  if (typeof value === 'number') {
    checkNumber(value, path, row);
    return;
  }
  if (!isList(value)) {
    throw new InputError(path, value, 'is not a value', 'give a number, or an array with one number a neuron');
  }
  for (let i = 0; i < value.length; i++) checkNumber(value[i], `${path}[${i}]`, row);
}

function checkNumber(value: unknown, path: string, { unit, above, least }: Allowed): void {
  const range = above !== undefined ? `, greater than ${above}` : least !== undefined ? `, ${least} or more` : '';
  const remedy = `give ${unit}${range}`;
  if (typeof value !== 'number') throw new InputError(path, value, 'is no number', remedy);
  if (!Number.isFinite(value)) throw new InputError(path, value, 'is not finite', remedy);
  if (above !== undefined && value <= above) throw new InputError(path, value, `must be greater than ${above}`, remedy);
  if (least !== undefined && value < least) throw new InputError(path, value, `must be at least ${least}`, remedy);
}

/** A quotient, neuron by neuron where one of the two is an array. */
function divide(dividend: Measured, divisor: Measured, path: string): Measured {
  if (typeof dividend === 'number' && typeof divisor === 'number') return dividend / divisor;
  const lengths = [dividend, divisor].map((side) => (typeof side === 'number' ? undefined : side.length));
  const length = (lengths[0] ?? lengths[1]) as number;
  if ((lengths[1] ?? length) !== length) {
    const reason = `has ${length} values, where what it is divided by has ${lengths[1]}`;
    throw new InputError(path, undefined, reason, 'give one value a neuron to both, or one number');
  }
  const of = (side: Measured, i: number) => (typeof side === 'number' ? side : (side[i] as number));
  return Float64Array.from({ length }, (_, i) => of(dividend, i) / of(divisor, i));
}
