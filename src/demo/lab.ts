// The lab: what one neuron does with the parameters of a set-up, as numbers. Short runs aside on the processor and the
// equations; it refuses to know how they are drawn, and when they are asked for.

import {
  adaptationIndex,
  type Curve,
  currentsBetween,
  type FiringPattern,
  type FoundRheobase,
  fiCurve,
  findRheobase,
  firingPattern,
  fixedPoints,
  type IntervalStatistics,
  intervalStatistics,
  type PhasePlane,
  phasePlane,
  type Rheobase,
  rheobase,
} from '../analysis/index.ts';
import { InputError, SomaError, type Trace } from '../index.ts';
import { niceAbove } from './elements.ts';
import { numberOf, POPULATION, type Setup, type SetupInput, somaOf } from './setup.ts';
import { shortRun, wholeSteps } from './short-run.ts';

/** A result, or why there is none. */
export type Outcome<Result> = { value: Result } | { refused: string };

/** A way through the phase plane, from one spike to the next: mV and pA, sample by sample. */
export interface Way {
  potential: number[];
  adaptation: number[];
}

/** The phase plane at the present constant current, and a neuron's ways through it from rest. */
export interface Plane extends PhasePlane {
  /** pA */
  current: number;
  /** mV */
  reset: number;
  /** mV; of a soma whose threshold moves, where it rests. */
  threshold: number;
  /** mV/ms, by potential, of a soma without adaptation; of others nothing, and `ways` are there. */
  rise: Float64Array | undefined;
  ways: readonly Way[];
}

/** The spikes of one neuron under the present input. */
export interface Train {
  /** ms */
  times: Float64Array;
  /** ms: how long it was run, and when in that the current was on. */
  duration: number;
  start: number;
  stop: number;
  /** Hz, while the current is on. */
  rate: number;
  /** Of all its intervals. */
  intervals: IntervalStatistics;
  /** Of its intervals without the first ones; NaN with too few. */
  adaptation: number;
  pattern: FiringPattern;
  /** Whether nothing but constants and steps goes in, which is what patterns are told by. */
  steady: boolean;
}

export interface Lab {
  /** pA: what constant and step inputs add up to; nothing where there are none. */
  current: number | undefined;
  /** ms: of the runs under constant currents. */
  duration: number;
  rheobase: Outcome<Rheobase>;
  found: Outcome<FoundRheobase>;
  curve: Outcome<Curve>;
  plane: Outcome<Plane>;
  train: Outcome<Train>;
}

/** How long a current is on, ms; less where that would be more than so many steps. */
const DURATION = 1000;
const MOST_STEPS = 100_000;
const CURRENTS = 41;
/** The curve reaches to so many times the rheobase. */
const REACH = 4;
/** Farther away the spike threshold is left out of the phase plane, mV: the rest would be in a corner. */
const IN_VIEW = 40;
const MARGIN = 5;
/** A way has a sample each so many ms, or each step: enough for a curve. */
const SAMPLED = 0.1;

/** What a lab depends on: of two set-ups for which it is the same, the numbers are too. */
export const labKey = ({ soma, dt, seed, parameters, inputs }: Setup): string =>
  JSON.stringify([soma, dt, seed, parameters, inputs]);

/** What the constant and step inputs of a set-up add up to, pA; undefined where there are none. */
export function currentOf({ inputs }: Pick<Setup, 'inputs'>): number | undefined {
  const steady = inputs.filter(isSteady);
  return steady.length === 0 ? undefined : steady.reduce((sum, { amplitude }) => sum + amplitude, 0);
}

type SteadyInput = Extract<SetupInput, { kind: 'constant' | 'step' }>;

const isSteady = (input: SetupInput): input is SteadyInput => input.kind === 'constant' || input.kind === 'step';

/**
 * All numbers of the lab, for one neuron with the set-up's parameters, without spread, and with its inputs where their
 * patterns are at their full. In pieces: it lets the page go on after some milliseconds each.
 *
 * @param setup - the engine may refuse it; what it says stands in the place of a result then
 * @throws the signal's reason
 */
export async function labOf(setup: Setup, signal?: AbortSignal): Promise<Lab> {
  const soma = somaOf(setup);
  const { dt, parameters } = setup;
  const duration = wholeSteps(Math.min(DURATION, MOST_STEPS * dt), dt);
  const current = currentOf(setup);
  const run = { parameters, dt, duration, workers: 0, signal };
  const analytic = await attempt(() => rheobase(soma, parameters), signal);
  const expected = 'value' in analytic ? analytic.value.current : Number.NaN;
  const currents = currentsAround(
    expected,
    (numberOf(setup, 'rheobase_threshold') - numberOf(setup, 'potential_rest')) / numberOf(setup, 'resistance'),
    current,
  );
  return {
    current,
    duration,
    rheobase: analytic,
    plane: await attempt(() => planeOf(setup, current ?? 0, duration, signal), signal),
    train: await attempt(() => trainOf(setup, signal), signal),
    curve: await attempt(() => fiCurve(soma, { ...run, currents }), signal),
    found: await attempt(() => findRheobase(soma, run), signal),
  };
}

async function attempt<Result>(work: () => Result | Promise<Result>, signal?: AbortSignal): Promise<Outcome<Result>> {
  await new Promise((resolve) => setTimeout(resolve));
  signal?.throwIfAborted();
  try {
    return { value: await work() };
  } catch (error) {
    if (error instanceof SomaError) return { refused: error.message };
    throw error;
  }
}

/** Round currents from 0 to beyond the rheobase, and to the present one if that is not far away. */
function currentsAround(rheobase: number, scale: number, present = 0): Float64Array {
  const size = [rheobase, scale, 1].map(Math.abs).find((current) => Number.isFinite(current) && current > 0) as number;
  const reach = niceAbove(REACH * size);
  const near = Math.abs(present) <= REACH * reach ? present : 0;
  const low = Math.min(rheobase > 0 ? 0 : -reach, near < 0 ? -niceAbove(-near) : 0);
  return currentsBetween(low, Math.max(reach, near > 0 ? niceAbove(near) : 0), CURRENTS);
}

async function planeOf(setup: Setup, current: number, duration: number, signal?: AbortSignal): Promise<Plane> {
  const soma = somaOf(setup);
  const { parameters } = setup;
  const of = (name: string) => numberOf(setup, name);
  const adapts = 'adaptation' in soma.states;
  const [reset, threshold, onset, rest] = ['potential_reset', 'threshold', 'rheobase_threshold', 'potential_rest'].map(
    of,
  ) as [number, number, number, number];
  const given = { parameters, current };
  const points = fixedPoints(soma, given);
  const ways = adapts
    ? await waysOf({ ...setup, inputs: [{ kind: 'constant', amplitude: current }] }, threshold, duration, signal)
    : [];
  const seen = [
    rest,
    reset,
    onset,
    ...points.filter(({ belowThreshold }) => belowThreshold).map(({ potential }) => potential),
  ];
  const low = ways.reduce(
    (least, { potential }) => potential.reduce((a, b) => Math.min(a, b), least),
    Math.min(...seen),
  );
  const high = Math.max(...seen);
  const from = low - MARGIN;
  const to = Math.max(threshold - high < IN_VIEW ? threshold : high, high) + MARGIN;
  const plane = phasePlane(soma, { ...given, from, to });
  const rise = plane.potentialNullcline.map((left) => (left * of('resistance')) / of('potential_tau'));
  return { ...plane, current, reset, threshold, rise: adapts ? undefined : rise, ways };
}

/** From rest under the inputs given; a way ends at the threshold, and the next begins after the reset. */
async function waysOf(setup: Setup, threshold: number, duration: number, signal?: AbortSignal): Promise<Way[]> {
  const states = ['potential', 'adaptation'] as const;
  const { spikes, traces } = await shortRun(setup, duration, { states, every: SAMPLED, signal });
  const { potential, adaptation } = traces as Record<(typeof states)[number], Trace>;
  const cut = ({ values }: Trace, first: number, end: number) => Array.from(values.subarray(first, end));
  const ways: Way[] = [];
  let first = 0;
  for (const spike of [...spikes.steps, Number.POSITIVE_INFINITY]) {
    let end = first;
    // The sample of a step with a spike is after the reset.
    while (end < potential.steps.length && (potential.steps[end] as number) < spike) end++;
    const way = { potential: cut(potential, first, end), adaptation: cut(adaptation, first, end) };
    const last = way.adaptation.at(-1);
    // Between two spikes there may be no sample.
    if (last === undefined) continue;
    if (spike < Number.POSITIVE_INFINITY) {
      way.potential.push(threshold);
      way.adaptation.push(last);
    }
    ways.push(way);
    first = end;
  }
  return ways;
}

async function trainOf(setup: Setup, signal?: AbortSignal): Promise<Train> {
  const { dt } = setup;
  const inputs = setup.inputs.map(({ pattern: _, ...input }) => input as SetupInput);
  const { duration, start, stop } = spanOf({ inputs, dt });
  const { spikes } = await shortRun({ ...setup, inputs }, duration, { signal });
  const { times } = spikes;
  const within = times.filter((time) => time > start && time <= stop);
  return {
    times,
    duration,
    start,
    stop,
    rate: (1000 * within.length) / (stop - start),
    intervals: intervalStatistics(spikes, 1),
    adaptation: adaptationIndex(times),
    pattern: firingPattern(times, { start, stop, tau: numberOf(setup, 'potential_tau') }),
    steady: inputs.every(isSteady),
  };
}

/** How long to run, and when in that the current is on: for steps alone from the first to the last, else all the time. */
function spanOf({ inputs, dt }: Pick<Setup, 'inputs' | 'dt'>): Record<'duration' | 'start' | 'stop', number> {
  const steps = inputs.flatMap((input) => (input.kind === 'step' ? [input] : []));
  const alone = steps.length > 0 && steps.length === inputs.length;
  const first = Math.min(...steps.map(({ start = 0 }) => start));
  const last = Math.max(...steps.map(({ stop = Number.POSITIVE_INFINITY }) => stop));
  const ends = alone && Number.isFinite(last);
  // What comes after a step is to be seen, too.
  const wanted = ends ? last + Math.max(last / 2, 100) : DURATION + (alone ? first : 0);
  const duration = wholeSteps(Math.min(wanted, MOST_STEPS * dt), dt);
  const span = { duration, start: alone ? Math.max(first, 0) : 0, stop: ends ? Math.min(last, duration) : duration };
  if (alone && first >= duration) {
    const reason = `begins after the ${duration} ms that are run here, at most ${MOST_STEPS} steps`;
    throw new InputError(`${POPULATION}.input.start`, first, reason, 'use a longer time step, or let it begin earlier');
  }
  return span.start < span.stop ? span : { duration, start: 0, stop: duration };
}
