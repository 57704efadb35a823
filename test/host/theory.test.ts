// The theory that noise-driven rates are judged by, against what is known of it in closed form or otherwise computed.

import { describe, expect, test } from 'vitest';
import { firstSpike } from '../support/exact.ts';
import { normalTail } from '../support/statistics.ts';
import { type Exponential, intensityOf, meanInterval, noisyRate, published } from '../support/theory.ts';
import { THEORY } from '../support/tolerances.ts';

const { neuron, rates } = published;

describe('threshold integration', () => {
  test.each(rates)('gives the rate known at %d pA and %d mV, %d Hz, to its last digit', (current, sigma, rate) => {
    expect(noisyRate(neuron, current, sigma).toFixed(2)).toBe(rate.toFixed(2));
  });

  test('gives the mean interval of a perfect integrator, its way divided by its drift, whatever the noise', () => {
    for (const sigma of [0.5, 2, 5]) {
      const perfect = { drift: () => 3, tau: 10, sigma, reset: -4, threshold: 8 };
      expect(meanInterval(perfect, -250) / ((12 / 3) * 10)).toBeCloseTo(1, THEORY.closed);
    }
  });

  test("gives the mean interval of a leaky integrator, Siegert's integral", () => {
    const [tau, threshold, reset] = [20, 15, 10];
    for (const [drive, sigma] of [
      [10, 5],
      [14, 2],
      [20, 3],
    ] as const) {
      const leaky = { drift: (v: number) => drive - v, tau, sigma, reset, threshold };
      const y = (v: number) => (v - drive) / (sigma * Math.SQRT2);
      // 1 + erf(x) is twice the share of a normal distribution below sqrt(2) x.
      const siegert = simpson((x) => Math.exp(x * x) * 2 * normalTail(-Math.SQRT2 * x), y(reset), y(threshold));
      const interval = meanInterval(leaky, drive - 10 * sigma);
      expect(interval / (tau * Math.sqrt(Math.PI) * siegert)).toBeCloseTo(1, THEORY.fine);
    }
  });

  test('gives the rate without noise as the noise becomes small', () => {
    const drift = (v: number) =>
      neuron.potential_rest -
      v +
      81 * neuron.resistance +
      neuron.spike_slope * Math.exp((v - neuron.rheobase_threshold) / neuron.spike_slope);
    const interval = simpson((v) => neuron.potential_tau / drift(v), neuron.potential_reset, neuron.threshold);
    // What exact.ts says of it too.
    const from = neuron.potential_reset - neuron.potential_rest;
    const pulse = { on: 0, off: 1000, amplitude: 81 };
    expect(interval).toBeCloseTo(firstSpike({ ...neuron }, [pulse], 1000, from), 6);
    const off = [0.2, 0.1, 0.05].map((sigma) => Math.abs((noisyRate(neuron, 81, sigma) * interval) / 1000 - 1));
    // The correction is of the order of the noise's variance.
    expect((off[0] as number) / (off[1] as number)).toBeCloseTo(4, 0);
    expect((off[1] as number) / (off[2] as number)).toBeCloseTo(4, 0);
    expect(off[2]).toBeLessThan(1e-4);
  });

  test('is of second order in its cells, and fine enough', () => {
    const drift = (v: number) => -v + 2 * Math.exp((v - 10) / 2) + 8;
    const noisy = { drift, tau: 10, sigma: 3, reset: -3, threshold: 40 };
    const of = (cells?: number) => meanInterval(noisy, -30, cells);
    const errors = [1000, 2000, 4000].map((cells) => of(cells) - of(128_000));
    expect((errors[0] as number) / (errors[1] as number)).toBeCloseTo(4, 0);
    expect((errors[1] as number) / (errors[2] as number)).toBeCloseTo(4, 0);
    expect(of() / of(128_000)).toBeCloseTo(1, THEORY.fine);
  });

  test('does not depend on where it begins, far below everything', () => {
    const drift = (v: number) => -v + 2 * Math.exp((v - 10) / 2) + 8;
    const noisy = { drift, tau: 10, sigma: 3, reset: -3, threshold: 40 };
    expect(meanInterval(noisy, -24) / meanInterval(noisy, -40)).toBeCloseTo(1, THEORY.fine);
  });

  test('a blocked neuron goes on from where leak and exponential brought it', () => {
    // The exponential is far off here, and the leak a closed form.
    const far: Exponential = { ...neuron, rheobase_threshold: -32, spike_slope: 0.5 };
    const blocked = 7;
    const reset = -65 + (-68 + 65) * Math.exp(-blocked / 10);
    const rate = noisyRate({ ...far, potential_reset: reset }, 900, 4);
    expect(1000 / noisyRate(far, 900, 4, blocked)).toBeCloseTo(1000 / rate + blocked, 6);
  });
});

test('the intensity of noise that moves a membrane by sigma is the sd of a step in that membrane, times sqrt(dt)', () => {
  // Of x -> (1 - k) x + k R s z, with k = dt / tau, the variance is (k R s)^2 / (1 - (1 - k)^2).
  const dt = 1e-6;
  const sd = intensityOf(neuron, 6) / Math.sqrt(dt);
  const k = dt / neuron.potential_tau;
  expect((k * neuron.resistance * sd) / Math.sqrt(2 * k - k * k)).toBeCloseTo(6, 6);
  expect(sd).toBeCloseTo((6 * Math.sqrt((2 * neuron.potential_tau) / dt)) / neuron.resistance, 6);
});

/** The integral of a smooth function, by Simpson's rule. */
function simpson(f: (x: number) => number, from: number, to: number): number {
  const cells = 20_000;
  const h = (to - from) / cells;
  let sum = 0;
  for (let i = 0; i < cells; i++) {
    const x = from + i * h;
    sum += (f(x) + 4 * f(x + h / 2) + f(x + h)) * (h / 6);
  }
  return sum;
}
