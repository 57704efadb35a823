// What a library has to do in the browser: the work of ../work.ts with AdEx neurons, and who it is asked of. It refuses to
// know the libraries.

import type { Answer } from '../peer.ts';
import { currentsOf, stepsFor, type Work } from '../work.ts';

const SOMA = 'AdaptiveExponentialSoma';

/** 100 ms, for which the rate is known: 34.5 Hz, and 68.8 % of the neurons fire. Each library is checked there first. */
export const CHECKED = 1000;

export const workOf = (mode: Work['mode'], neurons: number, steps: number): Work => ({
  soma: SOMA,
  mode,
  neurons,
  steps,
});

/** As many steps as a peer fuses: a run is a multiple of it. */
const FUSED = 20;

/** How many steps are timed: enough for the fastest to be long beside what a run costs, and not for ever for the slowest. */
export const timedSteps = (neurons: number): number => Math.min(CHECKED, Math.ceil(stepsFor(neurons) / FUSED) * FUSED);

/** What a library is given. */
export interface Asked {
  neurons: number;
  /** All spikes as pairs (step, neuron) on the host, or just how often each neuron has fired. */
  recording: boolean;
  /** pA. */
  currents: Float32Array;
}

export const askedOf = ({ soma, mode, neurons }: Work): Asked => ({
  neurons,
  recording: mode === 'recording',
  currents: currentsOf(soma, neurons),
});

export interface Made {
  /** From the first step to the results on the host. */
  seconds: number;
  /** How often each neuron has fired. */
  counts: ArrayLike<number>;
  /** How many pairs are on the host, where spikes are recorded. */
  recorded?: number;
}

/** A population in the hands of one library. */
export interface Contender {
  /** Makes so many steps from rest, a multiple of FUSED. */
  run(steps: number): Promise<Made>;
  close(): void;
}

/** Small enough to leave the page. */
export function tally({ seconds, counts, recorded = 0 }: Made): Answer {
  let [spikes, fired] = [0, 0];
  for (let j = 0; j < counts.length; j++) {
    const count = counts[j] as number;
    spikes += count;
    if (count > 0) fired++;
  }
  return { seconds, spikes, fired, recorded };
}

/** Tells which adapter the page last asked for a device, so that all are known to run on the same one. */
export function watchAdapter(): () => string {
  let seen = 'the processor';
  if (typeof GPUAdapter === 'undefined') return () => seen;
  const { requestDevice } = GPUAdapter.prototype;
  GPUAdapter.prototype.requestDevice = function (this: GPUAdapter, descriptor) {
    const { vendor, architecture, description, device } = this.info;
    seen = [vendor, architecture, device, description].filter(Boolean).join(' ');
    return requestDevice.call(this, descriptor);
  };
  return () => seen;
}
