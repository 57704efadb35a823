// The CPU path: the backend's interface over the compiled laws. It owns how a population is cut into slices and blocks
// and on which threads they live; the numbers lie with the slices.

import {
  type Backend,
  BLOCKS_IN_FLIGHT,
  type Block,
  type BlockResult,
  checkMemory,
  type DevicePopulation,
  hostRoom,
  type PopulationPlan,
  type SpikeWords,
} from './backend.ts';
import type { Tuning } from './device.ts';
import { DisposedError, inRoom, NoBackendError, SomaError } from './errors.ts';
import { fieldsOf, inputKey, statesOf } from './fields.ts';
import { STRIDE } from './frame.ts';
import { compiled, inputLaws, statisticsRows } from './generated/shaders.ts';
import type { Plane } from './parameters.ts';
import { samplesIn } from './recording.ts';
import type { Row, Table } from './rows.ts';
import { lowerBound, type Placed, type SlicePlan, type SliceResult } from './slice.ts';
import { cores, OwnThread, type Thread, typed, WorkerThread } from './threads.ts';

/** Populations up to this size stay on the calling thread: a message to a worker costs as much as stepping them. */
const SMALL = 2048;
/** Neuron updates in a block, about a tenth of a second: bringing neurons into the frame and back is small beside it. */
const UPDATES_PER_BLOCK = 2 ** 26;
/** On the calling thread: a turn of some milliseconds. */
const UPDATES_PER_TURN = 2 ** 20;
/** Numbers that a block brings or leaves at most where every neuron has one in each step. */
const MOST_NUMBERS = 2 ** 24;
/** Results that live at once: those on their way, and the one being read. */
const SLOTS = BLOCKS_IN_FLIGHT + 1;

export interface CpuOptions {
  /** Worker threads at most; as many as the processor runs by default. 0 keeps all on the calling thread. */
  workers?: number;
  /** Address of the worker's script, for pages whose Content-Security-Policy forbids workers made from text. */
  workerUrl?: string | URL;
  tuning?: Tuning;
}

/** Opens the CPU path. @throws NoBackendError where WebAssembly has no SIMD, or the page forbids it */
export async function openCpu(options: CpuOptions): Promise<Backend> {
  // A function that adds two vectors: (func (param v128) local.get 0 local.get 0 f32x4.add drop)
  const probe = [0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 1, 123, 0, 3, 2, 1, 0, 10, 12, 1, 10, 0, 32, 0, 32, 0];
  try {
    await WebAssembly.compile(Uint8Array.from([...probe, 253, 228, 1, 26, 11]));
  } catch (cause) {
    const remedy =
      "it wants a browser or Node of 2021 or later and, where a Content-Security-Policy says what scripts may do, 'wasm-unsafe-eval'";
    throw new NoBackendError(`the CPU path cannot compile WebAssembly SIMD: ${remedy}: ${(cause as Error).message}`, {
      cause,
    });
  }
  return new Cpu(options);
}

class Cpu implements Backend {
  readonly kind = 'cpu';
  readonly adapter: string;
  readonly software = true;
  readonly #options: CpuOptions;
  readonly #workers: number;
  #own: Thread | undefined;
  readonly #threads: Thread[] = [];
  readonly #populations: CpuPopulation[] = [];
  #slices = 0;

  constructor(options: CpuOptions) {
    this.#options = options;
    this.#workers = options.workers ?? cores();
    this.adapter = `WebAssembly SIMD, ${this.#workers > 1 ? `up to ${this.#workers} threads` : '1 thread'}`;
  }

  checkRoom(neurons: number, planes: number, path: string): void {
    // The planes twice, because the host keeps what the user gave; counts, and three blocks of words on their way.
    checkMemory(neurons, 4 * (2 * planes + 1 + SLOTS), path);
  }

  populate(plan: PopulationPlan): DevicePopulation {
    const { neurons } = plan;
    const wanted = neurons <= SMALL ? 0 : Math.min(this.#workers, Math.ceil(neurons / SMALL));
    const threads = wanted === 0 ? [this.#ownThread()] : this.#workerThreads(wanted);
    const each = Math.ceil(neurons / threads.length / STRIDE) * STRIDE;
    const homes = threads
      .map((thread, i): Home => {
        const first = i * each;
        return { thread, slice: this.#slices++, first, neurons: Math.min(each, neurons - first) };
      })
      .filter((home) => home.neurons > 0);
    const population = new CpuPopulation(plan, homes, wanted === 0, this.#options.tuning ?? {});
    this.#populations.push(population);
    return population;
  }

  #ownThread(): Thread {
    this.#own ??= new OwnThread();
    return this.#own;
  }

  // Started when the first large population wants them.
  #workerThreads(count: number): readonly Thread[] {
    while (this.#threads.length < count) this.#threads.push(new WorkerThread(this.#options.workerUrl));
    return this.#threads.slice(0, count);
  }

  dispose(): void {
    const reason = new DisposedError('the simulation was disposed of');
    for (const thread of [...this.#threads, ...(this.#own ? [this.#own] : [])]) thread.end(reason);
    for (const population of this.#populations) population.release();
  }
}

/** Where a slice is, and which neurons it has. */
interface Home {
  thread: Thread;
  slice: number;
  first: number;
  neurons: number;
}

/** The columns of a trace that a slice has, sorted by neuron. */
interface Share {
  neurons: Uint32Array;
  columns: Uint32Array;
}

class CpuPopulation implements DevicePopulation {
  readonly maxSteps: number;
  readonly capacity: number;
  readonly #plan: PopulationPlan;
  readonly #homes: readonly Home[];
  readonly #fields: readonly string[];
  readonly #states: readonly string[];
  /** For each slice, for each trace. */
  readonly #shares: readonly (readonly Share[])[];
  /** All slices there, or why not; then everything asked of them so far has been done, well or not. */
  #made: Promise<unknown>;
  #settled = false;
  /** Whether all has gone well since it began: else some slices may have made what was asked and others not. */
  #fate: { failure?: { error: unknown } } = {};
  /** Memory for spike words, by slot and slice: it goes to the worker and comes back. */
  readonly #words: (Uint32Array | undefined)[][];
  #slot = 0;

  constructor(plan: PopulationPlan, homes: readonly Home[], own: boolean, tuning: Tuning) {
    this.#plan = plan;
    this.#homes = homes;
    this.#fields = fieldsOf(plan.soma, plan.inputs).map(({ key }) => key);
    this.#states = statesOf(plan.soma, plan.inputs, plan.statistics).map(({ key }) => key);
    this.#shares = homes.map((home) => plan.traces.map(({ neurons }) => shareOf(home, neurons)));
    this.capacity = this.maxSteps = tuning.blockSteps ?? this.#blockSteps(own);
    this.#words = Array.from({ length: SLOTS }, () => []);
    this.#made = this.#make(tuning.chunk);
    this.#made.then(
      () => {
        this.#settled = true;
      },
      () => {},
    );
  }

  // Whole words of steps, many for small populations; fewer where a block's stream or samples would take much memory.
  // A large population on the calling thread, which only goes by name, has to make do with a turn's worth of steps.
  #blockSteps(own: boolean): number {
    const { neurons, traces, streams } = this.#plan;
    if (own && neurons > SMALL) return Math.max(1, Math.floor(UPDATES_PER_TURN / neurons));
    // A sample costs what an update does, or more: it is stored, sent and put into its column.
    const sampled = traces.reduce((sum, trace) => sum + (4 * trace.neurons.length) / trace.every, 0);
    const updates = (own ? UPDATES_PER_TURN : UPDATES_PER_BLOCK) / (neurons + sampled);
    const words = Math.min(Math.max(Math.floor(updates / 32), 1), 64);
    const rooms = traces.map((trace) => Math.floor(MOST_NUMBERS / Math.max(trace.neurons.length, 1)) * trace.every);
    if (streams) rooms.push(Math.floor(MOST_NUMBERS / neurons));
    return Math.max(1, Math.min(32 * words, ...rooms));
  }

  async #make(chunk: number | undefined): Promise<void> {
    const { soma, inputs, dt, traces, statistics } = this.#plan;
    const laws = [soma, inputLaws.constant, ...inputs].map(async ({ wasm }) => moduleOf(await wasm()));
    const shared = (['draw', 'statistics'] as const).map(async (name) => moduleOf(await compiled(name)));
    const [[module, stream, ...modules], [draw, gather]] = (await Promise.all([
      Promise.all(laws),
      Promise.all(shared),
    ])) as [
      [WebAssembly.Module, WebAssembly.Module, ...WebAssembly.Module[]],
      [WebAssembly.Module, WebAssembly.Module],
    ];
    const fields = fieldsOf(soma, inputs).slice(Object.keys(soma.parameters).length);
    const plan = {
      dt,
      module,
      stream,
      draw,
      gather,
      statistics: statistics.map((state) => {
        const { from = '' } = (soma.states as Table)[state] as Row;
        return { state: this.#states.indexOf(state), origin: this.#fields.indexOf(from) };
      }),
      kept: Object.keys(statisticsRows).length,
      states: Object.keys(soma.states).length,
      parameters: Object.keys(soma.parameters).length,
      inputs: inputs.map(({ states, steady }, i) => {
        const own = fields.filter(({ key }) => key.startsWith(inputKey(i, '')));
        const source = own.findIndex(({ key }) => key === inputKey(i, 'seed'));
        return {
          module: modules[i] as WebAssembly.Module,
          edges: own.map(({ row }) => row.edge === true),
          states: Object.keys(states).length,
          source: source < 0 ? undefined : source,
          steady,
        };
      }),
      chunk: chunk && Math.ceil(chunk / STRIDE) * STRIDE,
    };
    const made = this.#homes.map(({ thread, slice, first, neurons }, i) => {
      const shares = (this.#shares[i] as readonly Share[]).map((share, trace) => ({
        neurons: share.neurons,
        every: traces[trace]?.every as number,
        state: this.#states.indexOf(traces[trace]?.state as string),
      }));
      const args: [SlicePlan] = [{ ...plan, first, neurons, traces: shares }];
      return thread.call(slice, 'make', args);
    });
    await Promise.all(made);
  }

  /** Does something with every slice, once they are there and after all that was asked before. */
  async #each<T>(work: (home: Home, index: number) => Promise<T>): Promise<T[]> {
    const fate = this.#fate;
    await this.#made;
    if (fate.failure) throw fate.failure.error;
    const ownWork = async (home: Home, index: number) => {
      try {
        return await work(home, index);
      } catch (error) {
        throw error instanceof SomaError ? error : typed(error as Error);
      }
    };
    return Promise.all(this.#homes.map(ownWork));
  }

  /** What fails here is in the way of all that comes later. */
  async #noted<T>(work: Promise<T>): Promise<T> {
    const fate = this.#fate;
    try {
      return await work;
    } catch (error) {
      fate.failure ??= { error };
      throw error;
    }
  }

  /** As `#each`, for what nobody awaits: a failure is told by the next thing that somebody does. */
  #tell(work: (home: Home, index: number) => Promise<unknown>): void {
    const told = this.#noted(this.#each(work)).catch(() => {});
    this.#made = this.#made.then(() => told);
    this.#made.catch(() => {});
  }

  setFields(fields: Readonly<Record<string, Plane>>): void {
    this.#tell((home) => this.#place(home, 'setFields', fields, this.#fields));
  }

  setStates(states: Readonly<Record<string, Plane>>): void {
    this.#tell((home) => this.#place(home, 'setStates', states, this.#states));
  }

  #place(
    { thread, slice, first, neurons }: Home,
    name: 'setFields' | 'setStates',
    values: Readonly<Record<string, Plane>>,
    order: readonly string[],
  ): Promise<unknown> {
    const placed = Object.entries(values).map(([key, value]): Placed => {
      return [order.indexOf(key), typeof value === 'number' ? value : value.slice(first, first + neurons)];
    });
    const memory = placed.flatMap(([, value]) => (typeof value === 'number' ? [] : [value.buffer as ArrayBuffer]));
    return thread.call(slice, name, [placed], memory);
  }

  get states(): readonly string[] {
    return this.#states;
  }

  async readState(name: string): Promise<Float32Array> {
    const whole = new Float32Array(hostRoom(4 * this.#plan.neurons));
    const position = this.#states.indexOf(name);
    await this.#each(async ({ thread, slice, first }) =>
      whole.set(await thread.call(slice, 'readState', [position]), first),
    );
    return whole;
  }

  async readCounts(): Promise<Uint32Array> {
    const whole = new Uint32Array(hostRoom(4 * this.#plan.neurons));
    await this.#each(async ({ thread, slice, first }) => whole.set(await thread.call(slice, 'readCounts', []), first));
    return whole;
  }

  begin(counts: Uint32Array | null): void {
    this.#fate = {};
    const own = ({ first, neurons }: Home) => counts?.slice(first, first + neurons);
    this.#tell((home) => home.thread.call(home.slice, 'setCounts', [own(home)]));
  }

  ready(): boolean {
    return this.#settled;
  }

  async compile(): Promise<void> {
    await this.#each(async () => {});
    this.#settled = true;
  }

  /** Lets go of its memory. */
  release(): void {
    for (const slot of this.#words) slot.length = 0;
  }

  async advance(block: Block): Promise<BlockResult> {
    const slot = this.#slot;
    this.#slot = (slot + 1) % SLOTS;
    const made = this.#each((home, i) => this.#advanceSlice(home, i, block, slot));
    const results = await this.#noted(made);
    const words = results.flatMap(({ words }, i): SpikeWords[] => {
      const { first, neurons } = this.#homes[i] as Home;
      (this.#words[slot] as (Uint32Array | undefined)[])[i] = words;
      return block.words ? [{ first, neurons, stride: neurons, words: words as Uint32Array }] : [];
    });
    const finite = results.every((result) => result.finite);
    return { words, traces: block.traces ? inRoom(() => this.#joinSamples(block, results)) : [], finite };
  }

  #advanceSlice(home: Home, index: number, block: Block, slot: number): Promise<SliceResult> {
    const { first, steps, traces, stream } = block;
    const gathered = block.gathered.map((state) => this.#plan.statistics.indexOf(state));
    const length = Math.ceil(this.maxSteps / 32) * home.neurons;
    const slots = this.#words[slot] as (Uint32Array | undefined)[];
    const words = block.words ? (slots[index] ?? new Uint32Array(length)) : undefined;
    // It is away until an answer brings it back; after a failure there is none.
    slots[index] = undefined;
    const values = stream.kind === 'each' ? this.#columnsOf(home, block) : stream.values.slice(0, steps);
    const given = stream.kind === 'none' ? undefined : { shared: stream.kind === 'shared', values };
    const memory = [words, given?.values].flatMap((array) => (array ? [array.buffer as ArrayBuffer] : []));
    const args = [{ first, steps, stream: given, words, traces, gathered }] as const;
    return home.thread.call(home.slice, 'advance', [...args], memory);
  }

  /** A slice's part of a stream with one value a step and neuron. */
  #columnsOf({ first, neurons }: Home, { steps, stream: { values } }: Block): Float32Array {
    const columns = new Float32Array(steps * neurons);
    for (let k = 0; k < steps; k++) {
      const from = k * this.#plan.neurons + first;
      columns.set(values.subarray(from, from + neurons), k * neurons);
    }
    return columns;
  }

  /** The samples of all slices, in the columns the user asked for. */
  #joinSamples({ first, steps }: Block, results: readonly SliceResult[]): Float32Array[] {
    return this.#plan.traces.map(({ neurons, every }, trace) => {
      const rows = samplesIn(first, steps, every);
      const joined = new Float32Array(rows * neurons.length);
      for (const [i, { samples }] of results.entries()) {
        const { columns } = (this.#shares[i] as readonly Share[])[trace] as Share;
        const own = samples[trace] as Float32Array;
        for (let row = 0; row < rows; row++) {
          const [to, from] = [row * neurons.length, row * columns.length];
          for (let c = 0; c < columns.length; c++) joined[to + (columns[c] as number)] = own[from + c] as number;
        }
      }
      return joined;
    });
  }
}

function shareOf({ first, neurons }: Home, traced: Uint32Array): Share {
  const sorted = Uint32Array.from(traced.keys()).sort((a, b) => (traced[a] as number) - (traced[b] as number));
  const byNeuron = sorted.map((column) => traced[column] as number);
  const [begin, end] = [lowerBound(byNeuron, first), lowerBound(byNeuron, first + neurons)];
  return { neurons: byNeuron.slice(begin, end).map((neuron) => neuron - first), columns: sorted.slice(begin, end) };
}

/** Compiled modules by their text: a law is compiled once. */
const modules = new Map<string, Promise<WebAssembly.Module>>();

function moduleOf(hex: string): Promise<WebAssembly.Module> {
  const bytes = () => Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
  const found = modules.get(hex) ?? WebAssembly.compile(bytes());
  modules.set(hex, found);
  return found;
}
