// Experiment files by chance, valid, broken and at the edges of what is accepted, on both paths: each is refused in clear
// words, or runs, twice, to the same bits, all of them finite. `npm run fuzz` does it more often, and repeats a case.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ExperimentRun, readExperiment } from '../../src/experiment.ts';
import {
  AdaptiveExponentialSoma,
  FileError,
  InputError,
  type Population,
  Simulation,
  SomaError,
  somas,
  uniform,
} from '../../src/index.ts';
import { pack, unpack } from '../../src/packed.ts';
import { openDevice } from '../support/backends.ts';
import { fuzzSeed, timeFor, times } from '../support/effort.ts';
import {
  asInFile,
  atTheEdge,
  change,
  changed,
  experiment,
  hostile,
  type KnownOfRecord,
  NEURONS,
  readArray,
} from '../support/experiments.ts';
import { expectSameBits } from '../support/outcome.ts';

/** As many as a run makes at most, whatever its file says. */
const STEPS = 30;

/** In `npm test`; a new kernel takes a software GPU longer than all else together. */
const USUAL = { cpu: 1900, webgpu: 100 };

const seed = fuzzSeed();

/** Every key that can be recorded, as the schema's tests find out: the fuzz wants no more than most of them. */
const known: KnownOfRecord = {
  record: ['spikes', 'states', 'rate', 'statistics'],
  spikes: ['neurons', 'from', 'to', 'last'],
  states: ['neurons', 'every', 'from', 'to', 'last'],
};

const anyFile = fc.oneof(
  { weight: 4, arbitrary: experiment(known) },
  { weight: 2, arbitrary: fc.tuple(experiment(known), change).map(([json, mistake]) => changed(json, mistake)) },
  { weight: 12, arbitrary: atTheEdge },
  { weight: 1, arbitrary: hostile(known) },
  { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 2 }) },
);

type Numbers = Float32Array | Uint32Array;

/** Everything that can be read of a population. */
async function numbersOf(population: Population): Promise<Record<string, Numbers>> {
  const read: Record<string, Numbers> = { counts: await population.spikeCounts() };
  for (const state of Object.keys(population.soma.states))
    read[state] = await population.readState(state as 'potential');
  if (population.recordsSpikes) {
    const { steps, neurons } = await population.spikes();
    Object.assign(read, { 'spike steps': steps, 'spike neurons': neurons });
  }
  if (population.recordsRate) read.rate = (await population.rate()).counts;
  for (const state of population.recordedStates) read[`trace of ${state}`] = (await population.trace(state)).values;
  for (const state of population.gatheredStates) {
    const { samples, ...each } = await population.statistics(state);
    // Of nothing there is none.
    if (samples > 0) for (const [name, values] of Object.entries(each)) read[`${state} ${name}`] = values;
  }
  return read;
}

type Options = Parameters<typeof ExperimentRun.create>[1];

/** What a run of a file gives, or how it is refused. */
async function outcomeOf(json: unknown, options: Options): Promise<Record<string, Numbers>[] | InputError> {
  let run: ExperimentRun;
  try {
    run = await ExperimentRun.create(await readExperiment(json, readArray), options);
  } catch (error) {
    if (error instanceof InputError) return error;
    throw error;
  }
  try {
    await run.run({ steps: STEPS });
    return await Promise.all(run.populations.map((population) => numbersOf(population)));
  } finally {
    run.simulation.dispose();
  }
}

function expectClear({ path, reason, remedy, message }: InputError): void {
  for (const text of [reason, remedy]) expect(text).toMatch(/\S/);
  expect(path).toBeTypeOf('string');
  expect(message).toContain(reason.replace(/[\p{Cc}\u2028\u2029]/gu, ' '));
  expect(message, 'a message on one line').not.toMatch(/[\p{Cc}\u2028\u2029]/u);
  expect(message.length, 'a message that can be read').toBeLessThan(2000);
}

function expectFinite(numbers: Record<string, Numbers>): void {
  for (const [name, values] of Object.entries(numbers)) {
    const place = values.findIndex((value) => !Number.isFinite(value));
    if (place >= 0) expect.fail(`${name}[${place}] is ${values[place]}`);
  }
}

/** One case; gives what became of it. */
async function tried(given: unknown, options: Options): Promise<'ran' | 'refused'> {
  const json = asInFile(given);
  const first = await outcomeOf(json, options);
  if (first instanceof InputError) {
    expectClear(first);
    return 'refused';
  }
  for (const numbers of first) expectFinite(numbers);
  const second = await outcomeOf(json, options);
  first.forEach((numbers, i) => {
    const again = (second as Record<string, Numbers>[])[i];
    for (const [name, values] of Object.entries(numbers)) expectSameBits(again?.[name], values, name);
  });
  return 'ran';
}

/** How to do the same again, of what fast-check says. */
const repeat = (path: string | null): string =>
  `npm run fuzz -- --seed ${seed}${path === null ? '' : ` --path ${path}`}`;

async function fuzz(runs: number, optionsOf: () => Options): Promise<void> {
  const became = { ran: 0, refused: 0 };
  const property = fc.asyncProperty(anyFile, async (given) => {
    became[await tried(given, optionsOf())]++;
  });
  const path = process.env.SOMAGPU_FUZZ_PATH ?? '';
  const found = await fc.check(property, { numRuns: runs, seed, path, endOnFailure: path !== '' });
  if (found.failed) {
    const shown = JSON.stringify(asInFile(found.counterexample?.[0]));
    const reason = found.errorInstance instanceof Error ? found.errorInstance.stack : String(found.errorInstance);
    expect.fail(`${shown}\n${reason}\nto repeat it: ${repeat(found.counterexamplePath)}`);
  }
  console.log(`fuzz: ${became.ran} ran, ${became.refused} were refused, seed ${seed}`);
  // It tries something.
  expect(became.ran).toBeGreaterThan(runs / 10);
  expect(became.refused).toBeGreaterThan(runs / 10);
}

const share = (path: 'cpu' | 'webgpu'): number =>
  Math.ceil((times('FUZZ_RUNS', USUAL.cpu + USUAL.webgpu) * USUAL[path]) / (USUAL.cpu + USUAL.webgpu));

describe('an experiment file by chance is refused in clear words, or runs to finite numbers, the same ones twice', () => {
  test(`${share('cpu')} times on the processor`, { timeout: timeFor(USUAL.cpu, share('cpu')) }, () =>
    fuzz(share('cpu'), () => ({ backend: 'cpu', workers: 0 })),
  );

  // One device, so that no kernel is compiled twice.
  test(`${share('webgpu')} times on WebGPU`, { timeout: timeFor(USUAL.webgpu, share('webgpu')) }, async () => {
    const device = await openDevice();
    await fuzz(share('webgpu'), () => ({ backend: 'webgpu', device }));
  });
});

/** Experiments where something stands at the very end of its range; chance finds many more. */
function atAnEnd(): [string, unknown][] {
  const dt = 0.1;
  const ends = {
    potential_tau: dt,
    adaptation_tau: dt,
    threshold_tau: dt,
    spike_slope: 1000,
    cooldown: (2 ** 24 - 2) * dt,
  };
  const record = { spikes: true };
  return somas.flatMap((soma) => {
    const named = Object.entries(ends).filter(([name]) => name in soma.parameters);
    const cells = { soma: soma.name, units: NEURONS, record };
    const input = (amplitude: number) => [{ kind: 'constant', amplitude }];
    return [
      ...named.map(([name, end]) => [`${name} ${end}`, { ...cells, parameters: { [name]: end }, input: input(500) }]),
      ...[-1e12, 1e12].map((current) => [`current ${current}`, { ...cells, input: input(current) }]),
    ].map(([what, population]): [string, unknown] => [
      `${soma.name}, ${what}`,
      { dt, steps: STEPS, populations: { a: population } },
    ]);
  });
}

test.each(['cpu', 'webgpu'] as const)('an experiment at the very end of a range runs, on %s', async (backend) => {
  const path = backend === 'cpu' ? { workers: 0 } : { device: await openDevice() };
  const ends = atAnEnd();
  expect(ends.length).toBeGreaterThan(18);
  for (const [what, json] of ends) expect(await tried(json, { backend, ...path }), what).toBe('ran');
});

describe('a saved simulation', () => {
  const cpu = { backend: 'cpu', workers: 0 } as const;

  async function saved(): Promise<Uint8Array> {
    const simulation = await Simulation.create({ dt: 0.1, seed: 3, ...cpu });
    simulation.add(AdaptiveExponentialSoma, {
      name: 'cells',
      units: NEURONS,
      parameters: { threshold: uniform(-35, -30) },
      input: [{ kind: 'ornstein_uhlenbeck', mean: 300, sd: 50, tau: 3 }],
      record: { spikes: true, rate: { bin: 1 }, states: { potential: { every: 3 } }, statistics: { potential: {} } },
    });
    await simulation.run(5);
    const bytes = new Uint8Array(await simulation.save());
    simulation.dispose();
    return bytes;
  }

  async function restoredRun(bytes: Uint8Array | ArrayBuffer): Promise<void> {
    const simulation = await Simulation.restore(bytes, cpu);
    try {
      await simulation.run(5);
      for (const population of simulation.populations) await numbersOf(population);
    } finally {
      simulation.dispose();
    }
  }

  test('is refused with a FileError whichever of its bytes is another', async () => {
    const bytes = await saved();
    await restoredRun(bytes);
    for (let at = 0; at < bytes.length; at++) {
      const wrong = bytes.slice();
      wrong[at] = (wrong[at] as number) ^ (1 << (at & 7));
      const error = await Simulation.restore(wrong, cpu).catch((error: unknown) => error);
      if (!(error instanceof FileError)) expect.fail(`byte ${at}: ${error}`);
    }
  });

  const count = times('FUZZ_RUNS', 2000) / 10;
  test(`that another program made, with a mistake in any place and the right checksum, is refused or runs, ${count} times`, {
    timeout: timeFor(200, count),
  }, async () => {
    const tree = unpack(await saved());
    let refused = 0;
    await fc.assert(
      fc.asyncProperty(change, async (mistake) => {
        await restoredRun(pack(changed(tree, mistake))).catch((error: unknown) => {
          expect(error, error instanceof Error ? error.stack : '').toBeInstanceOf(SomaError);
          refused++;
        });
      }),
      { numRuns: count, seed },
    );
    expect(refused).toBeGreaterThan(count / 10);
    expect(refused).toBeLessThan(count);
  });
});
