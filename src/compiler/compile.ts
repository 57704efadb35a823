// From the WGSL subset to WebAssembly SIMD: a function of a law becomes straight-line code for four neurons. `lane` is an
// f32x4, `flag` the mask of its comparison, `bits` a u32x4. Functions are inlined and structs fall apart into locals, so
// that no memory is touched and nothing is called; what the loops around the law look like is loops.ts's affair.

import { type Binding, Expressions, isBinding, type Meaning, NOTHING } from './expressions.ts';
import { isLeaf } from './operators.ts';
import { NOWHERE, Storage, type Tree } from './storage.ts';
import { type Expression, type FunctionSyntax, type Place, refusal, type Statement, type Syntax } from './syntax.ts';
import { Body, type Local, Op } from './wasm.ts';

/** A law, and the functions of shaders/math/: they know nothing of each other's names. */
export interface Law {
  own: Syntax;
  library: Syntax;
}

/** Everything that files declare, in one. @throws WgslError where two declare the same */
export function joinSyntax(files: readonly Syntax[]): Syntax {
  const joined: Syntax = { structs: new Map(), functions: new Map(), constants: new Map() };
  const declared = new Set<string>();
  for (const file of files) {
    for (const kind of ['structs', 'functions', 'constants'] as const) {
      for (const [name, { at }] of file[kind]) {
        if (declared.has(name)) throw refusal(`"${name}" is declared twice`, at);
        declared.add(name);
      }
    }
    for (const [name, declaration] of file.structs) joined.structs.set(name, declaration);
    for (const [name, declaration] of file.functions) joined.functions.set(name, declaration);
    for (const [name, declaration] of file.constants) joined.constants.set(name, declaration);
  }
  return joined;
}

/** Checks all that a law declares, used or not. @throws WgslError */
export function checkLaw(law: Law): void {
  const compiler = new Compiler(law, new Body([]));
  compiler.checkDeclarations();
}

const EMPTY: Syntax = { structs: new Map(), functions: new Map(), constants: new Map() };

/** Where the function being inlined leaves its result, and the block it leaves, if any. */
interface Return {
  type: string | undefined;
  result: Tree | undefined;
  depth: number | undefined;
}

/** Writes the code of a law's functions into a body. */
export class Compiler {
  readonly #syntax: Syntax;
  readonly #body: Body;
  readonly #storage: Storage;
  readonly #expressions: Expressions;
  #scopes: Map<string, Meaning>[] = [];
  readonly #calls: string[] = [];
  readonly #returns: Return[] = [];

  constructor({ own, library }: Law, body: Body) {
    this.#syntax = own;
    this.#body = body;
    this.#storage = new Storage(own, body);
    const around = {
      find: (name: string) => this.#find(name),
      names: () => this.#scopes.flatMap((scope) => [...scope.keys()]),
      inline: (called: FunctionSyntax, bindings: readonly Binding[]) => this.#inline(called, bindings),
      inlineLibrary: (name: string, argument: Binding, at: Place) => {
        const called = library.functions.get(name);
        if (!called) throw refusal(`${name}: shaders/math/ has no such function`, at);
        return new Compiler({ own: library, library: EMPTY }, body).#inline(called, [argument]) as Local;
      },
    };
    this.#expressions = new Expressions(around, this.#storage, own, body);
  }

  /** Fresh locals for a value of this type. */
  allocate(type: string): Tree {
    return this.#storage.allocate(type, NOWHERE);
  }

  /**
   * Inlines a function of the law; its arguments live in trees (a pointer's is the tree it points to).
   *
   * @returns where its result is
   */
  inline(name: string, args: readonly Tree[]): Tree | undefined {
    const called = this.#syntax.functions.get(name);
    if (!called) throw refusal(`there is no function "${name}"`, NOWHERE);
    return this.#inline(
      called,
      bind(called, (_, i) => args[i] as Tree),
    );
  }

  checkDeclarations(): void {
    for (const [name, { at }] of [...this.#syntax.structs, ...this.#syntax.functions, ...this.#syntax.constants]) {
      if (isLeaf(name)) throw refusal(`"${name}" is a type already`, at);
    }
    for (const [name, { at }] of this.#syntax.structs) this.#storage.allocate(name, at);
    for (const name of this.#syntax.constants.keys()) this.#expressions.constant(name);
    for (const called of this.#syntax.functions.values()) {
      this.#inline(
        called,
        bind(called, ({ name, at }) => this.#storage.allocate(name, at)),
      );
    }
  }

  #inline({ name, at, parameters, result, body }: FunctionSyntax, bindings: readonly Binding[]): Tree | undefined {
    if (this.#calls.includes(name)) throw refusal(`"${name}" calls itself, which WGSL forbids`, at);
    const outer = this.#scopes;
    // A function's parameters and its outermost variables share a scope.
    this.#scopes = [new Map(parameters.map(({ name }, i) => [name, bindings[i] as Binding]))];
    this.#calls.push(name);
    const tree = result && this.#storage.allocate(result.name, result.at);
    // A return that is the last statement leaves nothing out, and needs no block.
    const early = body.some(
      (statement, i) => (statement.kind !== 'return' || i < body.length - 1) && leaves(statement),
    );
    if (early) this.#body.block();
    this.#returns.push({ type: result?.name, result: tree, depth: early ? this.#body.depth : undefined });
    for (const statement of body) this.#statement(statement);
    this.#returns.pop();
    if (early) this.#body.end();
    this.#calls.pop();
    this.#scopes = outer;
    if (result && !returns(body)) throw refusal(`"${name}" wants a return at its end`, at);
    return tree;
  }

  #block(body: readonly Statement[]): void {
    this.#scopes.push(new Map());
    for (const statement of body) this.#statement(statement);
    this.#scopes.pop();
  }

  #statement(statement: Statement): void {
    switch (statement.kind) {
      case 'declare':
        this.#declare(statement);
        break;
      case 'assign':
        this.#assign(statement);
        break;
      case 'count':
        this.#count(statement);
        break;
      case 'call':
        this.#callFor(statement);
        break;
      case 'if':
        this.#condition(statement.condition);
        this.#body.if();
        this.#block(statement.then);
        this.#body.else();
        this.#block(statement.otherwise);
        this.#body.end();
        break;
      case 'for':
        this.#loop(statement);
        break;
      case 'return':
        this.#return(statement);
        break;
      case 'block':
        this.#block(statement.body);
    }
  }

  #declare({ word, name, type, value, at }: Statement & { kind: 'declare' }): void {
    const scope = this.#scopes.at(-1) as Map<string, Meaning>;
    if (scope.has(name)) throw refusal(`"${name}" is declared twice`, at);
    const mutable = word === 'var';
    const declared = type && {
      type: type.name,
      tree: this.#storage.allocate(type.name, type.at),
      mutable,
      pointer: false,
    };
    if (!value) {
      // A local of WebAssembly is zero only the first time round a loop.
      this.#storage.clear((declared as Binding).tree);
      scope.set(name, declared as Binding);
      return;
    }
    const given = word === 'const' ? this.#constant(value) : this.#expressions.check(value);
    if (given.type === NOTHING)
      throw refusal(`nothing comes from ${(value as { name?: string }).name}(...): it has no result`, value.at);
    if (word === 'const') {
      scope.set(name, type ? this.#expressions.values.convert(given, type.name, value.at) : given);
      return;
    }
    const converted = type
      ? this.#expressions.values.convert(given, type.name, value.at)
      : this.#expressions.values.concrete(given, value.at);
    const { fixed, most } = mutable ? {} : converted;
    const tree = fixed ?? declared?.tree ?? this.#storage.allocate(converted.type, at);
    if (!fixed) this.#storage.store(converted, tree);
    scope.set(name, { type: converted.type, tree, mutable, pointer: false, most });
  }

  /** What a name stands for here: the innermost of those declared. */
  #find(name: string): Meaning | undefined {
    return this.#scopes.findLast((scope) => scope.has(name))?.get(name);
  }

  #constant(value: Expression) {
    const isKnown = (name: string) => {
      const found = this.#find(name);
      return found ? !isBinding(found) : this.#syntax.constants.has(name);
    };
    return this.#expressions.constantOf(value, isKnown);
  }

  #assign({ target, op, value, at }: Statement & { kind: 'assign' }): void {
    const place = this.#variable(target, at);
    const assigned: Expression = op ? { kind: 'binary', at, op, left: target, right: value } : value;
    this.#storage.store(this.#expressions.checkAs(place.type, assigned), place.tree);
  }

  #count({ target, op, at }: Statement & { kind: 'count' }): void {
    const place = this.#variable(target, at);
    if (place.type !== 'u32') throw refusal(`${op}${op} counts a u32, not a ${place.type}`, at);
    const one: Expression = { kind: 'literal', text: '1', at };
    this.#storage.store(this.#expressions.check({ kind: 'binary', at, op, left: target, right: one }), place.tree);
  }

  #variable(target: Expression, at: Place): Binding {
    const place = this.#expressions.place(target);
    if (place.pointer) throw refusal(`this is a pointer; follow it: *${(target as { name?: string }).name}`, at);
    if (place.mutable) return place;
    throw refusal('this cannot be assigned to: it is no variable and no pointer to one; declare it with var', at);
  }

  #callFor({ call, at }: Statement & { kind: 'call' }): void {
    const { name } = call as Expression & { kind: 'call' };
    const value = this.#expressions.check(call);
    if (!this.#syntax.functions.has(name)) {
      throw refusal(`the result of ${name} is dropped: only a function of the law can be called for its effects`, at);
    }
    value.emit();
    if (isLeaf(value.type)) this.#body.set(this.#storage.allocate(value.type, at) as Local);
  }

  #condition(expression: Expression): void {
    const condition = this.#expressions.check(expression);
    if (condition.type === 'flag') {
      throw refusal('a condition for four neurons at once cannot branch: use select', expression.at);
    }
    if (condition.type !== 'bool') throw refusal(`a condition is a bool, not ${condition.type}`, expression.at);
    condition.emit();
  }

  #loop({ init, condition, update, body }: Statement & { kind: 'for' }): void {
    this.#scopes.push(new Map());
    if (init) this.#statement(init);
    this.#body.block();
    const out = this.#body.depth;
    this.#body.loop();
    const again = this.#body.depth;
    this.#condition(condition);
    this.#body.op(Op.i32eqz);
    this.#body.brIf(out);
    this.#block(body);
    if (update) this.#statement(update);
    this.#body.br(again);
    this.#body.end();
    this.#body.end();
    this.#scopes.pop();
  }

  #return({ value, at }: Statement & { kind: 'return' }): void {
    const { type, result, depth } = this.#returns.at(-1) as Return;
    if ((type === undefined) !== (value === undefined)) {
      throw refusal(type ? `a value of type ${type} has to be returned` : 'this function has no result', at);
    }
    if (type && value) this.#storage.store(this.#expressions.checkAs(type, value), result as Tree);
    if (depth !== undefined) this.#body.br(depth);
  }
}

/** Whether a function may return within this statement. */
function leaves(statement: Statement): boolean {
  if (statement.kind === 'if') return [...statement.then, ...statement.otherwise].some(leaves);
  if (statement.kind === 'for' || statement.kind === 'block') return statement.body.some(leaves);
  return statement.kind === 'return';
}

/** Whether a function that comes to the end of these statements has returned on every way. */
function returns(body: readonly Statement[]): boolean {
  const last = body.at(-1);
  if (last?.kind === 'if') return returns(last.then) && returns(last.otherwise);
  return last?.kind === 'return' || (last?.kind === 'block' && returns(last.body));
}

/** The parameters of a function, each with a tree. */
const bind = (
  { parameters }: FunctionSyntax,
  treeOf: (type: FunctionSyntax['parameters'][number]['type'], index: number) => Tree,
): Binding[] =>
  parameters.map(({ type }, i) => ({
    type: type.name,
    pointer: type.pointer,
    mutable: false,
    tree: treeOf(type, i),
  }));
