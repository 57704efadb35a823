// The values a soma with inputs has on a device, and their order: what both paths lay out their memory by.

import { statisticsRows } from './generated/shaders.ts';
import type { Row, Table } from './rows.ts';
import type { InputLaw, Soma } from './somas.ts';

/** A value on the device: a parameter or a state of the soma, or of an input. */
export interface Field {
  /** `spike_slope`, or `input0_amplitude`; the member's name in the struct Scalars. */
  key: string;
  row: Row;
  /** Where it goes: in the parameters or inputs `p`, the soma's state `s`, or what runs along with it, `r`. */
  place: string;
}

/** The parameters of a soma with inputs, in the order of the uniform buffer and of the planes. */
export const fieldsOf = (soma: Soma, inputs: readonly InputLaw[]): Field[] => [
  ...fields(soma.parameters, '', 'p'),
  ...inputs.flatMap((law, i) => fields(law.parameters, inputKey(i, ''), `p.input${i}`)),
];

/** The states of a soma with inputs, and the statistics of some of them, in the order of their planes. */
export const statesOf = (soma: Soma, inputs: readonly InputLaw[], statistics: readonly string[] = []): Field[] => [
  ...fields(soma.states, '', 's'),
  ...inputs.flatMap((law, i) => fields(law.states, inputKey(i, ''), `r.state${i}`)),
  ...statistics.flatMap((state) => fields(statisticsRows, statisticKey(state, ''), `t.${state}`)),
];

const fields = (table: Table, prefix: string, struct: string): Field[] =>
  Object.entries(table)
    .filter(([, row]) => !row.onHost)
    .map(([name, row]) => ({ key: prefix + name, row, place: `${struct}.${row.path}` }));

export const statisticKey = (state: string, name: string): string => `${state}_statistics_${name}`;
export const inputKey = (index: number, name: string): string => `input${index}_${name}`;
