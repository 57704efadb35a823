// `somagpu import-spark` on files that Spark 1.0.0 wrote itself: what comes out is right, runs, and does what Spark did;
// what is no such file is refused with exit 2, beside its control.

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readNpzArray, writeNpz } from '../../src/files/index.ts';
import { bareCli, runExperiment, scratch, somagpu } from '../support/cli.ts';
import { type ReferenceCase, referenceCases } from '../support/reference.ts';

const saved = (name: string) => new URL(`../data/spark-configs/${name}.scfg`, import.meta.url).pathname;

const imported = async (file: string, ...args: string[]) => {
  const outcome = await somagpu(['import-spark', file, ...args], { cwd: scratch() });
  return { ...outcome, experiment: outcome.code === 0 ? JSON.parse(outcome.stdout) : undefined };
};

const membrane = {
  ...{ potential_rest: -70, potential_reset: -51, potential_tau: 5, resistance: 0.5 },
  ...{ threshold: -30, rheobase_threshold: -50, spike_slope: 2 },
};

/** What the files hold, read with Python's lzma and json. */
const contents: [name: string, soma: string, dt: number, seed: number, parameters: object, named: string[]][] = [
  [
    'adaptive',
    'AdaptiveExponentialSoma',
    0.1,
    3,
    { ...membrane, potential_reset: -58, adaptation_tau: 100, adaptation_delta: 60, adaptation_subthreshold: 0.5 },
    ["JAX's random keys", 'current and inhibition_mask'],
  ],
  [
    'exponential',
    'ExponentialSoma',
    1,
    1,
    { ...membrane, spike_slope: { initializer: 'spark_sparse_uniform', scale: 2, density: 0.5 } },
    [
      ...['dtype float16', "JAX's random keys; the seed is 1, but it draws other numbers: spike_slope", 'current'],
      // Half of its slopes are 0, with which Spark's own soma divides.
      'what a run refuses until it is changed: cells.parameters.spike_slope: must be greater than 0, got 0',
    ],
  ],
  [
    'refractory',
    'RefractoryExponentialSoma',
    1,
    1,
    { ...membrane, cooldown: 2 },
    ['dtype float16', "JAX's random keys", 'current'],
  ],
  [
    'simplified',
    'SimplifiedAdaptiveExponentialSoma',
    1,
    3,
    {
      ...membrane,
      resistance: [0.10000000149011612, 0.20000000298023224, 0.30000001192092896],
      threshold: { initializer: 'spark_uniform', scale: 5, min_value: -40, max_value: -30 },
      ...{ cooldown: 2, threshold_tau: 20, threshold_delta: 100 },
    },
    ['dtype float16', "JAX's random keys; the seed is 3, but it draws other numbers: threshold", 'current'],
  ],
];

describe('a file that Spark wrote', () => {
  test.each(contents)(
    '%s becomes an experiment, and what it lost is named',
    async (name, soma, dt, seed, parameters, named) => {
      const { code, experiment, stderr } = await imported(saved(name), '--units', '3');
      expect(code).toBe(0);
      const cells = { soma, units: 3, parameters, record: { spikes: true } };
      expect(experiment).toEqual({ dt, duration: 1000, seed, populations: { cells } });
      const lines = stderr.trimEnd().split('\n');
      expect(lines).toHaveLength(named.length);
      lines.forEach((line, i) => {
        expect(line.startsWith(`not carried over: ${named[i]}`), line).toBe(true);
      });
    },
  );

  test('is unpacked without any other package installed', async () => {
    const cwd = scratch();
    const run = await somagpu(['import-spark', saved('adaptive'), '--units', '2'], { cwd, cli: bareCli() });
    expect(run.code).toBe(0);
    expect(JSON.parse(run.stdout).populations.cells.soma).toBe('AdaptiveExponentialSoma');
  });

  test('gives an experiment that runs as it is, and whose neurons rest without an input', async () => {
    const { stdout } = await imported(saved('adaptive'), '--units', '2x3', '--duration', '20');
    const run = await runExperiment(stdout);
    expect(run).toMatchObject({ code: 0, stderr: '', written: ['cells.npz', 'summary.json'] });
    const { steps, populations } = JSON.parse(run.read('summary.json').toString());
    expect({ steps, units: populations.cells.units, spikes: populations.cells.spikes }).toEqual({
      ...{ steps: 200, units: [2, 3], spikes: 0 },
    });
  });

  test('with an input added does what Spark did, spike by spike', async () => {
    const named = (name: string) => referenceCases.find((reference) => reference.name === name) as ReferenceCase;
    const { neurons, steps, current, spikes } = named('RefractoryExponentialSoma-defaults');
    const { experiment } = await imported(saved('refractory'), '--units', `${neurons}`, '--duration', `${steps}`);
    experiment.populations.cells.input = [{ kind: 'array', file: 'current.npz', array: 'current' }];
    const files = { 'current.npz': writeNpz({ current: { shape: [steps, neurons], data: current } }) };
    const run = await runExperiment(experiment, { files });
    expect(run.code, run.stderr).toBe(0);
    const [at, which] = ['spike_steps', 'spike_neurons'].map((name) => readNpzArray(run.read('cells.npz'), name).data);
    const found = Array.from(at as Uint32Array, (step, i) => step * neurons + ((which as Uint32Array)[i] as number));
    const fired = [...spikes.keys()].filter((i) => spikes[i] === 1);
    expect(fired.length).toBeGreaterThan(100);
    expect(found).toEqual(fired);
  });
});

describe('the options', () => {
  const plain = JSON.stringify({ __type__: 'exponential_soma_config', __cfg__: { dt: 0.5, potential_tau: 5 } });
  const write = (content: string | Uint8Array) => {
    const file = join(scratch(), 'saved.scfg');
    writeFileSync(file, content);
    return file;
  };

  test('a plain JSON works too, with another time step', async () => {
    const { experiment } = await imported(write(plain), '--units', '4', '--dt', '0.1', '--duration', '5');
    expect(experiment).toMatchObject({ dt: 0.1, duration: 5 });
  });

  test('--out writes a file whole, and its folder, and nothing to stdout', async () => {
    const cwd = scratch();
    const args = ['import-spark', saved('refractory'), '--units', '2', '--out', 'new/experiment.json'];
    const run = await somagpu(args, { cwd });
    expect(run).toMatchObject({ code: 0, stdout: '' });
    expect(run.stderr).toContain('not carried over: dtype float16');
    expect(readdirSync(join(cwd, 'new'))).toEqual(['experiment.json']);
    const { stdout } = await imported(saved('refractory'), '--units', '2');
    expect(readFileSync(join(cwd, 'new/experiment.json'), 'utf8')).toBe(stdout);
  });

  test('--out that is a folder is refused', async () => {
    const cwd = scratch();
    mkdirSync(join(cwd, 'there'));
    const run = await somagpu(['import-spark', saved('refractory'), '--units', '2', '--out', 'there'], { cwd });
    expect(run).toMatchObject({ code: 2, stdout: '' });
    expect(run.stderr).toContain('--out: is a folder');
  });

  test.each([
    ['no --units', [], ['--units', '1'], "'--units <n>' not specified"],
    ['units that are none', ['--units', '0'], ['--units', '1'], 'It wants a number of neurons, or their shape'],
    ['a shape with a hole', ['--units', '8x'], ['--units', '8x8'], 'It wants a number of neurons, or their shape'],
    [
      'a time step of 0',
      ['--units', '1', '--dt', '0'],
      ['--units', '1', '--dt', '0.1'],
      '--dt: is no time step, got 0',
    ],
    ['a time step in words', ['--units', '1', '--dt', 'x'], ['--units', '1', '--dt', '1'], 'It wants a number of ms'],
    [
      'a duration between steps',
      ['--units', '1', '--duration', '1.2'],
      ['--units', '1', '--duration', '1.5'],
      'duration: is no whole number of steps of 0.5 ms',
    ],
  ])('%s is refused with exit 2', async (_title, wrong, right, says) => {
    const file = write(plain);
    const refused = await imported(file, ...wrong);
    expect(refused).toMatchObject({ code: 2, stdout: '' });
    expect(refused.stderr).toContain(says);
    expect((await imported(file, ...right)).code).toBe(0);
  });

  const packed = readFileSync(saved('adaptive'));
  const flipped = Uint8Array.from(packed, (byte, i) => (i === 100 ? byte ^ 1 : byte));
  test.each([
    ['an xz file cut short', packed.subarray(0, 200), packed, 'is no xz file that can be unpacked'],
    ['an xz file cut behind its first bytes', packed.subarray(0, 6), packed, 'is no xz file that can be unpacked'],
    ['an xz file with a flipped bit', flipped, packed, 'is no xz file that can be unpacked'],
    ['an empty file', new Uint8Array(), packed, 'is neither JSON nor JSON in xz'],
    ['another kind of file', Uint8Array.of(0x50, 0x4b, 3, 4), packed, 'is neither JSON nor JSON in xz'],
    ['broken JSON', `${plain.slice(0, -1)},}`, plain, 'broken JSON'],
    ['NaN, which Python writes and JSON has not', plain.replace('0.5', 'NaN'), plain, 'line 1, column'],
    ['an experiment file', '{ "dt": 0.1, "steps": 1 }', plain, '__type__: is no exponential soma of Spark'],
  ])('%s is refused with exit 2 and a sentence that names it', async (_title, wrong, right, says) => {
    const refused = await imported(write(wrong), '--units', '1');
    expect(refused).toMatchObject({ code: 2, stdout: '' });
    expect(refused.stderr).toContain(says);
    expect(refused.stderr).toMatch(/^somagpu: .*saved\.scfg: .+; .+\n$/);
    expect((await imported(write(right), '--units', '1')).code).toBe(0);
  });

  test('a file that is not there is refused with exit 2', async () => {
    const refused = await imported(join(scratch(), 'none.scfg'), '--units', '1');
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain('cannot be read (ENOENT)');
  });
});
