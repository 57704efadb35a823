// The picture of a run: spikes of some neurons over time, and below it the population rate of all of them, as the text
// of an SVG file of at most about a megabyte. It goes through the spikes part by part, more than once where it must, and
// keeps none. It knows nothing of files, of the simulation or of what made the spikes.

import { areaY, lineY, type PlotOptions, plot, type RenderFunction } from '@observablehq/plot';
import { parseHTML } from 'linkedom/worker';

interface SpikeTrain {
  /** ms */
  times: Float64Array;
  /** Flat index of each spike's neuron. */
  neurons: Uint32Array;
}

/** The spikes from the first on, in parts; asked for each time they are gone through. */
export type Replay = () => AsyncIterable<SpikeTrain> | Iterable<SpikeTrain>;

interface PictureOptions {
  /** Size of the population. */
  neurons: number;
  /** Flat indices, ascending, of those whose spikes are recorded; all by default. */
  chosen?: Uint32Array | undefined;
  /** ms */
  duration: number;
  /** ms from and to which spikes are recorded; the whole time by default. */
  window?: readonly [from: number, to: number];
  title: string;
  subtitle?: string;
  /** What the picture's reader does not see. */
  metadata?: string;
}

/** Where ticks go: one byte for each tenth of a pixel of each row. */
interface Raster {
  /** The neurons shown, ascending: their places among those that are recorded. */
  shown: Uint32Array;
  marks: Uint8Array;
  count: number;
}

/** What is counted while the spikes go by. */
interface Tally {
  add(spikes: SpikeTrain): void;
}

const SVG = 'http://www.w3.org/2000/svg';
const WIDTH = 880;
const MARGIN = { left: 80, right: 32 };
/** Where headings begin. */
const EDGE = 16;
const FRAME = WIDTH - MARGIN.left - MARGIN.right;
const RASTER = { marginTop: 42, marginBottom: 14, least: 90, most: 330, row: 48 };
const RATE = { height: 214, marginTop: 36, marginBottom: 52 };

const MOST_ROWS = 300;
/** A tick costs about eight bytes. */
const MOST_TICKS = 90_000;
const COLUMNS = FRAME * 10;

const INK = '#222222';
const FAINT = '#5c5c5c';
const BLUE = '#0072b2';

/**
 * Draws a spike raster with the population rate below it. Ticks that would coincide to a tenth of a pixel are drawn
 * once; of a population too large or too busy to show, evenly chosen neurons are shown, and the picture says how many.
 *
 * @returns the text of an SVG file
 */
export async function drawRaster(spikes: Replay, options: PictureOptions): Promise<string> {
  const { document } = parseHTML('<!doctype html><html></html>');
  const { title, subtitle, metadata } = options;
  const rate = new RateTally(options);
  const raster = rasterPlot(await markTicks(spikes, options, rate), rate.spikes, options);
  const top = subtitle ? 56 : 34;
  const middle = top + (raster.height as number);
  const height = middle + RATE.height;
  const root = document.createElementNS(SVG, 'svg');
  const attributes = { xmlns: SVG, width: WIDTH, height, viewBox: `0 0 ${WIDTH} ${height}`, role: 'img', fill: INK };
  set(root, { ...attributes, 'font-family': 'system-ui, sans-serif', 'font-size': 13 });
  root.append(element(document, 'title', {}, printable(title)));
  if (metadata) root.append(element(document, 'metadata', {}, printable(metadata)));
  root.append(element(document, 'rect', { width: WIDTH, height, fill: '#ffffff' }));
  const heading = { x: EDGE, y: 30, 'font-size': 17, 'font-weight': 600 };
  root.append(element(document, 'text', heading, shorten(title, 70)));
  if (subtitle) root.append(element(document, 'text', { x: EDGE, y: 52, fill: FAINT }, shorten(subtitle, 104)));
  root.append(panel(document, raster, top));
  root.append(panel(document, ratePlot(rate, options), middle));
  return `${root.outerHTML}\n`;
}

/**
 * Spikes per recorded neuron and second, in bins of a round number of ms: 100 to 250 of them, or fewer where they would be
 * shorter than 1 ms. A bin includes its end, as a spike's time is the end of its step.
 */
export class RateTally implements Tally {
  readonly bin: number;
  /** All spikes, also those beyond the last bin. */
  spikes = 0;
  readonly #counts: Float64Array;

  constructor(readonly of: Pick<PictureOptions, 'neurons' | 'chosen' | 'duration' | 'window'>) {
    this.bin = Math.max(1, roundUp(of.duration / 250));
    this.#counts = new Float64Array(Math.max(1, Math.ceil(of.duration / this.bin - 1e-6)));
  }

  add({ times }: Pick<SpikeTrain, 'times'>): void {
    const counts = this.#counts;
    this.spikes += times.length;
    for (const time of times) {
      const k = Math.max(0, Math.ceil(time / this.bin - 1e-6) - 1);
      if (k < counts.length) counts[k] = (counts[k] as number) + 1;
    }
  }

  /** The bins' edges, ms, one more than rates; Hz, NaN where nothing was recorded. */
  read(): { edges: number[]; rates: number[] } {
    const { duration, window: [from, to] = [0, span(duration)] } = this.of;
    const neurons = recordedOf(this.of);
    const bins = this.#counts.length;
    const edges = Array.from({ length: bins + 1 }, (_, k) => Math.min(k * this.bin, span(duration)));
    const rates = Array.from(this.#counts, (count, k) => {
      const seconds = (Math.min(edges[k + 1] as number, to) - Math.max(edges[k] as number, from)) / 1000;
      // What is left of a rounded edge is no time.
      return seconds > 1e-9 ? count / (Math.max(1, neurons) * seconds) : Number.NaN;
    });
    return { edges, rates };
  }
}

function rasterPlot(raster: Raster, spikes: number, options: PictureOptions): PlotOptions {
  const { neurons, chosen, duration } = options;
  const recorded = recordedOf(options);
  const rows = raster.shown.length;
  const all = `${counted(neurons)} neuron${neurons === 1 ? '' : 's'}`;
  const label = `neuron index (${rows === neurons ? all : `${counted(rows)} of ${all}`})`;
  const few = Array.from({ length: Math.min(5, recorded) }, (_, place) => place);
  const note = spikes === 0 ? 'no spikes' : raster.count === 0 ? 'no spikes of the neurons shown' : '';
  const frame = Math.min(RASTER.most, Math.max(RASTER.least, RASTER.row * rows));
  const { marginTop, marginBottom } = RASTER;
  return {
    height: frame + marginTop + marginBottom,
    marginTop,
    marginBottom,
    x: { domain: [0, span(duration)], label: null, tickFormat: () => '', ticks: 8, grid: true },
    y: {
      domain: [-0.5, Math.max(1, recorded) - 0.5],
      ticks: recorded <= 5 ? few : 5,
      tickFormat: (place: number) => counted(chosen?.[place] ?? place),
    },
    marks: [rasterMark(raster, recorded), noteMark(note), labelMark(label)],
  };
}

function ratePlot(rate: RateTally, { neurons, chosen, duration }: PictureOptions): PlotOptions {
  const { edges, rates } = rate.read();
  const most = rates.reduce((a, b) => (b > a ? b : a), 0);
  // Both ends of each bin: a curve that steps by itself ends a bin too early before a gap.
  const x = rates.flatMap((_, k) => edges.slice(k, k + 2));
  const y = rates.flatMap((each) => [each, each]);
  const whose = chosen && chosen.length < neurons ? 'rate of the recorded neurons' : 'population rate';
  return {
    ...RATE,
    x: { domain: [0, span(duration)], label: 'time (ms)', ticks: 8, grid: true },
    y: { domain: [0, most || 1], nice: true, ticks: 4, grid: true },
    marks: [
      // From 0 by name: by itself it stacks what has the same x.
      areaY(y, { x, y1: 0, y2: y, fill: BLUE, fillOpacity: 0.22 }),
      lineY(y, { x, y, stroke: BLUE, strokeWidth: 1.25 }),
      labelMark(`${whose} (Hz, bins of ${rate.bin} ms)`),
    ],
  };
}

/** As many evenly chosen neurons as fit the picture with all their ticks; `rate` sees the spikes as they first go by. */
async function markTicks(spikes: Replay, options: PictureOptions, rate: Tally): Promise<Raster> {
  let raster = new Marks(Math.min(recordedOf(options), MOST_ROWS), options);
  await goThrough(spikes, [raster, rate]);
  while (raster.count > MOST_TICKS) {
    const rows = Math.floor(raster.shown.length * Math.max(0.5, Math.min(0.95, MOST_TICKS / raster.count)));
    raster = new Marks(rows, options);
    await goThrough(spikes, [raster]);
  }
  return raster;
}

async function goThrough(spikes: Replay, tallies: readonly Tally[]): Promise<void> {
  for await (const part of spikes()) for (const tally of tallies) tally.add(part);
}

class Marks implements Raster, Tally {
  readonly shown: Uint32Array;
  readonly marks: Uint8Array;
  count = 0;
  readonly #rowOf: Int32Array;
  readonly #span: number;

  constructor(rows: number, options: PictureOptions) {
    const { neurons, chosen, duration } = options;
    this.shown = evenly(recordedOf(options), rows);
    this.marks = new Uint8Array(rows * (COLUMNS + 1));
    this.#rowOf = new Int32Array(neurons).fill(-1);
    for (const [row, place] of this.shown.entries()) this.#rowOf[chosen?.[place] ?? place] = row;
    this.#span = span(duration);
  }

  add({ times, neurons }: SpikeTrain): void {
    for (let i = 0; i < times.length; i++) {
      const row = this.#rowOf[neurons[i] as number] ?? -1;
      if (row < 0) continue;
      const column = Math.round(((times[i] as number) / this.#span) * COLUMNS);
      if (column < 0 || column > COLUMNS) continue;
      const place = row * (COLUMNS + 1) + column;
      if (this.marks[place] === 0) this.count++;
      this.marks[place] = 1;
    }
  }
}

/** All ticks as one path in tenths of a pixel: a horizontal line as long as a tick is wide, as wide as it is high. */
function rasterMark({ shown, marks, count }: Raster, recorded: number): RenderFunction {
  return (_index, { y }, _values, { marginTop, marginBottom, height }, { document }) => {
    const pitch = (height - marginTop - marginBottom) / Math.max(1, shown.length);
    const [tall, wide] = [Math.min(24, Math.max(1.8, pitch * 0.8)), tickWidth(count / shown.length)];
    const lines = Array.from(shown, (place, row) => {
      const middle = Math.round((y?.(recorded === 1 ? 0 : place) as number) * 10);
      return ticksOf(marks.subarray(row * (COLUMNS + 1), (row + 1) * (COLUMNS + 1)), middle, wide);
    });
    return element(document, 'path', {
      d: lines.join(''),
      transform: 'scale(.1)',
      fill: 'none',
      stroke: INK,
      'stroke-width': Math.round(tall * 10),
      'aria-label': 'spikes',
    });
  };
}

/** Tenths of a pixel, even: narrower where ticks are dense. */
const tickWidth = (perRow: number): number => 2 * Math.round(Math.min(14, Math.max(6, (0.4 * COLUMNS) / perRow)) / 2);

function ticksOf(marks: Uint8Array, middle: number, wide: number): string {
  const parts: string[] = [];
  let pen = 0;
  for (let column = marks.indexOf(1); column >= 0; column = marks.indexOf(1, column + 1)) {
    const from = MARGIN.left * 10 + column - wide / 2;
    parts.push(parts.length === 0 ? `M${from} ${middle}h${wide}` : `m${from - pen} 0h${wide}`);
    pen = from + wide;
  }
  return parts.join('');
}

/** A note in the middle of the frame, clear of the grid. */
function noteMark(note: string): RenderFunction {
  return (_index, _scales, _values, { marginTop, marginBottom, height }, { document }) => {
    const place = { x: MARGIN.left + FRAME / 2, y: (height + marginTop - marginBottom) / 2 + 5, 'font-size': 15 };
    const halo = { fill: FAINT, stroke: '#ffffff', 'stroke-width': 8, 'paint-order': 'stroke' };
    return note ? element(document, 'text', { ...place, ...halo }, note) : null;
  };
}

/** What the y axis shows, above it and in line with the title. */
function labelMark(label: string): RenderFunction {
  return (_index, _scales, _values, { marginTop }, { document }) =>
    element(document, 'text', { x: EDGE, y: marginTop - 14, 'text-anchor': 'start' }, label);
}

/** A plot as a group of the picture; its style sheet, made for pages, stays out. */
function panel(document: Document, options: PlotOptions, top: number): SVGElement {
  const drawn = plot({
    ...options,
    document,
    width: WIDTH,
    marginLeft: MARGIN.left,
    marginRight: MARGIN.right,
    x: { labelAnchor: 'center', labelArrow: false, labelOffset: 38, tickSize: 4, ...options.x },
    y: { label: null, tickSize: 4, ...options.y },
  });
  const group = element(document, 'g', { transform: `translate(0,${top})`, 'text-anchor': 'middle' });
  group.append(...[...drawn.children].filter(({ localName }) => localName !== 'style'));
  return group;
}

function element(document: Document, name: string, attributes: Record<string, string | number>, text = ''): SVGElement {
  const made = document.createElementNS(SVG, name) as SVGElement;
  set(made, attributes);
  if (text) made.textContent = text;
  return made;
}

function set(target: Element, attributes: Record<string, string | number>): void {
  for (const [name, value] of Object.entries(attributes)) target.setAttribute(name, String(value));
}

/** Some of the indices below a number: from the first to the last, at even distances. */
const evenly = (from: number, some: number): Uint32Array =>
  Uint32Array.from({ length: some }, (_, k) => (some === 1 ? 0 : Math.round((k * (from - 1)) / (some - 1))));

/** The least of 1, 2 or 5 times a power of ten that is not below a number. */
function roundUp(number: number): number {
  const power = 10 ** Math.floor(Math.log10(number));
  return power * ([1, 2, 5, 10].find((factor) => factor * power >= number * (1 - 1e-9)) as number);
}

/** How many neurons' spikes are recorded. */
const recordedOf = ({ neurons, chosen }: Pick<PictureOptions, 'neurons' | 'chosen'>): number =>
  chosen?.length ?? neurons;

/** What the time axis covers, ms: some time even where none has passed. */
const span = (duration: number): number => (duration > 0 ? duration : 1);

const counted = (number: number): string => number.toLocaleString('en-US');

/** XML has no place for control characters. */
const printable = (text: string): string => text.replace(/\p{Cc}/gu, ' ');

function shorten(text: string, most: number): string {
  const letters = [...printable(text)];
  return letters.length <= most
    ? letters.join('')
    : `${letters
        .slice(0, most - 1)
        .join('')
        .trimEnd()}…`;
}
