// Who takes part in the browser's benchmark: somagpu, and the peers whose modules lie beside the page. Somebody's page
// without them runs somagpu alone.

import type { Answer } from '../peer.ts';
import { check, type Work } from '../work.ts';
import { type Asked, askedOf, CHECKED, type Contender, tally, watchAdapter } from './work.ts';

export const CONTENDERS = [
  { key: 'somagpu', name: 'somagpu' },
  { key: 'jax-js', name: 'jax-js', module: 'jax-js', export: 'open' },
  { key: 'jax-js-one', name: 'jax-js, states in one array', module: 'jax-js', export: 'openOneArray' },
  { key: 'tfjs', name: 'TensorFlow.js', module: 'tensorflow', export: 'open', countingOnly: true },
] as const satisfies readonly {
  key: string;
  name: string;
  /** In bench/peers/browser/, and once built in peers/ beside the page. */
  module?: string;
  export?: string;
  countingOnly?: boolean;
}[];

export type Entrant = (typeof CONTENDERS)[number];
export type Key = Entrant['key'];

export interface Opened {
  /** What the library runs on. */
  adapter: string;
  /** Does the work. @throws if what came out is not what must */
  run(): Promise<Answer>;
  close(): void;
}

type Open = (asked: Asked) => Promise<Contender>;

const adapter = watchAdapter();

/** Gives nothing where the page was built without that peer. @throws if the library does not do its work right */
export async function open(key: Key, work: Work): Promise<Opened | undefined> {
  const start = await load(key);
  if (!start) return undefined;
  const contender = await start(askedOf(work));
  const run = async (work: Work) => {
    const answer = tally(await contender.run(work.steps));
    check(key, work, answer);
    return answer;
  };
  await run({ ...work, steps: CHECKED });
  return { adapter: adapter(), run: () => run(work), close: () => contender.close() };
}

async function load(key: Key): Promise<Open | undefined> {
  const found = CONTENDERS.find((each) => each.key === key);
  if (!found) throw new Error(`no contender is called ${key}`);
  if (!('module' in found)) return (await import('./ours.ts')).open;
  const address = new URL(`peers/${found.module}.js`, document.baseURI).href;
  // A page without it may be answered with anything.
  const answer = await fetch(address);
  if (!answer.ok || !answer.headers.get('content-type')?.includes('javascript')) return undefined;
  const module = (await import(/* @vite-ignore */ address)) as Record<string, Open>;
  return module[found.export];
}
