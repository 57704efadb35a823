// Random currents on both paths: Random123's numbers, the right distribution, independent where they should be, the same
// where they should be.

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { compileDraw } from '../../src/compiler/input.ts';
import { Usage } from '../../src/device.ts';
import { CHUNK, type DrawCode, PLANE } from '../../src/frame.ts';
import { type Input, InputError, uniform } from '../../src/index.ts';
import { hashName, philox } from '../../src/random.ts';
import { backends, openDevice } from '../support/backends.ts';
import { mathFiles } from '../support/compiled.ts';
import { expectSameHowever, show } from '../support/mirror.ts';
import { expectSameBits } from '../support/outcome.ts';
import { correlation, evenness, normalTail } from '../support/statistics.ts';
import { CHANCE, NOISE } from '../support/tolerances.ts';

const white = (more: object = {}): Input => ({ kind: 'white_noise', sd: 1, ...more });

const philoxText = ['random', 'philox'].map((name) => {
  const url = new URL(`../../shaders/${name}.wgsl`, import.meta.url);
  return { file: `shaders/${name}.wgsl`, text: readFileSync(url, 'utf8') };
});

/** Random123's known answers (its file kat_vectors): counter, key, words. */
const KNOWN = [
  ['00000000 00000000 00000000 00000000', '00000000 00000000', '6627e8d5 e169c58d bc57ac4c 9b00dbd8'],
  ['ffffffff ffffffff ffffffff ffffffff', 'ffffffff ffffffff', '408f276d 41c83b0e a20bc7c6 6d5451fd'],
  ['243f6a88 85a308d3 13198a2e 03707344', 'a4093822 299f31d0', 'd16cfe09 94fdcceb 5001e420 24126ea1'],
].map((row) => row.map((words) => words.split(' ').map((word) => Number.parseInt(word, 16))) as number[][]);

describe('philox4x32-10 in WGSL', () => {
  test("gives Random123's known answers on the GPU", async () => {
    const device = await openDevice();
    const code = `alias word = u32; alias bits = vec4u; alias lane = vec4f;
${philoxText.map(({ text }) => text).join('\n')}
@group(0) @binding(0) var<storage, read_write> words: array<Words>;
@group(0) @binding(1) var<storage, read> keys: array<vec2u>;
@compute @workgroup_size(1) fn main(@builtin(global_invocation_id) id: vec3u) {
  words[id.x] = philox(words[id.x], keys[id.x].x, keys[id.x].y);
}`;
    const pipeline = device.createComputePipeline({
      layout: 'auto',
      compute: { module: device.createShaderModule({ code }) },
    });
    const filled = (numbers: number[]) => {
      const usage = Usage.STORAGE | Usage.COPY_SRC | Usage.COPY_DST;
      const buffer = device.createBuffer({ size: 4 * numbers.length, usage });
      device.queue.writeBuffer(buffer, 0, Uint32Array.from(numbers));
      return buffer;
    };
    const words = filled(KNOWN.flatMap(([counter = []]) => counter));
    const keys = filled(KNOWN.flatMap(([, key = []]) => key));
    const staging = device.createBuffer({ size: words.size, usage: Usage.MAP_READ | Usage.COPY_DST });
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    const entries = [words, keys].map((buffer, binding) => ({ binding, resource: { buffer } }));
    pass.setBindGroup(0, device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }));
    pass.dispatchWorkgroups(KNOWN.length);
    pass.end();
    encoder.copyBufferToBuffer(words, 0, staging, 0, words.size);
    device.queue.submit([encoder.finish()]);
    await staging.mapAsync(1 /* READ */);
    expect([...new Uint32Array(staging.getMappedRange())]).toEqual(KNOWN.flatMap(([, , answer = []]) => answer));
  });

  /** Compiled as the CPU path compiles it, but with a body of `draw` of the test's own. */
  const compiled = (body: string) => {
    const files = philoxText.map(({ file, text }) => ({ file, text: text.replace(/return philox\(.*\);/, body) }));
    const memory = new WebAssembly.Memory({ initial: Math.ceil((16 * PLANE) / 65536) });
    const module = new WebAssembly.Module(compileDraw(files, mathFiles) as Uint8Array<ArrayBuffer>);
    const { draw } = new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as DrawCode;
    const plane = (index: number, length: number) => new Uint32Array(memory.buffer, index * PLANE, length);
    return { draw, plane };
  };

  test.each(KNOWN)("gives Random123's known answer for %j on the CPU", (counter, key, answer) => {
    const words = counter.map((word) => `word(${word}u)`).join();
    const { draw, plane } = compiled(`return philox(Words(${words}), ${key?.map((word) => `${word}u`).join()});`);
    draw(64, 0, 4 * PLANE, 0, 0);
    expect([...plane(4, 16)]).toEqual(Array.from({ length: 16 }, (_, i) => answer?.[i % 4]));
  });

  test('gives on the CPU what it gives in TypeScript, the words of a call to four neighbours in turn', () => {
    const { draw, plane } = compiled('$&');
    const [seed, stream, input, n, first, neurons] = [3, 0x9e3779b9, 7, 1001, 40, 104] as const;
    for (const [i, value] of [seed, stream, input, 1].entries()) plane(i, CHUNK).fill(value);
    draw(4 * neurons, 0, 4 * PLANE, n, first);
    const wanted = Array.from({ length: neurons }, (_, i) => {
      return philox([(first + i) >> 2, n >> 1, input, 5], [seed, stream], new Uint32Array(4))[i % 4];
    });
    expect([...plane(4, neurons)]).toEqual(wanted);
  });
});

describe.each(backends)('white noise, on $name', (backend) => {
  test('is normal, and independent of its neighbours in space and time, over a million draws', async () => {
    const [neurons, steps] = [10_000, 100];
    const values = await show(backend, { input: [white()], neurons, steps });
    expect(values).toHaveLength(1e6);
    expect(evenness(values.map((value) => normalTail(-value)))).toBeGreaterThan(CHANCE.p);
    expect(Math.abs(correlation(values.subarray(1), values.subarray(0, -1)))).toBeLessThan(CHANCE.z);
    expect(Math.abs(correlation(values.subarray(neurons), values.subarray(0, -neurons)))).toBeLessThan(CHANCE.z);
    const squares = values.map((value) => value * value);
    expect(Math.abs(correlation(squares.subarray(1), squares.subarray(0, -1)))).toBeLessThan(CHANCE.z);
    expect(Math.abs(correlation(squares.subarray(neurons), squares.subarray(0, -neurons)))).toBeLessThan(CHANCE.z);
    // Tails: a draw beyond 4.5 sd has a probability of 6.8e-6.
    const far = values.filter((value) => Math.abs(value) > 4.5).length;
    expect(far).toBeGreaterThan(0);
    expect(far).toBeLessThan(25);
  });

  test('is what philox and Box-Muller give for seed, population, neuron, step and input', async () => {
    const input: Input[] = [{ kind: 'constant', amplitude: 0 }, white({ mean: 2 })];
    const values = await show(backend, { input, neurons: 5, steps: 4 });
    const drawn = Array.from(values, (_, i) => {
      const [neuron, step] = [i % 5, Math.floor(i / 5)];
      const counter = [neuron >> 2, step >> 1, 1, 5];
      const bits = philox(counter, [3, hashName('cells')], new Uint32Array(4))[neuron & 3] as number;
      const radius = Math.sqrt(-2 * Math.log(((bits >>> 14) + 0.5) / 2 ** 18));
      return 2 + radius * Math.cos(2 * Math.PI * (((bits & 0x3fff) + 0.5) / 2 ** 14 - 0.5 + (step % 2) / 4));
    });
    for (const [i, value] of values.entries()) expect(Math.abs(value - (drawn[i] as number))).toBeLessThan(NOISE);
  });

  test('has the mean and sd asked for, neuron by neuron', async () => {
    const input = [{ kind: 'white_noise' as const, mean: [5, -5, 0], sd: [1, 2, 0] }];
    const steps = 2000;
    const values = await show(backend, { input, neurons: 3, steps });
    for (const [neuron, mean, sd] of [
      [0, 5, 1],
      [1, -5, 2],
      [2, 0, 0],
    ] as const) {
      const own = values.filter((_, i) => i % 3 === neuron);
      const average = own.reduce((sum, value) => sum + value, 0) / steps;
      const variance = own.reduce((sum, value) => sum + (value - average) ** 2, 0) / steps;
      expect(Math.abs(average - mean)).toBeLessThanOrEqual((CHANCE.z * sd) / Math.sqrt(steps));
      expect(Math.abs(variance - sd ** 2)).toBeLessThanOrEqual(CHANCE.z * sd ** 2 * Math.sqrt(2 / steps));
    }
  });

  test('of an intensity has the sd intensity / sqrt(dt)', async () => {
    const dense = await show(backend, { input: [{ kind: 'white_noise', intensity: 1 }], dt: 0.25 });
    const plain = await show(backend, { input: [white({ sd: 2 })], dt: 0.25 });
    expectSameBits(dense, plain, 'the current');
  });

  test('is the same in blocks and chunks of any size, and in a population in tiles or slices', async () => {
    const input = [white({ sd: uniform(1, 2) })];
    const shown = { input, neurons: 3001, steps: 40 };
    await expectSameHowever(backend, shown);
    const few = await show(backend, { ...shown, input: [white({ sd: 1 })], neurons: 7 });
    const many = await show(backend, { ...shown, input: [white({ sd: 1 })] });
    const first = many.filter((_, i) => i % 3001 < 7);
    expectSameBits(few, first, 'the current of the first neurons');
  });

  test('differs with the seed, the population and the place among its inputs', async () => {
    const values = await Promise.all([
      show(backend, { input: [white()] }),
      show(backend, { input: [white()], options: { seed: 4 } }),
      show(backend, { input: [white()], name: 'others' }),
      show(backend, { input: [{ kind: 'constant', amplitude: 0 }, white()] }),
    ]);
    for (const [i, a] of values.entries())
      for (const b of values.slice(i + 1)) expect(Math.abs(correlation(a, b))).toBeLessThan(CHANCE.z);
  });

  test('that is shared is frozen: the same in all neurons and in every population that names it', async () => {
    const frozen = await show(backend, { input: [white({ shared: 'frozen' })] });
    for (let i = 0; i < frozen.length; i++) expect(frozen[i]).toBe(frozen[100 * Math.floor(i / 100)]);
    expect(new Set(frozen).size).toBe(50);
    const input: Input[] = [{ kind: 'constant', amplitude: 0 }, white({ shared: 'frozen' })];
    expectSameBits(await show(backend, { input, name: 'others' }), frozen, 'the shared current');
    const other = await show(backend, { input: [white({ shared: 'other' })] });
    expect(other[0]).not.toBe(frozen[0]);
  });

  test('is refused with a negative sd, with both or neither of sd and intensity, and shared by no name', async () => {
    const refused = (more: object) => show(backend, { input: [{ kind: 'white_noise', ...more } as Input] });
    await expect(refused({ sd: -1 })).rejects.toThrow(/cells\.input\[0\]\.sd: must be at least 0, got -1/);
    await expect(refused({ intensity: [-1] })).rejects.toBeInstanceOf(InputError);
    await expect(refused({ sd: 1, intensity: 1 })).rejects.toThrow('says the same as sd');
    await expect(refused({ mean: 1 })).rejects.toThrow('or intensity in pA*sqrt(ms)');
    await expect(refused({ sd: 1, shared: 7 })).rejects.toThrow('cells.input[0].shared: is no name');
    await expect(refused({ sd: 1, seed: 7 })).rejects.toThrow('unknown key "seed"');
    await expect(refused({ sd: 1, shared: 'x' })).resolves.toHaveLength(5000);
  });
});
