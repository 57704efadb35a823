// Where in its cycle a periodic current is, in 2^-32 turns: exact in all 2^32 steps, where a float32 phase would have
// drifted after some thousands.
struct Cycle {
  turn: u32,        // 0 turns, by host: how far a step goes, in 2^-32 turns
  rest_high: u32,   // 0 turns, by host: and how much further, in 2^-48
  rest_low: u32,    // 0 turns, by host: and in 2^-64
  origin: u32,      // 0 turns, by host: where step 0 is, in 2^-32
}

fn turns(c: Cycle, n: u32) -> u32 {
  // The high 32 bits of n * rest, as in philox.wgsl, there of four neurons.
  let low = n & 0xffffu;
  let high = n >> 16u;
  let last = high * c.rest_low;
  let sum = low * c.rest_high + ((low * c.rest_low) >> 16u) + last;
  return c.origin + n * c.turn + high * c.rest_high + (sum >> 16u) + select(0u, 0x10000u, sum < last);
}
