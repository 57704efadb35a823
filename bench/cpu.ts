// What the CPU path is worth: against software Vulkan, C++ and JavaScript doing the same work, interleaved in one run;
// what recording costs it; and how it scales. Prints ns per update and ratios, median [min..max] over the rounds.
// npm run bench:cpu -- [--neurons N] [--rounds N] [--workers N] [--only vulkan,cpu,recording,cpp-block,cpp-step,js,scaling]

import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { table } from '../src/cli/table.ts';
import { findAdapter } from '../src/node.ts';
import { type Figures, measure, median, speedOf, spread } from './measure.ts';
import { buildCpp, openCpp, openJavaScript, type Peer } from './peer.ts';
import { scaling } from './scaling.ts';
import { type Ours, openOurs, variantOf, warmUp } from './work.ts';

const { values } = parseArgs({
  options: {
    neurons: { type: 'string', default: String(2 ** 20) },
    rounds: { type: 'string', default: '7' },
    workers: { type: 'string', default: '2' },
    only: { type: 'string' },
  },
});
const neurons = Number(values.neurons);
const rounds = Number(values.rounds);
const workers = Number(values.workers);
const STEPS = 320;
const CPU = { backend: 'cpu', workers } as const;

interface Contender {
  key: string;
  name: string;
  /** Gives nothing, and `missing` is said, where this machine has no such thing. */
  open: () => Promise<Peer | undefined>;
  missing?: string;
}

const openedCpp = async (layout: 'block' | 'step') => cpp && openCpp(cpp.program, layout, neurons, workers);
const contenders: Contender[] = [
  { key: 'vulkan', name: 'somagpu, WebGPU, counting', open: openVulkan },
  { key: 'cpu', name: 'somagpu, cpu, counting', open: () => openOurs(neurons, CPU) },
  { key: 'recording', name: 'somagpu, cpu, all spikes recorded', open: () => openOurs(neurons, CPU, true) },
  { key: 'cpp-block', name: 'C++, block by block', open: () => openedCpp('block'), missing: 'g++' },
  { key: 'cpp-step', name: 'C++, step by step', open: () => openedCpp('step'), missing: 'g++' },
  { key: 'js', name: 'JavaScript by hand', open: async () => openJavaScript(neurons, workers) },
];
const goals = [
  { of: 'cpu', to: 'vulkan', goal: 3.5 },
  { of: 'cpu', to: 'cpp-block', goal: 0.2 },
  { of: 'cpu', to: 'cpp-step', goal: 0.2 },
  { of: 'cpu', to: 'js', goal: 6 },
  { of: 'recording', to: 'cpu', goal: 0.85 },
];

const chosen = values.only?.split(',') ?? [...contenders.map(({ key }) => key), 'scaling'];
const unknown = chosen.find((key) => key !== 'scaling' && !contenders.some((each) => each.key === key));
if (unknown !== undefined) throw new Error(`--only: ${unknown} is not known`);
const cpp = chosen.some((key) => key.startsWith('cpp')) ? await buildCpp() : undefined;

let vulkan = '';
async function openVulkan(): Promise<Peer> {
  const peer = await openOurs(neurons, { backend: 'webgpu', adapter: await findAdapter() });
  vulkan = `; WebGPU on ${peer.adapter}${peer.software ? '' : ', which is no software'}`;
  return peer;
}

function onRound(done: number): void {
  if (process.stderr.isTTY) process.stderr.write(`\rround ${done} of ${rounds} `);
}

async function comparison(): Promise<string> {
  const left: string[] = [];
  const entered: (Contender & { peer: Peer; spikes: number })[] = [];
  try {
    for (const contender of contenders.filter(({ key }) => chosen.includes(key))) {
      const peer = await contender.open();
      if (peer) {
        entered.push({ ...contender, peer, spikes: 0 });
        await warmUp(contender.name, peer, neurons);
      } else left.push(`left out: ${contender.name}, for there is no ${contender.missing} here`);
    }
    const variants = entered.map((each) =>
      variantOf(each.name, each.peer, neurons, STEPS, (spikes) => {
        each.spikes = spikes;
      }),
    );
    const figures = await measure(variants, rounds, onRound);
    await checkSpikes(entered);
    return [
      `\n${neurons.toLocaleString('en')} neurons, ${STEPS} steps a call, ${workers} threads${vulkan}`,
      table(
        ['variant', 'ns/update', 'M updates/s', 'speed against the first'],
        figures.map(({ name, rounds: ns, ratios }) => [
          name,
          spread(ns),
          (1e3 / median(ns)).toFixed(0),
          spread(ratios),
        ]),
      ),
      ratios(new Map(entered.map(({ key }, i) => [key, figures[i] as Figures]))),
      ...left,
      '',
    ].join('\n');
  } finally {
    for (const { peer } of entered) peer.close();
  }
}

// All have made the same steps: their spikes may differ by rounding only, and a recording must have them all.
async function checkSpikes(entered: readonly { key: string; name: string; peer: Peer; spikes: number }[]) {
  for (const { key, name, peer, spikes } of entered) {
    const [first] = entered;
    if (first && Math.abs(spikes / first.spikes - 1) > 0.005)
      throw new Error(`${name} has ${spikes} spikes, ${first.name} ${first.spikes}`);
    if (key !== 'recording') continue;
    const recorded = await (peer as Ours).recorded();
    if (recorded !== spikes) throw new Error(`${name}: ${recorded} of ${spikes} spikes`);
  }
}

function ratios(figures: ReadonlyMap<string, Figures>): string {
  const rows = goals.flatMap(({ of, to, goal }) => {
    const [ours, theirs] = [figures.get(of), figures.get(to)];
    if (!ours || !theirs) return [];
    const speed = speedOf(ours, theirs);
    return [[ours.name, theirs.name, spread(speed), `>= ${goal}`, median(speed) >= goal ? 'met' : 'missed']];
  });
  return rows.length === 0 ? '' : table(['speed of', 'against', 'ratio', 'goal', 'so it is'], rows);
}

process.stdout.write(
  [
    `AdaptiveExponentialSoma, dt 0.1 ms, 34.5 Hz in the first 100 ms, on ${cpus()[0]?.model}, Node ${process.version}`,
    'ns per update and ratios: median [min..max] over the rounds',
    '',
  ].join('\n'),
);
try {
  // Scaling comes first: it weighs the process.
  if (chosen.includes('scaling')) {
    const rows = await scaling(CPU, rounds, onRound);
    process.stdout.write(`\nthe CPU path by size, counting, ${workers} workers\n${rows}`);
  }
  if (chosen.some((key) => key !== 'scaling')) process.stdout.write(await comparison());
} finally {
  await cpp?.remove();
}
