// The JSON schema and the reader of experiment files accept the same, but for what takes arithmetic. On the processor alone:
// what a file may say does not depend on the path that runs it.

import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ExperimentRun, readExperiment } from '../../src/experiment.ts';
import { InputError } from '../../src/index.ts';
import { change, changed, experiment, type Json, type KnownOfRecord, readArray } from '../support/experiments.ts';
import { schema, schemaComplaints } from '../support/schema.ts';

/** Why an experiment is refused before it runs, if it is. */
async function refusalOf(json: unknown): Promise<InputError | undefined> {
  try {
    const run = await ExperimentRun.create(await readExperiment(json, readArray), { backend: 'cpu', workers: 0 });
    run.simulation.dispose();
    return undefined;
  } catch (error) {
    if (error instanceof InputError) return error;
    throw error;
  }
}

/** What no schema can say: lengths, and what belongs together. */
const ARITHMETIC = [
  // A file's law, and what it allows.
  /is a soma of a file, which is not read here/,
  /has \d+ values for \d+ neurons/,
  /has shape \[.*\] \(\d+ values\) for \d+ neurons/,
  /has currents for \d+ steps/,
  /^has \d+ values, where what it is divided by has \d+$/,
  /is no neuron of this population/,
  /must not be below the time step/,
  /unstable below threshold/,
  /is no whole number of steps/,
  /does not agree with the duration/,
  /is before (start|the beginning)/,
  /is greater than high/,
  /is longer than the period/,
  /events a step/,
  /there is nothing to sum over/,
  /is no list of different axes/,
  /^has no step$/,
];

/** What it could say of a number that stands there, but not of one that is drawn, read or computed. */
const RANGE = /reaches from|must be (greater|at least|at most|a whole number)/;

/** Whether a number stands at a place, as messages name it; a part of a sparse initializer is drawn. */
function isNumberAt(json: unknown, path: string): boolean {
  if (/\.(of|otherwise)$/.test(path)) return false;
  let at = json;
  for (const key of path.split(/[.[\]]+/).filter((part) => part !== '')) at = (at as Json | undefined)?.[key];
  return typeof at === 'number';
}

const isArithmetic = (json: unknown, { path, reason }: InputError): boolean =>
  ARITHMETIC.some((known) => known.test(reason)) || (RANGE.test(reason) && !isNumberAt(json, path));

/** Names that the reader knows; more may stand in the schema, of recordings that are still to come. */
async function recordKeys(given: Json): Promise<string[]> {
  const population = { soma: 'ExponentialSoma', units: 1, record: given };
  const refusal = await refusalOf({ dt: 1, steps: 1, populations: { cells: population } });
  return refusal?.remedy.split('known: ')[1]?.split(', ') ?? [];
}

async function knownOfRecord(): Promise<KnownOfRecord> {
  const stranger = { '?': 1 };
  return {
    record: await recordKeys(stranger),
    spikes: await recordKeys({ spikes: stranger }),
    states: await recordKeys({ states: { potential: stranger } }),
  };
}

/** That schema and reader agree, and who was right. */
async function compare(given: unknown): Promise<'accepted' | 'refused' | 'arithmetic'> {
  // As a file has it.
  const json: unknown = JSON.parse(JSON.stringify(given));
  const [refusal, complaints] = [await refusalOf(json), schemaComplaints(json)];
  const shown = JSON.stringify(json);
  if (refusal === undefined) {
    expect(complaints, `the schema refuses what runs: ${shown}`).toEqual([]);
    return 'accepted';
  }
  if (complaints.length > 0) return 'refused';
  expect(isArithmetic(json, refusal), `the schema accepts what is refused, ${refusal.message}: ${shown}`).toBe(true);
  return 'arithmetic';
}

describe('schema and reader', () => {
  test('agree about experiments with everything there is', async () => {
    const outcomes: string[] = [];
    const arbitrary = experiment(await knownOfRecord());
    await fc.assert(
      fc.asyncProperty(arbitrary, async (json) => {
        outcomes.push(await compare(json));
      }),
      { numRuns: 400 },
    );
    // The comparison compares something.
    expect(outcomes.filter((outcome) => outcome === 'accepted').length).toBeGreaterThan(20);
  });

  test('agree about experiments with a mistake in any place', async () => {
    const outcomes: string[] = [];
    const arbitrary = experiment(await knownOfRecord());
    await fc.assert(
      fc.asyncProperty(arbitrary, change, async (json, mistake) => {
        outcomes.push(await compare(changed(json, mistake)));
      }),
      { numRuns: 800 },
    );
    expect(outcomes.filter((outcome) => outcome === 'refused').length).toBeGreaterThan(200);
  });

  test('go together in what the build leaves, under the name that the package exports', () => {
    const root = new URL('../../', import.meta.url);
    const { exports } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8'));
    const built = readFileSync(new URL(exports['./experiment.schema.json'], root), 'utf8');
    expect(JSON.parse(built)).toEqual(JSON.parse(JSON.stringify(schema)));
  });

  test('know the same recordings', async () => {
    const known = await knownOfRecord();
    const recorded = schema.definitions['record of ExponentialSoma'] as { properties: Record<string, Json> };
    const keys = (part: unknown) => Object.keys((part as { properties: Json }).properties);
    expect(known.record.length).toBeGreaterThan(1);
    expect(keys(recorded)).toEqual(expect.arrayContaining(known.record));
    expect(keys(recorded.properties.spikes)).toEqual(expect.arrayContaining(known.spikes));
    const { potential } = (recorded.properties.states as { properties: Json }).properties;
    expect(keys(potential)).toEqual(expect.arrayContaining(known.states));
  });
});
