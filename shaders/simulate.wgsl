// The fused loop: a thread owns one lane of neurons, loads it, makes block.steps steps in registers and stores it.
// Spikes leave as words: one word a neuron and 32 steps, bit k for the k-th of them. Nothing to overflow, and no atomics but
// for a mark that only states which are no numbers any more leave: a law of one's own can come to that.
// Beside this text stand the aliases lane, flag and bits, the soma, the inputs, and the generated loaders and storers.
@group(0) @binding(3) var<storage, read_write> states: array<lane>;
@group(0) @binding(4) var<storage, read_write> words: SpikeWords;
@group(0) @binding(5) var<storage, read_write> counts: array<bits>;

struct SpikeWords {
  mark: atomic<u32>,   // block.mark, if some state is infinite or NaN after the block
  @align(16) rows: array<bits>,
}

// By its bits: compilers may assume that there are no such numbers, and fold every comparison.
fn beyond(x: lane) -> flag {
  return (bitcast<bits>(x) & bits(0x7f800000u)) == bits(0x7f800000u);
}

@compute @workgroup_size(64)
fn simulate(@builtin(global_invocation_id) id: vec3u) {
  let i = block.start + id.x;
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
    words.rows[row] = word;
    kept = merged_with(kept, gathered, f32(k - from_step));
    fired += countOneBits(word);
  }
  counts[i] = fired;
  if (store_states(i, stride, state, running)) {
    atomicStore(&words.mark, block.mark);
  }
  store_statistics(i, stride, kept);
}
