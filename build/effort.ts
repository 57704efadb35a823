// `npm run fuzz` and `npm run soak`: the tests by chance, many times more often than `npm test` does. How often, and from
// which seed, goes to them by the environment; test/support/effort.ts reads it.

import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';

const EFFORTS = {
  fuzz: {
    usage: 'npm run fuzz -- [--runs 20000] [--seed N] [--path P]',
    options: { runs: 'FUZZ_RUNS', seed: 'FUZZ_SEED', path: 'FUZZ_PATH' },
    usual: { runs: '20000' },
    files: ['test/engine/fuzz.test.ts', 'test/host/damaged-files.test.ts'],
  },
  soak: {
    usage: 'npm run soak -- [--kills 50] [--cycles 1000] [--seed N]',
    options: { kills: 'SOAK_KILLS', cycles: 'SOAK_CYCLES', seed: 'FUZZ_SEED' },
    usual: { kills: '50', cycles: '1000' },
    files: ['test/engine/soak.test.ts'],
  },
} as const;

const [kind, ...args] = process.argv.slice(2);
const { usage, options, usual, files } = EFFORTS[kind as keyof typeof EFFORTS];

function environment(): Record<string, string> {
  const types = Object.fromEntries(Object.keys(options).map((name) => [name, { type: 'string' as const }]));
  const given = { ...usual, ...parseArgs({ args, options: types }).values };
  return Object.fromEntries(
    Object.entries(given).map(([name, value]) => {
      // fast-check's path is numbers with colons between.
      if (!(name === 'path' ? /^\d+(:\d+)*$/ : /^\d+$/).test(String(value)))
        throw new Error(`--${name} ${value}: is no number`);
      return [`SOMAGPU_${options[name as keyof typeof options]}`, String(value)];
    }),
  );
}

function read(): Record<string, string> {
  try {
    return environment();
  } catch (error) {
    console.error(`${(error as Error).message}\n${usage}`);
    return process.exit(2);
  }
}

const projects = ['--project', 'engine', '--project', 'host'];
const { status } = spawnSync('npx', ['vitest', 'run', ...files, ...projects], {
  env: { ...process.env, ...read() },
  stdio: 'inherit',
});
process.exit(status ?? 1);
