// The exponential integrate-and-fire neuron with a refractory period.
// Fourcaud-Trocmé, Hansel, van Vreeswijk, Brunel 2003, J. Neurosci. 23(37), jneurosci.org/content/23/37/11628;
// Gerstner, Kistler, Naud, Paninski: Neuronal Dynamics, chapter 5.2, neuronaldynamics.epfl.ch/online/Ch5.S2.html
struct Parameters {
  membrane: Membrane,
  refractory: Refractory,
}

struct State {
  cooling: Cooling,
}

struct Constants {
  membrane: MembraneConstants,
  cooldown: lane,
}

fn prepare(p: Parameters, dt: f32) -> Constants {
  return Constants(membrane(p.membrane, dt), p.refractory.cooldown);
}

fn drift(c: Constants, s: State) -> lane {
  return intrinsic(c.membrane, s.cooling.potential);
}

fn advance(c: Constants, s: ptr<function, State>, drift: lane, current: lane) -> flag {
  var cooling = (*s).cooling;
  let spike = cool(c.membrane, c.cooldown, &cooling, c.membrane.threshold, drift, current);
  (*s).cooling = cooling;
  return spike;
}
