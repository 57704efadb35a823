// The refractory exponential neuron whose threshold jumps at each spike and decays back to its base.
// Brette, Gerstner 2005, J. Neurophysiol. 94(5), doi.org/10.1152/jn.00686.2005, without its subthreshold adaptation;
// Gerstner, Kistler, Naud, Paninski: Neuronal Dynamics, chapter 5.2, neuronaldynamics.epfl.ch/online/Ch5.S2.html
struct MovingThreshold {
  threshold_tau: lane,     // 20 ms, > 0: decay time constant of the threshold
  threshold_delta: lane,   // 100 mV: threshold raised by a spike
}

struct Parameters {
  membrane: Membrane,
  refractory: Refractory,
  moving: MovingThreshold,
}

struct State {
  cooling: Cooling,
  threshold: lane,   // threshold mV, from potential_rest: spike threshold
}

struct Constants {
  membrane: MembraneConstants,
  cooldown: lane,
  decay: lane,
  delta: lane,
}

fn prepare(p: Parameters, dt: f32) -> Constants {
  let decay = exp(-dt / p.moving.threshold_tau);
  return Constants(membrane(p.membrane, dt), p.refractory.cooldown, decay, p.moving.threshold_delta);
}

fn drift(c: Constants, s: State) -> lane {
  return intrinsic(c.membrane, s.cooling.potential);
}

fn advance(c: Constants, s: ptr<function, State>, drift: lane, current: lane) -> flag {
  let base = c.membrane.threshold;
  var cooling = (*s).cooling;
  let spike = cool(c.membrane, c.cooldown, &cooling, (*s).threshold, drift, current);
  (*s).cooling = cooling;
  (*s).threshold = base + c.decay * ((*s).threshold - base) + select(lane(), c.delta, spike);
  return spike;
}
