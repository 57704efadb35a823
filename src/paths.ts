// Which path runs a simulation: a GPU through WebGPU, or the processor. The choice and the words for its reason are
// here, and nowhere else.

import { adapterHere, isSoftware } from './adapter.ts';
import type { Backend } from './backend.ts';
import type { CpuOptions } from './cpu.ts';
import type { DeviceOptions, Tuning } from './device.ts';
import { InputError, NoBackendError } from './errors.ts';

/** `auto` takes a hardware GPU where WebGPU reaches one, else the processor; software Vulkan only goes by name. */
export type Path = 'auto' | 'webgpu' | 'cpu';

export type PathOptions = DeviceOptions & CpuOptions;

/** A path that was opened, and why this one. */
export interface Opened {
  backend: Backend;
  reason: string;
}

/** More threads than any machine runs at once. */
const MOST_WORKERS = 1024;

const PATHS: readonly Path[] = ['auto', 'webgpu', 'cpu'];

/** Opens a path. @throws InputError for an unknown name or wrong options, NoBackendError where it is not here */
export async function openPath(path: Path, options: PathOptions): Promise<Opened> {
  const { workers, device, adapter } = options;
  if (!PATHS.includes(path)) throw new InputError('backend', path, 'unknown backend', `known: ${PATHS.join(', ')}`);
  if (workers !== undefined && !(Number.isInteger(workers) && workers >= 0 && workers <= MOST_WORKERS)) {
    const remedy = `give a whole number up to ${MOST_WORKERS}, 0 for the calling thread`;
    throw new InputError('workers', workers, 'is no number of threads', remedy);
  }
  checkTuning(options.tuning ?? {});
  if (path === 'cpu') return { backend: await openCpu(options), reason: 'asked for by name' };
  if (path === 'webgpu') return { backend: await openWebGpu(options), reason: 'asked for by name' };
  if (device) return { backend: await openWebGpu(options), reason: "the host's device" };
  const found = adapter === undefined ? await adapterHere().catch(() => null) : adapter;
  if (!found) return { backend: await openCpu(options), reason: noGpu(adapter) };
  if (isSoftware(found)) {
    return {
      backend: await openCpu(options),
      reason: 'the only GPU here is one in software, slower than the processor itself',
    };
  }
  try {
    return { backend: await openWebGpu({ ...options, adapter: found }), reason: 'a GPU in hardware' };
  } catch (error) {
    if (!(error instanceof NoBackendError)) throw error;
    return { backend: await openCpu(options), reason: `the GPU cannot be used: ${error.message}` };
  }
}

// Only the path that runs is loaded.
const openCpu = async (options: CpuOptions): Promise<Backend> => (await import('./cpu.ts')).openCpu(options);
const openWebGpu = async (options: DeviceOptions): Promise<Backend> =>
  (await import('./webgpu.ts')).openWebGpu(options);

function noGpu(adapter: GPUAdapter | null | undefined): string {
  const node = globalThis.process?.versions?.node !== undefined;
  if (node && adapter === undefined) return 'no GPU was given; in Node, findHardware() of somagpu/node looks for one';
  return 'no GPU in hardware that WebGPU reaches';
}

function checkTuning(tuning: Tuning): void {
  for (const key of ['blockSteps', 'chunk', 'maxBinding'] as const) {
    const value: unknown = tuning[key];
    if (value === undefined || (Number.isInteger(value) && (value as number) >= 1)) continue;
    throw new InputError(`tuning.${key}`, value, 'is no size', 'give a whole number from 1 on, or leave it out');
  }
}
