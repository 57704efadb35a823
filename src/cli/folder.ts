// The folder that files go to. They are made aside, in a folder within whose name begins with a dot, and renamed when all
// are there: each appears whole or not at all, also when the disk is full. A run with checkpoints makes them in a folder
// that stays until it is complete.

import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../index.ts';

/** Within the output folder: what a run with checkpoints goes on from. */
export const CHECKPOINT = '.checkpoint';

const ASIDE = /^\.somagpu-(\d+)$/;
/** Within a checkpoint's folder: whose it is. */
const CLAIM = /^process-(\d+)$/;

/** Where a run makes its files. */
export class Aside {
  private constructor(
    /** Where they shall appear. */
    readonly out: string,
    readonly folder: string,
  ) {}

  /**
   * Makes the folder `out`, and those it lies in.
   *
   * @param kept - whether it stays when the process ends: as `new`, or with what is there, to `resume` from
   * @throws InputError where a file is in the way, or another process goes on from what is there
   */
  static async open(out: string, kept?: 'new' | 'resume'): Promise<Aside> {
    const folder = join(out, kept ? CHECKPOINT : ownName());
    try {
      await mkdir(out, { recursive: true });
    } catch (error) {
      const { code = '' } = error as NodeJS.ErrnoException;
      if (out !== '' && !['EEXIST', 'ENOTDIR'].includes(code)) throw error;
      const reason = out === '' ? 'is no name' : 'is, or lies in, a file';
      throw new InputError('--out', out, reason, 'give a folder, there or to be made');
    }
    // A process that was killed may have had this one's number.
    if (!kept) await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true });
    if (kept) await claim(folder);
    // Or it may not have come to its first checkpoint.
    if (kept === 'new') await empty(folder);
    return new Aside(out, folder);
  }

  /** Removes what runs into this folder left that were killed. */
  async clear(): Promise<void> {
    for (const { name, pid } of await ownedIn(this.out, ASIDE)) {
      if (!lives(pid)) await rm(join(this.out, name), { recursive: true, force: true });
    }
  }

  /** Where to make a file. */
  path(name: string): string {
    return join(this.folder, name);
  }

  /** The files are whole: they appear, in the place of those of the same name. */
  async publish(names: readonly string[]): Promise<void> {
    for (const name of names) await rename(this.path(name), join(this.out, name));
  }

  /** What is there stays, for whoever goes on from it. */
  async leave(): Promise<void> {
    await rm(this.path(ownClaim()), { force: true });
  }

  /** Removes what was not published. */
  async remove(): Promise<void> {
    const own = join(this.out, ownName());
    // At once, so that no half of a checkpoint stays.
    if (own !== this.folder) {
      await rm(own, { recursive: true, force: true });
      await rename(this.folder, own);
    }
    await rm(own, { recursive: true, force: true });
  }
}

const ownName = (): string => `.somagpu-${process.pid}`;
const ownClaim = (): string => `process-${process.pid}`;

// Each says that it is there before it looks for others, so that of two at once no more than one goes on.
async function claim(folder: string): Promise<void> {
  await writeFile(join(folder, ownClaim()), '');
  for (const { name, pid } of await ownedIn(folder, CLAIM)) {
    if (pid === process.pid) continue;
    const file = join(folder, name);
    if (lives(pid)) {
      await rm(join(folder, ownClaim()), { force: true });
      const reason = `process ${pid} makes a run with checkpoints in ${folder}`;
      throw new InputError('--out', undefined, reason, `wait for it, or, if it is no such run, remove ${file}`);
    }
    await rm(file, { force: true });
  }
}

async function empty(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!CLAIM.test(name)) await rm(join(folder, name), { recursive: true, force: true });
  }
}

/** What is named after processes, and these. */
async function ownedIn(folder: string, names: RegExp): Promise<{ name: string; pid: number }[]> {
  return (await readdir(folder)).flatMap((name) => {
    const [, pid] = names.exec(name) ?? [];
    return pid ? [{ name, pid: Number(pid) }] : [];
  });
}

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it lives, and is another user's.
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}
