// A soma that shows its input: of resistance 1 GOhm and a tau of one step, its potential is the current of the step.

import { ExponentialSoma, type Input } from '../../src/index.ts';
import type { OpenOptions, TestBackend } from './backends.ts';
import { addCells, expectSameBits } from './outcome.ts';

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

/** Fails where the currents are others in blocks and chunks of another size, or in tiles or slices. */
export async function expectSameHowever(backend: TestBackend, shown: Shown): Promise<void> {
  const whole = await show(backend, shown);
  const tunings = [{ blockSteps: 1 }, { blockSteps: 7, chunk: 24 }, { maxBinding: 2 ** 14 }];
  for (const options of [...tunings.map((tuning) => ({ tuning })), ...[0, 1, 3].map((workers) => ({ workers }))])
    expectSameBits(await show(backend, { ...shown, options }), whole, 'the current');
}
