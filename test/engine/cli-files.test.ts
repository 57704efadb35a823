// What a run leaves is written while it goes on: in either format, larger than memory, and never half.

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { npzNames, readNpzArray, readNpzText } from '../../src/files/index.ts';
import { type Outcome, runExperiment, scratch, somagpu } from '../support/cli.ts';

const cells = {
  soma: 'AdaptiveExponentialSoma',
  units: [4, 5],
  initial: { potential: { initializer: 'uniform', low: -70, high: -51 } },
  input: [{ kind: 'constant', amplitude: 80 }],
  inhibitory: [3],
  record: {
    spikes: true,
    rate: { bin: 3 },
    states: { potential: { neurons: [9, 0], every: 7 }, adaptation: {} },
    statistics: { adaptation: { from: 10 } },
  },
};
const experiment = { dt: 0.1, duration: 50, seed: 7, populations: { cells } };
const recording = (record: object) => ({ ...experiment, populations: { cells: { ...cells, record } } });

type Files = Outcome & { written: string[]; read: (name: string) => Buffer };

const array = ({ read }: Files, name: string) => [...(readNpzArray(read('cells.npz'), name).data as Float32Array)];

/** The rows of a CSV below its two lines of head. */
const rows = ({ read }: Files, name: string) =>
  read(`cells.${name}.csv`)
    .toString()
    .trimEnd()
    .split('\n')
    .slice(2)
    .map((line) => line.split(',').map(Number));

const column = (table: number[][], i: number): number[] => table.map((row) => row[i] as number);

const cached = async (args: string[]) => runExperiment(experiment, { args });

describe('an npz', () => {
  it('has dt, provenance, spikes, the rate and states, in this order', async () => {
    const run = await cached([]);
    expect(npzNames(run.read('cells.npz'))).toEqual([
      ...['dt', 'provenance', 'spike_steps', 'spike_neurons', 'spike_signs', 'rate', 'rate_counts', 'rate_steps'],
      ...['potential', 'potential_steps', 'potential_neurons'],
      ...['adaptation', 'adaptation_steps', 'adaptation_neurons'],
      ...['adaptation_mean', 'adaptation_variance', 'adaptation_min', 'adaptation_max', 'adaptation_statistics_steps'],
    ]);
    const counts = array(run, 'rate_counts');
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(array(run, 'spike_steps').length);
    // 16 bins of 3 ms, and the 2 ms that are left.
    expect(array(run, 'rate_steps')).toEqual(Array.from({ length: 17 }, (_, bin) => 30 * bin));
    expect(array(run, 'rate')).toEqual(counts.map((count, bin) => count / (bin < 16 ? 30 : 20) / ((20 * 0.1) / 1000)));
  });

  it('has the statistics of the steps in their window, neuron by neuron', async () => {
    const run = await cached([]);
    expect(array(run, 'adaptation_statistics_steps')).toEqual([400]);
    const trace = array(run, 'adaptation').slice(100 * 20);
    for (let neuron = 0; neuron < 20; neuron++) {
      const own = trace.filter((_, i) => i % 20 === neuron);
      const mean = own.reduce((sum, value) => sum + value, 0) / 400;
      expect(Math.abs((array(run, 'adaptation_mean')[neuron] as number) - mean)).toBeLessThan(1e-4);
      expect(array(run, 'adaptation_min')[neuron]).toBe(Math.min(...own));
      expect(array(run, 'adaptation_max')[neuron]).toBe(Math.max(...own));
    }
  });

  it('says where it comes from, in ASCII, and nothing of when or where', async () => {
    const named = { ...experiment, $schema: 'σ "schema"', seed: 3 };
    const run = await runExperiment(named, { args: ['--backend', 'cpu', '--seed', '8', '--picture'] });
    const text = readNpzText(run.read('cells.npz'), 'provenance');
    const { version, adapter, date } = JSON.parse(run.read('summary.json').toString());
    const facts = { somagpu: version, backend: 'cpu', adapter, seed: 8, dt: 0.1, steps: 500, experiment: named };
    expect(JSON.parse(text)).toEqual(facts);
    expect(text).toMatch(/^[\x20-\x7e]*$/);
    expect(text).not.toContain(date.slice(0, 10));
    expect(run.read('cells.svg').toString()).toContain('<metadata>{"somagpu"');
  });

  it('of recordings in windows has these alone, and of a ring its last part', async () => {
    const record = {
      spikes: { last: 10 },
      rate: { bin: 5, from: 20, to: 40 },
      states: { potential: { from: 30, last: 5 } },
    };
    const [run, whole] = [await runExperiment(recording(record)), await cached([])];
    const from = array(whole, 'spike_steps').findIndex((step) => step >= 400);
    expect(array(run, 'spike_steps')).toEqual(array(whole, 'spike_steps').slice(from));
    expect(array(run, 'spike_neurons')).toEqual(array(whole, 'spike_neurons').slice(from));
    expect(array(run, 'rate_steps')).toEqual([200, 250, 300, 350]);
    expect(array(run, 'potential_steps')).toEqual(Array.from({ length: 50 }, (_, i) => 450 + i));
    expect(readNpzArray(run.read('cells.npz'), 'potential').shape).toEqual([50, 20]);
  });

  it('of a ring of nothing has nothing, and of a state of no neurons its steps', async () => {
    const run = await runExperiment(recording({ spikes: { last: 0 }, states: { potential: { neurons: [] } } }));
    expect(run).toMatchObject({ code: 0, stderr: '' });
    expect(array(run, 'spike_steps')).toEqual([]);
    expect(readNpzArray(run.read('cells.npz'), 'potential').shape).toEqual([500, 0]);
    expect(array(run, 'potential_steps')).toHaveLength(500);
  });
});

describe('CSV', () => {
  it('has the same numbers as the npz, a file a recording', async () => {
    const [csv, npz] = [await cached(['--format', 'csv']), await cached([])];
    const names = ['adaptation', 'potential', 'rate', 'spikes', 'statistics'].map((name) => `cells.${name}.csv`);
    expect(csv.written).toEqual([...names, 'summary.json']);
    const spikes = rows(csv, 'spikes');
    for (const [i, name] of [
      [0, 'steps'],
      [2, 'neurons'],
      [3, 'signs'],
    ] as const) {
      expect(column(spikes, i)).toEqual(array(npz, `spike_${name}`));
    }
    expect(column(spikes, 1)).toEqual(column(spikes, 0).map((step) => (step + 1) / 10));
    const potential = rows(csv, 'potential');
    expect(column(potential, 0)).toEqual(array(npz, 'potential_steps'));
    expect(potential.flatMap((row) => row.slice(2)).map(Math.fround)).toEqual(array(npz, 'potential'));
    const rate = rows(csv, 'rate');
    expect(column(rate, 0)).toEqual(array(npz, 'rate_steps'));
    expect(column(rate, 1)).toEqual([...Array.from({ length: 16 }, (_, bin) => 3 * (bin + 1)), 50]);
    expect(column(rate, 2)).toEqual(array(npz, 'rate_counts'));
    expect(rows(csv, 'adaptation')).toHaveLength(500);
    const statistics = rows(csv, 'statistics');
    expect(column(statistics, 0)).toEqual(Array.from({ length: 20 }, (_, neuron) => neuron));
    for (const [i, name] of ['mean', 'variance', 'min', 'max'].entries())
      expect(column(statistics, i + 1).map(Math.fround)).toEqual(array(npz, `adaptation_${name}`));
  });

  it('begins with a comment that says where it comes from, then the names of the columns', async () => {
    const { read } = await cached(['--format', 'csv']);
    const [comment = '', head] = read('cells.potential.csv').toString().split('\n');
    expect(JSON.parse(comment.replace(/^# /, ''))).toMatchObject({ seed: 7, steps: 500, experiment });
    expect(head).toBe('step,time_ms,neuron_9,neuron_0');
    expect(read('cells.spikes.csv').toString().split('\n')[1]).toBe('step,time_ms,neuron,sign');
    expect(read('cells.rate.csv').toString().split('\n')[1]).toBe('step,time_ms,count,rate_hz');
  });

  it('is refused under another name', async () => {
    const outcome = await somagpu(['run', 'x.json', '--out', 'o', '--format', 'cvs'], { cwd: scratch() });
    expect(outcome).toMatchObject({ code: 2, stdout: '' });
    expect(outcome.stderr).toContain('Allowed choices are npz, csv');
  });
});

/** Regular spikes: each of the neurons every 2.4 ms. */
const busy = (units: number, duration: number, states = {}) => ({
  dt: 0.1,
  duration,
  populations: {
    cells: {
      soma: 'ExponentialSoma',
      units,
      initial: { potential: { initializer: 'uniform', low: -70, high: -51 } },
      input: [{ kind: 'constant', amplitude: 65 }],
      record: { spikes: true, states },
    },
  },
});

describe('a run', () => {
  it('takes less memory than its spikes would', async () => {
    const run = await runExperiment(busy(20_000, 2900), { args: ['--backend', 'cpu'], memory: true });
    expect(run.code).toBe(0);
    const { spikes } = JSON.parse(run.read('summary.json').toString()).populations.cells;
    // Steps and neurons, and times, as spikes() gives them.
    const bytes = spikes * (4 + 4 + 8);
    expect(bytes).toBeGreaterThan(380e6);
    expect(Number(run.stderr)).toBeLessThan(bytes);
  });

  it.each([
    { title: 'while it goes on', args: [], population: busy(20_000, 60) },
    { title: 'when it packs', args: ['--format', 'csv'], population: busy(2000, 60) },
  ])('that has no room on the disk $title exits with 1 and leaves nothing', async ({ args, population }) => {
    const options = { args: ['--backend', 'cpu', ...args] };
    const full = await runExperiment(population, { ...options, fileLimit: 500 });
    expect(full).toMatchObject({ code: 1, stdout: '', written: [] });
    expect(full.stderr).toMatch(/^somagpu: E[A-Z]+: [^\n]*\n$/);
    expect(await runExperiment(population, { ...options, fileLimit: 100_000 })).toMatchObject({ code: 0, stderr: '' });
  });

  it('with checkpoints that has no room for a CSV leaves no half of one, which would keep the disk full', async () => {
    const args = ['--backend', 'cpu', '--format', 'csv', '--checkpoint', '60'];
    const full = await runExperiment(busy(2000, 60), { args, fileLimit: 500 });
    expect(full).toMatchObject({ code: 1, written: ['.checkpoint'] });
    const left = readdirSync(join(full.out, '.checkpoint')).sort();
    expect(left).toEqual(['cells.spike_neurons', 'cells.spike_steps', 'state']);
  });

  it('keeps the files of before where it fails', async () => {
    const cwd = scratch();
    mkdirSync(join(cwd, 'out'));
    writeFileSync(join(cwd, 'out', 'cells.npz'), 'before');
    writeFileSync(join(cwd, 'e.json'), JSON.stringify(busy(20_000, 60)));
    const args = ['run', 'e.json', '--out', 'out', '--backend', 'cpu', '--quiet'];
    expect(await somagpu(args, { cwd, fileLimit: 500 })).toMatchObject({ code: 1 });
    expect(readdirSync(join(cwd, 'out'))).toEqual(['cells.npz']);
    expect(readFileSync(join(cwd, 'out', 'cells.npz'), 'utf8')).toBe('before');
  });

  it('that was killed leaves what begins with a dot, which the next one clears and nothing else', async () => {
    const cwd = scratch();
    writeFileSync(join(cwd, 'long.json'), JSON.stringify(busy(1000, 3_600_000)));
    writeFileSync(join(cwd, 'e.json'), JSON.stringify(busy(10, 10)));
    mkdirSync(join(cwd, 'out', '.mine'), { recursive: true });
    mkdirSync(join(cwd, 'out', `.somagpu-${process.pid}`));
    const of = (file: string) => ['run', file, '--out', 'out', '--backend', 'cpu', '--quiet'];
    const killed = await somagpu(of('long.json'), { cwd, interruptAfter: 2000, signal: 'SIGKILL' });
    expect(killed.code).toBe(null);
    expect(readdirSync(join(cwd, 'out')).filter((name) => !name.startsWith('.'))).toEqual([]);
    expect(readdirSync(join(cwd, 'out'))).toHaveLength(3);
    expect(await somagpu(of('e.json'), { cwd })).toMatchObject({ code: 0 });
    // The second belongs to a process that lives.
    const left = ['.mine', `.somagpu-${process.pid}`, 'cells.npz', 'summary.json'];
    expect(readdirSync(join(cwd, 'out')).sort()).toEqual(left);
  });

  it('that is interrupted saves what was recorded so far, all of it up to the same step', async () => {
    const { populations, ...long } = busy(5000, 3_600_000);
    const record = { spikes: { neurons: [7] }, states: { potential: { neurons: [0] } } };
    const cells = { ...populations.cells, record };
    const options = { interruptAfter: 2000, args: ['--backend', 'cpu', '--format', 'csv'] };
    const run = await runExperiment({ ...long, populations: { cells } }, options);
    expect(run.code).toBe(130);
    const { steps, interrupted } = JSON.parse(run.read('summary.json').toString());
    expect(interrupted).toBe(true);
    expect(rows(run, 'potential')).toHaveLength(steps);
    // A spike every 24 steps.
    expect(steps - (column(rows(run, 'spikes'), 0).at(-1) as number)).toBeLessThanOrEqual(24);
    const [comment = ''] = run.read('cells.spikes.csv').toString().split('\n');
    expect(JSON.parse(comment.slice(2)).steps).toBe(steps);
  });
});
