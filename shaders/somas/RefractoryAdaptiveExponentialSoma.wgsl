// The adaptive exponential neuron (AdEx) with a refractory period as NEST and BrainPy have it: after a spike the potential
// is held at its reset for exactly the cooldown's steps, while the adaptation goes on.
// Brette, Gerstner 2005, J. Neurophysiol. 94(5), doi.org/10.1152/jn.00686.2005;
// Gerstner, Kistler, Naud, Paninski: Neuronal Dynamics, chapters 5.2 and 6.1, neuronaldynamics.epfl.ch/online/Ch5.S2.html
struct Parameters {
  membrane: Membrane,
  adaptation: Adaptation,
  refractory: Refractory,
}

struct State {
  potential: lane,    // potential_rest mV, from potential_rest: membrane potential
  adaptation: lane,   // 0 pA: adaptation current
  blocked: lane,      // 0 steps, >= 0, whole: steps left in which the soma takes no input and cannot spike
}

struct Constants {
  membrane: MembraneConstants,
  adaptation: AdaptationConstants,
  cooldown: lane,
}

fn prepare(p: Parameters, dt: f32) -> Constants {
  return Constants(membrane(p.membrane, dt), adaptation_constants(p.adaptation, dt), p.refractory.cooldown);
}

fn drift(c: Constants, s: State) -> lane {
  return intrinsic(c.membrane, s.potential);
}

// The order of AdaptiveExponentialSoma, so that without a cooldown it is that one, to the bit.
fn advance(c: Constants, s: ptr<function, State>, drift: lane, current: lane) -> flag {
  let m = c.membrane;
  let held = (*s).blocked > lane();
  (*s).potential += m.scale * (drift - m.resistance * (*s).adaptation + m.resistance * current);
  let spike = ((*s).potential > m.threshold) & !held;
  (*s).potential = after_spike(m, (*s).potential, spike | held);
  (*s).adaptation = adapted(c.adaptation, (*s).adaptation, (*s).potential, spike);
  (*s).blocked = select(max((*s).blocked - 1.0, lane()), c.cooldown, spike);
  return spike;
}
