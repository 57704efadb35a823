// What a run leaves on the host: spike words become ordered events, samples become traces. It knows neither devices
// nor files.

import type { SpikeWords } from './backend.ts';
import { at, type Plane } from './parameters.ts';

/** Spikes ordered by step, then neuron. */
export interface Spikes {
  /** Step of each spike, counting from 0. */
  steps: Uint32Array;
  /** When the step ended, ms: (step + 1) * dt. */
  times: Float64Array;
  /** Flat index of the neuron. */
  neurons: Uint32Array;
}

/** A state of some neurons over time. */
export interface Trace {
  /** Steps after which the samples were taken. */
  steps: Uint32Array;
  /** The moments of the samples, ms: (step + 1) * dt. */
  times: Float64Array;
  /** Flat indices, in the order they were asked for. */
  neurons: Uint32Array;
  /** `[samples, neurons]`, row-major, in user units. */
  values: Float32Array;
}

/** Time at the end of a step, ms, in float64: a sum of float32 steps would drift. */
export const timeOf = (step: number, dt: number): number => (step + 1) * dt;

/** How many of the steps first .. first + steps - 1 are divisible by `every`. */
export const samplesIn = (first: number, steps: number, every: number): number =>
  Math.ceil((first + steps) / every) - Math.ceil(first / every);

/**
 * The events in the spike words of a block, ordered by step, then neuron: a counting sort over the 32 steps of a word.
 *
 * @param parts - the words of all neurons, in the order of the neurons
 * @returns how many spikes each step had, and the neurons of all of them
 */
export function decodeWords(
  parts: readonly SpikeWords[],
  steps: number,
): { perStep: Uint32Array; neurons: Uint32Array } {
  const perStep = new Uint32Array(Math.ceil(steps / 32) * 32);
  eachBit(parts, steps, (step) => {
    perStep[step] = (perStep[step] as number) + 1;
  });
  const place = new Uint32Array(perStep.length);
  let total = 0;
  for (let step = 0; step < perStep.length; step++) {
    place[step] = total;
    total += perStep[step] as number;
  }
  const neurons = new Uint32Array(total);
  eachBit(parts, steps, (step, neuron) => {
    const to = place[step] as number;
    place[step] = to + 1;
    neurons[to] = neuron;
  });
  return { perStep: perStep.subarray(0, steps), neurons };
}

function eachBit(parts: readonly SpikeWords[], steps: number, visit: (step: number, neuron: number) => void): void {
  for (let row = 0; row < Math.ceil(steps / 32); row++) {
    for (const { first, neurons, stride, words } of parts) {
      const begin = row * stride;
      for (let i = 0; i < neurons; i++) {
        for (let word = words[begin + i] as number; word !== 0; word &= word - 1) {
          visit(row * 32 + 31 - Math.clz32(word & -word), first + i);
        }
      }
    }
  }
}

/** Spikes of each neuron in one step: 1, or -1 where the neuron is inhibitory, or 0. */
export function signedSpikes(
  parts: readonly SpikeWords[],
  neurons: number,
  inhibitory: Uint8Array | undefined,
): Int8Array {
  const signed = new Int8Array(neurons);
  eachBit(parts, 1, (_, neuron) => {
    signed[neuron] = inhibitory?.[neuron] ? -1 : 1;
  });
  return signed;
}

/** Collects the spikes of a population. A spike costs four bytes until it is asked for. */
export class SpikeRecorder {
  #blocks: { first: number; perStep: Uint32Array; neurons: Uint32Array }[] = [];

  get count(): number {
    return this.#blocks.reduce((sum, { neurons }) => sum + neurons.length, 0);
  }

  append(parts: readonly SpikeWords[], first: number, steps: number): void {
    const { perStep, neurons } = decodeWords(parts, steps);
    if (neurons.length > 0) this.#blocks.push({ first, perStep, neurons });
  }

  clear(): void {
    this.#blocks = [];
  }

  read(dt: number): Spikes {
    const { count } = this;
    const [steps, neurons, times] = [new Uint32Array(count), new Uint32Array(count), new Float64Array(count)];
    let done = 0;
    for (const block of this.#blocks) {
      neurons.set(block.neurons, done);
      for (const [k, spikes] of block.perStep.entries()) {
        steps.fill(block.first + k, done, done + spikes);
        times.fill(timeOf(block.first + k, dt), done, done + spikes);
        done += spikes;
      }
    }
    return { steps, times, neurons };
  }
}

/** Collects the samples of one state. */
export class TraceRecorder {
  #samples: Float32Array[] = [];
  #steps: number[] = [];

  constructor(
    readonly neurons: Uint32Array,
    readonly every: number,
  ) {}

  /** Takes the samples of a block, relative to `origin`; what is kept is absolute. The array is taken over. */
  append(samples: Float32Array, first: number, steps: number, origin: Plane): void {
    const width = this.neurons.length;
    if (origin !== 0) {
      for (let i = 0; i < samples.length; i++) {
        samples[i] = (samples[i] as number) + at(origin, this.neurons[i % width] as number);
      }
    }
    this.#samples.push(samples);
    for (let step = Math.ceil(first / this.every) * this.every; step < first + steps; step += this.every)
      this.#steps.push(step);
  }

  clear(): void {
    this.#samples = [];
    this.#steps = [];
  }

  read(dt: number): Trace {
    const values = new Float32Array(this.#steps.length * this.neurons.length);
    let done = 0;
    for (const samples of this.#samples) {
      values.set(samples, done);
      done += samples.length;
    }
    const steps = Uint32Array.from(this.#steps);
    return {
      steps,
      times: Float64Array.from(steps, (step) => timeOf(step, dt)),
      neurons: this.neurons.slice(),
      values,
    };
  }
}
