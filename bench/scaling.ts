// How the CPU path's speed and memory go with the number of neurons, from a thousand to ten million.

import { setTimeout as pause } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { table } from '../src/cli/table.ts';
import { AdaptiveExponentialSoma, type SimulationOptions } from '../src/index.ts';
import { measure, median, spread } from './measure.ts';
import type { Peer } from './peer.ts';
import { openOurs, variantOf, warmUp } from './work.ts';

const SIZES = [1e3, 1e4, 1e5, 1e6, 1e7];
/** In smaller populations what the process itself takes hides theirs. */
const WEIGHABLE = 1e6;
const SECONDS = 0.3;
/** Steps in a spike word: a shorter call would leave part of one idle. */
const WORD = 32;

/**
 * Measures counting populations of all sizes, interleaved.
 *
 * Memory is the growth of the whole process, so run this before anything else has left holes in it.
 */
export async function scaling(
  options: SimulationOptions,
  rounds: number,
  onRound: (done: number) => void,
): Promise<string> {
  setFlagsFromString('--expose-gc');
  const opened: { neurons: number; peer: Peer; steps: number; bytes: number }[] = [];
  try {
    for (const neurons of SIZES) {
      const before = await memory();
      const peer = await openOurs(neurons, options);
      await warmUp(`${neurons} neurons`, peer, neurons);
      const bytes = ((await memory()) - before) / neurons;
      opened.push({ neurons, peer, steps: await stepsIn(SECONDS, peer), bytes });
    }
    const variants = opened.map(({ neurons, peer, steps }) => variantOf(String(neurons), peer, neurons, steps));
    const figures = await measure(variants, rounds, onRound);
    // Of a neuron: its states, its current, and the word its spikes are in.
    const expected = 4 * (Object.keys(AdaptiveExponentialSoma.states).length + 1 + 1);
    return table(
      ['neurons', 'steps a call', 'ns/update', 'M updates/s', 'bytes/neuron', 'expected'],
      opened.map(({ neurons, steps, bytes }, i) => {
        const ns = figures[i]?.rounds ?? [];
        const weighed = neurons < WEIGHABLE ? ['', ''] : [bytes.toFixed(1), String(expected)];
        return [neurons.toLocaleString('en'), String(steps), spread(ns), (1e3 / median(ns)).toFixed(0), ...weighed];
      }),
    );
  } finally {
    for (const { peer } of opened) peer.close();
  }
}

/** Bytes the process holds in memory, garbage aside. */
async function memory(): Promise<number> {
  const collect = runInNewContext('gc') as () => void;
  for (let i = 0; i < 2; i++) {
    collect();
    // Array buffers are freed in the background.
    await pause(200);
  }
  return process.memoryUsage.rss();
}

/** How many steps take so long, in whole spike words. */
async function stepsIn(seconds: number, peer: Peer): Promise<number> {
  for (let steps = WORD; ; steps *= 2) {
    const taken = (await peer.run(steps)).seconds;
    if (taken > seconds / 4) return Math.max(1, Math.round((steps * seconds) / taken / WORD)) * WORD;
  }
}
