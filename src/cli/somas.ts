// `somagpu somas`: the parameter tables, as the shaders state them.

import { findSoma } from '../experiment.ts';
import { boundsOf, type Row, type Soma, somas } from '../index.ts';
import { table } from './table.ts';

/** Prints one soma, or all. @throws InputError for an unknown name */
export function printSomas(name?: string): void {
  const chosen = name === undefined ? somas : [findSoma(name, 'name')];
  process.stdout.write(chosen.map(describe).join('\n'));
}

function describe(soma: Soma): string {
  const line = (name: string, row: Row) => [name, `${row.default}`, row.unit, bounds(row), row.meaning];
  const rows = (part: Readonly<Record<string, Row>>) => Object.entries(part).map(([name, row]) => line(name, row));
  return [
    soma.name,
    table(['parameter', 'default', 'unit', 'allowed', 'meaning'], rows(soma.parameters), '  '),
    table(['state', 'start', 'unit', 'allowed', 'meaning'], rows(soma.states), '  '),
  ].join('\n');
}

const bounds = (row: Row): string =>
  [...boundsOf(row), ...(row.inSteps || row.whole ? ['whole steps'] : [])].join(', ');
