// Which instruction each operator and built-in of WGSL is, for each type; and what types there are.

import { Op, Type } from './wasm.ts';

/** The types that are one local. */
export const LEAVES: Readonly<Record<string, Type>> = {
  f32: Type.f32,
  u32: Type.i32,
  bool: Type.i32,
  lane: Type.v128,
  flag: Type.v128,
  bits: Type.v128,
};

/** Whether a type is one local. */
export const isLeaf = (type: string): boolean => Object.hasOwn(LEAVES, type);

/** The type of four of a scalar, and of one of a vector. */
export const WIDE: Readonly<Record<string, string>> = { f32: 'lane', u32: 'bits', bool: 'flag' };
export const NARROW: Readonly<Record<string, string>> = { lane: 'f32', bits: 'u32', flag: 'bool' };

/** Instructions by operator, or by name. */
export type Ops = Readonly<Record<string, Op>>;

// Of each operator, by the type of both its sides.
export const ARITHMETIC: Readonly<Record<string, Ops>> = {
  lane: { '+': Op.f32x4add, '-': Op.f32x4sub, '*': Op.f32x4mul, '/': Op.f32x4div },
  f32: { '+': Op.f32add, '-': Op.f32sub, '*': Op.f32mul, '/': Op.f32div },
  bits: { '+': Op.i32x4add, '-': Op.i32x4sub, '*': Op.i32x4mul, '&': Op.v128and, '|': Op.v128or, '^': Op.v128xor },
  u32: {
    ...{ '+': Op.i32add, '-': Op.i32sub, '*': Op.i32mul, '/': Op.i32div, '%': Op.i32rem },
    ...{ '&': Op.i32and, '|': Op.i32or, '^': Op.i32xor },
  },
  flag: { '&': Op.v128and, '|': Op.v128or },
  bool: { '&': Op.i32and, '|': Op.i32or },
};

export const COMPARISONS: Readonly<Record<string, Ops>> = {
  lane: {
    ...{ '==': Op.f32x4eq, '!=': Op.f32x4ne, '<': Op.f32x4lt, '>': Op.f32x4gt, '<=': Op.f32x4le, '>=': Op.f32x4ge },
  },
  f32: { '==': Op.f32eq, '!=': Op.f32ne, '<': Op.f32lt, '>': Op.f32gt, '<=': Op.f32le, '>=': Op.f32ge },
  bits: {
    ...{ '==': Op.i32x4eq, '!=': Op.i32x4ne, '<': Op.i32x4lt, '>': Op.i32x4gt, '<=': Op.i32x4le, '>=': Op.i32x4ge },
  },
  u32: { '==': Op.i32eq, '!=': Op.i32ne, '<': Op.i32lt, '>': Op.i32gt, '<=': Op.i32le, '>=': Op.i32ge },
  flag: { '==': Op.i32x4eq, '!=': Op.i32x4ne },
  bool: { '==': Op.i32eq, '!=': Op.i32ne },
};

export const SHIFTS: Readonly<Record<string, Ops>> = {
  bits: { '<<': Op.i32x4shl, '>>': Op.i32x4shr },
  u32: { '<<': Op.i32shl, '>>': Op.i32shr },
};

/** Operators and built-in functions of one number that are one instruction. */
export const UNARY: Readonly<Record<string, Ops>> = {
  lane: { '-': Op.f32x4neg, abs: Op.f32x4abs, floor: Op.f32x4floor, round: Op.f32x4nearest, sqrt: Op.f32x4sqrt },
  f32: { '-': Op.f32neg, abs: Op.f32abs, floor: Op.f32floor, round: Op.f32nearest, sqrt: Op.f32sqrt },
  bits: { '~': Op.v128not },
  flag: { '!': Op.v128not },
  bool: { '!': Op.i32eqz },
};

/** `min` and `max` that are one instruction; those of lanes are too, but see Values. */
export const EXTREMES: Readonly<Record<string, Ops>> = {
  bits: { min: Op.i32x4minU, max: Op.i32x4maxU },
};

/** TO(FROM), by `TO FROM`. */
export const CONVERSIONS: Ops = {
  'lane bits': Op.f32x4convert,
  'f32 u32': Op.f32convert,
  'bits lane': Op.i32x4truncate,
  'u32 f32': Op.i32truncate,
};

/** bitcast<TO>(FROM), by `FROM TO`. */
export const CASTS: Readonly<Record<string, readonly Op[]>> = {
  'lane bits': [],
  'bits lane': [],
  'f32 u32': [Op.i32reinterpret],
  'u32 f32': [Op.f32reinterpret],
};

/** Built-in functions of one number that are one instruction. */
export const INSTRUCTIONS = ['abs', 'floor', 'round', 'sqrt'];

/** All there are; the last four are functions of shaders/math/. */
export const BUILT_IN = ['select', 'min', 'max', 'any', 'bitcast', ...INSTRUCTIONS, 'exp', 'log', 'sin', 'cos'];

/** What does for built-in functions that are not there. */
export const INSTEAD: Readonly<Record<string, string>> = {
  pow: 'x * x, or exp(y * log(x))',
  exp2: 'exp(0.6931472 * x)',
  tanh: '1.0 - 2.0 / (exp(min(2.0 * x, lane(80.0))) + 1.0)',
  clamp: 'min(max(x, low), high)',
  mix: 'x + (y - x) * part',
  step: 'select(lane(0.0), lane(1.0), x >= edge)',
  ceil: '-floor(-x)',
};

/** What is computed of literals alone, in float64; these operators also take a scalar beside a vector. */
export const FOLDS: Readonly<Record<string, (a: number, b: number) => number>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
};
