// A GPU that is lost, and a worker that dies, in the middle of things: the run goes on with the same bits, or ends with
// the step it had reached. Devices and workers are real, and really destroyed.

import { describe, expect, onTestFinished, test, vi } from 'vitest';
import {
  AdaptiveExponentialSoma as AdEx,
  DeviceLostError,
  DisposedError,
  NoBackendError,
  OutOfMemoryError,
  SimplifiedAdaptiveExponentialSoma as Simplified,
  type Simulation,
  type SimulationOptions,
  uniform,
} from '../../src/index.ts';
import { findAdapter } from '../../src/node.ts';
import { openDevice } from '../support/backends.ts';
import { type Fragile, fragile, opened } from '../support/fragile.ts';
import {
  addCells,
  type CellOptions,
  type Cells,
  expectSameBits,
  expectSameOutcome,
  outcomeOf,
  ripple,
  variedParameters,
} from '../support/outcome.ts';
import { RunawaySoma } from '../support/runaway.ts';

const STEPS = 640;
// More than stay on the calling thread.
const NEURONS = 3000;

/** Two populations with all that a run can have: noise, currents that are read, rings, statistics, rates, traces. */
function addAll(simulation: Simulation): Cells[] {
  const currents = ripple(STEPS, NEURONS);
  const read = async (first: number, steps: number) => currents.subarray(first * NEURONS, (first + steps) * NEURONS);
  const record: CellOptions['record'] = {
    spikes: true,
    rate: { bin: 3 },
    states: { potential: { neurons: [1, 9, 2999], every: 3 }, adaptation: { neurons: [7], last: 4 } },
    statistics: { potential: { from: 5, to: 50 } },
  };
  const noise = { kind: 'ornstein_uhlenbeck', sd: 20, tau: 3, mean: 150 } as const;
  return [
    addCells(simulation, AdEx, {
      name: 'a',
      units: NEURONS,
      parameters: variedParameters(AdEx),
      input: [noise, { kind: 'array', shape: [STEPS, NEURONS], read }],
      record,
    }),
    addCells(simulation, Simplified, {
      name: 'b',
      units: 2500,
      input: [{ kind: 'constant', amplitude: uniform(80, 250) }],
      record: { spikes: { last: 20 }, rate: { bin: 1 } },
    }),
  ];
}

async function allOf(cells: readonly Cells[]) {
  const [a] = cells as [Cells, Cells];
  const rates = await Promise.all(cells.map((each) => each.rate()));
  return {
    outcomes: await Promise.all(cells.map((each) => outcomeOf(each))),
    rates,
    statistics: await a.statistics('potential'),
  };
}

async function expectSame(cells: readonly Cells[], expected: Awaited<ReturnType<typeof allOf>>): Promise<void> {
  const { outcomes, rates, statistics } = await allOf(cells);
  for (const [i, outcome] of outcomes.entries()) expectSameOutcome(outcome, expected.outcomes[i] as typeof outcome);
  expect(rates).toEqual(expected.rates);
  for (const key of ['mean', 'variance', 'min', 'max'] as const)
    expectSameBits(statistics[key], expected.statistics[key], `the ${key}`);
}

/** Calls work when so many steps are done. */
const atStep = (at: number, work: () => void) => {
  let done = false;
  return ({ steps }: { steps: number }) => {
    if (steps < at || done) return;
    done = true;
    work();
  };
};

const tuning = { blockSteps: 16 };

/** No snapshot, and each block in one submit however slow the device is. */
const never = { ...tuning, snapshot: 2 ** 31, submit: 2 ** 22 };

/** As many snapshots as there can be; `tuning` alone makes none in so short a time. */
const often = { ...tuning, snapshot: 1 };

describe.each(fragile)('what the engine opened itself, on $name,', ({ open }) => {
  const run = async () => {
    const { simulation } = await open({ tuning });
    const cells = addAll(simulation);
    const seen: number[] = [];
    await simulation.run(STEPS / 10, { onProgress: ({ steps }) => seen.push(steps) });
    expect(simulation.recoveries).toBe(0);
    return { seen, all: await allOf(cells) };
  };
  // Made once: each device compiles its kernels anew.
  let made: ReturnType<typeof run> | undefined;
  const undisturbed = () => {
    made ??= run();
    return made;
  };

  test('is replaced where it is lost, at any moment of a run, and nothing is different', async () => {
    const { all, seen: expected } = await undisturbed();
    expect(all.outcomes[0]?.spikes.steps.length).toBeGreaterThan(NEURONS);
    for (const [i, at] of [16, 160, 336, 624].entries()) {
      const { simulation, lose } = await open({ tuning: i % 2 ? often : tuning });
      const cells = addAll(simulation);
      const seen: number[] = [];
      const due = atStep(at, lose);
      await simulation.run(STEPS / 10, {
        onProgress: (progress) => {
          seen.push(progress.steps);
          due(progress);
        },
      });
      await expectSame(cells, all);
      expect(simulation.recoveries, `lost at ${at}`).toBe(1);
      expect(seen).toEqual(expected);
    }
  });

  test('is replaced where it is lost before the first block is back, between runs, and while something is read', async () => {
    const { all } = await undisturbed();
    const { simulation, lose } = await open({ tuning });
    const cells = addAll(simulation);
    await simulation.compile();
    const running = simulation.run(1.6);
    lose();
    await running;
    expect(simulation.recoveries).toBe(1);
    lose();
    await simulation.run(1.6);
    expect(simulation.recoveries).toBe(2);
    const reading = cells[0]?.readState('potential');
    lose();
    const undisturbedToo = await open({ tuning });
    const [twin] = addAll(undisturbedToo.simulation);
    await undisturbedToo.simulation.run(3.2);
    expectSameBits(await reading, await twin?.readState('potential'), 'the potential');
    await simulation.run(STEPS / 10 - 3.2);
    await expectSame(cells, all);
  });

  test('may be lost again and again, also while it is replaced, as long as steps are made in between', async () => {
    const { all } = await undisturbed();
    const { simulation, lose } = await open({ tuning: often });
    const cells = addAll(simulation);
    const due = [64, 80, 320].map((at) => atStep(at, lose));
    // The next one is not ready yet then.
    const soon = atStep(480, () => {
      const timers = [0, 20, 40, 80, 160].map((ms) => setTimeout(lose, ms));
      onTestFinished(() => timers.forEach(clearTimeout));
    });
    await simulation.run(STEPS / 10, {
      onProgress: (progress) => {
        for (const each of [...due, soon]) each(progress);
      },
    });
    expect(simulation.recoveries).toBeGreaterThan(2);
    await expectSame(cells, all);
  });

  test('is given again what was set on the way, by steps as well, and a reset', async () => {
    const go = async ({ simulation, lose }: Awaited<ReturnType<Fragile['open']>>, losing: boolean) => {
      const cells = addAll(simulation);
      const [a, b] = cells as [Cells, Cells];
      const maybe = () => losing && lose();
      await simulation.run(3);
      simulation.reset();
      await simulation.run(3);
      maybe();
      a.setParameters({ spike_slope: uniform(1.5, 2.5), resistance: 0.4 });
      b.setState({ potential: uniform(-60, -50) });
      const step = simulation.step({ b: 300 });
      maybe();
      const signs = await step;
      const again = simulation.run(5);
      b.setParameters({ potential_tau: 6 });
      await again;
      maybe();
      const saved = await simulation.save();
      maybe();
      await simulation.run(5);
      return { signs, saved, cells, all: await allOf(cells) };
    };
    const plain = await go(await open({ tuning }), false);
    const disturbed = await open({ tuning: often });
    const other = await go(disturbed, true);
    expect(disturbed.simulation.recoveries).toBeGreaterThanOrEqual(3);
    expect(other.signs).toEqual(plain.signs);
    expectSameBits(new Uint32Array(other.saved), new Uint32Array(plain.saved), 'what was saved');
    await expectSame(other.cells, plain.all);
  });

  test('goes on to feed streams: no chunk is missing, none comes twice', async () => {
    const collect = async (losing: boolean) => {
      const { simulation, lose } = await open({ tuning });
      const [a] = addAll(simulation) as [Cells];
      const stream = a.stream('spikes');
      const running = simulation.run(STEPS / 10);
      const chunks: [number, number, number][] = [];
      for await (const { first, end, neurons } of stream) {
        chunks.push([first, end, neurons.reduce((sum, neuron) => sum + neuron, 0)]);
        if (losing && [3, 11].includes(chunks.length)) lose();
      }
      await running;
      expect(simulation.recoveries).toBe(losing ? 2 : 0);
      return chunks;
    };
    expect(await collect(true)).toEqual(await collect(false));
  });

  test('is replaced between the frames of a page that runs a little at a time and moves parameters', async () => {
    const go = async (losing: boolean) => {
      const { simulation, lose } = await open({ tuning: often });
      const [a, b] = addAll(simulation) as [Cells, Cells];
      for (let frame = 0; frame < 16; frame++) {
        if (frame % 3 === 0) a.setParameters({ resistance: 0.4 + frame / 100 });
        if (frame % 5 === 0) b.setParameters({ spike_slope: uniform(1.5, 2 + frame / 20) });
        const stream = a.stream('rate');
        const running = simulation.run(2);
        if (losing && [2, 7, 8, 13].includes(frame)) lose();
        for await (const { rates } of stream) expect(rates.length).toBeGreaterThan(0);
        await running;
        if (losing && frame === 10) lose();
      }
      expect(simulation.recoveries).toBe(losing ? 5 : 0);
      return { cells: [a, b], all: await allOf([a, b]) };
    };
    const { all } = await go(false);
    await expectSame((await go(true)).cells, all);
  });

  test('leaves an abort and dispose their say', async () => {
    const { simulation, lose } = await open({ tuning });
    const [a] = addAll(simulation) as [Cells];
    const controller = new AbortController();
    const reason = new Error('enough');
    const running = simulation.run(STEPS / 10, {
      signal: controller.signal,
      onProgress: atStep(64, () => {
        lose();
        controller.abort(reason);
      }),
    });
    await expect(running).rejects.toBe(reason);
    const reached = simulation.steps;
    expect(reached).toBeLessThan(STEPS);
    expect((await a.rate()).times.at(-1)).toBeCloseTo(reached / 10);
    const disposed = simulation.run((STEPS - reached) / 10, {
      onProgress: atStep(64, () => {
        lose();
        setTimeout(() => simulation.dispose(), 1);
      }),
    });
    await expect(disposed).rejects.toBeInstanceOf(DisposedError);
  });

  test('is not replaced where that is not wanted: the error says which step is the last that is recorded', async () => {
    const { simulation, lose } = await open({ tuning, recover: false });
    const cells = addAll(simulation);
    const failure = await simulation.run(STEPS / 10, { onProgress: atStep(160, lose) }).catch((error) => error);
    expect(failure).toBeInstanceOf(DeviceLostError);
    expect(simulation.recoveries).toBe(0);
    expect(failure.step).toBeGreaterThanOrEqual(160);
    for (const each of cells) expect((await each.rate()).times.at(-1)).toBeCloseTo(failure.step / 10);
    await expect(simulation.run(1)).rejects.toBe(failure);
    await expect(cells[0]?.readState('potential')).rejects.toBe(failure);
  });
});

describe.each(fragile)('a snapshot on the way, on $name,', ({ open }) => {
  /** How many blocks are done again where the device is lost after so many, and after twice as many more. */
  async function doneAgain(tuning: SimulationOptions['tuning'], blocks: number, begin = () => {}): Promise<number[]> {
    let given = 0;
    const { simulation, lose } = await open({ tuning }, () => {
      given++;
    });
    const cells = addCells(simulation, AdEx, { name: 'a', units: NEURONS, input: [{ kind: 'white_noise', sd: 50 }] });
    begin();
    await simulation.run(1.6);
    // As many as there are workers.
    const each = given;
    const lost = async (more: number) => {
      for (let i = 0; i < more; i++) {
        await simulation.run(1.6);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      given = 0;
      lose();
      await cells.readState('potential');
      return given / each;
    };
    const counts = [await lost(blocks - 1), await lost(2 * blocks)];
    expect(simulation.recoveries).toBe(2);
    return counts;
  }

  test('leaves nothing of what was before it to be kept and done again; without one that is all', async () => {
    expect(await doneAgain(never, 20)).toEqual([20, 60]);
    for (const count of await doneAgain({ ...never, snapshot: 1 }, 20)) expect(count).toBeLessThan(10);
  });

  test('is not taken where the host is short of memory, until what is kept weighs more than a snapshot', async () => {
    const whenShort = () => {
      const memory = vi.spyOn(process, 'availableMemory').mockReturnValue(0);
      onTestFinished(() => memory.mockRestore());
    };
    expect(await doneAgain({ ...never, snapshot: 1 }, 20, whenShort)).toEqual([20, 60]);
    vi.restoreAllMocks();
    // A block counts as half a kB.
    for (const count of await doneAgain({ ...never, kept: 5000 }, 20, whenShort)) expect(count).toBeLessThan(15);
  });
});

/** Where there may be no room for what is read. */
interface Room {
  short: boolean;
  /** How often it was asked for room for a plane of the smaller population. */
  asked: number;
}
const SMALLER = 2500;

/** A device whose every read wants a GiB, which is more than it has. */
function withoutRoom(device: GPUDevice, room: Room): GPUDevice {
  const { createBuffer, limits } = device;
  device.createBuffer = (descriptor) => {
    const read = descriptor.label === 'somagpu read';
    if (read && descriptor.size === 4 * SMALLER) room.asked++;
    const size = read && room.short ? limits.maxBufferSize : descriptor.size;
    return createBuffer.call(device, { ...descriptor, size });
  };
  return device;
}

/** Makes the host as short of memory for planes. */
function hostWithoutRoom(room: Room): void {
  class Short extends ArrayBuffer {
    constructor(bytes: number) {
      if (bytes === 4 * SMALLER) room.asked++;
      if (room.short && [SMALLER, NEURONS].includes(bytes / 4)) throw new RangeError('Array buffer allocation failed');
      super(bytes);
    }
  }
  vi.stubGlobal('ArrayBuffer', Short);
  onTestFinished(() => void vi.unstubAllGlobals());
}

const short = [
  {
    name: 'on the GPU',
    open: async (room: Room, tuning: SimulationOptions['tuning']) => {
      const devices: GPUDevice[] = [];
      const device = async () => {
        devices.push(withoutRoom(await openDevice(), room));
        return devices.at(-1) as GPUDevice;
      };
      const simulation = await opened({ backend: 'webgpu', tuning, device });
      return { simulation, lose: () => devices.at(-1)?.destroy() };
    },
  },
  ...fragile.map(({ name, open }) => ({
    name: `on the host, on ${name}`,
    open: (room: Room, tuning: SimulationOptions['tuning']) => {
      hostWithoutRoom(room);
      return open({ tuning });
    },
  })),
];

describe.each(short)('where there is no room for what is read, $name,', ({ open }) => {
  const start = async (tuning: SimulationOptions['tuning'] = often) => {
    const room = { short: true, asked: 0 };
    const { simulation, lose } = await open(room, tuning);
    const cells = addAll(simulation) as [Cells, Cells];
    // Each look asks for so many planes of the smaller population.
    const looks = () => room.asked / (cells[1].device.states.length + 1);
    return { room, simulation, lose, cells, looks };
  };

  test('a run goes on without snapshots, tries again ever more seldom, and can still be put back', async () => {
    const whole = await start();
    whole.room.short = false;
    const end = async (simulation: Simulation) => {
      for (let step = 0; step < STEPS / 4; step += 16) {
        await simulation.run(1.6);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    };
    for (const part of [STEPS / 20, STEPS / 40]) await whole.simulation.run(part);
    await end(whole.simulation);
    const { room, simulation, lose, cells, looks } = await start();
    const began = performance.now();
    await simulation.run(STEPS / 20);
    const took = performance.now() - began;
    expect(looks()).toBeGreaterThan(0);
    // After 1, 2, 4, ... ms.
    expect(looks()).toBeLessThan(2 + Math.log2(took));
    lose();
    // Longer than the last of the pauses.
    await new Promise((resolve) => setTimeout(resolve, took));
    room.short = false;
    await simulation.run(STEPS / 40);
    expect(simulation.recoveries).toBe(1);
    // All that the lost one was asked for has been told by now.
    room.asked = 0;
    await end(simulation);
    expect(looks()).toBeGreaterThan(0);
    await expectSame(cells, await allOf(whole.cells));
  });

  test('what would grow without end is let go of: a run goes on, but not where the device is lost', async () => {
    const kept = { ...often, kept: 5000 };
    const roomy = await start(kept);
    roomy.room.short = false;
    await roomy.simulation.run(STEPS / 20);
    roomy.lose();
    await roomy.simulation.run(1);
    expect(roomy.simulation.recoveries).toBe(1);
    const { simulation, lose, cells } = await start(kept);
    await simulation.run(STEPS / 20);
    lose();
    const failure = await simulation.run(1).catch((error) => error);
    expect(failure).toBeInstanceOf(DeviceLostError);
    expect(failure.cause).toBeInstanceOf(OutOfMemoryError);
    expect([failure.step, simulation.recoveries]).toEqual([STEPS / 2, 0]);
    expect((await cells[0].rate()).times.at(-1)).toBeCloseTo(STEPS / 20);
  });

  test('it is let go of as soon as it weighs too much, however long no snapshot is to be tried', async () => {
    const { simulation, lose, cells, looks } = await start({ ...tuning, kept: 2 ** 23 });
    const now = performance.now.bind(performance);
    let ahead = 0;
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => now() + ahead);
    onTestFinished(() => clock.mockRestore());
    const settle = () => new Promise((resolve) => setTimeout(resolve, 50));
    for (let look = 0; look < 4; look++) {
      ahead += 20_000;
      await simulation.run(1.6);
      await settle();
    }
    expect(looks()).toBeGreaterThan(1);
    const slopes = new Float32Array(SMALLER).fill(2);
    for (let times = 0; times < 2 ** 23 / slopes.byteLength; times++) cells[1].setParameters({ spike_slope: slopes });
    await simulation.run(1.6);
    await settle();
    lose();
    const failure = await simulation.run(1.6).catch((error) => error);
    expect(failure).toMatchObject({ name: 'DeviceLostError', cause: { name: 'OutOfMemoryError' } });
  });

  test('what was let go of is kept again from a reset on', async () => {
    const { room, simulation, lose, cells } = await start({ ...often, kept: 5000 });
    await simulation.run(STEPS / 20);
    room.short = false;
    simulation.reset();
    await simulation.run(3.2);
    lose();
    await simulation.run(3.2);
    expect(simulation.recoveries).toBe(1);
    const whole = await start();
    whole.room.short = false;
    await whole.simulation.run(6.4);
    await expectSame(cells, await allOf(whole.cells));
  });

  test.each([true, false])(
    'a state that is no number is told of, and the simulation lives: recover %s',
    async (recover) => {
      const { simulation, room } = await start({ ...often, ...(recover ? {} : { kept: 1 }) });
      const cells = addCells(simulation, RunawaySoma, {
        name: 'rampant',
        units: SMALLER,
        parameters: { potential_rest: 0 },
      });
      room.short = !recover;
      await simulation.run(STEPS / 20);
      room.short = true;
      cells.setState({ potential: 1e9 });
      const failure = await simulation.run(STEPS / 40).catch((error) => error);
      expect(failure).toMatchObject({ name: 'OutOfMemoryError', cause: { name: 'OutOfMemoryError' } });
      expect(failure.message).toMatch(
        /a state of rampant is no number after step \d+; which cannot be read: the (device|memory) has no room/,
      );
      room.short = false;
      expect((await cells.readState('potential')).every(Number.isFinite)).toBe(recover);
      cells.setState({ potential: 0 });
      // Where it stands there is a block that was not recorded.
      if (!recover) await expect(simulation.run(1.6)).rejects.toBe(failure);
      if (!recover) simulation.reset();
      await simulation.run(1.6);
      expect(await cells.readState('potential')).toContain(0);
      cells.setState({ potential: 1e9 });
      await expect(simulation.run(1.6)).rejects.toMatchObject({ name: 'NonFiniteError', population: 'rampant' });
    },
  );

  test('a state that is no number is then found without a way back', async () => {
    const { simulation, room } = await start({ ...often, kept: 1 });
    const cells = addCells(simulation, RunawaySoma, {
      name: 'rampant',
      units: SMALLER,
      parameters: { potential_rest: 0 },
    });
    await simulation.run(STEPS / 20);
    room.short = false;
    cells.setState({ potential: 1e9 });
    const failure = await simulation.run(STEPS / 20).catch((error) => error);
    expect(failure).toMatchObject({ name: 'NonFiniteError', population: 'rampant', state: 'potential' });
    expect(failure.checkpoint).toBeUndefined();
  });

  test('that is refused, and the simulation is as it was', async () => {
    const { room, simulation, cells } = await start();
    await simulation.run(3.2);
    const reads = [
      () => cells[0].readState('potential'),
      () => cells[0].spikeCounts(),
      () => cells[0].statistics('potential'),
      () => simulation.save(),
    ];
    for (const read of reads) await expect(read()).rejects.toBeInstanceOf(OutOfMemoryError);
    await simulation.run(3.2);
    for (const read of reads) await expect(read()).rejects.toBeInstanceOf(OutOfMemoryError);
    room.short = false;
    for (const read of reads) await expect(read()).resolves.toBeDefined();
    const whole = await start();
    whole.room.short = false;
    for (const half of [3.2, 3.2]) await whole.simulation.run(half);
    await expectSame(cells, await allOf(whole.cells));
  });
});

describe('what cannot be replaced', () => {
  test.each(fragile)(
    'because it is lost at one step again and again, on $name, ends the run with the step',
    async ({ open }) => {
      const { simulation, lose } = await open({ tuning });
      const [a] = addAll(simulation) as [Cells];
      let always: ReturnType<typeof setInterval> | undefined;
      onTestFinished(() => clearInterval(always));
      const onProgress = atStep(160, () => {
        always = setInterval(lose, 1);
      });
      const failure = await simulation.run(STEPS / 10, { onProgress }).catch((error) => error);
      clearInterval(always);
      expect(failure).toBeInstanceOf(DeviceLostError);
      expect(failure.step).toBeGreaterThanOrEqual(160);
      expect(failure.step).toBeLessThan(STEPS);
      expect((await a.rate()).times.at(-1)).toBeCloseTo(failure.step / 10);
      await expect(simulation.run(1)).rejects.toBe(failure);
      await expect(simulation.step()).rejects.toBe(failure);
      await expect(a.readState('potential')).rejects.toBe(failure);
      await expect(simulation.save()).rejects.toBe(failure);
      simulation.dispose();
      await expect(simulation.run(1)).rejects.toBeInstanceOf(DisposedError);
    },
  );

  const find = async () => {
    const adapter = await findAdapter();
    const { requestDevice } = adapter;
    const devices: GPUDevice[] = [];
    adapter.requestDevice = async (descriptor) => {
      devices.push(await requestDevice.call(adapter, descriptor));
      return devices.at(-1) as GPUDevice;
    };
    return { adapter, lose: () => devices.at(-1)?.destroy() };
  };

  test("a device or an adapter of the host's ends the run with the step, and what was recorded stays", async () => {
    const own = await openDevice();
    const lent = await find();
    for (const [options, lose] of [
      [{ device: own }, () => own.destroy()],
      [{ adapter: lent.adapter }, lent.lose],
    ] as const) {
      const simulation = await opened({ backend: 'webgpu', tuning, ...options });
      const cells = addAll(simulation);
      const failure = await simulation.run(STEPS / 10, { onProgress: atStep(160, lose) }).catch((error) => error);
      expect(failure).toBeInstanceOf(DeviceLostError);
      expect(failure.step).toBeGreaterThanOrEqual(160);
      for (const each of cells) expect((await each.rate()).times.at(-1)).toBeCloseTo(failure.step / 10);
      expect(simulation.recoveries).toBe(0);
    }
  });

  test("a device of the host's that a function gave is asked for again, and nothing is different", async () => {
    const go = async (losing: boolean) => {
      const devices: GPUDevice[] = [];
      const device = async () => {
        devices.push(await openDevice());
        return devices.at(-1) as GPUDevice;
      };
      const simulation = await opened({ backend: 'webgpu', tuning, device });
      const cells = addAll(simulation);
      const onProgress = atStep(160, () => losing && devices[0]?.destroy());
      await simulation.run(STEPS / 10, { onProgress });
      expect([simulation.recoveries, devices.length]).toEqual(losing ? [1, 2] : [0, 1]);
      expect(cells[0]?.gpu?.device).toBe(devices.at(-1));
      return { cells, all: await allOf(cells) };
    };
    const { all } = await go(false);
    await expectSame((await go(true)).cells, all);
  });

  test("a device of the host's with smaller limits than the one before ends the run with why; one with the same does not", async () => {
    const { limits } = await findAdapter();
    const large = {
      maxStorageBufferBindingSize: limits.maxStorageBufferBindingSize,
      maxBufferSize: limits.maxBufferSize,
    };
    // Samples of 32 steps take more than the 128 MiB that every device binds.
    const lost = async (next: Record<string, number>) => {
      const devices: GPUDevice[] = [];
      const device = async () => {
        const requiredLimits = devices.length === 0 ? large : next;
        devices.push(await (await findAdapter()).requestDevice({ requiredLimits }));
        return devices.at(-1) as GPUDevice;
      };
      const simulation = await opened({ backend: 'webgpu', device });
      simulation.add(Simplified, { name: 'a', units: 270_000, record: { states: { potential: { last: 0 } } } });
      await simulation.run(3.2);
      devices[0]?.destroy();
      const failure = await simulation.run(0.1).catch((error) => error);
      for (const each of devices) each.destroy();
      return { failure, simulation };
    };
    expect((await lost(large)).failure).toBeUndefined();
    const { failure, simulation } = await lost({});
    expect(failure).toBeInstanceOf(DeviceLostError);
    expect(failure.cause.message).toBe('the GPU there is now has smaller limits: 31 steps of a at once, no longer 32');
    expect([failure.step, simulation.recoveries]).toEqual([32, 0]);
  });

  test('a GPU that does not come back ends the run with why, and with the step', async () => {
    const { adapter, lose } = await find();
    let asked = 0;
    const once = async () => (asked++ === 0 ? adapter : null);
    const simulation = await opened({ backend: 'webgpu', tuning, adapter: once });
    addAll(simulation);
    const failure = await simulation.run(STEPS / 10, { onProgress: atStep(160, lose) }).catch((error) => error);
    expect(failure).toBeInstanceOf(DeviceLostError);
    expect(failure.cause).toBeInstanceOf(NoBackendError);
    expect(failure.step).toBeGreaterThanOrEqual(160);
    expect(asked).toBe(4);
  });
});
