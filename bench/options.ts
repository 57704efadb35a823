// What the benchmarks' command lines have in common.

import { parseArgs } from 'node:util';

/** Ends the process: where the command line is wrong, a trace of calls tells nothing. */
export function refuse(reason: string): never {
  process.stderr.write(`${reason}\n`);
  process.exit(2);
}

/** The command line read, as parseArgs reads it. */
export const commandLine: typeof parseArgs = (config) => {
  try {
    return parseArgs(config);
  } catch (error) {
    return refuse((error as Error).message);
  }
};

/** Those given, each of which must be known, or all. */
export function chosen<T extends string>(option: string, given: string | undefined, known: readonly T[]): readonly T[] {
  const names = given?.split(',') ?? known;
  const unknown = names.find((name) => !(known as readonly string[]).includes(name));
  if (unknown !== undefined) refuse(`--${option}: "${unknown}" is not one of ${known.join(', ')}`);
  return [...new Set(names as readonly T[])];
}

export function whole(option: string, given: string): number {
  const value = Number(given);
  if (!(Number.isInteger(value) && value >= 1)) refuse(`--${option}: "${given}" is no whole number above 0`);
  return value;
}

/** Several, with commas between. */
export const wholes = (option: string, given: string): number[] =>
  given.split(',').map((value) => whole(option, value));
