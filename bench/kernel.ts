// What the kernel's shape is worth: the law as a scalar kernel, one step a dispatch, against four neurons a thread and
// many steps, in one process and interleaved; and what recording costs. Prints ns per update and ratios, median [min..max].
// npm run bench:kernel -- [--neurons N] [--rounds N]

import { table } from '../src/cli/table.ts';
import { AdaptiveExponentialSoma, type Population, Simulation, type Tuning } from '../src/index.ts';
import { findAdapter } from '../src/node.ts';
import { measure, median, spread, type Variant } from './measure.ts';
import { commandLine, whole } from './options.ts';

const { values } = commandLine({ options: { neurons: { type: 'string' }, rounds: { type: 'string' } } });
const neurons = whole('neurons', values.neurons ?? `${2 ** 20}`);
const rounds = whole('rounds', values.rounds ?? '7');
/** pA; the soma with its defaults then fires at about 20 Hz, the rate the figures are for. */
const CURRENT = 55;

const adapter = await findAdapter();
const { maxStorageBufferBindingSize, maxBufferSize } = adapter.limits;
const device = await adapter.requestDevice({ requiredLimits: { maxStorageBufferBindingSize, maxBufferSize } });

interface Case {
  name: string;
  steps: number;
  tuning: Tuning;
  spikes: boolean;
}

const cases: Case[] = [
  { name: 'scalar, 1 step a dispatch', steps: 64, tuning: { width: 1, blockSteps: 1 }, spikes: false },
  { name: '4 neurons a thread, 32 steps: counting', steps: 320, tuning: {}, spikes: false },
  { name: '4 neurons a thread, 32 steps: all spikes read back', steps: 320, tuning: {}, spikes: true },
  { name: '4 neurons a thread, 256 steps: counting', steps: 256, tuning: { blockSteps: 256 }, spikes: false },
];

async function open({ tuning, spikes }: Case): Promise<{ simulation: Simulation; cells: Population }> {
  const simulation = await Simulation.create({ dt: 0.1, device, tuning });
  // Potentials spread over a cycle, so that spikes come at an even rate and not in volleys.
  const initial = { potential: { initializer: 'uniform', low: -70, high: -45 } as const };
  const input = [{ kind: 'constant', amplitude: CURRENT } as const];
  const cells = simulation.add(AdaptiveExponentialSoma, {
    name: 'cells',
    units: neurons,
    initial,
    input,
    record: { spikes },
  });
  return { simulation, cells: cells as unknown as Population };
}

// Before anything is timed: all variants must give the same spikes.
const counts = await Promise.all(
  cases.map(async (each) => {
    const { simulation, cells } = await open(each);
    await simulation.run(20);
    const count = (await cells.spikeCounts()).reduce((sum, spikes) => sum + spikes, 0);
    simulation.dispose();
    return count;
  }),
);
if (counts.some((count) => count === 0 || count !== counts[0]))
  throw new Error(`the variants disagree: ${counts.join(', ')} spikes`);

const variants: Variant[] = [];
const opened: { simulation: Simulation; cells: Population }[] = [];
for (const each of cases) {
  const { simulation, cells } = await open(each);
  opened.push({ simulation, cells });
  // Past the first volleys, where adaptation has settled.
  if (each.tuning.blockSteps !== 1) await simulation.run(200);
  const duration = each.steps * 0.1;
  variants.push({
    name: each.name,
    updates: neurons * each.steps,
    work: async () => void (await simulation.run(duration)),
  });
}

const figures = await measure(variants, rounds, {
  onRound: (done) => process.stderr.isTTY && process.stderr.write(`\rround ${done} of ${rounds} `),
});
const recording = opened[2] as (typeof opened)[number];
const spikes = (await recording.cells.spikeCounts()).reduce((sum, count) => sum + count, 0);
const rate = spikes / neurons / (recording.simulation.time * 1e-3);
const ofCounting = figures[2]?.rounds.map((ns, round) => (figures[1]?.rounds[round] ?? 0) / ns) ?? [];

process.stdout.write(
  [
    `\nAdaptiveExponentialSoma, ${neurons.toLocaleString('en')} neurons, dt 0.1 ms, ${rate.toFixed(1)} Hz, on ${recording.simulation.adapter}`,
    'ns per update and speed against the scalar kernel: median [min..max] over the rounds',
    table(
      ['variant', 'ns/update', 'M updates/s', 'ratio'],
      figures.map(({ name, rounds: ns, ratios }) => [name, spread(ns), (1e3 / median(ns)).toFixed(0), spread(ratios)]),
    ),
    `recording all spikes runs at ${spread(ofCounting)} of the speed of counting`,
    '',
  ].join('\n'),
);
for (const { simulation } of opened) simulation.dispose();
device.destroy();
