// A soma of one's own: the text of a law, as a file in shaders/somas/ has it, becomes a soma like the others. It is read,
// checked and compiled here, once and for both paths, so that a mistake is told where the text has it. An entry of its own:
// who does not define a soma does not load the compiler. It knows no device, no file and no simulation.

import { readLaw } from './compiler/loops.ts';
import { BUILT_IN } from './compiler/operators.ts';
import { parse } from './compiler/parser.ts';
import { compileSoma } from './compiler/soma.ts';
import type { Place, Syntax } from './compiler/syntax.ts';
import { InputError } from './errors.ts';
import { math, parts } from './generated/library.ts';
import { inputLaws, somas } from './generated/shaders.ts';
import type { Value } from './initializers.ts';
import { simulateKernel, traceKernel } from './kernel.ts';
import { type DescribedRow, outside } from './rows.ts';
import type { Soma, Table } from './somas.ts';
import { link, type Member, readSource, readTable, strip, WgslError } from './wgsl.ts';

export type { DescribedRow } from './rows.ts';

/** What is wrong with the text of a law, and where; `line` and `column` count from 1. */
export class LawError extends InputError {
  override readonly name: string = 'LawError';
  constructor(
    law: string,
    /** The line as it was given. */
    readonly source: string,
    readonly line: number,
    readonly column: number,
    reason: string,
    remedy = 'docs/own-somas.md says what a law has',
  ) {
    // Of a long line what is around the place.
    const from = source.length > 160 ? Math.max(0, column - 80) : 0;
    const pointer = source.slice(from, column - 1).replace(/[^\t]/g, ' ');
    // What would do something to a terminal stands as one sign, so that the pointer is where it should be.
    const shown = source.slice(from, from + 160).replace(/[^\P{Cc}\t]/gu, '\u{fffd}');
    super(`${law}:${line}:${column}`, undefined, reason, remedy, [shown, `${pointer}^`]);
  }
}

/**
 * A soma made of a text; its tables have the meanings that the text gives.
 *
 * @typeParam P - the names of its parameters
 * @typeParam S - the names of its states
 */
export interface OwnSoma<P extends string = string, S extends string = string>
  extends Soma<{ [parameter in P]?: Value }, S> {
  readonly parameters: Readonly<Record<P, DescribedRow>>;
  readonly states: Readonly<Record<S, DescribedRow>>;
}

/** More is no law; the compiler would take its time. */
const MOST_CHARACTERS = 65_536;
const NAME = /^[A-Za-z][\w-]*$/;

/**
 * Makes a soma of the WGSL of its law. docs/own-somas.md says what that has.
 *
 * @param text - structs `Parameters`, `State` and `Constants`, functions `prepare`, `drift` and `advance`
 * @param name - what messages, files and saved simulations call it
 * @throws LawError, with line and column, where the text is wrong; InputError for a name that will not do
 * @example
 * ```ts
 * import { defineSoma } from 'somagpu/define';
 * const Leaky = defineSoma<'tau' | 'threshold', 'potential'>(await (await fetch('leaky.wgsl')).text(), 'Leaky');
 * const cells = simulation.add(Leaky, { units: 1000, parameters: { tau: 20 } });
 * ```
 */
export function defineSoma<P extends string = string, S extends string = string>(
  text: string,
  name = 'OwnSoma',
): OwnSoma<P, S> {
  checkGiven(text, name);
  const lines = linesOf(text);
  const refusal = (reason: string, { line, column }: Pick<Place, 'line' | 'column'>) => {
    const [what = '', ...remedy] = reason.split('; ');
    return new LawError(name, lines[line - 1] ?? '', line, column, what, remedy.join('; ') || undefined);
  };
  try {
    const zero = lines.findIndex((line) => line.includes('\0'));
    if (zero >= 0)
      throw refusal('WGSL has no null character', {
        line: zero + 1,
        column: (lines[zero] as string).indexOf('\0') + 1,
      });
    const law = readOwn(lines.join('\n'), name);
    const bytes = compileSoma(law);
    const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
    return {
      name,
      parameters: law.tables.parameters as OwnSoma<P, S>['parameters'],
      states: law.tables.states as OwnSoma<P, S>['states'],
      wgsl: [lines.join('\n'), ...law.parts.map(({ text }) => strip(text))].join('\n'),
      wasm: async () => hex,
      // A kernel begins with a line of its own, then comes this text.
      explain: ({ lineNum, linePos, message }) =>
        lineNum >= 2 && lineNum <= lines.length + 1
          ? refusal(`the device refuses it: ${message}`, { line: lineNum - 1, column: Math.max(1, linePos) })
          : undefined,
    };
  } catch (error) {
    if (error instanceof WgslError) throw refusal(error.reason, error.file === name ? error : { line: 1, column: 1 });
    // The reader follows a text as deep as it goes.
    if (error instanceof RangeError) throw refusal('it nests too deeply', { line: 1, column: 1 });
    throw error;
  }
}

function checkGiven(text: unknown, name: unknown): void {
  if (typeof name !== 'string' || !NAME.test(name))
    throw new InputError('name', name, 'is no name for a soma', 'give a letter, then letters, digits, "_" or "-"');
  if (somas.some((soma) => soma.name === name))
    throw new InputError('name', name, 'is the name of a soma that is built in', 'give another one');
  if (typeof text !== 'string' || text.length > MOST_CHARACTERS) {
    const given = typeof text === 'string' ? undefined : text;
    throw new InputError(name, given, 'is no law', `give its WGSL, up to ${MOST_CHARACTERS} characters of text`);
  }
}

/** Where WGSL begins a new line (section 3.3 of its specification); an editor's mark at the beginning of a file is none. */
const linesOf = (text: string): string[] => text.replace(/^\uFEFF/, '').split(/\r\n|[\n\v\f\r\u0085\u2028\u2029]/);

/** A law as the compiler takes it, and what a soma has of it. */
function readOwn(text: string, file: string) {
  const own = parse(text, file);
  for (const [kind, names] of [
    ['struct', ['Parameters', 'State', 'Constants']],
    ['function', ['prepare', 'drift', 'advance']],
  ] as const) {
    const missing = names.find((one) => !own[`${kind}s`].has(one));
    if (missing) throw new WgslError(`there is no ${kind} "${missing}"`, 1, 1, file);
  }
  checkNames(own, file);
  const source = readSource(text);
  for (const struct of ['Parameters', 'State']) {
    // Said before the law is read, which would mind each use of the member.
    const other = source.structs.get(struct)?.find(({ type }) => OTHER_TYPE.test(type));
    if (other) throw new WgslError(`${other.name}: ${ONLY_LANES}`, other.line, other.column, file);
  }
  const sources = parts.map((part) => readSource(part.text));
  // What the text declares itself it does not take from elsewhere.
  const uses = new Set([...source.uses].filter((name) => !source.declares.has(name)));
  const linked = link(sources, { ...source, uses });
  const used = linked.map((i) => parts[i] as (typeof parts)[number]);
  const files = [...used, { file, text }];
  readLaw({ files, math });
  const structs = new Map([...linked.flatMap((i) => [...(sources[i]?.structs ?? [])]), ...source.structs]);
  const tables = tablesOf(structs, source.structs, file);
  const paths = (table: Record<string, DescribedRow>) => Object.values(table).map(({ path }) => path);
  return { math, files, parts: used, tables, parameters: paths(tables.parameters), states: paths(tables.states) };
}

type Structs = ReadonlyMap<string, Member[]>;

/** The tables of a law, of whose structs some are its own; what no soma can have is refused. */
function tablesOf(structs: Structs, own: Structs, file: string) {
  const tableOf = (struct: string): Record<string, DescribedRow> => {
    try {
      return readTable(structs, struct);
    } catch (error) {
      throw error instanceof WgslError ? new WgslError(error.reason, error.line, error.column, file) : error;
    }
  };
  const tables = { parameters: tableOf('Parameters'), states: tableOf('State') };
  const check = (struct: string, table: Record<string, DescribedRow>, complaintOf: typeof parameterComplaint) => {
    for (const [name, row] of Object.entries(table)) {
      const complaint = generalComplaint(name, row) ?? complaintOf(name, row, tables.parameters);
      if (!complaint) continue;
      const { line, column } = memberAt(own, struct, row.path);
      throw new WgslError(`${name}: ${complaint}`, line, column, file);
    }
  };
  check('Parameters', tables.parameters, parameterComplaint);
  check('State', tables.states, stateComplaint);
  return tables;
}

/** The member at a path; the one that holds a struct from elsewhere, where the path goes on into that. */
function memberAt(own: Structs, struct: string, path: string): Member {
  const [first, ...rest] = path.split('.');
  const member = own.get(struct)?.find(({ name }) => name === first) as Member;
  return rest.length > 0 && own.has(member.type) ? memberAt(own, member.type, rest.join('.')) : member;
}

const OTHER_TYPE = /^([fiu]32|f16|bool|flag|bits|vec[234].*|array.*)$/;
const ONLY_LANES = 'what a soma keeps is of type lane; one number for all neurons is given by giving one';

// A soma's numbers are all lanes, and its user's; what else a row can say is said of inputs.
function generalComplaint(name: string, row: DescribedRow): string | undefined {
  const { edge, single, byHost, onHost, density, path } = row;
  if (/^input\d|_statistics_/.test(name) || name in {}) return 'this name is taken; use another one';
  if (edge || single) return ONLY_LANES;
  const ofInputs = byHost || onHost || density || path.split('.').at(-1) !== name;
  return ofInputs ? 'the marks "by host", "on host", "or NAME" and "called NAME" are for inputs' : undefined;
}

function parameterComplaint(_: string, row: DescribedRow, _parameters: Table): string | undefined {
  if (row.from) return 'only a state is kept relative to a parameter';
  return row.default === undefined ? undefined : defaultComplaint(row);
}

function stateComplaint(name: string, row: DescribedRow, parameters: Table): string | undefined {
  if (['spikes', 'spike', 'rate', 'dt'].includes(name)) return 'a state cannot be called so; recordings are';
  if (row.inSteps) return 'a state is kept as it is; "in steps" is for parameters';
  if (row.from && !Object.hasOwn(parameters, row.from)) return `there is no parameter "${row.from}" to keep it from`;
  if (typeof row.default === 'string' && Object.hasOwn(parameters, row.default)) return undefined;
  return defaultComplaint(row);
}

function defaultComplaint(row: DescribedRow): string | undefined {
  if (typeof row.default !== 'number' || !(Math.abs(row.default) <= 1e9))
    return `its default ${row.default ?? ''} is no number up to 1e9, nor, of a state, the name of a parameter`;
  const reason = outside(row, row.default);
  return reason && `its default ${row.default} ${reason}`;
}

let taken: ReadonlySet<string> | undefined;

/** Names that a kernel has beside the law, whatever its inputs: two of one name would meet there. */
function takenNames(): ReadonlySet<string> {
  const states = { x: { path: 'x', unit: '', default: 0 } };
  const soma = { name: '', parameters: {}, states, wgsl: '', wasm: async () => '' } as Soma;
  const inputs = Object.values(inputLaws);
  const structure = { soma, inputs, arrays: new Set<string>(), width: 4, stream: 'each' } as const;
  const gathering = { ...structure, statistics: ['x'], gathered: ['x'] };
  const kernels = [simulateKernel(gathering), traceKernel(gathering, 'x')];
  return new Set(kernels.flatMap(({ text }) => [...readSource(text).declares]));
}

/** Types and functions that the kernel around a law has of WGSL itself, beside those of the subset. */
const PREDECLARED = /^(vec[234]([fhiu])?|mat[234]x[234][fh]?|array|atomic|ptr|i32|f16|countOneBits)$/;

function checkNames({ structs, functions, constants }: Syntax, file: string): void {
  // Of all laws the same, and made of kernels' whole texts.
  taken ??= takenNames();
  for (const [name, { at }] of [...structs, ...functions, ...constants]) {
    if (!taken.has(name) && !BUILT_IN.includes(name) && !PREDECLARED.test(name)) continue;
    throw new WgslError(`"${name}" is the name of something else in a kernel; rename it`, at.line, at.column, file);
  }
}
