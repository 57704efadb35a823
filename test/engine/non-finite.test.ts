// A law of one's own that overflows: the run stops and says where, and the simulation is back where all was well.

import { describe, expect, test } from 'vitest';
import { AdaptiveExponentialSoma as AdEx, NonFiniteError, Simulation, uniform } from '../../src/index.ts';
import { backends, type OpenOptions, type TestBackend } from '../support/backends.ts';
import { fragile } from '../support/fragile.ts';
import { addCells, type CellOptions, expectSameBits, expectSameOutcome, outcomeOf } from '../support/outcome.ts';
import { FragileSoma, RunawaySoma } from '../support/runaway.ts';

const NEURONS = 2500;
/** The one that runs away. */
const BAD = 2345;

const amplitude = Float32Array.from({ length: NEURONS }, (_, i) => (i === BAD ? 100 : -10));
const rampant: CellOptions = {
  name: 'rampant',
  units: NEURONS,
  parameters: { potential_rest: 0, potential_tau: Float32Array.from({ length: NEURONS }, (_, i) => 5 + i / 1000) },
  input: [{ kind: 'constant', amplitude }],
  record: { spikes: true, rate: { bin: 1 }, states: { potential: { neurons: [0, 7], every: 5 } } },
};
const calm: CellOptions = {
  name: 'calm',
  units: 50,
  input: [{ kind: 'constant', amplitude: uniform(80, 250) }],
  record: { spikes: true, states: { potential: {} } },
};

async function start({ open }: TestBackend, options: OpenOptions) {
  const simulation = await open({ dt: 0.1, seed: 2, ...options });
  const cells = [addCells(simulation, RunawaySoma, rampant), addCells(simulation, AdEx, calm)] as const;
  return { simulation, cells };
}

/** After which step the potential of the bad neuron is no number, as the steps themselves say. */
async function knownStep(backend: TestBackend): Promise<number> {
  const { simulation, cells } = await start(backend, { tuning: { blockSteps: 1 }, recover: false });
  const failure = await simulation.run(100).catch((error) => error);
  expect(failure).toBeInstanceOf(NonFiniteError);
  expect(cells[0].neurons).toBe(NEURONS);
  return failure.step;
}

describe.each(backends)('a state that is no number, on $name,', (backend) => {
  test.each([
    ['in long blocks', { tuning: { blockSteps: 500 } }],
    ['in short blocks', { tuning: { blockSteps: 8 } }],
    ['with snapshots on the way', { tuning: { blockSteps: 3, snapshot: 1 } }],
    ['in tiles or chunks', { tuning: { blockSteps: 20, maxBinding: 2 ** 14, chunk: 32 } }],
  ])('stops the run with the population, neuron, state, step and parameters, %s', async (_, options) => {
    const step = await knownStep(backend);
    expect(step).toBeGreaterThan(10);
    const { simulation, cells } = await start(backend, options);
    const failure = await simulation.run(100).catch((error) => error);
    expect(failure).toBeInstanceOf(NonFiniteError);
    expect(failure).toMatchObject({ population: 'rampant', neuron: BAD, state: 'potential', step });
    expect(failure.parameters).toMatchObject({ potential_tau: Math.fround(5 + BAD / 1000), resistance: 0.5 });
    expect(failure.message).toContain(`neuron ${BAD} is no number after step ${step}`);
    // It is where the block before ended, as if it had been run so far and no farther.
    const reached = simulation.steps;
    expect(reached).toBeLessThanOrEqual(step);
    expect(step - reached).toBeLessThan(500);
    const short = await start(backend, options);
    await short.simulation.run(reached / 10);
    for (const [i, each] of cells.entries())
      expectSameOutcome(await outcomeOf(each), await outcomeOf(short.cells[i as 0 | 1]));
    expectSameBits(
      new Uint32Array(failure.checkpoint),
      new Uint32Array(await short.simulation.save()),
      'the checkpoint',
    );
  });

  test('can be mended: the simulation goes on from there, and so does the checkpoint', async () => {
    const { simulation, cells } = await start(backend, { tuning: { blockSteps: 8 } });
    const failure = await simulation.run(100).catch((error) => error);
    expect(failure).toBeInstanceOf(NonFiniteError);
    const again = await simulation.run(100).catch((error) => error);
    expect([again.step, again.neuron]).toEqual([failure.step, failure.neuron]);
    const { steps } = simulation;
    cells[0].setState({ potential: -1 });
    await simulation.run(1);
    const whole = await start(backend, { tuning: { blockSteps: 8 } });
    await whole.simulation.run(steps / 10);
    whole.cells[0].setState({ potential: -1 });
    await whole.simulation.run(1);
    for (const [i, each] of cells.entries())
      expectSameOutcome(await outcomeOf(each), await outcomeOf(whole.cells[i as 0 | 1]));
    const restored = await Simulation.restore(failure.checkpoint, {
      somas: [RunawaySoma],
      ...(backend.name === 'webgpu' ? { device: cells[0].gpu?.device } : {}),
    });
    expect(restored.steps).toBe(steps);
    restored.dispose();
  });

  test('is found after a reset as if there had been nothing before', async () => {
    const { simulation, cells } = await start(backend, { tuning: { blockSteps: 8 } });
    cells[0].setParameters({ potential_tau: 1000 });
    await simulation.run(20);
    simulation.reset();
    const failure = await simulation.run(100).catch((error) => error);
    expect(failure).toMatchObject({ name: 'NonFiniteError', neuron: BAD, step: await knownStep(backend) });
    const again = await simulation.run(100).catch((error) => error);
    expect([again.step, again.neuron]).toEqual([failure.step, failure.neuron]);
  });

  test.each([1, 5])('is none of what stands beside %i neurons to fill the last lanes', async (units) => {
    let fine = 0;
    for (let seed = 0; seed < 6; seed++) {
      const simulation = await backend.open({ dt: 1, seed, tuning: { blockSteps: 4 } });
      simulation.add(FragileSoma, { units, input: [{ kind: 'white_noise', sd: 30 }] });
      const failure = await simulation.run(8).catch((error) => error);
      if (failure === undefined) fine++;
      else expect(failure).toMatchObject({ name: 'NonFiniteError', state: 'potential' });
    }
    expect(fine).toBeGreaterThan(0);
  });

  test('leaves time and states together where what gives currents fails as well', async () => {
    const simulation = await backend.open({ dt: 1, tuning: { blockSteps: 16 } });
    const read = (first: number, steps: number) => {
      if (first === 48) throw new Error('no more');
      return new Float32Array(steps).fill(first < 32 ? 0 : 100);
    };
    const cells = simulation.add(FragileSoma, { units: 3, input: [{ kind: 'array', shape: [320], read }] });
    await expect(simulation.run(320)).rejects.toThrow(/no more|is no number/);
    expect(await cells.readState('age')).toEqual(new Float32Array(3).fill(simulation.steps));
    expect(simulation.steps).toBe(32);
  });

  test('is told of without snapshots too, with the last step of its block; where none is, nothing is', async () => {
    const step = await knownStep(backend);
    const { simulation } = await start(backend, { tuning: { blockSteps: 8 }, recover: false });
    const failure = await simulation.run(100).catch((error) => error);
    expect(failure).toMatchObject({ population: 'rampant', neuron: BAD, checkpoint: undefined });
    expect(failure.step).toBe(step - (step % 8) + 7);
    const fine = await backend.open({ dt: 0.1, tuning: { blockSteps: 8 } });
    addCells(fine, RunawaySoma, { ...rampant, input: [] });
    await fine.run(100);
  });
});

describe.each(fragile)('a state that is no number, on $name, where the device is lost too,', ({ open }) => {
  test('is found all the same, and the simulation stands as it would have stood', async () => {
    /** @param at - which block is the last that the device is given */
    const go = async (at?: number) => {
      let given = 0;
      const onBlock = () => {
        if (++given === at) lose();
      };
      // Each block is one submit, however slow the device is.
      const tuning = { blockSteps: 64, submit: 2 ** 22 };
      const { simulation, lose } = await open({ tuning, seed: 2 }, onBlock);
      const cells = [addCells(simulation, RunawaySoma, rampant), addCells(simulation, AdEx, calm)];
      const failure = await simulation.run(100).catch((error) => error);
      expect(failure).toBeInstanceOf(NonFiniteError);
      return { failure, simulation, given, outcomes: await Promise.all(cells.map((each) => outcomeOf(each))) };
    };
    const whole = await go();
    // Those of the run, those that are made again, and six to find the step among 64.
    expect(whole.given).toBeGreaterThan(8);
    for (let at = 1; at <= whole.given; at++) {
      const { failure, simulation, outcomes } = await go(at);
      expect([failure.step, failure.neuron]).toEqual([whole.failure.step, whole.failure.neuron]);
      for (const [i, outcome] of outcomes.entries()) expectSameOutcome(outcome, whole.outcomes[i] as typeof outcome);
      expect(simulation.recoveries, `lost after ${at} blocks of ${whole.given}`).toBe(1);
    }
  });
});
