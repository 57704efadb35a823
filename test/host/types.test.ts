// What TypeScript refuses before anything runs. The lines below are checked by `tsc`, which is part of `npm test`: an
// expected error that does not come is an error.

import { expect, test } from 'vitest';
import { fiCurve, firingPattern, rheobase } from '../../src/analysis/index.ts';
import {
  AdaptiveExponentialSoma,
  type AdaptiveExponentialSomaConfig,
  type ExponentialSomaConfig,
  type RefractoryExponentialSomaConfig,
  type SimplifiedAdaptiveExponentialSomaConfig,
  type Simulation,
} from '../../src/index.ts';

const compiled = (simulation: Simulation) => {
  simulation.add(AdaptiveExponentialSoma, { units: 1, parameters: { spike_slope: [2] } });
  // @ts-expect-error: no such parameter
  simulation.add(AdaptiveExponentialSoma, { units: 1, parameters: { spike_slop: 2 } });
  // @ts-expect-error: another soma's parameter
  simulation.add(AdaptiveExponentialSoma, { units: 1, parameters: { cooldown: 2 } });
  // @ts-expect-error: no such state
  simulation.add(AdaptiveExponentialSoma, { units: 1, record: { states: { blocked: {} } } });
  // @ts-expect-error: an amplitude is required
  simulation.add(AdaptiveExponentialSoma, { units: 1, input: [{ kind: 'step' }] });
  const cells = simulation.add(AdaptiveExponentialSoma, { units: 1 });
  cells.setState({ adaptation: 3 });
  // @ts-expect-error: no such state
  cells.readState('threshold');
};

const analysed = () => {
  rheobase(AdaptiveExponentialSoma, { adaptation_tau: 50 });
  // @ts-expect-error: another soma's parameter
  rheobase(AdaptiveExponentialSoma, { cooldown: 2 });
  // @ts-expect-error: currents are required
  fiCurve(AdaptiveExponentialSoma, { duration: 100 });
  // @ts-expect-error: no such option
  fiCurve(AdaptiveExponentialSoma, { currents: [65], durations: 100 });
  // @ts-expect-error: the end of the step is required
  firingPattern([1, 2], { tau: 5 });
};

test('misspelt parameters, states and inputs do not compile, right ones do', () => {
  expect(compiled).toBeTypeOf('function');
  expect(analysed).toBeTypeOf('function');
});

test('a config extends those of the specification', () => {
  const refractory: RefractoryExponentialSomaConfig = { cooldown: 2, resistance: 0.5 };
  const simplified: SimplifiedAdaptiveExponentialSomaConfig = { ...refractory, threshold_tau: 20 };
  const adaptive: AdaptiveExponentialSomaConfig = { adaptation_tau: 100, resistance: 0.5 };
  const bases: ExponentialSomaConfig[] = [refractory, simplified, adaptive];
  const refractories: RefractoryExponentialSomaConfig[] = [simplified];
  expect([...bases, ...refractories].every(({ resistance }) => resistance === 0.5)).toBe(true);
});
