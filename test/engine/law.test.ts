// The order and the edges of one step, in numbers that float32 holds exactly: rest 0 mV, tau and dt 1 ms, an onset so far
// away that its exponential is 0. A step then gives V = resistance * (current - adaptation), without any rounding.

import { describe, expect, test } from 'vitest';
import type { Soma, Value } from '../../src/index.ts';
import { backends, type TestBackend } from '../support/backends.ts';
import { addCells, type Cells } from '../support/outcome.ts';
import { somas } from '../support/reference.ts';
import { EXPONENTIAL, FORCED } from '../support/tolerances.ts';

const plain: Record<string, Value> = {
  potential_rest: 0,
  potential_reset: 8,
  potential_tau: 1,
  resistance: 0.5,
  threshold: 32,
  rheobase_threshold: 1000,
  spike_slope: 1,
};

async function add({ open }: TestBackend, soma: string, parameters: Record<string, Value>, neurons = 1) {
  const simulation = await open({ dt: 1 });
  const cells = addCells(simulation, somas[soma] as Soma, {
    name: 'cells',
    units: neurons,
    parameters: { ...plain, ...parameters },
    record: { spikes: true },
  });
  return { simulation, cells };
}

const read = async (cells: Cells, state: string) => Array.from(await cells.readState(state));

describe.each(backends)('one step, on $name', (backend) => {
  test('a potential at the threshold is no spike, one a bit above it is', async () => {
    const { simulation, cells } = await add(backend, 'ExponentialSoma', {}, 2);
    const above = 64 * (1 + 2 ** -23);
    expect((await simulation.step({ cells: [64, above] })).cells).toEqual(Int8Array.of(0, 1));
    expect(await read(cells, 'potential')).toEqual([32, 8]);
  });

  test('the exponential is itself up to exponent 80 and stays there above: a blocked potential is never infinite', async () => {
    const { simulation, cells } = await add(backend, 'RefractoryExponentialSoma', { rheobase_threshold: 0 }, 4);
    cells.setState({ potential: [10, 79, 81, 1e9], blocked: 5 });
    await simulation.step();
    const expected = [10, 79, 80, 80].map(Math.exp);
    for (const [i, potential] of (await read(cells, 'potential')).entries())
      expect(Math.abs(potential / (expected[i] as number) - 1), `neuron ${i}`).toBeLessThan(EXPONENTIAL);
  });

  test('adaptation pulls with its value of the step before, then follows the reset potential, then jumps', async () => {
    const adaptation = { adaptation_tau: 4, adaptation_delta: 16, adaptation_subthreshold: 0.5 };
    const { simulation, cells } = await add(backend, 'AdaptiveExponentialSoma', adaptation, 2);
    cells.setState({ adaptation: 8 });
    await simulation.step({ cells: [40, 100] });
    // 0.5 (40 - 8) = 16 stays; 0.5 (100 - 8) = 46 spikes and is reset to 8.
    expect(await read(cells, 'potential')).toEqual([16, 8]);
    // 8 + (-8 + 0.5 * 16) / 4 = 8, and 8 + (-8 + 0.5 * 8) / 4 + 16 = 23.
    expect(await read(cells, 'adaptation')).toEqual([8, 23]);
  });

  test.each(['RefractoryExponentialSoma', 'SimplifiedAdaptiveExponentialSoma'])(
    '%s: the first step, and cooldown + 1 steps after a spike, take no input and cannot spike',
    async (soma) => {
      const { simulation, cells } = await add(backend, soma, { cooldown: 2 });
      const seen: number[][] = [];
      for (let step = 0; step < 6; step++) {
        const [spike] = (await simulation.step({ cells: 1000 })).cells as Int8Array;
        seen.push([spike as number, ...(await read(cells, 'potential')), ...(await read(cells, 'blocked'))]);
      }
      // The leak goes on while it is blocked: a step of dt = tau brings the potential to rest.
      expect(seen).toEqual([
        [0, 0, 0],
        [1, 8, 3],
        [0, 0, 2],
        [0, 0, 1],
        [0, 0, 0],
        [1, 8, 3],
      ]);
    },
  );

  test('a blocked soma does not spike even above its threshold', async () => {
    const { simulation, cells } = await add(backend, 'RefractoryExponentialSoma', { potential_tau: 2 }, 2);
    cells.setState({ potential: 100, blocked: [1, 0] });
    expect((await simulation.step()).cells).toEqual(Int8Array.of(0, 1));
    expect(await read(cells, 'potential')).toEqual([50, 8]);
  });

  test('a cooldown becomes whole steps as float32 rounds its quotient, halves to even', async () => {
    const simulation = await backend.open({ dt: 0.1 });
    const cooldown = [0, 0.1, 0.15, 0.25, 0.35, 0.95, 2];
    const input = [{ kind: 'constant' as const, amplitude: 1e6 }];
    const parameters = { ...plain, cooldown };
    const soma = somas.RefractoryExponentialSoma as Soma;
    const cells = addCells(simulation, soma, { units: cooldown.length, parameters, input });
    await simulation.run(0.2);
    expect(await read(cells, 'blocked')).toEqual([0, 1, 2, 2, 4, 10, 20].map((steps) => steps + 1));
  });

  test('RefractoryAdaptiveExponentialSoma: exactly the cooldown after a spike is held at reset, adaptation goes on', async () => {
    const adaptation = { adaptation_tau: 2, adaptation_delta: 16, adaptation_subthreshold: 0.5, cooldown: 2 };
    const { simulation, cells } = await add(backend, 'RefractoryAdaptiveExponentialSoma', adaptation);
    const seen: number[][] = [];
    for (let step = 0; step < 5; step++) {
      const [spike] = (await simulation.step({ cells: 1000 })).cells as Int8Array;
      const states = ['potential', 'blocked', 'adaptation'].map((state) => read(cells, state));
      seen.push([spike as number, ...(await Promise.all(states)).flat()]);
    }
    // Each step leaves w / 2 + 0.25 * 8 of it, and a spike 16 more.
    expect(seen).toEqual([
      [1, 8, 2, 18],
      [0, 8, 1, 11],
      [0, 8, 0, 7.5],
      [1, 8, 2, 21.75],
      [0, 8, 1, 12.875],
    ]);
  });

  test('what is held at reset spikes neither there nor before, though its potential was above its threshold', async () => {
    const adaptation = { adaptation_tau: 2, adaptation_delta: 16, adaptation_subthreshold: 0.5, cooldown: 2 };
    const { simulation, cells } = await add(backend, 'RefractoryAdaptiveExponentialSoma', adaptation, 2);
    cells.setState({ potential: 100, blocked: [1, 0] });
    expect((await simulation.step({ cells: 1000 })).cells).toEqual(Int8Array.of(0, 1));
    expect(await read(cells, 'potential')).toEqual([8, 8]);
  });

  test.each([
    ['RefractoryAdaptiveExponentialSoma', 1, 2, 2],
    ['RefractoryAdaptiveExponentialSoma', 0.1, 2, 20],
    ['RefractoryAdaptiveExponentialSoma', 0.25, 0.6, 2],
    ['RefractoryAdaptiveExponentialSoma', 0.5, 0.2, 0],
    ['RefractoryAdaptiveExponentialSoma', 0.1, 0, 0],
    ['RefractoryExponentialSoma', 1, 2, 3],
    ['RefractoryExponentialSoma', 0.1, 2, 21],
  ])(
    '%s at dt %d ms with a cooldown of %d ms lets %d steps pass between spikes at least',
    async (name, dt, cooldown, pause) => {
      const simulation = await backend.open({ dt });
      const input = [{ kind: 'constant' as const, amplitude: 1e6 }];
      const cells = addCells(simulation, somas[name] as Soma, {
        units: 1,
        parameters: { ...plain, potential_tau: dt, cooldown },
        input,
        record: { spikes: true },
      });
      await simulation.run(100 * dt);
      const { steps } = await cells.spikes();
      const intervals = Array.from(steps.subarray(1), (step, i) => step - (steps[i] as number));
      expect(new Set(intervals)).toEqual(new Set([pause + 1]));
    },
  );

  test('the moving threshold is tested before it decays to its base and jumps', async () => {
    const moving = { cooldown: 0, threshold_tau: 1 / Math.LN2, threshold_delta: 16 };
    const { simulation, cells } = await add(backend, 'SimplifiedAdaptiveExponentialSoma', moving, 3);
    cells.setState({ blocked: 0, threshold: 48 });
    expect((await simulation.step({ cells: [80, 96, 98] })).cells).toEqual(Int8Array.of(0, 0, 1));
    const thresholds = await read(cells, 'threshold');
    // Half-way back to 32 in a step; exp(-ln 2) is not exact.
    for (const [i, expected] of [40, 40, 56].entries())
      expect(Math.abs((thresholds[i] as number) - expected)).toBeLessThan(FORCED);
  });
});
