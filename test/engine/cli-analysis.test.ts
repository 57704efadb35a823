// somagpu fi and somagpu rheobase, seen from outside: what they print, what they refuse.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fiCurve } from '../../src/analysis/index.ts';
import { AdaptiveExponentialSoma, type AdaptiveExponentialSomaConfig, Simulation } from '../../src/index.ts';
import { scratch, somagpu } from '../support/cli.ts';

const experiment = {
  dt: 0.05,
  duration: 100,
  seed: 7,
  populations: {
    one: {
      soma: 'AdaptiveExponentialSoma',
      units: [2, 2],
      parameters: {
        resistance: 0.4,
        adaptation_delta: [5, 6, 7, 8],
        threshold: { initializer: 'uniform', low: -35, high: -25 },
      },
    },
    two: { soma: 'ExponentialSoma', units: 3, input: [{ kind: 'constant', amplitude: 65 }] },
  },
};

function folder(changes: object = {}): string {
  const cwd = scratch();
  writeFileSync(join(cwd, 'e.json'), JSON.stringify({ ...experiment, ...changes }));
  return cwd;
}

const json = async (args: string[], cwd = scratch()) => {
  const { code, stdout, stderr } = await somagpu([...args, '--json'], { cwd });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout);
};

describe('somagpu fi', () => {
  it('prints a line a current: spikes, rates, latency and pattern', async () => {
    const args = ['fi', 'AdaptiveExponentialSoma', '--to', '130', '--points', '3', '--duration', '500'];
    const { code, stdout, stderr } = await somagpu(args, { cwd: scratch() });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const [title, head, , ...lines] = stdout.trimEnd().split('\n');
    expect(title).toBe('AdaptiveExponentialSoma');
    expect(head).toMatch(/^current pA {2}spikes +rate Hz +first Hz +steady Hz +latency ms +pattern$/);
    expect(lines[0]).toMatch(/^ +0 +0 +0\.00 +0\.00 +0\.00 +silent$/);
    expect(lines[1]).toMatch(/^ +65 +1\d +[\d.]+ +[\d.]+ +[\d.]+ +6\.\d0 +initial burst$/);
    expect(lines.at(-1)).toBe(
      '500 ms at dt 0.1 ms; first: of the first interval; steady: of those that end after 250 ms',
    );
  });

  it('prints as JSON what fiCurve gives', async () => {
    const args = ['fi', 'AdaptiveExponentialSoma', '--set', 'adaptation_delta=20', '--set', 'resistance=0.4'];
    const more = [
      '--from',
      '40',
      '--to',
      '120',
      '--points',
      '5',
      '--dt',
      '0.05',
      '--duration',
      '400',
      '--settle',
      '100',
    ];
    const printed = await json([...args, ...more]);
    const parameters = { adaptation_delta: 20, resistance: 0.4 };
    const currents = [40, 60, 80, 100, 120];
    const curve = await fiCurve(AdaptiveExponentialSoma, {
      parameters,
      currents,
      dt: 0.05,
      duration: 400,
      settle: 100,
    });
    expect(printed).toMatchObject({
      ...{ soma: 'AdaptiveExponentialSoma', dt: 0.05, duration: 400, settle: 100, current: currents },
      spikes: Array.from(curve.counts),
      rate_hz: Array.from(curve.rates),
      first_hz: Array.from(curve.first),
      steady_hz: Array.from(curve.steady),
      latency: Array.from(curve.latencies, (latency) => (Number.isNaN(latency) ? null : latency)),
    });
    expect(printed.parameters).toMatchObject({ ...parameters, spike_slope: 2 });
    expect(printed.pattern).toHaveLength(5);
  });

  it('goes by default from 0 to three times what brings a passive membrane to the rheobase threshold', async () => {
    const { current } = await json(['fi', 'ExponentialSoma', '--duration', '10']);
    expect([current.length, current[0], current.at(-1)]).toEqual([25, 0, 120]);
  });

  it('takes a neuron of an experiment file, with its parameters as a run has them, its dt, and no input', async () => {
    const cwd = folder();
    const args = ['fi', 'e.json', '--population', 'one', '--to', '100', '--points', '3', '--duration', '50'];
    const [first, third] = [await json(args, cwd), await json([...args, '--neuron', '2'], cwd)];
    expect(first.dt).toBe(0.05);
    expect(first.parameters).toMatchObject({ resistance: 0.4, adaptation_delta: 5 });
    expect(third.parameters).toMatchObject({ resistance: 0.4, adaptation_delta: 7 });
    // What the engine itself drew: a hair above its threshold a neuron spikes, a hair below it does not.
    const { parameters } = experiment.populations.one;
    const simulation = await Simulation.create({ dt: 0.05, seed: 7, backend: 'cpu' });
    const cells = simulation.add(AdaptiveExponentialSoma, {
      ...{ name: 'one', units: [2, 2], parameters: parameters as AdaptiveExponentialSomaConfig },
    });
    for (const [neuron, { threshold }] of [
      [0, first.parameters],
      [2, third.parameters],
    ] as const) {
      expect(threshold).toBeGreaterThan(-35);
      expect(threshold).toBeLessThan(-25);
      for (const [above, spikes] of [
        [-1e-3, 0],
        [1e-3, 1],
      ] as const) {
        // Leak and exponential would move it: they are taken out.
        cells.setParameters({ rheobase_threshold: 1000, potential_tau: 1e6 });
        cells.setState({ potential: threshold + above });
        const { one } = await simulation.step();
        expect(one?.[neuron]).toBe(spikes);
      }
    }
    simulation.dispose();
    const two = await json(['fi', 'e.json', '--population', 'two', '--to', '20', '--points', '2'], cwd);
    expect(two.spikes).toEqual([0, 0]);
    expect((await somagpu(['fi', 'e.json', '--population', 'two', '--points', '2'], { cwd })).stdout).toMatch(
      /^ExponentialSoma, neuron 0 of two in e\.json\n/,
    );
  });
});

describe('somagpu rheobase', () => {
  it('prints the rheobase from the equations and by steps', async () => {
    const { code, stdout, stderr } = await somagpu(['rheobase', 'AdaptiveExponentialSoma'], { cwd: scratch() });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const lines = stdout.trimEnd().split('\n');
    expect(lines[0]).toBe('AdaptiveExponentialSoma');
    expect(lines[3]).toMatch(/^equations +46\.044 +Hopf bifurcation: rest gives way to oscillations$/);
    expect(lines[4]).toMatch(/^ +46\.116 +saddle-node$/);
    const steps = /^steps +(38\.\d{3,}) +a spike within 1000 ms at dt 0\.1 ms; silent at (38\.\d{3,})$/.exec(
      lines[5] ?? '',
    );
    expect(Number(steps?.[1])).toBeGreaterThan(Number(steps?.[2]));
  });

  it('prints them as JSON, and a rheobase that is not there as null', async () => {
    const args = ['rheobase', 'ExponentialSoma', '--precision', '0.001', '--duration', '500'];
    const { equations, steps } = await json(args);
    expect(equations).toEqual({ current: 36, kind: 'saddle-node', saddle_node: 36, hopf: null });
    expect(steps).toMatchObject({ dt: 0.1, duration: 500, settle: 0 });
    expect(steps.silent).toBeGreaterThanOrEqual(36);
    expect(steps.firing - steps.silent).toBeLessThanOrEqual(0.001);
  });

  it('of the regular spiking cell of Brette & Gerstner is the published one', async () => {
    const experiment = {
      ...{ dt: 0.1, duration: 1 },
      populations: {
        cells: {
          soma: 'AdaptiveExponentialSoma',
          units: 1,
          parameters: {
            biophysics: {
              ...{ C: 281, g_L: 30, E_L: -70.6, V_T: -50.4, Delta_T: 2, V_peak: -40.4, V_reset: -70.6 },
              ...{ tau_w: 144, a: 4, b: 80.5 },
            },
          },
        },
      },
    };
    const { equations } = await json(['rheobase', 'e.json'], folder(experiment));
    expect([equations.saddle_node.toFixed(3), equations.hopf.toFixed(3)]).toEqual(['627.311', '627.182']);
  });
});

describe('about one neuron the command line refuses', () => {
  interface Refusal {
    title: string;
    wrong: string[];
    right: string[];
    says: string;
  }
  const eif = ['rheobase', 'ExponentialSoma', '--duration', '20'];
  const fi = ['fi', 'ExponentialSoma', '--duration', '5', '--points', '2'];
  const file = ['fi', 'e.json', '--duration', '5', '--points', '2'];
  const refusals: Refusal[] = [
    {
      title: 'an unknown soma',
      wrong: ['fi', 'ExponentialSom'],
      right: fi,
      says: 'soma: neither a soma nor a file, got "ExponentialSom"; did you mean "ExponentialSoma"?',
    },
    {
      title: 'a file that is not there',
      wrong: ['fi', 'f.json'],
      right: [...file, '--population', 'one'],
      says: 'f.json: cannot be read (ENOENT)',
    },
    {
      title: 'no population where there are several',
      wrong: file,
      right: [...file, '--population', 'two'],
      says: '--population: is missing, and there are several; known: one, two',
    },
    {
      title: 'an unknown population',
      wrong: [...file, '--population', 'tow'],
      right: [...file, '--population', 'two'],
      says: 'did you mean "two"?',
    },
    {
      title: 'a neuron that is not there',
      wrong: [...file, '--population', 'one', '--neuron', '4'],
      right: [...file, '--population', 'one', '--neuron', '3'],
      says: '--neuron: is not among the 4 of one, got 4; give 0 to 3',
    },
    {
      title: 'a population of a soma',
      wrong: [...fi, '--population', 'one'],
      right: fi,
      says: '--population: goes with an experiment file, got "one"',
    },
    {
      title: 'a neuron of a soma',
      wrong: [...eif, '--neuron', '0'],
      right: eif,
      says: '--neuron: goes with an experiment file, got 0',
    },
    {
      title: 'an unknown parameter',
      wrong: [...eif, '--set', 'spike_slop=2'],
      right: [...eif, '--set', 'spike_slope=2'],
      says: '--set: unknown parameter "spike_slop" of ExponentialSoma; did you mean "spike_slope"?',
    },
    {
      title: 'a parameter out of range',
      wrong: [...eif, '--set', 'spike_slope=0'],
      right: [...eif, '--set', 'spike_slope=0.5'],
      says: '--set.spike_slope: must be greater than 0, got 0; allowed: > 0, <= 1000 mV; default 2',
    },
    {
      title: 'a time constant below dt',
      wrong: [...eif, '--set', 'potential_tau=0.1', '--dt', '0.2'],
      right: [...eif, '--set', 'potential_tau=0.1', '--dt', '0.1'],
      says: '--set.potential_tau: must not be below the time step of 0.2 ms',
    },
    {
      title: 'a setting without a value',
      wrong: [...eif, '--set', 'spike_slope'],
      right: [...eif, '--set', 'spike_slope=2'],
      says: 'It wants the name of a parameter and a number: spike_slope=1.5.',
    },
    {
      title: 'a setting that stands twice',
      wrong: [...eif, '--set', 'spike_slope=2', '--set', 'spike_slope=3'],
      right: [...eif, '--set', 'spike_slope=2', '--set', 'resistance=0.4'],
      says: 'spike_slope was set before',
    },
    {
      title: 'a dt of 0',
      wrong: [...eif, '--dt', '0'],
      right: [...eif, '--dt', '0.05'],
      says: '--dt: is no time step, got 0',
    },
    {
      title: 'a duration that is no whole number of steps',
      wrong: [...fi, '--duration', '5.05'],
      right: [...fi, '--duration', '5.1'],
      says: '--duration: is no whole number of steps of 0.1 ms',
    },
    { title: 'one point', wrong: [...fi, '--points', '1'], right: fi, says: '--points: must be at least 2, got 1' },
    {
      title: 'currents the wrong way round',
      wrong: [...fi, '--from', '5', '--to', '-5'],
      right: [...fi, '--from', '-5', '--to', '5'],
      says: '--to: is not above from, 5, got -5',
    },
    {
      title: 'a current that is no number',
      wrong: [...fi, '--to', 'much'],
      right: [...fi, '--to', '1e2'],
      says: 'It wants a number of pA.',
    },
    {
      title: 'a range without a rheobase',
      wrong: [...eif, '--from', '0', '--to', '5'],
      right: [...eif, '--from', '0', '--to', '500'],
      says: '--to: it does not fire within 20 ms up to 5 pA',
    },
    {
      title: 'a precision of 0',
      wrong: [...eif, '--precision', '0'],
      right: [...eif, '--precision', '1'],
      says: '--precision: must be greater than 0, got 0',
    },
  ];

  it.each(refusals)('$title', async ({ wrong, right, says }) => {
    const cwd = folder();
    const refused = await somagpu(wrong, { cwd });
    expect(refused.stderr).toContain(says);
    expect(refused).toMatchObject({ code: 2, stdout: '' });
    expect(await somagpu(right, { cwd })).toMatchObject({ code: 0, stderr: '' });
  });
});
