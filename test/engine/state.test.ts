// Saving and restoring: what goes on from a saved simulation is what would have gone on without it, bit for bit.

import { describe, expect, test } from 'vitest';
import {
  AdaptiveExponentialSoma as AdEx,
  BusyError,
  DisposedError,
  FileError,
  gamma,
  InputError,
  NoBackendError,
  normal,
  type RestoreOptions,
  Simulation,
  type Soma,
  sparse,
  uniform,
} from '../../src/index.ts';
import { pack, unpack } from '../../src/packed.ts';
import type { PopulationState } from '../../src/population.ts';
import { backends, openDevice, restored, type TestBackend } from '../support/backends.ts';
import {
  addCells,
  type CellOptions,
  type Cells,
  expectSameBits,
  expectSameOutcome,
  type Outcome,
  outcomeOf,
  ripple,
  somaNames,
  statesOf,
  variedParameters,
} from '../support/outcome.ts';
import { somas } from '../support/reference.ts';

const DT = 0.1;
const STEPS = 260;
/** Where it is saved: never a whole word of 32 steps. */
const PLACES = [1, 31, 45, 133];

const SOMAS = somaNames.map((name) => [name, somas[name] as Soma] as const);

/** A population that uses all there is. */
function everything(soma: Soma, neurons: number): CellOptions {
  const varied = variedParameters(soma);
  return {
    name: 'cells',
    units: [neurons / 10, 10],
    // As lists, typed arrays, initializers and numbers.
    parameters: {
      ...varied,
      spike_slope: Array.from({ length: neurons }, (_, i) => 1.5 + ((i * 7) % 10) / 10),
      resistance: Float32Array.from({ length: neurons }, (_, i) => 0.4 + ((i * 3) % 20) / 100),
      threshold: 38,
    },
    initial: { potential: Array.from({ length: neurons }, (_, i) => (i % 9) + 0.1) },
    input: [
      { kind: 'step', amplitude: uniform(80, 250), start: 1.7, stop: 21 },
      { kind: 'white_noise', mean: 10, sd: sparse(0.5, gamma(4, 10)) },
      { kind: 'white_noise', mean: 0, intensity: 9, shared: 'common' },
      { kind: 'array', values: ripple(STEPS, neurons), shape: [STEPS, neurons] },
      { kind: 'array', values: Array.from({ length: STEPS }, (_, i) => 5 * Math.sin(i)) },
      { kind: 'constant', amplitude: 12.5 },
    ],
    inhibitory: [0, 5, 9],
    record: { spikes: true, states: { potential: {}, [Object.keys(soma.states).at(-1) as string]: { every: 7 } } },
  };
}

const begun = ({ open }: TestBackend) => open({ dt: DT, seed: 5 });

/** What was recorded from a step on. */
function since({ spikes, traces, ...rest }: Outcome, step: number): Outcome {
  const from = spikes.steps.findIndex((one) => one >= step);
  const cut = (values: Uint32Array) => values.slice(from < 0 ? values.length : from);
  const late = Object.entries(traces).map(([state, { steps, neurons, values }]) => {
    const rows = steps.filter((one) => one < step).length;
    return [state, { steps: steps.slice(rows), neurons, values: values.slice(rows * neurons.length) }] as const;
  });
  return {
    ...rest,
    spikes: { steps: cut(spikes.steps), neurons: cut(spikes.neurons) },
    traces: Object.fromEntries(late),
  };
}

const cellsOf = ({ populations }: Simulation, name = 'cells'): Cells =>
  populations.find((population) => population.name === name) as Cells;

function expectActivity({ counts, spikes }: Outcome): void {
  expect(counts.filter((count) => count > 0).length).toBeGreaterThan(counts.length / 10);
  expect(spikes.steps.length).toBeGreaterThan(10);
}

describe.each(backends)('a simulation that was saved and restored, on $name', (backend) => {
  test.each(SOMAS)('goes on with %s as the one that was not, wherever it is saved', async (_, soma) => {
    const options = everything(soma, 130);
    const whole = await begun(backend);
    const cells = addCells(whole, soma, options);
    await whole.run(STEPS * DT);
    const expected = await outcomeOf(cells);
    for (const place of PLACES) {
      const first = await begun(backend);
      const begunCells = addCells(first, soma, options);
      await first.run(place * DT);
      const simulation = await restored(backend, await first.save());
      expect([simulation.steps, simulation.dt, simulation.seed, simulation.backend]).toEqual([
        place,
        DT,
        5,
        backend.name,
      ]);
      const again = cellsOf(simulation);
      expect([again.units, again.inhibitory]).toEqual([cells.units, cells.inhibitory]);
      for (const state of statesOf(cells))
        expectSameBits(await again.readState(state), await begunCells.readState(state), `${state} at step ${place}`);
      await simulation.run((STEPS - place) * DT);
      const outcome = await outcomeOf(again);
      expectSameOutcome(outcome, since(expected, place));
      expectActivity(outcome);
      // The one that was saved goes on as well.
      await first.run((STEPS - place) * DT);
      expectSameOutcome(await outcomeOf(begunCells), expected);
    }
  });

  test('is the same from the bytes of a second restoring, and saves to the same bytes while nothing is done', async () => {
    const first = await begun(backend);
    addCells(first, AdEx, everything(AdEx, 70));
    await first.run(7.7);
    const saved = await first.save();
    expectSameBits(new Uint32Array(await first.save()), new Uint32Array(saved), 'saved bytes');
    const second = await restored(backend, saved);
    expectSameBits(new Uint32Array(await second.save()), new Uint32Array(saved), 'bytes saved again');
    // From the middle of another buffer, at an odd place.
    const inside = new Uint8Array(saved.byteLength + 11);
    inside.set(new Uint8Array(saved), 5);
    const third = await restored(backend, inside.subarray(5, 5 + saved.byteLength));
    expectSameBits(new Uint32Array(await third.save()), new Uint32Array(saved), 'bytes saved from a view');
  });

  test('takes what initializers drew from the bytes: with another seed they would draw other numbers', async () => {
    const first = await begun(backend);
    const parameters = { resistance: uniform(0.4, 0.6), potential_tau: 20 };
    addCells(first, AdEx, { name: 'cells', units: 70, parameters, input: [] });
    const drawn = async (bytes: ArrayBuffer) => {
      const [cells] = (unpack(bytes) as { populations: { state: PopulationState }[] }).populations;
      return cells?.state.parameters ?? {};
    };
    const saved = await first.save();
    expect((await drawn(saved)).resistance).toHaveLength(70);
    const reseeded = await restored(backend, pack({ ...(unpack(saved) as object), seed: 6 }));
    const again = await drawn(await reseeded.save());
    expectSameBits(again.resistance as Float32Array, (await drawn(saved)).resistance as Float32Array, 'resistance');
    reseeded.reset();
    expect((await drawn(await reseeded.save())).resistance).not.toEqual(again.resistance);
  });

  test('has the parameters and states that were set before, and those of `add` after a reset', async () => {
    const options = everything(AdEx, 70);
    const change = (cells: Cells) => {
      cells.setParameters({ potential_rest: -1, threshold: normal(35, 1), spike_slope: 2, resistance: 0.5 });
      cells.setState({ adaptation: uniform(0, 30) });
    };
    const whole = await begun(backend);
    const cells = addCells(whole, AdEx, options);
    await whole.run(5);
    change(cells);
    await whole.run(STEPS * DT - 5);
    const expected = await outcomeOf(cells);

    const first = await begun(backend);
    const changed = addCells(first, AdEx, options);
    await first.run(5);
    change(changed);
    const simulation = await restored(backend, await first.save());
    await simulation.run(STEPS * DT - 5);
    const outcome = await outcomeOf(cellsOf(simulation));
    expectSameOutcome(outcome, since(expected, 50));
    expectActivity(outcome);

    simulation.reset();
    expect(simulation.steps).toBe(0);
    await simulation.run(STEPS * DT);
    const fresh = await begun(backend);
    const unchanged = addCells(fresh, AdEx, options);
    await fresh.run(STEPS * DT);
    expectSameOutcome(await outcomeOf(cellsOf(simulation)), await outcomeOf(unchanged));
  });

  test('has all its populations, those added later too, large and small', async () => {
    const large = { ...everything(AdEx, 5000), name: 'large' };
    const few = { ...everything(AdEx, 40), name: 'few', record: { spikes: true } };
    const follow = async (save: boolean) => {
      let simulation = await begun(backend);
      addCells(simulation, AdEx, large);
      await simulation.run(3.3);
      addCells(simulation, AdEx, few);
      // A name of its own making.
      addCells(simulation, AdEx, { units: 3, record: { spikes: true } });
      await simulation.run(2.8);
      if (save) simulation = await restored(backend, await simulation.save());
      await simulation.run(8);
      expect(simulation.populations.map(({ name }) => name)).toEqual(['large', 'few', 'population3']);
      return Promise.all(simulation.populations.map((population) => outcomeOf(population)));
    };
    const expected = await follow(false);
    const outcomes = await follow(true);
    for (const [i, outcome] of outcomes.entries()) expectSameOutcome(outcome, since(expected[i] as Outcome, 61));
    expectActivity(outcomes[0] as Outcome);
    expect((outcomes[1] as Outcome).spikes.steps.length).toBeGreaterThan(0);
  });

  test('is made of what was given to `add`, whatever became of the arrays since', async () => {
    const options = everything(AdEx, 70);
    const slopes = Array.from({ length: 70 }, (_, i) => 1.5 + i / 100);
    const resistance = new Float32Array(70).fill(0.45);
    const values = ripple(STEPS, 70);
    options.parameters = { ...options.parameters, spike_slope: slopes, resistance };
    options.input = [...(options.input ?? []), { kind: 'array', values, shape: [STEPS, 70] }];
    const follow = async (spoil: boolean) => {
      const first = await begun(backend);
      addCells(first, AdEx, options);
      await first.run(2);
      if (spoil) {
        values.fill(1e6);
        slopes.fill(2);
        resistance.fill(0.1);
      }
      const simulation = await restored(backend, await first.save());
      simulation.reset();
      await simulation.run(STEPS * DT);
      return outcomeOf(cellsOf(simulation));
    };
    const expected = await follow(false);
    expectSameOutcome(await follow(true), expected);
    expectActivity(expected);
  });

  test('goes on from where an abort stopped it', async () => {
    const simulation = await backend.open({ dt: DT, seed: 5, tuning: { blockSteps: 8 } });
    addCells(simulation, AdEx, everything(AdEx, 70));
    const abort = new AbortController();
    const onProgress = ({ steps }: { steps: number }) => steps >= 100 && abort.abort();
    await expect(simulation.run(STEPS * DT, { signal: abort.signal, onProgress })).rejects.toThrow('aborted');
    const { steps } = simulation;
    expect(steps).toBeLessThan(STEPS);
    const later = await restored(backend, await simulation.save());
    expect(later.steps).toBe(steps);
    await later.run((STEPS - steps) * DT);
    const whole = await begun(backend);
    const cells = addCells(whole, AdEx, everything(AdEx, 70));
    await whole.run(STEPS * DT);
    expectSameOutcome(await outcomeOf(cellsOf(later)), since(await outcomeOf(cells), steps));
  });

  test('goes on in the middle of a bin, and records the windows and rings it was told to', async () => {
    const record = {
      spikes: { neurons: [3, 1, 40], from: 3, to: 20 },
      rate: { bin: 1.7, from: 0.5 },
      states: { potential: { last: 22 }, adaptation: { last: 0 } },
    };
    const follow = async (save: boolean) => {
      let simulation = await begun(backend);
      addCells(simulation, AdEx, { ...everything(AdEx, 70), record });
      await simulation.run(7.7);
      if (save) simulation = await restored(backend, await simulation.save());
      await simulation.run(STEPS * DT - 7.7);
      const cells = cellsOf(simulation);
      return { outcome: await outcomeOf(cells), rate: await cells.rate() };
    };
    const [expected, { outcome, rate }] = [await follow(false), await follow(true)];
    expectSameOutcome({ ...outcome, traces: {} }, { ...since(expected.outcome, 77), traces: {} });
    // A ring holds what was before, too.
    expect(outcome.traces).toEqual(expected.outcome.traces);
    expect(outcome.traces.potential?.steps[0]).toBe(STEPS - 220);
    // The first 4 bins were complete.
    expect(Array.from(rate.counts)).toEqual(Array.from(expected.rate.counts.slice(4)));
    expect(Array.from(rate.steps)).toEqual(Array.from(expected.rate.steps.slice(4)));
    expect(rate.counts.some((count) => count > 0)).toBe(true);
  });

  test('without populations is one too', async () => {
    const first = await begun(backend);
    await first.run(1);
    const simulation = await restored(backend, await first.save());
    expect([simulation.steps, simulation.populations.length]).toEqual([10, 0]);
  });

  test('goes on, on the other path where that is named, with nearly the same numbers', async () => {
    const other = backends.find(({ name }) => name !== backend.name) as TestBackend;
    const first = await begun(backend);
    const cells = addCells(first, AdEx, everything(AdEx, 70));
    await first.run(3.7);
    const simulation = await restored(other, await first.save());
    expect(simulation.backend).toBe(other.name);
    for (const state of statesOf(cells))
      expectSameBits(await cellsOf(simulation).readState(state), await cells.readState(state), state);
    expectSameBits(await cellsOf(simulation).spikeCounts(), await cells.spikeCounts(), 'spike counts');
    await simulation.run(5);
    expect(simulation.steps).toBe(87);
    expect((await cellsOf(simulation).spikes()).steps.length).toBeGreaterThan(0);
  });
});

describe.each(backends)('saving, on $name', (backend) => {
  test('is refused during a run, as all but saving is during a save; afterwards all is well', async () => {
    const simulation = await begun(backend);
    const cells = addCells(simulation, AdEx, everything(AdEx, 70));
    const running = simulation.run(5);
    await expect(simulation.save()).rejects.toBeInstanceOf(BusyError);
    await running;
    const saving = simulation.save();
    await expect(simulation.run(1)).rejects.toThrow('run: a save is still going on; await it first');
    await expect(simulation.save()).rejects.toBeInstanceOf(BusyError);
    expect(() => simulation.reset()).toThrow(BusyError);
    expect(() => cells.setParameters({ resistance: 1 })).toThrow(BusyError);
    expect(() => cells.setState({ adaptation: 1 })).toThrow(BusyError);
    expect((await saving).byteLength).toBeGreaterThan(1000);
    cells.setParameters({ resistance: 1 });
    await simulation.run(1);
  });

  test('ends with DisposedError where the simulation was disposed of', async () => {
    const simulation = await begun(backend);
    addCells(simulation, AdEx, everything(AdEx, 5000));
    const saving = simulation.save();
    simulation.dispose();
    await expect(saving).rejects.toBeInstanceOf(DisposedError);
    await expect(simulation.save()).rejects.toBeInstanceOf(DisposedError);
  });

  test('does not keep recordings: the bytes grow with the neurons, not with the steps', async () => {
    const simulation = await begun(backend);
    addCells(simulation, AdEx, { name: 'cells', units: 50, record: { spikes: true, states: { potential: {} } } });
    const before = (await simulation.save()).byteLength;
    await simulation.run(100);
    expect((await simulation.save()).byteLength).toBeLessThan(before + 100);
  });
});

describe('restoring', () => {
  const custom: Soma = { ...AdEx, name: 'CustomSoma' };
  const savedWith = async (soma: Soma) => {
    const simulation = await Simulation.create({ backend: 'cpu', workers: 0 });
    addCells(simulation, soma, { name: 'cells', units: 4 });
    await simulation.run(1);
    const saved = await simulation.save();
    simulation.dispose();
    return saved;
  };
  const attempt = async (saved: ArrayBuffer, options?: RestoreOptions) => {
    const simulation = await Simulation.restore(saved, options);
    simulation.dispose();
    return simulation.backend;
  };

  test('takes the path of the saved simulation by default, and says so where that is not here', async () => {
    expect(await attempt(await savedWith(AdEx))).toBe('cpu');
    const onGpu = await Simulation.create({ backend: 'webgpu', device: await openDevice() });
    const saved = await onGpu.save();
    onGpu.dispose();
    const failure = await attempt(saved, { adapter: null }).catch((error) => error);
    expect(failure).toBeInstanceOf(NoBackendError);
    expect(failure.message).toMatch(/^saved on webgpu, which is not here: .*name backend: 'cpu' to go on there/);
    expect(await attempt(saved, { backend: 'cpu' })).toBe('cpu');
    expect(await attempt(saved, { device: await openDevice() })).toBe('webgpu');
  });

  test('refuses a soma it does not know, and takes it where it is given', async () => {
    const saved = await savedWith(custom);
    const refused = attempt(saved);
    await expect(refused).rejects.toBeInstanceOf(FileError);
    await expect(refused).rejects.toThrow(
      'the saved cells is of the soma CustomSoma, which is not built in; give it: somas: [CustomSoma]',
    );
    expect(await attempt(saved, { somas: [custom] })).toBe('cpu');
  });

  test('refuses a soma whose states are others than when it was saved', async () => {
    const saved = await savedWith(custom);
    const { ExponentialSoma } = somas as Record<string, Soma>;
    await expect(attempt(saved, { somas: [{ ...(ExponentialSoma as Soma), name: 'CustomSoma' }] })).rejects.toThrow(
      'the saved cells does not fit: CustomSoma has the states potential here',
    );
  });

  test('wants the functions again that array inputs were read by, by the paths of these inputs', async () => {
    const simulation = await Simulation.create({ backend: 'cpu', workers: 0 });
    const input = [{ kind: 'array' as const, values: [1, 2, 3] }];
    addCells(simulation, AdEx, { name: 'cells', units: 4, input });
    const tree = unpack(await simulation.save()) as { populations: { sources: string[]; options: CellOptions }[] };
    simulation.dispose();
    // As an input with a function leaves it.
    const [cells] = tree.populations;
    if (!cells) throw new Error('it has no population');
    Object.assign(cells, {
      sources: ['cells.input[0]'],
      options: { ...cells.options, input: [{ kind: 'array', shape: [3] }] },
    });
    const saved = pack(tree);
    const refusal =
      "cells.input[0]: was read by a function, which cannot be saved; give it again: sources: { 'cells.input[0]': read }";
    await expect(attempt(saved)).rejects.toThrow(refusal);
    await expect(attempt(saved, { sources: {} })).rejects.toBeInstanceOf(InputError);
    const sources = { 'cells.input[0]': () => Float32Array.of(1, 2, 3) };
    const failure = await attempt(saved, { sources }).catch(String);
    expect(failure).not.toContain('was read by a function');
  });

  test('refuses a tree that holds no simulation, though it is packed as one', async () => {
    const tree = unpack(await savedWith(AdEx)) as Record<string, unknown>;
    for (const wrong of [
      null,
      7,
      [],
      {},
      { ...tree, populations: 3 },
      { ...tree, populations: [{}] },
      { ...tree, steps: -1 },
    ])
      await expect(attempt(pack(wrong))).rejects.toThrow('the saved simulation is damaged: it holds none');
    const [population] = tree.populations as { state: { counts: Uint32Array } }[];
    const short = { ...population, state: { ...population?.state, counts: new Uint32Array(3) } };
    await expect(attempt(pack({ ...tree, populations: [short] }))).rejects.toThrow('cells has not one value a neuron');
    const state = (changed: object) => {
      const wrong = { ...population, state: { ...population?.state, ...changed } };
      return attempt(pack({ ...tree, populations: [wrong] }));
    };
    await expect(state({ states: { potential: null, adaptation: null } })).rejects.toThrow('simulation is damaged: ');
    await expect(state({ states: { potential: null, adaptation: null } })).rejects.toBeInstanceOf(FileError);
    expect(await attempt(pack(tree))).toBe('cpu');
  });

  test('refuses options it does not have, sources that nothing reads, and what `create` refuses', async () => {
    const saved = await savedWith(AdEx);
    await expect(attempt(saved, { dt: 1 } as RestoreOptions)).rejects.toThrow(
      'unknown option "dt" of Simulation.restore',
    );
    const sources = { 'cells.input[0]': () => new Float32Array(1) };
    await expect(attempt(saved, { sources })).rejects.toThrow('sources: unknown input "cells.input[0]"');
    await expect(attempt(saved, { workers: -1 })).rejects.toBeInstanceOf(InputError);
    expect(await attempt(saved, { workers: 1, sources: {} })).toBe('cpu');
  });

  test('refuses what is no saved simulation', async () => {
    await expect(attempt(new ArrayBuffer(100))).rejects.toThrow('not a saved simulation');
    await expect(attempt((await savedWith(AdEx)).slice(0, -8))).rejects.toThrow('cut short');
  });

  test('the bytes tell the version, path and adapter that made them', async () => {
    const { somagpu, backend, adapter } = unpack(await savedWith(AdEx)) as Record<string, unknown>;
    expect([somagpu, backend, adapter]).toEqual([expect.stringMatching(/^\d+\.\d+\.\d+/), 'cpu', expect.any(String)]);
  });
});
