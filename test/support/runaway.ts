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
