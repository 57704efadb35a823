// One array as NumPy's .npy bytes and back: the header's grammar, dtypes, byte and index order. A header is believed
// only as far as the bytes behind it go. It knows nothing of archives, and never unpickles.

import { FileError, InputError } from '../errors.ts';

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
} as const;

type Descr = keyof typeof TYPES;

/** What an array is made of; numpy's float32, float64, int8 ... uint64. */
export type NpyData =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

/** An array of NumPy's: values in row-major order, and the size of each axis. A scalar has the shape `[]`. */
export interface NpyArray {
  shape: readonly number[];
  data: NpyData;
}

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]; // "\x93NUMPY"
const ALIGNMENT = 64;

// numpy's own limits: longer headers are those of structured arrays, which are not read anyhow.
const LONGEST_HEADER = 10_000;
const MOST_AXES = 64;

const READ = 'float32, float64, bool, int8 ... int64 or uint8 ... uint64';

/** The .npy bytes of an array, version 1.0. `path` names it in refusals. */
export function encodeNpy({ shape, data }: NpyArray, path: string): Uint8Array {
  const descr = descrOf(data, path);
  checkShape(shape, data, path);
  const sizes = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${sizes}), }`;
  const before = MAGIC.length + 4;
  const begin = Math.ceil((before + text.length + 1) / ALIGNMENT) * ALIGNMENT;
  const bytes = new Uint8Array(begin + data.byteLength);
  bytes.set(MAGIC);
  bytes.set([1, 0, (begin - before) & 255, (begin - before) >> 8], MAGIC.length);
  bytes.set(new TextEncoder().encode(`${text.padEnd(begin - before - 1)}\n`), before);
  bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), begin);
  return bytes;
}

function descrOf(data: NpyData, path: string): Descr {
  for (const [descr, type] of Object.entries(TYPES)) if (data instanceof type) return descr as Descr;
  const known = Object.values(TYPES).map((type) => type.name);
  throw new InputError(path, data, 'not an array that .npy files hold', `pass one of ${known.join(', ')}`);
}

function checkShape(shape: readonly number[], data: NpyData, path: string): void {
  const remedy = `pass sizes of axes whose product is the number of values, ${data.length}; [] is a scalar`;
  const sound = Array.isArray(shape) && shape.every((size) => Number.isSafeInteger(size) && size >= 0);
  if (!sound) throw new InputError(`${path}.shape`, shape, 'not a shape', remedy);
  if (shape.length > MOST_AXES) {
    throw new InputError(`${path}.shape`, shape, 'too many axes', `NumPy takes up to ${MOST_AXES}`);
  }
  if (sizeOf(shape) !== data.length) {
    throw new InputError(`${path}.shape`, shape, 'does not fit the values', remedy);
  }
}

const sizeOf = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);

/** The array in .npy bytes of version 1, 2 or 3. It may share them: they are given away. */
export function decodeNpy(bytes: Uint8Array, name: string): NpyArray {
  const { text, begin } = headerOf(bytes, name);
  const { swapped, key } = typeIn(text, name);
  const shape = shapeIn(text, name);
  const fortran = /(['"])fortran_order\1\s*:\s*(True|False)\b/.exec(text)?.[2];
  if (!fortran) throw broken(name, 'its header says nothing of "fortran_order"');
  const type = TYPES[key];
  const promised = sizeOf(shape) * type.BYTES_PER_ELEMENT;
  // Before anything is allocated: a forged shape costs nothing. NaN is what a forged 0 times infinity makes.
  if (!Number.isSafeInteger(promised)) throw broken(name, `its shape (${shape.join(', ')}) overflows`);
  if (promised !== bytes.length - begin) {
    const there = `${bytes.length - begin} bytes of data follow`;
    throw broken(name, `its header promises ${promised} bytes for the shape (${shape.join(', ')}), but ${there}`);
  }
  if (swapped) swap(bytes.subarray(begin), type.BYTES_PER_ELEMENT);
  const data = viewed(bytes, begin, type);
  return { shape, data: fortran === 'True' && shape.length > 1 ? rowMajor(data, shape) : data };
}

function broken(name: string, reason: string): FileError {
  return new FileError(`array "${name}" is broken: ${reason}; save it again with numpy.save or numpy.savez`);
}

function refused(name: string, reason: string, remedy: string): FileError {
  return new FileError(`array "${name}" is not read: ${reason}; ${remedy}`);
}

function headerOf(bytes: Uint8Array, name: string): { text: string; begin: number } {
  if (MAGIC.some((byte, i) => bytes[i] !== byte)) throw broken(name, 'it does not begin as .npy data do');
  const version = bytes[6] ?? 0;
  if (version < 1 || version > 3) {
    throw refused(name, `it has .npy format version ${version}`, 'save it as version 1, 2 or 3');
  }
  const at = version === 1 ? 10 : 12;
  if (bytes.length < at) throw broken(name, 'it ends within its header');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (at + length > bytes.length) throw broken(name, 'it ends within its header');
  if (length > LONGEST_HEADER) {
    throw refused(name, `its header has ${length} bytes`, `a plain array needs less than ${LONGEST_HEADER}`);
  }
  const text = new TextDecoder().decode(bytes.subarray(at, at + length));
  if (!/^\s*\{.*\}\s*$/s.test(text)) throw broken(name, 'its header is no Python dictionary');
  return { text, begin: at + length };
}

function typeIn(text: string, name: string): { swapped: boolean; key: Descr } {
  const descr = /(['"])descr\1\s*:\s*(?:(['"])(.*?)\2|(\[))/.exec(text);
  if (!descr) throw broken(name, 'its header says nothing of "descr", the type of its values');
  if (descr[4]) throw refused(name, 'it is structured', `save each field as an array of its own, of ${READ}`);
  const [, order = '', kind = ''] = /^([<>|])([a-zA-Z]\d*)$/.exec(descr[3] as string) ?? [];
  if (kind === 'O') throw refused(name, 'it holds pickled Python objects', `save it as ${READ}`);
  const key = kind === 'b1' ? '|u1' : kind.endsWith('1') ? `|${kind}` : `<${kind}`;
  if (Object.hasOwn(TYPES, key)) return { swapped: order === '>', key: key as Descr };
  const remedy = kind === 'f2' ? 'convert it with .astype("float32")' : `convert it with .astype to ${READ}`;
  throw refused(name, `its values are of type "${descr[3]}"`, remedy);
}

function shapeIn(text: string, name: string): number[] {
  const inner = /(['"])shape\1\s*:\s*\(([\d\sL,]*)\)/.exec(text)?.[2]?.trim();
  if (inner === undefined) throw broken(name, 'its header has no sound "shape"');
  const sizes = inner === '' ? [] : inner.replace(/,$/, '').split(',');
  // Python 2 wrote long integers as 3L.
  const shape = sizes.map((size) => (/^\s*\d+L?\s*$/.test(size) ? Number.parseInt(size, 10) : Number.NaN));
  if (shape.length > MOST_AXES || !shape.every(Number.isSafeInteger)) {
    throw broken(name, 'its header has no sound "shape"');
  }
  return shape;
}

// In place: NumPy's big-endian arrays become this machine's. WebGPU knows little-endian machines only.
function swap(bytes: Uint8Array, width: number): void {
  for (let at = 0; at < bytes.length; at += width) bytes.subarray(at, at + width).reverse();
}

// Headers of old versions and other writers may leave the data where no typed array can begin: those are copied.
function viewed(bytes: Uint8Array, begin: number, type: (typeof TYPES)[Descr]): NpyData {
  const aligned = (bytes.byteOffset + begin) % type.BYTES_PER_ELEMENT === 0;
  const data = aligned ? bytes.subarray(begin) : bytes.slice(begin);
  return new type(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength / type.BYTES_PER_ELEMENT);
}

// The index counts up in row-major order; `from` follows it through the column-major values.
function rowMajor(data: NpyData, shape: readonly number[]): NpyData {
  const strides = shape.map((_, axis) => sizeOf(shape.slice(0, axis)));
  const index = shape.map(() => 0);
  const ordered = data.slice();
  let from = 0;
  for (let to = 0; to < ordered.length; to++) {
    ordered[to] = data[from] as never;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const [size, stride] = [shape[axis] as number, strides[axis] as number];
      from += stride;
      index[axis] = (index[axis] as number) + 1;
      if (index[axis] !== size) break;
      from -= stride * size;
      index[axis] = 0;
    }
  }
  return ordered;
}
