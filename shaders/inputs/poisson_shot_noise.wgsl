// Events at random moments, each of which lets the current jump by weight and decay (a synapse without a sender). How many
// fall into a step is a Poisson number, so more than one may.
struct PoissonShotNoise {
  rate: lane,       // required Hz, >= 0, on host: events a second, up to 5 a step
  weight: lane,     // required pA, on host: how far an event lets the current jump
  tau: lane,        // required ms, > 0, on host: time constant of its decay
  loss: lane,       // 0 share, by host: what is lost in a step, 1 - exp(-dt / tau)
  kick: lane,       // 0 pA, by host: mean over its first step of what an event brings, so that it brings weight * tau in all
  expected: lane,   // 0 events, by host: in a step
  none: lane,       // 1 share, by host: of steps without an event, exp(-expected)
  some: lane,       // 0 share, by host: of those with any, 1 - none
  most: u32,        // 0 events, by host: more than so many in a step have a probability below 2^-33
  source: Source,
}

struct PoissonShotNoiseState {
  current: lane,   // 0 pA: current left of earlier events
}

// By inversion: there are more than k events where an even number is below the probability of that. Small numbers mean
// many events, because float32 is finest there.
fn poisson_shot_noise(p: PoissonShotNoise, s: ptr<function, PoissonShotNoiseState>, n: u32, drawn: bits) -> lane {
  let u = even(drawn, n);
  var exactly = p.none;
  var more = p.some;
  var events = lane();
  for (var k = 1u; k <= p.most && any(u < more); k++) {
    events += select(lane(), lane(1.0), u < more);
    exactly *= p.expected * (1.0 / f32(k));
    more -= exactly;
  }
  // What has decayed to nothing is nothing: processors are slow with subnormal numbers.
  let left = (*s).current - p.loss * (*s).current;
  let current = select(lane(), left, abs(left) > lane(1e-20)) + p.kick * events;
  (*s).current = current;
  return current;
}
