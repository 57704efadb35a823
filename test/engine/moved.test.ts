// Values that a slider has moved, beside those that the engine draws for the same set-up.

import { expect, test } from 'vitest';
import { movedTo, populationOf, type Setup, STANDARD } from '../../src/demo/setup.ts';
import { InputError, type Population, Simulation } from '../../src/index.ts';
import { MOVED } from '../support/tolerances.ts';

const UNITS = 4096;
const WIDE: Setup = { ...STANDARD, units: UNITS };

async function drawn(setup: Setup): Promise<Population> {
  const { dt, seed } = setup;
  const simulation = await Simulation.create({ dt, seed, backend: 'cpu', workers: 0 });
  const { soma, options } = populationOf(setup);
  return simulation.add(soma, options);
}

const valuesOf = async (setup: Setup, name: string) => (await drawn(setup)).readParameter(name) as Float32Array;

test.each<[string, string, Partial<Setup>]>([
  ['another mean', 'potential_tau', { parameters: { potential_tau: 7.3 } }],
  ['another spread', 'potential_tau', { spread: { potential_tau: 0.25, resistance: 0.05 } }],
  ['both', 'resistance', { parameters: { resistance: 0.31 }, spread: { resistance: 0.2 } }],
])('with %s they are those that would be drawn, to the last bits', async (_, name, change) => {
  const after = { ...WIDE, ...change };
  const moved = movedTo(await valuesOf(WIDE, name), name, WIDE, after) as Float32Array;
  const right = await valuesOf(after, name);
  const mean = right.reduce((sum, value) => sum + value) / UNITS;
  const off = moved.map((value, i) => Math.abs(value - (right[i] as number)) / mean);
  expect(Math.max(...off)).toBeLessThan(MOVED);
  // They are not simply all alike.
  expect(new Set(right).size).toBeGreaterThan(UNITS / 2);
});

test('where a bound of the parameter cuts the spread, or there is none, they have to be drawn', async () => {
  const values = await valuesOf(WIDE, 'potential_tau');
  // Three deviations below 5 ms would be less than nothing.
  const cut = { ...WIDE, spread: { potential_tau: 0.5 } };
  expect(movedTo(values, 'potential_tau', WIDE, cut)).toBeUndefined();
  expect(movedTo(values, 'potential_tau', WIDE, { ...WIDE, spread: {} })).toBeUndefined();
  expect(movedTo(values, 'potential_tau', { ...WIDE, spread: {} }, WIDE)).toBeUndefined();
});

test('a parameter that is read is a number or a copy of its values; one that is not there is refused', async () => {
  const cells = await drawn(WIDE);
  expect(cells.readParameter('spike_slope')).toBe(2);
  const values = cells.readParameter('resistance') as Float32Array;
  expect(values).toHaveLength(UNITS);
  values.fill(0);
  expect((cells.readParameter('resistance') as Float32Array)[0]).toBeGreaterThan(0.3);
  expect(() => cells.readParameter('resistence')).toThrow(InputError);
  expect(() => cells.readParameter('resistence')).toThrow('did you mean "resistance"');
});
