// The checksum of zip and of saved simulations. Eight bytes a turn, by a table for each of them: a saved million of
// neurons is tens of megabytes, and a page is held while they are summed.

/** Row k: what a byte does to the sum when k more bytes follow it. */
const TABLE = new Uint32Array(8 * 256);
for (let i = 0; i < TABLE.length; i++) {
  let crc = i < 256 ? i : (TABLE[i - 256] as number);
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  TABLE[i] = crc;
}

/** What a word does to the sum when `more` bytes follow its first one. */
const ofWord = (word: number, more: number): number =>
  (TABLE[256 * more + (word & 255)] as number) ^
  (TABLE[256 * more - 256 + ((word >>> 8) & 255)] as number) ^
  (TABLE[256 * more - 512 + ((word >>> 16) & 255)] as number) ^
  (TABLE[256 * more - 768 + (word >>> 24)] as number);

/** The sum after bytes one by one. */
function single(crc: number, bytes: Uint8Array): number {
  for (let i = 0; i < bytes.length; i++) crc = (crc >>> 8) ^ (TABLE[(crc ^ (bytes[i] as number)) & 255] as number);
  return crc;
}

function pairs(crc: number, words: Uint32Array): number {
  for (let i = 0; i < words.length; i += 2) {
    crc = ofWord(crc ^ (words[i] as number), 7) ^ ofWord(words[i + 1] as number, 3);
  }
  return crc;
}

/** CRC-32 of some bytes. */
export function crc32(bytes: Uint8Array): number {
  // Words lie at multiples of their size.
  const before = -bytes.byteOffset & 3;
  const words = 2 * Math.floor((bytes.length - before) / 8);
  if (words <= 0) return ~single(-1, bytes) >>> 0;
  const middle = new Uint32Array(bytes.buffer, bytes.byteOffset + before, words);
  const crc = pairs(single(-1, bytes.subarray(0, before)), middle);
  return ~single(crc, bytes.subarray(before + 4 * words)) >>> 0;
}
