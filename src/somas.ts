// What a user names when adding a population: a soma. Its table and its law are a file in shaders/somas/, read at build
// time into src/generated/; this module gives the shape of what was read and knows nothing of devices.

import type { Table } from './rows.ts';

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
  /** The same law compiled to WebAssembly, in hexadecimal; loaded where it is wanted. */
  readonly wasm: () => Promise<string>;
  /** What a device has against the law, told by its text, if it is that: for somas of one's own. */
  readonly explain?: (complaint: GPUCompilationMessage) => Error | undefined;
}

/** An input current: its table and its WGSL; the function of that name gives the current of a step. */
export interface InputLaw {
  readonly kind: string;
  /** The WGSL struct that holds its parameters; that of its states, if it has any, is called so with `State` after it. */
  readonly struct: string;
  readonly parameters: Table;
  /** What it remembers from step to step. */
  readonly states: Table;
  readonly wgsl: string;
  /** The texts that `wgsl` uses. */
  readonly parts: readonly string[];
  /** The same law compiled to WebAssembly, in hexadecimal. */
  readonly wasm: () => Promise<string>;
  /** Whether its current is the same in every step. */
  readonly steady: boolean;
  /** Whether it draws random numbers. */
  readonly random: boolean;
}

export type {
  AdaptiveExponentialSomaConfig,
  ExponentialSomaConfig,
  RefractoryAdaptiveExponentialSomaConfig,
  RefractoryExponentialSomaConfig,
  SimplifiedAdaptiveExponentialSomaConfig,
} from './generated/shaders.ts';
export {
  AdaptiveExponentialSoma,
  ExponentialSoma,
  RefractoryAdaptiveExponentialSoma,
  RefractoryExponentialSoma,
  SimplifiedAdaptiveExponentialSoma,
  somas,
} from './generated/shaders.ts';
export type { Bounds, Row, Table } from './rows.ts';
export { boundsOf } from './rows.ts';
