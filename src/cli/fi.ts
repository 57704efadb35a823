// `somagpu fi`: the f-I curve of a neuron, as a table or as JSON.

import { type Curve, currentsBetween, fiCurve, firingPattern } from '../analysis/index.ts';
import { asOptions, type ChosenNeuron, chooseNeuron, type NeuronOptions } from './neuron.ts';
import { table } from './table.ts';

export interface FiOptions extends NeuronOptions {
  from: number;
  to?: number;
  points: number;
  duration: number;
  settle?: number;
  json?: boolean;
}

/** Prints the curve of a soma, or of a neuron of an experiment file. @throws InputError */
export async function fi(what: string, options: FiOptions): Promise<void> {
  const chosen = await chooseNeuron(what, options);
  const { soma, parameters, dt } = chosen;
  const { from, to = from + reachOf(parameters), points, duration, settle } = options;
  const curve = await asOptions(() => {
    const currents = currentsBetween(from, to, points);
    return fiCurve(soma, { parameters, currents, dt, duration, settle });
  });
  const stop = curve.duration;
  const tau = parameters.potential_tau as number;
  const patterns = curve.trains.map((train) => firingPattern(train, { stop, tau }).pattern);
  process.stdout.write(options.json ? asJson(chosen, curve, patterns) : asTable(chosen, curve, patterns));
}

/** Three times what brings a membrane without an exponential to the rheobase threshold, to three digits, pA. */
function reachOf({ rheobase_threshold, potential_rest, resistance }: Record<string, number>): number {
  const reach = (3 * ((rheobase_threshold as number) - (potential_rest as number))) / (resistance as number);
  return Number(Math.abs(reach).toPrecision(3)) || 100;
}

function asTable({ title, dt }: ChosenNeuron, curve: Curve, patterns: readonly string[]): string {
  const figure = (values: Float64Array, i: number, digits: number) => {
    const value = values[i] as number;
    return Number.isFinite(value) ? value.toFixed(digits) : '';
  };
  const rows = patterns.map((pattern, i) => [
    `${Number((curve.currents[i] as number).toPrecision(6))}`,
    `${curve.counts[i]}`,
    figure(curve.rates, i, 2),
    figure(curve.first, i, 2),
    figure(curve.steady, i, 2),
    figure(curve.latencies, i, 2),
    pattern,
  ]);
  const head = ['current pA', 'spikes', 'rate Hz', 'first Hz', 'steady Hz', 'latency ms', 'pattern'];
  const { duration, settle } = curve;
  const run = `${duration} ms at dt ${dt} ms; first: of the first interval; steady: of those that end after ${settle} ms`;
  return [title, table(head, rows), run, ''].join('\n');
}

function asJson({ soma, parameters, dt }: ChosenNeuron, curve: Curve, patterns: readonly string[]): string {
  const { duration, settle } = curve;
  const columns = {
    current: Array.from(curve.currents),
    spikes: Array.from(curve.counts),
    rate_hz: Array.from(curve.rates),
    first_hz: Array.from(curve.first),
    steady_hz: Array.from(curve.steady),
    latency: Array.from(curve.latencies),
    pattern: patterns,
  };
  return `${JSON.stringify({ soma: soma.name, parameters, dt, duration, settle, ...columns }, null, 2)}\n`;
}
