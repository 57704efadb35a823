// What the README and the pages show runs: code against the built package, and commands with what they print. Pages whose
// code wants a package that is installed, or a soma of one's own, have tests of their own.

import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, onTestFinished, test } from 'vitest';
import { runExperiment, scratch, somagpu } from '../support/cli.ts';
import { piecesOf, shown } from '../support/shown.ts';

const root = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const PAGES = ['README.md', 'CONTRIBUTING.md', ...readdirSync(root('docs')).map((name) => `docs/${name}`)].filter(
  (path) => path.endsWith('.md'),
);

/** What a module prints that stands inside the package, so that its own name resolves through its exports. */
async function run(code: string): Promise<string> {
  const file = root(`readme-${process.pid}.mts`);
  onTestFinished(() => rmSync(file, { force: true }));
  writeFileSync(file, code);
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', file]);
  return stdout.trim();
}

test('the experiment of the README runs, and its neurons spike', async () => {
  const run = await runExperiment(shown('README.md', 'From the command line', 'json'));
  expect(run).toMatchObject({ code: 0, stderr: '', written: ['cells.npz', 'summary.json'] });
  expect(JSON.parse(run.read('summary.json').toString()).populations.cells.spikes).toBeGreaterThan(64);
});

test('the code of the README runs against the built package as it stands', async () => {
  // Small, to be quick.
  const code = shown('README.md', 'In code', 'ts').replace('100_000', '100');
  expect(code).toContain("from 'somagpu'");
  const printed = await run(`${code}\nconsole.log(times.length, neurons.length, signed?.length);\n`);
  const [times, neurons, signed] = printed.split(' ').map(Number);
  expect(times).toBeGreaterThan(1000);
  expect(neurons).toBe(times);
  expect(signed).toBe(100);
});

test('the code of docs/analysis.md runs against the built package as it stands', async () => {
  const code = shown('docs/analysis.md', 'What a neuron does: `somagpu/analysis`', 'ts');
  expect(code).toContain("from 'somagpu/analysis'");
  const printed = await run(
    `${code}\nconsole.log(current.toFixed(3), kind, steady.length, fixedPoints.length, pattern);\n`,
  );
  expect(printed).toMatch(/^46\.044 hopf 41 2 (tonic|adapting|initial burst)$/);
});

test('the stream of docs/experiment.md runs after the lines that it takes as read', async () => {
  const before = `import { AdaptiveExponentialSoma, Simulation } from 'somagpu';
    const simulation = await Simulation.create();`;
  const printed = await run(`${before}\n${shown('docs/experiment.md', 'Streams', 'ts')}\nsimulation.dispose();\n`);
  const chunks = printed.split('\n').map((line) => line.split(' ').map(Number));
  expect(chunks[0]?.[0]).toBe(0);
  expect(chunks.at(-1)?.[1]).toBe(10_000);
});

test('the code of docs/faults.md runs where a law overflows, after the lines that it takes as read', async () => {
  const before = `import { NonFiniteError, Simulation } from 'somagpu';
    import { RunawaySoma } from './test/support/runaway.ts';
    const simulation = await Simulation.create({ backend: 'cpu' });
    simulation.add(RunawaySoma, { name: 'cells', units: 1, input: [{ kind: 'constant', amplitude: 1000 }] });`;
  const code = shown('docs/faults.md', 'A state is no number any more', 'js').replace(
    /^( +)(const \{ population.*)$/m,
    '$1$2\n$1console.log(population, neuron, state, step > 0, checkpoint instanceof ArrayBuffer);',
  );
  expect(await run(`${before}\n${code}\nsimulation.dispose();\n`)).toBe('cells 0 potential true true');
});

test('there is no other code in the pages than what some test runs', () => {
  const tests = readdirSync(root('test'), { recursive: true, encoding: 'utf8' }).filter((name) =>
    /\.test\.ts$/.test(name),
  );
  const texts = tests.map((name) => readFileSync(root(`test/${name}`), 'utf8'));
  const here = { 'README.md': 1, 'docs/analysis.md': 1, 'docs/experiment.md': 1 } as Readonly<Record<string, number>>;
  for (const page of PAGES) {
    const pieces = piecesOf(page).filter(({ language }) => ['ts', 'js', 'html'].includes(language));
    if (page in here) expect(pieces.length, page).toBe(here[page]);
    else if (pieces.length > 0) expect(texts.filter((text) => text.includes(page)).length, page).toBeGreaterThan(0);
  }
});

describe('commands', () => {
  const sessions = PAGES.flatMap((page) => piecesOf(page).filter(({ code }) => code.startsWith('$ ')));

  test.each(sessions)('under $section print what is shown', async ({ code }) => {
    const cwd = scratch();
    for (const part of code.split(/^\$ /m).slice(1)) {
      const [line = '', ...printed] = part.split('\n');
      const [command, ...args] = line.split(' ');
      expect(command).toBe('somagpu');
      expect((await somagpu(args, { cwd })).stdout).toBe(printed.join('\n'));
    }
  });

  test('of CONTRIBUTING that prints a kernel prints the one that is joined from shaders/', async () => {
    const [command] = piecesOf('CONTRIBUTING.md').filter(({ code }) => code.includes('simulateKernel'));
    const { stdout } = await promisify(execFile)('sh', ['-c', command?.code as string], { cwd: root('.') });
    expect(stdout).toContain('fn simulate(');
    expect(stdout).toContain('fn constant(');
  });

  test('of npm, tests and files that pages name are there', () => {
    const { scripts } = JSON.parse(readFileSync(root('package.json'), 'utf8')) as { scripts: Record<string, string> };
    for (const page of PAGES) {
      const text = readFileSync(root(page), 'utf8');
      for (const [, name = ''] of text.matchAll(/npm run ([\w:]+)/g)) expect(scripts, page).toHaveProperty(name);
    }
    const files = [
      ...readFileSync(root('CONTRIBUTING.md'), 'utf8').matchAll(/\b(?:test|src|build|bench)\/[\w./-]+\.ts/g),
    ];
    expect(files.length).toBeGreaterThan(3);
    for (const [file] of files) expect(readFileSync(root(file)).length, file).toBeGreaterThan(0);
  });
});
