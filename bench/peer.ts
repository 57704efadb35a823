// The same work in other hands: programs in bench/peers/, each a process that lives as long as the benchmark, so that
// its steps can be interleaved with ours. One line asks for steps, one line answers with how long they took.

import { execFile, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** Spikes of all neurons, and how many neurons had any, since the start. */
export interface Tally {
  spikes: number;
  fired: number;
}

export interface Peer {
  /** Makes so many more steps. `seconds` is their wall-clock, counting the spikes left out. */
  run(steps: number): Promise<Tally & { seconds: number }>;
  close(): void;
}

const FLAGS = ['-O3', '-march=native', '-mprefer-vector-width=512', '-ffast-math', '-fopenmp'];

const source = (name: string) => fileURLToPath(new URL(`peers/${name}`, import.meta.url));

/** Builds the C++ peer; nothing where there is no g++. `remove` deletes what was built. */
export async function buildCpp(): Promise<{ program: string; remove: () => Promise<void> } | undefined> {
  const folder = await mkdtemp(join(tmpdir(), 'somagpu-bench-'));
  const remove = () => rm(folder, { recursive: true });
  const program = join(folder, 'adex');
  try {
    await promisify(execFile)('g++', [...FLAGS, source('adex.cpp'), '-o', program]);
    return { program, remove };
  } catch (error) {
    await remove();
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

export function openCpp(program: string, layout: 'block' | 'step', neurons: number, threads: number): Peer {
  return open(program, [layout, String(neurons), String(threads)]);
}

export function openJavaScript(neurons: number, workers: number): Peer {
  return open(process.execPath, [source('adex.mjs'), String(neurons), String(workers)]);
}

// It ends by itself when its input does, so also when this process dies.
function open(program: string, words: string[]): Peer {
  const child = spawn(program, words, { stdio: ['pipe', 'pipe', 'inherit'] });
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async run(steps) {
      child.stdin.write(`run ${steps}\n`);
      const { done, value } = await answers.next();
      const [seconds, spikes, fired] = done ? [] : value.split(' ').map(Number);
      if (seconds === undefined || spikes === undefined || fired === undefined)
        throw new Error(`${program} ended, or gave no answer: ${value}`);
      return { seconds, spikes, fired };
    },
    close: () => child.stdin.end(),
  };
}
