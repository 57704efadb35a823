// From spike words and samples to events and traces, beside naive decoders; and the figures of spike trains.

import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { intervalStatistics } from '../../src/analysis/index.ts';
import type { SpikeWords } from '../../src/backend.ts';
import { RateRecorder, SpikeRecorder, TraceRecorder, type Window } from '../../src/recorders.ts';
import { countSpikes, decodeWords, type Steps, signedSpikes, timeOf } from '../../src/recording.ts';
import { Bell, type Stream } from '../../src/streams.ts';
import { INTERVALS } from '../support/tolerances.ts';

/** Spikes of a block, `fired[step][neuron]`, and the same as a device leaves them. */
interface Block {
  steps: number;
  fired: boolean[][];
  parts: SpikeWords[];
}

/** A window of all there is. */
const ALWAYS = { from: 0, to: 0xffffffff, last: 0xffffffff };

const word = fc.oneof(fc.constant(0), fc.constant(0xffffffff), fc.integer({ min: 0, max: 0xffffffff }));
const tile = fc.record({ neurons: fc.integer({ min: 1, max: 6 }), padding: fc.integer({ min: 0, max: 3 }) });

// Words are random, also in the padding; bits beyond the steps are zero, as the kernel leaves them.
function blockOf(steps: number, tiles: { neurons: number; padding: number }[], next: () => number): Block {
  const rows = Math.ceil(steps / 32);
  let first = 0;
  const parts = tiles.map(({ neurons, padding }) => {
    const stride = neurons + padding;
    const words = Uint32Array.from({ length: rows * stride }, (_, at) => {
      const left = steps - 32 * Math.floor(at / stride);
      const used = at % stride >= neurons || left >= 32 ? 0xffffffff : 2 ** left - 1;
      return next() & used;
    });
    first += neurons;
    return { first: first - neurons, neurons, stride, words };
  });
  const fires = (step: number, neuron: number) => {
    const { first, stride, words } = parts.find((part) => neuron < part.first + part.neurons) as SpikeWords;
    const bits = words[Math.floor(step / 32) * stride + neuron - first] as number;
    return Math.floor(bits / 2 ** (step % 32)) % 2 === 1;
  };
  const fired = Array.from({ length: steps }, (_, step) => Array.from({ length: first }, (_, n) => fires(step, n)));
  return { steps, fired, parts };
}

const tiles = fc.array(tile, { minLength: 1, maxLength: 3 });
const blocks = (among: typeof tiles, most: number) =>
  fc
    .tuple(
      among,
      fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: most }),
      fc.infiniteStream(word),
    )
    .map(([layout, lengths, words]) =>
      lengths.map((steps) => blockOf(steps, layout, () => words.next().value as number)),
    );

/** The neurons that fire in a step, in order. */
const firing = (fired: boolean[] | undefined): number[] =>
  (fired ?? []).flatMap((fires, neuron) => (fires ? [neuron] : []));

describe('spike words', () => {
  test('become the events a naive decoder finds, ordered by step, then neuron, over all parts and without padding', () => {
    fc.assert(
      fc.property(blocks(tiles, 1), ([block]) => {
        const { steps, fired, parts } = block as Block;
        const { perStep, neurons } = decodeWords(parts, steps);
        const expected = fired.map(firing);
        expect([...perStep]).toEqual(expected.map(({ length }) => length));
        expect([...neurons]).toEqual(expected.flat());
      }),
      { numRuns: 200 },
    );
  });

  test('have step k in bit k, the last step of a word in its top bit, the next step in the next row', () => {
    const words = Uint32Array.of(0x80000001, 0xdead, 0b10, 0xbeef);
    const { perStep, neurons } = decodeWords([{ first: 5, neurons: 1, stride: 2, words }], 34);
    expect([...perStep.entries()].filter(([, spikes]) => spikes > 0)).toEqual([
      [0, 1],
      [31, 1],
      [33, 1],
    ]);
    expect([...neurons]).toEqual([5, 5, 5]);
    expect(perStep).toHaveLength(34);
  });

  test('without a bit are no events', () => {
    const { perStep, neurons } = decodeWords(
      [{ first: 0, neurons: 3, stride: 4, words: new Uint32Array(4).fill(0) }],
      7,
    );
    expect([...perStep]).toEqual([0, 0, 0, 0, 0, 0, 0]);
    expect(neurons).toHaveLength(0);
  });

  test('are left as they were', () => {
    const words = Uint32Array.of(0xffffffff, 3);
    decodeWords([{ first: 0, neurons: 2, stride: 2, words }], 32);
    expect([...words]).toEqual([0xffffffff, 3]);
  });
});

describe('recorded spikes', () => {
  test('are those of all blocks in the order of time, with times in float64 at the end of their steps', () => {
    fc.assert(
      fc.property(
        blocks(tiles, 4),
        fc.constantFrom(0.1, 0.25, 1),
        fc.integer({ min: 0, max: 1_000_000 }),
        (all, dt, start) => {
          const recorder = new SpikeRecorder(ALWAYS, dt);
          let first = start;
          for (const { parts, steps } of all) {
            recorder.append(parts, first, steps);
            first += steps;
          }
          const expected = all
            .flatMap(({ fired }) => fired)
            .flatMap((row, k) => firing(row).map((neuron) => [start + k, neuron]));
          const { steps, times, neurons } = recorder.read();
          expect([...steps].map((step, i) => [step, neurons[i]])).toEqual(expected);
          expect([...times]).toEqual(expected.map(([step]) => ((step as number) + 1) * dt));
          expect(recorder.position).toBe(expected.length);
        },
      ),
      { numRuns: 100 },
    );
  });

  test('stay when the device uses its words again, and when they are read twice', () => {
    const recorder = new SpikeRecorder(ALWAYS, 0.5);
    const words = Uint32Array.of(1, 3);
    const parts = [{ first: 0, neurons: 2, stride: 2, words }];
    recorder.append(parts, 10, 2);
    words.fill(0);
    recorder.append(parts, 12, 2);
    const spikes = {
      steps: Uint32Array.of(10, 10, 11),
      times: Float64Array.of(5.5, 5.5, 6),
      neurons: Uint32Array.of(0, 1, 1),
    };
    expect(recorder.read()).toEqual(spikes);
    expect(recorder.read()).toEqual(spikes);
  });

  test('are none at first, and none after they were cleared', () => {
    const recorder = new SpikeRecorder(ALWAYS, 0.1);
    const none = { steps: new Uint32Array(), times: new Float64Array(), neurons: new Uint32Array() };
    expect(recorder.read()).toEqual(none);
    recorder.append([{ first: 0, neurons: 1, stride: 1, words: Uint32Array.of(1) }], 0, 1);
    expect(recorder.position).toBe(1);
    recorder.clear();
    expect(recorder.position).toBe(0);
    expect(recorder.read()).toEqual(none);
  });

  test('have times that do not drift: the millionth step of 0.1 ms ends at 100 s', () => {
    expect(timeOf(999_999, 0.1)).toBe(100_000);
    expect(timeOf(0, 0.1)).toBe(0.1);
  });
});

describe('signed spikes of one step', () => {
  test('are 1, or -1 where a neuron is inhibitory, or 0, over all parts and without padding', () => {
    fc.assert(
      fc.property(tiles, fc.infiniteStream(word), fc.infiniteStream(fc.boolean()), (layout, words, signs) => {
        const { fired, parts } = blockOf(1, layout, () => words.next().value as number);
        const [row = []] = fired;
        const inhibitory = Uint8Array.from(row, () => Number(signs.next().value));
        const expected = row.map((fires, neuron) => (fires ? (inhibitory[neuron] ? -1 : 1) : 0));
        expect([...signedSpikes(parts, row.length, inhibitory)]).toEqual(expected);
        expect([...signedSpikes(parts, row.length, undefined)]).toEqual(expected.map(Math.abs));
      }),
      { numRuns: 200 },
    );
  });
});

describe('a recorded trace', () => {
  // What the state of a neuron is after a step: whole numbers, so that adding an origin is exact.
  const state = (step: number, neuron: number) => step * 1000 + neuron;

  /** Appends blocks as a device gives them: only steps divisible by `every`, relative to the origin. */
  function record(neurons: number[], every: number, lengths: number[], start: number, origin: number | Float32Array) {
    const recorder = new TraceRecorder(ALWAYS, 0.1, Uint32Array.from(neurons), every);
    let first = start;
    for (const length of lengths) {
      const steps = Array.from({ length }, (_, k) => first + k).filter((step) => step % every === 0);
      const rest = (neuron: number) => (typeof origin === 'number' ? origin : (origin[neuron] as number));
      const samples = steps.flatMap((step) => neurons.map((neuron) => state(step, neuron) - rest(neuron)));
      recorder.append(Float32Array.from(samples), first, length, origin);
      first += length;
    }
    const steps = Array.from({ length: first - start }, (_, k) => start + k).filter((step) => step % every === 0);
    return { recorder, steps };
  }

  test('has the samples of all blocks in order, absolute, neurons as they were asked for', () => {
    const origins = fc.oneof(
      fc.constantFrom(0, -70),
      fc.constant(Float32Array.from({ length: 20 }, (_, neuron) => -50 - neuron)),
    );
    const neurons = fc.uniqueArray(fc.integer({ min: 0, max: 19 }), { minLength: 1, maxLength: 5 });
    const lengths = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 4 });
    const every = fc.integer({ min: 1, max: 9 });
    fc.assert(
      fc.property(
        neurons,
        every,
        lengths,
        fc.integer({ min: 0, max: 100 }),
        origins,
        (chosen, every, lengths, start, origin) => {
          const { recorder, steps } = record(chosen, every, lengths, start, origin);
          const trace = recorder.read();
          expect([...trace.steps]).toEqual(steps);
          expect([...trace.times]).toEqual(steps.map((step) => (step + 1) * 0.1));
          expect([...trace.neurons]).toEqual(chosen);
          expect([...trace.values]).toEqual(steps.flatMap((step) => chosen.map((neuron) => state(step, neuron))));
        },
      ),
      { numRuns: 200 },
    );
  });

  test('is empty at first and after it was cleared, and keeps its neurons', () => {
    const { recorder } = record([3, 1], 2, [5], 0, -70);
    expect(recorder.read().values).toHaveLength(6);
    recorder.clear();
    expect(recorder.read()).toEqual({
      steps: new Uint32Array(),
      times: new Float64Array(),
      neurons: Uint32Array.of(3, 1),
      values: new Float32Array(),
    });
  });

  test('that was read is the reader’s own', () => {
    const { recorder } = record([3, 1], 1, [2], 0, 0);
    const trace = recorder.read();
    trace.neurons.fill(9);
    trace.values.fill(9);
    expect(recorder.read()).toMatchObject({
      neurons: Uint32Array.of(3, 1),
      values: Float32Array.of(3, 1, 1003, 1001),
    });
  });
});

/** Windows around the steps of a few blocks that begin at 100, with a ring or without. */
const windows: fc.Arbitrary<Window> = fc
  .tuple(
    fc.integer({ min: 0, max: 300 }),
    fc.oneof(fc.integer({ min: 0, max: 300 }), fc.constant(0xffffffff)),
    fc.oneof(fc.integer({ min: 0, max: 200 }), fc.constant(0xffffffff)),
  )
  .map(([from, length, last]) => ({ from, to: Math.min(from + length, 0xffffffff), last }));
const START = 100;

/** The chunks a stream holds; it has to be over. */
async function chunksOf<T>(stream: Stream<T>): Promise<T[]> {
  const chunks: T[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return chunks;
}

/** That chunks follow each other without a gap, from the beginning to the end of what a window has of the steps. */
function expectToCover(chunks: readonly Steps[], { from, to }: Window, end: number): void {
  const [begin, stop] = [Math.max(from, START), Math.min(to, end)];
  const ends = chunks.map(({ end }) => end);
  expect(chunks.map(({ first }) => first)).toEqual(begin < stop ? [begin, ...ends.slice(0, -1)] : []);
  expect(ends.at(-1)).toBe(begin < stop ? stop : undefined);
}

describe('windows and rings', () => {
  const chosen = fc.option(fc.uniqueArray(fc.nat(17), { maxLength: 6 }), { nil: undefined });

  test('of spikes, of all or of chosen neurons, are cuts of all spikes; streams have all of the window', async () => {
    await fc.assert(
      fc.asyncProperty(blocks(tiles, 4), windows, chosen, async (all, window, neurons) => {
        const among = neurons && Uint32Array.from(neurons).sort();
        const recorder = new SpikeRecorder(window, 0.5, among);
        const stream = recorder.stream(new Bell());
        let end = START;
        for (const { parts, steps } of all) {
          const perStep = recorder.append(parts, end, steps);
          if (perStep) expect(perStep).toEqual(countSpikes(parts, steps));
          end += steps;
          recorder.reach(end);
        }
        recorder.endStreams();
        const inside = all
          .flatMap(({ fired }) => fired)
          .flatMap((row, k) => firing(row).map((neuron) => [START + k, neuron] as const))
          .filter(([step, neuron]) => step >= window.from && step < window.to && (neurons?.includes(neuron) ?? true));
        const { steps, neurons: spiked, times } = recorder.read();
        const kept = inside.filter(([step]) => step >= end - window.last);
        expect([...steps].map((step, i) => [step, spiked[i]])).toEqual(kept);
        expect([...times]).toEqual(kept.map(([step]) => (step + 1) * 0.5));
        expect(recorder.position).toBe(inside.length);
        const chunks = await chunksOf(stream);
        expect(chunks.flatMap(({ steps, neurons }) => [...steps].map((step, i) => [step, neurons[i]]))).toEqual(inside);
        for (const { first, end, steps } of chunks) expect(steps.every((n) => n >= first && n < end)).toBe(true);
        expectToCover(chunks, window, end);
      }),
      { numRuns: 200 },
    );
  });

  test('of a state are cuts of all samples; streams have all of the window', async () => {
    const lengths = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 5 });
    const property = fc.asyncProperty(lengths, windows, fc.integer({ min: 1, max: 9 }), async (all, window, every) => {
      const recorder = new TraceRecorder(window, 0.5, Uint32Array.of(7, 2), every);
      const stream = recorder.stream(new Bell());
      let end = START;
      const sampled: number[] = [];
      for (const length of all) {
        const steps = Array.from({ length }, (_, k) => end + k).filter((step) => step % every === 0);
        sampled.push(...steps);
        const wanted = steps.some((step) => step >= window.from && step < window.to);
        expect(recorder.wants(end, length)).toBe(wanted);
        const samples = Float32Array.from(steps.flatMap((step) => [step + 70.5, -step]));
        // A device gives nothing where nobody wants anything.
        recorder.append(wanted ? samples : new Float32Array(), end, length, Float32Array.of(0, 0, 1, 0, 0, 0, 0, -70));
        end += length;
        recorder.reach(end);
      }
      recorder.endStreams();
      const inside = sampled.filter((step) => step >= window.from && step < window.to);
      const kept = inside.filter((step) => step >= end - window.last);
      const trace = recorder.read();
      expect([...trace.steps]).toEqual(kept);
      expect([...trace.values]).toEqual(kept.flatMap((step) => [step + 0.5, 1 - step]));
      expect(recorder.position).toBe(inside.length);
      const chunks = await chunksOf(stream);
      expect(chunks.flatMap(({ steps }) => [...steps])).toEqual(inside);
      expect(chunks.flatMap(({ values }) => [...values])).toEqual(inside.flatMap((step) => [step + 0.5, 1 - step]));
      expectToCover(chunks, window, end);
    });
    await fc.assert(property, { numRuns: 200 });
  });

  test('with a ring let go of what is older, also where nothing more is recorded', () => {
    class Opened extends SpikeRecorder {
      get blocks(): number {
        return this.parts.length;
      }
    }
    const parts = [{ first: 0, neurons: 1, stride: 1, words: Uint32Array.of(1) }];
    const [ring, whole] = [10, 0xffffffff].map((last) => new Opened({ from: 0, to: 960, last }, 1)) as [Opened, Opened];
    for (const recorder of [ring, whole]) {
      for (let step = 0; step < 1000; step += 4) {
        recorder.append(parts, step, 4);
        recorder.reach(step + 4);
        if (recorder === ring) expect(recorder.blocks).toBeLessThanOrEqual(3);
      }
      expect(recorder.position).toBe(240);
    }
    expect([ring.blocks, whole.blocks]).toEqual([0, 240]);
  });
});

describe('a recorded rate', () => {
  const bins = fc.integer({ min: 1, max: 70 });

  test('is the histogram of the spikes, in Hz over the steps a bin has; streams get complete bins, then the last', async () => {
    const counts = fc.array(fc.array(fc.nat(20), { minLength: 1, maxLength: 100 }), { minLength: 1, maxLength: 5 });
    const property = fc.asyncProperty(counts, windows, bins, async (all, window, bin) => {
      const recorder = new RateRecorder(window, 0.5, bin, 8);
      const stream = recorder.stream(new Bell());
      let end = START;
      for (const perStep of all) {
        if (recorder.wants(end, perStep.length)) recorder.append(Uint32Array.from(perStep), end);
        end += perStep.length;
        recorder.reach(end);
      }
      const { from, to, last } = window;
      const histogram = new Map<number, { first: number; end: number; count: number }>();
      for (const [k, count] of all.flat().entries()) {
        const step = START + k;
        if (step < from || step >= to) continue;
        const place = Math.floor((step - from) / bin);
        const found = histogram.get(place) ?? { first: step, end: step, count: 0 };
        histogram.set(place, { ...found, end: step + 1, count: found.count + count });
      }
      const inside = [...histogram.values()];
      const kept = inside.filter((found) => found.end > end - last);
      const rate = recorder.read();
      expect([...rate.steps]).toEqual(kept.map(({ first }) => first));
      expect([...rate.times]).toEqual(kept.map(({ end }) => end * 0.5));
      expect([...rate.counts]).toEqual(kept.map(({ count }) => count));
      for (const [i, { first, end, count }] of kept.entries())
        expect(rate.rates[i]).toBeCloseTo(count / 8 / ((end - first) * 0.5e-3), 9);
      expect(rate.bin).toBe(bin);
      expect(recorder.position).toBe(inside.length);
      recorder.endStreams();
      const chunks = await chunksOf(stream);
      expect(chunks.flatMap(({ counts }) => [...counts])).toEqual(inside.map(({ count }) => count));
      expect(chunks.every(({ counts }) => counts.length > 0)).toBe(true);
      for (const chunk of chunks.slice(0, -1)) expect((chunk.end - from) % bin === 0 || chunk.end === to).toBe(true);
      expectToCover(chunks, window, end);
    });
    await fc.assert(property, { numRuns: 200 });
  });

  test('goes on in the incomplete bin although a stream has had it, and is none after it was cleared', async () => {
    const recorder = new RateRecorder({ ...ALWAYS, last: 0 }, 1, 10, 1);
    const first = recorder.stream(new Bell());
    recorder.append(new Uint32Array(4).fill(1), 0);
    recorder.reach(4);
    recorder.endStreams();
    const second = recorder.stream(new Bell());
    recorder.append(new Uint32Array(6).fill(1), 4);
    recorder.reach(10);
    recorder.endStreams();
    expect(await chunksOf(first)).toMatchObject([{ first: 0, end: 4, counts: Uint32Array.of(4) }]);
    expect(await chunksOf(second)).toMatchObject([{ first: 0, end: 10, counts: Uint32Array.of(10) }]);
    expect(recorder.read().counts).toHaveLength(0);
    recorder.append(new Uint32Array(3).fill(1), 10);
    recorder.clear();
    recorder.append(new Uint32Array(3).fill(1), 0);
    expect(recorder.position).toBe(1);
    const third = recorder.stream(new Bell());
    recorder.endStreams();
    expect(await chunksOf(third)).toMatchObject([{ first: 0, end: 3, counts: Uint32Array.of(3) }]);
  });

  test('says 4294967295 where a bin has more spikes than a count can hold, and keeps the rate exact', () => {
    const recorder = new RateRecorder(ALWAYS, 1, 2, 2 ** 31);
    recorder.append(Uint32Array.of(2 ** 31, 2 ** 31, 2 ** 31, 2 ** 31 - 1), 0);
    expect([...recorder.read().counts]).toEqual([0xffffffff, 0xffffffff]);
    expect([...recorder.read().rates]).toEqual([1000, (1000 * (2 ** 32 - 1)) / 2 ** 32]);
  });
});

describe('interval statistics', () => {
  /** In two passes over lists. */
  function naive(times: number[], neurons: number[]) {
    const intervals = [...new Set(neurons)].flatMap((neuron) => {
      const own = times.filter((_, i) => neurons[i] === neuron);
      return own.slice(1).map((time, i) => time - (own[i] as number));
    });
    const mean = intervals.reduce((sum, interval) => sum + interval, 0) / intervals.length;
    const variance = intervals.reduce((sum, interval) => sum + (interval - mean) ** 2, 0) / intervals.length;
    const [min, max] = [Math.min(...intervals), Math.max(...intervals)];
    return { count: intervals.length, mean, deviation: Math.sqrt(variance), min, max };
  }

  const spikes = fc.array(fc.tuple(fc.double({ min: 0.1, max: 50, noNaN: true }), fc.integer({ min: 0, max: 4 })), {
    minLength: 6,
    maxLength: 200,
  });

  test('are those of a naive computation, pooled over neurons', () => {
    fc.assert(
      fc.property(spikes, (drawn) => {
        let now = 0;
        const times = drawn.map(([wait]) => {
          now += wait;
          return now;
        });
        const neurons = drawn.map(([, neuron]) => neuron);
        const found = intervalStatistics({ times: Float64Array.from(times), neurons: Uint32Array.from(neurons) }, 5);
        const { count, mean, deviation, min, max } = naive(times, neurons);
        expect(found).toMatchObject({ count, min, max });
        expect(Math.abs(found.mean - mean)).toBeLessThanOrEqual(INTERVALS * mean);
        expect(Math.abs(found.cv * mean - deviation)).toBeLessThanOrEqual(INTERVALS * mean);
      }),
      { numRuns: 200 },
    );
  });

  test('keep a variance that is tiny beside the mean', () => {
    const times = Float64Array.from({ length: 1001 }, (_, i) => i * 1024 + (i % 2) * 2 ** -20);
    const { cv, mean } = intervalStatistics({ times, neurons: new Uint32Array(1001) }, 1);
    expect(mean).toBeCloseTo(1024, 9);
    expect((cv * 1024) / 2 ** -20).toBeCloseTo(1, 6);
  });

  test('have a variation of 0 in a regular rhythm, and intervals of each neuron apart', () => {
    const times = Float64Array.of(0, 1, 10, 12, 20, 23);
    const neurons = Uint32Array.of(0, 1, 0, 1, 0, 1);
    expect(intervalStatistics({ times, neurons }, 2)).toMatchObject({ count: 4, mean: 10.5, min: 10, max: 11 });
    const regular = intervalStatistics({ times: Float64Array.of(0, 10, 20), neurons: new Uint32Array(3) }, 1);
    expect(regular).toEqual({ count: 2, mean: 10, cv: 0, min: 10, max: 10, adaptation: 0 });
  });

  test('are NaN without an interval, and are there with one', () => {
    const { NaN: nan } = Number;
    const none = { count: 0, mean: nan, cv: nan, min: nan, max: nan, adaptation: nan };
    const of = (times: number[], neurons: number[]) =>
      intervalStatistics({ times: Float64Array.from(times), neurons: Uint32Array.from(neurons) }, 2);
    expect(of([], [])).toEqual(none);
    expect(of([1, 2], [0, 1])).toEqual(none);
    expect(of([1, 3], [1, 1])).toEqual({ count: 1, mean: 2, cv: 0, min: 2, max: 2, adaptation: nan });
  });
});
