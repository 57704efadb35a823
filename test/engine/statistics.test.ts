// Statistics of states, gathered on the device: beside those of a recorded trace, in float64.

import { describe, expect, test } from 'vitest';
import {
  AdaptiveExponentialSoma,
  type Population,
  type Soma,
  type Statistics,
  somas,
  uniform,
} from '../../src/index.ts';
import { backends, type OpenOptions, restored, type TestBackend } from '../support/backends.ts';
import { addCells, expectSameBits } from '../support/outcome.ts';
import { GATHERED } from '../support/tolerances.ts';

const NEURONS = 30;
const input = [
  { kind: 'constant', amplitude: uniform(20, 80) },
  { kind: 'ornstein_uhlenbeck', sd: 10, tau: 3 },
] as const;

/** Of some steps of a trace, `[steps, neurons]`, in float64. */
function momentsOf(values: Float32Array, neurons: number, first: number, end: number) {
  return Array.from({ length: neurons }, (_, neuron) => {
    const own = Array.from({ length: end - first }, (_, k) => values[(first + k) * neurons + neuron] as number);
    const mean = own.reduce((sum, value) => sum + value, 0) / own.length;
    const variance = own.reduce((sum, value) => sum + (value - mean) ** 2, 0) / own.length;
    return { mean, variance, min: Math.min(...own), max: Math.max(...own) };
  });
}

function expectMoments(found: Statistics, wanted: ReturnType<typeof momentsOf>) {
  for (const [neuron, { mean, variance, min, max }] of wanted.entries()) {
    const scale = Math.max(1, Math.abs(min), Math.abs(max));
    expect(Math.abs((found.mean[neuron] as number) - mean), `mean of ${neuron}`).toBeLessThan(GATHERED * scale);
    expect(Math.abs((found.variance[neuron] as number) - variance)).toBeLessThan(GATHERED * Math.max(1, variance) * 10);
    expect([found.min[neuron], found.max[neuron]]).toEqual([min, max]);
  }
}

async function run(backend: TestBackend, soma: Soma, statistics: object, options: OpenOptions = {}, steps = 500) {
  const simulation = await backend.open({ seed: 3, dt: 0.1, ...options });
  const states = Object.fromEntries(Object.keys(soma.states).map((state) => [state, {}]));
  const cells = addCells(simulation, soma, { units: NEURONS, input, record: { states, statistics } }) as Population;
  await simulation.run(steps * 0.1);
  return { simulation, cells };
}

describe.each(backends)('on $name', (backend) => {
  test.each(somas)('are those of the trace, for every state of $name', async (soma) => {
    const states = Object.keys(soma.states);
    const { cells } = await run(backend, soma, Object.fromEntries(states.map((state) => [state, {}])));
    for (const state of states) {
      const found = await cells.statistics(state);
      expect(found.samples).toBe(500);
      expectMoments(found, momentsOf((await cells.trace(state)).values, NEURONS, 0, 500));
    }
  });

  test('are those of their window, and of several windows at once', async () => {
    const soma = AdaptiveExponentialSoma as unknown as Soma;
    const { cells } = await run(backend, soma, { potential: { from: 10.05, to: 30 }, adaptation: { from: 20 } });
    const [potential, adaptation] = await Promise.all(
      ['potential', 'adaptation'].map((state) => cells.statistics(state)),
    );
    expect([potential?.samples, adaptation?.samples]).toEqual([199, 300]);
    const trace = async (state: string) => (await cells.trace(state)).values;
    expectMoments(potential as Statistics, momentsOf(await trace('potential'), NEURONS, 101, 300));
    expectMoments(adaptation as Statistics, momentsOf(await trace('adaptation'), NEURONS, 200, 500));
  });

  test('leave what the neurons do as it was', async () => {
    const soma = AdaptiveExponentialSoma as unknown as Soma;
    const trace = async (asked: object) => {
      const { cells } = await run(backend, soma, asked);
      return (await cells.trace('potential')).values;
    };
    expectSameBits(await trace({ potential: {} }), await trace({}), 'the potential');
  });

  test('go on over runs and single steps, start anew with a reset, and are saved with the rest', async () => {
    const soma = AdaptiveExponentialSoma as unknown as Soma;
    const window = { from: 10, to: 45 };
    const { simulation, cells } = await run(backend, soma, { potential: window }, {}, 100);
    expect((await cells.statistics('potential')).mean[0]).toBeNaN();
    await simulation.run(5);
    for (let step = 0; step < 10; step++) await simulation.step();
    const saved = await simulation.save();
    await simulation.run(34);
    const found = await cells.statistics('potential');
    expect(found.samples).toBe(350);
    expectMoments(found, momentsOf((await cells.trace('potential')).values, NEURONS, 100, 450));
    const second = await restored(backend, saved);
    await second.run(34);
    const again = await (second.populations[0] as Population).statistics('potential');
    for (const key of ['mean', 'variance', 'min', 'max'] as const) expectSameBits(again[key], found[key], key);
    simulation.reset();
    await simulation.run(11);
    expect((await cells.statistics('potential')).samples).toBe(10);
  });

  test('keep their digits over a hundred thousand steps far from zero', async () => {
    const simulation = await backend.open({ dt: 0.1 });
    // Silent, around 1000 mV above rest, with a small swing.
    const parameters = { threshold: 1e6, rheobase_threshold: 1e6, potential_tau: 1, resistance: 1 };
    const cells = addCells(simulation, somas.find(({ name }) => name === 'ExponentialSoma') as Soma, {
      units: 1,
      parameters,
      initial: { potential: 930 },
      input: [
        { kind: 'constant', amplitude: 1000 },
        { kind: 'sine', amplitude: 1, frequency: 10 },
      ],
      record: { statistics: { potential: {} } },
    }) as Population;
    await simulation.run(10_000);
    const { mean, variance } = await cells.statistics('potential');
    // A leak of 1 ms and a swing of 100 ms: amplitude 1 / sqrt(1 + (2 pi / 100)^2), here by Euler.
    expect(Math.abs((mean[0] as number) - 930)).toBeLessThan(1e-3);
    expect(Math.abs((variance[0] as number) / 0.5 - 1)).toBeLessThan(0.01);
  });

  test('that were not asked for are refused, and windows that end before they begin', async () => {
    const soma = AdaptiveExponentialSoma as unknown as Soma;
    const { cells } = await run(backend, soma, { potential: {} }, {}, 1);
    await expect(cells.statistics('adaptation')).rejects.toThrow(
      'record.statistics.adaptation: was not asked for; add the population with record: { statistics: { adaptation: {} } }',
    );
    await expect(run(backend, soma, { potential: { from: 2, to: 1 } })).rejects.toThrow('potential.to: is before');
    await expect(run(backend, soma, { potentials: {} })).rejects.toThrow('did you mean "potential"?');
    await expect(run(backend, soma, { potential: { last: 1 } })).rejects.toThrow('unknown key "last"');
  });
});
