// A current that wanders around its mean and forgets where it was: the Ornstein-Uhlenbeck process, by its exact update
// (Gillespie 1996, doi.org/10.1103/PhysRevE.54.2084), so right for any dt / tau. It starts as it goes on.
struct OrnsteinUhlenbeck {
  mean: lane,     // 0 pA: mean
  sd: lane,       // required pA, >= 0: standard deviation
  tau: lane,      // required ms, > 0, on host: correlation time
  loss: lane,     // 0 share, by host: what is lost of a deviation in a step, 1 - exp(-dt / tau)
  spread: lane,   // 0 share, by host: what is drawn anew in a step, sqrt(1 - exp(-2 dt / tau))
  source: Source,
}

struct OrnsteinUhlenbeckState {
  deviation: lane,   // normal sd: how many standard deviations it is off its mean
}

fn ornstein_uhlenbeck(p: OrnsteinUhlenbeck, s: ptr<function, OrnsteinUhlenbeckState>, n: u32, drawn: bits) -> lane {
  let current = p.mean + p.sd * (*s).deviation;
  // What is lost, not what is left: near 1 float32 would not know a slow decay.
  (*s).deviation += p.spread * normal(drawn, n) - p.loss * (*s).deviation;
  return current;
}
