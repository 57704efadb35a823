// No neuron becomes NaN or infinite, whatever its membrane runs up to: the cases where others die for ever, and worse.

import { describe, expect, test } from 'vitest';
import type { Soma, Value } from '../../src/index.ts';
import { backends, type TestBackend } from '../support/backends.ts';
import { addCells, type Outcome, outcomeOf, somaNames } from '../support/outcome.ts';
import { somas } from '../support/reference.ts';

const STEPS = 5000;

interface Stress {
  soma: string;
  dt: number;
  current: number;
  parameters?: Record<string, Value>;
}

async function stress({ open }: TestBackend, { soma, dt, current, parameters }: Stress): Promise<Outcome> {
  const simulation = await open({ dt });
  const cells = addCells(simulation, somas[soma] as Soma, {
    units: 5,
    parameters,
    input: [{ kind: 'constant', amplitude: current }],
    record: { spikes: true, states: Object.fromEntries(Object.keys(somas[soma]?.states ?? {}).map((s) => [s, {}])) },
  });
  await simulation.run(STEPS * dt);
  return outcomeOf(cells);
}

/** After every step, not only at the end: an infinity on the way would come back as a spike. */
function expectFinite({ traces, states }: Outcome): void {
  expect(Object.keys(traces)).toEqual(Object.keys(states));
  for (const [state, { values }] of Object.entries(traces)) {
    expect(values.length).toBe(STEPS * 5);
    expect(
      values.findIndex((value) => !Number.isFinite(value)),
      `first ${state} that is not finite`,
    ).toBe(-1);
  }
}

function expectSpikingAtTheEnd({ spikes }: Outcome): void {
  expect(spikes.steps.at(-1)).toBeGreaterThan(STEPS * 0.9);
}

describe.each(backends)('every state stays finite and the neuron goes on spiking, on $name', (backend) => {
  // In the reference, float32 overflows while the soma cools down above its unstable point, and 0 * inf is NaN.
  test.each([
    [140, 1],
    [250, 1],
    [150, 0.1],
  ])('the simplified adaptive soma with its defaults at %d pA and dt %d', async (current, dt) => {
    const outcome = await stress(backend, { soma: 'SimplifiedAdaptiveExponentialSoma', dt, current });
    expectFinite(outcome);
    expectSpikingAtTheEnd(outcome);
  });

  // With the defaults the potential runs away by itself from -44.944 mV on: these reset 10 mV above, and cool down there.
  test.each(
    ['RefractoryExponentialSoma', 'SimplifiedAdaptiveExponentialSoma'].flatMap((soma) =>
      [0.1, 1, 5].map((dt) => [soma, dt] as const),
    ),
  )('%s resetting 10 mV above its unstable point, dt %d', async (soma, dt) => {
    const parameters = { potential_reset: -35, threshold: -30 };
    const outcome = await stress(backend, { soma, dt, current: 100, parameters });
    expectFinite(outcome);
    expectSpikingAtTheEnd(outcome);
  });

  test('the adaptive soma with a threshold of 20 mV behind an onset as sharp as 0.2 mV, dt 1', async () => {
    const parameters = { threshold: 20, spike_slope: 0.2 };
    const outcome = await stress(backend, { soma: 'AdaptiveExponentialSoma', dt: 1, current: 100, parameters });
    expectFinite(outcome);
    expectSpikingAtTheEnd(outcome);
  });

  test.each(somaNames)('%s with the softest onset there is, 1000 mV, and the sharpest, 1e-6 mV', async (soma) => {
    for (const spike_slope of [1000, 1e-6]) {
      const outcome = await stress(backend, { soma, dt: 1, current: 1000, parameters: { spike_slope } });
      expectFinite(outcome);
      expectSpikingAtTheEnd(outcome);
    }
  });

  test.each(somaNames)('%s under a current of 1e9 pA', async (soma) => {
    for (const dt of [0.1, 1]) {
      const outcome = await stress(backend, { soma, dt, current: 1e9 });
      expectFinite(outcome);
      expectSpikingAtTheEnd(outcome);
    }
  });
});

describe.each(backends)('every state stays finite, on $name', (backend) => {
  test.each(somaNames)('%s under a current of -1e9 pA, silent', async (soma) => {
    for (const dt of [0.1, 1]) {
      const outcome = await stress(backend, { soma, dt, current: -1e9 });
      expectFinite(outcome);
      expect(outcome.spikes.steps.length).toBe(0);
      expect(Math.max(...(outcome.states.potential as Float32Array))).toBeLessThan(-1e8);
    }
  });

  test.each(somaNames)('%s under currents at the limit of 1e12 pA', async (soma) => {
    for (const current of [1e12, -1e12]) expectFinite(await stress(backend, { soma, dt: 1, current }));
  });
});
