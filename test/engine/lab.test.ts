// The lab of the page: its numbers are those of somagpu/analysis asked directly, those that are published, and those that
// spikes and states of the run say of themselves.

import { parseHTML } from 'linkedom';
import { describe, expect, test, vi } from 'vitest';
import { adaptationIndex, fiCurve, findRheobase, fixedPoints, rheobase } from '../../src/analysis/index.ts';
import { loadPresets, type Preset, setupOf, simulate } from '../../src/demo/gallery.ts';
import { currentOf, type Lab, labOf, type Outcome } from '../../src/demo/lab.ts';
import { openLab } from '../../src/demo/lab-panel.ts';
import { numberOf, type Setup, type SetupInput, STANDARD, somaOf } from '../../src/demo/setup.ts';
import { somas } from '../support/reference.ts';

const presets = await loadPresets();
const presetNamed = (name: string) => presets.find((preset) => preset.name === name) as Preset;

const constant = (amplitude: number): SetupInput => ({ kind: 'constant', amplitude });
const setup = (changed: Partial<Setup>): Setup => ({ ...STANDARD, spread: {}, inputs: [], ...changed });

/** A result that has to be there. */
function got<Result>(outcome: Outcome<Result>): Result {
  if ('value' in outcome) return outcome.value;
  throw new Error(`refused: ${outcome.refused}`);
}

const setups: [string, Setup][] = [
  ...Object.keys(somas).map((soma): [string, Setup] => [soma, setup({ soma: soma as Setup['soma'] })]),
  ['a neuron with other parameters and a shorter step', setup({ parameters: { resistance: 0.7 }, dt: 0.05 })],
  ['Regular spiking', setupOf(presetNamed('Regular spiking'))],
];

describe('the lab of the page', () => {
  test.each(setups)('has for %s what the analysis says of it', async (_, given) => {
    const lab = await labOf(given);
    const { dt, parameters } = given;
    const soma = somaOf(given);
    expect(got(lab.rheobase)).toEqual(rheobase(soma, parameters));
    expect(got(lab.found)).toEqual(await findRheobase(soma, { parameters, dt }));
    const curve = got(lab.curve);
    const { currents } = curve;
    expect(curve).toEqual(await fiCurve(soma, { parameters, dt, currents }));
    expect(currents).toHaveLength(41);
    // Silent at first, firing in the end, with the rheobase between.
    expect(curve.counts[0]).toBe(0);
    expect(curve.steady.at(-1)).toBeGreaterThan(0);
    expect(currents.at(-1)).toBeGreaterThan(3.9 * got(lab.rheobase).current);
    expect(got(lab.plane).fixedPoints).toEqual(fixedPoints(soma, { parameters, current: currentOf(given) ?? 0 }));
  });

  test('has the published rheobases', async () => {
    const of = async (soma: Setup['soma']) => got((await labOf(setup({ soma }))).rheobase);
    expect(await of('ExponentialSoma')).toMatchObject({ current: 36, kind: 'saddle-node' });
    expect(await of('AdaptiveExponentialSoma')).toMatchObject({
      current: expect.closeTo(46.044, 3),
      kind: 'hopf',
      saddleNode: expect.closeTo(46.116, 3),
    });
    const { current } = got((await labOf(setupOf(presetNamed('Regular spiking')))).rheobase);
    expect(current).toBeCloseTo(627.182, 3);
  });

  test('names every preset of the gallery by its firing pattern', async () => {
    const named = async (preset: Preset) => [preset.name, got((await labOf(setupOf(preset))).train).pattern.pattern];
    const patterns = [];
    for (const preset of presets) patterns.push(await named(preset));
    expect(Object.fromEntries(patterns)).toEqual({
      Tonic: 'tonic',
      Adapting: 'adapting',
      'Initial burst': 'initial burst',
      Bursting: 'bursting',
      Irregular: 'irregular',
      Transient: 'transient',
      Delayed: 'delayed',
      'Delayed bursts': 'delayed bursting',
      'Regular spiking': 'adapting',
      'Fast spiking': 'tonic',
      Rebound: 'rebound',
      Exponential: 'tonic',
      Refractory: 'tonic',
      'Moving threshold': 'tonic',
    });
  });
});

describe('the spike train of the lab', () => {
  test('is that of a run, with its figures, while the current is on and after it', async () => {
    const preset = presetNamed('Rebound');
    const given = setupOf(preset);
    const { times, start, stop, duration, rate, intervals } = got((await labOf(given)).train);
    expect(Array.from(times)).toEqual(await simulate(given, duration));
    expect([start, stop]).toEqual([0, 400]);
    expect(times.length).toBe(3);
    expect(times[0]).toBeGreaterThan(400);
    // All of its spikes come after the current.
    expect(rate).toBe(0);
    expect(intervals.mean).toBeCloseTo(((times[2] as number) - (times[0] as number)) / 2, 9);
    const tonic = got((await labOf(setupOf(presetNamed('Tonic')))).train);
    expect(tonic.rate).toBeCloseTo((1000 * tonic.times.length) / 500, 9);
    expect(tonic.adaptation).toBe(adaptationIndex(tonic.times));
    expect(tonic.steady).toBe(true);
  });

  test('has noise in it, and is another with another seed, but not with another spread or size', async () => {
    const noisy = setup({ inputs: STANDARD.inputs });
    const of = async (given: Setup) => Array.from(got((await labOf(given)).train).times);
    const times = await of(noisy);
    expect(times.length).toBeGreaterThan(5);
    expect(await of({ ...noisy, seed: 2 })).not.toEqual(times);
    expect(await of({ ...noisy, spread: { resistance: 0.3 }, units: 9 })).toEqual(times);
    expect(got((await labOf(noisy)).train).steady).toBe(false);
  });

  test('is of a neuron where the patterns of inputs are at their full', async () => {
    const of = async (input: SetupInput) => Array.from(got((await labOf(setup({ inputs: [input] }))).train).times);
    const even = await of(constant(65));
    expect(even.length).toBeGreaterThan(5);
    for (const pattern of ['gradient', 'spot'] as const) expect(await of({ ...constant(65), pattern })).toEqual(even);
  });
});

describe('the phase plane of the lab', () => {
  test('is at what constants and steps add up to', async () => {
    const inputs: SetupInput[] = [
      constant(20),
      { kind: 'step', amplitude: 15 },
      { kind: 'sine', amplitude: 9, frequency: 5 },
    ];
    const lab = await labOf(setup({ inputs }));
    expect(lab.current).toBe(35);
    expect(got(lab.plane).current).toBe(35);
    expect((await labOf(setup({}))).current).toBeUndefined();
  });

  test('has the way of a neuron that comes to rest at the stable fixed point', async () => {
    const { ways, fixedPoints } = got((await labOf(setup({ inputs: [constant(30)] }))).plane);
    expect(ways).toHaveLength(1);
    expect(fixedPoints[0]?.stability).toMatch(/^stable/);
    // Adaptation takes 100 ms, of which there are ten: e^-10 of 20 mV is left.
    expect(ways[0]?.potential.at(-1)).toBeCloseTo(fixedPoints[0]?.potential as number, 2);
    expect(ways[0]?.adaptation.at(-1)).toBeCloseTo(fixedPoints[0]?.adaptation as number, 2);
  });

  test('has a way to each spike, which ends at the threshold and goes on from the reset with the jump of adaptation', async () => {
    const given = setup({ inputs: [constant(65)] });
    const lab = await labOf(given);
    const { ways, reset, threshold, fixedPoints } = got(lab.plane);
    expect(fixedPoints).toEqual([]);
    expect(ways).toHaveLength(got(lab.train).times.length + 1);
    for (const [i, way] of ways.slice(0, -1).entries()) {
      expect(way.potential.at(-1)).toBe(threshold);
      expect(ways[i + 1]?.potential[0]).toBeCloseTo(reset, 4);
      const jump = (ways[i + 1]?.adaptation[0] as number) - (way.adaptation.at(-1) as number);
      // What it loses and gains in the step itself is less than a tenth.
      expect(Math.abs(jump - numberOf(given, 'adaptation_delta'))).toBeLessThan(0.7);
    }
  });

  test('of a soma without adaptation is the rise of the potential, 0 at its fixed points', async () => {
    const { potentials, rise, fixedPoints, ways } = got(
      (await labOf(setup({ soma: 'ExponentialSoma', inputs: [constant(20)] }))).plane,
    );
    expect(ways).toEqual([]);
    expect(fixedPoints.map(({ stability }) => stability)).toEqual(['stable node', 'unstable node']);
    const signs = Array.from(rise as Float64Array, Math.sign);
    const changes = potentials.filter((_, i) => i > 0 && signs[i] !== signs[i - 1]);
    expect(changes).toHaveLength(2);
    const width = (potentials[1] as number) - (potentials[0] as number);
    fixedPoints.forEach(({ potential }, i) => {
      expect((changes[i] as number) - potential).toBeGreaterThanOrEqual(0);
      expect((changes[i] as number) - potential).toBeLessThan(width);
    });
    // 10 mV below rest with 20 pA: (10 + 0.5 * 20) / 5 mV/ms, the exponential being nothing there.
    const far = got((await labOf(setup({ soma: 'ExponentialSoma', inputs: [constant(20)] }))).plane);
    const at = far.potentials[0] as number;
    expect(far.rise?.[0]).toBeCloseTo((-70 - at + 10) / 5, 4);
  });
});

describe('what the engine refuses', () => {
  const refused = (lab: Lab) =>
    Object.entries(lab)
      .filter(([, outcome]) => outcome?.refused)
      .map(([name]) => name);

  test('is told in the place of the result, and what does not need it is there all the same', async () => {
    const long = await labOf(setup({ soma: 'ExponentialSoma', dt: 6 }));
    expect(refused(long)).toEqual(['train', 'curve', 'found']);
    expect(long.curve).toMatchObject({ refused: expect.stringMatching(/potential_tau.*time step/) });
    expect(got(long.rheobase).current).toBe(36);
    const wrong = await labOf(setup({ parameters: { spike_slope: -1 } }));
    expect(refused(wrong)).toEqual(['rheobase', 'plane', 'train', 'curve', 'found']);
    expect(refused(await labOf(setup({})))).toEqual([]);
  });

  test('ends with the reason of who stops it', async () => {
    const stop = new AbortController();
    const lab = labOf(setup({}), stop.signal);
    setTimeout(() => stop.abort(new Error('a newer one')), 5);
    await expect(lab).rejects.toThrow('a newer one');
  });

  test('is not a short time step, for which runs are shorter', async () => {
    const lab = await labOf(setup({ dt: 0.001, inputs: [constant(65)] }));
    expect(lab.duration).toBeCloseTo(100, 6);
    expect(got(lab.curve).duration).toBe(lab.duration);
    expect(got(lab.train).times.length).toBeGreaterThan(2);
  });

  test('is not a soma without a rheobase, or one that never rests', async () => {
    const burst = await labOf(setupOf(presetNamed('Delayed bursts')));
    expect(got(burst.rheobase).kind).toBe('none');
    expect(got(burst.curve).currents[0]).toBeLessThan(0);
    const restless = await labOf(setup({ parameters: { potential_rest: -45 } }));
    expect(got(restless.rheobase).current).toBeLessThan(0);
    expect(got(restless.curve).counts[0]).toBe(0);
    expect(got(restless.curve).counts.at(-1)).toBeGreaterThan(0);
  });
});

describe('the lab at work', () => {
  test('shows the newest of several set-ups and none of those overtaken, and rests while nothing of its own changes', async () => {
    const { document } = parseHTML('<!doctype html><html><body><aside></aside></body></html>');
    vi.stubGlobal('document', document);
    try {
      const box = document.querySelector('aside') as HTMLElement;
      const at = (amplitude: number) => setup({ inputs: [constant(amplitude)] });
      const follow = openLab(box, { setup: at(1) });
      for (const amplitude of [2, 3, 4]) follow(at(amplitude));
      const seen = new Set<string | null | undefined>();
      const current = () => box.querySelector('[data-figure=current]')?.textContent;
      while (box.getAttribute('aria-busy') === 'true') {
        seen.add(current());
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      expect([...seen]).toEqual(['–']);
      expect(current()).toBe('4 pA');
      expect(Number(box.dataset.took)).toBeGreaterThan(0);
      follow({ ...at(4), view: { ...STANDARD.view, zoom: 3 }, speed: 7 });
      expect(box.getAttribute('aria-busy')).toBe('false');
      follow(at(5));
      expect(box.getAttribute('aria-busy')).toBe('true');
      await vi.waitFor(() => expect(current()).toBe('5 pA'), { timeout: 10_000 });
    } finally {
      vi.unstubAllGlobals();
    }
  });
});
