// Operations on values: what their types are, and the code that computes them. It knows no syntax tree and no names.
// Float arithmetic is IEEE's, in the order written: no fusing, no regrouping, so every machine gives the same bits.

import {
  ARITHMETIC,
  CASTS,
  COMPARISONS,
  CONVERSIONS,
  EXTREMES,
  FOLDS,
  isLeaf,
  LEAVES,
  NARROW,
  SHIFTS,
  UNARY,
  WIDE,
} from './operators.ts';
import { isLocal, type Tree } from './storage.ts';
import { type Place, refusal } from './syntax.ts';
import { type Body, type Local, Op, Type } from './wasm.ts';

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

/** A value that stands somewhere. */
export type Placed = Value & { at: Place };

const WHOLE = 'abstract int';
const FLOAT = 'abstract float';
/** Whether it is a literal, or computed of literals, that has no type yet. */
export const isAbstract = ({ type }: Value): boolean => type === WHOLE || type === FLOAT;

const LARGEST = 3.4028234663852886e38;

export class Values {
  readonly #body: Body;

  constructor(body: Body) {
    this.#body = body;
  }

  constant(type: string, constant: number): Value {
    const emit = () => {
      if (type === 'f32') this.#body.f32(constant);
      else if (type === 'lane') this.#body.f32x4(constant);
      else if (type === 'bits') this.#body.i32x4(constant);
      else if (type === 'flag') this.#body.i32x4(-constant);
      else this.#body.i32(constant);
      return undefined;
    };
    return { type, constant, emit };
  }

  literal(text: string, at: Place): Value {
    if (text === 'true' || text === 'false') return this.constant('bool', text === 'true' ? 1 : 0);
    const hex = /^0x/i.test(text);
    const suffix = (hex ? /[iu]$/ : /[iufh]$/).exec(text)?.[0];
    if (suffix === 'i') throw refusal(`${text}: there are no numbers of type i32`, at);
    if (suffix === 'h') throw refusal(`${text}: there are no numbers of type f16`, at);
    const digits = suffix ? text.slice(0, -1) : text;
    const whole = hex || /^\d+$/.test(digits);
    const number = Number(digits);
    if (Number.isNaN(number) || /^0\d/.test(digits) || (suffix === 'u' && !whole)) {
      throw refusal(`${text} is no number of WGSL`, at);
    }
    const value = this.constant(whole ? WHOLE : FLOAT, number);
    if (whole && !Number.isSafeInteger(number)) throw refusal(`${text} lies beyond the range of numbers`, at);
    if (!Number.isFinite(number)) throw refusal(`${text} lies beyond the range of numbers`, at);
    if (suffix === 'u') return this.convert(value, 'u32', at);
    return suffix === 'f' ? this.convert(value, 'f32', at) : value;
  }

  /** What is in a tree. */
  read(type: string, tree: Tree, mutable: boolean, most?: number): Value {
    const emit = () => {
      if (isLocal(tree)) this.#body.get(tree);
      return tree;
    };
    return { type, fixed: mutable ? undefined : tree, most, emit };
  }

  apply(type: string, values: readonly Value[], ...ops: Op[]): Value {
    const emit = () => {
      for (const value of values) value.emit();
      this.#body.op(...ops);
      return undefined;
    };
    return { type, emit };
  }

  /** A value for a place of this type: only a number without a type takes one. */
  convert(value: Value, type: string, at: Place): Value {
    if (value.type === type) return value;
    if (isAbstract(value) && (type === 'f32' || (type === 'u32' && value.type === WHOLE))) {
      return this.#typed(value, type, at);
    }
    const fits = WIDE[value.type] === type || (isAbstract(value) && type === 'lane');
    const wide = type === 'bool' && value.type === 'flag' ? '; flags are joined with & and |' : '';
    const hint = fits ? `; write ${type}(...) around it` : wide;
    throw refusal(`a value of type ${type} is wanted here, not ${value.type}${hint}`, at);
  }

  #typed({ constant = 0 }: Value, type: string, at: Place): Value {
    if (type === 'u32' || type === 'bits') {
      if (!(constant >= 0 && constant <= 0xffffffff)) throw refusal(`${constant} is no u32`, at);
    } else if (!(Math.abs(constant) <= LARGEST)) throw refusal(`${constant} lies beyond the range of f32`, at);
    return this.constant(type, constant);
  }

  /** A number without a type takes the one it has by default; whole ones would be i32, which is not there. */
  concrete(value: Value, at: Place): Value {
    if (value.type === WHOLE) {
      throw refusal(
        `${value.constant} is an i32 here, which is not supported: write ${value.constant}u or ${value.constant}.0`,
        at,
      );
    }
    return value.type === FLOAT ? this.#typed(value, 'f32', at) : value;
  }

  /** Four of a scalar, or the vector it is already. */
  splat(value: Value, type: string, at: Place): Value {
    const scalar = NARROW[type];
    if (value.type === type || scalar === undefined) return this.convert(value, type, at);
    if (isAbstract(value)) return { ...this.#typed(this.convert(value, scalar, at), type, at), most: value.constant };
    if (value.type !== scalar) return this.convert(value, type, at);
    if (value.constant !== undefined) return this.constant(type, value.constant);
    if (type === 'lane') return this.apply(type, [value], Op.f32x4splat);
    if (type === 'bits') return this.apply(type, [value], Op.i32x4splat);
    // A true flag has all its bits set.
    return this.apply(type, [this.constant('u32', 0), value], Op.i32sub, Op.i32x4splat);
  }

  /** TYPE(value): a conversion, or four of it. */
  construct(type: string, value: Placed, at: Place): Value {
    const conversion = CONVERSIONS[`${type} ${value.type}`];
    if (conversion !== undefined) return this.apply(type, [value], conversion);
    return this.splat(value, type, isAbstract(value) ? value.at : at);
  }

  bitcast(type: string, given: Value, at: Place): Value {
    const value = given.type === WHOLE ? this.convert(given, 'u32', at) : this.concrete(given, at);
    const ops = value.type === type ? [] : CASTS[`${value.type} ${type}`];
    if (!ops) throw refusal(`bitcast<${type}> of ${value.type} is not supported`, at);
    return this.apply(type, [value], ...ops);
  }

  /** Whether one of four neurons' conditions holds: the one way from them to a branch. */
  any(value: Value, at: Place): Value {
    if (value.type !== 'flag') throw refusal(`any wants a flag, not ${value.type}`, at);
    return this.apply('bool', [value], Op.v128anyTrue);
  }

  unary(op: string, value: Value, at: Place): Value {
    // Adding 0 makes -0 a 0, as whole numbers have it.
    if (op === '-' && value.type === WHOLE) return this.constant(WHOLE, -(value.constant as number) + 0);
    if (op === '-' && value.type === FLOAT) return this.constant(FLOAT, -(value.constant as number));
    if (op === '~' && value.type === 'u32')
      return this.apply('u32', [value, this.constant('u32', 0xffffffff)], Op.i32xor);
    const instruction = UNARY[value.type]?.[op];
    if (instruction === undefined) throw refusal(`${op} is not supported for ${value.type}`, at);
    return this.apply(value.type, [value], instruction);
  }

  /** Arithmetic, comparisons and bitwise operators, but for shifts. */
  binary(op: string, a: Placed, b: Placed, at: Place): Value {
    if (isAbstract(a) && isAbstract(b)) return this.#folded(op, a, b, at);
    const type = this.common(op, a, b, at);
    const compared = COMPARISONS[type]?.[op];
    const instruction = compared ?? ARITHMETIC[type]?.[op];
    if (instruction === undefined) throw refusal(`${op} is not supported for ${type}`, at);
    const values = [this.splat(a, type, a.at), this.splat(b, type, b.at)];
    if (instruction === Op.i32div || instruction === Op.i32rem) values[1] = this.#divisor(values[1] as Value, b.at);
    checkFinite(op, values, at);
    return this.apply(compared === undefined ? type : type in NARROW ? 'flag' : 'bool', values, instruction);
  }

  /** The high 32 bits of a product of a u32, given in halves, and four others. */
  highProduct(high: Value, low: Value, b: Value): Value {
    const emit = () => {
      const [x, y] = [this.#body.local(Type.v128), this.#body.local(Type.v128)];
      high.emit();
      this.#body.i32(16);
      this.#body.op(Op.i32shl);
      low.emit();
      this.#body.op(Op.i32or, Op.i32x4splat);
      this.#body.set(x);
      b.emit();
      this.#body.set(y);
      for (const half of [Op.i64x2extmulLowU, Op.i64x2extmulHighU]) {
        this.#body.get(x);
        this.#body.get(y);
        this.#body.op(half);
      }
      this.#body.shuffle([1, 3, 5, 7]);
      return undefined;
    };
    return { type: 'bits', emit };
  }

  /** a - b of floats. */
  difference = (a: Value, b: Value): Value => this.apply(a.type, [a, b], a.type === 'lane' ? Op.f32x4sub : Op.f32sub);

  #folded(op: string, a: Value, b: Value, at: Place): Value {
    const float = a.type === FLOAT || b.type === FLOAT;
    const result = FOLDS[op]?.(a.constant as number, b.constant as number);
    if (result === undefined) throw refusal(`${op} is not supported for two literals`, at);
    if (!Number.isFinite(result)) throw refusal('this constant is not finite', at);
    return float ? this.constant(FLOAT, result) : this.whole(result, at);
  }

  /** A whole number without a type; WGSL's have 64 bits, of which a double holds 53. */
  whole(number: number, at: Place): Value {
    if (!Number.isSafeInteger(Math.trunc(number))) throw refusal('this constant goes beyond 2^53', at);
    return this.constant(WHOLE, Math.trunc(number) + 0);
  }

  // WGSL: x / 0 is x, and x % 0 is 0; WebAssembly would trap. A constant 0 it refuses.
  #divisor(value: Value, at: Place): Value {
    if (value.constant === 0) throw refusal('a division by 0', at);
    if (value.constant !== undefined) return value;
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

  /** The type two operands meet in: that of both, or the vector's where the other is its scalar, in arithmetic. */
  common(op: string, a: Value, b: Value, at: Place): string {
    const [s, t] = [typeBeside(a, b), typeBeside(b, a)];
    if (s === t) return s;
    const mixes = op in FOLDS;
    if (mixes && WIDE[s] === t && t !== 'flag') return t;
    if (mixes && WIDE[t] === s && s !== 'flag') return s;
    const wide = WIDE[s] === t ? t : WIDE[t] === s ? s : undefined;
    throw refusal(
      `${op} wants two of one type, not ${s} and ${t}${wide ? `; write ${wide}(...) around the number` : ''}`,
      at,
    );
  }

  /** `a << amount` or `a >> amount`, the same amount for all lanes, because WebAssembly has no other. */
  shift(op: string, a: Value, amount: Value, at: Place, amountAt: Place): Value {
    const instruction = SHIFTS[a.type]?.[op];
    if (instruction === undefined && a.type !== WHOLE) throw refusal(`${op} is not supported for ${a.type}`, at);
    const by = this.convert(amount, 'u32', amountAt);
    if (a.type === WHOLE && a.constant !== undefined && by.constant !== undefined) {
      const power = 2 ** by.constant;
      return this.whole(op === '<<' ? a.constant * power : Math.floor(a.constant / power), at);
    }
    if (instruction === undefined) throw refusal(`write ${a.constant}u: a number without a type is an i32 here`, at);
    if ((by.constant ?? 0) >= 32) throw refusal(`${by.constant} bits are more than a word has but one`, amountAt);
    return this.apply(a.type, [a, by], instruction);
  }

  // Whether the right side is evaluated depends on the left: it may have effects.
  logic(op: '&&' | '||', a: Value, b: Value): Value {
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

  /** WGSL's `select(no, yes, condition)`. `ordered`: they have effects, which come in this order. */
  select(no: Value, yes: Value, condition: Value, at: Place, ordered: boolean): Value {
    const { type } = no;
    if (!isLeaf(type)) throw refusal(`select is not supported for ${type}`, at);
    const fits = condition.type === 'bool' || (condition.type === 'flag' && type in NARROW);
    if (!fits) throw refusal(`select cannot choose ${type} by ${condition.type}`, at);
    const [a, b, c] = ordered ? this.#inOrder(no, yes, condition) : [no, yes, condition];
    if (condition.type === 'bool') return this.apply(type, [b, a, c], Op.select);
    if (Object.is(a.constant, 0)) return this.apply(type, [b, c], Op.v128and);
    return this.apply(type, [b, a, c], Op.v128bitselect);
  }

  // The values in locals, all three evaluated where the second is asked for: select pushes that one first.
  #inOrder(...values: [Value, Value, Value]): [Value, Value, Value] {
    const locals = values.map(({ emit, type }) => ({ emit, type, local: undefined as Local | undefined }));
    const read = (i: number, before?: () => void): Value => {
      const emit = () => {
        before?.();
        this.#body.get(locals[i]?.local as Local);
        return undefined;
      };
      return { type: values[i]?.type as string, emit };
    };
    const evaluate = () => {
      for (const each of locals) {
        each.emit();
        each.local = this.#body.local(LEAVES[each.type] as Type);
        this.#body.set(each.local);
      }
    };
    return [read(0), read(1, evaluate), read(2)];
  }

  /** The smaller or the larger of two; of equal ones the first, as WGSL has it. */
  extreme(name: 'min' | 'max', a: Value, b: Value, at: Place): Value {
    if (isAbstract(a) && isAbstract(b)) throw refusal(`${name} of two literals is not supported`, at);
    const type = this.common(name, a, b, at);
    const [x, y] = [this.splat(a, type, at), this.splat(b, type, at)];
    if (type === 'lane') return name === 'min' ? this.smaller(x, y) : this.larger(x, y);
    const instruction = EXTREMES[type]?.[name];
    if (instruction !== undefined) return this.apply(type, [x, y], instruction);
    const compare = type in NARROW ? undefined : COMPARISONS[type]?.[name === 'min' ? '<' : '>'];
    if (compare === undefined) throw refusal(`${name} is not supported for ${type}`, at);
    return this.#chosen(x, y, compare);
  }

  // Bounds are remembered, so that a law's own cap makes that of exp superfluous.
  smaller(a: Value, b: Value): Value {
    if (a.most !== undefined && b.constant !== undefined && a.most <= b.constant) return a;
    return { ...this.apply('lane', [a, b], Op.f32x4pmin), most: b.constant ?? a.most };
  }

  larger(a: Value, b: Value): Value {
    const most = a.most !== undefined && b.constant !== undefined ? Math.max(a.most, b.constant) : undefined;
    return { ...this.apply('lane', [a, b], Op.f32x4pmax), most };
  }

  /** b where it compares so with a, else a. */
  #chosen(a: Value, b: Value, compare: Op): Value {
    const emit = () => {
      const type = a.type === 'f32' ? Type.f32 : Type.i32;
      const [x, y] = [this.#body.local(type), this.#body.local(type)];
      a.emit();
      this.#body.set(x);
      b.emit();
      this.#body.tee(y);
      this.#body.get(x);
      this.#body.get(y);
      this.#body.get(x);
      this.#body.op(compare, Op.select);
      return undefined;
    };
    return { type: a.type, emit };
  }
}

/** Refuses what WGSL computes when it compiles and finds to be no number: 3e38f * 10f. */
function checkFinite(op: string, [a, b]: readonly Value[], at: Place): void {
  if (a?.type !== 'f32' || a.constant === undefined || b?.constant === undefined) return;
  const result = FOLDS[op]?.(a.constant, b.constant) ?? 0;
  if (!(Math.abs(result) <= LARGEST)) throw refusal('this constant is not finite', at);
}

/** The type a value has beside another: a number without a type takes that of its neighbour. */
function typeBeside(value: Value, other: Value): string {
  if (!isAbstract(value)) return value.type;
  const scalar = NARROW[other.type] ?? other.type;
  return scalar === 'u32' && value.type === FLOAT ? 'f32' : scalar;
}
