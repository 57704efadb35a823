// Which path runs a simulation: a GPU through WebGPU, or the processor. The choice and the words for its reason are
// here, and nowhere else.

import { adapterHere, given, isSoftware } from './adapter.ts';
import type { Backend } from './backend.ts';
import type { CpuOptions } from './cpu.ts';
import type { DeviceOptions, Tuning } from './device.ts';
import { InputError, NoBackendError } from './errors.ts';

/** `auto` takes a hardware GPU where WebGPU reaches one, else the processor; software Vulkan only goes by name. */
export type Path = 'auto' | 'webgpu' | 'cpu';

export interface PathOptions extends DeviceOptions, CpuOptions {
  /**
   * Whether a run goes on, with the same bits, where a worker dies or a GPU is lost: `true` by default, as far as that is
   * the engine's to replace, and goes back to where all was well where a state becomes infinite or NaN. `false` keeps
   * nothing to recover from. Of a `device` or `adapter` of your own the loss is yours to mend, but a function as either
   * is asked again.
   */
  recover?: boolean;
}

/** A path that was opened, and why this one. */
export interface Opened {
  backend: Backend;
  reason: string;
  /** Opens the same path anew, where that is the engine's to do. */
  reopen: (() => Promise<Backend>) | undefined;
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
  if (path === 'cpu') return openCpu(options, 'asked for by name');
  if (path === 'webgpu') return openWebGpu(options, 'asked for by name');
  if (device) return openWebGpu(options, "the host's device");
  const found = adapter === undefined ? await adapterHere().catch(() => null) : await given(adapter);
  if (!found) return openCpu(options, noGpu(adapter));
  if (isSoftware(found))
    return openCpu(options, 'the only GPU here is one in software, slower than the processor itself');
  try {
    return await openWebGpu(options, 'a GPU in hardware', found);
  } catch (error) {
    if (!(error instanceof NoBackendError)) throw error;
    return openCpu(options, `the GPU cannot be used: ${error.message}`);
  }
}

// Only the path that runs is loaded.
async function openCpu(options: PathOptions, reason: string): Promise<Opened> {
  const { openCpu: open } = await import('./cpu.ts');
  return { backend: await open(options), reason, reopen: () => open(options) };
}

async function openWebGpu(options: PathOptions, reason: string, adapter = options.adapter): Promise<Opened> {
  const { openWebGpu: open } = await import('./webgpu.ts');
  // An adapter makes one device only.
  const source = options.device ?? options.adapter;
  const lasting = source === undefined || typeof source === 'function';
  return { backend: await open({ ...options, adapter }), reason, reopen: lasting ? () => open(options) : undefined };
}

function noGpu(adapter: PathOptions['adapter']): string {
  const node = globalThis.process?.versions?.node !== undefined;
  if (node && adapter === undefined) return 'no GPU was given; in Node, findHardware() of somagpu/node looks for one';
  return 'no GPU in hardware that WebGPU reaches';
}

function checkTuning(tuning: Tuning): void {
  for (const key of ['blockSteps', 'chunk', 'maxBinding', 'submit', 'snapshot', 'kept'] as const) {
    const value: unknown = tuning[key];
    if (value === undefined || (Number.isInteger(value) && (value as number) >= 1)) continue;
    throw new InputError(`tuning.${key}`, value, 'is no size', 'give a whole number from 1 on, or leave it out');
  }
}
