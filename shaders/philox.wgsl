// Random bits: philox4x32-10 of Salmon, Moraes, Dror, Shaw 2011 (doi.org/10.1145/2063384.2063405), the same as
// src/random.ts draws with. A number is a function of what it is for, never of how many were drawn before, so no order of
// work, no cutting of a run and no number of threads can change it.

// Host-side draws have the purposes 1 to 4 (src/parameters.ts).
const NOISE = 5u;

// `word` is one u32 on the GPU; on the CPU it is four of them, for four counters at once.
struct Words {
  a: word,
  b: word,
  c: word,
  d: word,
}

// The high 32 bits of a product: WGSL has no instruction for it, WebAssembly has. `a` comes in halves, and a sum's carry is
// seen by comparing, because software Vulkan shifts each neuron by itself: three shifts instead of five.
fn high_product(a_high: u32, a_low: u32, b: word) -> word {
  let low = b & word(0xffffu);
  let high = b >> word(16u);
  let last = high * a_low;
  let sum = low * a_high + ((low * a_low) >> word(16u)) + last;
  return high * a_high + (sum >> word(16u)) + select(word(), word(0x10000u), sum < last);
}

fn philox(counter: Words, key0: u32, key1: u32) -> Words {
  var x = counter;
  var k0 = key0;
  var k1 = key1;
  for (var round = 0u; round < 10u; round++) {
    let high0 = high_product(0xd251u, 0x1f53u, x.a);
    let high1 = high_product(0xcd9eu, 0x8d57u, x.c);
    let low0 = x.a * 0xd2511f53u;
    let low1 = x.c * 0xcd9e8d57u;
    x.a = high1 ^ x.b ^ word(k0);
    x.b = low1;
    x.c = high0 ^ x.d ^ word(k1);
    x.d = low0;
    k0 += 0x9e3779b9u;
    k1 += 0xbb67ae85u;
  }
  return x;
}

// A call has four words, and it is dear: they go to four neighbours, 4 quad to 4 quad + 3, and last for two steps each,
// n and the other one with the same n / 2.
fn draw(source: Source, n: u32, quad: word) -> Words {
  return philox(Words(quad * source.own, word(n >> 1u), word(source.input), word(NOISE)), source.seed, source.stream);
}
