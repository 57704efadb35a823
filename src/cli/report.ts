// The words a run ends with.

import type { IntervalStatistics } from '../analysis/index.ts';
import type { Summary } from '../experiment.ts';
import type { Population } from '../index.ts';
import { table } from './table.ts';

const count = (value: number): string => value.toLocaleString('en', { maximumFractionDigits: 0 });
const figure = (value: number, digits: number): string => (Number.isFinite(value) ? value.toFixed(digits) : '');

/** A table of the populations, and what was run where and how fast; `written` says what was left. */
export function describeRun(
  summary: Summary,
  populations: readonly Population[],
  intervals: readonly (IntervalStatistics | undefined)[],
  written: string,
): string {
  const rows = populations.map(({ name, neurons }, i) => {
    const { spikes = 0, mean_rate_hz = 0 } = summary.populations[name] ?? {};
    const { mean = Number.NaN, cv = Number.NaN, min = Number.NaN, max = Number.NaN } = intervals[i] ?? {};
    const figures = [figure(mean_rate_hz, 2), figure(mean, 2), figure(cv, 3), figure(min, 1), figure(max, 1)];
    return [name, count(neurons), count(spikes), ...figures];
  });
  const head = ['population', 'neurons', 'spikes', 'rate Hz', 'mean ISI ms', 'CV', 'min ISI ms', 'max ISI ms'];
  const { steps, dt, resumed_at_step = 0, wall_seconds, neuron_updates_per_second } = summary;
  const { backend, backend_reason, adapter } = summary;
  const before = resumed_at_step > 0 ? ` (${count(resumed_at_step)} were done before)` : '';
  return [
    ...(summary.interrupted ? [`interrupted at step ${count(steps)}; what was recorded so far is saved`, ''] : []),
    table(head, rows),
    `${count(steps - resumed_at_step)} steps of ${dt} ms in ${wall_seconds.toFixed(2)} s${before}: ${count(neuron_updates_per_second / 1e6)} million neuron-updates/s`,
    `on ${backend}: ${adapter} (${backend_reason})`,
    written,
    '',
  ].join('\n');
}
