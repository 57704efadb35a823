// The lab's panel and its charts, on a document without a browser: what is drawn, and that every number is there as text.

import { parseHTML } from 'linkedom';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { fixedPoints, phasePlane, rheobase } from '../../src/analysis/index.ts';
import { chart, roundNumbers } from '../../src/demo/chart.ts';
import { currentOf, type Lab, labKey } from '../../src/demo/lab.ts';
import { labPanel } from '../../src/demo/lab-panel.ts';
import { type Setup, STANDARD } from '../../src/demo/setup.ts';
import { AdaptiveExponentialSoma } from '../../src/index.ts';

beforeEach(() => {
  vi.stubGlobal('document', parseHTML('<!doctype html><html><body></body></html>').document);
  return () => vi.unstubAllGlobals();
});

const axes = { x: { name: 'current, pA', from: 0, to: 10 }, y: { name: 'rate, Hz', from: 0, to: 100 } };

function drawn(options: Partial<Parameters<typeof chart>[0]>) {
  const element = chart({ label: 'a chart', ...axes, ...options });
  const all = (selector: string) => Array.from(element.querySelectorAll(selector));
  const paths = (selector: string) => all(selector).map((path) => path.getAttribute('d'));
  return { all, paths, text: (selector: string) => all(selector).map(({ textContent }) => textContent) };
}

describe('a chart', () => {
  test('has lines from its lower left to its upper right, a strand each, without points that fall on the one before', () => {
    const strands = [
      { x: [0, 5, 5.001, 10], y: [0, 50, 50, 100] },
      { x: [0, 10], y: [100, 100] },
    ];
    const { paths } = drawn({ lines: [{ name: 'rate', ink: 'accent', strands }] });
    expect(paths('.line')[0]).toBe('M0.0 1000.0L500.0 500.0L1000.0 0.0M0.0 0.0L1000.0 0.0');
  });

  test('keeps what is infinite or far away where it can be drawn', () => {
    const strands = [{ x: [0, 1, 2, 3], y: [0, Number.POSITIVE_INFINITY, Number.NaN, -1e300] }];
    const { paths } = drawn({ lines: [{ name: 'rate', ink: 'accent', strands }] });
    expect(paths('.line')[0]).toBe('M0.0 1000.0L100.0 -9000.0L300.0 11000.0');
  });

  test('has marks and levels within its axes, and leaves out those beyond', () => {
    const points = [
      { x: 5, y: 50, title: 'in the middle' },
      { x: 11, y: 50, title: 'too far' },
      { x: 5, y: -1, title: 'too low' },
    ];
    const level = (name: string, at: number) => ({ name, at, axis: 'x', ink: 'second' }) as const;
    const { paths, text } = drawn({
      marks: [{ name: 'stable', ink: 'ink', points }],
      levels: [level('rheobase', 5), level('present', 12), level('none', Number.NaN)],
    });
    expect(paths('.mark .outer')).toEqual(['M500.0 500.0h.01']);
    expect(text('.mark title')).toEqual(['in the middle']);
    expect(paths('path.level')).toEqual(['M500.0 1000.0L500.0 0.0']);
    expect(text('.chart-key li')).toEqual(['rheobase', 'stable']);
  });

  test('has marks that have nothing to tell in one element', () => {
    const points = [1, 2, 3].map((x) => ({ x, y: 50 }));
    const { paths } = drawn({ marks: [{ name: 'intervals', ink: 'accent', small: true, points }] });
    expect(paths('.mark.small .outer')).toEqual(['M100.0 500.0h.01M200.0 500.0h.01M300.0 500.0h.01']);
  });

  test('has rings for open marks, round numbers at its axes, and says what it shows', () => {
    const { all, text } = drawn({ marks: [{ name: 'unstable', ink: 'ink', open: true, points: [{ x: 1, y: 1 }] }] });
    expect(all('.mark .inner')).toHaveLength(1);
    expect(text('.chart-ticks.left span')).toEqual(['0', '2', '4', '6', '8', '10']);
    expect(text('.chart-ticks.bottom span')).toEqual(['0', '20', '40', '60', '80', '100']);
    expect(all('svg')[0]?.getAttribute('aria-label')).toBe('a chart');
  });

  test.each([
    [0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]],
    [-80, -27, [-80, -70, -60, -50, -40, -30]],
    [-0.31, 0.11, [-0.3, -0.2, -0.1, 0, 0.1]],
    [0, 3000, [0, 500, 1000, 1500, 2000, 2500, 3000]],
  ])('from %d to %d has round numbers', (from, to, numbers) => {
    expect(roundNumbers({ from, to })).toEqual(numbers);
  });
});

const lab: Lab = {
  current: 30,
  duration: 1000,
  rheobase: { value: rheobase(AdaptiveExponentialSoma) },
  found: { value: { current: 38.695, firing: 38.695, silent: 38.6946, runs: 3 } },
  curve: {
    value: {
      currents: Float64Array.of(0, 50, 100),
      counts: Uint32Array.of(0, 20, 70),
      rates: Float64Array.of(0, 20, 70),
      first: Float64Array.of(0, 200, 625),
      steady: Float64Array.of(0, 12, 64),
      latencies: Float64Array.of(Number.NaN, 11, 5),
      trains: [],
      duration: 1000,
      settle: 500,
    },
  },
  plane: {
    value: {
      ...phasePlane(AdaptiveExponentialSoma, { current: 30, from: -80, to: -27 }),
      ...{ current: 30, reset: -51, threshold: -30, rise: undefined },
      ways: [{ potential: [-70, -60, -30], adaptation: [0, 2, 3] }],
    },
  },
  train: {
    value: {
      ...{ times: Float64Array.of(10, 30, 60), duration: 100, start: 0, stop: 80, rate: 37.5 },
      intervals: { count: 2, mean: 25, cv: 0.2, min: 20, max: 30, adaptation: 0.2 },
      adaptation: 0.2,
      pattern: {
        ...{ pattern: 'adapting', onset: 'tonic', steady: 'adapting' },
        ...{ latency: 10, firstInterval: 20, steadyInterval: 30, variation: 0.1 },
      },
      steady: true,
    },
  },
};

function shown(changed: Partial<Lab> = {}) {
  const panel = labPanel();
  panel.show({ ...lab, ...changed });
  const all = (selector: string) => Array.from(panel.element.querySelectorAll(selector));
  return {
    panel,
    all,
    figure: (name: string) => panel.element.querySelector(`[data-figure=${name}]`)?.textContent,
    labels: all('svg').map((svg) => svg.getAttribute('aria-label')),
  };
}

describe('the lab on a page', () => {
  test('has every number as text', () => {
    const { figure, all } = shown();
    expect(figure('rheobase')).toBe('46.044 pA');
    expect(figure('kind')).toMatch(/^Hopf bifurcation/);
    expect(figure('found')).toBe('38.695 pA, on for 1000 ms');
    expect(figure('current')).toBe('30 pA');
    const [lower] = fixedPoints(AdaptiveExponentialSoma, { current: 30 });
    expect(figure('fixed-0')).toBe(
      `${lower?.potential.toPrecision(4)} mV, ${lower?.adaptation.toPrecision(4)} pA: stable node`,
    );
    expect(figure('fixed-1')).toMatch(/: saddle$/);
    expect(figure('reset')).toBe('-51 mV, -30 mV');
    expect(figure('pattern')).toBe('adapting');
    expect(figure('spikes')).toBe('3 in 100 ms');
    expect(figure('rate')).toBe('37.5 Hz');
    expect([figure('interval'), figure('cv'), figure('adaptation')]).toEqual(['25 ms', '0.2', '0.2']);
    const rows = all('tbody tr').map((row) => Array.from(row.children, ({ textContent }) => textContent));
    expect(rows).toEqual([
      ['0', '0', '0', '0'],
      ['50', '20', '200', '12'],
      ['100', '70', '625', '64'],
    ]);
  });

  test('draws stable fixed points filled and unstable ones open, and says which they are', () => {
    const { all, labels } = shown();
    const [, plane] = all('svg');
    const marks = Array.from(plane?.querySelectorAll('.mark') ?? []);
    expect(marks.map((mark) => mark.querySelector('title')?.textContent)).toEqual([
      expect.stringMatching(/: stable node$/),
      expect.stringMatching(/: saddle$/),
    ]);
    expect(marks.map((mark) => mark.querySelector('.inner') !== null)).toEqual([false, true]);
    expect(labels[1]).toMatch(/at 30 pA\. Fixed points: .*stable node; .*saddle\.$/);
    expect(labels[2]).toMatch(/2, from 20 to 30 ms/);
  });

  test('has a dash where there is no number, and says where the input varies', () => {
    if (!('value' in lab.train)) throw new Error('the lab of this test has a train');
    const { value } = lab.train;
    const silent = { ...value, times: new Float64Array(), steady: false, adaptation: Number.NaN };
    const { figure, labels } = shown({
      current: undefined,
      train: { value: { ...silent, intervals: { ...value.intervals, count: 0, mean: Number.NaN } } },
    });
    expect([figure('current'), figure('interval'), figure('adaptation')]).toEqual(['–', '–', '–']);
    expect(figure('pattern')).toBe('adapting, as the input varies');
    expect(labels[2]).toContain('there is none');
  });

  test('says why a result is missing in its place, and shows the others', () => {
    const { all, figure, panel } = shown({
      curve: { refused: 'dt: is too long' },
      found: { refused: 'dt: is too long' },
    });
    expect(all('.lab-refused').map(({ textContent }) => textContent)).toEqual(['dt: is too long', 'dt: is too long']);
    expect(all('svg')).toHaveLength(2);
    expect([figure('found'), figure('rheobase')]).toEqual(['–', '46.044 pA']);
    panel.show({ ...lab, found: { refused: 'to: it does not fire' } });
    expect(figure('found')).toBe('to: it does not fire');
    panel.show(lab);
    expect(figure('found')).toBe('38.695 pA, on for 1000 ms');
    expect(panel.element.querySelectorAll('.lab-refused')).toHaveLength(0);
  });
});

describe('what a lab depends on', () => {
  const setup = (changed: Partial<Setup>): Setup => ({ ...STANDARD, ...changed });

  test('is not the view, the speed, the size or the spread', () => {
    const same = setup({ view: { x: 0, y: 0, zoom: 3, neuron: 5 }, speed: 9, units: 16, spread: {} });
    expect(labKey(same)).toBe(labKey(STANDARD));
    for (const changed of [{ dt: 0.2 }, { seed: 2 }, { inputs: [] }, { parameters: { resistance: 1 } }]) {
      expect(labKey(setup(changed))).not.toBe(labKey(STANDARD));
    }
  });

  test('is, of inputs, what constants and steps add up to, where the phase plane is drawn', () => {
    expect(currentOf(STANDARD)).toBe(42);
    expect(
      currentOf({
        inputs: [
          { kind: 'step', amplitude: 5, stop: 9 },
          { kind: 'constant', amplitude: -7 },
        ],
      }),
    ).toBe(-2);
    expect(currentOf({ inputs: [{ kind: 'sine', amplitude: 5, frequency: 5 }] })).toBeUndefined();
  });
});
