// Short runs through the public engine: one neuron a current, and the spike train of each. What is asked of them is in
// curves.ts and rheobase.ts.

import { InputError, Simulation, type SimulationOptions, type Soma } from '../index.ts';
import { checkNumber } from './check.ts';

/**
 * How a short run is run: what `Simulation.create` takes, but the path is `cpu` where neither a backend nor a device nor an
 * adapter is named, because a few neurons are done there before a GPU has begun.
 */
export interface ShortRunOptions extends SimulationOptions {
  /** ms; 1000 by default. A whole number of steps. */
  duration?: number;
  /** Stops it; it then rejects with the signal's reason. */
  signal?: AbortSignal;
}

/** The names of {@link ShortRunOptions}. */
export const SHORT_RUN = [
  ...['dt', 'duration', 'signal', 'seed', 'backend', 'device', 'adapter', 'workers', 'workerUrl', 'tuning'],
];

/** By default, ms. */
export const DURATION = 1000;

/** As an input's amplitude may be, pA. */
const MOST_CURRENT = 1e12;

/** @throws InputError */
export function checkCurrents(currents: unknown): Float64Array {
  const list = currents as ArrayLike<unknown> | null | undefined;
  if (typeof list !== 'object' || list === null || typeof list.length !== 'number' || list.length === 0) {
    throw new InputError('currents', currents, 'is no list of currents', 'give one or more, pA');
  }
  return Float64Array.from(list, (current, i) => {
    checkNumber(current, `currents[${i}]`, { unit: 'pA', least: -MOST_CURRENT, most: MOST_CURRENT });
    return current;
  });
}

/**
 * Runs one neuron a current, each constant from the first step on, and gives their spike times, ms.
 *
 * @throws InputError, NoBackendError, DeviceLostError, OutOfMemoryError, or the signal's reason
 */
export async function spikeTrains(
  soma: Soma,
  parameters: object | undefined,
  currents: Float64Array,
  { duration = DURATION, signal, ...options }: ShortRunOptions,
): Promise<Float64Array[]> {
  const backend = options.backend ?? (options.device || options.adapter ? 'auto' : 'cpu');
  const simulation = await Simulation.create({ ...options, backend });
  try {
    const cells = simulation.add(soma, {
      name: NAME,
      units: currents.length,
      parameters,
      input: [{ kind: 'constant', amplitude: currents }],
      record: { spikes: true },
    });
    await simulation.run(duration, { signal });
    const { times, neurons } = await cells.spikes();
    const counts = await cells.spikeCounts();
    const trains = Array.from(counts, (count) => new Float64Array(count));
    const filled = new Uint32Array(counts.length);
    for (let i = 0; i < times.length; i++) {
      const neuron = neurons[i] as number;
      const at = filled[neuron] as number;
      (trains[neuron] as Float64Array)[at] = times[i] as number;
      filled[neuron] = at + 1;
    }
    return trains;
  } catch (error) {
    throw placed(error);
  } finally {
    simulation.dispose();
  }
}

const NAME = 'neurons';

// The engine names places in a population that its user never named.
function placed(error: unknown): unknown {
  if (!(error instanceof InputError) || !error.path.startsWith(`${NAME}.`)) return error;
  const path = error.path.slice(NAME.length + 1).replace(/^units$/, 'currents');
  return error.at(path);
}
