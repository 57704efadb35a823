// Reads shaders/ and writes src/generated/: the tables, the config types, the stripped WGSL and the WebAssembly of every
// soma and input; the worker's script as a text; and the demo page's gallery. Run by `npm run generate`, by the package's scripts and by Vite when
// a shader changes.

import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { compileDraw, compileInput, type InputSource, isSteady } from '../src/compiler/input.ts';
import { compileSoma } from '../src/compiler/soma.ts';
import { compileStatistics } from '../src/compiler/statistics.ts';
import { boundsOf, type DescribedRow } from '../src/rows.ts';
import { link, readSource, readTable, type Source, strip, WgslError } from '../src/wgsl.ts';
import { generateGallery } from './gallery.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

interface Shader {
  name: string;
  /** Below shaders/. */
  path: string;
  text: string;
  source: Source;
}

function readShader(path: string): Shader {
  const text = readFileSync(`${ROOT}shaders/${path}`, 'utf8');
  try {
    return { name: basename(path, '.wgsl'), path, text, source: readSource(text) };
  } catch (error) {
    throw inFile(error, path);
  }
}

const readFolder = (folder: string): Shader[] =>
  readdirSync(`${ROOT}shaders/${folder}`)
    .sort()
    .map((file) => readShader(`${folder}/${file}`));

const inFile = (error: unknown, path: string) =>
  error instanceof WgslError ? new Error(`shaders/${path}:${error.message}`, { cause: error }) : error;

interface Library {
  /** Functions that WebAssembly has not, for the CPU path. */
  math: Shader[];
  parts: Shader[];
  /** What inputs share. */
  inputParts: Shader[];
  /** The generator of random bits. */
  philox: Shader;
  somas: SomaShader[];
  inputs: InputShader[];
  statistics: Shader;
}

function readLibrary(): Library {
  const parts = readFolder('parts');
  const somas = readFolder('somas').map((soma) => readSoma(soma, parts));
  const inputParts = ['cycle', 'random'].map((name) => readShader(`${name}.wgsl`));
  const inputs = readFolder('inputs').map((input) => readInput(input, inputParts));
  return {
    math: readFolder('math'),
    parts,
    inputParts,
    philox: readShader('philox.wgsl'),
    somas,
    inputs,
    statistics: readShader('statistics.wgsl'),
  };
}

const DO_NOT_EDIT = '// Generated from shaders/ by build/generate.ts; not to be edited.';

/** The text of src/generated/shaders.ts. */
export function generate({ math, parts, inputParts, philox, somas, inputs, statistics } = readLibrary()): string {
  const ofKernels = [philox, statistics, ...['block', 'simulate', 'trace'].map((name) => readShader(`${name}.wgsl`))];
  const constant = ({ name, text }: Shader) => `const ${name} = ${JSON.stringify(strip(text))};`;
  return [
    DO_NOT_EDIT,
    "import type { Value } from '../initializers.ts';",
    "import type { InputLaw, Soma } from '../somas.ts';",
    `/** @internal What laws.ts has by a name, loaded by whoever asks first. */
export const compiled = async (name: keyof typeof import('./laws.ts')): Promise<string> => (await import('./laws.ts'))[name];`,
    ...[...parts, ...inputParts].map(constant),
    ...ofKernels.map((shader) => `export ${constant(shader)}`),
    `/** What is kept of a state's statistics. */\nexport const statisticsRows = ${withoutMeaning(statisticsTable(statistics))} as const;`,
    ...parts.map((part) => `const ${part.name}Rows = ${withoutMeaning(rowsOf(part))} as const;`),
    ...somas.map((soma) => somaModule(soma, somas, parts)),
    `/** All of them. */\nexport const somas: readonly Soma[] = [${somas.map(({ name }) => name).join(', ')}];`,
    parameterOwners(somas),
    ...inputModules(inputs, filesOf(math)),
    '',
  ].join('\n\n');
}

const statisticsTable = ({ source }: Shader) => readTable(source.structs, 'Statistics');

/** The text of src/generated/laws.ts: the laws of the CPU path, apart because a GPU does without. */
function generateLaws({ math, parts, inputParts, philox, somas, inputs, statistics }: Library): string {
  const library = filesOf(math);
  const laws = {
    ...Object.fromEntries(somas.map((soma) => [soma.name, compileSoma(somaSource(soma, parts, library))])),
    ...Object.fromEntries(inputs.map((input) => [input.name, compileInput(inputSource(input, library))])),
    draw: compileDraw(filesOf([...inputParts, philox]), library),
    statistics: compileStatistics(filesOf([statistics]), library),
  };
  return [
    DO_NOT_EDIT,
    '// WebAssembly in hexadecimal: longer than base64, but shorter by a quarter once compressed.',
    ...Object.entries(laws).map(([name, bytes]) => `export const ${name} = '${Buffer.from(bytes).toString('hex')}';`),
    '',
  ].join('\n\n');
}

/** The text of src/generated/library.ts: what users' own somas are linked with. Of the parts the comments are the tables. */
function generateLibrary({ math, parts }: Library): string {
  const files = (shaders: readonly Shader[]) => JSON.stringify(filesOf(shaders));
  const stripped = math.map((shader) => ({ ...shader, text: strip(shader.text) }));
  return [
    DO_NOT_EDIT,
    "import type { Shader } from '../compiler/loops.ts';",
    `/** What somas may be made of. */\nexport const parts: readonly Shader[] = ${files(parts)};`,
    `/** Functions that WebAssembly has not. */\nexport const math: readonly Shader[] = ${files(stripped)};`,
    '',
  ].join('\n\n');
}

interface SomaShader extends Shader {
  /** Names of the parts it is linked with. */
  parts: string[];
  parameters: Record<string, DescribedRow>;
  states: Record<string, DescribedRow>;
}

function readSoma(soma: Shader, library: Shader[]): SomaShader {
  const linked = link(
    library.map((part) => part.source),
    soma.source,
  ).map((i) => library[i] as Shader);
  const structs = new Map([...linked, soma].flatMap((shader) => [...shader.source.structs]));
  try {
    return {
      ...soma,
      parts: linked.map((part) => part.name),
      parameters: readTable(structs, 'Parameters'),
      states: readTable(structs, 'State'),
    };
  } catch (error) {
    throw inFile(error, `somas/${soma.name}.wgsl (or a part of it)`);
  }
}

// A soma's config extends that of the largest soma whose parameters it contains, as in the specification.
function baseOf(soma: SomaShader, somas: SomaShader[]): SomaShader | undefined {
  const size = (other: SomaShader) => Object.keys(other.parameters).length;
  return somas
    .filter(
      (other) => size(other) < size(soma) && Object.keys(other.parameters).every((name) => name in soma.parameters),
    )
    .sort((a, b) => size(b) - size(a))[0];
}

// A part's table is its first struct, and somas hold it in a member of the part's name: so that its rows stand once.
function rowsOf(part: Shader): Record<string, DescribedRow> {
  const [struct = ''] = part.source.structs.keys();
  return readTable(part.source.structs, struct, `${part.name}.`);
}

function spread(soma: SomaShader, parts: Shader[]): string {
  const own = { ...soma.parameters };
  const place = (part: Shader) => Object.keys(own).indexOf(Object.keys(rowsOf(part))[0] as string);
  const used = parts.filter((part) => soma.parts.includes(part.name)).sort((a, b) => place(a) - place(b));
  for (const [name, row] of used.flatMap((part) => Object.entries(rowsOf(part)))) {
    if (own[name]?.path !== row.path)
      throw new Error(`${soma.name} wants ${name} at ${row.path}, the place its part gives it`);
    delete own[name];
  }
  return `{ ${[...used.map((part) => `...${part.name}Rows`), withoutMeaning(own).slice(1, -1)].filter(Boolean).join(', ')} }`;
}

function somaModule(soma: SomaShader, somas: SomaShader[], parts: Shader[]): string {
  const base = baseOf(soma, somas);
  const own = Object.entries(soma.parameters).filter(([name]) => !base || !(name in base.parameters));
  const fields = own.map(([name, row]) => `  /** ${describe(row)} */\n  ${name}?: Value;`);
  const states = Object.keys(soma.states).map((name) => `'${name}'`);
  return `/** Parameters of {@link ${soma.name}}: each a number, one value a neuron, or an initializer. */
export interface ${soma.name}Config${base ? ` extends ${base.name}Config` : ''} {
${fields.join('\n')}
}

/**
${header(soma.text)
  .map((line) => ` * ${line}`)
  .join('\n')}
 */
export const ${soma.name}: Soma<${soma.name}Config, ${states.join(' | ')}> = {
  name: '${soma.name}',
  parameters: ${spread(soma, parts)},
  states: ${withoutMeaning(soma.states)},
  wgsl: ${[...soma.parts, JSON.stringify(strip(soma.text))].join(" + '\\n' + ")},
  wasm: () => compiled('${soma.name}'),
};`;
}

// Lets a message about a misplaced parameter say which soma has it, without a bundle of all somas.
function parameterOwners(somas: SomaShader[]): string {
  const owners: Record<string, string[]> = {};
  for (const soma of somas) {
    for (const name of Object.keys(soma.parameters)) owners[name] = [...(owners[name] ?? []), soma.name];
  }
  const partial = Object.entries(owners).filter(([, names]) => names.length < somas.length);
  return `/** Which somas have a parameter, for those that not all have. */
export const parameterOwners: Record<string, readonly string[]> = ${JSON.stringify(Object.fromEntries(partial))};`;
}

interface InputShader extends Shader {
  struct: string;
  table: Record<string, DescribedRow>;
  states: Record<string, DescribedRow>;
  /** What it shares with others. */
  linked: Shader[];
  /** Whether it draws random numbers. */
  random: boolean;
}

function readInput(input: Shader, library: Shader[]): InputShader {
  const { name, source, path } = input;
  const [struct] = source.structs.keys();
  if (!struct || !source.declares.has(name)) {
    throw new Error(`shaders/inputs/${name}.wgsl wants a struct of parameters, then a function ${name}`);
  }
  const linked = link(
    library.map((part) => part.source),
    source,
  ).map((i) => library[i] as Shader);
  const structs = new Map([...linked, input].flatMap((shader) => [...shader.source.structs]));
  try {
    const [table, states] = [readTable(structs, struct), readTable(structs, `${struct}State`)];
    return { ...input, struct, linked, table, states, random: linked.some((part) => part.name === 'random') };
  } catch (error) {
    throw inFile(error, path);
  }
}

type Files = ReturnType<typeof filesOf>;

const somaSource = (soma: SomaShader, parts: Shader[], math: Files) => ({
  math,
  files: filesOf([...parts.filter((part) => soma.parts.includes(part.name)), soma]),
  parameters: pathsOf(soma.parameters),
  states: pathsOf(soma.states),
});

const inputSource = (input: InputShader, math: Files): InputSource => ({
  math,
  files: filesOf([...input.linked, input]),
  kind: input.name,
  struct: input.struct,
  parameters: pathsOf(input.table),
  states: pathsOf(input.states),
});

function inputModules(inputs: InputShader[], math: Files): string[] {
  const laws = inputs.map((input) => {
    const { name, text, struct, table, states, linked, random } = input;
    const fields = Object.entries(table)
      .filter(([, row]) => !row.byHost)
      .flatMap(([key, row]) => inputFields(key, row));
    if (random)
      fields.push(
        '  /** All inputs that name the same noise have the same numbers, in all neurons and populations. */\n  shared?: string;',
      );
    const type = `/** ${header(text).join(' ')} */
export interface ${struct}Input {
  kind: '${name}';
${fields.join('\n')}
}`;
    const law = `{ kind: '${name}', struct: '${struct}', parameters: ${withoutMeaning(table)}, states: ${withoutMeaning(states)}, wgsl: ${JSON.stringify(strip(text))}, parts: [${linked.map((part) => part.name).join(', ')}], wasm: () => compiled('${name}'), steady: ${isSteady(inputSource(input, math))}, random: ${random} }`;
    return { struct, type, law: `  ${name}: ${law},` };
  });
  return [
    ...laws.map(({ type }) => type),
    `/** A current computed on the device. */\nexport type LawInput = ${laws.map(({ struct }) => `${struct}Input`).join(' | ')};`,
    `export const inputLaws: Record<LawInput['kind'], InputLaw> = {\n${laws.map(({ law }) => law).join('\n')}\n};`,
  ];
}

// What a user gives for a row: one key, or one of two.
function inputFields(key: string, row: DescribedRow): string[] {
  const optional = row.default === undefined && !row.density ? '' : '?';
  const field = `  /** ${describe(row)} */\n  ${key}${optional}: ${row.edge || row.single ? 'number' : 'Value'};`;
  if (!row.density) return [field];
  return [
    field,
    `  /** in the place of ${key}, ${row.unit}*sqrt(ms): ${key} is this / sqrt(dt) */\n  ${row.density}?: Value;`,
  ];
}

const filesOf = (shaders: readonly Shader[]) => shaders.map(({ path, text }) => ({ file: `shaders/${path}`, text }));

/** Of what the device has. */
const pathsOf = (table: Record<string, DescribedRow>): string[] =>
  Object.values(table)
    .filter(({ onHost }) => !onHost)
    .map(({ path }) => path);

/** The lines of the comment a file opens with. */
export const header = (text: string): string[] =>
  (/^(?:\/\/.*\n)+/.exec(text)?.[0] ?? '')
    .trimEnd()
    .split('\n')
    .map((line) => line.replace(/^\/\/ ?/, ''));

const withoutMeaning = (table: Record<string, DescribedRow>): string =>
  JSON.stringify(table, (key, value) => (key === 'meaning' ? undefined : value));

/** The text of src/generated/meanings.ts. */
function generateMeanings({ somas, inputs }: Library): string {
  const words = (table: Record<string, DescribedRow>) =>
    Object.fromEntries(
      Object.entries(table)
        .filter(([, row]) => !row.byHost)
        .map(([name, { meaning }]) => [name, meaning]),
    );
  const declare = (name: string, what: string, type: string, value: object) =>
    `/** ${what} */\nexport const ${name}: ${type} = ${JSON.stringify(value)};`;
  const record = 'Readonly<Record<string, string>>';
  return [
    '// Generated from shaders/ by build/generate.ts; not to be edited.',
    declare(
      'parameterMeanings',
      'Of parameters, by name.',
      record,
      Object.assign({}, ...somas.map((soma) => words(soma.parameters))),
    ),
    declare(
      'stateMeanings',
      'Of states, by name.',
      record,
      Object.assign({}, ...somas.map((soma) => words(soma.states))),
    ),
    declare(
      'inputMeanings',
      "Of inputs' keys, by kind and name.",
      `Readonly<Record<string, ${record}>>`,
      Object.fromEntries(inputs.map(({ name, table }) => [name, words(table)])),
    ),
    '',
  ].join('\n\n');
}

/** A row in words: `membrane time constant; 5 ms by default, > 0, >= dt`. */
export function describe(row: DescribedRow): string {
  const initial = row.default === undefined ? row.unit : `${row.default} ${row.unit} by default`;
  return [`${row.meaning}; ${initial}`, ...boundsOf(row)].join(', ');
}

/** The worker's script, self-contained. */
export async function bundleWorker(): Promise<string> {
  const built = await build({
    root: ROOT,
    configFile: false,
    logLevel: 'warn',
    build: {
      write: false,
      target: 'es2022',
      lib: { entry: `${ROOT}src/worker.ts`, formats: ['iife'], name: 'worker' },
    },
  });
  const [{ output }] = (Array.isArray(built) ? built : [built]) as [{ output: { code?: string }[] }];
  return output[0]?.code as string;
}

/** Writes the files. */
export async function writeGenerated(): Promise<void> {
  mkdirSync(`${ROOT}src/generated`, { recursive: true });
  const library = readLibrary();
  writeChanged(`${ROOT}src/generated/shaders.ts`, generate(library));
  writeChanged(`${ROOT}src/generated/laws.ts`, generateLaws(library));
  writeChanged(`${ROOT}src/generated/library.ts`, generateLibrary(library));
  writeChanged(`${ROOT}src/generated/meanings.ts`, generateMeanings(library));
  writeChanged(`${ROOT}src/generated/gallery.ts`, generateGallery());
  const worker = `// Generated from src/worker.ts by build/generate.ts; not to be edited.\n\n/** The worker's script. */\nexport const workerSource = ${JSON.stringify(await bundleWorker())};\n`;
  writeChanged(`${ROOT}src/generated/worker.ts`, worker);
}

/** Aside and then renamed, and only if it changed: builds may run side by side. */
export function writeChanged(target: string, text: string): void {
  if (existsSync(target) && readFileSync(target, 'utf8') === text) return;
  writeFileSync(`${target}.${process.pid}`, text);
  renameSync(`${target}.${process.pid}`, target);
}

if (process.argv[1] && fileURLToPath(import.meta.url) === process.argv[1]) await writeGenerated();
