// What a run leaves, as a user reads it, and how spike words become ordered events. It knows neither devices nor files,
// nor what is kept of it.

import type { SpikeWords } from './backend.ts';

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

/** Spikes of a whole population, counted in bins of time. */
export interface Rate {
  /** First step of each bin. */
  steps: Uint32Array;
  /** When the last step of each bin ended, ms. The last bin may be incomplete: it then ends with the steps so far. */
  times: Float64Array;
  /** Spikes in each bin; more than 4294967295 are given as that many. */
  counts: Uint32Array;
  /** Spikes per neuron and second, Hz, over the steps a bin has. */
  rates: Float64Array;
  /** Steps of a complete bin. */
  bin: number;
}

/** A stretch of steps. */
export interface Steps {
  /** The first of them. */
  first: number;
  /** The one after the last. */
  end: number;
}

/** What is recorded of the steps from `first` to before `end`. */
export type Chunk<Recorded> = Recorded & Steps;

/** Of a state over a number of steps, one number a neuron, in user units. */
export interface Statistics {
  /** How many steps went in. */
  samples: number;
  mean: Float32Array;
  /** Mean squared deviation from the mean. */
  variance: Float32Array;
  min: Float32Array;
  max: Float32Array;
}

/** Time at the end of a step, ms, in float64: a sum of float32 steps would drift. */
export const timeOf = (step: number, dt: number): number => (step + 1) * dt;

/** How many of the steps first .. first + steps - 1 are divisible by `every`. */
export const samplesIn = (first: number, steps: number, every: number): number =>
  Math.ceil((first + steps) / every) - Math.ceil(first / every);

/** How many spikes each step of a block had. */
export function countSpikes(parts: readonly SpikeWords[], steps: number): Uint32Array {
  // In whole words: with the very number of steps V8 takes 4 % longer to decode 100 Hz.
  const perStep = new Uint32Array(Math.ceil(steps / 32) * 32);
  eachBit(parts, steps, (step) => {
    perStep[step] = (perStep[step] as number) + 1;
  });
  return perStep.subarray(0, steps);
}

/**
 * Pairs of a step and a neuron, in the order of the words, which so are looked through only once. It stays, as large as the
 * fullest block so far has made it, up to a limit: new memory for each block would cost a third of the time.
 */
let pairs = new Uint32Array(2 ** 16);
/** Numbers that stay at most. */
const MOST_KEPT = 2 ** 22;

/**
 * The events in the spike words of a block, ordered by step, then neuron: a counting sort.
 *
 * @param parts - the words of all neurons, in the order of the neurons
 * @returns how many spikes each step had, and the neurons of all of them
 */
export function decodeWords(
  parts: readonly SpikeWords[],
  steps: number,
): { perStep: Uint32Array; neurons: Uint32Array } {
  const perStep = new Uint32Array(Math.ceil(steps / 32) * 32);
  let length = 0;
  for (let row = 0; row < steps / 32; row++) {
    for (const { first, neurons, stride, words } of parts) {
      for (let i = 0; i < neurons; i++) {
        let word = words[row * stride + i] as number;
        if (word === 0) continue;
        if (length + 64 > pairs.length) lengthenPairs();
        for (; word !== 0; word &= word - 1) {
          const step = row * 32 + 31 - Math.clz32(word & -word);
          perStep[step] = (perStep[step] as number) + 1;
          pairs[length++] = step;
          pairs[length++] = first + i;
        }
      }
    }
  }
  const place = new Uint32Array(steps);
  for (let step = 1; step < steps; step++) place[step] = (place[step - 1] as number) + (perStep[step - 1] as number);
  const neurons = new Uint32Array(length / 2);
  for (let i = 0; i < length; i += 2) {
    const step = pairs[i] as number;
    const to = place[step] as number;
    place[step] = to + 1;
    neurons[to] = pairs[i + 1] as number;
  }
  if (pairs.length > MOST_KEPT) pairs = new Uint32Array(2 ** 16);
  return { perStep: perStep.subarray(0, steps), neurons };
}

function lengthenPairs(): void {
  const longer = new Uint32Array(2 * pairs.length);
  longer.set(pairs);
  pairs = longer;
}

/** The words of chosen neurons alone, in ascending order, as those of a population of them. */
export function chooseWords(parts: readonly SpikeWords[], steps: number, chosen: Uint32Array): SpikeWords {
  const rows = Math.ceil(steps / 32);
  const width = chosen.length;
  const own = new Uint32Array(rows * width);
  let i = 0;
  for (const { first, neurons, stride, words } of parts) {
    for (; i < width && (chosen[i] as number) < first + neurons; i++) {
      const column = (chosen[i] as number) - first;
      for (let row = 0; row < rows; row++) own[row * width + i] = words[row * stride + column] as number;
    }
  }
  return { first: 0, neurons: width, stride: width, words: own };
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
