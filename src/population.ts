// A population: what was asked for, checked and resolved, its share of the device, and what was recorded of it.
// The simulation moves it through time; it knows nothing of the others.

import type { Backend, Block, BlockResult, DevicePopulation, TraceRequest } from './backend.ts';
import { checkNames, InputError } from './errors.ts';
import type { Value } from './initializers.ts';
import { type HostCurrent, type Input, type ResolvedInput, resolveInputs, streamKind, streamOf } from './inputs.ts';
import { inputKey, type StreamKind } from './kernel.ts';
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
import { SpikeRecorder, type Spikes, type Trace, TraceRecorder } from './recording.ts';
import type { Row } from './rows.ts';
import type { Soma } from './somas.ts';

/** Which neurons' state to record, and how often. */
export interface StateRecording {
  /** Flat indices, or `all` of them (the default). */
  neurons?: 'all' | ArrayLike<number>;
  /** Steps between samples, 1 by default: steps divisible by it are sampled. */
  every?: number;
}

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
  record?: { spikes?: boolean; states?: { [state in State]?: StateRecording } };
}

/** What a population knows of its simulation. */
interface Clock {
  readonly dt: number;
  readonly seed: number;
  /** @throws DisposedError */
  checkAlive(): void;
}

/** A population of one soma; made by {@link Simulation.add}. */
export class Population<Config extends object = object, State extends string = string> {
  /** As given, as a list: `[8, 8]`; neurons are numbered row-major. */
  readonly units: readonly number[];
  /** How many neurons: the product of `units`. */
  readonly neurons: number;
  /** @internal */
  readonly device: DevicePopulation;
  /** One byte a neuron, 1 where it is inhibitory; nothing where none is. */
  readonly inhibitory: Uint8Array | undefined;
  readonly #clock: Clock;
  readonly #currents: readonly HostCurrent[];
  readonly #spikes: SpikeRecorder | undefined;
  readonly #traces: ReadonlyMap<string, TraceRecorder>;
  readonly #added: { parameters: Record<string, Plane>; states: Record<string, Plane> };
  #parameters: Record<string, Plane>;
  // Parameters may change while a block is on its way; its samples are relative to those it ran with.
  readonly #ranWith = new WeakMap<Block, Record<string, Plane>>();

  /** @internal */
  constructor(
    clock: Clock,
    backend: Backend,
    readonly soma: Soma<Config, State>,
    readonly name: string,
    options: PopulationOptions<Config, State>,
  ) {
    const known = ['name', 'units', 'parameters', 'initial', 'input', 'inhibitory', 'record'];
    checkNames(name, options, known, 'key NAME of a population');
    this.#clock = clock;
    const { units, parameters = {}, initial = {}, input = [], inhibitory, record = {} } = options;
    this.units = checkUnits(units, `${name}.units`);
    this.neurons = this.units.reduce((product, side) => product * side, 1);
    const arrays = [...Object.values(parameters ?? {}), ...Object.values(initial ?? {})];
    const planes = arrays.filter((value) => value !== undefined && typeof value !== 'number').length;
    backend.checkRoom(this.neurons, planes + Object.keys(soma.states).length, `${name}.units`);
    this.#parameters = resolveParameters(soma.parameters, parameters, this.#scope('parameters'));
    const given = resolveStates(soma.states, initial, this.#parameters, this.#scope('initial'));
    this.#added = {
      parameters: this.#parameters,
      states: { ...defaultStates(soma.states, this.#parameters), ...given },
    };
    const { laws, host } = resolveInputs(input, this.#scope('input'));
    this.#currents = host;
    this.inhibitory = checkInhibitory(inhibitory, this.neurons, `${name}.inhibitory`);
    const { spikes, traces } = checkRecord(record, soma, this.neurons, `${name}.record`);
    this.#spikes = spikes ? new SpikeRecorder() : undefined;
    this.#traces = new Map(traces.map(({ state, neurons, every }) => [state, new TraceRecorder(neurons, every)]));
    this.device = backend.populate({
      name,
      soma,
      inputs: laws.map(({ law }) => law),
      neurons: this.neurons,
      dt: clock.dt,
      streams: this.streamKind === 'each',
      traces,
    });
    this.device.setFields({ ...this.#deviceParameters(Object.keys(this.#parameters)), ...inputFields(laws) });
    this.device.setStates(this.#added.states);
  }

  #scope(table: string): Scope {
    const { dt, seed } = this.#clock;
    const { name, neurons, units, soma } = this;
    return { path: `${name}.${table}`, owner: soma.name, population: name, neurons, units, dt, seed };
  }

  // In the units of the device.
  #deviceParameters(names: readonly string[]): Record<string, Plane> {
    const rows = this.soma.parameters as Record<string, Row>;
    const { dt } = this.#clock;
    return Object.fromEntries(
      names.map((name) => [name, onDevice(rows[name] as Row, this.#parameters[name] as Plane, dt)]),
    );
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
   * @throws InputError naming what is wrong; nothing was changed then
   */
  setParameters(changed: Config): void {
    this.#clock.checkAlive();
    const given = changed ?? {};
    this.#parameters = resolveParameters(this.soma.parameters, given, this.#scope('parameters'), this.#parameters);
    this.device.setFields(this.#deviceParameters(Object.keys(given)));
  }

  /**
   * Sets states, in user units (absolute mV, pA, steps), from the next block of steps on; the others stay.
   *
   * @throws InputError naming what is wrong; nothing was changed then
   */
  setState(states: { [state in State]?: Value }): void {
    this.#clock.checkAlive();
    this.device.setStates(resolveStates(this.soma.states, states, this.#parameters, this.#scope('state')));
  }

  /** A state of all neurons as it is now, in user units. */
  async readState(state: State): Promise<Float32Array> {
    this.#clock.checkAlive();
    checkNames(
      `${this.name}.state`,
      { [state]: true },
      Object.keys(this.soma.states),
      `state NAME of ${this.soma.name}`,
    );
    const origin = this.#origin(state);
    const values = await this.device.readState(state);
    this.#clock.checkAlive();
    if (origin !== 0) for (let i = 0; i < values.length; i++) values[i] = (values[i] as number) + at(origin, i);
    return values;
  }

  /** How often each neuron has spiked since `add` or `reset`, counted on the device. */
  async spikeCounts(): Promise<Uint32Array> {
    this.#clock.checkAlive();
    const counts = await this.device.readCounts();
    this.#clock.checkAlive();
    return counts;
  }

  /**
   * The recorded spikes, ordered by step, then neuron.
   *
   * @throws InputError if they were not recorded
   */
  async spikes(): Promise<Spikes> {
    if (this.#spikes) return this.#spikes.read(this.#clock.dt);
    throw new InputError(
      `${this.name}.record.spikes`,
      undefined,
      'was not asked for',
      'add the population with record: { spikes: true }',
    );
  }

  /**
   * The recorded samples of a state.
   *
   * @throws InputError if it was not recorded
   */
  async trace(state: State): Promise<Trace> {
    const recorder = this.#traces.get(state);
    if (recorder) return recorder.read(this.#clock.dt);
    const remedy = `add the population with record: { states: { ${state}: {} } }`;
    throw new InputError(`${this.name}.record.states.${state}`, undefined, 'was not asked for', remedy);
  }

  get recordsSpikes(): boolean {
    return this.#spikes !== undefined;
  }

  /** The states whose samples are recorded. */
  get recordedStates(): readonly State[] {
    return [...this.#traces.keys()] as State[];
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

  /** @internal */
  block(first: number, steps: number, extra: HostCurrent | undefined, words: boolean): Block {
    const currents = extra ? [...this.#currents, extra] : this.#currents;
    const stream = streamOf(currents, first, steps, this.neurons);
    const block = { first, steps, stream, words: words || this.#spikes !== undefined, traces: this.#traces.size > 0 };
    this.#ranWith.set(block, this.#parameters);
    return block;
  }

  /** @internal */
  keep(block: Block, { words, traces }: BlockResult): void {
    const { first, steps } = block;
    this.#spikes?.append(words, first, steps);
    const parameters = this.#ranWith.get(block) ?? this.#parameters;
    [...this.#traces].forEach(([state, recorder], i) => {
      recorder.append(traces[i] as Float32Array, first, steps, this.#origin(state, parameters));
    });
  }

  /** @internal */
  reset(): void {
    this.#parameters = this.#added.parameters;
    this.device.setFields(this.#deviceParameters(Object.keys(this.#parameters)));
    this.device.setStates(this.#added.states);
    this.device.clearCounts();
    this.#spikes?.clear();
    for (const recorder of this.#traces.values()) recorder.clear();
  }
}

function inputFields(laws: readonly ResolvedInput[]): Record<string, Plane> {
  const entries = laws.flatMap(({ values }, i) =>
    Object.entries(values).map(([name, value]) => [inputKey(i, name), value] as const),
  );
  return Object.fromEntries(entries);
}

function checkUnits(units: unknown, path: string): number[] {
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

function checkIndices(given: ArrayLike<number>, neurons: number, path: string): Uint32Array {
  if (typeof given?.length !== 'number' || typeof given === 'string') {
    throw new InputError(path, given, 'is no list of neurons', 'give flat indices');
  }
  return Uint32Array.from({ length: given.length }, (_, i) => {
    const neuron: unknown = given[i];
    if (Number.isInteger(neuron) && (neuron as number) >= 0 && (neuron as number) < neurons) return neuron as number;
    throw new InputError(
      `${path}[${i}]`,
      neuron,
      'is no neuron of this population',
      `give whole numbers from 0 to ${neurons - 1}`,
    );
  });
}

function checkInhibitory(given: ArrayLike<number> | undefined, neurons: number, path: string): Uint8Array | undefined {
  if (given === undefined) return undefined;
  const mask = new Uint8Array(neurons);
  for (const neuron of checkIndices(given, neurons, path)) mask[neuron] = 1;
  return mask;
}

function checkRecord(
  given: NonNullable<PopulationOptions<object, string>['record']>,
  soma: Soma,
  neurons: number,
  path: string,
): { spikes: boolean; traces: TraceRequest[] } {
  checkNames(path, given, ['spikes', 'states'], 'key NAME of record');
  const { spikes = false, states = {} } = given;
  if (typeof spikes !== 'boolean') {
    throw new InputError(`${path}.spikes`, spikes, 'is neither true nor false', 'give true to record all spikes');
  }
  checkNames(`${path}.states`, states, Object.keys(soma.states), `state NAME of ${soma.name}`);
  const traces = Object.entries(states as Record<string, StateRecording>).map(([state, recording]) => {
    const where = `${path}.states.${state}`;
    checkNames(where, recording, ['neurons', 'every'], 'key NAME of a recorded state');
    const { neurons: which = 'all', every = 1 } = recording;
    if (!Number.isInteger(every) || every < 1 || every > 0xffffffff) {
      throw new InputError(`${where}.every`, every, 'is no number of steps', 'give a whole number from 1 on');
    }
    const all = () => Uint32Array.from({ length: neurons }, (_, i) => i);
    return { state, neurons: which === 'all' ? all() : checkIndices(which, neurons, `${where}.neurons`), every };
  });
  return { spikes, traces };
}
