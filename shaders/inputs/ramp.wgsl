// A current that grows evenly from start to stop, and holds what it has reached then. Before start it is off.
struct Ramp {
  first: lane,   // 0 pA, called from: current at start
  to: lane,      // required pA: current from stop on
  start: u32,    // 0 ms: first moment it is on
  stop: u32,     // required ms: moment it has arrived
}

fn ramp(p: Ramp, n: u32) -> lane {
  let part = f32(n - p.start) / f32(max(p.stop - p.start, 1u));
  let current = select(p.first + (p.to - p.first) * part, p.to, n >= p.stop);
  return select(lane(), current, n >= p.start);
}
