// The gallery's data are the protocols', its comparisons their own figures, and its words in the page are the data's.

import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { generateGallery } from '../../build/gallery.ts';
import { compare, loadPresets, type Preset, setupOf, shows } from '../../src/demo/gallery.ts';
import { populationOf } from '../../src/demo/setup.ts';
import { readLink, writeLink } from '../../src/demo/share.ts';
import { protocols } from '../support/reference.ts';
import { COMPARED } from '../support/tolerances.ts';

const presets = await loadPresets();
const named = presets.map((preset) => [preset.name, preset] as const);

const protocolOf = ({ id }: Preset) => {
  const found = protocols.find(({ name }) => name === id);
  if (!found) throw new Error(`no protocol ${id}`);
  return found;
};

describe('the gallery', () => {
  test('has the firing patterns of the book, the first AdEx neuron, and the other somas', () => {
    const names = presets.map(({ name }) => name);
    const book = ['Tonic', 'Adapting', 'Initial burst', 'Bursting', 'Irregular', 'Transient', 'Delayed'];
    expect(names).toEqual(expect.arrayContaining([...book, 'Regular spiking', 'Refractory', 'Moving threshold']));
    expect(new Set(names).size).toBe(names.length);
    expect(new Set(presets.map(({ soma }) => soma)).size).toBe(4);
  });

  test('takes few bytes', () => {
    expect(gzipSync(generateGallery(), { level: 9 }).length).toBeLessThan(4_000);
  });

  test.each(named)('%s: parameters, currents and spikes are those of its file', (_, preset) => {
    const { soma, params, current_protocol, t_end_ms, spike_times_ms, chaotic } = protocolOf(preset);
    expect(preset).toMatchObject({ soma, parameters: params, duration: t_end_ms, chaotic });
    expect(preset.currents).toEqual(
      current_protocol.map(({ t_on_ms: start, t_off_ms: stop, I_pA: amplitude }) => ({ amplitude, start, stop })),
    );
    expect(preset.spikes).toHaveLength(spike_times_ms.length);
    for (const [i, time] of preset.spikes.entries()) expect(time).toBeCloseTo(spike_times_ms[i] as number, 4);
  });

  test.each(named)('%s: its set-up has the parameters of its soma, all of them, and goes into a link', (_, preset) => {
    const setup = setupOf(preset);
    const { soma, options } = populationOf(setup);
    expect(Object.keys(preset.parameters).sort()).toEqual(Object.keys(soma.parameters).sort());
    expect(options.parameters).toEqual(preset.parameters);
    expect(readLink(writeLink(setup))).toEqual({ setup });
  });
});

describe('a set-up', () => {
  const [preset, other] = presets as [Preset, Preset];
  const setup = setupOf(preset);

  test('shows the preset that it is of, and no other, whatever its time step, size and view', () => {
    expect(shows(setup, preset)).toBe(true);
    expect(shows(setup, other)).toBe(false);
    const around = { dt: 0.5, seed: 3, units: 7, speed: 1, view: { ...setup.view, zoom: 2 } };
    expect(shows({ ...setup, ...around }, preset)).toBe(true);
    const link = readLink(writeLink(setup));
    expect(link && 'setup' in link && shows(link.setup, preset)).toBe(true);
  });

  test('no longer shows it when a slider was moved', () => {
    const parameters = { ...setup.parameters, resistance: 0.6 };
    expect(shows({ ...setup, parameters }, preset)).toBe(false);
    expect(shows({ ...setup, spread: { resistance: 0.1 } }, preset)).toBe(false);
    expect(shows({ ...setup, spread: { resistance: 0 } }, preset)).toBe(true);
    expect(shows({ ...setup, inputs: [] }, preset)).toBe(false);
    expect(shows({ ...setup, soma: 'RefractoryExponentialSoma' }, preset)).toBe(false);
  });
});

describe('a comparison of spikes', () => {
  test('says how many there are, how late the first is, and how far they are off', () => {
    expect(compare([10, 20, 30], [10.5, 21])).toEqual({
      matched: 2,
      missing: 1,
      extra: 0,
      first: 0.5,
      largest: 1,
      mean: 0.75,
    });
    expect(compare([10], [9, 12])).toMatchObject({ matched: 1, missing: 0, extra: 1, first: -1, largest: 1, mean: 1 });
  });

  test('of none with some says that they are missing, or too many', () => {
    const none = { first: undefined, largest: undefined, mean: undefined };
    expect(compare([1, 2], [])).toEqual({ matched: 0, missing: 2, extra: 0, ...none });
    expect(compare([], [1])).toEqual({ matched: 0, missing: 0, extra: 1, ...none });
    expect(compare([], [])).toEqual({ matched: 0, missing: 0, extra: 0, ...none });
  });

  test('finds nothing between spikes and themselves, and a delay where all have it', () => {
    const times = fc.array(fc.double({ min: 0, max: 1e4, noNaN: true }), { minLength: 1 });
    fc.assert(
      fc.property(times, fc.double({ min: 0, max: 100, noNaN: true }), (spikes, delay) => {
        expect(compare(spikes, spikes)).toMatchObject({
          matched: spikes.length,
          missing: 0,
          extra: 0,
          largest: 0,
          mean: 0,
        });
        const late = compare(
          spikes,
          spikes.map((time) => time + delay),
        );
        expect(late.first).toBeCloseTo(delay, 6);
        expect(late.largest).toBeCloseTo(delay, 6);
        expect(late.mean).toBeCloseTo(delay, 6);
      }),
    );
  });

  test.each(named)('%s: forward Euler is as far off as its file says, at every time step', (_, preset) => {
    const { euler_check } = protocolOf(preset);
    expect(preset.euler.map(({ dt }) => dt)).toEqual([0.1, 0.05, 0.01]);
    for (const { dt, spikes, first, largest } of preset.euler) {
      const { spike_steps_f64, mean_abs_err } = euler_check[dt] as (typeof euler_check)[string];
      const times = spike_steps_f64.map((step) => (step + 1) * dt);
      const comparison = compare(preset.spikes, times);
      expect(times).toHaveLength(spikes);
      expect(Math.abs((comparison.first ?? Number.NaN) - first)).toBeLessThan(COMPARED);
      expect(Math.abs((comparison.largest ?? Number.NaN) - largest)).toBeLessThan(COMPARED);
      expect(Math.abs((comparison.mean ?? Number.NaN) - mean_abs_err)).toBeLessThan(COMPARED);
    }
  });
});
