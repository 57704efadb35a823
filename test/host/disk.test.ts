// Files larger than memory: what is spooled and packed comes back, whatever the pieces, and damage is refused.

import { readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { zipSync } from 'fflate';
import { describe, expect, test } from 'vitest';
import { openRows, packNpz, type Rows, Spool } from '../../src/disk/index.ts';
import { FileError, InputError } from '../../src/errors.ts';
import { type NpyData, npzNames, readNpzArray, readNpzText, writeNpz } from '../../src/files/index.ts';
import { scratch } from '../support/cli.ts';
import { rejection } from '../support/refusal.ts';

const TYPES = [Float32Array, Float64Array, Int8Array, Uint32Array] as const;

const refusal = (attempt: Promise<unknown>, kind: Parameters<typeof rejection>[1] = FileError) =>
  rejection(attempt, kind);

const counting = (count: number) => Float32Array.from({ length: count }, (_, i) => i / 3);

/** What toEqual does, of large arrays and at once. */
const same = (one: NpyData, other: NpyData): boolean => bytesOf(one).equals(bytesOf(other));
const bytesOf = (data: NpyData) => Buffer.from(data.buffer, data.byteOffset, data.byteLength);

/** Bytes that deflate cannot shrink: multiplicative congruence. */
function noise(count: number): Uint32Array {
  let state = 1;
  return Uint32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state;
  });
}

async function spooled<T extends (typeof TYPES)[number]>(file: string, type: T, ...parts: InstanceType<T>[]) {
  const spool = await Spool.open(file, type);
  for (const part of parts) await spool.append(part);
  return spool;
}

describe('a spool', () => {
  test('packs to what was appended, however it was cut up, of any type', async () => {
    const folder = scratch();
    const part = fc.uint8Array({ maxLength: 300 }).map((bytes) => Array.from(bytes, (byte) => byte - 128));
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...TYPES), fc.array(part), async (type, parts) => {
        const spool = await Spool.open(join(folder, '.x'), type);
        for (const values of parts) await spool.append(type.from(values));
        expect(spool.position).toBe(parts.flat().length);
        await packNpz(join(folder, 'x.npz'), { x: spool });
        await spool.close();
        const back = readNpzArray(readFileSync(join(folder, 'x.npz')), 'x');
        expect(back).toEqual({ shape: [spool.position], data: type.from(parts.flat()) });
      }),
      { numRuns: 50 },
    );
  });

  test('takes values in pieces larger and smaller than its own', async () => {
    const folder = scratch();
    const values = noise(700_000);
    const cuts = [0, 1, 100_000, 100_000, 400_000, 699_999, 700_000];
    const parts = cuts.slice(1).map((end, i) => values.slice(cuts[i], end));
    const spool = await spooled(join(folder, '.x'), Uint32Array, ...parts);
    await packNpz(join(folder, 'x.npz'), { x: { shape: [7, 100_000], data: spool } });
    await spool.close();
    const back = readNpzArray(readFileSync(join(folder, 'x.npz')), 'x');
    expect(back.shape).toEqual([7, 100_000]);
    expect(same(back.data, values)).toBe(true);
  });

  test('goes on where it went back to, also after it was let go of', async () => {
    const file = join(scratch(), '.x');
    const spool = await spooled(file, Float32Array, counting(10));
    await spool.rewind(8);
    expect(spool.position).toBe(8);
    await spool.append(Float32Array.of(80));
    await spool.flush();
    await spool.close();
    const again = await Spool.open(file, Float32Array, 5);
    await again.append(Float32Array.of(50));
    const back = [];
    for await (const values of again.read(4)) back.push([...values]);
    await again.close();
    expect(back).toEqual([[...counting(4)], [...counting(5).slice(4), 50]]);
  });

  test('that went back has in its file what it had until that is written over', async () => {
    const file = join(scratch(), '.x');
    const spool = await spooled(file, Float32Array, counting(10));
    await spool.sync();
    await spool.rewind(8);
    await spool.append(Float32Array.of(80));
    // As a process that dies leaves it.
    expect(readFileSync(file)).toHaveLength(40);
    await spool.close();
    const again = await Spool.open(file, Float32Array, 10);
    const back = [];
    for await (const values of again.read()) back.push([...values]);
    await again.close();
    expect(back).toEqual([[...counting(10)]]);
  });

  test('refuses to go on from beyond its end', async () => {
    const file = join(scratch(), '.x');
    const spool = await spooled(file, Float32Array, counting(10));
    expect(await refusal(spool.rewind(11), InputError)).toContain('is not within the spool, got 11; give 0 to 10');
    await spool.flush();
    await spool.close();
    expect(await refusal(Spool.open(file, Float32Array, 11))).toContain('it has 40 of 44 bytes');
    await (await Spool.open(file, Float32Array, 10)).close();
  });

  test('refuses values of another type', async () => {
    const spool = await Spool.open(join(scratch(), '.x'), Float32Array);
    expect(await refusal(spool.append(Uint32Array.of(1)), InputError)).toContain('append a Float32Array');
    await spool.append(Float32Array.of(1));
    await spool.close();
  });
});

describe('packing', () => {
  test('takes arrays, scalars, texts and spools, in their order', async () => {
    const folder = scratch();
    const spool = await spooled(join(folder, '.x'), Float32Array, counting(6));
    const text = '{"sd": "\\u03c3"}';
    const dt = { shape: [], data: Float64Array.of(0.1) };
    await packNpz(join(folder, 'x.npz'), {
      dt,
      text,
      none: '',
      x: { shape: [2, 3], data: spool },
      y: Int8Array.of(-1),
    });
    await spool.close();
    const bytes = readFileSync(join(folder, 'x.npz'));
    expect(npzNames(bytes)).toEqual(['dt', 'text', 'none', 'x', 'y']);
    expect(readNpzArray(bytes, 'dt')).toEqual(dt);
    expect(readNpzText(bytes, 'text')).toBe(text);
    expect(readNpzText(bytes, 'none')).toBe('');
    expect(readNpzArray(bytes, 'x')).toEqual({ shape: [2, 3], data: counting(6) });
    expect(readNpzArray(bytes, 'y')).toEqual({ shape: [1], data: Int8Array.of(-1) });
  });

  test('gives bytes that are a function of the arrays alone', async () => {
    const write = async (cut: number) => {
      const folder = scratch();
      const values = counting(500_000);
      const spool = await spooled(join(folder, '.x'), Float32Array, values.slice(0, cut), values.slice(cut));
      await packNpz(join(folder, 'x.npz'), { x: spool, text: 'a' });
      await spool.close();
      return readFileSync(join(folder, 'x.npz'));
    };
    const [first, second] = [await write(1), await write(400_000)];
    expect(first.equals(second)).toBe(true);
    // The moment of 1980-01-01, 00:00:00.
    expect([first.readUInt16LE(10), first.readUInt16LE(12)]).toEqual([0, (1 << 5) | 1]);
  });

  test('leaves nothing where it fails, and the file of before', async () => {
    const folder = scratch();
    writeFileSync(join(folder, 'x.npz'), 'before');
    const spool = await spooled(join(folder, '.x'), Float32Array, counting(500_000));
    const wrong = packNpz(join(folder, 'x.npz'), { y: counting(3), x: { shape: [2], data: spool } });
    expect(await refusal(wrong, InputError)).toContain('does not fit the values');
    truncateSync(join(folder, '.x'), 1000);
    expect(await refusal(packNpz(join(folder, 'x.npz'), { x: spool }))).toContain('was cut short');
    await spool.close();
    expect(readdirSync(folder).sort()).toEqual(['.x', 'x.npz']);
    expect(readFileSync(join(folder, 'x.npz'), 'utf8')).toBe('before');
    await expect(packNpz(join(folder, 'absent', 'x.npz'), { y: counting(3) })).rejects.toThrow('ENOENT');
    await packNpz(join(folder, 'x.npz'), { y: counting(3) });
    expect(readNpzArray(readFileSync(join(folder, 'x.npz')), 'y').data).toEqual(counting(3));
  });
});

/** The .npy bytes of an array, of a header that is ours to choose. */
function npy(header: string, data: ArrayLike<number>): Uint8Array {
  const text = Array.from(`${header}\n`, (c) => c.charCodeAt(0));
  return Uint8Array.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, text.length, 0, ...text, ...Array.from(data)]);
}

async function withRows<T>(bytes: Uint8Array, name: string | undefined, use: (rows: Rows) => Promise<T>): Promise<T> {
  const file = join(scratch(), name === undefined ? 'x.npy' : 'x.npz');
  writeFileSync(file, bytes);
  const rows = await openRows(file, name);
  return use(rows).finally(() => rows.close());
}

const entryOf = (bytes: Uint8Array) => zipSync({ 'x.npy': bytes }, { level: 0 });

describe('reading by rows', () => {
  const values = Float32Array.from(noise(60_000), (word) => word / 2 ** 20);
  const shape = [20_000, 3];
  const whole = writeNpz({ other: counting(7), x: { shape, data: values } });
  const bare = npy("{'descr': '<f4', 'fortran_order': False, 'shape': (20000, 3), }", new Uint8Array(values.buffer));
  const files = [
    { title: 'a packed entry of an npz', bytes: whole, name: 'x' },
    { title: 'a stored entry of an npz', bytes: entryOf(bare), name: 'x' },
    { title: 'a bare npy', bytes: bare, name: undefined },
  ];

  test.each(files)('gives $title whole, in any parts, also backwards', async ({ bytes, name }) => {
    await withRows(bytes, name, async (rows) => {
      expect(rows.shape).toEqual(shape);
      const part = fc.tuple(fc.nat({ max: 20_000 }), fc.nat({ max: 20_000 }));
      await fc.assert(
        fc.asyncProperty(fc.array(part, { maxLength: 3 }), async (parts) => {
          for (const [one, other] of parts) {
            const [first, last] = [Math.min(one, other), Math.max(one, other)];
            const there = await rows.read(first, last - first);
            expect(same(there, values.slice(first * 3, last * 3))).toBe(true);
          }
        }),
        { numRuns: 20 },
      );
      const together = await Promise.all([rows.read(5, 1), rows.read(0, 20_000), rows.read(19_999, 1)]);
      expect(together.map(({ length }) => length)).toEqual([3, 60_000, 3]);
      expect(same(together[1] as Float32Array, values)).toBe(true);
    });
  });

  test('turns every type into float32', async () => {
    const read = (bytes: Uint8Array) => withRows(bytes, 'x', (rows) => rows.read(1, 1));
    expect(await read(writeNpz({ x: Float64Array.of(1, 0.1) }))).toEqual(Float32Array.of(0.1));
    expect(await read(writeNpz({ x: BigInt64Array.of(1n, -7n) }))).toEqual(Float32Array.of(-7));
    expect(await read(writeNpz({ x: Int8Array.of(1, -7) }))).toEqual(Float32Array.of(-7));
    const big = npy("{'descr': '>f4', 'fortran_order': False, 'shape': (2,), }", [0, 0, 0, 0, 0x40, 0x20, 0, 0]);
    expect(await read(entryOf(big))).toEqual(Float32Array.of(2.5));
  });

  test('refuses rows that are not there', async () => {
    await withRows(whole, 'x', async (rows) => {
      expect(
        await refusal(
          Promise.resolve().then(() => rows.read(19_999, 2)),
          InputError,
        ),
      ).toContain('there are 20000');
      expect(await rows.read(19_999, 1)).toHaveLength(3);
    });
  });

  test('refuses columns first, naming what would be right', async () => {
    const columns = (order: string) =>
      npy(`{'descr': '|u1', 'fortran_order': ${order}, 'shape': (2, 2), }`, [1, 2, 3, 4]);
    expect(await refusal(withRows(entryOf(columns('True')), 'x', async () => {}))).toContain('numpy.ascontiguousarray');
    expect(await withRows(entryOf(columns('False')), 'x', (rows) => rows.read(0, 2))).toEqual(
      Float32Array.of(1, 2, 3, 4),
    );
  });

  test('refuses an array that is not there, naming those that are', async () => {
    expect(await refusal(withRows(whole, 'oter', async () => {}))).toContain('did you mean "other"? it has other, x');
    expect(await refusal(withRows(new TextEncoder().encode('t,v\n'), 'x', async () => {}))).toContain(
      'not an .npz file',
    );
  });

  test.each(files)('refuses $title cut short anywhere, and says so', async ({ bytes, name }) => {
    const all = (rows: Rows) => rows.read(0, 20_000);
    for (const length of [0, 1, 9, 100, 5000, bytes.length - 1000, bytes.length - 1]) {
      const message = await refusal(withRows(bytes.subarray(0, length), name, all));
      expect(message).toMatch(/not an .npz file|the .npz file is damaged|array ".*" is broken/);
    }
    expect(same(await withRows(bytes, name, all), values)).toBe(true);
  });

  test('refuses flipped bits of the data with the last row at the latest, and never gives wrong values at the end', async () => {
    const file = entryOf(bare);
    for (const at of [200, 100_000, 240_000]) {
      const flipped = file.slice();
      flipped[at] = (flipped[at] as number) ^ 1;
      const last = withRows(flipped, 'x', async (rows) => {
        for (let row = 0; row < 20_000; row += 1000) await rows.read(row, 1000);
      });
      expect(await refusal(last)).toContain('do not match their checksum');
    }
    await withRows(file, 'x', (rows) => rows.read(0, 20_000));
  });

  test('noise in place of any bytes gives the right values or a FileError, nothing else', async () => {
    const small = writeNpz({ x: counting(1000), y: new Uint8Array(4) });
    const place = fc.record({ at: fc.nat({ max: small.length - 1 }), byte: fc.nat({ max: 255 }) });
    const file = join(scratch(), 'x.npz');
    await fc.assert(
      fc.asyncProperty(fc.array(place, { minLength: 1, maxLength: 8 }), async (places) => {
        const noisy = small.slice();
        for (const { at, byte } of places) noisy[at] = byte;
        writeFileSync(file, noisy);
        try {
          const rows = await openRows(file, 'x');
          const values = await rows.read(0, rows.shape[0] as number).finally(() => rows.close());
          expect(values).toEqual(counting(1000));
        } catch (error) {
          expect(error).toBeInstanceOf(FileError);
        }
      }),
      { numRuns: 300 },
    );
  });
});
