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
// No shifts: software Vulkan makes them a neuron at a time.
fn normal(drawn: bits, n: u32) -> lane {
  // In the middle of its 2^-18: off 0, and so far below 1 that WGSL's log, good to 2^-21, is negative.
  let u = lane(drawn & bits(0xffffc000u)) * 2.3283064365386963e-10 + 1.9073486328125e-6;
  let turn = lane((drawn + bits((n & 1u) * 0x1000u)) & bits(0x3fffu)) * 6.103515625e-5 - 0.499969482421875;
  // Within [-pi, pi], where WGSL vouches for cos.
  return sqrt(-2.0 * log(u)) * cos(turn * 6.283185307179586);
}

// A number evenly in (0, 1), of all 32 bits; the odd step's is that of an even one's successor in a generator of period
// 2^32 (L'Ecuyer 1999, doi.org/10.1090/S0025-5718-99-00996-5), so that each is as even as the bits, and one tells nothing
// of the other but on its finest lattice.
fn even(drawn: bits, n: u32) -> lane {
  let own = select(drawn, drawn * bits(2891336453u), (n & 1u) == 1u);
  return lane(own) * 2.3283064365386963e-10 + 1.1641532182693481e-10;
}
