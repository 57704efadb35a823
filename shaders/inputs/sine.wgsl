// A current that swings: offset + amplitude * sin(2 pi frequency t + phase).
struct Sine {
  amplitude: lane,   // required pA: how far it swings to either side
  offset: lane,      // 0 pA: current around which it swings
  frequency: f32,    // required Hz, on host: swings a second
  phase: f32,        // 0 rad, on host: angle at t = 0
  cycle: Cycle,
}

// The Taylor polynomial's coefficients, moved so that the error is least on a quarter turn: 1.7e-7 with its roundings.
// WGSL's own sin may be off by 2^-11.
const SINE_3 = -0.166666538;
const SINE_5 = 0.00833297987;
const SINE_7 = -0.000198053458;
const SINE_9 = 2.59894387e-6;

fn sine(p: Sine, n: u32) -> lane {
  // From -1/2 to 1/2 turn, which half first; then folded to a quarter turn.
  let turn = f32(phase(p.cycle, n).turn) * 2.3283064365386963e-10;
  let half = select(turn, turn - 0.5, turn >= 0.5);
  let x = 6.283185307179586 * min(half, 0.5 - half);
  let square = x * x;
  let curve = ((SINE_9 * square + SINE_7) * square + SINE_5) * square + SINE_3;
  let wave = x + x * square * curve;
  return p.offset + p.amplitude * select(wave, -wave, turn >= 0.5);
}
