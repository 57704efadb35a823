// A host with a GPUDevice, a canvas and a render loop of its own. The neurons run on its device, and its pipeline draws
// them straight from the population's buffers: nothing is brought back. See it: `npm run dev`, /examples/render-loop/.

import { AdaptiveExponentialSoma, Simulation, uniform } from 'somagpu';

const SIDE = 64;
/** Model time between two frames, ms, where the GPU keeps up. */
const PER_FRAME = 1;

// What the host has anyway.
const adapter = await navigator.gpu?.requestAdapter();
if (!adapter) throw new Error('this example wants WebGPU');
const device = await adapter.requestDevice();
device.addEventListener('uncapturederror', ({ error }) => console.error(error.message));
const format = navigator.gpu.getPreferredCanvasFormat();
const context = document.querySelector('canvas')?.getContext('webgpu') as GPUCanvasContext;
context.configure({ device, format });

// The neurons: on the host's device, which the engine never destroys.
const simulation = await Simulation.create({ device, seed: 7 });
const cells = simulation.add(AdaptiveExponentialSoma, {
  units: [SIDE, SIDE],
  parameters: { adaptation_delta: uniform(5, 9) },
  input: [{ kind: 'constant', amplitude: uniform(60, 90) }],
});

// The host's own shader: a square for each neuron, blue by its potential, white where it has spiked since the last frame.
const code = /* wgsl */ `
  struct Part { side: u32, first: u32, potential: u32 }
  @group(0) @binding(0) var<uniform> part: Part;
  @group(0) @binding(1) var<storage, read> states: array<f32>;
  @group(0) @binding(2) var<storage, read> counts: array<u32>;
  @group(0) @binding(3) var<storage, read> drawn: array<u32>;

  struct Square { @builtin(position) position: vec4f, @location(0) @interpolate(flat) colour: vec4f }

  @vertex fn place(@builtin(vertex_index) corner: u32, @builtin(instance_index) i: u32) -> Square {
    let neuron = part.first + i;
    let place = vec2f(vec2u(neuron % part.side, neuron / part.side));
    let at = (place + 0.9 * vec2f(vec2u(corner & 1u, corner >> 1u))) / f32(part.side);
    let above_rest = states[part.potential + i];
    let colour = mix(vec3f(0.02, 0.05, 0.2), vec3f(0.2, 0.5, 0.8), saturate(above_rest / 20.0));
    let spiked = counts[i] != drawn[i];
    return Square(vec4f(2 * at.x - 1, 1 - 2 * at.y, 0, 1), vec4f(select(colour, vec3f(1), spiked), 1));
  }

  @fragment fn fill(square: Square) -> @location(0) vec4f { return square.colour; }
`;
const module = device.createShaderModule({ code });
const pipeline = device.createRenderPipeline({
  layout: 'auto',
  vertex: { module, entryPoint: 'place' },
  fragment: { module, entryPoint: 'fill', targets: [{ format }] },
  primitive: { topology: 'triangle-strip' },
});

// The engine's buffers, bound as they are. A very large population has several tiles.
if (!cells.gpu) throw new Error('the simulation runs on no GPU');
const { tiles, planes } = cells.gpu;
const parts = tiles.map((tile) => {
  const part = device.createBuffer({ size: 16, usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST });
  device.queue.writeBuffer(part, 0, Uint32Array.of(SIDE, tile.first, (planes.potential as number) * tile.stride));
  // The counts as they were in the last frame: the host's, because the engine's buffers are only to be read.
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST;
  const drawn = device.createBuffer({ size: tile.counts.size, usage });
  const entries = [part, tile.states, tile.counts, drawn].map((buffer, binding) => ({ binding, resource: { buffer } }));
  const group = device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries });
  return { tile, drawn, group };
});

function draw(): void {
  const encoder = device.createCommandEncoder();
  const view = context.getCurrentTexture().createView();
  const pass = encoder.beginRenderPass({ colorAttachments: [{ view, loadOp: 'clear', storeOp: 'store' }] });
  pass.setPipeline(pipeline);
  for (const { tile, group } of parts) {
    pass.setBindGroup(0, group);
    pass.draw(4, tile.neurons);
  }
  pass.end();
  for (const { tile, drawn } of parts) encoder.copyBufferToBuffer(tile.counts, 0, drawn, 0, drawn.size);
  device.queue.submit([encoder.finish()]);
}

let running: Promise<void> | undefined;
let stopped = false;

// The host's loop waits for nobody. While a run goes on, frames show how far the GPU has come.
function frame(): void {
  draw();
  running ??= simulation.run(PER_FRAME).finally(() => {
    running = undefined;
  });
  if (!stopped) requestAnimationFrame(frame);
}
requestAnimationFrame(frame);

/** For the console, and for the test of this example. */
const host = {
  device,
  simulation,
  cells,
  draw,
  async stop(): Promise<void> {
    stopped = true;
    await running;
  },
};

export type Host = typeof host;

Object.assign(window, { host });
