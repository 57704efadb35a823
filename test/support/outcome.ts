// Bit-exact comparison of what populations did.

import { expect } from 'vitest';
import { type PopulationOptions, type Simulation, type Soma, uniform, type Value } from '../../src/index.ts';
import type { Population } from '../../src/population.ts';
import { somas } from './reference.ts';

export type Cells = Population<object, string>;
export type CellOptions = PopulationOptions<Record<string, Value>, string>;

/** All that can be read of a population. */
export interface Outcome {
  counts: Uint32Array;
  states: Record<string, Float32Array>;
  spikes: { steps: Uint32Array; neurons: Uint32Array };
  traces: Record<string, { steps: Uint32Array; neurons: Uint32Array; values: Float32Array }>;
}

/** Adds a population of any soma; the names of its parameters are checked at run time. */
export const addCells = (simulation: Simulation, soma: Soma, options: CellOptions): Cells =>
  simulation.add(soma, options);

export const statesOf = ({ soma }: Cells): string[] => Object.keys(soma.states);

export async function readStates(cells: Cells): Promise<Record<string, Float32Array>> {
  const entries = await Promise.all(
    statesOf(cells).map(async (state) => [state, await cells.readState(state)] as const),
  );
  return Object.fromEntries(entries);
}

/** What a population has done so far; spikes and traces are empty where they were not recorded. */
export async function outcomeOf(cells: Cells, recorded = true): Promise<Outcome> {
  const none = { steps: new Uint32Array(), neurons: new Uint32Array() };
  const { steps, neurons } = recorded ? await cells.spikes() : none;
  const traces = await Promise.all(
    cells.recordedStates.map(async (state) => [state, await cells.trace(state)] as const),
  );
  return {
    counts: await cells.spikeCounts(),
    states: await readStates(cells),
    spikes: { steps, neurons },
    traces: Object.fromEntries(
      traces.map(([state, { steps, neurons, values }]) => [state, { steps, neurons, values }]),
    ),
  };
}

type Array32 = Float32Array | Uint32Array;

/** Fails where two arrays differ in a bit, naming the first place; toEqual on millions of numbers takes minutes. */
export function expectSameBits(actual: Array32 | undefined, expected: Array32 | undefined, what: string): void {
  if (!actual || !expected) throw new Error(`${what} is missing`);
  expect(actual.length, `length of ${what}`).toBe(expected.length);
  const [a, b] = [actual, expected].map((array) => new Uint32Array(array.buffer, array.byteOffset, array.length));
  const place = (a as Uint32Array).findIndex((word, i) => word !== (b as Uint32Array)[i]);
  if (place >= 0) expect.fail(`${what}[${place}] is ${actual[place]}, expected ${expected[place]}`);
}

/** Fails where two outcomes differ in a bit. */
export function expectSameOutcome(actual: Outcome, expected: Outcome): void {
  for (const state of Object.keys(expected.states))
    expectSameBits(actual.states[state], expected.states[state], `the final ${state}`);
  expectSameBits(actual.counts, expected.counts, 'spike counts');
  expectSameBits(actual.spikes.steps, expected.spikes.steps, 'spike steps');
  expectSameBits(actual.spikes.neurons, expected.spikes.neurons, 'spike neurons');
  expect(Object.keys(actual.traces)).toEqual(Object.keys(expected.traces));
  for (const [state, trace] of Object.entries(expected.traces)) {
    expectSameBits(actual.traces[state]?.steps, trace.steps, `steps of the trace of ${state}`);
    expectSameBits(actual.traces[state]?.neurons, trace.neurons, `neurons of the trace of ${state}`);
    expectSameBits(actual.traces[state]?.values, trace.values, `the trace of ${state}`);
  }
}

/** The first neurons of an outcome, as if there had been no others. */
export function firstOf({ counts, states, spikes }: Outcome, neurons: number): Outcome {
  const kept = [...spikes.neurons.keys()].filter((i) => (spikes.neurons[i] as number) < neurons);
  const pick = (values: Uint32Array) => Uint32Array.from(kept, (i) => values[i] as number);
  return {
    counts: counts.slice(0, neurons),
    states: Object.fromEntries(Object.entries(states).map(([state, values]) => [state, values.slice(0, neurons)])),
    spikes: { steps: pick(spikes.steps), neurons: pick(spikes.neurons) },
    traces: {},
  };
}

/**
 * Parameters that differ from neuron to neuron, all of them arrays on the device. Rest is 0 mV, so that what readState
 * gives is the device's own number: the sum with another rest would round the last bits away.
 */
export function variedParameters(soma: Soma): Record<string, Value> {
  const ranges: Record<string, Value> = {
    potential_rest: 0,
    potential_reset: uniform(14, 21),
    potential_tau: uniform(3, 9),
    resistance: uniform(0.4, 0.6),
    threshold: uniform(35, 42),
    rheobase_threshold: uniform(19, 21),
    spike_slope: uniform(1.5, 2.5),
    cooldown: uniform(0.2, 2),
    adaptation_tau: uniform(50, 150),
    adaptation_delta: uniform(3, 9),
    adaptation_subthreshold: uniform(0.1, 0.9),
    threshold_tau: uniform(5, 25),
    threshold_delta: uniform(2, 30),
  };
  return Object.fromEntries(Object.entries(ranges).filter(([name]) => name in soma.parameters));
}

/** Currents of shape [steps, neurons], pA: a ripple with a phase of its own for every neuron. */
export const ripple = (steps: number, neurons: number): Float32Array =>
  Float32Array.from(
    { length: steps * neurons },
    (_, i) => 25 * Math.sin(0.07 * Math.floor(i / neurons) + (i % neurons)),
  );

export const somaNames = Object.keys(somas);
