// somagpu beside its peers, on the same work. Every figure is of a process of its own, started anew each round, all taking
// turns. A peer may be fast in one process and slow in the next: the goals are against its fastest.

import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { table } from '../src/cli/table.ts';
import { readNpzArray } from '../src/files/npz.ts';
import { version } from '../src/index.ts';
import { type Path, SETTLE, somagpu } from './alone.ts';
import { measure, median, speedOf, spread } from './measure.ts';
import { type Answer, type Process, start } from './peer.ts';
import type { Contender } from './peers.ts';
import { check, currentsOf, DT, type Tally, titleOf, type Work } from './work.ts';

/** What is asked: how fast the steps are; and how long an experiment takes, in a process that has made one, or has not. */
export const questions = ['steps', 'whole', 'cold'] as const;
export type Question = (typeof questions)[number];

/** Experiments so small that more counts than the steps; those of `steps` run again what `whole` makes anew. */
export function small(question: Question, soma: string): Work {
  return { soma, mode: 'recording', neurons: 1000, steps: question === 'cold' ? 1000 : 10_000 };
}

/** Who can be asked that. */
export const entrants = (question: Question, all: readonly Contender[]) =>
  all.filter(({ wholes }) => question === 'steps' || wholes);

/** Times in one process after the first, which compiles. */
const RUNS = 3;
/** Seconds. Whoever takes so long the first time is asked only once more. */
const LONG = 5;

/** How many times as fast as a peer's fastest process the CPU path wants to be, with AdEx and, for steps, 1e5 neurons. */
const GOALS: Record<Question, Partial<Record<string, Partial<Record<Work['mode'], number>>>>> = {
  steps: {
    spark: { counting: 0.65, recording: 1 },
    numba: { counting: 1.25, recording: 1.25 },
    brian2: { counting: 2.3 },
    js: { counting: 6 },
  },
  whole: { spark: { recording: 5 }, brian2: { recording: 5 }, 'brian2-cython': { recording: 5 } },
  cold: { spark: { recording: 5 }, brian2: { recording: 5 }, 'brian2-cython': { recording: 5 } },
};

export interface Entry {
  key: string;
  name: string;
  version: string;
  /** ns per update where steps were asked for, else ms, in each process. */
  rounds: number[];
  /** How many times as fast as it the first entry was, in each round. */
  behind: number[];
  /** Why it has no figures. */
  failed?: string;
}

export interface Outcome {
  question: Question;
  work: Work;
  entries: Entry[];
}

export const ours = (path: Path, name: string = path): Contender => ({
  ...somagpu(path),
  key: path,
  name: `somagpu, ${name}`,
  exact: true,
  wholes: true,
  once: false,
  version,
});

export interface Settings {
  rounds: number;
  threads: number;
  onTurn: (what: string) => void;
}

const isOurs = (contender: Contender): contender is Contender & { key: Path } =>
  contender.key === 'cpu' || contender.key === 'webgpu';

/** Lets all do the work, in turns; the first is what the others are compared with. */
export async function compare(
  question: Question,
  work: Work,
  all: readonly Contender[],
  { rounds, threads, onTurn }: Settings,
): Promise<Outcome> {
  const contenders = entrants(question, all);
  const kept = new Map<Contender, Process>();
  const failures = new Map<Contender, string>();
  const variants = contenders.map((each) => ({
    name: each.name,
    // Milliseconds, where it is not steps that are asked for.
    updates: question === 'steps' ? work.neurons * work.steps : 1e6,
    work: async () => {
      if (failures.has(each)) return Number.NaN;
      await pause(SETTLE);
      const verify = (answer: Tally) => check(each.name, work, answer, each.exact);
      try {
        return question === 'cold'
          ? await cold(each, work, threads, verify)
          : await warm(question === 'steps' ? 'run' : 'whole', each, work, threads, { kept, verify });
      } catch (error) {
        // A peer that cannot do it is told of; the others go on.
        if (isOurs(each)) throw error;
        failures.set(each, (error as Error).message);
        return Number.NaN;
      } finally {
        onTurn(`${each.name}, ${titleOf(work)}`);
      }
    },
  }));
  try {
    const figures = await measure(variants, rounds, { warmUps: 0 });
    const entries = contenders.map((each, i): Entry => {
      const { key, name, version } = each;
      const [figure, first] = [figures[i], figures[0]];
      if (!figure || !first) throw new Error(`${name} was not measured`);
      const failed = failures.get(each);
      if (failed !== undefined) return { key, name, version, rounds: [], behind: [], failed };
      return { key, name, version, rounds: figure.rounds, behind: speedOf(first, figure) };
    });
    return { question, work, entries };
  } finally {
    await Promise.all(Array.from(kept.values(), (process) => process.close()));
  }
}

/** What one process takes once it has compiled: the median of some. */
async function warm(
  command: string,
  contender: Contender,
  work: Work,
  threads: number,
  { kept, verify }: { kept: Map<Contender, Process>; verify: (answer: Answer) => void },
): Promise<number> {
  const process = kept.get(contender) ?? start(contender, work, threads);
  if (contender.once) kept.set(contender, process);
  try {
    const first = await process.ask(command);
    verify(first);
    const seconds: number[] = [];
    const runs = first.seconds > LONG ? 1 : RUNS;
    for (let i = 0; i < runs; i++) {
      const answer = await process.ask(command);
      verify(answer);
      seconds.push(answer.seconds);
    }
    return median(seconds);
  } finally {
    if (!contender.once) await process.close();
  }
}

/** From the start of a process until its spikes lie in a file. */
async function cold(
  contender: Contender,
  work: Work,
  threads: number,
  verify: (tally: Tally) => void,
): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'somagpu-bench-'));
  const file = join(folder, 'cells.npz');
  try {
    const seconds = isOurs(contender)
      ? await commandLine(contender.key, folder, work, threads)
      : await saved(start(contender, work, threads), file);
    const neurons = readNpzArray(await readFile(file), 'spike_neurons').data as Uint32Array;
    verify({ spikes: neurons.length, fired: new Set(neurons).size, recorded: neurons.length });
    return seconds;
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function saved(process: Process, file: string): Promise<number> {
  try {
    await process.ask(`save ${file}`);
    return process.seconds;
  } finally {
    await process.close();
  }
}

const CLI = fileURLToPath(new URL('../dist/cli.js', import.meta.url));

/** As a user has it: the file is there when the command has ended. */
async function commandLine(backend: Path, folder: string, work: Work, threads: number): Promise<number> {
  const { soma, neurons, steps } = work;
  const input = [{ kind: 'constant', amplitude: Array.from(currentsOf(soma, neurons)) }];
  const cells = { soma, units: neurons, input, record: { spikes: true } };
  const file = join(folder, 'experiment.json');
  await writeFile(file, JSON.stringify({ dt: DT, steps, populations: { cells } }));
  const words = ['run', file, '--out', folder, '--backend', backend, '--quiet'];
  if (backend === 'cpu') words.push('--workers', String(threads));
  const begin = performance.now();
  await promisify(execFile)(process.execPath, [CLI, ...words]);
  return (performance.now() - begin) / 1e3;
}

const HEADS: Record<Question, string> = {
  steps: 'ns/update',
  whole: 'ms, warm: made, run, spikes read',
  cold: 'ms, from the start of the process to the file of spikes',
};

export function describe({ question, work, entries }: Outcome): string {
  const [first] = entries;
  if (!first) return '';
  const aimed = work.soma === 'AdaptiveExponentialSoma' && (question !== 'steps' || work.neurons === 1e5);
  const rows = entries.map((entry) => {
    const { key, name, version, rounds, behind, failed } = entry;
    if (failed !== undefined) return [name, version, `failed: ${failed.split('\n')[0]}`, '', '', '', ''];
    const fastest = Math.min(...rounds);
    const speed = fastest / median(first.rounds);
    // A peer is judged by the fastest of its variants.
    const best = Math.min(...entries.filter((each) => each.key === key).flatMap(({ rounds }) => rounds));
    const goal = aimed && first.key === 'cpu' && best === fastest ? GOALS[question][key]?.[work.mode] : undefined;
    return [
      name,
      version,
      spread(rounds),
      fastest.toFixed(2),
      entry === first ? '' : spread(behind),
      entry === first ? '' : speed.toFixed(2),
      goal === undefined ? '' : `>= ${goal}: ${speed >= goal ? 'met' : 'missed'}`,
    ];
  });
  const head = ['', 'version', HEADS[question], 'fastest', 'we against it', 'against its fastest', 'goal'];
  return `\n${titleOf(work)}, ${work.steps.toLocaleString('en')} steps\n${table(head, rows)}`;
}
