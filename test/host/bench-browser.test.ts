import { describe, expect, test } from 'vitest';
import { CHECKED, complaint, expected } from '../../bench/browser/work.ts';

describe('the work of the browser benchmark', () => {
  test('fires at 34.5 Hz in the first 100 ms, 68.8 % of the neurons, in float64', () => {
    const { rate, fired } = expected(CHECKED);
    expect(rate).toBeCloseTo(34.5, 1);
    expect(fired).toBeCloseTo(0.688, 3);
  });

  test('complains of a wrong rate, of silent neurons and of lost recordings, not of rounding', () => {
    const right = expected(CHECKED);
    expect(complaint({ ...right, rate: right.rate * 1.002, fired: right.fired + 0.001 }, right)).toBeUndefined();
    expect(complaint({ ...right, recordedRate: right.rate }, right)).toBeUndefined();
    expect(complaint({ ...right, rate: right.rate * 1.02 }, right)).toMatch(/not 34\.46/);
    expect(complaint({ ...right, fired: right.fired - 0.01 }, right)).toMatch(/not 34\.46 Hz and 68\.8 % fired/);
    expect(complaint({ ...right, recordedRate: right.rate * 0.999 }, right)).toMatch(/recorded/);
  });
});
