// The arrays an experiment names in files beside it: parameters whole, inputs while the run goes on.

import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { openRows, type Rows } from '../disk/index.ts';
import type { OpenArray, ReadArray } from '../experiment.ts';
import { readNpy, readNpzArray } from '../files/index.ts';
import { FileError, SomaError } from '../index.ts';

export class ArrayFiles {
  // An experiment may name many arrays of one file: it is read once.
  readonly #read = new Map<string, Promise<Uint8Array>>();
  readonly #open: { name: string; rows: Rows }[] = [];

  /** @param folder - that file names are relative to */
  constructor(readonly folder: string) {}

  /** Gives an array whole. */
  readonly read: ReadArray = async (path, name) => {
    const file = resolve(this.folder, path);
    const bytes = this.#read.get(file) ?? readFile(file).catch(unreadable);
    this.#read.set(file, bytes);
    // What .npy bytes are read from is given away.
    const { shape, data } = name === undefined ? readNpy((await bytes).slice(), path) : readNpzArray(await bytes, name);
    const whole = data instanceof BigInt64Array || data instanceof BigUint64Array;
    return { shape, data: whole ? Float64Array.from(data, Number) : data };
  };

  /** Gives an array by rows: the steps. */
  readonly open: OpenArray = async (path, name) => {
    const rows = await openRows(resolve(this.folder, path), name).catch(unreadable);
    this.#open.push({ name: `${path}: ${name}`, rows });
    const read = (first: number, steps: number) =>
      rows.read(first, steps).catch((error: unknown) => {
        throw error instanceof FileError ? new FileError(`${path}: ${error.message}`, { cause: error }) : error;
      });
    return { shape: rows.shape, read };
  };

  /** What the arrays that are open hold, as checksums in the order of their names. */
  async checksums(): Promise<number[]> {
    const named = this.#open.toSorted((a, b) => (a.name < b.name ? -1 : 1));
    return Promise.all(named.map(({ rows }) => rows.checksum()));
  }

  /** Lets go of the files. */
  async close(): Promise<void> {
    await Promise.all(this.#open.map(({ rows }) => rows.close()));
  }
}

// The message goes behind the file's name.
function unreadable(error: unknown): never {
  const { code } = error as NodeJS.ErrnoException;
  if (error instanceof SomaError || code === undefined) throw error;
  throw new SomaError(`cannot be read (${code})`, { cause: error });
}
