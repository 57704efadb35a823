// The editor of the inputs: which currents there are, how strong, when, and where on the sheet. It shows a set-up and
// proposes another; whether that is accepted is not decided here.

import { inputMeanings } from '../meanings.ts';
import { Complaint, element, NumberField, type Span } from './elements.ts';
import { type Edit, MOST_INPUTS, PATTERNS, type Pattern, type Setup, type SetupInput } from './setup.ts';

type Kind = SetupInput['kind'];
type Numbers = Record<string, number | string | undefined>;

/** What an input of each kind begins as; what is not named there may be left out. */
const FRESH: { [K in Kind]: SetupInput } = {
  constant: { kind: 'constant', amplitude: 50 },
  step: { kind: 'step', amplitude: 65, start: 50, stop: 250 },
  ramp: { kind: 'ramp', from: 0, to: 100, stop: 500 },
  pulses: { kind: 'pulses', amplitude: 200, width: 2, period: 50 },
  sine: { kind: 'sine', amplitude: 25, frequency: 8 },
  white_noise: { kind: 'white_noise', mean: 0, sd: 60 },
  ornstein_uhlenbeck: { kind: 'ornstein_uhlenbeck', mean: 0, sd: 15, tau: 5 },
  poisson_shot_noise: { kind: 'poisson_shot_noise', rate: 500, weight: 20, tau: 5 },
};
const KINDS = Object.keys(FRESH) as Kind[];

/** Those that every input of the kind has; the others have defaults. */
const REQUIRED = new Set([
  'amplitude',
  'to',
  'sd',
  'tau',
  'rate',
  'weight',
  'width',
  'period',
  'frequency',
  'ramp.stop',
]);
const UNITS: Readonly<Record<string, string>> = { frequency: 'Hz', rate: 'Hz', phase: 'rad' };
const TIMES = new Set(['start', 'stop', 'width', 'period', 'tau']);
const unitOf = (key: string): string => UNITS[key] ?? (TIMES.has(key) ? 'ms' : 'pA');

const SPANS: Readonly<Record<string, Span>> = {
  frequency: { from: 0.5, to: 200, log: true },
  rate: { from: 1, to: 5000, log: true },
  tau: { from: 0.5, to: 200, log: true },
  sd: { from: 0, to: 200 },
};
const CURRENT: Span = { from: -100, to: 400 };

const words = (name: string): string => name.replaceAll('_', ' ');

/** One input on the page, and the fields it has. */
interface Card {
  kind: Kind;
  element: HTMLElement;
  fields: ReadonlyMap<string, NumberField>;
  pattern: HTMLSelectElement;
  complaint: Complaint;
}

export class InputEditor {
  #cards: Card[] = [];
  readonly #list = element('div', { className: 'inputs' });
  readonly #add: HTMLButtonElement;

  constructor(
    readonly box: HTMLElement,
    readonly change: (edit: Edit) => void,
  ) {
    this.#add = element(
      'button',
      { type: 'button', onclick: () => this.#propose((inputs) => [...inputs, FRESH.constant]) },
      'Add an input',
    );
    box.replaceChildren(this.#list, this.#add);
  }

  #propose(edit: (inputs: readonly SetupInput[]) => readonly SetupInput[]): void {
    this.change(({ inputs }) => ({ inputs: edit(inputs) }));
  }

  /** Shows a set-up that was accepted. */
  show(setup: Setup): void {
    const { inputs } = setup;
    this.#add.disabled = inputs.length >= MOST_INPUTS;
    const fewer = this.#cards.splice(inputs.length);
    // Who takes an input away by the keyboard goes on from there.
    const within = fewer.some((card) => card.element.contains(document.activeElement));
    for (const card of fewer) card.element.remove();
    if (within) this.#add.focus();
    inputs.forEach((input, i) => {
      const old = this.#cards[i];
      if (old?.kind === input.kind) return;
      const card = this.#card(input, i);
      this.#cards[i] = card;
      const choosing = old?.element.contains(document.activeElement);
      if (old) old.element.replaceWith(card.element);
      else this.#list.append(card.element);
      // The kind may be chosen by arrow keys.
      if (choosing) card.element.querySelector('select')?.focus();
    });
    inputs.forEach((input, i) => {
      const { fields, pattern } = this.#cards[i] as Card;
      for (const [key, field] of fields) field.show((input as unknown as Record<string, number | undefined>)[key]);
      pattern.value = input.pattern ?? 'even';
    });
  }

  /** Says at an input what is wrong with it; nothing takes all complaints back. */
  complain(index?: number, text?: string): void {
    for (const [i, { complaint }] of this.#cards.entries()) complaint.say(i === index ? text : undefined);
  }

  #replace(index: number, changed: Numbers): void {
    this.#propose((inputs) => {
      const given = Object.entries({ ...inputs[index], ...changed }).filter(([, value]) => value !== undefined);
      return inputs.with(index, Object.fromEntries(given) as unknown as SetupInput);
    });
  }

  #card({ kind }: SetupInput, index: number): Card {
    const meanings = Object.entries(inputMeanings[kind] ?? {});
    const fields = new Map(meanings.map(([key, meaning]) => [key, this.#field(kind, index, key, meaning)]));
    const option = (value: string) => element('option', { value }, words(value));
    const name = `Input ${index + 1}`;
    const select = element(
      'select',
      {
        'aria-label': `${name}: kind`,
        onchange: () => this.#propose((inputs) => inputs.with(index, FRESH[select.value as Kind])),
      },
      ...KINDS.map(option),
    );
    select.value = kind;
    const patterns = PATTERNS.filter((pattern) => pattern !== 'waves' || kind === 'sine');
    const pattern = element(
      'select',
      {
        'aria-label': `${name}: where on the sheet`,
        title: 'where on the sheet it goes',
        onchange: () =>
          this.#replace(index, { pattern: pattern.value === 'even' ? undefined : (pattern.value as Pattern) }),
      },
      ...patterns.map(option),
    );
    const remove = element(
      'button',
      {
        type: 'button',
        className: 'back',
        title: 'take this input away',
        'aria-label': `Take input ${index + 1} away`,
        onclick: () => this.#propose((inputs) => inputs.toSpliced(index, 1)),
      },
      '✕',
    );
    const complaint = new Complaint([...fields.values()].map(({ field }) => field));
    const rows = [...fields].map(([key, { field, slider }]) =>
      element(
        'div',
        { className: 'control', title: field.title },
        element('span', { className: 'name' }, words(key)),
        slider ?? element('span'),
        element('span', { className: 'number' }, field, element('span', { className: 'unit' }, unitOf(key))),
      ),
    );
    const head = element('div', { className: 'head' }, select, pattern, remove);
    const card = element(
      'div',
      { className: 'card', role: 'group', 'aria-label': name },
      head,
      ...rows,
      complaint.element,
    );
    return { kind, element: card, fields, pattern, complaint };
  }

  #field(kind: Kind, index: number, key: string, meaning: string): NumberField {
    const required = REQUIRED.has(key) || REQUIRED.has(`${kind}.${key}`);
    const when = TIMES.has(key) && key !== 'tau';
    return new NumberField({
      name: `Input ${index + 1}: ${words(key)}, ${unitOf(key)}`,
      meaning: `${meaning}, ${unitOf(key)}`,
      span: when || key === 'phase' ? undefined : (SPANS[key] ?? CURRENT),
      empty: required ? undefined : key === 'stop' ? 'end' : '0',
      onInput: (value) => this.#replace(index, { [key]: value }),
    });
  }
}
