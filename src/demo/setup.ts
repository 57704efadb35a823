// The one description of what the page runs: a set-up is plain JSON, so that a link, a preset and the page itself agree on
// it. Here it becomes what the engine takes. It knows neither the page nor what has become of a run.

import {
  type Initializer,
  type Input,
  InputError,
  type LawInput,
  type PopulationOptions,
  type Row,
  type Soma,
  somas,
  truncatedNormal,
  type Value,
} from '../index.ts';

/** The names of the somas, as experiment files have them. */
export type SomaName =
  | 'AdaptiveExponentialSoma'
  | 'ExponentialSoma'
  | 'RefractoryAdaptiveExponentialSoma'
  | 'RefractoryExponentialSoma'
  | 'SimplifiedAdaptiveExponentialSoma';

export const PATTERNS = ['even', 'gradient', 'spot', 'waves'] as const;

/**
 * Where on the sheet an input goes: everywhere alike; growing from nothing at the left edge to all of it at the right;
 * into the middle; or, a sine only, in waves that run outwards from the middle.
 */
export type Pattern = (typeof PATTERNS)[number];

type Plain<I> = I extends LawInput
  ? { [Key in keyof I]: Value extends Exclude<I[Key], undefined> ? number | Extract<I[Key], undefined> : I[Key] }
  : never;

/** An input current as the engine has it, with numbers alone, and where on the sheet it goes. */
export type SetupInput = Plain<LawInput> & {
  /** `even` by default. */
  pattern?: Pattern;
};

/** What is looked at. */
export interface View {
  /** The point of the sheet in the middle of the picture: 0 is its left and upper edge, 1 its right and lower one. */
  x: number;
  y: number;
  /** 1 shows the whole sheet. */
  zoom: number;
  /** The neuron whose trace is drawn; null for none. */
  neuron: number | null;
}

export interface Setup {
  soma: SomaName;
  /** How many neurons; they fill the rows of a square, {@link columnsOf} in each. */
  units: number;
  /** The time step, ms. */
  dt: number;
  /** From 0 to 2^32 - 1. */
  seed: number;
  /** Model time a second, ms; less where the device cannot do it. */
  speed: number;
  /** By name; those that are missing have their defaults. */
  parameters: Readonly<Record<string, number>>;
  /** Coefficients of variation over the population, by parameter: 0.1 is a standard deviation of a tenth; 0 by default. */
  spread: Readonly<Record<string, number>>;
  /** They add up. */
  inputs: readonly SetupInput[];
  view: View;
}

/** What a hand on the page wants to be different. */
export type Edit = (setup: Setup) => Partial<Setup>;

/** The most neurons the page shows. */
export const MOST_UNITS = 2048 * 2048;

/** The name of the population, in files too: random numbers depend on it. */
export const POPULATION = 'cells';

export const HOME: View = { x: 0.5, y: 0.5, zoom: 1, neuron: null };

/** Neurons in a row of the sheet; the last row may be shorter. */
export const columnsOf = (units: number): number => Math.ceil(Math.sqrt(units));

/** What the page starts with: waves that run over a noisy sheet of so many adapting neurons, one of which is traced. */
export function standardOf(units: number): Setup {
  const columns = columnsOf(units);
  return {
    soma: 'AdaptiveExponentialSoma',
    units,
    dt: 0.1,
    seed: 1,
    speed: 60,
    parameters: {},
    spread: { potential_tau: 0.1, resistance: 0.05 },
    inputs: [
      { kind: 'constant', amplitude: 42 },
      { kind: 'sine', amplitude: 22, frequency: 5, pattern: 'waves' },
      { kind: 'ornstein_uhlenbeck', mean: 0, sd: 10, tau: 5 },
    ],
    view: { ...HOME, neuron: Math.floor(units / columns / 2) * columns + Math.floor(columns / 3) },
  };
}

export const STANDARD: Setup = standardOf(320 * 320);

/** The neuron that is traced, if there is one and it exists. */
export const tracedIn = ({ view: { neuron }, units }: Pick<Setup, 'view' | 'units'>): number | undefined =>
  neuron !== null && neuron < units ? neuron : undefined;

/** The soma of a set-up. @throws InputError */
export function somaOf({ soma: name }: Pick<Setup, 'soma'>): Soma {
  const found = somas.find((soma) => soma.name === name);
  if (found) return found;
  throw new InputError('soma', name, 'unknown soma', `known: ${somas.map((soma) => soma.name).join(', ')}`);
}

/** The table of the parameters of its soma. @throws InputError */
export const tableOf = (setup: Pick<Setup, 'soma'>): Readonly<Record<string, Row>> => somaOf(setup).parameters;

/** The number a parameter is at, or is spread around. */
export const numberOf = ({ soma, parameters }: Pick<Setup, 'soma' | 'parameters'>, name: string): number =>
  parameters[name] ?? (tableOf({ soma })[name]?.default as number);

/** A parameter as the engine takes it: a number, or an initializer where it is spread. */
export function parameterOf(setup: Pick<Setup, 'soma' | 'parameters' | 'spread' | 'dt'>, name: string): Value {
  const mean = numberOf(setup, name);
  const sd = (setup.spread[name] ?? 0) * Math.abs(mean);
  return sd > 0 ? spreadAround(mean, sd, tableOf(setup)[name] as Row, setup.dt) : mean;
}

// Three standard deviations to either side, but never beyond what the parameter allows.
function spreadAround(
  mean: number,
  sd: number,
  { above, least, leastDt, most }: Row,
  dt: number,
): Initializer | number {
  const floor = Math.max(
    above === undefined ? -Infinity : above + (mean - above) / 20,
    least ?? -Infinity,
    leastDt ? dt : -Infinity,
  );
  const low = Math.max(mean - 3 * sd, floor);
  const high = Math.min(mean + 3 * sd, most ?? Infinity);
  // A mean out of bounds is left to the engine, which refuses it.
  return low < mean && mean < high ? truncatedNormal(mean, sd, low, high) : mean;
}

/**
 * What a parameter's values become in another set-up: moved and stretched where both draw the same deviates, so that a
 * slider need not draw a million of them anew, which takes a quarter of a second. They are what drawing would give, but for
 * the last bits.
 *
 * @returns undefined where they have to be drawn
 */
export function movedTo(values: Float32Array, name: string, before: Setup, after: Setup): Float32Array | undefined {
  const [from, to] = [before, after].map((setup) => parameterOf(setup, name)) as [Value, Value];
  if (!isSpread(from) || !isSpread(to)) return undefined;
  const widths = ({ mean, sd, low = -Infinity, high = Infinity }: Spread) =>
    [low - mean, high - mean].map((width) => width / sd);
  const [narrow, wide] = [widths(from), widths(to)];
  // One of them is cut at a bound of the parameter's.
  if (narrow.some((width, i) => Math.abs(width - (wide[i] as number)) > 1e-9)) return undefined;
  const stretch = to.sd / from.sd;
  // Not by map, which takes ten times as long.
  const moved = new Float32Array(values.length);
  for (let i = 0; i < moved.length; i++) moved[i] = to.mean + ((values[i] as number) - from.mean) * stretch;
  return moved;
}

type Spread = ReturnType<typeof truncatedNormal>;
const isSpread = (value: Value): value is Spread => typeof value === 'object' && 'sd' in value;

/** All parameters of a set-up as the engine takes them. */
export function parametersOf(setup: Pick<Setup, 'soma' | 'parameters' | 'spread' | 'dt'>): Record<string, Value> {
  const known = Object.entries(tableOf(setup)).map(([name]) => [name, parameterOf(setup, name)] as const);
  // What the soma does not have goes along, for the engine to refuse it.
  return { ...setup.parameters, ...Object.fromEntries(known) };
}

/** The key of an input that a pattern scales. */
const SCALED: Readonly<Record<LawInput['kind'], string>> = {
  constant: 'amplitude',
  step: 'amplitude',
  pulses: 'amplitude',
  sine: 'amplitude',
  ramp: 'to',
  white_noise: 'mean',
  ornstein_uhlenbeck: 'mean',
  poisson_shot_noise: 'weight',
};

/** What inputs became, at a size: a hand that changes one of them should not wait for the patterns of the others. */
const made = new WeakMap<SetupInput, { units: number; inputs: readonly Input[] }>();

/** The inputs of a set-up as the engine takes them. @throws InputError for waves of what is no sine */
export function inputsOf({ inputs, units }: Pick<Setup, 'inputs' | 'units'>): Input[] {
  return inputs.flatMap((given, i) => {
    const known = made.get(given);
    if (known?.units === units) return known.inputs;
    const own = placed(given, units, `${POPULATION}.input[${i}].pattern`);
    made.set(given, { units, inputs: own });
    return own;
  });
}

function placed({ pattern = 'even', ...input }: SetupInput, units: number, path: string): Input[] {
  if (pattern === 'even') return [input as Input];
  if (pattern === 'waves') return wavesOf(input as Plain<LawInput>, units, path);
  const key = SCALED[input.kind];
  const { [key]: peak = 0 } = input as unknown as Record<string, number | undefined>;
  const shape = pattern === 'gradient' ? (x: number) => x : (x: number, y: number) => Math.exp(-20 * away(x, y) ** 2);
  return [{ ...input, [key]: onSheet(units, (x, y) => peak * shape(x, y)) } as unknown as Input];
}

/** How many waves lie between the middle of the sheet and the middle of an edge. */
const WAVES = 1.5;

// A sine whose phase is a neuron's own is the sum of a sine and a cosine with amplitudes of its own.
function wavesOf(input: Plain<LawInput>, units: number, path: string): Input[] {
  if (input.kind !== 'sine') {
    throw new InputError(path, 'waves', `cannot be what ${input.kind} has`, 'give the input sine, or another pattern');
  }
  const { amplitude, phase = 0 } = input;
  const lag = (x: number, y: number) => 4 * Math.PI * WAVES * away(x, y);
  return [
    { ...input, amplitude: onSheet(units, (x, y) => amplitude * Math.cos(lag(x, y))) },
    {
      ...input,
      offset: 0,
      phase: phase - Math.PI / 2,
      amplitude: onSheet(units, (x, y) => amplitude * Math.sin(lag(x, y))),
    },
  ];
}

const away = (x: number, y: number): number => Math.sqrt((x - 0.5) ** 2 + (y - 0.5) ** 2);

// A number a neuron, from its place: 0 to 1 from left to right and from top to bottom.
function onSheet(units: number, value: (x: number, y: number) => number): Float32Array {
  const columns = columnsOf(units);
  const last = Math.max(columns - 1, 1);
  const values = new Float32Array(units);
  for (let i = 0, row = 0; i < units; row++) {
    for (let column = 0; column < columns && i < units; column++) values[i++] = value(column / last, row / last);
  }
  return values;
}

/**
 * The population of a set-up, for `simulation.add(soma, options)` in a simulation of its `dt` and `seed`.
 *
 * @throws InputError where the set-up itself is wrong; what is in it the engine checks
 */
export function populationOf(setup: Setup): { soma: Soma; options: PopulationOptions<object, string> } {
  const options = {
    name: POPULATION,
    units: setup.units,
    parameters: parametersOf(setup),
    input: inputsOf(setup),
  };
  return { soma: somaOf(setup), options };
}

/** Waves are two inputs for the engine: which one of the set-up's a number of the engine means. */
export function inputAt({ inputs }: Setup, index: number): number {
  let left = index;
  return inputs.findIndex(({ pattern }) => {
    left -= pattern === 'waves' ? 2 : 1;
    return left < 0;
  });
}

/** More than anybody means; a link with more is refused. */
export const MOST_INPUTS = 64;

/** Refuses what the engine would take, or never see, but the page cannot show. @throws InputError */
export function checked(setup: Setup): Setup {
  const { units, speed, spread } = setup;
  for (const [name, cv] of Object.entries(spread)) {
    if (cv >= 0 && cv <= 1) continue;
    const path = `${POPULATION}.parameters.${name}`;
    throw new InputError(path, cv, 'has a spread that is none', 'give 0 to 100 percent');
  }
  if (!(Number.isInteger(units) && units >= 1 && units <= MOST_UNITS)) {
    const remedy = `give a whole number from 1 to ${MOST_UNITS.toLocaleString('en')}`;
    throw new InputError(`${POPULATION}.units`, units, 'is no number of neurons that can be shown', remedy);
  }
  if (!(speed > 0 && speed <= 1e5))
    throw new InputError('speed', speed, 'is no speed', 'give model ms a second, up to 100,000');
  return setup;
}
