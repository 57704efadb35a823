// The sheet: each neuron a square whose colour is its potential, with an afterglow where it has spiked. Both passes read
// the simulation's own buffers; only the glow is the page's.
struct Look {
  ground: vec4f,
  rest: vec4f,
  middle: vec4f,
  near: vec4f,
  spike: vec4f,
  // Upper left corner of the picture in neurons, neurons a pixel, samples a pixel to either side.
  left: f32,
  top: f32,
  per_pixel: f32,
  taps: f32,
  // Potentials that have the first and the last colour, mV above rest; what is left of a glow in this frame.
  low: f32,
  high: f32,
  decay: f32,
  gap: f32,
  columns: u32,
  first: u32,
  neurons: u32,
  plane: u32,
}

@group(0) @binding(0) var<uniform> look: Look;
@group(0) @binding(1) var<storage, read> states: array<f32>;
@group(0) @binding(2) var<storage, read> glows: array<u32>;
@group(0) @binding(3) var<storage, read> counts: array<u32>;
@group(0) @binding(4) var<storage, read_write> fading: array<u32>;

// 8 bits of light over 24 of the count of spikes: where that has changed, the neuron has spiked.
@compute @workgroup_size(256)
fn fade(@builtin(global_invocation_id) id: vec3u) {
  let i = id.x;
  if (i >= look.neurons) {
    return;
  }
  let before = fading[i];
  let count = counts[i] & 0xffffffu;
  // Below 0 stands for the first time: spikes of before the picture leave no light.
  let flash = select(0u, 255u, look.decay >= 0.0);
  let light = select(u32(f32(before >> 24u) * look.decay), flash, count != (before & 0xffffffu));
  fading[i] = (light << 24u) | count;
}

@vertex
fn cover(@builtin(vertex_index) i: u32) -> @builtin(position) vec4f {
  return vec4f(f32(i & 1u) * 4.0 - 1.0, f32(i >> 1u) * 4.0 - 1.0, 0.0, 1.0);
}

@fragment
fn paint(@builtin(position) at: vec4f) -> @location(0) vec4f {
  let corner = vec2f(look.left, look.top) + (at.xy - 0.5) * look.per_pixel;
  var potential = 0.0;
  var light = 0.0;
  var hits = 0.0;
  for (var y = 0.5; y < look.taps; y += 1.0) {
    for (var x = 0.5; x < look.taps; x += 1.0) {
      let place = corner + vec2f(x, y) / look.taps * look.per_pixel;
      let cell = vec2i(floor(place));
      if (cell.x < 0 || cell.y < 0 || cell.x >= i32(look.columns)) {
        continue;
      }
      let i = u32(cell.y) * look.columns + u32(cell.x) - look.first;
      if (i >= look.neurons) {
        continue;
      }
      let edge = abs(fract(place) - 0.5);
      if (max(edge.x, edge.y) > 0.5 - look.gap) {
        continue;
      }
      potential += states[look.plane + i];
      light = max(light, f32(glows[i] >> 24u) / 255.0);
      hits += 1.0;
    }
  }
  if (hits == 0.0) {
    discard;
  }
  let u = clamp((potential / hits - look.low) / (look.high - look.low), 0.0, 1.0) * 2.0;
  let calm = mix(mix(look.rest, look.middle, min(u, 1.0)), look.near, max(u - 1.0, 0.0));
  return mix(calm, look.spike, light);
}
