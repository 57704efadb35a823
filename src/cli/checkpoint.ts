// Checkpoints of a run: how far it came, in one file of the output folder, so that `--resume` goes on as if nothing had
// happened. It knows what makes two runs the same, and nothing of how one is run or what its spools hold.

import { open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Experiment } from '../experiment.ts';
import { crc32 } from '../files/crc32.ts';
import { InputError, SomaError, version } from '../index.ts';
import { pack, unpack } from '../packed.ts';

/** What a run needs to go on, and what has to be the same then. */
export interface Checkpoint {
  /** The experiment's JSON. */
  json: unknown;
  /** Checksum of what it gives to its populations: arrays in other files are in it. */
  data: number;
  seed: number;
  backend: 'webgpu' | 'cpu';
  adapter: string;
  /** ms of model time between checkpoints. */
  every: number;
  step: number;
  /** How many values each spool had, by its name. */
  spools: Readonly<Record<string, number>>;
  /** What `simulation.save()` gave. */
  simulation: Uint8Array;
}

const NAME = '.checkpoint';
const ANEW = 'or begin anew: without --resume';

/** Checksum of what an experiment gives to its populations. */
export const dataOf = ({ populations }: Experiment): number =>
  crc32(new Uint8Array(pack(populations.map(({ soma, options }) => [soma.name, options]))));

/** Writes a checkpoint aside, then renames it: the one before is there until it is whole. */
export async function writeCheckpoint(folder: string, checkpoint: Checkpoint): Promise<void> {
  const aside = join(folder, `${NAME}.${process.pid}`);
  try {
    const file = await open(aside, 'w');
    try {
      await file.writeFile(new Uint8Array(pack({ ...checkpoint, version })));
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(aside, join(folder, NAME));
  } finally {
    await rm(aside, { force: true });
  }
}

/** The checkpoint in a folder, if there is one. @throws InputError where it is damaged, or of another version */
export async function readCheckpoint(folder: string): Promise<Checkpoint | undefined> {
  const file = join(folder, NAME);
  try {
    const found = unpack(await readFile(file)) as Checkpoint & { version: unknown };
    if (found.version === version) return found;
    const reason = `${file} is of somagpu ${found.version}, and this is ${version}`;
    throw new InputError('--resume', undefined, reason, `resume with that version, ${ANEW}`);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    if (error instanceof InputError || !(error instanceof SomaError)) throw error;
    throw new InputError('--resume', undefined, `${file}: ${error.message}`, `begin anew: without --resume`);
  }
}

/** Lets go of a checkpoint: the run is complete. */
export const removeCheckpoint = (folder: string): Promise<void> => rm(join(folder, NAME), { force: true });

/**
 * Refuses to go on with another experiment than the one that was begun.
 *
 * @throws InputError naming the first thing that is not what it was
 */
export function checkSame(checkpoint: Checkpoint, json: unknown, experiment: Experiment, seed: number): void {
  const before = 'is not what it was when the checkpoint was made';
  const remedy = `give the experiment as it was, ${ANEW}`;
  const place = difference(checkpoint.json, json, '');
  if (place) throw new InputError(place.path, place.now, before, remedy);
  if (seed !== checkpoint.seed) {
    throw new InputError(
      'seed',
      seed,
      `was ${checkpoint.seed} when the checkpoint was made`,
      `give --seed ${checkpoint.seed}`,
    );
  }
  if (dataOf(experiment) === checkpoint.data) return;
  throw new InputError('', undefined, `an array in a file that it names ${before}`, remedy);
}

// The first place where two JSON values differ.
function difference(a: unknown, b: unknown, path: string): { path: string; now: unknown } | undefined {
  if (Object.is(a, b)) return undefined;
  const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
  if (!isObject(a) || !isObject(b) || Array.isArray(a) !== Array.isArray(b)) return { path, now: b };
  for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) {
    const inside = Array.isArray(a) ? `${path}[${key}]` : path === '' ? key : `${path}.${key}`;
    const found = difference(a[key], b[key], inside);
    if (found) return found;
  }
  return undefined;
}
