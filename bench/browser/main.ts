// The page of the browser's benchmark: runs what is asked for in its form, and lends its contenders to bench/browser.ts,
// which opens it in a Chromium, one library a page.

import { median, spread } from '../measure.ts';
import type { Answer } from '../peer.ts';
import type { Work } from '../work.ts';
import { CONTENDERS, type Key, type Opened, open } from './contenders.ts';
import { timedSteps, workOf } from './work.ts';

/** What a page offers to who drives it. */
export interface Bench {
  /** What the library runs on; nothing where it is not here. */
  open(key: Key, work: Work): Promise<string | undefined>;
  run(): Promise<Answer>;
}

declare global {
  interface Window {
    bench: Bench;
  }
}

let lent: Opened | undefined;
window.bench = {
  async open(key, work) {
    lent = await open(key, work);
    return lent?.adapter;
  },
  run() {
    if (!lent) throw new Error('open a contender first');
    return lent.run();
  },
};

const ROUNDS = 5;
const find = <T extends Element>(selector: string) => document.querySelector(selector) as T;
const [form, status, rows] = [find<HTMLFormElement>('form'), find('#status'), find<HTMLElement>('tbody')];
const button = find<HTMLButtonElement>('button');

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  button.disabled = true;
  rows.replaceChildren();
  const entries = new FormData(form);
  const neurons = Number(entries.get('neurons'));
  const mode = entries.get('recording') === 'yes' ? 'recording' : 'counting';
  for (const contender of CONTENDERS) {
    if (mode === 'recording' && 'countingOnly' in contender) continue;
    status.textContent = `${contender.name} …`;
    const cells = await time(contender.key, workOf(mode, neurons, timedSteps(neurons))).catch(({ message }) => [
      message,
    ]);
    if (!cells) continue;
    const row = document.createElement('tr');
    for (const text of [contender.name, ...cells])
      row.append(Object.assign(document.createElement('td'), { textContent: text }));
    rows.append(row);
  }
  status.textContent = 'done';
  button.disabled = false;
});

/** The cells of a row; nothing where the library is not here. */
async function time(key: Key, work: Work): Promise<string[] | undefined> {
  const contender = await open(key, work);
  if (!contender) return undefined;
  try {
    const ns: number[] = [];
    while (ns.length < ROUNDS) ns.push(((await contender.run()).seconds * 1e9) / (work.neurons * work.steps));
    return [spread(ns), (1e3 / median(ns)).toFixed(0), contender.adapter];
  } finally {
    contender.close();
  }
}
