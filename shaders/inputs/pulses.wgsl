// A current that is on for a while, again and again, from start to stop.
struct Pulses {
  amplitude: lane,    // required pA: current while it is on
  width: f32,         // required ms, > 0, on host: how long each pulse lasts
  period: f32,        // required ms, > 0, on host: from the beginning of one to that of the next
  start: u32,         // 0 ms: when the first begins
  stop: u32,          // end ms: first moment it is off for good
  share: u32,         // 0 turns, by host: how long each lasts, in 2^-32 periods
  share_finer: u32,   // 0 turns, by host: and how much longer, in 2^-64
  cycle: Cycle,
}

fn pulses(p: Pulses, n: u32) -> lane {
  let at = phase(p.cycle, n - p.start);
  let on = at.turn < p.share || (at.turn == p.share && at.finer < p.share_finer);
  return select(lane(), p.amplitude, on && n >= p.start && n < p.stop);
}
