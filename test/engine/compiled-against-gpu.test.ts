// Random laws of the subset on the GPU: its compiler takes every text, so all of them are WGSL, and what it computes is
// what WebAssembly computes, bit for bit. Compared is what WGSL leaves no choice in: laws without division and sqrt, and
// results on whose way every sum and product is exact, so that fusing, regrouping and flushing change nothing. (The GPU's
// compiler does regroup: -(n - b) + a.) That roundings are right is compile.test.ts's affair.

import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { Usage } from '../../src/device.ts';
import { openDevice } from '../support/backends.ts';
import { type Law, runLaw } from '../support/compiled.ts';
import { laws, type RandomLaw } from '../support/laws.ts';

const LAWS = 150;
const NEURONS = 64;
const STEP = 7;

const law = (text: string, members: readonly string[] = ['a', 'b', 'c']): Law => ({
  text: `struct Probe { ${members.map((name) => `${name}: lane`).join(', ')} }\n${text}`,
  members,
});

/** Eighths up to 32, so that sums and products stay exact for a while. */
const columns = [0, 1, 2].map((column) =>
  Float32Array.from({ length: NEURONS }, (_, i) => ((Math.imul(3 * i + column + 1, 0x9e3779b1) >>> 23) - 256) / 8),
);

/** The laws' results on the GPU. */
async function onGpu(device: GPUDevice, { text, members }: Law): Promise<Float32Array> {
  const code = `
    alias lane = vec4f;
    alias flag = vec4<bool>;
    alias bits = vec4u;
    ${text}
    @group(0) @binding(0) var<storage, read> inputs: array<lane>;
    @group(0) @binding(1) var<storage, read_write> results: array<lane>;
    @group(0) @binding(2) var<uniform> step: vec4u;
    @compute @workgroup_size(${NEURONS / 4})
    fn main(@builtin(global_invocation_id) id: vec3u) {
      let p = Probe(${members.map((_, i) => `inputs[id.x + ${(i * NEURONS) / 4}u]`).join(', ')});
      results[id.x] = probe(p, step.x);
    }`;
  const module = device.createShaderModule({ code });
  const complaints = (await module.getCompilationInfo()).messages.filter(({ type }) => type === 'error');
  expect(complaints.map(({ lineNum, message }) => `${lineNum}: ${message}\n${text}`)).toEqual([]);
  const pipeline = device.createComputePipeline({ layout: 'auto', compute: { module } });
  const bytes = 4 * NEURONS;
  const make = (size: number, usage: number) => device.createBuffer({ size, usage });
  const inputs = make(bytes * members.length, Usage.STORAGE | Usage.COPY_DST);
  const results = make(bytes, Usage.STORAGE | Usage.COPY_SRC);
  const step = make(16, Usage.UNIFORM | Usage.COPY_DST);
  const staging = make(bytes, Usage.MAP_READ | Usage.COPY_DST);
  for (const i of members.keys()) device.queue.writeBuffer(inputs, i * bytes, columns[i] as Float32Array<ArrayBuffer>);
  device.queue.writeBuffer(step, 0, Uint32Array.of(STEP, 0, 0, 0));
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  const entries = [inputs, results, step].map((buffer, binding) => ({ binding, resource: { buffer } }));
  pass.setBindGroup(0, device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }));
  pass.dispatchWorkgroups(1);
  pass.end();
  encoder.copyBufferToBuffer(results, 0, staging, 0, bytes);
  device.queue.submit([encoder.finish()]);
  await staging.mapAsync(1 /* READ */);
  return new Float32Array(staging.getMappedRange().slice(0));
}

/** What the laws give on the GPU, compiled here, and where there is one by the direct evaluation, for each neuron. */
function compare(law: Law & Partial<RandomLaw>, gpu: Float32Array) {
  const compiled = runLaw(law, columns, STEP);
  const wanted = Array.from(compiled, (value, i) =>
    law.expected
      ? law.expected(
          columns.map((column) => column[i] as number),
          STEP,
        )
      : value,
  );
  const counted = wanted.map((value) => value !== undefined);
  // A zero has no sign that WGSL vouches for.
  const chosen = (values: Float32Array) => Array.from(values, (value) => value + 0).filter((_, i) => counted[i]);
  return { gpu: chosen(gpu), compiled: chosen(compiled), count: counted.filter(Boolean).length };
}

test(`${LAWS} random laws are WGSL to the GPU's compiler, and give the same bits there`, async () => {
  const device = await openDevice();
  let count = 0;
  const different = new Set<number>();
  for (const one of fc.sample(laws({ portable: true }), { seed: 1, numRuns: LAWS })) {
    const result = compare(one, await onGpu(device, one));
    expect(result.gpu, one.text).toEqual(result.compiled);
    count += result.count;
    for (const value of result.gpu) different.add(value);
  }
  // That something was compared: most results, and not the same number all the time.
  expect(count).toBeGreaterThan(0.8 * LAWS * NEURONS);
  expect(different.size).toBeGreaterThan(1000);
});

const UP = 'fn up(x: ptr<function, lane>) -> lane { *x += 1.0; return *x * 8.0; }';
test.each([
  'var x = p.a; return x + up(&x);',
  'var x = p.a; return up(&x) - x;',
  'var x = p.a; return -x + up(&x);',
  'var x = p.a; return min(x, up(&x)) + x;',
  'var x = p.a; return select(x, up(&x), x > p.b);',
  'var x = p.a; return select(up(&x), x, x > p.b);',
  'var x = p.a; x += up(&x); return x;',
  'var x = p.a; x -= up(&x) * x; return x;',
  'var k = 0u; if (n == 1u && up_to(&k) || up_to(&k)) { k += 10u; } return lane(f32(k)) + p.a;',
  'const third = 1.0 / 3.0; return p.a * (third * 3.0) + lane(-0 + 7 / 2);',
  'var k: u32 = 0; for (var i: u32 = 0; i < 4; i++) { var j: u32 = 0; j += i; k += j; } return p.a * f32(k);',
  'let y = select(p.b, lane(-0.0), flag(true)); return p.a + y;',
])('%s means the same to the GPU', async (body) => {
  const own = `${UP} fn up_to(k: ptr<function, u32>) -> bool { *k += 1u; return true; }`;
  // WGSL has no && beside || without parentheses.
  const text = body.replace('n == 1u && up_to(&k) ||', '(n == 1u && up_to(&k)) ||');
  const one = law(`${own}\nfn probe(p: Probe, n: u32) -> lane { ${text} }`);
  const result = compare(one, await onGpu(await openDevice(), one));
  expect(result.gpu).toEqual(result.compiled);
  expect(result.count).toBe(NEURONS);
});

/** WGSL grants a division 2.5 ulp (section 15.7.4.1) where the divisor is of moderate size; a ulp is 2^-23 at most. */
const DIVISION = 2.5 * 2 ** -23;

test('a division is as near as WGSL wants it', async () => {
  const one = law('fn probe(p: Probe, n: u32) -> lane { return p.a / (abs(p.b) + 3.0); }');
  const gpu = await onGpu(await openDevice(), one);
  const compiled = runLaw(one, columns, STEP);
  for (const [i, value] of compiled.entries()) {
    expect(Math.abs((gpu[i] as number) - value), `neuron ${i}`).toBeLessThanOrEqual(DIVISION * Math.abs(value));
  }
});

test('a law that means something else gives something else', async () => {
  const device = await openDevice();
  const [plus, minus] = ['+', '-'].map((op) => law(`fn probe(p: Probe, n: u32) -> lane { return p.a ${op} p.b; }`));
  const gpu = await onGpu(device, plus as Law);
  expect(compare(plus as Law, gpu).gpu).toEqual(compare(plus as Law, gpu).compiled);
  expect(compare(minus as Law, gpu).gpu).not.toEqual(compare(minus as Law, gpu).compiled);
});
