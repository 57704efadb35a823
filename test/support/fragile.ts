// Paths whose device is the engine's own, and is really destroyed when a test says so.

import type { Worker } from 'node:worker_threads';
import { onTestFinished } from 'vitest';
import { Simulation, type SimulationOptions } from '../../src/index.ts';
import { findAdapter } from '../../src/node.ts';

/** A path whose device is the engine's own, and what makes the one in use go away. */
export interface Fragile {
  name: 'webgpu' | 'cpu';
  /** @param onBlock - called after each block that a device, or a worker, is given */
  open(options?: SimulationOptions, onBlock?: () => void): Promise<{ simulation: Simulation; lose: () => void }>;
}

/** Closed when the test ends. */
export async function opened(options: SimulationOptions): Promise<Simulation> {
  const simulation = await Simulation.create({ dt: 0.1, seed: 5, ...options });
  onTestFinished(() => simulation.dispose());
  return simulation;
}

/**
 * A list that the workers come into which this process makes from now on, until the test ends.
 *
 * @param onBlock - called after each block that one of them is given
 */
export function newWorkers(onBlock = () => {}): Worker[] {
  const workers: Worker[] = [];
  const listen = (worker: Worker) => {
    watchWorker(worker, onBlock);
    workers.push(worker);
  };
  process.on('worker', listen);
  onTestFinished(() => {
    process.off('worker', listen);
  });
  return workers;
}

/** What the engine gives a device besides blocks. */
const OTHERS = ['somagpu read', 'somagpu clear counts'];

function watchDevice(device: GPUDevice, onBlock: () => void): void {
  const { createCommandEncoder } = device;
  device.createCommandEncoder = (descriptor) => {
    // Once it is submitted.
    if (!OTHERS.includes(descriptor?.label ?? '')) queueMicrotask(onBlock);
    return createCommandEncoder.call(device, descriptor);
  };
}

function watchWorker(worker: Worker, onBlock: () => void): void {
  const { postMessage } = worker;
  worker.postMessage = (message, transfer) => {
    postMessage.call(worker, message, transfer);
    if (message.request.name === 'advance') onBlock();
  };
}

export const fragile: readonly Fragile[] = [
  {
    name: 'webgpu',
    open: async (options, onBlock = () => {}) => {
      const devices: GPUDevice[] = [];
      const adapter = async () => {
        const found = await findAdapter();
        const { requestDevice } = found;
        found.requestDevice = async (descriptor) => {
          const device = await requestDevice.call(found, descriptor);
          watchDevice(device, onBlock);
          devices.push(device);
          return device;
        };
        return found;
      };
      const simulation = await opened({ adapter, backend: 'webgpu', ...options });
      return { simulation, lose: () => devices.at(-1)?.destroy() };
    },
  },
  {
    name: 'cpu',
    open: async (options, onBlock) => {
      const workers = newWorkers(onBlock);
      const simulation = await opened({ backend: 'cpu', workers: 2, ...options });
      return { simulation, lose: () => void workers.pop()?.terminate() };
    },
  },
];
