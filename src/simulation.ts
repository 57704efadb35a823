// The deep module: populations of somas on a device, and the run that moves them through time in blocks of steps.
// It knows what is asked for and in which order; how a block is computed is the backend's.

// For `await using`, which the TypeScript of a user need not have been told of.
/// <reference lib="esnext.disposable" preserve="true" />

import { BLOCKS_IN_FLIGHT, type BlockResult } from './backend.ts';
import type { HostCurrent } from './currents.ts';
import {
  BusyError,
  checkNames,
  DeviceLostError,
  DisposedError,
  InputError,
  inRoom,
  NonFiniteError,
  OutOfMemoryError,
} from './errors.ts';
import { checkDt, checkSeed, stepsIn } from './parameters.ts';
import { type Opened, openPath, type Path, type PathOptions } from './paths.ts';
import { Population, type PopulationOptions, type PopulationState } from './population.ts';
import { signedSpikes, timeOf } from './recording.ts';
import { Recovery } from './recovery.ts';
import type { Soma } from './somas.ts';
import type { RestoreOptions } from './state.ts';
import { Bell } from './streams.ts';

export interface SimulationOptions extends PathOptions {
  /** The time step, ms; 0.1 by default. */
  dt?: number;
  /** From 0 to 2^32 - 1; 0 by default. The same seed gives the same spikes. */
  seed?: number;
  /**
   * What runs the neurons: `webgpu`, or `cpu`, WebAssembly on all cores. `auto`, the default, takes a GPU in hardware
   * where there is one, else the processor; a GPU in software only goes by name, or as your own `device`.
   */
  backend?: Path;
}

export interface RunOptions {
  /** Stops the run at a whole step; `run` then rejects with the signal's reason, and what was recorded stays readable. */
  signal?: AbortSignal;
  /** Called after every block. */
  onProgress?: (progress: Progress) => void;
}

export interface Progress {
  /** Steps of this run that are done. */
  steps: number;
  /** Steps this run has. */
  of: number;
}

/** The bytes of a simulation at rest. What makes them is loaded then. */
async function bytesOf(simulation: Simulation): Promise<ArrayBuffer> {
  const [{ treeOf }, { pack }] = await Promise.all([import('./state.ts'), import('./packed.ts')]);
  return pack(await treeOf(simulation));
}

/**
 * Populations of somas that run side by side on one device.
 *
 * @example
 * ```ts
 * await using simulation = await Simulation.create({ dt: 0.1, seed: 7 });
 * const cells = simulation.add(AdaptiveExponentialSoma, {
 *   name: 'cells', units: 1000, input: [{ kind: 'constant', amplitude: 65 }], record: { spikes: true },
 * });
 * await simulation.run(1000);
 * const { times, neurons } = await cells.spikes();
 * ```
 */
export class Simulation {
  readonly #backend: Recovery;
  /** Why this path runs the neurons, in words. */
  readonly backendReason: string;
  readonly #populations: Population[] = [];
  // Rung by whatever may end a wait: a chunk made or taken, a stream let go of, an abort, dispose.
  readonly #bell = new Bell();
  #steps = 0;
  /** Those that are recorded. */
  #reached = 0;
  #kept: Promise<unknown> = Promise.resolve();
  /** What is going on, in words. */
  #busy: string | undefined;
  #disposed = false;
  /** Why it cannot go on: blocks were made and not recorded, or something is set by half. */
  #gap: { error: unknown } | undefined;

  private constructor(
    opened: Opened,
    /** The time step, ms. */
    readonly dt: number,
    readonly seed: number,
    path: PathOptions,
  ) {
    this.#backend = new Recovery(opened, () => this.#reached, path);
    this.backendReason = opened.reason;
  }

  /**
   * Opens a path: a GPU, or the processor.
   *
   * @throws InputError if an option is wrong, NoBackendError if there is no such path here
   */
  static async create(options: SimulationOptions = {}): Promise<Simulation> {
    const known = ['dt', 'seed', 'backend', 'device', 'adapter', 'workers', 'workerUrl', 'tuning', 'recover'];
    checkNames('', options, known, 'option NAME of Simulation.create');
    const { dt = 0.1, seed = 0, backend = 'auto', ...path } = options;
    checkDt(dt, 'dt');
    checkSeed(seed, 'seed');
    return new Simulation(await openPath(backend, path), dt, seed, path);
  }

  /** Which path runs the neurons. */
  get backend(): 'webgpu' | 'cpu' {
    return this.#backend.kind;
  }

  /** The device in words. */
  get adapter(): string {
    return this.#backend.adapter;
  }

  /** Whether the processor does the work: software Vulkan counts as such. */
  get software(): boolean {
    return this.#backend.software;
  }

  /** How often a lost GPU, or a worker that died, was replaced on the way. */
  get recoveries(): number {
    return this.#backend.recoveries;
  }

  /** Steps done since `create` or `reset`. */
  get steps(): number {
    return this.#steps;
  }

  /** Model time, ms. */
  get time(): number {
    return timeOf(this.#steps - 1, this.dt);
  }

  get populations(): readonly Population[] {
    return this.#populations;
  }

  /**
   * Adds a population. It starts at the simulation's present step.
   *
   * @param soma - one of the exported somas
   * @param options - its size, parameters, inputs and what to record
   * @throws InputError naming what is wrong, OutOfMemoryError; nothing was added then
   */
  add<Config extends object, State extends string>(
    soma: Soma<Config, State>,
    options: PopulationOptions<Config, State>,
  ): Population<Config, State> {
    this.#checkFree('add');
    return this.#add(soma, options);
  }

  #add<Config extends object, State extends string>(
    soma: Soma<Config, State>,
    options: PopulationOptions<Config, State>,
    state?: PopulationState,
  ): Population<Config, State> {
    const name = options.name ?? `population${this.#populations.length + 1}`;
    checkName(name, this.#populations);
    const clock = {
      dt: this.dt,
      seed: this.seed,
      bell: this.#bell,
      checkAlive: () => this.#checkAlive(),
      set: <T>(resolve: () => T, set: (resolved: T) => void) => this.#set(resolve, set),
    };
    try {
      const population = inRoom(() => new Population(clock, this.#backend, soma, name, options, state));
      this.#populations.push(population);
      return population;
    } catch (error) {
      this.#backend.keepFirst(this.#populations.length);
      throw error;
    }
  }

  /**
   * Runs for a duration. It waits for the readers of {@link Population.stream}, and ends their streams when it ends.
   *
   * @param duration - ms, a whole number of steps
   * @throws InputError, DeviceLostError, OutOfMemoryError, NonFiniteError, DisposedError, BusyError, or the signal's reason
   */
  async run(duration: number, options: RunOptions = {}): Promise<void> {
    this.#checkIdle('run');
    let failure: { error: unknown } | undefined;
    try {
      this.#checkFree('run');
      await this.#exclusively(() => this.#run(duration, options));
    } catch (error) {
      if (!(options.signal?.aborted && error === options.signal.reason)) failure = { error };
      throw error;
    } finally {
      this.#endStreams(failure);
    }
  }

  async #run(duration: number, { signal, onProgress }: RunOptions): Promise<void> {
    const steps = stepsIn(duration, this.dt, 'duration');
    this.#checkSteps(steps, 'duration', duration);
    const last = this.#steps + steps;
    for (const population of this.#populations) population.checkStreams(last);
    const inFlight: Promise<number>[] = [];
    const drain = async (most: number) => {
      while (inFlight.length > most) {
        const reached = (await inFlight.shift()) as number;
        onProgress?.({ steps: steps - last + reached, of: steps });
      }
    };
    try {
      while (this.#steps < last && !signal?.aborted) {
        if (this.#full) {
          await drain(0);
          await this.#until(() => !this.#full, signal);
          continue;
        }
        const longest = Math.min(
          ...this.#populations.flatMap((population) => [
            population.device.maxSteps,
            population.recordings.uniformSteps(this.#steps),
          ]),
        );
        const block = Math.min(longest, last - this.#steps);
        const currents = await this.#currents(block, signal);
        if (!currents) break;
        inFlight.push((await this.#advance(block, currents)).done);
        await drain(BLOCKS_IN_FLIGHT - 1);
      }
      await drain(0);
    } finally {
      await Promise.allSettled(inFlight);
    }
    if (this.#steps < last) signal?.throwIfAborted();
  }

  get #full(): boolean {
    return this.#populations.some((population) => population.recordings.full);
  }

  // Waits for others, readers of streams or functions that give currents; an abort or dispose ends the wait.
  async #until(over: () => boolean, signal: AbortSignal | undefined): Promise<void> {
    const ring = () => this.#bell.ring();
    signal?.addEventListener('abort', ring);
    while (!over() && !signal?.aborted && !this.#disposed) await this.#bell.wait();
    signal?.removeEventListener('abort', ring);
    this.#checkAlive();
  }

  // What the host gives each population for a block; nothing where an abort came first.
  async #currents(steps: number, signal?: AbortSignal): Promise<HostCurrent[][] | undefined> {
    const asked = Promise.all(this.#populations.map((population) => population.currents(this.#steps, steps)));
    let there = false;
    const tell = () => {
      there = true;
      this.#bell.ring();
    };
    asked.then(tell, tell);
    await this.#until(() => there, signal);
    return there ? asked : undefined;
  }

  #endStreams(failure?: { error: unknown }): void {
    for (const population of this.#populations) population.recordings.endStreams(failure);
  }

  /**
   * Builds the kernels a run needs, which the first run would else do itself, and waits until the device has given all
   * the memory.
   *
   * @throws OutOfMemoryError, DeviceLostError, DisposedError
   */
  async compile(): Promise<void> {
    this.#checkFree('compile');
    const compile = (population: Population) =>
      population.device.compile(population.streamKind, population.recordings.gathered(this.#steps));
    try {
      await Promise.all(this.#populations.map(compile));
    } finally {
      this.#checkAlive();
    }
  }

  /**
   * Makes one step.
   *
   * @param currents - by population's name, pA, added to its inputs: a number, or one a neuron
   * @returns by population's name: 1 where a neuron spiked, -1 where an inhibitory one did, else 0
   * @example
   * ```ts
   * const { cells } = await simulation.step({ cells: 65 });
   * ```
   */
  async step(currents: Readonly<Record<string, number | ArrayLike<number>>> = {}): Promise<Record<string, Int8Array>> {
    this.#checkFree('step');
    const names = this.#populations.map(({ name }) => name);
    checkNames('currents', currents, names, 'population NAME');
    this.#checkSteps(1, 'step', undefined);
    const extra = this.#populations.map((population) => {
      const given = Object.hasOwn(currents, population.name) ? currents[population.name] : undefined;
      population.checkStreams(this.#steps + 1);
      return given === undefined ? [] : [inRoom(() => population.stepCurrent(given, this.#steps))];
    });
    const spikes: Record<string, Int8Array> = {};
    await this.#exclusively(async () => {
      const own = (await this.#currents(1)) as HostCurrent[][];
      const all = own.map((given, i) => [...given, ...(extra[i] as HostCurrent[])]);
      const { done } = await this.#advance(1, all, (population, { words }) => {
        spikes[population.name] = inRoom(() => signedSpikes(words, population.neurons, population.inhibitory));
      });
      await done;
    });
    return spikes;
  }

  /**
   * All that is needed to go on from here, also elsewhere and later: {@link Simulation.restore} makes a simulation of it.
   * Of what was recorded only rings (`last`) are in it, and how much it was.
   *
   * @throws BusyError while a run or step goes on, DeviceLostError, DisposedError, OutOfMemoryError
   */
  async save(): Promise<ArrayBuffer> {
    this.#checkFree('save');
    return this.#exclusively(() => bytesOf(this), SAVE);
  }

  /**
   * A simulation that goes on from where another was saved: on the same path, and with the same version of somagpu,
   * with the same bits. Its recordings begin there; `reset` takes it back to how it was right after the `add` calls.
   *
   * @param saved - what `save` gave; or a simulation, which is left as it is, and of which no bytes have to be made
   * @throws FileError if it is no saved simulation, of another format, cut short or damaged; InputError, NoBackendError;
   *   BusyError while a run or step of the simulation goes on
   * @example
   * ```ts
   * const simulation = await Simulation.restore(saved);
   * const [cells] = simulation.populations;
   * await simulation.run(1000);
   * ```
   */
  static async restore(
    saved: ArrayBuffer | ArrayBufferView | Simulation,
    options: RestoreOptions = {},
  ): Promise<Simulation> {
    const { restore, twinOf } = await import('./state.ts');
    const read = async () => {
      if (!(saved instanceof Simulation)) return (await import('./packed.ts')).unpack(saved);
      saved.#checkFree('restore');
      return saved.#exclusively(() => twinOf(saved), SAVE);
    };
    const { simulation, steps } = await restore(read, options, Simulation.create, (to, ...given) => to.#add(...given));
    simulation.#steps = simulation.#reached = steps;
    return simulation;
  }

  /**
   * Back to how it was right after the `add` calls, exactly: states, parameters, step count, recordings.
   *
   * @throws BusyError while a run or step goes on, DisposedError, OutOfMemoryError: it can be tried again
   */
  reset(): void {
    this.#checkIdle('reset');
    this.#backend.remember();
    this.#set(
      () => this.#populations,
      (populations) => {
        for (const population of populations) population.reset();
      },
    );
    this.#steps = this.#reached = 0;
    this.#gap = undefined;
  }

  // Where there is no room for all of it some may be set: nothing goes on from there.
  #set<T>(resolve: () => T, set: (resolved: T) => void): void {
    if (this.#busy === SAVE) this.#checkIdle('set');
    this.#checkAlive();
    const resolved = inRoom(resolve);
    try {
      inRoom(() => set(resolved));
    } catch (error) {
      if (error instanceof OutOfMemoryError) this.#gap = { error };
      throw error;
    }
  }

  /** Frees the device's memory and, if it was made here, the device; a run in progress rejects with DisposedError. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#backend.dispose();
    this.#bell.ring();
    // Also those of a run to come, whose readers would wait for ever.
    this.#endStreams({ error: this.#gone() });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.dispose();
  }

  // Queues a block for every population. `done` resolves, with the step reached, when its results have been kept.
  async #advance(
    steps: number,
    currents: readonly HostCurrent[][],
    visit?: (population: Population, result: BlockResult) => void,
  ): Promise<{ done: Promise<number> }> {
    const first = this.#steps;
    const jobs = this.#populations.map((population, i) => {
      const block = population.block(first, steps, currents[i] as HostCurrent[], visit !== undefined);
      return { population, block };
    });
    // A loop, because parameters may be set, and a structure change, while a kernel compiles.
    while (!jobs.every(({ population, block }) => population.device.ready(block.stream.kind, block.gathered))) {
      await Promise.all(
        jobs.map(({ population, block }) => population.device.compile(block.stream.kind, block.gathered)),
      );
      this.#checkAlive();
    }
    // Something may have been set meanwhile.
    this.#checkWhole();
    const queued = jobs.map((job) => ({ ...job, result: job.population.advance(job.block) }));
    this.#steps += steps;
    const earlier = this.#kept;
    const keep = async () => {
      const made = queued.map(({ result }) => result);
      // Also where one fails nothing is under way any more when that is told: a reset may follow.
      const results = await Promise.all(made).finally(() => Promise.allSettled(made));
      // Blocks may come back in any order; they are recorded in that of time.
      await earlier;
      queued.forEach(({ population, block }, i) => {
        population.keep(block, results[i] as BlockResult);
        visit?.(population, results[i] as BlockResult);
      });
      this.#reached = first + steps;
      return this.#reached;
    };
    const done = keep();
    // After a block that failed nothing more is recorded.
    this.#kept = done;
    done.catch(() => {});
    return { done };
  }

  async #exclusively<T>(work: () => Promise<T>, busy = 'run or step'): Promise<T> {
    this.#busy = busy;
    this.#kept = Promise.resolve();
    try {
      return await work();
    } catch (error) {
      this.#checkAlive();
      // When it was told there may still have been blocks on their way that were there in time.
      if (error instanceof DeviceLostError) error.step = this.#reached;
      // Also where another error is told: the populations have gone back.
      this.#steps = this.#backend.backTo() ?? this.#steps;
      if (this.#steps !== this.#reached) this.#gap = { error };
      this.#steps = this.#reached;
      if (error instanceof NonFiniteError && this.#backend.keeps) {
        this.#busy = SAVE;
        // What was found is not to be lost where there is no room for that.
        error.checkpoint = await bytesOf(this).catch(() => undefined);
      }
      throw error;
    } finally {
      this.#busy = undefined;
    }
  }

  #gone = () => new DisposedError('the simulation was disposed of');

  #checkAlive(): void {
    if (this.#disposed) throw this.#gone();
  }

  #checkFree(what: string): void {
    this.#checkIdle(what);
    this.#checkWhole();
  }

  #checkWhole(): void {
    if (this.#gap) throw this.#gap.error;
  }

  #checkIdle(what: string): void {
    this.#checkAlive();
    if (this.#busy) throw new BusyError(`${what}: a ${this.#busy} is still going on; await it first`);
  }

  #checkSteps(more: number, path: string, value: unknown): void {
    if (this.#steps + more <= 0xffffffff) return;
    throw new InputError(path, value, `goes beyond step ${0xffffffff}`, 'reset the simulation, or use a larger dt');
  }
}

const SAVE = 'save';

const NAME = /^[A-Za-z][A-Za-z0-9_-]*$/;

function checkName(name: unknown, populations: readonly Population[]): void {
  if (typeof name !== 'string' || !NAME.test(name)) {
    throw new InputError(
      typeof name === 'string' ? name : 'name',
      typeof name === 'string' ? undefined : name,
      'is no name for a population',
      'give a letter, then letters, digits, "_" or "-"',
    );
  }
  const twin = populations.find((other) => other.name.toLowerCase() === name.toLowerCase());
  if (twin)
    throw new InputError(
      name,
      undefined,
      `is the name of two populations (the other is ${twin.name})`,
      'rename one; case does not count',
    );
}
