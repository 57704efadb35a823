// What a host may draw from: a population's own buffers, on its GPU.

import { describe, expect, test } from 'vitest';
import { type GpuPopulation, type Population, SimplifiedAdaptiveExponentialSoma, uniform } from '../../src/index.ts';
import { backends, openDevice } from '../support/backends.ts';
import { expectSameBits } from '../support/outcome.ts';

const UNITS = 1000;
const REST = -70;
/** WebGPU's COPY_DST | MAP_READ, and the mode READ. */
const STAGING = 9;
const READ = 1;

const [gpu, cpu] = backends as [(typeof backends)[number], (typeof backends)[number]];

async function run(backend: (typeof backends)[number], options: object = {}): Promise<Population> {
  const simulation = await backend.open({ dt: 0.1, seed: 3, ...options });
  const cells = simulation.add(SimplifiedAdaptiveExponentialSoma, {
    units: UNITS,
    parameters: { potential_rest: REST, threshold_delta: 5 },
    input: [{ kind: 'constant', amplitude: uniform(30, 120) }],
  });
  await simulation.run(50);
  return cells;
}

/** Some numbers of a buffer, brought back by the host itself. */
async function bring({ device }: GpuPopulation, buffer: GPUBuffer, first: number, count: number): Promise<ArrayBuffer> {
  const staging = device.createBuffer({ size: 4 * count, usage: STAGING });
  const encoder = device.createCommandEncoder();
  encoder.copyBufferToBuffer(buffer, 4 * first, staging, 0, 4 * count);
  device.queue.submit([encoder.finish()]);
  await staging.mapAsync(READ);
  return staging.getMappedRange().slice(0);
}

async function wholePlane(lent: GpuPopulation, state: string): Promise<Float32Array> {
  const whole = new Float32Array(UNITS);
  for (const { first, neurons, stride, states } of lent.tiles) {
    const from = (lent.planes[state] as number) * stride;
    whole.set(new Float32Array(await bring(lent, states, from, neurons)), first);
  }
  return whole;
}

describe('a population on a GPU', () => {
  test.each([
    ['one tile', undefined, 1],
    ['several tiles', { maxBinding: 4096 }, 4],
  ])('lends its buffers, in %s: potentials relative to rest, and the counts of spikes', async (_, tuning, tiles) => {
    const device = await openDevice();
    const cells = await run(gpu, { device, tuning });
    const lent = cells.gpu as GpuPopulation;
    expect(lent.device).toBe(device);
    expect(lent.tiles.length).toBeGreaterThanOrEqual(tiles);
    expect(Object.keys(lent.planes)).toEqual(expect.arrayContaining(['potential', 'blocked', 'threshold']));
    const potential = (await wholePlane(lent, 'potential')).map((value) => value + REST);
    expectSameBits(potential, await cells.readState('potential'), 'potential');
    expectSameBits(await wholePlane(lent, 'blocked'), await cells.readState('blocked'), 'blocked');
    const counts = new Uint32Array(UNITS);
    for (const { first, neurons, counts: own } of lent.tiles) {
      counts.set(new Uint32Array(await bring(lent, own, 0, neurons)), first);
    }
    expectSameBits(counts, await cells.spikeCounts(), 'counts');
    expect(counts.some((count) => count > 1)).toBe(true);
  });
});

describe('a population on the processor', () => {
  test('has no such buffers', async () => {
    expect((await run(cpu)).gpu).toBeUndefined();
  });
});
