// How the work is cut up changes nothing: the same bits whatever the blocks, tiles, lanes, neighbours and recordings.

import { describe, expect, test } from 'vitest';
import { AdaptiveExponentialSoma as AdEx, type Input, type Soma, type Tuning, uniform } from '../../src/index.ts';
import { backends, type TestBackend } from '../support/backends.ts';
import {
  addCells,
  type CellOptions,
  expectSameBits,
  expectSameOutcome,
  firstOf,
  type Outcome,
  outcomeOf,
  readStates,
  ripple,
  somaNames,
  statesOf,
  variedParameters,
} from '../support/outcome.ts';
import { somas } from '../support/reference.ts';
import { LEAK } from '../support/tolerances.ts';

const SOMAS = somaNames.map((name) => [name, somas[name] as Soma] as const);
const STEPS = 500;

/** A population that uses all there is: array parameters, currents from the device and the host, all recordings. */
function everything(soma: Soma, neurons: number, steps = STEPS): CellOptions {
  return {
    name: 'cells',
    units: neurons,
    parameters: variedParameters(soma),
    input: [
      { kind: 'step', amplitude: uniform(80, 250), start: 1.7, stop: 43 },
      { kind: 'constant', amplitude: 12.5 },
      { kind: 'array', values: ripple(steps, neurons), shape: [steps, neurons] },
    ],
    record: { spikes: true, states: { potential: {}, [Object.keys(soma.states).at(-1) as string]: { every: 7 } } },
  };
}

interface Way {
  tuning?: Tuning;
  /** Steps of the calls of `run`, one after the other. */
  runs?: number[];
}

const DT = 0.1;

/** What the population does when it is run this way. */
async function follow({ open }: TestBackend, soma: Soma, options: CellOptions, { tuning, runs }: Way = {}) {
  const simulation = await open({ dt: DT, seed: 5, tuning });
  const cells = addCells(simulation, soma, options);
  for (const steps of runs ?? [STEPS]) await simulation.run(steps * DT);
  return outcomeOf(cells, options.record?.spikes === true);
}

/** That a comparison compares something: every tenth neuron at least has spiked, and they did not all do the same. */
function expectActivity({ counts }: Outcome): void {
  expect(counts.filter((count) => count > 0).length).toBeGreaterThan(counts.length / 10);
  expect(new Set(counts).size).toBeGreaterThan(3);
}

describe.each(backends)('the same bits, on $name', (backend) => {
  describe.each(SOMAS)('%s', (_, soma) => {
    const options = everything(soma, 130);

    test('in blocks of 1, 8, 32 and 256 steps', async () => {
      const whole = await follow(backend, soma, options);
      expectActivity(whole);
      for (const blockSteps of [1, 8, 32, 256])
        expectSameOutcome(await follow(backend, soma, options, { tuning: { blockSteps } }), whole);
    });

    test('one neuron or four a thread', async () => {
      const wide = await follow(backend, soma, options, { tuning: { width: 4 } });
      expectActivity(wide);
      expectSameOutcome(await follow(backend, soma, options, { tuning: { width: 1 } }), wide);
    });

    test('in one run, in ten, and in runs that are no multiple of a word of 32 steps', async () => {
      const whole = await follow(backend, soma, options);
      expectActivity(whole);
      for (const runs of [Array(10).fill(STEPS / 10), [1, 31, 33, 65, 97, 273], [0, STEPS - 1, 1]])
        expectSameOutcome(await follow(backend, soma, options, { runs }), whole);
    });

    test('recorded or not', async () => {
      const recorded = await follow(backend, soma, options);
      const bare = await follow(backend, soma, { ...options, record: {} });
      expectActivity(recorded);
      expectSameOutcome({ ...bare, spikes: recorded.spikes, traces: recorded.traces }, recorded);
    });
  });

  test('a population in tiles as in one piece, with traces across tiles and a current for every neuron', async () => {
    const steps = 150;
    const neurons = 3001;
    const traced = [3000, 0, 1279, 1280, 1281, 5, 2559, 2560, 255, 256];
    const record = {
      spikes: true,
      states: { potential: { neurons: traced }, adaptation: { neurons: traced, every: 4 } },
    };
    const options = { ...everything(AdEx, neurons, steps), record };
    const whole = await follow(backend, AdEx, options, { runs: [steps] });
    expectActivity(whole);
    expect(whole.traces.potential?.values.length).toBe(steps * traced.length);
    for (const maxBinding of [2 ** 16, 2 ** 18])
      expectSameOutcome(await follow(backend, AdEx, options, { tuning: { maxBinding }, runs: [steps] }), whole);
  });

  test('however little goes into a submit: neurons one workgroup after the other, traces too, tiled or not', async () => {
    const steps = 150;
    const neurons = 3001;
    const input: Input[] = [{ kind: 'ornstein_uhlenbeck', sd: 20, tau: 3, mean: uniform(80, 250) }];
    const record: CellOptions['record'] = {
      spikes: true,
      states: { potential: {}, adaptation: { neurons: [3000, 0, 1281], every: 4 } },
      statistics: { potential: {} },
    };
    const options = { ...everything(AdEx, neurons, steps), input, record };
    const runs = [64, 1, steps - 65];
    const whole = await follow(backend, AdEx, options, { runs, tuning: { submit: 2 ** 40 } });
    expectActivity(whole);
    for (const tuning of [{ submit: 1 }, { submit: 40_000 }, { submit: 100_000, maxBinding: 2 ** 16 }, {}])
      expectSameOutcome(await follow(backend, AdEx, options, { tuning, runs }), whole);
  });

  test('spikes counted on the device are those recorded', async () => {
    const { counts, spikes } = await follow(backend, AdEx, everything(AdEx, 500));
    const recounted = new Uint32Array(500);
    for (const neuron of spikes.neurons) recounted[neuron] = (recounted[neuron] as number) + 1;
    expectSameBits(counts, recounted, 'spike counts');
    expect(recounted.some((count) => count > 5)).toBe(true);
  });
});

/** As `everything`, without a current for every neuron: that of a million neurons would not fit. */
const shared = (neurons: number): CellOptions => ({
  ...everything(AdEx, 1),
  units: neurons,
  parameters: {
    potential_rest: 0,
    potential_reset: 19,
    threshold: uniform(35, 42),
    rheobase_threshold: uniform(19, 21),
    adaptation_delta: uniform(3, 9),
  },
  input: [
    { kind: 'step', amplitude: uniform(80, 250), start: 1.7, stop: 43 },
    { kind: 'array', values: ripple(100, 1) },
  ],
  record: { spikes: true },
});

describe.each(backends)("a neuron's fate does not depend on how many others there are, on $name", (backend) => {
  test('1, 3, 4, 63, 64, 65, 255, 256 and 257 neurons do what the first of 1,000,003 do', async () => {
    const million = await follow(backend, AdEx, shared(1_000_003), { runs: [100] });
    expectActivity(million);
    const largest = firstOf(million, 257);
    expectActivity(largest);
    for (const neurons of [1, 3, 4, 63, 64, 65, 255, 256, 257]) {
      const few = await follow(backend, AdEx, shared(neurons), { runs: [100] });
      expectSameOutcome(few, firstOf(largest, neurons));
    }
  });

  test('2^24 + 1 neurons, beyond one dimension of workgroups: each starts and stays at its own potential', async () => {
    const neurons = 2 ** 24 + 1;
    const simulation = await backend.open({ dt: DT });
    // Those of a scrambled half start above threshold, spike in the first step and never again.
    const high = (neuron: number) => Math.imul(neuron, 0x9e3779b1) < 0;
    const start = Float32Array.from({ length: neurons }, (_, neuron) => (high(neuron) ? 45 : (neuron % 1024) / 1024));
    const cells = addCells(simulation, somas.ExponentialSoma as Soma, {
      units: neurons,
      parameters: { potential_rest: 0, potential_reset: 0, threshold: 40, rheobase_threshold: 60, spike_slope: 0.5 },
      initial: { potential: start },
    });
    await simulation.run(3 * DT);
    const counts = await cells.spikeCounts();
    expect(counts.findIndex((count, neuron) => count !== (high(neuron) ? 1 : 0))).toBe(-1);
    const potential = await cells.readState('potential');
    // Three steps of leak alone; neighbours are 1/1024 mV apart, so that no neuron can pass for another.
    const leak = (1 - DT / 5) ** 3;
    const wrong = (value: number, neuron: number) =>
      Math.abs(value - (high(neuron) ? 0 : (start[neuron] as number) * leak)) > LEAK;
    expect(potential.findIndex(wrong)).toBe(-1);
  });

  test('2^24 neurons under a strong current spike in every step', async () => {
    const simulation = await backend.open({ dt: DT });
    const input = [{ kind: 'constant' as const, amplitude: 1e6 }];
    const cells = addCells(simulation, somas.ExponentialSoma as Soma, { units: 2 ** 24, input });
    await simulation.run(5 * DT);
    expect((await cells.spikeCounts()).every((count) => count === 5)).toBe(true);
  });
});

describe.each(backends)('traces, on $name', (backend) => {
  const neurons = [4, 0, 66, 5];
  const record = { spikes: true, states: { potential: { neurons, every: 3 }, adaptation: { neurons, every: 3 } } };
  const options = { ...everything(AdEx, 67), record };

  test('hold what readState gives after each step divisible by `every`', async () => {
    const { traces } = await follow(backend, AdEx, options, { runs: [100] });
    const simulation = await backend.open({ dt: DT, seed: 5 });
    const cells = addCells(simulation, AdEx, options);
    for (let sample = 0; sample * 3 < 100; sample++) {
      await simulation.run(DT);
      for (const [state, values] of Object.entries(await readStates(cells))) {
        const row = traces[state]?.values.subarray(sample * neurons.length, (sample + 1) * neurons.length);
        expectSameBits(
          row,
          Float32Array.from(neurons, (neuron) => values[neuron] as number),
          `${state} ${sample}`,
        );
      }
      await simulation.run(2 * DT);
    }
    expect(Array.from(traces.potential?.steps as Uint32Array)).toEqual(Array.from({ length: 34 }, (_, i) => 3 * i));
  });

  test('are the same in every size of blocks', async () => {
    const whole = await follow(backend, AdEx, options, { runs: [100] });
    for (const blockSteps of [1, 2, 3, 5, 32])
      expectSameOutcome(await follow(backend, AdEx, options, { tuning: { blockSteps }, runs: [100] }), whole);
  });
});

describe.each(backends)('starting again, on $name', (backend) => {
  test.each(SOMAS)('reset gives %s all it had, and the same spikes again', async (_, soma) => {
    const simulation = await backend.open({ dt: DT, seed: 5 });
    const cells = addCells(simulation, soma, everything(soma, 70));
    const start = await outcomeOf(cells);
    await simulation.run(30);
    const first = await outcomeOf(cells);
    expectActivity(first);
    cells.setParameters({ spike_slope: 1, threshold: uniform(20, 30) });
    cells.setState({ potential: uniform(0, 10) });
    await simulation.run(5);
    simulation.reset();
    expect(simulation.steps).toBe(0);
    expectSameOutcome(await outcomeOf(cells), start);
    await simulation.run(30);
    expectSameOutcome(await outcomeOf(cells), first);
  });

  test.each(SOMAS)('%s with new parameters goes on like a fresh one put into its state', async (_, soma) => {
    const options: CellOptions = {
      name: 'cells',
      units: 70,
      parameters: variedParameters(soma),
      input: [{ kind: 'constant', amplitude: uniform(80, 250) }],
      record: { spikes: true },
    };
    const changed = { spike_slope: 1.25, threshold: uniform(33, 36), resistance: uniform(0.3, 0.5) };
    const simulation = await backend.open({ dt: DT, seed: 5 });
    const cells = addCells(simulation, soma, options);
    await simulation.run(30);
    const [middle, before] = [await readStates(cells), await cells.spikeCounts()];
    cells.setParameters(changed);
    await simulation.run(30);
    const fresh = await backend.open({ dt: DT, seed: 5 });
    const twin = addCells(fresh, soma, { ...options, parameters: { ...variedParameters(soma), ...changed } });
    twin.setState(middle);
    await fresh.run(30);
    expect(statesOf(twin).length).toBe(Object.keys(middle).length);
    const outcome = await outcomeOf(twin);
    expectActivity(outcome);
    const after = (await cells.spikeCounts()).map((count, neuron) => count - (before[neuron] as number));
    expectSameOutcome({ ...outcome, states: await readStates(cells), counts: after }, outcome);
  });
});
