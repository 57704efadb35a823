// The leaky integrate-and-fire neuron (LIF), with a refractory period in which it is held at its reset.
// Gerstner, Kistler, Naud, Paninski: Neuronal Dynamics, chapter 1.3, neuronaldynamics.epfl.ch/online/Ch1.S3.html
struct Parameters {
  rest: lane,         // -65 mV: resting potential
  reset: lane,        // -65 mV: potential right after a spike
  threshold: lane,    // -50 mV: potential from which on a spike is counted
  tau: lane,          // 10 ms, > 0, >= dt: membrane time constant
  resistance: lane,   // 0.1 GOhm: membrane resistance
  cooldown: lane,     // 2 ms, >= 0, in steps: refractory period
}

struct State {
  potential: lane,   // rest mV, from rest: membrane potential
  blocked: lane,     // 0 steps, >= 0, whole: steps left in which the potential is held at its reset
}

// What is the same in all steps. Potentials are relative to rest.
struct Constants {
  scale: lane,
  resistance: lane,
  threshold: lane,
  reset: lane,
  cooldown: lane,
}

fn prepare(p: Parameters, dt: f32) -> Constants {
  return Constants(dt / p.tau, p.resistance, p.threshold - p.rest, p.reset - p.rest, p.cooldown);
}

// What the potential does of itself, mV.
fn drift(c: Constants, s: State) -> lane {
  return -s.potential;
}

// A step of four neurons: true where they spiked.
fn advance(c: Constants, s: ptr<function, State>, drift: lane, current: lane) -> flag {
  let held = (*s).blocked > lane();
  let moved = (*s).potential + c.scale * (drift + c.resistance * current);
  let spike = (moved >= c.threshold) & !held;
  (*s).potential = select(moved, c.reset, spike | held);
  (*s).blocked = select(max((*s).blocked - 1.0, lane()), c.cooldown, spike);
  return spike;
}
