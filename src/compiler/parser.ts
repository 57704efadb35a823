// The parser of the WGSL subset. It knows no types and links nothing; what WGSL has and the subset has not is refused here
// by name, with file, line and column.

import { type Token, tokenize } from '../wgsl.ts';
import {
  type Expression,
  type FunctionSyntax,
  type Place,
  refusal,
  type Statement,
  type Syntax,
  type Type,
  type Typed,
  type Word,
} from './syntax.ts';

/** Binding strength; operators of one level go from left to right. */
const LEVELS = [
  ['||', '&&'],
  ['|', '^', '&'],
  ['==', '!=', '<', '>', '<=', '>='],
  ['<<', '>>'],
  ['+', '-'],
  ['*', '/', '%'],
];
const levelOf = new Map(LEVELS.flatMap((ops, level) => ops.map((op) => [op, level] as const)));

/** Levels whose operators WGSL mixes with others only in parentheses. */
const LOGIC = 0;
const BITS = 1;
const RELATION = 2;
const SHIFT = 3;

const ASSIGNMENTS = ['=', '+=', '-=', '*=', '/=', '%=', '&=', '|=', '^=', '<<=', '>>='];
const UNSUPPORTED = ['loop', 'while', 'switch', 'break', 'continue', 'continuing', 'discard', 'const_assert'];
/** Words that cannot be names (section 16.1 of WGSL's specification). */
const KEYWORDS = new Set([
  ...UNSUPPORTED,
  ...'alias case const default diagnostic else enable false fn for if let override requires return struct true var'.split(
    ' ',
  ),
]);
/** Words that WGSL keeps for itself (section 16.2): a device would refuse them. */
const RESERVED = new Set(
  `NULL Self abstract active alignas alignof as asm asm_fragment async attribute auto await become cast catch class
co_await co_return co_yield coherent column_major common compile compile_fragment concept const_cast consteval constexpr
constinit crate debugger decltype delete demote demote_to_helper do dynamic_cast enum explicit export extends extern
external fallthrough filter final finally friend from fxgroup get goto groupshared highp impl implements import inline
instanceof interface layout lowp macro macro_rules match mediump meta mod module move mut mutable namespace new nil
noexcept noinline nointerpolation non_coherent noncoherent noperspective null nullptr of operator package packoffset
pass patch pixelfragment precise precision premerge priv protected pub public readonly ref regardless register
reinterpret_cast require resource restrict self set shared sizeof smooth snorm static static_assert static_cast std
subroutine super target template this thread_local throw trait try type typedef typeid typename typeof union unless unorm
unsafe unsized use using varying virtual volatile wgsl where with writeonly yield`.split(/\s/),
);
/** Types of WGSL that take templates. */
const TEMPLATED = /^(vec[234]|mat[234]x[234]|array|atomic|ptr|texture_\w+)$/;

const NO_ATTRIBUTES = 'attributes are not supported: the law is a plain function';

/** Parses a file of the subset. @throws WgslError */
export function parse(text: string, file: string): Syntax {
  return new Parser(tokenize(text, file), file).module();
}

class Parser {
  readonly #tokens: Token[];
  readonly #file: string;
  /** The "<" that WGSL reads as the beginning of a template list. */
  readonly #templates: ReadonlySet<Token>;
  #next = 0;

  constructor(tokens: Token[], file: string) {
    this.#tokens = tokens.filter((token) => token.kind !== 'comment');
    this.#file = file;
    this.#templates = templatesIn(this.#tokens);
  }

  get #text(): string {
    return this.#tokens[this.#next]?.text ?? '';
  }

  /** Where the next token stands, or the last one at the end of the file. */
  #place(): Place {
    const { line, column } = this.#tokens[this.#next] ?? this.#tokens.at(-1) ?? { line: 1, column: 1 };
    return { file: this.#file, line, column };
  }

  // Declared so, not as an arrow, that TypeScript knows what comes after it is not reached.
  #fail(reason: string, at: Place = this.#place()): never {
    throw refusal(reason, at);
  }

  #take(text: string): boolean {
    if (this.#text !== text) return false;
    this.#next++;
    return true;
  }

  #expect(text: string, after: string): void {
    if (!this.#take(text)) this.#fail(`expected "${text}" after ${after}, found ${this.#found()}`);
  }

  #found = (): string => (this.#text === '' ? 'the end of the file' : `"${this.#text}"`);

  #name(what: string): string {
    const token = this.#tokens[this.#next];
    if (token?.kind !== 'word') this.#fail(`expected ${what}, found ${this.#found()}`);
    if (token.text === '_' || token.text.startsWith('__')) this.#fail(`"${token.text}" cannot be a name in WGSL`);
    if (KEYWORDS.has(token.text)) this.#fail(`"${token.text}" is a word of WGSL, not ${what}`);
    if (RESERVED.has(token.text)) this.#fail(`"${token.text}" is a word that WGSL keeps for itself: use another name`);
    this.#next++;
    return token.text;
  }

  module(): Syntax {
    const syntax: Syntax = { structs: new Map(), functions: new Map(), constants: new Map() };
    const declared = new Set<string>();
    const declare = (name: string, at: Place) => {
      if (declared.has(name)) this.#fail(`"${name}" is declared twice`, at);
      declared.add(name);
    };
    while (this.#text !== '') {
      const begin = this.#place();
      if (this.#take(';')) continue;
      if (this.#take('struct')) {
        const at = this.#place();
        const name = this.#name('the name of a struct');
        declare(name, at);
        this.#expect('{', 'the name of a struct');
        const members = this.#typedList('}', 'a member');
        if (members.length === 0) this.#fail(`the struct ${name} has no member`, at);
        syntax.structs.set(name, { at, members });
      } else if (this.#take('fn')) {
        const at = this.#place();
        const found = this.#function(begin);
        declare(found.name, at);
        syntax.functions.set(found.name, found);
      } else if (this.#take('const')) {
        const at = this.#place();
        const { name, type, value } = this.#declaration('const', begin);
        declare(name, at);
        this.#expect(';', 'a constant');
        syntax.constants.set(name, { at, type, value: value as Expression });
      } else if (this.#text === '@') {
        this.#fail(NO_ATTRIBUTES);
      } else {
        this.#fail(`${this.#found()} is not supported here: a law has structs, functions and constants`);
      }
    }
    return syntax;
  }

  #typedList(end: string, what: 'a member' | 'a parameter'): Typed[] {
    const list: Typed[] = [];
    while (!this.#take(end)) {
      if (this.#text === '@') this.#fail(NO_ATTRIBUTES);
      const at = this.#place();
      const name = this.#name(`the name of ${what}`);
      if (list.some((other) => other.name === name)) this.#fail(`"${name}" is declared twice`, at);
      this.#expect(':', `the name of ${what}`);
      const type = this.#type();
      if (type.pointer && what === 'a member') this.#fail('a member cannot be a pointer', type.at);
      list.push({ name, at, type });
      if (this.#take(',')) continue;
      this.#expect(end, what);
      break;
    }
    return list;
  }

  #type(): Type {
    const at = this.#place();
    const name = this.#name('a type');
    if (name !== 'ptr') {
      if (this.#text === '<')
        this.#fail(`the type ${name}<...> is not supported: use lane, flag, bits, f32, u32, bool or a struct`);
      return { name, pointer: false, at };
    }
    this.#expect('<', 'ptr');
    const space = this.#name('an address space');
    if (space !== 'function') this.#fail(`pointers to ${space} memory are not supported: only ptr<function, ...>`, at);
    this.#expect(',', 'the address space');
    const { name: target } = this.#type();
    this.#expect('>', 'the type a pointer points to');
    return { name: target, pointer: true, at };
  }

  #function(at: Place): FunctionSyntax {
    const name = this.#name('the name of a function');
    this.#expect('(', 'the name of a function');
    const parameters = this.#typedList(')', 'a parameter');
    const result = this.#take('->') ? this.#result() : undefined;
    return { name, at, parameters, result, body: this.#block() };
  }

  #result(): Type {
    if (this.#text === '@') this.#fail(NO_ATTRIBUTES);
    const type = this.#type();
    if (type.pointer) this.#fail('a result cannot be a pointer', type.at);
    return type;
  }

  #block(): Statement[] {
    this.#expect('{', 'what comes before a block');
    const body: Statement[] = [];
    while (!this.#take('}')) {
      if (this.#text === '') this.#fail('this block has no closing brace');
      if (!this.#take(';')) body.push(this.#statement());
    }
    return body;
  }

  #statement(): Statement {
    const at = this.#place();
    if (UNSUPPORTED.includes(this.#text)) this.#fail(`${this.#text} is not supported: use a bounded "for", and "if"`);
    if (this.#text === '{') return { kind: 'block', at, body: this.#block() };
    if (this.#take('if')) return this.#if(at);
    if (this.#take('for')) return this.#for(at);
    const statement = this.#simple(at);
    this.#expect(';', 'a statement');
    return statement;
  }

  #if(at: Place): Statement {
    const condition = this.#expression();
    const then = this.#block();
    const elseAt = this.#place();
    if (!this.#take('else')) return { kind: 'if', at, condition, then, otherwise: [] };
    const otherwise = this.#take('if') ? [this.#if(elseAt)] : this.#block();
    return { kind: 'if', at, condition, then, otherwise };
  }

  #for(at: Place): Statement {
    this.#expect('(', 'for');
    if (this.#text === 'return') this.#fail('a loop cannot begin with a return');
    const init = this.#text === ';' ? undefined : this.#simple(this.#place());
    this.#expect(';', 'the start of a loop');
    if (this.#text === ';') this.#fail('a loop without a condition is not supported: give it a bound');
    const condition = this.#expression();
    this.#expect(';', 'the condition of a loop');
    if (['return', 'let', 'var', 'const'].includes(this.#text))
      this.#fail('a loop is updated by an assignment or a call');
    const update = this.#text === ')' ? undefined : this.#simple(this.#place());
    this.#expect(')', 'the head of a loop');
    return { kind: 'for', at, init, condition, update, body: this.#block() };
  }

  /** A statement without braces, up to its semicolon. */
  #simple(at: Place): Statement {
    if (this.#take('return')) return { kind: 'return', at, value: this.#text === ';' ? undefined : this.#expression() };
    for (const word of ['let', 'var', 'const'] as const) if (this.#take(word)) return this.#declaration(word, at);
    const target = this.#expression();
    if (this.#take('++')) return { kind: 'count', at, target, op: '+' };
    if (this.#take('--')) return { kind: 'count', at, target, op: '-' };
    const assignment = ASSIGNMENTS.find((op) => op === this.#text);
    if (assignment) {
      this.#next++;
      return { kind: 'assign', at, target, op: assignment.slice(0, -1) || undefined, value: this.#expression() };
    }
    if (target.kind === 'call') return { kind: 'call', at, call: target };
    return this.#fail(`expected an assignment or a call, found ${this.#found()}`);
  }

  #declaration(word: Word, at: Place): Statement & { kind: 'declare' } {
    if (this.#text === '<') this.#fail('var with an address space is not supported: a law has local variables only');
    const name = this.#name(`a name after ${word}`);
    const type = this.#take(':') ? this.#type() : undefined;
    const value = this.#take('=') ? this.#expression() : undefined;
    if (!value && (word !== 'var' || !type)) this.#fail(`"${name}" wants a value`, at);
    return { kind: 'declare', at, word, name, type, value };
  }

  #expression(level = 0): Expression {
    if (level === LEVELS.length) return this.#unary();
    let left = this.#expression(level + 1);
    const first = left.kind === 'binary' && !this.#closed.has(left) ? left.op : undefined;
    let before = first === undefined ? undefined : { op: first, level: levelOf.get(first) as number };
    while (levelOf.get(this.#text) === level) {
      const at = this.#place();
      const op = this.#text;
      this.#next++;
      const right = this.#expression(level + 1);
      const after = right.kind === 'binary' && !this.#closed.has(right) ? (levelOf.get(right.op) as number) : undefined;
      if (mixes(op, level, before) || (after !== undefined && mixes(op, level, { op: '', level: after }))) {
        this.#fail(`WGSL wants parentheses around what is beside "${op}" here`, at);
      }
      left = { kind: 'binary', at, op, left, right };
      before = { op, level };
    }
    return left;
  }

  /** Binary expressions in parentheses, which may stand beside any operator. */
  readonly #closed = new WeakSet<Expression>();

  #unary(): Expression {
    const at = this.#place();
    for (const op of ['-', '!', '~', '*', '&'] as const) {
      if (this.#take(op)) return { kind: 'unary', at, op, of: this.#unary() };
    }
    let expression = this.#primary(at);
    for (;;) {
      const place = this.#place();
      if (this.#take('.')) expression = { kind: 'member', at: place, of: expression, name: this.#name('a member') };
      else if (this.#text === '[') this.#fail('indexing is not supported: a law has no arrays');
      else return expression;
    }
  }

  #primary(at: Place): Expression {
    const token = this.#tokens[this.#next];
    if (this.#take('(')) {
      const inner = this.#expression();
      this.#expect(')', 'an expression in parentheses');
      // A copy, so that the same tree can be told from one without parentheses.
      const closed = { ...inner };
      this.#closed.add(closed);
      return closed;
    }
    if (token?.kind === 'number' || token?.text === 'true' || token?.text === 'false') {
      this.#next++;
      return { kind: 'literal', at, text: token.text };
    }
    const name = this.#name('an expression');
    const open = this.#tokens[this.#next] as Token;
    if (this.#templates.has(open) && TEMPLATED.test(name)) {
      this.#fail(`${name}<...> is not supported: use lane, flag, bits, f32, u32, bool or a struct`, at);
    }
    if (this.#templates.has(open) && name !== 'bitcast') {
      this.#fail(`WGSL reads a template list in "${name}<...>": put the comparison in parentheses`);
    }
    const template = name === 'bitcast' ? this.#template() : undefined;
    if (!this.#take('(')) return { kind: 'name', at, name };
    const args: Expression[] = [];
    while (!this.#take(')')) {
      args.push(this.#expression());
      if (this.#take(',')) continue;
      this.#expect(')', 'the arguments of a call');
      break;
    }
    return { kind: 'call', at, name, template, args };
  }

  #template(): string {
    this.#expect('<', 'bitcast');
    const { name } = this.#type();
    this.#expect('>', 'the type of a bitcast');
    return name;
  }
}

/** Whether WGSL's grammar has no such mixture without parentheses (section 8.18 of its specification). */
function mixes(op: string, level: number, beside: { op: string; level: number } | undefined): boolean {
  if (!beside) return false;
  if (level === SHIFT) return true;
  if (level === RELATION) return beside.level <= RELATION;
  if (level === BITS) return beside.level !== BITS || beside.op !== op;
  return level === LOGIC && (beside.level === BITS || (beside.level === LOGIC && beside.op !== op));
}

/** The "<" after names that begin template lists (the algorithm of section 3.9 of WGSL's specification). */
function templatesIn(tokens: readonly Token[]): Set<Token> {
  const found = new Set<Token>();
  let pending: { open: Token; depth: number }[] = [];
  let depth = 0;
  const drop = () => {
    pending = pending.filter((candidate) => candidate.depth < depth);
  };
  for (const [i, token] of tokens.entries()) {
    const { text } = token;
    if (text === '<' && tokens[i - 1]?.kind === 'word') pending.push({ open: token, depth });
    else if (text.startsWith('>')) {
      for (const mark of text) {
        if (mark !== '>' || pending.at(-1)?.depth !== depth) break;
        found.add(pending.pop()?.open as Token);
      }
    } else if (text === '(' || text === '[') depth++;
    else if (text === ')' || text === ']') {
      drop();
      depth = Math.max(0, depth - 1);
    } else if (text === '&&' || text === '||') drop();
    else if ([';', '{', ':', '='].includes(text)) {
      depth = 0;
      pending = [];
    }
  }
  return found;
}
