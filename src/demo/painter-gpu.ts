// Paints the sheet straight from the simulation's buffers; nothing is brought back. It owns the canvas, the glow and its
// two pipelines, and uses the device as a guest.

import type { GpuPopulation, GpuTile } from '../index.ts';
import { type Camera, type Colour, gapOf, type Painter, type Palette, type Range, tapsOf } from './painter.ts';
import code from './sheet.wgsl?raw';

// The constants of the WebGPU specification.
const [UNIFORM, STORAGE, COPY_DST] = [64, 128, 8];
const LOOK_BYTES = 128;

interface Part {
  tile: GpuTile;
  look: GPUBuffer;
  glow: GPUBuffer;
  fading: GPUBindGroup;
  painting: GPUBindGroup;
}

/** The painter of a population; nothing where the page's canvas gives no WebGPU. */
export function gpuPainter({ device, tiles, planes }: GpuPopulation, columns: number): Painter | undefined {
  const canvas = document.createElement('canvas');
  const context = canvas.getContext('webgpu');
  if (!context) return undefined;
  const format = navigator.gpu.getPreferredCanvasFormat();
  context.configure({ device, format, alphaMode: 'opaque' });
  const { fade, paint } = pipelinesOf(device, format);
  const parts = tiles.map((tile): Part => {
    const label = 'somagpu page sheet';
    const look = device.createBuffer({ label, size: LOOK_BYTES, usage: UNIFORM | COPY_DST });
    const glow = device.createBuffer({ label, size: tile.stride * 4, usage: STORAGE | COPY_DST });
    const group = (pipeline: GPUComputePipeline | GPURenderPipeline, buffers: Record<number, GPUBuffer>) =>
      device.createBindGroup({
        label,
        layout: pipeline.getBindGroupLayout(0),
        entries: Object.entries(buffers).map(([binding, buffer]) => ({
          binding: Number(binding),
          resource: { buffer },
        })),
      });
    const fading = group(fade, { 0: look, 3: tile.counts, 4: glow });
    return { tile, look, glow, fading, painting: group(paint, { 0: look, 1: tile.states, 2: glow }) };
  });

  let first = true;

  return {
    canvas,
    paint(camera, palette, range, passed) {
      const decay = first ? -1 : passed;
      first = false;
      for (const { look, tile } of parts) {
        const plane = (planes.potential as number) * tile.stride;
        device.queue.writeBuffer(
          look,
          0,
          lookOf(camera, palette, range, decay ?? 1, [columns, tile.first, tile.neurons, plane]),
        );
      }
      const encoder = device.createCommandEncoder({ label: 'somagpu page sheet' });
      if (decay !== undefined) {
        const pass = encoder.beginComputePass();
        pass.setPipeline(fade);
        for (const { fading, tile } of parts) {
          pass.setBindGroup(0, fading);
          pass.dispatchWorkgroups(Math.ceil(tile.neurons / 256));
        }
        pass.end();
      }
      const [r, g, b] = palette.ground;
      const view = context.getCurrentTexture().createView();
      const pass = encoder.beginRenderPass({
        colorAttachments: [{ view, loadOp: 'clear', storeOp: 'store', clearValue: { r, g, b, a: 1 } }],
      });
      pass.setPipeline(paint);
      for (const { painting } of parts) {
        pass.setBindGroup(0, painting);
        pass.draw(3);
      }
      pass.end();
      device.queue.submit([encoder.finish()]);
    },
    destroy() {
      context.unconfigure();
      for (const { look, glow } of parts) for (const buffer of [look, glow]) buffer.destroy();
    },
  };
}

const pipelines = new WeakMap<GPUDevice, { fade: GPUComputePipeline; paint: GPURenderPipeline }>();

function pipelinesOf(device: GPUDevice, format: GPUTextureFormat) {
  const label = 'somagpu page sheet';
  const found = pipelines.get(device);
  if (found) return found;
  const module = device.createShaderModule({ label, code });
  const made = {
    fade: device.createComputePipeline({ label, layout: 'auto', compute: { module, entryPoint: 'fade' } }),
    paint: device.createRenderPipeline({
      label,
      layout: 'auto',
      vertex: { module, entryPoint: 'cover' },
      fragment: { module, entryPoint: 'paint', targets: [{ format }] },
    }),
  };
  pipelines.set(device, made);
  return made;
}

// struct Look of sheet.wgsl.
function lookOf(
  { left, top, perPixel }: Camera,
  { ground, rest, middle, near, spike }: Palette,
  { low, high }: Range,
  decay: number,
  numbers: readonly number[],
): ArrayBuffer {
  const bytes = new ArrayBuffer(LOOK_BYTES);
  const opaque = (colour: Colour) => [...colour, 1];
  const floats = [...[ground, rest, middle, near, spike].flatMap(opaque), left, top, perPixel, tapsOf(perPixel)];
  new Float32Array(bytes).set([...floats, low, high, decay, gapOf(perPixel)]);
  new Uint32Array(bytes).set(numbers, floats.length + 4);
  return bytes;
}
