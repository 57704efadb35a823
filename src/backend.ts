// The inner interface: what simulation.ts asks of a path that can run neurons. webgpu.ts has the GPU's, cpu.ts the other.
// States and parameters cross it in the units of the device: potentials relative to rest, times in steps.

import type { Stream } from './currents.ts';
import { InputError, inRoom } from './errors.ts';
import type { StreamKind } from './kernel.ts';
import type { Plane } from './parameters.ts';
import type { InputLaw, Soma } from './somas.ts';

/** Blocks queued before the first of them is awaited: one computes while the host decodes the other. */
export const BLOCKS_IN_FLIGHT = 2;

export interface Backend {
  readonly kind: 'webgpu' | 'cpu';
  /** The device in words. */
  readonly adapter: string;
  /** Whether the processor does the work. */
  readonly software: boolean;
  /** Refuses a population that cannot fit, before anything is allocated. @throws InputError with the numbers */
  checkRoom(neurons: number, planes: number, path: string): void;
  /** Reserves a population; what the device then could not give is reported by `compile`. */
  populate(plan: PopulationPlan): DevicePopulation;
  /** Frees all it made itself; what a host lent stays usable. */
  dispose(): void;
}

export interface PopulationPlan {
  name: string;
  soma: Soma;
  inputs: readonly InputLaw[];
  neurons: number;
  dt: number;
  /** Whether the host will stream a current a neuron: it needs room. */
  streams: boolean;
  traces: readonly TraceRequest[];
  /** States whose statistics are kept: among the states, under keys of their own. */
  statistics: readonly string[];
}

/** One state of some neurons, sampled at steps divisible by `every`. */
export interface TraceRequest {
  state: string;
  neurons: Uint32Array;
  every: number;
}

export interface Block {
  first: number;
  steps: number;
  stream: Stream;
  /** Whether spike words are wanted back; they are counted in any case. */
  words: boolean;
  /** Whether the population's traces are. */
  traces: boolean;
  /** The states whose statistics this block belongs to. */
  gathered: readonly string[];
}

/** The spike words of a contiguous range of neurons: bit k of `words[r * stride + i]` is step 32 r + k of neuron first + i. */
export interface SpikeWords {
  first: number;
  neurons: number;
  stride: number;
  words: Uint32Array;
}

export interface BlockResult {
  words: readonly SpikeWords[];
  /** For each request its samples, `[samples, neurons]`. */
  traces: readonly Float32Array[];
  /** Whether all states are numbers after it. */
  finite: boolean;
}

/**
 * A population's memory on a GPU, for a host that draws from it without bringing it back: the buffers themselves, only to
 * be read, as they are after all runs awaited so far, gone with the simulation, and others after a recovery. Work goes to
 * `device.queue`.
 */
export interface GpuPopulation {
  readonly device: GPUDevice;
  /** The population in parts that fit bindings; mostly one. */
  readonly tiles: readonly GpuTile[];
  /** The plane of each state in `states`, by name: `potential`, `adaptation`, ... */
  readonly planes: Readonly<Record<string, number>>;
}

/** The neurons from `first` on, `neurons` of them. */
export interface GpuTile {
  readonly first: number;
  readonly neurons: number;
  /** Numbers in a plane: the neurons, and some more that fill it up. */
  readonly stride: number;
  /** `[planes, stride]` f32; neuron `first + i` is number `plane * stride + i`. Potentials are relative to `potential_rest`. */
  readonly states: GPUBuffer;
  /** `[stride]` u32, spikes of each neuron since `add` or `reset`. */
  readonly counts: GPUBuffer;
}

/** A population on a device. Results are views into reused memory: valid until BLOCKS_IN_FLIGHT more blocks were queued. */
export interface DevicePopulation {
  /** Steps of the longest block that is good for it now. */
  readonly maxSteps: number;
  /** Steps of the longest block it has room for. */
  readonly capacity: number;
  /** Its memory, where that is a GPU's. */
  readonly gpu?: GpuPopulation;
  /** The names of all the states it keeps. */
  readonly states: readonly string[];
  /** Sets fields by key; a field that turns from number to array or back changes the kernel, else nothing compiles. */
  setFields(fields: Readonly<Record<string, Plane>>): void;
  setStates(states: Readonly<Record<string, Plane>>): void;
  readState(name: string): Promise<Float32Array>;
  /** Spikes of each neuron since `begin`. */
  readCounts(): Promise<Uint32Array>;
  /** Begins anew, with spikes that were counted before or with none: all fields and states are set next. What had failed is past. */
  begin(counts: Uint32Array | null): void;
  /** Whether blocks with such a stream and such statistics can be advanced without compiling. */
  ready(stream: StreamKind, gathered: readonly string[]): boolean;
  compile(stream: StreamKind, gathered: readonly string[]): Promise<void>;
  /** Queues a block; resolves when the device has done it. */
  advance(block: Block): Promise<BlockResult>;
}

/** Neurons are numbered by u32, with room for padding. */
const MOST_NEURONS = 2 ** 31;

/** Refuses a population of more neurons than the memory takes, at so many bytes each. @throws InputError */
export function checkMemory(neurons: number, each: number, path: string, memory = hostMemory()): void {
  const available = Math.min(memory, MOST_NEURONS * each);
  if (neurons * each <= available) return;
  const gib = (bytes: number) => `${(bytes / 2 ** 30).toPrecision(3)} GiB`;
  const reason = `too many neurons for the memory: needs ${gib(neurons * each)}, has ${gib(available)}`;
  throw new InputError(path, neurons, reason, `give at most ${Math.floor(available / each)} neurons`);
}

/** So many bytes of the host's memory. @throws OutOfMemoryError */
export const hostRoom = (bytes: number): ArrayBuffer => inRoom(() => new ArrayBuffer(bytes));

/** Bytes the host can still give, where it can be known: Node tells; browsers give at most a rough figure. */
export function hostMemory(): number {
  const host = globalThis as { process?: { availableMemory?: () => number }; navigator?: { deviceMemory?: number } };
  return host.process?.availableMemory?.() ?? (host.navigator?.deviceMemory ?? Infinity) * 2 ** 30;
}
