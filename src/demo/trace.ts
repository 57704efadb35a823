// The life of one neuron: its potential with spikes drawn to their peak, and below its other states. It owns two plots and
// the samples in them; how a neuron is chosen and recorded is not its affair.

import uPlot from 'uplot';
import { stateMeanings } from '../meanings.ts';
import type { Live, Ran } from './live.ts';
import { type Setup, somaOf, tracedIn } from './setup.ts';

/** Ways a state may be drawn; each unit has an axis of its own. */
interface Drawn {
  name: string;
  unit: string;
}

const INKS = ['--accent', '--second', '--third'];
/** Samples in the window: more than there are pixels, so that short time steps are not drawn step by step. */
const MOST_SAMPLES = 20_000;

export class TracePlot {
  #plots: uPlot[] = [];
  #others: Drawn[] = [];
  #neuron: number | undefined;
  #window = 200;
  /** Of the neuron, mV. */
  #levels = { threshold: 0, rheobase: 0 };
  // Times, then the potential and the other states, sample by sample.
  #times: number[] = [];
  #values: number[][] = [];
  #stale = false;
  #setup: Setup | undefined;

  constructor(
    /** The boxes of the two plots. */
    readonly boxes: readonly [HTMLElement, HTMLElement],
    /** Says which neuron it is, or how to choose one. */
    readonly title: HTMLElement,
  ) {
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#build());
    new ResizeObserver(() => {
      for (const [i, plot] of this.#plots.entries()) plot.setSize(sizeOf(boxes[i] as HTMLElement));
    }).observe(boxes[0]);
  }

  /** Begins with the neuron that is traced, or with none. */
  begin(live: Live): void {
    const { setup } = live;
    const soma = somaOf(setup);
    const neuron = tracedIn(setup);
    const others = Object.entries(soma.states as Record<string, { unit: string }>)
      .filter(([name]) => name !== 'potential')
      .map(([name, { unit }]) => ({ name, unit }));
    const same = neuron === this.#neuron && others.length === this.#others.length && this.#setup?.soma === setup.soma;
    this.#neuron = neuron;
    this.#others = others;
    this.#setup = undefined;
    this.follow(live);
    this.#times = [];
    this.#values = [[], ...others.map(() => [])];
    this.#stale = true;
    this.title.textContent =
      neuron === undefined
        ? 'Point at a neuron on the sheet to see its potential'
        : `Neuron ${neuron.toLocaleString('en')}`;
    if (!same || this.#plots.length === 0) this.#build();
  }

  /** Follows the set-up: the levels, where they may be others. */
  follow(live: Live): void {
    const { setup } = live;
    const before = this.#setup;
    this.#setup = setup;
    // To look at one neuron's value of a parameter that is spread is to copy those of all.
    if (before?.parameters === setup.parameters && before.spread === setup.spread) return;
    const of = (name: string) => live.valueOf(name, this.#neuron ?? 0);
    this.#levels = { threshold: of('threshold'), rheobase: of('rheobase_threshold') };
    this.#stale = true;
  }

  /** Sets how much model time is seen, ms. */
  show(window: number): void {
    this.#window = window;
    this.#stale = true;
  }

  append({ spikes, traces }: Ran): void {
    const neuron = this.#neuron;
    const potential = traces.potential ?? [];
    if (neuron === undefined || potential.length === 0) return;
    const spiked = new Set<number>();
    for (const { steps, neurons } of spikes) {
      for (let i = 0; i < steps.length; i++) if (neurons[i] === neuron) spiked.add(steps[i] as number);
    }
    const every = Math.ceil(this.#window / (this.#setup as Setup).dt / MOST_SAMPLES);
    potential.forEach(({ steps, times, values }, chunk) => {
      for (let i = 0; i < steps.length; i++) {
        const step = steps[i] as number;
        const spike = spiked.has(step);
        if (!spike && step % every > 0) continue;
        const time = times[i] as number;
        const others = this.#others.map(({ name }) => traces[name]?.[chunk]?.values[i] ?? Number.NaN);
        // The sample of a step with a spike is after the reset; the peak stands just before it.
        if (spike) this.#push(time, this.#peak(others), this.#last());
        this.#push(time, values[i] as number, others);
      }
    });
    this.#stale = true;
  }

  // What the potential had to pass: the threshold, where it moves as it was then.
  #peak(others: readonly number[]): number {
    const moving = this.#others.findIndex(({ name }) => name === 'threshold');
    return moving < 0 ? this.#levels.threshold : ((this.#values[moving + 1]?.at(-1) ?? others[moving]) as number);
  }

  #last = (): number[] => this.#others.map((_, i) => this.#values[i + 1]?.at(-1) ?? Number.NaN);

  #push(time: number, potential: number, others: readonly number[]): void {
    this.#times.push(time);
    [potential, ...others].forEach((value, i) => {
      this.#values[i]?.push(value);
    });
  }

  /** Draws what is new; to be called in each frame, or every other one. */
  paint(now: number): void {
    if (!this.#stale || this.#plots.length === 0 || this.boxes[0].clientWidth === 0) return;
    this.#stale = false;
    // It stands still until the window is full.
    const begin = Math.max(now - this.#window, 0);
    if ((this.#times[0] ?? now) < begin - this.#window / 2) {
      const old = this.#times.findIndex((time) => time >= begin);
      for (const list of [this.#times, ...this.#values]) list.splice(0, old < 0 ? list.length : old);
    }
    const flat = (level: number) => this.#times.map(() => level);
    const { threshold, rheobase } = this.#levels;
    const [potential = [], ...others] = this.#values;
    const [upper, lower] = this.#plots;
    const scales = (plot: uPlot | undefined, data: uPlot.AlignedData) =>
      plot?.batch(() => {
        plot.setData(data, true);
        plot.setScale('x', { min: begin, max: begin + this.#window });
      });
    const moving = this.#others.some(({ name }) => name === 'threshold');
    scales(upper, [this.#times, potential, ...(moving ? [] : [flat(threshold)]), flat(rheobase)] as uPlot.AlignedData);
    scales(lower, [this.#times, ...others] as uPlot.AlignedData);
  }

  #build(): void {
    for (const plot of this.#plots) plot.destroy();
    const style = getComputedStyle(this.boxes[0]);
    const ink = (name: string) => style.getPropertyValue(name).trim();
    const moving = this.#others.some(({ name }) => name === 'threshold');
    const level = (label: string, name: string) => ({
      label,
      scale: 'mV',
      stroke: ink(name),
      width: 1,
      dash: [4, 4],
      points: { show: false },
    });
    const upper = [
      { label: 'potential', scale: 'mV', stroke: ink('--accent'), width: 1.25, points: { show: false } },
      ...(moving ? [] : [level('threshold', '--second')]),
      level('rheobase', '--third'),
    ];
    const lower = this.#others.map(({ name, unit }, i) => ({
      label: name,
      scale: unit,
      stroke: ink(INKS[i] as string),
      width: 1.25,
      points: { show: false },
    }));
    this.#plots = [
      new uPlot(optionsOf(this.boxes[0], upper, ink), [[], ...upper.map(() => [])], this.boxes[0]),
      ...(lower.length > 0
        ? [new uPlot(optionsOf(this.boxes[1], lower, ink), [[], ...lower.map(() => [])], this.boxes[1])]
        : []),
    ];
    this.boxes[1].title = this.#others.map(({ name }) => `${name}: ${stateMeanings[name]}`).join('\n');
    this.boxes[1].dataset.empty = lower.length > 0 ? '' : 'This soma has no other state';
    this.#stale = true;
  }
}

const sizeOf = (box: HTMLElement) => ({
  width: Math.max(box.clientWidth, 50),
  height: Math.max(box.clientHeight - 26, 40),
});

function optionsOf(box: HTMLElement, series: uPlot.Series[], ink: (name: string) => string): uPlot.Options {
  const scales = [...new Set(series.map(({ scale }) => scale as string))];
  const font = `${getComputedStyle(box).fontSize} system-ui, sans-serif`;
  const axis = { stroke: ink('--quiet'), font, grid: { stroke: ink('--line'), width: 1 }, ticks: { show: false } };
  return {
    ...sizeOf(box),
    legend: { live: false, markers: { width: 2 } },
    cursor: { show: false },
    scales: {
      x: { time: false },
      ...Object.fromEntries(scales.map((scale) => [scale, { range: rangeOf }])),
    },
    axes: [
      { ...axis, size: 24, space: 80, values: (_, ticks) => ticks.map((tick) => `${tick}`) },
      ...scales.map((scale, i) => ({
        ...axis,
        scale,
        size: 58,
        space: 20,
        side: i === 0 ? 3 : 1,
        grid: { ...axis.grid, show: i === 0 },
        values: (_: uPlot, ticks: number[]) =>
          ticks.map((tick, j) => (j === ticks.length - 1 ? `${tick} ${scale}` : `${tick}`)),
      })),
    ],
    series: [{}, ...series],
  };
}

// Some room above and below, also where all is at one level.
function rangeOf(_: uPlot, low: number | null, high: number | null): [number, number] {
  if (low === null || high === null) return [0, 1];
  const room = Math.max((high - low) * 0.08, 0.5);
  return [low - room, high + room];
}
