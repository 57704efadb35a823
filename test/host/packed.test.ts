// The format of a saved simulation: what is packed comes back, and bytes that lie are refused before memory is given
// to them.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FileError } from '../../src/errors.ts';
import { crc32 } from '../../src/files/crc32.ts';
import { FORMAT, pack, unpack } from '../../src/packed.ts';
import { refusal as refusalOf } from '../support/refusal.ts';

const refusal = (attempt: () => unknown): string => refusalOf(attempt, FileError);

const tree = {
  dt: 0.1,
  name: 'café',
  odd: [Number.NaN, -0, Infinity, -Infinity, 0.1, 2 ** -149],
  short: [1, 2, 3],
  long: Array.from({ length: 40 }, (_, i) => i - 0.5),
  nested: [{ values: Float32Array.of(1, Number.NaN, -0) }, { words: Uint32Array.of(1, 0xffffffff, 3) }],
  none: null,
};

/** The bytes with their checksum made right again. */
function checked(bytes: Uint8Array): Uint8Array {
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(12, crc32(bytes.subarray(16)), true);
  return bytes;
}

/** Bytes of the right form around any JSON and any parts. */
function forged(json: string, parts = new Uint8Array(0)): Uint8Array {
  const text = new TextEncoder().encode(json);
  const room = Math.ceil(text.length / 8) * 8;
  const bytes = new Uint8Array(32 + room + parts.length);
  bytes.set(new Uint8Array(pack(null)).subarray(0, 32));
  bytes.fill(0x20, 32, 32 + room);
  bytes.set(text, 32);
  bytes.set(parts, 32 + room);
  const head = new DataView(bytes.buffer);
  head.setFloat64(16, bytes.length, true);
  head.setUint32(24, room, true);
  return checked(bytes);
}

describe('a packed tree', () => {
  test('comes back equal: numbers that JSON lacks, lists long and short, typed arrays, text', () => {
    expect(unpack(pack(tree))).toStrictEqual(tree);
  });

  test('comes back equal whatever is in it', () => {
    const numbers = fc.oneof(fc.double(), fc.integer());
    const { tree: any } = fc.letrec((tie) => ({
      tree: fc.oneof(
        numbers,
        fc.string(),
        fc.boolean(),
        fc.constant(null),
        fc.float32Array(),
        fc.float64Array(),
        fc.uint8Array(),
        fc.int32Array(),
        fc.array(numbers, { maxLength: 80 }),
        fc.array(tie('tree'), { maxLength: 3 }),
        fc.dictionary(fc.stringMatching(/^[a-z_]{1,8}$/), tie('tree'), { noNullPrototype: true, maxKeys: 4 }),
      ),
    }));
    const property = fc.property(any, (given) => {
      expect(unpack(pack(given))).toStrictEqual(given);
    });
    fc.assert(property);
  });

  test('has typed arrays bit for bit, whole or as a part of their buffer', () => {
    const bits = Uint32Array.of(9, 0x7fc12345, 0x80000000, 1, 9);
    const part = new Float32Array(bits.buffer, 4, 3);
    const { data } = unpack(pack({ data: part })) as { data: Float32Array };
    expect(Array.from(new Uint32Array(data.buffer))).toEqual(Array.from(bits.subarray(1, 4)));
    expect(unpack(pack({ data: new Uint8ClampedArray([1, 300]) }))).toEqual({ data: Float64Array.of(1, 255) });
  });

  test('leaves out what is undefined, and functions', () => {
    expect(unpack(pack({ a: undefined, b: () => 1, c: 1 }))).toStrictEqual({ c: 1 });
  });

  test('is packed to the same bytes each time, in whole words of 8', () => {
    expect(new Uint8Array(pack(tree))).toEqual(new Uint8Array(pack(tree)));
    for (let length = 0; length < 9; length++) expect(pack(new Uint8Array(length)).byteLength % 8).toBe(0);
  });

  test('is read from any place in a buffer and shares no memory with it', () => {
    const bytes = new Uint8Array(pack(tree));
    for (const offset of [1, 3, 8]) {
      const room = new Uint8Array(bytes.length + 16);
      room.set(bytes, offset);
      const back = unpack(room.subarray(offset, offset + bytes.length));
      room.fill(0);
      expect(back).toStrictEqual(tree);
    }
  });
});

describe('bytes that are no packed tree', () => {
  const bytes = new Uint8Array(pack(tree));

  test('are refused as something else where they do not begin as one', () => {
    for (const other of ['{"dt":0.1}', 'PK\x03\x04', 'SOMASAFE and more', 'x'])
      expect(refusal(() => unpack(new TextEncoder().encode(other)))).toMatch(/^not a saved simulation: .* give what /);
    expect(refusal(() => unpack(new ArrayBuffer(0)))).toContain('not a saved simulation');
  });

  test('are refused as another format, both named, whatever else is in them', () => {
    const other = bytes.slice();
    new DataView(other.buffer).setUint32(8, FORMAT + 1, true);
    const said = `a simulation saved in format ${FORMAT + 1}, and this version reads format ${FORMAT}; restore it with`;
    expect(refusal(() => unpack(other))).toContain(said);
    expect(refusal(() => unpack(other.subarray(0, 100)))).toContain(said);
  });

  test('are refused as cut short at every length but the whole', () => {
    for (let length = 1; length < bytes.length; length++)
      expect(
        refusal(() => unpack(bytes.subarray(0, length))),
        `${length} bytes`,
      ).toContain('cut short');
    expect(refusal(() => unpack(bytes.subarray(0, 64)))).toContain(`64 bytes of ${bytes.length}`);
    expect(unpack(bytes)).toStrictEqual(tree);
  });

  test('are refused as damaged with anything behind them', () => {
    const longer = new Uint8Array(bytes.length + 8);
    longer.set(bytes);
    expect(refusal(() => unpack(longer))).toContain('damaged: its checksum');
    expect(refusal(() => unpack(checked(longer)))).toContain('damaged: its sizes do not fit together');
  });

  test('are refused whichever single bit is flipped', () => {
    for (let bit = 0; bit < 8 * bytes.length; bit++) {
      const flipped = bytes.slice();
      flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7));
      expect(
        refusal(() => unpack(flipped)),
        `bit ${bit}`,
      ).toMatch(/^(not a|a simulation saved in format|the saved simulation is (cut short|damaged))/);
    }
  });

  test('are refused, and no otherwise, whatever is written over them and with the checksum of what is', () => {
    const spots = fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 });
    const property = fc.property(spots, (written) => {
      const spoiled = bytes.slice();
      for (const [place, byte] of written) if (place >= 12) spoiled[place] = byte;
      try {
        unpack(checked(spoiled));
      } catch (error) {
        expect(error).toBeInstanceOf(FileError);
      }
    });
    fc.assert(property, { numRuns: 2000 });
  });

  test.each([
    ['no JSON', '{'],
    ['no object', '7'],
    ['no parts', '{"tree":1}'],
    ['parts that are none', '{"parts":{},"tree":1}'],
    ['a part of nothing', '{"parts":[null],"tree":1}'],
    ['a kind there is not', '{"parts":[["f16",1]],"tree":1}'],
    ['a kind that every object has', '{"parts":[["constructor",1]],"tree":1}'],
    ['a part that is not there', '{"parts":[],"tree":{"$part":0}}'],
    ['a part of no length', '{"parts":[["f32","8"]],"tree":1}'],
    ['a negative part', '{"parts":[["u8",8],["u8",-8]],"tree":1}'],
    ['a part of terabytes', '{"parts":[["f64",1000000000000]],"tree":{"$part":0}}'],
    ['parts that together go beyond the end', '{"parts":[["u8",8],["u8",1]],"tree":1}'],
    ['fewer parts than bytes', '{"parts":[],"tree":1}'],
  ])('are refused with %s, though the checksum is right', (_, json) => {
    expect(refusal(() => unpack(forged(json, new Uint8Array(8))))).toContain('the saved simulation is damaged');
  });

  test('are taken in the same form where all is right', () => {
    expect(unpack(forged('{"parts":[["u8",8]],"tree":{"$part":0}}', new Uint8Array(8)))).toEqual(new Uint8Array(8));
  });

  test('are refused where the JSON claims to be longer than all', () => {
    const wrong = bytes.slice();
    new DataView(wrong.buffer).setUint32(24, 0xfffffff8, true);
    expect(refusal(() => unpack(checked(wrong)))).toContain('its sizes do not fit together');
  });
});
