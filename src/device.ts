// The GPU itself: the only file that works with a GPUDevice. It owns the adapter, memory, pipelines, submits and readback, and
// tells of the loss of the device; it refuses to know what a neuron is.

import { adapterHere, type GivenAdapter, given } from './adapter.ts';
import { hostRoom } from './backend.ts';
import { DeviceLostError, NoBackendError, noRoom, OutOfMemoryError, SomaError } from './errors.ts';
import type { Kernel } from './kernel.ts';
import { Schedule } from './schedule.ts';

// Section 5.2 of the WebGPU specification; the global GPUBufferUsage does not exist in Node.
export const Usage = { MAP_READ: 1, COPY_SRC: 4, COPY_DST: 8, UNIFORM: 64, STORAGE: 128 } as const;
const MAP_READ = 1;

/** Binding a full GiB fails on devices that report it as their limit; half of it has not been seen to. */
const MOST_BINDING = 2 ** 29;

/** Settings of the kernel that change speed and memory, never results; for measuring and testing. */
export interface Tuning {
  /** Steps in one dispatch, or in one message to a worker. */
  blockSteps?: number;
  /** Neurons a thread of a GPU: 4, or 1. */
  width?: 1 | 4;
  /** Neuron updates in a submit of a GPU; as many as it makes in some hundredths of a second by default. */
  submit?: number;
  /** Bytes of the largest binding of a GPU; a population that needs more is tiled. */
  maxBinding?: number;
  /** Neurons the CPU path steps at once, at most 2,048. */
  chunk?: number;
  /** From one snapshot for a recovery to the next, ms; as often as their cost allows by default. */
  snapshot?: number;
  /** Bytes kept since the last snapshot that are worth one at once; 256 MiB by default. */
  kept?: number;
}

export interface DeviceOptions {
  /** A device of the host's: used, never destroyed. A function that gives one is asked again where that was lost. */
  device?: GPUDevice | (() => Promise<GPUDevice>);
  /**
   * Where to make a device; `navigator.gpu`'s choice by default, `null` where none was found. An adapter makes one
   * device only; a function that finds one is asked again where that was lost.
   */
  adapter?: GivenAdapter | undefined;
  tuning?: Tuning;
}

/** Opens a device, or takes the host's. @throws NoBackendError */
export async function openDevice({ device, adapter, tuning = {} }: DeviceOptions): Promise<Device> {
  if (device) return new Device(typeof device === 'function' ? await device() : device, false, tuning);
  const found = (await given(adapter)) ?? (await adapterHere());
  if (!found) {
    throw new NoBackendError('no WebGPU adapter here; in Node pass one: findAdapter() of somagpu/node');
  }
  const { maxStorageBufferBindingSize, maxBufferSize } = found.limits;
  const requiredLimits = { maxStorageBufferBindingSize, maxBufferSize };
  try {
    return new Device(await found.requestDevice({ label: 'somagpu', requiredLimits }), true, tuning);
  } catch (cause) {
    throw new NoBackendError(`the adapter gives no device: ${(cause as Error).message}`, { cause });
  }
}

/** What every simulation on a device has in common. */
interface Common {
  /** By text. */
  readonly pipelines: Map<string, Promise<GPUComputePipeline>>;
  /** What is known of its speed. */
  readonly schedule: Schedule;
  /** How it was lost. */
  lost?: string;
  /** Who is to be told of that. */
  readonly waiting: Set<() => void>;
}

const commons = new WeakMap<GPUDevice, Common>();

// A device keeps whoever listens to its loss as long as it lives: one does, for all.
function commonOf(gpu: GPUDevice): Common {
  const found = commons.get(gpu);
  if (found) return found;
  const common: Common = { pipelines: new Map(), schedule: new Schedule(), waiting: new Set() };
  commons.set(gpu, common);
  void gpu.lost.then(({ reason, message }) => {
    common.lost = `the GPU device was lost (${reason || 'unknown'}): ${message}`;
    for (const tell of common.waiting) tell();
  });
  return common;
}

export class Device {
  /** The adapter in words. */
  readonly adapter: string;
  /** Whether the processor does the work. */
  readonly software: boolean;
  /** Bytes of the largest binding to use. */
  readonly limit: number;
  /** Whether all memory asked for so far is known to have been given. */
  settled = true;
  #memory: Promise<void> = Promise.resolve();
  readonly #common: Common;

  constructor(
    readonly gpu: GPUDevice,
    readonly owned: boolean,
    readonly tuning: Tuning,
  ) {
    // Browsers got it after WebGPU itself.
    const {
      vendor,
      architecture,
      description,
      isFallbackAdapter = false,
    }: Partial<GPUAdapterInfo> = gpu.adapterInfo ?? {};
    this.adapter = [vendor, architecture, description].filter(Boolean).join(' ');
    this.software = isFallbackAdapter;
    const { maxStorageBufferBindingSize, maxBufferSize } = gpu.limits;
    this.limit = Math.min(maxStorageBufferBindingSize, maxBufferSize, MOST_BINDING, tuning.maxBinding ?? Infinity);
    this.#common = commonOf(gpu);
  }

  get schedule(): Schedule {
    return this.#common.schedule;
  }

  buffer(label: string, bytes: number, usage: number): GPUBuffer {
    return this.gpu.createBuffer({ label: `somagpu ${label}`, size: Math.max(16, Math.ceil(bytes / 16) * 16), usage });
  }

  write(buffer: GPUBuffer, offset: number, data: Float32Array | Uint32Array, from = 0, count = data.length): void {
    this.gpu.queue.writeBuffer(buffer, offset, data as Float32Array<ArrayBuffer>, from, count);
  }

  /** Encodes and submits; the promise rejects if the device found anything wrong with it. */
  submit(label: string, encode: (encoder: GPUCommandEncoder) => void): Promise<void> {
    return this.watch('validation', () => {
      const encoder = this.gpu.createCommandEncoder({ label: `somagpu ${label}` });
      encode(encoder);
      this.gpu.queue.submit([encoder.finish()]);
    });
  }

  /** Runs work that makes buffers; whether there was room is known once `memory` resolves. */
  allocate(work: () => void): void {
    const memory: Promise<void> = Promise.all([this.#memory, this.watch('out-of-memory', work)]).then(() => {
      this.settled = memory === this.#memory;
    });
    memory.catch(() => {});
    this.#memory = memory;
    this.settled = false;
  }

  /** @throws OutOfMemoryError if an `allocate` found no room */
  memory(): Promise<void> {
    return this.#memory;
  }

  /** Runs work in an error scope of this kind; the promise rejects with what the device complained about. */
  watch(filter: GPUErrorFilter, work: () => void): Promise<void> {
    this.gpu.pushErrorScope(filter);
    let scope: Promise<GPUError | null>;
    try {
      work();
    } finally {
      scope = this.gpu.popErrorScope();
    }
    return this.orLost(scope).then(async (error) => {
      if (!error) return;
      if (filter === 'out-of-memory') throw new OutOfMemoryError(`the device has no room left: ${error.message}`);
      // What there was no room for makes fail what it was wanted for.
      await this.#memory;
      throw new SomaError(`the device refused a command (please report this): ${error.message}`);
    });
  }

  /**
   * Brings bytes of a buffer, as they are now, through memory that is given back at once.
   *
   * @throws OutOfMemoryError where there is no room for that; nothing else hears of it
   */
  async bring(source: GPUBuffer, offset: number, into: Uint8Array): Promise<void> {
    const bytes = into.byteLength;
    let staging: GPUBuffer | undefined;
    try {
      const made = this.watch('out-of-memory', () => {
        staging = this.buffer('read', bytes, Usage.MAP_READ | Usage.COPY_DST);
      });
      const copied = this.submit('read', (encoder) =>
        encoder.copyBufferToBuffer(source, offset, staging as GPUBuffer, 0, bytes),
      );
      // Without room it fails, too; then that there is none is the better reason.
      copied.catch(() => {});
      await made;
      await copied;
      await this.take(staging as GPUBuffer, into);
    } finally {
      staging?.destroy();
    }
  }

  /** Copied whole: reading mapped memory word by word is slow. */
  async take(staging: GPUBuffer, into: Uint8Array): Promise<void> {
    const bytes = into.byteLength;
    try {
      await this.orLost(staging.mapAsync(MAP_READ, 0, bytes));
      try {
        into.set(new Uint8Array(staging.getMappedRange(0, bytes)));
      } finally {
        staging.unmap();
      }
    } catch (cause) {
      if (cause instanceof SomaError) throw cause;
      throw noRoom(cause) ?? new SomaError(`the device gave nothing back: ${(cause as Error).message}`, { cause });
    }
  }

  /** The promise, or the loss of the device if that comes first. (A race against one long-lived promise would leak.) */
  orLost<T>(promise: Promise<T>): Promise<T> {
    const common = this.#common;
    return new Promise<T>((resolve, reject) => {
      const tell = () => reject(new DeviceLostError(common.lost));
      if (common.lost !== undefined) tell();
      else common.waiting.add(tell);
      const settle = () => common.waiting.delete(tell);
      // What a loss makes fail may fail just before the loss is told: wait a moment for the better reason.
      const fail = (error: unknown) => setTimeout(() => settle() && reject(error), 10);
      promise.then((value) => settle() && resolve(value), fail);
    });
  }

  /** The pipeline of a kernel, compiled once for each text. */
  pipeline(kernel: Kernel): Promise<GPUComputePipeline> {
    const { pipelines } = this.#common;
    const found = pipelines.get(kernel.text) ?? this.#compile(kernel);
    pipelines.set(kernel.text, found);
    found.catch(() => pipelines.delete(kernel.text));
    return found;
  }

  async #compile({ text, entry, explain }: Kernel): Promise<GPUComputePipeline> {
    const { gpu } = this;
    const label = `somagpu ${entry}`;
    gpu.pushErrorScope('validation');
    const module = gpu.createShaderModule({ label, code: text });
    const compute = { module, entryPoint: entry };
    const pipeline = gpu.createComputePipelineAsync({ label, layout: 'auto', compute });
    pipeline.catch(() => {});
    const [error, { messages }] = await this.orLost(Promise.all([gpu.popErrorScope(), module.getCompilationInfo()]));
    const complaint = messages.find(({ type }) => type === 'error');
    if (complaint ?? error) {
      const explained = complaint && explain?.(complaint);
      if (explained) throw explained;
      const source = complaint
        ? `\n${complaint.lineNum}:${complaint.linePos}: ${text.split('\n')[complaint.lineNum - 1]}`
        : '';
      throw new SomaError(`the device refused a kernel: ${(complaint ?? error)?.message}${source}`);
    }
    return this.orLost(pipeline);
  }

  /** Destroys the device, unless it is the host's. */
  dispose(): void {
    if (this.owned) this.gpu.destroy();
  }
}

/** Brings a buffer to the host through rotating staging buffers, into memory that is used again. */
export class Readback {
  readonly #staging: (GPUBuffer | undefined)[] = [];
  readonly #host: (ArrayBuffer | undefined)[] = [];

  constructor(
    readonly device: Device,
    readonly source: GPUBuffer,
    /** The most bytes it will bring at once. */
    readonly size: number = source.size,
  ) {}

  copy(encoder: GPUCommandEncoder, slot: number, bytes: number): void {
    if (!this.#staging[slot]) {
      this.device.allocate(() => {
        this.#staging[slot] = this.device.buffer('readback', this.size, Usage.MAP_READ | Usage.COPY_DST);
      });
    }
    encoder.copyBufferToBuffer(this.source, 0, this.#staging[slot] as GPUBuffer, 0, bytes);
  }

  /** What `copy` brought, valid until the slot comes round again. */
  async read(slot: number, bytes: number): Promise<ArrayBuffer> {
    // Before what is not there is asked for: that there was no room is the better reason.
    if (!this.device.settled) await this.device.memory();
    const staging = this.#staging[slot] as GPUBuffer;
    this.#host[slot] ??= hostRoom(staging.size);
    const host = this.#host[slot];
    await this.device.take(staging, new Uint8Array(host, 0, bytes));
    return host;
  }

  destroy(): void {
    for (const staging of this.#staging) staging?.destroy();
  }
}
