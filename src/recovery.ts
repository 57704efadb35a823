// What a lost device would take along: a backend around a backend that keeps, for each population, what was set, a snapshot
// of its states and counts now and then, and the blocks since. A new device is given all that again, in order, so that it
// stands where the lost one stood, with the same bits. It knows neither devices nor threads nor what is recorded.

import {
  type Backend,
  type Block,
  type BlockResult,
  type DevicePopulation,
  hostMemory,
  type PopulationPlan,
} from './backend.ts';
import { DeviceLostError, NonFiniteError } from './errors.ts';
import type { StreamKind } from './kernel.ts';
import { at, type Plane } from './parameters.ts';
import type { Opened, PathOptions } from './paths.ts';
import type { Table } from './rows.ts';

/** Losses without a step between them, the last of which is told. */
const MOST_LOSSES = 4;
/** Before each further attempt, ms: a page's GPU process takes a moment to come back. */
const PAUSE = 250;
/** A snapshot is made when this many times its cost has passed, and not before a second has. */
const COSTS = 50;
const SOONEST = 1000;
/** Bytes a ms, before it was measured. */
const USUAL = 1e6;
/** Bytes of currents and parameters, kept to be given again, that are worth a snapshot at once. */
const MOST_KEPT = 2 ** 28;

/** What was set, then a block; the last one is still without. */
interface Entry {
  fields: Record<string, Plane>;
  states: Record<string, Plane>;
  /** `null`: cleared. */
  counts?: Uint32Array | null;
  block?: Block;
  /** What the block gives, until it was handed over. */
  result?: Promise<BlockResult> | undefined;
  taken?: boolean;
}

export class Recovery implements Backend {
  readonly kind: Backend['kind'];
  readonly adapter: string;
  readonly software: boolean;
  /** How often the device was replaced. */
  recoveries = 0;
  readonly populations: KeptPopulation[] = [];
  readonly #reopen: Opened['reopen'];
  readonly #step: () => number;
  #backend: Backend;
  #replacing: Promise<void> | undefined;
  #failure: DeviceLostError | undefined;
  #losses = 0;
  #lostAt = -1;
  #disposed = false;
  #astray: Promise<NonFiniteError> | undefined;

  /** Whether snapshots are made. */
  readonly keeps: boolean;
  /** From one to the next, ms, where their cost is not to decide. */
  readonly pace: number | undefined;

  /** @param step - which step has been reached: all before it is recorded */
  constructor({ backend, reopen }: Opened, step: () => number, { recover = true, tuning }: PathOptions) {
    ({ kind: this.kind, adapter: this.adapter, software: this.software } = backend);
    this.#backend = backend;
    this.#reopen = recover ? reopen : undefined;
    this.#step = step;
    this.keeps = recover;
    this.pace = tuning?.snapshot;
  }

  checkRoom(neurons: number, planes: number, path: string): void {
    this.#backend.checkRoom(neurons, planes, path);
  }

  populate(plan: PopulationPlan): DevicePopulation {
    const population = new KeptPopulation(this, plan, this.#backend.populate(plan));
    this.populations.push(population);
    return population;
  }

  dispose(): void {
    this.#disposed = true;
    this.#backend.dispose();
  }

  /** What is asked of the device; where that is lost meanwhile, what is then asked of the one in its place. */
  async surviving<T>(ask: () => Promise<T>): Promise<T> {
    for (;;) {
      if (this.#replacing) await this.#replacing;
      if (this.#failure) throw this.#failure;
      const backend = this.#backend;
      try {
        return await ask();
      } catch (error) {
        // What it says of a device that is being replaced, or was, is beside the point.
        if (this.#replacing || backend !== this.#backend) continue;
        if (this.#disposed || !(error instanceof DeviceLostError)) throw error;
        this.#replacing = this.#replace(error).finally(() => {
          this.#replacing = undefined;
        });
      }
    }
  }

  /** Why some states are no numbers any more; all populations then stand where the block before that ended. */
  astray(): Promise<NonFiniteError> {
    this.#astray ??= this.#goBack().finally(() => {
      this.#astray = undefined;
    });
    return this.#astray;
  }

  async #goBack(): Promise<NonFiniteError> {
    // The first block to come back with such a state need not be the first that has one.
    const all = await Promise.all(this.populations.map(async (each) => ({ each, block: await each.firstBeyond() })));
    const first = Math.min(...all.map(({ block }) => block?.first ?? Infinity));
    const { each, block } = all.find(({ block }) => block?.first === first) as { each: KeptPopulation; block: Block };
    const search = async (): Promise<NonFiniteError> => {
      for (const population of this.populations) population.stop();
      try {
        await Promise.all(this.populations.map((population) => population.replay(population.device, first)));
        const error = await each.search(block);
        for (const population of this.populations) population.resume(first);
        return error;
      } catch (lost) {
        if (this.#disposed || !(lost instanceof DeviceLostError)) throw lost;
        await this.#replace(lost);
        return search();
      }
    };
    const found = search();
    const over = () => {
      this.#replacing = undefined;
    };
    this.#replacing = found.then(over, over);
    return found;
  }

  async #replace(lost: DeviceLostError): Promise<void> {
    for (const population of this.populations) population.stop();
    for (let cause: unknown; ; ) {
      const step = this.#step();
      this.#losses = step === this.#lostAt ? this.#losses + 1 : 1;
      this.#lostAt = step;
      if (!this.#reopen || this.#losses >= MOST_LOSSES) {
        this.#failure =
          cause instanceof DeviceLostError || !cause ? lost : new DeviceLostError(lost.message, { cause });
        this.#failure.step = step;
        throw this.#failure;
      }
      this.#backend.dispose();
      try {
        await this.#open(this.#reopen);
        this.recoveries++;
        return;
      } catch (error) {
        if (this.#disposed) throw error;
        cause = error;
      }
    }
  }

  async #open(reopen: () => Promise<Backend>): Promise<void> {
    if (this.#losses > 1) await new Promise((resolve) => setTimeout(resolve, PAUSE * this.#losses));
    const backend = await reopen();
    // Another device could give other bits.
    if (this.#disposed || backend.adapter !== this.adapter) {
      backend.dispose();
      throw new Error(`there is only ${backend.adapter} now, where there was ${this.adapter}`);
    }
    this.#backend = backend;
    await Promise.all(this.populations.map((population) => population.replay(backend.populate(population.plan))));
  }
}

class KeptPopulation implements DevicePopulation {
  readonly maxSteps: number;
  device: DevicePopulation;
  #entries: Entry[] = [{ fields: {}, states: {}, counts: null }];
  /** Whether the device stands where the entries end; else it will be brought there. */
  #live = true;
  /** Bytes that are here only to be given again. */
  #bytes = 0;
  #since: number | undefined;
  #cost: number;
  #shooting = false;

  constructor(
    readonly recovery: Recovery,
    readonly plan: PopulationPlan,
    device: DevicePopulation,
  ) {
    this.device = device;
    this.maxSteps = device.maxSteps;
    this.#cost = this.#size / USUAL;
  }

  get #size(): number {
    return 4 * this.plan.neurons * (this.states.length + 1);
  }

  get #last(): Entry {
    return this.#entries.at(-1) as Entry;
  }

  get gpu(): DevicePopulation['gpu'] {
    return this.device.gpu;
  }

  get states(): readonly string[] {
    return this.device.states;
  }

  setFields(fields: Readonly<Record<string, Plane>>): void {
    this.#keep('fields', fields);
    if (this.#live) this.device.setFields(fields);
  }

  setStates(states: Readonly<Record<string, Plane>>): void {
    this.#keep('states', states);
    if (this.#live) this.device.setStates(states);
  }

  #keep(kind: 'fields' | 'states', planes: Readonly<Record<string, Plane>>): void {
    Object.assign(this.#last[kind], planes);
    if (this.#entries.length === 1) return;
    for (const plane of Object.values(planes)) if (typeof plane !== 'number') this.#bytes += plane.byteLength;
  }

  setCounts(counts: Uint32Array): void {
    this.#last.counts = counts;
    if (this.#live) this.device.setCounts(counts);
  }

  clearCounts(): void {
    this.#last.counts = null;
    if (this.#live) this.device.clearCounts();
  }

  readState(name: string): Promise<Float32Array> {
    return this.recovery.surviving(() => this.device.readState(name));
  }

  readCounts(): Promise<Uint32Array> {
    return this.recovery.surviving(() => this.device.readCounts());
  }

  ready(stream: StreamKind, gathered: readonly string[]): boolean {
    return this.#live && this.device.ready(stream, gathered);
  }

  compile(stream: StreamKind, gathered: readonly string[]): Promise<void> {
    return this.recovery.surviving(() => this.device.compile(stream, gathered));
  }

  async advance(block: Block): Promise<BlockResult> {
    if (!this.recovery.keeps) {
      const result = await this.recovery.surviving(() => this.device.advance(block));
      if (!result.finite) throw await this.#found(block.first + block.steps - 1, this.#last.fields);
      return result;
    }
    this.#since ??= performance.now();
    if (this.#live && !this.#shooting && this.#due) void this.#shoot();
    const entry = this.#last;
    entry.block = block;
    this.#entries.push({ fields: {}, states: {} });
    const { values } = block.stream;
    // A view is of an array that the population has anyway.
    if (values.byteLength === values.buffer.byteLength) this.#bytes += values.byteLength;
    if (this.#live) entry.result = this.device.advance(block);
    const result = await this.recovery.surviving(() => entry.result as Promise<BlockResult>);
    if (!result.finite) throw await this.recovery.astray();
    entry.taken = true;
    entry.result = undefined;
    return result;
  }

  get #due(): boolean {
    if (this.#bytes > MOST_KEPT) return true;
    const { pace, populations } = this.recovery;
    const least = pace ?? Math.max(SOONEST, COSTS * this.#cost * populations.length);
    return performance.now() - (this.#since as number) > least && 3 * this.#size < hostMemory();
  }

  // It stands between the blocks as a read does; the run goes on meanwhile.
  async #shoot(): Promise<void> {
    this.#shooting = true;
    const device = this.device;
    const before = this.#entries.length;
    const running = Promise.all(this.#entries.map(({ result }) => result));
    this.#entries.push({ fields: {}, states: {} });
    const bytes = this.#bytes;
    const { states } = this;
    const reads = Promise.all([device.readCounts(), ...states.map((state) => device.readState(state))]);
    reads.catch(() => {});
    try {
      const ran = await running;
      const begin = performance.now();
      const [counts, ...planes] = await reads;
      this.#cost = performance.now() - begin;
      if (device !== this.device || ran.some((result) => result?.finite === false)) return;
      const fields = Object.assign({}, ...this.#entries.slice(0, before).map((entry) => entry.fields));
      const read = Object.fromEntries(states.map((state, i) => [state, planes[i] as Float32Array]));
      this.#entries.splice(0, before, { fields, states: read, counts });
      this.#bytes -= bytes;
    } catch {
      // The device is lost, which the block that follows will tell.
    } finally {
      this.#since = performance.now();
      this.#shooting = false;
    }
  }

  /** Nothing more is asked of the device: what comes is kept, and done in its turn. */
  stop(): void {
    this.#live = false;
  }

  /** Does on another device, or once more, all that was done before step `end`. */
  async replay(device: DevicePopulation, end = Infinity): Promise<void> {
    this.device = device;
    let before: Promise<unknown> | undefined;
    for (let i = 0; i < this.#entries.length; i++) {
      const { block, taken } = this.#entries[i] as Entry;
      set(device, this.#entries[i] as Entry);
      if (!block) continue;
      if (block.first >= end) return;
      const { kind } = block.stream;
      if (!device.ready(kind, block.gathered)) await device.compile(kind, block.gathered);
      if (device !== this.device) return;
      // What was handed over is not wanted again.
      const result = device.advance(taken ? { ...block, words: false, traces: false } : block);
      result.catch(() => {});
      if (!taken) (this.#entries[i] as Entry).result = result;
      else {
        await before;
        before = result;
      }
      if (device !== this.device) return;
    }
    this.#live = true;
  }

  /** The first block on its way after which a state is no number. */
  async firstBeyond(): Promise<Block | undefined> {
    const results = await Promise.all(this.#entries.map(({ result }) => result?.catch(() => undefined)));
    return this.#entries[results.findIndex((result) => result?.finite === false)]?.block;
  }

  /** Finds the step of a block, before which the device stands, after which a state is no number; then all is as it was. */
  async search(block: Block): Promise<NonFiniteError> {
    const { device, states } = this;
    const [counts, ...planes] = await Promise.all([
      device.readCounts(),
      ...states.map((name) => device.readState(name)),
    ]);
    const before = Object.fromEntries(states.map((name, i) => [name, planes[i] as Float32Array]));
    const { kind } = block.stream;
    if (!device.ready(kind, block.gathered)) await device.compile(kind, block.gathered);
    const isWell = async (steps: number) => {
      device.setStates(before);
      return (await device.advance({ ...block, steps, words: false, traces: false })).finite;
    };
    let [well, beyond] = [0, block.steps];
    while (beyond - well > 1) {
      const middle = (well + beyond) >> 1;
      if (await isWell(middle)) well = middle;
      else beyond = middle;
    }
    await isWell(beyond);
    const at = this.#entries.findIndex((entry) => entry.block === block);
    const fields = Object.assign({}, ...this.#entries.slice(0, at + 1).map((entry) => entry.fields));
    const error = await this.#found(block.first + beyond - 1, fields);
    device.setStates(before);
    device.setCounts(counts);
    return error;
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
    throw new Error(`${name}: a state is no number at step ${step}, and all are numbers afterwards`);
  }

  /** Lets go of the blocks from step `first` on; what was set since still holds. */
  resume(first: number): void {
    const at = this.#entries.findIndex(({ block }) => block && block.first >= first);
    const [open, ...rest] = this.#entries.splice(at);
    if (!open) return;
    const { fields, states, counts } = open;
    this.#entries.push({ fields, states, ...(counts === undefined ? {} : { counts }) });
    for (const entry of rest) {
      set(this.device, entry);
      Object.assign(fields, entry.fields);
      Object.assign(states, entry.states);
      if (entry.counts !== undefined) this.#last.counts = entry.counts;
    }
    this.#live = true;
  }
}

function set(device: DevicePopulation, { fields, states, counts }: Entry): void {
  if (Object.keys(fields).length > 0) device.setFields(fields);
  if (Object.keys(states).length > 0) device.setStates(states);
  if (counts) device.setCounts(counts);
  if (counts === null) device.clearCounts();
}
