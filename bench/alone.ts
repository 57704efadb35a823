// somagpu alone: every path, soma and mode over the number of neurons. Each case has a process of its own, so that its
// memory is its own; those of a size take turns, round by round.

import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { table } from '../src/cli/table.ts';
import { measure, median, spread, type Variant } from './measure.ts';
import { type Opened, type Process, type Program, start } from './peer.ts';
import { check, titleOf, type Work } from './work.ts';

export type Path = 'cpu' | 'webgpu';

export interface Case extends Work {
  path: Path;
}

export interface Row extends Case, Opened {
  /** ns per update in each round. */
  ns: number[];
}

/** One of somagpu's paths as a process. */
export const somagpu = (path: Path): Program => ({
  command: process.execPath,
  words: ['--import', import.meta.resolve('tsx'), fileURLToPath(new URL('peers/somagpu.ts', import.meta.url))],
  variant: path,
});

/** The threads of the one before may spin for a while before they sleep. */
export const SETTLE = 50;

/** Those that take turns: of a size, as long as all their processes fit into memory. */
const groupOf = ({ neurons, soma }: Case) => `${neurons}${neurons > 1e6 ? soma : ''}`;

/** How many turns there will be: each case is run once for its check, then once a round. */
export const turns = (cases: readonly Case[], rounds: number) => cases.length * (1 + rounds);

/** Measures the cases; gives those of a size when they are done. @throws if one of them does not do its work */
export async function* alone(
  cases: readonly Case[],
  { rounds, threads, onTurn }: { rounds: number; threads: number; onTurn: (what: string) => void },
): AsyncGenerator<Row[]> {
  for (const together of new Set(cases.map(groupOf))) {
    const opened: { each: Case; process: Process; opened: Opened }[] = [];
    try {
      for (const each of cases.filter((one) => groupOf(one) === together)) {
        const process = start(somagpu(each.path), each, threads);
        const answer = await process.ask('run');
        check(each.path, each, answer);
        opened.push({ each, process, opened: answer.opened as Opened });
        onTurn(titleOf(each));
      }
      const variants = opened.map(({ each, process }): Variant => {
        const work = async () => {
          await pause(SETTLE);
          const answer = await process.ask('run');
          check(each.path, each, answer);
          onTurn(titleOf(each));
          return answer.seconds;
        };
        return { name: titleOf(each), updates: each.neurons * each.steps, work };
      });
      const figures = await measure(variants, rounds, { warmUps: 0 });
      yield opened.map(({ each, opened }, i) => ({ ...each, ...opened, ns: figures[i]?.rounds ?? [] }));
    } finally {
      await Promise.all(opened.map(({ process }) => process.close()));
    }
  }
}

export type PathName = 'cpu' | 'software WebGPU' | 'WebGPU';

/** How a path is called: what is software says so. */
export const nameOf = ({ path, software }: Pick<Row, 'path' | 'software'>): PathName =>
  path === 'cpu' ? 'cpu' : software ? 'software WebGPU' : 'WebGPU';

export function describe(rows: readonly Row[]): string {
  return table(
    ['soma', 'mode', 'path', 'neurons', 'steps', 'ns/update', 'M updates/s', 'MB', 'compile ms', 'first ms'],
    rows.map((row) => [
      row.soma.replace(/Soma$/, ''),
      row.mode,
      nameOf(row),
      row.neurons.toLocaleString('en'),
      row.steps.toLocaleString('en'),
      spread(row.ns),
      (1e3 / median(row.ns)).toFixed(0),
      (row.bytes / 1e6).toFixed(0),
      (row.compile * 1e3).toFixed(0),
      (row.first * 1e3).toFixed(0),
    ]),
  );
}
