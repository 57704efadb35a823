// The membrane every exponential soma has: leak, spike onset, reset.
// Fourcaud-Trocmé, Hansel, van Vreeswijk, Brunel 2003, J. Neurosci. 23(37), jneurosci.org/content/23/37/11628;
// Gerstner, Kistler, Naud, Paninski: Neuronal Dynamics, chapter 5.2, neuronaldynamics.epfl.ch/online/Ch5.S2.html
struct Membrane {
  potential_rest: lane,       // -70 mV: membrane rest potential
  potential_reset: lane,      // -51 mV: potential right after a spike
  potential_tau: lane,        // 5 ms, > 0, >= dt: membrane time constant
  resistance: lane,           // 0.5 GOhm: membrane resistance
  threshold: lane,            // -30 mV: potential beyond which a spike is counted
  rheobase_threshold: lane,   // -50 mV: potential around which the exponential takes over
  spike_slope: lane,          // 2 mV, > 0, <= 1000: sharpness of the spike onset
}

// What a step needs of it. Potentials are relative to potential_rest.
struct MembraneConstants {
  reset: lane,
  scale: lane,
  resistance: lane,
  threshold: lane,
  rheobase: lane,
  slope: lane,
}

fn membrane(p: Membrane, dt: f32) -> MembraneConstants {
  return MembraneConstants(
    p.potential_reset - p.potential_rest,
    dt / p.potential_tau,
    p.resistance,
    p.threshold - p.potential_rest,
    p.rheobase_threshold - p.potential_rest,
    p.spike_slope,
  );
}

// Leak and spike onset, mV: what a soma's drift is. It alone waits for an exponential, so a processor computes it for many
// neurons before it goes on with them. The exponent is capped because WGSL may assume that infinities never occur
// (section 15.7.2 of its specification); exp(80) mV is far beyond any threshold for any slope of a cell.
fn intrinsic(m: MembraneConstants, v: lane) -> lane {
  let x = (v - m.rheobase) / m.slope;
  return -v + m.slope * exp(select(x, lane(80.0), x > lane(80.0)));
}

// A select, not a product: 0 * inf would be NaN for ever.
fn after_spike(m: MembraneConstants, v: lane, spike: flag) -> lane {
  return select(v, m.reset, spike);
}
