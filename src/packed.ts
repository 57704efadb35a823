// The bytes of a saved simulation: a tree of JSON whose long lists and typed arrays stand behind it as they are in
// memory. It owns the format and its version, and refuses what is no such file, cut short or damaged before it gives
// memory to any claim; what the tree means is state.ts's.
//
//   0  8 bytes  "SOMASAVE"
//   8  u32      version of the format
//  12  u32      CRC-32 of all that follows
//  16  f64      bytes of the whole
//  24  u32      bytes of the JSON, spaces included, a multiple of 8
//  28  u32      0
//  32           the JSON, { parts: [[kind, length], ...], tree }, then the parts, each from a multiple of 8 on
//
// Numbers are little-endian, as in memory on every machine that runs WebGPU or WebAssembly.

import { hostRoom } from './backend.ts';
import { FileError } from './errors.ts';
import { crc32 } from './files/crc32.ts';

/** Another number for every change that older versions would misread. */
export const FORMAT = 1;

const MAGIC = 'SOMASAVE';
const HEAD = 32;
/** Longer lists of numbers become parts; shorter ones stay readable. */
const SHORT = 32;

const KINDS = {
  i8: Int8Array,
  u8: Uint8Array,
  i16: Int16Array,
  u16: Uint16Array,
  i32: Int32Array,
  u32: Uint32Array,
  f32: Float32Array,
  f64: Float64Array,
  /** Doubles that were a list of numbers, and become one again. */
  list: Float64Array,
};
type Kind = keyof typeof KINDS;
type Numbers = InstanceType<(typeof KINDS)[Kind]>;

const whole8 = (bytes: number): number => Math.ceil(bytes / 8) * 8;

/**
 * The bytes of a tree of plain objects, lists, strings, numbers and typed arrays; all of them come back equal from
 * {@link unpack}, but for typed arrays of other kinds, which come back as doubles. No key may begin with `$`.
 *
 * @throws OutOfMemoryError
 */
export function pack(tree: unknown): ArrayBuffer {
  const parts: { kind: Kind; data: Numbers }[] = [];
  const inJson = (_: string, value: unknown): unknown => {
    const part = partOf(value);
    if (part) return { $part: parts.push(part) - 1 };
    // JSON has no words for these.
    const number = typeof value === 'number' && (!Number.isFinite(value) || Object.is(value, -0));
    return number ? { $number: Object.is(value, -0) ? '-0' : String(value) } : value;
  };
  const text = JSON.stringify(tree, inJson);
  const list = JSON.stringify(parts.map(({ kind, data }) => [kind, data.length]));
  const json = new TextEncoder().encode(`{"parts":${list},"tree":${text}}`);
  const begin = HEAD + whole8(json.length);
  const size = parts.reduce((sum, { data }) => sum + whole8(data.byteLength), begin);
  const bytes = new Uint8Array(hostRoom(size));
  bytes.fill(0x20, HEAD, begin);
  bytes.set(json, HEAD);
  let at = begin;
  for (const { data } of parts) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += whole8(data.byteLength);
  }
  bytes.set(new TextEncoder().encode(MAGIC));
  const head = new DataView(bytes.buffer);
  head.setUint32(8, FORMAT, true);
  head.setFloat64(16, size, true);
  head.setUint32(24, begin - HEAD, true);
  head.setUint32(12, crc32(bytes.subarray(16)), true);
  return bytes.buffer;
}

function partOf(value: unknown): { kind: Kind; data: Numbers } | undefined {
  if (ArrayBuffer.isView(value)) {
    const kind = (Object.keys(KINDS) as Kind[]).find((name) => value instanceof KINDS[name]);
    return kind ? { kind, data: value as Numbers } : { kind: 'f64', data: Float64Array.from(value as Uint8Array) };
  }
  if (!Array.isArray(value) || value.length <= SHORT || !value.every((one) => typeof one === 'number'))
    return undefined;
  return { kind: 'list', data: Float64Array.from(value) };
}

const damaged = (what: string, cause?: unknown): FileError =>
  new FileError(`the saved simulation is damaged: ${what}; save it, or copy the file, again`, { cause });

/**
 * The tree that was packed. Nothing of it shares memory with `saved`.
 *
 * @throws FileError saying whether it is something else, of another version, cut short or damaged
 */
export function unpack(saved: ArrayBuffer | ArrayBufferView): unknown {
  const bytes = ArrayBuffer.isView(saved)
    ? new Uint8Array(saved.buffer, saved.byteOffset, saved.byteLength)
    : new Uint8Array(saved);
  const json = bytes.subarray(HEAD, HEAD + checkHead(bytes));
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(json);
    // The parts are looked at first: what stands in the tree refers to them.
    const { parts: claimed } = JSON.parse(text) as { parts: [Kind, number][] };
    const parts = readParts(bytes, HEAD + json.length, claimed);
    const fromJson = (_: string, value: { $part?: number; $number?: string } | null): unknown => {
      if (typeof value !== 'object' || value === null) return value;
      if (value.$number !== undefined) return Number(value.$number);
      if (value.$part === undefined) return value;
      if (!parts[value.$part]) throw damaged(`it has no part ${value.$part}`);
      return parts[value.$part];
    };
    return (JSON.parse(text, fromJson) as { tree: unknown }).tree;
  } catch (error) {
    if (error instanceof FileError) throw error;
    throw damaged(error instanceof Error ? error.message : String(error), error);
  }
}

/** Gives how many bytes the JSON has. */
function checkHead(bytes: Uint8Array): number {
  const begin = String.fromCharCode(...bytes.subarray(0, MAGIC.length));
  const cut = (of = ''): FileError =>
    new FileError(`the saved simulation is cut short: ${bytes.length} bytes${of}; save it, or copy the file, again`);
  if (begin !== MAGIC) {
    if (begin !== '' && MAGIC.startsWith(begin)) throw cut();
    throw new FileError('not a saved simulation: it does not begin as one does; give what simulation.save() gave');
  }
  if (bytes.length < HEAD) throw cut();
  const head = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const format = head.getUint32(8, true);
  if (format !== FORMAT) {
    const remedy = 'restore it with the version of somagpu that saved it';
    throw new FileError(`a simulation saved in format ${format}, and this version reads format ${FORMAT}; ${remedy}`);
  }
  const size = head.getFloat64(16, true);
  if (bytes.length < size) throw cut(` of ${size}`);
  if (head.getUint32(12, true) !== crc32(bytes.subarray(16))) throw damaged('its checksum is not that of its bytes');
  const json = head.getUint32(24, true);
  if (size !== bytes.length || json % 8 !== 0 || json > size - HEAD) throw damaged('its sizes do not fit together');
  return json;
}

function readParts(bytes: Uint8Array, begin: number, claimed: readonly [Kind, number][]): (Numbers | number[])[] {
  let at = begin;
  const parts = claimed.map(([kind, length]) => {
    const from = at;
    const size = Object.hasOwn(KINDS, kind) ? length * KINDS[kind].BYTES_PER_ELEMENT : Number.NaN;
    at += whole8(size);
    // Before any memory is given.
    if (!(Number.isInteger(length) && length >= 0 && at <= bytes.length)) throw damaged('a part does not fit into it');
    return () => {
      const data = new KINDS[kind](bytes.slice(from, from + size).buffer);
      return kind === 'list' ? Array.from(data) : data;
    };
  });
  if (at !== bytes.length) throw damaged('its parts do not fill it');
  return parts.map((read) => read());
}
