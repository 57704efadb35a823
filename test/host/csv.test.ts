// CSV: what is written reads back to the same numbers, with no digit too many.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { csvHead, csvRows } from '../../src/files/index.ts';

describe('the head of a CSV file', () => {
  test('names the columns, below a comment on one line', () => {
    expect(csvHead(['step', 'neuron'])).toBe('step,neuron\n');
    expect(csvHead(['step'], '{\n  "seed": 7\n}')).toBe('# { "seed": 7 }\nstep\n');
  });
});

describe('rows of a CSV file', () => {
  test('have the columns side by side, the wide ones row-major', () => {
    const columns = [Uint32Array.of(0, 7), Float64Array.of(0.1, 0.8), Float32Array.of(-70, -69.9, 1.5, -0)];
    expect(csvRows(columns)).toBe('0,0.1,-70,-69.9\n7,0.8,1.5,-0\n');
    expect(csvRows([Uint32Array.of(3), Int8Array.of(-1), BigInt64Array.of(2n ** 60n)])).toBe(`3,-1,${2n ** 60n}\n`);
    expect(csvRows([new Uint32Array(0), new Float32Array(0)])).toBe('');
    expect(csvRows([Uint32Array.of(1, 2), new Float32Array(0)])).toBe('1\n2\n');
  });

  test('of any pieces are those of the whole', () => {
    const [steps, values] = [Uint32Array.of(1, 2, 3), Float32Array.of(1, 2, 3, 4, 5, 6)];
    const pieces =
      csvRows([steps.subarray(0, 1), values.subarray(0, 2)]) + csvRows([steps.subarray(1), values.subarray(2)]);
    expect(pieces).toBe(csvRows([steps, values]));
  });

  test('give every float32 back', () => {
    const bits = fc.uint32Array({ minLength: 1, maxLength: 50 });
    fc.assert(
      fc.property(bits, (words) => {
        const values = new Float32Array(words.slice().buffer);
        const back = Float32Array.from(csvRows([values]).trimEnd().split('\n'), Number);
        for (const [i, value] of values.entries()) expect(back[i]).toBe(value);
      }),
      { numRuns: 2000 },
    );
  });

  test('have no digit that a float32 does not need', () => {
    const text = (value: number) => csvRows([Float32Array.of(value)]).trimEnd();
    const few = ['0.1', '-70.6', '0.3', '16777216', '3.4028235e+38', '1e-45', '1.1754944e-38', '-50.4', '33554432'];
    for (const value of few) expect(text(Number(value))).toBe(value);
    expect([Number.NaN, Infinity].map(text)).toEqual(['NaN', 'Infinity']);
    fc.assert(
      fc.property(fc.integer({ min: -999_999, max: 999_999 }), fc.nat({ max: 6 }), (digits, places) => {
        const short = String(Number(`${digits}e-${places}`));
        expect(text(Number(short))).toBe(short);
      }),
    );
  });

  test('have times without the rounding of their product', () => {
    const times = Float64Array.from({ length: 1000 }, (_, step) => (step + 1) * 0.1);
    const text = csvRows([times]).trimEnd().split('\n');
    expect(text).toEqual(Array.from({ length: 1000 }, (_, step) => String((step + 1) / 10)));
    expect(csvRows([Float64Array.of(4294967295 * 0.05)])).toBe('214748364.75\n');
  });
});
