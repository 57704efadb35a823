// A soma whose law may overflow, which no built-in one does: a quadratic membrane without reset runs away to infinity where
// its current is above 0, and keeps to itself where it is not.

import { readdirSync, readFileSync } from 'node:fs';
import { compileSoma } from '../../src/compiler/soma.ts';
import { ExponentialSoma, type Soma } from '../../src/index.ts';

const shaders = new URL('../../shaders/', import.meta.url);
const read = (file: string) => ({ file, text: readFileSync(new URL(file, shaders), 'utf8') });

const LAW = `
fn drift(c: Constants, s: State) -> lane { return s.potential * s.potential; }
fn advance(c: Constants, s: ptr<function, State>, drift: lane, current: lane) -> flag {
  (*s).potential += c.membrane.scale * (drift + c.membrane.resistance * current);
  return (*s).potential > c.membrane.threshold;
}`;

function runaway(): Soma {
  const soma = read('somas/ExponentialSoma.wgsl');
  const text = soma.text.slice(0, soma.text.indexOf('fn drift')) + LAW;
  const files = [read('parts/membrane.wgsl'), { ...soma, text }];
  const math = readdirSync(new URL('math/', shaders)).map((file) => read(`math/${file}`));
  const { parameters, states } = ExponentialSoma;
  const paths = (rows: object) => Object.values(rows).map(({ path }) => path as string);
  const module = () => compileSoma({ files, math, parameters: paths(parameters), states: paths(states) });
  return {
    name: 'RunawaySoma',
    parameters: parameters as unknown as Soma['parameters'],
    states,
    wgsl: files.map((each) => each.text).join('\n'),
    wasm: async () => Buffer.from(module()).toString('hex'),
  };
}

export const RunawaySoma: Soma = runaway();
