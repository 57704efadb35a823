// What Spark 1.0.0 did, step by step, is what the engine does. The data come from Spark itself: test/data/README.md.

import { describe, expect, test } from 'vitest';
import type { Simulation } from '../../src/index.ts';
import { backends } from '../support/backends.ts';
import { addCells, type Cells, statesOf } from '../support/outcome.ts';
import { parameterOf, type ReferenceCase, referenceCases } from '../support/reference.ts';
import { FORCED, FREE } from '../support/tolerances.ts';

const named = referenceCases.map((reference) => [reference.name, reference] as const);

type StateName = 'potential' | 'adaptation' | 'threshold' | 'blocked';

/** The cooldown in whole steps: JAX divides in float32 and rounds half to even; no case here lies at a half. */
const cooldownSteps = (reference: ReferenceCase, neuron: number): number =>
  Math.round(Math.fround(parameterOf(reference, 'cooldown', neuron) / Math.fround(reference.dt)));

const baseThreshold = (reference: ReferenceCase, neuron: number): number =>
  Math.fround(parameterOf(reference, 'threshold', neuron) - parameterOf(reference, 'potential_rest', neuron));

/** The reference's state after a step (-1: before the first), relative to rest; Spark counts its refractory steps up. */
function stateAfter(reference: ReferenceCase, state: StateName, step: number, neuron: number): number {
  const i = step * reference.neurons + neuron;
  if (state === 'blocked') {
    const cooldown = cooldownSteps(reference, neuron);
    return Math.max(0, cooldown + 1 - (step < 0 ? cooldown : (reference.refractory?.[i] as number)));
  }
  if (step >= 0) return reference[state]?.[i] as number;
  return state === 'threshold' ? baseThreshold(reference, neuron) : 0;
}

const isRelative = (state: string) => state === 'potential' || state === 'threshold';

const originOf = (reference: ReferenceCase, state: string, neuron: number) =>
  isRelative(state) ? parameterOf(reference, 'potential_rest', neuron) : 0;

const tolerance = (x: number) => FORCED * Math.max(1, Math.abs(x));

/** One population that makes all steps of all neurons at once, each from where the reference stood before it. */
function addForced(simulation: Simulation, reference: ReferenceCase): Cells {
  const { soma, steps, neurons, parameters } = reference;
  const tile = (values: number[]) =>
    Float32Array.from({ length: steps * neurons }, (_, i) => values[i % neurons] as number);
  const cells = addCells(simulation, soma, {
    name: 'cells',
    units: [steps, neurons],
    parameters: Object.fromEntries(Object.entries(parameters).map(([name, values]) => [name, tile(values)])),
  });
  const values = (state: StateName) =>
    Float64Array.from({ length: steps * neurons }, (_, i) => {
      const neuron = i % neurons;
      const before = stateAfter(reference, state, Math.floor(i / neurons) - 1, neuron);
      return before + originOf(reference, state, neuron);
    });
  cells.setState(Object.fromEntries(statesOf(cells).map((state) => [state, values(state as StateName)])));
  return cells;
}

/** How far the potential is from the threshold just before the spike test, in float64; Infinity while cooling down. */
function distanceToThreshold(reference: ReferenceCase, step: number, neuron: number): number {
  const p = (name: string) => parameterOf(reference, name, neuron);
  const before = (state: StateName) => stateAfter(reference, state, step - 1, neuron);
  if (reference.refractory && before('blocked') > 0) return Number.POSITIVE_INFINITY;
  const v = before('potential');
  const slope = p('spike_slope');
  const drive = slope * Math.exp(Math.min((v - (p('rheobase_threshold') - p('potential_rest'))) / slope, 80));
  const current = reference.current[step * reference.neurons + neuron] as number;
  const pull = reference.adaptation ? p('resistance') * before('adaptation') : 0;
  const next = v + (reference.dt / p('potential_tau')) * (-v + drive - pull + p('resistance') * current);
  const threshold = reference.threshold ? before('threshold') : baseThreshold(reference, neuron);
  return Math.abs(next - threshold) / Math.max(1, Math.abs(threshold));
}

/** Largest deviation of a state in units of its tolerance, and where, over the samples that count. */
function worst(reference: ReferenceCase, state: StateName, read: Float32Array, excused: ReadonlySet<number>) {
  let [most, place] = [0, -1];
  for (let i = 0; i < read.length; i++) {
    if (excused.has(i)) continue;
    const neuron = i % reference.neurons;
    const wanted = stateAfter(reference, state, Math.floor(i / reference.neurons), neuron);
    const off = Math.abs((read[i] as number) - originOf(reference, state, neuron) - wanted) / tolerance(wanted);
    // Written so that a NaN counts.
    if (!(off <= most)) [most, place] = [off, i];
  }
  return { most, place };
}

describe.each(backends)('forced to start each step where Spark did, on $name', ({ open }) => {
  test.each(named)('%s: every step of every neuron ends where Spark did', async (_, reference) => {
    const { dt, steps, neurons, current, spikes } = reference;
    const simulation = await open({ dt });
    const cells = addForced(simulation, reference);
    const { cells: fired } = await simulation.step({ cells: current });
    const different = [...spikes.keys()].filter((i) => fired?.[i] !== spikes[i]);
    for (const i of different)
      expect(distanceToThreshold(reference, Math.floor(i / neurons), i % neurons), `spike ${i}`).toBeLessThan(FORCED);
    const excused = new Set(different);
    expect(spikes.length).toBe(steps * neurons);
    for (const state of statesOf(cells) as StateName[]) {
      const { most, place } = worst(reference, state, await cells.readState(state), excused);
      const limit = state === 'blocked' ? 0 : 1;
      expect(most, `${state} at sample ${place}, in tolerances`).toBeLessThanOrEqual(limit);
    }
  });
});

/** Deviations of every sample of a state from the reference, in user units. */
function deviations(reference: ReferenceCase, state: StateName, values: Float32Array): Float64Array {
  const { neurons } = reference;
  return Float64Array.from(values, (value, i) => {
    const wanted = stateAfter(reference, state, Math.floor(i / neurons), i % neurons);
    return Math.abs(value - originOf(reference, state, i % neurons) - wanted);
  });
}

describe.each(backends)('running free beside Spark, on $name', ({ open }) => {
  test.each(named)('%s: every spike at the same step, states stay together', async (_, reference) => {
    const { dt, steps, neurons, current, spikes: fired } = reference;
    const simulation = await open({ dt });
    const states = Object.fromEntries(Object.keys(reference.soma.states).map((state) => [state, {}]));
    const cells = addCells(simulation, reference.soma, {
      units: neurons,
      parameters: reference.parameters,
      input: [{ kind: 'array', values: current, shape: [steps, neurons] }],
      record: { spikes: true, states },
    });
    await simulation.run(steps * dt);
    const spikes = await cells.spikes();
    const found = Array.from(spikes.steps, (step, i) => step * neurons + (spikes.neurons[i] as number));
    expect(found).toEqual([...fired.keys()].filter((i) => fired[i] === 1));
    for (const state of statesOf(cells) as StateName[]) {
      const off = deviations(reference, state, (await cells.trace(state)).values);
      const most = off.reduce((a, b) => Math.max(a, b), 0);
      expect(off.length).toBe(steps * neurons);
      if (state === 'blocked') expect(most, state).toBe(0);
      else expect(most, state).toBeLessThanOrEqual(state === 'potential' ? FREE.upstroke : FREE[state]);
      if (state !== 'potential') continue;
      const near = off.filter((deviation) => deviation <= FREE.potential).length;
      expect(near / off.length, 'share of potentials that agree').toBeGreaterThanOrEqual(FREE.share);
    }
  });
});
