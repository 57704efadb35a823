// somagpu, asked as ../peer.ts asks everybody; its variants are the paths it takes.

import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Simulation, type Soma } from '../../src/index.ts';
import { findAdapter } from '../../src/node.ts';
import type { Answer, Opened } from '../peer.ts';
import { DT, type Mode, optionsOf, somas, type Work } from '../work.ts';

const [soma, neurons, steps, mode, backend, threads] = process.argv.slice(2);
const work: Work = { soma: soma as string, mode: mode as Mode, neurons: Number(neurons), steps: Number(steps) };

const secondsSince = (begin: number) => (performance.now() - begin) / 1e3;

async function create(options = optionsOf(work)) {
  const path = backend === 'cpu' ? { workers: Number(threads) } : { adapter: await findAdapter() };
  const simulation = await Simulation.create({ dt: DT, backend: backend as 'cpu' | 'webgpu', ...path });
  return { simulation, cells: simulation.add(somas.get(work.soma) as Soma, options) };
}
type Created = Awaited<ReturnType<typeof create>>;

/** Its seconds are those of the steps and, where spikes are recorded, of having them on the host in order. */
async function run({ simulation, cells }: Created): Promise<Answer> {
  const begin = performance.now();
  await simulation.run(work.steps * DT);
  const recorded = work.mode === 'recording' ? (await cells.spikes()).neurons.length : 0;
  const seconds = secondsSince(begin);
  let [spikes, fired] = [0, 0];
  for (const count of await cells.spikeCounts()) {
    spikes += count;
    if (count > 0) fired++;
  }
  return { seconds, spikes, fired, recorded };
}

/** Bytes the process holds, garbage aside. */
async function memory(): Promise<number> {
  const collect = runInNewContext('gc') as () => void;
  for (let i = 0; i < 2; i++) {
    collect();
    // Array buffers are freed in the background.
    await pause(100);
  }
  return process.memoryUsage.rss();
}

/** From nothing to the first step's spike counts on the host; then back to rest. */
async function open(): Promise<{ created: Created; opened: Opened }> {
  setFlagsFromString('--expose-gc');
  const before = await memory();
  // The arrays are the user's: a million neurons' parameters take seconds to think out.
  const options = optionsOf(work);
  const begin = performance.now();
  const created = await create(options);
  const compiling = performance.now();
  await created.simulation.compile();
  const compile = secondsSince(compiling);
  await created.simulation.run(DT);
  await created.cells.spikeCounts();
  const first = secondsSince(begin);
  const bytes = (await memory()) - before;
  const { adapter, software } = created.simulation;
  return { created, opened: { compile, first, bytes, adapter, software } };
}

async function answer(command: string): Promise<Answer> {
  if (command === 'whole') {
    const begin = performance.now();
    const created = await create();
    const done = await run(created);
    created.simulation.dispose();
    return { ...done, seconds: secondsSince(begin) };
  }
  kept ??= await open();
  kept.created.simulation.reset();
  return { ...(await run(kept.created)), opened: kept.opened };
}
let kept: Awaited<ReturnType<typeof open>> | undefined;

for await (const line of createInterface({ input: process.stdin })) console.log(JSON.stringify(await answer(line)));
kept?.created.simulation.dispose();
