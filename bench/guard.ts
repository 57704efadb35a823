// What it costs to look, after each block, for states that are no numbers. It is too little to show in whole runs, which
// scatter by several per cent: on the processor each look is timed inside a run; on a GPU kernels that look after each of
// the 32 steps of a block run beside ones that never do, interleaved, and one look is a 32nd of what that adds.
// npm run bench:guard -- [--neurons N,N] [--rounds N] [--backends cpu,webgpu]

import { table } from '../src/cli/table.ts';
import { Simulation, type SimulationOptions } from '../src/index.ts';
import { findAdapter } from '../src/node.ts';
import { measure, spread, type Variant } from './measure.ts';
import { chosen, commandLine, whole, wholes } from './options.ts';
import { DT, optionsOf, somas } from './work.ts';

const { values } = commandLine({
  options: {
    neurons: { type: 'string', default: '100000,1000000' },
    rounds: { type: 'string', default: '15' },
    backends: { type: 'string' },
  },
});
const sizes = wholes('neurons', String(values.neurons));
const rounds = whole('rounds', String(values.rounds));
const paths = chosen('backends', values.backends as string | undefined, ['cpu', 'webgpu'] as const);

const soma = 'AdaptiveExponentialSoma';
const law = somas.get(soma);
if (!law) throw new Error(`there is no ${soma}`);

async function open(neurons: number, options: SimulationOptions): Promise<Simulation> {
  const simulation = await Simulation.create({ dt: DT, recover: false, ...options });
  simulation.add(law as NonNullable<typeof law>, optionsOf({ soma, mode: 'counting', neurons, steps: 0 }));
  await simulation.run(64 * DT);
  return simulation;
}

/** ms in looks, and how many there were. */
const looks = { time: 0, count: 0 };

// The law's module is linked where its slice is made; what looks is one of its functions.
const { Instance } = WebAssembly;
function Timed(module: WebAssembly.Module, imports: WebAssembly.Imports): { exports: WebAssembly.Exports } {
  const { exports } = new Instance(module, imports);
  const { watch } = exports as { watch?: (...at: number[]) => void };
  if (!watch) return { exports };
  const timed = (...at: number[]) => {
    const begin = performance.now();
    watch(...at);
    looks.time += performance.now() - begin;
    looks.count++;
  };
  return { exports: { ...exports, watch: timed } };
}

async function onProcessor(neurons: number): Promise<string[]> {
  Object.assign(WebAssembly, { Instance: Timed });
  // On the calling thread, in blocks as they are on workers.
  const simulation = await open(neurons, { backend: 'cpu', workers: 0, tuning: { blockSteps: 64 } });
  Object.assign(WebAssembly, { Instance });
  const steps = Math.max(64, Math.round(1e8 / neurons / 64) * 64);
  const shares: number[] = [];
  for (let round = 0; round < rounds; round++) {
    Object.assign(looks, { time: 0, count: 0 });
    const begin = performance.now();
    await simulation.run(steps * DT);
    shares.push((100 * looks.time) / (performance.now() - begin));
  }
  if (looks.count === 0) throw new Error('nothing looked');
  simulation.dispose();
  return ['cpu', neurons.toLocaleString('en'), '64', spread(shares)];
}

/** A device whose kernels look after each step, or never. */
async function deviceOf(looking: boolean): Promise<GPUDevice> {
  const adapter = await findAdapter();
  const { maxStorageBufferBindingSize, maxBufferSize } = adapter.limits;
  const device = await adapter.requestDevice({ requiredLimits: { maxStorageBufferBindingSize, maxBufferSize } });
  const create = device.createShaderModule.bind(device);
  device.createShaderModule = ({ code, ...rest }) => create({ ...rest, code: changed(code, looking) });
  return device;
}

function changed(code: string, looking: boolean): string {
  const [, look] = /return any\((.*)\); }/.exec(code) ?? [];
  const step = 'word|=';
  const mark = /if \((store_states\([^)]*\))\)/;
  if (!look || !code.includes(step) || !mark.test(code))
    throw new Error('the kernel looks in another way than thought');
  if (!looking) return code.replace(look, 'vec4<bool>()').replace(mark, 'let stored = $1; if (false)');
  const here = look.replaceAll('(s.', '(state.');
  return code
    .replace(step, `marked = marked || any(${here}); ${step}`)
    .replace('var k=0u;', 'var k=0u; var marked = false;')
    .replace(mark, 'let stored = $1; if (stored || marked)');
}

async function onGpu(neurons: number): Promise<string[]> {
  const opened: Simulation[] = [];
  const steps = Math.max(32, Math.round(5e7 / neurons / 32) * 32);
  for (const looking of [false, true]) {
    const tuning = { blockSteps: 32, submit: 2 ** 40 };
    opened.push(await open(neurons, { backend: 'webgpu', device: await deviceOf(looking), tuning }));
  }
  const variants = opened.map(
    (simulation, i): Variant => ({
      name: i ? 'each step' : 'never',
      updates: neurons * steps,
      work: async () => void (await simulation.run(steps * DT)),
    }),
  );
  const [, looking] = await measure(variants, rounds);
  const shares = (looking?.ratios ?? []).map((ratio) => (100 * (1 / ratio - 1)) / 32);
  for (const simulation of opened) simulation.dispose();
  return ['webgpu', neurons.toLocaleString('en'), '32', spread(shares)];
}

const rows: string[][] = [];
for (const path of paths) for (const size of sizes) rows.push(await (path === 'cpu' ? onProcessor : onGpu)(size));
process.stdout.write(table(['path', 'neurons', 'steps in a block', 'of the time, %'], rows));
process.exit(0);
