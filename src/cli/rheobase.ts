// `somagpu rheobase`: the rheobase of a neuron, from its equations and from steps of current.

import { type FoundRheobase, findRheobase, type Rheobase, rheobase, rheobaseMeanings } from '../analysis/index.ts';
import { asOptions, type ChosenNeuron, chooseNeuron, type NeuronOptions } from './neuron.ts';
import { table } from './table.ts';

export interface RheobaseOptions extends NeuronOptions {
  from?: number;
  to?: number;
  duration: number;
  settle: number;
  precision: number;
  json?: boolean;
}

/** Prints the rheobase of a soma, or of a neuron of an experiment file. @throws InputError */
export async function printRheobase(what: string, options: RheobaseOptions): Promise<void> {
  const chosen = await chooseNeuron(what, options);
  const { soma, parameters, dt } = chosen;
  const { from, to, duration, settle, precision } = options;
  const analytic = rheobase(soma, parameters);
  const found = await asOptions(() => findRheobase(soma, { parameters, dt, duration, settle, from, to, precision }));
  process.stdout.write(
    options.json ? asJson(chosen, options, analytic, found) : asTable(chosen, options, analytic, found),
  );
}

function asTable(
  { title, dt }: ChosenNeuron,
  { duration, settle }: RheobaseOptions,
  analytic: Rheobase,
  found: FoundRheobase,
): string {
  const figure = (current: number, digits = 3) => (Number.isFinite(current) ? current.toFixed(digits) : '');
  // As many as tell the two apart.
  const digits = Math.min(Math.max(3, Math.ceil(-Math.log10(found.firing - found.silent))), 12);
  const after = settle > 0 ? ` after ${settle} ms` : '';
  const steps = `a spike${after} within ${duration} ms at dt ${dt} ms; silent at ${figure(found.silent, digits)}`;
  const later = analytic.kind === 'saddle-node' ? [] : [['', figure(analytic.saddleNode), 'saddle-node']];
  const rows = [
    ['equations', figure(analytic.current), rheobaseMeanings[analytic.kind]],
    ...later.filter(([, current]) => current !== ''),
    ['steps', figure(found.firing, digits), steps],
  ];
  return [title, table(['from', 'rheobase pA', 'what happens there'], rows)].join('\n');
}

function asJson(
  { soma, parameters, dt }: ChosenNeuron,
  { duration, settle }: RheobaseOptions,
  { current, kind, saddleNode, hopf }: Rheobase,
  { silent, firing, runs }: FoundRheobase,
): string {
  const equations = { current, kind, saddle_node: saddleNode, hopf };
  const steps = { silent, firing, dt, duration, settle, runs };
  return `${JSON.stringify({ soma: soma.name, parameters, equations, steps }, null, 2)}\n`;
}
