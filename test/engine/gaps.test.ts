// What a block made and nobody could record, for want of memory or because a GPU does not give it: the run ends with an error
// of its kind, and nothing goes on beyond the gap but from the start. Memory is made short by arrays that do not fit.

import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { BLOCKS_IN_FLIGHT } from '../../src/backend.ts';
import { inRoom } from '../../src/errors.ts';
import {
  AdaptiveExponentialSoma as AdEx,
  normal,
  OutOfMemoryError,
  Simulation,
  type SimulationOptions,
  uniform,
} from '../../src/index.ts';
import { typed } from '../../src/threads.ts';
import { openDevice } from '../support/backends.ts';
import { opened } from '../support/fragile.ts';
import { addCells, type Cells, expectSameBits, expectSameOutcome, outcomeOf } from '../support/outcome.ts';
import { FragileSoma, RunawaySoma } from '../support/runaway.ts';

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

  const values = new Float32Array(64 * NEURONS).fill(1);
  const read = async (_: number, steps: number) => values.slice(0, steps * NEURONS);
  const shape = [64, NEURONS];
  test.each([
    ['that are read', [{ kind: 'array', shape, read }]],
    ['of which there is a sum', Array(2).fill({ kind: 'array', shape, values })],
  ])('where nothing was made nothing is missing: no room for currents %s, or for statistics', async (_, input) => {
    const room = { short: false };
    makeShort('Float32Array', room, (length) => length === NEURONS || length === 16 * NEURONS);
    const simulation = await open(backend);
    const cells = addCells(simulation, AdEx, { units: NEURONS, input, record: { statistics: { potential: {} } } });
    await simulation.run(1.6);
    room.short = true;
    await expect(cells.statistics('potential')).rejects.toMatchObject(noRoom);
    await expect(simulation.run(1.6)).rejects.toMatchObject(noRoom);
    await expect(simulation.step({ population1: Array(NEURONS).fill(1) })).rejects.toMatchObject(noRoom);
    room.short = false;
    expect(simulation.steps).toBe(16);
    await simulation.run(1.6);
    expect((await cells.statistics('potential')).samples).toBe(32);
  });

  test.each<[string, (cells: Cells, simulation: Simulation) => void]>([
    ['states that are set', (cells) => cells.setState({ potential: Array(NEURONS).fill(-60) })],
    ['parameters that are set', (cells) => cells.setParameters({ spike_slope: Array(NEURONS).fill(1) })],
    ['a reset', (_, simulation) => simulation.reset()],
  ])('where there is no room for %s nothing goes on but from the start', async (_, set) => {
    const room = { short: false };
    // In slices for the processor, with padding for a GPU.
    makeShort('Float32Array', room, (length) => length > 1000 && length < 3500 && length !== NEURONS);
    const simulation = await open(backend, backend === 'cpu' ? { workers: 2 } : {});
    const cells = addCells(simulation, AdEx, {
      units: NEURONS,
      initial: { potential: normal(-65, 2) },
      record: { states: { potential: { neurons: [7] } } },
    });
    await simulation.run(1.6);
    const { values: whole } = await cells.trace('potential');
    room.short = true;
    // The processor is told of it, and then tells, when something is asked of it.
    const failure = await (async () => set(cells, simulation))()
      .then(() => simulation.run(1.6))
      .catch((failed) => failed);
    expect(failure).toMatchObject(noRoom);
    room.short = false;
    await expect(simulation.run(1.6)).rejects.toBe(failure);
    simulation.reset();
    expect(simulation.steps).toBe(0);
    await simulation.run(1.6);
    expect((await cells.trace('potential')).values).toEqual(whole);
  });

  test('a gap is one whatever a reader of currents throws meanwhile', async () => {
    const room = { short: false };
    makeShort('Uint32Array', room, (length) => length > 16);
    const simulation = await open(backend);
    addBoth(simulation);
    let asked = 0;
    const read = (_: number, steps: number) =>
      room.short && asked++ > 0 ? Promise.reject(undefined) : Promise.resolve(Array(steps).fill(0));
    addCells(simulation, AdEx, { name: 'c', units: 1, input: [{ kind: 'array', shape: [640], read }] });
    await simulation.run(3.2);
    room.short = true;
    await expect(simulation.run(4.8)).rejects.toBe(undefined);
    room.short = false;
    await expect(simulation.run(1.6)).rejects.toBe(undefined);
    expect(simulation.steps).toBe(32);
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

  test('while all before it cannot be made again ends the simulation until it is reset', async () => {
    const room = { short: false };
    let left = 0;
    const device = await openMute(room, 'mapAsync', (label) => label === 'somagpu readback' && left-- <= 0);
    const simulation = await open('webgpu', { device });
    const cells = addRampant(simulation);
    const both = addBoth(simulation);
    for (let block = 0; block < 4; block++) await simulation.run(1.6);
    const whole = await outcomesOf(both);
    cells.setState({ potential: 1e9 });
    // Of each population the block itself comes back, with samples of two; then nothing does.
    [room.short, left] = [true, 5];
    const failure = await simulation.run(1.6).catch((failed) => failed);
    expect(failure).toMatchObject(notGiven);
    room.short = false;
    await expect(simulation.run(1.6)).rejects.toBe(failure);
    simulation.reset();
    for (let block = 0; block < 4; block++) await simulation.run(1.6);
    for (const [i, outcome] of (await outcomesOf(both)).entries())
      expectSameOutcome(outcome, whole[i] as typeof outcome);
  });

  test.each([
    ['for a slice of states', (length: number) => length > 1000 && length < 2000],
    ['for a slice of currents', (length: number) => length > 8000 && length < 13000],
  ])('and no room %s to search it leave a simulation that goes on, on cpu', async (_, isMeant) => {
    const room = { short: false };
    makeShort('Float32Array', room, isMeant);
    const simulation = await open('cpu', { workers: 2 });
    const read = async (_: number, steps: number) => Array(steps * NEURONS).fill(0);
    const cells = addCells(simulation, RunawaySoma, {
      name: 'rampant',
      units: NEURONS,
      parameters: { potential_rest: 0 },
      input: [{ kind: 'array', shape: [640, NEURONS], read }],
    });
    for (let block = 0; block < 4; block++) await simulation.run(1.6);
    cells.setState({ potential: 1e9 });
    room.short = true;
    const failure = await simulation.run(1.6).catch((failed) => failed);
    expect(failure.message).toMatch(/^a state of rampant is no number after step 79; which cannot be read: the memory/);
    room.short = false;
    expect(simulation.steps).toBe(64);
    cells.setState({ potential: 0 });
    await simulation.run(1.6);
    expect(simulation.steps).toBe(80);
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

/** Spread parameters, and currents of each neuron. */
const addVaried = (simulation: Simulation) =>
  addCells(simulation, AdEx, {
    name: 'varied',
    units: NEURONS,
    parameters: { spike_slope: uniform(1.5, 2.5) },
    input: [{ kind: 'constant', amplitude: Float32Array.from({ length: NEURONS }, (_, i) => 300 + (i % 400)) }],
    record: { spikes: true },
  });

/** For a slice of the processor's, a tile of the GPU's whose bindings are small, or all neurons with their padding. */
const isPart = (length: number) => (length >= 512 && length < 2000) || length === 3072;

describe('what is set by half, in one slice or tile of several, is set anew', () => {
  const small = { ...tuning, maxBinding: 2 ** 16 };
  const ways = [
    { name: 'on webgpu', backend: 'webgpu', options: {} },
    { name: 'in tiles', backend: 'webgpu', options: { tuning: small } },
    { name: 'on cpu', backend: 'cpu', options: { workers: 2 } },
  ] as const;
  const halves: [string, (cells: Cells, simulation: Simulation) => void][] = [
    ['a reset', (_, simulation) => simulation.reset()],
    ['parameters', (cells) => cells.setParameters({ spike_slope: Array(NEURONS).fill(1.7) })],
  ];
  const cases = ways.flatMap((way) => halves.map(([what, set]) => ({ ...way, what, set })));
  test.each(cases)('by a reset: $what, $name', async ({ backend, options, set }) => {
    const room = { short: false };
    makeShort('Float32Array', room, isPart);
    const simulation = await open(backend, options);
    const cells = addVaried(simulation);
    await simulation.run(16);
    const whole = await outcomeOf(cells);
    cells.setParameters({ spike_slope: 2 });
    await simulation.run(1.6);
    room.short = true;
    const failure = await (async () => set(cells, simulation))()
      .then(() => simulation.run(1.6))
      .catch((failed) => failed);
    expect(failure).toMatchObject(noRoom);
    room.short = false;
    simulation.reset();
    await simulation.run(16);
    expectSameOutcome(await outcomeOf(cells), whole);
  });

  test('by a reset: a population that was added, on cpu; and a restored one is refused', async () => {
    const good = await open('cpu', { workers: 2 });
    const whole = addVaried(good);
    const saved = await good.save();
    await good.run(16);
    const room = { short: true };
    makeShort('Float32Array', room, isPart);
    const bad = await open('cpu', { workers: 2 });
    const cells = addVaried(bad);
    await expect(bad.run(16)).rejects.toMatchObject(noRoom);
    const restored = await Simulation.restore(saved, { workers: 2, tuning });
    onTestFinished(() => restored.dispose());
    await expect(restored.run(16)).rejects.toMatchObject(noRoom);
    room.short = false;
    for (const simulation of [bad, restored]) {
      simulation.reset();
      await simulation.run(16);
    }
    expectSameOutcome(await outcomeOf(cells), await outcomeOf(whole));
    expectSameOutcome(await outcomeOf(restored.populations[0] as Cells), await outcomeOf(whole));
  });

  test('or was not set at all, and nothing is refused', async () => {
    const room = { short: false };
    makeShort('Float32Array', room, (length) => length === NEURONS);
    const simulation = await open('cpu', { workers: 2 });
    const cells = addVaried(simulation);
    await simulation.run(1.6);
    const before = await cells.readState('potential');
    room.short = true;
    expect(() => cells.setState({ potential: Array(NEURONS).fill(-60) })).toThrow(OutOfMemoryError);
    room.short = false;
    expectSameBits(await cells.readState('potential'), before, 'the potential');
    await simulation.run(1.6);
  });

  test('while a block waits for its currents: it is not made', async () => {
    const room = { short: false };
    makeShort('Float32Array', room, isPart);
    const simulation = await open('webgpu');
    const read = async (first: number, steps: number) => {
      room.short = first === 32;
      if (room.short) expect(() => cells.setState({ potential: Array(NEURONS).fill(-60) })).toThrow(OutOfMemoryError);
      room.short = false;
      return Array(steps).fill(0);
    };
    const cells: Cells = addCells(simulation, AdEx, { units: NEURONS, input: [{ kind: 'array', shape: [640], read }] });
    await expect(simulation.run(6.4)).rejects.toMatchObject(noRoom);
    expect(simulation.steps).toBe(32);
  });

  test('but for a population that was not added: the others are looked at as ever', async () => {
    const room = { short: true };
    makeShort('Float32Array', room, isPart);
    const device = await openDevice();
    const { createCommandEncoder } = device;
    let reads = 0;
    device.createCommandEncoder = (descriptor) => {
      if (descriptor?.label === 'somagpu read') reads++;
      return createCommandEncoder.call(device, descriptor);
    };
    const often = { ...tuning, snapshot: 1, kept: 1000 };
    const simulation = await open('webgpu', { device: async () => device, tuning: often });
    expect(() => addVaried(simulation)).toThrow(OutOfMemoryError);
    room.short = false;
    addCells(simulation, AdEx, { units: 100 });
    await simulation.run(32);
    expect(reads).toBeGreaterThan(0);
  });
});

test('a search for a state that is no number ends where it began, or the simulation with it', async () => {
  // Room for so many planes to be written; with enough of them it ends.
  let [armed, left] = [false, -1];
  const room = {
    get short() {
      return armed;
    },
  };
  makeShort('Float32Array', room, (length) => length === 256 && left-- <= 0);
  const values = new Float32Array(640);
  values[45] = 100;
  const kinds = new Set<string>();
  for (let writes = 0; left < 0; writes++) {
    const simulation = await open('webgpu');
    const cells = addCells(simulation, FragileSoma, { units: 100, input: [{ kind: 'array', shape: [640], values }] });
    await simulation.run(3.2);
    [armed, left] = [true, writes];
    const failure = await simulation.run(1.6).catch((failed) => failed);
    armed = false;
    kinds.add(failure.name);
    const again = await simulation.run(0.1).catch((failed) => failed);
    const age = await cells.readState('age').catch((failed) => failed);
    if (again === undefined) expect([simulation.steps, age[0]], `${writes} writes`).toEqual([33, 33]);
    else expect([simulation.steps, again], `${writes} writes`).toEqual([32, failure]);
    simulation.dispose();
  }
  expect([...kinds].sort()).toEqual(['NonFiniteError', 'OutOfMemoryError']);
});

describe('memory', () => {
  test.each([1.6, 6.4])('of a GPU that ends with what %s ms bring back is told as that', async (duration) => {
    const device = await openDevice();
    const { createBuffer, limits } = device;
    device.createBuffer = (descriptor) => {
      const size = descriptor.label === 'somagpu readback' ? limits.maxBufferSize : descriptor.size;
      return createBuffer.call(device, { ...descriptor, size });
    };
    const simulation = await open('webgpu', { device });
    const cells = addBoth(simulation);
    const failure = await simulation.run(duration).catch((failed) => failed);
    expect(failure).toMatchObject({
      name: 'OutOfMemoryError',
      message: expect.stringMatching(/^the device has no room/),
    });
    await expect(simulation.run(duration)).rejects.toBe(failure);
    expect((await cells[0].spikes()).steps).toHaveLength(0);
  });

  test.each<[unknown, string]>([
    [new RangeError('Array buffer allocation failed'), 'OutOfMemoryError'],
    [new RangeError('Invalid typed array length: 8589934592'), 'OutOfMemoryError'],
    [new RangeError('Out of memory'), 'OutOfMemoryError'],
    [{ name: 'RangeError', message: 'out of memory' }, 'OutOfMemoryError'],
    ['out of memory', 'OutOfMemoryError'],
    [new RangeError('offset is out of bounds'), 'SomaError'],
    [new TypeError('out of memory'), 'SomaError'],
  ])('is what %s tells of: %s', (thrown, name) => {
    expect(typed(thrown as Error).name).toBe(name);
    const fails = () =>
      inRoom(() => {
        throw thrown;
      });
    if (name === 'SomaError') expect(fails).toThrow(thrown as Error);
    else expect(fails).toThrow(OutOfMemoryError);
  });
});
