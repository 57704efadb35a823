// Writes .npz files of any size: arrays that were spooled go through deflate piece by piece, never whole in memory. The
// zip is yazl's; what stands in an entry is npy.ts's. The bytes are a function of the arrays alone.

import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ZipFile } from 'yazl';
import { npyHeader } from '../files/npy.ts';
import { encodeEntry, LEVEL, MODIFIED, type NpzValue, SUFFIX } from '../files/npz.ts';
import { Spool } from './spool.ts';

/** What an .npz file can be given under a name; a bare spool has one axis. */
export type NpzEntry = NpzValue | Spool | { shape: readonly number[]; data: Spool };

/** Neither the moment nor the machine: an ordinary file of the zip's epoch. */
const PLAIN = { mtime: MODIFIED, mode: 0o100644, forceDosTimestamp: true, compressionLevel: LEVEL };

/**
 * Writes an .npz file: aside, then renamed, so that it appears whole or not at all. Equal arrays in equal order give
 * equal bytes.
 *
 * @param arrays - by name
 * @throws InputError if a shape does not fit its values, and what the system throws where it will not let us write
 */
export async function packNpz(file: string, arrays: Readonly<Record<string, NpzEntry>>): Promise<void> {
  const aside = join(dirname(file), `.${basename(file)}.${process.pid}`);
  try {
    await pipeline(zipped(arrays), createWriteStream(aside));
    await rename(aside, file);
  } finally {
    await rm(aside, { force: true });
  }
}

function zipped(arrays: Readonly<Record<string, NpzEntry>>): NodeJS.ReadableStream {
  const zip = new ZipFile();
  const output = zip.outputStream as Readable;
  const fail = (error: Error) => output.destroy(error);
  zip.on('error', fail);
  for (const [name, entry] of Object.entries(arrays)) {
    const { size, pieces } = bytesOf(entry, name);
    // Opened one at a time; yazl does not look for errors of what it reads.
    zip.addReadStreamLazy(name + SUFFIX, { ...PLAIN, size }, (give) =>
      give(null, Readable.from(pieces(), { objectMode: false }).on('error', fail)),
    );
  }
  zip.end();
  return output;
}

interface Bytes {
  size: number;
  pieces: () => AsyncGenerator<Uint8Array>;
}

function bytesOf(entry: NpzEntry, name: string): Bytes {
  if (entry instanceof Spool) return spooled(entry, [entry.position], name);
  if (typeof entry === 'object' && 'shape' in entry && entry.data instanceof Spool) {
    return spooled(entry.data, entry.shape, name);
  }
  const bytes = encodeEntry(entry as NpzValue, name);
  const pieces = async function* () {
    yield bytes;
  };
  return { size: bytes.length, pieces };
}

function spooled(spool: Spool, shape: readonly number[], name: string): Bytes {
  const head = npyHeader(spool.type, shape, spool.position, name);
  const pieces = async function* () {
    yield head;
    for await (const { buffer } of spool.read()) yield new Uint8Array(buffer as ArrayBuffer);
  };
  return { size: head.length + spool.position * spool.type.BYTES_PER_ELEMENT, pieces };
}
