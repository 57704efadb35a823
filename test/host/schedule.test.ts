// How much goes into a submit, as the times of blocks say.

import { describe, expect, test } from 'vitest';
import { Schedule } from '../../src/schedule.ts';

/** Blocks that fill submits, one after the other, on a device that makes so many updates a ms. */
function afterBlocks(schedule: Schedule, rates: readonly number[], now = 1000): number {
  for (const rate of rates) {
    const updates = 4 * schedule.updates;
    const begin = now;
    now += updates / rate;
    schedule.took(updates, begin, now);
  }
  return now;
}

const many = (rate: number, blocks = 20): number[] => Array<number>(blocks).fill(rate);

describe('a submit', () => {
  test.each([1e4, 3e5, 2e7])('takes 30 ms after some blocks on a device of %d updates a ms', (rate) => {
    const schedule = new Schedule();
    afterBlocks(schedule, many(rate));
    expect(schedule.updates / rate).toBeCloseTo(30, 0);
  });

  test('never takes more than 50 ms on the way there, where the device makes 10,000 updates a ms or more', () => {
    for (const rate of [1e4, 1e5, 1e6, 1e8]) {
      const schedule = new Schedule();
      for (let blocks = 0; blocks < 20; blocks++) {
        expect(schedule.updates / rate).toBeLessThan(53);
        afterBlocks(schedule, [rate], 1e6 * blocks);
      }
    }
  });

  test('is made for a device that has become slower, and for one that has become faster', () => {
    const schedule = new Schedule();
    const now = afterBlocks(schedule, many(3e5));
    const later = afterBlocks(schedule, many(5e4), now);
    expect(schedule.updates / 5e4).toBeCloseTo(30, 0);
    afterBlocks(schedule, many(3e5), later);
    expect(schedule.updates / 3e5).toBeCloseTo(30, 0);
  });

  test('is not made shorter because the host was late to see some blocks done', () => {
    const schedule = new Schedule();
    const now = afterBlocks(schedule, many(3e5));
    const before = schedule.updates;
    afterBlocks(schedule, [1e3, 3e5, 2e3, 3e5, 3e5], now);
    expect(schedule.updates).toBeCloseTo(before, -3);
  });

  test('learns nothing from a block that is small and quick, but does from one that is small and slow', () => {
    const schedule = new Schedule();
    const now = afterBlocks(schedule, many(3e5));
    const before = schedule.updates;
    for (let i = 0; i < 10; i++) schedule.took(100, now + 10 * i, now + 10 * i + 2);
    expect(schedule.updates).toBe(before);
    for (let i = 0; i < 10; i++) schedule.took(1e5, now + 1000 * (i + 1), now + 1000 * (i + 1) + 100);
    expect(schedule.updates).toBeLessThan(before / 10);
  });

  test('counts the time of a block from when the one before it was done', () => {
    const schedule = new Schedule();
    // Two in flight: each is submitted while the one before has just begun.
    for (let i = 0, begin = 0; i < 20; i++) {
      const updates = 4 * schedule.updates;
      const done = begin + updates / 3e5;
      schedule.took(updates, begin - 5, done);
      begin = done;
    }
    expect(schedule.updates / 3e5).toBeCloseTo(30, 0);
  });
});
