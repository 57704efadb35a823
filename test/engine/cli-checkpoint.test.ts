// Checkpoints of the command line: whatever stops a run, `--resume` ends with the files of one that was not stopped.

import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { unzipSync } from 'fflate';
import { describe, expect, test } from 'vitest';
import { writeNpz } from '../../src/files/index.ts';
import { pack, unpack } from '../../src/packed.ts';
import { expectSameFiles, recordingAll as experiment, type Place, place, stateOf } from '../support/checkpoints.ts';
import { CLI, somagpu } from '../support/cli.ts';

const backends = ['cpu', 'webgpu'] as const;

const changedAt = (file: string) => (existsSync(file) ? statSync(file).mtimeMs : 0);

/** Tells, asked again and again, when a run has written so many checkpoints more. */
function checkpoints(at: Place, count: number): () => boolean {
  let [seen, last] = [0, changedAt(stateOf(at))];
  return () => {
    const now = changedAt(stateOf(at));
    if (now !== last) seen++;
    last = now;
    return seen >= count;
  };
}

/** Tells, asked again and again, when a file has grown since it was asked last. */
function growth(file: string): () => boolean {
  let last = Infinity;
  return () => {
    const before = last;
    last = statSync(file).size;
    return last > before;
  };
}

/** Starts a run and sends a signal when it has written so many checkpoints, or when it is told to; gives how it ended. */
async function stopped(at: Place, signal: NodeJS.Signals, when: number | (() => boolean), args: string[]) {
  const isTime = typeof when === 'number' ? checkpoints(at, when) : when;
  const child: ChildProcess = spawn(process.execPath, [CLI, 'run', 'experiment.json', '--out', 'out', ...args], {
    cwd: at.cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (data) => (said += data));
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  while (!isTime() && child.exitCode === null && child.signalCode === null) await wait(1);
  child.kill(signal);
  return { code: await ended, said };
}

describe.each(backends)('a run with checkpoints, on %s', (backend) => {
  const on = ['--backend', backend, '--picture'];

  test('leaves the files of one without, and no checkpoint', async () => {
    const [whole, pieces] = [place(), place()];
    expect(await whole.run(...on)).toMatchObject({ code: 0, stderr: '' });
    expect(await pieces.run(...on, '--checkpoint', '7.3')).toMatchObject({ code: 0, stderr: '' });
    expectSameFiles(pieces, whole);
    expect(whole.files()).toEqual(['cells.npz', 'cells.svg', 'few.npz', 'few.svg', 'summary.json']);
    const { spikes } = JSON.parse(readFileSync(join(whole.out, 'summary.json'), 'utf8')).populations.cells;
    expect(spikes).toBeGreaterThan(100);
  });

  test('killed twice and resumed ends with the files of one that was not', async () => {
    const json = experiment(4000, 400);
    const [whole, killed] = [place(json), place(json)];
    expect((await whole.run(...on)).code).toBe(0);
    expect((await stopped(killed, 'SIGKILL', 2, [...on, '--checkpoint', '7.3'])).code).toBe(null);
    expect(killed.files()).toEqual(['.checkpoint']);
    expect((await stopped(killed, 'SIGKILL', 2, [...on, '--resume'])).code).toBe(null);
    expect(killed.files()).toEqual(['.checkpoint']);
    const resumed = await killed.run('--picture', '--resume');
    expect(resumed).toMatchObject({ code: 0, stderr: '' });
    expect(resumed.stdout).toMatch(/\(\d+(,\d+)* were done before\)/);
    expectSameFiles(killed, whole);
    const summaries = [killed, whole].map(({ out }) => JSON.parse(readFileSync(join(out, 'summary.json'), 'utf8')));
    expect(summaries[0].populations).toEqual(summaries[1].populations);
    expect(summaries[0].steps).toBe(4000);
    expect(summaries[0].resumed_at_step % 73).toBe(0);
    expect(summaries[1]).not.toHaveProperty('resumed_at_step');
  });

  test('interrupted saves what there is, and goes on when resumed', async () => {
    const json = experiment(4000, 400);
    const [whole, interrupted] = [place(json), place(json)];
    expect((await whole.run(...on)).code).toBe(0);
    const { code, said } = await stopped(interrupted, 'SIGINT', 1, [...on, '--checkpoint', '7.3']);
    expect([code, said]).toEqual([130, expect.stringContaining('; --resume goes on')]);
    expect(interrupted.files()).toEqual(['.checkpoint', ...whole.files()]);
    const { steps } = JSON.parse(readFileSync(join(interrupted.out, 'summary.json'), 'utf8'));
    expect(steps).toBeLessThan(4000);
    // To steps as the interrupt left them, not to the last whole 7.3 ms.
    expect((await interrupted.run('--picture', '--resume')).code).toBe(0);
    const summary = JSON.parse(readFileSync(join(interrupted.out, 'summary.json'), 'utf8'));
    expect(summary.resumed_at_step).toBe(steps);
    expectSameFiles(interrupted, whole);
  });
});

test('a run killed well after a checkpoint in the middle of a bin goes on from it, killed again or not', async () => {
  const json = experiment(4000, 8000);
  // So many that their spool grows all the time, and those of the spikes and the rates do not.
  json.populations.cells.record.states.potential.neurons = Array.from({ length: 30 }, (_, i) => 9 * i);
  const [whole, killed] = [place(json), place(json)];
  expect((await whole.run('--backend', 'cpu')).code).toBe(0);
  const spool = join(killed.out, '.checkpoint', 'cells.potential');
  // The next checkpoint is far: what came since is in no spool yet, or in some.
  const args = ['--backend', 'cpu', '--checkpoint', '2000'];
  const [isWritten, hasGrown] = [checkpoints(killed, 1), growth(spool)];
  let written = false;
  const after = () => {
    written ||= isWritten();
    return written && hasGrown();
  };
  expect((await stopped(killed, 'SIGKILL', after, args)).code).toBe(null);
  const state = readFileSync(stateOf(killed));
  // Resumed, it drops what came behind the checkpoint before it adds to it.
  const again = ['--resume', '--checkpoint', '8000'];
  expect((await stopped(killed, 'SIGKILL', growth(spool), again)).code).toBe(null);
  expect(readFileSync(stateOf(killed)).equals(state)).toBe(true);
  expect(await killed.run('--resume')).toMatchObject({ code: 0, stderr: '' });
  expectSameFiles(killed, whole);
});

test('a run whose files cannot be made keeps its checkpoint, made at its end, and makes them when resumed', async () => {
  const [whole, failed] = [place(), place()];
  const csv = ['--backend', 'cpu', '--format', 'csv'];
  expect((await whole.run(...csv)).code).toBe(0);
  expect(whole.files()).toContain('cells.rate.csv');
  // A folder where a file should appear.
  mkdirSync(join(failed.out, 'cells.rate.csv', 'in-the-way'), { recursive: true });
  const { code, stderr } = await failed.run(...csv, '--checkpoint', '7.3');
  expect([code, stderr]).toEqual([1, expect.stringContaining('cells.rate.csv')]);
  expect(existsSync(stateOf(failed))).toBe(true);
  rmSync(join(failed.out, 'cells.rate.csv'), { recursive: true });
  expect(await failed.run(...csv, '--resume')).toMatchObject({ code: 0, stderr: '' });
  expectSameFiles(failed, whole);
  // Without checkpoints nothing stays.
  const bare = place();
  mkdirSync(join(bare.out, 'cells.rate.csv', 'in-the-way'), { recursive: true });
  expect((await bare.run(...csv)).code).toBe(1);
  expect(bare.files().filter((name) => name.startsWith('.'))).toEqual([]);
});

// On the processor: the limit that stands for a full disk counts for the memory of the software GPU, too.
test('a run whose disk is full on its way goes on from its last checkpoint, also when it was full again', async () => {
  const json = experiment(4000, 400);
  const [whole, full] = [place(json), place(json)];
  expect((await whole.run('--backend', 'cpu')).code).toBe(0);
  const args = ['run', 'experiment.json', '--out', 'out', '--backend', 'cpu', '--checkpoint', '7.3'];
  const { code, stderr } = await somagpu(args, { cwd: full.cwd, fileLimit: 150 });
  expect([code, stderr]).toEqual([1, expect.stringMatching(/^somagpu: E[A-Z]+: [^\n]*\n$/)]);
  expect(full.files()).toEqual(['.checkpoint']);
  const before = readFileSync(stateOf(full));
  // As long as it is full nothing of it is lost.
  const again = ['run', 'experiment.json', '--out', 'out', '--resume'];
  expect((await somagpu(again, { cwd: full.cwd, fileLimit: 150 })).code).toBe(1);
  expect(readFileSync(stateOf(full)).length).toBeGreaterThanOrEqual(before.length);
  expect(await full.run('--resume')).toMatchObject({ code: 0, stderr: '' });
  expectSameFiles(full, whole);
});

describe('a checkpoint', () => {
  /** A folder with a run that was stopped half way. */
  async function half(json: unknown = experiment(4000, 400), args: string[] = []): Promise<Place> {
    const there = place(json);
    const { code } = await stopped(there, 'SIGKILL', 1, ['--backend', 'cpu', '--checkpoint', '10', '--quiet', ...args]);
    expect([code, existsSync(stateOf(there))]).toEqual([null, true]);
    return there;
  }
  const refused = async (there: Place, message: string | RegExp, ...args: string[]) => {
    const before = readFileSync(stateOf(there));
    const { code, stderr } = await there.run(...args);
    expect([code, stderr.trim()]).toEqual([
      2,
      typeof message === 'string' ? expect.stringContaining(message) : expect.stringMatching(message),
    ]);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    // It is still there, and the folder has nothing else.
    expect([readFileSync(stateOf(there)).equals(before), there.files()]).toEqual([true, ['.checkpoint']]);
  };
  const edited = (there: Place, change: (checkpoint: Record<string, unknown>) => void) => {
    const checkpoint = unpack(readFileSync(stateOf(there))) as Record<string, unknown>;
    change(checkpoint);
    writeFileSync(stateOf(there), new Uint8Array(pack(checkpoint)));
  };

  test('is wanted by --resume', async () => {
    const there = place(experiment(10, 1));
    const { code, stderr } = await there.run('--resume');
    expect([code, stderr]).toEqual([2, expect.stringContaining('--resume: has no checkpoint, got "out"; run with')]);
    expect(existsSync(there.out)).toBe(false);
  });

  test('goes on with the same experiment alone; what differs is named', async () => {
    const json = experiment(4000, 400);
    const there = await half(json);
    const write = (changed: unknown) => writeFileSync(join(there.cwd, 'experiment.json'), JSON.stringify(changed));
    const { cells, few } = json.populations;
    const was = 'is not what it was when the checkpoint was made';
    for (const [changed, message] of [
      [{ ...json, dt: 0.2 }, `experiment.json: dt: ${was}, got 0.2;`],
      [{ ...json, seed: 8 }, `experiment.json: seed: ${was}, got 8;`],
      [{ ...json, duration: 401 }, `experiment.json: duration: ${was}, got 401;`],
      [
        { ...json, populations: { few, cells: { ...cells, units: 4001 } } },
        `populations.cells.units: ${was}, got 4001`,
      ],
      [{ ...json, populations: { cells, few: { ...few, input: [] } } }, `populations.few.input[0]: ${was};`],
    ] as const) {
      write(changed);
      await refused(there, message, '--resume');
    }
    write(json);
    await refused(
      there,
      'experiment.json: seed: was 7 when the checkpoint was made, got 9; resume',
      '--resume',
      '--seed',
      '9',
    );
    await refused(there, '--checkpoint: is no whole number of steps', '--resume', '--checkpoint', '0.25');
    await refused(there, '--checkpoint: has no step', '--resume', '--checkpoint', '0');
    expect(await there.run('--resume', '--seed', '7', '--checkpoint', '100')).toMatchObject({ code: 0, stderr: '' });
  });

  test('holds the seed that was given in the place of the experiment', async () => {
    const there = await half(undefined, ['--seed', '11']);
    await refused(there, 'seed: was 11 when the checkpoint was made, got 7; resume with that --seed', '--resume');
    expect((await there.run('--resume', '--seed', '11')).code).toBe(0);
  });

  test('notices that an array in another file has changed', async () => {
    const json = experiment(4000, 400);
    const spike_slope = { file: 'slopes.npz', array: 'x' };
    Object.assign(json.populations.cells.parameters, { spike_slope });
    const there = place(json);
    const slopes = (last: number) => {
      const values = new Float32Array(4000).fill(2);
      values[3999] = last;
      writeFileSync(join(there.cwd, 'slopes.npz'), writeNpz({ x: values }));
    };
    slopes(2);
    expect((await stopped(there, 'SIGKILL', 1, ['--checkpoint', '10', '--backend', 'cpu'])).code).toBe(null);
    slopes(2.5);
    await refused(there, 'experiment.json: an array or a soma in a file that it names is not what it was', '--resume');
    slopes(2);
    expect((await there.run('--resume')).code).toBe(0);
  });

  test.each(['npz', 'npy'])('notices that an array that is read while it runs has changed: a .%s', async (suffix) => {
    const json = experiment(4000, 400);
    const array = suffix === 'npz' ? { array: 'x' } : {};
    Object.assign(json.populations.few, { input: [{ kind: 'array', file: `current.${suffix}`, ...array }] });
    const there = place(json);
    const currents = (last: number) => {
      const values = new Float32Array(4000).fill(80);
      values[3999] = last;
      const npz = writeNpz({ x: values });
      const bytes = suffix === 'npz' ? npz : unzipSync(npz)['x.npy'];
      writeFileSync(join(there.cwd, `current.${suffix}`), bytes as Uint8Array);
    };
    currents(80);
    expect((await stopped(there, 'SIGKILL', 1, ['--checkpoint', '10', '--backend', 'cpu'])).code).toBe(null);
    currents(80.5);
    await refused(there, 'experiment.json: an array or a soma in a file that it names is not what it was', '--resume');
    currents(80);
    expect((await there.run('--resume')).code).toBe(0);
  });

  test('is not run over: a run that would begin anew is refused, and taken once it is removed', async () => {
    const there = await half();
    await refused(
      there,
      /--out: has the checkpoint of a run that is not complete.*--resume, or remove out\/\.checkpoint/,
    );
    await refused(there, 'has the checkpoint of a run', '--checkpoint', '10');
    const fresh = place(experiment(10, 1));
    expect((await fresh.run('--checkpoint', '0.5')).code).toBe(0);
    expect((await fresh.run('--checkpoint', '0.5')).code).toBe(0);
  });

  const claimed = {
    code: 2,
    stderr: expect.stringMatching(/^somagpu: --out: process \d+ makes a run with checkpoints/),
  };

  test('is written, and gone on from, by one process at a time; the other is told', async () => {
    const [there, whole] = [place(experiment(4000, 2000)), place(experiment(4000, 2000))];
    expect((await whole.run('--backend', 'cpu')).code).toBe(0);
    expect((await stopped(there, 'SIGKILL', 1, ['--backend', 'cpu', '--checkpoint', '10'])).code).toBe(null);
    const both = await Promise.all([there.run('--resume'), there.run('--resume')]);
    // Of two that begin in the same moment both may step back.
    const refusals = both.filter(({ code }) => code !== 0);
    expect(refusals).not.toEqual([]);
    for (const one of refusals) expect(one).toMatchObject(claimed);
    if (refusals.length === 2) expect((await there.run('--resume')).code).toBe(0);
    expectSameFiles(there, whole);
  });

  test('is written by one process at a time also before it is there for the first time', async () => {
    // Minutes to the first, which is at its end: the other is told before, however fast the machine.
    const there = place(experiment(4000, 1e6));
    let told = false;
    const running = stopped(there, 'SIGINT', () => told, ['--backend', 'cpu', '--checkpoint', '1000000']);
    while (!existsSync(join(there.out, '.checkpoint', 'cells.rate'))) await wait(1);
    // Were it let in, it would have to be stopped as well.
    const args = ['run', 'experiment.json', '--out', 'out', '--checkpoint', '1000000'];
    const other = await somagpu(args, { cwd: there.cwd, interruptAfter: 20_000 });
    told = true;
    expect((await running).code).toBe(130);
    expect(other).toMatchObject(claimed);
    // The one that was there first is none the worse for it: it goes on.
    const summary = () => JSON.parse(readFileSync(join(there.out, 'summary.json'), 'utf8'));
    const { steps } = summary();
    expect((await stopped(there, 'SIGINT', 1, ['--resume', '--checkpoint', '10'])).code).toBe(130);
    expect(summary().resumed_at_step).toBe(steps);
    expect(summary().steps).toBeGreaterThan(steps);
  });

  test('of another version, or another device, is refused; another backend is taken where it is named', async () => {
    const there = await half();
    const state = readFileSync(stateOf(there));
    edited(there, (checkpoint) => {
      checkpoint.version = '9.9.9';
    });
    await refused(there, /^somagpu: --resume: .*state is of somagpu 9\.9\.9, and this is \d/, '--resume');
    edited(there, (checkpoint) => {
      Object.assign(checkpoint, { version: unpackVersion(state), backend: 'webgpu', adapter: 'a large GPU' });
    });
    await refused(
      there,
      /the checkpoint was made on webgpu \(a large GPU\).*; --backend (cpu|webgpu) goes on here/,
      '--resume',
    );
    writeFileSync(stateOf(there), state);
    expect((await there.run('--resume', '--backend', 'webgpu')).code).toBe(0);
    expect(JSON.parse(readFileSync(join(there.out, 'summary.json'), 'utf8')).backend).toBe('webgpu');
  });

  test('that is damaged or of another format is refused', async () => {
    const there = await half();
    const state = readFileSync(stateOf(there));
    const copy = Buffer.from(state);
    copy.writeUInt8(copy.readUInt8(1000) ^ 4, 1000);
    writeFileSync(stateOf(there), copy);
    await refused(
      there,
      /state: the saved simulation is damaged.*; remove out\/\.checkpoint to begin anew/,
      '--resume',
    );
    copy.writeUInt32LE(77, 8);
    writeFileSync(stateOf(there), copy);
    await refused(there, 'saved in format 77, and this version reads format 1', '--resume');
    writeFileSync(stateOf(there), state);
    truncateSync(stateOf(there), 500);
    await refused(there, 'cut short: 500 bytes', '--resume');
  });

  test('stays where the spools beside it were cut, which is said', async () => {
    const there = await half();
    const spool = join(there.out, '.checkpoint', 'cells.spike_steps');
    truncateSync(spool, 0);
    const { code, stderr } = await there.run('--resume');
    expect([code, stderr]).toEqual([1, expect.stringContaining('cells.spike_steps is cut short')]);
    expect(existsSync(stateOf(there))).toBe(true);
  });

  test('can be taken elsewhere with its folder', async () => {
    const there = await half();
    const other = place(experiment(4000, 400));
    cpSync(there.out, other.out, { recursive: true });
    expect((await other.run('--resume', '--quiet')).code).toBe(0);
    expect((await there.run('--resume', '--quiet')).code).toBe(0);
    expectSameFiles(other, there);
  });
});

const unpackVersion = (state: Buffer): unknown => (unpack(state) as { version: unknown }).version;
