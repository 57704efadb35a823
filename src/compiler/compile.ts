// From the WGSL subset to WebAssembly SIMD: a function of a law becomes straight-line code for four neurons. `lane` is an
// f32x4, `flag` the mask of its comparison, `bits` a u32x4. Functions are inlined and structs fall apart into locals, so
// that no memory is touched and nothing is called; what the loops around the law look like is loops.ts's affair.

import { type Binding, Expressions } from './expressions.ts';
import { LEAVES } from './operators.ts';
import { NOWHERE, Storage, type Tree } from './storage.ts';
import { type Expression, type FunctionSyntax, refusal, type Statement, type Syntax } from './syntax.ts';
import { type Body, type Local, Op } from './wasm.ts';

/** Where the function being inlined leaves its result, and the block it leaves. */
interface Return {
  type: string | undefined;
  result: Tree | undefined;
  depth: number;
}

/** Everything a law's files declare, in one. */
export function joinSyntax(files: readonly Syntax[]): Syntax {
  return {
    structs: new Map(files.flatMap(({ structs }) => [...structs])),
    functions: new Map(files.flatMap(({ functions }) => [...functions])),
    constants: new Map(files.flatMap(({ constants }) => [...constants])),
  };
}

/** Writes the code of a law's functions into a body. */
export class Compiler {
  readonly #syntax: Syntax;
  readonly #body: Body;
  #scopes: Map<string, Binding>[] = [];
  #calls: string[] = [];
  readonly #returns: Return[] = [];

  readonly #storage: Storage;
  readonly #expressions: Expressions;

  constructor(syntax: Syntax, body: Body) {
    this.#syntax = syntax;
    this.#body = body;
    this.#storage = new Storage(syntax, body);
    const around = {
      find: (name: string) => this.#scopes.findLast((scope) => scope.has(name))?.get(name),
      names: () => this.#scopes.flatMap((scope) => [...scope.keys()]),
      inline: (called: FunctionSyntax, bindings: readonly Binding[]) => this.#inline(called, bindings),
    };
    this.#expressions = new Expressions(around, this.#storage, syntax, body);
  }

  /** Fresh locals for a value of this type. */
  allocate(type: string): Tree {
    return this.#storage.allocate(type);
  }

  /**
   * Inlines a function of the law; its arguments live in trees (a pointer's is the tree it points to).
   *
   * @returns where its result is
   */
  inline(name: string, args: readonly Tree[]): Tree | undefined {
    const called = this.#syntax.functions.get(name);
    if (!called) throw refusal(`there is no function "${name}"`, NOWHERE);
    const bindings = called.parameters.map(({ type: { name: type, pointer } }, i): Binding => {
      return { type, pointer, mutable: false, tree: args[i] as Tree };
    });
    return this.#inline(called, bindings);
  }

  #inline({ name, at, parameters, result, body }: FunctionSyntax, bindings: readonly Binding[]): Tree | undefined {
    if (this.#calls.includes(name)) throw refusal(`"${name}" calls itself, which WGSL forbids`, at);
    const outer = this.#scopes;
    this.#scopes = [new Map(parameters.map(({ name }, i) => [name, bindings[i] as Binding]))];
    this.#calls.push(name);
    const tree = result && this.#storage.allocate(result.name, result.at);
    this.#body.block();
    this.#returns.push({ type: result?.name, result: tree, depth: this.#body.depth });
    this.#statements(body);
    this.#returns.pop();
    this.#body.end();
    this.#calls.pop();
    this.#scopes = outer;
    if (result && body.at(-1)?.kind !== 'return') throw refusal(`"${name}" wants a return at its end`, at);
    return tree;
  }

  #statements(body: readonly Statement[]): void {
    this.#scopes.push(new Map());
    for (const statement of body) this.#statement(statement);
    this.#scopes.pop();
  }

  #statement(statement: Statement): void {
    const { at } = statement;
    switch (statement.kind) {
      case 'declare':
        this.#declare(statement);
        return;
      case 'assign': {
        const { target, op, value } = statement;
        const place = this.#expressions.place(target);
        if (!place.mutable) throw refusal('this cannot be assigned to: it is no variable and no pointer to one', at);
        const assigned: Expression = op ? { kind: 'binary', at, op, left: target, right: value } : value;
        this.#storage.store(this.#expressions.convert(this.#expressions.check(assigned), place.type, at), place.tree);
        return;
      }
      case 'call': {
        const value = this.#expressions.check(statement.call);
        value.emit();
        if (value.type in LEAVES) this.#body.set(this.#storage.allocate(value.type) as Local);
        return;
      }
      case 'if':
        this.#condition(statement.condition);
        this.#body.if();
        this.#statements(statement.then);
        this.#body.else();
        this.#statements(statement.otherwise);
        this.#body.end();
        return;
      case 'for':
        this.#loop(statement);
        return;
      case 'return': {
        const { type, result, depth } = this.#returns.at(-1) as Return;
        if ((type === undefined) !== (statement.value === undefined)) {
          throw refusal(type ? `a value of type ${type} has to be returned` : 'this function has no result', at);
        }
        if (type && statement.value) {
          this.#storage.store(
            this.#expressions.convert(this.#expressions.check(statement.value), type, statement.value.at),
            result as Tree,
          );
        }
        this.#body.br(depth);
        return;
      }
      case 'block':
        this.#statements(statement.body);
    }
  }

  #declare({ mutable, name, type, value, at }: Statement & { kind: 'declare' }): void {
    const scope = this.#scopes.at(-1) as Map<string, Binding>;
    if (scope.has(name)) throw refusal(`"${name}" is declared twice`, at);
    const given = value && this.#expressions.concrete(this.#expressions.check(value));
    const wanted = type?.name ?? (given?.type as string);
    if (!mutable && given?.fixed && given.type === wanted) {
      scope.set(name, { type: wanted, tree: given.fixed, mutable, pointer: false, most: given.most });
      return;
    }
    const tree = this.#storage.allocate(wanted, type?.at ?? at);
    if (given && value) this.#storage.store(this.#expressions.convert(given, wanted, value.at), tree);
    else this.#storage.clear(tree);
    scope.set(name, { type: wanted, tree, mutable, pointer: false, most: mutable ? undefined : given?.most });
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
    this.#statements(body);
    if (update) this.#statement(update);
    this.#body.br(again);
    this.#body.end();
    this.#body.end();
    this.#scopes.pop();
  }
}
