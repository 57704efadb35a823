// Arrays that an experiment names in files: parameters come whole, inputs by rows, so that they may exceed memory.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { unzipSync } from 'fflate';
import { expect, test } from 'vitest';
import { ArrayFiles } from '../../src/cli/arrays.ts';
import { InputError } from '../../src/errors.ts';
import { readExperiment } from '../../src/experiment.ts';
import { writeNpz } from '../../src/files/index.ts';
import { scratch } from '../support/cli.ts';

const current = { shape: [10, 4], data: Float32Array.from({ length: 40 }, (_, i) => i) };

async function experimentWith(input: object) {
  const folder = scratch();
  const bytes = writeNpz({ threshold: Float64Array.of(-30, -31, -32, -33), current });
  writeFileSync(join(folder, 'a.npz'), bytes);
  writeFileSync(join(folder, 'current.npy'), unzipSync(bytes)['current.npy'] as Uint8Array);
  const arrays = new ArrayFiles(folder);
  const parameters = { threshold: { file: 'a.npz', array: 'threshold' } };
  const cells = { soma: 'ExponentialSoma', units: 4, parameters, input: [{ kind: 'array', ...input }] };
  const json = { dt: 0.1, duration: 1, populations: { cells } };
  try {
    const { populations } = await readExperiment(json, arrays.read, arrays.open);
    const options = populations[0]?.options as unknown as {
      parameters: { threshold: Float64Array };
      input: { kind: string; shape: number[]; read(first: number, steps: number): Promise<Float32Array> }[];
    };
    const [opened] = options.input;
    return { options, kind: opened?.kind, shape: opened?.shape, rows: await opened?.read(3, 2) };
  } finally {
    await arrays.close();
  }
}

test.each([{ file: 'a.npz', array: 'current' }, { file: 'current.npy' }])(
  'an input is opened from %o',
  async (input) => {
    const { options, ...opened } = await experimentWith(input);
    expect(opened).toEqual({ kind: 'array', shape: [10, 4], rows: current.data.slice(12, 20) });
    expect(options.parameters.threshold).toEqual(Float64Array.of(-30, -31, -32, -33));
  },
);

test.each([
  { input: { file: 'absent.npy' }, says: 'populations.cells.input[0]: absent.npy: cannot be read (ENOENT)' },
  {
    input: { file: 'absent.npz', array: 'x' },
    says: 'populations.cells.input[0]: absent.npz: cannot be read (ENOENT)',
  },
  { input: { file: 'a.npz', array: 'curent' }, says: 'did you mean "current"?' },
  { input: { file: 'a.npz' }, says: 'populations.cells.input[0].array: is no name' },
  { input: { file: 'current.npy', array: 'x' }, says: 'leave it out' },
])('an input that is not there is refused: $says', async ({ input, says }) => {
  const error = await experimentWith(input).catch((error: unknown) => error);
  expect(error).toBeInstanceOf(InputError);
  expect((error as InputError).message).toContain(says);
});
