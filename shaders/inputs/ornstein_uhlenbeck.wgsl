// A current that wanders around its mean and forgets where it was: the Ornstein-Uhlenbeck process, by its exact update
// (Gillespie 1996, doi.org/10.1103/PhysRevE.54.2084), so right for any dt / tau. It starts as it goes on.
struct OrnsteinUhlenbeck {
  mean: lane,     // 0 pA: mean
  sd: lane,       // required pA, >= 0: standard deviation
  tau: lane,      // required ms, > 0, on host: correlation time
  decay: lane,    // 0 share, by host: what is left of a deviation after a step, exp(-dt / tau)
  spread: lane,   // 0 share, by host: what is drawn anew in a step, sqrt(1 - decay^2)
  source: Source,
}

struct OrnsteinUhlenbeckState {
  deviation: lane,   // normal sd: how many standard deviations it is off its mean
}

fn ornstein_uhlenbeck(p: OrnsteinUhlenbeck, s: ptr<function, OrnsteinUhlenbeckState>, n: u32, drawn: bits) -> lane {
  let current = p.mean + p.sd * (*s).deviation;
  (*s).deviation = p.decay * (*s).deviation + p.spread * normal(drawn, n);
  return current;
}
