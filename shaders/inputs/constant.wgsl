// A current that never changes.
struct Constant {
  amplitude: lane,   // required pA: current
}

fn constant(p: Constant, n: u32) -> lane {
  return p.amplitude;
}
