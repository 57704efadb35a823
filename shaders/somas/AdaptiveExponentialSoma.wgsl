// The adaptive exponential integrate-and-fire neuron (AdEx): a second current that follows the potential and every spike.
// Brette, Gerstner 2005, J. Neurophysiol. 94(5), doi.org/10.1152/jn.00686.2005;
// Gerstner, Kistler, Naud, Paninski: Neuronal Dynamics, chapters 5.2 and 6.1, neuronaldynamics.epfl.ch/online/Ch5.S2.html
struct Parameters {
  membrane: Membrane,
  adaptation: Adaptation,
}

struct State {
  potential: lane,    // potential_rest mV, from potential_rest: membrane potential
  adaptation: lane,   // 0 pA: adaptation current
}

struct Constants {
  membrane: MembraneConstants,
  adaptation: AdaptationConstants,
}

fn prepare(p: Parameters, dt: f32) -> Constants {
  return Constants(membrane(p.membrane, dt), adaptation_constants(p.adaptation, dt));
}

// The order is the specification's: adaptation of the step before in the bracket, the reset potential in its own update.
fn drift(c: Constants, s: State) -> lane {
  return intrinsic(c.membrane, s.potential);
}

fn advance(c: Constants, s: ptr<function, State>, drift: lane, current: lane) -> flag {
  let m = c.membrane;
  (*s).potential += m.scale * (drift - m.resistance * (*s).adaptation + m.resistance * current);
  let spike = (*s).potential > m.threshold;
  (*s).potential = after_spike(m, (*s).potential, spike);
  (*s).adaptation = adapted(c.adaptation, (*s).adaptation, (*s).potential, spike);
  return spike;
}
