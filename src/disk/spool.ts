// A spool: one array that grows on disk, its bare values in a file, so that its length need not be known before its end
// and a run that breaks off can go on where it was. What the values mean, and in which file they end, is for others.

import { type FileHandle, open } from 'node:fs/promises';
import { FileError, InputError } from '../errors.ts';
import type { NpyData, NpyType } from '../files/npy.ts';

/** Values may come in small pieces; they go to the disk in pieces of this many bytes, or larger ones as they come. */
const PIECE = 1 << 16;
/** Values that are read at once. */
const READ = 1 << 17;

/**
 * An array that grows on disk. Await each call before the next.
 *
 * @example
 * ```ts
 * const spool = await Spool.open('.steps', Uint32Array);
 * await spool.append(Uint32Array.of(1, 2, 3));
 * await packNpz('run.npz', { steps: spool });
 * await spool.close();
 * ```
 */
export class Spool {
  readonly #handle: FileHandle;
  readonly #waiting = new Uint8Array(PIECE);
  #held = 0;
  #written: number;

  private constructor(
    readonly file: string,
    readonly type: NpyType,
    handle: FileHandle,
    position: number,
  ) {
    this.#handle = handle;
    this.#written = position * type.BYTES_PER_ELEMENT;
  }

  /**
   * Opens a spool, new or to go on with.
   *
   * @param position - how many values of an earlier spool in this file to keep; what follows them is dropped
   * @throws FileError if the file has fewer values
   */
  static async open(file: string, type: NpyType, position = 0): Promise<Spool> {
    const handle = await open(file, position === 0 ? 'w+' : 'r+');
    try {
      const kept = position * type.BYTES_PER_ELEMENT;
      const { size } = await handle.stat();
      if (size < kept) throw new FileError(`${file} is cut short: it has ${size} of ${kept} bytes; begin anew`);
      await handle.truncate(kept);
      return new Spool(file, type, handle, position);
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /** How many values it has. */
  get position(): number {
    return (this.#written + this.#held) / this.type.BYTES_PER_ELEMENT;
  }

  /** Adds values; they may be reused when the promise resolves. */
  async append(values: NpyData): Promise<void> {
    if (!(values instanceof this.type)) {
      throw new InputError(this.file, values, 'is of another type', `append a ${this.type.name}`);
    }
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    if (this.#held + bytes.length > PIECE) await this.flush();
    if (bytes.length > PIECE) return this.#write(bytes);
    this.#waiting.set(bytes, this.#held);
    this.#held += bytes.length;
  }

  /** After this the file has all the values: a process that dies does not take them along. */
  async flush(): Promise<void> {
    const held = this.#waiting.subarray(0, this.#held);
    await this.#write(held);
    this.#held = 0;
  }

  /** After this the disk has them: a machine that loses its power does not, either. */
  async sync(): Promise<void> {
    await this.flush();
    await this.#handle.datasync();
  }

  // A write may take less than it was given; a full disk is an error at the next.
  async #write(bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.length; ) {
      const { bytesWritten } = await this.#handle.write(bytes, done, bytes.length - done, this.#written + done);
      done += bytesWritten;
    }
    this.#written += bytes.length;
  }

  /**
   * Goes back to its first so many values: what comes is written over those behind them. They stay in the file until
   * then, so that a process that dies leaves no fewer values than it once synced.
   */
  async rewind(position: number): Promise<void> {
    if (!Number.isInteger(position) || position < 0 || position > this.position) {
      throw new InputError('position', position, 'is not within the spool', `give 0 to ${this.position}`);
    }
    await this.flush();
    this.#written = position * this.type.BYTES_PER_ELEMENT;
  }

  /** Its values from one on, the first by default, in pieces of so many, the last one shorter: each an array of its own. */
  async *read(piece = READ, from = 0): AsyncGenerator<NpyData> {
    await this.flush();
    const width = this.type.BYTES_PER_ELEMENT;
    for (let at = from * width; at < this.#written; at += piece * width) {
      const bytes = new Uint8Array(Math.min(piece * width, this.#written - at));
      for (let done = 0; done < bytes.length; ) {
        const { bytesRead } = await this.#handle.read(bytes, done, bytes.length - done, at + done);
        if (bytesRead === 0) throw new FileError(`${this.file} was cut short while it was in use`);
        done += bytesRead;
      }
      yield new this.type(bytes.buffer);
    }
  }

  /** Lets go of the file, which stays. */
  async close(): Promise<void> {
    await this.#handle.close();
  }
}
