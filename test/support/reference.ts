// The data under test/data: what Spark did step by step, and published protocols. README.md there says what they are.

import { readdirSync, readFileSync } from 'node:fs';
import { npzNames, readNpzArray } from '../../src/files/index.ts';
import { somas as known, type Soma } from '../../src/index.ts';

/** Every soma, under its name. */
export const somas: Readonly<Record<string, Soma>> = Object.fromEntries(known.map((soma) => [soma.name, soma]));

/** What Spark did: the state after every step, potentials relative to rest. */
export interface ReferenceCase {
  name: string;
  soma: Soma;
  dt: number;
  steps: number;
  neurons: number;
  parameters: Record<string, number[]>;
  current: Float32Array;
  spikes: Uint8Array;
  potential: Float32Array;
  adaptation?: Float32Array;
  threshold?: Float32Array;
  refractory?: Uint16Array;
}

/** A published experiment with its exact spike times. */
export interface Protocol {
  name: string;
  /** The paper, or the public code its numbers were read in. */
  source: string;
  /** What is to be seen, in words. */
  expected_pattern: string;
  soma: string;
  params: Record<string, number>;
  current_protocol: { t_on_ms: number; t_off_ms: number; I_pA: number }[];
  t_end_ms: number;
  spike_times_ms: number[];
  chaotic: boolean;
  euler_check: Record<
    string,
    { n: number; first_err: number; max_abs_err: number; mean_abs_err: number; spike_steps_f64: number[] }
  >;
  /** pA: of the membrane without adaptation; with it, of the adaptive one, null where there is none. */
  rheobase: { EIF_pA: number; AdEx_type?: string; I_saddle_node_pA?: number | null; I_hopf_pA?: number | null };
}

const folder = (name: string) => new URL(`../data/${name}/`, import.meta.url);

const names = (name: string) =>
  readdirSync(folder(name))
    .filter((file) => file.endsWith('.json'))
    .map((file) => file.slice(0, -'.json'.length))
    .sort();

const readJson = (path: URL) => JSON.parse(readFileSync(path, 'utf8'));

function readCase(name: string): ReferenceCase {
  const { soma, dt, steps, units, params } = readJson(new URL(`${name}.json`, folder('reference')));
  const bytes = readFileSync(new URL(`${name}.npz`, folder('reference')));
  const arrays = Object.fromEntries(
    npzNames(bytes).map((array) => [array, readNpzArray(bytes, array).data]),
  ) as unknown as Pick<ReferenceCase, 'current' | 'spikes' | 'potential'>;
  const neurons = (units as number[]).reduce((product, side) => product * side, 1);
  return { name, soma: somas[soma] as Soma, dt, steps, neurons, parameters: params, ...arrays };
}

export const referenceCases: readonly ReferenceCase[] = names('reference').map(readCase);

export const protocols: readonly Protocol[] = names('protocols').map((name) =>
  readJson(new URL(`${name}.json`, folder('protocols'))),
);

/** A parameter of a case's neuron, as float32; the soma's default where the case does not give it. */
export const parameterOf = ({ soma, parameters }: ReferenceCase, name: string, neuron: number): number =>
  Math.fround(
    parameters[name]?.[neuron] ?? (soma.parameters as Record<string, { default: number }>)[name]?.default ?? 0,
  );
