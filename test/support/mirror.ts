// A soma that shows its input: of resistance 1 GOhm and a tau of one step, its potential is the current of the step.

import { ExponentialSoma, type Input } from '../../src/index.ts';
import type { OpenOptions, TestBackend } from './backends.ts';
import { addCells } from './outcome.ts';

/** Parameters to which a potential_tau of dt belongs. */
export const mirror = {
  potential_rest: 0,
  potential_reset: 0,
  resistance: 1,
  threshold: 1e9,
  rheobase_threshold: 1e6,
  spike_slope: 1,
};

export interface Shown {
  input: readonly Input[];
  neurons?: number;
  steps?: number;
  dt?: number;
  name?: string;
  options?: OpenOptions;
}

/** The currents that inputs make, in all steps: `[steps, neurons]`. */
export async function show(
  { open }: TestBackend,
  { input, neurons = 100, steps = 50, dt = 1, name = 'cells', options = {} }: Shown,
) {
  const simulation = await open({ seed: 3, ...options, dt });
  const parameters = { ...mirror, potential_tau: dt };
  const record = { states: { potential: {} } };
  const cells = addCells(simulation, ExponentialSoma, { name, units: neurons, parameters, input, record });
  await simulation.run(steps * dt);
  return (await cells.trace('potential')).values;
}
