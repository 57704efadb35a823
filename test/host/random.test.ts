// Random numbers: Random123's known answers, then what a user counts on: even, independent, and the same again.

import { describe, expect, test } from 'vitest';
import { hashName, philox, uniforms } from '../../src/random.ts';
import { correlation, evenness } from '../support/statistics.ts';
import { CHANCE } from '../support/tolerances.ts';

const DRAWS = 100_000;
/** What the numbers are drawn for, where it does not matter. */
const PURPOSE = 2;

/** The first draws of the first neurons. */
const draw = (seed: number, population: string, quantity: string, neurons = DRAWS, nth = 0): Float64Array => {
  const source = uniforms(seed, population, PURPOSE, 0, quantity);
  return Float64Array.from({ length: neurons }, (_, neuron) => source(neuron, nth));
};

const words = (text: string): number[] => text.split(' ').map((word) => Number.parseInt(word, 16));

describe('philox4x32-10', () => {
  const ones = 'ffffffff ffffffff ffffffff ffffffff';
  test.each([
    ['zeros', '0 0 0 0', '0 0', '6627e8d5 e169c58d bc57ac4c 9b00dbd8'],
    ['ones', ones, 'ffffffff ffffffff', '408f276d 41c83b0e a20bc7c6 6d5451fd'],
    [
      'the digits of pi',
      '243f6a88 85a308d3 13198a2e 03707344',
      'a4093822 299f31d0',
      'd16cfe09 94fdcceb 5001e420 24126ea1',
    ],
  ])("gives Random123's known answer for %s", (_, counter, key, answer) => {
    expect([...philox(words(counter), words(key), new Uint32Array(4))]).toEqual(words(answer));
  });

  test('gives back the words it was given to fill, and leaves counter and key as they were', () => {
    const [counter, key, target] = [Uint32Array.of(1, 2, 3, 4), Uint32Array.of(5, 6), new Uint32Array(4)];
    expect(philox(counter, key, target)).toBe(target);
    expect([...counter, ...key]).toEqual([1, 2, 3, 4, 5, 6]);
  });
});

describe('the hash of a name', () => {
  test.each([
    ['', 0x811c9dc5],
    ['a', 0xe40c292c],
    ['foobar', 0xbf9cf968],
  ])("gives FNV-1a's published value for %j", (name, hash) => {
    expect(hashName(name)).toBe(hash);
  });

  test('has the top bit in an unsigned number', () => {
    for (const name of ['a', 'cells', 'potential', 'spike_slope']) expect(hashName(name)).toBeGreaterThanOrEqual(0);
  });
});

describe('uniform numbers', () => {
  const seeds = [0, 1, 4294967295];

  test('are the middles of 2^32 equal cells: the first word for neuron, draw, quantity, input and purpose', () => {
    const source = uniforms(4294967295, 'cells', 3, 5, 'potential');
    for (const [neuron, nth] of [
      [0, 0],
      [5, 2],
      [4294967295, 7],
    ] as const) {
      const counter = [neuron, nth, hashName('potential') + 5, 3];
      const [word = 0] = philox(counter, [4294967295, hashName('cells')], new Uint32Array(4));
      expect(source(neuron, nth) * 4294967296).toBe(word + 0.5);
    }
  });

  test.each(seeds)('lie strictly between 0 and 1 and are even by Kolmogorov and Smirnov (seed %i)', (seed) => {
    const values = draw(seed, 'cells', 'potential').sort();
    expect(values[0]).toBeGreaterThan(0);
    expect(values[DRAWS - 1]).toBeLessThan(1);
    expect(evenness(values)).toBeGreaterThan(CHANCE.p);
  });

  test('would fail the same test if they were bent to the power 1.03', () => {
    const values = draw(0, 'cells', 'potential');
    expect(evenness(values.map((value) => value ** 1.03))).toBeLessThan(CHANCE.p);
  });

  test('of neighbouring neurons are not correlated, near or far', () => {
    const values = draw(7, 'cells', 'potential');
    for (const lag of [1, 2, 4, 64, 256]) {
      expect(Math.abs(correlation(values, values.subarray(lag))), `lag ${lag}`).toBeLessThan(CHANCE.z);
    }
  });

  test.each([
    ['quantities', draw(7, 'cells', 'spike_slope')],
    ['populations', draw(7, 'cellt', 'potential')],
    ['neighbouring seeds', draw(8, 'cells', 'potential')],
    ['draws of one neuron', draw(7, 'cells', 'potential', DRAWS, 1)],
  ])('of different %s are not correlated', (_, other) => {
    expect(Math.abs(correlation(draw(7, 'cells', 'potential'), other))).toBeLessThan(CHANCE.z);
  });

  test('would fail the same test if a twentieth of one were in the other', () => {
    const [one, other] = [draw(7, 'cells', 'potential'), draw(8, 'cells', 'potential')];
    expect(
      correlation(
        one,
        other.map((value, i) => value + 0.05 * (one[i] as number)),
      ),
    ).toBeGreaterThan(CHANCE.z);
  });

  test.each([
    ['seed', draw(8, 'cells', 'potential', 1000)],
    ['population', draw(7, 'cell', 'potential', 1000)],
    ['quantity', draw(7, 'cells', 'blocked', 1000)],
    ['draw', draw(7, 'cells', 'potential', 1000, 1)],
    ['purpose', Float64Array.from({ length: 1000 }, (_, i) => uniforms(7, 'cells', 1, 0, 'potential')(i, 0))],
    ['input', Float64Array.from({ length: 1000 }, (_, i) => uniforms(7, 'cells', PURPOSE, 1, 'potential')(i, 0))],
  ])('differ, all of them, with another %s', (_, other) => {
    const values = draw(7, 'cells', 'potential', 1000);
    expect(values.filter((value, i) => value === other[i])).toHaveLength(0);
  });

  test('are the same for the same seed, population, quantity, neuron and draw, in whatever order they are asked for', () => {
    const forward = draw(7, 'cells', 'potential', 1000);
    const source = uniforms(7, 'cells', PURPOSE, 0, 'potential');
    for (let neuron = 999; neuron >= 0; neuron--) {
      source(neuron, 1);
      expect(source(neuron, 0)).toBe(forward[neuron]);
    }
  });
});
