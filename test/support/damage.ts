// What happens to files on their way: bits flip, ends are missing, parts stand twice or elsewhere, sizes lie. By chance, and
// by chance just where formats keep their sizes.

import fc from 'fast-check';

/** One damage; `at`, `from` and `length` are shares of the file. */
export interface Damage {
  how: 'flip' | 'word' | 'cut' | 'drop' | 'repeat' | 'foreign';
  at: number;
  /** Where it is a field: the zip's record, and the byte in it. */
  record: number;
  offset: number;
  from: number;
  length: number;
  width: 1 | 2 | 4 | 8;
  value: number;
}

/** What sizes and places lie with. */
export const LIES = [
  0,
  1,
  2,
  255,
  65_535,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32 - 1,
  2 ** 32,
  2 ** 53 - 1,
  2 ** 53,
  2 ** 63,
  -1,
];

const share = fc.integer({ min: 0, max: 1000 }).map((part) => part / 1000);

const one: fc.Arbitrary<Damage> = fc.record({
  how: fc.constantFrom('flip', 'flip', 'word', 'word', 'word', 'cut', 'drop', 'repeat', 'foreign'),
  at: share,
  record: fc.nat({ max: 11 }),
  offset: fc.nat({ max: 60 }),
  from: share,
  length: share,
  width: fc.constantFrom(1, 2, 4, 8),
  value: fc.oneof(fc.constantFrom(...LIES), fc.nat({ max: 255 })),
});

/** One damage, or some. */
export const damages: fc.Arbitrary<Damage[]> = fc.array(one, { minLength: 1, maxLength: 4 });

/** Where the records of a zip begin; the beginning of what is none. */
function recordsOf(bytes: Uint8Array): number[] {
  const starts = [...bytes.keys()].filter((i) => bytes[i] === 0x50 && bytes[i + 1] === 0x4b);
  return starts.length > 0 ? starts : [0];
}

/** The bytes with this done to them; `foreign` is another file, parts of which get in between. */
export function damaged(bytes: Uint8Array, done: readonly Damage[], foreign: Uint8Array): Uint8Array {
  return done.reduce<Uint8Array>((before, damage) => damagedOnce(before, damage, foreign), bytes.slice());
}

function damagedOnce(bytes: Uint8Array, damage: Damage, foreign: Uint8Array): Uint8Array {
  const { how, at, from, length, width, value } = damage;
  if (bytes.length === 0) return bytes;
  const place = Math.floor(at * (bytes.length - 1));
  const begin = Math.floor(from * bytes.length);
  const end = begin + Math.ceil(length ** 3 * (bytes.length - begin));
  const joined = (...parts: Uint8Array[]) => Uint8Array.from(parts.flatMap((part) => [...part]));
  switch (how) {
    case 'flip':
      bytes[place] = (bytes[place] as number) ^ (1 << (value & 7));
      return bytes;
    case 'word':
      return withWord(bytes, fieldOf(bytes, damage), width, value);
    case 'cut':
      return bytes.subarray(0, place);
    case 'drop':
      return joined(bytes.subarray(0, begin), bytes.subarray(end));
    case 'repeat':
      return joined(bytes.subarray(0, place), bytes.subarray(begin, end), bytes.subarray(place));
    case 'foreign': {
      const part = foreign.subarray(Math.floor(from * foreign.length));
      return joined(bytes.subarray(0, place), part.subarray(0, Math.ceil(length * part.length)), bytes.subarray(place));
    }
  }
}

function fieldOf(bytes: Uint8Array, { record, offset }: Damage): number {
  const records = recordsOf(bytes);
  return (records[record % records.length] as number) + offset;
}

/** A number of so many bytes, little-endian, in the place of what was there. */
function withWord(bytes: Uint8Array, at: number, width: number, value: number): Uint8Array {
  let rest = BigInt(value);
  for (let i = at; i < at + width && i < bytes.length; i++) {
    bytes[i] = Number(rest & 255n);
    rest >>= 8n;
  }
  return bytes;
}
