// Where the compiled laws find their numbers: the frame, a memory of planes small enough for the processor's nearest
// cache. A chunk of neurons is brought into it, stepped there, and taken out again. compile-time and run-time agree here.

/** Neurons the frame has room for. */
export const CHUNK = 2048;

/** Neurons a turn of the loops takes: two vectors of four are in flight. */
export const STRIDE = 8;

/** Bytes from one plane to the next; a cache line more than a power of two, or all planes would want the same places. */
export const PLANE = 4 * CHUNK + 64;

/** Planes of a soma's frame, by their number: one a value; then the soma's states, parameters, and what `prepare` makes. */
export const Frame = { current: 0, words: 1, counts: 2, drift: 3, states: 4 } as const;

/** The plane the inputs' parameters begin with; a soma has the ones before. */
export const INPUTS = 64;

/** Planes of a frame: the soma's, and room for the fields of a good many inputs. */
export const PLANES = 256;

/**
 * After how many steps, counted from the simulation's first, states that are nearly zero become zero. A state that decays
 * to nothing would end in subnormal numbers, which processors compute many times slower, and stay there. The step's own
 * number decides, so that it is the same however a run is cut up.
 */
export const SETTLE = 1024;

/** What is nearly zero: far from any unit's meaning, and so far above 2^-126 that a slow decay does not come there before. */
export const NEARLY = 2 ** -96;

/** What a compiled soma exports. Lengths are bytes of a plane, in whole strides. */
export interface SomaCode {
  /** Computes the constants of the neurons in the frame; `dt` in ms. */
  prepare(bytes: number, dt: number): void;
  /** Makes steps; the spikes of the first go into bit `bit` of the words. */
  advance(bytes: number, steps: number, bit: number): void;
  /** The same where all neurons have the constants of the first. */
  advance_uniform(bytes: number, steps: number, bit: number): void;
  /** Makes states that are nearly zero zero. */
  settle(bytes: number): void;
}

/** What a compiled input exports. Its planes begin at `base`: parameters, then states, then random bits if it draws. */
export interface InputCode {
  /** Adds its current of step `n`. */
  add(bytes: number, base: number, n: number): void;
}

/**
 * What the compiled statistics export: `base` is the address of what is kept, with what a block gathers after it; `x` that
 * of the state, `origin` that of what it is relative to.
 */
export interface StatisticsCode {
  /** Before the first of up to 32 steps. */
  begin(bytes: number, base: number, x: number, origin: number): void;
  /** After each step. */
  gather(bytes: number, base: number, x: number, origin: number): void;
  /** After the last. */
  merge(bytes: number, base: number, steps: number): void;
  /** After a block: sets bits in the four words at `found` where a number of the plane at `plane` is infinite or NaN. */
  watch(bytes: number, plane: number, found: number): void;
}

/** Planes that a block's statistics take, after those that are kept. */
export const GATHERED = 5;

/** What the compiled generator of random bits exports. */
export interface DrawCode {
  /**
   * Fills the plane at `to` with random bits for step `n` and the one with the same n / 2; the planes from `source` on hold
   * a struct Source, and `neuron`, a multiple of 4, is the number of the first neuron. Up to 8 neurons more are filled.
   */
  draw(bytes: number, source: number, to: number, n: number, neuron: number): void;
}
