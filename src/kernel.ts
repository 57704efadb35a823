// Joins WGSL: the soma, its inputs, the loop and the generated loaders of one structure. Only the structure goes into
// the text (which soma, which inputs, which parameters are arrays), never a value, so that no new value compiles. Pure.

import { block, random, simulate, trace } from './generated/shaders.ts';
import type { Row } from './rows.ts';
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
  /** Neurons a thread: 4, or 1 as a baseline to measure against. */
  width: 1 | 4;
}

/** A value the kernel loads: a parameter of the soma, or one of the i-th input. */
export interface Field {
  /** `spike_slope`, or `input0_amplitude`; the member's name in the struct Scalars. */
  key: string;
  row: Row;
}

/** The fields of a soma with inputs, in the order of the uniform buffer and of the planes. */
export function fieldsOf(soma: Soma, inputs: readonly InputLaw[]): Field[] {
  return [
    ...Object.entries(soma.parameters as Record<string, Row>).map(([key, row]) => ({ key, row })),
    ...inputs.flatMap((law, i) =>
      Object.entries(law.parameters).map(([name, row]) => ({ key: inputKey(i, name), row })),
    ),
  ];
}

export const inputKey = (index: number, name: string): string => `input${index}_${name}`;

/** What each holds stands in shaders/*.wgsl, with its number. */
export type BindingName = keyof typeof SIMULATE | keyof typeof TRACE | keyof typeof COMMON;

const COMMON = { block: 0, scalars: 1, planes: 2, states: 3, stream: 6 };
const SIMULATE = { words: 4, counts: 5 };
const TRACE = { traced: 4, samples: 5, sampling: 7 };

export interface Kernel {
  text: string;
  entry: 'simulate' | 'trace';
  /** The numbers of what it binds: that and no more. */
  bindings: Readonly<Partial<Record<BindingName, number>>>;
}

/** The kernel that makes the steps. */
export function simulateKernel(structure: Structure): Kernel {
  const states = Object.values(structure.soma.states as Record<string, Row>);
  const store = [
    'fn store_state(i: u32, stride: u32, s: State) {',
    ...states.map((row, plane) => `states[${plane}u * stride + i] = s.${row.path};`),
    '}',
  ];
  return {
    text: joined(structure, simulate, ...store),
    entry: 'simulate',
    bindings: { ...commonBindings(structure), ...SIMULATE },
  };
}

/** The kernel that samples one state of chosen lanes and changes nothing. */
export function traceKernel(structure: Structure, state: string): Kernel {
  const row = (structure.soma.states as Record<string, Row>)[state];
  return {
    text: joined(structure, trace, `fn observe(s: State) -> lane { return s.${row?.path}; }`),
    entry: 'trace',
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
  const laws = [...new Set(inputs)].map((law) => law.wgsl);
  if (inputs.some((law) => law.random)) laws.unshift(random);
  return [
    aliases,
    soma.wgsl,
    ...laws,
    block,
    scalars(structure),
    loaders(structure),
    currents(structure),
    ...loop,
  ].join('\n');
}

function scalars({ soma, inputs, arrays }: Structure): string {
  const members = fieldsOf(soma, inputs)
    .filter(({ key }) => !arrays.has(key))
    .map(({ key, row }) => `${key}: ${row.edge ? 'u32' : 'f32'},`);
  // WGSL has no empty structs; all parameters may be arrays.
  return `struct Scalars { ${members.join(' ') || 'none: f32,'} }`;
}

function loaders({ soma, inputs, arrays, width }: Structure): string {
  const planes = fieldsOf(soma, inputs).filter(({ key }) => arrays.has(key));
  const load = ({ key, row }: Field) => {
    const plane = planes.findIndex((field) => field.key === key);
    if (plane >= 0) return `planes[${plane}u * stride + i]`;
    return row.edge ? `scalars.${key}` : `lane(scalars.${key})`;
  };
  const states = Object.values(soma.states as Record<string, Row>);
  const members = inputs.map((law, index) => `input${index}: ${law.struct},`);
  return [
    'fn load_parameters(i: u32, stride: u32) -> Parameters {',
    'var p: Parameters;',
    ...fieldsOf(soma, []).map((field) => `p.${field.row.path} = ${load(field)};`),
    'return p; }',
    `struct Inputs { neuron: bits, ${members.join(' ')} }`,
    'fn load_inputs(i: u32, stride: u32) -> Inputs {',
    'var p: Inputs;',
    `p.neuron = ${width === 4 ? 'vec4u(block.neuron + 4u * i) + vec4u(0u, 1u, 2u, 3u)' : 'block.neuron + i'};`,
    ...inputs.flatMap((law, index) =>
      Object.entries(law.parameters).map(
        ([name, row]) => `p.input${index}.${row.path} = ${load({ key: inputKey(index, name), row })};`,
      ),
    ),
    'return p; }',
    'fn load_state(i: u32, stride: u32) -> State {',
    'var s: State;',
    ...states.map((row, plane) => `s.${row.path} = states[${plane}u * stride + i];`),
    'return s; }',
  ].join('\n');
}

// The current of step n, the k-th of its block: the inputs in the user's order, then what the host streams in.
function currents({ inputs, stream }: Structure): string {
  const terms = inputs.map((law, index) => `${law.kind}(p.input${index}, n${law.random ? ', p.neuron' : ''})`);
  if (stream === 'shared') terms.push('lane(stream[k])');
  if (stream === 'each') terms.push('stream[k * stride + i]');
  const element = stream === 'shared' ? 'f32' : 'lane';
  return [
    stream === 'none' ? '' : `@group(0) @binding(${COMMON.stream}) var<storage, read> stream: array<${element}>;`,
    'fn current(p: Inputs, n: u32, k: u32, i: u32, stride: u32) -> lane {',
    `return ${terms.join(' + ') || 'lane()'}; }`,
  ].join('\n');
}
