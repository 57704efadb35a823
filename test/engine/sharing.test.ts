// Populations and simulations side by side do what each would do alone, and no device time goes into compiling twice.

import { describe, expect, test } from 'vitest';
import {
  AdaptiveExponentialSoma as AdEx,
  SimplifiedAdaptiveExponentialSoma as Simplified,
  Simulation,
  type Soma,
  uniform,
} from '../../src/index.ts';
import { backends, openDevice } from '../support/backends.ts';
import {
  addCells,
  type CellOptions,
  expectSameOutcome,
  outcomeOf,
  ripple,
  variedParameters,
} from '../support/outcome.ts';

const options = (name: string, soma: Soma, units: number): CellOptions => ({
  name,
  units,
  parameters: variedParameters(soma),
  input: [{ kind: 'constant', amplitude: uniform(80, 250) }],
  record: { spikes: true, states: { potential: { neurons: [1, 9], every: 2 } } },
});

describe.each(backends)('populations side by side, on $name', ({ open }) => {
  test('two populations of different somas, sizes and blocks give what each gives alone', async () => {
    const together = await open({ dt: 0.1, seed: 3 });
    const streamed = options('b', Simplified, 300);
    streamed.input = [{ kind: 'array', values: ripple(400, 300).map((x) => x + 150), shape: [400, 300] }];
    const a = addCells(together, AdEx, options('a', AdEx, 20_000));
    const b = addCells(together, Simplified, streamed);
    await together.run(40);
    for (const [soma, cells, given] of [
      [AdEx, a, options('a', AdEx, 20_000)],
      [Simplified, b, streamed],
    ] as const) {
      const alone = await open({ dt: 0.1, seed: 3 });
      const twin = addCells(alone, soma, given);
      await alone.run(40);
      const outcome = await outcomeOf(twin);
      expect(outcome.spikes.steps.length).toBeGreaterThan(given.units as number);
      expectSameOutcome(await outcomeOf(cells), outcome);
    }
  });

  test('another seed, and another name, give other neurons', async () => {
    const draws = async (seed: number, name: string) => {
      const simulation = await open({ dt: 0.1, seed });
      const cells = addCells(simulation, AdEx, { name, units: 50, initial: { potential: uniform(-70, -55) } });
      return Array.from(await cells.readState('potential'));
    };
    const first = await draws(3, 'a');
    expect(await draws(3, 'a')).toEqual(first);
    expect(await draws(4, 'a')).not.toEqual(first);
    expect(await draws(3, 'b')).not.toEqual(first);
  });
});

/** Writes and reads back four bytes. */
async function roundTrip(device: GPUDevice): Promise<number | undefined> {
  const [COPY_SRC, COPY_DST, MAP_READ] = [4, 8, 1];
  const source = device.createBuffer({ size: 4, usage: COPY_SRC | COPY_DST });
  const target = device.createBuffer({ size: 4, usage: MAP_READ | COPY_DST });
  device.queue.writeBuffer(source, 0, new Uint32Array([42]));
  const encoder = device.createCommandEncoder();
  encoder.copyBufferToBuffer(source, 0, target, 0, 4);
  device.queue.submit([encoder.finish()]);
  await target.mapAsync(MAP_READ);
  return new Uint32Array(target.getMappedRange())[0];
}

describe("on a device of the host's", () => {
  test('two simulations run at once as each would alone, and the device outlives both', async () => {
    const device = await openDevice();
    let lost = false;
    void device.lost.then(() => {
      lost = true;
    });
    const pair = await Promise.all([1, 2].map((seed) => Simulation.create({ device, dt: 0.1, seed })));
    const cells = pair.map((simulation) => addCells(simulation, AdEx, options('a', AdEx, 500)));
    await Promise.all(pair.map((simulation) => simulation.run(30)));
    pair[0]?.dispose();
    await pair[1]?.run(10);
    const alone = await Simulation.create({ device: await openDevice(), dt: 0.1, seed: 2 });
    const twin = addCells(alone, AdEx, options('a', AdEx, 500));
    await alone.run(40);
    expectSameOutcome(await outcomeOf(cells[1] as (typeof cells)[0]), await outcomeOf(twin));
    pair[1]?.dispose();
    alone.dispose();
    expect(await roundTrip(device)).toBe(42);
    expect(lost).toBe(false);
  });

  test('the handler of uncaptured errors is left alone', async () => {
    const device = await openDevice();
    const handler = () => {};
    device.onuncapturederror = handler;
    const simulation = await Simulation.create({ device, dt: 0.1 });
    addCells(simulation, AdEx, options('a', AdEx, 10));
    await simulation.run(1);
    simulation.dispose();
    expect(device.onuncapturederror).toBe(handler);
  });
});

/** Counts what a device is asked to compile. */
function countCompiling(device: GPUDevice): { modules: number; pipelines: number } {
  const counted = { modules: 0, pipelines: 0 };
  const { createShaderModule, createComputePipelineAsync, createComputePipeline } = device;
  device.createShaderModule = (descriptor) => {
    counted.modules++;
    return createShaderModule.call(device, descriptor);
  };
  device.createComputePipelineAsync = (descriptor) => {
    counted.pipelines++;
    return createComputePipelineAsync.call(device, descriptor);
  };
  device.createComputePipeline = (descriptor) => {
    counted.pipelines++;
    return createComputePipeline.call(device, descriptor);
  };
  return counted;
}

describe('compiling', () => {
  test('a new value of a parameter compiles nothing; a number that becomes an array compiles once in all', async () => {
    const device = await openDevice();
    const counted = countCompiling(device);
    const simulation = await Simulation.create({ device, dt: 0.1 });
    const cells = addCells(simulation, AdEx, {
      units: 8,
      parameters: { threshold: uniform(-35, -30) },
      input: [{ kind: 'constant', amplitude: 65 }],
    });
    const compiledBy = async (change?: Parameters<typeof cells.setParameters>[0]) => {
      const { modules, pipelines } = counted;
      if (change) cells.setParameters(change);
      await simulation.run(1);
      return { modules: counted.modules - modules, pipelines: counted.pipelines - pipelines };
    };
    const [once, nothing] = [
      { modules: 1, pipelines: 1 },
      { modules: 0, pipelines: 0 },
    ];
    expect(await compiledBy()).toEqual(once);
    expect(await compiledBy()).toEqual(nothing);
    for (const name of Object.keys(AdEx.parameters))
      expect(
        await compiledBy({ [name]: (AdEx.parameters as Record<string, { default: number }>)[name]?.default }),
      ).toEqual(name === 'threshold' ? once : nothing);
    expect(await compiledBy({ spike_slope: 1.5, potential_tau: 7, potential_rest: -65 })).toEqual(nothing);
    expect(await compiledBy({ spike_slope: uniform(1, 2) })).toEqual(once);
    expect(await compiledBy({ spike_slope: uniform(2, 3) })).toEqual(nothing);
    expect(await compiledBy({ spike_slope: 2 })).toEqual(nothing);
    expect(await compiledBy({ spike_slope: uniform(1, 2) })).toEqual(nothing);
  });

  test('a second population of the same build, on the same device, compiles nothing', async () => {
    const device = await openDevice();
    const counted = countCompiling(device);
    for (const [round, seed] of [1, 2].entries()) {
      const simulation = await Simulation.create({ device, dt: 0.1, seed });
      addCells(simulation, AdEx, options('a', AdEx, 10 * seed));
      await simulation.run(1);
      // The kernel of the neurons and that of the trace; the second round finds both.
      expect(counted, `round ${round}`).toEqual({ modules: 2, pipelines: 2 });
      simulation.dispose();
    }
  });
});
