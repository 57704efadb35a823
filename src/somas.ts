// What a user names when adding a population: a soma. Its table and its law are a file in shaders/somas/, read at build
// time into src/generated/; this module gives the shape of what was read and knows nothing of devices.

import type { Value } from './initializers.ts';

/** One row of a parameter, state or input table: a struct member and its comment in the shader. */
export interface Row {
  /** The member's path in the WGSL struct, for example `membrane.potential_rest`. */
  readonly path: string;
  /** A number; or the name of the parameter whose value it is; `end` for an edge in time; absent where required. */
  readonly default?: number | string;
  /** mV, ms, GOhm, pA, nS or steps. */
  readonly unit: string;
  readonly meaning: string;
  /** Allowed: greater than this. */
  readonly above?: number;
  /** Allowed: this or more. */
  readonly least?: number;
  /** Allowed: the time step or more. */
  readonly leastDt?: true;
  /** Allowed: this or less. */
  readonly most?: number;
  /** Given in ms, kept on the device as a whole number of steps. */
  readonly inSteps?: true;
  /** A whole number. */
  readonly whole?: true;
  /** A moment in ms, kept as the first step that begins at or after it. */
  readonly edge?: true;
  /** Kept relative to this parameter on the device, absolute outside. */
  readonly from?: string;
}

export type Table<Name extends string = string> = Readonly<Record<Name, Row>>;

/**
 * A soma: its tables and its law.
 *
 * @typeParam Config - the parameters it takes, all optional
 * @typeParam State - the names of its states
 * @example
 * ```ts
 * import { AdaptiveExponentialSoma } from 'somagpu';
 * AdaptiveExponentialSoma.parameters.spike_slope.default; // 2
 * ```
 */
export interface Soma<Config extends object = object, State extends string = string> {
  readonly name: string;
  readonly parameters: Table<Extract<keyof Config, string>>;
  readonly states: Table<State>;
  /** The WGSL of the law and of the parts it uses. */
  readonly wgsl: string;
}

/** An input current: its table and its WGSL; the function of that name gives the current of a step. */
export interface InputLaw {
  readonly kind: string;
  /** The WGSL struct that holds its parameters. */
  readonly struct: string;
  readonly parameters: Table;
  readonly wgsl: string;
}

/** The shape of a soma's config: every parameter a number, one value a neuron, or an initializer. */
export type Config<Name extends string> = { [name in Name]?: Value };

export type {
  AdaptiveExponentialSomaConfig,
  ExponentialSomaConfig,
  RefractoryExponentialSomaConfig,
  SimplifiedAdaptiveExponentialSomaConfig,
} from './generated/shaders.ts';
export {
  AdaptiveExponentialSoma,
  ExponentialSoma,
  RefractoryExponentialSoma,
  SimplifiedAdaptiveExponentialSoma,
  somas,
} from './generated/shaders.ts';
