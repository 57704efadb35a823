// A soma whose law may overflow, which no built-in one does: a quadratic membrane without reset runs away to infinity where
// its current is above 0, and keeps to itself where it is not.

import { readFileSync } from 'node:fs';
import { defineSoma } from '../../src/define.ts';

const LAW = `
fn drift(c: Constants, s: State) -> lane { return s.potential * s.potential; }
fn advance(c: Constants, s: ptr<function, State>, drift: lane, current: lane) -> flag {
  (*s).potential += c.membrane.scale * (drift + c.membrane.resistance * current);
  return (*s).potential > c.membrane.threshold;
}`;

// Its tables and constants are the exponential soma's.
const exponential = readFileSync(new URL('../../shaders/somas/ExponentialSoma.wgsl', import.meta.url), 'utf8');

export const RunawaySoma = defineSoma(exponential.slice(0, exponential.indexOf('fn drift')) + LAW, 'RunawaySoma');

/** One that overflows in a step whose current is above 60 pA, and counts its steps. */
export const FragileSoma = defineSoma<'gain', 'potential' | 'age'>(
  `
struct Parameters {
  gain: lane,       // 0.9 1: what is left of the potential after a step
}
struct State {
  potential: lane,  // 0 mV: potential
  age: lane,        // 0 1: steps made
}
struct Constants { gain: lane, }
fn prepare(p: Parameters, dt: f32) -> Constants { return Constants(p.gain); }
fn drift(c: Constants, s: State) -> lane { return s.potential * c.gain; }
fn advance(c: Constants, s: ptr<function, State>, drift: lane, current: lane) -> flag {
  (*s).potential = select(drift, lane(1e30) * (lane(1e30) + drift), current > lane(60.0));
  (*s).age += 1.0;
  return (*s).potential < lane(-1e30);
}`,
  'FragileSoma',
);
