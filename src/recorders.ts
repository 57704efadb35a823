// What is kept of a run on the host, of a window in time and of that the latest part, and what readers get of it as it
// comes. It knows neither devices nor files, and numbers only steps: what a user asks for is checked in record.ts.

import type { SpikeWords } from './backend.ts';
import { at, type Plane } from './parameters.ts';
import {
  type Chunk,
  chooseWords,
  decodeWords,
  type Rate,
  type Spikes,
  type Steps,
  samplesIn,
  type Trace,
  timeOf,
} from './recording.ts';
import { type Bell, Stream } from './streams.ts';

/** Which steps are recorded: those from `from` to before `to`; of these the latest `last` are kept. */
export interface Window {
  from: number;
  to: number;
  last: number;
}

/** What a recorder needs to go on where another of its kind stood. Of what that one kept only a ring goes with it. */
export interface Mark<Part = Steps> {
  position: number;
  since: number;
  parts: readonly Part[];
  /** The bin that is not complete yet. */
  open?: Bin | undefined;
}

/** `last` of a window that is no ring. */
const ENDLESS = 0xffffffff;

/** Collects one kind of recording, in parts that follow each other, and hands it to readers as it comes. */
export abstract class Recorder<Part extends Steps = Steps, Recorded extends object = object> {
  /** How many spikes, samples or bins were recorded in all, also those that only went to readers. */
  position = 0;
  protected parts: Part[] = [];
  /** The first step the ring still holds. */
  protected since = 0;
  readonly #streams = new Set<Stream<Chunk<Recorded>>>();

  constructor(
    readonly window: Window,
    protected readonly dt: number,
  ) {}

  /** The part of a block that lies in the window. */
  within(first: number, steps: number): Steps {
    return { first: Math.max(first, this.window.from), end: Math.min(first + steps, this.window.to) };
  }

  /** Whether there is something to record in a block. */
  wants(block: number, steps: number): boolean {
    const { first, end } = this.within(block, steps);
    return first < end;
  }

  /** A reader of its own, who gets what is recorded from now on. */
  stream(bell: Bell): Stream<Chunk<Recorded>> {
    const stream: Stream<Chunk<Recorded>> = new Stream(bell, () => this.#streams.delete(stream));
    this.#streams.add(stream);
    return stream;
  }

  /** Whether a reader is so far behind that the run has to wait. */
  get full(): boolean {
    return [...this.#streams].some(({ full }) => full);
  }

  /** Ends the streams there are. */
  endStreams(failure?: { error: unknown }): void {
    for (const stream of this.#streams) stream.end(failure);
  }

  // Everyone who reads gets arrays of his own.
  protected deliver(parts: readonly Part[]): void {
    const [first, last] = [parts[0], parts.at(-1)];
    if (!first || !last) return;
    for (const stream of this.#streams) stream.push({ ...this.join(parts), first: first.first, end: last.end });
  }

  /** All steps before `step` are recorded: lets go of what a ring no longer holds. */
  reach(step: number): void {
    this.since = step - this.window.last;
    const old = this.parts.findIndex(({ end }) => end > this.since);
    this.parts.splice(0, old < 0 ? this.parts.length : old);
  }

  get mark(): Mark<Part> {
    const { position, since, parts, window } = this;
    return { position, since, parts: window.last < ENDLESS ? parts : [] };
  }

  resume({ position, since, parts }: Mark<Part>): void {
    Object.assign(this, { position, since, parts: [...parts] });
  }

  clear(): void {
    this.parts = [];
    this.position = this.since = 0;
  }

  read(): Recorded {
    const { since } = this;
    return this.join(this.held().map((part) => (part.first < since ? this.cut(part, since, part.end) : part)));
  }

  protected held(): readonly Part[] {
    return this.parts;
  }

  /** What a part has from step `first` to before `end`. */
  protected abstract cut(part: Part, first: number, end: number): Part;
  protected abstract join(parts: readonly Part[]): Recorded;
}

interface SpikePart extends Steps {
  perStep: Uint32Array;
  neurons: Uint32Array;
}

const sum = (counts: Uint32Array): number => counts.reduce((total, count) => total + count, 0);

/** Collects the spikes of a population, or of chosen neurons of it. A spike costs four bytes until it is asked for. */
export class SpikeRecorder extends Recorder<SpikePart, Spikes> {
  constructor(
    window: Window,
    dt: number,
    /** In ascending order; all where there are none. */
    readonly chosen?: Uint32Array,
  ) {
    super(window, dt);
  }

  /** Takes the words of a block; gives the spikes of each step where it had to count those of all neurons. */
  append(words: readonly SpikeWords[], block: number, steps: number): Uint32Array | undefined {
    const { first, end } = this.within(block, steps);
    if (first >= end) return undefined;
    const { chosen } = this;
    const { perStep, neurons } = decodeWords(chosen ? [chooseWords(words, steps, chosen)] : words, steps);
    if (chosen) for (let i = 0; i < neurons.length; i++) neurons[i] = chosen[neurons[i] as number] as number;
    const part = this.cut({ first: block, end: block + steps, perStep, neurons }, first, end);
    this.position += part.neurons.length;
    if (part.neurons.length > 0) this.parts.push(part);
    this.deliver([part]);
    return chosen ? undefined : perStep;
  }

  protected cut(part: SpikePart, first: number, end: number): SpikePart {
    if (part.first === first && part.end === end) return part;
    const perStep = part.perStep.slice(first - part.first, end - part.first);
    const before = sum(part.perStep.subarray(0, first - part.first));
    return { first, end, perStep, neurons: part.neurons.slice(before, before + sum(perStep)) };
  }

  protected join(parts: readonly SpikePart[]): Spikes {
    const count = parts.reduce((total, { neurons }) => total + neurons.length, 0);
    const [steps, neurons, times] = [new Uint32Array(count), new Uint32Array(count), new Float64Array(count)];
    let done = 0;
    for (const part of parts) {
      neurons.set(part.neurons, done);
      for (const [k, spikes] of part.perStep.entries()) {
        steps.fill(part.first + k, done, done + spikes);
        times.fill(timeOf(part.first + k, this.dt), done, done + spikes);
        done += spikes;
      }
    }
    return { steps, times, neurons };
  }
}

interface Samples extends Steps {
  /** `[samples, neurons]` */
  values: Float32Array;
}

/** Collects the samples of one state. */
export class TraceRecorder extends Recorder<Samples, Trace> {
  constructor(
    window: Window,
    dt: number,
    readonly neurons: Uint32Array,
    readonly every: number,
  ) {
    super(window, dt);
  }

  override wants(block: number, steps: number): boolean {
    const { first, end } = this.within(block, steps);
    return first < end && samplesIn(first, end - first, this.every) > 0;
  }

  /** Takes the samples of a block, relative to `origin`; what is kept is absolute. The array is taken over. */
  append(samples: Float32Array, block: number, steps: number, origin: Plane): void {
    const { first, end } = this.within(block, steps);
    if (first >= end) return;
    const part = this.cut({ first: block, end: block + steps, values: samples }, first, end);
    const { values } = part;
    const width = this.neurons.length;
    if (origin !== 0) {
      for (let i = 0; i < values.length; i++) {
        values[i] = (values[i] as number) + at(origin, this.neurons[i % width] as number);
      }
    }
    const rows = samplesIn(first, end - first, this.every);
    this.position += rows;
    if (rows > 0) this.parts.push(part);
    this.deliver([part]);
  }

  protected cut(part: Samples, first: number, end: number): Samples {
    if (part.first === first && part.end === end) return part;
    const width = this.neurons.length;
    const from = samplesIn(part.first, first - part.first, this.every);
    const rows = samplesIn(first, end - first, this.every);
    return { first, end, values: part.values.slice(from * width, (from + rows) * width) };
  }

  protected join(parts: readonly Samples[]): Trace {
    const { every } = this;
    const steps = Uint32Array.from(
      parts.flatMap(({ first, end }) => {
        const begin = Math.ceil(first / every) * every;
        return Array.from({ length: samplesIn(first, end - first, every) }, (_, i) => begin + i * every);
      }),
    );
    const values = new Float32Array(steps.length * this.neurons.length);
    let done = 0;
    for (const part of parts) {
      values.set(part.values, done);
      done += part.values.length;
    }
    const times = Float64Array.from(steps, (step) => timeOf(step, this.dt));
    return { steps, times, neurons: this.neurons.slice(), values };
  }
}

interface Bin extends Steps {
  count: number;
}

/** Counts the spikes of a population in bins; they begin where the window does, but the first not before the recording. */
export class RateRecorder extends Recorder<Bin, Rate> {
  // The bin that is not complete yet: it has to go on where the ring keeps nothing.
  #open: Bin | undefined;

  constructor(
    window: Window,
    dt: number,
    /** Steps of a bin. */
    readonly bin: number,
    readonly neurons: number,
  ) {
    super(window, dt);
  }

  /** Takes the spikes of each step of a block. */
  append(perStep: Uint32Array, block: number): void {
    const { from, to } = this.window;
    const { first, end } = this.within(block, perStep.length);
    const before = this.parts.length;
    for (let step = first; step < end; ) {
      const bin = this.#open ?? { first: step, end: step, count: 0 };
      if (!this.#open) this.position++;
      const full = Math.min(from + (Math.floor((step - from) / this.bin) + 1) * this.bin, to);
      const next = Math.min(full, end);
      bin.count += sum(perStep.subarray(step - block, next - block));
      bin.end = step = next;
      this.#open = next < full ? bin : undefined;
      if (!this.#open) this.parts.push(bin);
    }
    this.deliver(this.parts.slice(before));
  }

  override endStreams(failure?: { error: unknown }): void {
    if (this.#open) this.deliver([this.#open]);
    super.endStreams(failure);
  }

  override get mark(): Mark<Bin> {
    return { ...super.mark, open: this.#open };
  }

  override resume(mark: Mark<Bin>): void {
    super.resume(mark);
    this.#open = mark.open;
  }

  override clear(): void {
    super.clear();
    this.#open = undefined;
  }

  protected override held(): readonly Bin[] {
    return this.#open && this.#open.end > this.since ? [...this.parts, this.#open] : this.parts;
  }

  // A bin stays whole as long as the ring holds a step of it.
  protected cut(bin: Bin): Bin {
    return bin;
  }

  protected join(bins: readonly Bin[]): Rate {
    const second = (this.neurons * this.dt) / 1000;
    return {
      steps: Uint32Array.from(bins, ({ first }) => first),
      times: Float64Array.from(bins, ({ end }) => timeOf(end - 1, this.dt)),
      counts: Uint32Array.from(bins, ({ count }) => Math.min(count, 0xffffffff)),
      rates: Float64Array.from(bins, ({ first, end, count }) => count / (end - first) / second),
      bin: this.bin,
    };
  }
}
