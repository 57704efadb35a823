// How long a GPU is given work for at a time, and what it costs to give it less: the same run in submits as long as the
// engine makes them, and in one a block, interleaved in one process. Also the first blocks on a device that is not known.
// And how long a loop of fixed length takes, on all cores at once: what the machine scatters by itself.
// npm run bench:submits -- [--neurons N,N] [--seconds S] [--rounds N]

import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { table } from '../src/cli/table.ts';
import { Simulation } from '../src/index.ts';
import { findAdapter } from '../src/node.ts';
import { measure, median, spread, type Variant } from './measure.ts';
import { commandLine, whole, wholes } from './options.ts';
import { DT, optionsOf, somas } from './work.ts';

const { values } = commandLine({
  options: {
    neurons: { type: 'string', default: '100000,1000000,4000000' },
    seconds: { type: 'string', default: '4' },
    rounds: { type: 'string', default: '5' },
  },
});
const sizes = wholes('neurons', String(values.neurons));
const seconds = whole('seconds', String(values.seconds));
const rounds = whole('rounds', String(values.rounds));

const soma = 'AdaptiveExponentialSoma';
const law = somas.get(soma);
if (!law) throw new Error(`there is no ${soma}`);

/** When a submit was made, and when it was seen done, ms. */
interface Seen {
  begin: number;
  end: number;
}

/** A device that writes down when each of its submits was made and seen done. */
async function watched(): Promise<{ device: GPUDevice; seen: Seen[] }> {
  const adapter = await findAdapter();
  const { maxStorageBufferBindingSize, maxBufferSize } = adapter.limits;
  const device = await adapter.requestDevice({ requiredLimits: { maxStorageBufferBindingSize, maxBufferSize } });
  const seen: Seen[] = [];
  const { queue } = device;
  const submit = queue.submit.bind(queue);
  queue.submit = (buffers) => {
    const begin = performance.now();
    submit(buffers);
    queue.onSubmittedWorkDone().then(
      () => seen.push({ begin, end: performance.now() }),
      () => {},
    );
  };
  return { device, seen };
}

/** Seen done within so many ms of each other, submits were done before: the host was late to look. */
const AT_ONCE = 1;

/** How long each took, ms; those that were seen at once, each an equal part of the time until then. */
function tookOf(seen: readonly Seen[]): number[] {
  const took: number[] = [];
  let before = 0;
  for (let i = 0; i < seen.length; ) {
    const { begin } = seen[i] as Seen;
    let next = i + 1;
    while (next < seen.length && (seen[next] as Seen).end - (seen[next - 1] as Seen).end < AT_ONCE) next++;
    const { end } = seen[next - 1] as Seen;
    for (let each = i; each < next; each++) took.push((end - Math.max(begin, before)) / (next - i));
    before = end;
    i = next;
  }
  return took;
}

// In a worker, as text: loops of as many turns as take so many ms at best, and how long each took, ms.
const LOOP = `
const { parentPort, workerData: { ms, count } } = require('node:worker_threads');
const work = (turns) => {
  const begin = performance.now();
  let x = 1;
  for (let i = 0; i < turns; i++) x = x * 1.0000001 + 0.5 > 1e6 ? 1 : x * 1.0000001 + 0.5;
  return x && performance.now() - begin;
};
const turns = Math.round((1e6 * ms) / Math.min(...Array.from({ length: 50 }, () => work(1e6))));
parentPort.postMessage(Array.from({ length: count }, () => work(turns)));
`;

/** How long loops take that take `ms` where nothing disturbs them. */
async function scatter(ms: number, count: number): Promise<number[]> {
  const workers = Array.from({ length: availableParallelism() }, () => {
    const worker = new Worker(LOOP, { eval: true, workerData: { ms, count } });
    return new Promise<number[]>((resolve, reject) => worker.on('message', resolve).on('error', reject));
  });
  return (await Promise.all(workers)).flat();
}

/** Median, 99 of 100, and longest. */
const longest = (times: readonly number[]): string[] =>
  [median(times), times.toSorted((a, b) => a - b)[Math.floor(times.length * 0.99)], Math.max(...times)].map((time) =>
    (time ?? 0).toFixed(1),
  );

const ways = [
  ['one a block', { submit: 2 ** 40 }],
  ['as they are', {}],
] as const;

for (const neurons of sizes) {
  const opened = await Promise.all(
    ways.map(async ([name, tuning]) => {
      const { device, seen } = await watched();
      const simulation = await Simulation.create({ dt: DT, backend: 'webgpu', device, tuning, recover: false });
      simulation.add(law, optionsOf({ soma, mode: 'counting', neurons, steps: 0 }));
      await simulation.compile();
      return { name, simulation, seen, device };
    }),
  );
  const steps = Math.max(64, Math.round((seconds * 3e8) / neurons / 32) * 32);
  const first: number[] = [];
  for (const { simulation, seen } of opened) {
    seen.length = 0;
    await simulation.run(320 * DT);
    first.push(Math.max(...tookOf(seen)));
    seen.length = 0;
  }
  const variants = opened.map(
    ({ name, simulation }): Variant => ({
      name,
      updates: neurons * steps,
      work: async () => void (await simulation.run(steps * DT)),
    }),
  );
  const figures = await measure(variants, rounds);
  const rows = figures.map(({ name, rounds, ratios }, i) => {
    const took = tookOf((opened[i] as (typeof opened)[number]).seen);
    return [name, (first[i] ?? 0).toFixed(1), ...longest(took), spread(rounds, 3), spread(ratios, 3)];
  });
  const usual = tookOf(opened.at(-1)?.seen ?? []);
  rows.push(['loops, all cores', '', ...longest(await scatter(median(usual), 500)), '', '']);
  const head = ['submits', 'first', 'median', '99 %', 'longest, ms', 'ns/update', 'speed'];
  const title = `${opened[0]?.simulation.adapter}, ${neurons.toLocaleString('en')} neurons, ${steps.toLocaleString('en')} steps`;
  process.stdout.write(`\n${title}\n${table(head, rows)}`);
  for (const { simulation, device } of opened) {
    simulation.dispose();
    device.destroy();
  }
}
