// A slice: a contiguous range of a population's neurons, stepped on this thread by the compiled law. It owns their
// states, counts and array parameters, brings chunks of them into the frame, and takes spikes and samples out. It knows
// neither threads nor users: numbers come in the units of the device, states and fields by their position.

import {
  CHUNK,
  type DrawCode,
  Frame,
  GATHERED,
  INPUTS,
  type InputCode,
  PLANE,
  PLANES,
  SETTLE,
  type SomaCode,
  STRIDE,
  type StatisticsCode,
} from './frame.ts';
import type { Plane } from './parameters.ts';
import { samplesIn } from './recording.ts';

/** Neurons stepped at once where some constant is an array: the frame then has a plane for every constant. */
const CHUNK_OF_ARRAYS = 512;

/** An input as a slice needs it. */
export interface SliceInput {
  module: WebAssembly.Module;
  /** For each parameter, whether it is a whole number, the same for all neurons. */
  edges: readonly boolean[];
  /** How many states it has. */
  states: number;
  /** Which of its parameters begin a struct Source, if it draws random numbers. */
  source: number | undefined;
  /** Whether its current is the same in every step. */
  steady: boolean;
}

export interface SlicePlan {
  /** The population's number of the first neuron. */
  first: number;
  neurons: number;
  dt: number;
  module: WebAssembly.Module;
  /** The generator of random bits. */
  draw: WebAssembly.Module;
  /** What gathers statistics; the states that have some, and the parameters they are relative to, -1 where to none. */
  gather: WebAssembly.Module;
  statistics: readonly { state: number; origin: number }[];
  /** Numbers kept of each. */
  kept: number;
  /** How many states and parameters the soma has. */
  states: number;
  parameters: number;
  inputs: readonly SliceInput[];
  /** What adds a current from the host: the law of a constant input, whose amplitude is then the row of the step. */
  stream: WebAssembly.Module;
  traces: readonly SliceTrace[];
  /** Neurons stepped at once, at most; for measuring and testing. */
  chunk: number | undefined;
}

/** One state of some of the slice's neurons, in ascending order. */
export interface SliceTrace {
  state: number;
  neurons: Uint32Array;
  every: number;
}

export interface SliceBlock {
  first: number;
  steps: number;
  /** Currents from the host: one a step, or one a step and neuron. */
  stream: { shared: boolean; values: Float32Array } | undefined;
  /** Memory for the spike words, a row of all neurons for each 32 steps, if they are wanted. */
  words: Uint32Array | undefined;
  traces: boolean;
  /** Which statistics it belongs to. */
  gathered: readonly number[];
}

/** What a block left: its words, and for each trace its samples, `[samples, neurons]`. */
export interface SliceResult {
  words: Uint32Array | undefined;
  samples: Float32Array[];
  /** Whether all states are numbers after it. */
  finite: boolean;
}

/** A position, among the states or the fields, and what is there. */
export type Placed = readonly [position: number, value: Plane];

interface Input extends SliceInput {
  code: InputCode;
  /** The first of its planes: its parameters, its states, and the random bits it has drawn. */
  plane: number;
}

/** Addresses of a statistic: of what is kept, of its state, and of what that is relative to. */
type Gathering = readonly [base: number, x: number, origin: number];

/** The memory laws compute in. All slices of a thread share one: browsers have room for few. */
export class SharedFrame {
  readonly memory: WebAssembly.Memory;
  /** The slice whose numbers are in it. */
  owner: Slice | undefined;

  constructor(readonly planes = PLANES) {
    this.memory = new WebAssembly.Memory({ initial: Math.ceil((planes * PLANE) / 65536) });
  }
}

export class Slice {
  readonly #plan: SlicePlan;
  readonly #frame: SharedFrame;
  readonly #floats: Float32Array;
  readonly #words: Uint32Array;
  readonly #soma: SomaCode;
  readonly #inputs: readonly Input[];
  readonly #stream: Input;
  readonly #draw: DrawCode;
  readonly #gather: StatisticsCode;
  readonly #statistics: readonly Gathering[];
  /** Where the fields and the states are in the frame, and which planes there hold whole numbers. */
  readonly #fieldPlanes: readonly number[];
  readonly #statePlanes: readonly number[];
  readonly #wholePlanes: ReadonlySet<number>;
  /** Those of the states themselves. */
  readonly #watched: readonly number[];
  /** Neurons, in whole strides. */
  readonly #padded: number;
  readonly #states: readonly Float32Array[];
  readonly #counts: Uint32Array;
  /** The fields that are arrays, and those that are numbers, by their plane of the frame. */
  readonly #arrays = new Map<number, Float32Array>();
  readonly #numbers = new Map<number, number>();

  constructor(plan: SlicePlan, shared: SharedFrame) {
    this.#plan = plan;
    const stream = { module: plan.stream, edges: [false], states: 0, source: undefined, steady: false };
    let planes = INPUTS;
    const placed = [...plan.inputs, stream].map((input) => {
      const plane = planes;
      planes += input.edges.length + input.states + (input.source === undefined ? 0 : 1);
      return { ...input, plane };
    });
    const { kept } = plan;
    const firstParameter = Frame.states + plan.states;
    const nothing = planes++;
    this.#numbers.set(nothing, 0);
    this.#statistics = plan.statistics.map(({ state, origin }, i) => {
      const base = planes + i * (kept + GATHERED);
      const relativeTo = origin < 0 ? nothing : firstParameter + origin;
      return [base * PLANE, (Frame.states + state) * PLANE, relativeTo * PLANE];
    });
    planes += plan.statistics.length * (kept + GATHERED);
    this.#frame = planes <= shared.planes ? shared : new SharedFrame(planes);
    const { memory } = this.#frame;
    this.#floats = new Float32Array(memory.buffer);
    this.#words = new Uint32Array(memory.buffer);
    const link = <T>(module: WebAssembly.Module) =>
      new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as T;
    this.#soma = link<SomaCode>(plan.module);
    this.#draw = link<DrawCode>(plan.draw);
    this.#gather = link<StatisticsCode>(plan.gather);
    this.#inputs = placed.map((input) => ({ ...input, code: link<InputCode>(input.module) }));
    this.#stream = this.#inputs.at(-1) as Input;
    this.#fieldPlanes = [
      ...range(firstParameter, plan.parameters),
      ...placed.flatMap(({ plane, edges }) => range(plane, edges.length)),
    ];
    this.#watched = [
      ...range(Frame.states, plan.states),
      ...placed.flatMap(({ plane, edges, states }) => range(plane + edges.length, states)),
    ];
    this.#statePlanes = [...this.#watched, ...this.#statistics.flatMap(([base]) => range(base / PLANE, kept))];
    this.#wholePlanes = new Set(
      placed.flatMap(({ plane, edges }) => range(plane, edges.length).filter((_, i) => edges[i])),
    );
    this.#padded = Math.ceil(plan.neurons / STRIDE) * STRIDE;
    this.#states = this.#statePlanes.map(() => new Float32Array(this.#padded));
    this.#counts = new Uint32Array(this.#padded);
  }

  /** Sets fields: first come the soma's parameters, then those of the inputs in turn. */
  setFields(fields: readonly Placed[]): void {
    for (const [position, value] of fields) {
      const plane = this.#fieldPlanes[position] as number;
      this.#arrays.delete(plane);
      this.#numbers.delete(plane);
      if (typeof value === 'number') this.#numbers.set(plane, value);
      else this.#arrays.set(plane, this.#pad(value));
    }
    // They go into the frame with the next block.
    if (this.#frame.owner === this) this.#frame.owner = undefined;
  }

  #takeFrame(): void {
    if (this.#frame.owner === this) return;
    this.#frame.owner = this;
    for (const [plane, value] of this.#numbers) {
      const memory = this.#wholePlanes.has(plane) ? this.#words : this.#floats;
      planeOf(memory, plane).fill(value);
    }
  }

  setStates(states: readonly Placed[]): void {
    for (const [position, value] of states) {
      const state = this.#states[position] as Float32Array;
      if (typeof value === 'number') state.fill(value);
      else state.set(this.#pad(value));
    }
  }

  // What lies beyond the last neuron repeats it: a combination of values known to be sound, where zeros need not be.
  #pad(values: Float32Array): Float32Array {
    const padded = new Float32Array(this.#padded).fill(values.at(-1) as number);
    padded.set(values);
    return padded;
  }

  readState(position: number): Float32Array {
    return (this.#states[position] as Float32Array).slice(0, this.#plan.neurons);
  }

  readCounts(): Uint32Array {
    return this.#counts.slice(0, this.#plan.neurons);
  }

  setCounts(counts: Uint32Array | undefined): void {
    if (counts) this.#counts.set(counts);
    else this.#counts.fill(0);
  }

  /** Makes the steps of a block. */
  advance(block: SliceBlock): SliceResult {
    const { traces, dt, chunk } = this.#plan;
    const { first, steps, words } = block;
    this.#takeFrame();
    const sampled = block.traces ? traces : [];
    const samples = sampled.map(
      ({ every, neurons }) => new Float32Array(samplesIn(first, steps, every) * neurons.length),
    );
    const uniform = ![...this.#arrays.keys()].some((plane) => plane < INPUTS);
    if (uniform) this.#soma.prepare(4 * STRIDE, dt);
    let finite = true;
    const most = Math.min(chunk ?? CHUNK, uniform ? CHUNK : CHUNK_OF_ARRAYS);
    for (let from = 0; from < this.#padded; from += most) {
      const count = Math.min(most, this.#padded - from);
      this.#enter(from, count);
      if (!uniform) this.#soma.prepare(4 * count, dt);
      this.#step(block, from, count, uniform ? this.#soma.advance_uniform : this.#soma.advance, samples);
      finite &&= this.#isFinite(from, count);
      this.#leave(from, count);
    }
    return { words, samples, finite };
  }

  #enter(from: number, count: number): void {
    for (const [i, state] of this.#states.entries()) {
      planeOf(this.#floats, this.#statePlanes[i] as number).set(state.subarray(from, from + count));
    }
    for (const [plane, values] of this.#arrays) planeOf(this.#floats, plane).set(values.subarray(from, from + count));
    planeOf(this.#words, Frame.counts).set(this.#counts.subarray(from, from + count));
  }

  #leave(from: number, count: number): void {
    for (const [i, state] of this.#states.entries()) {
      state.set(planeOf(this.#floats, this.#statePlanes[i] as number, count), from);
    }
    this.#counts.set(planeOf(this.#words, Frame.counts, count), from);
  }

  // The current is made anew with the next step.
  #isFinite(from: number, count: number): boolean {
    const found = planeOf(this.#words, Frame.current, 4).fill(0);
    for (const plane of this.#watched) this.#gather.watch(4 * count, plane * PLANE, Frame.current * PLANE);
    if (found.every((word) => word === 0)) return true;
    // Padding runs along with noise of nobody's, and may come to anything.
    const real = Math.min(count, this.#plan.neurons - from);
    const isWell = (bits: number) => (bits & 0x7f800000) !== 0x7f800000;
    return this.#watched.every((plane) => planeOf(this.#words, plane, real).every(isWell));
  }

  // The steps of the chunk in the frame, as many in a call as share a current, a row of words and no sample in between.
  #step(
    block: SliceBlock,
    from: number,
    count: number,
    advance: SomaCode['advance'],
    samples: readonly Float32Array[],
  ): void {
    const { first, steps, words, stream, gathered } = block;
    const { neurons } = this.#plan;
    const inputs = stream ? this.#inputs : this.#inputs.slice(0, -1);
    const steady = inputs.every((input) => input.steady);
    const traced = block.traces ? this.#tracedIn(from, count) : [];
    const row = planeOf(this.#words, Frame.words, Math.min(count, neurons - from));
    for (let k = 0; k < steps; ) {
      const bit = k % 32;
      if (bit === 0) row.fill(0);
      if (bit === 0) this.#eachStatistic(gathered, (...at) => this.#gather.begin(4 * count, ...at));
      if (stream) this.#fillStream(stream, k, from, count);
      if (k === 0 || !steady) this.#setCurrent(inputs, count, first + k, from, k === 0);
      const toSettle = SETTLE - ((first + k) % SETTLE);
      const run =
        steady && gathered.length === 0 ? Math.min(32 - bit, steps - k, toSettle, stepsToSample(traced, first + k)) : 1;
      advance(4 * count, run, bit);
      k += run;
      if (run === toSettle) this.#soma.settle(4 * count);
      this.#eachStatistic(gathered, (...at) => this.#gather.gather(4 * count, ...at));
      for (const trace of traced) this.#sample(trace, samples, first, first + k - 1, from);
      if (k % 32 === 0 || k === steps) {
        this.#eachStatistic(gathered, (base) => this.#gather.merge(4 * count, base, bit + run));
        words?.set(row, ((k - 1) >> 5) * neurons + from);
      }
    }
  }

  /** Does something with those that a block belongs to. */
  #eachStatistic(gathered: readonly number[], work: (...at: Gathering) => void): void {
    for (const i of gathered) work(...(this.#statistics[i] as Gathering));
  }

  /** The current of step `n`: the inputs in the user's order, then what the host streams in. */
  #setCurrent(inputs: readonly Input[], count: number, n: number, from: number, begins: boolean): void {
    // Minus zero changes no number it is added to, not even minus zero.
    planeOf(this.#floats, Frame.current, count).fill(-0);
    for (const input of inputs) {
      // Random bits serve two steps; a block may begin with the second of them.
      if (input.source !== undefined && (n % 2 === 0 || begins)) this.#drawBits(input, input.source, count, n, from);
      input.code.add(4 * count, input.plane * PLANE, n);
    }
  }

  #drawBits({ plane, edges, states }: Input, source: number, count: number, n: number, from: number): void {
    const target = plane + edges.length + states;
    const own = planeOf(this.#words, plane + source + 3)[0] === 1;
    const bytes = own ? 4 * count : 4;
    this.#draw.draw(bytes, (plane + source) * PLANE, target * PLANE, n, this.#plan.first + from);
    if (!own) {
      const bits = planeOf(this.#words, target, count);
      bits.fill(bits[0] as number);
    }
  }

  #fillStream({ shared, values }: NonNullable<SliceBlock['stream']>, k: number, from: number, count: number): void {
    const plane = planeOf(this.#floats, this.#stream.plane, count);
    if (shared) plane.fill(values[k] as number);
    else {
      const { neurons } = this.#plan;
      const row = values.subarray(k * neurons + from, k * neurons + Math.min(from + count, neurons));
      plane.set(row);
      plane.fill(row.at(-1) as number, row.length);
    }
  }

  /** The traces with neurons in a chunk, and which of their columns these are. */
  #tracedIn(from: number, count: number): Traced[] {
    return this.#plan.traces.flatMap(({ neurons, every, state }, index) => {
      const [begin, end] = [lowerBound(neurons, from), lowerBound(neurons, from + count)];
      return begin < end ? [{ index, neurons, every, state, begin, end }] : [];
    });
  }

  #sample(trace: Traced, samples: readonly Float32Array[], first: number, step: number, from: number): void {
    const { index, neurons, every, state, begin, end } = trace;
    if (step % every !== 0) return;
    const values = planeOf(this.#floats, Frame.states + state);
    const target = samples[index] as Float32Array;
    const row = (samplesIn(first, step + 1 - first, every) - 1) * neurons.length;
    for (let column = begin; column < end; column++) {
      target[row + column] = values[(neurons[column] as number) - from] as number;
    }
  }
}

interface Traced extends SliceTrace {
  /** Which trace it is, and its first column and the one after its last. */
  index: number;
  begin: number;
  end: number;
}

/** So many whole numbers from `first` on. */
const range = (first: number, length: number): number[] => Array.from({ length }, (_, i) => first + i);

/** How many steps from step `n` on end with the next sample. */
function stepsToSample(traced: readonly Traced[], n: number): number {
  let least = Infinity;
  for (const { every } of traced) least = Math.min(least, ((every - (n % every)) % every) + 1);
  return least;
}

/** The numbers of a plane of the frame. */
function planeOf<T extends Float32Array | Uint32Array>(memory: T, plane: number, count = CHUNK): T {
  const begin = (plane * PLANE) / 4;
  return memory.subarray(begin, begin + count) as T;
}

/** The first place in a sorted list whose value is not below `value`. */
export function lowerBound(sorted: Uint32Array, value: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] as number) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

type Method = 'setFields' | 'setStates' | 'readState' | 'readCounts' | 'setCounts' | 'advance';

/** What can be asked of a slice, from whatever thread. */
export interface Calls extends Pick<Slice, Method> {
  make(plan: SlicePlan): void;
}

/** A call: which slice, what, and with what. */
export interface Request<Name extends keyof Calls = keyof Calls> {
  slice: number;
  name: Name;
  args: Parameters<Calls[Name]>;
}

/** The slices of a thread, by number. */
export class Slices {
  readonly #slices = new Map<number, Slice>();
  readonly #frame = new SharedFrame();

  /** Does what is asked, and gives what that gives. */
  serve({ slice, name, args }: Request): unknown {
    if (name === 'make') {
      this.#slices.set(slice, new Slice(args[0] as SlicePlan, this.#frame));
      return undefined;
    }
    const owner = this.#slices.get(slice) as Slice;
    return (owner[name as Method] as (...args: unknown[]) => unknown).apply(owner, args);
  }
}
