// A current that is on from start (included) to stop (not included).
struct Step {
  amplitude: lane,   // required pA: current while it is on
  start: u32,        // 0 ms: first moment it is on
  stop: u32,         // end ms: first moment it is off again
}

fn step(p: Step, n: u32) -> lane {
  return select(lane(), p.amplitude, n >= p.start && n < p.stop);
}
