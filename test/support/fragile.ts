// Paths whose device is the engine's own, and is really destroyed when a test says so.

import type { Worker } from 'node:worker_threads';
import { onTestFinished } from 'vitest';
import { Simulation, type SimulationOptions } from '../../src/index.ts';
import { findAdapter } from '../../src/node.ts';

/** A path whose device is the engine's own, and what makes the one in use go away. */
export interface Fragile {
  name: 'webgpu' | 'cpu';
  open(options?: SimulationOptions): Promise<{ simulation: Simulation; lose: () => void }>;
}

/** Closed when the test ends. */
export async function opened(options: SimulationOptions): Promise<Simulation> {
  const simulation = await Simulation.create({ dt: 0.1, seed: 5, ...options });
  onTestFinished(() => simulation.dispose());
  return simulation;
}

/** A list that the workers come into which this process makes from now on, until the test ends. */
export function newWorkers(): Worker[] {
  const workers: Worker[] = [];
  const listen = (worker: Worker) => workers.push(worker);
  process.on('worker', listen);
  onTestFinished(() => {
    process.off('worker', listen);
  });
  return workers;
}

export const fragile: readonly Fragile[] = [
  {
    name: 'webgpu',
    open: async (options) => {
      const devices: GPUDevice[] = [];
      const adapter = async () => {
        const found = await findAdapter();
        const { requestDevice } = found;
        found.requestDevice = async (descriptor) => {
          const device = await requestDevice.call(found, descriptor);
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
    open: async (options) => {
      const workers = newWorkers();
      const simulation = await opened({ backend: 'cpu', workers: 2, ...options });
      return { simulation, lose: () => void workers.pop()?.terminate() };
    },
  },
];
