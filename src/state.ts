// What a saved simulation holds and how it becomes one again: for each population the options of its `add`, and what has
// changed since. It knows neither bytes (packed.ts) nor devices, and is loaded by the first `save` or `restore`.

import type { CurrentReader } from './currents.ts';
import { checkNames, FileError, InputError, isList, NoBackendError, namesakeIn } from './errors.ts';
import type { Input } from './inputs.ts';
import type { PathOptions } from './paths.ts';
import type { Population, PopulationOptions, PopulationState } from './population.ts';
import type { Simulation, SimulationOptions } from './simulation.ts';
import { type Soma, somas } from './somas.ts';
import { version } from './version.ts';

export interface RestoreOptions extends PathOptions {
  /** The path it was saved on by default: another one has other bits. */
  backend?: SimulationOptions['backend'];
  /**
   * What is different from here on, by the population's name: other inputs, other recordings. They begin here, but for
   * the noise of an input that has its kind and place as before; all else goes on.
   */
  changed?: Readonly<Record<string, Pick<PopulationOptions<object, string>, 'input' | 'record'>>>;
  /** Somas that are not built in. */
  somas?: readonly Soma[];
  /** For array inputs that are read by a function: the function, by the input's path, `cells.input[1]`. */
  sources?: Readonly<Record<string, CurrentReader>>;
}

const PATH = ['backend', 'device', 'adapter', 'workers', 'workerUrl', 'tuning', 'recover'];
const OPTIONS = [...PATH, 'somas', 'sources', 'changed'];

type Options = PopulationOptions<object, string>;

interface SavedPopulation {
  soma: string;
  options: Options;
  /** Paths of the inputs whose function has to be given again. */
  sources: readonly string[];
  state: PopulationState;
}

/** The tree in a saved simulation. */
interface Saved {
  somagpu: string;
  backend: 'webgpu' | 'cpu';
  adapter: string;
  dt: number;
  seed: number;
  steps: number;
  populations: readonly SavedPopulation[];
}

/** What a simulation at rest is. */
export async function treeOf(simulation: Simulation): Promise<Saved> {
  const { backend, adapter, dt, seed, steps, populations } = simulation;
  checkTwins(populations.map(({ soma }) => soma));
  return {
    somagpu: version,
    backend,
    adapter,
    dt,
    seed,
    steps,
    populations: await Promise.all(populations.map(savePopulation)),
  };
}

/** The same, for a simulation beside it: what it changes is its own, and functions go along. */
export async function twinOf(simulation: Simulation): Promise<Saved> {
  const tree = await treeOf(simulation);
  const twin = ({ state, ...population }: SavedPopulation): SavedPopulation => {
    return { ...population, sources: [], state: { ...state, recorded: structuredClone(state.recorded) } };
  };
  return { ...tree, populations: tree.populations.map(twin) };
}

async function savePopulation(population: Population): Promise<SavedPopulation> {
  const { name, soma, given } = population;
  const sources = (given.input ?? []).flatMap((input, i) => (readerOf(input) ? [sourcePath(name, i)] : []));
  // Functions are left out by JSON itself.
  return { soma: soma.name, options: { ...given, name }, sources, state: await population.saved() };
}

function checkTwins(somas: readonly Soma[]): void {
  const twin = namesakeIn(somas);
  if (!twin) return;
  throw new InputError('somas', twin.name, 'is the name of two laws', "name them: defineSoma(text, 'Leaky')");
}

const readerOf = (input: Input): unknown => (input as { read?: unknown }).read;
const sourcePath = (population: string, input: number): string => `${population}.input[${input}]`;

/**
 * A simulation made of what was saved, and the step it stands at.
 *
 * @param read - gives the tree that was saved
 * @param create - what makes an empty one
 * @param add - what adds a population that goes on from a state
 */
export async function restore(
  read: () => unknown,
  options: RestoreOptions,
  create: (options: SimulationOptions) => Promise<Simulation>,
  add: (simulation: Simulation, soma: Soma, options: Options, state: PopulationState) => Population,
): Promise<{ simulation: Simulation; steps: number }> {
  checkNames('', options, OPTIONS, 'option NAME of Simulation.restore');
  const { somas: own = [], sources = {}, changed = {}, ...path } = options;
  const saved = await read();
  checkTree(saved);
  const { dt, seed, steps } = saved;
  const populations = changedAs(saved.populations, changed);
  checkTwins(own);
  const known = [...somas, ...own];
  const adding = populations.map((population) => ({
    soma: somaOf(population, known),
    options: withReaders(population, sources),
    state: population.state,
  }));
  checkSources(populations, sources);
  for (const { options, state } of adding) checkPlanes(options, state);
  const simulation = await open(saved, path, (given) => create({ ...given, dt, seed }));
  try {
    for (const { soma, options, state } of adding) {
      const population = add(simulation, soma, options, state);
      checkStates(population, state, Object.hasOwn(changed, population.name));
      population.resume(state);
    }
    return { simulation, steps };
  } catch (error) {
    simulation.dispose();
    if (!(error instanceof TypeError)) throw error;
    throw new FileError(`the saved simulation is damaged: ${error.message}; save it again`, { cause: error });
  }
}

async function open(
  { backend }: Saved,
  options: SimulationOptions,
  create: (options: SimulationOptions) => Promise<Simulation>,
): Promise<Simulation> {
  try {
    return await create({ backend, ...options });
  } catch (error) {
    if (!(error instanceof NoBackendError) || options.backend !== undefined) throw error;
    const other = backend === 'cpu' ? 'webgpu' : 'cpu';
    const remedy = `name backend: '${other}' to go on there, with other bits`;
    throw new NoBackendError(`saved on ${backend}, which is not here: ${error.message}; ${remedy}`, { cause: error });
  }
}

// Bytes that `save` gave and nobody touched have all this: the checksum was right. Here is what another program may get wrong.
function checkTree(tree: unknown): asserts tree is Saved {
  const { populations, steps } = (tree ?? {}) as Partial<Saved>;
  const object = (value: unknown) => typeof value === 'object' && value !== null;
  const whole = (population: Partial<SavedPopulation> | null) =>
    object(population?.options) &&
    Array.isArray(population?.sources) &&
    [population?.state, population?.state?.parameters, population?.state?.states].every(object) &&
    population?.state?.counts instanceof Uint32Array &&
    Array.isArray(population.state.recorded);
  const right = Array.isArray(populations) && populations.every(whole);
  if (right && Number.isInteger(steps) && (steps as number) >= 0 && (steps as number) <= 0xffffffff) return;
  throw new FileError('the saved simulation is damaged: it holds none; save it again');
}

function changedAs(
  populations: readonly SavedPopulation[],
  changed: NonNullable<RestoreOptions['changed']>,
): readonly SavedPopulation[] {
  checkNames(
    'changed',
    changed,
    populations.map(({ options }) => options.name as string),
    'population NAME',
  );
  return populations.map((population) => {
    const { options, sources, state } = population;
    const change = changed[options.name as string];
    if (!change) return population;
    const { input, record } = change;
    checkNames(`changed.${options.name}`, change, ['input', 'record'], 'key NAME of what can change');
    // What its states are called by is the input's place among those that are computed on the device.
    const kindAt = (inputs: Options['input'], place: number) =>
      inputs?.filter(({ kind }) => kind !== 'array')[place]?.kind;
    const goesOn = (key: string): boolean => {
      if (record && key.includes('_statistics_')) return false;
      const place = /^input(\d+)_/.exec(key)?.[1];
      return !input || !place || kindAt(input, Number(place)) === kindAt(options.input, Number(place));
    };
    const states = Object.fromEntries(Object.entries(state.states).filter(([key]) => goesOn(key)));
    const recorded = record ? [] : state.recorded;
    return {
      ...population,
      options: { ...options, ...change },
      sources: input ? [] : sources,
      state: { ...state, states, recorded },
    };
  });
}

function somaOf({ soma: name, options }: SavedPopulation, known: readonly Soma[]): Soma {
  const found = known.find((soma) => soma.name === name);
  if (found) return found;
  throw new FileError(
    `the saved ${options.name} is of the soma ${name}, which is not built in; give it: somas: [${name}]`,
  );
}

function withReaders({ options, sources }: SavedPopulation, given: NonNullable<RestoreOptions['sources']>): Options {
  if (sources.length === 0) return options;
  const { name = '', input = [] } = options;
  const whole = input.map((one, i) => {
    const path = sourcePath(name, i);
    if (!sources.includes(path)) return one;
    const read = Object.hasOwn(given, path) ? given[path] : undefined;
    if (typeof read === 'function') return { ...one, read } as unknown as Input;
    const remedy = `give it again: sources: { '${path}': read }`;
    throw new InputError(path, undefined, 'was read by a function, which cannot be saved', remedy);
  });
  return { ...options, input: whole };
}

function checkSources(populations: readonly SavedPopulation[], given: unknown): void {
  const known = populations.flatMap(({ sources }) => sources);
  checkNames('sources', given, known, 'input NAME that was read by a function');
}

// Before anything is made of them.
function checkPlanes({ name = '', units }: Options, { states, counts, parameters }: PopulationState): void {
  const neurons = [units].flat().reduce<number>((product, side) => product * (side as number), 1);
  const planes = [counts, ...Object.values(states), ...Object.values(parameters)];
  // A text may have as many characters.
  const one = (plane: unknown) => typeof plane === 'number' || (isList(plane) && plane.length === neurons);
  if (planes.every(one)) return;
  throw new FileError(`the saved simulation is damaged: ${name} has not one value a neuron; save it again`);
}

// A soma given by `somas`, or one of another version, may have changed since.
function checkStates(
  { name, soma, device }: Population,
  { states, parameters }: PopulationState,
  changed: boolean,
): void {
  const same = changed || Object.keys(states).sort().join() === [...device.states].sort().join();
  const unknown = Object.keys(parameters).find((parameter) => !Object.hasOwn(soma.parameters, parameter));
  if (same && !unknown) return;
  const there = same ? `no parameter ${unknown}` : `the states ${device.states.join(', ')}`;
  const remedy = 'restore it with the version that saved it';
  throw new FileError(`the saved ${name} does not fit: ${soma.name} has ${there} here; ${remedy}`);
}
