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
    return execFileSync('git', words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
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
  const panels = new Set(points.map(({ mode }) => mode)).size;
  const chart = Plot.plot({
    document: document as unknown as Document,
    width: 160 + 210 * panels,
    height: 400,
    marginLeft: 60,
    marginRight: 150,
    marginTop: 64,
    marginBottom: 44,
    x: { type: 'log', label: 'neurons', tickFormat: '.0e', ticks: 4 },
    y: { type: 'log', label: 'neuron updates a second', tickFormat: '.0e', grid: true, nice: true },
    fx: { label: null, domain: [...new Set(points.map(({ mode }) => mode))] },
    color: { domain: paths, range: paths.map((path) => COLOURS[path]) },
    symbol: { domain: [...new Set(points.map(({ soma }) => soma))] },
    marks: [
      Plot.ruleX(points, { ...axes, y1: 'least', y2: 'most', strokeOpacity: 0.5 }),
      Plot.lineY(points, { ...axes, y: 'median', z: ({ soma, path }) => `${soma} ${path}` }),
      Plot.dot(points, { ...axes, y: 'median', symbol: 'soma', r: 3.5, fill: 'white' }),
    ],
  });
  chart.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
  const text = (x: number, y: number, content: string, fill = '#222222') => {
    const node = document.createElementNS('http://www.w3.org/2000/svg', 'text');
    for (const [key, value] of Object.entries({ x, y, fill })) node.setAttribute(key, String(value));
    node.textContent = content;
    chart.append(node as unknown as Node);
  };
  text(12, 18, `somagpu: neuron updates a second by size; ${subtitle}`);
  for (const [i, path] of paths.entries()) text(40 + 210 * panels, 90 + 18 * i, path, COLOURS[path]);
  return `${chart.outerHTML}\n`;
}
