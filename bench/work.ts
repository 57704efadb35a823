// The work that bench/cpu.ts gives to everybody: AdEx neurons at rest, each with its own constant current, dt 0.1 ms;
// what must come out of its first 100 ms, whoever does it; and somagpu doing it.

import { setTimeout as pause } from 'node:timers/promises';
import { AdaptiveExponentialSoma, type Population, Simulation, type SimulationOptions } from '../src/index.ts';
import type { Variant } from './measure.ts';
import type { Peer } from './peer.ts';

const DT = 0.1;
/** 100 ms: the first volleys are over then, and adaptation has settled. */
const WARM_UP = 1000;
/** Of those 100 ms, from a reference in float64; the rest of the neurons get too little current to fire. */
const RATE = 34.5;
const FIRED = 0.688;

/** pA, from 20 to 80: any range of neurons has the same mixture, and neighbours differ. */
function currents(neurons: number): Float32Array {
  return Float32Array.from({ length: neurons }, (_, j) => 20 + 60 * ((j * 0.6180339887498949) % 1));
}

export interface Ours extends Peer {
  readonly adapter: string;
  readonly software: boolean;
  /** How many spikes were recorded. */
  recorded(): Promise<number>;
}

/** A population in a simulation of its own. */
export async function openOurs(neurons: number, options: SimulationOptions, spikes = false): Promise<Ours> {
  const simulation = await Simulation.create({ ...options, dt: DT });
  const cells: Population = simulation.add(AdaptiveExponentialSoma, {
    name: 'cells',
    units: neurons,
    input: [{ kind: 'constant', amplitude: currents(neurons) }],
    record: { spikes },
  }) as unknown as Population;
  return {
    adapter: simulation.adapter,
    software: simulation.software,
    async run(steps) {
      const begin = performance.now();
      await simulation.run(steps * DT);
      const seconds = (performance.now() - begin) / 1e3;
      let [sum, fired] = [0, 0];
      for (const count of await cells.spikeCounts()) {
        sum += count;
        if (count > 0) fired++;
      }
      return { seconds, spikes: sum, fired };
    },
    recorded: async () => (await cells.spikes()).neurons.length,
    close: () => simulation.dispose(),
  };
}

/** Makes the first 100 ms. @throws if what came out is not what must */
export async function warmUp(name: string, peer: Peer, neurons: number): Promise<void> {
  const { spikes, fired } = await peer.run(WARM_UP);
  const rate = spikes / neurons / (WARM_UP * DT * 1e-3);
  const share = fired / neurons;
  if (Math.abs(rate / RATE - 1) < 0.01 && Math.abs(share - FIRED) < 0.003) return;
  throw new Error(
    `${name}: ${rate.toFixed(2)} Hz and ${(100 * share).toFixed(1)} % fired, not ${RATE} Hz and ${100 * FIRED} %`,
  );
}

/** A peer's share of a round. `onSpikes` is told its total. */
export function variantOf(
  name: string,
  peer: Peer,
  neurons: number,
  steps: number,
  onSpikes?: (spikes: number) => void,
): Variant {
  const work = async () => {
    // The threads of the one before may spin for a while before they sleep.
    await pause(50);
    const { seconds, spikes } = await peer.run(steps);
    onSpikes?.(spikes);
    return seconds;
  };
  return { name, updates: neurons * steps, work };
}
