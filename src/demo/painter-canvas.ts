// Paints the sheet from memory, where no GPU has the population: an image with a pixel a neuron, which the canvas
// stretches. It owns the canvas and the glow.

import type { Look } from './live.ts';
import type { Colour, Painter, Palette, Range } from './painter.ts';

/** Shades of the potential, and of the glow over it. */
const SHADES = 64;
const GLOWS = 16;

export interface CanvasPainter extends Painter {
  /** Takes over the state of the neurons; `rest` is the potential it is shown relative to, mV. */
  take(look: Look, rest: number): void;
}

export function canvasPainter(units: number, columns: number): CanvasPainter {
  const canvas = document.createElement('canvas');
  const context = canvas.getContext('2d', { alpha: false }) as CanvasRenderingContext2D;
  const rows = Math.ceil(units / columns);
  const sheet = new OffscreenCanvas(columns, rows);
  const own = sheet.getContext('2d') as OffscreenCanvasRenderingContext2D;
  const image = own.createImageData(columns, rows);
  const pixels = new Uint32Array(image.data.buffer);
  const light = new Float32Array(units);
  let seen: Uint32Array | undefined;
  let taken: { look: Look; rest: number } | undefined;
  let table = new Uint32Array();
  let tableOf: Palette | undefined;

  const develop = (
    { look: { potential, counts }, rest }: NonNullable<typeof taken>,
    { low, high }: Range,
    decay: number,
  ) => {
    const scale = (SHADES - 1) / (high - low);
    const least = low + rest;
    // Spikes of before the picture leave no light.
    const before = seen ?? counts;
    for (let i = 0; i < units; i++) {
      const glow = counts[i] === before[i] ? (light[i] as number) * decay : 1;
      light[i] = glow;
      const shade = Math.min(Math.max(((potential[i] as number) - least) * scale, 0), SHADES - 1);
      pixels[i] = table[((glow * (GLOWS - 1) + 0.5) | 0) * SHADES + (shade | 0)] as number;
    }
    seen = counts;
    own.putImageData(image, 0, 0);
  };

  return {
    canvas,
    take(look, rest) {
      taken = { look, rest };
    },
    paint({ left, top, perPixel }, palette, range, decay) {
      if (palette !== tableOf) table = tableFor(palette);
      if (taken && (decay !== undefined || palette !== tableOf)) develop(taken, range, decay ?? 1);
      tableOf = palette;
      const { width, height } = canvas;
      context.fillStyle = `rgb(${palette.ground.map((part) => Math.round(part * 255)).join(' ')})`;
      context.fillRect(0, 0, width, height);
      context.imageSmoothingEnabled = perPixel > 1;
      context.drawImage(sheet, -left / perPixel, -top / perPixel, columns / perPixel, rows / perPixel);
    },
    destroy() {},
  };
}

// A pixel in memory is red, green, blue, alpha, on machines that browsers run on.
function tableFor({ rest, middle, near, spike }: Palette): Uint32Array<ArrayBuffer> {
  const mix = (a: Colour, b: Colour, part: number) => a.map((from, i) => from + ((b[i] as number) - from) * part);
  return Uint32Array.from({ length: SHADES * GLOWS }, (_, i) => {
    const u = (2 * (i % SHADES)) / (SHADES - 1);
    const calm = (u < 1 ? mix(rest, middle, u) : mix(middle, near, u - 1)) as unknown as Colour;
    const [r = 0, g = 0, b = 0] = mix(calm, spike, Math.floor(i / SHADES) / (GLOWS - 1)).map((part) =>
      Math.round(part * 255),
    );
    return ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0;
  });
}
