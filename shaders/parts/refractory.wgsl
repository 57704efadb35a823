// A membrane that takes no input and does not spike while it cools down; leak and spike onset go on.
struct Refractory {
  cooldown: lane,   // 2 ms, >= 0, in steps: refractory period
}

// The part of a state that a cooling membrane owns.
struct Cooling {
  potential: lane,   // potential_rest mV, from potential_rest: membrane potential
  blocked: lane,     // 1 steps, >= 0, whole: steps left in which the soma takes no input and cannot spike
}

fn cool(m: MembraneConstants, cooldown: lane, s: ptr<function, Cooling>, threshold: lane, drift: lane, current: lane) -> flag {
  let ready = (*s).blocked == lane();
  (*s).potential += m.scale * (drift + select(lane(), m.resistance * current, ready));
  let spike = ((*s).potential > threshold) & ready;
  (*s).potential = after_spike(m, (*s).potential, spike);
  (*s).blocked = select(max((*s).blocked - 1.0, lane()), cooldown + 1.0, spike);
  return spike;
}
