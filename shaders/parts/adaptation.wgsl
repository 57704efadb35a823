// A second current, which follows the potential and jumps at every spike.
struct Adaptation {
  adaptation_tau: lane,            // 100 ms, > 0, >= dt: adaptation time constant
  adaptation_delta: lane,          // 7 pA: adaptation current added by a spike
  adaptation_subthreshold: lane,   // 0.5 nS: how strongly adaptation follows the potential
}

// What a step needs of it.
struct AdaptationConstants {
  scale: lane,
  delta: lane,
  subthreshold: lane,
}

fn adaptation_constants(p: Adaptation, dt: f32) -> AdaptationConstants {
  return AdaptationConstants(dt / p.adaptation_tau, p.adaptation_delta, p.adaptation_subthreshold);
}

// The current after a step, of that before it and of the potential after it, which is relative to potential_rest.
fn adapted(c: AdaptationConstants, w: lane, v: lane, spike: flag) -> lane {
  return w + (c.scale * (-w + c.subthreshold * v) + select(lane(), c.delta, spike));
}
