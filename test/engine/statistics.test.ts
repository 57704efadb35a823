// Statistics of states, gathered on the device: beside those of a recorded trace, in float64.

import { describe, expect, test } from 'vitest';
import {
  AdaptiveExponentialSoma as AdEx,
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
    const bounded = own.map((value) => Math.max(-1e14, Math.min(1e14, value)));
    const mean = bounded.reduce((sum, value) => sum + value, 0) / own.length;
    const variance = bounded.reduce((sum, value) => sum + (value - mean) ** 2, 0) / own.length;
    return { mean, variance, min: Math.min(...own), max: Math.max(...own) };
  });
}

function expectMoments(found: Statistics, wanted: ReturnType<typeof momentsOf>) {
  for (const [neuron, { mean, variance, min, max }] of wanted.entries()) {
    const scale = Math.min(Math.max(1, Math.abs(min), Math.abs(max)), 1e14);
    expect(Math.abs((found.mean[neuron] as number) - mean), `mean of ${neuron}`).toBeLessThan(GATHERED * scale);
    expect(Math.abs((found.variance[neuron] as number) - variance)).toBeLessThan(GATHERED * Math.max(1, variance) * 10);
    expect([found.min[neuron], found.max[neuron]]).toEqual([min, max]);
  }
}

async function run(backend: TestBackend, soma: Soma, statistics: object, options: OpenOptions = {}, steps = 500) {
  const simulation = await backend.open({ seed: 3, dt: 0.1, ...options });
  const states = Object.fromEntries(Object.keys(soma.states).map((state) => [state, {}]));
  const cells = addCells(simulation, soma, { units: NEURONS, input, record: { states, statistics } });
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
    const { cells } = await run(backend, AdEx, { potential: { from: 10.05, to: 30 }, adaptation: { from: 20 } });
    const [potential, adaptation] = await Promise.all(
      ['potential', 'adaptation'].map((state) => cells.statistics(state)),
    );
    expect([potential?.samples, adaptation?.samples]).toEqual([199, 300]);
    const trace = async (state: string) => (await cells.trace(state)).values;
    expectMoments(potential as Statistics, momentsOf(await trace('potential'), NEURONS, 101, 300));
    expectMoments(adaptation as Statistics, momentsOf(await trace('adaptation'), NEURONS, 200, 500));
  });

  test('leave what the neurons do as it was', async () => {
    const trace = async (asked: object) => {
      const { cells } = await run(backend, AdEx, asked);
      return (await cells.trace('potential')).values;
    };
    expectSameBits(await trace({ potential: {} }), await trace({}), 'the potential');
  });

  test('go on over runs and single steps, start anew with a reset, and are saved with the rest', async () => {
    const window = { from: 10, to: 45 };
    const { simulation, cells } = await run(backend, AdEx, { potential: window }, {}, 100);
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

  test('of a state whose origin changes on the way are those of what it was in each step', async () => {
    const simulation = await backend.open({ seed: 3, dt: 0.1 });
    const states = { potential: {}, threshold: {} };
    const options = {
      units: NEURONS,
      parameters: { potential_rest: uniform(-75, -65) },
      input: [{ kind: 'ornstein_uhlenbeck', mean: 20, sd: 10, tau: 3 }] as const,
      record: { states, statistics: states },
    };
    const soma = somas.find(({ name }) => name === 'SimplifiedAdaptiveExponentialSoma') as Soma;
    const cells = addCells(simulation, soma, options);
    await simulation.run(7);
    (cells as Population<{ potential_rest?: number }>).setParameters({ potential_rest: -85 });
    await simulation.run(9.5);
    const second = await restored(backend, await simulation.save());
    await second.run(1);
    await simulation.run(1);
    const again = second.populations[0] as Population;
    for (const state of Object.keys(states)) {
      const found = await cells.statistics(state);
      expectMoments(found, momentsOf((await cells.trace(state)).values, NEURONS, 0, 175));
      expectSameBits((await again.statistics(state)).mean, found.mean, `the mean ${state}`);
    }
  });

  test('of several populations keep to windows of their own, also in blocks of one step', async () => {
    for (const blockSteps of [1, 5, 64]) {
      const simulation = await backend.open({ seed: 3, dt: 0.1, tuning: { blockSteps } });
      const windows = [{ from: 0.3, to: 0.4 }, { from: 3.2, to: 9.7 }, { from: 9.6 }, {}, { from: 2, to: 2 }];
      const record = (potential: object) => ({ states: { potential: {} }, statistics: { potential } });
      const add = (window: object) => addCells(simulation, AdEx, { units: 5, input, record: record(window) });
      const first = windows.slice(0, 3).map(add);
      await simulation.run(0.7);
      const populations = [...first, ...windows.slice(3).map(add)];
      await simulation.run(9.3);
      const ranges = [
        [3, 4],
        [32, 97],
        [96, 100],
        [7, 100],
        [20, 20],
      ] as const;
      for (const [i, population] of populations.entries()) {
        const [from, to] = ranges[i] as readonly [number, number];
        const found = await population.statistics('potential');
        expect(found.samples).toBe(to - from);
        const { steps, values } = await population.trace('potential');
        const begin = steps[0] as number;
        if (to > from) expectMoments(found, momentsOf(values, 5, from - begin, to - begin));
        else expect(found.mean).toEqual(new Float32Array(5).fill(Number.NaN));
      }
    }
  });

  test('of potentials that run away are finite, and those of what is within 1e14', async () => {
    const simulation = await backend.open({ dt: 0.1 });
    const soma = somas.find(({ name }) => name === 'SimplifiedAdaptiveExponentialSoma') as Soma;
    const record = { states: { potential: {} }, statistics: { potential: {} } };
    // They reset 10 mV above where they run away by themselves, and cool down there.
    const parameters = { potential_reset: -35, threshold: -30 };
    const input = [{ kind: 'constant', amplitude: 100 }] as const;
    const cells = addCells(simulation, soma, { units: 4, parameters, input, record });
    await simulation.run(500);
    const found = await cells.statistics('potential');
    const { values } = await cells.trace('potential');
    expect(values.reduce((a, b) => Math.max(a, b))).toBeGreaterThan(1e20);
    for (const numbers of [found.mean, found.variance, found.max]) expect(numbers.every(Number.isFinite)).toBe(true);
    expectMoments(found, momentsOf(values, 4, 0, 5000));
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
    });
    await simulation.run(10_000);
    const { mean, variance } = await cells.statistics('potential');
    // A leak of 1 ms and a swing of 100 ms: amplitude 1 / sqrt(1 + (2 pi / 100)^2), here by Euler.
    expect(Math.abs((mean[0] as number) - 930)).toBeLessThan(1e-3);
    expect(Math.abs((variance[0] as number) / 0.5 - 1)).toBeLessThan(0.01);
  });

  test('that were not asked for are refused, and windows that end before they begin', async () => {
    const { cells } = await run(backend, AdEx, { potential: {} }, {}, 1);
    await expect(cells.statistics('adaptation')).rejects.toThrow(
      'record.statistics.adaptation: was not asked for; add the population with record: { statistics: { adaptation: {} } }',
    );
    await expect(run(backend, AdEx, { potential: { from: 2, to: 1 } })).rejects.toThrow('potential.to: is before');
    await expect(run(backend, AdEx, { potentials: {} })).rejects.toThrow('did you mean "potential"?');
    await expect(run(backend, AdEx, { potential: { last: 1 } })).rejects.toThrow('unknown key "last"');
  });
});
