// The exponential integrate-and-fire neuron (EIF).
// Fourcaud-Trocmé, Hansel, van Vreeswijk, Brunel 2003, J. Neurosci. 23(37), jneurosci.org/content/23/37/11628;
// Gerstner, Kistler, Naud, Paninski: Neuronal Dynamics, chapter 5.2, neuronaldynamics.epfl.ch/online/Ch5.S2.html
struct Parameters {
  membrane: Membrane,
}

struct State {
  potential: lane,   // potential_rest mV, from potential_rest: membrane potential
}

struct Constants {
  membrane: MembraneConstants,
}

fn prepare(p: Parameters, dt: f32) -> Constants {
  return Constants(membrane(p.membrane, dt));
}

fn drift(c: Constants, s: State) -> lane {
  return intrinsic(c.membrane, s.potential);
}

fn advance(c: Constants, s: ptr<function, State>, drift: lane, current: lane) -> flag {
  let m = c.membrane;
  (*s).potential += m.scale * (drift + m.resistance * current);
  let spike = (*s).potential > m.threshold;
  (*s).potential = after_spike(m, (*s).potential, spike);
  return spike;
}
