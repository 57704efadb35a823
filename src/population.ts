// A population: what was asked for, checked and resolved, its share of the device, and what was recorded of it.
// The simulation moves it through time; it knows nothing of the others.

import type { Backend, Block, BlockResult, DevicePopulation, GpuPopulation } from './backend.ts';
import { currentsOf, type HostCurrent, stepCurrent, streamKind, streamOf } from './currents.ts';
import { checkName, checkNames, InputError, inRoom, isList } from './errors.ts';
import { inputKey, statisticKey } from './fields.ts';
import { statisticsRows } from './generated/shaders.ts';
import type { Value } from './initializers.ts';
import { type Input, type ResolvedInput, resolveInputs } from './inputs.ts';
import type { StreamKind } from './kernel.ts';
import {
  at,
  defaultStates,
  onDevice,
  originOf,
  type Plane,
  resolveParameters,
  resolveStates,
  type Scope,
} from './parameters.ts';
import { checkIndices, makeRecordings, type Recording } from './record.ts';
import type { Mark } from './recorders.ts';
import type { Chunk, Rate, Spikes, Statistics, Trace } from './recording.ts';
import type { Recordings } from './recordings.ts';
import type { Row } from './rows.ts';
import type { Soma } from './somas.ts';
import type { Bell } from './streams.ts';

export interface PopulationOptions<Config extends object, State extends string> {
  /** A letter, then letters, digits, `_` or `-`; unique in its simulation, ignoring case. */
  name?: string;
  /** How many neurons, or their shape. */
  units: number | readonly number[];
  parameters?: Config;
  /** States at the start, in user units. */
  initial?: { [state in State]?: Value };
  /** Currents, pA; they add up. */
  input?: readonly Input[];
  /** Flat indices of the neurons whose spikes are reported as -1. */
  inhibitory?: ArrayLike<number>;
  record?: Recording<State>;
}

/** What a population knows of its simulation. */
interface Clock {
  readonly dt: number;
  readonly seed: number;
  readonly bell: Bell;
  /** @throws DisposedError */
  checkAlive(): void;
  /** Sets what is resolved first. @throws DisposedError, BusyError while it is being saved, OutOfMemoryError */
  set<T>(resolve: () => T, set: (resolved: T) => void): void;
}

/** What has changed in a population since it was added; states in the units of the device. */
export interface PopulationState {
  /** In user units; not arrays that are as they were given: the options have them. */
  parameters: Readonly<Record<string, Plane>>;
  states: Readonly<Record<string, Float32Array>>;
  counts: Uint32Array;
  /** Of each of its recorders. */
  recorded: readonly Mark[];
}

/** A population of one soma; made by {@link Simulation.add}. */
export class Population<Config extends object = object, State extends string = string> {
  /** As given, as a list: `[8, 8]`; neurons are numbered row-major. */
  readonly units: readonly number[];
  /** How many neurons: the product of `units`. */
  readonly neurons: number;
  /** @internal The options it was added with: a copy, so that its arrays are still what they were. */
  readonly given: PopulationOptions<Config, State>;
  /** @internal */
  readonly device: DevicePopulation;
  /** @internal */
  readonly recordings: Recordings;
  /** One byte a neuron, 1 where it is inhibitory; nothing where none is. */
  readonly inhibitory: Uint8Array | undefined;
  readonly #clock: Clock;
  readonly #currents: readonly HostCurrent[];
  /** What inputs and statistics start with, by the keys the device knows it by. */
  readonly #starts: Readonly<Record<string, () => Plane>>;
  /** How it was right after `add`; of a restored one only once `reset` asks for that. */
  #added: { parameters: Record<string, Plane>; states: Record<string, Plane> } | undefined;
  #parameters: Record<string, Plane>;
  /** What its inputs have, by the keys the device knows it by. */
  readonly #values: Readonly<Record<string, Plane>>;
  /** The parameters that were set since. */
  #set = new Set<string>();
  // Parameters may change while a block is on its way; its samples are relative to those it ran with.
  readonly #ranWith = new WeakMap<Block, Record<string, Plane>>();

  /** @internal */
  constructor(
    clock: Clock,
    backend: Backend,
    readonly soma: Soma<Config, State>,
    readonly name: string,
    options: PopulationOptions<Config, State>,
    state?: PopulationState,
  ) {
    const known = ['name', 'units', 'parameters', 'initial', 'input', 'inhibitory', 'record'];
    checkNames(name, options, known, 'key NAME of a population');
    this.#clock = clock;
    const { units, parameters = {}, initial = {}, input = [], inhibitory, record = {} } = options;
    this.units = checkUnits(units, `${name}.units`);
    this.neurons = this.units.reduce((product, side) => product * side, 1);
    const arrays = [...Object.values(parameters ?? {}), ...Object.values(initial ?? {})];
    const planes = arrays.filter((value) => value !== undefined && typeof value !== 'number').length;
    const gathered = Object.keys(record?.statistics ?? {}).length * Object.keys(statisticsRows).length;
    backend.checkRoom(this.neurons, planes + Object.keys(soma.states).length + gathered, `${name}.units`);
    const kept = state?.parameters ?? {};
    const wanted = Object.entries(parameters ?? {}).filter(([name]) => !Object.hasOwn(kept, name));
    const checked = state ? Object.fromEntries(wanted) : parameters;
    this.#parameters = resolveParameters(soma.parameters, checked, this.#scope('parameters'), kept);
    const { laws, host } = resolveInputs(input, this.#scope('input'));
    this.#currents = host;
    const inputs = input.map((one, i) => this.#givenInput(one, `${name}.input[${i}]`));
    this.inhibitory = checkInhibitory(inhibitory, this.neurons, `${name}.inhibitory`);
    this.recordings = makeRecordings(record, { name, soma, neurons: this.neurons, dt: clock.dt });
    const statistics = this.gatheredStates.flatMap((state) =>
      Object.entries(statisticsRows).map(([name, row]) => [statisticKey(state, name), () => row.default as number]),
    );
    this.#starts = { ...keyed(laws, 'states'), ...Object.fromEntries(statistics) };
    this.#values = keyed(laws, 'values');
    const begin = state ? undefined : this.#begin(this.#parameters, initial);
    this.given = { ...copyOf({ ...options, input: undefined }), input: inputs };
    this.device = backend.populate({
      name,
      soma,
      inputs: laws.map(({ law }) => law),
      neurons: this.neurons,
      dt: clock.dt,
      streams: this.streamKind === 'each',
      traces: Array.from(this.recordings.traces, ([state, { neurons, every }]) => ({ state, neurons, every })),
      statistics: this.gatheredStates,
    });
    if (!begin) return;
    this.#setFields();
    this.device.setStates(begin.states);
  }

  #begin(parameters: Record<string, Plane>, initial: object) {
    const { states } = this.soma;
    const given = resolveStates(states, initial, parameters, this.#scope('initial'));
    const starts = Object.entries(this.#starts).map(([key, start]) => [key, start()]);
    this.#added = {
      parameters,
      states: { ...defaultStates(states, parameters), ...given, ...Object.fromEntries(starts) },
    };
    return this.#added;
  }

  #scope(table: string): Scope {
    const { dt, seed } = this.#clock;
    const { name, neurons, units, soma } = this;
    return { path: `${name}.${table}`, owner: soma.name, population: name, neurons, units, dt, seed };
  }

  // The currents of a whole run may be most of what there is in memory: one copy has to do.
  #givenInput(input: Input, path: string): Input {
    const current = this.#currents.find((one) => one.path === path);
    if (!current || current.read) return copyOf(input);
    const { shared, steps, values } = current;
    return { kind: 'array', values, shape: shared ? [steps] : [steps, this.neurons] };
  }

  // In the units of the device.
  #deviceParameters(names: readonly string[]): Record<string, Plane> {
    const rows = this.soma.parameters as Record<string, Row>;
    const { dt } = this.#clock;
    return Object.fromEntries(
      names.map((name) => [name, onDevice(rows[name] as Row, this.#parameters[name] as Plane, dt)]),
    );
  }

  #setFields(): void {
    this.device.setFields({ ...this.#deviceParameters(Object.keys(this.#parameters)), ...this.#values });
  }

  // What a state is kept relative to.
  #origin(state: string, parameters = this.#parameters): Plane {
    return originOf((this.soma.states as Record<string, Row>)[state] as Row, parameters);
  }

  /**
   * Changes parameters, also while a run goes on: from its next block on. The others stay. A new value costs a buffer
   * write; only turning a number into an array, or back, compiles. States are kept relative to `potential_rest`:
   * changing it moves the potential along.
   *
   * @throws InputError naming what is wrong, BusyError during a save; nothing was changed then. OutOfMemoryError, after
   *   which nothing goes on until `reset`: some of it may be set
   */
  setParameters(changed: Config): void {
    const given = changed ?? {};
    this.#clock.set(
      () => resolveParameters(this.soma.parameters, given, this.#scope('parameters'), this.#parameters),
      (resolved) => {
        this.#parameters = resolved;
        this.device.setFields(this.#deviceParameters(Object.keys(given)));
      },
    );
    for (const name of Object.keys(given)) this.#set.add(name);
  }

  /** A parameter as it is now: a number where all neurons have the same, else a copy of what each has. */
  readParameter(name: string): number | Float32Array {
    this.#checkName('readParameter', name, 'parameter', Object.keys(this.#parameters));
    const value = this.#parameters[name] as Plane;
    return typeof value === 'number' ? value : value.slice();
  }

  /**
   * Sets states, in user units (absolute mV, pA, steps), from the next block of steps on; the others stay.
   *
   * @throws InputError naming what is wrong, BusyError during a save; nothing was changed then. OutOfMemoryError, after
   *   which nothing goes on until `reset`: some of it may be set
   */
  setState(states: { [state in State]?: Value }): void {
    this.#clock.set(
      () => resolveStates(this.soma.states, states, this.#parameters, this.#scope('state')),
      (resolved) => this.device.setStates(resolved),
    );
  }

  /** A state of all neurons as it is now, in user units. @throws InputError, OutOfMemoryError where there is no room for it */
  async readState(state: State): Promise<Float32Array> {
    this.#clock.checkAlive();
    this.#checkName('readState', state);
    const origin = this.#origin(state);
    const values = await this.#alive(this.device.readState(state));
    if (origin !== 0) for (let i = 0; i < values.length; i++) values[i] = (values[i] as number) + at(origin, i);
    return values;
  }

  /**
   * Its buffers on the GPU, for pictures of it that bring nothing back; nothing on the CPU path. They are the engine's: read
   * them, in work submitted to the same device.
   *
   * @example
   * ```ts
   * const { device, tiles, planes } = cells.gpu ?? {};
   * const [{ states, stride }] = tiles; // the potential of neuron i, mV above rest: f32 number planes.potential * stride + i
   * ```
   */
  get gpu(): GpuPopulation | undefined {
    return this.device.gpu;
  }

  /** How often each neuron has spiked since `add` or `reset`, counted on the device. @throws as `readState` */
  async spikeCounts(): Promise<Uint32Array> {
    this.#clock.checkAlive();
    return this.#alive(this.device.readCounts());
  }

  #checkName(method: string, name: unknown, kind = 'state', known = Object.keys(this.soma.states)): void {
    checkName(`${this.name}.${method}`, name, known, `${kind} NAME of ${this.soma.name}`);
  }

  // What a device says of memory that went with the simulation is beside the point.
  async #alive<T>(read: Promise<T>): Promise<T> {
    try {
      return await read;
    } finally {
      this.#clock.checkAlive();
    }
  }

  /**
   * The recorded spikes, ordered by step, then neuron.
   *
   * @throws InputError if they were not recorded
   */
  async spikes(): Promise<Spikes> {
    return this.recordings.read('spikes') as Spikes;
  }

  /**
   * The recorded samples of a state.
   *
   * @throws InputError if it was not recorded
   */
  async trace(state: State): Promise<Trace> {
    this.#checkName('trace', state);
    return this.recordings.read(state) as Trace;
  }

  /**
   * The recorded rate of the whole population, bin by bin.
   *
   * @throws InputError if it was not recorded
   */
  async rate(): Promise<Rate> {
    return this.recordings.read('rate') as Rate;
  }

  /**
   * Mean, variance, least and most of a state over the steps of its window that have passed, computed on the device.
   *
   * @throws InputError if they are not gathered
   * @example
   * ```ts
   * const { mean, variance } = await cells.statistics('potential'); // of each neuron, mV and mV^2
   * ```
   */
  async statistics(state: State): Promise<Statistics> {
    this.#clock.checkAlive();
    this.#checkName('statistics', state);
    if (!this.gatheredStates.includes(state))
      throw this.recordings.unasked(`statistics.${state}`, `statistics: { ${state}: {} }`);
    const read = (name: keyof typeof statisticsRows) => this.device.readState(statisticKey(state, name));
    const [count, mean, deviations, least, most] = await this.#alive(
      Promise.all((['count', 'mean', 'deviations', 'least', 'most'] as const).map(read)),
    );
    const [samples = 0] = count as Float32Array;
    // Of no steps there is no mean.
    const of = (values: Float32Array | undefined, f = (value: number) => value) =>
      (values as Float32Array).map((value) => (samples > 0 ? f(value) : Number.NaN));
    return inRoom(() => ({
      samples,
      mean: of(mean),
      variance: of(deviations, (value) => value / samples),
      min: of(least),
      max: of(most),
    }));
  }

  /**
   * What is recorded from now on, in chunks, while a run goes on: spikes and samples block by block, also where a block
   * has none, so that `first` and `end` tell the time; the rate in complete bins, and the incomplete one at the end.
   * The stream ends with the run that is going on, or else with the next one; if that fails, it throws the same error.
   * A run waits for its readers, so read while it goes on; `break` lets go of the stream. Steps of `step` come as well,
   * but end no stream and wait for nobody.
   *
   * @param what - `spikes`, `rate`, or a state
   * @throws InputError if it is not recorded; `last: 0` records for streams alone
   * @example
   * ```ts
   * const stream = cells.stream('spikes');
   * const running = simulation.run(1000);
   * for await (const { first, end, neurons } of stream) console.log(first, end, neurons.length);
   * await running;
   * ```
   */
  stream(what: 'spikes'): AsyncIterableIterator<Chunk<Spikes>, undefined>;
  stream(what: 'rate'): AsyncIterableIterator<Chunk<Rate>, undefined>;
  stream(what: State): AsyncIterableIterator<Chunk<Trace>, undefined>;
  stream(what: string): AsyncIterableIterator<object, undefined> {
    this.#clock.checkAlive();
    this.#checkName('stream', what, 'stream', ['spikes', 'rate', ...Object.keys(this.soma.states)]);
    return this.recordings.of(what).stream(this.#clock.bell);
  }

  get recordsSpikes(): boolean {
    return this.recordings.spikes !== undefined;
  }

  get recordsRate(): boolean {
    return this.recordings.rate !== undefined;
  }

  /** The states whose samples are recorded. */
  get recordedStates(): readonly State[] {
    return [...this.recordings.traces.keys()] as State[];
  }

  /** The states whose statistics are gathered. */
  get gatheredStates(): readonly State[] {
    return [...this.recordings.statistics.keys()] as State[];
  }

  /** @internal Refuses to run beyond the end of an array input. */
  checkStreams(lastStep: number): void {
    for (const { path, steps } of this.#currents) {
      if (steps >= lastStep) continue;
      throw new InputError(
        path,
        undefined,
        `has currents for ${steps} steps of the ${lastStep} to run`,
        'give a longer array, or run for less',
      );
    }
  }

  /** @internal What its own array inputs stream. */
  get streamKind(): StreamKind {
    return streamKind(this.#currents);
  }

  /** @internal What the host gives for a block; what a function gives is asked for now. */
  currents(first: number, steps: number): Promise<HostCurrent[]> {
    return currentsOf(this.#currents, first, steps, this.#scope('input'));
  }

  /** @internal A current that was given for one step. */
  stepCurrent(given: number | ArrayLike<number>, step: number): HostCurrent {
    return stepCurrent(given, step, { ...this.#scope('input'), path: 'currents' });
  }

  /** @internal */
  block(first: number, steps: number, currents: readonly HostCurrent[], words: boolean): Block {
    const stream = inRoom(() => streamOf(currents, first, steps, this.neurons));
    const wanted = this.recordings.wanted(first, steps);
    return {
      first,
      steps,
      stream,
      words: words || wanted.words,
      traces: wanted.traces,
      gathered: this.recordings.gathered(first),
    };
  }

  /** @internal Queues a block. */
  advance(block: Block): Promise<BlockResult> {
    this.#ranWith.set(block, this.#parameters);
    return this.device.advance(block);
  }

  /** @internal */
  keep(block: Block, result: BlockResult): void {
    const parameters = this.#ranWith.get(block);
    this.recordings.keep(block, result, (state) => this.#origin(state, parameters));
  }

  /** @internal */
  async saved(): Promise<PopulationState> {
    const { device } = this;
    const given: Readonly<Record<string, unknown>> = { ...this.given.parameters };
    const kept = Object.entries(this.#parameters).filter(([name]) => this.#set.has(name) || !isList(given[name]));
    const [counts, ...planes] = await Promise.all([
      device.readCounts(),
      ...device.states.map((state) => device.readState(state)),
    ]);
    const states = device.states.map((state, i) => [state, planes[i] as Float32Array] as const);
    const recorded = this.recordings.marks;
    return { parameters: Object.fromEntries(kept), states: Object.fromEntries(states), counts, recorded };
  }

  /** @internal Goes on from what `saved` gave, whose parameters it has from the beginning. */
  resume({ parameters, states, counts, recorded }: PopulationState): void {
    this.#set = new Set(Object.keys(parameters));
    const others = Object.entries(this.#starts).filter(([key]) => !Object.hasOwn(states, key));
    this.device.begin(counts);
    this.#setFields();
    this.device.setStates({ ...Object.fromEntries(others.map(([key, start]) => [key, start()])), ...states });
    this.recordings.resume(recorded);
  }

  /** @internal */
  reset(): void {
    const { parameters = {}, initial = {} } = this.given;
    const resolved = () => resolveParameters(this.soma.parameters, parameters, this.#scope('parameters'));
    const added = this.#added ?? this.#begin(resolved(), initial);
    this.#parameters = added.parameters;
    this.#set.clear();
    this.device.begin(null);
    this.#setFields();
    this.device.setStates(added.states);
    this.recordings.clear();
  }
}

function copyOf<T>(value: T): T;
function copyOf(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (ArrayBuffer.isView(value)) return (value as Float32Array).slice();
  if (Array.isArray(value)) return value.map(copyOf);
  if (isList(value)) return Array.from(value);
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, copyOf(one)]));
}

/** What inputs have of a kind, by the keys the device knows it by. */
function keyed<Kind extends 'values' | 'states'>(laws: readonly ResolvedInput[], kind: Kind): ResolvedInput[Kind] {
  const entries = laws.flatMap((law, i) =>
    Object.entries(law[kind]).map(([name, value]) => [inputKey(i, name), value] as const),
  );
  return Object.fromEntries(entries) as ResolvedInput[Kind];
}

/** @internal The shape of a population, as a list. */
export function checkUnits(units: unknown, path: string): number[] {
  const sides: unknown[] = Array.isArray(units) ? units : [units];
  const right = sides.length > 0 && sides.every((side) => Number.isInteger(side) && (side as number) > 0);
  if (!right)
    throw new InputError(
      path,
      units,
      'is no number of neurons',
      'give a whole number above 0, or a shape of them: [8, 8]',
    );
  return sides as number[];
}

function checkInhibitory(given: ArrayLike<number> | undefined, neurons: number, path: string): Uint8Array | undefined {
  if (given === undefined) return undefined;
  const mask = new Uint8Array(neurons);
  for (const neuron of checkIndices(given, neurons, path)) mask[neuron] = 1;
  return mask;
}
