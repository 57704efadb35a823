// The JSON schema and the reader of experiment files accept the same, but for what takes arithmetic. On the processor alone:
// what a file may say does not depend on the path that runs it.

import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { namesOf, PRINTED } from '../../src/biophysics.ts';
import { KINDS } from '../../src/distributions.ts';
import { ExperimentRun, readExperiment } from '../../src/experiment.ts';
import { inputLaws } from '../../src/generated/shaders.ts';
import { InputError, type Row, type Soma, somas } from '../../src/index.ts';
import type { Table } from '../../src/rows.ts';
import { schema, schemaComplaints } from '../support/schema.ts';

type Json = Record<string, unknown>;

const NEURONS = 3;

/** Every array there is: of one step, or of one value a neuron. */
const readArray = async () => ({ shape: [NEURONS], data: Float32Array.of(1, 2, 3) });

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

const number = fc.constantFrom(-65, -1, 0, 0.5, 1, 2, 20);
const file = fc.constant({ file: 'a.npz', array: 'a' });

/** What of a table might be given: each key or not, mostly with something sensible. */
const some = (table: Record<string, fc.Arbitrary<unknown>>, always: readonly string[] = []) =>
  fc.record(table, { requiredKeys: [...always] });

const initializer: fc.Arbitrary<unknown> = fc.constantFrom(...Object.entries(KINDS)).chain(([name, { keys }]) => {
  const fields = Object.entries(keys).map(([key, takes]) => {
    const axes = fc.constantFrom([0], [1], [0, 1], 0);
    const part = fc.oneof(number, fc.constant({ initializer: 'constant', value: 2 }));
    return [key, key === 'norm_axes' ? axes : typeof takes === 'function' ? part : number] as const;
  });
  const keysNeeded = Object.entries(keys).filter(([, takes]) => (takes as { default?: unknown }).default === undefined);
  return some({ ...Object.fromEntries(fields), initializer: fc.constant(name) }, [
    'initializer',
    ...keysNeeded.map(([key]) => key),
  ]);
});

const numberFor = (row: Row) =>
  typeof row.default === 'number' ? fc.oneof({ weight: 9, arbitrary: fc.constant(row.default) }, number) : number;

const value = (row: Row): fc.Arbitrary<unknown> =>
  fc.oneof(
    { weight: 6, arbitrary: numberFor(row) },
    fc.array(numberFor(row), { minLength: NEURONS, maxLength: NEURONS }),
    file,
    initializer,
  );

const values = (table: Table): fc.Arbitrary<Json> =>
  some(Object.fromEntries(Object.entries(table).map(([name, row]) => [name, value(row)])));

/** Parameters by name, as papers print them, or some so and some so. */
const parameters = (soma: Soma) => {
  const { required, optional } = namesOf(soma);
  const printed = fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(1, 2, 20) },
    fc.constant([1, 2, 3]),
    file,
    initializer,
  );
  const biophysics = some(Object.fromEntries([...required, ...optional].map((name) => [name, printed])), required);
  const places = [...required, ...optional].map((name) => PRINTED[name]?.parameter as string);
  const others: Table = Object.fromEntries(
    Object.entries<Row>(soma.parameters).filter(([name]) => !places.includes(name)),
  );
  return fc.oneof(
    { weight: 4, arbitrary: values(soma.parameters) },
    biophysics.map((given) => ({ biophysics: given })),
    fc.tuple(biophysics, values(others), values(soma.parameters), fc.nat()).map(([given, apart, beside, place]) => {
      // One is given beside, in the place of a name or, now and then, besides it.
      const [name = ''] = required.slice(place % required.length);
      const parameter = PRINTED[name]?.parameter ?? '';
      const { [name]: _, ...left } = given as Json;
      return { ...apart, [parameter]: (beside as Json)[parameter], biophysics: place % 3 === 0 ? given : left };
    }),
  );
};

const lawInput = fc.constantFrom(...Object.values(inputLaws)).chain((law) => {
  const rows = Object.entries(law.parameters).filter(([, row]) => !row.byHost);
  const moment = fc.constantFrom<unknown>(0, 1, 2.5, 'end');
  const fields = rows.flatMap(([name, row]): [string, fc.Arbitrary<unknown>][] => {
    if (row.edge) return [[name, moment]];
    return [
      [name, row.single ? number : value(row)],
      ...(row.density ? [[row.density, value(row)] as [string, fc.Arbitrary<unknown>]] : []),
    ];
  });
  const shared: Record<string, fc.Arbitrary<unknown>> = law.random ? { shared: fc.constantFrom('a', 'b') } : {};
  const needed = rows.filter(([, row]) => row.default === undefined && !row.density && !row.edge).map(([name]) => name);
  return some({ ...Object.fromEntries(fields), ...shared, kind: fc.constant(law.kind) }, ['kind', ...needed]);
});

const arrayInput = fc.oneof(
  fc.record({
    kind: fc.constant('array'),
    values: fc.constantFrom<unknown>(
      [1, 2],
      [
        [1, 2, 3],
        [4, 5, 6],
      ],
      [],
    ),
  }),
  fc.record({ kind: fc.constant('array'), file: fc.constant('a.npz'), array: fc.constant('a') }),
);

const indices = fc.constantFrom<unknown>('all', [0], [2, 1], []);
const window = { from: fc.constantFrom(0, 1), to: fc.constantFrom<unknown>(2, 'end'), last: fc.constantFrom(0, 2) };

function record(soma: Soma, known: Readonly<Record<string, readonly string[]>>) {
  const only = (fields: Record<string, fc.Arbitrary<unknown>>, of: string) =>
    Object.fromEntries(Object.entries(fields).filter(([key]) => known[of]?.includes(key)));
  const states = (fields: Record<string, fc.Arbitrary<unknown>>) =>
    some(Object.fromEntries(Object.keys(soma.states).map((state) => [state, some(fields)])));
  const whose = some(only({ neurons: indices, ...window }, 'spikes'));
  return some(
    only(
      {
        spikes: known.spikes?.length ? fc.oneof(fc.boolean(), whose) : fc.boolean(),
        states: states(only({ neurons: indices, every: fc.constantFrom(1, 3), ...window }, 'states')),
        rate: some({ bin: fc.constantFrom(0.5, 1, 2), ...window }, ['bin']),
        statistics: states({ from: window.from, to: window.to }),
      },
      'record',
    ),
  );
}

const population = (known: Readonly<Record<string, readonly string[]>>) =>
  fc.constantFrom(...somas).chain((soma) =>
    some(
      {
        soma: fc.constant(soma.name),
        units: fc.constantFrom<unknown>(NEURONS, [1, NEURONS]),
        parameters: parameters(soma),
        initial: values(soma.states),
        input: fc.array(fc.oneof({ weight: 4, arbitrary: lawInput }, arrayInput), { maxLength: 2 }),
        inhibitory: fc.constantFrom([0], [2, 1], []),
        record: record(soma, known),
      },
      ['soma', 'units'],
    ),
  );

const experiment = (known: Readonly<Record<string, readonly string[]>>) =>
  some(
    {
      dt: fc.constantFrom(0.5, 1),
      steps: fc.constantFrom(0, 2),
      seed: fc.constantFrom(0, 7),
      populations: fc.dictionary(fc.constantFrom('a', 'B-2', 'c_c'), population(known), { minKeys: 1, maxKeys: 2 }),
    },
    ['dt', 'steps', 'populations'],
  );

/** Every place in a JSON: its parent, and the key there. */
function* places(json: unknown): Generator<[Json, string]> {
  if (typeof json !== 'object' || json === null) return;
  for (const [key, within] of Object.entries(json)) {
    yield [json as Json, key];
    yield* places(within);
  }
}

type Change = { place: number; how: 'replace' | 'remove' | 'add'; key: string; junk: unknown };

const change: fc.Arbitrary<Change> = fc.record({
  place: fc.nat(),
  how: fc.constantFrom('replace', 'remove', 'add'),
  key: fc.constantFrom('', 'kind', 'low', 'start', 'threshold', 'cooldown', 'array', 'value', 'every', 'biophysics'),
  junk: fc.constantFrom<unknown>(null, true, 'x', 'end', 'all', -1, 0.5, 3, [], {}, [1, 2, 3], [[1]], ['1'], {
    file: 'a',
  }),
});

function changed(json: unknown, { place, how, key, junk }: Change): unknown {
  const copy = structuredClone(json);
  const all = [...places(copy)];
  const [parent, name] = all[place % all.length] as [Json, string];
  if (how === 'add') parent[Array.isArray(parent) ? String(parent.length) : key] = junk;
  else if (how === 'replace' || Array.isArray(parent)) parent[name] = junk;
  else delete parent[name];
  return copy;
}

async function knownOfRecord() {
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
