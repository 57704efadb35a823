// `somagpu somas`: the parameter tables, as the shaders state them.

import { findSoma } from '../experiment.ts';
import { boundsOf, type Row, type Soma, somas } from '../index.ts';
import { parameterMeanings, stateMeanings } from '../meanings.ts';
import { table } from './table.ts';

/** Prints one soma, or all. @throws InputError for an unknown name */
export function printSomas(name?: string): void {
  const chosen = name === undefined ? somas : [findSoma(name, 'name')];
  process.stdout.write(chosen.map(describe).join('\n'));
}

function describe(soma: Soma): string {
  const line = (name: string, row: Row, meanings: Readonly<Record<string, string>>) => [
    name,
    `${row.default}`,
    row.unit,
    bounds(row),
    meanings[name] ?? '',
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
