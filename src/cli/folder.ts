// The folder that files go to. They are made aside, in a folder within whose name begins with a dot, and renamed when all
// are there: each appears whole or not at all, also when the disk is full.

import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../index.ts';

const ASIDE = /^\.somagpu-(\d+)$/;

/** Where a run makes its files. */
export class Aside {
  private constructor(
    /** Where they shall appear. */
    readonly out: string,
    readonly folder: string,
  ) {}

  /** Makes the folder `out`, and those it lies in. @throws InputError where a file is in the way */
  static async open(out: string): Promise<Aside> {
    const folder = join(out, `.somagpu-${process.pid}`);
    try {
      await mkdir(out, { recursive: true });
    } catch (error) {
      if (!['EEXIST', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
      throw new InputError('--out', out, 'is, or lies in, a file', 'give a folder, there or to be made');
    }
    // A process that was killed may have had this one's number.
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
    await rm(this.folder, { recursive: true, force: true });
  }
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
