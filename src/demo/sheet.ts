// The sheet on the page: the population as a picture that can be moved, zoomed and pointed at. It owns the view and what
// the hand does to it; the painters know how to paint.

import type { Live, Look } from './live.ts';
import type { Camera, Colour, Painter, Palette } from './painter.ts';
import { type CanvasPainter, canvasPainter } from './painter-canvas.ts';
import { gpuPainter } from './painter-gpu.ts';
import { columnsOf, HOME, numberOf, type Setup, type View } from './setup.ts';

/** A glow falls to a third in so many ms on the clock. */
const GLOW = 140;
/** Pixels that a pointer may move and still mean a neuron. */
const STILL = 4;
const MOST_ZOOM = 400;

export interface SheetEvents {
  /** The view was moved. */
  onView(view: View): void;
  /** A neuron was pointed at. */
  onNeuron(neuron: number): void;
}

export class Sheet {
  #painter: Painter | CanvasPainter | undefined;
  #palette: Palette;
  #setup: Setup | undefined;
  #view: View = HOME;
  #advanced = false;
  #painted = 0;
  /** Whether anything has changed that the picture does not show yet. */
  #stale = true;
  readonly #pointers = new Map<number, { x: number; y: number }>();
  #moved = 0;

  constructor(
    /** The box that the canvas fills. */
    readonly box: HTMLElement,
    /** The ring around the neuron that is traced. */
    readonly ring: HTMLElement,
    readonly events: SheetEvents,
  ) {
    this.#palette = paletteOf(box);
    box.tabIndex = 0;
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
      this.#palette = paletteOf(box);
      this.#stale = true;
    });
    new ResizeObserver(() => this.#fit()).observe(box);
    this.#listen();
  }

  /** Shows another population, or the same in other memory. */
  attach({ cells }: Live, setup: Setup): void {
    this.#painter?.destroy();
    const columns = columnsOf(setup.units);
    this.#painter = (cells.gpu && gpuPainter(cells.gpu, columns)) ?? canvasPainter(setup.units, columns);
    this.box.querySelector('canvas')?.remove();
    this.box.prepend(this.#painter.canvas);
    this.#painter.canvas.setAttribute('aria-hidden', 'true');
    this.#fit();
    this.show(setup);
  }

  /** Follows the set-up: its view, its ranges of colour. */
  show(setup: Setup): void {
    this.#setup = setup;
    this.#view = setup.view;
    // All of it in sight, a finger that moves up or down means the page.
    this.box.style.touchAction = setup.view.zoom > 1 ? 'none' : 'pan-y';
    this.#stale = true;
  }

  /** The neurons have gone on; `look` is what they are where no GPU has them. */
  advance(look: Look | undefined): void {
    if (look && this.#painter && 'take' in this.#painter && this.#setup) {
      this.#painter.take(look, numberOf(this.#setup, 'potential_rest'));
    }
    this.#advanced = true;
    this.#stale = true;
  }

  /** Paints, if there is something new; to be called in each frame. */
  paint(now: number): boolean {
    const { canvas } = this.#painter ?? {};
    if (!this.#painter || !canvas || !this.#setup || !this.#stale || canvas.width === 0) return false;
    const decay = this.#advanced ? Math.exp(-Math.min(now - this.#painted, 250) / GLOW) : undefined;
    this.#painter.paint(this.#camera(canvas), this.#palette, rangeOf(this.#setup), decay);
    if (this.#advanced) this.#painted = now;
    this.#stale = this.#advanced = false;
    this.#placeRing();
    return true;
  }

  /** The picture as it is, in PNG. */
  picture(): Promise<Blob> {
    // What a GPU painted is there only until the frame ends.
    this.#stale = true;
    this.paint(performance.now());
    return new Promise((resolve, reject) => {
      const done = (blob: Blob | null) => (blob ? resolve(blob) : reject(new Error('the canvas gives no picture')));
      this.#painter?.canvas.toBlob(done, 'image/png');
    });
  }

  zoomBy(factor: number): void {
    this.#zoomAt(this.box.clientWidth / 2, this.box.clientHeight / 2, factor);
  }

  #fit(): void {
    const { canvas } = this.#painter ?? {};
    if (!canvas) return;
    const ratio = devicePixelRatio;
    const [width, height] = [Math.round(this.box.clientWidth * ratio), Math.round(this.box.clientHeight * ratio)];
    if (canvas.width === width && canvas.height === height) return;
    Object.assign(canvas, { width, height });
    this.#stale = true;
  }

  get #size(): { columns: number; rows: number } {
    const units = this.#setup?.units ?? 1;
    const columns = columnsOf(units);
    return { columns, rows: Math.ceil(units / columns) };
  }

  // In pixels of the page; the painter's are those of the device.
  #scale(): number {
    const { columns, rows } = this.#size;
    return this.#view.zoom * Math.min(this.box.clientWidth / columns, this.box.clientHeight / rows);
  }

  #corner(): { left: number; top: number } {
    const { columns, rows } = this.#size;
    const [scale, { x, y }] = [this.#scale(), this.#view];
    return {
      left: x * columns - this.box.clientWidth / 2 / scale,
      top: y * rows - this.box.clientHeight / 2 / scale,
    };
  }

  #camera({ width }: HTMLCanvasElement): Camera {
    return { ...this.#corner(), perPixel: this.box.clientWidth / width / this.#scale() };
  }

  #placeRing(): void {
    const { neuron } = this.#view;
    const there = neuron !== null && neuron < (this.#setup?.units ?? 0);
    this.ring.hidden = !there;
    if (!there) return;
    const { columns } = this.#size;
    const [scale, { left, top }] = [this.#scale(), this.#corner()];
    const [x, y] = [(neuron % columns) + 0.5 - left, Math.floor(neuron / columns) + 0.5 - top];
    const size = Math.max(14, scale + 4);
    this.ring.style.cssText = `width:${size}px;height:${size}px;transform:translate(${x * scale - size / 2}px,${y * scale - size / 2}px)`;
  }

  #look(view: View): void {
    const room = 0.5 / view.zoom;
    const within = (at: number) => Math.min(Math.max(at, room), 1 - room);
    this.#view = { ...view, x: within(view.x), y: within(view.y) };
    this.#stale = true;
    this.events.onView(this.#view);
  }

  #zoomAt(x: number, y: number, factor: number): void {
    const { columns, rows } = this.#size;
    const [scale, corner, view] = [this.#scale(), this.#corner(), this.#view];
    const zoom = Math.min(Math.max(view.zoom * factor, 1), MOST_ZOOM);
    const change = 1 - view.zoom / zoom;
    // The point under the hand stays there.
    const at = { x: (corner.left + x / scale) / columns, y: (corner.top + y / scale) / rows };
    this.#look({ ...view, zoom, x: view.x + (at.x - view.x) * change, y: view.y + (at.y - view.y) * change });
  }

  #pan(dx: number, dy: number): void {
    const { columns, rows } = this.#size;
    const [scale, view] = [this.#scale(), this.#view];
    this.#look({ ...view, x: view.x - dx / scale / columns, y: view.y - dy / scale / rows });
  }

  /** The neuron at a point of the box, if there is one. */
  neuronAt(x: number, y: number): number | undefined {
    const { columns } = this.#size;
    const [scale, { left, top }] = [this.#scale(), this.#corner()];
    const [column, row] = [Math.floor(left + x / scale), Math.floor(top + y / scale)];
    const neuron = row * columns + column;
    const there = column >= 0 && row >= 0 && column < columns && neuron < (this.#setup?.units ?? 0);
    return there ? neuron : undefined;
  }

  #listen(): void {
    const { box } = this;
    const place = ({ clientX, clientY }: MouseEvent) => {
      const { left, top } = box.getBoundingClientRect();
      return { x: clientX - left, y: clientY - top };
    };
    box.addEventListener(
      'wheel',
      (event) => {
        event.preventDefault();
        const { x, y } = place(event);
        this.#zoomAt(x, y, Math.exp(-event.deltaY * (event.deltaMode === 1 ? 0.05 : 0.002)));
      },
      { passive: false },
    );
    box.addEventListener('pointerdown', (event) => {
      if (event.button !== 0) return;
      box.setPointerCapture(event.pointerId);
      if (this.#pointers.size === 0) this.#moved = 0;
      this.#pointers.set(event.pointerId, place(event));
    });
    box.addEventListener('pointermove', (event) => this.#drag(event.pointerId, place(event)));
    box.addEventListener('pointerup', (event) => {
      if (!this.#pointers.delete(event.pointerId) || this.#pointers.size > 0 || this.#moved > STILL) return;
      const { x, y } = place(event);
      const neuron = this.neuronAt(x, y);
      if (neuron !== undefined) this.events.onNeuron(neuron);
    });
    box.addEventListener('pointercancel', (event) => this.#pointers.delete(event.pointerId));
    box.addEventListener('keydown', (event) => this.#key(event));
  }

  // One pointer moves the sheet; two of them also zoom it.
  #drag(id: number, to: { x: number; y: number }): void {
    const from = this.#pointers.get(id);
    if (!from) return;
    const other = [...this.#pointers].find(([one]) => one !== id)?.[1];
    this.#pointers.set(id, to);
    const [dx, dy] = [to.x - from.x, to.y - from.y];
    this.#moved += Math.abs(dx) + Math.abs(dy);
    if (!other) {
      if (this.#moved > STILL) this.#pan(dx, dy);
      return;
    }
    const apart = (point: { x: number; y: number }) => Math.max(Math.hypot(point.x - other.x, point.y - other.y), 1);
    this.#pan(dx / 2, dy / 2);
    this.#zoomAt((to.x + other.x) / 2, (to.y + other.y) / 2, apart(to) / apart(from));
  }

  #key(event: KeyboardEvent): void {
    const step = 40;
    const moves: Record<string, () => void> = {
      ArrowLeft: () => this.#pan(step, 0),
      ArrowRight: () => this.#pan(-step, 0),
      ArrowUp: () => this.#pan(0, step),
      ArrowDown: () => this.#pan(0, -step),
      '+': () => this.zoomBy(1.5),
      '=': () => this.zoomBy(1.5),
      '-': () => this.zoomBy(1 / 1.5),
      Home: () => this.home(),
      Enter: () => {
        const neuron = this.neuronAt(this.box.clientWidth / 2, this.box.clientHeight / 2);
        if (neuron !== undefined) this.events.onNeuron(neuron);
      },
    };
    const move = moves[event.key];
    if (!move || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    move();
  }

  /** The whole sheet. */
  home(): void {
    this.#look({ ...HOME, neuron: this.#view.neuron });
  }
}

// From the lower of rest and reset to where the exponential has taken over.
function rangeOf(setup: Setup): { low: number; high: number } {
  const value = (name: string) => numberOf(setup, name);
  const rest = value('potential_rest');
  const low = Math.min(0, value('potential_reset') - rest) - 2;
  return { low, high: Math.max(value('rheobase_threshold') + 2 * value('spike_slope') - rest, low + 1) };
}

function paletteOf(box: HTMLElement): Palette {
  const style = getComputedStyle(box);
  const pen = document.createElement('canvas').getContext('2d') as CanvasRenderingContext2D;
  const colour = (name: string): Colour => {
    // A canvas tells any colour as #rrggbb.
    pen.fillStyle = style.getPropertyValue(`--sheet-${name}`).trim();
    const hex = String(pen.fillStyle).slice(1);
    const part = (i: number) => Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16) / 255;
    return [part(0), part(1), part(2)];
  };
  const [ground, rest, middle, near, spike] = ['ground', 'rest', 'middle', 'near', 'spike'].map(colour) as [
    Colour,
    Colour,
    Colour,
    Colour,
    Colour,
  ];
  return { ground, rest, middle, near, spike };
}
