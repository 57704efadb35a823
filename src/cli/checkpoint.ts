// Checkpoints of a run: how far it came, in the output folder, so that `--resume` goes on as if nothing had happened. It
// knows what makes two runs the same; how one is run, and what its spools hold, is for others.

import { access, open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { Experiment } from '../experiment.ts';
import { crc32 } from '../files/crc32.ts';
import { FileError, InputError, type Simulation, type Soma, somas, version } from '../index.ts';
import { pack, unpack } from '../packed.ts';
import { CHECKPOINT } from './folder.ts';
import type { Positions } from './recorded.ts';

/** What a run needs to go on, and what has to be the same then. */
export interface Checkpoint {
  /** ms of model time from one to the next. */
  every: number;
  /** The experiment's JSON. */
  json: unknown;
  /** Checksum of what it gives to its populations: arrays in other files are in it. */
  data: number;
  seed: number;
  backend: 'webgpu' | 'cpu';
  adapter: string;
  /** How far the spools had come. */
  positions: Positions;
  /** What `simulation.save()` gave. */
  simulation: Uint8Array;
}

/** What is the same in all checkpoints of a run. */
export type Identity = Pick<Checkpoint, 'every' | 'json' | 'data'>;

const STATE = 'state';

// One of a file is what the file has.
const identityOf = (soma: Soma) => (somas.includes(soma) ? soma.name : soma.wgsl);

/** Checksum of what an experiment gives to its populations, and of the arrays that they read while it runs. */
export const dataOf = ({ populations }: Experiment, read: readonly number[]): number =>
  crc32(new Uint8Array(pack([...populations.map(({ soma, options }) => [identityOf(soma), options]), read])));

/** Writes a checkpoint of a run that stands still, aside, then renames it: the one before is there until it is whole. */
export async function writeCheckpoint(
  out: string,
  identity: Identity,
  simulation: Simulation,
  positions: Positions,
): Promise<void> {
  const { seed, backend, adapter } = simulation;
  const saved = new Uint8Array(await simulation.save());
  const checkpoint: Checkpoint = { ...identity, seed, backend, adapter, positions, simulation: saved };
  const state = join(out, CHECKPOINT, STATE);
  const aside = `${state}.new`;
  const file = await open(aside, 'w');
  try {
    await file.writeFile(new Uint8Array(pack({ version, ...checkpoint })));
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(aside, state);
}

/** Whether a folder holds a checkpoint. */
export async function isCheckpoint(folder: string): Promise<boolean> {
  return access(join(folder, STATE)).then(
    () => true,
    () => false,
  );
}

/**
 * The checkpoint to resume from. Refuses where there is none, and to begin where there is one: it would be lost.
 *
 * @throws InputError, also where it is damaged or of another version
 */
export async function findCheckpoint(out: string, resume: boolean): Promise<Checkpoint | undefined> {
  const folder = join(out, CHECKPOINT);
  const there = await isCheckpoint(folder);
  if (!resume && there) {
    const reason = 'has the checkpoint of a run that is not complete';
    throw new InputError('--out', out, reason, `go on from it with --resume, or remove ${folder} to begin anew`);
  }
  if (resume && !there) {
    throw new InputError('--resume', out, 'has no checkpoint', 'run with --checkpoint first, or leave --resume out');
  }
  return resume ? readCheckpoint(join(folder, STATE), `remove ${folder} to begin anew`) : undefined;
}

async function readCheckpoint(file: string, remedy: string): Promise<Checkpoint> {
  try {
    const found = unpack(await readFile(file)) as Checkpoint & { version: unknown };
    if (found.version === version) return found;
    const reason = `${file} is of somagpu ${found.version}, and this is ${version}`;
    throw new InputError('--resume', undefined, reason, `resume with that version, or ${remedy}`);
  } catch (error) {
    if (error instanceof FileError) throw new InputError('--resume', undefined, `${file}: ${error.message}`, remedy);
    throw error;
  }
}

/**
 * Refuses to go on with another experiment than the one that was begun.
 *
 * @throws InputError naming the first thing that is not what it was, by its place in the experiment
 */
export function checkSame(checkpoint: Checkpoint, json: unknown, data: number, seed: number): void {
  const reason = 'is not what it was when the checkpoint was made';
  const remedy = 'resume with the experiment as it was, or run it into another folder';
  const place = difference(checkpoint.json, json, '');
  if (place) throw new InputError(place.path, place.now, reason, remedy);
  if (seed !== checkpoint.seed) {
    throw new InputError(
      'seed',
      seed,
      `was ${checkpoint.seed} when the checkpoint was made`,
      'resume with that --seed',
    );
  }
  if (data === checkpoint.data) return;
  throw new InputError('', undefined, `an array or a soma in a file that it names ${reason}`, remedy);
}

/** Refuses to go on, unasked, where the bits would be others. @throws InputError */
export function checkDevice(checkpoint: Checkpoint, { backend, adapter }: Simulation): void {
  // What the processor computes is the same whatever the processor.
  if (backend === checkpoint.backend && (backend === 'cpu' || adapter === checkpoint.adapter)) return;
  const reason = `the checkpoint was made on ${checkpoint.backend} (${checkpoint.adapter}); this is ${backend} (${adapter})`;
  throw new InputError('--resume', undefined, reason, elsewhere(backend));
}

/** How to go on where the bits are others. */
export const elsewhere = (backend: string): string =>
  `--backend ${backend} goes on here all the same, with bits that differ from those of an uninterrupted run`;

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
