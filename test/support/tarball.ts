// Packs the built package, once for all tests of the project `package`, and removes the tarball after them.

import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { TestProject } from 'vitest/node';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

declare module 'vitest' {
  interface ProvidedContext {
    /** Where the packed package lies. */
    tarball: string;
  }
}

export default async function setup({ provide }: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'somagpu-tarball-'));
  // Without scripts: `prepare` would build again what `npm test` has built.
  const args = ['pack', '--ignore-scripts', '--json', '--pack-destination', folder];
  const { stdout } = await promisify(execFile)('npm', args, { cwd: ROOT });
  const [packed] = Object.values(JSON.parse(stdout) as Record<string, { filename: string }>);
  provide('tarball', join(folder, packed?.filename as string));
  return () => rm(folder, { recursive: true });
}
