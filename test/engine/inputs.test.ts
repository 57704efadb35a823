// Currents with a course in time, on both paths, beside what their formulas give in float64.

import { describe, expect, test } from 'vitest';
import { ExponentialSoma, type Input, type Population } from '../../src/index.ts';
import { pack, unpack } from '../../src/packed.ts';
import { backends, restored } from '../support/backends.ts';
import { linkInput } from '../support/compiled.ts';
import { mirror, show } from '../support/mirror.ts';
import { addCells, expectSameBits } from '../support/outcome.ts';
import { WAVE } from '../support/tolerances.ts';

/** Steps from the first that begins at or after a moment, as docs/experiment.md has it. */
const stepOf = (ms: number, dt: number) => Math.ceil(ms / dt - 1e-6);

describe.each(backends)('on $name', (backend) => {
  const course = (input: Input, steps: number, dt = 0.1) => show(backend, { input: [input], neurons: 1, steps, dt });

  test('a ramp is off before its start, grows evenly, and holds what it has reached', async () => {
    const values = await course({ kind: 'ramp', from: 1, to: 5, start: 1, stop: 3 }, 50);
    for (const [n, value] of values.entries()) {
      const wanted = n < 10 ? 0 : n >= 30 ? 5 : 1 + (4 * (n - 10)) / 20;
      expect(Math.abs(value - wanted), `step ${n}`).toBeLessThan(1e-6);
    }
    expect(values[30]).toBe(5);
  });

  test('a ramp may fall, begin at 0 by default, differ from neuron to neuron, and be as steep as a step', async () => {
    const each = await show(backend, {
      input: [{ kind: 'ramp', from: [1, 0], to: [-1, 8], stop: 0.4 }],
      neurons: 2,
      steps: 6,
      dt: 0.1,
    });
    expect([...each].filter((_, i) => i % 2 === 0)).toEqual([1, 0.5, 0, -0.5, -1, -1]);
    expect([...each].filter((_, i) => i % 2 === 1)).toEqual([0, 2, 4, 6, 8, 8]);
    expect([...(await course({ kind: 'ramp', to: 3, start: 0.2, stop: 0.2 }, 4))]).toEqual([0, 0, 3, 3]);
  });

  test.each([
    [{ frequency: 40, phase: 0, offset: 0 }, 3000],
    [{ frequency: 333.3, phase: 1, offset: 2 }, 3000],
    [{ frequency: 0, phase: Math.PI / 2, offset: -1 }, 10],
    [{ frequency: -12.5, phase: -7, offset: 0 }, 1000],
    [{ frequency: 123456, phase: 0.5, offset: 0 }, 1000],
  ])('a sine of %j is offset + amplitude sin(2 pi f t + phase)', async (given, steps) => {
    const values = await course({ kind: 'sine', amplitude: 1, ...given }, steps);
    const { frequency, phase, offset } = given;
    for (const [n, value] of values.entries()) {
      const turns = (frequency * n * 0.1) / 1000;
      const wanted = offset + Math.sin(2 * Math.PI * (turns - Math.round(turns)) + phase);
      expect(Math.abs(value - wanted), `step ${n}`).toBeLessThan(WAVE * (1 + Math.abs(offset)));
    }
  });

  test("a sine's amplitude and offset may differ from neuron to neuron", async () => {
    const input: Input[] = [{ kind: 'sine', amplitude: [1, 0, -1], offset: [0, 4, 0], frequency: 250 }];
    const values = await show(backend, { input, neurons: 3, steps: 5, dt: 1 });
    const wanted = [0, 1, 0, -1, 0].flatMap((wave) => [wave, 4, -wave]);
    for (const [i, value] of values.entries()) expect(Math.abs(value - (wanted[i] as number))).toBeLessThan(WAVE);
  });

  test.each([
    { width: 1, period: 2 },
    { width: 0.3, period: 0.7, start: 0.5 },
    { width: 0.2, period: 1 / 3, start: 0.5, stop: 30 },
    { width: 5, period: 1000 / 30, start: 3.14 },
    { width: 0.05, period: 0.25 },
    { width: 2, period: 2, stop: 10 },
    { width: 0.7, period: 1.1, start: 1e-8 },
  ])('pulses of %j are on from step ceil(begin / dt - 1e-6) to that of their end', async (given) => {
    const dt = 0.1;
    const { width, period, start = 0, stop = Infinity } = given;
    const values = await course({ kind: 'pulses', amplitude: 3, ...given }, 2000);
    const wanted = new Array(2000).fill(0);
    for (let begin = start, j = 1; begin < 200; begin = start + j++ * period) {
      for (let n = stepOf(begin, dt); n < Math.min(stepOf(begin + width, dt), stepOf(stop, dt), 2000); n++)
        wanted[n] = 3;
    }
    expect([...values]).toEqual(wanted);
  });

  test('pulses of a period of many thousand steps are on time', async () => {
    const values = await course({ kind: 'pulses', amplitude: 1, width: 0.5, period: 1000 }, 10_010);
    const on = [...values.keys()].filter((n) => values[n] === 1);
    expect(on).toEqual([0, 1, 2, 3, 4, 10_000, 10_001, 10_002, 10_003, 10_004]);
  });

  test('all courses are right also in the last steps there are', async () => {
    const [dt, first, count] = [0.1, 2 ** 32 - 65, 64];
    const input: Input[] = [
      { kind: 'pulses', amplitude: 1, width: 0.3, period: 0.7, start: 0.5 },
      { kind: 'sine', amplitude: 1, frequency: 33.3, phase: 1 },
      { kind: 'ramp', to: 1, start: (first + 8) * dt, stop: (first + 40) * dt },
    ];
    const found = await Promise.all(
      input.map(async (one) => {
        const simulation = await backend.open({ dt });
        addCells(simulation, ExponentialSoma, {
          units: 1,
          parameters: { ...mirror, potential_tau: dt },
          input: [one],
          record: { states: { potential: {} } },
        });
        const saved = unpack(await simulation.save()) as object;
        const late = await restored(backend, pack({ ...saved, steps: first }));
        await late.run(count * dt);
        return (await (late.populations[0] as Population).trace('potential')).values;
      }),
    );
    for (const [i, one] of input.entries()) {
      const { at } = await linkInput(one, dt);
      for (let k = 0; k < count; k++) {
        expect(Math.abs((found[i]?.[k] as number) - at(first + k)), `${one.kind}, step ${k}`).toBeLessThan(WAVE);
      }
    }
  });

  test('inputs of all kinds add up, the same in blocks of any size', async () => {
    const input: Input[] = [
      { kind: 'ramp', to: 5, stop: 4 },
      { kind: 'white_noise', sd: 1 },
      { kind: 'sine', amplitude: 2, frequency: 100 },
      { kind: 'ornstein_uhlenbeck', sd: [1, 2, 3], tau: 5 },
      { kind: 'poisson_shot_noise', rate: 1000, weight: [1, 2, 3], tau: 2 },
      { kind: 'pulses', amplitude: 1, width: 1, period: 3 },
      { kind: 'array', values: Float32Array.from({ length: 41 }, (_, n) => n) },
    ];
    const shown = { neurons: 3, steps: 41, dt: 0.1 };
    const whole = await show(backend, { ...shown, input });
    const parts = await Promise.all(
      input.map((one, i) => {
        // Noise depends on its place in the list.
        const before = Array.from({ length: i }, (): Input => ({ kind: 'constant', amplitude: 0 }));
        return show(backend, { ...shown, input: [...before, one] });
      }),
    );
    for (const [i, value] of whole.entries()) {
      const sum = parts.reduce((sum, part) => sum + (part[i] as number), 0);
      expect(Math.abs(value - sum), `value ${i}`).toBeLessThan(1e-4);
    }
    for (const tuning of [{ blockSteps: 1 }, { blockSteps: 7 }, { blockSteps: 33, chunk: 8 }])
      expectSameBits(await show(backend, { ...shown, input, options: { tuning } }), whole, 'the sum');
  });

  test('what they cannot do is refused, with the place and what would be right', async () => {
    const refused = (input: object) => expect(course(input as Input, 1)).rejects;
    await refused({ kind: 'ramp', to: 1 }).toThrow('cells.input[0].stop: is missing; give one, in ms');
    await refused({ kind: 'ramp', to: 1, start: 2, stop: 1 }).toThrow('cells.input[0].stop: is before start');
    await refused({ kind: 'ramp', to: 1, start: -2, stop: 1 }).toThrow(
      'cells.input[0].start: has no step, got -2; give ms from 0 to 429496729.6, and as from and to what the current is then',
    );
    await refused({ kind: 'ramp', to: 1, stop: 1e9 }).toThrow('cells.input[0].stop: has no step, got 1000000000');
    await refused({ kind: 'step', amplitude: 1, start: null }).toThrow('start: is no moment in time, got null');
    await refused({ kind: 'white_noise', sd: 1, mean: null }).toThrow('mean: not a value, got null');
    await refused({ kind: 'sine', amplitude: 1 }).toThrow('cells.input[0].frequency: is missing; give one, in Hz');
    await refused({ kind: 'sine', amplitude: 1, frequency: [1] }).toThrow('is the same for all neurons');
    await refused({ kind: 'sine', amplitude: 1, frequency: Number.NaN }).toThrow('is not finite');
    await refused({ kind: 'pulses', amplitude: 1, width: 3, period: 2 }).toThrow(
      'width: is longer than the period of 2 ms',
    );
    await refused({ kind: 'pulses', amplitude: 1, width: 0, period: 2 }).toThrow('width: must be greater than 0');
    await refused({ kind: 'pulses', amplitude: 1, width: 1, period: 2, turn: 5 }).toThrow('unknown key "turn"');
    await refused({ kind: 'poisson_shot_noise', rate: 60000, weight: 1, tau: 1 }).toThrow(
      'cells.input[0].rate: comes to 6 events in a step of 0.1 ms; allowed: up to 5, 50000 Hz',
    );
    await refused({ kind: 'poisson_shot_noise', rate: -1, weight: 1, tau: 1 }).toThrow('rate: must be at least 0');
    await refused({ kind: 'ornstein_uhlenbeck', sd: -1, tau: 1 }).toThrow('sd: must be at least 0');
    await refused({ kind: 'ornstein_uhlenbeck', sd: 1, tau: 0 }).toThrow('tau: must be greater than 0');
    await expect(course({ kind: 'poisson_shot_noise', rate: 50000, weight: 1, tau: 1 }, 1)).resolves.toHaveLength(1);
    await expect(course({ kind: 'pulses', amplitude: 1, width: 2, period: 2 }, 1)).resolves.toHaveLength(1);
    await expect(course({ kind: 'ramp', to: 1, start: 0, stop: 4e8 }, 1)).resolves.toHaveLength(1);
    await expect(course({ kind: 'step', amplitude: 1, start: -2 }, 1)).resolves.toHaveLength(1);
  });
});
