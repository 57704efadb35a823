// Runs of the command line that are stopped on their way, each in a folder of its own.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { scratch, somagpu } from './cli.ts';

/** All kinds of recordings, large enough to be killed on its way. */
export const recordingAll = (units = 400, duration = 60) => ({
  dt: 0.1,
  duration,
  seed: 7,
  populations: {
    cells: {
      soma: 'AdaptiveExponentialSoma',
      units,
      parameters: { adaptation_delta: { initializer: 'uniform', low: 5, high: 9 } },
      input: [
        { kind: 'step', amplitude: 90, start: 1, stop: 50 },
        { kind: 'white_noise', mean: 0, sd: 60 },
      ],
      inhibitory: [0, 3],
      record: {
        spikes: true,
        // Bins that no checkpoint falls between.
        rate: { bin: 1.7, from: 0.5 },
        states: { potential: { neurons: [0, 9], every: 3 }, adaptation: { neurons: [1], last: 45 } },
      },
    },
    few: {
      soma: 'ExponentialSoma',
      units: 3,
      input: [{ kind: 'constant', amplitude: 80 }],
      record: { spikes: { last: 40 } },
    },
  },
});

export interface Place {
  cwd: string;
  run(...args: string[]): ReturnType<typeof somagpu>;
  out: string;
  files(): string[];
}

export function place(json: unknown = recordingAll()): Place {
  const cwd = scratch();
  const out = join(cwd, 'out');
  writeFileSync(join(cwd, 'experiment.json'), JSON.stringify(json));
  return {
    cwd,
    out,
    run: (...args) => somagpu(['run', 'experiment.json', '--out', 'out', ...args], { cwd }),
    files: () => readdirSync(out).sort(),
  };
}

/** Fails unless the files of two folders, summaries aside, are the same byte for byte. */
export function expectSameFiles(actual: Place, expected: Place): void {
  expect(actual.files()).toEqual(expected.files());
  for (const file of expected.files().filter((name) => name !== 'summary.json')) {
    const same = readFileSync(join(actual.out, file)).equals(readFileSync(join(expected.out, file)));
    expect(same, file).toBe(true);
  }
}

export const stateOf = ({ out }: Place) => join(out, '.checkpoint', 'state');
