// The experiment file that a command was given: its text, and where a refusal says what is wrong with it.

import { readFile } from 'node:fs/promises';
import { InputError } from '../index.ts';

/** The text of a file. @throws InputError if it cannot be read */
export async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw unreadable(error, 'give the path of an experiment file');
  }
}

/** That a file cannot be read, and why not. */
export const unreadable = (error: unknown, remedy: string, path = ''): InputError =>
  new InputError(path, undefined, `cannot be read (${(error as NodeJS.ErrnoException).code})`, remedy);

/** What is wrong with an experiment is said with its file; what is wrong with an option is not. */
export function inFile(error: unknown, file: string): unknown {
  if (!(error instanceof InputError) || error.path.startsWith('--')) return error;
  const path = [file, error.path].filter((part) => part !== '').join(': ');
  return error.at(path);
}
