// The lab on the page: f-I curve, phase plane and spike train of a neuron with the parameters at hand, as charts and as text.
// It draws what lab.ts has worked out, and sees to it that this is done once at a time, for the newest set-up.

import { type FixedPoint, rheobaseMeanings } from '../analysis/index.ts';
import { chart } from './chart.ts';
import { element } from './elements.ts';
import { type Lab, labKey, labOf, type Outcome, type Plane, type Train } from './lab.ts';
import type { Setup } from './setup.ts';

/** The lab's panel. */
export interface LabPanel {
  readonly element: HTMLElement;
  /** Shows the numbers of a lab in the place of those before. */
  show(lab: Lab): void;
}

/**
 * The lab at work, in its place on the page. In `data-took` it says how long the last numbers took, ms.
 *
 * @returns what is to be called when the page's set-up has changed
 */
export function openLab(box: HTMLElement, page: { readonly setup: Setup }): (setup: Setup) => void {
  const panel = labPanel();
  let key = '';
  let stop = new AbortController();
  let last: Promise<void> = Promise.resolve();
  box.replaceChildren(panel.element);
  const work = async (setup: Setup, signal: AbortSignal): Promise<void> => {
    if (signal.aborted) return;
    const begin = performance.now();
    try {
      const lab = await labOf(setup, signal);
      if (signal.aborted) return;
      panel.show(lab);
      box.dataset.took = String(Math.round(performance.now() - begin));
      box.setAttribute('aria-busy', 'false');
    } catch (error) {
      // Overtaken by a newer set-up.
      if (!signal.aborted) throw error;
    }
  };
  const follow = (setup: Setup): void => {
    if (key === labKey(setup)) return;
    key = labKey(setup);
    stop.abort();
    stop = new AbortController();
    const { signal } = stop;
    box.setAttribute('aria-busy', 'true');
    // What is not refused but fails is a fault of the page, to be seen on the console; the next set-up is tried all the same.
    last = last.catch(() => {}).then(() => work(setup, signal));
  };
  follow(page.setup);
  return follow;
}

/** What stands beside a chart: what a number is called in `data-figure`, what is read, and the number, as text. */
type Rows<Of> = readonly (readonly [figure: string, name: string, text: (of: Of) => string])[];

/** The panel, without numbers at first, with room for what will be in it. */
export function labPanel(): LabPanel {
  const curve = part('f-I curve', RHEOBASE);
  const plane = part('Phase plane', PLANE);
  const train = part('Spike train', TRAIN);
  const numbers = element('div', {});
  curve.element.append(element('details', {}, element('summary', {}, 'The curve in numbers'), numbers));
  return {
    element: element('div', { className: 'lab' }, curve.element, plane.element, train.element),
    show(lab) {
      curve.show(curveChart(lab), lab);
      numbers.replaceChildren(curveTable(lab));
      plane.show(drawn(lab.plane, planeChart), lab.plane);
      train.show(drawn(lab.train, trainChart), lab.train);
    },
  };
}

function part<Of>(title: string, rows: Rows<Of>) {
  const picture = element('div', { className: 'lab-picture' });
  const figures = rows.map(([figure]) => element('dd', { 'data-figure': figure }, '–'));
  const lines = rows.map(([, name], i) => element('div', {}, element('dt', {}, name), figures[i] as HTMLElement));
  return {
    element: element(
      'section',
      { 'aria-label': title },
      element('h3', {}, title),
      picture,
      element('dl', {}, ...lines),
    ),
    show(shown: HTMLElement, of: Of) {
      picture.replaceChildren(shown);
      rows.forEach(([, , text], i) => {
        (figures[i] as HTMLElement).textContent = text(of);
      });
    },
  };
}

const refusal = (text: string): HTMLElement => element('p', { className: 'lab-refused' }, text);

const drawn = <Result>(outcome: Outcome<Result>, draw: (result: Result) => HTMLElement): HTMLElement =>
  'value' in outcome ? draw(outcome.value) : refusal(outcome.refused);

/** The text of a number in a result; a dash where there is none. */
const figure = <Result>(outcome: Outcome<Result>, text: (result: Result) => string): string =>
  'value' in outcome ? text(outcome.value) : '–';

const rounded = (value: number, unit = '', digits = 4): string =>
  Number.isFinite(value) ? `${Number(value.toPrecision(digits))}${unit && ` ${unit}`}` : '–';

const pA = (current: number): string => (Number.isFinite(current) ? `${Number(current.toFixed(3))} pA` : '–');

function curveChart({ curve, rheobase, current }: Lab): HTMLElement {
  return drawn(curve, ({ currents, steady, first }) => {
    const [from, to] = [currents[0] as number, currents.at(-1) as number];
    // The first intervals of an adapting neuron would leave what lasts at the bottom.
    const lasting = Math.max(...steady);
    const highest = Math.min(Math.max(...first, lasting, 1), 3 * lasting || Infinity);
    const expected = 'value' in rheobase ? rheobase.value.current : Number.NaN;
    const level = (name: string, ink: 'quiet' | 'second', at = Number.NaN) => ({ name, ink, at, axis: 'x' as const });
    return chart({
      label: `Rate against current, from ${rounded(from)} to ${rounded(to)} pA: up to ${rounded(lasting)} Hz in the end, ${rounded(Math.max(...first))} Hz at first.`,
      x: { name: 'current, pA', from, to },
      y: { name: 'rate, Hz', from: 0, to: highest * 1.05 },
      lines: [
        { name: 'first interval', ink: 'third', thin: true, strands: [{ x: currents, y: first }] },
        { name: 'steady', ink: 'accent', strands: [{ x: currents, y: steady }] },
      ],
      levels: [level('rheobase', 'quiet', expected), level('present current', 'second', current)],
    });
  });
}

const RHEOBASE: Rows<Lab> = [
  ['rheobase', 'Rheobase', ({ rheobase }) => figure(rheobase, ({ current }) => pA(current))],
  ['kind', 'What ends rest', ({ rheobase }) => figure(rheobase, ({ kind }) => rheobaseMeanings[kind])],
  [
    'found',
    'By trying',
    ({ found, duration, curve }) =>
      // What the curve is refused for stands there already.
      'refused' in found && 'value' in curve
        ? found.refused
        : figure(found, ({ firing }) => `${pA(firing)}, on for ${rounded(duration)} ms`),
  ],
  ['current', 'Present current', ({ current }) => pA(current ?? Number.NaN)],
];

function curveTable({ curve }: Lab): HTMLElement {
  return drawn(curve, ({ currents, counts, first, steady }) => {
    const head = ['pA', 'spikes', 'first, Hz', 'steady, Hz'].map((text) => element('th', { scope: 'col' }, text));
    const rows = Array.from(currents, (current, i) => {
      const cells = [counts[i], first[i], steady[i]].map((value) => element('td', {}, rounded(value as number)));
      return element('tr', {}, element('th', { scope: 'row' }, rounded(current)), ...cells);
    });
    return element('table', {}, element('thead', {}, element('tr', {}, ...head)), element('tbody', {}, ...rows));
  });
}

const isStable = ({ stability }: FixedPoint): boolean => stability.startsWith('stable');

const pointText = ({ potential, adaptation, stability, belowThreshold }: FixedPoint, flat: boolean): string =>
  `${rounded(potential)} mV${flat ? '' : `, ${rounded(adaptation)} pA`}: ${stability}${belowThreshold ? '' : ', beyond the threshold'}`;

function planeChart(plane: Plane): HTMLElement {
  const { potentials, potentialNullcline, adaptationNullcline, rise, ways, fixedPoints, current, reset } = plane;
  const flat = rise !== undefined;
  const upward = rise ?? potentialNullcline;
  const zero = { name: 'dw/dt = 0', ink: 'second', strands: [{ x: potentials, y: adaptationNullcline }] } as const;
  const way = ways.map(({ potential, adaptation }) => ({ x: potential, y: adaptation }));
  const pointsThat = (stable: boolean) =>
    fixedPoints
      .filter((point) => isStable(point) === stable)
      .map((point) => ({ x: point.potential, y: point.adaptation, title: pointText(point, flat) }));
  const told = fixedPoints.map((point) => pointText(point, flat)).join('; ') || 'none';
  const level = (name: string, at: number) => ({ name, at, axis: 'x', ink: 'quiet' }) as const;
  return chart({
    label: `${flat ? 'The rise of the potential against the potential' : 'Adaptation against potential, with both nullclines and the way of a neuron from rest'}, at ${pA(current)}. Fixed points: ${told}.`,
    x: { name: 'potential, mV', from: potentials[0] as number, to: potentials.at(-1) as number },
    y: { name: flat ? 'dV/dt, mV/ms' : 'adaptation, pA', ...heightOf(plane) },
    lines: [
      ...(flat ? [] : [{ name: 'a neuron from rest', ink: 'third', thin: true, strands: way } as const]),
      { name: flat ? 'dV/dt' : 'dV/dt = 0', ink: 'accent', strands: [{ x: potentials, y: upward }] },
      ...(flat ? [] : [zero]),
    ],
    levels: [
      ...(flat ? [{ name: 'no change', at: 0, axis: 'y', ink: 'second' } as const] : []),
      level('reset', reset),
      level('threshold', plane.threshold),
    ],
    marks: [
      { name: 'stable', ink: 'ink', points: pointsThat(true) },
      { name: 'unstable', ink: 'ink', open: true, points: pointsThat(false) },
    ],
  });
}

/** What is of interest upwards: the ways, the fixed points, where nullclines begin and the lowest of what bends. */
function heightOf({ potentialNullcline, adaptationNullcline, rise, ways, fixedPoints }: Plane) {
  const bent = rise ?? potentialNullcline;
  const points = fixedPoints.filter(({ belowThreshold }) => belowThreshold).map(({ adaptation }) => adaptation);
  const seen = [0, ...points, ...bent.subarray(0, 1), ...adaptationNullcline.subarray(0, 1)];
  const all = [seen, ...ways.map(({ adaptation }) => adaptation)];
  const low = all.reduce((least, values) => values.reduce((a, b) => Math.min(a, b), least), Math.min(...bent));
  const high = all.reduce((most, values) => values.reduce((a, b) => Math.max(a, b), most), low);
  const room = Math.max((high - low) * 0.08, 1e-3);
  return { from: low - room, to: high + room };
}

const pointAt = (plane: Outcome<Plane>, i: number): string =>
  figure(plane, ({ fixedPoints, rise }) => {
    const found = fixedPoints[i];
    return found ? pointText(found, rise !== undefined) : '–';
  });

const PLANE: Rows<Outcome<Plane>> = [
  ['plane-current', 'Constant current', (plane) => figure(plane, ({ current }) => pA(current))],
  ['fixed-0', 'Fixed point', (plane) => pointAt(plane, 0)],
  ['fixed-1', 'Another', (plane) => pointAt(plane, 1)],
  [
    'reset',
    'Reset, threshold',
    (plane) => figure(plane, ({ reset, threshold }) => `${rounded(reset)} mV, ${rounded(threshold)} mV`),
  ],
];

function trainChart({ times, duration, start, stop, intervals }: Train): HTMLElement {
  const points = Array.from(times.subarray(1), (time, i) => ({ x: time, y: time - (times[i] as number) }));
  const { count, min, max } = intervals;
  const level = (name: string, at: number) => ({ name, at, axis: 'x', ink: 'quiet' }) as const;
  return chart({
    label: `Each interval between spikes at the time when it ends: ${count === 0 ? 'there is none' : `${count}, from ${rounded(min)} to ${rounded(max)} ms`}.`,
    x: { name: 'time, ms', from: 0, to: duration },
    y: { name: 'interval, ms', from: 0, to: count === 0 ? 1 : max * 1.1 },
    levels: [
      ...(start > 0 ? [level('current on', start)] : []),
      ...(stop < duration ? [level('current off', stop)] : []),
    ],
    marks: [{ name: 'intervals between spikes', ink: 'accent', small: true, points }],
  });
}

const ofTrain =
  (text: (train: Train) => string) =>
  (train: Outcome<Train>): string =>
    figure(train, text);

const TRAIN: Rows<Outcome<Train>> = [
  [
    'pattern',
    'Firing pattern',
    ofTrain(({ pattern, steady }) => `${pattern.pattern}${steady ? '' : ', as the input varies'}`),
  ],
  ['spikes', 'Spikes', ofTrain(({ times, duration }) => `${times.length} in ${rounded(duration)} ms`)],
  ['rate', 'Mean rate', ofTrain(({ rate }) => rounded(rate, 'Hz'))],
  ['latency', 'First spike after', ofTrain(({ pattern }) => rounded(pattern.latency, 'ms'))],
  ['interval', 'Mean interval', ofTrain(({ intervals }) => rounded(intervals.mean, 'ms'))],
  ['cv', 'Its variation, CV', ofTrain(({ intervals }) => rounded(intervals.cv, '', 3))],
  ['adaptation', 'Adaptation index', ofTrain(({ adaptation }) => rounded(adaptation, '', 3))],
];
