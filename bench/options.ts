// What the benchmarks' command lines have in common.

/** Those given, each of which must be known, or all. */
export function chosen<T extends string>(option: string, given: string | undefined, known: readonly T[]): readonly T[] {
  const names = given?.split(',') ?? known;
  const unknown = names.find((name) => !(known as readonly string[]).includes(name));
  if (unknown !== undefined) throw new Error(`--${option}: ${unknown} is not one of ${known.join(', ')}`);
  return names as readonly T[];
}

export function whole(option: string, given: string): number {
  const value = Number(given);
  if (!(Number.isInteger(value) && value >= 1)) throw new Error(`--${option}: ${given} is no whole number above 0`);
  return value;
}
