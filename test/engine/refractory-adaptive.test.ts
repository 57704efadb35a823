// The AdEx with a refractory period against its equations in float64, step by step, each from the engine's own state; and
// against AdaptiveExponentialSoma, which it is without a cooldown.

import { describe, expect, test } from 'vitest';
import {
  AdaptiveExponentialSoma as AdEx,
  RefractoryAdaptiveExponentialSoma as Refractory,
  type Soma,
} from '../../src/index.ts';
import { backends, type TestBackend } from '../support/backends.ts';
import { addCells, expectSameBits, ripple, variedParameters } from '../support/outcome.ts';
import { FORCED } from '../support/tolerances.ts';

const NEURONS = 64;
const STEPS = 1000;
const DT = 0.1;

const numbersOf = (name: string, low: number, high: number) =>
  Float32Array.from(
    { length: NEURONS },
    (_, i) => low + ((i * 0.618033988749895 + name.length * 0.31) % 1) * (high - low),
  );

/** Arrays that differ from neuron to neuron; rest is 0 mV, so that nothing is rounded on its way out. */
const parameters = Object.fromEntries(
  Object.entries(variedParameters(Refractory)).map(([name, value]) => {
    const { low, high } = value as { low?: number; high?: number };
    return [name, low === undefined ? (value as number) : numbersOf(name, low, high as number)];
  }),
);
const currents = ripple(STEPS, NEURONS).map((current) => current + 120);

async function follow({ open }: TestBackend, soma: Soma, given: Record<string, number | Float32Array>) {
  const simulation = await open({ dt: DT });
  const states = Object.fromEntries(Object.keys(soma.states).map((state) => [state, {}]));
  const cells = addCells(simulation, soma, {
    units: NEURONS,
    parameters: given,
    input: [{ kind: 'array', values: currents, shape: [STEPS, NEURONS] }],
    record: { spikes: true, states },
  });
  await simulation.run(STEPS * DT);
  const trace = async (state: string) => (await cells.trace(state)).values;
  return { spikes: await cells.spikes(), trace };
}

const parameter = (name: string, neuron: number): number => {
  const value = parameters[name] as number | Float32Array;
  return typeof value === 'number' ? value : (value[neuron] as number);
};

describe.each(backends)('RefractoryAdaptiveExponentialSoma, on $name', (backend) => {
  test('makes every step as its equations in float64 say, from its own state', async () => {
    const { spikes, trace } = await follow(backend, Refractory, parameters);
    const [potential, adaptation, blocked] = await Promise.all(['potential', 'adaptation', 'blocked'].map(trace));
    const fired = new Set(Array.from(spikes.steps, (step, i) => step * NEURONS + (spikes.neurons[i] as number)));
    expect(fired.size).toBeGreaterThan(3 * NEURONS);
    for (let step = 0; step < STEPS; step++) {
      for (let neuron = 0; neuron < NEURONS; neuron++) {
        const now = step * NEURONS + neuron;
        const previous = (values: Float32Array | undefined) => (step === 0 ? 0 : (values?.[now - NEURONS] as number));
        const p = (name: string) => parameter(name, neuron);
        const [v, w, left] = [previous(potential), previous(adaptation), previous(blocked)];
        const onset = p('spike_slope') * Math.exp(Math.min((v - p('rheobase_threshold')) / p('spike_slope'), 80));
        const moved = v + (DT / p('potential_tau')) * (-v + onset + p('resistance') * ((currents[now] as number) - w));
        const spike = left === 0 && moved > p('threshold');
        // A potential that float32 puts on the other side of its threshold is no error.
        if (left === 0 && Math.abs(moved - p('threshold')) < FORCED) continue;
        const next = spike || left > 0 ? p('potential_reset') : moved;
        const jump = spike ? p('adaptation_delta') : 0;
        const followed = w + (DT / p('adaptation_tau')) * (-w + p('adaptation_subthreshold') * next) + jump;
        expect(fired.has(now), `spike of neuron ${neuron} in step ${step}`).toBe(spike);
        for (const [values, expected] of [
          [potential, next],
          [adaptation, followed],
        ] as const) {
          const error = Math.abs((values?.[now] as number) - expected) / Math.max(1, Math.abs(expected));
          if (error > FORCED) expect.fail(`neuron ${neuron}, step ${step}: ${values?.[now]}, expected ${expected}`);
        }
        expect(blocked?.[now]).toBe(spike ? Math.round(p('cooldown') / DT) : Math.max(left - 1, 0));
      }
    }
  });

  test('is AdaptiveExponentialSoma, to the bit, where its cooldown is shorter than half a step', async () => {
    const { cooldown: _, ...shared } = parameters;
    const adex = await follow(backend, AdEx, shared);
    expect(adex.spikes.steps.length).toBeGreaterThan(3 * NEURONS);
    for (const cooldown of [0, 0.04]) {
      const held = await follow(backend, Refractory, { ...shared, cooldown });
      expectSameBits(held.spikes.steps, adex.spikes.steps, 'spike steps');
      expectSameBits(held.spikes.neurons, adex.spikes.neurons, 'spike neurons');
      for (const state of ['potential', 'adaptation'])
        expectSameBits(await held.trace(state), await adex.trace(state), `the trace of ${state}`);
    }
    const blocking = await follow(backend, Refractory, { ...shared, cooldown: 0.1 });
    expect(blocking.spikes.steps.length).toBeLessThan(adex.spikes.steps.length);
  });
});
