// What every compiled module is made with: a law, read and checked for what its loops call, and loops over the neurons in
// the frame. What the loops compute stands in soma.ts, input.ts and statistics.ts; frame.ts says where the numbers lie.

import { STRIDE } from '../frame.ts';
import { Compiler, checkLaw, joinSyntax, type Law } from './compile.ts';
import { parse } from './parser.ts';
import { leavesOf, NOWHERE, type Tree } from './storage.ts';
import { refusal } from './syntax.ts';
import { Body, type Local, Op, Type } from './wasm.ts';

/** A text with the name that complaints about it carry. */
export interface Shader {
  file: string;
  text: string;
}

/** Bytes of a vector of four neurons. */
export const VECTOR = 16;
export const VECTORS = STRIDE / 4;

/** What a law is compiled from. */
export interface Source {
  files: readonly Shader[];
  /** The functions of shaders/math/. */
  math: readonly Shader[];
}

/** Reads a law and checks all it declares. */
export function readLaw({ files, math }: Source): Law {
  const join = (shaders: readonly Shader[]) => joinSyntax(shaders.map(({ text, file }) => parse(text, file)));
  const law = { own: join(files), library: join(math) };
  checkLaw(law);
  return law;
}

/** Refuses a law without the structs that the loops fill. */
export function checkStructs(law: Law, names: readonly string[]): void {
  for (const name of names) new Compiler(law, new Body([])).allocate(name);
}

/** Refuses a function that the loops call with other parameters than it has; `*` marks a pointer. */
export function checkSignature({ own }: Law, name: string, parameters: readonly string[], result: string): void {
  const called = own.functions.get(name);
  if (!called) throw refusal(`there is no function "${name}"`, NOWHERE);
  const types = called.parameters.map(({ type }) => (type.pointer ? `*${type.name}` : type.name));
  const wrong = called.parameters.find((_, i) => types[i] !== parameters[i]);
  if (!wrong && types.length === parameters.length && called.result?.name === result) return;
  const written = parameters.map((type) => type.replace(/^\*(.*)/, 'ptr<function, $1>')).join(', ');
  throw refusal(
    `"${name}" has to take (${written}) and give ${result}`,
    wrong?.type.at ?? (types.length === parameters.length ? called.result?.at : undefined) ?? called.at,
  );
}

/** The place of the neurons at `at` in the plane at `base`. */
export function address(body: Body, at: Local, base: Local): Local {
  const place = body.local(Type.i32);
  body.get(at);
  body.get(base);
  body.op(Op.i32add);
  body.set(place);
  return place;
}

/** A loop with `at` going from 0 to `bytes`, which is not 0. */
export function eachVector(body: Body, bytes: Local, by: number, work: (at: Local) => void): void {
  const at = body.local(Type.i32);
  body.i32(0);
  body.set(at);
  body.loop();
  const again = body.depth;
  work(at);
  body.get(at);
  body.i32(by);
  body.op(Op.i32add);
  body.tee(at);
  body.get(bytes);
  body.op(Op.i32lt);
  body.brIf(again);
  body.end();
}

export function load(body: Body, at: Local, offset: number, tree: Tree): void {
  const [local] = leavesOf(tree) as [Local];
  body.fill(local, () => {
    body.get(at);
    // A number that is no vector is the same for all neurons: an edge in time, a constant of a soma.
    if (local.type === Type.v128) body.load(offset);
    else body.loadWord(offset);
    if (local.type === Type.f32) body.op(Op.f32reinterpret);
  });
}

export function store(body: Body, at: Local, offset: number, local: Local): void {
  body.get(at);
  body.get(local);
  if (local.type === Type.f32) body.op(Op.f32x4splat);
  if (local.type === Type.i32) body.op(Op.i32x4splat);
  body.store(offset);
}
