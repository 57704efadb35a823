// Expressions of the WGSL subset: what they name, what they call, and the values these give.

import { didYouMean } from '../errors.ts';
import { BUILT_IN, INSTEAD, INSTRUCTIONS, isLeaf, NARROW } from './operators.ts';
import { type Storage, type Tree, treeAt } from './storage.ts';
import { type Expression, type FunctionSyntax, type Place, refusal, type Syntax } from './syntax.ts';
import { isAbstract, type Value, Values } from './values.ts';
import type { Body, Local } from './wasm.ts';

/** What a name stands for: a place where a value is. */
export interface Binding {
  type: string;
  tree: Tree;
  mutable: boolean;
  /** Whether the name is that of a pointer to the tree. */
  pointer: boolean;
  /** A number that what is there is known not to exceed. */
  most?: number | undefined;
}

/** What a name stands for: a place, or a constant. */
export type Meaning = Binding | Value;

export const isBinding = (meaning: Meaning): meaning is Binding => 'tree' in meaning;

/** What an expression stands among: the names it can use, and how a function is called. */
export interface Surroundings {
  find(name: string): Meaning | undefined;
  names(): string[];
  /** Puts a function's code here; gives where its result is. */
  inline(called: FunctionSyntax, bindings: readonly Binding[]): Tree | undefined;
  /** The same with a function of shaders/math/, of one lane. */
  inlineLibrary(name: string, argument: Binding, at: Place): Local;
}

const NO_LOCALS: Surroundings = {
  find: () => undefined,
  names: () => [],
  inline: () => undefined,
  inlineLibrary: () => ({ index: 0, type: 0x7b }),
};

/** Checks expressions; what `check` gives can then be emitted into the function's body. */
export class Expressions {
  readonly values: Values;
  readonly #around: Surroundings;
  readonly #storage: Storage;
  readonly #syntax: Syntax;
  readonly #body: Body;

  constructor(around: Surroundings, storage: Storage, syntax: Syntax, body: Body) {
    this.values = new Values(body);
    this.#around = around;
    this.#storage = storage;
    this.#syntax = syntax;
    this.#body = body;
  }

  check(expression: Expression): Value {
    const { at } = expression;
    this.#storage.spend(at);
    switch (expression.kind) {
      case 'literal':
        return this.values.literal(expression.text, at);
      case 'name':
        return this.#name(expression);
      case 'member':
        return this.#memberOf(expression);
      case 'unary':
        if (expression.op === '*') return this.#read(this.place(expression));
        if (expression.op === '&') throw refusal('a pointer can only be given to a function that takes one', at);
        return this.values.unary(expression.op, this.check(expression.of), at);
      case 'binary':
        return this.#binary(expression);
      case 'call':
        return this.#call(expression);
    }
  }

  /** The value of an expression in a place of this type. */
  checkAs(type: string, expression: Expression): Value {
    return this.values.convert(this.check(expression), type, expression.at);
  }

  /** What an expression names that can be assigned to, or pointed at. */
  place(expression: Expression): Binding {
    const { at } = expression;
    if (expression.kind === 'name') {
      const found = this.#around.find(expression.name);
      if (found && isBinding(found)) return found;
      if (found || this.#syntax.constants.has(expression.name)) {
        throw refusal(`"${expression.name}" is a constant: it cannot be assigned to`, at);
      }
      throw refusal(this.#unknown(expression.name), at);
    }
    if (expression.kind === 'unary' && expression.op === '*') {
      const pointer = this.place(expression.of);
      if (!pointer.pointer) throw refusal('only a pointer can be followed with *', at);
      return { ...pointer, pointer: false, mutable: true };
    }
    if (expression.kind === 'member') {
      const whole = this.place(expression.of);
      if (whole.pointer) throw refusal(followed(expression), at);
      const type = this.#member(whole.type, expression.name, at);
      return { ...whole, type, tree: treeAt(whole.tree, expression.name), most: undefined };
    }
    throw refusal('this cannot be assigned to', at);
  }

  #name(expression: Expression & { kind: 'name' }): Value {
    const { name, at } = expression;
    const found = this.#around.find(name);
    if (found && !isBinding(found)) return found;
    if (!found && this.#syntax.constants.has(name)) return this.constant(name);
    const place = this.place(expression);
    if (place.pointer) throw refusal(`"${name}" is a pointer; follow it: (*${name})`, at);
    return this.#read(place);
  }

  #unknown(name: string): string {
    if (this.#syntax.functions.has(name)) return `"${name}" is a function: call it`;
    const known = [...this.#around.names(), ...this.#syntax.constants.keys()];
    return `unknown name "${name}"${known.length > 0 ? `; ${didYouMean(name, known)}known: ${known.join(', ')}` : ''}`;
  }

  /** The constants being computed, from the first on: none may need itself. */
  #computing: string[] = [];

  /** The value of a constant of the module. */
  constant(name: string): Value {
    const { constants } = this.#syntax;
    const { at, type, value } = constants.get(name) as NonNullable<ReturnType<typeof constants.get>>;
    const [first = name] = this.#computing;
    if (this.#computing.includes(name)) {
      throw refusal(`the constant "${first}" needs itself`, constants.get(first)?.at ?? at);
    }
    // It knows nothing of what is local here.
    const module = new Expressions(NO_LOCALS, this.#storage, this.#syntax, this.#body);
    module.#computing = [...this.#computing, name];
    const computed = module.constantOf(value, (inner) => constants.has(inner));
    if (!type) return computed;
    this.#storage.allocate(type.name, type.at);
    return this.values.convert(computed, type.name, value.at);
  }

  /** The value of an expression of constants alone; `isKnown` says which names are. */
  constantOf(expression: Expression, isKnown: (name: string) => boolean): Value {
    const stranger = firstName(expression, (name) => !isKnown(name));
    if (stranger?.kind === 'call') throw refusal('a constant is computed from literals, without calls', stranger.at);
    if (stranger?.kind === 'name') {
      const found = this.#around.find(stranger.name) ?? this.#syntax.functions.get(stranger.name);
      throw refusal(found ? `"${stranger.name}" is no constant` : this.#unknown(stranger.name), stranger.at);
    }
    const value = this.check(expression);
    if (value.constant !== undefined) return value;
    throw refusal('a constant is computed from literals without a suffix, by + - * /', expression.at);
  }

  #read = ({ type, tree, mutable, most }: Binding): Value => this.values.read(type, tree, mutable, most);

  #memberOf(expression: Expression & { kind: 'member' }): Value {
    const { of, name, at } = expression;
    if (rootOf(expression).kind === 'name') return this.#read(this.place(expression));
    const whole = this.check(of);
    const type = this.#member(whole.type, name, at);
    const emit = () => this.values.read(type, treeAt(whole.emit() as Tree, name), true).emit();
    return { type, emit };
  }

  #member(type: string, name: string, at: Place): string {
    const members = this.#syntax.structs.get(type)?.members;
    if (!members) throw refusal(`${type} has no members; the lanes of four neurons cannot be told apart`, at);
    const found = members.find((member) => member.name === name);
    if (found) return found.type.name;
    const known = members.map((member) => member.name);
    throw refusal(`${type} has no member "${name}"; ${didYouMean(name, known)}known: ${known.join(', ')}`, at);
  }

  #binary({ op, left, right, at }: Expression & { kind: 'binary' }): Value {
    if (op === '&&' || op === '||')
      return this.values.logic(op, this.checkAs('bool', left), this.checkAs('bool', right));
    const a = this.check(left);
    if (op === '<<' || op === '>>') return this.#shift(op, a, right, at);
    const b = this.check(right);
    const floats = a.type === b.type && (a.type === 'lane' || a.type === 'f32');
    // a + -b and -a + b are differences, bit for bit, and one instruction instead of two.
    if (op === '+' && floats && right.kind === 'unary' && right.op === '-') {
      return this.values.difference(a, this.check(right.of));
    }
    if (op === '+' && floats && left.kind === 'unary' && left.op === '-') {
      const subtracted = this.check(left.of);
      // It is now read after the right side, whose calls must not have changed it.
      if (subtracted.fixed || (isPlain(left.of) && isPlain(right))) return this.values.difference(b, subtracted);
    }
    return this.values.binary(op, { ...a, at: left.at }, { ...b, at: right.at }, at);
  }

  #shift(op: string, a: Value, right: Expression, at: Place): Value {
    if (a.type !== 'bits') return this.values.shift(op, a, this.check(right), at, right.at);
    const scalar = right.kind === 'call' && right.name === 'bits' ? right.args[0] : undefined;
    if (!scalar || this.check(scalar).type in NARROW)
      throw refusal('all lanes are shifted alike: write the amount as bits(AMOUNT)', right.at);
    return this.values.shift(op, a, this.check(scalar), at, scalar.at);
  }

  #call(expression: Expression & { kind: 'call' }): Value {
    const { name, args, at } = expression;
    if (this.#around.find(name)) throw refusal(`"${name}" is a variable here, and cannot be called`, at);
    if (isLeaf(name) || this.#syntax.structs.has(name)) return this.#construct(expression);
    const called = this.#syntax.functions.get(name);
    if (called) return this.#callOf(called, args, at);
    if (!BUILT_IN.includes(name)) {
      const known = [...this.#syntax.functions.keys(), ...this.#syntax.structs.keys(), ...BUILT_IN];
      const instead = Object.hasOwn(INSTEAD, name) ? `write ${INSTEAD[name]}; ` : didYouMean(name, known);
      throw refusal(`"${name}" is not supported; ${instead}known: ${known.join(', ')}`, at);
    }
    checkCount(name, name === 'select' ? 3 : name === 'min' || name === 'max' ? 2 : 1, args, at);
    if (name === 'select') return this.#select(expression);
    const [first, second] = args.map((arg) => this.check(arg)) as [Value, Value];
    if (name === 'any') return this.values.any(first, at);
    if (name === 'bitcast') return this.values.bitcast(expression.template ?? '', first, at);
    if (name === 'min' || name === 'max') return this.values.extreme(name, first, second, at);
    if (isAbstract(first)) throw refusal(`${name} of a literal is not supported: give the literal the suffix f`, at);
    if (first.type !== 'lane' && first.type !== 'f32')
      throw refusal(`${name} wants a lane or f32, not ${first.type}`, at);
    return INSTRUCTIONS.includes(name) ? this.values.unary(name, first, at) : this.#library(name, first, at);
  }

  // Written for lanes; of a single number it is the same in all four.
  #library(name: string, value: Value, at: Place): Value {
    const wide = this.values.splat(value, 'lane', at);
    const emit = () => {
      const tree = this.#storage.allocate('lane', at) as Local;
      wide.emit();
      this.#body.set(tree);
      const argument = { type: 'lane', tree, mutable: false, pointer: false, most: value.most };
      this.#body.get(this.#around.inlineLibrary(name, argument, at));
      if (value.type === 'f32') this.#body.firstF32();
      return undefined;
    };
    return { type: value.type, emit };
  }

  #callOf(called: FunctionSyntax, args: readonly Expression[], at: Place): Value {
    const { name, parameters, result } = called;
    checkCount(name, parameters.length, args, at);
    const given = parameters.map(({ type }, i): Meaning => {
      const arg = args[i] as Expression;
      return type.pointer ? this.#pointer(arg, type.name) : this.checkAs(type.name, arg);
    });
    for (const [i, one] of given.entries()) {
      const twin = isBinding(one) && given.findIndex((other) => isBinding(other) && other.tree === one.tree) < i;
      if (twin)
        throw refusal(
          `two pointers to one variable, ${textOf(args[i])}, which WGSL forbids`,
          (args[i] as Expression).at,
        );
    }
    // Written out in WGSL, which lacks it; WebAssembly has it.
    if (name === 'high_product' && parameters.map(({ type }) => type.name).join() === 'u32,u32,bits') {
      return this.values.highProduct(...(given as [Value, Value, Value]));
    }
    const emit = () => {
      const bindings = given.map((value, i): Binding => {
        if (isBinding(value)) return value;
        const tree = value.fixed ?? this.#storage.allocate(value.type, (args[i] as Expression).at);
        if (!value.fixed) this.#storage.store(value, tree);
        return { type: value.type, tree, mutable: false, pointer: false, most: value.most };
      });
      const tree = this.#around.inline(called, bindings);
      return tree && this.values.read('', tree, true).emit();
    };
    return { type: result?.name ?? NOTHING, emit };
  }

  /** An argument for a pointer: `&variable`, or a pointer handed on. */
  #pointer(arg: Expression, type: string): Binding {
    const whole = arg.kind === 'unary' && arg.op === '&' ? arg.of : arg;
    if (whole.kind !== 'name') throw refusal('a pointer is to a whole variable: copy the member to one', arg.at);
    const place = this.place(whole);
    if (whole === arg ? !place.pointer : !place.mutable || place.pointer) {
      throw refusal('a pointer to a variable is wanted here: &NAME', arg.at);
    }
    if (place.type !== type) throw refusal(`a pointer to ${type} is wanted here, not to ${place.type}`, arg.at);
    return { ...place, pointer: true, mutable: false };
  }

  #construct({ name: type, args, at }: Expression & { kind: 'call' }): Value {
    if (isLeaf(type)) {
      const [only] = args;
      if (!only) return this.values.constant(type, 0);
      checkCount(type, 1, args, at);
      return this.values.construct(type, { ...this.check(only), at: only.at }, at);
    }
    const members = this.#syntax.structs.get(type)?.members ?? [];
    if (args.length > 0) checkCount(type, members.length, args, at);
    const values = args.map((arg, i) => this.checkAs(members[i]?.type.name as string, arg));
    const emit = () => {
      const tree = this.#storage.allocate(type, at) as ReadonlyMap<string, Tree>;
      if (args.length === 0) this.#storage.clear(tree);
      for (const [i, part] of [...tree.values()].entries()) if (values[i]) this.#storage.store(values[i], part);
      return tree;
    };
    return { type, emit };
  }

  /** The type of one of two literals: f32 if one has a fraction; of whole ones it would be i32. */
  #literals(a: Value, b: Value, at: Place): string {
    return a.type === b.type ? this.values.concrete(a, at).type : 'f32';
  }

  #select({ args, at }: Expression & { kind: 'call' }): Value {
    const [no, yes, condition] = args as [Expression, Expression, Expression];
    const [a, b] = [this.check(no), this.check(yes)];
    const type = isAbstract(a) && isAbstract(b) ? this.#literals(a, b, no.at) : this.values.common('select', a, b, at);
    const values = [this.values.convert(a, type, no.at), this.values.convert(b, type, yes.at)] as const;
    // select(x, y, x > y) is the smaller of both, bit for bit, and one instruction.
    if (type === 'lane' && condition.kind === 'binary' && same(condition.left, no) && same(condition.right, yes)) {
      if (condition.op === '>') return this.values.smaller(...values);
      if (condition.op === '<') return this.values.larger(...values);
    }
    return this.values.select(...values, this.check(condition), at, !args.every(isPlain));
  }
}

const textOf = (arg: Expression | undefined): string =>
  arg?.kind === 'unary' ? textOf(arg.of) : arg?.kind === 'name' ? arg.name : '';

/** The type of what has no result. */
export const NOTHING = 'nothing';

function checkCount(name: string, wanted: number, args: readonly Expression[], at: Place): void {
  if (args.length === wanted) return;
  throw refusal(`${name} wants ${wanted} argument${wanted === 1 ? '' : 's'}, not ${args.length}`, at);
}

/** What a chain of members begins with, behind the pointers it follows. */
function rootOf(expression: Expression): Expression {
  if (expression.kind === 'member') return rootOf(expression.of);
  return expression.kind === 'unary' && expression.op === '*' ? rootOf(expression.of) : expression;
}

const followed = ({ of, name }: Expression & { kind: 'member' }): string =>
  `follow the pointer first: (*${of.kind === 'name' ? of.name : 'NAME'}).${name}`;

/** The first name, or call of a function, that is `wanted`. */
function firstName(expression: Expression, wanted: (name: string) => boolean): Expression | undefined {
  if (expression.kind === 'name') return wanted(expression.name) ? expression : undefined;
  if (expression.kind === 'member' || expression.kind === 'unary') return firstName(expression.of, wanted);
  if (expression.kind === 'binary') return firstName(expression.left, wanted) ?? firstName(expression.right, wanted);
  if (expression.kind !== 'call') return undefined;
  if (!isLeaf(expression.name)) return expression;
  return expression.args.map((arg) => firstName(arg, wanted)).find((found) => found);
}

/** Without calls of functions, which alone have effects. */
function isPlain(expression: Expression): boolean {
  if (expression.kind === 'literal' || expression.kind === 'name') return true;
  if (expression.kind === 'member' || expression.kind === 'unary') return isPlain(expression.of);
  if (expression.kind === 'binary') return isPlain(expression.left) && isPlain(expression.right);
  return isLeaf(expression.name) && expression.args.every(isPlain);
}

/** Whether two expressions without effects say the same. */
function same(a: Expression, b: Expression): boolean {
  if (!isPlain(a) || !isPlain(b)) return false;
  const text = (expression: Expression) =>
    JSON.stringify(expression, (key, value) => (key === 'at' ? undefined : value));
  return text(a) === text(b);
}
