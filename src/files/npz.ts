// Named arrays as NumPy's .npz and back: a zip of .npy entries, one of which is unpacked at a time. It knows neither
// what the arrays mean nor where the bytes come from or go to. Sizes that a zip claims are checked before memory is
// given to them.

import { strFromU8, type UnzipFileInfo, unzipSync, Zip, type ZipInputFile, type Zippable, zipSync } from 'fflate';
import { didYouMean, FileError, InputError } from '../errors.ts';
import { crc32 } from './crc32.ts';
import { decodeNpy, encodeNpy, encodeText, type NpyArray, type NpyData } from './npy.ts';

export type { NpyArray, NpyData } from './npy.ts';

export const SUFFIX = '.npy';

/** What an .npz file can be given under a name: a bare typed array has one axis, a text becomes NumPy's bytes. */
export type NpzValue = NpyArray | NpyData | string;

// Measured on 5 million values per array: spikes shrink to a fifth (steps and times to 1.5 %), noisy traces by a tenth.
// Level 1 packs 26 to 100 MB/s; level 6 gains nothing but 0.6 % of the neurons, at half the pace.
export const LEVEL = 1;

// The zip's epoch, in local time because zip and its writers know no other: equal arrays give equal bytes everywhere.
export const MODIFIED = new Date(1980, 0, 1);

// fflate's packer counts bytes in 32 signed bits, silently; the margin is for headers and for data that do not shrink.
// Entries are what a plain zip can count.
const MOST_BYTES = 2 ** 31 - 2 ** 26;
const MOST_ENTRIES = 2 ** 16 - 1;

// Deflate spends at least two bits on 258 bytes, so a claim of more is a forgery.
const DEFLATE_RATIO = 1032;
const [STORED, DEFLATED] = [0, 8];
const SMALLEST_RECORD = 46;

/**
 * The bytes of an .npz file. Equal arrays in equal order give equal bytes.
 *
 * @param arrays - by name
 */
export function writeNpz(arrays: Readonly<Record<string, NpzValue>>): Uint8Array {
  const entries: Zippable = {};
  for (const [name, array] of checkRoom(arrays)) entries[name + SUFFIX] = encodeEntry(array, name);
  return zipSync(entries, { level: LEVEL, mtime: MODIFIED });
}

/**
 * The same, packed by the platform and not on the thread that asks: for pages, which are not to stand still meanwhile.
 * Its bytes are others on other platforms.
 *
 * @param arrays - by name
 * @example
 * ```ts
 * const href = URL.createObjectURL(await npzBlob({ steps: spikes.steps, neurons: spikes.neurons }));
 * ```
 */
export async function npzBlob(arrays: Readonly<Record<string, NpzValue>>): Promise<Blob> {
  const parts: BlobPart[] = [];
  const zip = new Zip((error, part) => {
    if (error) throw error;
    parts.push(part as Uint8Array<ArrayBuffer>);
  });
  for (const [name, array] of checkRoom(arrays)) {
    const bytes = encodeEntry(array, name) as Uint8Array<ArrayBuffer>;
    const packed = new Blob([bytes]).stream().pipeThrough(new CompressionStream('deflate-raw'));
    const entry: ZipInputFile = {
      filename: name + SUFFIX,
      size: bytes.length,
      crc: crc32(bytes),
      compression: DEFLATED,
      mtime: MODIFIED,
    };
    zip.add(entry);
    entry.ondata?.(null, new Uint8Array(await new Response(packed).arrayBuffer()), true);
  }
  zip.end();
  return new Blob(parts, { type: 'application/zip' });
}

function checkRoom(arrays: Readonly<Record<string, NpzValue>>): [string, NpzValue][] {
  const named = Object.entries(arrays);
  if (named.length > MOST_ENTRIES) {
    throw new InputError('', named.length, 'too many arrays for one .npz file', `write up to ${MOST_ENTRIES}`);
  }
  const size = named.reduce((sum, [, value]) => sum + sizeOf(value), 0);
  if (size > MOST_BYTES) {
    throw new InputError('', size, 'too many bytes for one .npz file', `write up to ${MOST_BYTES} into each`);
  }
  return named;
}

function sizeOf(value: NpzValue): number {
  if (typeof value === 'string') return value.length;
  return (ArrayBuffer.isView(value) ? value : value.data)?.byteLength ?? 0;
}

/** The bytes of one entry. `name` names it in refusals. */
export function encodeEntry(value: NpzValue, name: string): Uint8Array {
  if (typeof value === 'string') return encodeText(value);
  return encodeNpy(ArrayBuffer.isView(value) ? { shape: [value.length], data: value } : value, name);
}

/** Names of the arrays in an .npz file, in the order of the file. Nothing is unpacked. */
export function npzNames(bytes: Uint8Array): string[] {
  const names: string[] = [];
  unzip(bytes, ({ name }) => {
    if (name.endsWith(SUFFIX)) names.push(name.slice(0, -SUFFIX.length));
    return false;
  });
  return names;
}

/** One array of an .npz file; the others stay packed. */
export function readNpzArray(bytes: Uint8Array, name: string): NpyArray {
  const names = npzNames(bytes);
  const found = names.filter((other) => other === name).length;
  if (found === 0) {
    throw noArray(name, names);
  }
  if (found > 1) throw damaged(`it has ${found} arrays "${name}"`);
  const entry = name + SUFFIX;
  const unpacked = unzip(bytes, (info) => info.name === entry && checkEntry(info, bytes.length))[entry];
  if (unpacked === undefined || crc32(unpacked) !== recordedChecksum(bytes, entry)) {
    throw damaged(`the bytes of array "${name}" do not match their checksum`);
  }
  return decodeNpy(unpacked, name);
}

/** One text of an .npz file, which {@link writeNpz} was given as a string, or NumPy as bytes. */
export function readNpzText(bytes: Uint8Array, name: string): string {
  const { shape, data } = readNpzArray(bytes, name);
  if (data instanceof Uint8Array && shape.length === 1) return new TextDecoder().decode(data).replace(/\0+$/, '');
  throw new FileError(`array "${name}" is no text; read it with readNpzArray`);
}

/** That an .npz file has not this array but others; a forged one might have thousands, of long names. */
export function noArray(name: string, names: readonly string[]): FileError {
  const some = names.slice(0, 20).map((other) => other.slice(0, 100));
  const more = names.length > some.length ? ` and ${names.length - some.length} more` : '';
  const there = names.length > 0 ? `it has ${some.join(', ')}${more}` : 'it has no arrays at all';
  return new FileError(`no array "${name}" in the .npz file; ${didYouMean(name, names)}${there}`);
}

export function damaged(reason: string, cause?: unknown): FileError {
  return new FileError(`the .npz file is damaged: ${reason}; copy or save it again`, { cause });
}

// fflate's complaints in our words. A forged number of entries would keep it busy for hours, hence the count.
function unzip(bytes: Uint8Array, wanted: (info: UnzipFileInfo) => boolean): Record<string, Uint8Array> {
  if (bytes[0] !== 0x50 || bytes[1] !== 0x4b) {
    throw new FileError('not an .npz file: it does not begin as a zip does; make one with numpy.savez');
  }
  let entries = 0;
  try {
    return unzipSync(bytes, {
      filter: (info) => {
        entries++;
        if (entries * SMALLEST_RECORD > bytes.length) throw damaged('it claims more entries than it has room for');
        return wanted(info);
      },
    });
  } catch (error) {
    if (error instanceof FileError) throw error;
    throw damaged(`it is cut short or no zip inside (${error instanceof Error ? error.message : error})`, error);
  }
}

function checkEntry({ name, compression, size, originalSize }: UnzipFileInfo, room: number): true {
  if (compression !== STORED && compression !== DEFLATED) {
    const remedy = 'save it with numpy.savez or numpy.savez_compressed';
    throw new FileError(`entry "${name}" of the .npz file is packed by method ${compression}; ${remedy}`);
  }
  if (size > room) throw damaged(`entry "${name}" claims ${size} bytes, more than the whole file has`);
  if (compression === STORED ? originalSize !== size : originalSize > size * DEFLATE_RATIO) {
    throw damaged(`entry "${name}" claims to unpack from ${size} to ${originalSize} bytes, which is impossible`);
  }
  return true;
}

// fflate compares no checksums, and a flipped bit in a current is a wrong result. The directory is at the end.
function recordedChecksum(bytes: Uint8Array, entry: string): number | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = bytes.length - SMALLEST_RECORD; at >= 0; at--) {
    if (view.getUint32(at, true) !== 0x02014b50) continue;
    const length = view.getUint16(at + 28, true);
    // UTF-8 has at most 3 bytes a character. A forged directory has records within names, all as long as can be.
    if (length > 3 * entry.length) continue;
    const name = bytes.subarray(at + SMALLEST_RECORD, at + SMALLEST_RECORD + length);
    const latin1 = (view.getUint16(at + 8, true) & 2048) === 0;
    if (strFromU8(name, latin1) === entry) return view.getUint32(at + 16, true);
  }
  return undefined;
}
