// Where in its cycle a periodic current is, in 2^-64 turns: exact in all 2^32 steps, where a float32 phase would have
// drifted after some thousands, and fine enough for the edges of pulses however long their period is.
struct Cycle {
  turn: u32,       // 0 turns, by host: how far a step goes, in 2^-32 turns
  finer: u32,      // 0 turns, by host: and how much further, in 2^-64
  finest: u32,     // 0 turns, by host: and in 2^-96
  origin: u32,     // 0 turns, by host: where it begins, in 2^-32
  remainder: u32,  // 0 turns, by host: and how much further, in 2^-64
}

struct Phase {
  turn: u32,    // in 2^-32
  finer: u32,   // in 2^-64
}

// After n steps.
fn phase(c: Cycle, n: u32) -> Phase {
  let below = n * c.finer;
  let sum = below + high_part(n, c.finest);
  let finer = sum + c.remainder;
  let carry = select(0u, 1u, sum < below) + select(0u, 1u, finer < sum);
  return Phase(c.origin + n * c.turn + high_part(n, c.finer) + carry, finer);
}

// The high 32 bits of a product, as in philox.wgsl, there of four neurons.
fn high_part(a: u32, b: u32) -> u32 {
  let low = a & 0xffffu;
  let high = a >> 16u;
  let last = high * (b & 0xffffu);
  let sum = low * (b >> 16u) + ((low * (b & 0xffffu)) >> 16u) + last;
  return high * (b >> 16u) + (sum >> 16u) + select(0u, 0x10000u, sum < last);
}
