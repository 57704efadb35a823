// Where in its cycle a periodic current is, in 2^-32 turns: exact in all 2^32 steps, where a float32 phase would have
// drifted after some thousands.
struct Cycle {
  turn: u32,     // 0 turns, by host: how far a step goes, in 2^-32 turns
  rest: u32,     // 0 turns, by host: and how much further, in 2^-64
  origin: u32,   // 0 turns, by host: where step 0 is, in 2^-32
}

fn turns(c: Cycle, n: u32) -> u32 {
  // The high 32 bits of n * rest, from 16-bit halves.
  let middle = (n >> 16u) * (c.rest & 0xffffu) + (((n & 0xffffu) * (c.rest & 0xffffu)) >> 16u);
  let low = (n & 0xffffu) * (c.rest >> 16u) + (middle & 0xffffu);
  return c.origin + n * c.turn + (n >> 16u) * (c.rest >> 16u) + (middle >> 16u) + (low >> 16u);
}
