// What the host computes of an input's parameters, once and in float64, where the device's float32 would not do or would
// do it anew in every step. By kind of input; the formulas stand beside the rows in shaders/inputs/.

import { InputError } from './errors.ts';
import { at, type Plane, type Scope } from './parameters.ts';

type Planes = Readonly<Record<string, Plane>>;

/** Where an input stands, and what was given for it: moments are ms there. */
type Around = Scope & { given: Readonly<Record<string, unknown>> };

export const derived: Readonly<Record<string, (values: Planes, around: Around) => Record<string, Plane>>> = {
  // It is even over the steps from one to the other; a moment that no step has would move the others.
  ramp(_, { path, dt, given }) {
    for (const name of ['start', 'stop']) {
      const moment = (given[name] as number | undefined) ?? 0;
      if (moment >= 0 && moment / dt <= WORD) continue;
      const remedy = `give ms from 0 to ${WORD * dt}, and as from and to what the current is then`;
      throw new InputError(`${path}.${name}`, moment, 'has no step', remedy);
    }
    return {};
  },

  sine: ({ frequency, phase }, { dt }) => cycle((one(frequency) * dt) / 1000, one(phase) / (2 * Math.PI)),

  // A millionth of a step is forgiven at either edge, as with all edges: see firstStepAt. The cycle begins with the first
  // step that is on, which may be a part of a step late; so what rounding does is small however late that is.
  pulses({ width, period, start }, { path, dt, given }) {
    const [wide, every] = [one(width), one(period)];
    if (wide > every)
      throw new InputError(`${path}.width`, wide, `is longer than the period of ${every} ms`, 'shorten it');
    const moment = (given.start as number | undefined) ?? 0;
    const late = Math.max(one(start) * dt - moment + 1e-6 * dt, 0);
    // All of a period has no word.
    const [share, share_finer] = wide < every ? words(wide / every) : [WORD - 1, WORD - 1];
    return { share, share_finer, ...cycle(dt / every, late / every) };
  },

  ornstein_uhlenbeck: ({ tau }, { dt }) => ({
    loss: combine((tau) => -Math.expm1(-dt / tau), tau),
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
      loss: combine((tau) => -Math.expm1(-dt / tau), tau),
      kick: combine((weight, tau) => (-weight * Math.expm1(-dt / tau) * tau) / dt, weight, tau),
    };
  },
};

const WORD = 2 ** 32;

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

/** A struct Cycle: how far a step goes and where it begins, in turns. */
function cycle(step: number, begin: number): Record<string, number> {
  const [turn, finer, finest] = words(step);
  const [origin, remainder] = words(begin);
  return { turn, finer, finest, origin, remainder };
}

/** The first 96 bits of a number behind its point, in words. */
function words(number: number): [number, number, number] {
  const take = (rest: number): [number, number] => [Math.floor(rest), (rest - Math.floor(rest)) * WORD];
  const [high, rest] = take((number - Math.floor(number)) * WORD);
  const [middle, last] = take(rest);
  return [high, middle, Math.floor(last)];
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
