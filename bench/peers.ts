// The peers: what a user would pick instead. Which there are, which of them this machine has, and how to install the others.

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Program } from './peer.ts';

const run = promisify(execFile);
const script = (name: string) => fileURLToPath(new URL(`peers/${name}`, import.meta.url));

/** Where the Python environments lie, unless the command line says otherwise. */
export const ENVIRONMENTS = process.env.SOMAGPU_PEERS ?? script('');

export interface Contender extends Program {
  /** What `--peers` calls it. */
  key: string;
  name: string;
  /** The same Euler steps as everybody's. */
  exact: boolean;
  /** Whether it can be asked for a whole experiment too. */
  wholes: boolean;
  /** Whether starting it is so costly, and its every run a process of its own, that one start is enough. */
  once: boolean;
  version: string;
}

interface Peer {
  name: string;
  /** What each variant is called, by what its program calls it. */
  variants: Readonly<Record<string, string>>;
  /** How it is started; nothing where this machine has it not. @throws where what it needs does not work */
  find(environments: string): Promise<{ command: string; words: string[]; version: string } | undefined>;
  install: string;
  exact?: boolean;
  wholes?: boolean;
  once?: boolean;
}

/** A peer in Python, in its environment. */
function python(distribution: string, environment: string, name: string): Peer['find'] {
  return async (environments) => {
    const command = join(resolve(environments), environment, 'bin', 'python');
    if (!existsSync(command)) return undefined;
    const ask = `import importlib.metadata as m; print(m.version("${distribution}"))`;
    const asked = await run(command, ['-c', ask]).catch(() => undefined);
    return asked && { command, words: [script(`with_${name}.py`)], version: asked.stdout.trim() };
  };
}

const venv = (environment: string, version: string, ...packages: string[]) => {
  const folder = `bench/peers/${environment}`;
  return `python${version} -m venv ${folder} && ${folder}/bin/pip install ${packages.join(' ')}`;
};

const FLAGS = ['-O3', '-march=native', '-mprefer-vector-width=512', '-ffast-math', '-fopenmp'];
let built: string | undefined;

async function buildCpp() {
  const folder = await mkdtemp(join(tmpdir(), 'somagpu-bench-'));
  built = folder;
  const program = join(folder, 'eif');
  await run('g++', [...FLAGS, script('eif.cpp'), '-o', program]);
  const { stdout } = await run('g++', ['-dumpfullversion']);
  return { command: program, words: [], version: `g++ ${stdout.trim()}` };
}

/** Deletes what was built. */
export async function clean(): Promise<void> {
  if (built) await rm(built, { recursive: true });
}

export const peers: Readonly<Record<string, Peer>> = {
  spark: {
    name: 'Spark',
    variants: { scan: 'lax.scan', loop: 'a loop in Python' },
    find: python('spark-snn', '.venv-spark', 'spark'),
    install: venv('.venv-spark', '3.12', 'spark-snn==1.0.0', 'jax==0.8.0', 'flax==0.12.0'),
    wholes: true,
  },
  brian2: {
    name: 'Brian2',
    variants: { standalone: 'C++ standalone' },
    find: python('brian2', '.venv', 'brian2'),
    install: venv('.venv', '3.11', 'brian2==2.9.0', '"numpy<2"', 'cython', 'setuptools'),
    wholes: true,
    once: true,
  },
  'brian2-cython': {
    name: 'Brian2',
    variants: { cython: 'Cython' },
    find: python('brian2', '.venv', 'brian2'),
    install: venv('.venv', '3.11', 'brian2==2.9.0', '"numpy<2"', 'cython', 'setuptools'),
    wholes: true,
  },
  numba: {
    name: 'numba',
    variants: { parallel: 'prange, fast math' },
    find: python('numba', '.venv', 'numba'),
    install: venv('.venv', '3.11', 'numba', '"numpy<2"'),
    wholes: true,
  },
  nest: {
    name: 'NEST',
    variants: { aeif: 'aeif_psc_delta, float64' },
    find: python('nest-simulator', '.venv', 'nest'),
    install: venv('.venv', '3.11', 'nest-simulator==3.10.0', '"numpy<2"'),
    exact: false,
    wholes: true,
  },
  genn: {
    name: 'GeNN',
    variants: { cpu: 'one thread' },
    find: python('pygenn', '.venv-genn', 'genn'),
    install: [
      'git clone --branch 5.4.0 https://github.com/genn-team/genn bench/peers/.venv-genn/source',
      venv('.venv-genn', '3.11', 'pybind11', 'psutil', 'pkgconfig', '"numpy<2"', 'setuptools', 'wheel'),
      'cd bench/peers/.venv-genn/source',
      'make DYNAMIC=1 LIBRARY_DIRECTORY=$PWD/pygenn single_threaded_cpu_backend',
      '../bin/pip install --no-build-isolation --no-deps .',
    ].join(' && '),
    wholes: true,
  },
  cpp: {
    name: 'C++',
    variants: { block: 'block by block', step: 'step by step' },
    find: buildCpp,
    install: 'apt-get install g++',
  },
  js: {
    name: 'JavaScript by hand',
    variants: { workers: 'typed arrays, workers' },
    find: async () => ({ command: process.execPath, words: [script('eif.mjs')], version: `Node ${process.version}` }),
    install: 'it needs Node alone',
  },
};

/** Of the peers asked for: those found, and for each of the others a line that says how to install it. */
export async function find(
  keys: readonly string[],
  environments: string,
): Promise<{ found: Contender[]; missing: string[] }> {
  const found: Contender[] = [];
  const missing: string[] = [];
  for (const key of keys) {
    const { name, variants, find, install, exact = true, wholes = false, once = false } = peers[key] as Peer;
    let why = '';
    const program = await find(environments).catch(({ message }: Error) => {
      why = `: ${message.trim()}`;
      return undefined;
    });
    if (!program) missing.push(`missing: ${name} (${key})${why}; to install it: ${install}`);
    else
      for (const [variant, title] of Object.entries(variants))
        found.push({ ...program, key, variant, name: `${name}, ${title}`, exact, wholes, once });
  }
  return { found, missing };
}
