// What the README shows, and docs/analysis.md, runs.

import { execFile } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { runExperiment } from '../support/cli.ts';

const snippet = (language: string, page = 'README.md'): string => {
  const text = readFileSync(new URL(`../../${page}`, import.meta.url), 'utf8');
  return new RegExp(`\`\`\`${language}\n([\\s\\S]*?)\`\`\``).exec(text)?.[1] ?? '';
};

/** What a module prints that stands inside the package, so that its own name resolves through its exports. */
async function run(code: string): Promise<string> {
  const file = new URL(`../../readme-${process.pid}.mts`, import.meta.url).pathname;
  onTestFinished(() => rmSync(file, { force: true }));
  writeFileSync(file, code);
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', file]);
  return stdout.trim();
}

test('the experiment of the README runs, and its neurons spike', async () => {
  const run = await runExperiment(snippet('json'));
  expect(run).toMatchObject({ code: 0, stderr: '', written: ['cells.npz', 'summary.json'] });
  expect(JSON.parse(run.read('summary.json').toString()).populations.cells.spikes).toBeGreaterThan(64);
});

test('the code of the README runs against the built package as it stands', async () => {
  // Small, to be quick.
  const code = snippet('ts').replace('100_000', '100');
  expect(code).toContain("from 'somagpu'");
  const printed = await run(`${code}\nconsole.log(times.length, neurons.length, signed?.length);\n`);
  const [times, neurons, signed] = printed.split(' ').map(Number);
  expect(times).toBeGreaterThan(1000);
  expect(neurons).toBe(times);
  expect(signed).toBe(100);
});

test('the code of docs/analysis.md runs against the built package as it stands', async () => {
  const code = snippet('ts', 'docs/analysis.md');
  expect(code).toContain("from 'somagpu/analysis'");
  const printed = await run(
    `${code}\nconsole.log(current.toFixed(3), kind, steady.length, fixedPoints.length, pattern);\n`,
  );
  expect(printed).toMatch(/^46\.044 hopf 41 2 (tonic|adapting|initial burst)$/);
});
