// Interspike intervals of each neuron, and how they grow; the pooled figures are in recording.test.ts.

import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { adaptationIndex, intervalStatistics, intervalsOf, neuronIntervals } from '../../src/analysis/index.ts';
import { protocols } from '../support/reference.ts';
import { refusal } from '../support/refusal.ts';
import { INTERVALS } from '../support/tolerances.ts';

const NEURONS = 4;

/** Waits until the next spike, and whose it is. */
const drawn = fc.array(fc.tuple(fc.double({ min: 0.1, max: 50, noNaN: true }), fc.nat(NEURONS - 1)), { maxLength: 60 });

function spikesOf(waits: readonly (readonly [number, number])[]): { times: number[]; neurons: number[] } {
  let now = 0;
  const times = waits.map(([wait]) => {
    now += wait;
    return now;
  });
  return { times, neurons: waits.map(([, neuron]) => neuron) };
}

const trainOf = ({ times, neurons }: { times: number[]; neurons: number[] }, neuron: number) =>
  times.filter((_, i) => neurons[i] === neuron);

/** Equal but for roundings; NaN is equal to NaN. */
const near = (value: number | undefined, wanted: number) => {
  if (Number.isNaN(wanted)) expect(value).toBeNaN();
  else expect(Math.abs((value as number) - wanted)).toBeLessThanOrEqual(INTERVALS * Math.max(1, Math.abs(wanted)));
};

describe('intervals of each neuron', () => {
  test('are those of its own train, whatever the others do', () => {
    fc.assert(
      fc.property(drawn, (waits) => {
        const spikes = spikesOf(waits);
        const each = neuronIntervals(spikes, NEURONS);
        for (let neuron = 0; neuron < NEURONS; neuron++) {
          const times = trainOf(spikes, neuron);
          const alone = intervalStatistics({ times, neurons: times.map(() => 0) }, 1);
          expect(each.count[neuron]).toBe(alone.count);
          for (const name of ['mean', 'cv', 'min', 'max', 'adaptation'] as const) near(each[name][neuron], alone[name]);
        }
      }),
      { numRuns: 200 },
    );
  });

  test('are one value a neuron, NaN where a neuron has none', () => {
    const each = neuronIntervals({ times: [1, 2, 3], neurons: [1, 1, 0] }, 3);
    expect(Array.from(each.count)).toEqual([0, 1, 0]);
    expect(Array.from(each.mean)).toEqual([Number.NaN, 1, Number.NaN]);
    expect(Array.from(each.adaptation)).toEqual([Number.NaN, Number.NaN, Number.NaN]);
  });

  test('of one train are the differences of its times', () => {
    expect(Array.from(intervalsOf([1, 3, 7]))).toEqual([2, 4]);
    expect(intervalsOf([5])).toHaveLength(0);
    expect(intervalsOf([])).toHaveLength(0);
  });
});

describe('the adaptation index', () => {
  test('is the mean relative growth of successive intervals', () => {
    expect(adaptationIndex([10, 12, 16, 24], 0)).toBeCloseTo(1 / 3, 15);
    expect(adaptationIndex([24, 32, 36, 38], 0)).toBeCloseTo(-1 / 3, 15);
    expect(adaptationIndex([0, 1, 2, 3], 0)).toBe(0);
  });

  test('passes over a fifth of the intervals by default, and never over more than four', () => {
    const train = (intervals: number[]) => {
      let now = 0;
      return [0, ...intervals.map((interval) => (now += interval))];
    };
    const [even, odd] = [new Array(5).fill(10), [1, ...new Array(4).fill(10)]];
    expect(adaptationIndex(train(odd))).toBe(adaptationIndex(train(even)));
    // The control: without passing over, the first interval shows.
    expect(adaptationIndex(train(odd), 0)).toBeGreaterThan(0.1);
    const long = [...[1, 2, 3, 4, 5], ...new Array(45).fill(10)];
    expect(adaptationIndex(train(long))).toBe(adaptationIndex(train(long), 4));
  });

  test('is NaN where there are no two intervals', () => {
    expect(adaptationIndex([1, 2])).toBeNaN();
    expect(adaptationIndex([1, 2, 4], 0)).toBeCloseTo(1 / 3, 15);
  });

  test('of one neuron is what the statistics say, and of several the mean over all their pairs of intervals', () => {
    fc.assert(
      fc.property(drawn, (waits) => {
        const spikes = spikesOf(waits);
        const { adaptation } = intervalStatistics(spikes, NEURONS);
        let [sum, pairs] = [0, 0];
        for (let neuron = 0; neuron < NEURONS; neuron++) {
          const times = trainOf(spikes, neuron);
          const index = adaptationIndex(times, 0);
          if (times.length < 3) continue;
          sum += index * (times.length - 2);
          pairs += times.length - 2;
        }
        near(adaptation, pairs === 0 ? Number.NaN : sum / pairs);
      }),
      { numRuns: 200 },
    );
  });

  test('is large for the published neuron that adapts, small for the one that is tonic', () => {
    const of = (name: string) =>
      adaptationIndex(protocols.find((protocol) => protocol.name === name)?.spike_times_ms ?? [], 0);
    expect(of('naud2008_adaptation')).toBeGreaterThan(0.05);
    expect(Math.abs(of('naud2008_tonic'))).toBeLessThan(0.005);
  });
});

describe('intervals are refused', () => {
  type Spikes = Parameters<typeof intervalStatistics>[0];
  const two = { times: [1, 2], neurons: [0, 2] };

  test.each<[string, [Spikes, number], [Spikes, number], string]>([
    ['of a neuron that is not there', [two, 2], [two, 3], 'spikes.neurons[1]: is none of the 2 neurons, got 2'],
    ['of a negative neuron', [{ ...two, neurons: [-1, 0] }, 2], [{ ...two, neurons: [1, 0] }, 2], 'spikes.neurons[0]'],
    [
      'of fewer neurons than times',
      [{ ...two, neurons: [0] }, 2],
      [{ times: [1], neurons: [0] }, 2],
      'has 1 values for 2',
    ],
    ['of half a neuron', [two, 2.5], [two, 3], 'neurons: is no whole number, got 2.5'],
    ['of less than no neuron', [two, -1], [two, 3], 'neurons: must be at least 0'],
  ])('%s', (_, wrong, right, says) => {
    for (const figures of [intervalStatistics, neuronIntervals]) {
      expect(refusal(() => figures(...wrong))).toContain(says);
      expect(figures(...right).count).toBeDefined();
    }
  });

  test('of times out of order, or of what is no list', () => {
    for (const of of [intervalsOf, adaptationIndex]) {
      expect(refusal(() => of([1, 3, 2]))).toContain('times[2]: is before the spike before it, got 2');
      expect(refusal(() => of([1, Number.NaN]))).toContain('times[1]: is not finite');
      expect(refusal(() => of([1, '2'] as never))).toContain('times[1]: is no number');
      expect(refusal(() => of(3 as never))).toContain('times: is no list');
      expect(() => of([1, 2, 2, 3])).not.toThrow();
    }
  });

  test('where less than none is to be passed over', () => {
    expect(refusal(() => adaptationIndex([1, 2, 3], -1))).toContain('skipped: must be at least 0');
    expect(refusal(() => adaptationIndex([1, 2, 3], 0.5))).toContain('skipped: is no whole number');
    expect(adaptationIndex([1, 2, 3], 1)).toBeNaN();
  });
});
