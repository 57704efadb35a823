// Removes from dist/types the declarations that no entry of the package leads to: the inner modules of the engine, which
// tsc describes as well. Run by `npm run build`, after tsc.

import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const TYPES = join(ROOT, 'dist/types');

const { exports } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  exports: Record<string, string | { types: string }>;
};
const reached = new Set<string>();
for (const entry of Object.values(exports)) if (typeof entry !== 'string') reach(join(ROOT, entry.types));

function reach(file: string): void {
  if (reached.has(file)) return;
  reached.add(file);
  for (const [, path] of readFileSync(file, 'utf8').matchAll(/\b(?:from|import)\s*\(?\s*["'](\.[^"']+)\.ts["']/g)) {
    reach(join(dirname(file), `${path}.d.ts`));
  }
}

for (const name of readdirSync(TYPES, { recursive: true, encoding: 'utf8' })) {
  if (name.endsWith('.d.ts') && !reached.has(join(TYPES, name))) rmSync(join(TYPES, name));
}
