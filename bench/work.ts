// The work that everybody is given: N uncoupled neurons from rest, dt 0.1 ms, each with its own constant current; what
// must come out of it, from the equations in float64; and how somagpu is asked for it. Who does it, it does not know.

import { somas as known, type PopulationOptions, type Soma } from '../src/index.ts';

export const DT = 0.1;

export const somas: ReadonlyMap<string, Soma> = new Map(known.map((soma) => [soma.name, soma]));
const tableOf = (name: string) => (somas.get(name) as Soma).parameters as Record<string, { default: unknown }>;

/** What is asked for besides steps: nothing, all spikes, noise, or parameters of each neuron's own. */
export const modes = ['counting', 'recording', 'noise', 'arrays'] as const;
export type Mode = (typeof modes)[number];

export interface Work {
  soma: string;
  mode: Mode;
  neurons: number;
  steps: number;
}

/** Spikes of all neurons, how many neurons had any, and how many spikes were recorded. */
export interface Tally {
  spikes: number;
  fired: number;
  recorded: number;
}

export const titleOf = ({ soma, mode, neurons }: Work) => `${soma}, ${mode}, ${neurons.toLocaleString('en')} neurons`;

/** So many that a fast machine is busy for tens of milliseconds, and even slow neurons have had time to fire. */
export const stepsFor = (neurons: number, quick = false) =>
  Math.min(10_000, Math.max(200, Math.round((quick ? 5e6 : 1e8) / neurons)));

/** pA; any range of neurons has the same mixture, and neighbours differ. A good part of them stays silent. */
function currentOf(soma: string, neuron: number): number {
  const [low, high] = soma.includes('Adaptive') ? [20, 80] : [0, 50];
  return low + (high - low) * ((neuron * 0.6180339887498949) % 1);
}

/** Of all neurons. */
export const currentsOf = (soma: string, neurons: number) =>
  Float32Array.from({ length: neurons }, (_, j) => currentOf(soma, j));

/** pA, of white noise in each step. */
const SD = 50;

/** The defaults; in the mode `arrays` up to one per cent beside them, for each neuron and parameter in its own way. */
function parameterOf({ soma, mode }: Work, name: string, neuron: number): number {
  const table = tableOf(soma);
  const value = Number(table[name]?.default ?? 0);
  if (mode !== 'arrays') return value;
  const index = Object.keys(table).indexOf(name) + 1;
  return value * (1 + 0.02 * (((neuron * index * 0.7548776662466927) % 1) - 0.5));
}

/** The population somagpu makes of it. */
export function optionsOf(work: Work): PopulationOptions<object, string> {
  const { soma, mode, neurons } = work;
  const each = (value: (neuron: number) => number) => Float32Array.from({ length: neurons }, (_, j) => value(j));
  const current = currentsOf(soma, neurons);
  const names = mode === 'arrays' ? Object.keys(tableOf(soma)) : [];
  return {
    name: 'cells',
    units: neurons,
    parameters: Object.fromEntries(names.map((name) => [name, each((j) => parameterOf(work, name, j))])),
    input: [
      mode === 'noise' ? { kind: 'white_noise', mean: current, sd: SD } : { kind: 'constant', amplitude: current },
    ],
    record: { spikes: mode === 'recording' },
  };
}

/** So many neurons stand for all: their currents are spread more evenly than by chance. */
const SAMPLE = 4000;
const references = new Map<string, { rate: number; share: number }>();

/** Mean rate, Hz, and the share of neurons that fire at all, in float64. */
export function reference(work: Work): { rate: number; share: number } {
  const { soma, steps } = work;
  const neurons = Math.min(SAMPLE, work.neurons);
  const mode = work.mode === 'recording' ? 'counting' : work.mode;
  const key = [soma, mode, steps, neurons].join();
  const known = references.get(key);
  if (known) return known;
  let [spikes, fired] = [0, 0];
  for (let neuron = 0; neuron < neurons; neuron++) {
    const count = spikesOf({ ...work, mode }, neuron);
    spikes += count;
    if (count > 0) fired++;
  }
  const found = { rate: spikes / neurons / (steps * DT * 1e-3), share: fired / neurons };
  references.set(key, found);
  return found;
}

// One neuron by forward Euler, in the order of the specification, potentials relative to rest.
function spikesOf(work: Work, neuron: number): number {
  const { soma, mode, steps } = work;
  const has = (name: string) => name in tableOf(soma);
  const p = (name: string) => parameterOf(work, name, neuron);
  const rest = p('potential_rest');
  const [reset, rheobase, base] = [p('potential_reset') - rest, p('rheobase_threshold') - rest, p('threshold') - rest];
  const [resistance, slope, scale] = [p('resistance'), p('spike_slope'), DT / p('potential_tau')];
  const [adaptation, subthreshold, delta] = has('adaptation_tau')
    ? [DT / p('adaptation_tau'), p('adaptation_subthreshold'), p('adaptation_delta')]
    : [0, 0, 0];
  const [cools, cooldown] = [has('cooldown'), Math.round(p('cooldown') / DT)];
  const decay = has('threshold_tau') ? Math.exp(-DT / p('threshold_tau')) : 0;
  const jump = p('threshold_delta');
  const current = currentOf(soma, neuron);
  let [v, w, threshold, blocked, count] = [0, 0, base, cools ? 1 : 0, 0];
  for (let step = 0; step < steps; step++) {
    const input = blocked > 0 ? 0 : mode === 'noise' ? current + SD * gauss() : current;
    v += scale * (slope * Math.exp(Math.min((v - rheobase) / slope, 80)) - v - resistance * w + resistance * input);
    const spike = v > threshold && blocked === 0;
    if (spike) v = reset;
    w += adaptation * (subthreshold * v - w) + (spike ? delta : 0);
    blocked = spike && cools ? cooldown + 1 : Math.max(0, blocked - 1);
    threshold = base + decay * (threshold - base) + (spike ? jump : 0);
    if (spike) count++;
  }
  return count;
}

// Box and Muller, with whatever the host draws: rates agree, spikes need not.
const gauss = () => Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());

/**
 * That it did the work.
 *
 * @param exact - whether it makes the same Euler steps; another integrator's rate may be off by a tenth
 * @throws if what came out is not what must
 */
export function check(who: string, work: Work, { spikes, fired, recorded }: Tally, exact = true): void {
  const known = reference(work);
  const rate = spikes / work.neurons / (work.steps * DT * 1e-3);
  const share = fired / work.neurons;
  const within = !exact ? 0.1 : work.mode === 'noise' ? 0.05 : 0.01;
  // Asked so that what is no number is wrong too.
  const right = Math.abs(rate / known.rate - 1) <= within && Math.abs(share - known.share) <= within;
  const found = `${rate.toFixed(2)} Hz with ${(100 * share).toFixed(1)} % firing`;
  const wanted = `${known.rate.toFixed(2)} Hz with ${(100 * known.share).toFixed(1)} %`;
  if (!(known.rate > 0))
    throw new Error(
      `${titleOf(work)}: nobody fires in ${work.steps} steps, so that nothing can be checked; give more steps`,
    );
  if (!right) throw new Error(`${who}, ${titleOf(work)}: ${found}, where there should be ${wanted}`);
  if (work.mode === 'recording' && recorded !== spikes)
    throw new Error(`${who}, ${titleOf(work)}: ${recorded} spikes recorded of ${spikes}`);
}
