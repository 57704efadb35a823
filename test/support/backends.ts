// Where the engine's tests run: one entry a path that computes. Whatever a test opens is closed when it ends, and an
// error that the GPU reported to nobody fails it.

import { afterAll, onTestFinished } from 'vitest';
import { Simulation, type SimulationOptions } from '../../src/index.ts';
import { findAdapter } from '../../src/node.ts';

export type OpenOptions = Omit<SimulationOptions, 'backend' | 'adapter'>;

/** A path that computes. */
export interface TestBackend {
  name: 'webgpu' | 'cpu';
  /** Opens a simulation for the test that is running; no adapter is a failure, never a skip. */
  open(options?: OpenOptions): Promise<Simulation>;
}

interface Watched {
  device: GPUDevice;
  /** What it complained of, uncaught. */
  complaints: string[];
}

async function watched(): Promise<Watched> {
  const adapter = await findAdapter();
  const { maxStorageBufferBindingSize, maxBufferSize } = adapter.limits;
  const device = await adapter.requestDevice({ requiredLimits: { maxStorageBufferBindingSize, maxBufferSize } });
  const complaints: string[] = [];
  device.addEventListener('uncapturederror', (event) =>
    complaints.push((event as GPUUncapturedErrorEvent).error.message),
  );
  return { device, complaints };
}

/** Fails the test that is running if the device complains uncaught before it ends. */
function watchTest({ device, complaints }: Watched, atEnd: () => void = () => {}): GPUDevice {
  onTestFinished(async () => {
    // Complaints arrive with the work that caused them; a device the test itself has lost gives no sign any more.
    await Promise.race([device.queue.onSubmittedWorkDone(), device.lost]);
    atEnd();
    const said = complaints.splice(0);
    if (said.length > 0) throw new Error(`uncaptured GPU errors:\n${said.join('\n')}`);
  });
  return device;
}

/** A device of the test's own; the test fails if the device complains uncaught before it ends. */
export async function openDevice(): Promise<GPUDevice> {
  const own = await watched();
  return watchTest(own, () => own.device.destroy());
}

let shared: Promise<Watched> | undefined;
afterAll(async () => (await shared)?.device.destroy());

// Forgotten where it is lost or could not be made: that is one test's failure, not that of all that follow.
function share(): Promise<Watched> {
  const made = watched();
  const forget = () => {
    if (shared === made) shared = undefined;
  };
  made.then(({ device }) => device.lost.then(forget), forget);
  return made;
}

/**
 * The one that all tests of a file have, as pages have one: what one has compiled need not be compiled by the next. What
 * its schedule has learned of its speed goes along, so how long blocks are depends on the order of the tests, which no
 * result may depend on.
 */
export async function sharedDevice(): Promise<GPUDevice> {
  shared ??= share();
  return watchTest(await shared);
}

async function opened(options: SimulationOptions): Promise<Simulation> {
  const simulation = await Simulation.create(options);
  onTestFinished(() => simulation.dispose());
  return simulation;
}

export const backends: readonly TestBackend[] = [
  {
    name: 'webgpu',
    open: async (options) =>
      opened({ ...options, backend: 'webgpu', device: options?.device ?? (await sharedDevice()) }),
  },
  { name: 'cpu', open: (options) => opened({ ...options, backend: 'cpu' }) },
];

/** A saved simulation on a path; closed when the test ends. */
export async function restored({ name }: TestBackend, saved: ArrayBuffer | ArrayBufferView): Promise<Simulation> {
  const device = name === 'webgpu' ? await sharedDevice() : undefined;
  const simulation = await Simulation.restore(saved, { backend: name, device });
  onTestFinished(() => simulation.dispose());
  return simulation;
}
