// How hard the tests by chance try: as `npm test` does, or as `npm run fuzz` and `npm run soak` tell them to, by way of the
// environment, because they are other processes.

/** A number of times; where `name` is in the environment, that one. */
export function times(name: 'FUZZ_RUNS' | 'SOAK_KILLS' | 'SOAK_CYCLES', usual: number): number {
  const given = process.env[`SOMAGPU_${name}`];
  return given === undefined ? usual : Number(given);
}

/** The seed of what is drawn: another one each time, unless it is given. */
export function fuzzSeed(): number {
  const given = process.env.SOMAGPU_FUZZ_SEED;
  return given === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(given);
}

/** Milliseconds a test may take that does something `times` as often as `usual`. */
export const timeFor = (usual: number, count: number): number => 120_000 + Math.ceil((count / usual) * 120_000);
