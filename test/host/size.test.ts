// What embedding the engine costs: the library is built in memory, as `vite build --mode library` builds it, but without
// the white space that bundlers of pages take out.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'vite';
import { beforeAll, describe, expect, test } from 'vitest';

interface Chunk {
  fileName: string;
  type: string;
  code?: string;
  imports?: string[];
  dynamicImports?: string[];
}

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** Gzipped: of what every page loads, and of that with the path it runs on. */
const MOST_BYTES = { alone: 25_500, webgpu: 31_500, cpu: 42_000 };

const MOST_BYTES_OF_DEFINE = 21_000;

const chunks = new Map<string, Chunk>();

beforeAll(async () => {
  const built = await build({
    root: ROOT,
    configFile: `${ROOT}vite.config.ts`,
    mode: 'library',
    logLevel: 'silent',
    build: { write: false, rolldownOptions: { output: { minify: true } } },
  });
  const [output] = (Array.isArray(built) ? built : [built]) as unknown as { output: Chunk[] }[];
  for (const chunk of output?.output ?? []) chunks.set(chunk.fileName, chunk);
}, 60_000);

function chunkNamed(name: string): Chunk {
  const chunk = chunks.get(name);
  if (!chunk) throw new Error(`${name} is not among ${[...chunks.keys()].join(', ')}`);
  return chunk;
}

/** An entry and all it imports statically, as far as it was built here. */
function closure(name: string, found = new Set<string>()): Set<string> {
  found.add(name);
  for (const next of chunkNamed(name).imports ?? []) {
    if (!found.has(next) && chunks.has(next)) closure(next, found);
  }
  return found;
}

const codeOf = (names: Iterable<string>) => [...names].map((name) => chunkNamed(name).code ?? '').join('\n');

/** What a text imports, statically or not, read from the text itself; "from" in quotes is a key and imports nothing. */
const importsOf = (code: string): string[] =>
  [...code.matchAll(/(?<!["'`])\b(?:from|import)\s*\(?\s*(["'`])([^"'`]+)\1/g)].map(([, , name]) => name as string);

describe('the engine that a page embeds', () => {
  test('has an entry and at least one chunk that it shares with the other entries', () => {
    expect([...closure('index.js')]).toContain('engine.js');
    expect(codeOf(['engine.js'])).toContain('requestAdapter');
  });

  const sizeOf = (names: Iterable<string>) => gzipSync(codeOf(names), { level: 9 }).length;

  test(`takes at most ${MOST_BYTES.alone} bytes gzipped, with all it imports statically`, () => {
    const names = closure('index.js');
    expect(sizeOf(names), [...names].join(' + ')).toBeLessThanOrEqual(MOST_BYTES.alone);
  });

  test.each([
    ['webgpu', ['webgpu.js']],
    ['cpu', ['cpu.js', 'laws.js']],
  ] as const)(
    'takes at most MOST_BYTES with the path it runs on, %s, and carries the other only there',
    (path, chunks) => {
      const names = closure('index.js');
      for (const chunk of chunks) {
        expect(names).not.toContain(chunk);
        closure(chunk, names);
      }
      expect(sizeOf(names), [...names].join(' + ')).toBeLessThanOrEqual(MOST_BYTES[path]);
    },
  );

  test('carries neither wgsl_reflect nor the reader of the shaders', () => {
    const code = codeOf(closure('index.js'));
    expect(code).not.toContain('wgsl_reflect');
    expect(code).not.toContain('is declared twice');
  });

  test('leaves the reader and the compiler of laws to the entry for somas of one’s own, which has the engine beside it', () => {
    const compiler = 'has to take (';
    for (const path of ['webgpu.js', 'cpu.js'])
      expect(codeOf(closure(path, closure('index.js')))).not.toContain(compiler);
    expect(codeOf(['define.js'])).toContain(compiler);
    expect([...closure('define.js')]).toContain('engine.js');
    expect(sizeOf(['define.js'])).toBeLessThanOrEqual(MOST_BYTES_OF_DEFINE);
    expect(
      [...closure('define.js')].flatMap((name) => chunkNamed(name).imports ?? []).every((name) => chunks.has(name)),
    ).toBe(true);
  });

  test('knows nothing of what papers print, which the entries for it and for experiment files share', () => {
    expect(codeOf(closure('index.js'))).not.toContain('g_L');
    expect(codeOf(closure('biophysics.js'))).toContain('g_L');
    expect([...closure('experiment.js')]).toContain('biophysics.js');
  });

  test('does not carry the analysis, an entry that imports the engine as everyone does', () => {
    expect(codeOf(closure('index.js'))).not.toContain('initial burst');
    expect(codeOf(['analysis.js'])).toContain('initial burst');
    expect([...closure('analysis.js')]).toContain('engine.js');
  });

  test('imports its own files and no package, statically or later', () => {
    const names = closure('index.js');
    expect(importsOf(codeOf(names)).filter((name) => !name.startsWith('./'))).toEqual([]);
    for (const name of names) {
      const { imports = [], dynamicImports = [] } = chunkNamed(name);
      expect([...imports, ...dynamicImports].filter((other) => !chunks.has(other))).toEqual([]);
    }
  });

  test('differs in that from the entry for Node, which is where packages are imported', () => {
    expect(importsOf(codeOf(['node.js']))).toEqual(expect.arrayContaining(['./engine.js', 'node:fs', 'webgpu']));
  });
});

test('the package has no run-time dependencies', () => {
  const facts = JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8'));
  expect(facts.name).toBe('somagpu');
  expect(facts).not.toHaveProperty('dependencies');
  expect(facts).not.toHaveProperty('optionalDependencies');
});
