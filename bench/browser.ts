// somagpu beside jax-js and TensorFlow.js on WebGPU, in a real Chromium with a software adapter: the page of
// bench/browser/, opened for each library in a browser of its own; interleaved rounds of the same work, each checked.
// npm run bench:browser -- [--rounds N] [--sizes N,N] [--modes counting,recording] [--only somagpu,jax-js,jax-js-one,tfjs]

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { build } from 'vite';
import { table } from '../src/cli/table.ts';
import { launchChromium, serveFolder } from '../test/support/chromium.ts';
import { CONTENDERS, type Entrant, type Key } from './browser/contenders.ts';
import { timedSteps, workOf } from './browser/work.ts';
import { type Figures, measure, median, speedOf, spread } from './measure.ts';
import { chosen, commandLine, refuse, whole, wholes } from './options.ts';
import { circumstances, progress, save } from './report.ts';
import { titleOf, type Work } from './work.ts';

const MODES = ['counting', 'recording'] as const;

const { values } = commandLine({
  options: {
    rounds: { type: 'string', default: '5' },
    sizes: { type: 'string', default: '100000,1000000' },
    modes: { type: 'string' },
    only: { type: 'string' },
  },
});

/** How many times as fast as each library somagpu wants to be. */
const GOALS: Partial<Record<Work['mode'], Partial<Record<Key, number>>>> = {
  counting: { 'jax-js': 10, 'jax-js-one': 10, tfjs: 20 },
  recording: { 'jax-js': 15, 'jax-js-one': 15 },
};

const path = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const PEERS = path('peers/browser');
const INSTALL = 'npm ci --prefix bench/peers/browser';
const SITE = path('../node_modules/.cache/somagpu/bench-browser');

/** The version of a package in the peers' own node_modules; nothing where it is not installed. */
function versionOf(name: string): string | undefined {
  const file = join(PEERS, 'node_modules', name, 'package.json');
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version : undefined;
}

const PACKAGES: Readonly<Record<string, string>> = {
  'jax-js': '@jax-js/jax',
  tensorflow: '@tensorflow/tfjs-backend-webgpu',
};

const moduleOf = (entrant: Entrant) => ('module' in entrant ? entrant.module : undefined);
const isThere = (entrant: Entrant) => {
  const module = moduleOf(entrant);
  return module === undefined || versionOf(PACKAGES[module] as string) !== undefined;
};

/** The page with the library as it is in dist/, and beside it the peers that are installed. */
async function buildSite(entrants: readonly Entrant[]): Promise<void> {
  const common = { configFile: false, logLevel: 'warn', base: './' } as const;
  const alias = [{ find: /^.*\/src\/index\.ts$/, replacement: path('../dist/index.js') }];
  await build({
    ...common,
    root: path('browser'),
    resolve: { alias },
    build: { outDir: SITE, emptyOutDir: true, target: 'esnext', modulePreload: false },
  });
  const modules = [...new Set(entrants.flatMap((entrant) => moduleOf(entrant) ?? []))];
  if (modules.length === 0) return;
  const entry = Object.fromEntries(modules.map((module) => [module, join(PEERS, `${module}.mjs`)]));
  const lib = { entry, formats: ['es' as const] };
  const define = { 'process.env.NODE_ENV': '"production"' };
  await build({
    ...common,
    define,
    root: PEERS,
    build: { lib, outDir: join(SITE, 'peers'), emptyOutDir: true, target: 'esnext' },
  });
}

interface Guest {
  entrant: Entrant;
  browser: Browser;
  page: Page;
  adapter: string;
}

async function open(entrant: Entrant, work: Work, origin: string): Promise<Guest> {
  const browser = await launchChromium(true);
  try {
    const page = await browser.newPage();
    page.setDefaultTimeout(0);
    page.on('pageerror', (error) => process.stderr.write(`${entrant.name}: ${error.message}\n`));
    await page.goto(origin);
    const given = { key: entrant.key, work };
    const adapter = await page.evaluate(({ key, work }) => window.bench.open(key, work), given);
    if (adapter === undefined) throw new Error(`${entrant.name} is not in the page`);
    return { entrant, browser, page, adapter };
  } catch (error) {
    await browser.close();
    throw error;
  }
}

interface Group {
  work: Work;
  adapter: string;
  chromium: string;
  figures: Figures[];
}

const entrantsFor = (mode: Work['mode'], present: readonly Entrant[]) =>
  present.filter((entrant) => !(mode === 'recording' && 'countingOnly' in entrant));

/** All libraries at one size. */
async function compare(
  work: Work,
  present: readonly Entrant[],
  origin: string,
  onTurn: (what: string) => void,
): Promise<Group> {
  const guests: Guest[] = [];
  try {
    for (const entrant of entrantsFor(work.mode, present)) {
      guests.push(await open(entrant, work, origin));
      onTurn(`${entrant.name}, ${titleOf(work)}`);
    }
    const adapters = new Set(guests.map(({ adapter }) => adapter));
    if (adapters.size !== 1) throw new Error(`not on the same adapter: ${[...adapters].join('; ')}`);
    const variants = guests.map(({ entrant, page }) => ({
      name: entrant.key,
      updates: work.neurons * work.steps,
      work: async () => {
        const { seconds } = await page.evaluate(() => window.bench.run());
        onTurn(`${entrant.name}, ${titleOf(work)}`);
        return seconds;
      },
    }));
    // The check has warmed them up.
    const figures = await measure(variants, rounds, { warmUps: 0 });
    const { adapter, browser } = guests[0] as Guest;
    return { work, adapter, chromium: browser.version(), figures };
  } finally {
    for (const { browser } of guests) await browser.close();
  }
}

const nameOf = (key: string) => CONTENDERS.find((each) => each.key === key)?.name ?? key;

function describe({ work, figures }: Group): string {
  const ours = figures.find(({ name }) => name === 'somagpu');
  const rows = figures.map((each) => {
    const ratios = ours && each !== ours ? speedOf(ours, each) : [];
    const goal = GOALS[work.mode]?.[each.name as Key];
    return [
      nameOf(each.name),
      spread(each.rounds),
      (1e3 / median(each.rounds)).toFixed(1),
      ratios.length === 0 ? '' : spread(ratios, 1),
      ratios.length === 0 || !goal ? '' : `>= ${goal}: ${median(ratios) >= goal ? 'met' : 'missed'}`,
    ];
  });
  const head = ['', 'ns/update', 'M updates/s', 'we against it', 'goal'];
  return `\n${titleOf(work)}, ${work.steps.toLocaleString('en')} steps\n${table(head, rows)}`;
}

/** Written after each of them: on Ctrl-C the driver of Chromium ends this process. */
function keep(groups: readonly Group[]): string[] {
  const { chromium, adapter } = groups[0] as Group;
  const versions = Object.fromEntries(Object.values(PACKAGES).map((name) => [name, versionOf(name) ?? null]));
  const json = { ...where, chromium, adapter, versions, rounds, groups };
  return save('browser', where.date as string, { json: `${JSON.stringify(json, null, 2)}\n` });
}

const rounds = whole('rounds', values.rounds);
const works = chosen('modes', values.modes, MODES).flatMap((mode) =>
  wholes('sizes', values.sizes).map((neurons) => workOf(mode, neurons, timedSteps(neurons))),
);
const keys = CONTENDERS.map(({ key }) => key);
const asked = chosen<Key>('only', values.only, keys).flatMap(
  (key) => CONTENDERS.find((each) => each.key === key) ?? [],
);
const present = asked.filter(isThere);
const missing = asked.filter((entrant) => !present.includes(entrant));
const where = circumstances();
process.stdout.write(`${Object.values(where).filter(Boolean).join(', ')}\n`);
for (const { name } of missing) process.stdout.write(`missing: ${name}; to install it: ${INSTALL}\n`);
if (works.some(({ mode }) => entrantsFor(mode, present).length === 0)) refuse('there is nobody to measure');
await buildSite(present);
const { origin, close } = await serveFolder(SITE);
const bar = progress(works.reduce((sum, { mode }) => sum + (1 + rounds) * entrantsFor(mode, present).length, 0));
const groups: Group[] = [];
let files: string[] = [];
try {
  for (const work of works) {
    groups.push(await compare(work, present, origin, bar.turn));
    files = keep(groups);
  }
} finally {
  bar.stop();
  await close();
}
const { chromium, adapter } = groups[0] as Group;
process.stdout.write(
  `${groups.map(describe).join('')}median [min..max] of ${rounds} rounds, counts and recorded spikes on the host; Chromium ${chromium} on ${adapter}\n${files}\n`,
);
