// A PNG made smaller: the same picture in the 256 colours that suit it best. It reads what browsers write, 8 bits a channel,
// not interlaced, and knows nothing else of PNG.

import { crc32, deflateSync, inflateSync } from 'node:zlib';

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const COLOURS = 256;

interface Picture {
  width: number;
  height: number;
  /** Three bytes a pixel. */
  pixels: Uint8Array;
}

/** The picture with at most 256 colours; without transparency. */
export function smallerPng(png: Uint8Array): Buffer {
  const { width, height, pixels } = decode(png);
  const { palette, indices } = quantize(pixels);
  const rows = Buffer.alloc((width + 1) * height);
  for (let y = 0; y < height; y++) rows.set(indices.subarray(y * width, (y + 1) * width), y * (width + 1) + 1);
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 3, 0, 0, 0], 8);
  return Buffer.concat([
    SIGNATURE,
    chunk('IHDR', header),
    chunk('PLTE', Buffer.from(palette)),
    chunk('IDAT', deflateSync(rows, { level: 9, memLevel: 9 })),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
}

/** @throws Error where it is no PNG of the kind that browsers write */
export function decode(png: Uint8Array): Picture {
  const bytes = Buffer.from(png.buffer, png.byteOffset, png.byteLength);
  const parts: Buffer[] = [];
  let header = Buffer.alloc(13);
  if (!bytes.subarray(0, 8).equals(SIGNATURE)) throw new Error('no PNG');
  for (let at = 8; at < bytes.length; ) {
    const length = bytes.readUInt32BE(at);
    const type = bytes.toString('latin1', at + 4, at + 8);
    const data = bytes.subarray(at + 8, at + 8 + length);
    if (type === 'IHDR') header = Buffer.from(data);
    if (type === 'IDAT') parts.push(data);
    at += 12 + length;
  }
  const [depth, kind, , , interlaced] = header.subarray(8);
  if (depth !== 8 || (kind !== 2 && kind !== 6) || interlaced !== 0) throw new Error('a PNG of another kind');
  const [width, height, channels] = [header.readUInt32BE(0), header.readUInt32BE(4), kind === 2 ? 3 : 4];
  const raw = unfilter(inflateSync(Buffer.concat(parts)), width * channels, height, channels);
  const pixels = new Uint8Array(width * height * 3);
  for (let i = 0; i < width * height; i++) pixels.set(raw.subarray(i * channels, i * channels + 3), i * 3);
  return { width, height, pixels };
}

// Each row was written as differences from its neighbours, in one of five ways.
function unfilter(rows: Uint8Array, width: number, height: number, channels: number): Uint8Array {
  const out = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    const filter = rows[y * (width + 1)];
    for (let x = 0; x < width; x++) {
      const at = y * width + x;
      const left = x >= channels ? (out[at - channels] as number) : 0;
      const up = y > 0 ? (out[at - width] as number) : 0;
      const corner = x >= channels && y > 0 ? (out[at - width - channels] as number) : 0;
      const guess = [0, left, up, (left + up) >> 1, paeth(left, up, corner)][filter ?? 0] ?? 0;
      out[at] = (rows[y * (width + 1) + 1 + x] as number) + guess;
    }
  }
  return out;
}

function paeth(left: number, up: number, corner: number): number {
  const [a, b, c] = [up - corner, left - corner, left + up - 2 * corner].map(Math.abs) as [number, number, number];
  return a <= b && a <= c ? left : b <= c ? up : corner;
}

/** A colour and how many pixels have it. */
interface Colour {
  rgb: readonly [number, number, number];
  pixels: number;
}

// Median cut: the box of colours that is spread widest, weighted by its pixels, is cut in two until there are enough.
function quantize(pixels: Uint8Array): { palette: number[]; indices: Uint8Array } {
  const keyAt = (i: number) =>
    ((pixels[i] as number) << 16) | ((pixels[i + 1] as number) << 8) | (pixels[i + 2] as number);
  const counts = new Map<number, number>();
  for (let i = 0; i < pixels.length; i += 3) counts.set(keyAt(i), (counts.get(keyAt(i)) ?? 0) + 1);
  const colours = Array.from(
    counts,
    ([key, count]): Colour => ({ rgb: [key >> 16, (key >> 8) & 255, key & 255], pixels: count }),
  );
  const boxes = [boxOf(colours)];
  while (boxes.length < COLOURS) {
    const widest = boxes.reduce((best, box) => (box.spread > best.spread ? box : best));
    if (widest.spread === 0) break;
    boxes.splice(boxes.indexOf(widest), 1, ...cut(widest));
  }
  const places = new Map<number, number>();
  const palette = boxes.flatMap(({ colours }, place) => {
    for (const { rgb } of colours) places.set((rgb[0] << 16) | (rgb[1] << 8) | rgb[2], place);
    return [0, 1, 2].map((channel) => Math.round(mean(colours, channel as 0 | 1 | 2)));
  });
  return {
    palette,
    indices: Uint8Array.from({ length: pixels.length / 3 }, (_, i) => places.get(keyAt(3 * i)) as number),
  };
}

interface Box {
  colours: Colour[];
  /** The channel in which it is spread widest, and how much: summed squares. */
  channel: 0 | 1 | 2;
  spread: number;
}

const total = (colours: readonly Colour[]) => colours.reduce((sum, { pixels }) => sum + pixels, 0);
const mean = (colours: readonly Colour[], channel: 0 | 1 | 2) =>
  colours.reduce((sum, { rgb, pixels }) => sum + rgb[channel] * pixels, 0) / total(colours);

function boxOf(colours: Colour[]): Box {
  const spreads = ([0, 1, 2] as const).map((channel) => {
    const middle = mean(colours, channel);
    // The root of the pixels: a few of the page's own colours must not drown in a noisy picture.
    return colours.reduce((sum, { rgb, pixels }) => sum + Math.sqrt(pixels) * (rgb[channel] - middle) ** 2, 0);
  });
  const spread = colours.length < 2 ? 0 : Math.max(...spreads);
  return { colours, channel: Math.max(spreads.indexOf(spread), 0) as 0 | 1 | 2, spread };
}

function cut({ colours, channel }: Box): [Box, Box] {
  const sorted = colours.toSorted((a, b) => a.rgb[channel] - b.rgb[channel]);
  const middle = mean(sorted, channel);
  const place = sorted.findIndex(({ rgb }) => rgb[channel] > middle);
  const at = Math.min(Math.max(place, 1), sorted.length - 1);
  return [boxOf(sorted.slice(0, at)), boxOf(sorted.slice(at))];
}
