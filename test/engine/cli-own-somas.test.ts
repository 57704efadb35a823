// `somagpu run` with somas in files of their own, beside the experiment.

import { spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { CHECKPOINT } from '../../src/cli/folder.ts';
import { defineSoma } from '../../src/define.ts';
import { readExperiment } from '../../src/experiment.ts';
import { readNpzArray } from '../../src/files/index.ts';
import { Simulation } from '../../src/index.ts';
import { CLI, runExperiment, scratch, somagpu } from '../support/cli.ts';

const law = (name: string) => readFileSync(new URL(`../../examples/somas/${name}.wgsl`, import.meta.url));
const files = { 'izhikevich.wgsl': law('izhikevich'), 'my-leaky.wgsl': law('leaky') };
const wrong = (from: string, to: string) => Buffer.from(law('izhikevich').toString().replace(from, to));

const experiment = (soma: unknown = { file: 'izhikevich.wgsl' }, more = {}) => ({
  dt: 0.1,
  duration: 200,
  seed: 3,
  populations: {
    cells: {
      soma,
      units: 4,
      parameters: { a: [0.02, 0.02, 0.02, 0.1], c: [-65, -55, -50, -65], d: [8, 4, 2, 2] },
      input: [{ kind: 'constant', amplitude: 10 }],
      record: { spikes: true, states: { recovery: { every: 10 } } },
    },
    ...more,
  },
});

describe.each(['cpu', 'webgpu'] as const)('somas of files, on %s', (backend) => {
  const args = ['--backend', backend];

  test('spike and are recorded as those that code defines', async () => {
    const beside = {
      others: { soma: { file: 'my-leaky.wgsl' }, units: 2, input: [{ kind: 'constant', amplitude: 200 }] },
    };
    const run = await runExperiment(experiment(undefined, beside), { files, args });
    expect(run).toMatchObject({ code: 0, stderr: '', written: ['cells.npz', 'others.npz', 'summary.json'] });
    const { populations } = JSON.parse(run.read('summary.json').toString());
    expect(populations).toMatchObject({ cells: { soma: 'izhikevich' }, others: { soma: 'my-leaky' } });
    expect(populations.others.spikes).toBeGreaterThan(10);

    await using simulation = await Simulation.create({ dt: 0.1, seed: 3, backend: 'cpu' });
    const Izhikevich = defineSoma(law('izhikevich').toString());
    const { soma: _, ...options } = experiment().populations.cells;
    const cells = simulation.add(Izhikevich, {
      name: 'cells',
      ...options,
      input: [{ kind: 'constant', amplitude: 10 }],
    });
    await simulation.run(200);
    const { steps } = await cells.spikes();
    expect(steps.length).toBeGreaterThan(20);
    expect(readNpzArray(run.read('cells.npz'), 'spike_steps').data).toEqual(steps);
    expect(readNpzArray(run.read('cells.npz'), 'recovery').shape).toEqual([200, 4]);
  });

  test('that the device refuses are told at the place in their text', async () => {
    const bad = wrong('return quadratic(s.potential);', 'return quadratic(s.potential) * sqrt(-1.0f);');
    const run = await runExperiment(experiment(), { files: { 'izhikevich.wgsl': bad }, args });
    if (backend === 'cpu') return;
    expect(run.code).toBe(2);
    expect(run.stderr).toContain('experiment.json: izhikevich:36:35: the device refuses it: ');
    expect(run.written).toEqual([]);
  });
});

test('somagpu somas prints the tables of a file, or what is wrong in it', async () => {
  const cwd = scratch();
  writeFileSync(join(cwd, 'leaky.wgsl'), law('leaky'));
  writeFileSync(join(cwd, 'wrong.wgsl'), wrong('return spike;', 'return spyke;'));
  const { code, stdout } = await somagpu(['somas', 'leaky.wgsl'], { cwd });
  expect(code).toBe(0);
  expect(stdout).toMatch(/^leaky\n/);
  expect(stdout).toMatch(/^ +tau +10 +ms +> 0, .*membrane time constant$/m);
  expect(stdout).toMatch(/^ +blocked +0 +steps .*steps left/m);
  const refused = await somagpu(['somas', 'wrong.wgsl'], { cwd });
  expect(refused).toMatchObject({ code: 2, stdout: '' });
  expect(refused.stderr).toContain('wrong:49:10: unknown name "spyke"');
});

describe('refused of a soma in a file', () => {
  test('is a mistake in its text, with the place in experiment and text, the line and a mark', async () => {
    const bad = wrong('let u = (*s).recovery;', 'let u = (*s).recover;');
    const run = await runExperiment(experiment(), { files: { 'izhikevich.wgsl': bad } });
    expect(run).toMatchObject({ code: 2, written: [] });
    expect(run.stderr).toContain(
      'experiment.json: populations.cells.soma.file: izhikevich:41:15: State has no member "recover"; did you mean "recovery"?',
    );
    expect(run.stderr).toContain('\n  let u = (*s).recover;\n              ^');
  });

  const other = Buffer.from(`${law('izhikevich')}// another one\n`);
  const twins = (file: string) => experiment(undefined, { others: { soma: { file }, units: 1 } });
  test.each([
    ['a file that is not there', experiment({ file: 'none.wgsl' }), experiment(), 'none.wgsl: cannot be read (ENOENT)'],
    ['a file that is no text', experiment({ file: 3 }), experiment(), 'soma.file: is no file, got 3'],
    ['an unknown key', experiment({ fil: 'x' }), experiment(), 'unknown key "fil" of a soma; did you mean "file"?'],
    [
      'two laws of one name',
      twins('other/izhikevich.wgsl'),
      twins('izhikevich.wgsl'),
      'name of another soma, izhikevich',
    ],
    [
      'a parameter that its text has not',
      {
        ...experiment(),
        populations: { cells: { soma: { file: 'izhikevich.wgsl' }, units: 1, parameters: { tau: 1 } } },
      },
      {
        ...experiment(),
        populations: { cells: { soma: { file: 'izhikevich.wgsl' }, units: 1, parameters: { a: 1 } } },
      },
      'unknown parameter "tau" of izhikevich; known: a, b, c, d, peak',
    ],
  ])('is %s', async (_, bad, right, says) => {
    const somas = async (file: string) => {
      if (file.startsWith('none'))
        throw new (await import('../../src/index.ts')).InputError(file, undefined, 'cannot be read (ENOENT)', '');
      return defineSoma((file.startsWith('other') ? other : files['izhikevich.wgsl']).toString(), 'izhikevich');
    };
    const none = async () => ({ shape: [0], data: [] });
    const attempt = async (json: unknown) => {
      await using simulation = await Simulation.create({ backend: 'cpu' });
      const { populations } = await readExperiment(json, none, undefined, somas);
      for (const { soma, options } of populations) simulation.add(soma, options);
    };
    await expect(attempt(bad)).rejects.toThrow(says);
    await expect(attempt(right)).resolves.toBeUndefined();
  });

  test('is that it is named at all, where nothing reads somas', async () => {
    const none = async () => ({ shape: [0], data: [] });
    await expect(readExperiment(experiment(), none)).rejects.toThrow('is a soma of a file, which is not read here');
    await expect(readExperiment({ ...experiment('ExponentialSoma') }, none)).resolves.toBeDefined();
  });
});

test('a run goes on from its checkpoint with the law as it was, and is refused with another', async () => {
  const cwd = scratch();
  const place = (name: string) => join(cwd, name);
  const long = { ...experiment(), duration: 15_000 };
  writeFileSync(place('experiment.json'), JSON.stringify(long));
  writeFileSync(place('izhikevich.wgsl'), law('izhikevich'));
  const run = (...more: string[]) =>
    somagpu(['run', 'experiment.json', '--out', 'out', '--backend', 'cpu', ...more], { cwd });
  const whole = await somagpu(['run', 'experiment.json', '--out', 'whole', '--backend', 'cpu'], { cwd });
  expect(whole.code).toBe(0);
  const args = ['run', 'experiment.json', '--out', 'out', '--backend', 'cpu', '--checkpoint', '20'];
  const child = spawn(process.execPath, [CLI, ...args], { cwd, stdio: 'ignore' });
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  while (child.exitCode === null && !existsSync(join(cwd, 'out', CHECKPOINT, 'state'))) {
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  child.kill('SIGKILL');
  expect(await ended).toBe(null);
  writeFileSync(place('izhikevich.wgsl'), wrong('0.04 * v', '0.05 * v'));
  const refused = await run('--resume');
  expect(refused.code).toBe(2);
  expect(refused.stderr).toContain('a soma in a file that it names is not what it was when the checkpoint was made');
  writeFileSync(place('izhikevich.wgsl'), law('izhikevich'));
  expect(await run('--resume')).toMatchObject({ code: 0, stderr: '' });
  const arrays = (folder: string) => readNpzArray(readFileSync(join(cwd, folder, 'cells.npz')), 'spike_steps').data;
  expect(arrays('out')).toEqual(arrays('whole'));
});
