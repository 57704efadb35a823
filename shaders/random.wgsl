// What noise is made of: a law gets 32 random bits a neuron, which serve it for two steps, an even one and the odd one after
// it. Where they come from is philox.wgsl's affair.

// What sets the numbers of one input of one population apart from all others.
struct Source {
  seed: u32,     // 0 word, by host: the simulation's
  stream: u32,   // 0 word, by host: of the population's name, or of that of the noise it shares
  input: u32,    // 0 word, by host: which of the population's inputs
  own: u32,      // 1 word, by host: 1 where each neuron has its own numbers, 0 where all have the same
}

// A normal number of mean 0 and sd 1 (Box, Muller 1958, doi.org/10.1214/aoms/1177706645): 18 bits give a radius, up to
// 5.1, and 14 an angle. The even step has its cosine, the odd one, a quarter turn on, its sine: they are independent.
fn normal(drawn: bits, n: u32) -> lane {
  // Bits below an exponent are a number in [1, 2): exact, and cheaper than a conversion. The radius's is moved to the
  // middle of its 2^-18, off 0, and stays so far below 1 that WGSL's log (to 2^-21) is negative.
  let u = bitcast<lane>(((drawn >> bits(14u)) << bits(5u)) | bits(0x3f800000u)) - 0.9999980926513672;
  let turned = (drawn << bits(18u)) + bits(0x20000u + ((n & 1u) << 30u));
  let turn = bitcast<lane>((turned >> bits(9u)) | bits(0x3f800000u));
  // Within [-pi, pi], where WGSL vouches for cos.
  return sqrt(-2.0 * log(u)) * cos(turn * 6.283185307179586 - 9.42477796076938);
}

// A number evenly in (0, 1): the odd step has the halves swapped. As an event wants both halves small where it is rare,
// and all 32 bits count, the two steps are independent to 2^-16 at least, and each is as even as the bits.
fn even(drawn: bits, n: u32) -> lane {
  let swapped = (drawn << bits(16u)) | (drawn >> bits(16u));
  return lane(select(drawn, swapped, (n & 1u) == 1u)) * 2.3283064365386963e-10 + 1.1641532182693481e-10;
}
