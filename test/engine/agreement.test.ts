// The two paths beside each other, running free: the GPU and the processor compute the same law with roundings of their
// own (WGSL leaves the last bits of exp and of divisions open), and nearly all neurons spike at the same steps all the
// same. What each path does to the bit is cpu.test.ts's and exactness.test.ts's.

import { describe, expect, test } from 'vitest';
import { type Soma, uniform } from '../../src/index.ts';
import type { Spikes } from '../../src/recording.ts';
import { backends, type TestBackend } from '../support/backends.ts';
import { addCells, type CellOptions, ripple, somaNames, variedParameters } from '../support/outcome.ts';
import { somas } from '../support/reference.ts';

const DT = 0.1;
const STEPS = 10_000;
const NEURONS = 1000;

/** Of the neurons, the part that has to spike at exactly the same steps; 0.999 and 1 have been measured. */
const SHARE = 0.99;

const currents = ripple(STEPS, NEURONS);

const options = (soma: Soma): CellOptions => ({
  name: 'cells',
  units: NEURONS,
  parameters: variedParameters(soma),
  input: [
    { kind: 'step', amplitude: uniform(20, 300), start: 12.3, stop: 950 },
    { kind: 'array', values: currents, shape: [STEPS, NEURONS] },
  ],
  record: { spikes: true },
});

/** Each neuron's spike steps. */
async function follow({ open }: TestBackend, soma: Soma): Promise<number[][]> {
  const simulation = await open({ dt: DT, seed: 5 });
  const cells = addCells(simulation, soma, options(soma));
  await simulation.run(STEPS * DT);
  return stepsOf(await cells.spikes());
}

function stepsOf({ steps, neurons }: Spikes): number[][] {
  const each = Array.from({ length: NEURONS }, (): number[] => []);
  for (const [i, neuron] of neurons.entries()) each[neuron]?.push(steps[i] as number);
  return each;
}

/** That a comparison compares something: most neurons spike, at rates from slow to fast. */
function expectActivity(spikes: readonly number[][], path: string): void {
  const counts = spikes.map(({ length }) => length);
  expect(counts.filter((count) => count > 0).length, `active neurons, on ${path}`).toBeGreaterThan(0.8 * NEURONS);
  expect(new Set(counts).size, `different spike counts, on ${path}`).toBeGreaterThan(10);
}

describe('the GPU and the processor', () => {
  test.each(somaNames)(
    'have all but a few neurons of %s spike at exactly the same steps for 10,000 steps',
    async (name) => {
      const [gpu, cpu] = await Promise.all(backends.map((path) => follow(path, somas[name] as Soma)));
      if (!gpu || !cpu) throw new Error('a path is missing');
      expectActivity(gpu, 'the GPU');
      expectActivity(cpu, 'the processor');
      const same = gpu.filter((steps, neuron) => steps.join() === cpu[neuron]?.join()).length;
      const share = same / NEURONS;
      expect(share, `share of neurons of ${name} with the same spike steps`).toBeGreaterThanOrEqual(SHARE);
    },
  );
});
