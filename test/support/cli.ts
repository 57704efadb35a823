// Runs the command line as a user would: the built file, in a process and a folder of its own.

import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';

export const CLI = new URL('../../dist/cli.js', import.meta.url).pathname;

export interface Outcome {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** A folder that goes when the test ends. */
export function scratch(): string {
  const folder = mkdtempSync(join(tmpdir(), 'somagpu-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** The command line as somebody has it who has no other package installed. */
export function bareCli(): string {
  const folder = scratch();
  const own = (file: string) => !/types|page/.test(file);
  cpSync(dirname(CLI), folder, { recursive: true, filter: own });
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  return join(folder, 'cli.js');
}

/** Starts the command line; `interruptAfter` sends SIGINT once stderr or stdout matches, or after so many ms. */
export function somagpu(
  args: readonly string[],
  { cwd, interruptAfter, cli = CLI }: { cwd: string; interruptAfter?: number; cli?: string },
): Promise<Outcome> {
  const child = spawn(process.execPath, [cli, ...args], { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  const outcome: Outcome = { code: null, stdout: '', stderr: '' };
  child.stdout.on('data', (data) => {
    outcome.stdout += data;
  });
  child.stderr.on('data', (data) => {
    outcome.stderr += data;
  });
  if (interruptAfter !== undefined) setTimeout(() => child.kill('SIGINT'), interruptAfter);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ ...outcome, code }));
  });
}

/** Writes an experiment (text as it stands, anything else as JSON) and runs it; `files` lie beside it. */
export async function runExperiment(
  experiment: unknown,
  {
    files = {},
    args = [] as string[],
    interruptAfter,
    cli,
  }: { files?: Record<string, Uint8Array>; args?: string[]; interruptAfter?: number; cli?: string } = {},
): Promise<Outcome & { written: string[]; read: (name: string) => Buffer }> {
  const cwd = scratch();
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(cwd, name), bytes);
  writeFileSync(join(cwd, 'experiment.json'), typeof experiment === 'string' ? experiment : JSON.stringify(experiment));
  const outcome = await somagpu(['run', 'experiment.json', '--out', 'out', ...args], { cwd, interruptAfter, cli });
  const written = readdirSync(cwd).includes('out') ? readdirSync(join(cwd, 'out')).sort() : [];
  return { ...outcome, written, read: (name) => readFileSync(join(cwd, 'out', name)) };
}
