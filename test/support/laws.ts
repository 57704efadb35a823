// Random laws in the WGSL subset: each a text, and beside it what WGSL says it means, as closures that compute one neuron
// in float32 and uint32. The evaluator shares nothing with the compiler: it is built with the text, not from it.
// Random choices come from a tape of numbers; 0 is always the simplest choice, so that fast-check finds small laws.

import * as fc from 'fast-check';
import type { Law } from './compiled.ts';

type Value = number | boolean | readonly Value[];
interface Cell {
  value: Value;
}
/** The variables of a call, by their number; a pointer is the cell it points to. */
type Frame = Cell[];

/** A law, and what it gives for one neuron; nothing where the result is not defined bit by bit. */
export interface RandomLaw extends Law {
  expected(members: readonly number[], n: number): number | undefined;
}

export interface LawOptions {
  /** Choices in a function, at most: how large it can become. */
  size?: number;
  /**
   * Without what WGSL lets a GPU do its own way: division and sqrt (errors of 2.5 ulp), subnormal numbers (flushed), the
   * sign of zero (ignored), and sums and products that are not exact (regrouped, fused): sections 15.7.2 to 15.7.5.
   */
  portable?: boolean;
}

/** What an expression is in the grammar; it decides where parentheses have to be. */
type Rank = 'primary' | 'unary' | 'times' | 'plus' | 'shift' | 'relation' | '&&' | '||' | '&' | '|' | '^';

interface Node {
  text: string;
  rank: Rank;
  /** Whether WGSL computes it when it compiles: then nothing may overflow in it. */
  constant: boolean;
  value: (frame: Frame) => Value;
}

const TIGHT: Rank[] = ['primary', 'unary'];
const SUMS: Rank[] = [...TIGHT, 'times', 'plus'];
const COMPARED: Rank[] = [...SUMS, 'shift'];
/** Which operands need no parentheses (section 8.18 of WGSL). */
const LEFT: Readonly<Record<Exclude<Rank, 'primary' | 'unary'>, Rank[]>> = {
  times: [...TIGHT, 'times'],
  plus: SUMS,
  shift: TIGHT,
  relation: COMPARED,
  '&&': [...COMPARED, 'relation', '&&'],
  '||': [...COMPARED, 'relation', '||'],
  '&': [...TIGHT, '&'],
  '|': [...TIGHT, '|'],
  '^': [...TIGHT, '^'],
};
const RIGHT: typeof LEFT = {
  times: TIGHT,
  plus: [...TIGHT, 'times'],
  shift: TIGHT,
  relation: COMPARED,
  '&&': [...COMPARED, 'relation'],
  '||': [...COMPARED, 'relation'],
  '&': TIGHT,
  '|': TIGHT,
  '^': TIGHT,
};
const rankOf = (op: string): keyof typeof LEFT => {
  if ('*/%'.includes(op)) return 'times';
  if ('+-'.includes(op)) return 'plus';
  if (op === '<<' || op === '>>') return 'shift';
  return op in LEFT ? (op as keyof typeof LEFT) : 'relation';
};

const number = (value: Value): number => value as number;

/** Set when an element meets something its result is not defined for. */
let undefinedHere = false;
let strict = true;

const finite = (exact: number): number => {
  const value = Math.fround(exact);
  const own = !strict && (value !== exact || (value !== 0 && Math.abs(value) < 2 ** -126));
  if (!Number.isFinite(value) || own) undefinedHere = true;
  return value;
};

type Operation = (a: number, b: number) => number;
const FLOAT: Readonly<Record<string, Operation>> = {
  '+': (a, b) => finite(a + b),
  '-': (a, b) => finite(a - b),
  '*': (a, b) => finite(a * b),
  '/': (a, b) => finite(a / b),
};
const WORD: Readonly<Record<string, Operation>> = {
  '+': (a, b) => (a + b) >>> 0,
  '-': (a, b) => (a - b) >>> 0,
  '*': (a, b) => Math.imul(a, b) >>> 0,
  '&': (a, b) => (a & b) >>> 0,
  '|': (a, b) => (a | b) >>> 0,
  '^': (a, b) => (a ^ b) >>> 0,
};
const SCALAR_WORD: typeof WORD = {
  ...WORD,
  '/': (a, b) => (b === 0 ? a : Math.floor(a / b)),
  '%': (a, b) => (b === 0 ? 0 : a % b),
};
const SHIFTS: typeof WORD = { '<<': (a, b) => (a << b) >>> 0, '>>': (a, b) => a >>> b };
const RELATIONS: Readonly<Record<string, (a: Value, b: Value) => boolean>> = {
  '<': (a, b) => a < b,
  '>': (a, b) => a > b,
  '<=': (a, b) => a <= b,
  '>=': (a, b) => a >= b,
  '==': (a, b) => a === b,
  '!=': (a, b) => a !== b,
};

const minimum: Operation = (a, b) => (b < a ? b : a);
const maximum: Operation = (a, b) => (a < b ? b : a);
const halfEven = (x: number): number => {
  const low = Math.floor(x);
  const up = x - low > 0.5 || (x - low === 0.5 && low % 2 !== 0);
  // Keeps the sign of a zero.
  return up ? (low + 1 === 0 ? -0 : low + 1) : low;
};
const FUNCTIONS: Readonly<Record<string, (x: number) => number>> = {
  abs: Math.abs,
  floor: Math.floor,
  round: halfEven,
  sqrt: (x) => finite(Math.sqrt(x)),
};

const words = new DataView(new ArrayBuffer(4));
const bitsOf = (x: number): number => {
  if (!strict && x === 0) undefinedHere = true;
  words.setFloat32(0, x);
  return words.getUint32(0);
};
const floatOf = (x: number): number => {
  words.setUint32(0, x);
  return finite(words.getFloat32(0));
};
const truncated = (x: number): number => (x <= 0 ? 0 : Math.min(Math.trunc(x), 0xffffffff));

const LITERALS: Readonly<Record<string, readonly string[]>> = {
  'abstract int': ['1', '2', '3', '7', '0x1F', '12', '255', '0', '0Xa'],
  'abstract float': ['1.5', '0.1', '1.0', '2e-3', '.25', '3.', '1e3', '0.0', '12345.678', '2.5E+1', '7.25e-1'],
  f32: ['1.5f', '2f', '0.1f', '1e-3f', '12.5f', '0f', '3.f'],
  u32: ['1u', '7u', '0x1Fu', '0u', '3u', '0xfeu', '4294967295u', '0x80000001u'],
};
const numberIn = (literal: string): number =>
  Number(/^0x/i.test(literal) ? literal.replace(/u$/, '') : literal.replace(/[fu]$/, ''));

const LEAVES = ['lane', 'bits', 'f32', 'u32', 'flag', 'bool'];
/** The scalar that spreads over a vector. */
const SCALAR: Readonly<Record<string, string>> = { lane: 'f32', bits: 'u32' };

interface Variable {
  name: string;
  type: string;
  slot: number;
  mutable: boolean;
  pointer: boolean;
  /** The number of a local constant without a type. */
  exact?: number;
}

interface Parameter {
  name: string;
  type: string;
  pointer: boolean;
}

interface Callable {
  name: string;
  parameters: Parameter[];
  result: string | undefined;
  call: (frame: Frame) => Value;
}

/** Functions that change what they read: the order of evaluation shows. */
const EFFECTS: Readonly<Record<string, { text: string; next: (x: number) => number; result: (x: number) => number }>> =
  {
    lane: {
      text: 'fn touch(x: ptr<function, lane>) -> lane { *x = *x * 0.5 + 1.0; return -*x; }',
      next: (x) => finite(finite(x * 0.5) + 1),
      result: (x) => -x,
    },
    u32: {
      text: 'fn count(k: ptr<function, u32>) -> u32 { (*k)++; return *k * 3u; }',
      next: (k) => (k + 1) >>> 0,
      result: (k) => Math.imul(k, 3) >>> 0,
    },
  };

/** What a statement ends with, if it returns. */
type Completion = { value: Value } | undefined;
interface Step {
  text: string;
  run: (frame: Frame) => Completion;
}

const MEMBERS = ['a', 'b', 'c'];
const NAMES = ['x', 'y', 'z', 'u', 'v', 'w'];

class Writer {
  readonly #tapes: (readonly number[])[];
  #tape: readonly number[] = [];
  readonly #portable: boolean;
  #next = 0;
  readonly #structs = new Map<string, { name: string; type: string }[]>();
  readonly #functions: Callable[] = [];
  readonly #constants: { name: string; type: string; number: number }[] = [];
  readonly #lines: string[] = [];
  #scopes: Variable[][] = [];
  #slots = 0;
  #result: string | undefined;
  /** Calls that may still be written in this function: all of them are inlined. */
  #calls = 0;
  #loops = 0;

  /** The first tape makes constants and structs, each other one a function, the last `probe`. */
  constructor(tapes: readonly (readonly number[])[], portable: boolean) {
    this.#tapes = [...tapes];
    this.#turn();
    this.#portable = portable;
  }

  law(): RandomLaw {
    this.#lines.push(...Object.values(EFFECTS).map(({ text }) => text));
    this.#writeConstants();
    this.#writeStructs();
    while (this.#tapes.length > 1) this.#writeFunction(`f${this.#functions.length}`);
    this.#lines.push(`struct Probe { ${MEMBERS.map((name) => `${name}: lane`).join(', ')} }`);
    this.#structs.set(
      'Probe',
      MEMBERS.map((name) => ({ name, type: 'lane' })),
    );
    const parameters = [
      { name: 'p', type: 'Probe', pointer: false },
      { name: 'n', type: 'u32', pointer: false },
    ];
    this.#turn();
    const { call } = this.#function('probe', parameters, 'lane');
    const portable = this.#portable;
    const text = this.#lines.join('\n');
    return {
      text,
      members: MEMBERS,
      expected: (members, n) => {
        undefinedHere = false;
        strict = !portable;
        const result = number(call([{ value: [...members] }, { value: n }]));
        return undefinedHere ? undefined : result;
      },
      // What a failing property prints.
      [fc.toStringMethod]: () => `\n${text}\n`,
    } as RandomLaw;
  }

  #turn(): void {
    this.#tape = this.#tapes.shift() ?? [];
    this.#next = 0;
  }

  #pick(choices: number): number {
    return (this.#tape[this.#next++] ?? 0) % choices;
  }

  #one<T>(choices: readonly T[]): T {
    return choices[this.#pick(choices.length)] as T;
  }

  #literals(type: string): string[] {
    const all = LITERALS[type] as string[];
    return this.#portable ? all.filter((text) => Math.fround(numberIn(text)) === numberIn(text)) : all;
  }

  // Declarations of the module.

  #writeConstants(): void {
    for (let i = this.#pick(4); i > 0; i--) {
      const name = `C${this.#constants.length}`;
      const type = this.#one(['abstract float', 'abstract int', 'f32', 'u32', 'u32 by suffix', 'f32 by suffix']);
      const kind = type.replace(' by suffix', '');
      if (type !== kind) {
        const text = this.#one(this.#literals(kind));
        this.#lines.push(`const ${name} = ${text};`);
        this.#constants.push({
          name,
          type: kind,
          number: kind === 'f32' ? Math.fround(numberIn(text)) : numberIn(text),
        });
        continue;
      }
      const { text, exact } = this.#abstract(
        kind === 'f32' ? 'abstract float' : kind === 'u32' ? 'abstract int' : kind,
        3,
      );
      if (kind === 'u32' && exact < 0) continue;
      this.#lines.push(`const ${name}${kind === type && kind.startsWith('abstract') ? '' : `: ${kind}`} = ${text};`);
      this.#constants.push({ name, type: kind, number: kind === 'f32' ? Math.fround(exact) : exact });
    }
  }

  #writeStructs(): void {
    for (let i = this.#pick(3); i > 0; i--) {
      const name = `S${this.#structs.size}`;
      const types = [...LEAVES, ...this.#structs.keys()];
      const members = Array.from({ length: 1 + this.#pick(3) }, (_, m) => ({ name: `m${m}`, type: this.#one(types) }));
      this.#lines.push(`struct ${name} { ${members.map((member) => `${member.name}: ${member.type}`).join(', ')} }`);
      this.#structs.set(name, members);
    }
  }

  #writeFunction(name: string): void {
    this.#turn();
    const types = [...LEAVES, ...this.#structs.keys()];
    const parameters: Parameter[] = [
      { name: 'l', type: 'lane', pointer: false },
      { name: 'k', type: 'u32', pointer: false },
    ];
    for (let i = this.#pick(3); i > 0; i--) {
      const pointer = this.#pick(2) === 1;
      // Of types that a caller has variables of.
      const type = this.#one(pointer ? ['lane', 'u32', ...this.#structs.keys()] : types);
      parameters.push({ name: `q${i}`, type, pointer });
    }
    this.#functions.push(this.#function(name, parameters, this.#one([...types, undefined])));
  }

  #function(name: string, parameters: Parameter[], result: string | undefined): Callable {
    this.#slots = 0;
    this.#calls = 4;
    this.#result = result;
    const own = parameters.map((parameter) => ({ ...parameter, slot: this.#slots++, mutable: parameter.pointer }));
    // Parameters and the outermost variables are of one scope.
    this.#scopes = [own];
    const steps = this.#steps(3);
    if (name === 'probe' && this.#pick(4) < 3) steps.push(this.#digest());
    else if (result !== undefined) steps.push(this.#return(4));
    this.#scopes = [];
    const head = parameters.map((p) => `${p.name}: ${p.pointer ? `ptr<function, ${p.type}>` : p.type}`).join(', ');
    this.#lines.push(`fn ${name}(${head})${result === undefined ? '' : ` -> ${result}`} {\n${indented(steps)}\n}`);
    const run = inOrder(steps);
    return { name, parameters, result, call: (frame) => run(frame)?.value ?? 0 };
  }

  // Statements.

  #steps(depth: number): Step[] {
    const steps: Step[] = [];
    for (let i = this.#one([0, 1, 2, 3, 4, 5].slice(0, 2 * depth)); i > 0; i--) steps.push(this.#step(depth));
    return steps;
  }

  /** A block: its variables are its own. */
  #block(depth: number): Step[] {
    this.#scopes.push([]);
    const steps = this.#steps(depth);
    this.#scopes.pop();
    return steps;
  }

  #step(depth: number): Step {
    const kinds = ['declare', 'declare', 'assign', 'assign', 'compound', 'count', 'call'];
    if (depth > 1) kinds.push('if', 'if', 'for', 'block', 'early');
    switch (this.#one(kinds)) {
      case 'assign':
        return this.#assign() ?? this.#declare();
      case 'compound':
        return this.#compound() ?? this.#declare();
      case 'count':
        return this.#count() ?? this.#declare();
      case 'call':
        return this.#callStatement() ?? this.#declare();
      case 'if':
        return this.#if(depth);
      case 'for':
        return this.#loops < 2 ? this.#for(depth) : this.#declare();
      case 'block': {
        const steps = this.#block(depth - 1);
        return { text: `{\n${indented(steps)}\n}`, run: inOrder(steps) };
      }
      case 'early': {
        const condition = this.#expression('bool', 2);
        const early = this.#return(2);
        return {
          text: `if (${condition.text}) {\n${indented([early])}\n}`,
          run: (frame) => (condition.value(frame) ? early.run(frame) : undefined),
        };
      }
      default:
        return this.#declare();
    }
  }

  /** A value where its type is known: then it may be a bare number. */
  #given(type: string, depth: number): Node {
    if ((type === 'f32' || type === 'u32') && this.#pick(6) === 5) return this.#literalFor(type);
    return this.#expression(type, depth);
  }

  #return(depth: number): Step {
    const type = this.#result;
    if (type === undefined) return { text: 'return;', run: () => ({ value: 0 }) };
    const value = this.#given(type, depth);
    return { text: `return ${value.text};`, run: (frame) => ({ value: value.value(frame) }) };
  }

  /** Returns a number that has something of every variable in it. */
  #digest(): Step {
    const parts = this.#places(() => true).filter(({ type }) => LEAVES.includes(type));
    const portable = this.#portable;
    const term: Readonly<Record<string, (x: string) => string>> = {
      bits: (x) => x,
      u32: (x) => `bits(${x})`,
      flag: (x) => `select(bits(), bits(1u), ${x})`,
      bool: (x) => `select(bits(), bits(1u), ${x})`,
      // What stands for no sign of a zero.
      lane: (x) => (portable ? `select(bitcast<bits>(${x}), bits(), ${x} == lane())` : `bitcast<bits>(${x})`),
      f32: (x) => (portable ? `bits(select(bitcast<u32>(${x}), 0u, ${x} == 0.0))` : `bits(bitcast<u32>(${x}))`),
    };
    const word = (type: string, value: Value): number => {
      if (type !== 'lane' && type !== 'f32') return Number(value);
      return portable && value === 0 ? 0 : bitsOf(number(value));
    };
    const lines = parts.map(({ type, text }) => `digest = (digest ^ ${term[type]?.(text)}) * 16777619u;`);
    return {
      text: ['var digest = bits(2166136261u);', ...lines, 'return lane(digest >> bits(8u));'].join('\n'),
      run: (frame) => {
        let digest = 2166136261;
        for (const { type, slot, path } of parts) {
          digest = Math.imul(digest ^ word(type, at((frame[slot] as Cell).value, path)), 16777619);
        }
        return { value: digest >>> 8 };
      },
    };
  }

  #declare(): Step {
    // Often of a type that a function wants a pointer to.
    const pointed = this.#functions.flatMap(({ parameters }) => parameters.filter(({ pointer }) => pointer));
    const all = [...LEAVES, ...this.#structs.keys()].filter((name) => name !== 'Probe');
    const type = this.#one(pointed.length > 0 && this.#pick(3) > 0 ? pointed.map((parameter) => parameter.type) : all);
    const scope = this.#scopes.at(-1) as Variable[];
    const name = NAMES.find((_, i) => !scope.some((taken) => taken.name === NAMES[(i + this.#next) % NAMES.length]));
    if (!name) return { text: ';', run: () => undefined };
    const free = NAMES[(NAMES.indexOf(name) + this.#next) % NAMES.length] as string;
    const slot = this.#slots++;
    const form = this.#pick(5);
    if (form === 4) return this.#localConstant(free, scope);
    const typed = form === 3 || this.#pick(2) === 1;
    const value =
      form === 3
        ? { text: '', value: () => this.#zero(type) }
        : typed
          ? this.#given(type, 3)
          : this.#expression(type, 3);
    const annotated = typed ? `: ${type}` : '';
    scope.push({ name: free, type, slot, mutable: form !== 1, pointer: false });
    return {
      text: `${form === 1 ? 'let' : 'var'} ${free}${annotated}${form === 3 ? '' : ` = ${value.text}`};`,
      run: (frame) => {
        const initial = value.value(frame);
        frame[slot] = { value: initial };
        return undefined;
      },
    };
  }

  /** A constant that stays as exact as it is written. */
  #localConstant(name: string, scope: Variable[]): Step {
    const type = this.#one(['abstract float', 'abstract int']);
    const { text, exact } = this.#abstract(type, 2);
    scope.push({ name, type, slot: 0, mutable: false, pointer: false, exact });
    return { text: `const ${name} = ${text};`, run: () => undefined };
  }

  #zero(type: string): Value {
    const members = this.#structs.get(type);
    if (members) return members.map((member) => this.#zero(member.type));
    return type === 'flag' || type === 'bool' ? false : 0;
  }

  #assign(): Step | undefined {
    const target = this.#target();
    if (!target) return undefined;
    const value = this.#given(target.type, 3);
    return { text: `${target.text} = ${value.text};`, run: (frame) => target.set(frame, value.value(frame)) };
  }

  #compound(): Step | undefined {
    const target = this.#target(['lane', 'bits', 'f32', 'u32']);
    if (!target) return undefined;
    const { type } = target;
    const op = this.#one(this.#operators(type));
    const operate = (type === 'lane' || type === 'f32' ? FLOAT : SCALAR_WORD)[op] as Operation;
    const scalar = SCALAR[type];
    const spreads = scalar !== undefined && '+-*/'.includes(op);
    const value = this.#divisor(op, type, this.#expression(spreads ? this.#one([type, scalar]) : type, 3));
    return {
      text: `${target.text} ${op}= ${value.text};`,
      run: (frame) => {
        const before = target.get(frame);
        return target.set(frame, operate(number(before), number(value.value(frame))));
      },
    };
  }

  #count(): Step | undefined {
    const target = this.#target(['u32']);
    if (!target) return undefined;
    const [op, by] = this.#one([
      ['++', 1],
      ['--', -1],
    ] as const);
    return {
      text: `${target.text}${op};`,
      run: (frame) => target.set(frame, (number(target.get(frame)) + by) >>> 0),
    };
  }

  #callStatement(): Step | undefined {
    const call = this.#call(() => true, 2);
    return call && { text: `${call.text};`, run: (frame) => void call.value(frame) as undefined };
  }

  #if(depth: number): Step {
    const condition = this.#expression('bool', 3);
    const then = this.#block(depth - 1);
    const head = `if (${condition.text}) {\n${indented(then)}\n}`;
    const [yes, form] = [inOrder(then), this.#pick(3)];
    if (form === 0) {
      return { text: head, run: (frame) => (condition.value(frame) ? yes(frame) : undefined) };
    }
    const other = form === 1 || depth < 2 ? undefined : this.#if(depth - 1);
    const block = other ? [] : this.#block(depth - 1);
    const no = other ? other.run : inOrder(block);
    return {
      text: `${head} else ${other ? other.text : `{\n${indented(block)}\n}`}`,
      run: (frame) => (condition.value(frame) ? yes(frame) : no(frame)),
    };
  }

  #for(depth: number): Step {
    this.#loops++;
    const slot = this.#slots++;
    const name = `i${this.#loops}`;
    const bound = this.#one([{ text: '3u', value: () => 3 }, { text: '2', value: () => 2 }, this.#bound()]);
    const by = this.#one([1, 2]);
    this.#scopes.push([{ name, type: 'u32', slot, mutable: false, pointer: false }]);
    const body = this.#block(depth - 1);
    this.#scopes.pop();
    this.#loops--;
    const turn = inOrder(body);
    const update = by === 1 ? `${name}++` : `${name} += 2u`;
    return {
      text: `for (var ${name} = 0u; ${name} < ${bound.text}; ${update}) {\n${indented(body)}\n}`,
      run: (frame) => {
        frame[slot] = { value: 0 };
        const index = frame[slot] as Cell;
        for (; number(index.value) < number(bound.value(frame)); index.value = number(index.value) + by) {
          const done = turn(frame);
          if (done) return done;
        }
        return undefined;
      },
    };
  }

  /** A number of turns that the step decides. */
  #bound(): Node {
    const count = this.#variable('u32', 0);
    return binary('%', count, plain('4u', 4), (a, b) => number(a) % number(b));
  }

  // Variables.

  #visible(): Variable[] {
    const seen = new Map<string, Variable>();
    for (const scope of this.#scopes) for (const variable of scope) seen.set(variable.name, variable);
    return [...seen.values()];
  }

  /** Every part of a variable, with the way to it. */
  #parts(
    type: string,
    path: readonly number[],
    text: string,
  ): { type: string; path: readonly number[]; text: string }[] {
    const members = this.#structs.get(type) ?? [];
    return [
      { type, path, text },
      ...members.flatMap(({ name, type: of }, i) => this.#parts(of, [...path, i], `${text}.${name}`)),
    ];
  }

  #places(wanted: (variable: Variable) => boolean) {
    return this.#visible()
      .filter(wanted)
      .flatMap((variable) => {
        const { pointer, name } = variable;
        const whole = { ...variable, path: [], text: pointer ? `*${name}` : name };
        const text = pointer ? `(*${name})` : name;
        const parts = this.#parts(variable.type, [], text).slice(1);
        return [whole, ...parts.map((part) => ({ ...variable, ...part }))];
      });
  }

  #target(types?: readonly string[]) {
    const places = this.#places(({ mutable }) => mutable).filter(({ type }) => !types || types.includes(type));
    if (places.length === 0) return undefined;
    const { slot, path, type, text } = this.#one(places);
    return {
      type,
      text,
      get: (frame: Frame): Value => at((frame[slot] as Cell).value, path),
      set: (frame: Frame, value: Value): undefined => {
        const cell = frame[slot] as Cell;
        cell.value = changed(cell.value, path, value);
      },
    };
  }

  /** A reading of something that is not constant. */
  #variable(type: string, depth: number): Node {
    const places = this.#places(() => true).filter((place) => place.type === type);
    if (places.length === 0) return this.#fallback(type, depth);
    const { slot, path, text } = this.#one(places);
    const rank = text.startsWith('*') ? 'unary' : 'primary';
    return { text, rank, constant: false, value: (frame) => at((frame[slot] as Cell).value, path) };
  }

  #fallback(type: string, depth: number): Node {
    const [lane, word] = [() => this.#variable('lane', 0), () => this.#variable('u32', 0)];
    switch (type) {
      case 'f32':
        return wrapped('f32', [word()], ([x]) => finite(number(x as Value)));
      case 'bits':
        return wrapped('bits', [word()], ([x]) => x as Value);
      case 'bool':
        return binary('>', word(), plain('1u', 1), (a, b) => a > b);
      case 'flag':
        return binary('>', lane(), plain('lane(1.0)', 1), (a, b) => a > b);
      default:
        return this.#construct(type, depth);
    }
  }

  #construct(type: string, depth: number): Node {
    const members = this.#structs.get(type) ?? [];
    if (this.#pick(4) === 1) return plain(`${type}()`, this.#zero(type));
    const parts = members.map((member) => this.#given(member.type, depth - 1));
    return wrapped(type, parts, (values) => values);
  }

  // Expressions.

  /** An expression of this type, sometimes in parentheses that it does not need. */
  #expression(type: string, depth: number): Node {
    const node = this.#bare(type, depth);
    return this.#pick(8) === 7 ? { ...node, text: `(${node.text})`, rank: 'primary' } : node;
  }

  #bare(type: string, depth: number): Node {
    if (depth <= 0) return this.#pick(3) === 2 ? this.#leaf(type) : this.#variable(type, depth);
    const member =
      this.#pick(3) === 2
        ? this.#call((result) => result === type || this.#has(result, type), depth - 1, type)
        : undefined;
    if (member) return member;
    switch (type) {
      case 'lane':
      case 'f32':
        return this.#float(type, depth);
      case 'bits':
      case 'u32':
        return this.#word(type, depth);
      case 'flag':
      case 'bool':
        return this.#truth(type, depth);
      default:
        return this.#pick(2) === 1 ? this.#construct(type, depth) : this.#variable(type, depth);
    }
  }

  #has(struct: string | undefined, type: string): boolean {
    return this.#structs.get(struct ?? '')?.some((member) => member.type === type) ?? false;
  }

  /** What has no operands. */
  #leaf(type: string): Node {
    if (type === 'bool') return this.#one([plain('true', true), plain('false', false)]);
    if (type === 'flag') return this.#variable(type, 0);
    const scalar = SCALAR[type];
    if (scalar !== undefined) {
      if (this.#pick(4) === 3) return plain(`${type}()`, 0);
      const inner = this.#leaf(scalar);
      return { ...inner, text: `${type}(${inner.text})`, rank: 'primary' };
    }
    if (type !== 'f32' && type !== 'u32') return this.#variable(type, 0);
    const constants = this.#constants.filter((constant) => constant.type === type);
    const form = this.#pick(3);
    if (form === 1 && constants.length > 0) {
      const { name, number: value } = this.#one(constants);
      return plain(name, value);
    }
    if (form === 2) {
      const { text, value } = this.#literalFor(type);
      return { ...plain(`${type}(${text})`, 0), value };
    }
    const text = this.#one(this.#literals(type));
    return plain(text, type === 'f32' ? Math.fround(numberIn(text)) : numberIn(text));
  }

  /** An abstract number where a number of this type is wanted. */
  #literalFor(type: string): Node {
    const kind = type === 'u32' ? 'abstract int' : this.#one(['abstract float', 'abstract float', 'abstract int']);
    const { text, rank, exact } = this.#abstract(kind, 2);
    if (type === 'u32') return exact < 0 ? plain('5', 5) : plain(text, exact, rank);
    return plain(text, Math.fround(exact), rank);
  }

  /** Arithmetic of abstract numbers, in float64 and int64. */
  #abstract(kind: string, depth: number): { text: string; rank: Rank; exact: number } {
    const choice = depth > 0 ? this.#pick(6) : this.#pick(2);
    const local = this.#visible().flatMap(({ exact, ...rest }) =>
      exact === undefined ? [] : [{ ...rest, number: exact }],
    );
    const constants = [...this.#constants, ...local].filter(({ type }) => type === kind);
    if (choice === 1 && constants.length > 0) {
      const { name, number: exact } = this.#one(constants);
      return { text: name, rank: 'primary', exact };
    }
    if (choice === 2) {
      const of = this.#abstract(kind, depth - 1);
      const text = TIGHT.includes(of.rank) ? of.text : `(${of.text})`;
      const exact = kind === 'abstract int' ? 0 - of.exact : -of.exact;
      return { text: text.startsWith('-') ? `- ${text}` : `-${text}`, rank: 'unary', exact };
    }
    if (choice > 2) {
      const op = this.#one(['+', '*', '-', '/']);
      // A whole number beside one with a fraction is one with a fraction.
      const other = kind === 'abstract float' && this.#pick(4) === 3 ? 'abstract int' : kind;
      const [a, b] = [this.#abstract(kind, depth - 1), this.#abstract(other, depth - 1)];
      const [x, y] = [a.exact, b.exact];
      const real = op === '+' ? x + y : op === '*' ? x * y : op === '-' ? x - y : x / y;
      const exact = kind === 'abstract int' ? Math.trunc(real) + 0 : real;
      // Too large ones are errors, and numbers too small for float32 may be flushed.
      const moderate = kind === 'abstract int' ? Math.abs(exact) < 2 ** 31 : exact === 0 || Math.abs(exact) > 1e-20;
      const portable = !this.#portable || Math.fround(exact) === exact;
      if (Math.abs(exact) < 1e20 && moderate && portable) {
        const rank = rankOf(op);
        const side = (node: typeof a, fits: readonly Rank[]) =>
          fits.includes(node.rank) ? node.text : `(${node.text})`;
        return { text: `${side(a, LEFT[rank])} ${op} ${side(b, RIGHT[rank])}`, rank, exact };
      }
    }
    const text = this.#one(this.#literals(kind));
    return { text, rank: 'primary', exact: numberIn(text) };
  }

  #operators(type: string): string[] {
    if (type === 'lane' || type === 'f32') return this.#portable ? ['+', '-', '*'] : ['+', '-', '*', '/'];
    return type === 'u32' ? Object.keys(SCALAR_WORD) : Object.keys(WORD);
  }

  /** Two operands of which one at least is not constant, spread where the operator spreads. */
  #operands(type: string, op: string, depth: number): [Node, Node] {
    const scalar = '+-*/'.includes(op) ? SCALAR[type] : undefined;
    const form = type === 'f32' || type === 'u32' || scalar ? this.#pick(scalar ? 6 : 4) : 0;
    const operand = () => this.#expression(type, depth - 1);
    // A bare number takes its type from what it stands beside.
    const abstract = (): Node => this.#literalFor(scalar ?? type);
    let pair: [Node, Node];
    if (form === 1) pair = [operand(), abstract()];
    else if (form === 2) pair = [abstract(), operand()];
    else if (form === 4) pair = [operand(), this.#expression(scalar as string, depth - 1)];
    else if (form === 5) pair = [this.#expression(scalar as string, depth - 1), operand()];
    else pair = [operand(), operand()];
    if (pair[0].constant && pair[1].constant) pair = [this.#variable(type, 0), form === 5 ? operand() : pair[1]];
    return [pair[0], this.#divisor(op, type, pair[1])];
  }

  /** WGSL refuses to divide by a constant that is zero, of words. */
  #divisor(op: string, type: string, value: Node): Node {
    const divides = (op === '/' || op === '%') && (type === 'u32' || type === 'bits');
    return divides && value.constant ? this.#one([plain('3u', 3), plain('10', 10)]) : value;
  }

  #float(type: string, depth: number): Node {
    const more = () => this.#expression(type, depth - 1);
    const kinds = ['read', 'leaf', 'binary', 'binary', 'binary', 'binary', 'minus', 'swapped', 'select', 'extreme'];
    kinds.push('function', 'clip', 'mask', 'convert', 'bitcast');
    if (type === 'lane') kinds.push('spread', 'effect', 'effect');
    switch (this.#one(kinds)) {
      case 'leaf':
        return this.#leaf(type);
      case 'effect':
        return this.#effect(type);
      case 'binary': {
        const op = this.#one(this.#operators(type));
        return binary(op, ...this.#operands(type, op, depth), FLOAT[op] as Operation);
      }
      case 'minus':
        return unary('-', more(), (x) => -x);
      case 'swapped': {
        const [a, b] = [this.#one([more(), this.#variable(type, 0)]), this.#variable(type, 0)];
        if (this.#pick(2) === 0)
          return binary(
            '+',
            unary('-', a, (x) => -x),
            b,
            FLOAT['+'] as Operation,
          );
        return binary(
          '+',
          b,
          unary('-', a, (x) => -x),
          FLOAT['+'] as Operation,
        );
      }
      case 'select':
        return this.#select(type, depth);
      case 'extreme':
        return this.#extreme(type, depth);
      case 'function': {
        const name = this.#one(['abs', 'floor', 'round', this.#portable ? 'abs' : 'sqrt']);
        const apply = FUNCTIONS[name] as (x: number) => number;
        const some = more();
        const given = some.constant ? this.#variable(type, 0) : some;
        const of = name === 'sqrt' ? wrapped('abs', [given], ([x]) => Math.abs(number(x as Value))) : given;
        return wrapped(name, [of], ([x]) => apply(number(x as Value)));
      }
      case 'clip': {
        // select(x, c, x > c), which is the smaller of both; and its kin.
        const [x, c] = [more(), type === 'lane' ? this.#leaf('lane') : more()];
        const op = this.#one(['>', '<', '>=']);
        const turned = this.#pick(4) === 3;
        const condition = turned
          ? binary(op, c, x, RELATIONS[op] as Relation)
          : binary(op, x, c, RELATIONS[op] as Relation);
        return selected(x, c, condition);
      }
      case 'mask': {
        const zero =
          type === 'lane'
            ? this.#one([plain('lane()', 0), plain('lane(0.0)', 0), plain('lane(-0.0)', -0)])
            : plain('0.0', 0);
        return selected(zero, more(), this.#expression(type === 'lane' ? 'flag' : 'bool', depth - 1));
      }
      case 'convert':
        return wrapped(type, [this.#word(type === 'lane' ? 'bits' : 'u32', depth - 1)], ([x]) =>
          finite(number(x as Value)),
        );
      case 'bitcast':
        return this.#bitcast(type, depth);
      case 'spread':
        return wrapped('lane', [this.#expression('f32', depth - 1)], ([x]) => x as Value);
      default:
        return this.#variable(type, 0);
    }
  }

  /** bitcast of words that are finite numbers. */
  #bitcast(type: string, depth: number): Node {
    const word = type === 'lane' ? 'bits' : 'u32';
    const some = this.#expression(word, depth - 1);
    const given = some.constant ? this.#variable(word, 0) : some;
    const number32 = (text: string) => (type === 'lane' ? `bits(${text})` : text);
    const masked = binary('&', given, plain(number32('0x80ffffffu'), 0x80ffffff), WORD['&'] as Operation);
    const near = binary('|', masked, plain(number32('0x3e000000u'), 0x3e000000), WORD['|'] as Operation);
    return wrapped(`bitcast<${type}>`, [near], ([x]) => floatOf(number(x as Value)));
  }

  #word(type: string, depth: number): Node {
    const more = () => this.#expression(type, depth - 1);
    const kinds = [
      'read',
      'leaf',
      'binary',
      'binary',
      'binary',
      'shift',
      'shift',
      'select',
      'extreme',
      'convert',
      'bitcast',
    ];
    if (type === 'bits') kinds.push('not', 'spread');
    else kinds.push('effect', 'effect');
    switch (depth > 0 ? this.#one(kinds) : 'read') {
      case 'leaf':
        return this.#leaf(type);
      case 'effect':
        return this.#effect(type);
      case 'binary': {
        const op = this.#one(this.#operators(type));
        return binary(op, ...this.#operands(type, op, depth), SCALAR_WORD[op] as Operation);
      }
      case 'shift': {
        const op = this.#one(['<<', '>>']);
        const some = more();
        const shifted = some.constant ? this.#variable(type, 0) : some;
        const fixed = this.#pick(32);
        const amount =
          this.#pick(3) === 2
            ? binary('%', this.#variable('u32', 0), plain('32u', 32), (a, b) => number(a) % number(b))
            : plain(this.#one([`${fixed}u`, `${fixed}`]), fixed);
        const by = type === 'bits' ? wrapped('bits', [amount], ([x]) => x as Value) : amount;
        return binary(op, shifted, by, SHIFTS[op] as Operation);
      }
      case 'select':
        return this.#select(type, depth);
      case 'extreme':
        return this.#extreme(type, depth);
      case 'convert': {
        const float = type === 'bits' ? 'lane' : 'f32';
        const some = this.#expression(float, depth - 1);
        return wrapped(type, [some.constant ? this.#variable(float, 0) : some], ([x]) => truncated(number(x as Value)));
      }
      case 'bitcast': {
        const some = this.#expression(type === 'bits' ? 'lane' : 'f32', depth - 1);
        return wrapped(`bitcast<${type}>`, [some], ([x]) => bitsOf(number(x as Value)));
      }
      case 'not':
        return unary('~', more(), (x) => ~x >>> 0);
      case 'spread':
        return wrapped('bits', [this.#expression('u32', depth - 1)], ([x]) => x as Value);
      default:
        return this.#variable(type, 0);
    }
  }

  #truth(type: string, depth: number): Node {
    const more = () => this.#expression(type, depth - 1);
    const kinds = ['compare', 'compare', 'compare', 'read', 'and', 'not', 'select', 'equal'];
    if (type === 'bool') kinds.push('leaf', 'logic', 'logic');
    switch (this.#one(kinds)) {
      case 'read':
        return this.#variable(type, depth);
      case 'and': {
        const op = this.#one(['&', '|']);
        const operate = op === '&' ? (a: Value, b: Value) => a && b : (a: Value, b: Value) => a || b;
        return binary(op, more(), more(), operate);
      }
      case 'not': {
        const of = more();
        return { ...unary('!', of, (x) => x), value: (frame) => !of.value(frame) };
      }
      case 'select':
        return this.#select(type, depth);
      case 'equal': {
        const op = this.#one(['==', '!=']);
        return binary(op, more(), more(), RELATIONS[op] as Relation);
      }
      case 'leaf':
        return this.#leaf(type);
      case 'logic': {
        const op = this.#one(['&&', '||'] as const);
        const [a, b] = [more(), more()];
        const node = binary(op, a, b, (x) => x);
        if (op === '&&') return { ...node, value: (frame) => a.value(frame) && b.value(frame) };
        return { ...node, value: (frame) => a.value(frame) || b.value(frame) };
      }
      default: {
        const of = this.#one(type === 'flag' ? ['lane', 'lane', 'bits'] : ['u32', 'f32']);
        const op = this.#one(Object.keys(RELATIONS));
        return binary(op, ...this.#operands(of, op, depth), RELATIONS[op] as Relation);
      }
    }
  }

  #select(type: string, depth: number): Node {
    const wide = type === 'lane' || type === 'bits' || type === 'flag';
    const condition = wide ? this.#one(['flag', 'bool']) : 'bool';
    const pair = this.#operands(type, 'select', depth);
    return selected(...pair, this.#expression(condition, depth - 1));
  }

  #extreme(type: string, depth: number): Node {
    const name = this.#one(['min', 'max']);
    const apply = name === 'min' ? minimum : maximum;
    return wrapped(name, this.#operands(type, name, depth), ([a, b]) => apply(number(a as Value), number(b as Value)));
  }

  #effect(type: string): Node {
    const variables = this.#pointable(type);
    const effect = EFFECTS[type];
    if (variables.length === 0 || !effect) return this.#variable(type, 0);
    const { name, slot, pointer } = this.#one(variables);
    const value = (frame: Frame) => {
      const cell = frame[slot] as Cell;
      cell.value = effect.next(number(cell.value));
      return effect.result(number(cell.value));
    };
    const text = `${type === 'lane' ? 'touch' : 'count'}(${pointer ? '' : '&'}${name})`;
    return { text, rank: 'primary', constant: false, value };
  }

  #pointable(type: string): Variable[] {
    return this.#visible().filter((variable) => variable.mutable && variable.type === type);
  }

  /** A call of one of the law's functions, if there is one that fits; of a struct's member if that is what is wanted. */
  #call(fits: (result: string | undefined) => boolean, depth: number, type?: string): Node | undefined {
    if (this.#calls === 0) return undefined;
    const fitting = this.#functions.filter(
      ({ result, parameters }) =>
        fits(result) && parameters.every((p) => !p.pointer || this.#pointable(p.type).length > 0),
    );
    if (fitting.length === 0) return undefined;
    const { name, parameters, result, call } = this.#one(fitting);
    this.#calls--;
    const taken: Variable[] = [];
    const args: { text: string; rank: Rank; cell: (frame: Frame) => Cell }[] = [];
    for (const parameter of parameters) {
      if (parameter.pointer) {
        const variables = this.#pointable(parameter.type).filter((variable) => !taken.includes(variable));
        if (variables.length === 0) return undefined;
        const variable = this.#one(variables);
        taken.push(variable);
        const text = variable.pointer ? variable.name : `&${variable.name}`;
        args.push({ text, rank: 'unary', cell: (frame) => frame[variable.slot] as Cell });
      } else {
        const arg = this.#given(parameter.type, depth);
        args.push({ text: arg.text, rank: arg.rank, cell: (frame) => ({ value: arg.value(frame) }) });
      }
    }
    const text = `${name}(${listed(args)})`;
    const value = (frame: Frame) => call(args.map((arg) => arg.cell(frame)));
    if (type === undefined || result === type) return { text, rank: 'primary', constant: false, value };
    const members = this.#structs.get(result as string) ?? [];
    const index = members.findIndex((member) => member.type === type);
    const part = (frame: Frame) => at(value(frame), [index]);
    return { text: `${text}.${members[index]?.name}`, rank: 'primary', constant: false, value: part };
  }
}

type Relation = (a: Value, b: Value) => boolean;

const plain = (text: string, value: Value, rank: Rank = 'primary'): Node => ({
  text,
  rank,
  constant: true,
  value: () => value,
});

function unary(op: string, of: Node, operate: (x: number) => number): Node {
  const inner = TIGHT.includes(of.rank) ? of.text : `(${of.text})`;
  return {
    text: `${op}${inner.startsWith(op) ? ' ' : ''}${inner}`,
    rank: 'unary',
    constant: of.constant,
    value: (frame) => operate(number(of.value(frame))),
  };
}

function binary<T extends Value>(op: string, a: Node, b: Node, operate: (a: T, b: T) => Value): Node {
  const rank = rankOf(op);
  const left = LEFT[rank].includes(a.rank) ? a.text : `(${a.text})`;
  // a < b >> c would begin with the template a<b>.
  const loose = RIGHT[rank].includes(b.rank) && !(op === '<' && b.rank === 'shift');
  const right = loose ? b.text : `(${b.text})`;
  return {
    text: `${left} ${op} ${right}`,
    rank,
    constant: a.constant && b.constant,
    value: (frame) => {
      const x = a.value(frame);
      return operate(x as T, b.value(frame) as T);
    },
  };
}

/** Arguments. Comparisons beside each other want parentheses: WGSL takes f(a < b, c > d) for a template's list. */
const listed = (parts: readonly Pick<Node, 'text' | 'rank'>[]): string => {
  const compares = ({ rank }: Pick<Node, 'rank'>) => ['relation', '&&', '||'].includes(rank);
  const several = parts.filter(compares).length > 1;
  return parts.map((part) => (several && compares(part) ? `(${part.text})` : part.text)).join(', ');
};

const wrapped = (name: string, parts: readonly Node[], operate: (values: readonly Value[]) => Value): Node => ({
  text: `${name}(${listed(parts)})`,
  rank: 'primary',
  constant: parts.every(({ constant }) => constant),
  value: (frame) => operate(parts.map(({ value }) => value(frame))),
});

const selected = (no: Node, yes: Node, condition: Node): Node =>
  wrapped('select', [no, yes, condition], ([a, b, c]) => (c ? b : a) as Value);

const at = (value: Value, path: readonly number[]): Value =>
  path.reduce((part, index) => (part as readonly Value[])[index] as Value, value);

const changed = (value: Value, [index, ...rest]: readonly number[], part: Value): Value =>
  index === undefined
    ? part
    : (value as readonly Value[]).map((old, i) => (i === index ? changed(old, rest, part) : old));

const indented = (steps: readonly Step[]): string => steps.map(({ text }) => text.replaceAll(/^/gm, '  ')).join('\n');

const inOrder =
  (steps: readonly Step[]) =>
  (frame: Frame): Completion => {
    for (const { run } of steps) {
      const done = run(frame);
      if (done) return done;
    }
    return undefined;
  };

/** Random laws of up to three functions and `probe`. */
export const laws = ({ size = 150, portable = false }: LawOptions = {}): fc.Arbitrary<RandomLaw> => {
  const tape = fc.array(fc.nat(0xffff), { minLength: Math.floor(size / 3), maxLength: size, size: 'max' });
  const functions = fc.array(tape, { maxLength: 3, size: 'max' });
  return fc
    .tuple(tape, functions, tape)
    .map(([first, others, last]) => new Writer([first, ...others, last], portable).law());
};
