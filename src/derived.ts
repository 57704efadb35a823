// What the host computes of an input's parameters, once and in float64, where the device's float32 would not do or would
// do it anew in every step. By kind of input; the formulas stand beside the rows in shaders/inputs/.

import { InputError } from './errors.ts';
import { at, type Plane, type Scope } from './parameters.ts';

type Planes = Readonly<Record<string, Plane>>;

/** Where an input stands, and the moment it begins at, ms. */
type Around = Scope & { start: number };

export const derived: Readonly<Record<string, (values: Planes, around: Around) => Record<string, Plane>>> = {
  sine: ({ frequency, phase }, { dt }) => cycle((one(frequency) * dt) / 1000, one(phase) / (2 * Math.PI)),

  // A millionth of a step is forgiven at either edge, as with all edges: see firstStepAt.
  pulses({ width, period }, { path, dt, start }) {
    const [wide, every] = [one(width), one(period)];
    if (wide > every)
      throw new InputError(`${path}.width`, wide, `is longer than the period of ${every} ms`, 'shorten it');
    const share = Math.min(Math.floor((wide / every) * WORD), WORD - 1);
    return { share, ...cycle(dt / every, (1e-6 * dt - start) / every) };
  },

  ornstein_uhlenbeck: ({ tau }, { dt }) => ({
    decay: combine((tau) => Math.exp(-dt / tau), tau),
    spread: combine((tau) => Math.sqrt(-Math.expm1((-2 * dt) / tau)), tau),
  }),

  poisson_shot_noise({ rate, weight, tau }, { path, dt }) {
    const expected = combine((rate) => (rate * dt) / 1000, rate);
    const highest = typeof expected === 'number' ? expected : expected.reduce((a, b) => Math.max(a, b), 0);
    if (highest > MOST_EVENTS) {
      const reason = `comes to ${Number(highest.toPrecision(6))} events in a step of ${dt} ms`;
      const remedy = `allowed: up to ${MOST_EVENTS}, ${(MOST_EVENTS * 1000) / dt} Hz; use a smaller dt, or white_noise`;
      throw new InputError(`${path}.rate`, undefined, reason, remedy);
    }
    return {
      expected,
      none: combine((expected) => Math.exp(-expected), expected),
      some: combine((expected) => -Math.expm1(-expected), expected),
      most: mostEvents(highest),
      decay: combine((tau) => Math.exp(-dt / tau), tau),
      kick: combine((weight, tau) => (-weight * Math.expm1(-dt / tau) * tau) / dt, weight, tau),
    };
  },
};

const WORD = 2 ** 32;
const HALF = 2 ** 16;

/** Events in a step, on average: more would want more than 32 random bits, and are nearly normal. */
const MOST_EVENTS = 5;

const one = (plane: Plane | undefined): number => plane as number;

/** A function of each neuron's values; one number where all of them are the same. */
function combine(f: (...values: number[]) => number, ...planes: readonly (Plane | undefined)[]): Plane {
  const given = planes as readonly Plane[];
  const array = given.find((plane) => typeof plane !== 'number');
  if (array === undefined) return Math.fround(f(...(given as number[])));
  return array.map((_, neuron) => f(...given.map((plane) => at(plane, neuron))));
}

/** A struct Cycle: how far a step goes and where step 0 is, in turns. */
function cycle(turn: number, origin: number): Record<string, number> {
  const step = (turn - Math.floor(turn)) * WORD;
  const whole = Math.floor(step);
  const rest = (step - whole) * HALF;
  return {
    turn: whole,
    rest_high: Math.floor(rest),
    rest_low: Math.floor((rest - Math.floor(rest)) * HALF),
    origin: Math.floor((origin - Math.floor(origin)) * WORD) % WORD,
  };
}

/** The least number that a Poisson number of this mean exceeds with a probability below 2^-33. */
function mostEvents(mean: number): number {
  // From the first chance beyond, the tail sums up to less than 2.
  let chance = Math.exp(-mean);
  let events = 0;
  while (chance > 2 ** -35 || events < mean) {
    events++;
    chance *= mean / events;
  }
  return events;
}
