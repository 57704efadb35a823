// Currents with a course in time, in steps that no run of a test comes to: beside whole numbers without end.

import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Input } from '../../src/index.ts';
import { linkInput } from '../support/compiled.ts';
import { FORGOTTEN, WAVE } from '../support/tolerances.ts';

/** There is no step after it: runs end before step 2^32 - 1. */
const LAST = 2 ** 32 - 2;
/** Moments in whole microseconds, which decimals of ms are. */
const ms = (microseconds: bigint) => Number(microseconds) / 1000;
const steps = (microseconds: bigint, dt: bigint) => (microseconds + dt - 1n) / dt;
const within = fc.double({ min: 0, max: 1, noNaN: true });

describe('pulses', () => {
  /** Whether a step has one: it begins at or after the moment of a pulse, and before that of its end. */
  function wanted(n: bigint, width: bigint, period: bigint, start: bigint, dt: bigint): boolean {
    const late = n * dt - start;
    if (late < 0n) return false;
    // The pulse whose end is the next: of a pulse before this step it is the step's own, or one more.
    const j = late / period;
    return [j, j + 1n].some((j) => {
      const begin = start + j * period;
      return steps(begin, dt) <= n && n < steps(begin + width, dt);
    });
  }

  test('begin and end at their step all the way to the last, however long their period is', async () => {
    const micro = (max: bigint) => fc.bigInt({ min: 1n, max });
    const period = fc.oneof(micro(10_000n), micro(10_000_000n), micro(1_000_000_000_000n));
    const dt = fc.constantFrom(1n, 25n, 100n, 250n, 1000n);
    const start = fc.oneof(fc.constant(0n), micro(100_000n), micro(100_000_000n));
    const property = fc.asyncProperty(period, within, start, dt, within, async (period, part, start, dt, when) => {
      const width = BigInt(Math.max(1, Math.round(Number(period) * part)));
      const given = { width: ms(width), period: ms(period), start: ms(start) };
      const { at } = await linkInput({ kind: 'pulses', amplitude: 1, ...given }, ms(dt));
      const most = (BigInt(LAST) * dt - start) / period;
      const j = most < 0n ? 0n : BigInt(Math.floor(Number(most) * when));
      for (const moment of [start + j * period, start + j * period + width]) {
        for (let n = moment / dt - 2n; n <= moment / dt + 2n; n++) {
          if (n < 0n || n > LAST) continue;
          expect(at(Number(n)), `step ${n}`).toBe(wanted(n, width, period, start, dt) ? 1 : 0);
        }
      }
    });
    await fc.assert(property, { numRuns: 3000, seed: 5 });
  });

  test('as long as their period never end', async () => {
    for (const period of [0.1, 0.7, 1000, 1e9]) {
      const { at } = await linkInput({ kind: 'pulses', amplitude: 1, width: period, period, start: 0.3 }, 0.1);
      expect([at(0), at(2), at(3), at(LAST)]).toEqual([0, 0, 1, 1]);
      for (let j = 0; j < 1000; j++) expect(at(Math.floor(j * 4e6))).toBe(j > 0 ? 1 : 0);
    }
  });
});

describe('a sine', () => {
  test('is at its angle all the way to the last step', async () => {
    const frequency = fc.integer({ min: -10_000_000, max: 10_000_000 });
    const property = fc.asyncProperty(frequency, fc.nat(LAST), async (frequency, n) => {
      const dt = 0.1;
      const { at } = await linkInput({ kind: 'sine', amplitude: 1, frequency: frequency / 1000 }, dt);
      // Hz/1000 times ms/10, in 1e-7 turns.
      const turns = Number((BigInt(frequency) * BigInt(n)) % 10_000_000n) / 1e7;
      // The turns of a step are rounded to 53 bits, twice, and a negative part of one as what is left of a whole one.
      const lost = 2 * Math.PI * n * (Math.abs(frequency * dt * 1e-6) * 2 ** -52 + 2 ** -54);
      expect(Math.abs(at(n) - Math.sin(2 * Math.PI * turns))).toBeLessThan(WAVE + lost);
    });
    await fc.assert(property, { numRuns: 1000, seed: 5 });
  });
});

describe('a step and a ramp', () => {
  test('have their edges also in the last steps', async () => {
    const [start, stop] = [LAST - 10, LAST - 2];
    const { at: step } = await linkInput({ kind: 'step', amplitude: 1, start, stop }, 1);
    const { at: ramp } = await linkInput({ kind: 'ramp', from: 8, to: 16, start, stop }, 1);
    const around = [0, start - 1, start, start + 1, stop - 1, stop, LAST];
    expect(around.map(step)).toEqual([0, 0, 1, 1, 1, 0, 0]);
    expect(around.map(ramp)).toEqual([0, 0, 8, 9, 15, 16, 16]);
  });

  test('that have no end have none', async () => {
    const { at } = await linkInput({ kind: 'step', amplitude: 1 }, 0.1);
    expect([at(0), at(LAST)]).toEqual([1, 1]);
  });
});

describe('currents with a memory', () => {
  test.each([1e-2, 1e-4, 1e-6])('forget at the pace asked for, at dt / tau = %d', async (share) => {
    const given: [Input, string, string][] = [
      [{ kind: 'ornstein_uhlenbeck', sd: 1, tau: 1 / share }, 'deviation', 'spread'],
      [{ kind: 'poisson_shot_noise', rate: 0, weight: 1, tau: 1 / share }, 'current', 'kick'],
    ];
    for (const [input, state, drawn] of given) {
      const { at, numbers } = await linkInput(input, 1);
      numbers[state]?.fill(1);
      numbers[drawn]?.fill(0);
      const steps = Math.ceil(0.5 / share);
      for (let n = 0; n < steps; n++) at(n);
      expect(Math.abs((numbers[state]?.[0] as number) - Math.exp(-steps * share))).toBeLessThan(FORGOTTEN);
    }
  });

  test('have a stationary sd of 1 however slow they are', async () => {
    for (const share of [1, 1e-3, 1e-6, 1e-9]) {
      const { numbers } = await linkInput({ kind: 'ornstein_uhlenbeck', sd: 1, tau: 1 / share }, 1);
      const [loss, spread] = ['loss', 'spread'].map((name) => numbers[name]?.[0] as number) as [number, number];
      expect(Math.abs(spread ** 2 / (loss * (2 - loss)) - 1)).toBeLessThan(4 * 2 ** -24);
    }
  });
});
