// The population that is alive: built from a set-up, changed without losing its state where that can be, begun anew where
// its device is lost for good. Whoever uses it does one thing at a time and awaits it; it knows neither clocks nor pictures.

import {
  type Chunk,
  DeviceLostError,
  type Population,
  type Rate,
  type Recording,
  Simulation,
  type Spikes,
  type Trace,
  type Value,
} from '../index.ts';
import { type Host, openHost, type Wanted } from './host.ts';
import {
  columnsOf,
  inputsOf,
  movedTo,
  numberOf,
  POPULATION,
  parametersOf,
  populationOf,
  type Setup,
  somaOf,
  tracedIn,
} from './setup.ts';

/** What some steps left. */
export interface Ran {
  /** The first step, and the one after the last. */
  first: number;
  end: number;
  /** Of the neurons in `Live.rows`, and of the one that is traced. */
  spikes: readonly Chunk<Spikes>[];
  /** Of all neurons; a bin that was not complete comes again. */
  rate: readonly Chunk<Rate>[];
  /** Of the neuron that is traced, by state. */
  traces: Readonly<Record<string, readonly Chunk<Trace>[]>>;
}

/** What is on the sheet where no GPU has it: of each neuron the potential, mV, and how often it has spiked. */
export interface Look {
  potential: Float32Array;
  counts: Uint32Array;
}

/** Values of a parameter, and the set-up they were drawn for. */
interface Drawn {
  values: Float32Array;
  setup: Setup;
}

/** Rows of the raster. */
const ROWS = 200;
export class Live {
  /** The neurons in the raster, in ascending order. */
  rows: Uint32Array = new Uint32Array();
  /** By parameter, where a slider has moved what was drawn. */
  readonly #drawn = new Map<string, Drawn>();

  private constructor(
    readonly wanted: Wanted,
    public host: Host,
    public setup: Setup,
    public simulation: Simulation,
    public cells: Population,
  ) {}

  /** Opens a device and builds the population. @throws InputError, OutOfMemoryError */
  static async open(setup: Setup | ((host: Host) => Setup), wanted: Wanted): Promise<Live> {
    const host = await openHost(wanted);
    try {
      const first = typeof setup === 'function' ? setup(host) : setup;
      const { simulation, cells, rows } = await build(first, host);
      const live = new Live(wanted, host, first, simulation, cells);
      live.rows = rows;
      return live;
    } catch (error) {
      host.device?.destroy();
      throw error;
    }
  }

  /** Model time, ms. */
  get time(): number {
    return this.simulation.time;
  }

  /** Whether a set-up goes on from the present state, or has to begin anew. */
  goesOn({ soma, units, dt, seed }: Setup): boolean {
    const { setup } = this;
    return soma === setup.soma && units === setup.units && dt === setup.dt && seed === setup.seed;
  }

  /** Makes a set-up the present one. @throws InputError if it is wrong; the one before stays then */
  async apply(next: Setup): Promise<void> {
    const { setup } = this;
    if (!this.goesOn(next)) return this.restart(next);
    if (next.parameters !== setup.parameters || next.spread !== setup.spread) this.#setParameters(next);
    // From here on parameters are the new ones, also where the rest is refused.
    this.setup = { ...setup, parameters: next.parameters, spread: next.spread };
    if (next.inputs !== setup.inputs || next.view.neuron !== setup.view.neuron) await this.#change(next);
    this.setup = next;
  }

  /** From the beginning, just as a page that was opened with this set-up. @throws InputError */
  async restart(next: Setup = this.setup): Promise<void> {
    this.#take(next, await build(next, this.host));
    this.#drawn.clear();
  }

  #setParameters(next: Setup): void {
    const [before, after] = [parametersOf(this.setup), parametersOf(next)];
    const given: Record<string, Value> = {};
    for (const [name, value] of Object.entries(after)) {
      if (JSON.stringify(value) !== JSON.stringify(before[name])) given[name] = this.#moved(name, next) ?? value;
    }
    this.cells.setParameters(given);
  }

  #moved(name: string, next: Setup): Float32Array | undefined {
    const present = this.#drawn.has(name) ? undefined : this.cells.readParameter(name);
    if (typeof present === 'number') return undefined;
    if (present) this.#drawn.set(name, { values: present, setup: this.setup });
    const { values, setup } = this.#drawn.get(name) as Drawn;
    const moved = movedTo(values, name, setup, next);
    if (!moved) this.#drawn.delete(name);
    return moved;
  }

  // Inputs and what is recorded are a population's from its beginning; so it goes on as another.
  async #change(next: Setup): Promise<void> {
    const { record, rows } = recordingOf(next);
    const input = next.inputs === this.setup.inputs ? {} : { input: inputsOf(next) };
    const changed = { [POPULATION]: { record, ...input } };
    this.#take(next, await restore(this.simulation, this.host, { changed }, rows));
  }

  #take(setup: Setup, { simulation, cells, rows }: Built): void {
    this.simulation.dispose();
    Object.assign(this, { setup, simulation, cells, rows });
  }

  /** A parameter of one neuron: its own, where that is spread. */
  valueOf(name: string, neuron: number): number {
    const value = this.setup.spread[name] ? this.cells.readParameter(name) : numberOf(this.setup, name);
    return typeof value === 'number' ? value : (value[neuron] as number);
  }

  /** Runs some steps. @throws DeviceLostError, OutOfMemoryError */
  async run(steps: number): Promise<Ran> {
    const { simulation, cells, setup } = this;
    const first = simulation.steps;
    const states = cells.recordedStates;
    const readings = [cells.stream('spikes'), cells.stream('rate'), ...states.map((state) => cells.stream(state))];
    const [, spikes, rate, ...traces] = await Promise.all([
      simulation.run(steps * setup.dt),
      ...readings.map((stream) => all(stream as AsyncIterable<object>)),
    ]);
    return {
      first,
      end: simulation.steps,
      spikes: spikes as Chunk<Spikes>[],
      rate: rate as Chunk<Rate>[],
      traces: Object.fromEntries(states.map((state, i) => [state, traces[i] as Chunk<Trace>[]])),
    };
  }

  /** What a picture needs where no GPU has it. */
  async look(): Promise<Look | undefined> {
    const { cells } = this;
    if (cells.gpu) return undefined;
    const [potential, counts] = await Promise.all([cells.readState('potential'), cells.spikeCounts()]);
    return { potential, counts };
  }

  /** Waits until a GPU has done what it was asked for so far, pictures included. */
  async done(): Promise<void> {
    await this.cells.gpu?.device.queue.onSubmittedWorkDone();
  }

  /** After the loss of the device: whether the engine has another one, and all goes on; else it begins anew. */
  async recover(): Promise<boolean> {
    try {
      await this.cells.spikeCounts();
      return true;
    } catch (error) {
      if (!(error instanceof DeviceLostError)) throw error;
      this.host = await openHost(this.wanted);
      await this.restart();
      return false;
    }
  }
}

interface Built {
  simulation: Simulation;
  cells: Population;
  rows: Uint32Array;
}

const pathOf = ({ device, again }: Host) =>
  device ? ({ backend: 'webgpu', device: again } as const) : ({ backend: 'cpu' } as const);

async function build(setup: Setup, host: Host): Promise<Built> {
  const { dt, seed } = setup;
  const { soma, options } = populationOf(setup);
  const { record, rows } = recordingOf(setup);
  const simulation = await Simulation.create({ dt, seed, ...pathOf(host) });
  return compiled(simulation, rows, () => simulation.add(soma, { ...options, record }));
}

async function restore(
  saved: Simulation,
  host: Host,
  options: Parameters<typeof Simulation.restore>[1],
  rows: Uint32Array,
): Promise<Built> {
  const simulation = await Simulation.restore(saved, { ...options, ...pathOf(host) });
  return compiled(simulation, rows, () => simulation.populations[0] as Population);
}

async function compiled(simulation: Simulation, rows: Uint32Array, populate: () => Population): Promise<Built> {
  try {
    const cells = populate();
    await simulation.compile();
    return { simulation, cells, rows };
  } catch (error) {
    simulation.dispose();
    throw error;
  }
}

/** Spikes of a share of the neurons, the rate of all, and all states of the one that is traced: for streams alone. */
function recordingOf(setup: Setup): { record: Recording; rows: Uint32Array } {
  const { units, dt } = setup;
  const rows = rowsOf(units);
  const neuron = tracedIn(setup);
  const states = neuron === undefined ? {} : tracesOf(somaOf(setup), neuron);
  const chosen = neuron === undefined ? rows : Uint32Array.from(new Set([...rows, neuron])).sort();
  const bin = Math.max(1, Math.round(1 / dt)) * dt;
  return { record: { spikes: { neurons: chosen, last: 0 }, rate: { bin, last: 0 }, states }, rows };
}

const tracesOf = ({ states }: { states: object }, neuron: number): Recording['states'] =>
  Object.fromEntries(Object.keys(states).map((state) => [state, { neurons: [neuron], last: 0 }]));

// Evenly over the sheet, and each in another column, so that waves show.
function rowsOf(units: number): Uint32Array {
  const rows = Math.min(ROWS, units);
  const columns = columnsOf(units);
  const each = units / rows;
  const place = (i: number) => Math.floor(i * each) + (each > columns ? Math.floor((columns * i) / rows) : 0);
  return Uint32Array.from({ length: rows }, (_, i) => Math.min(place(i), units - 1));
}

async function all<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const chunks: T[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return chunks;
}
