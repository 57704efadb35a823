// What stands around the sheet: run, pause, step, reset, by buttons and by keys, and the speed; and how many neurons of
// which soma there are, with which time step and seed. It shows a set-up and proposes another.

import { somas } from '../index.ts';
import { Complaint, element, NumberField, type Span } from './elements.ts';
import { type Edit, MOST_UNITS, type Setup, type SomaName } from './setup.ts';

type Key = 'units' | 'dt' | 'seed' | 'speed';

export interface Hand {
  change(edit: Edit): void;
  /** Runs, or pauses. */
  toggle(): void;
  step(): void;
  reset(): void;
}

const SOMA_WORDS: Readonly<Record<SomaName, string>> = {
  AdaptiveExponentialSoma: 'adaptive EIF (AdEx)',
  ExponentialSoma: 'EIF',
  RefractoryAdaptiveExponentialSoma: 'refractory AdEx',
  RefractoryExponentialSoma: 'refractory EIF',
  SimplifiedAdaptiveExponentialSoma: 'EIF, moving threshold',
};

/** Numbers of neurons to choose from; others may be typed. */
const SIZES = [1, 16, 1024, 10_000, 102_400, 262_144, 1_048_576, MOST_UNITS];

export class Transport {
  readonly #run: HTMLButtonElement;
  readonly #time = element('output', { className: 'time', 'aria-label': 'model time', 'aria-live': 'off' });
  readonly #soma: HTMLSelectElement;
  readonly #fields: Record<Key, NumberField>;
  readonly #complaints: Readonly<Record<Key, Complaint>>;

  constructor(bar: HTMLElement, basics: HTMLElement, hand: Hand) {
    const button = (text: string, title: string, onclick: () => void) =>
      element('button', { type: 'button', title, onclick }, text);
    this.#run = button('Pause', 'run or pause (space)', () => hand.toggle());
    this.#run.classList.add('main');
    const set = (key: Key) => (value: number | undefined) => {
      if (value !== undefined) hand.change(() => ({ [key]: value }));
    };
    const field = (key: Key, name: string, meaning: string, span?: Span) =>
      new NumberField({ name, meaning, span, onInput: set(key) });
    this.#fields = {
      units: field('units', 'neurons', `how many neurons, up to ${MOST_UNITS.toLocaleString('en')}`),
      dt: field('dt', 'time step, ms', 'the time step of forward Euler, ms'),
      seed: field('seed', 'seed', 'the same seed gives the same spikes'),
      speed: field('speed', 'speed, model ms a second', 'model time a second', { from: 0.5, to: 5000, log: true }),
    };
    const complaint = (key: Key) => new Complaint([this.#fields[key].field]);
    this.#complaints = {
      units: complaint('units'),
      dt: complaint('dt'),
      seed: complaint('seed'),
      speed: complaint('speed'),
    };
    const { units, dt, seed, speed } = this.#fields;
    units.field.setAttribute('list', 'sizes');
    const sizes = element(
      'datalist',
      { id: 'sizes' },
      ...SIZES.map((size) => element('option', { value: String(size) })),
    );
    this.#soma = element(
      'select',
      {
        'aria-label': 'soma',
        onchange: () => hand.change(() => ({ soma: this.#soma.value as SomaName, parameters: {}, spread: {} })),
      },
      ...somas.map(({ name }) => element('option', { value: name }, SOMA_WORDS[name as SomaName])),
    );
    bar.replaceChildren(
      this.#run,
      button('Step', 'one time step (. on the sheet)', () => hand.step()),
      button('Reset', 'back to the beginning (0 on the sheet)', () => hand.reset()),
      this.#time,
      element(
        'div',
        { className: 'speed', title: 'model time a second' },
        element('span', {}, 'Speed'),
        speed.slider as HTMLElement,
        speed.field,
        element('span', { className: 'unit' }, 'ms/s'),
      ),
      this.#complaints.speed.element,
    );
    const line = (label: string, unit: string, one: HTMLElement, complaint?: Complaint) =>
      element(
        'label',
        {},
        element('span', {}, label),
        one,
        element('span', { className: 'unit' }, unit),
        complaint?.element ?? '',
      );
    basics.replaceChildren(
      line('Soma', '', this.#soma),
      line('Neurons', '', units.field, this.#complaints.units),
      line('Time step', 'ms', dt.field, this.#complaints.dt),
      line('Seed', '', seed.field, this.#complaints.seed),
      sizes,
    );
  }

  show(setup: Setup): void {
    this.#soma.value = setup.soma;
    for (const key of ['units', 'dt', 'seed', 'speed'] as const) this.#fields[key].show(setup[key]);
  }

  showTime(time: number, dt: number): void {
    const digits = Math.min(Math.max(Math.ceil(-Math.log10(dt) - 1e-9), 0), 6);
    const text = `${time.toFixed(digits)} ms`;
    if (this.#time.value !== text) this.#time.value = text;
  }

  showPlaying(playing: boolean): void {
    this.#run.textContent = playing ? 'Pause' : 'Run';
  }

  /** Says what is wrong with a number; nothing takes all complaints back. */
  complain(key?: string, text?: string): void {
    for (const [own, complaint] of Object.entries(this.#complaints)) complaint.say(own === key ? text : undefined);
  }

  has = (key: string): boolean => key in this.#complaints;
}

/** Does what a key stands for, if it does: the keys that the buttons name. */
export function press(event: KeyboardEvent, hand: Hand): void {
  const { target, key } = event;
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const onSheet = (target as Element).id === 'sheet';
  // Single signs only where the sheet has the focus: elsewhere they may be typed, or said, for something else.
  const acts: Record<string, () => void> = onSheet ? { '.': () => hand.step(), '0': () => hand.reset() } : {};
  if ((target === document.body || onSheet) && !event.repeat) acts[' '] = () => hand.toggle();
  const act = acts[key];
  if (!act) return;
  event.preventDefault();
  act();
}
