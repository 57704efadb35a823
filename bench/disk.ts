// Recording to disk: a million neurons at about 20 Hz for 10 s of model time, by the command line as a user has it. Prints
// time, peak memory and files; fails where a spike is missing or the memory exceeds what was promised.
// npm run bench:disk -- [--neurons N] [--duration MS] [--backend cpu|webgpu]

import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openRows } from '../src/disk/index.ts';
import { chosen, commandLine, whole } from './options.ts';

const { values } = commandLine({
  options: { neurons: { type: 'string' }, duration: { type: 'string' }, backend: { type: 'string' } },
});
const neurons = whole('neurons', values.neurons ?? '1000000');
const duration = whole('duration', values.duration ?? '10000');
const [backend] = chosen('backend', values.backend ?? 'cpu', ['cpu', 'webgpu'] as const);
const MOST_MEGABYTES = 600;

const experiment = {
  dt: 0.1,
  duration,
  populations: {
    cells: {
      soma: 'AdaptiveExponentialSoma',
      units: neurons,
      // Fires at about 20 Hz, unevenly.
      input: [{ kind: 'constant', amplitude: { initializer: 'uniform', low: 54, high: 62 } }],
      initial: { potential: { initializer: 'uniform', low: -70, high: -45 } },
      record: { spikes: true },
    },
  },
};

const cli = fileURLToPath(new URL('../dist/cli.js', import.meta.url));
// The largest resident size of the process, in kB, told when it ends.
const tell = 'process.on("exit",()=>console.error("peak",process.resourceUsage().maxRSS))';
const folder = await mkdtemp(join(tmpdir(), 'somagpu-disk-'));
try {
  const file = join(folder, 'experiment.json');
  await writeFile(file, JSON.stringify(experiment));
  const out = join(folder, 'out');
  const begin = performance.now();
  const peak = await run(['run', file, '--out', out, '--backend', backend as string]);
  const seconds = (performance.now() - begin) / 1e3;
  const summary = JSON.parse(await readFile(join(out, 'summary.json'), 'utf8'));
  const { spikes, mean_rate_hz } = summary.populations.cells;
  const recorded = await openRows(join(out, 'cells.npz'), 'spike_neurons');
  const { size } = await stat(join(out, 'cells.npz'));
  process.stdout.write(
    [
      `${neurons.toLocaleString('en')} neurons, ${duration} ms, ${mean_rate_hz.toFixed(1)} Hz: ${spikes.toLocaleString('en')} spikes`,
      `run ${summary.wall_seconds.toFixed(1)} s, command ${seconds.toFixed(1)} s, npz ${(size / 1e6).toFixed(0)} MB, peak memory ${peak.toFixed(0)} MB`,
      '',
    ].join('\n'),
  );
  if (recorded.shape[0] !== spikes)
    throw new Error(`${recorded.shape[0]} spikes on disk, ${spikes} counted on the device`);
  await recorded.close();
  if (peak > MOST_MEGABYTES) throw new Error(`it took more than ${MOST_MEGABYTES} MB`);
} finally {
  await rm(folder, { recursive: true });
}

/** Runs the command line; gives its peak memory in MB. */
function run(args: string[]): Promise<number> {
  const child = spawn(process.execPath, ['--import', `data:text/javascript,${tell}`, cli, ...args]);
  let said = '';
  child.stdout.pipe(process.stdout);
  child.stderr.on('data', (data) => {
    said += data;
  });
  return new Promise((resolve, reject) => {
    child.on('close', (code) => {
      const peak = /peak (\d+)/.exec(said);
      if (code === 0 && peak) resolve(Number(peak[1]) / 1e3);
      else reject(new Error(`exit ${code}: ${said}`));
    });
  });
}
