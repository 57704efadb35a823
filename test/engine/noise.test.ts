// Random currents on both paths: Random123's numbers, the right distribution, independent where they should be, the same
// where they should be. A soma of resistance 1 GOhm whose tau is dt shows them: its potential is the current of the step.

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { ExponentialSoma, type Input, InputError, type Soma, uniform } from '../../src/index.ts';
import { hashName, philox } from '../../src/random.ts';
import { backends, type OpenOptions, type TestBackend } from '../support/backends.ts';
import { runLaw } from '../support/compiled.ts';
import { addCells, expectSameBits } from '../support/outcome.ts';
import { correlation, evenness, normalTail } from '../support/statistics.ts';
import { CHANCE, NOISE } from '../support/tolerances.ts';

const soma = ExponentialSoma as unknown as Soma;
const mirror = {
  potential_rest: 0,
  potential_reset: 0,
  resistance: 1,
  threshold: 1e9,
  rheobase_threshold: 1e6,
  spike_slope: 1,
};

interface Shown {
  input: readonly Input[];
  neurons?: number;
  steps?: number;
  dt?: number;
  name?: string;
  options?: OpenOptions;
}

/** The currents of all steps, `[steps, neurons]`. */
async function show(
  { open }: TestBackend,
  { input, neurons = 100, steps = 50, dt = 1, name = 'cells', options = {} }: Shown,
) {
  const simulation = await open({ seed: 3, ...options, dt });
  const parameters = { ...mirror, potential_tau: dt };
  const record = { states: { potential: {} } };
  const cells = addCells(simulation, soma, { name, units: neurons, parameters, input, record });
  await simulation.run(steps * dt);
  return (await cells.trace('potential')).values;
}

const white = (more: object = {}): Input => ({ kind: 'white_noise', sd: 1, ...more });

test('philox4x32-10 in WGSL gives what it gives in TypeScript, which are the known answers of Random123', () => {
  const random = readFileSync(new URL('../../shaders/random.wgsl', import.meta.url), 'utf8');
  const keys = [0, 0xffffffff, 0xa4093822];
  const counters = [0, 0xffffffff, 0x243f6a88, 1, 77];
  for (const key of keys) {
    for (const word of ['a', 'b', 'c', 'd'] as const) {
      const half = (expression: string) => `${random}
struct Probe { x: lane }
fn probe(p: Probe, n: u32) -> lane {
  let x = bitcast<bits>(p.x);
  let w = philox(Words(x, x * n, x + bits(n), bits(n)), n * 3u, ${key}u);
  return lane(${expression});
}`;
      const columns = [new Float32Array(Uint32Array.from(counters).buffer)];
      const n = 0x9e3779b9;
      const low = runLaw({ text: half(`w.${word} & bits(0xffffu)`), members: ['x'] }, columns, n);
      const high = runLaw({ text: half(`w.${word} >> bits(16u)`), members: ['x'] }, columns, n);
      const wanted = counters.map((x) => {
        const counter = [x, Math.imul(x, n) >>> 0, (x + n) >>> 0, n];
        return philox(counter, [Math.imul(n, 3) >>> 0, key], new Uint32Array(4))['abcd'.indexOf(word)];
      });
      expect([...low].map((value, i) => ((high[i] as number) * 65536 + value) >>> 0)).toEqual(wanted);
    }
  }
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
    // Tails: a draw beyond 4.5 sd has a probability of 6.8e-6.
    const far = values.filter((value) => Math.abs(value) > 4.5).length;
    expect(far).toBeGreaterThan(0);
    expect(far).toBeLessThan(25);
  });

  test('is what philox and Box-Muller give for seed, population, neuron, step and input', async () => {
    const input: Input[] = [{ kind: 'constant', amplitude: 0 }, white({ mean: 2 })];
    const values = await show(backend, { input, neurons: 5, steps: 4 });
    const drawn = Array.from(values, (_, i) => {
      const counter = [i % 5, Math.floor(i / 5), 1, 4];
      const [a = 0, b = 0] = philox(counter, [3, hashName('cells')], new Uint32Array(4));
      return 2 + Math.sqrt(-2 * Math.log((a + 0.5) / 2 ** 32)) * Math.cos(2 * Math.PI * (b / 2 ** 32 - 0.5));
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
    const whole = await show(backend, shown);
    for (const tuning of [{ blockSteps: 1 }, { blockSteps: 7, chunk: 24 }, { maxBinding: 2 ** 14 }])
      expectSameBits(await show(backend, { ...shown, options: { tuning } }), whole, 'the current');
    for (const workers of [0, 1, 3])
      expectSameBits(await show(backend, { ...shown, options: { workers } }), whole, 'the current');
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
