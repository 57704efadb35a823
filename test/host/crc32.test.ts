import { crc32 as zlibs } from 'node:zlib';
import { expect, test } from 'vitest';
import { crc32 } from '../../src/files/crc32.ts';
import { philox } from '../../src/random.ts';

test("the checksum is zlib's, wherever bytes begin in memory and however many they are", () => {
  const words = new Uint32Array(64);
  for (let i = 0; i < words.length; i += 4) words.set(philox([i, 0, 0, 0], [1, 2], new Uint32Array(4)), i);
  const memory = new Uint8Array(words.buffer);
  for (let begin = 0; begin < 9; begin++) {
    for (let length = 0; begin + length <= 64; length++) {
      const bytes = memory.subarray(begin, begin + length);
      expect(crc32(bytes), `${length} bytes from ${begin} on`).toBe(zlibs(bytes));
    }
  }
  expect(crc32(memory)).toBe(zlibs(memory));
});
