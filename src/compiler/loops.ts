// The loops around a law: over the neurons in the frame, and over steps. A soma becomes a module with `prepare` and
// `advance`, an input one with `add`, the generator of random bits one with `draw`; frame.ts says where their numbers lie.

import { Frame, INPUTS, NEARLY, PLANE, STRIDE } from '../frame.ts';
import { Compiler, checkLaw, joinSyntax, type Law } from './compile.ts';
import { parse } from './parser.ts';
import { leavesOf, NOWHERE, type Tree, treeAt } from './storage.ts';
import { refusal } from './syntax.ts';
import { Body, encodeModule, type Local, Op, Type } from './wasm.ts';

/** A text with the name that complaints about it carry. */
export interface Shader {
  file: string;
  text: string;
}

/** Bytes of a vector of four neurons. */
const VECTOR = 16;
const VECTORS = STRIDE / 4;

/** What a law is compiled from. */
interface Source {
  files: readonly Shader[];
  /** The functions of shaders/math/. */
  math: readonly Shader[];
}

/** Reads a law and checks all it declares. */
function readLaw({ files, math }: Source): Law {
  const join = (shaders: readonly Shader[]) => joinSyntax(shaders.map(({ text, file }) => parse(text, file)));
  const law = { own: join(files), library: join(math) };
  checkLaw(law);
  return law;
}

/** Refuses a law without the structs that the loops fill. */
function checkStructs(law: Law, names: readonly string[]): void {
  for (const name of names) new Compiler(law, new Body([])).allocate(name);
}

/** Refuses a function that the loops call with other parameters than it has; `*` marks a pointer. */
function checkSignature({ own }: Law, name: string, parameters: readonly string[], result: string): void {
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
  checkSignature(law, 'advance', ['Constants', '*State', 'lane'], 'flag');
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
// steps of a neuron would wait for each other. Spikes are rare: what they cost stands behind a branch.
function advance({ law, states, planes }: Soma, uniform: boolean): Body {
  const body = new Body([Type.i32, Type.i32, Type.i32]);
  const [bytes, steps, bit] = body.parameters as [Local, Local, Local];
  const compiler = new Compiler(law, body);
  const start = body.local(Type.i32);
  const constants = compiler.allocate('Constants');
  const loadConstants = (at: Local, offset: number) => {
    for (const [i, leaf] of leavesOf(constants).entries())
      load(body, at, (planes.constants + i) * PLANE + offset, leaf);
  };
  if (uniform) loadConstants(start, 0);
  const stepVector = (at: Local, offset: number): Local => {
    if (!uniform) loadConstants(at, offset);
    const state = compiler.allocate('State');
    const places = states.map((path, i) => ({
      tree: treeAt(state, path),
      offset: (planes.states + i) * PLANE + offset,
    }));
    for (const { tree, offset } of places) load(body, at, offset, tree);
    const current = body.local(Type.v128);
    load(body, at, Frame.current * PLANE + offset, current);
    const spike = compiler.inline('advance', [constants, state, current]) as Local;
    for (const { tree, offset } of places) store(body, at, offset, tree as Local);
    return spike;
  };
  body.loop();
  const again = body.depth;
  eachVector(body, bytes, VECTORS * VECTOR, (at) => {
    const spikes = Array.from({ length: VECTORS }, (_, vector) => stepVector(at, vector * VECTOR));
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

/** x = |x| > NEARLY ? x : 0, for all states. */
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
      body.op(Op.f32x4gt, Op.v128and);
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
  });
}

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

/** The place of the neurons at `at` in the plane at `base`. */
function address(body: Body, at: Local, base: Local): Local {
  const place = body.local(Type.i32);
  body.get(at);
  body.get(base);
  body.op(Op.i32add);
  body.set(place);
  return place;
}

/** A loop with `at` going from 0 to `bytes`, which is not 0. */
function eachVector(body: Body, bytes: Local, by: number, work: (at: Local) => void): void {
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

function load(body: Body, at: Local, offset: number, tree: Tree): void {
  const [local] = leavesOf(tree) as [Local];
  body.get(at);
  // A number that is no vector is the same for all neurons: an edge in time.
  if (local.type === Type.v128) body.load(offset);
  else body.loadWord(offset);
  body.set(local);
}

function store(body: Body, at: Local, offset: number, local: Local): void {
  body.get(at);
  body.get(local);
  body.store(offset);
}
