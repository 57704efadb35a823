// Screenshots made smaller: the same picture where it has few colours, nearly the same where it has many.

import { deflateSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { decode, smallerPng } from '../../build/png.ts';

const [WIDTH, HEIGHT] = [64, 50];

/** A PNG as browsers write it: each row in another of the five ways. Checksums are nobody's affair here. */
function png(pixels: Uint8Array): Uint8Array {
  const at = (y: number, x: number) => (x < 0 || y < 0 ? 0 : (pixels[y * WIDTH * 3 + x] as number));
  const paeth = (left: number, up: number, corner: number) => {
    const far = (value: number) => Math.abs(left + up - corner - value);
    if (far(left) <= far(up) && far(left) <= far(corner)) return left;
    return far(up) <= far(corner) ? up : corner;
  };
  const rows = Array.from({ length: HEIGHT }, (_, y) => [
    y % 5,
    ...Array.from({ length: WIDTH * 3 }, (_, x) => {
      const [left, up, corner] = [at(y, x - 3), at(y - 1, x), at(y - 1, x - 3)];
      const guess = [0, left, up, (left + up) >> 1, paeth(left, up, corner)][y % 5] as number;
      return (at(y, x) - guess) & 255;
    }),
  ]);
  const header = Buffer.alloc(13);
  header.writeUInt32BE(WIDTH, 0);
  header.writeUInt32BE(HEIGHT, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const chunk = (type: string, data: Buffer) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(data.length);
    return Buffer.concat([length, Buffer.from(type), data, Buffer.alloc(4)]);
  };
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  const parts = [
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(Buffer.from(rows.flat()))),
    chunk('IEND', Buffer.alloc(0)),
  ];
  return Buffer.concat([signature, ...parts]);
}

/** The colours of a PNG with a palette, as {@link smallerPng} writes it. */
async function pixelsOf(small: Buffer): Promise<number[]> {
  const { inflateSync } = await import('node:zlib');
  const find = (type: string) => {
    const at = small.indexOf(type);
    return small.subarray(at + 4, at + 4 + small.readUInt32BE(at - 4));
  };
  const [palette, rows] = [find('PLTE'), inflateSync(find('IDAT'))];
  return Array.from({ length: HEIGHT }, (_, y) => Array.from(rows.subarray(y * (WIDTH + 1) + 1, (y + 1) * (WIDTH + 1))))
    .flat()
    .flatMap((index) => Array.from(palette.subarray(3 * index, 3 * index + 3)));
}

const picture = (colour: (x: number, y: number) => readonly number[]) =>
  Uint8Array.from(Array.from({ length: WIDTH * HEIGHT }, (_, i) => colour(i % WIDTH, Math.floor(i / WIDTH))).flat());

describe('a screenshot', () => {
  const few = picture((x, y) => [x & 0xf0, (y * 5) & 0xc0, 255 - (x & 0xc0)]);
  // Noise, as a sheet of neurons has it.
  let seed = 1;
  const noise = () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) | 0;
    return seed >>> 27;
  };
  const many = picture((x, y) => [4 * (x >> 1) + noise(), 4 * (y >> 1) + noise(), noise()]);

  test('is read in whichever way its rows are written', () => {
    for (const pixels of [few, many]) expect(decode(png(pixels))).toEqual({ width: WIDTH, height: HEIGHT, pixels });
  });

  test('of few colours stays what it is', async () => {
    expect(await pixelsOf(smallerPng(png(few)))).toEqual(Array.from(few));
  });

  test('of many colours becomes smaller, each colour one that is near', async () => {
    const small = smallerPng(png(many));
    expect(small.length).toBeLessThan(png(many).length);
    const off = (await pixelsOf(small)).map((value, i) => Math.abs(value - (many[i] as number)));
    expect(off.reduce((sum, distance) => sum + distance, 0) / off.length).toBeLessThan(8);
  });

  test('is refused where it is none, or one that browsers do not write', () => {
    expect(() => decode(Buffer.from('a letter'))).toThrow(/no PNG/);
    expect(() => decode(smallerPng(png(few)))).toThrow(/another kind/);
  });
});
