// Arrays of .npz and .npy files that are larger than memory: rows in order, a part at a time. The zip is yauzl's, the
// header's grammar npy.ts's. What the values mean is for others.

import { type FileHandle, open } from 'node:fs/promises';
import { basename } from 'node:path';
import { Readable } from 'node:stream';
import { crc32 } from 'node:zlib';
import { type Entry, fromRandomAccessReaderPromise, RandomAccessReader, type ZipFile } from 'yauzl';
import { FileError, InputError } from '../errors.ts';
import { checkSize, HEADER_ROOM, type NpyData, type NpyHeader, readHeader, valuesIn } from '../files/npy.ts';
import { damaged, noArray, SUFFIX } from '../files/npz.ts';

const PIECE = 1 << 17;

/** An array in a file, read by rows: by its first axis. */
export interface Rows {
  readonly shape: readonly number[];
  /**
   * The values of some rows as float32, row-major. In order they are read once; going back reads anew from the beginning.
   *
   * @throws FileError if the file is damaged: with the part that is, or, where only a checksum tells, with the last row
   */
  read(first: number, rows: number): Promise<Float32Array>;
  /** CRC-32 of the array's bytes: what the zip says of them; a .npy file, which says nothing, is read whole for it. */
  checksum(): Promise<number>;
  /** Lets go of the file. */
  close(): Promise<void>;
}

/** The bytes of one array, as often as they are wanted. */
interface Source {
  readonly name: string;
  readonly size: number;
  readonly checksum?: number;
  stream(): Promise<Readable>;
  close(): Promise<void>;
}

/**
 * Opens an array of an .npz file, or the one of a .npy file. It takes as much memory as one part of it.
 *
 * @param name - in the .npz; a .npy file has none
 * @throws FileError if the file or the array is not sound, and what the system throws where it will not let us read
 * @example
 * ```ts
 * const rows = await openRows('currents.npz', 'current');
 * const first100 = await rows.read(0, 100);
 * await rows.close();
 * ```
 */
export async function openRows(file: string, name?: string): Promise<Rows> {
  const source = name === undefined ? await bareArray(file) : await entryOf(file, name);
  try {
    const forward = new Forward(source);
    const head = readHeader(await forward.peek(Math.min(source.size, HEADER_ROOM)), source.name);
    checkSize(head, source.size - head.begin, source.name);
    if (head.columnMajor) {
      const remedy = 'save it with numpy.ascontiguousarray';
      throw new FileError(`array "${source.name}" is in column-major order, which cannot be read by rows; ${remedy}`);
    }
    return new RowReader(forward, head);
  } catch (error) {
    await source.close();
    throw error;
  }
}

class RowReader implements Rows {
  readonly shape: readonly number[];
  readonly #width: number;
  #last: Promise<unknown> = Promise.resolve();

  constructor(
    readonly source: Forward,
    readonly head: NpyHeader,
  ) {
    this.shape = head.shape;
    this.#width = head.shape.slice(1).reduce((product, size) => product * size, 1);
  }

  read(first: number, rows: number): Promise<Float32Array> {
    const [all = 1] = this.shape;
    if (![first, rows].every((number) => Number.isInteger(number) && number >= 0) || first + rows > all) {
      throw new InputError('rows', [first, rows], 'are not all there', `there are ${all}`);
    }
    const { begin, type } = this.head;
    const bytes = this.#width * type.BYTES_PER_ELEMENT;
    const part = this.#last.then(() => this.source.read(begin + first * bytes, rows * bytes));
    this.#last = part.catch(() => {});
    return part.then((read) => asFloat32(valuesIn(read, this.head)));
  }

  checksum(): Promise<number> {
    return this.source.checksum();
  }

  close(): Promise<void> {
    return this.source.close();
  }
}

function asFloat32(values: NpyData): Float32Array {
  if (values instanceof Float32Array) return values;
  if (values instanceof BigInt64Array || values instanceof BigUint64Array) return Float32Array.from(values, Number);
  return Float32Array.from(values);
}

/** Reads a source from its beginning to its end, and from the beginning again where what is wanted lies behind. */
class Forward {
  #pieces: AsyncIterator<Uint8Array> | undefined;
  #stream: Readable | undefined;
  #piece: Uint8Array = new Uint8Array(0);
  #at = 0;
  #checksum = 0;

  constructor(readonly source: Source) {}

  /** The first bytes, which stay to be read. */
  async peek(size: number): Promise<Uint8Array> {
    const bytes = await this.read(0, size);
    this.#let();
    return bytes;
  }

  async read(from: number, size: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(size);
    try {
      if (from < this.#at) this.#let();
      if (!this.#pieces) await this.#begin();
      await this.#take(from - this.#at);
      await this.#take(size, bytes);
      if (this.#at === this.source.size) await this.#finish();
    } catch (error) {
      this.#let();
      throw asDamage(error);
    }
    return bytes;
  }

  async checksum(): Promise<number> {
    if (this.source.checksum !== undefined) return this.source.checksum;
    let checksum = 0;
    for await (const piece of await this.source.stream()) checksum = crc32(piece, checksum);
    return checksum;
  }

  async close(): Promise<void> {
    this.#let();
    await this.source.close();
  }

  async #begin(): Promise<void> {
    // What a stream says after it was let go of is of no interest, but would end the process unheard.
    this.#stream = (await this.source.stream()).on('error', () => {});
    this.#pieces = this.#stream[Symbol.asyncIterator]();
  }

  // Passes over bytes, or puts them into `to`.
  async #take(size: number, to?: Uint8Array): Promise<void> {
    for (let done = 0; done < size; ) {
      if (this.#piece.length === 0) await this.#next();
      const part = this.#piece.subarray(0, size - done);
      to?.set(part, done);
      done += part.length;
      this.#at += part.length;
      this.#piece = this.#piece.subarray(part.length);
    }
  }

  async #next(): Promise<void> {
    const { done, value } = await (this.#pieces as AsyncIterator<Uint8Array>).next();
    if (done) throw this.#cutShort();
    this.#piece = value;
    if (this.source.checksum !== undefined) this.#checksum = crc32(value, this.#checksum);
  }

  #cutShort(): FileError {
    const { name, checksum } = this.source;
    if (checksum !== undefined) return damaged(`array "${name}" is cut short`);
    return new FileError(`array "${name}" was cut short while it was in use; copy or save it again`);
  }

  // The end of the stream tells what the unpacker finds wrong only there.
  async #finish(): Promise<void> {
    while (!(await (this.#pieces as AsyncIterator<Uint8Array>).next()).done);
    const { checksum, name } = this.source;
    if (checksum === undefined || checksum === this.#checksum) return;
    throw damaged(`the bytes of array "${name}" do not match their checksum`);
  }

  #let(): void {
    this.#stream?.destroy();
    [this.#pieces, this.#stream, this.#piece, this.#at, this.#checksum] = [
      undefined,
      undefined,
      new Uint8Array(0),
      0,
      0,
    ];
  }
}

async function bareArray(file: string): Promise<Source> {
  const handle: FileHandle = await open(file);
  const { size } = await handle.stat();
  return {
    name: basename(file),
    size,
    stream: async () => Readable.from(piecesOf(handle, 0, Infinity), { objectMode: false }),
    close: () => handle.close(),
  };
}

async function* piecesOf(handle: FileHandle, from: number, to: number): AsyncGenerator<Uint8Array> {
  for (let at = from; at < to; ) {
    const piece = new Uint8Array(Math.min(PIECE, to - at));
    const { bytesRead } = await handle.read(piece, 0, piece.length, at);
    if (bytesRead === 0) return;
    yield piece.subarray(0, bytesRead);
    at += bytesRead;
  }
}

async function entryOf(file: string, name: string): Promise<Source> {
  const handle = await open(file);
  try {
    const zip = await opened(handle);
    const entry = await find(zip, name);
    return {
      name,
      size: entry.uncompressedSize,
      checksum: entry.crc32,
      stream: () => zip.openReadStreamPromise(entry),
      close: () => handle.close(),
    };
  } catch (error) {
    await handle.close();
    throw asDamage(error);
  }
}

async function opened(handle: FileHandle): Promise<ZipFile> {
  const start = new Uint8Array(2);
  await handle.read(start, 0, 2, 0);
  if (start[0] !== 0x50 || start[1] !== 0x4b) {
    throw new FileError('not an .npz file: it does not begin as a zip does; make one with numpy.savez');
  }
  const { size } = await handle.stat();
  return fromRandomAccessReaderPromise(new Places(handle, size), size, { autoClose: false, strictFileNames: false });
}

/** A file as yauzl reads it: at any place that a zip names. At one that no file can have, Node would end the process. */
class Places extends RandomAccessReader {
  constructor(
    readonly handle: FileHandle,
    readonly size: number,
  ) {
    super();
  }

  override read(
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
    callback: (error: Error | null, read?: number) => void,
  ): void {
    if (position >= this.size) return void setImmediate(callback, null, 0);
    this.handle.read(buffer, offset, length, position).then(
      ({ bytesRead }) => callback(null, bytesRead),
      (error) => callback(error),
    );
  }

  override _readStreamForRange(start: number, end: number): Readable {
    return Readable.from(piecesOf(this.handle, start, end), { objectMode: false });
  }
}

async function find(zip: ZipFile, name: string): Promise<Entry> {
  const names: string[] = [];
  const found: Entry[] = [];
  for await (const entry of zip.eachEntry()) {
    const { fileName } = entry;
    if (fileName.endsWith(SUFFIX)) names.push(fileName.slice(0, -SUFFIX.length));
    if (fileName === name + SUFFIX) found.push(entry);
  }
  const [entry] = found;
  if (found.length > 1) throw damaged(`it has ${found.length} arrays "${name}"`);
  if (entry && !entry.canDecodeFileData()) {
    const remedy = 'save it with numpy.savez or numpy.savez_compressed';
    throw new FileError(`array "${name}" is packed by method ${entry.compressionMethod}, or encrypted; ${remedy}`);
  }
  if (entry) return entry;
  throw noArray(name, names);
}

// What the system says of the file is another matter: its errors have a code that begins with E, as zlib's do not.
function asDamage(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof FileError) return error;
  const code = (error as NodeJS.ErrnoException).code ?? '';
  if (/^E[A-Z]+$/.test(code)) return error;
  return damaged(`it is cut short or no zip inside (${error.message})`, error);
}
