// somagpu beside jax-js and TensorFlow.js on WebGPU, in a real Chromium with a software adapter: the page of
// bench/browser/, opened for each library in a browser of its own; interleaved rounds of the same work, each checked.
// Prints ns per update and ratios, median [min..max], and leaves them in bench/results/.
// npm run bench:browser -- [--rounds N] [--sizes N,N] [--modes counting,recording] [--only somagpu,jax-js,jax-js-one,tfjs]

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Browser, Page } from 'playwright-core';
import { build } from 'vite';
import { table } from '../src/cli/table.ts';
import { launchChromium, serveFolder } from '../test/support/chromium.ts';
import { CONTENDERS, type Key } from './browser/contenders.ts';
import { CHECKED, complaint, expected, stepsOf, type Work } from './browser/work.ts';
import { type Figures, measure, median, speedOf, spread } from './measure.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    sizes: { type: 'string', default: '100000,1000000' },
    modes: { type: 'string', default: 'counting,recording' },
    only: { type: 'string', default: CONTENDERS.map(({ key }) => key).join(',') },
  },
});
const rounds = Number(values.rounds);
const sizes = values.sizes.split(',').map(Number);
const modes = values.modes.split(',');
const chosen = values.only.split(',');
for (const [option, given, known] of [
  ['modes', modes, ['counting', 'recording']],
  ['only', chosen, CONTENDERS.map(({ key }) => key)],
] as const) {
  const unknown = given.find((word) => !(known as readonly string[]).includes(word));
  if (unknown !== undefined) throw new Error(`--${option}: ${unknown} is not known, but ${known.join(', ')}`);
}
if (!sizes.every((size) => Number.isInteger(size) && size > 0)) throw new Error(`--sizes: not ${values.sizes}`);
if (!(Number.isInteger(rounds) && rounds > 0)) throw new Error(`--rounds: not ${values.rounds}`);

/** From the issue: how many times as fast as each library somagpu is to be. */
const GOALS: Readonly<Record<string, Partial<Record<Key, number>>>> = {
  counting: { 'jax-js': 10, 'jax-js-one': 10, tfjs: 20 },
  recording: { 'jax-js': 15, 'jax-js-one': 15 },
};

const path = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const PEERS = path('peers/browser');
const INSTALL = 'npm ci --prefix bench/peers/browser';
const RESULTS = path('results');
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

type Entrant = (typeof CONTENDERS)[number];
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

/** Seconds of a run whose spikes are right. @throws if they are not */
async function run({ entrant, page }: Guest, steps: number): Promise<number> {
  const made = await page.evaluate((steps) => window.bench.run(steps), steps);
  const wrong = complaint(made, wanted(steps));
  if (wrong !== undefined) throw new Error(`${entrant.name}: ${wrong}`);
  return made.seconds;
}

const known = new Map<number, ReturnType<typeof expected>>();
function wanted(steps: number): ReturnType<typeof expected> {
  const tally = known.get(steps) ?? expected(steps);
  known.set(steps, tally);
  return tally;
}

interface Group {
  mode: string;
  neurons: number;
  steps: number;
  adapter: string;
  chromium: string;
  figures: Figures[];
}

/** All libraries at one size. */
async function compare(mode: string, neurons: number, present: readonly Entrant[], origin: string): Promise<Group> {
  const work = { neurons, recording: mode === 'recording' };
  const entrants = present.filter((entrant) => !(work.recording && 'countingOnly' in entrant));
  const guests: Guest[] = [];
  const say = (text: string) => process.stderr.isTTY && process.stderr.write(`\r\x1b[K${text}`);
  const where = `${neurons.toLocaleString('en')} neurons, ${mode}`;
  try {
    for (const entrant of entrants) {
      say(`${where}: checking ${entrant.name}`);
      const guest = await open(entrant, work, origin);
      guests.push(guest);
      await run(guest, CHECKED);
    }
    const adapters = new Set(guests.map(({ adapter }) => adapter));
    if (adapters.size !== 1) throw new Error(`not on the same adapter: ${[...adapters].join('; ')}`);
    const steps = stepsOf(neurons);
    const variants = guests.map((guest) => ({
      name: guest.entrant.key,
      updates: neurons * steps,
      work: () => run(guest, steps),
    }));
    const figures = await measure(variants, rounds, (done) => say(`${where}: round ${done} of ${rounds} `));
    const { adapter, browser } = guests[0] as Guest;
    return { mode, neurons, steps, adapter, chromium: browser.version(), figures };
  } finally {
    say('');
    for (const { browser } of guests) await browser.close();
  }
}

const nameOf = (key: string) => CONTENDERS.find((each) => each.key === key)?.name ?? key;

interface Ratio {
  of: string;
  to: string;
  ratios: number[];
  goal?: number;
}

/** somagpu's speed against each of the others, round by round. */
function ratiosOf({ mode, figures }: Group): Ratio[] {
  const ours = figures.find(({ name }) => name === 'somagpu');
  if (!ours) return [];
  return figures
    .filter((each) => each !== ours)
    .map((each) => ({
      of: ours.name,
      to: each.name,
      ratios: speedOf(ours, each),
      goal: GOALS[mode]?.[each.name as Key],
    }));
}

function report(group: Group): string {
  const { mode, neurons, steps, figures } = group;
  const { rate, fired } = wanted(steps);
  return [
    `\n${neurons.toLocaleString('en')} neurons, ${steps} steps, ${mode}; ${rate.toFixed(1)} Hz, ${(100 * fired).toFixed(1)} % fired`,
    table(
      ['library', 'ns/update', 'M updates/s'],
      figures.map(({ name, rounds: ns }) => [nameOf(name), spread(ns), (1e3 / median(ns)).toFixed(1)]),
    ),
    table(
      ['speed of somagpu against', 'ratio', 'goal', 'so it is'],
      ratiosOf(group).map(({ to, ratios, goal = 0 }) => [
        nameOf(to),
        spread(ratios, 1),
        `>= ${goal}`,
        median(ratios) >= goal ? 'met' : 'missed',
      ]),
    ),
  ].join('\n');
}

/** A new file for each run. */
async function keep(groups: readonly Group[]): Promise<string> {
  const date = new Date().toISOString();
  const file = join(RESULTS, `browser-${date.slice(0, 19).replaceAll(':', '')}.json`);
  const git = (...words: string[]) => execFileSync('git', words, { cwd: path('..'), encoding: 'utf8' }).trim();
  const content = {
    date,
    commit: git('rev-parse', 'HEAD'),
    changed: git('status', '--porcelain', '--untracked-files=no') !== '',
    processor: `${cpus().length} x ${cpus()[0]?.model}`,
    load: loadavg(),
    versions: Object.fromEntries(Object.values(PACKAGES).map((name) => [name, versionOf(name) ?? null])),
    groups: groups.map((group) => ({ ...group, comparisons: ratiosOf(group) })),
  };
  await mkdir(RESULTS, { recursive: true });
  await writeFile(file, `${JSON.stringify(content, null, 2)}\n`);
  return file;
}

const asked = CONTENDERS.filter(({ key }) => chosen.includes(key));
const present = asked.filter(isThere);
const missing = asked.filter((entrant) => !present.includes(entrant));
await buildSite(present);
const { origin, close } = await serveFolder(SITE);
const groups: Group[] = [];
try {
  process.stdout.write(
    `AdaptiveExponentialSoma, dt 0.1 ms, checked to fire at 34.5 Hz in the first 100 ms, on ${cpus()[0]?.model}\n` +
      'ns per update and ratios: median [min..max] over the rounds; counts, and recorded spikes, on the host\n',
  );
  for (const mode of modes)
    for (const neurons of sizes) {
      const group = await compare(mode, neurons, present, origin);
      groups.push(group);
      process.stdout.write(report(group));
    }
} finally {
  await close();
}
const [first] = groups;
process.stdout.write(`\nChromium ${first?.chromium}, all on the adapter ${first?.adapter}\n`);
for (const { name } of missing) process.stdout.write(`missing: ${name}; ${INSTALL} installs it\n`);
process.stdout.write(`written: ${await keep(groups)}\n`);
