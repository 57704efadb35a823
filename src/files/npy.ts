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

/** The constructor of what an array is made of. */
export type NpyType =
  | Float32ArrayConstructor
  | Float64ArrayConstructor
  | Int8ArrayConstructor
  | Uint8ArrayConstructor
  | Int16ArrayConstructor
  | Uint16ArrayConstructor
  | Int32ArrayConstructor
  | Uint32ArrayConstructor
  | BigInt64ArrayConstructor
  | BigUint64ArrayConstructor;

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

const READ = 'float32, float64, bool, bytes, int8 ... int64 or uint8 ... uint64';

/** As many bytes of an entry as its header can take. */
export const HEADER_ROOM = 12 + LONGEST_HEADER;

/** The .npy bytes of an array, version 1.0. `path` names it in refusals. */
export function encodeNpy({ shape, data }: NpyArray, path: string): Uint8Array {
  const head = npyHeader(typeOf(data, path), shape, data.length, path);
  return joined(head, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
}

/** The .npy bytes of a text: a scalar of NumPy's bytes, in UTF-8. NumPy has no empty one: that is a NUL, as its own. */
export function encodeText(text: string): Uint8Array {
  const bytes = new TextEncoder().encode(text === '' ? '\0' : text);
  return joined(header(`|S${bytes.length}`, []), bytes);
}

/** What stands before the `count` values of an array. @throws InputError if the shape has another number of values */
export function npyHeader(type: NpyType, shape: readonly number[], count: number, path: string): Uint8Array {
  checkShape(shape, count, path);
  const [descr] = Object.entries(TYPES).find(([, known]) => known === type) as [Descr, NpyType];
  return header(descr, shape);
}

function header(descr: string, shape: readonly number[]): Uint8Array {
  const sizes = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${sizes}), }`;
  const before = MAGIC.length + 4;
  const begin = Math.ceil((before + text.length + 1) / ALIGNMENT) * ALIGNMENT;
  const bytes = new Uint8Array(begin);
  bytes.set(MAGIC);
  bytes.set([1, 0, (begin - before) & 255, (begin - before) >> 8], MAGIC.length);
  bytes.set(new TextEncoder().encode(`${text.padEnd(begin - before - 1)}\n`), before);
  return bytes;
}

function joined(head: Uint8Array, data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(head.length + data.length);
  bytes.set(head);
  bytes.set(data, head.length);
  return bytes;
}

function typeOf(data: NpyData, path: string): NpyType {
  const types = Object.values(TYPES);
  const found = types.find((type) => data instanceof type);
  if (found) return found;
  const known = types.map((type) => type.name).join(', ');
  throw new InputError(path, data, 'not an array that .npy files hold', `pass one of ${known}, or a text`);
}

function checkShape(shape: readonly number[], count: number, path: string): void {
  const remedy = `pass sizes of axes whose product is the number of values, ${count}; [] is a scalar`;
  const sound = Array.isArray(shape) && shape.every((size) => Number.isSafeInteger(size) && size >= 0);
  if (!sound) throw new InputError(`${path}.shape`, shape, 'not a shape', remedy);
  if (shape.length > MOST_AXES) {
    throw new InputError(`${path}.shape`, shape, 'too many axes', `NumPy takes up to ${MOST_AXES}`);
  }
  if (sizeOf(shape) !== count) {
    throw new InputError(`${path}.shape`, shape, 'does not fit the values', remedy);
  }
}

const sizeOf = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);

/** What the header of an array says, checked as far as it goes. */
export interface NpyHeader {
  type: NpyType;
  /** Whether the values are big-endian. */
  swapped: boolean;
  shape: number[];
  /** Whether the values are in column-major order, and it makes a difference. */
  columnMajor: boolean;
  /** Where the values begin, and how many bytes they have to take. */
  begin: number;
  size: number;
}

/** Reads the header; `bytes` are all of the array's, or at least its first {@link HEADER_ROOM}. */
export function readHeader(bytes: Uint8Array, name: string): NpyHeader {
  const { text, begin } = headerOf(bytes, name);
  const { swapped, key, width } = typeIn(text, name);
  const axes = shapeIn(text, name);
  const shape = [...axes, ...width];
  const fortran = /(['"])fortran_order\1\s*:\s*(True|False)\b/.exec(text)?.[2];
  if (!fortran) throw broken(name, 'its header says nothing of "fortran_order"');
  const type = TYPES[key];
  const size = sizeOf(shape) * type.BYTES_PER_ELEMENT;
  // Before anything is allocated: a forged shape costs nothing. NaN is what a forged 0 times infinity makes.
  if (!Number.isSafeInteger(size)) throw broken(name, `its shape (${shape.join(', ')}) overflows`);
  const columnMajor = fortran === 'True' && axes.length > 1;
  if (columnMajor && width.length > 0) throw refused(name, 'its texts are in column-major order', 'save it in C order');
  return { type, swapped, shape, columnMajor, begin, size };
}

/** Refuses an array whose data are not as long as its header says. */
export function checkSize({ shape, size }: NpyHeader, there: number, name: string): void {
  if (size === there) return;
  const reason = `its header promises ${size} bytes for the shape (${shape.join(', ')}), but ${there} bytes of data follow`;
  throw broken(name, reason);
}

/**
 * The array in .npy bytes of version 1, 2 or 3; bytes strings of n have one more axis, of their n bytes. It may share
 * the bytes: they are given away.
 */
export function decodeNpy(bytes: Uint8Array, name: string): NpyArray {
  const head = readHeader(bytes, name);
  checkSize(head, bytes.length - head.begin, name);
  const { shape } = head;
  const data = valuesIn(bytes.subarray(head.begin), head);
  return { shape, data: head.columnMajor ? rowMajor(data, shape) : data };
}

/** Values of an array, in its order, from their bytes. It may share them: they are given away. */
export function valuesIn(bytes: Uint8Array, { type, swapped }: Pick<NpyHeader, 'type' | 'swapped'>): NpyData {
  if (swapped) swap(bytes, type.BYTES_PER_ELEMENT);
  return viewed(bytes, type);
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

function typeIn(text: string, name: string): { swapped: boolean; key: Descr; width: number[] } {
  const descr = /(['"])descr\1\s*:\s*(?:(['"])(.*?)\2|(\[))/.exec(text);
  if (!descr) throw broken(name, 'its header says nothing of "descr", the type of its values');
  if (descr[4]) throw refused(name, 'it is structured', `save each field as an array of its own, of ${READ}`);
  const [, order = '', kind = ''] = /^([<>|])([a-zA-Z]\d*)$/.exec(descr[3] as string) ?? [];
  if (/^S\d+$/.test(kind)) return { swapped: false, key: '|u1', width: [Number(kind.slice(1))] };
  if (kind === 'O') throw refused(name, 'it holds pickled Python objects', `save it as ${READ}`);
  const key = kind === 'b1' ? '|u1' : kind.endsWith('1') ? `|${kind}` : `<${kind}`;
  if (Object.hasOwn(TYPES, key)) return { swapped: order === '>', key: key as Descr, width: [] };
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
function viewed(bytes: Uint8Array, type: NpyType): NpyData {
  const data = bytes.byteOffset % type.BYTES_PER_ELEMENT === 0 ? bytes : bytes.slice();
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
