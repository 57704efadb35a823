// The experiment file read: its structure checked, what it names found and loaded. Arrays and somas in other files come
// through functions that the caller gives, so this module knows no disk; nor does it know simulations, which check values.
// The contract stands in docs/experiment.md.

import { withBiophysics } from './biophysics.ts';
import { checkNames, InputError, namesakeIn, suggest } from './errors.ts';
import { inputLaws } from './generated/shaders.ts';
import { checkDt, checkSeed, stepsIn } from './parameters.ts';
import type { PopulationOptions } from './population.ts';
import { type Soma, somas } from './somas.ts';

/**
 * Gives an array of a file, flat and row-major; a .npy file holds one, without a name. What it throws is reported at the
 * place that names the file.
 */
export type ReadArray = (file: string, name?: string) => Promise<{ shape: readonly number[]; data: ArrayLike<number> }>;

/** Opens an array that is read while a run goes on: by its first axis, the steps, each part row-major. */
export type OpenArray = (file: string, name?: string) => Promise<OpenedArray>;

/** Makes a soma of a file that has its law: `defineSoma` of `somagpu/define`. What it throws is reported as of an array. */
export type ReadSoma = (file: string) => Promise<Soma>;

export interface OpenedArray {
  shape: readonly number[];
  read(firstStep: number, steps: number): Float32Array | Promise<Float32Array>;
}

/** An experiment whose structure was checked and whose arrays are loaded; values are checked when its populations are added. */
export interface Experiment {
  dt: number;
  steps: number;
  seed: number;
  populations: readonly { name: string; soma: Soma; options: PopulationOptions<object, string> }[];
}

type Json = Record<string, unknown>;

/**
 * Checks an experiment and loads the arrays it names.
 *
 * @param json - the parsed file
 * @param openArray - for arrays that are inputs, which may be larger than memory; without it they are read whole
 * @param readSoma - for somas in files of their own; without it they are refused
 * @throws InputError with the path in the JSON, the value, the reason and what would be right
 */
export async function readExperiment(
  json: unknown,
  readArray: ReadArray,
  openArray?: OpenArray,
  readSoma?: ReadSoma,
): Promise<Experiment> {
  const experiment = object(json, '');
  checkNames(
    '',
    experiment,
    ['$schema', 'dt', 'duration', 'steps', 'seed', 'populations'],
    'key NAME of an experiment',
  );
  const { dt, seed = 0 } = experiment;
  if (dt === undefined) throw new InputError('dt', undefined, 'is missing', 'give the time step in ms; 0.1 is usual');
  checkDt(dt, 'dt');
  checkSeed(seed, 'seed');
  const steps = readSteps(experiment, dt);
  const populations = object(experiment.populations ?? {}, 'populations');
  const names = Object.keys(populations);
  if (names.length === 0) throw new InputError('populations', undefined, 'has no population', 'give at least one');
  const around = { readArray, openArray, readSoma, duration: steps * dt };
  const read = await Promise.all(names.map((name) => readPopulation(name, populations[name], around)));
  checkTwins(read);
  return { dt, steps, seed, populations: read };
}

function checkTwins(populations: Experiment['populations']): void {
  const twin = namesakeIn(populations.map(({ soma }) => soma));
  const at = populations.find(({ soma }) => soma === twin);
  if (!twin || !at) return;
  const reason = `has the name of another soma, ${twin.name}`;
  throw new InputError(`populations.${at.name}.soma.file`, undefined, reason, 'rename one of the files');
}

function readSteps({ steps, duration }: Json, dt: number): number {
  if (steps === undefined && duration === undefined) {
    throw new InputError('duration', undefined, 'is missing', 'give a duration in ms, or a number of steps');
  }
  const right = Number.isInteger(steps) && (steps as number) >= 0 && (steps as number) <= 0xffffffff;
  if (steps !== undefined && !right) {
    throw new InputError('steps', steps, 'is no number of steps', 'give a whole number from 0 to 4294967295');
  }
  if (duration === undefined) return steps as number;
  const whole = stepsIn(duration, dt, 'duration');
  if (whole > 0xffffffff) {
    throw new InputError('duration', duration, `has ${whole} steps of ${dt} ms`, 'give up to 4294967295 of them');
  }
  if (steps === undefined || steps === whole) return whole;
  throw new InputError(
    'steps',
    steps,
    `does not agree with the duration, ${whole} steps of ${dt} ms`,
    'give one of the two',
  );
}

/** What stands around a population: how its arrays are got, and how long it runs, ms. */
interface Around {
  readArray: ReadArray;
  openArray: OpenArray | undefined;
  readSoma: ReadSoma | undefined;
  duration: number;
}

async function readPopulation(name: string, json: unknown, around: Around): Promise<Experiment['populations'][number]> {
  const { readArray } = around;
  const path = `populations.${name}`;
  const { soma: somaName, ...given } = object(json, path);
  const known = ['units', 'parameters', 'initial', 'input', 'inhibitory', 'record'];
  checkNames(path, given, known, 'key NAME of a population');
  const soma = await loadSoma(somaName, `${path}.soma`, around.readSoma);
  if (given.units === undefined)
    throw new InputError(`${path}.units`, undefined, 'is missing', 'give the number of neurons, or their shape');
  const options = {
    ...given,
    name,
    parameters: await loadParameters(given.parameters, `${path}.parameters`, soma, readArray),
    initial: await loadValues(given.initial, `${path}.initial`, readArray),
    input: await loadInputs(given.input, `${path}.input`, around),
  };
  return { name, soma, options: options as unknown as PopulationOptions<object, string> };
}

// A soma is one that is built in, by its name, or one of a file of its own.
async function loadSoma(given: unknown, path: string, readSoma: ReadSoma | undefined): Promise<Soma> {
  if (typeof given !== 'object' || given === null) return findSoma(given, path);
  checkNames(path, given, ['file'], 'key NAME of a soma');
  const { file } = given as Json;
  const where = `${path}.file`;
  if (typeof file !== 'string') throw new InputError(where, file, 'is no file', 'give the path of a .wgsl file');
  if (!readSoma) throw new InputError(where, file, 'is a soma of a file, which is not read here', 'name one built in');
  try {
    return await readSoma(file);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    throw error.at(where, `${error.path}: ${error.reason}`);
  }
}

/** The soma of a name. @throws InputError naming the one that was probably meant */
export function findSoma(name: unknown, path: string): Soma {
  const found = somas.find((soma) => soma.name === name);
  if (found) return found;
  const names = somas.map((soma) => soma.name);
  const remedy = suggest(String(name), names);
  throw new InputError(path, name ?? null, 'unknown soma', remedy);
}

// What papers print may stand among the parameters, as `biophysics`.
async function loadParameters(json: unknown, path: string, soma: Soma, readArray: ReadArray): Promise<unknown> {
  if (json === undefined) return undefined;
  const { biophysics, ...beside } = object(json, path);
  const values = await loadValues(beside, path, readArray);
  if (biophysics === undefined) return values;
  const printed = await loadValues(biophysics, `${path}.biophysics`, readArray);
  return withBiophysics(soma, printed, values as Json, path);
}

// Replaces every { file, array } among named values by the array.
async function loadValues(json: unknown, path: string, readArray: ReadArray): Promise<unknown> {
  if (json === undefined) return undefined;
  const entries = Object.entries(object(json, path)).map(async ([name, value]) => {
    if (value === null) throw new InputError(`${path}.${name}`, null, 'is not a value', 'leave it out for the default');
    return [name, isReference(value) ? (await load(value, `${path}.${name}`, readArray)).data : value];
  });
  return Object.fromEntries(await Promise.all(entries));
}

async function loadInputs(json: unknown, path: string, around: Around): Promise<unknown> {
  const { readArray, openArray, duration } = around;
  if (!Array.isArray(json)) return json;
  return Promise.all(
    json.map(async (input: unknown, index) => {
      const where = `${path}[${index}]`;
      const given = object(input, where);
      if (given.kind !== 'array')
        return { ...ends(given.kind, duration), ...((await loadValues(given, where, readArray)) as Json) };
      const kind = 'array';
      if (!('file' in given || 'array' in given)) {
        checkNames(where, given, ['kind', 'values'], 'key NAME of the input array');
        const remedy = 'give values, or file and array';
        if (!('values' in given)) throw new InputError(where, undefined, 'has no values', remedy);
        return given;
      }
      checkNames(where, given, ['kind', 'file', 'array'], 'key NAME of an input array from a file');
      const { kind: _, ...reference } = given;
      if (openArray) {
        const opened = await load(reference, where, openArray);
        return { kind, shape: opened.shape, read: (first: number, steps: number) => opened.read(first, steps) };
      }
      const { data, shape } = await load(reference, where, readArray);
      return { kind, values: data, shape };
    }),
  );
}

// A moment that has to be given, such as a ramp's arrival, is here the end of the run by default.
function ends(kind: unknown, duration: number): Json {
  const law = Object.entries(inputLaws).find(([name]) => name === kind)?.[1];
  const moments = Object.entries(law?.parameters ?? {}).filter(([, row]) => row.edge && row.default === undefined);
  return Object.fromEntries(moments.map(([name]) => [name, duration]));
}

const isReference = (value: unknown): value is Json => typeof value === 'object' && value !== null && 'file' in value;

// A .npy file holds one array, and that has no name.
const isBare = (file: unknown): boolean => typeof file === 'string' && /\.npy$/i.test(file);

async function load<Loaded>(
  reference: Json,
  path: string,
  get: (file: string, name?: string) => Promise<Loaded>,
): Promise<Loaded> {
  checkNames(path, reference, ['file', 'array'], 'key NAME of a file reference');
  const { file, array } = reference;
  const remedy = 'give { "file": FILE, "array": NAME }';
  if (typeof file !== 'string') throw new InputError(`${path}.file`, file ?? null, 'is no name', remedy);
  if (isBare(file) && array !== undefined) {
    throw new InputError(`${path}.array`, array, 'names an array of a .npy file, which has only one', 'leave it out');
  }
  if (!isBare(file) && typeof array !== 'string') {
    throw new InputError(`${path}.array`, array ?? null, 'is no name', remedy);
  }
  try {
    return await get(file, array as string | undefined);
  } catch (error) {
    const reason = `${file}: ${error instanceof Error ? error.message : String(error)}`;
    throw new InputError(path, undefined, reason, 'file names are relative to the experiment');
  }
}

function object(json: unknown, path: string): Json {
  if (typeof json === 'object' && json !== null && !Array.isArray(json)) return json as Json;
  throw new InputError(path, json, 'is no object', 'give { ... }');
}
