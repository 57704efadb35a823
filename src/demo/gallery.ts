// The gallery: published experiments as set-ups, the spike times that are right for them, and how far simulated ones are
// off. It knows neither the page nor how the numbers came about: they are generated from the protocols' files, and loaded
// only when somebody looks at them.

import { HOME, numberOf, type Setup, type SomaName, tableOf } from './setup.ts';
import { shortRun } from './short-run.ts';

/** A published experiment on one neuron, with its spikes. */
export interface Preset {
  /** The name of its file under test/data/protocols/. */
  id: string;
  /** The firing pattern, in a word or two. */
  name: string;
  /** Where its numbers are published. */
  source: { text: string; url?: string };
  /** What there is to see. */
  note: string;
  soma: SomaName;
  /** All of the soma's. */
  parameters: Readonly<Record<string, number>>;
  /** Steps of current: pA, ms and ms. */
  currents: readonly { amplitude: number; start: number; stop: number }[];
  /** ms; the spikes are those up to then. */
  duration: number;
  /** When it spikes, ms: the equations solved exactly, which is what any step tends to as it gets shorter. */
  spikes: readonly number[];
  /** Rounding moves its later spikes, so that only the first ones can agree. */
  chaotic: boolean;
  /** What forward Euler in double precision makes of it: how many spikes, and by how much they are off, ms. */
  euler: readonly { dt: number; spikes: number; first: number; largest: number }[];
}

/** The presets, in the order of the page. */
export const loadPresets = async (): Promise<readonly Preset[]> => (await import('../generated/gallery.ts')).presets;

/** As many neurons as show that all of them do the same. */
const UNITS = 32 * 32;
/** The one of them that is traced: in the middle. */
const TRACED = 16 * 32 + 16;
/** How long an experiment takes to watch, s. */
const WATCHED = 6;

/** A preset as a set-up: neurons that are all alike, as published, one of them traced. */
export function setupOf({ soma, parameters, currents, duration }: Preset): Setup {
  return {
    soma,
    units: UNITS,
    dt: 0.1,
    seed: 0,
    speed: Math.max(1, Math.round(duration / WATCHED)),
    parameters,
    spread: {},
    inputs: currents.map((current) => ({ kind: 'step', ...current })),
    view: { ...HOME, neuron: TRACED },
  };
}

/** Whether a set-up still is the preset's experiment; its time step, size and view may be others. */
export function shows(setup: Setup, preset: Preset): boolean {
  const what = ({ soma, parameters, spread, inputs }: Setup) => {
    const numbers = Object.keys(tableOf({ soma })).map((name) => numberOf({ soma, parameters }, name));
    return JSON.stringify([soma, numbers, Object.values(spread).some((cv) => cv > 0), inputs]);
  };
  return what(setup) === what(setupOf(preset));
}

/** How simulated spikes stand beside the right ones; times in ms. */
export interface Comparison {
  /** Pairs: the first spike with the first, the second with the second, and so on. */
  matched: number;
  /** Right ones without a partner. */
  missing: number;
  /** Simulated ones without a partner. */
  extra: number;
  /** By how much the first simulated spike is late; undefined where there is no pair, as the next two. */
  first: number | undefined;
  /** The largest distance of a pair. */
  largest: number | undefined;
  /** The mean distance of the pairs. */
  mean: number | undefined;
}

/**
 * Compares spikes in their order, both ascending. A late simulation thus shows how late it has become, and is not
 * taken for an early one of the spike after; the protocols' own figures are made like this.
 *
 * @example
 * ```ts
 * compare([10, 20, 30], [10.5, 21]); // { matched: 2, missing: 1, extra: 0, first: 0.5, largest: 1, mean: 0.75 }
 * ```
 */
export function compare(expected: readonly number[], simulated: readonly number[]): Comparison {
  const matched = Math.min(expected.length, simulated.length);
  const off = Array.from({ length: matched }, (_, i) => (simulated[i] as number) - (expected[i] as number));
  const distances = off.map(Math.abs);
  return {
    matched,
    missing: expected.length - matched,
    extra: simulated.length - matched,
    first: off[0],
    largest: matched === 0 ? undefined : distances.reduce((most, distance) => Math.max(most, distance), 0),
    mean: matched === 0 ? undefined : distances.reduce((sum, distance) => sum + distance, 0) / matched,
  };
}

/**
 * Spike times of a set-up's first neuron, all spread left out, ms: by a short run of its own, which takes milliseconds.
 *
 * @param duration - ms; what is left of a last step is left out
 * @throws InputError where the engine refuses the set-up, as where a time step is too long for a time constant
 */
export async function simulate(setup: Setup, duration: number): Promise<number[]> {
  const { spikes } = await shortRun(setup, duration);
  return Array.from(spikes.times);
}
