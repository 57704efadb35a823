// The contract of docs/experiment.md, seen from outside: what a run leaves on disk, what it prints, how it ends.

import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { npzNames, readNpzArray, writeNpz } from '../../src/files/index.ts';
import { type Row, somas } from '../../src/index.ts';
import { bareCli, CLI, runExperiment, scratch, somagpu } from '../support/cli.ts';

const experiment = {
  dt: 0.1,
  duration: 50,
  seed: 7,
  populations: {
    cells: {
      soma: 'AdaptiveExponentialSoma',
      units: [8, 8],
      parameters: {
        threshold: { file: 'a.npz', array: 'threshold' },
        adaptation_delta: { initializer: 'uniform', low: 5, high: 9 },
      },
      initial: { potential: { initializer: 'uniform', low: -70, high: -55 } },
      input: [
        { kind: 'step', amplitude: 80, start: 0, stop: 40 },
        { kind: 'array', file: 'a.npz', array: 'current' },
      ],
      inhibitory: [0, 3],
      record: { spikes: true, states: { potential: { neurons: [9, 0], every: 7 }, adaptation: {} } },
    },
    silent: { soma: 'SimplifiedAdaptiveExponentialSoma', units: 3 },
  },
};
const files = {
  'a.npz': writeNpz({
    threshold: Float64Array.from({ length: 64 }, (_, i) => -30 - i / 64),
    current: { shape: [500, 64], data: Float32Array.from({ length: 500 * 64 }, (_, i) => (i % 64) / 2) },
  }),
};

describe('somagpu run', () => {
  it('writes an npz a population and a summary, and nothing else', async () => {
    const run = await runExperiment(experiment, { files });
    expect(run).toMatchObject({ code: 0, written: ['cells.npz', 'silent.npz', 'summary.json'] });
  });

  it('writes spikes ordered by step, then neuron, with their signs', async () => {
    const { read } = await runExperiment(experiment, { files });
    const bytes = read('cells.npz');
    const steps = readNpzArray(bytes, 'spike_steps').data as Uint32Array;
    const neurons = readNpzArray(bytes, 'spike_neurons').data as Uint32Array;
    const signs = readNpzArray(bytes, 'spike_signs').data as Int8Array;
    expect([steps, neurons, signs].map((array) => array.constructor.name)).toEqual([
      'Uint32Array',
      'Uint32Array',
      'Int8Array',
    ]);
    expect(steps.length).toBeGreaterThan(64);
    expect(steps.length).toBe(JSON.parse(read('summary.json').toString()).populations.cells.spikes);
    for (let i = 1; i < steps.length; i++) {
      const [before, now] = [i - 1, i].map((at) => (steps[at] as number) * 64 + (neurons[at] as number));
      expect(now).toBeGreaterThan(before as number);
    }
    expect([...signs]).toEqual([...neurons].map((neuron) => (neuron === 0 || neuron === 3 ? -1 : 1)));
  });

  it('writes recorded states as f32 [samples, neurons] with their steps and neurons, and dt as a scalar', async () => {
    const { read } = await runExperiment(experiment, { files });
    const bytes = read('cells.npz');
    const potential = readNpzArray(bytes, 'potential');
    expect(potential.shape).toEqual([72, 2]);
    expect(potential.data).toBeInstanceOf(Float32Array);
    expect([...(readNpzArray(bytes, 'potential_steps').data as Uint32Array)].slice(0, 3)).toEqual([0, 7, 14]);
    expect([...(readNpzArray(bytes, 'potential_neurons').data as Uint32Array)]).toEqual([9, 0]);
    expect(readNpzArray(bytes, 'adaptation').shape).toEqual([500, 64]);
    expect(readNpzArray(bytes, 'dt')).toEqual({ shape: [], data: Float64Array.of(0.1) });
    // Absolute mV after the reset: below the threshold, and where adaptation, some ten pA through 0.5 GOhm, leaves it.
    expect(Math.max(...(potential.data as Float32Array))).toBeLessThan(-30);
    expect(Math.min(...(potential.data as Float32Array))).toBeGreaterThan(-85);
    expect(npzNames(read('silent.npz'))).toEqual(['dt', 'provenance']);
  });

  it('writes the rate in Hz with its counts and first steps, and of spikes and states what was asked for', async () => {
    const { cells } = experiment.populations;
    const within = {
      spikes: { neurons: [1, 7], from: 10, last: 30 },
      states: { potential: { neurons: [7], from: 10, last: 30 } },
      rate: { bin: 3, from: 5, to: 45 },
    };
    const { read } = await runExperiment(
      { ...experiment, populations: { part: { ...cells, record: within } } },
      { files },
    );
    const array = (name: string) => readNpzArray(read('part.npz'), name).data as Uint32Array;
    expect([...array('rate_steps')]).toEqual(Array.from({ length: 14 }, (_, place) => 50 + 30 * place));
    expect(array('rate')).toBeInstanceOf(Float64Array);
    expect(array('rate_counts')).toBeInstanceOf(Uint32Array);
    const seconds = (place: number) => (place < 13 ? 3e-3 : 1e-3);
    for (const [place, hertz] of array('rate').entries())
      expect(hertz).toBeCloseTo((array('rate_counts')[place] as number) / 64 / seconds(place), 9);
    expect(array('rate_counts').some((count) => count > 0)).toBe(true);
    expect(new Set(array('spike_neurons'))).toEqual(new Set([1, 7]));
    for (const step of array('spike_steps')) expect(step).toBeGreaterThanOrEqual(200);
    expect([...array('potential_steps')]).toEqual(Array.from({ length: 300 }, (_, k) => 200 + k));
  });

  it.each(['webgpu', 'cpu'])('writes a summary with the facts of the run, on %s', async (backend) => {
    const { read } = await runExperiment(experiment, { files, args: ['--backend', backend] });
    const summary = JSON.parse(read('summary.json').toString());
    expect(summary).toMatchObject({ version: '0.1.0', backend, dt: 0.1, steps: 500, seed: 7 });
    expect(summary.backend_reason).toBe('asked for by name');
    expect(summary.adapter).not.toBe('');
    expect(Date.parse(summary.date)).toBeGreaterThan(0);
    expect(summary.neuron_updates_per_second * summary.wall_seconds).toBeCloseTo(67 * 500, 3);
    const { cells, silent } = summary.populations;
    expect(cells).toMatchObject({ soma: 'AdaptiveExponentialSoma', units: [8, 8] });
    expect(cells.mean_rate_hz).toBeCloseTo(cells.spikes / 64 / 0.05, 9);
    expect(silent).toEqual({ soma: 'SimplifiedAdaptiveExponentialSoma', units: [3], spikes: 0, mean_rate_hz: 0 });
  });

  it('takes the processor where there is no GPU in hardware, and says so', async () => {
    const { read, stdout } = await runExperiment(experiment, { files, cli: bareCli() });
    const { backend, backend_reason } = JSON.parse(read('summary.json').toString());
    expect(backend).toBe('cpu');
    expect(backend_reason).toContain('no GPU');
    expect(stdout).toContain(`on cpu: WebAssembly SIMD`);
    expect(stdout).toContain(backend_reason);
  });

  it('leaves the same bytes for the same seed, and other spikes for another', async () => {
    const [first, again, other] = await Promise.all([
      runExperiment(experiment, { files }),
      runExperiment(experiment, { files }),
      runExperiment(experiment, { files, args: ['--seed', '8'] }),
    ]);
    expect(again.read('cells.npz')).toEqual(first.read('cells.npz'));
    expect(readNpzArray(other.read('cells.npz'), 'spike_steps').data).not.toEqual(
      readNpzArray(first.read('cells.npz'), 'spike_steps').data,
    );
    expect(JSON.parse(other.read('summary.json').toString()).seed).toBe(8);
  });

  it('prints a table on a pipe but no progress, and nothing when quiet', async () => {
    const loud = await runExperiment(experiment, { files });
    expect(loud.stdout).toMatch(/^population +neurons +spikes +rate Hz/);
    expect(loud.stderr).toBe('');
    const quiet = await runExperiment(experiment, { files, args: ['--quiet'] });
    expect(quiet).toMatchObject({ code: 0, stdout: '', stderr: '' });
  });

  it('draws a picture of every population that records spikes when asked', async () => {
    const { written, read } = await runExperiment(experiment, { files, args: ['--picture'] });
    expect(written).toEqual(['cells.npz', 'cells.svg', 'silent.npz', 'summary.json']);
    expect(read('cells.svg').toString()).toMatch(/^<svg /);
  });

  it('replaces the files of an earlier run and leaves others alone', async () => {
    const cwd = scratch();
    for (const [name, bytes] of Object.entries(files)) writeFileSync(join(cwd, name), bytes);
    writeFileSync(join(cwd, 'e.json'), JSON.stringify(experiment));
    const args = ['run', 'e.json', '--out', '.', '--quiet'];
    expect(await somagpu(args, { cwd })).toMatchObject({ code: 0 });
    expect(await somagpu(args, { cwd })).toMatchObject({ code: 0, stderr: '' });
  });

  it('saves what was recorded and exits with 130 when interrupted', async () => {
    const long = {
      dt: 0.1,
      duration: 3_600_000,
      populations: {
        cells: {
          ...experiment.populations.cells,
          units: 1000,
          inhibitory: [],
          parameters: {},
          input: [{ kind: 'constant', amplitude: 65 }],
          record: { spikes: true },
        },
      },
    };
    const run = await runExperiment(long, { interruptAfter: 3000 });
    expect(run).toMatchObject({ code: 130, written: ['cells.npz', 'summary.json'] });
    expect(run.stdout).toContain('interrupted at step');
    const summary = JSON.parse(run.read('summary.json').toString());
    expect(summary).toMatchObject({ interrupted: true });
    expect(summary.steps).toBeGreaterThan(1000);
    const steps = readNpzArray(run.read('cells.npz'), 'spike_steps').data as Uint32Array;
    expect(steps.length).toBe(summary.populations.cells.spikes);
    expect(steps.at(-1)).toBeLessThan(summary.steps);
  });

  it('exits with 1 and leaves nothing half-written where the system will not let it write', async () => {
    const cwd = scratch();
    const small = { dt: 0.1, duration: 1, populations: { cells: { soma: 'ExponentialSoma', units: 4 } } };
    writeFileSync(join(cwd, 'e.json'), JSON.stringify(small));
    // A folder in the place of a file: the rename fails when everything has been written aside.
    mkdirSync(join(cwd, 'out', 'summary.json', 'taken'), { recursive: true });
    const outcome = await somagpu(['run', 'e.json', '--out', 'out'], { cwd });
    expect(outcome).toMatchObject({ code: 1, stdout: '' });
    expect(outcome.stderr).toMatch(/^somagpu: [A-Z]+: [^\n]*\n$/);
    expect(readdirSync(join(cwd, 'out')).filter((name) => name.startsWith('.'))).toEqual([]);
  });

  it('can be started by npx: the built file is executable', () => {
    expect(statSync(CLI).mode & 0o111).toBe(0o111);
  });
});

describe('somagpu somas', () => {
  it('prints every parameter and state of every soma', async () => {
    const { code, stdout } = await somagpu(['somas'], { cwd: scratch() });
    expect(code).toBe(0);
    for (const soma of somas) {
      const section = stdout
        .slice(stdout.indexOf(`${soma.name}\n`))
        .split('\n\n')
        .slice(0, 2)
        .join('\n');
      for (const [name, row] of Object.entries<Row>({ ...soma.parameters, ...soma.states })) {
        expect(section).toMatch(new RegExp(`${name} +${row.default} +${row.unit}`));
      }
    }
  });

  it('prints one soma when named', async () => {
    const { stdout } = await somagpu(['somas', 'ExponentialSoma'], { cwd: scratch() });
    expect(stdout.split('\n')[0]).toBe('ExponentialSoma');
    expect(stdout).not.toContain('cooldown');
  });
});
