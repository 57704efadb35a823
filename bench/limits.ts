// How far each soma is from what its path can do at best: the same loops around a law that is nothing but an exponential,
// and around one that is nothing but an addition; and what copying memory costs. All in one process and interleaved.
// npm run bench:limits -- [--neurons N] [--rounds N]

import { readdirSync, readFileSync } from 'node:fs';
import { table } from '../src/cli/table.ts';
import { compileSoma } from '../src/compiler/soma.ts';
import { Usage } from '../src/device.ts';
import { ExponentialSoma, NoBackendError, Simulation, type Soma } from '../src/index.ts';
import { findAdapter } from '../src/node.ts';
import type { Path } from './alone.ts';
import { type Figures, measure, spread, type Variant } from './measure.ts';
import { commandLine, whole } from './options.ts';
import { check, DT, optionsOf, somas, type Work } from './work.ts';

const { values } = commandLine({
  options: { neurons: { type: 'string', default: '1000000' }, rounds: { type: 'string', default: '5' } },
});
const neurons = whole('neurons', values.neurons);
const rounds = whole('rounds', values.rounds);
/** Whole words of steps, long enough for any path. */
const STEPS = 320;
const WARM_UPS = 1;

const shaders = new URL('../shaders/', import.meta.url);
const read = (file: string) => ({ file, text: readFileSync(new URL(file, shaders), 'utf8') });
const PARTS = [read('parts/membrane.wgsl'), read('somas/ExponentialSoma.wgsl')];
const MATH = readdirSync(new URL('math/', shaders)).map((file) => read(`math/${file}`));

/** The tables of ExponentialSoma, and another law. Never a spike. */
function lawOf(name: string, drift: string): Soma {
  const begin = PARTS[1]?.text.indexOf('fn drift') ?? -1;
  if (begin < 0) throw new Error('ExponentialSoma.wgsl has no drift any more');
  const law = `
fn drift(c: Constants, s: State) -> lane { return ${drift}; }
fn advance(c: Constants, s: ptr<function, State>, drift: lane, current: lane) -> flag {
  (*s).potential = drift;
  return drift > lane(1e9);
}`;
  const files = PARTS.map(({ file, text }, i) => ({ file, text: i === 1 ? text.slice(0, begin) + law : text }));
  const paths = (rows: object) => Object.values(rows).map(({ path }) => path as string);
  const { parameters, states } = ExponentialSoma;
  const module = () => compileSoma({ files, math: MATH, parameters: paths(parameters), states: paths(states) });
  return {
    name,
    parameters: parameters as unknown as Soma['parameters'],
    states,
    wgsl: files.map(({ text }) => text).join('\n'),
    wasm: async () => Buffer.from(module()).toString('hex'),
  };
}

const EXPONENTIAL = 'an exponential';
// One stays near 0.57, the other grows by 2 mV a step: no infinities, and nothing subnormal, which would be slow.
const limits = [lawOf(EXPONENTIAL, 'exp(-s.potential)'), lawOf('an addition', 's.potential + c.membrane.slope')];

const opened: Simulation[] = [];

async function variantsOf(path: Path): Promise<Variant[]> {
  const variants: Variant[] = [];
  for (const soma of [...limits, ...somas.values()]) {
    const simulation = await Simulation.create({
      dt: DT,
      backend: path,
      ...(path === 'webgpu' ? { adapter: await findAdapter() } : {}),
    });
    opened.push(simulation);
    const own = somas.has(soma.name);
    const work: Work = { soma: soma.name, mode: 'counting', neurons, steps: STEPS };
    const options = own ? optionsOf(work) : { name: 'cells', units: neurons };
    const cells = simulation.add(soma, options);
    await simulation.run(STEPS * DT);
    if (!own) checkLimit(path, soma.name, await cells.readState('potential'));
    else {
      const counts = await cells.spikeCounts();
      const fired = counts.reduce((sum, count) => sum + Math.min(count, 1), 0);
      check(path, work, { spikes: counts.reduce((sum, count) => sum + count, 0), fired, recorded: 0 });
    }
    variants.push({
      name: soma.name,
      updates: neurons * STEPS,
      work: async () => void (await simulation.run(STEPS * DT)),
    });
  }
  return variants;
}

/** That all its steps were made: where the potentials of a law are after the first STEPS of them. */
function checkLimit(path: Path, name: string, potentials: Float32Array): void {
  const { potential_rest: rest, spike_slope: slope } = ExponentialSoma.parameters;
  // The solution of x = exp(-x), which a factor of 0.57 a step comes close to; or the sum of all steps.
  const known = Number(rest.default) + (name === EXPONENTIAL ? 0.567143 : STEPS * Number(slope.default));
  const wrong = potentials.find((potential) => !(Math.abs(potential - known) < 0.01));
  if (wrong !== undefined) throw new Error(`${path}, ${name}: ${wrong} mV, where there should be ${known}`);
}

function describe(path: string, figures: readonly Figures[]): string {
  const bare = figures.find(({ name }) => name === EXPONENTIAL) as Figures;
  const rows = figures.map(({ name, rounds }) => {
    const times = rounds.map((ns, round) => ns / (bare.rounds[round] as number));
    return [name, spread(rounds), spread(times)];
  });
  return `\n${path}\n${table(['', 'ns/update', 'exponentials'], rows)}`;
}

/** Bytes a second of work that moves so many, in GB. */
async function bandwidth(bytes: number, work: () => Promise<void> | void): Promise<string> {
  const figures: number[] = [];
  for (let round = -WARM_UPS; round < rounds; round++) {
    const begin = performance.now();
    await work();
    if (round >= 0) figures.push(bytes / 1e6 / (performance.now() - begin));
  }
  return spread(figures, 1);
}

const SIZE = 2 ** 27;

async function copies(): Promise<string[][]> {
  const [from, to] = [new Float32Array(SIZE / 4).fill(1), new Float32Array(SIZE / 4)];
  const rows = [['memory to memory, one thread', await bandwidth(2 * SIZE, () => to.set(from))]];
  if (!there) return rows;
  const device = await (await findAdapter()).requestDevice({ requiredLimits: { maxBufferSize: SIZE } });
  const a = device.createBuffer({ size: SIZE, usage: Usage.COPY_SRC });
  const b = device.createBuffer({ size: SIZE, usage: Usage.COPY_DST | Usage.MAP_READ });
  const copy = () => {
    const encoder = device.createCommandEncoder();
    encoder.copyBufferToBuffer(a, 0, b, 0, SIZE);
    device.queue.submit([encoder.finish()]);
  };
  const copied = async () => {
    copy();
    await device.queue.onSubmittedWorkDone();
  };
  rows.push(['device buffer to device buffer', await bandwidth(2 * SIZE, copied)]);
  const brought = async () => {
    copy();
    await b.mapAsync(Usage.MAP_READ);
    to.set(new Float32Array(b.getMappedRange()));
    b.unmap();
  };
  rows.push(['device buffer to an array of the host', await bandwidth(SIZE, brought)]);
  device.destroy();
  return rows;
}

/** Whether this machine has WebGPU. */
const there = await findAdapter().then(
  () => true,
  (error) => {
    if (!(error instanceof NoBackendError)) throw error;
    process.stdout.write(`left out: WebGPU (${error.message})\n`);
    return false;
  },
);

for (const path of there ? (['cpu', 'webgpu'] as const) : (['cpu'] as const)) {
  const figures = await measure(await variantsOf(path), rounds, { warmUps: WARM_UPS });
  const { adapter } = opened.at(-1) as Simulation;
  process.stdout.write(describe(`${path}: ${adapter}`, figures));
  for (const simulation of opened.splice(0)) simulation.dispose();
}
process.stdout.write(
  `\n${table(['copying', 'GB/s'], await copies())}median [min..max] of ${rounds} rounds; ${neurons.toLocaleString('en')} neurons, ${STEPS} steps\n`,
);
