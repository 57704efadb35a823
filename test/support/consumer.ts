// Somebody who has installed somagpu: a clean folder with the tarball in it and nothing else, and what is run there. The
// folder lies outside the repository, so that nothing of ours is found by chance.

import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, inject } from 'vitest';
import * as engine from '../../src/index.ts';
import { scratch } from './cli.ts';
import { expectSameBits } from './outcome.ts';
import { LAST_SPIKE } from './tolerances.ts';

const MODULES = fileURLToPath(new URL('../../node_modules', import.meta.url));

/** Where a tool of ours lies, for a consumer that has it too: which one runs is not what is tested. */
export const tool = (path: string): string => join(MODULES, path);

const runFile = promisify(execFile);

/**
 * A folder with the package installed, and these files in it. `linked` are packages of ours that the consumer has
 * besides: they are linked, not installed, because they come from a registry and are no part of the tarball.
 */
export async function install(
  files: Readonly<Record<string, string>>,
  linked: readonly string[] = [],
): Promise<{ folder: string; node: (...args: string[]) => Promise<string> }> {
  const folder = scratch();
  writeFileSync(join(folder, 'package.json'), '{ "name": "consumer", "private": true, "type": "module" }');
  // Without a network and without a cache: whatever the package needed besides itself would be missing.
  const cache = ['--offline', '--cache', join(folder, '.npm')];
  await runFile('npm', ['install', '--no-audit', '--no-fund', ...cache, inject('tarball')], { cwd: folder });
  for (const name of linked) {
    mkdirSync(dirname(join(folder, 'node_modules', name)), { recursive: true });
    symlinkSync(tool(name), join(folder, 'node_modules', name));
  }
  for (const [name, text] of Object.entries({ 'cells.js': CELLS, ...files })) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  const node = async (...args: string[]) => (await runFile(process.execPath, args, { cwd: folder })).stdout;
  return { folder, node };
}

/** The tarball's files, in a folder that goes when the test ends. */
export function unpack(): { folder: string; files: string[] } {
  const around = scratch();
  execFileSync('tar', ['-xzf', inject('tarball'), '-C', around]);
  const folder = join(around, 'package');
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return { folder, files: entries.map(({ parentPath, name }) => join(parentPath, name).slice(folder.length + 1)) };
}

export interface Counted {
  backend: 'webgpu' | 'cpu';
  reason: string;
  counts: number[];
}

/** Of a population so large that the CPU path starts workers for it. */
const MANY = 5000;

/**
 * What every consumer runs: a soma of its own, or adaptive ones. Its text goes into the consumer's files, so that it may use
 * nothing from around it.
 */
async function runCells(
  library: typeof engine,
  options: engine.SimulationOptions = {},
  units = 5000,
  own?: engine.Soma,
): Promise<Counted> {
  const { AdaptiveExponentialSoma, Simulation, uniform } = library;
  const simulation = await Simulation.create({ dt: 0.1, seed: 11, ...options });
  try {
    const cells = own
      ? simulation.add(own, { units, input: [{ kind: 'constant', amplitude: uniform(160, 300) }] })
      : simulation.add(AdaptiveExponentialSoma, {
          units,
          parameters: { resistance: uniform(0.4, 0.6), adaptation_delta: uniform(3, 9) },
          input: [{ kind: 'constant', amplitude: uniform(65, 130) }],
        });
    await simulation.run(100);
    const counts = Array.from(await cells.spikeCounts());
    return { backend: simulation.backend, reason: simulation.backendReason, counts };
  } finally {
    simulation.dispose();
  }
}

/** The consumer's cells.js. */
export const CELLS = `export ${runCells}`;

const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0);

const computed = new Map<string, Promise<Counted>>();
function computedHere(own: engine.Soma | undefined): Promise<Counted> {
  const name = own?.name ?? '';
  const here = computed.get(name) ?? runCells(engine, { backend: 'cpu' }, MANY, own);
  computed.set(name, here);
  return here;
}

/** Expects what the CPU path computes everywhere, to the last bit. */
export async function expectCpu({ backend, counts }: Counted, own?: engine.Soma): Promise<void> {
  const here = await computedHere(own);
  expect(backend).toBe('cpu');
  expect(sum(here.counts)).toBeGreaterThan(MANY);
  expectSameBits(Uint32Array.from(counts), Uint32Array.from(here.counts), 'spike counts');
}

/** Expects what a GPU computes. */
export async function expectGpu({ backend, counts }: Counted, own?: engine.Soma): Promise<void> {
  const here = await computedHere(own);
  expect(backend).toBe('webgpu');
  expect(counts.length).toBe(MANY);
  expect(here.counts.filter((count, neuron) => count !== counts[neuron]).length).toBeLessThanOrEqual(MANY * LAST_SPIKE);
}
