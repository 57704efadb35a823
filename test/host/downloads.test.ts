// What the page gives away: recordings as files that read back, experiments that the schema and the reader of experiment
// files accept. That they give the same spikes is test/engine/downloads.test.ts's.

import { describe, expect, test } from 'vitest';
import { csvOf, experimentFiles, experimentOf, npzOf } from '../../src/demo/downloads.ts';
import { HOME, type Setup, STANDARD } from '../../src/demo/setup.ts';
import { readExperiment } from '../../src/experiment.ts';
import { npzNames, readNpzArray, readNpzText } from '../../src/files/index.ts';
import { InputError } from '../../src/index.ts';
import { schemaComplaints } from '../support/schema.ts';

const dt = 0.1;
const spikes = {
  steps: Uint32Array.of(2, 2, 40),
  times: Float64Array.of(3 * dt, 3 * dt, 41 * dt),
  neurons: Uint32Array.of(0, 7, 3),
};
const potential = {
  steps: Uint32Array.of(0, 10),
  times: Float64Array.of(dt, 11 * dt),
  neurons: Uint32Array.of(7, 3),
  values: Float32Array.of(-70, -69.9, -50.5, -51),
};
const provenance = '{"seed":7}';

const bytesOf = async (content: Blob) => new Uint8Array(await content.arrayBuffer());

describe('recordings as npz', () => {
  test('have the arrays of a run on the command line', async () => {
    const { name, content } = await npzOf({ dt, spikes, traces: { potential }, provenance });
    const bytes = await bytesOf(content);
    expect(name).toBe('cells.npz');
    const ofSpikes = ['spike_steps', 'spike_neurons'];
    const ofPotential = ['potential', 'potential_steps', 'potential_neurons'];
    expect(npzNames(bytes)).toEqual(['dt', 'provenance', ...ofSpikes, ...ofPotential]);
    expect(readNpzArray(bytes, 'dt')).toEqual({ shape: [], data: Float64Array.of(dt) });
    expect(readNpzText(bytes, 'provenance')).toBe(provenance);
    expect(readNpzArray(bytes, 'spike_steps')).toEqual({ shape: [3], data: spikes.steps });
    expect(readNpzArray(bytes, 'spike_neurons')).toEqual({ shape: [3], data: spikes.neurons });
    expect(readNpzArray(bytes, 'potential')).toEqual({ shape: [2, 2], data: potential.values });
    expect(readNpzArray(bytes, 'potential_neurons').data).toEqual(potential.neurons);
  });

  test('have only what was recorded', async () => {
    expect(npzNames(await bytesOf((await npzOf({ dt })).content))).toEqual(['dt']);
    expect(npzNames(await bytesOf((await npzOf({ dt, spikes })).content))).toEqual([
      'dt',
      'spike_steps',
      'spike_neurons',
    ]);
  });
});

describe('recordings as CSV', () => {
  test('have the columns of a run on the command line', async () => {
    const files = csvOf({ dt, spikes, traces: { potential }, provenance });
    expect(files.map(({ name }) => name)).toEqual(['cells.spikes.csv', 'cells.potential.csv']);
    const [ofSpikes, ofPotential] = await Promise.all(files.map(({ content }) => content.text()));
    expect(ofSpikes).toBe('# {"seed":7}\nstep,time_ms,neuron\n2,0.3,0\n2,0.3,7\n40,4.1,3\n');
    expect(ofPotential).toBe('# {"seed":7}\nstep,time_ms,neuron_7,neuron_3\n0,0.1,-70,-69.9\n10,1.1,-50.5,-51\n');
  });

  test('are whole also where they are made in pieces', async () => {
    const many = 200_001;
    const steps = Uint32Array.from({ length: many }, (_, i) => i);
    const times = Float64Array.from(steps, (step) => step + 1);
    const [file] = csvOf({ dt: 1, spikes: { steps, times, neurons: steps } });
    const lines = (await file?.content.text())?.trimEnd().split('\n') ?? [];
    expect(lines).toHaveLength(many + 1);
    for (const i of [0, 65_535, 65_536, many - 1]) expect(lines[i + 1]).toBe(`${i},${i + 1},${i}`);
  });

  test('without spikes or samples have a head alone', async () => {
    const none = { steps: new Uint32Array(0), times: new Float64Array(0), neurons: new Uint32Array(0) };
    const [file] = csvOf({ dt, spikes: none });
    expect(await file?.content.text()).toBe('step,time_ms,neuron\n');
    expect(csvOf({ dt })).toEqual([]);
  });
});

const setups: [string, Setup][] = [
  ['what the page starts with', STANDARD],
  ['no input, one neuron', { ...STANDARD, units: 1, inputs: [], spread: {} }],
  [
    'every pattern',
    {
      ...STANDARD,
      soma: 'SimplifiedAdaptiveExponentialSoma',
      units: 90,
      spread: { cooldown: 0.3, threshold_tau: 0.9 },
      inputs: [
        { kind: 'step', amplitude: 65, start: 1, pattern: 'gradient' },
        { kind: 'pulses', amplitude: 65, width: 1, period: 4, pattern: 'spot' },
        { kind: 'poisson_shot_noise', rate: 100, weight: 30, tau: 2, pattern: 'gradient', shared: 'frozen' },
        { kind: 'white_noise', intensity: 20, pattern: 'even' },
        { kind: 'ramp', from: 0, to: 80, start: 0, stop: 10 },
        { kind: 'sine', amplitude: 20, frequency: 8, phase: 1, pattern: 'waves' },
      ],
      view: { ...HOME, neuron: 3 },
    },
  ],
];

describe('the experiment of a set-up', () => {
  test.each(setups)('%s: is right to an editor and to the reader of experiment files', async (_, setup) => {
    const { experiment, beside } = experimentOf(setup, 100, { spikes: true, states: { potential: { neurons: [0] } } });
    const json = JSON.parse(JSON.stringify(experiment));
    expect(schemaComplaints(json)).toEqual([]);
    const read = await readExperiment(json, async (file, name = '') => {
      expect(file).toBe(beside?.file);
      return { shape: [setup.units], data: beside?.arrays[name] as Float32Array };
    });
    expect(read).toMatchObject({ dt: setup.dt, seed: setup.seed, steps: Math.round(100 / setup.dt) });
    expect(read.populations).toMatchObject([{ name: 'cells', options: { units: setup.units } }]);
    expect(read.populations[0]?.soma.name).toBe(setup.soma);
  });

  test('lasts whole steps, written without the rounding of their product', () => {
    const lasting = (duration: number, dt: number) => experimentOf({ ...STANDARD, dt }, duration).experiment.duration;
    expect(lasting(0.3, 0.1)).toBe(0.3);
    expect(lasting(1000.04, 0.1)).toBe(1000);
    expect(lasting(1000.06, 0.1)).toBe(1000.1);
    expect(lasting(7, 0.05)).toBe(7);
  });

  test('is one file, and a second where numbers differ from neuron to neuron, which the first names', async () => {
    const even = { ...STANDARD, inputs: [{ kind: 'constant', amplitude: 42 } as const] };
    expect((await experimentFiles(even, 100)).map(({ name }) => name)).toEqual(['cells.json']);
    const [experiment, arrays] = await experimentFiles(STANDARD, 100);
    const text = (await experiment?.content.text()) ?? '';
    expect(arrays?.name).toMatch(/^cells-[0-9a-f]{8}\.npz$/);
    expect(text).toContain(JSON.stringify(arrays?.name));
    const bytes = await bytesOf(arrays?.content as Blob);
    expect(npzNames(bytes)).toEqual(['input_1_amplitude', 'input_2_amplitude']);
    expect(readNpzArray(bytes, 'input_1_amplitude').shape).toEqual([STANDARD.units]);
  });

  test('names another file where the numbers are others', () => {
    const fileOf = (units: number) => experimentOf({ ...STANDARD, units }, 100).beside?.file;
    expect(fileOf(100)).toBe(fileOf(100));
    expect(fileOf(100)).not.toBe(fileOf(101));
  });

  test('is refused where the set-up is wrong', () => {
    const wrong: Setup = { ...STANDARD, inputs: [{ kind: 'constant', amplitude: 1, pattern: 'waves' }] };
    expect(() => experimentOf(wrong, 100)).toThrow(InputError);
  });
});
