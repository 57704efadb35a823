// Traces: before the main dispatch, the lanes that hold recorded neurons are simulated once more, read-only, and one
// state is stored every so many steps. The main loop has no branch for it: a branch there costs a third of the speed.
struct Sampling {
  lanes: u32,    // recorded lanes, the length of `traced`
  every: u32,    // steps between samples, of steps divisible by it
}

@group(0) @binding(3) var<storage, read> states: array<lane>;
@group(0) @binding(4) var<storage, read> traced: array<u32>;
@group(0) @binding(5) var<storage, read_write> samples: array<lane>;
@group(0) @binding(7) var<uniform> sampling: Sampling;

@compute @workgroup_size(64)
fn trace(@builtin(global_invocation_id) id: vec3u) {
  let slot = block.start + id.x;
  let lanes = sampling.lanes;
  if (slot >= lanes) {
    return;
  }
  let i = traced[slot];
  let stride = block.stride;
  let first = block.first;
  let steps = block.steps;
  let every = sampling.every;
  let constants = prepare(load_parameters(i, stride), block.dt);
  let inputs = load_inputs(i, stride);
  var running: Running;
  var state = load_states(i, stride, &running);
  var row = slot;
  for (var k = 0u; k < steps; k++) {
    advance(constants, &state, drift(constants, state), current(inputs, &running, first + k, k, i, stride));
    if ((first + k) % every == 0u) {
      samples[row] = observe(state);
      row += lanes;
    }
  }
}
