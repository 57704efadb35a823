// The fused loop: a thread owns one lane of neurons, loads it, makes block.steps steps in registers and stores it.
// Spikes leave as words: one word a neuron and 32 steps, bit k for the k-th of them. No atomics, nothing to overflow.
// Beside this text stand the aliases lane, flag and bits, the soma, the inputs, and the generated loaders and storers.
@group(0) @binding(3) var<storage, read_write> states: array<lane>;
@group(0) @binding(4) var<storage, read_write> words: array<bits>;
@group(0) @binding(5) var<storage, read_write> counts: array<bits>;

@compute @workgroup_size(64)
fn simulate(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  let stride = block.stride;
  if (i >= stride) {
    return;
  }
  // Read before the loop: a uniform read inside it costs a third of the speed.
  let first = block.first;
  let steps = block.steps;
  let parameters = load_parameters(i, stride);
  let constants = prepare(parameters, block.dt);
  let inputs = load_inputs(i, stride);
  var running: Running;
  var state = load_states(i, stride, &running);
  var kept = load_statistics(i, stride);
  var fired = counts[i];
  var k = 0u;
  for (var row = i; k < steps; row += stride) {
    let from_step = k;
    let to_step = min(k + 32u, steps);
    var word = bits();
    var bit = 1u;
    var gathered = gathering_of(kept, state, parameters);
    for (; k < to_step; k++) {
      let spike = advance(constants, &state, drift(constants, state), current(inputs, &running, first + k, k, i, stride));
      gather_states(&gathered, state, parameters);
      word |= select(bits(), bits(bit), spike);
      // A sum, where software Vulkan would shift each neuron's by itself.
      bit += bit;
    }
    words[row] = word;
    kept = merged_with(kept, gathered, f32(k - from_step));
    fired += countOneBits(word);
  }
  counts[i] = fired;
  store_states(i, stride, state, running);
  store_statistics(i, stride, kept);
}
