// The manifest and the list of files, judged by publint and Are the Types Wrong; both are shown to find faults. What is
// packed is what somebody can use, and no more.

import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { checkPackage, createPackageFromTarballData, type Package } from '@arethetypeswrong/core';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { describe, expect, inject, test } from 'vitest';
import { unpack } from '../support/consumer.ts';

interface Manifest {
  exports: Record<string, { types?: string; default?: string }>;
  [key: string]: unknown;
}

/** The tarball with another manifest. */
function repack(change: (manifest: Manifest) => void): Buffer {
  const { folder } = unpack();
  const file = join(folder, 'package.json');
  const manifest = JSON.parse(readFileSync(file, 'utf8')) as Manifest;
  change(manifest);
  writeFileSync(file, JSON.stringify(manifest));
  execFileSync('tar', ['-czf', join(folder, '../changed.tgz'), '-C', dirname(folder), 'package']);
  return readFileSync(join(folder, '../changed.tgz'));
}

const packed = () => readFileSync(inject('tarball'));

async function publintSays(tarball: Buffer): Promise<string[]> {
  const bytes = Uint8Array.from(tarball).buffer;
  const { messages, pkg } = await publint({ pack: { tarball: bytes }, strict: true });
  return messages.map((message) => formatMessage(message, pkg, { color: false }) ?? message.code);
}

/**
 * Ways of resolution that are not judged: TypeScript's oldest, which knows no `exports`, and that of `require` before Node
 * could require modules, which is before the oldest Node the package runs on.
 */
const OF_OLD = ['node10', 'node16-cjs'];

async function typesAreWrong(tarball: Buffer): Promise<string[]> {
  const judged: Package = createPackageFromTarballData(Uint8Array.from(tarball));
  const result = await checkPackage(judged);
  if (!result.types) return ['no types'];
  const problems = result.problems.filter((problem) => {
    return !('resolutionKind' in problem && OF_OLD.includes(problem.resolutionKind));
  });
  return problems.map((problem) => JSON.stringify(problem));
}

const entry = ({ exports }: Manifest) => exports['.'] as { types?: string; default?: string };

describe('publint', () => {
  test('finds nothing to say of the package', async () => {
    expect(await publintSays(packed())).toEqual([]);
  });

  test.each<[string, RegExp, (manifest: Manifest) => void]>([
    [
      'an entry without its file',
      /does not exist/,
      (manifest) => Object.assign(entry(manifest), { default: './no.js' }),
    ],
    [
      'types after what runs',
      /should be the first/,
      (manifest) => {
        const { types, default: script } = entry(manifest);
        manifest.exports['.'] = { default: script, types };
      },
    ],
    [
      'modules that are not declared as such',
      /is written in ESM/,
      (manifest) => Object.assign(manifest, { type: 'commonjs' }),
    ],
  ])('would find %s', async (_, fault, change) => {
    expect((await publintSays(repack(change))).join('\n')).toMatch(fault);
  });
});

describe('Are the Types Wrong', () => {
  test('finds no entry whose types are wrong', async () => {
    expect(await typesAreWrong(packed())).toEqual([]);
  });

  test.each<[string, string, (manifest: Manifest) => void]>([
    ['an entry without types', 'UntypedResolution', (manifest) => delete entry(manifest).types],
    [
      'an entry without its file',
      'NoResolution',
      (manifest) => {
        manifest.exports['.'] = { types: './no.d.ts', default: './no.js' };
      },
    ],
    [
      'modules that are declared as CommonJS',
      'UnexpectedModuleSyntax',
      (manifest) => Object.assign(manifest, { type: 'commonjs' }),
    ],
  ])('would find %s', async (_, fault, change) => {
    expect((await typesAreWrong(repack(change))).join('\n')).toContain(fault);
  });
});

describe('the packed files', () => {
  test('are all led to from an entry, but for texts to read', () => {
    const { folder, files } = unpack();
    const { exports, bin } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    const reached = new Set<string>();
    const reach = (file: string) => {
      // What is in comments only need not be there.
      if (reached.has(file) || !files.includes(file)) return;
      reached.add(file);
      const found = readFileSync(join(folder, file), 'utf8').matchAll(/\b(?:from|import)\s*\(?\s*["'`](\.[^"'`\n]+)/g);
      const typed = (path: string) => (file.endsWith('.d.ts') ? path.replace(/\.ts$/, '.d.ts') : path);
      for (const [, path] of found) reach(join(dirname(file), typed(path as string)));
    };
    const entries = [...Object.values(exports), ...Object.values(bin)].flatMap((entry) =>
      typeof entry === 'string' ? [entry] : Object.values(entry as Record<string, string>),
    );
    for (const entry of entries) reach(join(entry));
    const texts = ['LICENSE', 'README.md', 'package.json', ...files.filter((file) => /^shaders\/.*\.wgsl$/.test(file))];
    expect(files.sort()).toEqual([...reached, ...texts].sort());
  });

  test('have no source map, no data of tests, and no place on the machine that packed them', () => {
    const { folder, files } = unpack();
    expect(files.filter((file) => /\.map$|^test|^dist\/page|\.npz$/.test(file))).toEqual([]);
    expect(files.filter((file) => readFileSync(join(folder, file), 'utf8').includes(process.cwd()))).toEqual([]);
  });

  test('need no other package; WebGPU for Node may be there or not', () => {
    const { folder } = unpack();
    const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    expect(manifest).not.toHaveProperty('dependencies');
    expect(manifest).not.toHaveProperty('optionalDependencies');
    expect(Object.keys(manifest.peerDependencies)).toEqual(['webgpu']);
    expect(manifest.peerDependenciesMeta).toEqual({ webgpu: { optional: true } });
  });
});
