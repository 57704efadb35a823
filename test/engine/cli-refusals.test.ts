// Bad input gets exit 2 and one clear message, and leaves nothing behind; its control, right by a hair, runs.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { unzipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { writeNpz } from '../../src/files/index.ts';
import { bareCli, runExperiment, scratch, somagpu } from '../support/cli.ts';

type Json = Record<string, unknown>;

const cells = (changes: Json = {}): Json => ({
  soma: 'AdaptiveExponentialSoma',
  units: 4,
  input: [{ kind: 'constant', amplitude: 65 }],
  ...changes,
});
const experiment = (population: Json = {}, top: Json = {}): Json => ({
  dt: 0.1,
  duration: 1,
  populations: { cells: cells(population) },
  ...top,
});
const parameters = (given: Json) => experiment({ parameters: given });
const input = (...given: unknown[]) => experiment({ input: given });
const record = (given: Json) => experiment({ record: given });

const files = {
  'good.npz': writeNpz({
    threshold: Float32Array.of(-30, -31, -32, -33),
    broken: Float32Array.of(-30, Number.NaN, -32, -33),
    short: Float32Array.of(-30, -31, -32),
    current: { shape: [10, 4], data: new Float32Array(40) },
    wide: { shape: [10, 5], data: new Float32Array(50) },
    brief: new Float32Array(9),
    hole: Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, Number.NaN),
  }),
  'text.npz': new TextEncoder().encode('this is no zip'),
  'bare.npy': npy(4),
  'short.npy': npy(4).subarray(0, -1),
};

/** The .npy bytes of so many float32, as NumPy writes them: -40, -41 ... */
function npy(count: number): Uint8Array {
  const values = Float32Array.from({ length: count }, (_, i) => -40 - i);
  return unzipSync(writeNpz({ x: values }))['x.npy'] as Uint8Array;
}

const from = (array: string, file = 'good.npz') => ({ file, array });

interface Refusal {
  title: string;
  wrong: unknown;
  right: unknown;
  /** What the message must contain: where, what, why, what would be right. */
  says: string[];
}

const refusals: Refusal[] = [
  {
    title: 'an unknown parameter, with the name that was probably meant',
    wrong: parameters({ spike_slop: 2 }),
    right: parameters({ spike_slope: 2 }),
    says: [
      'populations.cells.parameters: unknown parameter "spike_slop" of AdaptiveExponentialSoma',
      'did you mean "spike_slope"?',
    ],
  },
  {
    title: 'a parameter of another soma, naming the somas that have it',
    wrong: parameters({ cooldown: 2 }),
    right: experiment({ soma: 'RefractoryExponentialSoma', parameters: { cooldown: 2 } }),
    says: [
      'unknown parameter "cooldown"',
      'RefractoryAdaptiveExponentialSoma and RefractoryExponentialSoma and SimplifiedAdaptiveExponentialSoma have it',
    ],
  },
  {
    title: 'an array with another number of values than neurons, naming both',
    wrong: parameters({ threshold: [-30, -31, -32] }),
    right: parameters({ threshold: [-30, -31, -32, -33] }),
    says: ['populations.cells.parameters.threshold', 'has 3 values for 4 neurons', 'one value a neuron'],
  },
  {
    title: 'an array of a file with another number of values than neurons',
    wrong: parameters({ threshold: from('short') }),
    right: parameters({ threshold: from('threshold') }),
    says: ['parameters.threshold', 'has 3 values for 4 neurons'],
  },
  {
    title: 'NaN in an array of a file, naming the neuron',
    wrong: parameters({ threshold: from('broken') }),
    right: parameters({ threshold: from('threshold') }),
    says: ['parameters.threshold[1]', 'is not finite', 'NaN'],
  },
  {
    title: 'a NaN written into the JSON, with line and column',
    wrong: '{ "dt": 0.1, "duration": 1,\n "populations": { "cells": { "soma": "ExponentialSoma", "units": NaN } } }',
    right: '{ "dt": 0.1, "duration": 1,\n "populations": { "cells": { "soma": "ExponentialSoma", "units": 1 } } }',
    says: ['line 2, column 66', 'broken JSON'],
  },
  {
    title: 'spike_slope 0',
    wrong: parameters({ spike_slope: 0 }),
    right: parameters({ spike_slope: 0.001 }),
    says: ['parameters.spike_slope', 'must be greater than 0, got 0', '<= 1000 mV', 'default 2'],
  },
  {
    title: 'a spike_slope beyond 1000',
    wrong: parameters({ spike_slope: 1000.5 }),
    right: parameters({ spike_slope: 1000 }),
    says: ['parameters.spike_slope', 'must be at most 1000', '1000.5'],
  },
  {
    title: 'a time constant of 0',
    wrong: parameters({ potential_tau: 0 }),
    right: parameters({ potential_tau: 0.2 }),
    says: ['parameters.potential_tau', 'must be greater than 0, got 0'],
  },
  {
    title: 'a membrane time constant below dt',
    wrong: parameters({ potential_tau: 0.09 }),
    right: parameters({ potential_tau: 0.1, adaptation_subthreshold: 0 }),
    says: ['parameters.potential_tau', 'must not be below the time step of 0.1 ms, got 0.09'],
  },
  {
    title: 'an adaptation time constant below dt',
    wrong: parameters({ adaptation_tau: 0.05 }),
    right: parameters({ adaptation_tau: 0.1, adaptation_subthreshold: 0 }),
    says: ['parameters.adaptation_tau', 'must not be below the time step'],
  },
  {
    title: 'a linear part that grows without bound below threshold',
    wrong: parameters({ adaptation_subthreshold: -2.01 }),
    right: parameters({ adaptation_subthreshold: -2 }),
    says: ['parameters.adaptation_subthreshold', 'unstable below threshold', '-2.01', 'smaller dt'],
  },
  {
    title: 'an unstable neuron in an array, naming it',
    wrong: parameters({ adaptation_subthreshold: [0.5, 0.5, -3, 0.5] }),
    right: parameters({ adaptation_subthreshold: [0.5, 0.5, -2, 0.5] }),
    says: ['parameters.adaptation_subthreshold[2]', 'unstable'],
  },
  {
    title: 'a negative cooldown',
    wrong: experiment({ soma: 'RefractoryExponentialSoma', parameters: { cooldown: -1 } }),
    right: experiment({ soma: 'RefractoryExponentialSoma', parameters: { cooldown: 0 } }),
    says: ['parameters.cooldown', 'must be at least 0, got -1'],
  },
  {
    title: 'a cooldown that a float32 counter cannot hold',
    wrong: experiment({ soma: 'RefractoryExponentialSoma', parameters: { cooldown: 1.7e6 } }),
    right: experiment({ soma: 'RefractoryExponentialSoma', parameters: { cooldown: 1.67e6 } }),
    says: ['parameters.cooldown', '16777214 steps'],
  },
  {
    title: 'a parameter beyond 1e9',
    wrong: parameters({ threshold: 2e9 }),
    right: parameters({ threshold: 1e9 }),
    says: ['parameters.threshold', 'is too large', '2000000000'],
  },
  {
    title: 'a value that is a text',
    wrong: parameters({ threshold: '-30' }),
    right: parameters({ threshold: -30 }),
    says: ['parameters.threshold', 'got "-30"'],
  },
  {
    title: 'a uniform initializer that can leave the allowed range',
    wrong: parameters({ spike_slope: { initializer: 'uniform', low: -1, high: 3 } }),
    right: parameters({ spike_slope: { initializer: 'uniform', low: 1, high: 3 } }),
    says: ['parameters.spike_slope', 'must be greater than 0, got -1'],
  },
  {
    title: 'an unknown initializer',
    wrong: parameters({ threshold: { initializer: 'unifrom', low: -31, high: -29 } }),
    right: parameters({ threshold: { initializer: 'uniform', low: -31, high: -29 } }),
    says: ['parameters.threshold.initializer', 'unknown initializer', 'did you mean "uniform"?'],
  },
  {
    title: 'an unknown key of an initializer',
    wrong: parameters({ threshold: { initializer: 'uniform', low: -31, hgih: -29 } }),
    right: parameters({ threshold: { initializer: 'uniform', low: -31, high: -29 } }),
    says: ['parameters.threshold', 'unknown key "hgih"', 'did you mean "high"?'],
  },
  {
    title: 'a duration that is no whole number of steps, naming its neighbours',
    wrong: experiment({}, { duration: 1.05 }),
    right: experiment({}, { duration: 1.1 }),
    says: ['duration', 'is no whole number of steps of 0.1 ms, got 1.05', 'give 1 or 1.1'],
  },
  {
    title: 'steps and a duration that contradict each other',
    wrong: experiment({}, { steps: 11 }),
    right: experiment({}, { steps: 10 }),
    says: ['steps', 'does not agree with the duration, 10 steps', 'got 11'],
  },
  {
    title: 'more steps than are counted',
    wrong: experiment({}, { duration: 1e300 }),
    right: experiment({}, { dt: 1e-6, duration: 1e-6 }),
    says: ['experiment.json: duration: has 1e+301 steps of 0.1 ms', 'up to 4294967295'],
  },
  {
    title: 'neither steps nor duration',
    wrong: experiment({}, { duration: undefined }),
    right: experiment(),
    says: ['duration', 'is missing'],
  },
  { title: 'a missing dt', wrong: experiment({}, { dt: undefined }), right: experiment(), says: ['dt: is missing'] },
  { title: 'a dt of 0', wrong: experiment({}, { dt: 0 }), right: experiment(), says: ['dt: is no time step, got 0'] },
  {
    title: 'no population',
    wrong: experiment({}, { populations: {} }),
    right: experiment(),
    says: ['populations: has no population'],
  },
  {
    title: 'a seed that is no u32',
    wrong: experiment({}, { seed: 2 ** 32 }),
    right: experiment({}, { seed: 2 ** 32 - 1 }),
    says: ['seed', '4294967296'],
  },
  {
    title: 'an unknown key of the experiment',
    wrong: experiment({}, { durations: 3 }),
    right: experiment(),
    says: ['unknown key "durations"', 'did you mean "duration"?'],
  },
  {
    title: 'an unknown key of a population',
    wrong: experiment({ unit: 4 }),
    right: experiment(),
    says: ['populations.cells', 'unknown key "unit"', 'did you mean "units"?'],
  },
  {
    title: 'an unknown soma',
    wrong: experiment({ soma: 'AdaptiveExponentialSome' }),
    right: experiment(),
    says: ['populations.cells.soma', 'unknown soma', 'did you mean "AdaptiveExponentialSoma"?'],
  },
  {
    title: 'units of 0',
    wrong: experiment({ units: 0 }),
    right: experiment({ units: 1 }),
    says: ['populations.cells.units', 'got 0'],
  },
  {
    title: 'units that are no whole number',
    wrong: experiment({ units: [2, 1.5] }),
    right: experiment({ units: [2, 2] }),
    says: ['populations.cells.units', '[2,1.5]'],
  },
  {
    title: 'more neurons than the memory holds, with the numbers',
    wrong: experiment({ units: 1e12 }),
    right: experiment({ units: 1e4 }),
    says: ['populations.cells.units', 'too many neurons for the memory: needs', 'GiB, has', 'give at most'],
  },
  {
    title: 'names of populations that differ only in case',
    wrong: experiment({}, { populations: { cells: cells(), Cells: cells() } }),
    right: experiment({}, { populations: { cells: cells(), Cells2: cells() } }),
    says: ['populations.Cells', 'case does not count'],
  },
  {
    title: 'a name that is no name',
    wrong: experiment({}, { populations: { '2cells': cells() } }),
    right: experiment({}, { populations: { cells2: cells() } }),
    says: ['populations.2cells', 'is no name for a population'],
  },
  {
    title: 'a file that is not there',
    wrong: parameters({ threshold: from('threshold', 'absent.npz') }),
    right: parameters({ threshold: from('threshold') }),
    says: ['populations.cells.parameters.threshold', 'absent.npz', 'relative to the experiment'],
  },
  {
    title: 'a file that is no npz',
    wrong: parameters({ threshold: from('threshold', 'text.npz') }),
    right: parameters({ threshold: from('threshold') }),
    says: ['populations.cells.parameters.threshold', 'text.npz', 'zip'],
  },
  {
    title: 'an array that the npz does not have, naming those it has',
    wrong: parameters({ threshold: from('treshold') }),
    right: parameters({ threshold: from('threshold') }),
    says: ['parameters.threshold', 'treshold', 'did you mean "threshold"?'],
  },
  {
    title: 'a name of the array in a .npy file, which has one without',
    wrong: parameters({ threshold: from('x', 'bare.npy') }),
    right: parameters({ threshold: { file: 'bare.npy' } }),
    says: ['parameters.threshold.array', 'names an array of a .npy file', 'leave it out'],
  },
  {
    title: 'a .npy file cut short',
    wrong: parameters({ threshold: { file: 'short.npy' } }),
    right: parameters({ threshold: { file: 'bare.npy' } }),
    says: ['parameters.threshold', 'short.npy', 'promises 16 bytes for the shape (4), but 15 bytes'],
  },
  {
    title: 'a file of arrays without the name of one',
    wrong: parameters({ threshold: { file: 'good.npz' } }),
    right: parameters({ threshold: from('threshold') }),
    says: ['parameters.threshold.array', 'is no name', '{ "file": FILE, "array": NAME }'],
  },
  {
    title: 'an unknown kind of input',
    wrong: input({ kind: 'stepp', amplitude: 1 }),
    right: input({ kind: 'step', amplitude: 1 }),
    says: ['input[0].kind', 'unknown kind', 'did you mean "step"?'],
  },
  {
    title: 'an input without its amplitude',
    wrong: input({ kind: 'constant' }),
    right: input({ kind: 'constant', amplitude: 1 }),
    says: ['input[0].amplitude', 'is missing'],
  },
  {
    title: 'an unknown key of an input',
    wrong: input({ kind: 'step', amplitude: 1, begin: 2 }),
    right: input({ kind: 'step', amplitude: 1, start: 2 }),
    says: ['input[0]', 'unknown key "begin"', 'start'],
  },
  {
    title: 'a step that stops before it starts',
    wrong: input({ kind: 'step', amplitude: 1, start: 2, stop: 1 }),
    right: input({ kind: 'step', amplitude: 1, start: 1, stop: 2 }),
    says: ['input[0].stop', 'is before start'],
  },
  {
    title: 'a current beyond 1e12 pA',
    wrong: input({ kind: 'constant', amplitude: 1.1e12 }),
    right: input({ kind: 'constant', amplitude: 1e12 }),
    says: ['input[0].amplitude', 'is too large'],
  },
  {
    title: 'an array input of another shape, naming both',
    wrong: input({ kind: 'array', ...from('wide') }),
    right: input({ kind: 'array', ...from('current') }),
    says: ['input[0]', '[10, 5]', '[steps] or [steps, 4]'],
  },
  {
    title: 'an array input shorter than the run',
    wrong: input({ kind: 'array', ...from('brief') }),
    right: experiment({ input: [{ kind: 'array', ...from('brief') }] }, { duration: 0.9 }),
    says: ['input[0]', '9 steps of the 10'],
  },
  {
    title: 'NaN in an array input, which is found when it is read',
    wrong: input({ kind: 'array', ...from('hole') }),
    right: experiment({ input: [{ kind: 'array', ...from('hole') }] }, { duration: 0.9 }),
    says: ['populations.cells.input[0].read(0, 10)[9]: is not finite, got NaN'],
  },
  {
    title: 'true in the place of a recorded state, which only spikes can be',
    wrong: record({ states: { potential: true } }),
    right: record({ states: { potential: {} } }),
    says: ['populations.cells.record.states.potential: is no object, got true'],
  },
  {
    title: 'a recorded neuron that does not exist',
    wrong: record({ states: { potential: { neurons: [0, 4] } } }),
    right: record({ states: { potential: { neurons: [0, 3] } } }),
    says: ['record.states.potential.neurons[1]', 'got 4', 'from 0 to 3'],
  },
  {
    title: 'a state the soma does not have',
    wrong: record({ states: { blocked: {} } }),
    right: record({ states: { adaptation: {} } }),
    says: ['record.states', 'unknown state "blocked" of AdaptiveExponentialSoma', 'potential, adaptation'],
  },
  {
    title: 'an unknown key of record',
    wrong: record({ spike: true }),
    right: record({ spikes: true }),
    says: ['cells.record', 'unknown key "spike"'],
  },
  {
    title: 'an inhibitory neuron that does not exist',
    wrong: experiment({ inhibitory: [4] }),
    right: experiment({ inhibitory: [3] }),
    says: ['inhibitory[0]', 'got 4'],
  },
  {
    title: 'an initial state the soma does not have',
    wrong: experiment({ initial: { potentail: -60 } }),
    right: experiment({ initial: { potential: -60 } }),
    says: ['cells.initial', 'unknown state "potentail"', 'did you mean "potential"?'],
  },
  {
    title: 'a __proto__ that would be inherited from',
    wrong:
      '{ "__proto__": { "dt": 0.1 }, "duration": 1, "populations": { "c": { "soma": "ExponentialSoma", "units": 1 } } }',
    right: '{ "dt": 0.1, "duration": 1, "populations": { "c": { "soma": "ExponentialSoma", "units": 1 } } }',
    says: ['line 1, column 3', '__proto__'],
  },
  {
    title: 'a parameter called as something every object has',
    wrong: parameters({ toString: 1 }),
    right: parameters({ threshold: -30 }),
    says: ['unknown parameter "toString"'],
  },
  {
    title: 'a shape beside a file, which has its own',
    wrong: input({ kind: 'array', ...from('current'), shape: [10, 4] }),
    right: input({ kind: 'array', ...from('current') }),
    says: ['input[0]', 'unknown key "shape"'],
  },
  {
    title: 'an array input without values or file',
    wrong: input({ kind: 'array' }),
    right: input({ kind: 'array', values: Array(10).fill(1) }),
    says: ['input[0]', 'has no values', 'file and array'],
  },
  {
    title: 'an array input whose values are no list',
    wrong: input({ kind: 'array', values: 1 }),
    right: input({ kind: 'array', values: Array(10).fill(1) }),
    says: ['populations.cells.input[0].values: is no list, got 1', 'one value a step, or one a step and neuron'],
  },
  {
    title: 'null in the place of a list of inputs',
    wrong: experiment({ input: null }),
    right: experiment({ input: [] }),
    says: ['cells.input', 'got null'],
  },
  {
    title: 'a ring of more samples than fit into memory, before the run that would lose them',
    wrong: experiment({ units: 100000, record: { states: { potential: { last: 600 } } } }, { duration: 600 }),
    right: experiment(
      { units: 100000, record: { states: { potential: { last: 600, every: 6000 } } } },
      { duration: 1 },
    ),
    says: ['cells.record.states.potential', 'would take 2400000000 bytes', 'set every'],
  },
  {
    title: 'an initial state beyond what a step can take',
    wrong: experiment({ initial: { adaptation: 1e13 } }),
    right: experiment({ initial: { adaptation: 1e12 } }),
    says: ['cells.initial.adaptation', 'is too large'],
  },
  {
    title: 'a key that stands twice',
    wrong:
      '{ "dt": 0.1, "dt": 0.2, "duration": 1, "populations": { "cells": { "soma": "ExponentialSoma", "units": 1 } } }',
    right: '{ "dt": 0.2, "duration": 1, "populations": { "cells": { "soma": "ExponentialSoma", "units": 1 } } }',
    says: ['line 1, column 14', '"dt" stands twice'],
  },
];

describe('the command line refuses', () => {
  it.each(refusals)('$title', async ({ wrong, right, says }) => {
    const refused = await runExperiment(wrong, { files });
    expect(refused.stderr).toMatch(/^somagpu: experiment\.json: [^\n]*\n$/);
    for (const words of says) expect(refused.stderr).toContain(words);
    expect(refused).toMatchObject({ code: 2, stdout: '', written: [] });
    const control = await runExperiment(right, { files });
    expect(control).toMatchObject({ code: 0, stderr: '' });
    expect(control.written).toContain('summary.json');
  });

  it('an experiment file that is not there', async () => {
    const outcome = await somagpu(['run', 'absent.json', '--out', 'out'], { cwd: scratch() });
    expect(outcome).toMatchObject({ code: 2, stdout: '' });
    expect(outcome.stderr).toMatch(/^somagpu: absent\.json: [^\n]*ENOENT[^\n]*\n$/);
  });

  it('a byte order mark nowhere but at the beginning', async () => {
    const cwd = scratch();
    writeFileSync(join(cwd, 'e.json'), `\ufeff${JSON.stringify(experiment())}`);
    writeFileSync(join(cwd, 'two.json'), `\ufeff\ufeff${JSON.stringify(experiment())}`);
    expect(await somagpu(['run', 'two.json', '--out', 'out'], { cwd })).toMatchObject({ code: 2 });
    expect(await somagpu(['run', 'e.json', '--out', 'out'], { cwd })).toMatchObject({ code: 0, stderr: '' });
  });

  it('an --out that is a file, or no name', async () => {
    const cwd = scratch();
    writeFileSync(join(cwd, 'e.json'), JSON.stringify(experiment()));
    expect(await somagpu(['run', 'e.json', '--out', ''], { cwd })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--out: is no name'),
    });
    writeFileSync(join(cwd, 'taken'), '');
    const outcome = await somagpu(['run', 'e.json', '--out', 'taken'], { cwd });
    expect(outcome).toMatchObject({ code: 2, stdout: '' });
    expect(outcome.stderr).toMatch(/^somagpu: --out: is, or lies in, a file[^\n]*\n$/);
    expect(await somagpu(['run', 'e.json', '--out', 'free'], { cwd })).toMatchObject({ code: 0 });
  });

  it.each([
    { title: 'a missing --out', args: ['run', 'x.json'], says: '--out' },
    { title: 'an unknown option', args: ['run', 'x.json', '--out', 'o', '--sed', '3'], says: 'Did you mean --seed?' },
    {
      title: 'an unknown backend',
      args: ['run', 'x.json', '--out', 'o', '--backend', 'cuda'],
      says: 'Allowed choices are auto, webgpu, cpu',
    },
    {
      title: 'a seed that is no number',
      args: ['run', 'x.json', '--out', 'o', '--seed', 'x'],
      says: '0 to 4294967295',
    },
    { title: 'an unknown command', args: ['simulate'], says: "unknown command 'simulate'" },
    { title: 'an unknown soma to print', args: ['somas', 'Exponentialsoma'], says: 'did you mean "ExponentialSoma"?' },
  ])('$title', async ({ args, says }) => {
    const outcome = await somagpu(args, { cwd: scratch() });
    expect(outcome).toMatchObject({ code: 2, stdout: '' });
    expect(outcome.stderr).toContain(says);
  });

  it('a backend that is not here, with exit 3 and what to do', async () => {
    const cli = bareCli();
    const outcome = await runExperiment(experiment(), { cli, args: ['--backend', 'webgpu'] });
    expect(outcome).toMatchObject({ code: 3, stdout: '', written: [] });
    expect(outcome.stderr).toContain('npm install webgpu');
    expect(await runExperiment(experiment(), { cli, args: ['--backend', 'auto'] })).toMatchObject({ code: 0 });
  });
});
