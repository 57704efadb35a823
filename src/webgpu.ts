// The WebGPU path: the backend's interface over a device. It owns how a population is cut into tiles and blocks, which
// kernels it runs, and the values its buffers hold.

import {
  type Backend,
  BLOCKS_IN_FLIGHT,
  type Block,
  type BlockResult,
  checkMemory,
  type DevicePopulation,
  type GpuPopulation,
  hostRoom,
  type PopulationPlan,
} from './backend.ts';
import { type Device, type DeviceOptions, openDevice } from './device.ts';
import { type Field, fieldsOf, statesOf } from './fields.ts';
import { type Kernel, type StreamKind, simulateKernel, traceKernel } from './kernel.ts';
import type { Plane } from './parameters.ts';
import { samplesIn } from './recording.ts';
import { type Programs, Tile, WORKGROUP } from './tile.ts';

/** Updates a dispatch should make at least: below this its fixed cost shows. */
const UPDATES_PER_DISPATCH = 2 ** 21;
/** Results that live at once: those on their way, and the one being read. */
const SLOTS = BLOCKS_IN_FLIGHT + 1;

/** Opens the WebGPU path. @throws NoBackendError */
export async function openWebGpu(options: DeviceOptions): Promise<Backend> {
  return new WebGpu(await openDevice(options));
}

class WebGpu implements Backend {
  readonly kind = 'webgpu';
  readonly adapter: string;
  readonly software: boolean;
  readonly #device: Device;
  readonly #populations: WebGpuPopulation[] = [];

  constructor(device: Device) {
    this.#device = device;
    this.adapter = device.adapter;
    this.software = device.software;
  }

  // A hardware GPU does not tell how much memory it has; there the allocation itself says so.
  checkRoom(neurons: number, planes: number, path: string): void {
    const each = 4 * (planes + 2);
    checkMemory(neurons, each, path, this.software ? undefined : Infinity);
  }

  populate(plan: PopulationPlan): DevicePopulation {
    const population = new WebGpuPopulation(this.#device, plan);
    this.#populations.push(population);
    return population;
  }

  dispose(): void {
    for (const population of this.#populations) population.destroy();
    this.#device.dispose();
  }
}

class WebGpuPopulation implements DevicePopulation {
  readonly #device: Device;
  readonly #plan: PopulationPlan;
  readonly #width: 1 | 4;
  readonly #fields: Field[];
  readonly #states: string[];
  readonly #tiles: Tile[] = [];
  readonly capacity: number;
  readonly #programs = new Map<string, Programs>();
  #values: Readonly<Record<string, Plane>> = {};
  #arrays: readonly string[] = [];
  #slot = 0;

  constructor(device: Device, plan: PopulationPlan) {
    this.#device = device;
    this.#plan = plan;
    this.#width = device.tuning.width ?? 4;
    this.#fields = fieldsOf(plan.soma, plan.inputs);
    this.#states = statesOf(plan.soma, plan.inputs, plan.statistics).map(({ key }) => key);
    const planes = Math.max(this.#fields.length, this.#states.length);
    const granule = WORKGROUP * this.#width;
    const most = Math.max(granule, Math.floor(device.limit / (4 * planes) / granule) * granule);
    this.capacity = this.#blockSteps(Math.min(most, plan.neurons));
    device.allocate(() => {
      for (let first = 0; first < plan.neurons; first += most) {
        const neurons = Math.min(most, plan.neurons - first);
        this.#tiles.push(new Tile(device, plan, this.#width, this.capacity, first, neurons));
      }
    });
  }

  // A whole word of steps, many for small populations; any number where a block's stream or samples would not fit.
  #blockSteps(tileNeurons: number): number {
    const { traces, streams, neurons } = this.#plan;
    const { limit, tuning } = this.#device;
    const words = Math.min(Math.max(Math.floor(UPDATES_PER_DISPATCH / 32 / neurons), 1), 64);
    const fitting = (count: number) => Math.floor(limit / (4 * (count + WORKGROUP * this.#width)));
    const rooms = traces.map((trace) => fitting(4 * Math.min(trace.neurons.length, tileNeurons)) * trace.every);
    if (streams) rooms.push(fitting(tileNeurons));
    return Math.max(1, Math.min(tuning.blockSteps ?? 32 * words, ...rooms));
  }

  get #updates(): number {
    return this.#device.tuning.submit ?? this.#device.schedule.updates;
  }

  // A block need not fit into one submit, but a small population takes no longer ones than that.
  get maxSteps(): number {
    // Padding takes its time, too.
    const granule = WORKGROUP * this.#width;
    const lanes = Math.ceil(this.#plan.neurons / granule) * granule;
    const words = Math.max(1, Math.floor(this.#updates / 32 / lanes));
    return Math.min(this.capacity, this.#device.tuning.blockSteps ?? 32 * words);
  }

  setFields(changed: Readonly<Record<string, Plane>>): void {
    this.#values = { ...this.#values, ...changed };
    const arrays = this.#fields.map(({ key }) => key).filter((key) => typeof this.#values[key] !== 'number');
    const same = arrays.join() === this.#arrays.join();
    // Until all of them are there none is.
    this.#arrays = [];
    const scalars = this.#scalars();
    for (const tile of this.#tiles) {
      if (!same) this.#device.allocate(() => tile.makePlanes(arrays.length));
      for (const [index, key] of arrays.entries()) {
        if (!same || key in changed) tile.writePlane('planes', index, this.#values[key] as Plane);
      }
      tile.writeScalars(scalars);
    }
    this.#arrays = arrays;
  }

  #scalars(): Uint32Array {
    const words = new Uint32Array(this.#fields.length);
    const floats = new Float32Array(words.buffer);
    let member = 0;
    for (const { key, row } of this.#fields) {
      const value = this.#values[key];
      if (typeof value === 'number') (row.edge ? words : floats)[member++] = value;
    }
    return words;
  }

  setStates(states: Readonly<Record<string, Plane>>): void {
    for (const [name, plane] of Object.entries(states)) {
      for (const tile of this.#tiles) tile.writePlane('states', this.#states.indexOf(name), plane);
    }
  }

  get gpu(): GpuPopulation {
    const planes = Object.fromEntries(this.#states.map((state, plane) => [state, plane]));
    return { device: this.#device.gpu, tiles: this.#tiles.map(({ gpu }) => gpu), planes };
  }

  get states(): readonly string[] {
    return this.#states;
  }

  async readState(name: string): Promise<Float32Array> {
    return new Float32Array(await this.#readPlane('states', this.#states.indexOf(name)));
  }

  async readCounts(): Promise<Uint32Array> {
    return new Uint32Array(await this.#readPlane('counts', 0));
  }

  async #readPlane(name: 'states' | 'counts', index: number): Promise<ArrayBuffer> {
    const whole = hostRoom(4 * this.#plan.neurons);
    // Queued before anything else is awaited: what is read is as it is now.
    const placed = Promise.all(this.#tiles.map((tile) => tile.readPlane(name, index, whole)));
    placed.catch(() => {});
    await this.#device.memory();
    await placed;
    return whole;
  }

  begin(counts: Uint32Array | null): void {
    for (const tile of this.#tiles) tile.writeCounts(counts);
  }

  #key = (stream: StreamKind, gathered: readonly string[]): string =>
    `${stream} ${gathered.join()} ${this.#arrays.join()}`;

  ready(stream: StreamKind, gathered: readonly string[]): boolean {
    return this.#device.settled && this.#programs.has(this.#key(stream, gathered));
  }

  async compile(stream: StreamKind, gathered: readonly string[]): Promise<void> {
    await this.#device.memory();
    const key = this.#key(stream, gathered);
    if (this.#programs.has(key)) return;
    const { soma, inputs, traces, statistics } = this.#plan;
    const arrays = new Set(this.#arrays);
    const structure = { soma, inputs, arrays, stream, statistics, gathered, width: this.#width };
    const build = async (kernel: Kernel) => ({ kernel, pipeline: await this.#device.pipeline(kernel) });
    const kernels = [simulateKernel(structure), ...traces.map(({ state }) => traceKernel(structure, state))];
    const [main, ...rest] = await Promise.all(kernels.map(build));
    if (main) this.#programs.set(key, { main, traces: rest });
  }

  async advance(block: Block): Promise<BlockResult> {
    const programs = this.#programs.get(this.#key(block.stream.kind, block.gathered)) as Programs;
    const slot = this.#slot;
    this.#slot = (slot + 1) % SLOTS;
    const begin = performance.now();
    const accepted = this.#tiles.map((tile) => tile.submit(block, programs, slot, this.#updates));
    const [words, traces, ...updates] = await Promise.all([
      Promise.all(this.#tiles.map((tile) => tile.readWords(block, slot))),
      block.traces ? this.#readTraces(block, slot) : [],
      ...accepted,
    ]);
    const sum = updates.reduce((before, each) => before + each, 0);
    this.#device.schedule.took(sum, begin, performance.now());
    return { words: block.words ? words : [], traces, finite: words.every(({ finite }) => finite) };
  }

  #readTraces(block: Block, slot: number): Promise<Float32Array[]> {
    const read = async ({ neurons, every }: PopulationPlan['traces'][number], request: number) => {
      const values = new Float32Array(hostRoom(4 * samplesIn(block.first, block.steps, every) * neurons.length));
      await Promise.all(this.#tiles.map((tile) => tile.readSamples(block, slot, request, values, neurons.length)));
      return values;
    };
    return Promise.all(this.#plan.traces.map(read));
  }

  destroy(): void {
    for (const tile of this.#tiles) tile.destroy();
  }
}
