// The reader of our WGSL: what a shader file declares and uses, and the tables that its struct members' comments are.
// It serves the build and users' own somas; the engine's bundle does not contain it. It knows declarations,
// not expressions, and no file system: text in, data out, every complaint with line and column.

import type { DescribedRow, Row } from './rows.ts';

/** A complaint about WGSL text; `line` and `column` count from 1. */
export class WgslError extends Error {
  override readonly name = 'WgslError';
  constructor(
    readonly reason: string,
    readonly line: number,
    readonly column: number,
    readonly file?: string,
  ) {
    super(`${file === undefined ? '' : `${file}:`}${line}:${column}: ${reason}`);
  }
}

export interface Member {
  name: string;
  type: string;
  /** The comment on the member's line, if any. */
  comment: string;
  line: number;
  column: number;
}

export interface Source {
  /** Names declared at module scope. */
  declares: Set<string>;
  /** Every identifier in the text, declared here or not. */
  uses: Set<string>;
  structs: Map<string, Member[]>;
}

export interface Token {
  kind: 'word' | 'number' | 'mark' | 'comment';
  text: string;
  line: number;
  column: number;
}

const TOKEN =
  /(?<space>[ \t\n\v\f\r\u0085\u200e\u200f\u2028\u2029]+)|(?<comment>\/\/[^\n]*|\/\*(?:(?!\/\*)[\s\S])*?\*\/)|(?<word>[A-Za-z_]\w*)|(?<number>(?:0[xX][\da-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+\.?)?)[iufh]?)|(?<mark>(?!\/\*)(?:&&|\|\||->|<<=?|>>=?|[<>=!+\-*/%&|^]=|\+\+|--|[-+*/%&|^~!<>=.,;:@(){}[\]]))/y;

/** The tokens of a text, comments included, white space left out. */
export function tokenize(source: string, file?: string): Token[] {
  const text = source.replaceAll('\r\n', '\n');
  const tokens: Token[] = [];
  let line = 1;
  let lineStart = 0;
  TOKEN.lastIndex = 0;
  for (let at = 0; at < text.length; at = TOKEN.lastIndex) {
    const groups = TOKEN.exec(text)?.groups;
    const column = at - lineStart + 1;
    if (!groups) throw new WgslError(`unexpected character ${JSON.stringify(text[at])}`, line, column, file);
    for (const kind of ['word', 'number', 'mark', 'comment'] as const) {
      const found = groups[kind];
      if (found !== undefined) tokens.push({ kind, text: found, line, column });
    }
    const passed = text.slice(at, TOKEN.lastIndex);
    line += passed.split('\n').length - 1;
    const newline = passed.lastIndexOf('\n');
    if (newline >= 0) lineStart = at + newline + 1;
  }
  return tokens;
}

/** Reads what a text declares and uses. */
export function readSource(text: string): Source {
  const all = tokenize(text);
  const tokens = all.filter((token) => token.kind !== 'comment');
  const source: Source = { declares: new Set(), uses: new Set(), structs: new Map() };
  let depth = 0;
  for (const [at, token] of tokens.entries()) {
    if (token.kind === 'word') source.uses.add(token.text);
    if (token.text === '{' || token.text === '(') depth++;
    if (token.text === '}' || token.text === ')') depth--;
    if (depth === 0 && ['struct', 'fn', 'alias', 'const', 'override', 'var'].includes(token.text)) {
      const name = declaredName(tokens, at);
      if (source.declares.has(name.text)) {
        throw new WgslError(`"${name.text}" is declared twice`, name.line, name.column);
      }
      source.declares.add(name.text);
      if (token.text === 'struct') source.structs.set(name.text, readMembers(all, all.indexOf(name) + 1));
    }
  }
  return source;
}

// The name after a declaring keyword; `var<storage, read>` has a template list in between.
function declaredName(tokens: Token[], at: number): Token {
  let next = at + 1;
  if (tokens[next]?.text === '<') next = tokens.findIndex((token, i) => i > next && token.text === '>') + 1;
  const name = tokens[next];
  const keyword = tokens[at] as Token;
  if (name?.kind !== 'word') throw new WgslError(`${keyword.text} wants a name`, keyword.line, keyword.column);
  return name;
}

function readMembers(tokens: Token[], open: number): Member[] {
  const members: Member[] = [];
  let at = open + 1;
  for (; tokens[at]?.text !== '}'; at++) {
    const token = tokens[at];
    if (!token)
      throw new WgslError('this struct has no closing brace', tokens[open]?.line ?? 1, tokens[open]?.column ?? 1);
    const last = members.at(-1);
    if (token.kind === 'comment') {
      if (last?.line === token.line) last.comment = token.text.replace(/^\/[/*]\s*|\s*\*\/$/g, '');
    } else if (token.kind === 'word' && tokens[at + 1]?.text === ':') {
      const end = tokens.findIndex((other, i) => i > at + 1 && (other.text === ',' || other.text === '}'));
      const type = tokens.slice(at + 2, end).filter((part) => part.kind !== 'comment');
      members.push({ ...token, name: token.text, type: type.map((part) => part.text).join(''), comment: '' });
      // Up to its type: a comment may come before the comma, or there may be none.
      at = tokens.indexOf(type.at(-1) ?? token);
    }
  }
  return members;
}

/**
 * The table that a struct is: one row a leaf member, members that are structs themselves flattened.
 * A row is the member's comment: `DEFAULT UNIT, MARK, ...: MEANING`, for example `2 mV, > 0, <= 1000: sharpness`.
 */
export function readTable(
  structs: ReadonlyMap<string, Member[]>,
  name: string,
  prefix = '',
): Record<string, DescribedRow> {
  const table: Record<string, DescribedRow> = {};
  for (const member of structs.get(name) ?? []) {
    const path = prefix + member.name;
    const rows = structs.has(member.type)
      ? readTable(structs, member.type, `${path}.`)
      : { [nameOf(member)]: readRow(member, path) };
    for (const [key, row] of Object.entries(rows)) {
      if (Object.hasOwn(table, key))
        throw new WgslError(`"${key}" stands twice in ${name}`, member.line, member.column);
      table[key] = row;
    }
  }
  return table;
}

/** The user's name for a member, where WGSL reserves that word. */
const CALLED = /\bcalled (\w+)$/;

const nameOf = ({ name, comment }: Member): string =>
  CALLED.exec(comment.split(/[,:]/).find((mark) => CALLED.test(mark)) ?? '')?.[1] ?? name;

const MARKS: [RegExp, (match: RegExpExecArray) => Partial<Row>][] = [
  [/^> (-?[\d.]+)$/, ([, bound]) => ({ above: Number(bound) })],
  [/^>= dt$/, () => ({ leastDt: true })],
  [/^>= (-?[\d.]+)$/, ([, bound]) => ({ least: Number(bound) })],
  [/^<= (-?[\d.]+)$/, ([, bound]) => ({ most: Number(bound) })],
  [/^in steps$/, () => ({ inSteps: true })],
  [/^whole$/, () => ({ whole: true })],
  [/^from (\w+)$/, ([, origin]) => ({ from: origin as string })],
  [/^by host$/, () => ({ byHost: true })],
  [/^on host$/, () => ({ onHost: true })],
  [CALLED, () => ({})],
  [/^or (\w+)$/, ([, density]) => ({ density: density as string })],
];

function readRow(member: Member, path: string): DescribedRow {
  const complain = (reason: string) => new WgslError(`${member.name}: ${reason}`, member.line, member.column);
  if (!['lane', 'f32', 'u32'].includes(member.type)) {
    throw complain(`a table has members of type lane, f32 or u32, not ${member.type}`);
  }
  const [, head, meaning] = /^([^:]*): *(.+)$/.exec(member.comment) ?? [];
  if (!head || !meaning)
    throw complain(
      'its comment wants the form "DEFAULT UNIT, MARK, ...: MEANING"; write one behind it, for example // 10 ms, > 0: time constant',
    );
  const [first = '', ...marks] = head.split(',').map((part) => part.trim());
  const [initial = '', unit] = first.split(' ');
  if (!unit) throw complain(`"${first}" wants a default and a unit; write for example "2 mV", or "2 1" without a unit`);
  const facts = marks.map((mark) => {
    const found = MARKS.find(([pattern]) => pattern.test(mark));
    if (!found) throw complain(`unknown mark "${mark}"; known: > x, >= x, <= x, >= dt, in steps, whole, from NAME`);
    return found[1](found[0].exec(mark) as RegExpExecArray);
  });
  const value = Number.isNaN(Number(initial)) ? initial : Number(initial);
  return Object.assign(
    { path, unit, meaning },
    initial === 'required' ? {} : { default: value },
    member.type === 'u32' ? { edge: true as const } : {},
    member.type === 'f32' ? { single: true as const } : {},
    ...facts,
  );
}

/**
 * What the texts in `wanted` need of `library`, as indices into it and in its order: WGSL's module-scope declarations
 * are order-free, so joining the texts is linking them.
 */
export function link(library: readonly Source[], wanted: Source): number[] {
  const needed = new Set<number>();
  const visit = (source: Source) => {
    library.forEach((candidate, i) => {
      if (candidate === source || needed.has(i)) return;
      if (![...candidate.declares].some((name) => source.uses.has(name))) return;
      needed.add(i);
      visit(candidate);
    });
  };
  visit(wanted);
  return [...needed].sort((a, b) => a - b);
}

/** The text without comments and white space that no parser needs: what a bundle carries. Statements keep their lines. */
export function strip(text: string): string {
  return (
    text
      .replace(/\/\/[^\n]*|\/\*[\s\S]*?\*\//g, ' ')
      .split('\n')
      .map((line) => line.trim().replace(/ ?(->|[,:;{}=<>]) ?/g, '$1'))
      // Between words and parentheses alone: "a / *b" without its spaces would begin a comment.
      .map((line) => line.replace(/(?<=[\w)]) ([-+*/%&|^]=?|&&|\|\||<<|>>) ?(?=[\w(])/g, '$1'))
      .filter((line) => line !== '')
      .join('\n')
      .replace(/([,{])\n/g, '$1')
  );
}
