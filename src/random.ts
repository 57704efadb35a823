// Counter-based random numbers: philox4x32-10 of Salmon, Moraes, Dror, Shaw 2011 (doi.org/10.1145/2063384.2063405).
// A number is a function of what it is for, never of how many were drawn before, so no order of work can change it.

// The high 32 bits of a 32 x 32 bit product, from 16-bit halves, in integers alone: doubles would take twice as long.
function mulHigh(a: number, b: number): number {
  const ah = a >>> 16;
  const al = a & 0xffff;
  const bh = b >>> 16;
  const bl = b & 0xffff;
  const middle = Math.imul(ah, bl);
  const other = Math.imul(al, bh);
  const carried = (middle & 0xffff) + (other & 0xffff) + (Math.imul(al, bl) >>> 16);
  return (Math.imul(ah, bh) + (middle >>> 16) + (other >>> 16) + (carried >>> 16)) | 0;
}

/**
 * Four random words for a counter and a key.
 *
 * @param counter - four u32
 * @param key - two u32
 * @param words - where they go; given back
 * @example
 * ```ts
 * philox([0, 0, 0, 0], [0, 0], new Uint32Array(4)); // 6627e8d5 e169c58d bc57ac4c 9b00dbd8
 * ```
 */
export function philox(counter: ArrayLike<number>, key: ArrayLike<number>, words: Uint32Array): Uint32Array {
  let x0 = (counter[0] ?? 0) | 0;
  let x1 = (counter[1] ?? 0) | 0;
  let x2 = (counter[2] ?? 0) | 0;
  let x3 = (counter[3] ?? 0) | 0;
  let k0 = (key[0] ?? 0) | 0;
  let k1 = (key[1] ?? 0) | 0;
  for (let round = 0; round < 10; round++) {
    const high0 = mulHigh(0xd2511f53 | 0, x0);
    const low0 = Math.imul(0xd2511f53, x0);
    const high1 = mulHigh(0xcd9e8d57 | 0, x2);
    const low1 = Math.imul(0xcd9e8d57, x2);
    x0 = high1 ^ x1 ^ k0;
    x1 = low1;
    x2 = high0 ^ x3 ^ k1;
    x3 = low0;
    k0 = (k0 + 0x9e3779b9) | 0;
    k1 = (k1 + 0xbb67ae85) | 0;
  }
  words[0] = x0;
  words[1] = x1;
  words[2] = x2;
  words[3] = x3;
  return words;
}

/** A u32 that stands for a name in keys and counters: FNV-1a over its UTF-16 code units. */
export function hashName(name: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

/**
 * A source of uniform numbers in (0, 1) for one quantity of one population: `(neuron, draw) => number`.
 * The key is the seed and the population's name; the counter is neuron, draw, the quantity's name and its input's
 * number, and the purpose, so that no two uses share a number.
 */
export function uniforms(
  seed: number,
  population: string,
  purpose: number,
  input: number,
  quantity: string,
): (neuron: number, draw: number) => number {
  const key = [seed, hashName(population)];
  const counter = [0, 0, (hashName(quantity) + input) >>> 0, purpose];
  const words = new Uint32Array(4);
  return (neuron, draw) => {
    counter[0] = neuron;
    counter[1] = draw;
    return ((philox(counter, key, words)[0] as number) + 0.5) / 4294967296;
  };
}
