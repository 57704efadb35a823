// A tile: a contiguous range of a population's neurons, small enough that each of its buffers fits a binding. It owns
// those buffers, the dispatches over them and their readback; which values they hold is its population's affair.

import type { Block, GpuTile, PopulationPlan, SpikeWords, TraceRequest } from './backend.ts';
import { type Device, Readback, Usage } from './device.ts';
import { inRoom } from './errors.ts';
import { fieldsOf, statesOf } from './fields.ts';
import type { BindingName, Kernel } from './kernel.ts';
import { at, type Plane } from './parameters.ts';
import { samplesIn } from './recording.ts';

/** Threads in a workgroup, as the shaders say. */
export const WORKGROUP = 64;
/** In a dispatch. */
const MOST_WORKGROUPS = 65535;
/** Bytes before the spike words, as the shader says: the mark. */
const HEAD = 16;

/** A kernel with its pipeline. */
export interface Program {
  kernel: Kernel;
  pipeline: GPUComputePipeline;
}

/** What a block is run with; one trace program a trace request. */
export interface Programs {
  main: Program;
  traces: readonly Program[];
}

type Encode = (encoder: GPUCommandEncoder) => void;

/** What goes into one submit: work on lanes from the same workgroup on, and for how many more workgroups there is room. */
interface Part {
  from: number;
  room: number;
  work: Encode[];
}

type Buffers = Map<BindingName, GPUBuffer>;

/** A trace request's share in a tile. */
interface TileTrace {
  lanes: number;
  /** Where each column of the request stands in a row of samples; -1 where its neuron is in another tile. */
  floats: Int32Array;
  buffers: Buffers;
  readback: Readback;
}

export class Tile {
  /** Neurons with their padding to whole workgroups. */
  readonly #stride: number;
  readonly #buffers: Buffers = new Map();
  readonly #words: Readback;
  /** Of the words' buffer only what comes before them. */
  readonly #head: Readback;
  #mark = 0;
  readonly #marks: number[] = [];
  readonly #traces: readonly (TileTrace | undefined)[];
  /** Dropped when a buffer is replaced. */
  readonly #groups = new Map<Program, GPUBindGroup>();

  constructor(
    readonly device: Device,
    readonly plan: PopulationPlan,
    readonly width: 1 | 4,
    readonly maxSteps: number,
    readonly first: number,
    readonly neurons: number,
  ) {
    this.#stride = Math.ceil(neurons / width / WORKGROUP) * WORKGROUP * width;
    this.#make('block', 32, Usage.UNIFORM);
    // Room for all fields, so that the buffer need not change with which of them are scalars.
    this.#make('scalars', fieldsOf(plan.soma, plan.inputs).length * 4, Usage.UNIFORM);
    this.#make('states', statesOf(plan.soma, plan.inputs, plan.statistics).length * this.#stride * 4);
    this.#make('counts', this.#stride * 4);
    const words = this.#make('words', HEAD + Math.ceil(maxSteps / 32) * this.#stride * 4);
    this.#words = new Readback(device, words);
    this.#head = new Readback(device, words, HEAD);
    this.#traces = plan.traces.map((request) => this.#makeTrace(request));
  }

  #make(name: BindingName, bytes: number, kind: number = Usage.STORAGE, buffers = this.#buffers): GPUBuffer {
    const usage = kind | Usage.COPY_SRC | Usage.COPY_DST;
    const buffer = this.device.buffer(`${this.plan.name} ${name}`, bytes, usage);
    buffers.get(name)?.destroy();
    buffers.set(name, buffer);
    this.#groups.clear();
    return buffer;
  }

  #makeTrace({ neurons, every }: TraceRequest): TileTrace | undefined {
    const slots = new Int32Array(this.#stride / this.width).fill(-1);
    const lanes = new Uint32Array(Math.min(neurons.length, slots.length));
    const floats = new Int32Array(neurons.length).fill(-1);
    let count = 0;
    neurons.forEach((neuron, column) => {
      const local = neuron - this.first;
      if (local < 0 || local >= this.neurons) return;
      const lane = Math.floor(local / this.width);
      if ((slots[lane] as number) < 0) {
        lanes[count] = lane;
        slots[lane] = count++;
      }
      floats[column] = (slots[lane] as number) * this.width + (local % this.width);
    });
    if (count === 0) return undefined;
    const buffers: Buffers = new Map();
    const traced = this.#make('traced', 4 * count, Usage.STORAGE, buffers);
    const sampling = this.#make('sampling', 8, Usage.UNIFORM, buffers);
    const size = Math.ceil(this.maxSteps / every) * count * this.width * 4;
    const samples = this.#make('samples', size, Usage.STORAGE, buffers);
    this.device.write(traced, 0, lanes, 0, count);
    this.device.write(sampling, 0, Uint32Array.of(count, every));
    return { lanes: count, floats, buffers, readback: new Readback(this.device, samples) };
  }

  get gpu(): GpuTile {
    const { states, counts } = Object.fromEntries(this.#buffers) as Record<string, GPUBuffer>;
    return { first: this.first, neurons: this.neurons, stride: this.#stride, states, counts } as GpuTile;
  }

  /** Makes room for so many parameter planes; what they held is gone. */
  makePlanes(count: number): void {
    this.#make('planes', count * this.#stride * 4);
  }

  writeScalars(values: Uint32Array): void {
    this.device.write(this.#buffers.get('scalars') as GPUBuffer, 0, values);
  }

  /** The padding repeats the last neuron: a combination of values known to be sound, where defaults need not be. */
  writePlane(name: 'planes' | 'states', index: number, plane: Plane): void {
    const end = this.first + this.neurons;
    const values = inRoom(() => new Float32Array(this.#stride)).fill(at(plane, end - 1));
    if (typeof plane !== 'number') values.set(plane.subarray(this.first, end));
    this.device.write(this.#buffers.get(name) as GPUBuffer, index * this.#stride * 4, values);
  }

  /** Puts one plane into its place among those of all neurons, without its padding. */
  readPlane(name: 'states' | 'counts', index: number, whole: ArrayBuffer): Promise<void> {
    const into = new Uint8Array(whole, 4 * this.first, 4 * this.neurons);
    return this.device.bring(this.#buffers.get(name) as GPUBuffer, index * this.#stride * 4, into);
  }

  writeCounts(counts: Uint32Array | null): void {
    const buffer = this.#buffers.get('counts') as GPUBuffer;
    if (counts) this.device.write(buffer, 0, counts, this.first, this.neurons);
    // Fails only with a lost or disposed device, which whatever is awaited next reports.
    else this.device.submit('clear counts', (encoder) => encoder.clearBuffer(buffer)).catch(() => {});
  }

  /**
   * Submits a block, first the traces, which only read the states, then the steps: in parts of so many updates at most.
   *
   * @returns the updates there are, once all is accepted
   */
  async submit(block: Block, { main, traces }: Programs, slot: number, most: number): Promise<number> {
    const { steps } = block;
    this.#mark = (this.#mark % 0xffffffff) + 1;
    this.#marks[slot] = this.#mark;
    this.#writeStream(block);
    const each = steps * this.width * WORKGROUP;
    const room = Math.min(Math.max(1, Math.floor(most / each)), MOST_WORKGROUPS);
    const parts: Part[] = [];
    let workgroups = 0;
    const add = (program: Program, lanes: number, own?: Buffers) => {
      const end = Math.ceil(lanes / WORKGROUP);
      for (let from = 0, count = 0; from < end; from += count) {
        // One uniform holds for all of a submit.
        if (parts.at(-1)?.from !== from || parts.at(-1)?.room === 0) parts.push({ from, room, work: [] });
        const part = parts.at(-1) as Part;
        count = Math.min(part.room, end - from);
        part.room -= count;
        workgroups += count;
        part.work.push(this.#dispatch(program, count, own));
      }
    };
    for (const [request, trace] of this.#traces.entries()) {
      const bytes = this.#sampleBytes(block, request);
      if (!trace || bytes === 0) continue;
      add(traces[request] as Program, trace.lanes, trace.buffers);
      parts.at(-1)?.work.push((encoder) => trace.readback.copy(encoder, slot, bytes));
    }
    add(main, this.#stride / this.width);
    const words = block.words ? this.#words : this.#head;
    parts.at(-1)?.work.push((encoder) => words.copy(encoder, slot, HEAD + this.#wordBytes(block)));
    await Promise.all(parts.map((part) => this.#submitPart(block, part)));
    return each * workgroups;
  }

  #submitPart({ first, steps }: Block, { from, work }: Part): Promise<void> {
    const lanes = this.#stride / this.width;
    const head = Uint32Array.of(
      first,
      steps,
      lanes,
      0,
      this.first,
      this.#mark,
      from * WORKGROUP,
      this.first + this.neurons,
    );
    new Float32Array(head.buffer)[3] = this.plan.dt;
    this.device.write(this.#buffers.get('block') as GPUBuffer, 0, head);
    return this.device.submit(this.plan.name, (encoder) => {
      for (const encode of work) encode(encoder);
    });
  }

  #dispatch(program: Program, workgroups: number, own?: Buffers): Encode {
    const label = `somagpu ${this.plan.name} ${program.kernel.entry}`;
    return (encoder) => {
      const pass = encoder.beginComputePass({ label });
      pass.setPipeline(program.pipeline);
      pass.setBindGroup(0, this.#bindGroup(program, own));
      pass.dispatchWorkgroups(workgroups);
      pass.end();
    };
  }

  // Two requests of one state have programs of their own, so the program alone tells the group.
  #bindGroup(program: Program, own?: Buffers): GPUBindGroup {
    const found = this.#groups.get(program);
    if (found) return found;
    const entries = Object.entries(program.kernel.bindings).map(([name, binding]) => {
      const buffer = (own?.get(name as BindingName) ?? this.#buffers.get(name as BindingName)) as GPUBuffer;
      return { binding, resource: { buffer } };
    });
    const group = this.device.gpu.createBindGroup({ layout: program.pipeline.getBindGroupLayout(0), entries });
    this.#groups.set(program, group);
    return group;
  }

  #writeStream({ stream: { kind, values }, steps }: Block): void {
    if (kind === 'none') return;
    const row = kind === 'shared' ? 4 : this.#stride * 4;
    let buffer = this.#buffers.get('stream');
    if (!buffer || buffer.size < row * steps) {
      // A single step is what `step` makes: no room for a whole block then.
      const rows = steps > 1 || kind === 'shared' ? this.maxSteps : 1;
      this.device.allocate(() => this.#make('stream', row * rows));
      buffer = this.#buffers.get('stream') as GPUBuffer;
    }
    if (kind === 'shared') this.device.write(buffer, 0, values, 0, steps);
    for (let k = 0; kind === 'each' && k < steps; k++) {
      this.device.write(buffer, k * row, values, k * this.plan.neurons + this.first, this.neurons);
    }
  }

  #wordBytes = ({ steps, words }: Block): number => (words ? Math.ceil(steps / 32) * this.#stride * 4 : 0);

  #sampleBytes({ first, steps, traces }: Block, request: number): number {
    const { every } = this.plan.traces[request] as TraceRequest;
    return traces ? samplesIn(first, steps, every) * (this.#traces[request]?.lanes ?? 0) * this.width * 4 : 0;
  }

  /** The spike words, if they are wanted, of a block that was encoded with this slot, and whether its states are numbers. */
  async readWords(block: Block, slot: number): Promise<SpikeWords & { finite: boolean }> {
    const bytes = this.#wordBytes(block);
    const mark = this.#marks[slot];
    const read = await (block.words ? this.#words : this.#head).read(slot, HEAD + bytes);
    const finite = new Uint32Array(read, 0, 1)[0] !== mark;
    const words = new Uint32Array(read, HEAD, bytes / 4);
    return { first: this.first, neurons: this.neurons, stride: this.#stride, words, finite };
  }

  /** Puts the samples of this tile's neurons into their columns of `values`, `[samples, columns]`. */
  async readSamples(block: Block, slot: number, request: number, values: Float32Array, width: number): Promise<void> {
    const trace = this.#traces[request];
    const bytes = this.#sampleBytes(block, request);
    if (!trace || bytes === 0) return;
    const samples = new Float32Array(await trace.readback.read(slot, bytes), 0, bytes / 4);
    const row = trace.lanes * this.width;
    for (let from = 0, to = 0; from < samples.length; from += row, to += width) {
      for (let column = 0; column < width; column++) {
        const float = trace.floats[column] as number;
        if (float >= 0) values[to + column] = samples[from + float] as number;
      }
    }
  }

  destroy(): void {
    for (const { buffers, readback } of [
      { buffers: this.#buffers, readback: this.#words },
      { buffers: this.#buffers, readback: this.#head },
      ...this.#traces.filter((trace) => trace !== undefined),
    ]) {
      for (const buffer of buffers.values()) buffer.destroy();
      readback.destroy();
    }
  }
}
