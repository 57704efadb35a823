// The raster of some neurons and the rate of all, scrolling in model time. A spike is drawn once, into a strip that goes
// round; the rate is drawn anew. It owns its canvas and knows nothing of where spikes come from.

import { niceAbove } from './elements.ts';
import type { Ran } from './live.ts';

const RATE_SHARE = 0.28;
/** Room for the words at the left and below, in pixels of the page. */
const MARGIN = { left: 46, bottom: 20, gap: 14 };

interface Inks {
  spike: string;
  rate: string;
  text: string;
  line: string;
}

export class Raster {
  readonly #context: CanvasRenderingContext2D;
  readonly #strip = document.createElement('canvas');
  #inks: Inks;
  /** Row of each neuron in the raster. */
  #rows = new Map<number, number>();
  #dt = 0.1;
  /** Model time that is seen, ms. */
  #window = 200;
  /** Model time so far, ms. */
  #now = 0;
  /** The first pixel column, counted from time 0, that the strip has not reached. */
  #reached = 0;
  /** Spikes of the window, for when it is drawn anew: pairs of a time and a row. */
  #spikes: { time: number; row: number }[] = [];
  #bins: { time: number; rate: number }[] = [];
  #peak = 20;
  #stale = true;

  constructor(readonly canvas: HTMLCanvasElement) {
    this.#context = canvas.getContext('2d') as CanvasRenderingContext2D;
    this.#inks = inksOf(canvas);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
      this.#inks = inksOf(canvas);
      this.#redraw();
    });
    new ResizeObserver(() => this.#redraw()).observe(canvas);
  }

  /** Begins anew, or goes on with other neurons, at a moment of model time. */
  begin(rows: Uint32Array, dt: number, time: number): void {
    const goesOn = time > 0 && rows.length === this.#rows.size && dt === this.#dt;
    this.#rows = new Map(Array.from(rows, (neuron, row) => [neuron, row]));
    this.#dt = dt;
    if (goesOn && time >= this.#now) return;
    this.#spikes = this.#spikes.filter((spike) => goesOn && spike.time <= time);
    this.#bins = this.#bins.filter((bin) => goesOn && bin.time <= time);
    this.#now = time;
    this.#redraw();
  }

  /** Sets how much model time is seen, ms. */
  show(window: number): void {
    if (window === this.#window) return;
    this.#window = window;
    this.#redraw();
  }

  append({ end, spikes, rate }: Ran): void {
    this.#now = end * this.#dt;
    for (const { times, neurons } of spikes) {
      for (let i = 0; i < neurons.length; i++) {
        const row = this.#rows.get(neurons[i] as number);
        if (row !== undefined) this.#spikes.push({ time: times[i] as number, row });
      }
    }
    for (const { times, rates, steps } of rate) {
      steps.forEach((_, i) => {
        const bin = { time: times[i] as number, rate: rates[i] as number };
        // What was not complete comes again, with a later end.
        const begun = (steps[i] as number) * this.#dt;
        if ((this.#bins.at(-1)?.time ?? -1) > begun + this.#dt / 2) this.#bins.pop();
        this.#bins.push(bin);
      });
    }
    this.#stale = true;
  }

  /** Spikes per neuron and second over the time that is seen, Hz. */
  get meanRate(): number {
    const seen = this.#bins.filter(({ time }) => time > this.#now - this.#window);
    return seen.reduce((sum, { rate }) => sum + rate, 0) / Math.max(seen.length, 1);
  }

  // The left edge; it stands still until the window is full.
  get #begin(): number {
    return Math.max(this.#now - this.#window, 0);
  }

  /** Draws what is new; to be called in each frame. */
  paint(): void {
    const { canvas } = this;
    if (!this.#stale || canvas.clientWidth === 0) return;
    this.#stale = false;
    const begin = this.#now - this.#window;
    if (this.#spikes.length > 0 && (this.#spikes[0]?.time as number) < begin - this.#window / 4) {
      this.#spikes = this.#spikes.filter(({ time }) => time >= begin);
    }
    this.#bins = this.#bins.filter(({ time }) => time >= begin - 20);
    this.#paintStrip();
    const { left, width, height, rasterHeight, ratio } = this.#layout();
    const context = this.#context;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, width, height);
    const strip = this.#strip;
    const cut = this.#begin === 0 ? 0 : this.#reached % strip.width;
    if (strip.width > 0 && strip.height > 0) {
      const older = strip.width - cut;
      if (older > 0) context.drawImage(strip, cut, 0, older, rasterHeight, left, 0, older, rasterHeight);
      if (cut > 0) context.drawImage(strip, 0, 0, cut, rasterHeight, left + older, 0, cut, rasterHeight);
    }
    context.scale(ratio, ratio);
    this.#paintRate();
  }

  #layout() {
    const ratio = devicePixelRatio;
    const [width, height] = [Math.round(this.canvas.clientWidth * ratio), Math.round(this.canvas.clientHeight * ratio)];
    const left = Math.round(MARGIN.left * ratio);
    const usable = height - Math.round((MARGIN.bottom + MARGIN.gap) * ratio);
    const rasterHeight = Math.max(Math.round(usable * (1 - RATE_SHARE)), 1);
    return { ratio, width, height, left, rasterHeight, rateHeight: usable - rasterHeight };
  }

  #redraw(): void {
    const { width, height, left, rasterHeight } = this.#layout();
    if (width === 0) return;
    Object.assign(this.canvas, { width, height });
    Object.assign(this.#strip, { width: Math.max(width - left, 1), height: rasterHeight });
    this.#reached = this.#columnOf(this.#now - this.#window);
    this.#stale = true;
  }

  #columnOf = (time: number): number => Math.floor((time / this.#window) * this.#strip.width);

  // From the column that the strip has reached to that of the present.
  #paintStrip(): void {
    const strip = this.#strip;
    const context = strip.getContext('2d') as CanvasRenderingContext2D;
    const { width, height } = strip;
    const end = this.#columnOf(this.#now);
    const begin = Math.max(this.#reached, end - width);
    for (let column = begin; column < end; ) {
      const place = ((column % width) + width) % width;
      const run = Math.min(end - column, width - place);
      context.clearRect(place, 0, run, height);
      column += run;
    }
    context.fillStyle = this.#inks.spike;
    const rows = Math.max(this.#rows.size, 1);
    // Wider where there is room: a dot of one pixel is lost on a wall.
    const dotWidth = Math.max(1, Math.round(1.25 * devicePixelRatio), Math.round(width / 400));
    const dotHeight = Math.max(1, height / rows);
    for (let i = this.#spikes.length - 1; i >= 0; i--) {
      const { time, row } = this.#spikes[i] as { time: number; row: number };
      const column = this.#columnOf(time - this.#dt / 2);
      if (column < begin) break;
      if (column >= end) continue;
      const place = ((column % width) + width) % width;
      // To the left: what is to the right is cleared when it comes.
      const left = Math.max(place + 1 - dotWidth, 0);
      context.fillRect(left, (row / rows) * height, place + 1 - left, dotHeight);
    }
    this.#reached = end;
  }

  #paintRate(): void {
    const context = this.#context;
    const { ratio, left, width, height, rasterHeight, rateHeight } = this.#layout();
    const page = (pixels: number) => pixels / ratio;
    const [x0, x1] = [page(left), page(width)];
    const [top, tall] = [page(rasterHeight) + MARGIN.gap, page(rateHeight)];
    const highest = this.#bins.reduce((most, { rate }) => Math.max(most, rate), 0);
    // The scale grows at once and shrinks late, so that the curve can be read.
    if (highest > this.#peak || highest < this.#peak / 4) this.#peak = niceAbove(Math.max(highest * 1.2, 10));
    const y = (rate: number) => top + tall * (1 - rate / this.#peak);
    const begin = this.#begin;
    const x = (time: number) => x0 + ((time - begin) / this.#window) * (x1 - x0);
    const { line, rate: ink, text } = this.#inks;
    context.lineWidth = 1;
    context.strokeStyle = line;
    context.strokeRect(x0 + 0.5, 0.5, x1 - x0 - 1, page(rasterHeight) - 1);
    context.strokeRect(x0 + 0.5, top + 0.5, x1 - x0 - 1, tall - 1);
    context.strokeStyle = ink;
    context.lineWidth = 1.5;
    context.beginPath();
    for (const { time, rate } of this.#bins) if (time >= begin) context.lineTo(x(time), y(rate));
    context.stroke();
    context.fillStyle = text;
    context.font = `${getComputedStyle(this.canvas).fontSize} system-ui, sans-serif`;
    context.textBaseline = 'middle';
    context.textAlign = 'right';
    context.fillText(`${this.#peak}`, x0 - 4, top + 6);
    context.fillText('0', x0 - 4, top + tall - 5);
    context.fillText('Hz', x0 - 4, top + tall / 2);
    context.fillText(`${this.#rows.size}`, x0 - 4, 8);
    context.fillText('cells', x0 - 4, page(rasterHeight) / 2);
    context.textBaseline = 'alphabetic';
    const below = page(height) - 5;
    context.fillText(`${(begin + this.#window).toFixed(0)} ms`, x1 - 1, below);
    context.textAlign = 'left';
    context.fillText(`${begin.toFixed(0)} ms`, x0, below);
  }
}

function inksOf(canvas: HTMLElement): Inks {
  const style = getComputedStyle(canvas);
  const ink = (name: string) => style.getPropertyValue(`--${name}`).trim();
  return { spike: ink('ink'), rate: ink('accent'), text: ink('quiet'), line: ink('line') };
}
