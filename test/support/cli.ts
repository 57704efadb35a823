// Runs the command line as a user would: the built file, in a process and a folder of its own.

import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { schemaComplaints } from './schema.ts';

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

export interface CliOptions {
  /** Sends `signal` after so many ms. */
  interruptAfter?: number;
  /** SIGINT by default. */
  signal?: NodeJS.Signals;
  cli?: string;
  /** Kilobytes that a file can take, as on a full disk: the next write fails. */
  fileLimit?: number;
  /** Prints to stderr, as the last line, how many bytes of memory the process took at most. */
  memory?: boolean;
}

const PRINT_MEMORY = "process.on('exit', () => console.error(process.resourceUsage().maxRSS * 1024))";

/** Starts the command line. */
export function somagpu(
  args: readonly string[],
  { cwd, interruptAfter, signal = 'SIGINT', cli = CLI, fileLimit, memory = false }: CliOptions & { cwd: string },
): Promise<Outcome> {
  const node = [process.execPath, ...(memory ? ['--import', `data:text/javascript,${PRINT_MEMORY}`] : [])];
  // POSIX counts in blocks of 512 bytes, bash in 1024: the larger is as good.
  const limit = fileLimit === undefined ? [] : ['sh', '-c', `ulimit -f ${fileLimit} && exec "$@"`, 'sh'];
  const [command = '', ...rest] = [...limit, ...node, cli, ...args];
  const child = spawn(command, rest, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  const outcome: Outcome = { code: null, stdout: '', stderr: '' };
  child.stdout.on('data', (data) => {
    outcome.stdout += data;
  });
  child.stderr.on('data', (data) => {
    outcome.stderr += data;
  });
  if (interruptAfter !== undefined) setTimeout(() => child.kill(signal), interruptAfter);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ ...outcome, code }));
  });
}

/**
 * Writes an experiment (text as it stands, anything else as JSON) and runs it; `files` lie beside it. What runs has to be
 * right to an editor too.
 */
export async function runExperiment(
  experiment: unknown,
  {
    files = {},
    args = [] as string[],
    ...options
  }: CliOptions & { files?: Record<string, Uint8Array>; args?: string[] } = {},
): Promise<Outcome & { out: string; written: string[]; read: (name: string) => Buffer }> {
  const cwd = scratch();
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(cwd, name), bytes);
  const text = typeof experiment === 'string' ? experiment : JSON.stringify(experiment);
  writeFileSync(join(cwd, 'experiment.json'), text);
  const outcome = await somagpu(['run', 'experiment.json', '--out', 'out', ...args], { cwd, ...options });
  if (outcome.code === 0) expect(schemaComplaints(JSON.parse(text)), 'what the schema says').toEqual([]);
  const out = join(cwd, 'out');
  const written = readdirSync(cwd).includes('out') ? readdirSync(out).sort() : [];
  return { ...outcome, out, written, read: (name) => readFileSync(join(out, name)) };
}
