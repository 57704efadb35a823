// The page in a real Chromium, with software WebGPU and without WebGPU: what drawing costs, how soon the first spike is
// on the screen, and how long the page holds its main thread while a hand is at work.
// npm run bench:page -- [--rounds N] [--sizes N,N] [--paths cpu,webgpu] [--questions drawing,start,hold] [--quick]

import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { table } from '../src/cli/table.ts';
import type {} from '../src/demo/main.ts';
import { launchChromium, serveFolder } from '../test/support/chromium.ts';
import { median, spread } from './measure.ts';
import { chosen, commandLine, whole, wholes } from './options.ts';
import { circumstances, progress, save } from './report.ts';

const PATHS = { webgpu: 'software WebGPU', cpu: 'cpu' } as const;
type Path = keyof typeof PATHS;
const QUESTIONS = ['drawing', 'start', 'hold'] as const;

const { values } = commandLine({
  options: {
    rounds: { type: 'string' },
    sizes: { type: 'string', default: '100000,1000000' },
    paths: { type: 'string' },
    questions: { type: 'string' },
    quick: { type: 'boolean', default: false },
  },
});

const rounds = whole('rounds', values.rounds ?? (values.quick ? '2' : '6'));
const sizes = wholes('sizes', values.sizes);
const paths = chosen('paths', values.paths, Object.keys(PATHS) as Path[]);
const questions = chosen('questions', values.questions, QUESTIONS);
/** After a switch, ms: until the pace has found how many steps fit. */
const SETTLE = values.quick ? 1500 : 4000;
/** What is counted then, ms. */
const COUNTED = values.quick ? 2000 : 6000;
/** More than any device here does, so that the device sets the pace. */
const SPEED = 5000;
/** What the issue of the page wants. */
const GOALS = { cost: 25, answer: 100 };

async function open(browser: Browser, origin: string, path: Path, units?: number): Promise<Page> {
  const context = await browser.newContext();
  // tsx gives functions their names by a helper that functions sent to the page do not find there.
  await context.addInitScript('globalThis.__name = (named) => named');
  const page = await context.newPage();
  page.setDefaultTimeout(120_000);
  page.on('pageerror', (error) => process.stderr.write(`${PATHS[path]}: ${error.message}\n`));
  await page.goto(`${origin}?backend=${path}${units === undefined ? '' : `&units=${units}`}`);
  return page;
}

async function openRunning(browser: Browser, origin: string, path: Path, units: number): Promise<Page> {
  const page = await open(browser, origin, path, units);
  await page.waitForFunction(() => (window.page?.live?.time ?? 0) > 0);
  await page.evaluate((speed) => window.page.change(() => ({ speed })), SPEED);
  await pause(SETTLE);
  return page;
}

/** That it is still what was asked for: a page that takes fewer neurons is faster. */
async function check(page: Page, path: Path, units: number): Promise<void> {
  const { note, ...there } = await page.evaluate(() => {
    const { live, note, playing } = window.page;
    return { note, playing, units: live?.cells.neurons, backend: live?.simulation.backend };
  });
  if (there.units === units && there.backend === path && there.playing) return;
  throw new Error(`${PATHS[path]}, ${units} neurons: the page has ${JSON.stringify(there)}: ${note}`);
}

interface Speed {
  /** Neuron-steps a second. */
  updates: number;
  /** Frames that the page had of the browser, and pictures of the sheet that it made, a second. */
  frames: number;
  pictures: number;
}

/** Steps and frames of a stretch of time, both as the page's own clock has it. */
async function countFor(page: Page, ms: number): Promise<Speed> {
  const { steps, frames, pictures, seconds, neurons } = await page.evaluate(async (ms) => {
    const { simulation, cells } = window.page.live as NonNullable<typeof window.page.live>;
    const [begin, first, drawn] = [performance.now(), simulation.steps, window.page.pictures];
    let frames = 0;
    while (performance.now() - begin < ms) {
      await new Promise(requestAnimationFrame);
      frames++;
    }
    const seconds = (performance.now() - begin) / 1000;
    const pictures = window.page.pictures - drawn;
    return { steps: simulation.steps - first, frames, pictures, seconds, neurons: cells.neurons };
  }, ms);
  return { updates: (steps * neurons) / seconds, frames: frames / seconds, pictures: pictures / seconds };
}

interface Drawing {
  path: Path;
  units: number;
  on: Speed[];
  off: Speed[];
}

/** With drawing and without it, in turns: on, off, off, on, ... */
async function compareDrawing(browser: Browser, origin: string, path: Path, units: number): Promise<Drawing> {
  const page = await openRunning(browser, origin, path, units);
  const found: Drawing = { path, units, on: [], off: [] };
  for (let turn = 0; turn < 2 * rounds; turn++) {
    const drawing = turn % 4 === 0 || turn % 4 === 3;
    await page.evaluate((drawing) => {
      window.page.drawing = drawing;
    }, drawing);
    await pause(SETTLE);
    found[drawing ? 'on' : 'off'].push(await countFor(page, COUNTED));
    await check(page, path, units);
    bar.turn(`drawing ${drawing ? 'on' : 'off'}, ${PATHS[path]}, ${units}`);
  }
  await page.context().close();
  return found;
}

interface Start {
  path: Path;
  /** ms from the navigation on. */
  paint: number[];
  spike: number[];
}

/** From nothing: a context knows nothing of what another has loaded. */
async function measureStart(browser: Browser, origin: string, path: Path): Promise<Start> {
  const found: Start = { path, paint: [], spike: [] };
  for (let round = 0; round < (values.quick ? 2 : 5); round++) {
    const page = await open(browser, origin, path);
    await page.waitForFunction(() => performance.getEntriesByName('first spike').length > 0);
    const { paint, spike } = await page.evaluate(() => {
      const at = (name: string) => performance.getEntriesByName(name)[0]?.startTime ?? Number.NaN;
      return { paint: at('first-contentful-paint'), spike: at('first spike') };
    });
    found.paint.push(paint);
    found.spike.push(spike);
    await page.context().close();
    bar.turn(`start, ${PATHS[path]}`);
  }
  return found;
}

/** What a hand does, once. */
const HAND = {
  nothing: async () => {},
  'moves a slider': (page: Page) => press(page, '#parameters input[type=range][aria-label^="spike_slope,"]'),
  'moves a slider of what is spread': (page: Page) =>
    press(page, '#parameters input[type=range][aria-label^="resistance,"]'),
  'clicks a neuron': async (page: Page, turn: number) => {
    const box = (await page.locator('#sheet').boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
    await page.mouse.click(box.x + box.width * (0.2 + 0.1 * (turn % 6)), box.y + box.height / 2);
  },
  'edits an amplitude': (page: Page, turn: number) =>
    page.locator('#inputs input[type=number][aria-label="Input 1: amplitude, pA"]').fill(`${42 + (turn % 5)}`),
} as const;

async function press(page: Page, selector: string): Promise<void> {
  await page.locator(selector).focus();
  await page.keyboard.press('ArrowRight');
}

interface Held {
  path: Path;
  units: number;
  hand: string;
  /** ms, the longest of each turn: a task of the main thread; from an event to its handler; and to the frame after it. */
  task: number[];
  delay: number[];
  answer: number[];
}

/** Between two things a hand does, ms; meanwhile it presses a key that means nothing. */
const BETWEEN = values.quick ? 1000 : 2000;
const KEY_EVERY = 70;

async function measureHold(browser: Browser, origin: string, path: Path, units: number): Promise<Held[]> {
  const page = await openRunning(browser, origin, path, units);
  const found: Held[] = [];
  for (const [hand, act] of Object.entries(HAND)) {
    const held: Held = { path, units, hand, task: [], delay: [], answer: [] };
    // The first time code is loaded and compiled, which is a turn like the others.
    for (let turn = 0; turn < rounds; turn++) {
      const watched = await page.evaluateHandle(watch);
      await act(page, turn);
      for (const end = performance.now() + BETWEEN; performance.now() < end; ) {
        await page.keyboard.press('Shift');
        await pause(KEY_EVERY);
      }
      const { task, delay, answer } = await watched.evaluate((watched) => watched.end());
      held.task.push(task);
      held.delay.push(delay);
      held.answer.push(answer);
    }
    await check(page, path, units);
    found.push(held);
    bar.turn(`${hand}, ${PATHS[path]}, ${units}`);
  }
  await page.context().close();
  return found;
}

/** In the page: follows its longest tasks and its slowest answers until `end`. Shorter ones than a browser tells are 0. */
function watch() {
  const longest = { task: 0, delay: 0, answer: 0 };
  const take = (entries: PerformanceEntryList) => {
    for (const entry of entries) {
      if (entry.entryType === 'longtask') longest.task = Math.max(longest.task, entry.duration);
      else {
        const { processingStart, startTime, duration } = entry as PerformanceEventTiming;
        longest.delay = Math.max(longest.delay, processingStart - startTime);
        longest.answer = Math.max(longest.answer, duration);
      }
    }
  };
  const observer = new PerformanceObserver((list) => take(list.getEntries()));
  observer.observe({ type: 'longtask' });
  observer.observe({ type: 'event', durationThreshold: 16 } as PerformanceObserverInit);
  return {
    end: () => {
      take(observer.takeRecords());
      observer.disconnect();
      return longest;
    },
  };
}

const neurons = (units: number) => units.toLocaleString('en');
const most = (all: readonly number[], goal = Infinity) =>
  `${spread(all, 0)}${Number.isFinite(goal) ? (Math.max(...all) <= goal ? '' : ' missed') : ''}`;

function describeDrawing(all: readonly Drawing[]): string {
  const rows = all.map(({ path, units, on, off }) => {
    const costs = on.map(({ updates }, i) => 100 * (1 - updates / (off[i] as Speed).updates));
    const millions = (speeds: readonly Speed[]) =>
      spread(
        speeds.map(({ updates }) => updates / 1e6),
        0,
      );
    const each = (speeds: readonly Speed[], name: 'frames' | 'pictures') =>
      spread(
        speeds.map(({ [name]: count }) => count),
        0,
      );
    const goal = median(costs) <= GOALS.cost ? 'met' : 'missed';
    return [
      PATHS[path],
      neurons(units),
      each(on, 'pictures'),
      each(on, 'frames'),
      each(off, 'frames'),
      millions(on),
      millions(off),
      spread(costs, 0),
      goal,
    ];
  });
  const goal = `<= ${GOALS.cost} %`;
  const head = [
    'path',
    'neurons',
    'pictures/s',
    'frames/s',
    'not drawn',
    'M updates/s',
    'not drawn',
    'cost of drawing, %',
    goal,
  ];
  return table(head, rows);
}

const describeStart = (all: readonly Start[]): string =>
  table(
    ['path', 'first paint, ms', 'first spike on the screen, ms'],
    all.map(({ path, paint, spike }) => [PATHS[path], spread(paint, 0), spread(spike, 0)]),
  );

const describeHold = (all: readonly Held[]): string =>
  table(
    ['path', 'neurons', 'a hand', 'longest task, ms', 'event to handler, ms', 'event to frame, ms'],
    all.map(({ path, units, hand, task, delay, answer }) => [
      PATHS[path],
      neurons(units),
      hand,
      most(task),
      most(delay, GOALS.answer),
      most(answer),
    ]),
  );

const cases = paths.flatMap((path) => sizes.map((units) => ({ path, units })));
const turns = {
  drawing: 2 * rounds * cases.length,
  start: (values.quick ? 2 : 5) * paths.length,
  hold: Object.keys(HAND).length * cases.length,
};
const where = circumstances();
process.stdout.write(`${Object.values(where).filter(Boolean).join(', ')}\n`);
const { origin, close } = await serveFolder(fileURLToPath(new URL('../dist/page', import.meta.url)));
const bar = progress(questions.reduce((sum, question) => sum + turns[question], 0));
const found: { drawing: Drawing[]; start: Start[]; hold: Held[] } = { drawing: [], start: [], hold: [] };
let chromium = '';
try {
  for (const path of paths) {
    const browser = await launchChromium(path === 'webgpu');
    chromium = browser.version();
    try {
      if (questions.includes('start')) found.start.push(await measureStart(browser, origin, path));
      for (const units of sizes) {
        if (questions.includes('drawing')) found.drawing.push(await compareDrawing(browser, origin, path, units));
        if (questions.includes('hold')) found.hold.push(...(await measureHold(browser, origin, path, units)));
      }
    } finally {
      await browser.close();
    }
  }
} finally {
  bar.stop();
  await close();
}
const json = { ...where, chromium, rounds, ...found };
const files = save('page', where.date as string, { json: `${JSON.stringify(json, null, 2)}\n` });
const texts = { drawing: describeDrawing, start: describeStart, hold: describeHold } as const;
for (const question of questions) {
  const rows = found[question] as never;
  process.stdout.write(`\n${question}\n${texts[question](rows)}`);
}
process.stdout.write(`median [min..max] of ${rounds} rounds; Chromium ${chromium}\n${files}\n`);
