// The benchmark's command line. Alone: every path this machine has. With --peers: beside what a user would pick instead.
// npm run bench -- [--somas A,B] [--modes A,B] [--sizes N,N] [--backends cpu,webgpu] [--steps N] [--rounds N] [--threads N] [--quick]
// npm run bench -- --peers [A,B] [the same] [--questions steps,whole,cold] [--environments FOLDER]

import { isSoftware } from '../src/adapter.ts';
import { NoBackendError } from '../src/index.ts';
import { findAdapter } from '../src/node.ts';
import { alone, type Case, describe, nameOf, type Path, type PathName, type Row, turns } from './alone.ts';
import { chosen, commandLine, refuse, whole, wholes } from './options.ts';
import { clean, ENVIRONMENTS, find, peers } from './peers.ts';
import { circumstances, drawScaling, progress, save } from './report.ts';
import {
  compare,
  describe as describeOutcome,
  entrants,
  type Outcome,
  ours,
  type Question,
  questions,
  small,
} from './together.ts';
import { type Mode, modes, somas, stepsFor } from './work.ts';

const { values, positionals } = commandLine({
  allowPositionals: true,
  options: {
    peers: { type: 'boolean', default: false },
    somas: { type: 'string' },
    modes: { type: 'string' },
    sizes: { type: 'string' },
    backends: { type: 'string' },
    steps: { type: 'string' },
    rounds: { type: 'string' },
    questions: { type: 'string' },
    environments: { type: 'string', default: ENVIRONMENTS },
    threads: { type: 'string', default: '2' },
    quick: { type: 'boolean', default: false },
  },
});

if (positionals.length > 0 && !values.peers) refuse(`"${positionals.join(' ')}": peers are named after --peers`);

const ADEX = 'AdaptiveExponentialSoma';
/** Where all somas are compared. */
const MIDDLE = 100_000;
const LARGEST = 10_000_000;
const SIZES = [1e3, 1e4, MIDDLE, 1e6, LARGEST];

/** Without being told: all at one size, one soma over all sizes, and one mode at the largest. */
function isDefault({ soma, mode, neurons }: Case): boolean {
  return neurons === MIDDLE || (soma === ADEX && (mode === 'counting' || neurons < LARGEST));
}

const sizesAsked = values.sizes === undefined ? undefined : wholes('sizes', values.sizes);

const steps = (neurons: number) =>
  values.steps === undefined ? stepsFor(neurons, values.quick) : whole('steps', values.steps);

function casesOf(paths: readonly Path[]): Case[] {
  const sizes = sizesAsked ?? (values.quick ? [1e3, 1e4] : SIZES);
  const cases = sizes.flatMap((neurons) =>
    chosen('somas', values.somas, [...somas.keys()]).flatMap((soma) =>
      chosen<Mode>('modes', values.modes, modes).flatMap((mode) =>
        paths.map((path): Case => ({ soma, mode, neurons, path, steps: steps(neurons) })),
      ),
    ),
  );
  return values.sizes || values.quick ? cases : cases.filter(isDefault);
}

const rounds = values.rounds !== undefined ? whole('rounds', values.rounds) : values.quick ? 2 : values.peers ? 5 : 3;
const threads = whole('threads', values.threads);
const where = circumstances();
process.stdout.write(`${Object.values(where).filter(Boolean).join(', ')}\n`);

/** Those this machine has, and what they are called. */
async function paths(): Promise<ReadonlyMap<Path, PathName>> {
  try {
    const software = isSoftware(await findAdapter());
    return new Map((['cpu', 'webgpu'] as const).map((path) => [path, nameOf({ path, software })]));
  } catch (error) {
    if (!(error instanceof NoBackendError)) throw error;
    process.stdout.write(`left out: WebGPU (${error.message})\n`);
    return new Map([['cpu', 'cpu']]);
  }
}

async function runAlone(): Promise<void> {
  const cases = casesOf(chosen('backends', values.backends, [...(await paths()).keys()]));
  const bar = progress(turns(cases, rounds));
  const rows: Row[] = [];
  try {
    for await (const some of alone(cases, { rounds, threads, onTurn: bar.turn })) rows.push(...some);
  } finally {
    bar.stop();
    if (rows.length > 0) keepAlone(rows);
  }
}

function keepAlone(rows: readonly Row[]): void {
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

// Peers do no noise, and two of the somas.
const SHARED = { somas: ['AdaptiveExponentialSoma', 'ExponentialSoma'], modes: ['counting', 'recording'] } as const;

async function runTogether(): Promise<void> {
  const known = Object.keys(peers);
  const asked = chosen('peers', positionals.length > 0 ? positionals.join(',') : undefined, known);
  const here = await paths();
  const own = chosen('backends', values.backends ?? 'cpu', [...here.keys()]).map((path) => ours(path, here.get(path)));
  const somas = chosen('somas', values.somas ?? ADEX, SHARED.somas);
  const sizes = sizesAsked ?? [values.quick ? 1e4 : MIDDLE];
  const works = (soma: string) =>
    sizes.flatMap((neurons) =>
      chosen<Mode>('modes', values.modes, SHARED.modes).map((mode) => ({ soma, mode, neurons, steps: steps(neurons) })),
    );
  const asking = (question: Question, soma: string) =>
    question !== 'steps' ? [small(question, soma)] : [...works(soma), ...(values.sizes ? [] : [small(question, soma)])];
  const tasks = somas.flatMap((soma) =>
    chosen('questions', values.questions, questions).flatMap((question) =>
      asking(question, soma).map((work) => ({ question, work })),
    ),
  );
  // After all that may be refused, for it builds one of them.
  const { found, missing } = await find(asked, values.environments);
  process.stdout.write(missing.map((line) => `${line}\n`).join(''));
  const all = [...own, ...found];
  const bar = progress(tasks.reduce((sum, { question }) => sum + rounds * entrants(question, all).length, 0));
  const outcomes: Outcome[] = [];
  try {
    for (const { question, work } of tasks)
      outcomes.push(await compare(question, work, all, { rounds, threads, onTurn: bar.turn }));
  } finally {
    bar.stop();
    await clean();
    if (outcomes.length > 0) keepTogether(outcomes, missing);
  }
}

function keepTogether(outcomes: readonly Outcome[], missing: readonly string[]): void {
  const json = JSON.stringify({ ...where, rounds, workers: threads, missing, outcomes }, null, 2);
  const files = save('peers', where.date as string, { json: `${json}\n` });
  process.stdout.write(
    `${outcomes.map(describeOutcome).join('')}median [min..max] of ${rounds} processes each\n${files}\n`,
  );
}

// Ctrl-C ends the processes that do the work too, and their end is an error here: what was measured before is kept.
let stopped = false;
process.once('SIGINT', () => {
  stopped = true;
});
await (values.peers ? runTogether() : runAlone()).catch((error) => {
  if (!stopped) throw error;
  process.exitCode = 130;
});
