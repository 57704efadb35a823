// The CPU path alone: which path is picked, the same bits on every thread and every machine, the life and death of
// workers, and what a run leaves to others on the calling thread. What both paths do is in the tests beside this one.

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { endianness } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import type { Worker } from 'node:worker_threads';
import { describe, expect, onTestFinished, test } from 'vitest';
import { workerSource } from '../../src/generated/worker.ts';
import {
  AdaptiveExponentialSoma as AdEx,
  DeviceLostError,
  DisposedError,
  InputError,
  NoBackendError,
  OutOfMemoryError,
  type Progress,
  Simulation,
  type SimulationOptions,
  type Soma,
  uniform,
  type Value,
} from '../../src/index.ts';
import { findAdapter } from '../../src/node.ts';
import { openDevice } from '../support/backends.ts';
import { scratch } from '../support/cli.ts';
import { newWorkers } from '../support/fragile.ts';
import {
  addCells,
  type CellOptions,
  type Cells,
  expectSameBits,
  expectSameOutcome,
  firstOf,
  type Outcome,
  outcomeOf,
  ripple,
  somaNames,
  variedParameters,
} from '../support/outcome.ts';
import { somas } from '../support/reference.ts';

const SOMAS = somaNames.map((name) => [name, somas[name] as Soma] as const);
const DT = 0.1;

/** Opens a simulation that goes when the test ends. */
async function open(options: SimulationOptions = {}): Promise<Simulation> {
  const simulation = await Simulation.create({ backend: 'cpu', dt: DT, seed: 5, ...options });
  onTestFinished(() => simulation.dispose());
  return simulation;
}

/** What a population does in so many steps when it is computed this way. */
async function follow(soma: Soma, options: CellOptions, steps: number, way: SimulationOptions): Promise<Outcome> {
  const simulation = await open(way);
  const cells = addCells(simulation, soma, options);
  await simulation.run(steps * DT);
  const outcome = await outcomeOf(cells);
  simulation.dispose();
  return outcome;
}

/** That a comparison compares something: every tenth neuron at least has spiked, and not all as often. */
function expectActivity({ counts, spikes }: Outcome): void {
  expect(counts.filter((count) => count > 0).length).toBeGreaterThan(counts.length / 10);
  expect(new Set(counts).size).toBeGreaterThan(2);
  expect(spikes.steps.length).toBeGreaterThan(counts.length / 10);
}

/** Currents of shape [steps, neurons], made once for all somas. */
const ripples = new Map<string, Float32Array>();

function rippleOf(steps: number, neurons: number): Float32Array {
  const key = `${steps} ${neurons}`;
  const found = ripples.get(key) ?? ripple(steps, neurons);
  ripples.set(key, found);
  return found;
}

/** Initializers as arrays: drawn once, not for every simulation that is compared. */
const drawn = (values: Record<string, Value>, neurons: number): Record<string, Value> =>
  Object.fromEntries(
    Object.entries(values).map(([name, value], k) => {
      const { low, high } = value as { low?: number; high?: number };
      if (low === undefined || high === undefined) return [name, value];
      const part = (neuron: number) => ((neuron + 1) * 0.618033988749895 + k * 0.3247179572447461) % 1;
      return [name, Float32Array.from({ length: neurons }, (_, neuron) => low + part(neuron) * (high - low))];
    }),
  );

const amplitudes = (neurons: number) => drawn({ amplitude: uniform(80, 350) }, neurons).amplitude as Float32Array;

/** Uses all there is; the trace's columns are in no order, and lie where slices and chunks meet. */
function everything(soma: Soma, neurons: number, steps: number): CellOptions {
  const edges = [neurons - 1, 0, 2055, 2056, 1025, 2048, 1, 511, 512, 7, 1032, 2047, 8, 1031];
  return {
    name: 'cells',
    units: neurons,
    parameters: drawn(variedParameters(soma), neurons),
    input: [
      { kind: 'step', amplitude: amplitudes(neurons), start: 1.7, stop: steps * DT - 4 },
      { kind: 'array', values: rippleOf(steps, 1) },
      { kind: 'constant', amplitude: 12.5 },
      { kind: 'array', values: rippleOf(steps, neurons), shape: [steps, neurons] },
    ],
    record: {
      spikes: true,
      states: {
        potential: { neurons: edges.filter((neuron) => neuron < neurons) },
        [Object.keys(soma.states).at(-1) as string]: { every: 7 },
      },
    },
  };
}

/** The same without arrays, but for a current that is the same for all. */
const uniformCells = (soma: Soma, neurons: number, steps: number): CellOptions => ({
  ...everything(soma, neurons, steps),
  parameters: {
    potential_rest: 0,
    potential_reset: 17,
    threshold: 38,
    rheobase_threshold: 20,
    potential_tau: 4,
    spike_slope: 2,
  },
  input: [
    { kind: 'step', amplitude: amplitudes(neurons), start: 1.7, stop: steps * DT - 4 },
    { kind: 'array', values: rippleOf(steps, 1) },
  ],
});

const steady = (neurons: number): CellOptions['input'] => [
  { kind: 'constant', amplitude: amplitudes(neurons) },
  { kind: 'constant', amplitude: 10 },
];

/** The same where the current never changes: as many steps at once as words and samples let it. */
const steadyCells = (soma: Soma, neurons: number, steps: number): CellOptions => ({
  ...uniformCells(soma, neurons, steps),
  input: steady(neurons),
});

describe.each(SOMAS)('the same bits of %s', (_, soma) => {
  test('on the calling thread and on 1, 2, 3 and 8 workers', async () => {
    const [neurons, steps] = [7 * 2048 + 7, 130];
    const options = everything(soma, neurons, steps);
    const own = await follow(soma, options, steps, { workers: 0 });
    expectActivity(own);
    for (const workers of [1, 2, 3, 8]) expectSameOutcome(await follow(soma, options, steps, { workers }), own);
  });

  test.each([
    ['currents that change', everything],
    ['a current that is the same in every step', steadyCells],
  ])('in blocks of 1, 32, 100 and 256 steps, with %s', async (_, cells) => {
    const [neurons, steps] = [2049, 270];
    const options = cells(soma, neurons, steps);
    const whole = await follow(soma, options, steps, { workers: 0 });
    expectActivity(whole);
    for (const [blockSteps, workers] of [
      [1, 0],
      [1, 2],
      [32, 0],
      [100, 2],
      [256, 0],
    ])
      expectSameOutcome(await follow(soma, options, steps, { workers, tuning: { blockSteps } }), whole);
  });

  test.each([
    ['array parameters', everything],
    ['one value for all', uniformCells],
  ])('in chunks of 8, 24, 512 and 2,048 neurons, with %s', async (_, cells) => {
    const [neurons, steps] = [2 * 2048 + 9, 150];
    const options = cells(soma, neurons, steps);
    const whole = await follow(soma, options, steps, { workers: 0 });
    expectActivity(whole);
    for (const [chunk, workers] of [
      [8, 0],
      [24, 0],
      [24, 2],
      [512, 0],
      [2048, 2],
    ])
      expectSameOutcome(await follow(soma, options, steps, { workers, tuning: { chunk } }), whole);
  });

  test('whether a parameter is one number or an array of it', async () => {
    const [neurons, steps] = [2049, 300];
    const options = uniformCells(soma, neurons, steps);
    const number = await follow(soma, options, steps, { workers: 2 });
    expectActivity(number);
    for (const [name, value] of Object.entries(options.parameters as Record<string, number>)) {
      const parameters = { ...options.parameters, [name]: new Float32Array(neurons).fill(value) };
      expectSameOutcome(await follow(soma, { ...options, parameters }, steps, { workers: 2 }), number);
    }
  });

  test('of 1, 7, 2,048, 2,049 and 10,000 neurons and of the first of 10,007', async () => {
    const steps = 200;
    const cells = (units: number): CellOptions => ({
      ...everything(soma, units, steps),
      input: [
        { kind: 'step', amplitude: amplitudes(units), start: 1.7, stop: steps * DT - 4 },
        { kind: 'array', values: rippleOf(steps, 1) },
      ],
      record: { spikes: true },
    });
    const most = await follow(soma, cells(10_007), steps, { workers: 3 });
    expectActivity(most);
    for (const units of [1, 7, 2048, 2049, 10_000])
      expectSameOutcome(await follow(soma, cells(units), steps, { workers: 3 }), firstOf(most, units));
  });
});

describe('in workers', () => {
  test('single steps, inhibition and reset do what they do on the calling thread', async () => {
    const [neurons, steps] = [5000, 40];
    const inhibitory = Array.from({ length: neurons / 5 }, (_, i) => 5 * i);
    const currents = ripple(steps, neurons).map((current) => 300 + 8 * current);
    const follow = async (workers: number) => {
      const simulation = await open({ workers });
      const cells = addCells(simulation, AdEx, { ...everything(AdEx, neurons, 3 * steps), inhibitory });
      const signs = new Float32Array(steps * neurons);
      for (let k = 0; k < steps; k++) {
        const { cells } = await simulation.step({ cells: currents.subarray(k * neurons, (k + 1) * neurons) });
        signs.set(cells as Int8Array, k * neurons);
      }
      await simulation.run(steps * DT);
      const outcome = await outcomeOf(cells);
      simulation.reset();
      await simulation.run(3 * steps * DT);
      return { signs, outcome, again: await outcomeOf(cells) };
    };
    const own = await follow(0);
    const spread = await follow(3);
    expect([...new Set(own.signs)].sort()).toEqual([-1, 0, 1]);
    expectSameBits(spread.signs, own.signs, 'signs');
    expectActivity(own.outcome);
    expectSameOutcome(spread.outcome, own.outcome);
    expectActivity(own.again);
    expectSameOutcome(spread.again, own.again);
  });

  test('two populations beside each other do what each does alone, the small one on the calling thread', async () => {
    const steps = 200;
    const populations = [5000, 300, 10_000].map((units, i) => ({
      ...everything(AdEx, units, steps),
      name: `cells${i}`,
    }));
    const together = await open({ workers: 2 });
    const cells = populations.map((options) => addCells(together, AdEx, options));
    await together.run(steps * DT);
    for (const [i, options] of populations.entries()) {
      const alone = await follow(AdEx, options, steps, { workers: 0 });
      expectActivity(alone);
      expectSameOutcome(await outcomeOf(cells[i] as Cells), alone);
    }
  });
});

describe('every machine', () => {
  const file = new URL('../data/golden.json', import.meta.url);
  const steps = 2000;

  // No number here comes from a function whose last bits an engine may choose: sums, products and draws of integers.
  const options = (soma: Soma): CellOptions => ({
    name: 'golden',
    units: 10_000,
    parameters: variedParameters(soma),
    input: [
      { kind: 'step', amplitude: uniform(20, 250), start: 12.5, stop: 187.5 },
      { kind: 'array', values: Float32Array.from({ length: steps }, (_, step) => Math.abs((step % 200) - 100) / 4) },
    ],
    record: { spikes: true },
  });

  // After a change of a law or of shaders/math/ that is meant to change bits, and only then, renew the file:
  //   UPDATE_GOLDEN=1 npx vitest run --project engine test/engine/cpu.test.ts -t 'every machine'
  test.each(SOMAS)('computes the very bits of %s that are written down', async (name, soma) => {
    const outcome = await follow(soma, options(soma), steps, {});
    expectActivity(outcome);
    const golden = JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>;
    const found = hashOf(outcome);
    if (process.env.UPDATE_GOLDEN) {
      writeFileSync(file, `${JSON.stringify({ ...golden, [name]: found }, undefined, 2)}\n`);
      return;
    }
    const meaning = `${name} does not give the bits of test/data/golden.json: either its law or its arithmetic was changed (if on purpose, renew the file as this test says), or this machine or engine computes otherwise than all others`;
    expect(found, meaning).toBe(golden[name]);
  });
});

/** SHA-256 of the little-endian bytes of the states, by name, the counts, and the spikes' steps and neurons. */
function hashOf({ states, counts, spikes }: Outcome): string {
  const hash = createHash('sha256');
  const named = Object.entries(states).sort(([a], [b]) => (a < b ? -1 : 1));
  for (const { buffer, byteOffset, byteLength } of [
    ...named.map(([, state]) => state),
    counts,
    spikes.steps,
    spikes.neurons,
  ]) {
    const bytes = Buffer.from(buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer);
    hash.update(endianness() === 'LE' ? bytes : bytes.swap32());
  }
  return hash.digest('hex');
}

describe('the path that is picked', () => {
  const picked = async (options: SimulationOptions) => {
    const { backend, backendReason, adapter, software } = await open({ backend: 'auto', ...options });
    return { backend, backendReason, adapter, software };
  };

  test('is the processor where WebGPU reaches no GPU, as in Node unless one is passed', async () => {
    const found = await picked({});
    expect(found).toMatchObject({ backend: 'cpu', software: true });
    expect(found.backendReason).toMatch(/no GPU/);
    expect(found.adapter).toMatch(/WebAssembly.*thread/);
    expect(await picked({ backend: undefined })).toEqual(found);
  });

  test('is the processor where the only GPU is one in software, and WebGPU on the same one by name', async () => {
    const adapter = await findAdapter();
    const { vendor } = adapter.info;
    // The same on machines with a GPU in hardware.
    const software = { info: { isFallbackAdapter: true } } as GPUAdapter;
    for (const given of adapter.info.isFallbackAdapter ? [software, adapter] : [software]) {
      const found = await picked({ adapter: given });
      expect(found).toMatchObject({ backend: 'cpu', software: true });
      expect(found.backendReason).toMatch(/in software/);
    }
    const named = await picked({ backend: 'webgpu', adapter });
    expect(named).toMatchObject({ backend: 'webgpu', software: adapter.info.isFallbackAdapter });
    expect(named.backendReason).toMatch(/by name/);
    expect(named.adapter).toContain(vendor);
  });

  test('is a GPU in hardware, or the processor, saying why, where that gives no device', async () => {
    const adapter = await findAdapter();
    const hardware = (requestDevice: GPUAdapter['requestDevice']) =>
      ({ info: { isFallbackAdapter: false }, limits: adapter.limits, requestDevice }) as GPUAdapter;
    const found = await picked({ adapter: hardware((descriptor) => adapter.requestDevice(descriptor)) });
    expect(found.backend).toBe('webgpu');
    expect(found.backendReason).toMatch(/hardware/);
    const broken = await picked({ adapter: hardware(() => Promise.reject(new Error('out of order'))) });
    expect(broken.backend).toBe('cpu');
    expect(broken.backendReason).toMatch(/cannot be used.*out of order/);
  });

  test("is WebGPU on the host's device, whatever it is", async () => {
    const found = await picked({ device: await openDevice() });
    expect(found.backend).toBe('webgpu');
    expect(found.backendReason).toMatch(/host's device/);
  });

  test('is the processor by name, saying on how many threads', async () => {
    const threads = [0, 1, 3].map(async (workers) => (await picked({ backend: 'cpu', workers })).adapter);
    expect(await Promise.all(threads)).toEqual([
      expect.stringMatching(/\b1 thread$/),
      expect.stringMatching(/\b1 thread$/),
      expect.stringMatching(/\b3 threads$/),
    ]);
    expect((await picked({ backend: 'cpu' })).backendReason).toMatch(/by name/);
  });

  test('is refused where it is unknown, and so are numbers of workers that are none', async () => {
    const wrong = (options: object) => Simulation.create(options);
    for (const backend of ['gpu', 'CPU', '', null, 1, 'toString']) {
      await expect(wrong({ backend })).rejects.toBeInstanceOf(InputError);
      await expect(wrong({ backend })).rejects.toThrow('known: auto, webgpu, cpu');
    }
    for (const workers of [-1, 1.5, '2', Number.NaN, Number.POSITIVE_INFINITY, null])
      for (const backend of ['cpu', 'auto']) {
        await expect(wrong({ backend, workers })).rejects.toBeInstanceOf(InputError);
        await expect(wrong({ backend, workers })).rejects.toThrow(/^workers: /);
      }
  });
});

/** Gives the workers that this process has made since, when asked. */
function countWorkers(): () => Promise<Worker[]> {
  const workers = newWorkers();
  // Node tells of a worker a little after it was made.
  return () => new Promise((resolve) => setImmediate(resolve, workers));
}

const endOf = (workers: readonly Worker[]) =>
  Promise.all(workers.map((worker) => new Promise((resolve) => worker.once('exit', resolve))));

/** A population in workers, of which a run takes long. */
async function startLarge(options: SimulationOptions, given: Partial<CellOptions> = {}) {
  const simulation = await open({ workers: 2, ...options });
  const input = [{ kind: 'constant' as const, amplitude: uniform(80, 250) }];
  return { simulation, cells: addCells(simulation, AdEx, { name: 'cells', units: 100_000, input, ...given }) };
}

/** Longer than any test takes, ms of model time. */
const FOREVER = 1_000_000;

// What waits for a worker that is gone would wait for ever: a short limit, for tests that take seconds at most.
describe('workers', { timeout: 30_000 }, () => {
  test('are made for large populations only, as many as were asked for and no more than are of use', async () => {
    const workers = countWorkers();
    const simulation = await open({ workers: 3 });
    addCells(simulation, AdEx, { units: 2048 });
    await simulation.run(1);
    expect(await workers()).toHaveLength(0);
    addCells(simulation, AdEx, { units: 2049 });
    expect(await workers()).toHaveLength(2);
    addCells(simulation, AdEx, { units: 100_000 });
    addCells(simulation, AdEx, { units: 100_000 });
    await simulation.run(1);
    expect(await workers()).toHaveLength(3);
    const none = await open({ workers: 0 });
    addCells(none, AdEx, { units: 100_000 });
    await none.run(1);
    expect(await workers()).toHaveLength(3);
  });

  test('are gone after dispose, whether they had run or not', async () => {
    const workers = countWorkers();
    const idle = await startLarge({});
    const ran = await startLarge({});
    await ran.simulation.run(1);
    const made = await workers();
    expect(made).toHaveLength(4);
    const ended = endOf(made);
    idle.simulation.dispose();
    ran.simulation.dispose();
    await ended;
    expect(made.map(({ threadId }) => threadId)).toEqual([-1, -1, -1, -1]);
  });

  test('end in the middle of a run when the simulation is disposed of, and the run with DisposedError', async () => {
    const workers = countWorkers();
    const { simulation, cells } = await startLarge({});
    await simulation.run(1);
    const ended = endOf(await workers());
    const running = simulation.run(FOREVER);
    const disposed = new Promise((resolve) => setTimeout(resolve, 50)).then(() => {
      const reading = cells.readState('potential');
      simulation.dispose();
      return reading;
    });
    await expect(disposed).rejects.toBeInstanceOf(DisposedError);
    await expect(running).rejects.toBeInstanceOf(DisposedError);
    await expect(simulation.run(1)).rejects.toBeInstanceOf(DisposedError);
    await expect(cells.readState('potential')).rejects.toBeInstanceOf(DisposedError);
    await ended;
  });

  test('keep no process alive that has nothing left to await, and let none end before a run is done', async () => {
    const script = (work: string) => `
      import { AdaptiveExponentialSoma, Simulation } from './src/index.ts';
      const simulation = await Simulation.create({ backend: 'cpu', workers: 2 });
      const input = [{ kind: 'constant', amplitude: 65 }];
      const cells = simulation.add(AdaptiveExponentialSoma, { name: 'cells', units: 100_000, input });
      ${work}`;
    const run = async (work: string) => {
      const flags = ['--import', 'tsx', '--input-type=module', '-e', script(work)];
      const cwd = new URL('../..', import.meta.url);
      return (await promisify(execFile)(process.execPath, flags, { cwd, timeout: 20_000 })).stdout;
    };
    const waits = `for (let i = 0; i < 3; i++) {
        await simulation.run(10);
        await cells.readState('potential');
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      const { length } = await cells.spikeCounts();
      console.log(simulation.steps, length);`;
    expect(await Promise.all([waits, 'console.log("added");', 'await simulation.compile();'].map(run))).toEqual([
      '300 100000\n',
      'added\n',
      '',
    ]);
  });

  /** The address of a worker's script that does its work, and `how` when it gets its n-th message. */
  function dying(message: number, how: string): URL {
    const file = join(scratch(), 'worker.cjs');
    const dies = `let left = ${message};
      require('node:worker_threads').parentPort.on('message', () => { if (--left === 0) ${how}; });`;
    writeFileSync(file, `${dies}\n${workerSource}`);
    return pathToFileURL(file);
  }

  // The first to make the folder dies.
  const oneDies = `try { require('node:fs').mkdirSync(__dirname + '/taken'); process.exit(7); } catch {}`;

  test.each([
    ['exit before the run', 3, 'process.exit(7)', /code 7/],
    ['exit during the run', 9, 'process.exit(7)', /code 7/],
    ['end without an error', 9, 'process.exit(0)', /code 0/],
    ['throw before the run', 3, 'throw new Error("broken here")', /broken here/],
    ['throw during the run', 9, 'throw new Error("broken here")', /broken here/],
    ['leave one of three missing', 9, oneDies, /code 7/],
  ])(
    'that %s end it, and all that comes later, with DeviceLostError, soon, where nothing is to recover',
    async (_, message, how, reason) => {
      const workerUrl = dying(message, how);
      const options = { workerUrl, workers: 3, recover: false };
      const { simulation, cells } = await startLarge(options, { record: { spikes: true } });
      const start = performance.now();
      const failure = await simulation.run(FOREVER).catch((error) => error);
      // About 100 ms here; the bound is for a machine that does something else as well.
      expect(performance.now() - start).toBeLessThan(5000);
      expect(failure).toBeInstanceOf(DeviceLostError);
      expect(failure.message).toMatch(reason);
      await expect(simulation.run(1)).rejects.toBeInstanceOf(DeviceLostError);
      await expect(simulation.step()).rejects.toBeInstanceOf(DeviceLostError);
      await expect(cells.readState('potential')).rejects.toBeInstanceOf(DeviceLostError);
      await expect(cells.spikeCounts()).rejects.toBeInstanceOf(DeviceLostError);
      cells.setParameters({ spike_slope: 1 });
      cells.setState({ potential: -60 });
      expect((await cells.spikes()).steps).toBeInstanceOf(Uint32Array);
      simulation.dispose();
      await expect(simulation.run(1)).rejects.toBeInstanceOf(DisposedError);
    },
  );

  test.each([
    ['is not there', undefined],
    ['throws as it is loaded', 'throw new Error("not today");'],
    ['cannot be parsed', 'this is no script'],
    ['ends at once', ''],
  ])('whose script %s make the first run, and later ones, reject with NoBackendError', async (_, text) => {
    const file = join(scratch(), 'worker.cjs');
    if (text !== undefined) writeFileSync(file, text);
    const workers = countWorkers();
    const { simulation, cells } = await startLarge({ workerUrl: pathToFileURL(file).href });
    await expect(simulation.run(FOREVER)).rejects.toBeInstanceOf(NoBackendError);
    await expect(simulation.run(1)).rejects.toThrow('workerUrl');
    await expect(cells.readState('potential')).rejects.toBeInstanceOf(NoBackendError);
    expect(await workers()).toHaveLength(2);
    // A population on the calling thread does not need them.
    const small = await open({ workerUrl: pathToFileURL(file) });
    addCells(small, AdEx, { units: 100 });
    await small.run(1);
  });

  test.each(['worker.js', 'http://127.0.0.1/worker.js'])(
    'whose address is %s, none in Node, are refused with NoBackendError',
    async (workerUrl) => {
      const use = async () => (await startLarge({ workerUrl })).simulation.run(1);
      await expect(use()).rejects.toBeInstanceOf(NoBackendError);
      await expect(use()).rejects.toThrow('workerUrl');
    },
  );

  test('made from a file of the same text do the same', async () => {
    const steps = 100;
    const options = everything(AdEx, 5000, steps);
    const workerUrl = dying(Number.POSITIVE_INFINITY, '');
    const own = await follow(AdEx, options, steps, { workers: 2 });
    expectActivity(own);
    expectSameOutcome(await follow(AdEx, options, steps, { workers: 2, workerUrl }), own);
  });
});

describe('a block that fails', () => {
  test('ends its run and all later ones with the same error at once: its neurons are no longer at one step', async () => {
    const simulation = await open({ workers: 2, tuning: { blockSteps: 2 ** 20 } });
    const traced = new Uint32Array(10_000);
    const record = { spikes: true, states: { potential: { neurons: traced } } };
    addCells(simulation, AdEx, { name: 'cells', units: 2100, record });
    await simulation.run(1);
    // Samples of a million steps of all these take more than an array can have.
    for (const duration of [1e5, 1, 1, 1, 1])
      await expect(simulation.run(duration)).rejects.toBeInstanceOf(OutOfMemoryError);
  });
});

describe('a population that falls silent', () => {
  // Without this its states would shrink to subnormal numbers, with which processors are many times slower, and stay.
  const options: CellOptions = {
    name: 'cells',
    units: 100,
    parameters: { potential_rest: 0, threshold: 40, rheobase_threshold: 20, potential_reset: 10, spike_slope: 0.1 },
    initial: { potential: uniform(1e-3, 15) },
    record: { spikes: true, states: { potential: { neurons: [0, 50, 99], every: 1000 } } },
  };

  test('comes to rest exactly, and all the way there in no subnormal number', async () => {
    const simulation = await open();
    const cells = addCells(simulation, somas.ExponentialSoma as Soma, {
      ...options,
      record: { states: { potential: { neurons: [0, 50, 99] } } },
    });
    await simulation.run(1000);
    const { values } = await cells.trace('potential');
    expect(values.some((value) => value !== 0 && Math.abs(value) < 2 ** -126)).toBe(false);
    expect(values.filter((value) => value > 0).length).toBeGreaterThan(1000);
    expect(Array.from(await cells.readState('potential'))).toEqual(Array(100).fill(0));
  });

  test('does so at the same steps however the run is cut up', async () => {
    const whole = await follow(somas.ExponentialSoma as Soma, options, 5000, {});
    for (const tuning of [{ blockSteps: 7 }, { blockSteps: 1000, chunk: 24 }])
      expectSameOutcome(await follow(somas.ExponentialSoma as Soma, options, 5000, { tuning }), whole);
  });
});

describe('many populations', () => {
  test('on one thread share a memory to compute in, and keep their own numbers', async () => {
    const together = await open();
    const slopes = [1, 1.5, 2, 2.5];
    const add = (simulation: Simulation, slope: number) =>
      addCells(simulation, AdEx, {
        name: `s${slope * 10}`,
        units: 20,
        parameters: { spike_slope: slope },
        input: [{ kind: 'constant', amplitude: 50 + 20 * slope }],
        record: { spikes: true },
      });
    const cells = slopes.map((slope) => add(together, slope));
    await together.run(100);
    for (const [i, slope] of slopes.entries()) {
      const alone = await open();
      const twin = add(alone, slope);
      await alone.run(100);
      expectSameOutcome(await outcomeOf(cells[i] as Cells), await outcomeOf(twin));
    }
    expect(new Set(await Promise.all(cells.map(async (each) => (await each.spikeCounts())[0]))).size).toBe(4);
  });
});

describe('a run', () => {
  test('of a small population lets timers through on the calling thread, and can be stopped by one', async () => {
    const simulation = await open();
    addCells(simulation, AdEx, { units: 500, input: [{ kind: 'constant', amplitude: uniform(80, 250) }] });
    await simulation.run(100);
    let last = performance.now();
    const gaps: number[] = [];
    const timer = setInterval(() => {
      const now = performance.now();
      gaps.push(now - last);
      last = now;
    }, 5);
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 200);
    const start = performance.now();
    await expect(simulation.run(FOREVER, { signal: controller.signal })).rejects.toThrow('aborted');
    clearInterval(timer);
    gaps.push(performance.now() - last);
    gaps.sort((a, b) => a - b);
    expect(performance.now() - start).toBeLessThan(2000);
    expect(simulation.steps).toBeGreaterThan(1000);
    // A turn computes for some 8 ms. The bounds are for a machine that others keep busy: the usual gap tells of turns
    // that are too long, the largest of a loop of promises that starves the timers, for seconds in a run like this.
    expect(gaps[gaps.length >> 1]).toBeLessThan(50);
    expect(gaps.at(-1)).toBeLessThan(500);
    expect(gaps.length).toBeGreaterThan(4);
  });

  test('in workers tells its progress and stops at a whole step when it is aborted', async () => {
    const options = { ...everything(AdEx, 10_007, 1), input: steady(10_007), record: { spikes: true } };
    const way = { workers: 3, tuning: { blockSteps: 16 } };
    const simulation = await open(way);
    const cells = addCells(simulation, AdEx, options);
    const seen: Progress[] = [];
    await simulation.run(10, { onProgress: (progress) => seen.push(progress) });
    expect(seen).toEqual([16, 32, 48, 64, 80, 96, 100].map((steps) => ({ steps, of: 100 })));
    const controller = new AbortController();
    const onProgress = ({ steps }: Progress) => steps >= 64 && controller.abort();
    await expect(simulation.run(30, { signal: controller.signal, onProgress })).rejects.toThrow('aborted');
    const reached = simulation.steps;
    expect(reached >= 164 && reached < 400).toBe(true);
    const stopped = await outcomeOf(cells);
    expectActivity(stopped);
    expectSameOutcome(stopped, await follow(AdEx, options, reached, { workers: 0 }));
    await simulation.run((400 - reached) * DT);
    expectSameOutcome(await outcomeOf(cells), await follow(AdEx, options, 400, { workers: 0 }));
  });

  test('in workers, read meanwhile, is at one and the same step in all slices', async () => {
    const simulation = await open({ workers: 3, tuning: { blockSteps: 1 } });
    const input = [{ kind: 'constant' as const, amplitude: 45 }];
    const cells = addCells(simulation, AdEx, { units: 10_007, input });
    const running = simulation.run(50);
    const seen = new Set<number>();
    for (let i = 0; i < 20; i++) {
      const [potential, counts] = await Promise.all([cells.readState('potential'), cells.spikeCounts()]);
      expect(new Set(potential).size, 'different potentials of neurons that are all alike').toBe(1);
      expect(new Set(counts).size).toBe(1);
      seen.add(potential[0] as number);
    }
    expect(simulation.steps).toBeLessThan(500);
    expect(seen.size).toBeGreaterThan(5);
    await running;
  });

  test('in workers takes what is set meanwhile from its next block on, in all slices at once, and in order', async () => {
    const [neurons, steps] = [10_007, 600];
    const options = { ...everything(AdEx, neurons, 1), input: steady(neurons) };
    const higher = drawn({ threshold: uniform(38, 45) }, neurons);
    const changes: readonly ((cells: Cells) => void)[] = [
      (cells) => cells.setState({ potential: uniform(0, 18) }),
      (cells) => {
        // Of two values the later one holds, whatever comes in between.
        cells.setParameters({ spike_slope: 1, resistance: 0.7, threshold: 36 });
        cells.setState({ adaptation: 500 });
        cells.setParameters({ spike_slope: 2.5 });
        cells.setState({ adaptation: uniform(0, 40), potential: 3 });
        cells.setParameters(higher);
      },
      (cells) => cells.setParameters({ potential_rest: -4, threshold: 37 }),
    ];
    const simulation = await open({ workers: 3, tuning: { blockSteps: 8 } });
    const cells = addCells(simulation, AdEx, options);
    // Where each change was made: nothing that is queued by then may know of it, and all that comes after has to.
    const places: number[] = [];
    const change = () => {
      changes[places.length]?.(cells);
      places.push(simulation.steps);
    };
    const onProgress = ({ steps }: Progress) => {
      if (steps === 96 || steps === 400) change();
      // From outside the run, at whatever step it then is.
      if (steps === 200) setTimeout(change, 1);
    };
    await simulation.run(steps * DT, { onProgress });
    expect(places).toHaveLength(3);
    expect(places.every((place) => place > 0 && place < steps)).toBe(true);
    const outcome = await outcomeOf(cells);
    const twin = await open({ workers: 0 });
    const same = addCells(twin, AdEx, options);
    for (const [i, place] of places.entries()) {
      await twin.run((place - twin.steps) * DT);
      changes[i]?.(same);
    }
    await twin.run((steps - twin.steps) * DT);
    expectActivity(outcome);
    expectSameOutcome(outcome, await outcomeOf(same));
    const undisturbed = await follow(AdEx, options, steps, { workers: 3 });
    const differ = undisturbed.counts.filter((count, neuron) => count !== outcome.counts[neuron]);
    expect(differ.length).toBeGreaterThan(neurons / 2);
  });
});

describe('the memory', () => {
  test('holds 2^24 neurons in workers, and every one of them spikes', async () => {
    const simulation = await open({ workers: 3 });
    const input = [{ kind: 'constant' as const, amplitude: 1e6 }];
    const cells = addCells(simulation, somas.ExponentialSoma as Soma, { units: 2 ** 24, input });
    await simulation.run(3 * DT);
    expect((await cells.spikeCounts()).every((count) => count === 3)).toBe(true);
  });

  test('has no room for a population that needs more, which is refused before anything is allocated', async () => {
    const simulation = await open();
    // At 4 bytes a neuron these fill the memory; a neuron needs at least three times as much.
    for (const units of [Math.ceil(process.availableMemory() / 4), 2 ** 40]) {
      const before = process.memoryUsage.rss();
      const add = () => addCells(simulation, AdEx, { units });
      expect(add).toThrow(InputError);
      expect(add).toThrow(/too many neurons for the memory: needs .* GiB, has .* GiB, .*give at most \d+ neurons/);
      expect(process.memoryUsage.rss() - before).toBeLessThan(2 ** 28);
    }
    expect(simulation.populations).toHaveLength(0);
    addCells(simulation, AdEx, { units: 100 });
    await simulation.run(1);
  });
});
