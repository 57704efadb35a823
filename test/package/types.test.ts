// The package's declarations, read by TypeScript as users set it up: strict, and with the declarations themselves checked.

import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { install, tool } from '../support/consumer.ts';

const PROGRAM = `
import { AdaptiveExponentialSoma, type GpuPopulation, Simulation, version } from 'somagpu';
import { fiCurve } from 'somagpu/analysis';
import { adexFromBiophysics } from 'somagpu/biophysics';
import * as bundle from 'somagpu/bundle';
import { defineSoma, LawError, type OwnSoma } from 'somagpu/define';
import { type Experiment } from 'somagpu/experiment';
import { csvRows } from 'somagpu/files';
import { stateMeanings } from 'somagpu/meanings';
import { findHardware, Spool } from 'somagpu/node';
import 'somagpu/worker';

export async function main(experiment: Experiment) {
  await using simulation = await Simulation.create({ dt: 0.1, adapter: await findHardware() });
  const cells = simulation.add(AdaptiveExponentialSoma, { units: [8, 8], parameters: { resistance: 0.5 } });
  const gpu: GpuPopulation | undefined = cells.gpu;
  const device: GPUDevice | undefined = gpu?.device;
  const text: string = version;
  const Own: OwnSoma<'tau', 'potential'> = defineSoma<'tau', 'potential'>(text, 'Own');
  simulation.add(Own, { units: 1, parameters: { tau: 20 }, record: { states: { potential: {} } } });
  const place = (error: LawError): [number, number, string] => [error.line, error.column, error.source];
  return [experiment, device, place, text, fiCurve, adexFromBiophysics, bundle.Simulation, csvRows, stateMeanings, Spool];
}
`;

const COMMON = `
import somagpu = require('somagpu');
export const text: string = somagpu.version;
`;

const TYPESCRIPT = tool('typescript/bin/tsc');
// One from before it described WebGPU itself, which the judge of the manifest brings.
const OLDER = createRequire(tool('@arethetypeswrong/core/package.json')).resolve('typescript/bin/tsc');

interface Setting {
  module?: string;
  moduleResolution?: string;
  types?: readonly string[];
}

/** What tsc says of a program that uses the package. */
async function complaints(program: string, { types = [], ...setting }: Setting, tsc = TYPESCRIPT): Promise<string> {
  const options = { noEmit: true, strict: true, skipLibCheck: false, target: 'es2022', lib: ['ES2022', 'DOM'] };
  const compilerOptions = { ...options, module: 'nodenext', moduleResolution: 'nodenext', types, ...setting };
  // Older ways have no modules in CommonJS; Node has.
  const programs = { 'main.ts': program, ...(compilerOptions.module === 'nodenext' ? { 'main.cts': COMMON } : {}) };
  const config = JSON.stringify({ compilerOptions, files: Object.keys(programs) });
  const { folder } = await install({ ...programs, 'tsconfig.json': config }, types);
  const run = promisify(execFile)(process.execPath, [tsc, '-p', '.'], { cwd: folder });
  return (await run.catch((error: { stdout: string }) => error)).stdout;
}

describe('a strict program that imports every entry', () => {
  test.each([
    ['esnext', 'bundler', 'and nothing besides'],
    ['node16', 'node16', 'and nothing besides'],
    ['nodenext', 'nodenext', 'from CommonJS too'],
  ])('is right with module %s and resolution %s, %s', async (module, moduleResolution) => {
    expect(await complaints(PROGRAM, { module, moduleResolution })).toBe('');
  });

  test('is right for a TypeScript that knows no WebGPU, with @webgpu/types', async () => {
    const module = 'esnext';
    const moduleResolution = 'bundler';
    expect(await complaints(PROGRAM, { module, moduleResolution, types: ['@webgpu/types'] }, OLDER)).toBe('');
  });

  test('is told of a parameter that the soma has not, and of what is no string', async () => {
    const wrong = PROGRAM.replace('{ resistance: 0.5 }', '{ resistanc: 0.5 }').replace('text: string', 'text: number');
    const said = await complaints(wrong, {});
    expect(said).toContain("'resistanc' does not exist in type 'AdaptiveExponentialSomaConfig'");
    expect(said).toContain("Type 'string' is not assignable to type 'number'");
  });
});
