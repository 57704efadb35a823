// The page of the browser's benchmark: runs what is asked for in its form, and lends its contenders to bench/browser.ts,
// which opens it in a Chromium, one library a page.

import { median, spread } from '../measure.ts';
import { CONTENDERS, type Key, type Opened, open } from './contenders.ts';
import { CHECKED, complaint, expected, stepsOf, type Tally, type Work } from './work.ts';

/** What a page offers to who drives it. */
export interface Bench {
  /** What the library runs on; nothing where it is not here. */
  open(key: Key, work: Work): Promise<string | undefined>;
  run(steps: number): Promise<Tally>;
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
  run(steps) {
    if (!lent) throw new Error('open a contender first');
    return lent.run(steps);
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
  const work = { neurons: Number(entries.get('neurons')), recording: entries.get('recording') === 'yes' };
  for (const contender of CONTENDERS) {
    if (work.recording && 'countingOnly' in contender) continue;
    status.textContent = `${contender.name} …`;
    const cells = await time(contender.key, work).catch((error) => [String(error), '', '']);
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
    const wrong = complaint(await contender.run(CHECKED), expected(CHECKED));
    if (wrong !== undefined) throw new Error(wrong);
    const steps = stepsOf(work.neurons);
    const ns: number[] = [];
    while (ns.length < ROUNDS) ns.push(((await contender.run(steps)).seconds * 1e9) / (work.neurons * steps));
    return [spread(ns), (1e3 / median(ns)).toFixed(0), contender.adapter];
  } finally {
    contender.close();
  }
}
