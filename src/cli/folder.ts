// The folder that files go to. They are made aside, in a folder within whose name begins with a dot, and renamed when all
// are there: each appears whole or not at all, also when the disk is full. A run with checkpoints makes them in a folder
// that stays until it is complete.

import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../index.ts';

/** Within the output folder: what a run with checkpoints goes on from. */
export const CHECKPOINT = '.checkpoint';

const ASIDE = /^\.somagpu-(\d+)$/;

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
   * @throws InputError where a file is in the way
   */
  static async open(out: string, kept?: 'new' | 'resume'): Promise<Aside> {
    const folder = join(out, kept ? CHECKPOINT : ownName());
    try {
      await mkdir(out, { recursive: true });
    } catch (error) {
      if (!['EEXIST', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
      throw new InputError('--out', out, 'is, or lies in, a file', 'give a folder, there or to be made');
    }
    if (kept === 'resume') return new Aside(out, folder);
    // A process that was killed may have had this one's number, or not come to its first checkpoint.
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder);
    return new Aside(out, folder);
  }

  /** Removes what runs into this folder left that were killed. */
  async clear(): Promise<void> {
    for (const name of await readdir(this.out)) {
      const [, process] = ASIDE.exec(name) ?? [];
      if (process && !lives(Number(process))) await rm(join(this.out, name), { recursive: true, force: true });
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

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it lives, and is another user's.
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}
