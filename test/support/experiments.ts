// Experiments as files may have them, by chance: with everything there is, with a mistake in any place, and at the edges of
// what is accepted. What becomes of them is the tests' affair.

import fc from 'fast-check';
import { namesOf, PRINTED } from '../../src/biophysics.ts';
import { KINDS } from '../../src/distributions.ts';
import { inputLaws } from '../../src/generated/shaders.ts';
import { type Row, type Soma, somas } from '../../src/index.ts';
import type { Table } from '../../src/rows.ts';

export type Json = Record<string, unknown>;

export const NEURONS = 3;

/** Every array there is: of one step, or of one value a neuron. */
export const readArray = async () => ({ shape: [NEURONS], data: Float32Array.of(1, 2, 3) });

/** Keys of recordings, as the reader knows them. */
export type KnownOfRecord = Readonly<Record<'record' | 'spikes' | 'states', string[]>>;

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

function record(soma: Soma, known: KnownOfRecord) {
  const only = (fields: Record<string, fc.Arbitrary<unknown>>, of: keyof KnownOfRecord) =>
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

const population = (known: KnownOfRecord) =>
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

export const experiment = (known: KnownOfRecord) =>
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
  if (typeof json !== 'object' || json === null || ArrayBuffer.isView(json)) return;
  for (const [key, within] of Object.entries(json)) {
    yield [json as Json, key];
    yield* places(within);
  }
}

export type Change = { place: number; how: 'replace' | 'remove' | 'add'; key: string; junk: unknown };

export const change: fc.Arbitrary<Change> = fc.record({
  place: fc.nat(),
  how: fc.constantFrom('replace', 'remove', 'add'),
  key: fc.constantFrom('', 'kind', 'low', 'start', 'threshold', 'cooldown', 'array', 'value', 'every', 'biophysics'),
  junk: fc.constantFrom<unknown>(null, true, 'x', 'end', 'all', -1, 0.5, 3, [], {}, [1, 2, 3], [[1]], ['1'], {
    file: 'a',
  }),
});

export function changed(json: unknown, { place, how, key, junk }: Change): unknown {
  const copy = structuredClone(json);
  const all = [...places(copy)];
  const [parent, name] = all[place % all.length] as [Json, string];
  if (how === 'add') parent[Array.isArray(parent) ? String(parent.length) : key] = junk;
  else if (how === 'replace' || Array.isArray(parent)) parent[name] = junk;
  else delete parent[name];
  return copy;
}

/** What stands for 1e999, which a file can say and JSON cannot write. */
const HUGE = '@huge';

/** The text of a file with this in it, parsed again. */
export const asInFile = (json: unknown): unknown => JSON.parse(JSON.stringify(json).replaceAll(`"${HUGE}"`, '1e999'));

/** Keys that are something else to JavaScript, or to who reads a message. */
const strange = fc.constantFrom(
  '__proto__',
  'constructor',
  'toString',
  'length',
  '',
  'a\nb',
  '\u2028',
  'x'.repeat(300),
);

/** Any JSON at any place of an experiment, under any key. */
export const hostile = (known: KnownOfRecord) =>
  fc
    .tuple(experiment(known), fc.nat(), fc.option(strange), fc.oneof(fc.jsonValue({ maxDepth: 3 }), strange))
    .map(([json, place, key, value]) => {
      const copy = structuredClone(json);
      const all = [...places(copy)];
      const [parent, name] = all[place % all.length] as [Json, string];
      // Assigning to __proto__ would do something else.
      const where = Array.isArray(parent) ? name : (key ?? name);
      Object.defineProperty(parent, where, { value, enumerable: true, configurable: true, writable: true });
      return copy;
    });

/** Numbers where the range of a row ends, on both sides of that end. */
function edgesOf({ above, least, most, leastDt, inSteps, whole, unit }: Row, dt: number): unknown[] {
  const around = (end: number) => [end, end * (1 - 2 ** -23), end * (1 + 2 ** -23)];
  return [
    ...(above === 0 ? [2 ** -126, 2 ** -127, 1e-30, 1e-6, 0, 5e-324] : [0, -1e9, 1e-30, -1e-30]),
    ...(least === undefined ? [] : [least, least - 2 ** -126]),
    ...(most === undefined ? [] : around(most)),
    ...(leastDt ? [...around(dt), dt * 1.5, dt * 2] : []),
    ...(inSteps ? [(2 ** 24 - 2) * dt, (2 ** 24 - 1) * dt, 0.5 * dt, dt] : []),
    ...(whole ? [2 ** 24, 2 ** 24 + 1, 0.5] : []),
    ...(unit === 'pA' ? [...around(1e12), ...around(-1e12)] : []),
    ...around(1e9),
    HUGE,
  ];
}

/** Whether a number is within what a row allows, roughly: what the edges are sorted by, so that enough is accepted. */
function within({ above = -Infinity, least = -Infinity, most = 1e12, leastDt, whole, unit }: Row, dt: number) {
  const top = Math.min(most, whole ? 2 ** 24 : unit === 'pA' ? 1e12 : 1e9);
  return (value: unknown) =>
    typeof value === 'number' &&
    value > above &&
    value >= Math.max(least, leastDt ? dt : -Infinity) &&
    Math.abs(value) <= top &&
    !(whole && value % 1 !== 0);
}

/** A table with some rows at an edge, all neurons or one of them; where `needed` is, the others have something usual. */
function atEdges(table: Table, dt: number, needed = false): fc.Arbitrary<Json> {
  const usual = (row: Row) => (typeof row.default === 'number' ? row.default : 2);
  const fields = Object.entries<Row>(table).map(([name, row]) => {
    const [edges, inside] = [edgesOf(row, dt), within(row, dt)];
    const edge = fc.oneof(
      { weight: 9, arbitrary: fc.constantFrom(...edges.filter(inside)) },
      { weight: 1, arbitrary: fc.constantFrom(...edges.filter((value) => !inside(value))) },
    );
    const one = edge.map((value) => Array.from({ length: NEURONS }, (_, i) => (i === 1 ? value : usual(row))));
    const right = row.leastDt ? Math.max(usual(row), dt) : usual(row);
    const arbitrary = fc.oneof(
      { weight: needed || right !== row.default ? 8 : 0, arbitrary: fc.constant(right) },
      { weight: needed || right !== row.default ? 0 : 8, arbitrary: fc.constant(undefined) },
      { weight: 2, arbitrary: edge },
      { weight: row.single ? 0 : 1, arbitrary: one },
    );
    return [name, arbitrary] as const;
  });
  return fc.record(Object.fromEntries(fields));
}

const inputAtEdges = (dt: number) =>
  fc.constantFrom(...Object.values(inputLaws)).chain((law) => {
    const rows = Object.entries<Row>(law.parameters).filter(([, row]) => !row.byHost);
    const given = Object.fromEntries(rows.filter(([, row]) => !row.edge));
    const moment = fc.constantFrom<unknown>(0, dt, 5 * dt, 1e-300, 1e300, 0xffffffff * dt, undefined, undefined);
    const edges = rows.filter(([, row]) => row.edge).map(([name]) => [name, moment] as const);
    return fc
      .tuple(atEdges(given, dt, true), fc.record(Object.fromEntries(edges)))
      .map(([numbers, moments]) => ({ kind: law.kind, ...numbers, ...moments }));
  });

/** One population whose numbers are at the edges of what is accepted, or just beyond; all that can be recorded, is. */
export const atTheEdge: fc.Arbitrary<unknown> = fc
  .tuple(fc.constantFrom(...somas), fc.constantFrom(1e-6, 0.1, 0.1, 0.3, 1, 1, 7, 1e6))
  .chain(([soma, dt]) => {
    const states = Object.fromEntries(Object.keys(soma.states).map((state) => [state, {}]));
    return fc
      .record({
        parameters: atEdges(soma.parameters, dt),
        initial: atEdges(soma.states, dt).map((given) => (given.blocked === 1 ? { ...given, blocked: 0 } : given)),
        input: fc.array(inputAtEdges(dt), { maxLength: 3 }),
        units: fc.oneof(
          { weight: 30, arbitrary: fc.constant<unknown>(NEURONS) },
          fc.constantFrom<unknown>(0, -1, 2 ** 53, 1e300, [3, 0], [], [2 ** 31, 2 ** 31], HUGE),
        ),
        steps: fc.oneof({ weight: 30, arbitrary: fc.constant<unknown>(30) }, fc.constantFrom(0, 0xffffffff, 2 ** 32)),
        seed: fc.constantFrom(0, 0xffffffff),
      })
      .map(({ steps, seed, ...population }) => {
        const last = (steps as number) > 30 ? { last: 3 * dt } : {};
        const each = Object.fromEntries(Object.keys(states).map((state) => [state, last]));
        const record = { spikes: last.last === undefined ? true : last, states: each, statistics: states };
        return { dt, steps, seed, populations: { a: { soma: soma.name, ...population, record } } };
      });
  });
