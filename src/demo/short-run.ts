// A short run of one neuron of a set-up: on the processor, aside, so that the page's own simulation is left alone. What its
// spikes are for is not known here.

import { Simulation, type Spikes, type Trace } from '../index.ts';
import { populationOf, type Setup } from './setup.ts';

/** The longest duration of whole steps that is no longer than the one given, ms. */
export const wholeSteps = (duration: number, dt: number): number => Math.floor(duration / dt + 1e-6) * dt;

/**
 * Spikes and states of a set-up's first neuron, all spread left out.
 *
 * @param duration - ms; what is left of a last step is left out
 * @param states - those that are recorded, each `every` so many ms, or after each step if that is longer
 * @throws InputError where the engine refuses the set-up, as where a time step is too long for a time constant; the
 *   signal's reason
 * @example
 * ```ts
 * const { spikes, traces } = await shortRun(setup, 100, { states: ['potential'] });
 * ```
 */
export async function shortRun(
  setup: Setup,
  duration: number,
  { states = [], every = 0, signal }: { states?: readonly string[]; every?: number; signal?: AbortSignal } = {},
): Promise<{ spikes: Spikes; traces: Record<string, Trace> }> {
  const { dt, seed } = setup;
  const simulation = await Simulation.create({ dt, seed, backend: 'cpu', workers: 0 });
  try {
    const { soma, options } = populationOf({ ...setup, units: 1, spread: {} });
    const sampled = { every: Math.max(Math.round(every / dt), 1) };
    const recorded = Object.fromEntries(states.map((state) => [state, sampled]));
    const cell = simulation.add(soma, { ...options, record: { spikes: true, states: recorded } });
    await simulation.run(wholeSteps(duration, dt), { signal });
    const traces = states.map(async (state) => [state, await cell.trace(state)] as const);
    return { spikes: await cell.spikes(), traces: Object.fromEntries(await Promise.all(traces)) };
  } finally {
    simulation.dispose();
  }
}
