// The JSON schema of experiment files: whole, described, true of the examples and the documentation, and of the same keys as
// the reader. That the two accept the same is test/engine/schema.test.ts's.

import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { withBiophysics } from '../../src/biophysics.ts';
import { distribution, KINDS } from '../../src/distributions.ts';
import type { InputError } from '../../src/errors.ts';
import { readExperiment } from '../../src/experiment.ts';
import { inputLaws } from '../../src/generated/shaders.ts';
import type { Initializer } from '../../src/initializers.ts';
import { type Input, resolveInputs } from '../../src/inputs.ts';
import { resolveParameters, resolveStates } from '../../src/parameters.ts';
import { somas } from '../../src/somas.ts';
import { schema, schemaComplaints } from '../support/schema.ts';

type Json = Record<string, unknown>;

const ROOT = new URL('../../', import.meta.url);
const read = (path: string) => readFileSync(new URL(path, ROOT), 'utf8');

const cells = (more: Json = {}): Json => ({ soma: 'AdaptiveExponentialSoma', units: 4, ...more });
const experiment = (population: Json = {}, top: Json = {}): Json => ({
  dt: 0.1,
  duration: 1,
  populations: { cells: cells(population) },
  ...top,
});
const parameters = (given: Json, soma = 'AdaptiveExponentialSoma') => experiment({ soma, parameters: given });
const refractory = (given: Json) => parameters(given, 'RefractoryExponentialSoma');
const threshold = (initializer: Json) => parameters({ threshold: initializer });
const input = (...given: unknown[]) => experiment({ input: given });
const record = (given: Json) => experiment({ record: given });

const printed = { C: 281, g_L: 30, E_L: -70.6, V_T: -50.4, Delta_T: 2, V_peak: -40.4, V_reset: -70.6 };
const adex = { ...printed, tau_w: 144, a: 4, b: 80.5 };
const { V_peak: _, ...unpeaked } = adex;

describe('the schema', () => {
  test('describes every key it knows', () => {
    const bare: string[] = [];
    const walk = (part: unknown, path: string): void => {
      if (typeof part !== 'object' || part === null) return;
      for (const [keyword, value] of Object.entries(part)) {
        walk(value, `${path}/${keyword}`);
        if (keyword !== 'properties') continue;
        for (const [key, property] of Object.entries(value as Json)) {
          // Nothing is said here of what is said elsewhere, and a condition describes nothing.
          const said = typeof property !== 'object' || Object.keys(property as Json).length === 0;
          const condition = Object.keys(property as Json).every((word) =>
            ['const', 'pattern', 'required', 'properties', '$ref'].includes(word),
          );
          const description = (property as { description?: string }).description ?? '';
          if (!said && !condition && !/^\S.*\w/.test(description)) bare.push(`${path}/${key}`);
          if (/undefined/.test(description)) bare.push(`${path}/${key}: ${description}`);
        }
      }
    };
    walk(schema, '');
    expect(bare).toEqual([]);
  });

  test('describes every soma, every initializer and every kind of input', () => {
    const described = (definition: string) =>
      ((schema.definitions[definition] as Json).allOf as { then: Json }[]).map(({ then }) => then.description);
    for (const definition of ['initializer', 'input'])
      for (const description of described(definition)) expect(description).toMatch(/\w/);
    for (const { name } of somas) expect(schema.definitions[`parameters of ${name}`]?.description).toContain(name);
    expect(described('initializer')).toHaveLength(Object.keys(KINDS).length);
    expect(described('input')).toHaveLength(Object.keys(inputLaws).length + 1);
  });

  test('refers to nothing that is not there', () => {
    const names = [...JSON.stringify(schema).matchAll(/"\$ref":"#\/definitions\/([^"]+)"/g)].map(([, name]) => name);
    expect(names.length).toBeGreaterThan(10);
    for (const name of names) expect(Object.keys(schema.definitions)).toContain(name);
  });
});

describe('what people write', () => {
  test.each(readdirSync(new URL('examples/', ROOT)).filter((file) => file.endsWith('.json')))(
    'the example %s is right, and says where its schema is',
    (file) => {
      const example = JSON.parse(read(`examples/${file}`));
      expect(schemaComplaints(example)).toEqual([]);
      const target = new URL(example.$schema, new URL(`examples/${file}`, ROOT));
      const { exports } = JSON.parse(read('package.json'));
      expect(fileURLToPath(target)).toBe(fileURLToPath(new URL(exports['./experiment.schema.json'], ROOT)));
    },
  );

  test.each(['README.md', 'docs/experiment.md'])('the JSON in %s is right', (file) => {
    const blocks = [...read(file).matchAll(/```json\n([\s\S]*?)```/g)].map(([, text]) => text as string);
    expect(blocks.length).toBeGreaterThan(0);
    for (const text of blocks) {
      // A page may show a part of a population.
      const json = /^\s*\{/.test(text) ? JSON.parse(text) : experiment(JSON.parse(`{${text}}`));
      expect(schemaComplaints(json)).toEqual([]);
    }
  });

  test('every initializer that the documentation shows is right', () => {
    const shown = [...read('docs/experiment.md').matchAll(/`(\{ "initializer": .*? \})`/g)].map(([, text]) =>
      JSON.parse(text as string),
    );
    expect(new Set(shown.map(({ initializer }) => initializer))).toEqual(new Set(Object.keys(KINDS)));
    for (const initializer of shown) expect(schemaComplaints(threshold(initializer))).toEqual([]);
  });

  test('every input that the documentation has keys for is right with them', () => {
    const [, section = ''] = read('docs/experiment.md').split('### Inputs');
    const rows = [...section.matchAll(/^\| `(\w+)` \| (.*?) \|/gm)].filter(([, kind = '']) => kind in inputLaws);
    for (const [, kind, keys = ''] of rows) {
      for (const [, key = ''] of keys.matchAll(/`(\w+)`/g)) {
        const complaints = schemaComplaints(input({ kind, [key]: 1 })).join('\n');
        expect(complaints).not.toContain(`"additionalProperty":"${key}"`);
      }
    }
    expect(rows.length).toBeGreaterThan(2);
  });
});

/** Wrong experiments beside right ones that differ by a hair. */
const refusals: [what: string, wrong: unknown, right: unknown][] = [
  ['an unknown key', experiment({}, { sead: 7 }), experiment({}, { seed: 7 })],
  ['a $schema that is no address', experiment({}, { $schema: 7 }), experiment({}, { $schema: './s.json' })],
  ['no dt', experiment({}, { dt: undefined }), experiment()],
  ['a dt of 0', experiment({}, { dt: 0 }), experiment({}, { dt: 1e-6 })],
  [
    'neither steps nor duration',
    experiment({}, { duration: undefined }),
    experiment({}, { duration: undefined, steps: 3 }),
  ],
  [
    'half a step',
    experiment({}, { duration: undefined, steps: 0.5 }),
    experiment({}, { duration: undefined, steps: 0 }),
  ],
  ['a seed beyond 32 bits', experiment({}, { seed: 2 ** 32 }), experiment({}, { seed: 2 ** 32 - 1 })],
  ['no population', experiment({}, { populations: {} }), experiment()],
  [
    'a name with a blank',
    { ...experiment(), populations: { 'a b': cells() } },
    { ...experiment(), populations: { a_b: cells() } },
  ],
  ['an unknown soma', experiment({ soma: 'ExponentialSomas' }), experiment({ soma: 'ExponentialSoma' })],
  ['no soma', experiment({ soma: undefined }), experiment()],
  [
    'a soma of a text in the place of a file',
    experiment({ soma: { wgsl: 'a.wgsl' } }),
    experiment({ soma: { file: 'a.wgsl' }, parameters: { a: 1 }, record: { states: { u: {} } } }),
  ],
  ['no units', experiment({ units: undefined }), experiment({ units: [2, 2] })],
  ['no neurons', experiment({ units: 0 }), experiment({ units: 1 })],
  ['a shape without sides', experiment({ units: [] }), experiment({ units: [1] })],
  ['an unknown key of a population', experiment({ inputs: [] }), experiment({ input: [] })],
  ['an index below 0', experiment({ inhibitory: [-1] }), experiment({ inhibitory: [0] })],
  ['an unknown parameter', parameters({ spike_slop: 2 }), parameters({ spike_slope: 2 })],
  ['a parameter of another soma', parameters({ cooldown: 2 }), refractory({ cooldown: 2 })],
  ['a negative cooldown', refractory({ cooldown: -1 }), refractory({ cooldown: 0 })],
  ['a slope of 0', parameters({ spike_slope: 0 }), parameters({ spike_slope: 0.1 })],
  [
    'a slope beyond 1000, in a list',
    parameters({ spike_slope: [1, 2, 3, 1001] }),
    parameters({ spike_slope: [1, 2, 3, 1000] }),
  ],
  ['a value that is a text', parameters({ threshold: '-30' }), parameters({ threshold: -30 })],
  ['null for a value', parameters({ threshold: null }), parameters({})],
  ['a file without an array', threshold({ file: 'a.npz' }), threshold({ file: 'a.npz', array: 'a' })],
  ['an object that is no value', threshold({ value: 3 }), threshold({ initializer: 'constant', value: 3 })],
  [
    'an unknown initializer',
    threshold({ initializer: 'unifrom', low: 1, high: 2 }),
    threshold({ initializer: 'uniform', low: 1, high: 2 }),
  ],
  [
    'a key of another initializer',
    threshold({ initializer: 'normal', mean: 1, sd: 2, low: 0 }),
    threshold({ initializer: 'truncated_normal', mean: 1, sd: 2, low: 0 }),
  ],
  [
    'an initializer without a key it needs',
    threshold({ initializer: 'normal', mean: 1 }),
    threshold({ initializer: 'normal', mean: 1, sd: 0 }),
  ],
  [
    'a negative sd of an initializer',
    threshold({ initializer: 'normal', mean: 1, sd: -1 }),
    threshold({ initializer: 'normal', mean: 1, sd: 0 }),
  ],
  [
    'a list in a sparse initializer',
    threshold({ initializer: 'sparse', density: 0.5, of: [1] }),
    threshold({ initializer: 'sparse', density: 0.5, of: { initializer: 'constant', value: 1 } }),
  ],
  [
    'a wrong initializer within another',
    threshold({ initializer: 'sparse', density: 0.5, of: { initializer: 'constant' } }),
    threshold({ initializer: 'sparse', density: 1, of: 1 }),
  ],
  ["another soma's state", experiment({ initial: { blocked: 1 } }), experiment({ initial: { adaptation: 1 } })],
  [
    'half a blocked step',
    experiment({ soma: 'RefractoryExponentialSoma', initial: { blocked: 0.5 } }),
    experiment({ soma: 'RefractoryExponentialSoma', initial: { blocked: 2 } }),
  ],
  ['an unknown input', input({ kind: 'constnat', amplitude: 1 }), input({ kind: 'constant', amplitude: 1 })],
  ['an input without a kind', input({ amplitude: 1 }), input({ kind: 'constant', amplitude: 1 })],
  [
    'an input without its amplitude',
    input({ kind: 'step', start: 1 }),
    input({ kind: 'step', start: 1, amplitude: 2 }),
  ],
  [
    'a key of another input',
    input({ kind: 'constant', amplitude: 1, start: 1 }),
    input({ kind: 'step', amplitude: 1, start: 1 }),
  ],
  [
    'a moment for every neuron',
    input({ kind: 'step', amplitude: 1, stop: [1, 2, 3, 4] }),
    input({ kind: 'step', amplitude: [1, 2, 3, 4], stop: 'end' }),
  ],
  [
    'a start at the end',
    input({ kind: 'step', amplitude: 1, start: 'end' }),
    input({ kind: 'step', amplitude: 1, start: 0 }),
  ],
  ['a negative sd of noise', input({ kind: 'white_noise', sd: -1 }), input({ kind: 'white_noise', sd: 0 })],
  ['a negative intensity', input({ kind: 'white_noise', intensity: -1 }), input({ kind: 'white_noise', intensity: 1 })],
  [
    'noise by sd and by intensity',
    input({ kind: 'white_noise', sd: 1, intensity: 1 }),
    input({ kind: 'white_noise', sd: 1 }),
  ],
  ['noise by neither', input({ kind: 'white_noise', mean: 1 }), input({ kind: 'white_noise', mean: 1, intensity: 1 })],
  [
    'what the host gives',
    input({ kind: 'white_noise', sd: 1, seed: 1 }),
    input({ kind: 'white_noise', sd: 1, shared: 'a' }),
  ],
  [
    'an empty name of shared noise',
    input({ kind: 'white_noise', sd: 1, shared: '' }),
    input({ kind: 'white_noise', sd: 1, shared: 'b' }),
  ],
  [
    'what is shared where nothing is drawn',
    input({ kind: 'constant', amplitude: 1, shared: 'a' }),
    input({ kind: 'constant', amplitude: 1 }),
  ],
  [
    'one number for all, drawn',
    input({ kind: 'sine', amplitude: 1, frequency: [1, 2, 3, 4] }),
    input({ kind: 'sine', amplitude: [1, 2, 3, 4], frequency: 1 }),
  ],
  ['an array without values', input({ kind: 'array' }), input({ kind: 'array', values: [] })],
  [
    'an array of both kinds',
    input({ kind: 'array', values: [1], file: 'a.npz', array: 'a' }),
    input({ kind: 'array', file: 'a.npz', array: 'a' }),
  ],
  [
    'an array with a file only',
    input({ kind: 'array', file: 'a.npz' }),
    input({ kind: 'array', values: [[1, 2, 3, 4]] }),
  ],
  [
    'numbers and lists in one array',
    input({ kind: 'array', values: [1, [1, 2, 3, 4]] }),
    input({ kind: 'array', values: [1, 2] }),
  ],
  [
    'a printed name that is missing',
    parameters({ biophysics: unpeaked }),
    parameters({ biophysics: unpeaked, threshold: -30 }),
  ],
  ['what is said twice', parameters({ biophysics: adex, threshold: -30 }), parameters({ biophysics: adex })],
  [
    'a name of another neuron',
    parameters({ biophysics: adex }, 'ExponentialSoma'),
    parameters({ biophysics: printed }, 'ExponentialSoma'),
  ],
  [
    'no leak conductance',
    parameters({ biophysics: { ...adex, g_L: undefined } }),
    parameters({ biophysics: { ...adex, g_L: undefined, C: undefined }, resistance: 0.1, potential_tau: 9 }),
  ],
  [
    'a capacitance that is drawn',
    parameters({ biophysics: { ...adex, C: { initializer: 'constant', value: 1 } } }),
    parameters({ biophysics: { ...adex, b: { initializer: 'constant', value: 1 } } }),
  ],
  [
    'a capacitance of 0',
    parameters({ biophysics: { ...adex, C: 0 } }),
    parameters({ biophysics: { ...adex, C: [1, 2, 3, 4] } }),
  ],
  ['an unknown key of record', record({ spike: true }), record({ spikes: true })],
  ['spikes of a text', record({ spikes: 'all' }), record({ spikes: { neurons: 'all', from: 1, to: 'end', last: 0 } })],
  [
    "another soma's recorded state",
    record({ states: { blocked: {} } }),
    record({ states: { potential: { neurons: [0], every: 2 } } }),
  ],
  [
    'every 0 steps',
    record({ states: { potential: { every: 0 } } }),
    record({ states: { potential: { every: 1, last: 5 } } }),
  ],
  ['a rate without a bin', record({ rate: {} }), record({ rate: { bin: 1 } })],
  ['a bin of 0', record({ rate: { bin: 0 } }), record({ rate: { bin: 0.1, from: 2, to: 3 } })],
  [
    'statistics of chosen neurons',
    record({ statistics: { potential: { neurons: [0] } } }),
    record({ statistics: { potential: { from: 1 } } }),
  ],
];

// As a file has it: what is undefined is not there.
const parsed = (json: unknown) => JSON.parse(JSON.stringify(json));

test.each(refusals)('%s is wrong to an editor, and its control right', (_, wrong, right) => {
  expect(schemaComplaints(parsed(right))).toEqual([]);
  expect(schemaComplaints(parsed(wrong))).not.toEqual([]);
});

describe('keys are those of the reader', () => {
  const stranger = { '?': 1 };
  const noFiles = () => Promise.reject(new Error('there are no files here'));
  const scope = (path: string) => ({
    path,
    owner: 'X',
    population: 'cells',
    neurons: 4,
    units: [2, 2],
    dt: 0.1,
    seed: 1,
  });

  /** The names that a refusal of a stranger says are known. */
  async function known(attempt: () => unknown): Promise<string[]> {
    const error = await Promise.resolve()
      .then(attempt)
      .then(
        () => undefined,
        (reason: InputError) => reason,
      );
    return (error?.remedy.split('known: ')[1] ?? 'nothing was refused').split(', ').sort();
  }
  const keysOf = (part: unknown) => Object.keys((part as { properties: Json }).properties).sort();
  const definition = (name: string) => schema.definitions[name] as Schema;
  type Schema = { properties: Json; allOf: { if: { properties: Record<string, { const: string }> }; then: Json }[] };

  test('of an experiment, a population and an array', async () => {
    expect(await known(() => readExperiment({ ...experiment(), ...stranger }, noFiles))).toEqual(keysOf(schema));
    const population = await known(() => readExperiment(experiment(stranger), noFiles));
    expect([...population, 'soma'].sort()).toEqual(keysOf(definition('population')));
    const arrays = [{ values: [1] }, { file: 'a', array: 'b' }].map((given) =>
      known(() => readExperiment(input({ kind: 'array', ...given, ...stranger }), noFiles)),
    );
    const array = definition('input').allOf.find((each) => each.if.properties.kind?.const === 'array')?.then;
    expect([...new Set((await Promise.all(arrays)).flat())].sort()).toEqual(keysOf(array));
  });

  test('of a file', async () => {
    const odd = experiment({ initial: { potential: { file: 'a', array: 'b', ...stranger } } });
    expect(await known(() => readExperiment(odd, noFiles))).toEqual(keysOf(definition('file')));
  });

  test.each(somas.map((soma) => [soma.name, soma] as const))(
    'of parameters, biophysics and states of %s',
    async (name, soma) => {
      const { biophysics, ...own } = definition(`parameters of ${name}`).properties;
      expect(await known(() => resolveParameters(soma.parameters, stranger, scope('parameters')))).toEqual(
        Object.keys(own).sort(),
      );
      expect(await known(() => withBiophysics(soma, stranger, {}, 'parameters'))).toEqual(keysOf(biophysics));
      const states = await known(() => resolveStates(soma.states, stranger, {}, scope('initial')));
      expect(keysOf(definition(`states of ${name}`))).toEqual(states);
      const recorded = definition(`record of ${name}`).properties;
      for (const of of ['states', 'statistics']) expect(keysOf(recorded[of])).toEqual(states);
    },
  );

  test('of somas, which the reader knows by name', async () => {
    const { anyOf } = definition('population').properties.soma as unknown as { anyOf: [{ enum: string[] }] };
    expect(await known(() => readExperiment(experiment({ soma: '?' }), noFiles))).toEqual([...anyOf[0].enum].sort());
  });

  test('of every initializer', async () => {
    const draw = (given: object) => distribution(given as Initializer, 'x', [2, 2]);
    const { allOf, properties } = definition('initializer');
    expect(await known(() => draw({ initializer: '?' }))).toEqual(
      [...(properties.initializer as { enum: string[] }).enum].sort(),
    );
    for (const { if: condition, then } of allOf) {
      const initializer = condition.properties.initializer?.const as string;
      expect([...(await known(() => draw({ initializer, ...stranger }))), 'initializer'].sort()).toEqual(keysOf(then));
    }
  });

  test('of every input', async () => {
    const resolve = (given: object) => resolveInputs([given as Input], scope('input'));
    const { allOf, properties } = definition('input');
    expect(await known(() => resolve({ kind: '?' }))).toEqual([...(properties.kind as { enum: string[] }).enum].sort());
    for (const { if: condition, then } of allOf) {
      const kind = condition.properties.kind?.const as string;
      if (kind === 'array') continue;
      expect([...(await known(() => resolve({ kind, ...stranger }))), 'kind'].sort()).toEqual(keysOf(then));
    }
  });
});
