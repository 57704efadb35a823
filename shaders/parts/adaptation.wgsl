// A second current, which follows the potential and jumps at every spike.
struct Adaptation {
  adaptation_tau: lane,            // 100 ms, > 0, >= dt: adaptation time constant
  adaptation_delta: lane,          // 7 pA: adaptation current added by a spike
  adaptation_subthreshold: lane,   // 0.5 nS: how strongly adaptation follows the potential
}
