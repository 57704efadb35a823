// Joins WGSL: the soma, its inputs, the loop and the generated loaders of one structure. Only the structure goes into
// the text (which soma, which inputs, which parameters are arrays), never a value, so that no new value compiles. Pure.

import { type Field, fieldsOf, statesOf } from './fields.ts';
import { block, philox, simulate, statistics, statisticsRows, trace } from './generated/shaders.ts';
import type { Row, Table } from './rows.ts';
import type { InputLaw, Soma } from './somas.ts';

/** What the host streams in: nothing, one current a step, or one a step and neuron. */
export type StreamKind = 'none' | 'shared' | 'each';

/** What a kernel's text depends on. */
export interface Structure {
  soma: Soma;
  inputs: readonly InputLaw[];
  /** Keys of the fields that have one value a neuron. */
  arrays: ReadonlySet<string>;
  stream: StreamKind;
  /** States whose statistics are kept, and those among them that are gathered now. */
  statistics: readonly string[];
  gathered: readonly string[];
  /** Neurons a thread: 4, or 1 as a baseline to measure against. */
  width: 1 | 4;
}

/** What each holds stands in shaders/*.wgsl, with its number. */
export type BindingName = keyof typeof SIMULATE | keyof typeof TRACE | keyof typeof COMMON;

const COMMON = { block: 0, scalars: 1, planes: 2, states: 3, stream: 6 };
const SIMULATE = { words: 4, counts: 5 };
const TRACE = { traced: 4, samples: 5, sampling: 7 };

export interface Kernel {
  text: string;
  entry: 'simulate' | 'trace';
  explain: Soma['explain'];
  /** The numbers of what it binds: that and no more. */
  bindings: Readonly<Partial<Record<BindingName, number>>>;
}

/** The population's numbers of the neurons in a lane. */
const numbers = (width: 1 | 4): string =>
  width === 4 ? 'vec4u(block.neuron + 4u * i) + vec4u(0u, 1u, 2u, 3u)' : 'block.neuron + i';

/** The kernel that makes the steps. */
export function simulateKernel(structure: Structure): Kernel {
  const { soma, inputs } = structure;
  const states = statesOf(soma, inputs);
  const store = [
    'fn store_states(i: u32, stride: u32, s: State, r: Running) -> bool {',
    ...states.map(({ place }, plane) => `states[${plane}u * stride + i] = ${place};`),
    // Padding runs along with currents and noise of nobody's, and may come to anything.
    `return any((${states.map(({ place }) => `beyond(${place})`).join(' | ')}) & (${numbers(structure.width)} < bits(block.end))); }`,
  ];
  return {
    text: joined(structure, simulate, ...store, ...gatherings(structure)),
    entry: 'simulate',
    explain: soma.explain,
    bindings: { ...commonBindings(structure), ...SIMULATE },
  };
}

/** The kernel that samples one state of chosen lanes and changes nothing. */
export function traceKernel(structure: Structure, state: string): Kernel {
  const row = (structure.soma.states as Record<string, Row>)[state];
  return {
    text: joined(structure, trace, `fn observe(s: State) -> lane { return s.${row?.path}; }`),
    entry: 'trace',
    explain: structure.soma.explain,
    bindings: { ...commonBindings(structure), ...TRACE },
  };
}

// A layout that WebGPU derives has what the text uses: no uniform where all parameters are arrays, no planes where none is.
function commonBindings({ soma, inputs, arrays, stream }: Structure): Kernel['bindings'] {
  const { block, scalars, planes, states } = COMMON;
  return {
    block,
    states,
    ...(fieldsOf(soma, inputs).length > arrays.size ? { scalars } : {}),
    ...(arrays.size > 0 ? { planes } : {}),
    ...(stream === 'none' ? {} : { stream: COMMON.stream }),
  };
}

function joined(structure: Structure, ...loop: string[]): string {
  const { soma, inputs, width } = structure;
  const aliases =
    width === 4
      ? 'alias lane = vec4f; alias flag = vec4<bool>; alias bits = vec4u;'
      : 'alias lane = f32; alias flag = bool; alias bits = u32;';
  const laws = new Set(inputs.flatMap((law) => [...law.parts, law.wgsl]));
  return [
    aliases,
    soma.wgsl,
    ...laws,
    ...(inputs.some((law) => law.random) ? [philox, drawing(width)] : []),
    block,
    scalars(structure),
    loaders(structure),
    currents(structure),
    ...loop,
  ].join('\n');
}

// The random bits of a lane: one call's words are those of its four neurons, or of the four that its one is among.
const drawing = (width: 1 | 4): string =>
  width === 4
    ? `alias word = u32;
fn bits_of(s: Source, n: u32, neuron: bits) -> bits {
let w = draw(s, n, neuron.x >> 2u);
return select(bits(w.a), bits(w.a, w.b, w.c, w.d), s.own == 1u); }`
    : `alias word = u32;
fn bits_of(s: Source, n: u32, neuron: bits) -> bits {
let w = draw(s, n, neuron >> 2u);
return array(w.a, w.b, w.c, w.d)[(neuron & 3u) * s.own]; }`;

function scalars({ soma, inputs, arrays }: Structure): string {
  const members = fieldsOf(soma, inputs)
    .filter(({ key }) => !arrays.has(key))
    .map(({ key, row }) => `${key}: ${row.edge ? 'u32' : 'f32'},`);
  // WGSL has no empty structs; all parameters may be arrays.
  return `struct Scalars { ${members.join(' ') || 'none: f32,'} }`;
}

// The statistics of some states: loaded and stored once, gathered after each step, merged after each word of 32.
function gatherings({ soma, inputs, statistics: kept, gathered }: Structure): string[] {
  const rows = Object.keys(statisticsRows);
  const before = statesOf(soma, inputs).length;
  const planeOf = (state: string, row: number) => before + rows.length * kept.indexOf(state) + row;
  const valueIn = (state: string) => {
    const { path, from = '' } = (soma.states as Table)[state] as Row;
    return `s.${path}${from && ` + p.${(soma.parameters as Table)[from]?.path}`}`;
  };
  const each = (line: (state: string) => string) => gathered.map(line);
  const places = gathered.flatMap((state) =>
    rows.map((name, row) => [`kept.${state}.${name}`, `states[${planeOf(state, row)}u * stride + i]`] as const),
  );
  // WGSL has no empty structs.
  const struct = (name: string, type: string) =>
    `struct ${name} { ${each((state) => `${state}: ${type},`).join(' ') || 'none: u32,'} }`;
  return [
    ...(gathered.length > 0 ? [statistics] : []),
    struct('Kept', 'Statistics'),
    struct('Gathering', 'Gathered'),
    'fn load_statistics(i: u32, stride: u32) -> Kept {',
    'var kept: Kept;',
    ...places.map(([place, plane]) => `${place} = ${plane};`),
    'return kept; }',
    'fn store_statistics(i: u32, stride: u32, kept: Kept) {',
    ...places.map(([place, plane]) => `${plane} = ${place};`),
    '}',
    'fn gathering_of(kept: Kept, s: State, p: Parameters) -> Gathering {',
    'var g: Gathering;',
    ...each((state) => `g.${state} = gathering(kept.${state}, ${valueIn(state)});`),
    'return g; }',
    'fn gather_states(g: ptr<function, Gathering>, s: State, p: Parameters) {',
    ...each((state) => `(*g).${state} = gather((*g).${state}, ${valueIn(state)});`),
    '}',
    'fn merged_with(before: Kept, g: Gathering, steps: f32) -> Kept {',
    'var kept = before;',
    ...each((state) => `kept.${state} = merged(before.${state}, g.${state}, steps);`),
    'return kept; }',
  ];
}

function loaders({ soma, inputs, arrays, width }: Structure): string {
  const planes = fieldsOf(soma, inputs).filter(({ key }) => arrays.has(key));
  const load = ({ key, row }: Field) => {
    const plane = planes.findIndex((field) => field.key === key);
    if (plane >= 0) return `planes[${plane}u * stride + i]`;
    return row.edge ? `scalars.${key}` : `lane(scalars.${key})`;
  };
  const [own, ofInputs] = [fieldsOf(soma, []), fieldsOf(soma, inputs)];
  const members = inputs.map((law, i) => `input${i}: ${law.struct},`);
  const running = inputs.flatMap((law, i) => [
    law.random ? `drawn${i}: bits,` : '',
    Object.keys(law.states).length > 0 ? `state${i}: ${law.struct}State,` : '',
  ]);
  return [
    'fn load_parameters(i: u32, stride: u32) -> Parameters {',
    'var p: Parameters;',
    ...own.map((field) => `${field.place} = ${load(field)};`),
    'return p; }',
    `struct Inputs { neuron: bits, ${members.join(' ')} }`,
    'fn load_inputs(i: u32, stride: u32) -> Inputs {',
    'var p: Inputs;',
    `p.neuron = ${numbers(width)};`,
    ...ofInputs.slice(own.length).map((field) => `${field.place} = ${load(field)};`),
    'return p; }',
    // WGSL has no empty structs.
    `struct Running { ${running.join(' ').trim() || 'none: u32,'} }`,
    'fn load_states(i: u32, stride: u32, running: ptr<function, Running>) -> State {',
    'var s: State;',
    'var r: Running;',
    ...statesOf(soma, inputs).map(({ place }, plane) => `${place} = states[${plane}u * stride + i];`),
    '*running = r;',
    'return s; }',
  ].join('\n');
}

// The current of step n, the k-th of its block: the inputs in the user's order, then what the host streams in. Random bits
// serve two steps; a block may begin with the second of them.
function currents({ inputs, stream }: Structure): string {
  const draws: string[] = [];
  const loads: string[] = [];
  const stores: string[] = [];
  const terms = inputs.map((law, i) => {
    const remembers = Object.keys(law.states).length > 0;
    if (law.random) draws.push(`(*r).drawn${i} = bits_of(p.input${i}.source, n, p.neuron);`);
    if (remembers) loads.push(`var state${i} = (*r).state${i};`);
    if (remembers) stores.push(`(*r).state${i} = state${i};`);
    const [state, drawn] = [remembers ? `, &state${i}` : '', law.random ? `, (*r).drawn${i}` : ''];
    return `${law.kind}(p.input${i}${state}, n${drawn})`;
  });
  if (stream === 'shared') terms.push('lane(stream[k])');
  if (stream === 'each') terms.push('stream[k * stride + i]');
  const element = stream === 'shared' ? 'f32' : 'lane';
  return [
    stream === 'none' ? '' : `@group(0) @binding(${COMMON.stream}) var<storage, read> stream: array<${element}>;`,
    'fn current(p: Inputs, r: ptr<function, Running>, n: u32, k: u32, i: u32, stride: u32) -> lane {',
    draws.length > 0 ? `if ((n & 1u) == 0u || k == 0u) { ${draws.join(' ')} }` : '',
    ...loads,
    `let sum = ${terms.join(' + ') || 'lane()'};`,
    ...stores,
    'return sum; }',
  ].join('\n');
}
