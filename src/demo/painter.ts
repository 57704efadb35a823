// What every painter of the sheet is given and has to do. How it paints is its own: painter-gpu.ts, painter-canvas.ts.

/** Red, green and blue, from 0 to 1. */
export type Colour = readonly [number, number, number];

/** The colours of the sheet, from the page's style. */
export interface Palette {
  /** Around the sheet. */
  ground: Colour;
  /** From the lowest potential that is told apart to the highest. */
  rest: Colour;
  middle: Colour;
  near: Colour;
  spike: Colour;
}

/** Which part of the sheet is seen, in neurons and pixels of the device. */
export interface Camera {
  left: number;
  top: number;
  perPixel: number;
}

/** Potentials that have the first and the last colour, mV above rest. */
export interface Range {
  low: number;
  high: number;
}

export interface Painter {
  readonly canvas: HTMLCanvasElement;
  /** Paints the present state. `decay`: what is left of the glow of before; nothing where no step was made since. */
  paint(camera: Camera, palette: Palette, range: Range, decay: number | undefined): void;
  destroy(): void;
}

/** How many samples a pixel has in each direction: enough not to flicker. */
export const tapsOf = (perPixel: number): number => Math.min(Math.max(Math.ceil(perPixel), 1), 4);

/** The dark line around each neuron, as a part of it: only where they are large. */
export const gapOf = (perPixel: number): number => (perPixel < 1 / 8 ? 0.05 : 0);
