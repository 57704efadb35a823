// What a benchmark leaves: where and on what it was run, a file of its figures, a plot of them, and a bar while it runs.

import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { arch, availableParallelism, cpus, platform, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import * as Plot from '@observablehq/plot';
import { SingleBar } from 'cli-progress';
import { parseHTML } from 'linkedom/worker';
import { version } from '../src/index.ts';
import { nameOf, type PathName, type Row } from './alone.ts';
import { median } from './measure.ts';

/** What the figures belong to. */
export function circumstances(): Record<string, string | number | undefined> {
  return {
    date: new Date().toISOString(),
    somagpu: version,
    commit: git('rev-parse', 'HEAD'),
    changed: git('status', '--porcelain') ? 'there are uncommitted changes' : undefined,
    processor: cpus()[0]?.model,
    threads: availableParallelism(),
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    system: `${platform()} ${arch()}`,
    node: process.version,
  };
}

function git(...words: string[]): string | undefined {
  try {
    const cwd = fileURLToPath(new URL('.', import.meta.url));
    return execFileSync('git', words, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return undefined;
  }
}

/** Writes files of one run into bench/results; gives their names. */
export function save(name: string, date: string, contents: Readonly<Record<string, string>>): string[] {
  const folder = new URL('results/', import.meta.url);
  mkdirSync(folder, { recursive: true });
  const stamp = date.replace(/[:.]/g, '-');
  return Object.entries(contents).map(([ending, text]) => {
    const file = `${name}-${stamp}.${ending}`;
    writeFileSync(fileURLToPath(new URL(file, folder)), text);
    return `bench/results/${file}`;
  });
}

/** A bar that says what was done last; nothing where nobody looks. `stop` gives the cursor back. */
export function progress(total: number): { turn: (what: string) => void; stop: () => void } {
  if (!process.stderr.isTTY) return { turn: () => {}, stop: () => {} };
  const format = '{bar} {value} of {total} | {eta_formatted} left | {what}';
  const bar = new SingleBar({ format, clearOnComplete: true, stream: process.stderr });
  bar.start(total, 0, { what: '' });
  return { turn: (what) => bar.increment({ what }), stop: () => bar.stop() };
}

const SVG = 'http://www.w3.org/2000/svg';
const INK = '#222222';
const SYMBOLS = ['circle', 'square', 'triangle', 'diamond'];
/** The same for the legend. */
const SIGNS = [
  'M-4,0a4,4,0,1,0,8,0a4,4,0,1,0,-8,0',
  'M-3.5,-3.5h7v7h-7Z',
  'M0,-4.5L4,3H-4Z',
  'M0,-5L3.5,0L0,5L-3.5,0Z',
];
const DECADES = Array.from({ length: 9 }, (_, i) => 10 ** (i + 4));
const COLOURS: Readonly<Record<PathName, string>> = { cpu: '#d55e00', 'software WebGPU': '#0072b2', WebGPU: '#009e73' };

/** The text of an SVG: updates a second over the number of neurons, a panel for each mode. */
export function drawScaling(rows: readonly Row[], subtitle: string): string {
  const points = rows.map((row) => ({
    neurons: row.neurons,
    mode: row.mode,
    path: nameOf(row),
    soma: row.soma.replace(/Soma$/, ''),
    median: 1e9 / median(row.ns),
    most: 1e9 / Math.min(...row.ns),
    least: 1e9 / Math.max(...row.ns),
  }));
  const axes = { x: 'neurons', fx: 'mode', stroke: 'path' } as const;
  const { document } = parseHTML('<!doctype html><html></html>');
  const paths = [...new Set(points.map(({ path }) => path))];
  const known = [...new Set(points.map(({ soma }) => soma))];
  const sizes = [...new Set(points.map(({ neurons }) => neurons))];
  const panels = new Set(points.map(({ mode }) => mode)).size;
  const chart = Plot.plot({
    document: document as unknown as Document,
    width: 230 + 210 * panels,
    height: 400,
    marginLeft: 60,
    marginRight: 210,
    marginTop: 64,
    marginBottom: 44,
    x: { type: 'log', label: 'neurons', inset: 16, tickFormat: '.0e', ticks: sizes },
    y: { type: 'log', label: null, tickFormat: '.0e', ticks: DECADES, grid: true, nice: true },
    fx: { label: null, domain: [...new Set(points.map(({ mode }) => mode))] },
    color: { domain: paths, range: paths.map((path) => COLOURS[path]) },
    symbol: { domain: known, range: SYMBOLS },
    marks: [
      Plot.ruleX(points, { ...axes, y1: 'least', y2: 'most', strokeOpacity: 0.5 }),
      Plot.lineY(points, { ...axes, y: 'median', z: ({ soma, path }) => `${soma} ${path}` }),
      Plot.dot(points, { ...axes, y: 'median', symbol: 'soma', r: 3.5, fill: '#ffffff' }),
    ],
  });
  const element = (name: string, attributes: Readonly<Record<string, string | number>>, content = '') => {
    const node = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, String(value));
    node.textContent = content;
    return node as unknown as Node;
  };
  const text = (x: number, y: number, content: string, fill = INK) =>
    chart.append(element('text', { x, y, fill, 'text-anchor': 'start', 'font-size': 12 }, content));
  chart.setAttribute('xmlns', SVG);
  const title = `somagpu: neuron updates a second by size; ${subtitle}`;
  chart.prepend(element('title', {}, title), element('rect', { width: '100%', height: '100%', fill: '#ffffff' }));
  text(12, 18, title);
  for (const [i, path] of paths.entries()) text(40 + 210 * panels, 90 + 18 * i, path, COLOURS[path]);
  for (const [i, soma] of known.entries()) {
    const [x, y] = [44 + 210 * panels, 170 + 18 * i];
    const transform = `translate(${x},${y - 4})`;
    chart.append(element('path', { d: SIGNS[i] ?? '', transform, fill: 'none', stroke: INK }));
    text(x + 10, y, soma);
  }
  // Not every viewer knows a colour that is current.
  return `${chart.outerHTML.replaceAll('currentColor', INK)}\n`;
}
