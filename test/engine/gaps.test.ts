// What a block made and nobody could record, for want of memory or because a GPU does not give it: the run ends with an error
// of its kind, and nothing goes on beyond the gap but from the start. Memory is made short by arrays that do not fit.

import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { BLOCKS_IN_FLIGHT } from '../../src/backend.ts';
import { AdaptiveExponentialSoma as AdEx, Simulation, type SimulationOptions } from '../../src/index.ts';
import { openDevice } from '../support/backends.ts';
import { opened } from '../support/fragile.ts';
import { addCells, type Cells, expectSameOutcome, outcomeOf } from '../support/outcome.ts';
import { RunawaySoma } from '../support/runaway.ts';

const tuning = { blockSteps: 16 };
// More than stay on the calling thread.
const NEURONS = 3000;

/** Whether something is amiss. */
interface Room {
  short: boolean;
}

/** Makes the host short of memory for arrays of some lengths. */
function makeShort(
  kind: 'Uint32Array' | 'Float32Array' | 'Int8Array' | 'ArrayBuffer',
  room: Room,
  isMeant: (length: number) => boolean,
  thrown: unknown = new RangeError('Array buffer allocation failed'),
): void {
  const Own = globalThis[kind] as Uint32ArrayConstructor;
  class Short extends Own {
    constructor(...given: [number]) {
      if (room.short && isMeant(given[0])) throw thrown;
      super(...given);
    }
  }
  vi.stubGlobal(kind, Short);
  onTestFinished(() => void vi.unstubAllGlobals());
}

/** A device that does not give what is to be read from some of its buffers. */
async function openMute(room: Room, call: 'mapAsync' | 'getMappedRange', isMeant = (_label: string) => true) {
  const device = await openDevice();
  const { createBuffer } = device;
  device.createBuffer = (descriptor) => {
    const buffer = createBuffer.call(device, descriptor);
    const { mapAsync, getMappedRange } = buffer;
    const mute = () => room.short && isMeant(descriptor.label as string);
    const refusal = () => new DOMException('not now', 'OperationError');
    if (call === 'mapAsync')
      buffer.mapAsync = (...given) => (mute() ? Promise.reject(refusal()) : mapAsync.apply(buffer, given));
    else
      buffer.getMappedRange = (...given) => {
        if (mute()) throw refusal();
        return getMappedRange.apply(buffer, given);
      };
    return buffer;
  };
  return device;
}

async function open(backend: 'webgpu' | 'cpu', options: SimulationOptions = {}): Promise<Simulation> {
  return opened({ backend, tuning, ...(backend === 'webgpu' && { device: await openDevice() }), ...options });
}

/** Two populations, of which each in its turn may be the one that is not recorded. */
const addBoth = (simulation: Simulation): [Cells, Cells] => [
  addCells(simulation, AdEx, {
    name: 'a',
    units: NEURONS,
    input: [{ kind: 'white_noise', mean: 300, sd: 100 }],
    record: { spikes: true, states: { potential: { neurons: [1, 9, 2999], every: 3 } } },
  }),
  addCells(simulation, AdEx, {
    name: 'b',
    units: 100,
    input: [{ kind: 'constant', amplitude: 500 }],
    record: { spikes: true, states: { potential: { neurons: [1] } } },
  }),
];

const outcomesOf = (cells: readonly Cells[]) => Promise.all(cells.map((each) => outcomeOf(each)));

const noRoom = {
  name: 'OutOfMemoryError',
  message: expect.stringMatching(/no room left: Array buffer allocation failed/),
};
const notGiven = { name: 'SomaError', message: expect.stringMatching(/gave nothing back: not now/) };

// The samples of population a in a block are 18 numbers, or 15.
const unrecorded = [
  ...(['webgpu', 'cpu'] as const).map((backend) => ({
    name: `no room for spikes, on ${backend}`,
    error: noRoom,
    start: async (room: Room) => {
      makeShort('Uint32Array', room, (length) => length > 16);
      return open(backend);
    },
  })),
  {
    name: 'no room for samples, on webgpu',
    error: noRoom,
    start: async (room: Room) => {
      makeShort('ArrayBuffer', room, (bytes) => bytes === 72 || bytes === 60);
      return open('webgpu');
    },
  },
  {
    name: 'no room for samples, on cpu',
    error: noRoom,
    start: async (room: Room) => {
      makeShort('Float32Array', room, (length) => length === 18 || length === 15);
      return open('cpu');
    },
  },
  ...(['mapAsync', 'getMappedRange'] as const).map((call) => ({
    name: `the GPU refuses ${call}`,
    error: notGiven,
    start: async (room: Room) => open('webgpu', { device: await openMute(room, call) }),
  })),
];

describe.each(unrecorded)('where what a block made is not recorded: $name,', ({ start, error }) => {
  test.each([0, 3.2])('after %s ms the run ends, and goes on only from the start', async (before) => {
    const room = { short: false };
    const simulation = await start(room);
    const cells = addBoth(simulation);
    await simulation.run(6.4);
    const whole = await outcomesOf(cells);
    const fresh = await start(room);
    const own = addBoth(fresh);
    await fresh.compile();
    await fresh.run(before);
    room.short = true;
    const failure = await fresh.run(3.2).catch((failed) => failed);
    expect(failure).toMatchObject(error);
    room.short = false;
    const reached = Math.round(before * 10);
    expect([fresh.steps, fresh.time]).toEqual([reached, before]);
    const samples = (await own[0].trace('potential')).steps.filter((step) => step < reached);
    expect(samples).toHaveLength(Math.ceil(reached / 3));
    const stream = own[0].stream('spikes');
    const further = [
      () => fresh.run(3.2),
      () => stream.next(),
      () => fresh.step(),
      () => fresh.compile(),
      () => fresh.save(),
      () => Simulation.restore(fresh),
    ];
    for (const go of further) await expect(go()).rejects.toBe(failure);
    expect(() => addCells(fresh, AdEx, { name: 'c', units: 1 })).toThrow(failure);
    fresh.reset();
    for (const part of [1.6, 1.6, 3.2]) await fresh.run(part);
    for (const [i, outcome] of (await outcomesOf(own)).entries())
      expectSameOutcome(outcome, whole[i] as typeof outcome);
  });
});

describe.each(['webgpu', 'cpu'] as const)('on %s', (backend) => {
  test('a step whose spikes have no room ends the simulation likewise', async () => {
    const room = { short: false };
    makeShort('Int8Array', room, () => true);
    const simulation = await open(backend);
    addBoth(simulation);
    await simulation.step();
    room.short = true;
    await expect(simulation.step()).rejects.toMatchObject(noRoom);
    room.short = false;
    await expect(simulation.step()).rejects.toMatchObject(noRoom);
    simulation.reset();
    expect(Object.keys(await simulation.step())).toEqual(['a', 'b']);
  });

  test('where nothing was made nothing is missing: no room for currents, or for statistics', async () => {
    const room = { short: false };
    makeShort('Float32Array', room, (length) => length === NEURONS || length === 16 * NEURONS);
    const simulation = await open(backend);
    const cells = addCells(simulation, AdEx, {
      units: NEURONS,
      input: [{ kind: 'array', shape: [64, NEURONS], read: async (_, steps) => Array(steps * NEURONS).fill(1) }],
      record: { statistics: { potential: {} } },
    });
    await simulation.run(1.6);
    room.short = true;
    await expect(cells.statistics('potential')).rejects.toMatchObject(noRoom);
    await expect(simulation.run(1.6)).rejects.toMatchObject(noRoom);
    room.short = false;
    expect(simulation.steps).toBe(16);
    await simulation.run(1.6);
    expect((await cells.statistics('potential')).samples).toBe(32);
  });

  test('what SpiderMonkey throws where memory ends is known as that', async () => {
    const room = { short: false };
    makeShort('ArrayBuffer', room, (bytes) => bytes === 4 * NEURONS, 'out of memory');
    const simulation = await open(backend);
    const [cells] = addBoth(simulation);
    room.short = true;
    await expect(cells.readState('potential')).rejects.toMatchObject({
      name: 'OutOfMemoryError',
      message: 'the memory has no room left: out of memory',
    });
    room.short = false;
    expect(await cells.readState('potential')).toHaveLength(NEURONS);
  });
});

describe('a state that is no number', () => {
  const addRampant = (simulation: Simulation) =>
    addCells(simulation, RunawaySoma, { name: 'rampant', units: 100, parameters: { potential_rest: 0 } });

  test('and that a GPU does not give is told of, and the simulation is back before it', async () => {
    const room = { short: false };
    const device = await openMute(room, 'mapAsync', (label) => label === 'somagpu read');
    const simulation = await open('webgpu', { device });
    const cells = addRampant(simulation);
    await simulation.run(1.6);
    cells.setState({ potential: 1e9 });
    room.short = true;
    const failure = await simulation.run(1.6).catch((error) => error);
    expect(failure).toMatchObject({ name: 'SomaError', cause: notGiven });
    expect(failure.message).toMatch(/^a state of rampant is no number after step 31; which cannot be read: /);
    room.short = false;
    expect(simulation.steps).toBe(16);
    cells.setState({ potential: 0 });
    await simulation.run(1.6);
    expect(simulation.steps).toBe(32);
  });

  test('is nothing to a simulation that was reset as soon as another population had failed', async () => {
    const room = { short: false };
    const device = await openDevice();
    const { createBuffer } = device;
    let made = 0;
    device.createBuffer = (descriptor) => {
      const buffer = createBuffer.call(device, descriptor);
      if (descriptor.label !== 'somagpu readback') return buffer;
      const first = made++ === 0;
      const { mapAsync } = buffer;
      buffer.mapAsync = async (...given) => {
        if (room.short && first) throw new DOMException('not now', 'OperationError');
        await mapAsync.apply(buffer, given);
        if (room.short) await new Promise((resolve) => setTimeout(resolve, 100));
        return undefined;
      };
      return buffer;
    };
    const simulation = await open('webgpu', { device: async () => device });
    addCells(simulation, AdEx, { name: 'a', units: 100 });
    const cells = addRampant(simulation);
    // All slots, so that the next block is that of the buffer that was made first.
    const turn = 1.6 * (BLOCKS_IN_FLIGHT + 1);
    await simulation.run(turn);
    cells.setState({ potential: 1e9 });
    room.short = true;
    await expect(simulation.run(1.6)).rejects.toMatchObject(notGiven);
    room.short = false;
    simulation.reset();
    await simulation.run(turn);
    expect(simulation.recoveries).toBe(0);
  });
});
