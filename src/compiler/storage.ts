// Where the values of a law live: locals of a function, one for each leaf of a struct.

import { didYouMean } from '../errors.ts';
import { LEAVES } from './operators.ts';
import { type Place, refusal, type Syntax } from './syntax.ts';
import { type Body, type Local, Type } from './wasm.ts';

/** Where a value lives: a local, or for a struct one tree a member. */
export type Tree = Local | ReadonlyMap<string, Tree>;

export const isLocal = (tree: Tree): tree is Local => 'index' in tree;

/** The locals of a tree, in the order of the struct's members. */
export const leavesOf = (tree: Tree): Local[] => (isLocal(tree) ? [tree] : [...tree.values()].flatMap(leavesOf));

/** The part of a tree at a path like `membrane.potential_rest`. */
export const treeAt = (tree: Tree, path: string): Tree =>
  path.split('.').reduce((part, name) => (part as ReadonlyMap<string, Tree>).get(name) as Tree, tree);

/** An expression with its type: a leaf, which `emit` pushes, or a struct, whose tree `emit` gives. */
export interface Value {
  type: string;
  /** Of literals and what is computed from them alone: WGSL computes these in 64 bits. */
  constant?: number;
  /** Where it is already, if nothing can change it there. */
  fixed?: Tree | undefined;
  /** A number it is known not to exceed. */
  most?: number | undefined;
  emit: () => Tree | undefined;
}

/** Locals of a function, by type. */
export class Storage {
  readonly #syntax: Syntax;
  readonly #body: Body;

  constructor(syntax: Syntax, body: Body) {
    this.#syntax = syntax;
    this.#body = body;
  }

  /** Fresh locals for a value of this type. */
  allocate(type: string, at?: Place): Tree {
    const leaf = LEAVES[type];
    if (leaf !== undefined) return this.#body.local(leaf);
    const members = this.#syntax.structs.get(type);
    if (!members) throw refusal(`unknown type "${type}"; ${this.#knownTypes(type)}`, at ?? NOWHERE);
    return new Map(members.map(({ name, type: { name: of, at: place } }) => [name, this.allocate(of, place)]));
  }

  #knownTypes(type: string): string {
    const known = [...Object.keys(LEAVES), ...this.#syntax.structs.keys()];
    return `${didYouMean(type, known)}known: ${known.join(', ')}`;
  }

  // A local of WebAssembly is zero only the first time round a loop.
  clear(tree: Tree): void {
    for (const local of leavesOf(tree)) {
      this.#zero(local.type);
      this.#body.set(local);
    }
  }

  #zero(type: Type): void {
    if (type === Type.i32) this.#body.i32(0);
    else if (type === Type.f32) this.#body.f32(0);
    else this.#body.i32x4(0);
  }

  /** Evaluates a value into a tree's locals. */
  store(value: Value, tree: Tree): void {
    const from = value.emit();
    if (isLocal(tree)) {
      this.#body.set(tree);
      return;
    }
    const sources = leavesOf(from as Tree);
    for (const source of sources) this.#body.get(source);
    for (const target of leavesOf(tree).reverse()) this.#body.set(target);
  }
}

/** Where a complaint about the law as a whole stands. */
export const NOWHERE: Place = { file: 'law', line: 1, column: 1 };
