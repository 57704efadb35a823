// Noise-driven firing rates against theory, on both paths: what philox, Box and Muller, the intensity of white noise, the
// soma and the counting of spikes have to give together.

import { describe, expect, test } from 'vitest';
import { ExponentialSoma, type Soma } from '../../src/index.ts';
import { backends, type TestBackend } from '../support/backends.ts';
import { addCells } from '../support/outcome.ts';
import { somas } from '../support/reference.ts';
import { type Exponential, intensityOf, noisyRate, published } from '../support/theory.ts';
import { RATE } from '../support/tolerances.ts';

interface Point {
  soma?: string;
  neuron: Exponential;
  /** Mean, pA. */
  current: number;
  /** Of the noise, mV. */
  sigma: number;
  /** Parameters that the theory has no word for, such as an adaptation that is off. */
  more?: Record<string, number>;
  /** ms after a spike: cooldown and one step more. */
  blocked?: number;
}

interface Effort {
  dt?: number;
  /** ms */
  duration?: number;
}

const NEURONS = 2048;
/** ms: several time constants and intervals, after which the density is the stationary one. */
const SETTLING = 200;

const { neuron } = published;

// Twice as fast and sharper; and twice as slow and sharper still.
const fast: Exponential = {
  potential_rest: -70,
  potential_reset: -60,
  potential_tau: 5,
  resistance: 0.5,
  threshold: -30,
  rheobase_threshold: -50,
  spike_slope: 2,
};
const slow: Exponential = {
  ...fast,
  potential_reset: -58,
  potential_tau: 20,
  resistance: 0.1,
  threshold: -20,
  spike_slope: 1,
};

const points: [string, Point][] = [
  ...published.rates.map(([current, sigma]): [string, Point] => [
    `the neuron of published rates at ${current} pA`,
    { neuron, current, sigma },
  ]),
  ['a slow, sharp neuron', { neuron: slow, current: 205, sigma: 4 }],
  [
    'an adaptive neuron without adaptation',
    {
      soma: 'AdaptiveExponentialSoma',
      neuron: fast,
      current: 35,
      sigma: 4,
      more: { adaptation_delta: 0, adaptation_subthreshold: 0 },
    },
  ],
  [
    'a refractory neuron',
    { soma: 'RefractoryExponentialSoma', neuron: fast, current: 40, sigma: 5, more: { cooldown: 2 }, blocked: 2.1 },
  ],
  [
    'a neuron that is refractory for long, its threshold fixed',
    {
      soma: 'SimplifiedAdaptiveExponentialSoma',
      neuron: slow,
      current: 250,
      sigma: 6,
      more: { cooldown: 8, threshold_delta: 0 },
      blocked: 8.1,
    },
  ],
];

/** Spikes a second of a neuron under white noise, and the standard error of that, from the spread between neurons. */
async function measure(
  { open }: TestBackend,
  { soma = ExponentialSoma.name, neuron, current, sigma, more }: Point,
  { dt = 0.1, duration = 900 }: Effort = {},
) {
  const simulation = await open({ dt, seed: 11 });
  const cells = addCells(simulation, somas[soma] as Soma, {
    units: NEURONS,
    parameters: { ...neuron, ...more },
    input: [{ kind: 'white_noise', mean: current, intensity: intensityOf(neuron, sigma) }],
  });
  await simulation.run(SETTLING);
  const before = await cells.spikeCounts();
  await simulation.run(duration);
  const rates = Array.from(
    await cells.spikeCounts(),
    (count, i) => ((count - (before[i] as number)) / duration) * 1000,
  );
  const rate = rates.reduce((sum, each) => sum + each, 0) / NEURONS;
  const variance = rates.reduce((sum, each) => sum + (each - rate) ** 2, 0) / (NEURONS - 1);
  return { rate, error: Math.sqrt(variance / NEURONS) };
}

describe.each(backends)('under white noise, on $name', (backend) => {
  test.each(points)("%s fires at theory's rate", async (_, point) => {
    const theory = noisyRate(point.neuron, point.current, point.sigma, point.blocked);
    const { rate, error } = await measure(backend, point);
    expect(error / theory).toBeLessThan(RATE.error);
    expect(Math.abs(rate / theory - 1)).toBeLessThan(RATE.coarse);
  });

  test("with finer steps it comes nearer to theory's rate", async () => {
    const theory = noisyRate(neuron, 190.5, 5);
    const point = { neuron, current: 190.5, sigma: 5 };
    const { rate, error } = await measure(backend, point, { dt: 0.025, duration: 700 });
    expect(error / theory).toBeLessThan(RATE.error);
    expect(Math.abs(rate / theory - 1)).toBeLessThan(RATE.fine);
  });
});
