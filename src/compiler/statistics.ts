// What gathers statistics of states over many steps, and watches over all states, as a module.

import { PLANE } from '../frame.ts';
import { Compiler } from './compile.ts';
import {
  address,
  checkSignature,
  checkStructs,
  eachVector,
  load,
  readLaw,
  type Shader,
  store,
  VECTOR,
} from './loops.ts';
import { leavesOf, type Tree } from './storage.ts';
import { Body, encodeModule, type Local, Op, Type } from './wasm.ts';

/** Compiles what gathers statistics; frame.ts says of what. */
export function compileStatistics(files: readonly Shader[], math: readonly Shader[]): Uint8Array {
  const law = readLaw({ files, math });
  checkStructs(law, ['Statistics', 'Gathered']);
  const kept = leavesOf(new Compiler(law, new Body([])).allocate('Statistics')).length;
  const first = { Statistics: 0, Gathered: kept };
  type Struct = keyof typeof first;
  // A function of structs, then of the state or of a number of steps; what it gives goes where that struct is.
  const loop = (name: string, structs: readonly Struct[], last: 'lane' | 'f32', result: Struct): Body => {
    checkSignature(law, name, [...structs, last], result);
    const body = new Body([Type.i32, Type.i32, ...(last === 'f32' ? [Type.f32] : [Type.i32, Type.i32])]);
    const [bytes, base, third, origin] = body.parameters as [Local, Local, Local, Local | undefined];
    const compiler = new Compiler(law, body);
    eachVector(body, bytes, VECTOR, (at) => {
      const own = address(body, at, base);
      const move = (how: typeof store, struct: Struct, tree: Tree): Tree => {
        for (const [i, leaf] of leavesOf(tree).entries()) how(body, own, (first[struct] + i) * PLANE, leaf);
        return tree;
      };
      const given = structs.map((struct) => move(load, struct, compiler.allocate(struct)));
      const number = origin ? stateAt(body, address(body, at, third), address(body, at, origin)) : third;
      move(store, result, compiler.inline(name, [...given, number]) as Tree);
    });
    return body;
  };
  return encodeModule({
    begin: loop('gathering', ['Statistics'], 'lane', 'Gathered'),
    gather: loop('gather', ['Gathered'], 'lane', 'Gathered'),
    merge: loop('merged', ['Statistics', 'Gathered'], 'f32', 'Statistics'),
    watch: watch(),
  });
}

/** By their bits, as a GPU does it. */
function watch(): Body {
  const body = new Body([Type.i32, Type.i32, Type.i32]);
  const [bytes, plane, found] = body.parameters as [Local, Local, Local];
  const seen = body.local(Type.v128);
  eachVector(body, bytes, VECTOR, (at) => {
    body.get(seen);
    body.get(address(body, at, plane));
    body.load(0);
    body.i32x4(EXPONENT);
    body.op(Op.v128and);
    body.i32x4(EXPONENT);
    body.op(Op.i32x4eq, Op.v128or);
    body.set(seen);
  });
  body.get(found);
  body.get(found);
  body.load(0);
  body.get(seen);
  body.op(Op.v128or);
  body.store(0);
  return body;
}

/** Set in all of infinity and NaN, and in no number. */
const EXPONENT = 0x7f800000;

/** A state in user units. */
function stateAt(body: Body, x: Local, origin: Local): Local {
  const state = body.local(Type.v128);
  for (const place of [x, origin]) {
    body.get(place);
    body.load(0);
  }
  body.op(Op.f32x4add);
  body.set(state);
  return state;
}
