// Functions of the WGSL subset, compiled as the CPU path compiles them and run over arrays.

import { readdirSync, readFileSync } from 'node:fs';
import { compileInput } from '../../src/compiler/input.ts';
import { CHUNK, Frame, INPUTS, type InputCode, PLANE, STRIDE } from '../../src/frame.ts';
import { type Input, type ResolvedInput, resolveInputs } from '../../src/inputs.ts';

const MATH = new URL('../../shaders/math/', import.meta.url);

/** The functions WebAssembly has not. */
export const mathFiles = readdirSync(MATH).map((name) => ({
  file: `shaders/math/${name}`,
  text: readFileSync(new URL(name, MATH), 'utf8'),
}));

export interface Law {
  /** Declarations of the subset, among them `struct Probe` and `fn probe(p: Probe, n: u32) -> lane`. */
  text: string;
  /** The members of Probe, all of them lanes, in order. */
  members: readonly string[];
}

/** The law's result for each element of its columns, one a member; all columns have the same length. */
export function runLaw({ text, members }: Law, columns: readonly Float32Array[], n = 0): Float32Array {
  const files = [{ file: 'probe.wgsl', text }];
  const bytes = compileInput({
    math: mathFiles,
    files,
    kind: 'probe',
    struct: 'Probe',
    parameters: members,
    states: [],
  });
  const memory = new WebAssembly.Memory({ initial: Math.ceil(((INPUTS + members.length + 1) * PLANE) / 65536) });
  const module = new WebAssembly.Module(bytes as Uint8Array<ArrayBuffer>);
  const { add } = new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as InputCode;
  const plane = (index: number) => new Float32Array(memory.buffer, index * PLANE, CHUNK);
  const { length } = columns[0] as Float32Array;
  const result = new Float32Array(length);
  for (let from = 0; from < length; from += CHUNK) {
    const count = Math.min(CHUNK, length - from);
    for (const [i, column] of columns.entries()) plane(INPUTS + i).set(column.subarray(from, from + count));
    plane(Frame.current).fill(-0);
    add(4 * Math.ceil(count / STRIDE) * STRIDE, INPUTS * PLANE, n);
    result.set(plane(Frame.current).subarray(0, count), from);
  }
  return result;
}

/** A function of one number, such as `exp`, for each of these. */
export const evaluate = (name: string, x: Float32Array): Float32Array =>
  runLaw(
    {
      text: `struct Probe { x: lane, } fn probe(p: Probe, n: u32) -> lane { return ${name}(p.x); }`,
      members: ['x'],
    },
    [x],
  );

/** An input as the CPU path computes it, for one neuron: its current in a step, and what it is computed from, by name. */
export interface LinkedInput {
  at(n: number): number;
  numbers: Readonly<Record<string, Float32Array | Uint32Array>>;
}

/** Links an input; random bits, which it has for all steps, are 0 if nobody sets them. */
export async function linkInput(input: Input, dt: number): Promise<LinkedInput> {
  const scope = { path: 'cells.input', owner: '', population: 'cells', neurons: 1, dt, seed: 0 };
  const [{ law, values }] = resolveInputs([input], scope).laws as [ResolvedInput];
  const rows = [...Object.entries(law.parameters), ...Object.entries(law.states)].filter(([, row]) => !row.onHost);
  const memory = new WebAssembly.Memory({ initial: Math.ceil(((INPUTS + rows.length + 2) * PLANE) / 65536) });
  const module = new WebAssembly.Module(Uint8Array.from(Buffer.from(await law.wasm(), 'hex')));
  const { add } = new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as InputCode;
  const plane = (Numbers: typeof Float32Array | typeof Uint32Array, index: number) =>
    new Numbers(memory.buffer, index * PLANE, STRIDE);
  const numbers = Object.fromEntries(
    rows.map(([name, row], i) => [name, plane(row.edge ? Uint32Array : Float32Array, INPUTS + i)]),
  );
  for (const [name, value] of Object.entries(values)) numbers[name]?.fill(value as number);
  const current = plane(Float32Array, Frame.current);
  const at = (n: number) => {
    current.fill(-0);
    add(4 * STRIDE, INPUTS * PLANE, n);
    return current[0] as number;
  };
  return { at, numbers };
}
