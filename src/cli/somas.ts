// `somagpu somas`: the parameter tables, as the shaders state them; and somas that are files beside an experiment.

import { readFile } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { findSoma, type ReadSoma } from '../experiment.ts';
import { boundsOf, type Row, type Soma, somas } from '../index.ts';
import { parameterMeanings, stateMeanings } from '../meanings.ts';
import { unreadable } from './file.ts';
import { table } from './table.ts';

/** Prints one soma, by name or of a file, or all. @throws InputError for an unknown name, and what is wrong in a file */
export async function printSomas(name?: string): Promise<void> {
  const one = async (name: string) => (/\.wgsl$/i.test(name) ? somasIn('.')(name) : findSoma(name, 'name'));
  const chosen = name === undefined ? somas : [await one(name)];
  process.stdout.write(chosen.map(describe).join('\n'));
}

function describe(soma: Soma): string {
  const line = (name: string, row: Row & { meaning?: string }, meanings: Readonly<Record<string, string>>) => [
    name,
    `${row.default ?? 'required'}`,
    row.unit,
    bounds(row),
    // Somas of files say themselves what theirs are.
    row.meaning ?? meanings[name] ?? '',
  ];
  const rows = (part: Readonly<Record<string, Row>>, meanings: Readonly<Record<string, string>>) =>
    Object.entries(part).map(([name, row]) => line(name, row, meanings));
  return [
    soma.name,
    table(['parameter', 'default', 'unit', 'allowed', 'meaning'], rows(soma.parameters, parameterMeanings), '  '),
    table(['state', 'start', 'unit', 'allowed', 'meaning'], rows(soma.states, stateMeanings), '  '),
  ].join('\n');
}

const bounds = (row: Row): string =>
  [...boundsOf(row), ...(row.inSteps || row.whole ? ['whole steps'] : [])].join(', ');

/** Makes somas of files; the compiler is loaded by the first of them. @param folder - that file names are relative to */
export const somasIn =
  (folder: string): ReadSoma =>
  async (file) => {
    const text = await readFile(resolve(folder, file), 'utf8').catch((error) => {
      throw unreadable(error, 'give the path of a .wgsl file', file);
    });
    return (await import('../define.ts')).defineSoma(text, basename(file).replace(/\.wgsl$/i, ''));
  };
