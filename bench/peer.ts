// One process that does the work, ours or a peer's, and how it is talked to. It is started with SOMA NEURONS STEPS MODE
// VARIANT THREADS and then reads commands, one a line: `run` (from rest), `whole` (a simulation made anew, run, its spikes
// read), `save FILE` (the same, and the spikes written). Each is answered with one line of JSON.

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Tally, Work } from './work.ts';

export interface Answer extends Tally {
  /** Wall-clock of what was asked for, by the peer's own account. */
  seconds: number;
  /** What only somagpu tells, once. */
  opened?: Opened;
}

/** How long the start took, in seconds, how many bytes the process has grown by since before it, and on what it runs. */
export interface Opened {
  compile: number;
  first: number;
  bytes: number;
  adapter: string;
  software: boolean;
}

export interface Process {
  /** Since it was started. */
  readonly seconds: number;
  ask(command: string): Promise<Answer>;
  close(): Promise<void>;
}

export interface Program {
  command: string;
  words: readonly string[];
  variant: string;
}

/** Its process ends by itself when its input does, so also when this one dies. */
export function start({ command, words, variant }: Program, work: Work, threads: number): Process {
  const begin = performance.now();
  const given = [work.soma, work.neurons, work.steps, work.mode, variant, threads].map(String);
  const env = { ...process.env, OMP_NUM_THREADS: String(threads), NUMBA_NUM_THREADS: String(threads) };
  const child = spawn(command, [...words, ...given], { stdio: ['pipe', 'pipe', 'pipe'], env });
  let said = '';
  child.stderr.on('data', (data) => {
    said = (said + data).slice(-2000);
  });
  // Of writing to a process that has ended; that it has is seen where its answer is missing.
  child.stdin.on('error', () => {});
  const ended = new Promise<void>((resolve) => {
    child.on('error', (error) => {
      said = error.message;
      resolve();
    });
    child.on('close', () => resolve());
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    get seconds() {
      return (performance.now() - begin) / 1e3;
    },
    async ask(asked) {
      child.stdin.write(`${asked}\n`);
      // Compilers and libraries talk too.
      for (;;) {
        const { done, value } = await lines.next();
        if (!done && !value.startsWith('{')) continue;
        if (!done) return JSON.parse(value);
        await ended;
        throw new Error(`${command} ${[...words, ...given].join(' ')} gave no answer to "${asked}":\n${said}`);
      }
    },
    async close() {
      child.stdin.end();
      await ended;
    },
  };
}
