// Izhikevich's simple model: four numbers make it a regular-spiking, bursting, chattering or fast-spiking neuron.
// Izhikevich 2003, IEEE Trans. Neural Netw. 14(6), doi.org/10.1109/TNN.2003.820440, izhikevich.org/publications/spikes.pdf
// As printed there: the membrane's steps are halved, "for numerical stability"; one pA is one unit of its current.
struct Parameters {
  a: lane,       // 0.02 1/ms: how fast the recovery follows
  b: lane,       // 0.2 1/ms: how strongly the recovery follows the potential
  c: lane,       // -65 mV: potential right after a spike
  d: lane,       // 8 mV/ms: recovery added by a spike
  peak: lane,    // 30 mV: potential from which on a spike is counted
}

struct State {
  potential: lane,   // -65 mV: membrane potential
  recovery: lane,    // -13 mV/ms: recovery of the membrane, u
}

struct Constants {
  half: f32,
  dt: f32,
  a: lane,
  b: lane,
  c: lane,
  d: lane,
  peak: lane,
}

fn prepare(p: Parameters, dt: f32) -> Constants {
  return Constants(0.5 * dt, dt, p.a, p.b, p.c, p.d, p.peak);
}

fn quadratic(v: lane) -> lane {
  return 0.04 * v * v + 5.0 * v + 140.0;
}

fn drift(c: Constants, s: State) -> lane {
  return quadratic(s.potential);
}

// The paper's script looks for spikes at the beginning of a step, this one at its end: the same steps, told one earlier.
fn advance(c: Constants, s: ptr<function, State>, drift: lane, current: lane) -> flag {
  let u = (*s).recovery;
  let v = (*s).potential + c.half * (drift - u + current);
  // Far above the peak, and no further: the recovery sees it, and has to stay a number whatever the current is.
  let moved = min(v + c.half * (quadratic(v) - u + current), lane(1e4));
  let spike = moved >= c.peak;
  let recovered = u + c.dt * c.a * (c.b * moved - u);
  (*s).potential = select(moved, c.c, spike);
  (*s).recovery = select(recovered, recovered + c.d, spike);
  return spike;
}
