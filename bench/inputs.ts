// What goes in and comes out, and what it costs: each kind of input, and each kind of recording, beside a population with a
// constant current that records nothing, in one process and interleaved. Ratios, median [min..max].
// npm run bench:inputs -- [--backend webgpu|cpu] [--neurons N] [--rounds N]

import { table } from '../src/cli/table.ts';
import {
  AdaptiveExponentialSoma,
  type Input,
  type Population,
  type PopulationOptions,
  Simulation,
} from '../src/index.ts';
import { findAdapter } from '../src/node.ts';
import { measure, spread, type Variant } from './measure.ts';
import { chosen, commandLine, whole } from './options.ts';

const { values } = commandLine({
  options: { backend: { type: 'string' }, neurons: { type: 'string' }, rounds: { type: 'string' } },
});
const neurons = whole('neurons', values.neurons ?? `${2 ** 20}`);
const rounds = whole('rounds', values.rounds ?? '7');
const [backend] = chosen('backend', values.backend ?? 'webgpu', ['cpu', 'webgpu'] as const);
const STEPS = backend === 'cpu' ? 640 : 160;
const DT = 0.1;

/** pA; the soma with its defaults then fires at about 20 Hz. */
const CURRENT = 55;
const constant: Input = { kind: 'constant', amplitude: CURRENT };
const poisson = (expected: number): Input => {
  // Ten pA of its mean: weight rate tau.
  const [rate, tau] = [(expected * 1000) / DT, 5];
  return { kind: 'poisson_shot_noise', rate, tau, weight: 10 / ((rate / 1000) * tau) };
};

type Options = Pick<PopulationOptions<object, 'potential' | 'adaptation'>, 'input' | 'record'>;
const some = Array.from({ length: 10_000 }, (_, i) => Math.floor((i * neurons) / 10_000));
const cases: Record<string, Options> = {
  constant: { input: [constant] },
  step: { input: [{ kind: 'step', amplitude: CURRENT }] },
  ramp: { input: [{ kind: 'ramp', from: CURRENT, to: CURRENT + 1, stop: 1e6 }] },
  sine: { input: [{ kind: 'sine', amplitude: 5, offset: CURRENT, frequency: 10 }] },
  pulses: { input: [{ kind: 'pulses', amplitude: 2 * CURRENT, width: 5, period: 10 }] },
  white_noise: { input: [{ kind: 'white_noise', mean: CURRENT, sd: 50 }] },
  ornstein_uhlenbeck: { input: [{ kind: 'ornstein_uhlenbeck', mean: CURRENT, sd: 10, tau: 5 }] },
  'poisson, 0.01 a step': { input: [constant, poisson(0.01)] },
  'poisson, 0.1 a step': { input: [constant, poisson(0.1)] },
  'poisson, 5 a step': { input: [constant, poisson(5)] },
  'records spikes': { input: [constant], record: { spikes: { last: 1 } } },
  'records the rate': { input: [constant], record: { rate: { bin: 1 } } },
  'records 10,000 traces': { input: [constant], record: { states: { potential: { neurons: some, last: 1 } } } },
  'gathers statistics': { input: [constant], record: { statistics: { potential: {} } } },
};

const device = backend === 'webgpu' ? await openDevice() : undefined;
const variants: Variant[] = [];
let adapter = '';
for (const [name, options] of Object.entries(cases)) {
  const simulation = await Simulation.create({ dt: DT, backend, device, tuning: { blockSteps: 32 } });
  adapter = simulation.adapter;
  // Potentials spread over a cycle, so that spikes come at an even rate and not in volleys.
  const initial = { potential: { initializer: 'uniform', low: -70, high: -45 } as const };
  const cells = simulation.add(AdaptiveExponentialSoma, { name: 'cells', units: neurons, initial, ...options });
  await simulation.run(20);
  await checkRate(name, cells);
  variants.push({ name, updates: neurons * STEPS, work: async () => void (await simulation.run(STEPS * DT)) });
}

async function openDevice(): Promise<GPUDevice> {
  const found = await findAdapter();
  const { maxStorageBufferBindingSize, maxBufferSize } = found.limits;
  return found.requestDevice({ requiredLimits: { maxStorageBufferBindingSize, maxBufferSize } });
}

/** Before anything is timed: that it fires, and not all the time. */
async function checkRate(name: string, cells: Population): Promise<void> {
  const spikes = (await cells.spikeCounts()).reduce((sum, count) => sum + count, 0);
  const rate = spikes / neurons / 0.02;
  if (rate < 5 || rate > 500) throw new Error(`${name}: ${rate.toFixed(1)} Hz`);
}

const figures = await measure(variants, rounds, {
  onRound: (done) => process.stderr.isTTY && process.stderr.write(`\rround ${done} of ${rounds} `),
});
process.stdout.write(
  [
    `\nAdaptiveExponentialSoma, ${neurons.toLocaleString('en')} neurons, dt ${DT} ms, blocks of 32 steps, on ${adapter}`,
    'speed against a constant current: median [min..max] over the rounds',
    table(
      ['', 'ns/update', 'ratio'],
      figures.map(({ name, rounds: ns, ratios }) => [name, spread(ns), spread(ratios)]),
    ),
    '',
  ].join('\n'),
);
process.exit(0);
