// What it costs to be ready for a device that is lost: the same run with snapshots and without, interleaved, in one process,
// in time of the processor: it does all the work on both paths here, and what else the machine does is not in it.
// npm run bench:recovery -- [--neurons N,N] [--seconds S] [--rounds N] [--backends cpu,webgpu]

import { table } from '../src/cli/table.ts';
import { Simulation } from '../src/index.ts';
import { findAdapter } from '../src/node.ts';
import type { Path } from './alone.ts';
import { measure, spread, type Variant } from './measure.ts';
import { chosen, commandLine, whole, wholes } from './options.ts';
import { DT, optionsOf, somas } from './work.ts';

const { values } = commandLine({
  options: {
    neurons: { type: 'string', default: '100000,1000000' },
    seconds: { type: 'string', default: '4' },
    rounds: { type: 'string', default: '5' },
    backends: { type: 'string' },
  },
});
const sizes = wholes('neurons', String(values.neurons));
const seconds = whole('seconds', String(values.seconds));
const rounds = whole('rounds', String(values.rounds));
const paths = chosen('backends', values.backends as string | undefined, ['cpu', 'webgpu'] as const);

const soma = 'AdaptiveExponentialSoma';

async function open(path: Path, neurons: number, recover: boolean): Promise<Simulation> {
  const simulation = await Simulation.create({ dt: DT, backend: path, adapter: findAdapter, recover });
  const law = somas.get(soma);
  if (!law) throw new Error(`there is no ${soma}`);
  simulation.add(law, optionsOf({ soma, mode: 'counting', neurons, steps: 0 }));
  await simulation.run(64 * DT);
  return simulation;
}

for (const path of paths) {
  for (const neurons of sizes) {
    const opened = [await open(path, neurons, false), await open(path, neurons, true)];
    const [plain] = opened as [Simulation];
    const begin = performance.now();
    await plain.run(128 * DT);
    const steps = Math.ceil((seconds * 1e3 * 128) / (performance.now() - begin));
    const variants = opened.map(
      (simulation, i): Variant => ({
        name: i ? 'with snapshots' : 'without',
        updates: neurons * steps,
        work: async () => {
          const before = process.cpuUsage();
          await simulation.run(steps * DT);
          const { user, system } = process.cpuUsage(before);
          return (user + system) / 1e6;
        },
      }),
    );
    const figures = await measure(variants, rounds);
    const rows = figures.map(({ name, rounds, ratios }) => [name, spread(rounds, 3), spread(ratios, 3)]);
    const title = `${path}: ${plain.adapter}, ${neurons.toLocaleString('en')} neurons, ${steps.toLocaleString('en')} steps`;
    process.stdout.write(`\n${title}\n${table(['', 'processor, ns/update', 'speed'], rows)}`);
    for (const simulation of opened) simulation.dispose();
  }
}
