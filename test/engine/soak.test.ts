// The same again and again: runs killed at any moment and resumed, simulations made and disposed of. `npm run soak` does it
// more often.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import {
  AdaptiveExponentialSoma,
  DisposedError,
  Simulation,
  type SimulationOptions,
  uniform,
} from '../../src/index.ts';
import { findAdapter } from '../../src/node.ts';
import { openDevice } from '../support/backends.ts';
import { expectSameFiles, type Place, place, recordingAll, stateOf } from '../support/checkpoints.ts';
import { somagpu } from '../support/cli.ts';
import { fuzzSeed, timeFor, times } from '../support/effort.ts';
import { ripple } from '../support/outcome.ts';
import { GROWTH } from '../support/tolerances.ts';

const seed = fuzzSeed();

const EVERY = ['--checkpoint', '7.3'];

/** Every file that has appeared is whole, however the run that made it ended. */
function expectWholeFiles(there: Place, whole: Place): void {
  const seen = existsSync(there.out) ? there.files() : [];
  for (const file of seen.filter((name) => !/^\.|^summary/.test(name)))
    expect(readFileSync(join(there.out, file)).equals(readFileSync(join(whole.out, file))), file).toBe(true);
}

/** Starts runs, kills them, goes on from their checkpoints, until there were so many kills; gives how many were completed. */
async function killed(whole: Place, json: unknown, on: string[], kills: number, longest: number): Promise<number> {
  const moments = fc.sample(fc.double({ min: 0, max: longest, noNaN: true }), { seed, numRuns: 10 * kills });
  let [there, landed, completed] = [place(json), 0, 0];
  for (let i = 0; landed < kills || completed === 0; i++) {
    const way = existsSync(stateOf(there)) ? ['--resume'] : EVERY;
    const interruptAfter = landed < kills ? moments[i % moments.length] : undefined;
    const args = ['run', 'experiment.json', '--out', 'out', ...on, ...way];
    const { code, stderr } = await somagpu(args, { cwd: there.cwd, interruptAfter, signal: 'SIGKILL' });
    if (code === null) {
      landed++;
      expectWholeFiles(there, whole);
      continue;
    }
    expect([code, stderr]).toEqual([0, '']);
    expectSameFiles(there, whole);
    completed++;
    there = place(json);
  }
  return completed;
}

describe('a run with checkpoints that is killed at any moment', () => {
  const KILLS = { cpu: 2, webgpu: 1 };
  const all = times('SOAK_KILLS', KILLS.cpu + KILLS.webgpu);
  const shares = { cpu: Math.ceil((2 * all) / 3), webgpu: Math.floor(all / 3) };

  test.each(['cpu', 'webgpu'] as const)(
    'ends with the files of one that was not, when it is resumed as often as needed, on %s',
    { timeout: timeFor(1, shares.webgpu) },
    async (backend) => {
      const json = recordingAll(4000, 400);
      const on = ['--backend', backend];
      const whole = place(json);
      expect((await whole.run(...on)).code).toBe(0);
      const paced = place(json);
      const began = performance.now();
      expect((await paced.run(...on, ...EVERY)).code).toBe(0);
      const longest = performance.now() - began;
      expectSameFiles(paced, whole);
      const completed = await killed(whole, json, on, shares[backend], longest);
      console.log(`soak: ${shares[backend]} kills on ${backend}, ${completed} runs completed, seed ${seed}`);
    },
  );
});

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Bytes that the process holds, in JavaScript and in all. */
async function held(): Promise<{ own: number; all: number }> {
  // What was destroyed is given back in later turns.
  for (let i = 0; i < 3; i++) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    collectGarbage();
  }
  const { heapUsed, external, rss } = process.memoryUsage();
  return { own: heapUsed + external, all: rss };
}

const STEPS = 60;

/** A simulation with all that takes memory; every third is disposed of while it runs. (Vitest keeps 10 kB of each `expect`.) */
async function cycle(options: SimulationOptions, count: number): Promise<void> {
  const simulation = await Simulation.create({ dt: 0.1, seed: count, tuning: { blockSteps: 16 }, ...options });
  const units = 2500;
  const cells = simulation.add(AdaptiveExponentialSoma, {
    name: 'cells',
    units,
    parameters: { threshold: uniform(-35, -30) },
    input: [
      { kind: 'white_noise', mean: 200, sd: 50 },
      { kind: 'array', values: ripple(STEPS, 1), shape: [STEPS] },
    ],
    record: {
      spikes: true,
      rate: { bin: 1 },
      states: { potential: { neurons: [1, 9] } },
      statistics: { potential: {} },
    },
  });
  const running = simulation.run(STEPS / 10);
  if (count % 3 === 0) {
    simulation.dispose();
    const error = await running.catch((error: unknown) => error);
    if (!(error instanceof DisposedError)) throw error ?? new Error('a run went on after dispose');
    return;
  }
  await running;
  cells.setParameters({ spike_slope: uniform(1.5, 2.5) });
  if ((await cells.spikes()).steps.length < units / 10) throw new Error('too few spikes');
  simulation.dispose();
}

/** In which the second half is watched. */
const PARTS = 5;
/** Made before any is watched. */
const WARM = 50;

/** Makes and disposes of so many; half of the parts of the second half, or more, leave no memory behind. */
async function cycles(
  count: number,
  options: () => Promise<SimulationOptions>,
  most: (typeof GROWTH)['shared' | 'single'] = GROWTH.shared,
): Promise<void> {
  const half = Math.ceil(count / 2);
  const each = Math.ceil(half / PARTS);
  let made = 0;
  const make = async (more: number) => {
    for (const last = made + more; made < last; made++) await cycle(await options(), made);
    return held();
  };
  const seen = [await make(half)];
  for (let part = 0; part < PARTS; part++) seen.push(await make(each));
  for (const kind of ['own', 'all'] as const) {
    const grown = seen.slice(1).map((after, part) => (after[kind] - (seen[part] as typeof after)[kind]) / each);
    const median = grown.sort((a, b) => a - b)[PARTS >> 1] as number;
    const bound = most[kind].leak + most[kind].noise / each;
    console.log(`soak: ${made} cycles, ${kind}: ${Math.round(median)} bytes more each, ${Math.round(bound)} at most`);
    expect(median, `bytes a cycle, ${kind}`).toBeLessThan(bound);
  }
}

/** Buffers that a device has made and not destroyed. */
function countBuffers(device: GPUDevice): Set<GPUBuffer> {
  const alive = new Set<GPUBuffer>();
  const { createBuffer } = device;
  device.createBuffer = (descriptor) => {
    const buffer = createBuffer.call(device, descriptor);
    const { destroy } = buffer;
    buffer.destroy = () => {
      alive.delete(buffer);
      return destroy.call(buffer);
    };
    alive.add(buffer);
    return buffer;
  };
  return alive;
}

/** Adds the device that an adapter makes to those that live, until it is destroyed. */
function countDevice(adapter: GPUAdapter, alive: Set<GPUDevice>): GPUAdapter {
  const { requestDevice } = adapter;
  adapter.requestDevice = async (descriptor) => {
    const device = await requestDevice.call(adapter, descriptor);
    alive.add(device);
    void device.lost.then(({ reason }) => reason === 'destroyed' && alive.delete(device));
    return device;
  };
  return adapter;
}

describe('simulations made, run and disposed of, one after the other, leave nothing', () => {
  const count = times('SOAK_CYCLES', 100);
  const timeout = timeFor(100, count);

  // Code that is only now compiled is memory, too.
  beforeAll(
    async () => {
      const device = await (await findAdapter()).requestDevice();
      for (let made = 0; made < WARM; made++) {
        await cycle({ backend: 'webgpu', device }, made);
        await cycle({ backend: 'cpu', workers: 2 }, made);
      }
      device.destroy();
    },
    timeFor(100, WARM),
  );

  test(`on one device of the host's, ${count} times: no buffer, no memory`, { timeout }, async () => {
    const device = await openDevice();
    const alive = countBuffers(device);
    let made = 0;
    await cycles(count, async () => {
      if (alive.size > 0) throw new Error(`${alive.size} buffers are left`);
      made++;
      return { backend: 'webgpu', device };
    });
    expect(alive.size).toBe(0);
    expect(made).toBeGreaterThanOrEqual(count);
  });

  // Each opens a device of its own, which takes a software GPU a fifth of a second.
  const few = Math.ceil(count / 5);
  test(`on devices of their own, ${few} times: no device, no memory`, { timeout }, async () => {
    const alive = new Set<GPUDevice>();
    let made = 0;
    const options = async (): Promise<SimulationOptions> => {
      const adapter = countDevice(await findAdapter(), alive);
      // The last one tells in a later turn that it was destroyed.
      if (alive.size > 1) throw new Error(`${alive.size} devices are left`);
      made++;
      return { backend: 'webgpu', adapter };
    };
    await cycles(few, options, GROWTH.single);
    expect(made).toBeGreaterThanOrEqual(few);
    await expect.poll(() => alive.size).toBe(0);
  });

  test(`on the processor, ${count} times: no worker, no memory`, { timeout }, async () => {
    const alive = new Set<Worker>();
    const listen = (worker: Worker) => {
      alive.add(worker);
      worker.once('exit', () => alive.delete(worker));
    };
    process.on('worker', listen);
    onTestFinished(() => {
      process.off('worker', listen);
    });
    await cycles(count, async () => ({ backend: 'cpu', workers: 2 }));
    await expect.poll(() => alive.size).toBe(0);
  });
});
