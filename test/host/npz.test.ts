// NumPy's files: what is written comes back, headers are NumPy's own, and bytes that lie are refused before memory is
// given to them.

import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { unzipSync, zipSync } from 'fflate';
import { describe, expect, test } from 'vitest';
import { FileError, InputError } from '../../src/errors.ts';
import {
  type NpyArray,
  type NpyData,
  npzBlob,
  npzNames,
  readNpzArray,
  readNpzText,
  writeNpz,
} from '../../src/files/index.ts';
import { refusal as refusalOf } from '../support/refusal.ts';

const TYPES = {
  '<f4': Float32Array,
  '<f8': Float64Array,
  '|i1': Int8Array,
  '|u1': Uint8Array,
  '<i2': Int16Array,
  '<u2': Uint16Array,
  '<i4': Int32Array,
  '<u4': Uint32Array,
  '<i8': BigInt64Array,
  '<u8': BigUint64Array,
};

const reference = new Uint8Array(
  readFileSync(new URL('../data/reference/AdaptiveExponentialSoma-defaults.npz', import.meta.url)),
);

const bytesOf = (data: NpyData) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice();

/** .npy bytes of any header before any data. `length` overrides what the header says of its own length. */
function npy(header: string, data: ArrayLike<number> = [], version = 1, length = header.length): Uint8Array {
  const sizes = version === 1 ? [length & 255, length >> 8] : [length & 255, (length >> 8) & 255, length >> 16, 0];
  const text = Array.from(header, (c) => c.charCodeAt(0));
  return Uint8Array.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, version, 0, ...sizes, ...text, ...Array.from(data)]);
}

const header = (descr: string, shape: string, fortran = 'False') =>
  `{'descr': ${descr}, 'fortran_order': ${fortran}, 'shape': ${shape}, }\n`;

const npz = (entry: Uint8Array, level: 0 | 6 = 6) => zipSync({ 'x.npy': entry }, { level });

const read = (header: string, data: ArrayLike<number> = [], version = 1) =>
  readNpzArray(npz(npy(header, data, version)), 'x');

/** The npz with one 16 or 32 bit field of its only directory record overwritten. */
function forged(file: Uint8Array, field: number, value: number): Uint8Array {
  const copy = file.slice();
  const view = new DataView(copy.buffer);
  const directory = view.getUint32(copy.length - 22 + 16, true);
  if (field === 10) view.setUint16(directory + field, value, true);
  else view.setUint32(directory + field, value, true);
  return copy;
}

const refusal = (attempt: () => unknown): string => refusalOf(attempt, FileError);

// Some damage is idle (a name in a local header, a spare bit of deflate): then the array must be the right one.
function expectRightOrRefused(file: Uint8Array, name: string, right: NpyData): void {
  let back: NpyArray;
  try {
    back = readNpzArray(file, name);
  } catch (error) {
    expect(error).toBeInstanceOf(FileError);
    return;
  }
  expect(back).toEqual({ shape: [right.length], data: right });
}

const anyArray: fc.Arbitrary<NpyArray> = fc
  .record({
    type: fc.constantFrom(...Object.values(TYPES)),
    shape: fc.array(fc.nat({ max: 5 }), { maxLength: 4 }),
  })
  .chain(({ type, shape }) => {
    const size = shape.reduce((product, n) => product * n, 1) * type.BYTES_PER_ELEMENT;
    return fc
      .uint8Array({ minLength: size, maxLength: size })
      .map((bytes) => ({ shape, data: new type(bytes.slice().buffer) }));
  });

describe('writing', () => {
  test('every array of every type and shape comes back bit by bit, under its name', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), anyArray, { maxKeys: 5 }), (arrays) => {
        const file = writeNpz(arrays);
        expect(npzNames(file)).toEqual(Object.keys(arrays));
        for (const [name, { shape, data }] of Object.entries(arrays)) {
          const back = readNpzArray(file, name);
          expect(back.shape).toEqual(shape);
          expect(back.data.constructor).toBe(data.constructor);
          expect(bytesOf(back.data)).toEqual(bytesOf(data));
        }
      }),
    );
  });

  test('every array of every type and shape comes back bit by bit from what the platform packs, too', async () => {
    await fc.assert(
      fc.asyncProperty(fc.dictionary(fc.string(), anyArray, { maxKeys: 3 }), async (arrays) => {
        const file = new Uint8Array(await (await npzBlob(arrays)).arrayBuffer());
        expect(npzNames(file)).toEqual(Object.keys(arrays));
        for (const [name, { shape, data }] of Object.entries(arrays)) {
          const back = readNpzArray(file, name);
          expect([back.shape, bytesOf(back.data)]).toEqual([shape, bytesOf(data)]);
        }
      }),
      { numRuns: 50 },
    );
    const even = new Float32Array(1e6);
    expect((await npzBlob({ even })).size).toBeLessThan(10_000);
    await expect(npzBlob({ x: {} as NpyArray })).rejects.toThrow(InputError);
  });

  test('a bare typed array has one axis, and only its own part of its buffer is written', () => {
    const part = new Float32Array([1, 2, 3, 4]).subarray(1, 3);
    expect(readNpzArray(writeNpz({ part }), 'part')).toEqual({ shape: [2], data: new Float32Array([2, 3]) });
  });

  test('a text becomes a scalar of bytes, which come back as text, and as uint8', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (given) => {
        const text = given.replaceAll('\0', '');
        expect(readNpzText(writeNpz({ text }), 'text')).toBe(text);
      }),
    );
    const file = writeNpz({ text: 'ab' });
    const entry = new TextDecoder('latin1').decode(unzipSync(file)['text.npy']);
    expect(entry.slice(10)).toMatch(/^\{'descr': '\|S2', 'fortran_order': False, 'shape': \(\), \} *\nab$/);
    expect(readNpzArray(file, 'text')).toEqual({ shape: [2], data: Uint8Array.of(97, 98) });
    expect(refusal(() => readNpzText(writeNpz({ x: new Float32Array(2) }), 'x'))).toContain('array "x" is no text');
  });

  test('a scalar has no axes', () => {
    const file = writeNpz({ dt: { shape: [], data: new Float64Array([0.1]) } });
    expect(readNpzArray(file, 'dt')).toEqual({ shape: [], data: new Float64Array([0.1]) });
    expect(new TextDecoder().decode(unzipSync(file)['dt.npy']?.subarray(10, 70))).toContain("'shape': (), }");
  });

  test("what NumPy wrote is written again as NumPy's own bytes", () => {
    const entries = unzipSync(reference);
    for (const name of npzNames(reference)) {
      const entry = unzipSync(writeNpz({ [name]: readNpzArray(reference, name) }))[`${name}.npy`];
      expect(entry).toEqual(entries[`${name}.npy`]);
    }
  });

  test.each(Object.entries(TYPES))('%s has its header padded to 64 bytes', (descr, type) => {
    const entry = unzipSync(writeNpz({ x: new type(3) }))['x.npy'] as Uint8Array;
    const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': (3,), }`;
    expect(entry.subarray(0, 128)).toEqual(npy(`${text.padEnd(117)}\n`));
    expect(entry.length).toBe(128 + 3 * type.BYTES_PER_ELEMENT);
  });

  test('a header that fills 64 bytes exactly gets no padding it does not need', () => {
    for (let axes = 1; axes < 40; axes++) {
      const file = writeNpz({ x: { shape: Array(axes).fill(1), data: new Int8Array(1) } });
      const entry = unzipSync(file)['x.npy'] as Uint8Array;
      const begin = entry.length - 1;
      const text = new TextDecoder('latin1').decode(entry.subarray(0, begin));
      expect(begin % 64).toBe(0);
      expect(text).toMatch(/\), \} {0,63}\n$/);
    }
  });

  test('equal arrays give equal bytes at any time', () => {
    const write = () => writeNpz({ a: new Float32Array([1, 2]), b: new Uint32Array([3]) });
    const first = write();
    expect(write()).toEqual(first);
    const view = new DataView(first.buffer, first.byteOffset);
    expect([view.getUint16(10, true), view.getUint16(12, true)]).toEqual([0, (1 << 5) | 1]);
  });

  test('a shape that does not fit is refused, one that fits is not', () => {
    const data = new Float32Array(6);
    expect(writeNpz({ x: { shape: [2, 3], data } })).toBeInstanceOf(Uint8Array);
    for (const shape of [[2, 2], [], [-2, -3], [1.5, 4], [Number.NaN]]) {
      expect(() => writeNpz({ x: { shape, data } })).toThrow(InputError);
    }
    expect(() => writeNpz({ x: { shape: [4], data } })).toThrow('x.shape: does not fit the values, got [4]');
  });

  test('what is no typed array is refused by name', () => {
    expect(() => writeNpz({ x: [1, 2] as never })).toThrow(/^x: not an array that .npy files hold.*Float32Array/);
    expect(() => writeNpz({ x: new DataView(new ArrayBuffer(4)) as never })).toThrow(InputError);
  });

  test('more than one file can count is refused before it is copied', () => {
    const large = new Uint8Array(2 ** 24);
    const named = Array.from({ length: 128 }, (_, i) => [`a${i}`, large]);
    expect(() => writeNpz(Object.fromEntries(named))).toThrow('too many bytes');
    const many = Object.fromEntries(Array.from({ length: 65536 }, (_, i) => [`a${i}`, new Int8Array(0)]));
    expect(() => writeNpz(many)).toThrow('too many arrays');
  });
});

describe('reading', () => {
  test("NumPy's own file is read: names, shapes, types, values", () => {
    expect(npzNames(reference)).toEqual(['current', 'spikes', 'potential', 'adaptation']);
    const spikes = readNpzArray(reference, 'spikes');
    const potential = readNpzArray(reference, 'potential');
    expect([spikes.shape, potential.shape]).toEqual([
      [400, 32],
      [400, 32],
    ]);
    expect(spikes.data).toBeInstanceOf(Uint8Array);
    expect(new Set(spikes.data as Uint8Array)).toEqual(new Set([0, 1]));
    expect(potential.data).toBeInstanceOf(Float32Array);
    expect((potential.data as Float32Array).every((v) => v > -200 && v < 200)).toBe(true);
  });

  test('stored and deflated entries, and files at any place in a buffer, are read alike', () => {
    const entry = npy(header("'<i2'", '(2,)'), [1, 0, 255, 255]);
    for (const level of [0, 6] as const) {
      const file = npz(entry, level);
      const inside = new Uint8Array(file.length + 5);
      inside.set(file, 5);
      expect(readNpzArray(inside.subarray(5), 'x')).toEqual({ shape: [2], data: new Int16Array([1, -1]) });
    }
  });

  test('reading leaves the file as it was', () => {
    const file = npz(npy(header("'>i2'", '(2,)'), [0, 1, 255, 255]), 0);
    const before = file.slice();
    const first = readNpzArray(file, 'x');
    expect(file).toEqual(before);
    expect(readNpzArray(file, 'x')).toEqual(first);
  });

  test('only the wanted entry is unpacked: a broken neighbour does no harm', () => {
    const file = zipSync({ 'bad.npy': [new Uint8Array(9), { level: 0 }], 'x.npy': npy(header("'|u1'", '()'), [7]) });
    expect(readNpzArray(file, 'x').data).toEqual(new Uint8Array([7]));
    expect(refusal(() => readNpzArray(file, 'bad'))).toContain('array "bad" is broken');
  });

  test.each([1, 2, 3])('version %i of the format is read, wherever its data begin', (version) => {
    for (const pad of ['', ' ', '  ', '   ']) {
      const back = read(pad + header("'<f4'", '(1,)'), [0, 0, 128, 63], version);
      expect(back).toEqual({ shape: [1], data: new Float32Array([1]) });
    }
  });

  test('a version nobody knows is refused', () => {
    expect(refusal(() => read(header("'<f4'", '(0,)'), [], 4))).toContain(
      'format version 4; save it as version 1, 2 or 3',
    );
  });

  test('booleans are zeros and ones', () => {
    expect(read(header("'|b1'", '(3,)'), [1, 0, 1])).toEqual({ shape: [3], data: new Uint8Array([1, 0, 1]) });
  });

  test('big-endian values are turned around', () => {
    expect(read(header("'>f4'", '(2,)'), [63, 128, 0, 0, 192, 0, 0, 0]).data).toEqual(new Float32Array([1, -2]));
    expect(read(header("'>u8'", '()'), [0, 0, 0, 0, 0, 0, 1, 2]).data).toEqual(new BigUint64Array([258n]));
    expect(read(header("'>i2'", '(1,)'), [255, 254]).data).toEqual(new Int16Array([-2]));
  });

  test('bytes strings have one more axis, of their bytes', () => {
    const text = (order: string) => header("'|S2'", '(1, 2)', order);
    expect(read(text('False'), [97, 98, 99, 0])).toEqual({ shape: [1, 2, 2], data: Uint8Array.of(97, 98, 99, 0) });
    expect(refusal(() => read(text('True'), [97, 98, 99, 0]))).toContain('save it in C order');
  });

  test('column-major values become row-major, in any number of axes', () => {
    expect(read(header("'|u1'", '(2, 3)', 'True'), [1, 4, 2, 5, 3, 6]).data).toEqual(
      new Uint8Array([1, 2, 3, 4, 5, 6]),
    );
    expect(read(header("'|u1'", '(3,)', 'True'), [1, 2, 3]).data).toEqual(new Uint8Array([1, 2, 3]));
    const sizes = fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(sizes, (shape) => {
        const count = shape.reduce((product, n) => product * n, 1);
        const columnMajor = new Uint8Array(count);
        for (let flat = 0; flat < count; flat++) {
          let [rest, place] = [flat, 0];
          for (let axis = shape.length - 1; axis >= 0; axis--) {
            const size = shape[axis] as number;
            place += (rest % size) * shape.slice(0, axis).reduce((product, n) => product * n, 1);
            rest = Math.floor(rest / size);
          }
          columnMajor[place] = flat;
        }
        const back = read(header("'|u1'", `(${shape.join(', ')},)`, 'True'), columnMajor);
        expect(back).toEqual({ shape, data: Uint8Array.from({ length: count }, (_, i) => i) });
      }),
    );
  });

  test("other writers' headers are read: other order, double quotes, no spaces, Python 2's long integers", () => {
    const text = '{"shape":(1L,2L),"fortran_order":False,"descr":"<u2"}';
    expect(read(text, [1, 0, 2, 0])).toEqual({ shape: [1, 2], data: new Uint16Array([1, 2]) });
  });
});

describe('refusing', () => {
  const ones = writeNpz({ current: new Float32Array(1000).fill(1), spikes: new Uint8Array(4) });

  test('what is no zip', () => {
    for (const bytes of [new Uint8Array(0), new TextEncoder().encode('t,v\n0,1\n'), npy(header("'|u1'", '()'), [7])]) {
      expect(refusal(() => npzNames(bytes))).toMatch(/^not an .npz file: .*make one with numpy.savez$/);
      expect(refusal(() => readNpzArray(bytes, 'x'))).toMatch(/^not an .npz file/);
    }
    expect(npzNames(ones)).toEqual(['current', 'spikes']);
  });

  test('a zip cut short anywhere', () => {
    for (let length = 2; length < ones.length; length++) {
      expect(refusal(() => readNpzArray(ones.subarray(0, length), 'current'))).toContain('the .npz file is damaged');
    }
    expect(readNpzArray(ones, 'current').shape).toEqual([1000]);
  });

  test('an array that is not there, naming those that are', () => {
    expect(refusal(() => readNpzArray(ones, 'curent'))).toBe(
      'no array "curent" in the .npz file; did you mean "current"? it has current, spikes',
    );
    expect(refusal(() => readNpzArray(writeNpz({}), 'x'))).toContain('it has no arrays at all');
    expect(refusal(() => readNpzArray(zipSync({ x: new Uint8Array(3) }), 'x'))).toContain('it has no arrays at all');
  });

  test('two arrays of one name', () => {
    const file = writeNpz({ a: new Uint8Array([1]), b: new Uint8Array([2]) });
    const twice = file.map((byte, at) => (byte === 98 && file[at + 1] === 46 ? 97 : byte));
    expect(npzNames(twice)).toEqual(['a', 'a']);
    expect(refusal(() => readNpzArray(twice, 'a'))).toContain('it has 2 arrays "a"');
  });

  test('any flipped bit of the data that matters, though fflate lets it pass', () => {
    const entry = npy(header("'<f8'", '(4,)'), new Uint8Array(new Float64Array([1, 2, 3, 4]).buffer));
    for (const level of [0, 6] as const) {
      const file = npz(entry, level);
      const [begin, end] = [30 + 'x.npy'.length, new DataView(file.buffer).getUint32(18, true)];
      for (let bit = begin * 8; bit < (begin + end) * 8; bit++) {
        const flipped = file.slice();
        flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7));
        expectRightOrRefused(flipped, 'x', new Float64Array([1, 2, 3, 4]));
      }
    }
  });

  test('sizes that a zip entry cannot have', () => {
    const entry = npy(header("'|u1'", '(64,)'), new Uint8Array(64));
    for (const level of [0, 6] as const) {
      const file = npz(entry, level);
      expect(readNpzArray(forged(file, 24, entry.length), 'x').shape).toEqual([64]);
      expect(refusal(() => readNpzArray(forged(file, 24, 0xfffffff0), 'x'))).toContain('which is impossible');
      expect(refusal(() => readNpzArray(forged(file, 24, entry.length - 1), 'x'))).toContain('damaged');
      expect(refusal(() => readNpzArray(forged(file, 20, 0xfffffff0), 'x'))).toContain('more than the whole file has');
      expect(refusal(() => readNpzArray(forged(file, 42, 0xfffffff0), 'x'))).toContain('damaged');
    }
  });

  test('what deflate can shrink most is still read', () => {
    const file = writeNpz({ zeros: new Uint8Array(10_000_000) });
    expect(file.length).toBeLessThan(10_000_000 / 200);
    expect(readNpzArray(file, 'zeros').data.length).toBe(10_000_000);
    const best = zipSync({ 'x.npy': npy(header("'|u1'", '(1000000,)'), new Uint8Array(1_000_000)) }, { level: 9 });
    expect(readNpzArray(best, 'x').shape).toEqual([1_000_000]);
  });

  test('a packing method that is not read', () => {
    const file = npz(npy(header("'|u1'", '()'), [7]));
    expect(refusal(() => readNpzArray(forged(file, 10, 12), 'x'))).toContain(
      'packed by method 12; save it with numpy.savez',
    );
  });

  test('a zip64 directory that claims billions of entries, at once', () => {
    const plain = npz(npy(header("'|u1'", '()'), [7]));
    const file = new Uint8Array(plain.length + 76);
    const view = new DataView(file.buffer);
    const end = plain.length - 22;
    const fill = (entries: number) => {
      file.set(plain.subarray(0, end));
      view.setUint32(end, 0x06064b50, true);
      view.setUint32(end + 32, entries, true);
      view.setUint32(end + 48, new DataView(plain.buffer).getUint32(end + 16, true), true);
      view.setUint32(end + 56, 0x07064b50, true);
      view.setUint32(end + 64, end, true);
      file.set(plain.subarray(end), end + 76);
      return file;
    };
    expect(readNpzArray(fill(1), 'x').data).toEqual(new Uint8Array([7]));
    expect(refusal(() => npzNames(fill(0xffffffff)))).toContain('more entries than it has room for');
  });

  const sound = header("'<f4'", '(2,)');
  const eight = new Uint8Array(8);

  test.each([
    ['no magic', new Uint8Array(100), 'does not begin as .npy data do'],
    ['nothing at all', new Uint8Array(0), 'does not begin as .npy data do'],
    ['an end after the version', npy(sound).subarray(0, 8), 'ends within its header'],
    ['an end within the header', npy(sound).subarray(0, 40), 'ends within its header'],
    ['a header longer than the entry', npy(sound, eight, 1, 60000), 'ends within its header'],
    ['a forged header length of version 2', npy(sound, eight, 2, 0x7fffff), 'ends within its header'],
    ['a needlessly long header', npy(sound + ' '.repeat(10_000), eight), 'header has 100'],
    ['a header that is no dictionary', npy(sound.replace('{', '['), eight), 'is no Python dictionary'],
    ['no type', npy(sound.replace('descr', 'dtype'), eight), 'says nothing of "descr"'],
    ['no order', npy(sound.replace('fortran', 'fort'), eight), 'says nothing of "fortran_order"'],
    ['no truth in the order', npy(sound.replace('False', '0'), eight), 'says nothing of "fortran_order"'],
    ['no shape', npy(sound.replace('shape', 'sharp'), eight), 'no sound "shape"'],
    ['a negative size', npy(header("'<f4'", '(-2,)'), eight), 'no sound "shape"'],
    ['a size that is no number', npy(header("'<f4'", '(2,,)'), eight), 'no sound "shape"'],
    ['a size beyond counting', npy(header("'<f4'", `(${'9'.repeat(400)}, 0)`)), 'no sound "shape"'],
    ['more axes than NumPy has', npy(header("'|u1'", `(${'1, '.repeat(65)})`), [7]), 'no sound "shape"'],
    ['a product that overflows', npy(header("'<f4'", '(4294967296, 4294967296)'), eight), 'overflows'],
    ['a product of infinity and zero', npy(header("'<f4'", `(${'9007199254740991, '.repeat(20)}0)`)), 'overflows'],
    ['a forged huge shape', npy(header("'<f8'", '(100000000000,)'), eight), 'promises 800000000000 bytes'],
    ['data shorter than promised', npy(sound, eight.subarray(1)), 'promises 8 bytes for the shape (2), but 7 bytes'],
    ['data longer than promised', npy(sound, new Uint8Array(9)), 'promises 8 bytes for the shape (2), but 9 bytes'],
    ['half precision', npy(header("'<f2'", '(4,)'), eight), 'type "<f2"; convert it with .astype("float32")'],
    ['complex numbers', npy(header("'<c8'", '(1,)'), eight), 'type "<c8"; convert it with .astype to float32'],
    ['text', npy(header("'<U2'", '(1,)'), eight), 'type "<U2"'],
    ['dates', npy(header("'<M8[ns]'", '(1,)'), eight), 'type "<M8[ns]"'],
    ['Python objects', npy(header("'|O'", '(1,)'), eight), 'holds pickled Python objects; save it as float32'],
    ['structures', npy(header("[('a', '<f4'), ('b', '<f4')]", '(1,)'), eight), 'it is structured; save each field'],
  ])('an array with %s', (_, entry, message) => {
    expect(refusal(() => readNpzArray(npz(entry), 'x'))).toContain(message);
    expect(readNpzArray(npz(npy(sound, eight)), 'x')).toEqual({ shape: [2], data: new Float32Array(2) });
  });

  test('noise in place of any bytes gives the right array or a FileError, nothing else', () => {
    const place = fc.record({ at: fc.nat({ max: ones.length - 1 }), byte: fc.nat({ max: 255 }) });
    fc.assert(
      fc.property(fc.array(place, { minLength: 1, maxLength: 8 }), (places) => {
        const noisy = ones.slice();
        for (const { at, byte } of places) noisy[at] = byte;
        expectRightOrRefused(noisy, 'current', new Float32Array(1000).fill(1));
      }),
      { numRuns: 500 },
    );
  });
});
