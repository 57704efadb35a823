// An experiment that says what a paper prints spikes where the published protocol does, and is the one with the
// parameters written out.

import { expect, test } from 'vitest';
import { npzNames, readNpzArray } from '../../src/files/index.ts';
import { runExperiment } from '../support/cli.ts';
import { protocols } from '../support/reference.ts';

const printed = {
  ...{ C: 281, g_L: 30, E_L: -70.6, V_T: -50.4, Delta_T: 2, V_peak: -40.4, V_reset: -70.6 },
  ...{ tau_w: 144, a: 4, b: 80.5 },
};

const experiment = (parameters: unknown) => ({
  dt: 0.1,
  duration: 140,
  populations: {
    cells: {
      soma: 'AdaptiveExponentialSoma',
      units: 3,
      parameters,
      input: [{ kind: 'step', amplitude: 1000, start: 20, stop: 120 }],
      record: { spikes: true, states: { potential: {} } },
    },
  },
});

test('the regular spiking cell of Brette & Gerstner, given as printed, spikes at the steps of its protocol', async () => {
  const protocol = protocols.find(({ name }) => name === 'bg2005_regular_spiking_1nA');
  const run = await runExperiment(experiment({ biophysics: printed }));
  expect(run).toMatchObject({ code: 0, stderr: '' });
  const spikes = readNpzArray(run.read('cells.npz'), 'spike_steps').data as Uint32Array;
  const steps = protocol?.euler_check[0.1]?.spike_steps_f64 ?? [];
  expect(Array.from(spikes)).toEqual(steps.flatMap((step) => [step, step, step]));
  const same = await runExperiment(experiment(protocol?.params));
  // The provenance has the experiment, which is not the same.
  const arrays = (file: Uint8Array) =>
    npzNames(file).flatMap((name) => (name === 'provenance' ? [] : [[name, readNpzArray(file, name)]]));
  expect(arrays(same.read('cells.npz'))).toEqual(arrays(run.read('cells.npz')));
});

test('a capacitance that is drawn is refused with exit 2, a list of them runs', async () => {
  const drawn = { initializer: 'uniform', low: 200, high: 300 };
  const wrong = await runExperiment(experiment({ biophysics: { ...printed, C: drawn } }));
  expect(wrong).toMatchObject({ code: 2, stdout: '', written: [] });
  expect(wrong.stderr).toContain('populations.cells.parameters.biophysics.C: cannot be an initializer');
  const right = await runExperiment(experiment({ biophysics: { ...printed, C: [200, 250, 300] } }));
  expect(right).toMatchObject({ code: 0, stderr: '' });
});
