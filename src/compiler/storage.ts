// Where the values of a law live: locals of a function, one for each leaf of a struct.

import { didYouMean } from '../errors.ts';
import { isLeaf, LEAVES } from './operators.ts';
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

/** Expressions and values in a function of a module, at most; the somas here have 400. */
const MOST_WORK = 30_000;

/** Locals of a function, by type. */
export class Storage {
  readonly #syntax: Syntax;
  readonly #body: Body;
  /** The structs being allocated, from the outermost on. */
  readonly #inside: string[] = [];

  constructor(syntax: Syntax, body: Body) {
    this.#syntax = syntax;
    this.#body = body;
  }

  /** Fresh locals for a value of this type. @throws WgslError at `at` if there is no such type */
  allocate(type: string, at: Place): Tree {
    this.spend(at);
    if (isLeaf(type)) return this.#body.local(LEAVES[type] as Type);
    const struct = this.#syntax.structs.get(type);
    if (!struct) throw refusal(this.#unknown(type), at);
    if (this.#inside.includes(type)) throw refusal(`the struct ${type} contains itself`, struct.at);
    this.#inside.push(type);
    const parts = struct.members.map(
      (member) => [member.name, this.allocate(member.type.name, member.type.at)] as const,
    );
    this.#inside.pop();
    return new Map(parts);
  }

  /** Counts what is done for a law, which may be short and yet, with its functions in place of their calls, endless. */
  spend(at: Place): void {
    if (++this.#body.work > MOST_WORK)
      throw refusal('the law is too long, with its functions in place of their calls', at);
  }

  #unknown(type: string): string {
    const known = [...Object.keys(LEAVES), ...this.#syntax.structs.keys()];
    return `unknown type "${type}"; ${didYouMean(type, known)}known: ${known.join(', ')}`;
  }

  /** Sets all to zero. */
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
  store({ emit }: { emit: () => Tree | undefined }, tree: Tree): void {
    const from = emit();
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
