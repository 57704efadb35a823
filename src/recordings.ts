// All that is recorded of one population: which recorder has what, what they want of a block, and the way of its results to
// them. How one of them collects stands in recorders.ts; devices and parameters are the population's.

import type { Block, BlockResult } from './backend.ts';
import { InputError, inRoom } from './errors.ts';
import type { Plane } from './parameters.ts';
import type { Mark, RateRecorder, Recorder, SpikeRecorder, TraceRecorder, Window } from './recorders.ts';
import { countSpikes } from './recording.ts';

/** What was asked for; the rest is not there. */
export interface Recorders {
  spikes: SpikeRecorder | undefined;
  rate: RateRecorder | undefined;
  traces: ReadonlyMap<string, TraceRecorder>;
  /** Windows of the states whose statistics the device gathers. */
  statistics: ReadonlyMap<string, Window>;
}

export class Recordings implements Recorders {
  readonly spikes: Recorders['spikes'];
  readonly rate: Recorders['rate'];
  readonly traces: Recorders['traces'];
  readonly statistics: Recorders['statistics'];
  readonly #all: readonly Recorder[];

  constructor(
    /** The population's. */
    readonly name: string,
    { spikes, rate, traces, statistics }: Recorders,
  ) {
    [this.spikes, this.rate, this.traces, this.statistics] = [spikes, rate, traces, statistics];
    this.#all = [spikes, rate, ...traces.values()].filter((recorder) => recorder !== undefined);
  }

  /** What records `spikes`, `rate` or a state. @throws InputError if nothing does */
  of(what: string): Recorder {
    const found = what === 'spikes' ? this.spikes : what === 'rate' ? this.rate : this.traces.get(what);
    if (found) return found;
    if (what === 'spikes') throw this.unasked(what, 'spikes: true');
    if (what === 'rate') throw this.unasked(what, 'rate: { bin: 1 }');
    throw this.unasked(`states.${what}`, `states: { ${what}: {} }`);
  }

  /** What is kept of `spikes`, `rate` or a state. @throws InputError if that is not recorded, OutOfMemoryError */
  read(what: string): object {
    return inRoom(() => this.of(what).read());
  }

  unasked(path: string, asked: string): InputError {
    const remedy = `add the population with record: { ${asked} }`;
    return new InputError(`${this.name}.record.${path}`, undefined, 'was not asked for', remedy);
  }

  /** Steps from `first` on that belong to the same statistics. */
  uniformSteps(first: number): number {
    const edges = [...this.statistics.values()].flatMap(({ from, to }) => [from, to]);
    return Math.min(...edges.filter((edge) => edge > first)) - first;
  }

  /** The states whose statistics the steps from `first` on belong to. */
  gathered(first: number): readonly string[] {
    const within = [...this.statistics].filter(([, { from, to }]) => from <= first && first < to);
    return within.map(([state]) => state);
  }

  /** What is to be brought of a block. */
  wanted(first: number, steps: number): { words: boolean; traces: boolean } {
    const wants = (recorder: Recorder | undefined) => recorder?.wants(first, steps) === true;
    return { words: wants(this.spikes) || wants(this.rate), traces: [...this.traces.values()].some(wants) };
  }

  /** Records a block. `origin`: what a state's samples are relative to. @throws OutOfMemoryError, with a part recorded */
  keep(block: Block, result: BlockResult, origin: (state: string) => Plane): void {
    inRoom(() => this.#keep(block, result, origin));
  }

  #keep({ first, steps }: Block, { words, traces }: BlockResult, origin: (state: string) => Plane): void {
    const perStep = this.spikes?.append(words, first, steps);
    if (this.rate?.wants(first, steps)) this.rate.append(perStep ?? countSpikes(words, steps), first);
    [...this.traces].forEach(([state, recorder], i) => {
      recorder.append(traces[i] ?? new Float32Array(), first, steps, origin(state));
    });
    for (const recorder of this.#all) recorder.reach(first + steps);
  }

  /** Whether a reader is so far behind that a run has to wait. */
  get full(): boolean {
    return this.#all.some(({ full }) => full);
  }

  endStreams(failure?: { error: unknown }): void {
    for (const recorder of this.#all) recorder.endStreams(failure);
  }

  /** What `resume` goes on from. */
  get marks(): readonly Mark[] {
    return this.#all.map(({ mark }) => mark);
  }

  resume(marks: readonly Mark[]): void {
    for (const [i, recorder] of this.#all.entries()) if (marks[i]) recorder.resume(marks[i]);
  }

  clear(): void {
    for (const recorder of this.#all) recorder.clear();
  }
}
