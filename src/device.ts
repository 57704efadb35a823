// The GPU path: the only file that names GPUDevice. It owns adapter, buffers, pipelines, readback and the loss of the
// device; it refuses to know parameters' names, units or ranges, and what a spike train is.

import type {
  Backend,
  Block,
  BlockResult,
  DevicePopulation,
  PopulationPlan,
  SpikeWords,
  TraceRequest,
} from './backend.ts';
import { DeviceLostError, InputError, NoBackendError, OutOfMemoryError, SomaError } from './errors.ts';
import {
  type BindingName,
  type Field,
  fieldsOf,
  type Kernel,
  type StreamKind,
  type Structure,
  simulateKernel,
  traceKernel,
} from './kernel.ts';
import { at, type Plane } from './parameters.ts';

// Section 5.2 of the WebGPU specification; the global GPUBufferUsage does not exist in Node.
const Usage = { MAP_READ: 1, COPY_SRC: 4, COPY_DST: 8, UNIFORM: 64, STORAGE: 128 } as const;
const MAP_READ = 1;
const COMPUTE_STAGE = 4;

const WORKGROUP = 64;
const MOST_WORKGROUPS = 65535;
/** Binding a full GiB fails on devices that report it as their limit; half of it has not been seen to. */
const MOST_BINDING = 2 ** 29;
/** Updates a dispatch should make at least: below this its fixed cost shows. */
const UPDATES_PER_DISPATCH = 2 ** 21;
/** Blocks whose results may be on their way at once. */
const SLOTS = 3;

/** Settings of the kernel that change speed and memory, never results; for measuring and testing. */
export interface Tuning {
  /** Steps in one dispatch. */
  blockSteps?: number;
  /** Neurons a thread: 4, or 1. */
  width?: 1 | 4;
  /** Bytes of the largest binding; a population that needs more is tiled. */
  maxBinding?: number;
}

export interface DeviceOptions {
  /** A device of the host's: used, never destroyed. */
  device?: GPUDevice;
  /** Where to make a device; `navigator.gpu`'s choice by default. An adapter makes one device only. */
  adapter?: GPUAdapter;
  tuning?: Tuning;
}

/** Opens the GPU path. @throws NoBackendError */
export async function openDevice({ device, adapter, tuning = {} }: DeviceOptions): Promise<Backend> {
  if (device) return new Gpu(device, false, tuning);
  const found = adapter ?? (await globalThis.navigator?.gpu?.requestAdapter({ powerPreference: 'high-performance' }));
  if (!found) {
    throw new NoBackendError(
      'no WebGPU adapter here; in Node pass the adapter that findAdapter() of somagpu/node gives, in a page use a browser with WebGPU',
    );
  }
  const { maxStorageBufferBindingSize, maxBufferSize } = found.limits;
  const own = await found.requestDevice({
    label: 'somagpu',
    requiredLimits: { maxStorageBufferBindingSize, maxBufferSize },
  });
  return new Gpu(own, true, tuning);
}

// Pipelines by text, for every simulation on a device.
const pipelines = new WeakMap<GPUDevice, Map<string, Promise<GPUComputePipeline>>>();

class Gpu implements Backend {
  readonly kind = 'webgpu';
  readonly adapter: string;
  readonly software: boolean;
  readonly limit: number;
  #lost: DeviceLostError | undefined;
  readonly #waiting = new Set<(error: DeviceLostError) => void>();
  readonly #populations: GpuPopulation[] = [];

  constructor(
    readonly device: GPUDevice,
    readonly owned: boolean,
    readonly tuning: Tuning,
  ) {
    const { vendor, architecture, description, isFallbackAdapter } = device.adapterInfo;
    this.adapter = [vendor, architecture, description].filter((part) => part !== '').join(' ');
    this.software = isFallbackAdapter;
    const { maxStorageBufferBindingSize, maxBufferSize } = device.limits;
    this.limit = Math.min(maxStorageBufferBindingSize, maxBufferSize, MOST_BINDING, tuning.maxBinding ?? Infinity);
    void device.lost.then(({ reason, message }) => {
      this.#lost = new DeviceLostError(`the GPU device was lost (${reason || 'unknown'}): ${message}`);
      for (const reject of this.#waiting) reject(this.#lost);
    });
  }

  checkRoom(neurons: number, planes: number, path: string): void {
    const available = this.software ? hostMemory() : Infinity;
    const each = 4 * (planes + 2);
    if (neurons * each <= available) return;
    const gib = (bytes: number) => `${(bytes / 2 ** 30).toPrecision(3)} GiB`;
    throw new InputError(
      path,
      neurons,
      `too many neurons for the memory: needs ${gib(neurons * each)}, has ${gib(available)}`,
      `give at most ${Math.floor(available / each)} neurons`,
    );
  }

  populate(plan: PopulationPlan): DevicePopulation {
    const population = new GpuPopulation(this, plan);
    this.#populations.push(population);
    return population;
  }

  dispose(): void {
    for (const population of this.#populations) population.destroy();
    if (this.owned) this.device.destroy();
  }

  buffer(label: string, size: number, usage: number): GPUBuffer {
    return this.device.createBuffer({
      label: `somagpu ${label}`,
      size: Math.max(16, Math.ceil(size / 16) * 16),
      usage,
    });
  }

  /** Runs work in an error scope of this kind; the promise rejects with what the device complained about. */
  watch(filter: GPUErrorFilter, work: () => void): Promise<void> {
    this.device.pushErrorScope(filter);
    work();
    return this.orLost(this.device.popErrorScope()).then((error) => {
      if (error && filter === 'out-of-memory')
        throw new OutOfMemoryError(`the device has no room left: ${error.message}`);
      if (error) throw new SomaError(`the device refused a command (please report this): ${error.message}`);
    });
  }

  /** The promise, or the loss of the device if that comes first. (A race against one long-lived promise would leak.) */
  orLost<T>(promise: Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#lost) {
        // It may still fail, when nobody listens any more.
        promise.catch(() => {});
        return reject(this.#lost);
      }
      this.#waiting.add(reject);
      const settle = () => this.#waiting.delete(reject);
      // What a loss makes fail may fail just before the loss is told: wait a moment for the better reason.
      const fail = (error: unknown) => setTimeout(() => settle() && reject(error), 10);
      promise.then((value) => settle() && resolve(value), fail);
    });
  }

  pipeline(kernel: Kernel, label: string): Promise<GPUComputePipeline> {
    const cache = pipelines.get(this.device) ?? new Map<string, Promise<GPUComputePipeline>>();
    pipelines.set(this.device, cache);
    const found = cache.get(kernel.text) ?? this.#compile(kernel, label);
    cache.set(kernel.text, found);
    found.catch(() => cache.delete(kernel.text));
    return found;
  }

  async #compile(kernel: Kernel, label: string): Promise<GPUComputePipeline> {
    const { device } = this;
    device.pushErrorScope('validation');
    const module = device.createShaderModule({ label, code: kernel.text });
    const entries = kernel.bindings.map(({ index, type }) => ({
      binding: index,
      visibility: COMPUTE_STAGE,
      buffer: { type },
    }));
    const layout = device.createPipelineLayout({
      label,
      bindGroupLayouts: [device.createBindGroupLayout({ label, entries })],
    });
    const pipeline = device.createComputePipelineAsync({
      label,
      layout,
      compute: { module, entryPoint: kernel.entry },
    });
    pipeline.catch(() => {});
    const [error, info] = await this.orLost(Promise.all([device.popErrorScope(), module.getCompilationInfo()]));
    const [complaint] = info.messages.filter((message) => message.type === 'error');
    if (complaint) {
      const line = kernel.text.split('\n')[complaint.lineNum - 1] ?? '';
      throw new SomaError(
        `the device refused a kernel: ${complaint.lineNum}:${complaint.linePos}: ${complaint.message}\n${line}`,
      );
    }
    if (error) throw new SomaError(`the device refused a kernel: ${error.message}`);
    return this.orLost(pipeline);
  }
}

/** Bytes the host can still give, where it can be known: Node tells; browsers give at most a rough figure. */
function hostMemory(): number {
  const host = globalThis as { process?: { availableMemory?: () => number }; navigator?: { deviceMemory?: number } };
  return host.process?.availableMemory?.() ?? (host.navigator?.deviceMemory ?? Infinity) * 2 ** 30;
}

/** Brings a buffer to the host through rotating staging buffers, into memory that is used again. */
class Readback {
  readonly #staging: (GPUBuffer | undefined)[] = [];
  readonly #host: (ArrayBuffer | undefined)[] = [];

  constructor(
    readonly gpu: Gpu,
    readonly source: GPUBuffer,
  ) {}

  copy(encoder: GPUCommandEncoder, slot: number, bytes: number): void {
    const { size, label } = this.source;
    this.#staging[slot] ??= this.gpu.buffer(`${label} readback`, size, Usage.MAP_READ | Usage.COPY_DST);
    encoder.copyBufferToBuffer(this.source, 0, this.#staging[slot], 0, bytes);
  }

  /** What `copy` brought, valid until the slot comes round again. Copied whole: reading mapped memory word by word is slow. */
  async read(slot: number, bytes: number): Promise<ArrayBuffer> {
    const staging = this.#staging[slot] as GPUBuffer;
    await this.gpu.orLost(staging.mapAsync(MAP_READ, 0, bytes));
    this.#host[slot] ??= new ArrayBuffer(staging.size);
    new Uint8Array(this.#host[slot]).set(new Uint8Array(staging.getMappedRange(0, bytes)));
    staging.unmap();
    return this.#host[slot];
  }

  destroy(): void {
    for (const staging of this.#staging) staging?.destroy();
  }
}

/** A trace request's share in one tile. */
interface TileTrace {
  lanes: number;
  /** Where each of its neurons stands: column of the request, float in a row of samples. */
  columns: { column: number; float: number }[];
  traced: GPUBuffer;
  samples: GPUBuffer;
  sampling: GPUBuffer;
  readback: Readback;
}

/** A contiguous range of a population's neurons with buffers of its own. */
interface Tile {
  first: number;
  neurons: number;
  lanes: number;
  buffers: Map<BindingName, GPUBuffer>;
  words: Readback;
  traces: (TileTrace | undefined)[];
  /** Bind groups by kernel text; dropped when a buffer is replaced. */
  groups: Map<string, GPUBindGroup>;
}

interface Kernels {
  main: { kernel: Kernel; pipeline: GPUComputePipeline };
  traces: { kernel: Kernel; pipeline: GPUComputePipeline }[];
}

class GpuPopulation implements DevicePopulation {
  readonly maxSteps: number;
  readonly #gpu: Gpu;
  readonly #plan: PopulationPlan;
  readonly #width: 1 | 4;
  readonly #fields: Field[];
  readonly #stateNames: string[];
  readonly #tiles: Tile[] = [];
  readonly #buffers = new Set<GPUBuffer>();
  readonly #kernels = new Map<string, Kernels>();
  #values: Record<string, Plane> = {};
  #arrays: ReadonlySet<string> = new Set();
  #slot = 0;
  #allocated: Promise<void>;
  #checked = false;

  constructor(gpu: Gpu, plan: PopulationPlan) {
    this.#gpu = gpu;
    this.#plan = plan;
    this.#width = gpu.tuning.width ?? 4;
    this.#fields = fieldsOf(plan.soma, plan.inputs);
    this.#stateNames = Object.keys(plan.soma.states);
    const planes = Math.max(this.#fields.length, this.#stateNames.length);
    const granule = WORKGROUP * this.#width;
    const tileNeurons = Math.max(granule, Math.floor(gpu.limit / (4 * planes) / granule) * granule);
    this.maxSteps = this.#blockSteps(Math.min(tileNeurons, plan.neurons));
    this.#allocated = gpu.watch('out-of-memory', () => {
      for (let first = 0; first < plan.neurons; first += tileNeurons) {
        this.#tiles.push(this.#makeTile(first, Math.min(tileNeurons, plan.neurons - first)));
      }
    });
    this.#allocated.catch(() => {});
  }

  get bytes(): number {
    return [...this.#buffers].reduce((sum, buffer) => sum + buffer.size, 0);
  }

  // Whole words of steps, more of them for small populations; fewer where a block's stream or samples would not fit.
  #blockSteps(tileNeurons: number): number {
    const { plan, tuning, limit } = { plan: this.#plan, ...this.#gpu };
    const words = Math.min(Math.max(Math.floor(UPDATES_PER_DISPATCH / 32 / plan.neurons), 1), 64);
    const wanted = tuning.blockSteps ?? 32 * words;
    const padded = (neurons: number) => 4 * (neurons + WORKGROUP * this.#width);
    const rooms = plan.traces.map(
      ({ neurons, every }) => Math.floor(limit / padded(4 * Math.min(neurons.length, tileNeurons))) * every,
    );
    if (plan.streams) rooms.push(Math.floor(limit / padded(tileNeurons)));
    return Math.max(1, Math.min(wanted, ...rooms));
  }

  #makeBuffer(label: string, size: number, usage: number): GPUBuffer {
    const buffer = this.#gpu.buffer(`${this.#plan.name} ${label}`, size, usage);
    this.#buffers.add(buffer);
    return buffer;
  }

  #makeTile(first: number, neurons: number): Tile {
    const lanes = Math.ceil(neurons / this.#width / WORKGROUP) * WORKGROUP;
    const laneBytes = 4 * this.#width;
    const storage = Usage.STORAGE | Usage.COPY_SRC | Usage.COPY_DST;
    const buffers = new Map<BindingName, GPUBuffer>([
      ['block', this.#makeBuffer('block', 16, Usage.UNIFORM | Usage.COPY_DST)],
      ['scalars', this.#makeBuffer('scalars', 4 * this.#fields.length, Usage.UNIFORM | Usage.COPY_DST)],
      ['states', this.#makeBuffer('states', this.#stateNames.length * lanes * laneBytes, storage)],
      ['words', this.#makeBuffer('words', Math.ceil(this.maxSteps / 32) * lanes * laneBytes, storage)],
      ['counts', this.#makeBuffer('counts', lanes * laneBytes, storage)],
    ]);
    const words = new Readback(this.#gpu, buffers.get('words') as GPUBuffer);
    const traces = this.#plan.traces.map((request) => this.#makeTrace(request, first, neurons));
    return { first, neurons, lanes, buffers, words, traces, groups: new Map() };
  }

  #makeTrace({ state, neurons, every }: TraceRequest, first: number, count: number): TileTrace | undefined {
    const slots = new Map<number, number>();
    const columns: TileTrace['columns'] = [];
    neurons.forEach((neuron, column) => {
      const local = neuron - first;
      if (local < 0 || local >= count) return;
      const lane = Math.floor(local / this.#width);
      const slot = slots.get(lane) ?? slots.size;
      slots.set(lane, slot);
      columns.push({ column, float: slot * this.#width + (local % this.#width) });
    });
    if (slots.size === 0) return undefined;
    const traced = this.#makeBuffer(`${state} traced`, 4 * slots.size, Usage.STORAGE | Usage.COPY_DST);
    const sampling = this.#makeBuffer(`${state} sampling`, 8, Usage.UNIFORM | Usage.COPY_DST);
    const size = Math.ceil(this.maxSteps / every) * slots.size * 4 * this.#width;
    const samples = this.#makeBuffer(`${state} samples`, size, Usage.STORAGE | Usage.COPY_SRC);
    this.#gpu.device.queue.writeBuffer(traced, 0, Uint32Array.from(slots.keys()));
    this.#gpu.device.queue.writeBuffer(sampling, 0, new Uint32Array([slots.size, every]));
    return { lanes: slots.size, columns, traced, samples, sampling, readback: new Readback(this.#gpu, samples) };
  }

  setFields(changed: Readonly<Record<string, Plane>>): void {
    this.#values = { ...this.#values, ...changed };
    const arrays = new Set(this.#fields.map(({ key }) => key).filter((key) => typeof this.#values[key] !== 'number'));
    const same = arrays.size === this.#arrays.size && [...arrays].every((key) => this.#arrays.has(key));
    this.#arrays = arrays;
    for (const tile of this.#tiles) {
      if (!same) this.#replace(tile, 'planes', arrays.size * tile.lanes * 4 * this.#width);
      [...arrays].forEach((key, plane) => {
        if (!same || key in changed) this.#writePlane(tile, 'planes', plane, this.#values[key] as Plane);
      });
      this.#writeScalars(tile);
    }
  }

  #writeScalars(tile: Tile): void {
    const view = new DataView(new ArrayBuffer(4 * this.#fields.length));
    let offset = 0;
    for (const { key, row } of this.#fields) {
      const value = this.#values[key];
      if (typeof value !== 'number') continue;
      if (row.edge) view.setUint32(offset, value, true);
      else view.setFloat32(offset, value, true);
      offset += 4;
    }
    this.#gpu.device.queue.writeBuffer(tile.buffers.get('scalars') as GPUBuffer, 0, view.buffer);
  }

  #replace(tile: Tile, name: BindingName, bytes: number): void {
    const old = tile.buffers.get(name);
    if (old) this.#buffers.delete(old);
    old?.destroy();
    tile.groups.clear();
    const allocated = this.#gpu.watch('out-of-memory', () => {
      tile.buffers.set(name, this.#makeBuffer(name, bytes, Usage.STORAGE | Usage.COPY_DST));
    });
    this.#allocated = Promise.all([this.#allocated, allocated]).then(() => {});
    this.#allocated.catch(() => {});
    this.#checked = false;
  }

  setStates(states: Readonly<Record<string, Plane>>): void {
    for (const [name, plane] of Object.entries(states)) {
      for (const tile of this.#tiles) this.#writePlane(tile, 'states', this.#stateNames.indexOf(name), plane);
    }
  }

  // The padding repeats the last neuron: a combination of values known to be sound, where zeros or defaults need not be.
  #writePlane(tile: Tile, name: BindingName, index: number, plane: Plane): void {
    const padded = tile.lanes * this.#width;
    const { first, neurons } = tile;
    let values: Float32Array<ArrayBuffer>;
    if (typeof plane !== 'number' && neurons === padded)
      values = plane.subarray(first, first + neurons) as Float32Array<ArrayBuffer>;
    else {
      values = new Float32Array(padded).fill(at(plane, first + neurons - 1));
      if (typeof plane !== 'number') values.set(plane.subarray(first, first + neurons));
    }
    this.#gpu.device.queue.writeBuffer(tile.buffers.get(name) as GPUBuffer, index * padded * 4, values);
  }

  async readState(name: string): Promise<Float32Array> {
    return new Float32Array(await this.#readPlane('states', this.#stateNames.indexOf(name)));
  }

  async readCounts(): Promise<Uint32Array> {
    return new Uint32Array(await this.#readPlane('counts', 0));
  }

  async #readPlane(name: BindingName, index: number): Promise<ArrayBuffer> {
    await this.#allocated;
    const { device } = this.#gpu;
    const result = new Uint8Array(4 * this.#plan.neurons);
    await Promise.all(
      this.#tiles.map(async (tile) => {
        const bytes = 4 * tile.neurons;
        const staging = this.#gpu.buffer(`${this.#plan.name} ${name} readback`, bytes, Usage.MAP_READ | Usage.COPY_DST);
        const encoder = device.createCommandEncoder({ label: `somagpu ${this.#plan.name} read ${name}` });
        encoder.copyBufferToBuffer(
          tile.buffers.get(name) as GPUBuffer,
          index * tile.lanes * 4 * this.#width,
          staging,
          0,
          bytes,
        );
        device.queue.submit([encoder.finish()]);
        try {
          await this.#gpu.orLost(staging.mapAsync(MAP_READ, 0, bytes));
          result.set(new Uint8Array(staging.getMappedRange(0, bytes)), 4 * tile.first);
        } finally {
          staging.destroy();
        }
      }),
    );
    return result.buffer;
  }

  clearCounts(): void {
    const encoder = this.#gpu.device.createCommandEncoder({ label: `somagpu ${this.#plan.name} clear counts` });
    for (const tile of this.#tiles) encoder.clearBuffer(tile.buffers.get('counts') as GPUBuffer);
    this.#gpu.device.queue.submit([encoder.finish()]);
  }

  #structure(stream: StreamKind): Structure {
    const { soma, inputs } = this.#plan;
    return {
      soma,
      inputs,
      arrays: this.#arrays,
      stream,
      width: this.#width,
    };
  }

  #key(stream: StreamKind): string {
    return `${stream} ${[...this.#arrays].join()}`;
  }

  ready(stream: StreamKind): boolean {
    return this.#checked && this.#kernels.has(this.#key(stream));
  }

  async compile(stream: StreamKind): Promise<void> {
    const key = this.#key(stream);
    const structure = this.#structure(stream);
    const label = `somagpu ${this.#plan.soma.name}`;
    const build = async (kernel: Kernel) => ({
      kernel,
      pipeline: await this.#gpu.pipeline(kernel, `${label} ${kernel.entry}`),
    });
    const traces = this.#plan.traces.map(({ state }) => build(traceKernel(structure, state)));
    const [main, ...rest] = await Promise.all([build(simulateKernel(structure)), ...traces]);
    this.#kernels.set(key, { main, traces: rest });
    const allocated = this.#allocated;
    await allocated;
    this.#checked = allocated === this.#allocated;
  }

  async advance(block: Block): Promise<BlockResult> {
    const kernels = this.#kernels.get(this.#key(block.stream.kind)) as Kernels;
    const slot = this.#slot;
    this.#slot = (slot + 1) % SLOTS;
    const samples = block.traces
      ? this.#plan.traces.map(({ every }) => samplesIn(block.first, block.steps, every))
      : [];
    const done = this.#gpu.watch('validation', () => {
      const encoder = this.#gpu.device.createCommandEncoder({ label: `somagpu ${this.#plan.name} block` });
      for (const tile of this.#tiles) this.#encodeTile(encoder, tile, block, kernels, samples, slot);
      this.#gpu.device.queue.submit([encoder.finish()]);
    });
    const work = this.#gpu.orLost(this.#gpu.device.queue.onSubmittedWorkDone());
    const words = block.words ? Promise.all(this.#tiles.map((tile) => this.#readWords(tile, slot, block.steps))) : [];
    const traces = samples.map((count, request) => this.#readTrace(request, count, slot));
    const [, , read, ...traced] = await Promise.all([done, work, words, ...traces]);
    return { words: read, traces: traced };
  }

  #encodeTile(
    encoder: GPUCommandEncoder,
    tile: Tile,
    block: Block,
    kernels: Kernels,
    samples: number[],
    slot: number,
  ): void {
    const { queue } = this.#gpu.device;
    const head = new Uint32Array([block.first, block.steps, tile.lanes, 0]);
    new Float32Array(head.buffer)[3] = this.#plan.dt;
    queue.writeBuffer(tile.buffers.get('block') as GPUBuffer, 0, head);
    if (block.stream.kind !== 'none') this.#writeStream(tile, block.stream, block.steps);
    const dispatch = ({ kernel, pipeline }: Kernels['main'], lanes: number, own?: TileTrace) => {
      const pass = encoder.beginComputePass({ label: `somagpu ${this.#plan.name} ${kernel.entry}` });
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, this.#bindGroup(tile, kernel, pipeline, own));
      const workgroups = Math.ceil(lanes / WORKGROUP);
      const rows = Math.ceil(workgroups / MOST_WORKGROUPS);
      pass.dispatchWorkgroups(Math.ceil(workgroups / rows), rows);
      pass.end();
    };
    samples.forEach((count, request) => {
      const trace = tile.traces[request];
      if (!trace || count === 0) return;
      dispatch(kernels.traces[request] as Kernels['main'], trace.lanes, trace);
      trace.readback.copy(encoder, slot, count * trace.lanes * 4 * this.#width);
    });
    dispatch(kernels.main, tile.lanes);
    if (block.words) tile.words.copy(encoder, slot, Math.ceil(block.steps / 32) * tile.lanes * 4 * this.#width);
  }

  #bindGroup(tile: Tile, kernel: Kernel, pipeline: GPUComputePipeline, own?: TileTrace): GPUBindGroup {
    const key = `${kernel.entry} ${own ? tile.traces.indexOf(own) : ''} ${kernel.bindings.map(({ name }) => name).join()}`;
    const found = tile.groups.get(key);
    if (found) return found;
    const entries = kernel.bindings.map(({ name, index }) => {
      const buffer =
        own && (name === 'traced' || name === 'samples' || name === 'sampling') ? own[name] : tile.buffers.get(name);
      return { binding: index, resource: { buffer: buffer as GPUBuffer } };
    });
    const group = this.#gpu.device.createBindGroup({
      label: `somagpu ${this.#plan.name}`,
      layout: pipeline.getBindGroupLayout(0),
      entries,
    });
    tile.groups.set(key, group);
    return group;
  }

  #writeStream(tile: Tile, { kind, values }: Block['stream'], steps: number): void {
    const { queue } = this.#gpu.device;
    const row = kind === 'shared' ? 4 : tile.lanes * 4 * this.#width;
    if ((tile.buffers.get('stream')?.size ?? 0) < row * steps) {
      this.#replace(tile, 'stream', row * Math.max(steps, kind === 'shared' ? this.maxSteps : 1));
    }
    const target = tile.buffers.get('stream') as GPUBuffer;
    const source = values as Float32Array<ArrayBuffer>;
    if (kind === 'shared') queue.writeBuffer(target, 0, source, 0, steps);
    for (let k = 0; kind === 'each' && k < steps; k++) {
      queue.writeBuffer(target, k * row, source, k * this.#plan.neurons + tile.first, tile.neurons);
    }
  }

  async #readWords(tile: Tile, slot: number, steps: number): Promise<SpikeWords> {
    const stride = tile.lanes * this.#width;
    const bytes = Math.ceil(steps / 32) * stride * 4;
    const words = new Uint32Array(await tile.words.read(slot, bytes), 0, bytes / 4);
    return { first: tile.first, neurons: tile.neurons, stride, words };
  }

  async #readTrace(request: number, count: number, slot: number): Promise<Float32Array> {
    const width = (this.#plan.traces[request] as TraceRequest).neurons.length;
    const values = new Float32Array(count * width);
    if (count === 0) return values;
    for (const tile of this.#tiles) {
      const trace = tile.traces[request];
      if (!trace) continue;
      const row = trace.lanes * this.#width;
      const samples = new Float32Array(await trace.readback.read(slot, count * row * 4), 0, count * row);
      for (const { column, float } of trace.columns) {
        for (let sample = 0; sample < count; sample++)
          values[sample * width + column] = samples[sample * row + float] as number;
      }
    }
    return values;
  }

  destroy(): void {
    for (const buffer of this.#buffers) buffer.destroy();
    for (const tile of this.#tiles) {
      tile.words.destroy();
      for (const trace of tile.traces) trace?.readback.destroy();
    }
  }
}

/** How many of the steps first .. first + steps - 1 are divisible by `every`. */
export const samplesIn = (first: number, steps: number, every: number): number =>
  Math.ceil((first + steps) / every) - Math.ceil(first / every);
