// A chart: lines, marks and levels between two axes with round numbers. The picture is SVG that stretches with its box, the
// text beside it HTML, so that neither is drawn anew for another size or colour scheme. It knows nothing of neurons.

import { element } from './elements.ts';

export type Ink = 'accent' | 'second' | 'third' | 'quiet' | 'ink';

export interface Axis {
  /** With the unit: `potential, mV`. */
  name: string;
  from: number;
  to: number;
}

/** A curve, in one strand or several that are not joined. */
export interface Line {
  name: string;
  ink: Ink;
  thin?: boolean;
  strands: readonly { x: ArrayLike<number>; y: ArrayLike<number> }[];
}

/** Points of one kind; `open` ones are rings. */
export interface Marks {
  name: string;
  ink: Ink;
  open?: boolean;
  small?: boolean;
  /** `title` is told to who points at it. */
  points: readonly { x: number; y: number; title?: string }[];
}

/** A number on an axis, as a line across. */
export interface Level {
  name: string;
  ink: Ink;
  axis: 'x' | 'y';
  at: number;
}

export interface ChartOptions {
  /** All there is to see, in a sentence or two. */
  label: string;
  x: Axis;
  y: Axis;
  lines?: readonly Line[];
  marks?: readonly Marks[];
  levels?: readonly Level[];
}

const SVG = 'http://www.w3.org/2000/svg';
const SIZE = 1000;
/** Beyond the picture by so much, a point may be anywhere. */
const FAR = 10 * SIZE;
/** Points of a line that are nearer to the one before are left out. */
const NEAR = 1.5;

type Place = (value: number) => number;
type At = (x: number, y: number) => string;

/** A chart, as wide and high as its box. */
export function chart({ label, x, y, lines = [], marks = [], levels = [] }: ChartOptions): HTMLElement {
  const [across, up] = [placeOn(x), placeOn(y)];
  const at: At = (a, b) => `${across(a).toFixed(1)} ${(SIZE - up(b)).toFixed(1)}`;
  const shown = levels.filter(({ axis, at }) => within(axis === 'x' ? x : y, at));
  const seen = marks.map(({ points, ...kind }) => ({
    ...kind,
    points: points.filter((point) => within(x, point.x) && within(y, point.y)),
  }));
  const given = { viewBox: `0 0 ${SIZE} ${SIZE}`, preserveAspectRatio: 'none', role: 'img', 'aria-label': label };
  const picture = svg('svg', given);
  picture.append(
    grid(x, y, at),
    ...shown.map(({ axis, at: value, ink }) => {
      const ends = axis === 'x' ? [at(value, y.from), at(value, y.to)] : [at(x.from, value), at(x.to, value)];
      return path(`M${ends.join('L')}`, `level ink-${ink}`);
    }),
    ...lines.map(({ strands, ink, thin }) =>
      path(strands.map((strand) => lineOf(strand, across, up)).join(''), `line ink-${ink}${thin ? ' thin' : ''}`),
    ),
    ...seen.flatMap((kind) => marksOf(kind, at)),
  );
  const key = [
    ...lines.filter(({ strands }) => strands.length > 0).map(({ name, ink }) => keyOf('line', ink, name)),
    ...shown.map(({ name, ink }) => keyOf('level', ink, name)),
    ...marks.map(({ name, ink, open }) => keyOf(open ? 'mark open' : 'mark', ink, name)),
  ];
  return element(
    'div',
    { className: 'chart' },
    element('span', { className: 'chart-y', 'aria-hidden': true }, y.name),
    ticksOf(y, 'bottom'),
    picture,
    ticksOf(x, 'left'),
    element('span', { className: 'chart-x', 'aria-hidden': true }, x.name),
    element('ul', { className: 'chart-key' }, ...key),
  );
}

const placeOn =
  ({ from, to }: Axis): Place =>
  (value) =>
    Math.max(Math.min(((value - from) / (to - from)) * SIZE, FAR), -FAR);

const within = ({ from, to }: Axis, value: number): boolean => from <= value && value <= to;

function svg(tag: string, attributes: Readonly<Record<string, string>>): SVGElement {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

const path = (d: string, className: string): SVGElement =>
  svg('path', { d, class: className, 'vector-effect': 'non-scaling-stroke' });

function lineOf({ x, y }: Line['strands'][number], across: Place, up: Place): string {
  let d = '';
  let [lastX, lastY] = [Number.NaN, Number.NaN];
  for (let i = 0; i < x.length; i++) {
    const [a, b] = [across(x[i] as number), SIZE - up(y[i] as number)];
    const near = Math.abs(a - lastX) < NEAR && Math.abs(b - lastY) < NEAR;
    if (Number.isNaN(a + b) || (near && i < x.length - 1)) continue;
    d += `${d ? 'L' : 'M'}${a.toFixed(1)} ${b.toFixed(1)}`;
    [lastX, lastY] = [a, b];
  }
  return d;
}

// Those that have nothing to tell are one element: there may be thousands.
function marksOf({ points, ...kind }: Marks, at: At): SVGElement[] {
  const told = points.filter(({ title }) => title);
  const others = points.filter(({ title }) => !title);
  const dots = (of: Marks['points']) => of.map(({ x, y }) => `M${at(x, y)}h.01`).join('');
  return [
    ...(others.length > 0 ? [markOf(dots(others), kind)] : []),
    ...told.map((point) => markOf(dots([point]), kind, point.title)),
  ];
}

// A line of no length with round ends stays round however the picture is stretched.
function markOf(dots: string, { ink, open, small }: Omit<Marks, 'points'>, title?: string): SVGElement {
  const made = svg('g', { class: `mark ink-${ink}${small ? ' small' : ''}` });
  if (title) {
    const told = svg('title', {});
    told.textContent = title;
    made.append(told);
  }
  made.append(path(dots, 'outer'), ...(open ? [path(dots, 'inner')] : []));
  return made;
}

function grid(x: Axis, y: Axis, at: At): SVGElement {
  const upright = roundNumbers(x).map((tick) => `M${at(tick, y.from)}L${at(tick, y.to)}`);
  const level = roundNumbers(y).map((tick) => `M${at(x.from, tick)}L${at(x.to, tick)}`);
  return path([...upright, ...level].join(''), 'grid');
}

function ticksOf(axis: Axis, side: 'left' | 'bottom'): HTMLElement {
  const ticks = roundNumbers(axis).map((tick) => {
    const made = element('span', {}, String(tick));
    made.style.setProperty(side, `${(100 * (tick - axis.from)) / (axis.to - axis.from)}%`);
    return made;
  });
  return element('div', { className: `chart-ticks ${side}`, 'aria-hidden': true }, ...ticks);
}

const keyOf = (kind: string, ink: Ink, name: string): HTMLElement =>
  element('li', {}, element('span', { className: `${kind} ink-${ink}`, 'aria-hidden': true }), name);

/** Four to seven round numbers of an axis. */
export function roundNumbers({ from, to }: Pick<Axis, 'from' | 'to'>): number[] {
  const power = 10 ** Math.floor(Math.log10((to - from) / 4));
  const step = ([5, 2].find((factor) => factor * power <= (to - from) / 4) ?? 1) * power;
  const first = Math.ceil(from / step - 1e-9);
  const count = Math.floor(to / step + 1e-9) - first + 1;
  // 3 * 0.1 is not 0.3.
  return Array.from({ length: count }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}
