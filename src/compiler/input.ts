// An input as a module, whose `add` adds its current, and the generator of random bits as one, whose `draw` fills a plane.

import { Frame, PLANE } from '../frame.ts';
import { Compiler } from './compile.ts';
import {
  address,
  checkSignature,
  checkStructs,
  eachVector,
  load,
  readLaw,
  type Shader,
  type Source,
  store,
  VECTOR,
} from './loops.ts';
import { leavesOf, type Tree, treeAt } from './storage.ts';
import { Body, encodeModule, type Local, Op, Type } from './wasm.ts';

export interface InputSource extends Source {
  /** The function that gives the current; its first parameter is the struct of the input's parameters. */
  kind: string;
  struct: string;
  parameters: readonly string[];
  /** What it remembers from step to step, if anything: paths in the struct of that name with `State` after it. */
  states: readonly string[];
}

/** Compiles an input: `add` adds its current. @throws WgslError with file, line and column */
export function compileInput({ kind, struct, parameters, states, ...source }: InputSource): Uint8Array {
  const law = readLaw(source);
  const remembers = states.length > 0;
  const draws = law.own.functions.get(kind)?.parameters.at(-1)?.type.name === 'bits';
  checkStructs(law, [struct, ...(remembers ? [`${struct}State`] : [])]);
  const signature = [struct, ...(remembers ? [`*${struct}State`] : []), 'u32', ...(draws ? ['bits'] : [])];
  checkSignature(law, kind, signature, 'lane');
  const body = new Body([Type.i32, Type.i32, Type.i32]);
  const [bytes, base, n] = body.parameters as [Local, Local, Local];
  const compiler = new Compiler(law, body);
  eachVector(body, bytes, VECTOR, (at) => {
    const own = address(body, at, base);
    const p = compiler.allocate(struct);
    for (const [i, path] of parameters.entries()) load(body, own, i * PLANE, treeAt(p, path));
    const state = remembers ? [compiler.allocate(`${struct}State`)] : [];
    const places = states.map((path, i) => ({
      tree: treeAt(state[0] as Tree, path),
      offset: (parameters.length + i) * PLANE,
    }));
    for (const { tree, offset } of places) load(body, own, offset, tree);
    const drawn = draws ? [body.local(Type.v128)] : [];
    for (const local of drawn) load(body, own, (parameters.length + states.length) * PLANE, local);
    const result = compiler.inline(kind, [p, ...state, n, ...drawn]) as Local;
    for (const { tree, offset } of places) store(body, own, offset, tree as Local);
    body.get(at);
    body.get(at);
    body.load(Frame.current * PLANE);
    body.get(result);
    body.op(Op.f32x4add);
    body.store(Frame.current * PLANE);
  });
  return encodeModule({ add: body });
}

/** Whether an input's function does without the step it is given: its current is then the same in all of them. */
export function isSteady({ kind, states, ...source }: InputSource): boolean {
  const { parameters = [], body } = readLaw(source).own.functions.get(kind) ?? {};
  const used = JSON.stringify(body).includes(JSON.stringify({ name: parameters[1]?.name }).slice(1, -1));
  return states.length === 0 && parameters.length === 2 && !used;
}

/**
 * Compiles the generator of random bits: `draw` fills a plane at `to`, one word a neuron, for step `n`. Philox gives the
 * words of four neighbours at once, and here a vector holds four such counters: 16 neurons a turn.
 */
export function compileDraw(files: readonly Shader[], math: readonly Shader[]): Uint8Array {
  const law = readLaw({
    math,
    files: files.map(({ file, text }) => ({ file, text: text.replace(/\bword\b/g, 'bits') })),
  });
  checkStructs(law, ['Source', 'Words']);
  checkSignature(law, 'draw', ['Source', 'u32', 'bits'], 'Words');
  const body = new Body([Type.i32, Type.i32, Type.i32, Type.i32, Type.i32]);
  const [bytes, from, to, n, first] = body.parameters as [Local, Local, Local, Local, Local];
  const compiler = new Compiler(law, body);
  const source = compiler.allocate('Source');
  for (const [i, leaf] of leavesOf(source).entries()) load(body, from, i * PLANE, leaf);
  const quad = body.local(Type.v128);
  eachVector(body, bytes, 4 * VECTOR, (at) => {
    numberQuads(body, at, first, quad);
    const words = leavesOf(compiler.inline('draw', [source, n, quad]) as Tree);
    const target = address(body, at, to);
    for (const [i, vector] of transposed(body, words).entries()) store(body, target, i * VECTOR, vector);
  });
  return encodeModule({ draw: body });
}

/** The numbers of the four quads from an address on: (first + at / 4) / 4 and the three after it. */
function numberQuads(body: Body, at: Local, first: Local, quad: Local): void {
  body.get(at);
  body.i32(2);
  body.op(Op.i32shr);
  body.get(first);
  body.op(Op.i32add);
  body.i32(2);
  body.op(Op.i32shr, Op.i32x4splat);
  body.ramp();
  body.op(Op.i32x4add);
  body.set(quad);
}

/** Four vectors, each a word of four quads, as the four quads, each with its words in turn. */
function transposed(body: Body, words: readonly Local[]): Local[] {
  const mixed = (a: Local | undefined, b: Local | undefined, lanes: readonly number[]): Local => {
    const local = body.local(Type.v128);
    body.get(a as Local);
    body.get(b as Local);
    body.shuffle(lanes);
    body.set(local);
    return local;
  };
  const [a, b, c, d] = words;
  const halves = [0, 2].map((lane) => [
    mixed(a, b, [lane, 4 + lane, lane + 1, 5 + lane]),
    mixed(c, d, [lane, 4 + lane, lane + 1, 5 + lane]),
  ]);
  return halves.flatMap(([x, y]) => [mixed(x, y, [0, 1, 4, 5]), mixed(x, y, [2, 3, 6, 7])]);
}
