// The experiment that the page lets its visitors download makes the spikes that the page's own population makes: on both
// paths, and on the command line.

import { describe, expect, onTestFinished, test } from 'vitest';
import { experimentFiles, npzOf, recordedOf } from '../../src/demo/downloads.ts';
import { HOME, populationOf, type Setup, STANDARD } from '../../src/demo/setup.ts';
import { ExperimentRun, readExperiment } from '../../src/experiment.ts';
import { npzNames, readNpzArray, readNpzText } from '../../src/files/index.ts';
import { backends, openDevice, type TestBackend } from '../support/backends.ts';
import { runExperiment } from '../support/cli.ts';
import { expectSameBits } from '../support/outcome.ts';

const DURATION = 60;
const small: Setup = { ...STANDARD, units: 300, seed: 11 };

const setups: [string, Setup][] = [
  ['what the page starts with, but smaller', small],
  [
    'a refractory soma, its parameters spread, in a current that grows from left to right',
    {
      ...small,
      soma: 'RefractoryExponentialSoma',
      spread: { cooldown: 0.3, resistance: 0.2, threshold: 0.05 },
      inputs: [
        { kind: 'step', amplitude: 120, start: 5, stop: 50, pattern: 'gradient' },
        { kind: 'white_noise', intensity: 15 },
      ],
    },
  ],
  [
    'a moving threshold, shared noise into the middle',
    {
      ...small,
      soma: 'SimplifiedAdaptiveExponentialSoma',
      dt: 0.05,
      parameters: { threshold_delta: 10, resistance: 0.6 },
      spread: { threshold_tau: 0.5 },
      inputs: [
        { kind: 'ramp', from: 0, to: 60, start: 0, stop: 30 },
        { kind: 'poisson_shot_noise', rate: 400, weight: 60, tau: 3, pattern: 'spot', shared: 'frozen noise' },
      ],
      view: { ...HOME, neuron: 7 },
    },
  ],
];

interface Fired {
  steps: Uint32Array;
  neurons: Uint32Array;
}

/** What the page's own population does. */
async function fired({ open }: TestBackend, setup: Setup): Promise<Fired> {
  const simulation = await open({ dt: setup.dt, seed: setup.seed });
  const { soma, options } = populationOf(setup);
  const cells = simulation.add(soma, { ...options, record: { spikes: true } });
  await simulation.run(DURATION);
  return cells.spikes();
}

/** The files that are downloaded, as bytes by their names. */
const filesOf = async (setup: Setup): Promise<Record<string, Uint8Array>> =>
  Object.fromEntries(
    await Promise.all(
      (await experimentFiles(setup, DURATION)).map(
        async ({ name, content }) => [name, new Uint8Array(await content.arrayBuffer())] as const,
      ),
    ),
  );

const textOf = (files: Record<string, Uint8Array>): string => new TextDecoder().decode(files['cells.json']);

function expectSameSpikes(actual: Fired, expected: Fired): void {
  expect(expected.steps.length).toBeGreaterThan(100);
  expectSameBits(actual.steps, expected.steps, 'spike steps');
  expectSameBits(actual.neurons, expected.neurons, 'spike neurons');
}

describe.each(backends)('a downloaded experiment, on $name', (backend) => {
  test.each(setups)('%s: gives the spikes of the page', async (_, setup) => {
    const files = await filesOf(setup);
    const experiment = await readExperiment(JSON.parse(textOf(files)), async (file, name = '') => {
      return readNpzArray(files[file] as Uint8Array, name) as { shape: readonly number[]; data: Float32Array };
    });
    const device = backend.name === 'webgpu' ? await openDevice() : undefined;
    const run = await ExperimentRun.create(experiment, { backend: backend.name, device });
    onTestFinished(() => run.simulation.dispose());
    await run.run();
    expectSameSpikes((await run.populations[0]?.spikes()) as Fired, await fired(backend, setup));
  });
});

describe('recordings of the page', () => {
  test('are what the command line leaves of the same experiment', async () => {
    const record = { spikes: true, states: { potential: { neurons: [7, 3], every: 5 } } };
    const files = await filesOf(small);
    const experiment = { ...JSON.parse(textOf(files)) };
    experiment.populations.cells.record = record;
    const { read, code } = await runExperiment(experiment, { files, args: ['--backend', 'cpu', '--workers', '0'] });
    expect(code).toBe(0);
    const there = new Uint8Array(read('cells.npz'));
    const recorded = await recordedOf(small, DURATION, { record, backend: 'cpu', workers: 0 });
    const here = new Uint8Array(await (await npzOf(recorded)).content.arrayBuffer());
    expect(npzNames(here).sort()).toEqual(npzNames(there).sort());
    for (const name of npzNames(there)) {
      if (name === 'provenance')
        expect(JSON.parse(readNpzText(here, name))).toEqual(JSON.parse(readNpzText(there, name)));
      else expect(readNpzArray(here, name)).toEqual(readNpzArray(there, name));
    }
    expect(recorded.spikes?.steps.length).toBeGreaterThan(100);
  });

  test('end with the reason where they are aborted', async () => {
    const reason = new Error('enough');
    const controller = new AbortController();
    const onProgress = () => controller.abort(reason);
    const running = recordedOf(small, 10_000, { backend: 'cpu', workers: 0, signal: controller.signal, onProgress });
    await expect(running).rejects.toBe(reason);
  });
});

describe('a downloaded experiment, on the command line', () => {
  test('gives the spikes of the page, with the second file beside it', async () => {
    const cpu = backends.find(({ name }) => name === 'cpu') as TestBackend;
    const files = await filesOf(small);
    expect(Object.keys(files)).toHaveLength(2);
    const { code, stderr, read } = await runExperiment(textOf(files), { files, args: ['--backend', 'cpu', '--quiet'] });
    expect(stderr).toBe('');
    expect(code).toBe(0);
    const bytes = new Uint8Array(read('cells.npz'));
    const array = (name: string) => readNpzArray(bytes, name).data as Uint32Array;
    expectSameSpikes({ steps: array('spike_steps'), neurons: array('spike_neurons') }, await fired(cpu, small));
  });
});
