// Files by chance damaged, and forged: what is read is right or refused with a FileError, at once, and in no more memory
// than the file is large. `npm run fuzz` does it more often.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import fc from 'fast-check';
import { deflateSync, zipSync } from 'fflate';
import { describe, expect, test } from 'vitest';
import { ZipFile } from 'yazl';
import { parseJson } from '../../src/cli/json.ts';
import { openRows } from '../../src/disk/index.ts';
import { FileError, InputError } from '../../src/errors.ts';
import { type NpyArray, npzNames, readNpy, readNpzArray, readNpzText, writeNpz } from '../../src/files/index.ts';
import { pack, unpack } from '../../src/packed.ts';
import { scratch } from '../support/cli.ts';
import { damaged, damages, LIES } from '../support/damage.ts';
import { fuzzSeed, timeFor, times } from '../support/effort.ts';
import { refusal } from '../support/refusal.ts';
import { FORGERY } from '../support/tolerances.ts';

const seed = fuzzSeed();
const effort = times('FUZZ_RUNS', 2000) / 2000;
const runs = (usual: number) => Math.ceil(usual * effort);
const timeout = timeFor(1, effort);

/** Checks as often as it is worth; says how it can be repeated. */
async function often<T>(usual: number, given: fc.Arbitrary<T>, check: (given: T) => unknown): Promise<void> {
  const property = fc.asyncProperty(given, async (one) => {
    await check(one);
  });
  await fc.assert(property, { numRuns: runs(usual), seed, verbose: 0 });
}

/**
 * What an attempt gives, or the FileError it is refused with: in time, and in memory for a file of so many bytes.
 * Processor time, because other processes may keep this one waiting.
 */
async function attempted<T>(room: number, attempt: () => T | Promise<T>): Promise<T | FileError> {
  const [began, held] = [process.cpuUsage(), process.memoryUsage().arrayBuffers];
  try {
    return await attempt();
  } catch (error) {
    expect(error).toBeInstanceOf(FileError);
    expect((error as FileError).message).not.toMatch(/[\p{Cc}\u2028\u2029]/u);
    expect((error as FileError).message.length, 'a message that can be read').toBeLessThan(3000);
    return error as FileError;
  } finally {
    const { user, system } = process.cpuUsage(began);
    expect((user + system) / 1000, 'ms of the processor').toBeLessThan(FORGERY.ms);
    expect(process.memoryUsage().arrayBuffers - held, 'bytes of memory').toBeLessThan(room + FORGERY.bytes);
  }
}

const current = Float32Array.from({ length: 700 }, (_, i) => Math.fround(Math.sin(i)));
const arrays = { steps: Uint32Array.of(1, 2, 3), current: { shape: [35, 20], data: current }, text: 'a text' };

/** The .npy entries of an .npz. */
const entries = {
  'steps.npy': npyOf(Uint32Array.of(1, 2, 3), '<u4', '(3,)'),
  'current.npy': npyOf(current, '<f4', '(35, 20)'),
};

function npyOf(data: Uint32Array | Float32Array, descr: string, shape: string): Uint8Array {
  return npy(header(descr, shape), new Uint8Array(data.buffer));
}

function header(descr: string, shape: string, order = 'False'): string {
  return `{'descr': '${descr}', 'fortran_order': ${order}, 'shape': ${shape}, }`;
}

function npy(text: string, data: Uint8Array): Uint8Array {
  const padded = `${text.padEnd(Math.ceil((text.length + 11) / 64) * 64 - 11)}\n`;
  const head = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, padded.length & 255, padded.length >> 8];
  return Uint8Array.from([...head, ...Array.from(padded, (c) => c.charCodeAt(0) & 255), ...data]);
}

/** A zip as streams write it: sizes behind the data; zip64 where it is wanted. */
async function streamed(forceZip64Format: boolean): Promise<Uint8Array> {
  const zip = new ZipFile();
  for (const [name, bytes] of Object.entries(entries)) zip.addBuffer(Buffer.from(bytes), name, { forceZip64Format });
  zip.end({ forceZip64Format, comment: '' });
  return new Uint8Array(Buffer.concat(await (zip.outputStream as Readable).toArray()));
}

const foreign = writeNpz({ current: { shape: [2], data: Float32Array.of(7, 8) }, other: new Uint8Array(99) });

const rightCurrent = { shape: [35, 20], data: current };
const foreignCurrent = { shape: [2], data: Float32Array.of(7, 8) };

/** Of a file into which another one got, the array may be that one's: it stands there, sound. */
function expectRight(found: NpyArray): void {
  expect([rightCurrent, foreignCurrent]).toContainEqual({ shape: [...found.shape], data: found.data });
}

async function readByRows(file: string, name?: string): Promise<NpyArray> {
  const rows = await openRows(file, name);
  try {
    const data = await rows.read(0, rows.shape[0] ?? 1);
    // The last row, once more, from the beginning.
    if (rows.shape[0]) await rows.read(0, 1);
    return { shape: rows.shape, data };
  } finally {
    await rows.close();
  }
}

describe('an .npz file, by chance damaged,', async () => {
  const files = [
    ['of our own', writeNpz(arrays)],
    ['stored', zipSync(entries, { level: 0 })],
    ['packed best', zipSync(entries, { level: 9 })],
    ['written as a stream', await streamed(false)],
    ['in zip64', await streamed(true)],
  ] as const;

  test.each(files)('%s: every array is right or refused', { timeout }, async (_, file) => {
    expectRight(readNpzArray(file, 'current'));
    await often(300, damages, async (done) => {
      const bytes = damaged(file, done, foreign);
      const found = await attempted(bytes.length, () => readNpzArray(bytes, 'current'));
      if (!(found instanceof FileError)) expectRight(found);
      const names = await attempted(bytes.length, () => npzNames(bytes));
      if (!(names instanceof FileError)) expect(names.length).toBeLessThan(bytes.length / 46);
      await attempted(bytes.length, () => readNpzText(bytes, 'text'));
    });
  });

  test.each(files)('%s: so is every array that is read by rows', { timeout }, async (_, file) => {
    const path = join(scratch(), 'x.npz');
    await often(100, damages, async (done) => {
      const bytes = damaged(file, done, foreign);
      writeFileSync(path, bytes);
      const found = await attempted(bytes.length, () => readByRows(path, 'current'));
      if (!(found instanceof FileError)) expectRight(found);
    });
  });
});

describe('an array whose header lies, though every checksum is right,', () => {
  const size = fc.oneof(
    fc.constantFrom('', '-1', '1.5', '3L', '0x10', '9'.repeat(400), ...LIES.map(String)),
    fc.nat({ max: 800 }).map(String),
  );
  const shape = fc.oneof(
    fc.constantFrom('(700,)', '(35, 20)', '(7, 0)', `(${'1, '.repeat(70)})`),
    fc.array(size, { maxLength: 5 }).map((sizes) => `(${sizes.join(', ')}${sizes.length === 1 ? ',' : ''})`),
  );
  const type = fc.constantFrom('<f4', '>f4', '<f8', '|u1', '>u8', '|b1', '|S0', '|S4', '|S4294967296', '<f2', '|O', '');
  const text = fc.tuple(type, shape, fc.constantFrom('False', 'True')).map((parts) => header(...parts));
  const forged = fc.tuple(text, damages, fc.boolean()).map(([text, done, twice]) => {
    const array = npy(text, new Uint8Array(current.buffer));
    return twice ? damaged(array, done, foreign) : array;
  });

  /** Nothing is made up: as many values as the shape says, in no more bytes than there are. */
  function expectThere({ shape, data }: NpyArray, room: number): void {
    expect(data.length).toBe(shape.reduce((product, axis) => product * axis, 1));
    expect(data.byteLength).toBeLessThanOrEqual(room);
  }

  test.each([0, 9] as const)(
    'in an .npz of level %i, and bare, has what is there or is refused',
    { timeout },
    async (level) => {
      await often(600, forged, async (array) => {
        const file = zipSync({ 'x.npy': array }, { level });
        for (const read of [() => readNpzArray(file, 'x'), () => readNpy(array.slice(), 'x')]) {
          const found = await attempted(array.length, read);
          if (!(found instanceof FileError)) expectThere(found, array.length);
        }
      });
    },
  );

  test('has what is there or is refused by rows, too', { timeout }, async () => {
    const folder = scratch();
    await often(150, forged, async (array) => {
      writeFileSync(join(folder, 'x.npz'), zipSync({ 'x.npy': array }));
      writeFileSync(join(folder, 'x.npy'), array);
      for (const [file, name] of [
        ['x.npz', 'x'],
        ['x.npy', undefined],
      ] as const) {
        const found = await attempted(2 * array.length, () => readByRows(join(folder, file), name));
        // As float32: of single bytes four times as many.
        if (!(found instanceof FileError)) expect(found.data.length).toBeLessThanOrEqual(array.length);
      }
    });
  });
});

/** A zip of one deflated entry that claims to be so large, whatever it unpacks to. */
function bomb(packed: Uint8Array, claimed: number): Uint8Array {
  const file = zipSync({ 'x.npy': [packed, { level: 0 }] });
  const view = new DataView(file.buffer);
  const directory = view.getUint32(file.length - 22 + 16, true);
  for (const [record, method] of [
    [0, 8],
    [directory, 10],
  ] as const) {
    view.setUint16(record + method, 8, true);
    view.setUint32(record + method + 14, claimed, true);
  }
  return file;
}

describe('a zip bomb', () => {
  const zeros = npy(header('|u1', '(20000000,)'), new Uint8Array(20_000_000));
  const packed = deflateSync(zeros, { level: 9 });

  test('is refused in the memory that it claims, and in less than it unpacks to', async () => {
    const file = join(scratch(), 'x.npz');
    for (const claimed of [0, 64, 100_000]) {
      const bytes = bomb(packed, claimed);
      expect(await attempted(bytes.length, () => readNpzArray(bytes, 'x'))).toBeInstanceOf(FileError);
      writeFileSync(file, bytes);
      expect(await attempted(bytes.length, () => readByRows(file, 'x'))).toBeInstanceOf(FileError);
    }
  });

  test('that claims more than deflate can make of it is refused before it is unpacked', async () => {
    const bytes = bomb(packed, 2 ** 32 - 2);
    expect(await attempted(bytes.length, () => readNpzArray(bytes, 'x'))).toBeInstanceOf(FileError);
  });

  test('that tells its size, with the right checksum, is an array like others', async () => {
    const file = zipSync({ 'x.npy': zeros }, { level: 9 });
    expect(await attempted(zeros.length, () => readNpzArray(file, 'x'))).toMatchObject({ shape: [20_000_000] });
  });

  test('within an .npz of many is not unpacked where another array is wanted', async () => {
    const file = zipSync({ 'x.npy': zeros, 'steps.npy': entries['steps.npy'] }, { level: 9 });
    expect(await attempted(file.length, () => readNpzArray(file, 'steps'))).toMatchObject({ shape: [3] });
  });
});

test('a directory full of records within records is read at once', async () => {
  // Each name holds the beginnings of hundreds more, all of which claim names as long as can be.
  const record = Uint8Array.of(0x50, 0x4b, 1, 2, ...Array(24).fill(0), 127, 255, ...Array(16).fill(0));
  const name = String.fromCharCode(...Array.from({ length: 1300 }, () => [...record]).flat());
  const many = Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`${i}${name}`, new Uint8Array(0)]));
  const file = zipSync({ 'x.npy': entries['steps.npy'], ...many });
  expect(await attempted(file.length, () => readNpzArray(file, 'x'))).toMatchObject({ shape: [3] });
  expect(await attempted(file.length, () => readNpzArray(file, 'y'))).toBeInstanceOf(FileError);
});

describe('a saved simulation, by chance damaged,', () => {
  const tree = { dt: 0.1, populations: [{ name: 'a', states: { potential: Float32Array.of(-70, -69.5) } }] };
  const saved = new Uint8Array(pack(tree));
  const other = new Uint8Array(pack({ dt: 1 }));

  test('is refused, whatever it was', { timeout }, async () => {
    await often(2000, damages, async (done) => {
      const bytes = damaged(saved, done, other);
      const found = await attempted(bytes.length, () => unpack(bytes));
      if (found instanceof FileError) return;
      // Some damage changes nothing, and some leaves the other file.
      const same = [saved, other].some((whole) => Buffer.from(bytes).equals(whole));
      expect(same, 'damage that is not noticed').toBe(true);
    });
    expect(unpack(saved)).toEqual(tree);
  });
});

describe('an experiment, its text by chance damaged,', () => {
  const text = readFileSync(new URL('../../examples/regular-spiking.json', import.meta.url));

  test('is a value, or refused with the line and column', { timeout }, async () => {
    await often(1000, damages, async (done) => {
      const bytes = damaged(text, done, foreign);
      try {
        parseJson(new TextDecoder().decode(bytes));
      } catch (error) {
        expect(error).toBeInstanceOf(InputError);
        expect((error as InputError).path).toMatch(/^line \d+, column \d+$/);
      }
    });
  });

  test('of a million brackets is refused, as are as many objects in each other', () => {
    for (const begin of ['[', '{"a":']) {
      const deep = begin.repeat(1_000_000);
      expect(refusal(() => parseJson(deep))).toMatch(/^line 1, column \d+: /);
    }
    expect(parseJson('[[[1]]]')).toEqual([[[1]]]);
  });
});
