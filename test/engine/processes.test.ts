// Currents with a memory, on both paths: the Ornstein-Uhlenbeck process and Poisson shot noise beside what theory says of
// their moments, at time steps from far below their time constant to the whole of it.

import { describe, expect, test } from 'vitest';
import { ExponentialSoma, type Input } from '../../src/index.ts';
import { backends, type TestBackend } from '../support/backends.ts';
import { expectSameHowever, mirror, show } from '../support/mirror.ts';
import { addCells, expectSameBits } from '../support/outcome.ts';
import { correlation, evenness, normalTail, surprise } from '../support/statistics.ts';
import { CHANCE, PROCESS } from '../support/tolerances.ts';

/** The currents of all neurons after each of some numbers of steps. */
async function snapshots({ open }: TestBackend, input: Input, neurons: number, dt: number, steps: readonly number[]) {
  const simulation = await open({ seed: 5, dt });
  const parameters = { ...mirror, potential_tau: dt };
  const cells = addCells(simulation, ExponentialSoma, {
    units: neurons,
    parameters,
    input: [input],
  });
  const taken: Float32Array[] = [];
  for (const [i, step] of steps.entries()) {
    await simulation.run((step - (steps[i - 1] ?? 0)) * dt);
    taken.push(await cells.readState('potential'));
  }
  return taken;
}

function moments(values: Float32Array): { mean: number; variance: number } {
  let [sum, squares] = [0, 0];
  for (const value of values) sum += value;
  const mean = sum / values.length;
  for (const value of values) squares += (value - mean) ** 2;
  return { mean, variance: squares / values.length };
}

const relative = (value: number, wanted: number) => Math.abs(value / wanted - 1);

describe.each(backends)('on $name', (backend) => {
  // 300,000 neurons: the standard error of a correlation is 0.0018, that of an sd 0.13 %.
  test.each([0.001, 0.01, 0.1, 1])(
    'an Ornstein-Uhlenbeck current has its mean, sd and autocorrelation at dt / tau = %d, from the first step on',
    async (share) => {
      const dt = 0.1;
      const input: Input = { kind: 'ornstein_uhlenbeck', mean: 3, sd: 2, tau: dt / share };
      const lags = share === 1 ? [1, 2] : [0.2, 0.5].map((lag) => Math.round(lag / share));
      const [first = new Float32Array(), ...later] = await snapshots(backend, input, 300_000, dt, [
        1,
        ...lags.map((lag) => 1 + lag),
      ]);
      for (const values of [first, ...later]) {
        const { mean, variance } = moments(values);
        expect(Math.abs(mean - 3)).toBeLessThan(PROCESS.moment * 2);
        expect(relative(Math.sqrt(variance), 2)).toBeLessThan(PROCESS.moment);
        const tails = values.subarray(0, 100_000).map((value) => normalTail((3 - value) / 2));
        expect(evenness(tails)).toBeGreaterThan(CHANCE.p);
      }
      for (const [i, lag] of lags.entries()) {
        const found = correlation(first, later[i] as Float32Array) / Math.sqrt(first.length);
        expect(Math.abs(found - Math.exp(-lag * share)), `lag ${lag}`).toBeLessThan(PROCESS.correlation);
      }
    },
  );

  test('an Ornstein-Uhlenbeck current tells nothing of its neighbours, and shared it is the same in all', async () => {
    const input: Input = { kind: 'ornstein_uhlenbeck', sd: 1, tau: 1 };
    const [values = new Float32Array()] = await snapshots(backend, input, 1_000_000, 0.1, [2]);
    expect(Math.abs(correlation(values.subarray(1), values.subarray(0, -1)))).toBeLessThan(CHANCE.z);
    const shared = await show(backend, { input: [{ ...input, shared: 'sea' }], neurons: 50, steps: 20, dt: 0.1 });
    for (let i = 0; i < shared.length; i++) expect(shared[i]).toBe(shared[50 * Math.floor(i / 50)]);
    expect(new Set(shared).size).toBe(20);
    const other = { input: [{ ...input, shared: 'sea' }], neurons: 3, steps: 20, dt: 0.1, name: 'others' };
    expect((await show(backend, other))[0]).toBe(shared[0]);
  });

  // With a time constant far below a step nothing is left of earlier events: the current is their number times the kick.
  const counted = (expected: number): Input => ({
    kind: 'poisson_shot_noise',
    rate: expected * 1000,
    weight: 40,
    tau: 1 / 40,
  });

  test.each([0.01, 0.05, 0.1, 1, 5])(
    'Poisson shot noise has %d events in a step: mean, variance and every count as often as theory says',
    async (expected) => {
      const [neurons, steps] = [100_000, expected < 0.1 ? 100 : 20];
      const counts = await show(backend, { input: [counted(expected)], neurons, steps, dt: 1 });
      const histogram: number[] = [];
      let farthest = 0;
      for (const count of counts) {
        const whole = Math.round(count);
        farthest = Math.max(farthest, Math.abs(count - whole));
        histogram[whole] = (histogram[whole] ?? 0) + 1;
      }
      expect(farthest).toBeLessThan(1e-4);
      const { mean, variance } = moments(counts);
      expect(relative(mean, expected)).toBeLessThan(PROCESS.moment);
      expect(relative(variance, expected)).toBeLessThan(PROCESS.moment);
      let chance = Math.exp(-expected);
      for (let k = 0; chance * counts.length > 25 || k < expected; k++) {
        expect(Math.abs(surprise(histogram[k] ?? 0, counts.length, chance)), `${k} events`).toBeLessThan(CHANCE.z);
        chance *= expected / (k + 1);
      }
      // The two steps that share random bits among them.
      for (const lag of [1, neurons])
        expect(Math.abs(correlation(counts.subarray(lag), counts.subarray(0, -lag))), `${lag}`).toBeLessThan(CHANCE.z);
    },
    240_000,
  );

  test.each([0.02, 0.2])(
    "Poisson shot noise has Campbell's mean and variance, rate weight tau and rate weight^2 tau / 2, at dt / tau = %d",
    async (share) => {
      const [rate, weight, tau] = [800, 5, 5];
      const input: Input = { kind: 'poisson_shot_noise', rate, weight, tau };
      const dt = share * tau;
      const steps = Math.round(12 / share);
      const [values = new Float32Array()] = await snapshots(backend, input, 200_000, dt, [steps]);
      const { mean, variance } = moments(values);
      expect(relative(mean, (rate / 1000) * weight * tau)).toBeLessThan(PROCESS.moment);
      expect(relative(variance, ((rate / 1000) * weight ** 2 * tau) / 2)).toBeLessThan(PROCESS.moment);
    },
  );

  test('rates, weights and time constants of Poisson shot noise may differ from neuron to neuron', async () => {
    const input: Input = { kind: 'poisson_shot_noise', rate: [0, 1000, 100], weight: [1, -2, 0], tau: [1, 2, 3] };
    const values = await show(backend, { input: [input], neurons: 3, steps: 4000, dt: 0.5 });
    const own = (neuron: number) => moments(values.filter((_, i) => i % 3 === neuron)).mean;
    expect(own(0)).toBe(0);
    expect(relative(own(1), -4)).toBeLessThan(0.1);
    expect(own(2)).toBe(0);
  });

  test('both are the same in blocks and chunks of any size, and in a population in tiles or slices', async () => {
    const input: Input[] = [
      { kind: 'ornstein_uhlenbeck', sd: 1, tau: 3 },
      { kind: 'poisson_shot_noise', rate: 500, weight: 1, tau: 3 },
    ];
    const shown = { input, neurons: 3001, steps: 40, dt: 0.1 };
    await expectSameHowever(backend, shown);
  });

  test('both start anew after a reset, as they did', async () => {
    const simulation = await backend.open({ dt: 0.1, seed: 2 });
    const input: Input[] = [
      { kind: 'ornstein_uhlenbeck', sd: 1, tau: 3 },
      { kind: 'poisson_shot_noise', rate: 5000, weight: 1, tau: 3 },
    ];
    const cells = addCells(simulation, ExponentialSoma, { units: 9, parameters: mirror, input });
    await simulation.run(3);
    const before = await cells.readState('potential');
    simulation.reset();
    await simulation.run(3);
    expectSameBits(await cells.readState('potential'), before, 'the potential');
  });
});
