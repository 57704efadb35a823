// The shaders and what is generated from them: the specification's defaults and units, the configs' inheritance, the
// papers, and layouts and bindings as an independent reader (wgsl_reflect) sees them.

import { readFileSync } from 'node:fs';
import { describe, expect, expectTypeOf, test } from 'vitest';
import { WgslReflect } from 'wgsl_reflect/wgsl_reflect.module.js';
import { generate } from '../../build/generate.ts';
import { fieldsOf } from '../../src/fields.ts';
import { inputLaws } from '../../src/generated/shaders.ts';
import { type Kernel, type Structure, simulateKernel, traceKernel } from '../../src/kernel.ts';
import { parameterMeanings, stateMeanings } from '../../src/meanings.ts';
import {
  AdaptiveExponentialSoma,
  type AdaptiveExponentialSomaConfig,
  ExponentialSoma,
  type ExponentialSomaConfig,
  RefractoryAdaptiveExponentialSoma,
  type RefractoryAdaptiveExponentialSomaConfig,
  RefractoryExponentialSoma,
  type RefractoryExponentialSomaConfig,
  type Row,
  SimplifiedAdaptiveExponentialSoma,
  type SimplifiedAdaptiveExponentialSomaConfig,
  type Soma,
  somas,
} from '../../src/somas.ts';
import { readSource, readTable } from '../../src/wgsl.ts';

const readShader = (name: string): string =>
  readFileSync(new URL(`../../shaders/${name}.wgsl`, import.meta.url), 'utf8');

type Facts = Record<string, Omit<Row, 'path'>>;

// The specification, written out, and the soma that is ours: defaults and units, and what is refused.
const membrane: Facts = {
  potential_rest: { default: -70, unit: 'mV' },
  potential_reset: { default: -51, unit: 'mV' },
  potential_tau: { default: 5, unit: 'ms', above: 0, leastDt: true },
  resistance: { default: 0.5, unit: 'GOhm' },
  threshold: { default: -30, unit: 'mV' },
  rheobase_threshold: { default: -50, unit: 'mV' },
  spike_slope: { default: 2, unit: 'mV', above: 0, most: 1000 },
};
const refractory: Facts = { ...membrane, cooldown: { default: 2, unit: 'ms', least: 0, inSteps: true } };

const potential: Facts = { potential: { default: 'potential_rest', unit: 'mV', from: 'potential_rest' } };
const cooling: Facts = { ...potential, blocked: { default: 1, unit: 'steps', least: 0, whole: true } };

const adaptive: Facts = {
  ...membrane,
  adaptation_tau: { default: 100, unit: 'ms', above: 0, leastDt: true },
  adaptation_delta: { default: 7, unit: 'pA' },
  adaptation_subthreshold: { default: 0.5, unit: 'nS' },
};
const adapting: Facts = { ...potential, adaptation: { default: 0, unit: 'pA' } };

const specification: { soma: Soma; parameters: Facts; states: Facts }[] = [
  { soma: ExponentialSoma as Soma, parameters: membrane, states: potential },
  { soma: RefractoryExponentialSoma as Soma, parameters: refractory, states: cooling },
  {
    soma: AdaptiveExponentialSoma as Soma,
    parameters: adaptive,
    states: adapting,
  },
  {
    soma: RefractoryAdaptiveExponentialSoma as Soma,
    parameters: { ...adaptive, cooldown: refractory.cooldown as Facts[string] },
    states: { ...adapting, blocked: { default: 0, unit: 'steps', least: 0, whole: true } },
  },
  {
    soma: SimplifiedAdaptiveExponentialSoma as Soma,
    parameters: {
      ...refractory,
      threshold_tau: { default: 20, unit: 'ms', above: 0 },
      threshold_delta: { default: 100, unit: 'mV' },
    },
    states: { ...cooling, threshold: { default: 'threshold', unit: 'mV', from: 'potential_rest' } },
  },
];

const factsOf = (table: Record<string, Row>): Facts =>
  Object.fromEntries(Object.entries(table).map(([name, { path: _, ...facts }]) => [name, facts]));

describe('the tables', () => {
  test('are of the four somas of the specification, and of an AdEx with a refractory period', () => {
    expect(new Set(somas)).toEqual(new Set(specification.map(({ soma }) => soma)));
    expect(somas).toHaveLength(5);
  });

  test.each(specification.map((entry) => [entry.soma.name, entry] as const))(
    "of %s have the specification's names in its order, defaults, units and ranges",
    (_, { soma, parameters, states }) => {
      expect(factsOf(soma.parameters)).toEqual(parameters);
      expect(Object.keys(soma.parameters)).toEqual(Object.keys(parameters));
      expect(factsOf(soma.states)).toEqual(states);
      expect(Object.keys(soma.states)).toEqual(Object.keys(states));
    },
  );

  test.each(somas.map((soma) => [soma.name, soma] as const))('of %s keep no two rows at one place', (_, soma) => {
    for (const table of [soma.parameters, soma.states]) {
      const paths = Object.values<Row>(table).map(({ path }) => path);
      expect(new Set(paths).size).toBe(paths.length);
    }
  });

  test.each(somas.map((soma) => [soma.name, soma] as const))(
    'of %s have for every row the meaning that its shader gives it',
    (_, { name, parameters, states }) => {
      const files = ['parts/adaptation', 'parts/membrane', 'parts/refractory', `somas/${name}`].map(readShader);
      const structs = new Map(files.flatMap((text) => [...readSource(text).structs]));
      for (const [struct, table, meanings] of [
        ['Parameters', parameters, parameterMeanings],
        ['State', states, stateMeanings],
      ] as const) {
        const rows = Object.entries(readTable(structs, struct));
        expect(rows.map(([row]) => row)).toEqual(Object.keys(table));
        expect(rows.map(([row]) => meanings[row])).toEqual(rows.map(([, { meaning }]) => meaning));
        for (const [, { meaning }] of rows) expect(meaning).toMatch(/\w+ \w+/);
      }
    },
  );

  test('of the inputs want an amplitude, and edges from 0 to the end where they have edges', () => {
    const amplitude = { unit: 'pA' };
    expect(factsOf(inputLaws.constant.parameters)).toEqual({ amplitude });
    expect(factsOf(inputLaws.step.parameters)).toEqual({
      amplitude,
      start: { default: 0, unit: 'ms', edge: true },
      stop: { default: 'end', unit: 'ms', edge: true },
    });
  });
});

describe('the generated configs', () => {
  const text = generate();

  test('extend one another as in the specification', () => {
    const found = [...text.matchAll(/export interface (\w+)Config(?: extends (\w+)Config)? \{/g)];
    expect(Object.fromEntries(found.map(([, name, base]) => [name, base]))).toEqual({
      ExponentialSoma: undefined,
      RefractoryExponentialSoma: 'ExponentialSoma',
      AdaptiveExponentialSoma: 'ExponentialSoma',
      RefractoryAdaptiveExponentialSoma: 'AdaptiveExponentialSoma',
      SimplifiedAdaptiveExponentialSoma: 'RefractoryExponentialSoma',
    });
  });

  test('repeat no field of the config they extend', () => {
    const configs = [...text.matchAll(/export interface (\w+)Config(?: extends (\w+)Config)? \{\n([^}]*)\}/g)];
    const own = new Map(configs.map(([, name, , body]) => [name, body?.match(/^ {2}\w+(?=\?: Value;$)/gm) ?? []]));
    for (const [, name = '', base] of configs) {
      const parameters = Object.keys(somas.find((soma) => soma.name === name)?.parameters ?? {});
      const inherited = Object.keys(somas.find((soma) => soma.name === base)?.parameters ?? {});
      const fields = (own.get(name) ?? []).map((field) => field.trim());
      expect(fields.sort(), name).toEqual(parameters.filter((parameter) => !inherited.includes(parameter)).sort());
    }
  });

  test('take the names of the tables and, at compile time, no other', () => {
    expectTypeOf<keyof ExponentialSomaConfig>().toExtend<keyof AdaptiveExponentialSomaConfig>();
    expectTypeOf<keyof RefractoryExponentialSomaConfig>().toExtend<keyof SimplifiedAdaptiveExponentialSomaConfig>();
    expectTypeOf<keyof AdaptiveExponentialSomaConfig>().toExtend<keyof RefractoryAdaptiveExponentialSomaConfig>();
    const right: AdaptiveExponentialSomaConfig = { spike_slope: 2, adaptation_tau: [1, 2] };
    // @ts-expect-error: the name is misspelled
    const wrong: AdaptiveExponentialSomaConfig = { spike_slop: 2 };
    expect(right).not.toEqual(wrong);
  });

  test('are the same whenever they are generated', () => {
    expect(generate()).toBe(text);
  });
});

const PAPERS = {
  onset: 'jneurosci.org/content/23/37/11628',
  adaptive: 'doi.org/10.1152/jn.00686.2005',
  book: 'neuronaldynamics.epfl.ch/online/Ch5.S2.html',
};

describe('the papers', () => {
  test.each([
    ['ExponentialSoma', [PAPERS.onset, PAPERS.book]],
    ['RefractoryExponentialSoma', [PAPERS.onset, PAPERS.book]],
    ['RefractoryAdaptiveExponentialSoma', [PAPERS.adaptive, PAPERS.book]],
    ['AdaptiveExponentialSoma', [PAPERS.adaptive, PAPERS.book]],
    ['SimplifiedAdaptiveExponentialSoma', [PAPERS.adaptive, PAPERS.book]],
  ])('of %s stand at the head of its shader and in its documentation', (name, papers) => {
    const shader = readShader(`somas/${name}`);
    const head = shader.slice(0, shader.indexOf('\nstruct'));
    const [documentation = ''] =
      generate().match(new RegExp(`/\\*\\*(?:(?!\\*/)[^])*\\*/\\nexport const ${name}:`)) ?? [];
    expect(head.split('\n').every((line) => line.startsWith('//'))).toBe(true);
    for (const paper of papers) {
      expect(head).toContain(paper);
      expect(documentation).toContain(paper);
    }
  });
});

const { constant, step } = inputLaws;
const simplified = SimplifiedAdaptiveExponentialSoma as Soma;
const everything = (soma: Soma, inputs: Structure['inputs']) =>
  fieldsOf(soma, inputs).flatMap(({ key, row }) => (row.edge ? [] : [key]));

const structures: [string, Omit<Structure, 'width'>][] = [
  ...somas.map((soma): [string, Omit<Structure, 'width'>] => [
    `${soma.name} alone`,
    { soma, inputs: [], arrays: new Set(), stream: 'none', statistics: [], gathered: [] },
  ]),
  [
    'some arrays',
    {
      soma: simplified,
      inputs: [],
      arrays: new Set(['spike_slope', 'cooldown']),
      stream: 'none',
      statistics: [],
      gathered: [],
    },
  ],
  [
    'all arrays',
    {
      soma: simplified,
      inputs: [],
      arrays: new Set(everything(simplified, [])),
      stream: 'none',
      statistics: [],
      gathered: [],
    },
  ],
  [
    'inputs',
    {
      soma: simplified,
      inputs: [step, constant, step],
      arrays: new Set(),
      stream: 'none',
      statistics: [],
      gathered: [],
    },
  ],
  [
    'arrays of inputs',
    {
      soma: simplified,
      inputs: [constant, step],
      arrays: new Set(['input1_amplitude']),
      stream: 'none',
      statistics: [],
      gathered: [],
    },
  ],
  [
    'all arrays but the edges of inputs',
    {
      soma: simplified,
      inputs: [step],
      arrays: new Set(everything(simplified, [step])),
      stream: 'none',
      statistics: [],
      gathered: [],
    },
  ],
  [
    'a shared stream',
    { soma: simplified, inputs: [constant], arrays: new Set(), stream: 'shared', statistics: [], gathered: [] },
  ],
  [
    'a stream for each',
    { soma: simplified, inputs: [], arrays: new Set(['resistance']), stream: 'each', statistics: [], gathered: [] },
  ],
  [
    'all of it',
    {
      soma: simplified,
      inputs: [step, step],
      arrays: new Set(['threshold', 'input0_amplitude']),
      stream: 'each',
      statistics: [],
      gathered: [],
    },
  ],
];
const cases = structures.flatMap(([name, structure]) =>
  ([1, 4] as const).map((width) => [`${name}, width ${width}`, { ...structure, width }] as const),
);

/** As wgsl_reflect sees a text; `block` is a keyword to it, which in WGSL it is not. */
const reflect = (text: string) => new WgslReflect(text.replace(/\bblock\b/g, 'block_'));

const kernelsOf = (structure: Structure): Kernel[] => [
  simulateKernel(structure),
  ...Object.keys(structure.soma.states).map((state) => traceKernel(structure, state)),
];

/** Types without a size: wgsl_reflect lets unknown ones pass so. */
function unknownTypes(text: string): string[] {
  const { structs, entry } = reflect(text);
  return [
    ...structs.flatMap(({ name, members }) =>
      members.map((member) => ({ name: `${name}.${member.name}`, size: member.isArray ? member.stride : member.size })),
    ),
    ...entry.compute.flatMap(({ resources }) =>
      resources.map(({ name, isArray, stride, size }) => ({ name, size: isArray ? stride : size })),
    ),
  ].flatMap(({ name, size }) => (size > 0 ? [] : [name]));
}

const UNIFORMS = ['block', 'scalars', 'sampling'];

/** What a kernel uses, by wgsl_reflect: name, number and kind of each binding. */
function bindingsOf({ text, entry }: Kernel) {
  const [compute, ...more] = reflect(text).entry.compute;
  expect(more).toEqual([]);
  expect(compute?.name).toBe(entry);
  expect(compute?.workgroupSize).toEqual([64, 1, 1]);
  const used = compute?.resources ?? [];
  expect(used.every(({ group }) => group === 0)).toBe(true);
  return used.map(({ name, binding, resourceType }) => [name.replace('_', ''), binding, resourceType === 0] as const);
}

describe('by an independent reader of WGSL', () => {
  test.each(cases)('kernels bind what they use and no more: %s', (_, structure) => {
    for (const kernel of kernelsOf(structure)) {
      const declared = Object.entries(kernel.bindings).map(([name, binding]) => [
        name,
        binding,
        UNIFORMS.includes(name),
      ]);
      const byNumber = (a: readonly unknown[], b: readonly unknown[]) => Number(a[1]) - Number(b[1]);
      expect([...bindingsOf(kernel)].sort(byNumber)).toEqual(declared.sort(byNumber));
    }
  });

  test.each(cases)('struct Scalars has four bytes for each scalar field, in their order: %s', (_, structure) => {
    const fields = fieldsOf(structure.soma, structure.inputs).filter(({ key }) => !structure.arrays.has(key));
    const expected = fields.map(({ key, row }, i) => [key, row.edge ? 'u32' : 'f32', 4 * i, 4]);
    for (const { text, bindings } of kernelsOf(structure)) {
      const members = reflect(text).getStructInfo('Scalars')?.members ?? [];
      const found = members.map(({ name, type, offset, size }) => [name, type.name, offset, size]);
      expect(found).toEqual(expected.length > 0 ? expected : [['none', 'f32', 0, 4]]);
      expect('scalars' in bindings).toBe(expected.length > 0);
    }
  });

  test.each(cases)('struct Block has 32 bytes, Sampling 8, arrays the stride of a lane: %s', (_, structure) => {
    const lane = 4 * structure.width;
    for (const { text, entry } of kernelsOf(structure)) {
      const seen = reflect(text);
      expect(seen.getStructInfo('Block')?.size).toBe(32);
      expect(seen.getStructInfo('Block')?.members.map(({ name, offset }) => [name, offset])).toEqual([
        ['first', 0],
        ['steps', 4],
        ['stride', 8],
        ['dt', 12],
        ['neuron', 16],
        ['mark', 20],
        ['start', 24],
        ['end', 28],
      ]);
      if (entry === 'trace') expect(seen.getStructInfo('Sampling')?.size).toBe(8);
      for (const { name, isArray, stride } of seen.entry.compute[0]?.resources ?? []) {
        const narrow = name === 'traced' || (name === 'stream' && structure.stream === 'shared');
        if (isArray) expect([name, stride]).toEqual([name, narrow ? 4 : lane]);
      }
    }
  });

  test.each(cases)('no type is unknown: %s', (_, structure) => {
    for (const { text } of kernelsOf(structure)) expect(unknownTypes(text)).toEqual([]);
  });

  test('a type that is unknown would be seen', () => {
    const { text } = simulateKernel({ ...(structures[0] as (typeof structures)[0])[1], width: 4 });
    expect(unknownTypes(text.replace('struct Block{first:u32', 'struct Block{first:u33'))).toContain('Block.first');
    expect(unknownTypes(text.replace('array<bits>', 'array<bit>'))).toEqual(['counts']);
  });

  test('tracing writes samples and nothing else, simulating reads no more than the states it writes', () => {
    for (const [, structure] of cases) {
      for (const kernel of kernelsOf(structure)) {
        const used = reflect(kernel.text).entry.compute[0]?.resources ?? [];
        const written = used.flatMap(({ name, access }) => (access.includes('write') ? [name] : []));
        expect(written.sort()).toEqual(kernel.entry === 'trace' ? ['samples'] : ['counts', 'states', 'words']);
      }
    }
  });
});

describe('the text of a kernel', () => {
  const structure = (soma: Soma): Structure => ({
    soma,
    inputs: [step],
    arrays: new Set(),
    stream: 'none',
    statistics: [],
    gathered: [],
    width: 4,
  });

  test('is the same for the same structure, and another for another soma, width, stream or set of arrays', () => {
    const base = structure(simplified);
    const { text } = simulateKernel(base);
    expect(simulateKernel({ ...base, arrays: new Set() }).text).toBe(text);
    const others: Structure[] = [
      structure(ExponentialSoma as Soma),
      { ...base, width: 1 },
      { ...base, stream: 'shared', statistics: [], gathered: [] },
      { ...base, stream: 'each', statistics: [], gathered: [] },
      { ...base, arrays: new Set(['threshold']) },
      { ...base, inputs: [step, step] },
    ];
    expect(new Set([text, ...others.map((other) => simulateKernel(other).text)]).size).toBe(others.length + 1);
  });

  test('holds the law of an input once, however often it is used', () => {
    const { text } = simulateKernel({ ...structure(simplified), inputs: [step, constant, step] });
    expect(text.match(/fn step\(/g)).toHaveLength(1);
    expect(text.match(/step\(p\.input[02], n\)/g)).toHaveLength(2);
  });
});
