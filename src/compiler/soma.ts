// A soma as a module: `prepare` computes its constants, `advance` makes steps of all neurons in the frame.

import { Frame, INPUTS, NEARLY, PLANE } from '../frame.ts';
import { Compiler, type Law } from './compile.ts';
import {
  checkSignature,
  checkStructs,
  eachVector,
  load,
  readLaw,
  type Source,
  store,
  VECTOR,
  VECTORS,
} from './loops.ts';
import { leavesOf, NOWHERE, type Tree, treeAt } from './storage.ts';
import { refusal } from './syntax.ts';
import { Body, encodeModule, type Local, Op, Type } from './wasm.ts';

export interface SomaSource extends Source {
  /** Paths of the parameters in struct Parameters, in the order of their planes. */
  parameters: readonly string[];
  /** Paths of the states in struct State, in the order of their planes. */
  states: readonly string[];
}

/** Compiles a soma. @throws WgslError with file, line and column */
export function compileSoma({ parameters, states, ...source }: SomaSource): Uint8Array {
  const law = readLaw(source);
  checkStructs(law, ['Parameters', 'State', 'Constants']);
  checkSignature(law, 'prepare', ['Parameters', 'f32'], 'Constants');
  checkSignature(law, 'advance', ['Constants', '*State', 'lane', 'lane'], 'flag');
  checkSignature(law, 'drift', ['Constants', 'State'], 'lane');
  const planes = {
    states: Frame.states,
    parameters: Frame.states + states.length,
    constants: Frame.states + states.length + parameters.length,
  };
  const soma: Soma = { law, parameters, states, planes };
  return encodeModule({
    prepare: prepare(soma),
    advance: advance(soma, false),
    advance_uniform: advance(soma, true),
    settle: settle(soma),
  });
}

interface Soma {
  law: Law;
  parameters: readonly string[];
  states: readonly string[];
  planes: { states: number; parameters: number; constants: number };
}

function prepare({ law, parameters, planes }: Soma): Body {
  const body = new Body([Type.i32, Type.f32]);
  const [bytes, dt] = body.parameters as [Local, Local];
  const compiler = new Compiler(law, body);
  eachVector(body, bytes, VECTOR, (at) => {
    const p = compiler.allocate('Parameters');
    for (const [i, path] of parameters.entries()) load(body, at, (planes.parameters + i) * PLANE, treeAt(p, path));
    const constants = compiler.inline('prepare', [p, dt]) as Tree;
    const leaves = leavesOf(constants);
    if (planes.constants + leaves.length > INPUTS) {
      const place = law.own.functions.get('prepare')?.at ?? NOWHERE;
      throw refusal(`too many parameters, states and constants: there is room for ${INPUTS - Frame.states}`, place);
    }
    for (const [i, leaf] of leaves.entries()) store(body, at, (planes.constants + i) * PLANE, leaf);
  });
  return body;
}

// A step of all neurons, then the next: the neurons of a step are independent, so the processor overlaps them, where the
// steps of a neuron would wait for each other. It looks only so far ahead, so that a step goes over the neurons twice, each
// time with half of what they wait for: their drift, then all else. Spikes are rare: what they cost stands behind a branch.
function advance(soma: Soma, uniform: boolean): Body {
  const body = new Body([Type.i32, Type.i32, Type.i32]);
  const [bytes, steps, bit] = body.parameters as [Local, Local, Local];
  const compiler = new Compiler(soma.law, body);
  const shared = uniform ? loadConstants(soma, compiler, body, body.local(Type.i32)) : undefined;
  const pass = (work: (cell: Cell, at: Local, offset: number) => void, after = (_at: Local) => {}) =>
    eachVector(body, bytes, VECTORS * VECTOR, (at) => {
      for (let offset = 0; offset < VECTORS * VECTOR; offset += VECTOR) {
        const constants = shared ?? loadConstants(soma, compiler, body, at, offset);
        work({ constants, ...loadState(soma, compiler, body, at, offset) }, at, offset);
      }
      after(at);
    });
  body.loop();
  const again = body.depth;
  pass(({ constants, state }, at, offset) => {
    store(body, at, Frame.drift * PLANE + offset, compiler.inline('drift', [constants, state]) as Local);
  });
  const spikes: Local[] = [];
  const advanceCell = ({ constants, state, places }: Cell, at: Local, offset: number) => {
    const [drift, current] = [body.local(Type.v128), body.local(Type.v128)];
    load(body, at, Frame.drift * PLANE + offset, drift);
    load(body, at, Frame.current * PLANE + offset, current);
    spikes.push(compiler.inline('advance', [constants, state, drift, current]) as Local);
    for (const { local, offset } of places) store(body, at, offset, local);
  };
  pass(advanceCell, (at) => {
    for (const [i, spike] of spikes.entries()) {
      body.get(spike);
      if (i > 0) body.op(Op.v128or);
    }
    body.op(Op.v128anyTrue);
    body.if();
    for (const [vector, spike] of spikes.entries()) keepSpikes(body, at, vector * VECTOR, spike, bit);
    body.end();
  });
  // The next step, in the next bit.
  body.get(bit);
  body.i32(1);
  body.op(Op.i32add);
  body.set(bit);
  body.get(steps);
  body.i32(1);
  body.op(Op.i32sub);
  body.tee(steps);
  body.brIf(again);
  body.end();
  return body;
}

/** Four neurons: their constants and state, and where its leaves are in the frame. */
interface Cell {
  constants: Tree;
  state: Tree;
  places: readonly { local: Local; offset: number }[];
}

function loadConstants({ planes }: Soma, compiler: Compiler, body: Body, at: Local, offset = 0): Tree {
  const constants = compiler.allocate('Constants');
  for (const [i, leaf] of leavesOf(constants).entries()) load(body, at, (planes.constants + i) * PLANE + offset, leaf);
  return constants;
}

function loadState({ states, planes }: Soma, compiler: Compiler, body: Body, at: Local, offset: number) {
  const state = compiler.allocate('State');
  const places = states.map((path, i) => ({
    local: treeAt(state, path) as Local,
    offset: (planes.states + i) * PLANE + offset,
  }));
  for (const { local, offset } of places) load(body, at, offset, local);
  return { state, places };
}

/** x = |x| <= NEARLY ? 0 : x, for all states: what is no number stays what it is. */
function settle({ states, planes }: Soma): Body {
  const body = new Body([Type.i32]);
  const [bytes] = body.parameters as [Local];
  const state = body.local(Type.v128);
  eachVector(body, bytes, VECTOR, (at) => {
    for (const plane of states.keys()) {
      const offset = (planes.states + plane) * PLANE;
      load(body, at, offset, state);
      body.get(at);
      body.get(state);
      body.get(state);
      body.op(Op.f32x4abs);
      body.f32x4(NEARLY);
      body.op(Op.f32x4le, Op.v128not, Op.v128and);
      body.store(offset);
    }
  });
  return body;
}

/** word |= spike & 1 << bit, and count += 1 where it is: the mask of a spike is -1. */
function keepSpikes(body: Body, at: Local, offset: number, spike: Local, bit: Local): void {
  body.get(at);
  body.get(at);
  body.load(Frame.words * PLANE + offset);
  body.get(spike);
  body.i32x4(1);
  body.get(bit);
  body.op(Op.i32x4shl, Op.v128and, Op.v128or);
  body.store(Frame.words * PLANE + offset);
  body.get(at);
  body.get(at);
  body.load(Frame.counts * PLANE + offset);
  body.get(spike);
  body.op(Op.i32x4sub);
  body.store(Frame.counts * PLANE + offset);
}
