import { describe, expect, test } from 'vitest';
import { CHECKED, workOf } from '../../bench/browser/work.ts';
import { check, reference } from '../../bench/work.ts';

describe('the work of the benchmarks', () => {
  const work = workOf('recording', 100_000, CHECKED);
  const { rate, share } = reference(work);

  test('fires at 34.5 Hz in the first 100 ms, 68.8 % of the neurons, in float64', () => {
    expect(rate).toBeCloseTo(34.5, 1);
    expect(share).toBeCloseTo(0.688, 2);
  });

  test('is refused with a wrong rate, with silent neurons and with lost recordings, not for rounding', () => {
    const spikes = Math.round(rate * 0.1 * work.neurons);
    const right = { spikes, fired: Math.round(share * work.neurons), recorded: spikes };
    expect(() => check('they', work, { ...right, spikes: spikes + 100, recorded: spikes + 100 })).not.toThrow();
    expect(() => check('they', work, { ...right, spikes: 1.02 * spikes, recorded: 1.02 * spikes })).toThrow(
      /^they, AdaptiveExponentialSoma, recording, 100,000 neurons: 35\.\d\d Hz .* should be 34\.\d\d Hz with 68\.\d %/,
    );
    expect(() => check('they', work, { ...right, fired: right.fired - 2000 })).toThrow(/66\.\d % firing/);
    expect(() => check('they', work, { ...right, recorded: spikes - 1 })).toThrow(/spikes recorded of/);
    expect(() => check('they', work, { ...right, spikes: Number.NaN, recorded: Number.NaN })).toThrow(/should be/);
  });

  test('is refused where it is too short for a spike, whatever comes out', () => {
    const none = { spikes: 0, fired: 0, recorded: 0 };
    expect(() => check('they', { ...work, steps: 20 }, none)).toThrow(/nobody fires in 20 steps/);
  });

  test('may be done by another integrator, which is not held to the same steps', () => {
    const spikes = Math.round(1.05 * rate * 0.1 * work.neurons);
    const done = { spikes, fired: Math.round(share * work.neurons), recorded: spikes };
    expect(() => check('they', work, done)).toThrow(/should be/);
    expect(() => check('they', work, done, false)).not.toThrow();
  });
});
