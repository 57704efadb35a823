// A population on a device together with all that was done to it: what was set, what it looked like once, and the blocks
// since. So it can be put on another device, or back to an earlier step, with the same bits. When that is to happen is
// recovery.ts's affair; it knows neither devices nor threads nor what is recorded.

import type { Block, BlockResult, DevicePopulation, PopulationPlan } from './backend.ts';
import { DeviceLostError, NonFiniteError, SomaError } from './errors.ts';
import type { StreamKind } from './kernel.ts';
import { at, type Plane } from './parameters.ts';
import type { Table } from './rows.ts';

/** Bytes that an entry with its block takes itself. */
const ENTRY = 512;

/** What was set, then a block; the last one is still without. */
interface Entry {
  fields: Record<string, Plane>;
  states: Record<string, Plane>;
  /** Of the first one: what it began with. */
  counts?: Uint32Array | null;
  block?: Block;
  /** What the block gives, until it was handed over. */
  result?: Promise<BlockResult> | undefined;
  taken?: boolean;
}

/** What it is kept for. */
export interface Keeper {
  /** Whether blocks are kept; else only what is set. */
  readonly keeps: boolean;
  /** Told before each block. */
  beforeBlock(population: KeptPopulation): void;
  /** What is asked of the device; where that is lost meanwhile, what is then asked of the one in its place. */
  surviving<T>(ask: () => Promise<T>): Promise<T>;
  /** Why some states are no numbers any more, once all is as it was before. */
  astray(): Promise<Error>;
  /** Why all have gone back, until the simulation has, too: blocks of later steps are for nothing until then. */
  readonly gone: Error | undefined;
}

/** What a population looks like between two blocks. */
export interface Look {
  /** Whether all was well until then. */
  ran: Promise<boolean>;
  /** Gives what puts it in the place of all that was done before. */
  read: Promise<() => void>;
}

export class KeptPopulation implements DevicePopulation {
  /** Bytes that are here only to be given again. */
  bytes = 0;
  #entries: Entry[] = [{ fields: {}, states: {}, counts: null }];
  /** Whether the device stands where the entries end; else it will be brought there. */
  #live = true;
  /** How often it was stopped: what began before is void. */
  #stops = 0;

  constructor(
    readonly keeper: Keeper,
    readonly plan: PopulationPlan,
    public device: DevicePopulation,
  ) {}

  get maxSteps(): number {
    return this.device.maxSteps;
  }

  get capacity(): number {
    return this.device.capacity;
  }

  get gpu(): DevicePopulation['gpu'] {
    return this.device.gpu;
  }

  get states(): readonly string[] {
    return this.device.states;
  }

  /** Bytes of its states and counts. */
  get size(): number {
    return 4 * this.plan.neurons * (this.states.length + 1);
  }

  get #last(): Entry {
    return this.#entries.at(-1) as Entry;
  }

  setFields(fields: Readonly<Record<string, Plane>>): void {
    this.#keep('fields', fields);
    if (this.#live) this.device.setFields(fields);
  }

  setStates(states: Readonly<Record<string, Plane>>): void {
    if (this.keeper.keeps) this.#keep('states', states);
    if (this.#live) this.device.setStates(states);
  }

  #keep(kind: 'fields' | 'states', planes: Readonly<Record<string, Plane>>): void {
    Object.assign(this.#last[kind], planes);
    if (this.#entries.length === 1) return;
    for (const plane of Object.values(planes)) if (typeof plane !== 'number') this.bytes += plane.byteLength;
  }

  // All is set next: what was before is never wanted again.
  begin(counts: Uint32Array | null): void {
    this.#entries = [{ fields: {}, states: {}, counts }];
    this.bytes = 0;
    if (this.#live) this.device.begin(counts);
  }

  readState(name: string): Promise<Float32Array> {
    return this.keeper.surviving(() => this.device.readState(name));
  }

  readCounts(): Promise<Uint32Array> {
    return this.keeper.surviving(() => this.device.readCounts());
  }

  ready(stream: StreamKind, gathered: readonly string[]): boolean {
    return this.#live && this.device.ready(stream, gathered);
  }

  compile(stream: StreamKind, gathered: readonly string[]): Promise<void> {
    return this.keeper.surviving(() => this.device.compile(stream, gathered));
  }

  async advance(block: Block): Promise<BlockResult> {
    const { keeper } = this;
    if (!keeper.keeps) {
      const result = await keeper.surviving(() => this.device.advance(block));
      if (!result.finite) throw await this.#foundAfter(block);
      return result;
    }
    if (keeper.gone) throw keeper.gone;
    keeper.beforeBlock(this);
    const entry = this.#last;
    entry.block = block;
    this.#entries.push({ fields: {}, states: {} });
    const { values } = block.stream;
    // A view is of an array that the population has anyway.
    this.bytes += ENTRY + (values.byteLength === values.buffer.byteLength ? values.byteLength : 0);
    if (this.#live) entry.result = this.device.advance(block);
    const result = await keeper.surviving(() => entry.result as Promise<BlockResult>);
    // Nothing may be kept any more.
    if (!result.finite) throw keeper.keeps ? (keeper.gone ?? (await keeper.astray())) : await this.#foundAfter(block);
    entry.taken = true;
    entry.result = undefined;
    return result;
  }

  /** Looks at it as it will be between the blocks queued so far and the next one. */
  look(): Look {
    const entries = this.#entries;
    const before = entries.length;
    const [bytes, stops] = [this.bytes, this.#stops];
    const ran = Promise.all(this.#entries.map(({ result }) => result));
    this.#entries.push({ fields: {}, states: {} });
    const read = this.#read().then(({ states, counts }) => () => {
      if (stops !== this.#stops || entries !== this.#entries) return;
      this.#entries.splice(0, before, { fields: this.#fieldsUntil(before), states, counts });
      this.bytes -= bytes;
    });
    read.catch(() => {});
    return { ran: ran.then((results) => results.every((result) => result?.finite !== false)), read };
  }

  /** Lets go of what was done: of it only the parameters are known from now on. */
  forget(): void {
    this.#entries = [{ fields: this.#fieldsUntil(this.#entries.length), states: {} }];
    this.bytes = 0;
  }

  #fieldsUntil = (end: number): Record<string, Plane> =>
    Object.assign({}, ...this.#entries.slice(0, end).map(({ fields }) => fields));

  async #read(): Promise<{ states: Record<string, Float32Array>; counts: Uint32Array }> {
    const { device, states } = this;
    const [counts, ...planes] = await Promise.all([
      device.readCounts(),
      ...states.map((name) => device.readState(name)),
    ]);
    return { counts, states: Object.fromEntries(states.map((name, i) => [name, planes[i] as Float32Array])) };
  }

  /** Nothing more is asked of the device: what comes is kept, and done in its turn. */
  stop(): void {
    this.#live = false;
    this.#stops++;
  }

  /** Before all is begun anew: what was under way is void, and the device is as good as any. */
  revive(): void {
    this.#stops++;
    this.#live = true;
  }

  /** Does on another device, or once more, all that was done before step `end`. */
  async replay(device: DevicePopulation, end = Infinity): Promise<void> {
    const stops = this.#stops;
    this.device = device;
    let before: Promise<unknown> | undefined;
    try {
      let entries = this.#entries;
      for (let i = 0; i < entries.length; i++) {
        const entry = entries[i] as Entry;
        const { block, taken } = entry;
        set(device, entry);
        if (!block) continue;
        if (block.first >= end) return;
        await prepare(device, block);
        if (stops !== this.#stops) return;
        // What was handed over is not wanted again.
        const result = device.advance(taken ? { ...block, words: false, traces: false } : block);
        result.catch(() => {});
        const earlier = before;
        before = result;
        if (!taken) entry.result = result;
        else await earlier;
        if (stops !== this.#stops) return;
        if (entries === this.#entries) continue;
        // It was reset meanwhile.
        entries = this.#entries;
        i = -1;
      }
      this.#live = true;
    } finally {
      await Promise.allSettled([before]);
    }
  }

  /** The first block on its way after which a state is no number. */
  async firstBeyond(): Promise<Block | undefined> {
    for (const { block, result } of [...this.#entries]) if (result && !(await result).finite) return block;
    return undefined;
  }

  /** Finds the step after which a state is no number, in the block from step `first` on, where the device stands and then stands again. */
  async search(first: number): Promise<Error> {
    const at = this.#entries.findIndex(({ block }) => block?.first === first);
    const block = this.#entries[at]?.block as Block;
    let before: { states: Record<string, Float32Array>; counts: Uint32Array } | undefined;
    const error = await this.#told(block, async () => {
      before = await this.#read();
      return this.#searched(block, before.states, this.#fieldsUntil(at + 1));
    });
    if (before) {
      this.device.begin(before.counts);
      this.device.setStates(before.states);
    }
    return error;
  }

  async #searched(block: Block, states: Entry['states'], fields: Entry['fields']): Promise<NonFiniteError> {
    const { device } = this;
    await prepare(device, block);
    const isWell = async (steps: number) => {
      device.setStates(states);
      return (await device.advance({ ...block, steps, words: false, traces: false })).finite;
    };
    let [well, beyond] = [0, block.steps];
    while (beyond - well > 1) {
      const middle = (well + beyond) >> 1;
      if (await isWell(middle)) well = middle;
      else beyond = middle;
    }
    await isWell(beyond);
    return this.#found(block.first + beyond - 1, fields);
  }

  #foundAfter = (block: Block): Promise<Error> =>
    this.#told(block, () => this.#found(block.first + block.steps - 1, this.#last.fields));

  /** What is found; where so much cannot be read, at least that there is something. */
  async #told({ first, steps }: Block, find: () => Promise<NonFiniteError>): Promise<Error> {
    try {
      return await find();
    } catch (cause) {
      if (!(cause instanceof SomaError) || cause instanceof DeviceLostError) throw cause;
      const what = `a state of ${this.plan.name} is no number after step ${first + steps - 1}; which cannot be read`;
      const Kind = cause.constructor as typeof SomaError;
      return new Kind(`${what}: ${cause.message}`, { cause });
    }
  }

  async #found(step: number, fields: Readonly<Record<string, Plane>>): Promise<NonFiniteError> {
    const { name, soma, dt } = this.plan;
    for (const state of this.states) {
      const values = await this.device.readState(state);
      const neuron = values.findIndex((value) => !Number.isFinite(value));
      if (neuron < 0) continue;
      const parameters = Object.entries(soma.parameters as Table).map(([key, row]) => {
        const value = at(fields[key] as Plane, neuron);
        return [key, row.inSteps ? value * dt : value];
      });
      return new NonFiniteError(name, neuron, state, step, Object.fromEntries(parameters));
    }
    throw new SomaError(`${name}: a state was no number at step ${step}, and all are numbers now`);
  }

  /** Lets go of the blocks from step `first` on, which end with an error; what was set since still holds. */
  resume(first: number, error: Error): void {
    const at = this.#entries.findIndex(({ block }) => block && block.first >= first);
    const open: Entry = { fields: {}, states: {} };
    for (const [i, entry] of this.#entries.splice(at).entries()) {
      const { fields, states, counts } = entry;
      // Of the first the device has all.
      if (i > 0) set(this.device, entry);
      Object.assign(open.fields, fields);
      Object.assign(open.states, states);
      if (counts !== undefined) open.counts = counts;
      entry.result = Promise.reject(error);
      entry.result.catch(() => {});
    }
    this.#entries.push(open);
    this.#live = true;
  }
}

function set(device: DevicePopulation, { fields, states, counts }: Entry): void {
  if (counts !== undefined) device.begin(counts);
  if (Object.keys(fields).length > 0) device.setFields(fields);
  if (Object.keys(states).length > 0) device.setStates(states);
}

async function prepare(device: DevicePopulation, { stream: { kind }, gathered }: Block): Promise<void> {
  if (!device.ready(kind, gathered)) await device.compile(kind, gathered);
}
