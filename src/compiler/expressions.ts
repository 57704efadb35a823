// Expressions of the WGSL subset: their types, and the code that pushes their values. Float arithmetic is IEEE's, in the
// order written: no fusing, no regrouping, so every machine gives the same bits.

import { didYouMean } from '../errors.ts';
import {
  ARITHMETIC,
  BUILT_IN,
  COMPARISONS,
  EXTREMES,
  fold,
  LEAVES,
  LIBRARY,
  NARROW,
  type Ops,
  SHIFTS,
  UNARY,
  WIDE,
} from './operators.ts';
import { isLocal, type Storage, type Tree, treeAt, type Value } from './storage.ts';
import { type Expression, type FunctionSyntax, type Place, refusal, type Syntax } from './syntax.ts';
import { type Body, type Local, Op, Type } from './wasm.ts';

export interface Binding {
  type: string;
  tree: Tree;
  mutable: boolean;
  /** Whether the name is that of a pointer to the tree. */
  pointer: boolean;
  /** A number that what is there is known not to exceed. */
  most?: number | undefined;
}

/** What an expression stands among: the names it can use, and how a function is called. */
export interface Surroundings {
  find(name: string): Binding | undefined;
  names(): string[];
  /** Puts a function's code here; gives where its result is. */
  inline(called: FunctionSyntax, bindings: readonly Binding[]): Tree | undefined;
}

const NO_LOCALS: Surroundings = { find: () => undefined, names: () => [], inline: () => undefined };

const ABSTRACT = ['abstract int', 'abstract float'];
const isAbstract = ({ type }: Value): boolean => ABSTRACT.includes(type);
const isFloat = (type: string): boolean => ['f32', 'lane', 'abstract float'].includes(type);

/** Checks expressions; what `check` gives can then be emitted into the function's body. */
export class Expressions {
  readonly #around: Surroundings;
  readonly #storage: Storage;
  readonly #syntax: Syntax;
  readonly #body: Body;

  constructor(around: Surroundings, storage: Storage, syntax: Syntax, body: Body) {
    this.#around = around;
    this.#storage = storage;
    this.#syntax = syntax;
    this.#body = body;
  }

  /** What an expression names that can be assigned to, or pointed at. */
  place(expression: Expression): Binding {
    const { at } = expression;
    if (expression.kind === 'name') {
      const found = this.#around.find(expression.name);
      if (!found) throw refusal(this.#unknown(expression.name), at);
      return found;
    }
    if (expression.kind === 'unary' && expression.op === '*') {
      const pointer = this.place(expression.of);
      if (!pointer.pointer) throw refusal('only a pointer can be followed with *', at);
      return { ...pointer, pointer: false, mutable: true };
    }
    if (expression.kind === 'member') {
      const whole = this.place(expression.of);
      const member = this.#member(whole.type, expression.name, at);
      if (whole.pointer) throw refusal(`follow the pointer first: (*NAME).${expression.name}`, at);
      return { ...whole, type: member, tree: treeAt(whole.tree, expression.name) };
    }
    throw refusal('this cannot be assigned to', at);
  }

  #member(type: string, name: string, at: Place): string {
    const members = this.#syntax.structs.get(type);
    if (!members) throw refusal(`${type} has no members; the lanes of four neurons cannot be told apart`, at);
    const found = members.find((member) => member.name === name);
    if (found) return found.type.name;
    const known = members.map((member) => member.name);
    throw refusal(`${type} has no member "${name}"; ${didYouMean(name, known)}known: ${known.join(', ')}`, at);
  }

  #unknown(name: string): string {
    const known = [...this.#around.names(), ...this.#syntax.constants.keys()];
    return `unknown name "${name}"${known.length > 0 ? `; ${didYouMean(name, known)}known: ${known.join(', ')}` : ''}`;
  }

  check(expression: Expression): Value {
    switch (expression.kind) {
      case 'literal':
        return this.#literal(expression.text, expression.at);
      case 'name':
        return this.#name(expression.name, expression);
      case 'member':
        return this.#memberOf(expression);
      case 'unary':
        return this.#unary(expression);
      case 'binary':
        return this.#binary(expression);
      case 'call':
        return this.#call(expression);
    }
  }

  #constant(type: string, constant: number): Value {
    const emit = () => {
      if (type === 'f32') this.#body.f32(constant);
      else if (type === 'lane') this.#body.f32x4(constant);
      else if (type === 'bits') this.#body.i32x4(constant);
      else this.#body.i32(constant);
      return undefined;
    };
    return { type, constant, emit };
  }

  #literal(text: string, at: Place): Value {
    if (text === 'true' || text === 'false') return this.#constant('bool', text === 'true' ? 1 : 0);
    const hex = /^0x/i.test(text);
    const suffix = (hex ? /[iu]$/ : /[iufh]$/).exec(text)?.[0];
    if (suffix === 'i' || suffix === 'h') throw refusal(`${text}: there are no numbers of type ${suffix}32 or f16`, at);
    const number = Number(suffix ? text.slice(0, -1) : text);
    if (Number.isNaN(number)) throw refusal(`${text} is no number`, at);
    const whole = hex || /^\d+$/.test(suffix ? text.slice(0, -1) : text);
    if (suffix === 'u') return this.#constant('u32', number);
    if (suffix === 'f') return this.#constant('f32', number);
    return this.#constant(whole ? 'abstract int' : 'abstract float', number);
  }

  #name(name: string, expression: Expression): Value {
    const constant = this.#around.find(name) ? undefined : this.#syntax.constants.get(name);
    if (constant) {
      // Its value knows nothing of what is local here.
      const value = new Expressions(NO_LOCALS, this.#storage, this.#syntax, this.#body).check(constant.value);
      if (value.constant === undefined) throw refusal('a constant is computed from literals', constant.value.at);
      return constant.type ? this.convert(value, constant.type.name, constant.value.at) : value;
    }
    const place = this.place(expression);
    if (place.pointer) throw refusal(`"${name}" is a pointer; follow it: (*${name})`, expression.at);
    return this.#read(place);
  }

  #read({ type, tree, mutable, most }: Omit<Binding, 'pointer'>): Value {
    const emit = () => {
      if (isLocal(tree)) this.#body.get(tree);
      return tree;
    };
    return { type, fixed: mutable ? undefined : tree, most, emit };
  }

  #memberOf(expression: Expression & { kind: 'member' }): Value {
    const { of, name, at } = expression;
    if (of.kind !== 'call') {
      return this.#read(this.place(expression));
    }
    const whole = this.check(of);
    const type = this.#member(whole.type, name, at);
    const emit = () => {
      const tree = treeAt(whole.emit() as Tree, name);
      if (isLocal(tree)) this.#body.get(tree);
      return tree;
    };
    return { type, emit };
  }

  #unary(expression: Expression & { kind: 'unary' }): Value {
    const { op, of, at } = expression;
    if (op === '*') {
      return this.#read(this.place(expression));
    }
    if (op === '&') throw refusal('a pointer can only be given to a function', at);
    const value = this.check(of);
    if (op === '-' && isAbstract(value)) return this.#constant(value.type, -(value.constant as number));
    const ops: Readonly<Record<string, Ops>> = {
      '-': { lane: Op.f32x4neg, f32: Op.f32neg },
      '!': { flag: Op.v128not, bool: Op.i32eqz },
      '~': { bits: Op.v128not },
    };
    const instruction = ops[op]?.[value.type];
    if (instruction === undefined) throw refusal(`${op} is not supported for ${value.type}`, at);
    return this.#apply(value.type, [value], instruction);
  }

  #apply(type: string, values: readonly Value[], ...ops: Op[]): Value {
    const emit = () => {
      for (const value of values) value.emit();
      this.#body.op(...ops);
      return undefined;
    };
    return { type, emit };
  }

  #binary(expression: Expression & { kind: 'binary' }): Value {
    const { op, left, right, at } = expression;
    if (op === '&&' || op === '||') return this.#logic(op, left, right);
    const [a, b] = [this.check(left), this.check(right)];
    if (op === '<<' || op === '>>') return this.#shift(op, a, b, right);
    if (isAbstract(a) && isAbstract(b)) return this.#folded(op, a, b, at);
    const sum = this.#difference(expression, a, b);
    if (sum) return sum;
    const type = this.#common(op, a, b, at);
    const compared = COMPARISONS[type]?.[op];
    const instruction = compared ?? ARITHMETIC[type]?.[op];
    if (instruction === undefined) throw refusal(`${op} is not supported for ${type}`, at);
    const values = [this.convert(a, type, left.at), this.convert(b, type, right.at)];
    // WGSL: x / 0 is x, and x % 0 is 0; WebAssembly would trap.
    if (instruction === Op.i32div || instruction === Op.i32rem) values[1] = this.#atLeastOne(values[1] as Value);
    const result = compared === undefined ? type : type in NARROW ? 'flag' : 'bool';
    return this.#apply(result, values, instruction);
  }

  // -a + b is b - a, bit for bit, and one instruction instead of two.
  #difference({ op, left, right }: Expression & { kind: 'binary' }, a: Value, b: Value): Value | undefined {
    if (op !== '+' || a.type !== b.type || (a.type !== 'lane' && a.type !== 'f32')) return undefined;
    const minus = a.type === 'lane' ? Op.f32x4sub : Op.f32sub;
    if (left.kind === 'unary' && left.op === '-' && isPlain(left.of) && isPlain(right)) {
      return this.#apply(a.type, [b, this.check(left.of)], minus);
    }
    if (right.kind === 'unary' && right.op === '-') return this.#apply(a.type, [a, this.check(right.of)], minus);
    return undefined;
  }

  #atLeastOne(value: Value): Value {
    const emit = () => {
      const local = this.#body.local(Type.i32);
      value.emit();
      this.#body.tee(local);
      this.#body.i32(1);
      this.#body.get(local);
      this.#body.op(Op.select);
      return undefined;
    };
    return { type: 'u32', emit };
  }

  // Whether the right side is evaluated depends on the left: it may have effects.
  #logic(op: '&&' | '||', left: Expression, right: Expression): Value {
    const [a, b] = [left, right].map((side) => this.convert(this.check(side), 'bool', side.at)) as [Value, Value];
    const emit = () => {
      const local = this.#body.local(Type.i32);
      a.emit();
      this.#body.tee(local);
      if (op === '||') this.#body.op(Op.i32eqz);
      this.#body.if();
      b.emit();
      this.#body.set(local);
      this.#body.end();
      this.#body.get(local);
      return undefined;
    };
    return { type: 'bool', emit };
  }

  #shift(op: '<<' | '>>', a: Value, b: Value, right: Expression): Value {
    const value = this.concrete(a, 'u32');
    const instruction = SHIFTS[value.type]?.[op];
    if (instruction === undefined) throw refusal(`${op} is not supported for ${value.type}`, right.at);
    // WebAssembly shifts all lanes by the same amount.
    const scalar = value.type === 'u32' ? right : splatOf(right);
    if (!scalar) throw refusal('all lanes are shifted alike: write the amount as bits(AMOUNT)', right.at);
    const amount = scalar === right ? b : this.check(scalar);
    return this.#apply(value.type, [value, this.convert(amount, 'u32', right.at)], instruction);
  }

  #folded(op: string, a: Value, b: Value, at: Place): Value {
    const [x, y] = [a.constant as number, b.constant as number];
    const float = a.type === 'abstract float' || b.type === 'abstract float';
    const result = fold[op]?.(x, y);
    if (result === undefined) throw refusal(`${op} is not supported for two literals`, at);
    if (!Number.isFinite(result)) throw refusal('this constant is not finite', at);
    return float ? this.#constant('abstract float', result) : this.#constant('abstract int', Math.trunc(result));
  }

  /** The type two operands meet in: that of both, or the vector's where the other is its scalar. */
  #common(op: string, a: Value, b: Value, at: Place): string {
    const scalarOf = (value: Value, other: Value) => {
      if (!isAbstract(value)) return value.type;
      const scalar = NARROW[other.type] ?? other.type;
      return scalar === 'u32' && value.type === 'abstract float' ? 'f32' : scalar;
    };
    const [s, t] = [scalarOf(a, b), scalarOf(b, a)];
    if (s === t) return s;
    const mixes = fold[op] !== undefined;
    if (mixes && WIDE[s] === t && t !== 'flag') return t;
    if (mixes && WIDE[t] === s && s !== 'flag') return s;
    const hint = WIDE[s] === t || WIDE[t] === s ? `; write ${WIDE[s] === t ? t : s}(...) around the number` : '';
    throw refusal(`${op} wants two of one type, not ${s} and ${t}${hint}`, at);
  }

  /** A literal takes the type it is wanted in; a scalar becomes a vector only beside one, in arithmetic. */
  convert(value: Value, type: string, at: Place): Value {
    if (value.type === type) return value;
    const scalar = NARROW[type] ?? type;
    if (isAbstract(value)) {
      const fits = isFloat(scalar) || (scalar === 'u32' && value.type === 'abstract int');
      const constant = value.constant as number;
      if (fits && scalar === 'u32' && !(constant >= 0 && constant <= 0xffffffff)) {
        throw refusal(`${constant} is no u32`, at);
      }
      if (fits) return this.#constant(type, constant);
    } else if (value.type === scalar) {
      if (value.constant !== undefined) return this.#constant(type, value.constant);
      if (type === 'lane') return this.#apply(type, [value], Op.f32x4splat);
      if (type === 'bits') return this.#apply(type, [value], Op.i32x4splat);
    }
    throw refusal(`a value of type ${type} is wanted here, not ${value.type}`, at);
  }

  concrete(value: Value, whole = 'f32'): Value {
    if (!isAbstract(value)) return value;
    return this.#constant(value.type === 'abstract int' ? whole : 'f32', value.constant as number);
  }

  #call(expression: Expression & { kind: 'call' }): Value {
    const { name, args, at } = expression;
    if (name in LEAVES || this.#syntax.structs.has(name)) return this.#construct(name, args, at);
    const called = this.#syntax.functions.get(name);
    if (called && !LIBRARY.includes(name)) return this.#callOf(called, args, at);
    if (!BUILT_IN.includes(name)) {
      const known = [...this.#syntax.functions.keys(), ...BUILT_IN];
      throw refusal(
        `"${name}" is not supported; ${didYouMean(name, known)}known: ${[...new Set(known)].join(', ')}`,
        at,
      );
    }
    const wanted = name === 'select' ? 3 : name === 'min' || name === 'max' ? 2 : 1;
    if (args.length !== wanted) throw refusal(`${name} wants ${wanted} arguments, not ${args.length}`, at);
    if (name === 'select') return this.#select(expression);
    if (name === 'bitcast') return this.#bitcast(expression);
    if (name === 'min' || name === 'max') return this.#extreme(expression);
    return this.#function(expression, called);
  }

  // Built-ins of one number, which may be a lane or a scalar.
  #function({ name, args, at }: Expression & { kind: 'call' }, library: FunctionSyntax | undefined): Value {
    const value = this.concrete(this.check(args[0] as Expression));
    if (!isFloat(value.type)) throw refusal(`${name} wants a lane or f32, not ${value.type}`, at);
    const instruction = UNARY[value.type]?.[name];
    if (instruction !== undefined) return this.#apply(value.type, [value], instruction);
    if (!library) throw refusal(`${name}: shaders/math/${name}.wgsl is missing`, at);
    const wide = this.#convertAny(value, 'lane', at);
    const emit = () => {
      const tree = this.#body.local(Type.v128);
      wide.emit();
      this.#body.set(tree);
      const binding = { type: 'lane', tree, mutable: false, pointer: false, most: value.most };
      const result = this.#around.inline(library, [binding]) as Local;
      this.#body.get(result);
      if (value.type === 'f32') this.#body.firstF32();
      return result;
    };
    return { type: value.type, emit };
  }

  #convertAny = (value: Value, type: string, at: Place): Value =>
    value.type === type ? value : this.convert(value, type, at);

  #callOf(called: FunctionSyntax, args: readonly Expression[], at: Place): Value {
    const { name, parameters, result } = called;
    if (args.length !== parameters.length) {
      throw refusal(`${name} wants ${parameters.length} arguments, not ${args.length}`, at);
    }
    const given = parameters.map(({ type: { name: type, pointer } }, i) => {
      const arg = args[i] as Expression;
      return pointer ? this.#pointer(arg, type) : this.convert(this.check(arg), type, arg.at);
    });
    const emit = () => {
      const bindings = given.map((value): Binding => {
        if ('tree' in value) return value;
        const tree = value.fixed ?? this.#storage.allocate(value.type);
        if (!value.fixed) this.#storage.store(value, tree);
        return { type: value.type, tree, mutable: false, pointer: false, most: value.most };
      });
      const tree = this.#around.inline(called, bindings);
      if (tree && isLocal(tree)) this.#body.get(tree);
      return tree;
    };
    return { type: result?.name ?? 'nothing', emit };
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
    return { ...place, pointer: true };
  }

  #construct(type: string, args: readonly Expression[], at: Place): Value {
    const leaf = LEAVES[type];
    if (leaf === undefined) return this.#constructStruct(type, args, at);
    if (args.length === 0) return this.#constant(type, 0);
    if (args.length > 1) throw refusal(`${type}(...) wants one value, not ${args.length}`, at);
    const value = this.check(args[0] as Expression);
    const conversions: Readonly<Record<string, Op>> = {
      'lane bits': Op.f32x4convert,
      'f32 u32': Op.f32convert,
      'bits lane': Op.i32x4truncate,
      'u32 f32': Op.i32truncate,
    };
    const conversion = conversions[`${type} ${value.type}`];
    if (conversion !== undefined) return this.#apply(type, [value], conversion);
    return this.convert(value, type, at);
  }

  #constructStruct(type: string, args: readonly Expression[], at: Place): Value {
    const members = this.#syntax.structs.get(type) ?? [];
    if (args.length !== 0 && args.length !== members.length) {
      throw refusal(`${type}(...) wants ${members.length} values, not ${args.length}`, at);
    }
    const values = args.map((arg, i) => this.convert(this.check(arg), members[i]?.type.name as string, arg.at));
    const emit = () => {
      const tree = this.#storage.allocate(type) as ReadonlyMap<string, Tree>;
      if (args.length === 0) this.#storage.clear(tree);
      for (const [i, part] of [...tree.values()].entries()) if (values[i]) this.#storage.store(values[i], part);
      return tree;
    };
    return { type, emit };
  }

  #select({ args, at }: Expression & { kind: 'call' }): Value {
    const [no, yes, condition] = args as [Expression, Expression, Expression];
    let cond = this.check(condition);
    let [a, b] = [this.check(no), this.check(yes)];
    const type = this.concrete(this.#convertAny(a, this.#common('select', a, b, at), at)).type;
    [a, b] = [this.convert(a, type, no.at), this.convert(b, type, yes.at)];
    if (!(type in LEAVES)) throw refusal(`select is not supported for ${type}`, at);
    // WebAssembly wants them in another order than the text, in which effects of calls have to come.
    if (!args.every(isPlain)) [a, b, cond] = this.#inOrder([a, b, cond]);
    if (cond.type === 'bool') return this.#apply(type, [b, a, cond], Op.select);
    if (cond.type !== 'flag' || !(type in NARROW)) throw refusal(`select cannot choose ${type} by ${cond.type}`, at);
    // select(x, y, x > y) is the smaller of both, bit for bit, and one instruction.
    if (type === 'lane' && condition.kind === 'binary' && same(condition.left, no) && same(condition.right, yes)) {
      if (condition.op === '>') return this.#smaller(a, b);
      if (condition.op === '<') return this.#larger(a, b);
    }
    if (Object.is(a.constant, 0)) return this.#apply(type, [b, cond], Op.v128and);
    return this.#apply(type, [b, a, cond], Op.v128bitselect);
  }

  /** The values, evaluated in this order where the first of them is. */
  #inOrder(values: [Value, Value, Value]): [Value, Value, Value] {
    const locals = values.map(({ type }) => this.#storage.allocate(type) as Local);
    const evaluate = () => {
      for (const [i, value] of values.entries()) {
        value.emit();
        this.#body.set(locals[i] as Local);
      }
    };
    const [a, b, c] = values.map(({ type }, i) => this.#read({ type, tree: locals[i] as Local, mutable: true })) as [
      Value,
      Value,
      Value,
    ];
    // select pushes its second value first.
    const emit = () => {
      evaluate();
      return b.emit();
    };
    return [a, { ...b, emit }, c];
  }

  #bitcast({ args, template = '', at }: Expression & { kind: 'call' }): Value {
    const value = this.concrete(this.check(args[0] as Expression), 'u32');
    const [from, to] = [value.type, template];
    const casts: Readonly<Record<string, Op[]>> = {
      'lane bits': [],
      'bits lane': [],
      'f32 u32': [Op.i32reinterpret],
      'u32 f32': [Op.f32reinterpret],
    };
    const ops = from === to ? [] : casts[`${from} ${to}`];
    if (!ops) throw refusal(`bitcast<${to}> of ${from} is not supported`, at);
    return this.#apply(to, [value], ...ops);
  }

  // Of two equal lanes both give the first, as WGSL's functions and select do. Bounds are remembered, so that a law's cap
  // makes that of exp superfluous.
  #smaller(a: Value, b: Value): Value {
    if (a.most !== undefined && b.constant !== undefined && a.most <= b.constant) return a;
    return { ...this.#apply('lane', [a, b], Op.f32x4pmin), most: b.constant ?? a.most };
  }

  #larger(a: Value, b: Value): Value {
    const most = a.most !== undefined && b.constant !== undefined ? Math.max(a.most, b.constant) : undefined;
    return { ...this.#apply('lane', [a, b], Op.f32x4pmax), most };
  }

  #extreme({ name, args, at }: Expression & { kind: 'call' }): Value {
    const [left, right] = args as [Expression, Expression];
    const [a, b] = [this.check(left), this.check(right)];
    if (isAbstract(a) && isAbstract(b)) throw refusal(`${name} of two literals is not supported`, at);
    const type = this.#common(name, a, b, at);
    const values = [this.convert(a, type, left.at), this.convert(b, type, right.at)] as const;
    if (type === 'lane') return name === 'min' ? this.#smaller(...values) : this.#larger(...values);
    const instruction = EXTREMES[type]?.[name];
    if (instruction !== undefined) return this.#apply(type, values, instruction);
    const compare = COMPARISONS[type]?.[name === 'min' ? '<' : '>'];
    if (compare === undefined || type in NARROW) throw refusal(`${name} is not supported for ${type}`, at);
    const emit = () => {
      const [x, y] = [this.#storage.allocate(type) as Local, this.#storage.allocate(type) as Local];
      values[0].emit();
      this.#body.set(x);
      values[1].emit();
      this.#body.tee(y);
      this.#body.get(x);
      this.#body.get(y);
      this.#body.get(x);
      this.#body.op(compare, Op.select);
      return undefined;
    };
    return { type, emit };
  }
}

/** Without calls of functions, which alone have effects. */
function isPlain(expression: Expression): boolean {
  if (expression.kind === 'literal' || expression.kind === 'name') return true;
  if (expression.kind === 'member' || expression.kind === 'unary') return isPlain(expression.of);
  if (expression.kind === 'binary') return isPlain(expression.left) && isPlain(expression.right);
  return expression.name in LEAVES && expression.args.every(isPlain);
}

/** Whether two expressions without effects say the same. */
function same(a: Expression, b: Expression): boolean {
  if (!isPlain(a) || !isPlain(b)) return false;
  const text = (expression: Expression) =>
    JSON.stringify(expression, (key, value) => (key === 'at' ? undefined : value));
  return text(a) === text(b);
}

/** The number in `bits(NUMBER)`. */
const splatOf = (expression: Expression): Expression | undefined =>
  expression.kind === 'call' && expression.name === 'bits' && expression.args.length === 1
    ? expression.args[0]
    : undefined;
