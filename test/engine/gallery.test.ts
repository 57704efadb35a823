// Every preset of the demo page's gallery reaches its published spikes: as a population on both paths, and in the short
// runs by which the page shows what the time step does.

import { describe, expect, test } from 'vitest';
import { loadPresets, type Preset, setupOf, simulate } from '../../src/demo/gallery.ts';
import { populationOf } from '../../src/demo/setup.ts';
import { backends, type TestBackend } from '../support/backends.ts';
import { protocols } from '../support/reference.ts';
import { CHAOTIC } from '../support/tolerances.ts';

const presets = await loadPresets();
const named = presets.map((preset) => [preset.name, preset] as const);

/** The steps in which the published neuron spikes, by forward Euler in double precision. */
const published = ({ id }: Preset, dt: number): readonly number[] => {
  const found = protocols.find(({ name }) => name === id)?.euler_check[dt];
  if (!found) throw new Error(`nothing is published of ${id} at ${dt} ms`);
  return found.spike_steps_f64;
};

async function run({ open }: TestBackend, preset: Preset) {
  const setup = setupOf(preset);
  const simulation = await open({ dt: setup.dt, seed: setup.seed });
  const { soma, options } = populationOf(setup);
  const cells = simulation.add(soma, { ...options, record: { spikes: { neurons: [0] } } });
  await simulation.run(preset.duration);
  return { steps: Array.from((await cells.spikes()).steps), counts: await cells.spikeCounts() };
}

/** Spikes as published: all at their steps, or of the chaotic ones the first, and as many. */
function expectPublished(id: string, steps: readonly number[], right: readonly number[]): void {
  const { first, count } = CHAOTIC[id] ?? { first: right.length, count: 0 };
  expect(steps.slice(0, first)).toEqual(right.slice(0, first));
  expect(Math.abs(steps.length - right.length)).toBeLessThanOrEqual(count);
}

describe.each(backends)('the gallery, on $name', (backend) => {
  test.each(named)('%s: the traced neuron spikes as published, and all the others as often', async (_, preset) => {
    const { steps, counts } = await run(backend, preset);
    expectPublished(preset.id, steps, published(preset, 0.1));
    expect(counts.length).toBeGreaterThan(1000);
    expect(new Set(counts)).toEqual(new Set([steps.length]));
  });
});

describe('a short run of a preset', () => {
  test.each(named)('%s: spikes as often as published at every time step', async (_, preset) => {
    for (const { dt, spikes } of preset.euler) {
      const [first] = published(preset, dt) as [number];
      const times = await simulate({ ...setupOf(preset), dt }, preset.duration);
      expect(Math.abs(times.length - spikes)).toBeLessThanOrEqual(CHAOTIC[preset.id]?.count ?? 0);
      expect(times[0]).toBeCloseTo((first + 1) * dt, 9);
    }
  });

  test('leaves out the spread, and what is left of a last step', async () => {
    const preset = presets[0] as Preset;
    const plain = await simulate(setupOf(preset), preset.duration);
    const spread = { ...setupOf(preset), spread: { resistance: 0.3 } };
    expect(await simulate(spread, preset.duration)).toEqual(plain);
    expect(await simulate({ ...setupOf(preset), dt: 0.3 }, preset.duration)).not.toEqual([]);
  });

  test('is refused where the time step is too long for a time constant', async () => {
    const preset = presets.find(({ name }) => name === 'Initial burst') as Preset;
    await expect(simulate({ ...setupOf(preset), dt: 6 }, preset.duration)).rejects.toThrow(/time step/);
  });
});
