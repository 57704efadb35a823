// The words a run ends with.

import { intervalStatistics } from '../analysis.ts';
import type { Summary } from '../experiment.ts';
import type { Population, Spikes } from '../index.ts';
import { table } from './table.ts';

const count = (value: number): string => value.toLocaleString('en', { maximumFractionDigits: 0 });
const figure = (value: number, digits: number): string => (Number.isFinite(value) ? value.toFixed(digits) : '');

/** A table of the populations, and what was run where and how fast; `written` says what was left. */
export function describeRun(
  summary: Summary,
  populations: readonly Population[],
  recorded: readonly (Spikes | undefined)[],
  written: string,
): string {
  const rows = populations.map(({ name, neurons }, i) => {
    const { spikes = 0, mean_rate_hz = 0 } = summary.populations[name] ?? {};
    const train = recorded[i];
    const { mean, cv, min, max } = train ? intervalStatistics(train, neurons) : {};
    const intervals = [
      figure(mean ?? Number.NaN, 2),
      figure(cv ?? Number.NaN, 3),
      figure(min ?? Number.NaN, 1),
      figure(max ?? Number.NaN, 1),
    ];
    return [name, count(neurons), count(spikes), figure(mean_rate_hz, 2), ...intervals];
  });
  const head = ['population', 'neurons', 'spikes', 'rate Hz', 'mean ISI ms', 'CV', 'min ISI ms', 'max ISI ms'];
  const { steps, dt, wall_seconds, neuron_updates_per_second, backend, backend_reason, adapter } = summary;
  return [
    ...(summary.interrupted ? [`interrupted at step ${count(steps)}; what was recorded so far is saved`, ''] : []),
    table(head, rows),
    `${count(steps)} steps of ${dt} ms in ${wall_seconds.toFixed(2)} s: ${count(neuron_updates_per_second / 1e6)} million neuron-updates/s`,
    `on ${backend}: ${adapter} (${backend_reason})`,
    written,
    '',
  ].join('\n');
}
