// The benchmark's command line. Alone: every path this machine has. With --peers: beside what a user would pick instead.
// npm run bench -- [--somas A,B] [--modes A,B] [--sizes N,N] [--backends cpu,webgpu] [--steps N] [--rounds N] [--threads N] [--quick]
// npm run bench -- --peers [A,B] [the same]

import { parseArgs } from 'node:util';
import { NoBackendError } from '../src/index.ts';
import { findAdapter } from '../src/node.ts';
import { alone, type Case, describe, type Path, turns } from './alone.ts';
import { circumstances, drawScaling, progress, save } from './report.ts';
import { type Mode, modes, somas, stepsFor } from './work.ts';

const { values } = parseArgs({
  allowPositionals: true,
  options: {
    peers: { type: 'boolean', default: false },
    somas: { type: 'string' },
    modes: { type: 'string' },
    sizes: { type: 'string' },
    backends: { type: 'string' },
    steps: { type: 'string' },
    rounds: { type: 'string' },
    threads: { type: 'string', default: '2' },
    quick: { type: 'boolean', default: false },
  },
});

/** Those given, each of which must be known, or all. */
function chosen<T extends string>(option: string, given: string | undefined, known: readonly T[]): readonly T[] {
  const names = given?.split(',') ?? known;
  const unknown = names.find((name) => !(known as readonly string[]).includes(name));
  if (unknown !== undefined) throw new Error(`--${option}: ${unknown} is not one of ${known.join(', ')}`);
  return names as readonly T[];
}

function whole(option: string, given: string): number {
  const value = Number(given);
  if (!(Number.isInteger(value) && value >= 1)) throw new Error(`--${option}: ${given} is no whole number above 0`);
  return value;
}

const ADEX = 'AdaptiveExponentialSoma';
/** Where all somas are compared. */
const MIDDLE = 100_000;
const LARGEST = 10_000_000;
const SIZES = [1e3, 1e4, MIDDLE, 1e6, LARGEST];

/** Without being told: all at one size, one soma over all sizes, and one mode at the largest. */
function isDefault({ soma, mode, neurons }: Case): boolean {
  return neurons === MIDDLE || (soma === ADEX && (mode === 'counting' || neurons < LARGEST));
}

function casesOf(paths: readonly Path[]): Case[] {
  const sizes = values.sizes?.split(',').map((size) => whole('sizes', size)) ?? (values.quick ? [1e3, 1e4] : SIZES);
  const cases = sizes.flatMap((neurons) =>
    chosen('somas', values.somas, [...somas.keys()]).flatMap((soma) =>
      chosen<Mode>('modes', values.modes, modes).flatMap((mode) =>
        paths.map((path): Case => {
          const steps = values.steps ? whole('steps', values.steps) : stepsFor(neurons, values.quick);
          return { soma, mode, neurons, path, steps };
        }),
      ),
    ),
  );
  return values.sizes || values.quick ? cases : cases.filter(isDefault);
}

const rounds = values.rounds ? whole('rounds', values.rounds) : values.peers ? 5 : values.quick ? 2 : 3;
const threads = whole('threads', values.threads);
const where = circumstances();
process.stdout.write(`${Object.values(where).filter(Boolean).join(', ')}\n`);

/** Those this machine has. */
async function paths(): Promise<readonly Path[]> {
  try {
    await findAdapter();
    return ['cpu', 'webgpu'];
  } catch (error) {
    if (!(error instanceof NoBackendError)) throw error;
    process.stdout.write(`left out: WebGPU, for there is ${error.message}\n`);
    return ['cpu'];
  }
}

async function runAlone(): Promise<void> {
  const cases = casesOf(chosen('backends', values.backends, await paths()));
  const bar = progress(turns(cases, rounds));
  const rows = await alone(cases, { rounds, threads, onTurn: bar.turn }).finally(bar.stop);
  const adapters = [...new Set(rows.map(({ adapter }) => adapter))];
  const json = { ...where, adapters, rounds, workers: threads, rows };
  const files = save('alone', where.date as string, {
    json: `${JSON.stringify(json, null, 2)}\n`,
    svg: drawScaling(rows, adapters.join(' and ')),
  });
  process.stdout.write(
    `${describe(rows)}median [min..max] of ${rounds} rounds; on ${adapters.join(' and ')}\n${files.join(', ')}\n`,
  );
}

await runAlone();
