// A saved simulation that goes on as another: with other inputs, or recording something else.

import { describe, expect, test } from 'vitest';
import {
  AdaptiveExponentialSoma,
  BusyError,
  DisposedError,
  type Input,
  type Population,
  type Recording,
  Simulation,
  uniform,
} from '../../src/index.ts';
import { backends, openDevice, type TestBackend } from '../support/backends.ts';
import { expectSameBits } from '../support/outcome.ts';

const NOISE: Input = { kind: 'ornstein_uhlenbeck', mean: 40, sd: 20, tau: 5 };
const WAVE: Input = { kind: 'sine', amplitude: 30, frequency: 20 };

async function saved({ open }: TestBackend, input: Input[], record: Recording = {}): Promise<ArrayBuffer> {
  const simulation = await open({ dt: 0.1, seed: 5 });
  simulation.add(AdaptiveExponentialSoma, { name: 'cells', units: 300, input, record });
  await simulation.run(40);
  return simulation.save();
}

type Changed = NonNullable<Parameters<typeof Simulation.restore>[1]>['changed'];

/** The cells after so many ms more, and what they are then. */
async function goOn({ name }: TestBackend, bytes: ArrayBuffer, changed?: Changed, ms = 30) {
  const device = name === 'webgpu' ? await openDevice() : undefined;
  await using simulation = await Simulation.restore(bytes, { backend: name, device, changed });
  const [cells] = simulation.populations as [Population];
  await simulation.run(ms);
  return {
    time: simulation.time,
    potential: await cells.readState('potential'),
    counts: await cells.spikeCounts(),
    cells,
  };
}

describe.each(backends)('a simulation that is restored with something changed, on $name', (backend) => {
  test('records other things from there on, and computes the same', async () => {
    const bytes = await saved(backend, [NOISE, WAVE], { spikes: true });
    const as = await goOn(backend, bytes);
    const record = { states: { potential: { neurons: [7, 3] } } };
    const other = await goOn(backend, bytes, { cells: { record } });
    expectSameBits(other.potential, as.potential, 'potential');
    expectSameBits(other.counts, as.counts, 'counts');
    expect(other.cells.recordsSpikes).toBe(false);
    const { steps, neurons, values } = await other.cells.trace('potential');
    expect([steps[0], steps.length, ...neurons]).toEqual([400, 300, 7, 3]);
    expect(values.at(-1)).toBe(as.potential[3]);
    expect(as.cells.recordsSpikes).toBe(true);
  });

  test('gathers statistics anew', async () => {
    const bytes = await saved(backend, [NOISE], { statistics: { potential: {} } });
    const { cells } = await goOn(backend, bytes, { cells: { record: { statistics: { adaptation: {} } } } });
    expect(cells.gatheredStates).toEqual(['adaptation']);
  });

  test('has other inputs from there on, at its own time; noise that stays goes on', async () => {
    const bytes = await saved(backend, [NOISE, WAVE]);
    const as = await goOn(backend, bytes);
    expect(as.time).toBeCloseTo(70, 9);
    const same = await goOn(backend, bytes, { cells: { input: [NOISE, WAVE] } });
    expectSameBits(same.potential, as.potential, 'potential');
    const more = await goOn(backend, bytes, { cells: { input: [NOISE, WAVE, { kind: 'constant', amplitude: 0 }] } });
    expectSameBits(more.potential, as.potential, 'potential');
    const none = await goOn(backend, bytes, { cells: { input: [] } }, 1000);
    expect(Math.max(...none.potential)).toBeLessThan(-69.9);
    const later: Input = { kind: 'step', amplitude: 500, start: 60 };
    const before = await goOn(backend, bytes, { cells: { input: [later] } }, 19);
    const after = await goOn(backend, bytes, { cells: { input: [later] } }, 30);
    expect(Math.min(...after.counts.map((count, i) => count - (before.counts[i] as number)))).toBeGreaterThan(0);
  });

  test('may be the running one itself: the same as from its bytes, and that one stays as it is', async () => {
    const device = backend.name === 'webgpu' ? await openDevice() : undefined;
    await using first = await Simulation.create({ dt: 0.1, seed: 5, backend: backend.name, device });
    const read = (begin: number, steps: number) => Float32Array.from({ length: steps }, (_, i) => 0.1 * (begin + i));
    const input: Input[] = [NOISE, { kind: 'array', read, shape: [2000] }];
    const parameters = { resistance: uniform(0.4, 0.6) };
    const record: Recording = { spikes: { last: 50 }, rate: { bin: 7, last: 49 } };
    const cells = first.add(AdaptiveExponentialSoma, { name: 'cells', units: 300, input, parameters, record });
    await first.run(40);
    const bytes = await first.save();
    const sources = { 'cells.input[1]': read };
    const there = { backend: backend.name, device };
    const open = async (from: ArrayBuffer | Simulation, given: object = {}) => {
      await using simulation = await Simulation.restore(from, { ...there, ...given });
      const [again] = simulation.populations as [Population];
      await simulation.run(30);
      return { potential: await again.readState('potential'), spikes: await again.spikes(), rate: await again.rate() };
    };
    const expected = await open(bytes, { sources });
    expect(await open(first)).toEqual(expected);
    const changed = { cells: { record: { states: { potential: { neurons: [3] } } } } };
    await using other = await Simulation.restore(first, { ...there, changed });
    expect(await (other.populations[0] as Population).readState('potential')).toEqual(
      await cells.readState('potential'),
    );
    expect(new Uint8Array(await first.save())).toEqual(new Uint8Array(bytes));
    await first.run(30);
    const { spikes, rate } = { spikes: await cells.spikes(), rate: await cells.rate() };
    expect({ potential: await cells.readState('potential'), spikes, rate }).toEqual(expected);
  });

  test('is refused while the one that it comes from runs, or when that is gone', async () => {
    const first = await backend.open({ dt: 0.1, seed: 5 });
    first.add(AdaptiveExponentialSoma, { name: 'cells', units: 300 });
    const running = first.run(1000);
    await expect(Simulation.restore(first)).rejects.toThrow(BusyError);
    await running;
    first.dispose();
    await expect(Simulation.restore(first)).rejects.toThrow(DisposedError);
  });

  test('refuses populations and keys that there are not', async () => {
    const bytes = await saved(backend, [NOISE]);
    const restoreWith = (changed: object) => goOn(backend, bytes, changed as Changed, 0.1);
    await expect(restoreWith({ cell: { record: {} } })).rejects.toThrow(/changed.*did you mean "cells"/);
    await expect(restoreWith({ cells: { units: 3 } })).rejects.toThrow(/changed\.cells.*"units"/);
    await expect(restoreWith({ cells: {} })).resolves.toBeDefined();
  });
});
