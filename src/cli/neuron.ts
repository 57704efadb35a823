// The neuron that `somagpu fi` and `somagpu rheobase` are about: one of a soma's, or one of a population of an experiment
// file, with parameters set beside. What it does under a current is analysis/'s.

import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { checkNames, suggest } from '../errors.ts';
import { type Experiment, findSoma, readExperiment } from '../experiment.ts';
import { InputError, type Row, type Soma, somas, type Value } from '../index.ts';
import { at, checkDt, resolve, resolveParameters, type Scope } from '../parameters.ts';
import { checkUnits } from '../population.ts';
import { ArrayFiles } from './arrays.ts';
import { inFile, readText } from './file.ts';
import { parseJson } from './json.ts';

export interface NeuronOptions {
  /** Which of an experiment's populations, where there are several. */
  population?: string;
  /** Which of its neurons; the first by default. */
  neuron?: number;
  /** Parameters that stand in place of those there are. */
  set?: Record<string, number>;
  /** ms */
  dt?: number;
}

export interface ChosenNeuron {
  soma: Soma;
  /** All of the soma's. */
  parameters: Record<string, number>;
  /** ms */
  dt: number;
  /** Which it is, in words. */
  title: string;
}

/** The time step where neither the command nor an experiment says one, ms. */
const DT = 0.1;

/**
 * @param what - a soma's name, or an experiment file
 * @throws InputError
 */
export async function chooseNeuron(what: string, options: NeuronOptions): Promise<ChosenNeuron> {
  const { population, neuron, dt, set = {} } = options;
  if (dt !== undefined) checkDt(dt, '--dt');
  const names = somas.map(({ name }) => name);
  if (!names.includes(what)) {
    if (/[./\\]/.test(what) || existsSync(what)) return chooseInFile(what, options);
    throw new InputError('soma', what, 'neither a soma nor a file', suggest(what, names));
  }
  for (const [name, value] of Object.entries({ population, neuron })) {
    if (value === undefined) continue;
    throw new InputError(`--${name}`, value, 'goes with an experiment file', 'leave it out, or give a file');
  }
  const soma = findSoma(what, 'soma');
  const scope = scopeOf(soma, '--set', { neurons: 1, dt: dt ?? DT });
  return { soma, parameters: numbersOf(soma, {}, set, scope, 0), dt: scope.dt, title: soma.name };
}

async function chooseInFile(file: string, options: NeuronOptions): Promise<ChosenNeuron> {
  const arrays = new ArrayFiles(dirname(file));
  try {
    const experiment = await readExperiment(parseJson(await readText(file)), arrays.read, arrays.open);
    const { name, soma, options: given } = choosePopulation(experiment, options.population);
    const path = `populations.${name}`;
    const units = checkUnits(given.units, `${path}.units`);
    const neurons = units.reduce((product, side) => product * side, 1);
    const { neuron = 0, dt = experiment.dt, set = {} } = options;
    if (neuron >= neurons) {
      throw new InputError('--neuron', neuron, `is not among the ${neurons} of ${name}`, `give 0 to ${neurons - 1}`);
    }
    const size = { population: name, neurons, units, dt, seed: experiment.seed };
    const scope = scopeOf(soma, `${path}.parameters`, size);
    const parameters = numbersOf(soma, given.parameters ?? {}, set, scope, neuron);
    return { soma, parameters, dt, title: `${soma.name}, neuron ${neuron} of ${name} in ${file}` };
  } catch (error) {
    throw inFile(error, file);
  } finally {
    await arrays.close();
  }
}

function choosePopulation({ populations }: Experiment, asked: string | undefined): Experiment['populations'][number] {
  const names = populations.map(({ name }) => name);
  const found = asked === undefined ? populations : populations.filter(({ name }) => name === asked);
  const [only] = found;
  if (only && found.length === 1) return only;
  if (asked === undefined) {
    throw new InputError('--population', undefined, 'is missing, and there are several', `known: ${names.join(', ')}`);
  }
  throw new InputError('--population', asked, 'unknown population', suggest(asked, names));
}

const scopeOf = (soma: Soma, path: string, size: Pick<Scope, 'neurons' | 'dt'> & Partial<Scope>): Scope => ({
  ...{ path, owner: soma.name, population: soma.name, seed: 0 },
  ...size,
});

/** One neuron's parameters, drawn as a run draws them; numbers as they were given, without a rounding to float32. */
function numbersOf(
  soma: Soma,
  given: object,
  set: Readonly<Record<string, number>>,
  scope: Scope,
  neuron: number,
): Record<string, number> {
  const table: Readonly<Record<string, Row>> = soma.parameters;
  checkNames('--set', set, Object.keys(table), `parameter NAME of ${soma.name}`);
  for (const [name, value] of Object.entries(set)) {
    resolve(name, table[name] as Row, value, 'parameter', { ...scope, path: '--set' });
  }
  const values: Readonly<Record<string, Value | undefined>> = { ...given, ...set };
  const planes = resolveParameters(table, values, scope);
  const numbers = Object.entries(table).map(([name, row]) => {
    const value = values[name] ?? (row.default as number);
    return [name, typeof value === 'number' ? value : at(planes[name] ?? 0, neuron)];
  });
  return Object.fromEntries(numbers);
}

/** What an analysis refuses is named as the option it came from. */
export async function asOptions<T>(work: () => Promise<T> | T): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof InputError) || !/^[a-z]+$/.test(error.path)) throw error;
    throw error.at(`--${error.path}`);
  }
}
