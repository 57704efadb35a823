// Array inputs that a function gives block by block: what they do is what the whole array does, and nobody has to have it.

import { describe, expect, test } from 'vitest';
import {
  DisposedError,
  ExponentialSoma,
  type Input,
  InputError,
  type Population,
  Simulation,
} from '../../src/index.ts';
import { backends, openDevice } from '../support/backends.ts';
import { mirror, show } from '../support/mirror.ts';
import { addCells, expectSameBits } from '../support/outcome.ts';

const STEPS = 150;
const each = (neurons: number) => Float32Array.from({ length: STEPS * neurons }, (_, i) => (i * 7919) % 101);

/** The values of some steps, and which were asked for. */
function reading(values: Float32Array, width: number) {
  const asked: [number, number][] = [];
  const read = async (first: number, steps: number) => {
    asked.push([first, steps]);
    return values.subarray(first * width, (first + steps) * width);
  };
  return { asked, read };
}

describe.each(backends)('on $name', (backend) => {
  test.each([1, 3, 2049])(
    'an input read by a function is the array it reads, for %d neurons, each step asked for once',
    async (neurons) => {
      const values = each(neurons);
      const { asked, read } = reading(values, neurons);
      const shape = [STEPS, neurons];
      const shown = { neurons, steps: STEPS, options: { tuning: { blockSteps: 32 } } };
      const whole = await show(backend, { ...shown, input: [{ kind: 'array', values, shape }] });
      const parts = await show(backend, { ...shown, input: [{ kind: 'array', shape, read }] });
      expectSameBits(parts, whole, 'the current');
      expect(asked).toEqual([0, 32, 64, 96, 128].map((first) => [first, Math.min(32, STEPS - first)]));
    },
  );

  test('shared ones are read as well, and all that is given adds up', async () => {
    const [one, two] = [each(1), each(2)];
    const input = (first: object, second: object): Input[] => [
      { kind: 'array', shape: [STEPS], ...first } as unknown as Input,
      { kind: 'constant', amplitude: 5 },
      { kind: 'array', shape: [STEPS, 2], ...second } as unknown as Input,
    ];
    const shown = { neurons: 2, steps: STEPS };
    const whole = await show(backend, { ...shown, input: input({ values: one }, { values: two }) });
    const read = input({ read: reading(one, 1).read }, { read: reading(two, 2).read });
    expectSameBits(await show(backend, { ...shown, input: read }), whole, 'the current');
  });

  test('what the function throws ends the run at a whole step, and what it gives wrongly is refused', async () => {
    const attempt = async (read: unknown, shape: unknown = [STEPS]) => {
      const simulation = await backend.open({ dt: 1, tuning: { blockSteps: 32 } });
      const input = [{ kind: 'array', shape, read } as Input];
      const cells = addCells(simulation, ExponentialSoma, {
        name: 'cells',
        units: 2,
        parameters: mirror,
        input,
      });
      return { simulation, cells, run: () => simulation.run(STEPS) };
    };
    const failing = await attempt((first: number, steps: number) => {
      if (first > 0) throw new Error('the disk is gone');
      return new Float32Array(steps);
    });
    await expect(failing.run()).rejects.toThrow('the disk is gone');
    expect(failing.simulation.steps).toBe(32);
    await failing.cells.readState('potential');
    const short = await attempt(() => new Float32Array(5));
    await expect(short.run()).rejects.toThrow('cells.input[0].read(0, 32): gave 5 values where 32 are wanted');
    const broken = await attempt((_: number, steps: number) => new Float32Array(steps).fill(Number.NaN));
    await expect(broken.run()).rejects.toThrow('cells.input[0].read(0, 32)[0]: is not finite');
    await expect(attempt('file.npy')).rejects.toThrow('cells.input[0].read: is no function');
    await expect(attempt(() => [], undefined)).resolves.toBeDefined();
    await expect(attempt(() => [], [STEPS, 3])).rejects.toThrow(
      'has shape [150, 3] for 2 neurons; give shape [steps] or',
    );
    await expect(attempt(() => [], 5)).rejects.toBeInstanceOf(InputError);
    for (const shape of [5, 'x', {}, true]) {
      const input = [{ kind: 'array', values: [1, 2], shape }] as unknown as Input[];
      const { simulation } = failing;
      expect(() => addCells(simulation, ExponentialSoma, { units: 2, input })).toThrow('is no shape');
    }
    const long = await attempt(() => [], [STEPS - 1]);
    await expect(long.run()).rejects.toThrow('has currents for 149 steps of the 150 to run');
  });

  test('neither an abort nor dispose waits for the function; the next run asks for the same steps again', async () => {
    const simulation = await backend.open({ dt: 1, tuning: { blockSteps: 32 } });
    const asked: number[] = [];
    let silent = true;
    const stop = new AbortController();
    const read = (first: number, steps: number): Promise<Float32Array> => {
      asked.push(first);
      if (silent && first > 0) setTimeout(() => stop.abort(new Error('enough')), 20);
      return silent && first > 0 ? new Promise(() => {}) : Promise.resolve(new Float32Array(steps).fill(first + 1));
    };
    const record = { states: { potential: {} } };
    const given = { units: 1, parameters: { ...mirror, potential_tau: 1 }, record };
    const input: Input[] = [{ kind: 'array', shape: [STEPS], read }];
    const cells = addCells(simulation, ExponentialSoma, { ...given, input });
    const running = simulation.run(STEPS, { signal: stop.signal });
    await expect(running).rejects.toThrow('enough');
    expect([simulation.steps, asked]).toEqual([32, [0, 32]]);
    silent = false;
    await simulation.run(64 - 32);
    expect(asked).toEqual([0, 32, 32]);
    expect(Array.from((await cells.trace('potential')).values)).toEqual([...Array(32).fill(1), ...Array(32).fill(33)]);
    silent = true;
    for (const wait of [() => simulation.step(), () => simulation.run(1)]) {
      const waiting = wait();
      setTimeout(() => simulation.dispose(), 20);
      await expect(waiting).rejects.toBeInstanceOf(DisposedError);
    }
  });

  test('a population added later has its input from the step on at which it was added, and all of it after a reset', async () => {
    const simulation = await backend.open({ dt: 1 });
    addCells(simulation, ExponentialSoma, { units: 1 });
    await simulation.run(100);
    const { asked, read } = reading(each(1), 1);
    const input: Input[] = [{ kind: 'array', shape: [STEPS], read }];
    addCells(simulation, ExponentialSoma, { units: 1, parameters: mirror, input });
    await simulation.run(20);
    await simulation.step();
    await simulation.run(29);
    await expect(simulation.run(1)).rejects.toThrow('has currents for 150 steps of the 151 to run');
    simulation.reset();
    await simulation.run(5);
    expect(asked).toEqual([100, 120, 121, 0].map((first, i) => [first, [20, 1, 29, 5][i]]));
  });

  test('values of a shape that is none, or not theirs, are refused', async () => {
    const given = (more: object) =>
      show(backend, { neurons: 1, steps: 2, input: [{ kind: 'array', ...more } as unknown as Input] });
    for (const shape of [2, '2', null])
      await expect(given({ values: [1, 2], shape })).rejects.toThrow('cells.input[0].shape: is no shape');
    await expect(given({ values: [[1], [2]], shape: [2, 7] })).rejects.toThrow('has shape [2, 7] (2 values)');
    await expect(given({ values: [[1], 2] })).rejects.toThrow('values[1]: has no values for 1 neurons');
    for (const shape of [undefined, [2], [2, 1]])
      await expect(given({ values: [1, 2], shape })).resolves.toEqual(Float32Array.of(1, 2));
  });

  test('a saved simulation goes on with the function given again', async () => {
    const values = each(1);
    const input: Input[] = [{ kind: 'array', shape: [STEPS], read: reading(values, 1).read }];
    const simulation = await backend.open({ dt: 1 });
    const record = { states: { potential: {} } };
    const cells = addCells(simulation, ExponentialSoma, {
      name: 'cells',
      units: 1,
      parameters: { ...mirror, potential_tau: 1 },
      input,
      record,
    });
    await simulation.run(50);
    const saved = await simulation.save();
    await simulation.run(100);
    const { asked, read } = reading(values, 1);
    const device = backend.name === 'webgpu' ? await openDevice() : undefined;
    await using restored = await Simulation.restore(saved, {
      backend: backend.name,
      device,
      sources: { 'cells.input[0]': read },
    });
    await restored.run(100);
    const again = (await (restored.populations[0] as Population).trace('potential')).values;
    expectSameBits(again, (await cells.trace('potential')).values.subarray(50), 'the potential');
    expect(asked[0]?.[0]).toBe(50);
  });
});
