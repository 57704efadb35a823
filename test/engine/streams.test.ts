// Recording while a run goes on: streams give what is recorded as it is recorded, a run waits for its readers, and what
// windows, rings and bins hold is cut from the whole.

import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { BLOCKS_IN_FLIGHT } from '../../src/backend.ts';
import { ExperimentRun, readExperiment } from '../../src/experiment.ts';
import {
  AdaptiveExponentialSoma as AdEx,
  type Chunk,
  DisposedError,
  InputError,
  type Rate,
  type Recording,
  type Spikes,
  type Trace,
  uniform,
} from '../../src/index.ts';
import { findAdapter } from '../../src/node.ts';
import { MOST_WAITING } from '../../src/streams.ts';
import { backends, type TestBackend } from '../support/backends.ts';
import { addCells, expectSameBits, variedParameters } from '../support/outcome.ts';

const BLOCK = 8;
const NEURONS = 70;
/** Steps a run can be ahead of a reader: chunks that wait, and blocks on their way when the last of these was made. */
const AHEAD = BLOCK * (MOST_WAITING + BLOCKS_IN_FLIGHT);
const EVERYTHING: Recording = {
  spikes: true,
  states: { potential: { neurons: [3, 69], every: 5 } },
  rate: { bin: 1.3 },
};

async function start({ open }: TestBackend, record: Recording) {
  const simulation = await open({ dt: 0.1, seed: 5, tuning: { blockSteps: BLOCK } });
  const cells = addCells(simulation, AdEx, {
    name: 'cells',
    units: NEURONS,
    parameters: variedParameters(AdEx),
    input: [{ kind: 'constant', amplitude: uniform(80, 250) }],
    record,
  });
  return { simulation, cells };
}

/** All chunks of a stream, as they came. */
async function take<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const chunks: T[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return chunks;
}

type Numbers = Float32Array | Float64Array | Uint32Array;

/** That arrays of chunks, one after the other, are those of a whole recording. */
function expectToJoin(chunks: readonly object[], whole: Spikes | Trace | Rate): void {
  for (const [key, expected] of Object.entries(whole) as [string, Numbers | number][]) {
    if (typeof expected === 'number' || (key === 'neurons' && 'values' in whole)) continue;
    const joined = chunks.flatMap((chunk) => [...((chunk as Record<string, Numbers>)[key] as Numbers)]);
    expect(joined.length, key).toBe(expected.length);
    const place = joined.findIndex((value, i) => !Object.is(value, expected[i]));
    expect(place, key).toBe(-1);
  }
}

/** That chunks follow each other from one step to another. */
function expectToCover(chunks: readonly Chunk<object>[], first: number, end: number): void {
  const ends = chunks.map((chunk) => chunk.end);
  expect(chunks.map((chunk) => chunk.first)).toEqual([first, ...ends.slice(0, -1)]);
  expect(ends.at(-1)).toBe(end);
}

describe.each(backends)('streams, on $name', (backend) => {
  test('give, joined, the recording bit for bit, to each of their readers, block by block', async () => {
    const { simulation, cells } = await start(backend, EVERYTHING);
    const reading = [cells.stream('spikes'), cells.stream('spikes'), cells.stream('potential'), cells.stream('rate')];
    const running = simulation.run(50);
    const [spikes, again, potential, rate] = (await Promise.all(reading.map((stream) => take<object>(stream)))) as [
      Chunk<Spikes>[],
      Chunk<Spikes>[],
      Chunk<Trace>[],
      Chunk<Rate>[],
    ];
    await running;
    const plain = await start(backend, EVERYTHING);
    await plain.simulation.run(50);
    const whole = await plain.cells.spikes();
    expect(whole.steps.length).toBeGreaterThan(NEURONS);
    for (const chunks of [spikes, again]) {
      expect(chunks).toHaveLength(Math.ceil(500 / BLOCK));
      expectToJoin(chunks, whole);
    }
    for (const chunks of [spikes, again, potential, rate]) expectToCover(chunks, 0, 500);
    expect(spikes.some(({ steps }) => steps.length === 0)).toBe(true);
    expectToJoin(potential, await plain.cells.trace('potential'));
    expect(potential.every(({ neurons }) => `${neurons}` === '3,69')).toBe(true);
    expectToJoin(rate, await plain.cells.rate());
    expectToJoin(spikes, await cells.spikes());
    // Arrays are the reader's own.
    for (const { neurons } of spikes) neurons.fill(0);
    expectToJoin(again, await cells.spikes());
  });

  test('slow the run down to their reader: it is never more than a few blocks ahead', async () => {
    const { simulation, cells } = await start(backend, { spikes: { last: 0 } });
    const stream = cells.stream('spikes');
    const running = simulation.run(50);
    let chunks = 0;
    for await (const { end } of stream) {
      await sleep(5);
      expect(simulation.steps - end).toBeLessThanOrEqual(AHEAD);
      chunks++;
    }
    await running;
    expect(chunks).toBe(Math.ceil(500 / BLOCK));
  });

  test('stop the run where nobody reads; it ends when somebody does, and does not stop without a stream', async () => {
    const { simulation, cells } = await start(backend, { spikes: true });
    await simulation.run(50);
    const stream = cells.stream('spikes');
    let over = false;
    const running = simulation.run(50).finally(() => {
      over = true;
    });
    await sleep(100);
    expect(over).toBe(false);
    const reached = simulation.steps - 500;
    expect(reached).toBeGreaterThan(0);
    expect(reached).toBeLessThanOrEqual(AHEAD);
    await sleep(100);
    expect(simulation.steps - 500).toBe(reached);
    expectToCover(await take(stream), 500, 1000);
    await running;
    expect(simulation.steps).toBe(1000);
  });

  test('wait for the slowest of two readers, until it breaks out', async () => {
    const { simulation, cells } = await start(backend, { spikes: true, rate: { bin: 0.1 } });
    const [quick, slow] = [cells.stream('spikes'), cells.stream('rate')];
    const all = take(quick);
    const running = simulation.run(50);
    await slow.next();
    await sleep(100);
    expect(simulation.steps).toBeLessThanOrEqual(BLOCK + AHEAD);
    for await (const { counts } of slow) {
      expect(counts).toHaveLength(BLOCK);
      break;
    }
    await running;
    expectToJoin(await all, await cells.spikes());
    expect(await slow.next()).toEqual({ value: undefined, done: true });
  });

  test('end with the run they began in or before; the next one needs, and gets, a new one', async () => {
    const { simulation, cells } = await start(backend, EVERYTHING);
    const early = cells.stream('potential');
    let late: Promise<Chunk<Spikes>[]> | undefined;
    const onProgress = () => {
      late ??= take(cells.stream('spikes'));
    };
    const [first] = await Promise.all([take(early), simulation.run(20, { onProgress })]);
    const chunks = (await late) ?? [];
    expect(chunks[0]?.first).toBeGreaterThan(0);
    expectToCover(chunks, chunks[0]?.first ?? 0, 200);
    expectToCover(first, 0, 200);
    await simulation.run(10);
    const [next] = await Promise.all([take(cells.stream('rate')), simulation.run(10)]);
    // The bin that began in the run before is among them, whole.
    expectToCover(next, 299, 400);
    expectToJoin(
      next,
      cut(await cells.rate(), ({ step }) => step >= 299),
    );
  });

  test('have the single steps too, which end none and wait for nobody', async () => {
    const { simulation, cells } = await start(backend, { spikes: true });
    const stream = cells.stream('spikes');
    for (let step = 0; step < 20; step++) await simulation.step();
    const [chunks] = await Promise.all([take(stream), simulation.run(5)]);
    expectToCover(chunks, 0, 70);
    expect(chunks.slice(0, 20).every(({ first, end }) => end === first + 1)).toBe(true);
    expectToJoin(chunks, await cells.spikes());
  });

  test('end with an abort, also of a run that waits for a reader; all that was recorded has been given and is readable', async () => {
    const { simulation, cells } = await start(backend, { spikes: true, states: { potential: {} } });
    const stream = cells.stream('spikes');
    const controller = new AbortController();
    const reason = new Error('enough');
    setTimeout(() => controller.abort(reason), 50);
    await expect(simulation.run(50, { signal: controller.signal })).rejects.toBe(reason);
    const { steps } = simulation;
    expect(steps).toBeLessThanOrEqual(AHEAD);
    const chunks = await take(stream);
    expectToCover(chunks, 0, steps);
    expectToJoin(chunks, await cells.spikes());
    expect((await cells.trace('potential')).steps).toHaveLength(steps);
    await simulation.run(5);
    expect(simulation.steps).toBe(steps + 50);
  });

  test('throw what the run failed with, after what came before; so does a run that is refused', async () => {
    const { simulation, cells } = await start(backend, { spikes: true });
    const error = new Error('from the host');
    const onProgress = ({ steps }: { steps: number }) => {
      if (steps >= 80) throw error;
    };
    const seen: Chunk<Spikes>[] = [];
    const read = async (stream: AsyncIterable<Chunk<Spikes>>) => {
      for await (const chunk of stream) seen.push(chunk);
    };
    const reading = read(cells.stream('spikes'));
    await Promise.all([
      expect(reading).rejects.toBe(error),
      expect(simulation.run(50, { onProgress })).rejects.toBe(error),
    ]);
    expectToCover(seen, 0, simulation.steps);
    expectToJoin(seen, await cells.spikes());
    const refused = read(cells.stream('spikes'));
    await Promise.all([
      expect(simulation.run(0.25)).rejects.toBeInstanceOf(InputError),
      expect(refused).rejects.toBeInstanceOf(InputError),
    ]);
    await Promise.all([read(cells.stream('spikes')), simulation.run(5)]);
  });

  test('throw DisposedError with dispose, whether a run waits for them or none was begun', async () => {
    const { simulation, cells } = await start(backend, { spikes: true });
    const stream = cells.stream('spikes');
    const running = simulation.run(1000);
    setTimeout(() => simulation.dispose(), 50);
    await expect(running).rejects.toBeInstanceOf(DisposedError);
    await expect(take(stream)).rejects.toBeInstanceOf(DisposedError);
    expect(() => cells.stream('spikes')).toThrow(DisposedError);
    const idle = await start(backend, { spikes: true });
    const reading = take(idle.cells.stream('spikes'));
    idle.simulation.dispose();
    await expect(reading).rejects.toBeInstanceOf(DisposedError);
  });

  test('of what is not recorded, or does not exist, are refused; of what is recorded they are given', async () => {
    const { simulation, cells } = await start(backend, { states: { adaptation: {} } });
    expect(() => cells.stream('spikes')).toThrow('add the population with record: { spikes: true }');
    expect(() => cells.stream('rate')).toThrow('cells.record.rate: was not asked for');
    expect(() => cells.stream('potential')).toThrow('record: { states: { potential: {} } }');
    expect(() => cells.stream('spike')).toThrow('unknown stream "spike" of AdaptiveExponentialSoma; did you mean');
    await expect(cells.rate()).rejects.toThrow('record: { rate: { bin: 1 } }');
    const [chunks] = await Promise.all([take(cells.stream('adaptation')), simulation.run(5)]);
    expectToCover(chunks, 0, 50);
  });
});

/** What of a recording is of certain steps, and neurons, where it has one a row. */
function cut<T extends Spikes | Rate>(whole: T, wanted: (row: { step: number; neuron: number }) => boolean): T {
  const neurons = 'neurons' in whole ? whole.neurons : undefined;
  const kept = [...whole.steps.keys()].filter((i) =>
    wanted({ step: whole.steps[i] as number, neuron: neurons?.[i] as number }),
  );
  const entries = Object.entries(whole).map(([key, values]) => [
    key,
    typeof values === 'number' ? values : (values as Uint32Array).filter((_, i) => kept.includes(i)),
  ]);
  return Object.fromEntries(entries) as T;
}

describe.each(backends)('what is kept, on $name', (backend) => {
  test('in a window, in a ring and of chosen neurons is the cut of the whole', async () => {
    const whole = await start(backend, { spikes: true, states: { potential: { every: 3 } }, rate: { bin: 1 } });
    await whole.simulation.run(50);
    const spikes = await whole.cells.spikes();
    const neurons = [60, 3, 33, 7];
    const part = await start(backend, {
      spikes: { neurons, from: 10.25, to: 48, last: 30.3 },
      states: { potential: { neurons: [5, 2], every: 3, from: 10.25, to: 48, last: 30.3 } },
      rate: { bin: 1, from: 7, last: 10 },
    });
    await part.simulation.run(23.7);
    await part.simulation.run(26.3);
    const [from, to] = [500 - 303, 480];
    expectToJoin(
      [await part.cells.spikes()],
      cut(spikes, ({ step, neuron }) => step >= from && step < to && neurons.includes(neuron)),
    );
    const { steps, values } = await whole.cells.trace('potential');
    const rows = [...steps.keys()].filter((row) => (steps[row] as number) >= from && (steps[row] as number) < to);
    const trace = await part.cells.trace('potential');
    expectSameBits(
      trace.steps,
      Uint32Array.from(rows, (row) => steps[row] as number),
      'steps',
    );
    const expected = rows.flatMap((row) => [5, 2].map((neuron) => values[row * NEURONS + neuron] as number));
    expectSameBits(trace.values, Float32Array.from(expected), 'values');
    expectToJoin(
      [await part.cells.rate()],
      cut(await whole.cells.rate(), ({ step }) => step >= 400),
    );
    expect((await part.cells.spikes()).steps.length).toBeGreaterThan(4);
    part.simulation.reset();
    expect((await part.cells.rate()).counts).toHaveLength(0);
    await part.simulation.run(9);
    expect((await part.cells.spikes()).steps).toHaveLength(0);
    expect([...(await part.cells.rate()).steps]).toEqual([70, 80]);
  });

  test('of the rate is the histogram of the spikes, also where these are not recorded, and beside chosen ones', async () => {
    const whole = await start(backend, { spikes: true });
    await whole.simulation.run(50);
    const { steps } = await whole.cells.spikes();
    const counts = new Uint32Array(Math.ceil(500 / 13));
    for (const step of steps) (counts[Math.floor(step / 13)] as number) += 1;
    for (const spikes of [true, false, { neurons: [1] }, { to: 20 }]) {
      const { simulation, cells } = await start(backend, { spikes, rate: { bin: 1.3 } });
      await simulation.run(50);
      const rate = await cells.rate();
      expectSameBits(rate.counts, counts, 'counts');
      expect(rate.bin).toBe(13);
      expect([...rate.steps]).toEqual([...counts.keys()].map((place) => 13 * place));
      expect([...rate.times]).toEqual([...counts.keys()].map((place) => Math.min(13 * (place + 1), 500) * 0.1));
      // The last bin has 6 of its 13 steps.
      const seconds = [...counts.keys()].map((place) => (place < counts.length - 1 ? 1.3e-3 : 0.6e-3));
      for (const [place, hertz] of rate.rates.entries())
        expect(hertz).toBeCloseTo((counts[place] as number) / NEURONS / (seconds[place] as number), 9);
    }
  });

  test('is all that is read back: a block without a wanted spike or sample asks for neither', async () => {
    const { cells } = await start(backend, {
      spikes: { from: 10, to: 20 },
      states: { potential: { from: 5, every: 100 } },
    });
    const asked = [0, 92, 96, 152, 199, 200, 300].map((first) => {
      const { words, traces } = cells.block(first, BLOCK, [], false);
      return [first, words, traces];
    });
    expect(asked).toEqual([
      [0, false, false],
      [92, false, false],
      [96, true, true],
      [152, true, false],
      [199, true, true],
      [200, false, true],
      [300, false, true],
    ]);
  });

  test('is nothing where last is 0, and streams have it all', async () => {
    const { simulation, cells } = await start(backend, {
      spikes: { last: 0 },
      states: { potential: { last: 0 } },
      rate: { bin: 3, last: 0 },
    });
    const streams = Promise.all([
      take(cells.stream('spikes')),
      take(cells.stream('potential')),
      take(cells.stream('rate')),
      simulation.run(50),
    ]);
    const [spikes, potential, rate] = await streams;
    const whole = await start(backend, { spikes: true, states: { potential: {} }, rate: { bin: 3 } });
    await whole.simulation.run(50);
    expectToJoin(spikes, await whole.cells.spikes());
    expectToJoin(potential, await whole.cells.trace('potential'));
    expectToJoin(rate, await whole.cells.rate());
    expect((await cells.spikes()).steps).toHaveLength(0);
    expect((await cells.trace('potential')).values).toHaveLength(0);
    expect((await cells.rate()).counts).toHaveLength(0);
  });
});

describe.each(backends)('an experiment, on $name', ({ name }) => {
  const open = async (states: object) => {
    const cells = { soma: 'AdaptiveExponentialSoma', units: 1000, record: { states } };
    const json = { dt: 0.1, duration: 60_000, populations: { cells } };
    const none = () => Promise.reject(new Error('no files'));
    const experiment = await readExperiment(json, none);
    const adapter = name === 'webgpu' ? await findAdapter() : undefined;
    (await ExperimentRun.create(experiment, { backend: name, adapter })).simulation.dispose();
  };

  test('is refused where windows and rings hold more samples than a file takes, and is taken where they do not', async () => {
    const message = /^populations\.cells\.record\.states\.potential: the samples of cells would take \d+ bytes/;
    for (const state of [
      {},
      { from: 1, to: 51_000 },
      { last: 51_000 },
      { from: 1000, to: 59_000, every: 1, last: 59_000 },
    ])
      await expect(open({ potential: state })).rejects.toThrow(message);
    await open({ potential: { from: 1, to: 1001 }, adaptation: { last: 1000 } });
    await open({ potential: { from: 59_000 }, adaptation: { from: 70_000 } });
    await open({ potential: { every: 2 } });
  });
});
