// What the README shows, runs.

import { execFile } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { runExperiment } from '../support/cli.ts';

const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
const snippet = (language: string): string =>
  new RegExp(`\`\`\`${language}\n([\\s\\S]*?)\`\`\``).exec(readme)?.[1] ?? '';

test('the experiment of the README runs, and its neurons spike', async () => {
  const run = await runExperiment(snippet('json'));
  expect(run).toMatchObject({ code: 0, stderr: '', written: ['cells.npz', 'summary.json'] });
  expect(JSON.parse(run.read('summary.json').toString()).populations.cells.spikes).toBeGreaterThan(64);
});

test('the code of the README runs against the built package as it stands', async () => {
  // Inside the package, so that its own name resolves through its exports; small, to be quick.
  const file = new URL(`../../readme-${process.pid}.mts`, import.meta.url).pathname;
  onTestFinished(() => rmSync(file, { force: true }));
  const code = snippet('ts').replace('100_000', '100');
  expect(code).toContain("from 'somagpu'");
  writeFileSync(file, `${code}\nconsole.log(times.length, neurons.length, signed?.length);\n`);
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', file]);
  const [times, neurons, signed] = stdout.trim().split(' ').map(Number);
  expect(times).toBeGreaterThan(1000);
  expect(neurons).toBe(times);
  expect(signed).toBe(100);
});
