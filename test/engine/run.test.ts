// Running: how a run is stopped, watched, refused and ended, and what one step gives.

import { describe, expect, test } from 'vitest';
import {
  AdaptiveExponentialSoma as AdEx,
  BusyError,
  DeviceLostError,
  DisposedError,
  InputError,
  type Progress,
  Simulation,
  type Soma,
  uniform,
} from '../../src/index.ts';
import { backends, openDevice, type TestBackend } from '../support/backends.ts';
import {
  addCells,
  type CellOptions,
  type Cells,
  expectSameBits,
  expectSameOutcome,
  outcomeOf,
  ripple,
  somaNames,
  statesOf,
  variedParameters,
} from '../support/outcome.ts';
import { somas } from '../support/reference.ts';

const options: CellOptions = {
  name: 'cells',
  units: 70,
  parameters: variedParameters(AdEx),
  input: [{ kind: 'constant', amplitude: uniform(80, 250) }],
  record: { spikes: true, states: { potential: { neurons: [3, 69], every: 5 } } },
};

async function start({ open }: TestBackend, given: Partial<CellOptions> = {}) {
  const simulation = await open({ dt: 0.1, seed: 5, tuning: { blockSteps: 8 } });
  return { simulation, cells: addCells(simulation, AdEx, { ...options, ...given }) };
}

describe.each(backends)('stopping a run, on $name', (backend) => {
  test('an abort stops at a whole step, leaves what was recorded, and the next run goes on as if nothing were', async () => {
    const { simulation, cells } = await start(backend);
    const controller = new AbortController();
    const reason = new Error('enough');
    const onProgress = ({ steps }: Progress) => steps >= 100 && controller.abort(reason);
    await expect(simulation.run(50, { signal: controller.signal, onProgress })).rejects.toBe(reason);
    const reached = simulation.steps;
    expect(Number.isInteger(reached) && reached >= 100 && reached < 500).toBe(true);
    const stopped = await outcomeOf(cells);
    const short = await start(backend);
    await short.simulation.run(reached * 0.1);
    expectSameOutcome(stopped, await outcomeOf(short.cells));
    expect(stopped.spikes.steps.length).toBeGreaterThan(70);
    await simulation.run((500 - reached) * 0.1);
    const whole = await start(backend);
    await whole.simulation.run(50);
    expectSameOutcome(await outcomeOf(cells), await outcomeOf(whole.cells));
  });

  test('a signal that was aborted before makes no step; one that never is changes nothing', async () => {
    const { simulation } = await start(backend);
    await expect(simulation.run(10, { signal: AbortSignal.abort() })).rejects.toThrow('aborted');
    expect(simulation.steps).toBe(0);
    await simulation.run(10, { signal: new AbortController().signal });
    expect(simulation.steps).toBe(100);
  });

  test('an abort after the last step is no failure: the run is complete', async () => {
    const { simulation } = await start(backend);
    const controller = new AbortController();
    const onProgress = ({ steps, of }: Progress) => steps === of && controller.abort();
    await simulation.run(10, { signal: controller.signal, onProgress });
    expect(simulation.steps).toBe(100);
  });

  test('progress rises block by block from above 0 to the whole of this run', async () => {
    const { simulation } = await start(backend);
    for (const steps of [100, 37]) {
      const seen: Progress[] = [];
      await simulation.run(steps * 0.1, { onProgress: (progress) => seen.push(progress) });
      expect(seen).toHaveLength(Math.ceil(steps / 8));
      expect(seen.every(({ of }) => of === steps)).toBe(true);
      const done = seen.map((progress) => progress.steps);
      expect(done).toEqual([...done].sort((a, b) => a - b));
      expect([done[0], done.at(-1)]).toEqual([8, steps]);
    }
  });

  test('an error thrown by onProgress ends the run with that error; the simulation goes on afterwards', async () => {
    const { simulation, cells } = await start(backend);
    const fail = () => {
      throw new Error('from the host');
    };
    await expect(simulation.run(50, { onProgress: fail })).rejects.toThrow('from the host');
    const reached = simulation.steps;
    expect(reached).toBeLessThan(500);
    await simulation.run(50 - reached * 0.1);
    const whole = await start(backend);
    await whole.simulation.run(50);
    expectSameOutcome(await outcomeOf(cells), await outcomeOf(whole.cells));
  });
});

describe.each(backends)('one thing at a time, on $name', (backend) => {
  test('run, step, reset and add during a run are refused as busy, and work once it is over', async () => {
    const { simulation } = await start(backend);
    const running = simulation.run(20);
    await expect(simulation.run(1)).rejects.toBeInstanceOf(BusyError);
    await expect(simulation.step()).rejects.toBeInstanceOf(BusyError);
    expect(() => simulation.reset()).toThrow(BusyError);
    expect(() => addCells(simulation, AdEx, { ...options, name: 'more' })).toThrow(BusyError);
    await running;
    expect(simulation.steps).toBe(200);
    await simulation.run(1);
    await simulation.step();
    addCells(simulation, AdEx, { ...options, name: 'more' });
    simulation.reset();
    expect(simulation.steps).toBe(0);
  });

  test('dispose ends a run in progress, and every later call, with DisposedError; twice is no harm', async () => {
    const { simulation, cells } = await start(backend);
    await simulation.run(1);
    await cells.readState('potential');
    const running = simulation.run(100_000);
    setTimeout(() => simulation.dispose(), 30);
    await expect(running).rejects.toBeInstanceOf(DisposedError);
    simulation.dispose();
    await expect(simulation.run(1)).rejects.toBeInstanceOf(DisposedError);
    await expect(simulation.step()).rejects.toBeInstanceOf(DisposedError);
    await expect(cells.readState('potential')).rejects.toBeInstanceOf(DisposedError);
    await expect(cells.spikeCounts()).rejects.toBeInstanceOf(DisposedError);
    expect(() => cells.setParameters({ spike_slope: 1 })).toThrow(DisposedError);
    expect(() => cells.setState({ potential: -60 })).toThrow(DisposedError);
    expect(() => simulation.reset()).toThrow(DisposedError);
  });

  test('dispose ends all that is asked of a device with DisposedError', async () => {
    const device = { states: { potential: {} }, statistics: { potential: {} } };
    const asking = [
      (_: Simulation, cells: Cells) => cells.readState('potential'),
      (_: Simulation, cells: Cells) => cells.spikeCounts(),
      (_: Simulation, cells: Cells) => cells.statistics('potential'),
      (simulation: Simulation) => simulation.compile(),
      (simulation: Simulation) => simulation.step(),
    ];
    for (const ask of asking) {
      const { simulation, cells } = await start(backend, { record: device });
      const asked = ask(simulation, cells);
      simulation.dispose();
      await expect(asked).rejects.toBeInstanceOf(DisposedError);
      const alive = await start(backend, { record: device });
      await ask(alive.simulation, alive.cells);
    }
  });

  test('what was recorded before dispose stays readable', async () => {
    const { simulation, cells } = await start(backend);
    await simulation.run(30);
    const { steps } = await cells.spikes();
    simulation.dispose();
    expect((await cells.spikes()).steps).toEqual(steps);
    expect(steps.length).toBeGreaterThan(70);
    expect((await cells.trace('potential')).steps).toHaveLength(60);
  });

  test('`await using` disposes', async () => {
    let escaped: Simulation;
    {
      await using simulation = await backend.open();
      escaped = simulation;
      await escaped.run(1);
    }
    await expect(escaped.run(1)).rejects.toBeInstanceOf(DisposedError);
  });
});

describe('a device that goes away', () => {
  test('ends a run in progress, and later ones, with DeviceLostError', async () => {
    const device = await openDevice();
    const simulation = await Simulation.create({ device, dt: 0.1, tuning: { blockSteps: 8 } });
    const cells = addCells(simulation, AdEx, options);
    await simulation.run(1);
    const running = simulation.run(100_000);
    setTimeout(() => device.destroy(), 30);
    await expect(running).rejects.toBeInstanceOf(DeviceLostError);
    await expect(simulation.run(1)).rejects.toBeInstanceOf(DeviceLostError);
    await expect(cells.readState('potential')).rejects.toBeInstanceOf(DeviceLostError);
    expect((await cells.spikes()).steps.length).toBeGreaterThan(0);
    simulation.dispose();
  });
});

describe.each(backends)('step, on $name', (backend) => {
  test('gives 1 where a neuron spiked, -1 where an inhibitory one did, else 0', async () => {
    const { simulation, cells } = await start(backend, {
      units: 6,
      parameters: {},
      input: [],
      inhibitory: [1, 4],
      record: { spikes: true },
    });
    const { cells: signs } = await simulation.step({ cells: [1e6, 1e6, 0, 1e6, 0, -1e7] });
    expect(signs).toEqual(Int8Array.of(1, -1, 0, 1, 0, 0));
    expect(Array.from((await cells.spikes()).neurons)).toEqual([0, 1, 3]);
    expect((await simulation.step()).cells).toEqual(new Int8Array(6));
    expect((await simulation.step({ cells: 1e6 })).cells).toEqual(Int8Array.of(1, -1, 1, 1, -1, 0));
  });

  test('step by step with currents is a run with these currents as an array input', async () => {
    const currents = ripple(120, 70).map((current) => current + 130);
    const { simulation, cells } = await start(backend, { input: [] });
    for (let step = 0; step < 120; step++)
      await simulation.step({ cells: currents.subarray(70 * step, 70 * step + 70) });
    const input = [{ kind: 'array' as const, values: currents, shape: [120, 70] }];
    const whole = await start(backend, { input });
    await whole.simulation.run(12);
    const outcome = await outcomeOf(whole.cells);
    expect(outcome.spikes.steps.length).toBeGreaterThan(70);
    expectSameOutcome(await outcomeOf(cells), outcome);
  });

  test('refuses currents for populations there are not, of the wrong length, or impossible ones', async () => {
    const { simulation } = await start(backend, { units: 3, parameters: {}, record: {} });
    await expect(simulation.step({ cell: 1 })).rejects.toThrow('did you mean "cells"');
    await expect(simulation.step({ cells: [1, 2] })).rejects.toThrow('has 2 values for 3 neurons');
    await expect(simulation.step({ cells: [1, Number.NaN, 3] })).rejects.toThrow('currents.cells[1]');
    expect(simulation.steps).toBe(0);
    await simulation.step({ cells: [1, 2, 3] });
    expect(simulation.steps).toBe(1);
  });
});

describe.each(backends)('states, on $name', (backend) => {
  test.each(somaNames)('every state of %s comes back as it was set, alone and together', async (soma) => {
    const simulation = await backend.open({ dt: 0.1 });
    // Rests that float32 takes exactly, so that absolute values survive the way there and back.
    const parameters = { potential_rest: Float32Array.from({ length: 67 }, (_, i) => -64 - i / 8) };
    const cells = addCells(simulation, somas[soma] as Soma, { units: 67, parameters });
    const values = (offset: number) => Float32Array.from({ length: 67 }, (_, i) => offset + ((i * 29) % 67));
    const set: Record<string, Float32Array> = {};
    for (const [index, state] of statesOf(cells).entries()) {
      set[state] = values(index);
      cells.setState({ [state]: set[state] });
      for (const [name, expected] of Object.entries(set)) expectSameBits(await cells.readState(name), expected, name);
    }
    const together = Object.fromEntries(statesOf(cells).map((state, index) => [state, values(100 + index)]));
    cells.setState(together);
    for (const [name, expected] of Object.entries(together))
      expectSameBits(await cells.readState(name), expected, name);
  });

  test.each(somaNames)(
    '%s starts at rest, with its threshold at the base, unadapted, blocked for as long as it says',
    async (soma) => {
      // The specification's somas are for one step; the one whose refractory period is that of others is not.
      const blocked = soma === 'RefractoryAdaptiveExponentialSoma' ? 0 : 1;
      const simulation = await backend.open({ dt: 0.1 });
      const cells = addCells(simulation, somas[soma] as Soma, { units: 3, parameters: { threshold: [-31, -30, -29] } });
      const initial: Record<string, number[]> = {
        potential: [-70, -70, -70],
        adaptation: [0, 0, 0],
        blocked: [blocked, blocked, blocked],
        threshold: [-31, -30, -29],
      };
      for (const state of statesOf(cells))
        expect(Array.from(await cells.readState(state)), state).toEqual(initial[state]);
    },
  );

  test('a state it does not have, or a wrong number of values, is refused and changes nothing', async () => {
    const { cells } = await start(backend, { units: 3, parameters: {}, record: {} });
    expect(() => cells.setState({ potental: -60 })).toThrow('did you mean "potential"');
    expect(() => cells.setState({ adaptation: 5, potential: [1, 2] })).toThrow('has 2 values for 3 neurons');
    await expect(cells.readState('threshold')).rejects.toBeInstanceOf(InputError);
    expect(Array.from(await cells.readState('adaptation'))).toEqual([0, 0, 0]);
    cells.setState({ adaptation: 5, potential: [-60, -61, -62] });
    expect(Array.from(await cells.readState('potential'))).toEqual([-60, -61, -62]);
    expect(Array.from(await cells.readState('adaptation'))).toEqual([5, 5, 5]);
  });

  test('samples are relative to the parameters their block ran with, whenever others are set', async () => {
    const sampled = async (turns = Infinity) => {
      const given = { parameters: {}, input: [{ kind: 'constant', amplitude: 100 }] } as const;
      const { simulation, cells } = await start(backend, given);
      const running = simulation.run(0.1);
      for (let i = 0; i < Math.min(turns, 40); i++) await Promise.resolve();
      if (turns < Infinity)
        cells.setParameters({ potential_rest: -50, resistance: 0, rheobase_threshold: 0, threshold: 10 });
      await running;
      return (await cells.trace('potential')).values[0] as number;
    };
    const before = await sampled(0);
    expect(before).toBe(-50);
    const after = await sampled();
    expect(after).toBeCloseTo(-69, 2);
    // Kernels compile in between.
    for (let turns = 1; turns < 40; turns++) expect([before, after]).toContain(await sampled(turns));
  });

  test('refused parameters change nothing; those left out, or undefined, stay as they are', async () => {
    const changed = { spike_slope: 1.25, threshold: uniform(33, 36) };
    const { simulation, cells } = await start(backend);
    cells.setParameters(changed);
    expect(() => cells.setParameters({ spike_slope: 0 })).toThrow(InputError);
    expect(() => cells.setParameters({ resistance: 0.1, spike_slop: 1 })).toThrow('did you mean "spike_slope"');
    cells.setParameters({ spike_slope: undefined } as unknown as Record<string, number>);
    cells.setParameters({});
    await simulation.run(30);
    const right = await start(backend, { parameters: { ...variedParameters(AdEx), ...changed } });
    await right.simulation.run(30);
    expectSameOutcome(await outcomeOf(cells), await outcomeOf(right.cells));
  });
});

describe.each(backends)('durations and recordings, on $name', (backend) => {
  test('an array input shorter than the run is refused before the first step; one as long is used to its end', async () => {
    const values = Array(50).fill(130);
    const { simulation } = await start(backend, { input: [{ kind: 'array', values }] });
    const refusal = /cells\.input\[0\]: has currents for 50 steps of the 51 to run/;
    await expect(simulation.run(5.1)).rejects.toThrow(refusal);
    expect(simulation.steps).toBe(0);
    await simulation.run(5);
    await expect(simulation.step()).rejects.toThrow(refusal);
    await expect(simulation.run(0.1)).rejects.toThrow(refusal);
    expect(simulation.steps).toBe(50);
  });

  test('a duration that is no whole number of steps, negative or no number is refused; one within rounding is taken', async () => {
    const { simulation } = await start(backend);
    await expect(simulation.run(0.25)).rejects.toThrow('give 0.2 or 0.3');
    for (const duration of [-1, Number.NaN, Number.POSITIVE_INFINITY, '1' as unknown as number])
      await expect(simulation.run(duration)).rejects.toBeInstanceOf(InputError);
    expect(simulation.steps).toBe(0);
    await simulation.run(0.1 + 0.2);
    expect([simulation.steps, simulation.time]).toEqual([3, 3 * 0.1]);
    await simulation.run(0);
    expect(simulation.steps).toBe(3);
  });

  test('times are (step + 1) * dt in float64, for spikes and for samples', async () => {
    const { simulation, cells } = await start(backend);
    await simulation.run(50);
    for (const { times, steps } of [await cells.spikes(), await cells.trace('potential')]) {
      expect(steps.length).toBeGreaterThan(90);
      expect(times).toEqual(Float64Array.from(steps, (step) => (step + 1) * 0.1));
    }
  });

  test('spikes come ordered by step, then neuron', async () => {
    const { simulation, cells } = await start(backend);
    await simulation.run(50);
    const { steps, neurons } = await cells.spikes();
    const rank = Array.from(steps, (step, i) => step * 70 + (neurons[i] as number));
    expect(rank).toEqual([...new Set(rank)].sort((a, b) => a - b));
  });

  test('reading what was not recorded is refused, saying how to record it; what was recorded is given', async () => {
    const { simulation, cells } = await start(backend, { record: { states: { adaptation: {} } } });
    await simulation.run(1);
    await expect(cells.spikes()).rejects.toThrow('record: { spikes: true }');
    await expect(cells.trace('potential')).rejects.toThrow('record: { states: { potential: {} } }');
    expect((await cells.trace('adaptation')).values).toHaveLength(10 * 70);
    expect(await cells.spikeCounts()).toHaveLength(70);
  });

  test('a name that there is not, and none at all, are refused alike by all that is asked by name, with those there are', async () => {
    const states = { potential: {}, adaptation: {} };
    const { simulation, cells } = await start(backend, { record: { states, statistics: states } });
    await simulation.run(1);
    const asked = {
      readState: ['state', (name) => cells.readState(name)],
      trace: ['state', (name) => cells.trace(name)],
      statistics: ['state', (name) => cells.statistics(name)],
      stream: ['stream', async (name) => cells.stream(name)],
      readParameter: ['parameter', async (name) => cells.readParameter(name)],
    } satisfies Record<string, [string, (name: string) => Promise<unknown>]>;
    for (const [method, [kind, ask]] of Object.entries(asked)) {
      const [right, ...others] = kind === 'parameter' ? Object.keys(AdEx.parameters) : statesOf(cells);
      await expect(ask(right as string), method).resolves.toBeDefined();
      const known = [...(kind === 'stream' ? ['spikes', 'rate'] : []), right, ...others].join(', ');
      const says = (name: string) => `cells.${method}: unknown ${kind} ${name} of ${AdEx.name}; known: ${known}`;
      for (const [name, shown] of [
        [undefined, 'undefined'],
        ['', '""'],
        ['nothing_like_it_at_all', '"nothing_like_it_at_all"'],
        [[right], JSON.stringify([right])],
        [7, '7'],
      ] as const) {
        const refusal = await ask(name as string).catch((error) => error);
        expect(refusal, method).toBeInstanceOf(InputError);
        expect(refusal.message).toBe(says(shown));
      }
      const near = `${right}s`;
      await expect(ask(near), method).rejects.toThrow(
        `unknown ${kind} "${near}" of ${AdEx.name}; did you mean "${right}"?`,
      );
    }
    await expect(cells.trace('spikes')).rejects.toThrow('unknown state "spikes"');
  });

  test('a population added later starts at the present step: its inputs and spikes count the same steps', async () => {
    const input = [{ kind: 'step' as const, amplitude: 1e6, start: 0.5, stop: 0.7 }];
    const few = { ...options, units: 2, parameters: {}, input, record: { spikes: true } };
    const { simulation, cells } = await start(backend, few);
    await simulation.run(0.3);
    const late = addCells(simulation, AdEx, { ...few, name: 'late' });
    await simulation.run(0.7);
    for (const population of [cells, late]) expect(Array.from((await population.spikes()).steps)).toEqual([5, 5, 6, 6]);
  });
});
