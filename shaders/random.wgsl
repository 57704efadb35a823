// Random numbers for inputs: philox4x32-10 of Salmon, Moraes, Dror, Shaw 2011 (doi.org/10.1145/2063384.2063405), the same
// as src/random.ts draws with. A number is a function of what it is for, never of how many were drawn before, so no order
// of work, no cutting of a run and no number of threads can change it.

// What sets the numbers of one input of one population apart from all others.
struct Source {
  seed: u32,     // 0 word, by host: the simulation's
  stream: u32,   // 0 word, by host: of the population's name, or of that of the noise it shares
  input: u32,    // 0 word, by host: which of the population's inputs
  own: u32,      // 1 word, by host: 1 where each neuron has its own numbers, 0 where all have the same
}

// Host-side draws have the purposes 1 to 3 (src/parameters.ts).
const NOISE = 4u;

struct Words {
  a: bits,
  b: bits,
  c: bits,
  d: bits,
}

// The high 32 bits of a 32 x 32 bit product, from 16-bit halves, as WGSL has no other.
fn high_product(a: u32, b: bits) -> bits {
  let low = b & bits(0xffffu);
  let high = b >> bits(16u);
  let middle = high * (a & 0xffffu) + ((low * (a & 0xffffu)) >> bits(16u));
  let rest = low * (a >> 16u) + (middle & bits(0xffffu));
  return high * (a >> 16u) + (middle >> bits(16u)) + (rest >> bits(16u));
}

fn philox(counter: Words, key0: u32, key1: u32) -> Words {
  var x = counter;
  var k0 = key0;
  var k1 = key1;
  for (var round = 0u; round < 10u; round++) {
    let high0 = high_product(0xd2511f53u, x.a);
    let high1 = high_product(0xcd9e8d57u, x.c);
    let low0 = x.a * 0xd2511f53u;
    let low1 = x.c * 0xcd9e8d57u;
    x.a = high1 ^ x.b ^ bits(k0);
    x.b = low1;
    x.c = high0 ^ x.d ^ bits(k1);
    x.d = low0;
    k0 += 0x9e3779b9u;
    k1 += 0xbb67ae85u;
  }
  return x;
}

// A normal number of mean 0 and sd 1 for step n (Box, Muller 1958, doi.org/10.1214/aoms/1177706645). The angle is within
// [-pi, pi], where WGSL vouches for cos.
fn normal(source: Source, n: u32, neuron: bits) -> lane {
  let counter = Words(neuron * source.own, bits(n), bits(source.input), bits(NOISE));
  let words = philox(counter, source.seed, source.stream);
  // In (0, 1]: no logarithm of 0.
  let u = lane(words.a) * 2.3283064365386963e-10 + 1.1641532182693481e-10;
  let turn = lane(words.b) * 2.3283064365386963e-10 - 0.5;
  return sqrt(-2.0 * log(min(u, lane(1.0)))) * cos(turn * 6.283185307179586);
}
