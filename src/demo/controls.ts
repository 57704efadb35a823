// The parameters of the soma, made from its table: a slider, a number, the spread and the way back for each; and the same
// as papers print them. It shows a set-up and proposes another; whether that is accepted is not decided here.

import { type AdexBiophysics, adexFromBiophysics, biophysicsOf, eifFromBiophysics } from '../biophysics.ts';
import { boundsOf, InputError, type Row } from '../index.ts';
import { parameterMeanings } from '../meanings.ts';
import { Complaint, element, NumberField, type Span, shown } from './elements.ts';
import { SYMBOLS } from './equations.ts';
import { type Edit, numberOf, type Setup, tableOf } from './setup.ts';

type Change = (edit: Edit) => void;

/** A sensible range of a parameter, from its unit, its default and its bounds; numbers beyond it may be typed. */
export function spanOf({ unit, default: usual, above, least, leastDt }: Row): Span {
  const at = Math.abs(Number(usual));
  if (leastDt || unit === 'GOhm' || above === 0) return { from: at / 20, to: at * 20, log: true };
  if (unit === 'mV') return Number(usual) < 0 ? { from: -100, to: 20 } : { from: 0, to: 2 * at };
  if (unit === 'nS') return { from: -1, to: 10 };
  return { from: least ?? 0, to: unit === 'ms' ? 20 : 20 * at };
}

interface Line {
  value: NumberField;
  spread: NumberField;
  back: HTMLButtonElement;
  complaint: Complaint;
  row: Row;
}

export class Controls {
  #lines = new Map<string, Line>();
  #soma = '';
  readonly #printed: Printed;

  constructor(
    readonly box: HTMLElement,
    paper: HTMLElement,
    readonly change: Change,
  ) {
    this.#printed = new Printed(paper, change);
  }

  /** Shows a set-up that was accepted. */
  show(setup: Setup): void {
    if (setup.soma !== this.#soma) this.#build(setup);
    for (const [name, { value, spread, back, row }] of this.#lines) {
      const number = numberOf(setup, name);
      value.show(number);
      const cv = setup.spread[name] ?? 0;
      spread.show(cv * 100);
      // Kept in its place, so that nothing moves.
      back.style.visibility = number === row.default && cv === 0 ? 'hidden' : 'visible';
    }
    this.#printed.show(setup);
  }

  /** Says at a parameter what is wrong with it; nothing takes all complaints back. */
  complain(name?: string, text?: string): void {
    for (const [own, { complaint }] of this.#lines) complaint.say(own === name ? text : undefined);
  }

  has = (name: string): boolean => this.#lines.has(name);

  #build({ soma }: Setup): void {
    this.#soma = soma;
    this.#lines.clear();
    this.box.replaceChildren(...Object.entries(tableOf({ soma })).map(([name, row]) => this.#line(name, row)));
  }

  #set(key: 'parameters' | 'spread', name: string, value: number | undefined): void {
    this.change(({ [key]: before }) => ({
      [key]: value === undefined ? without(before, name) : { ...before, [name]: value },
    }));
  }

  #line(name: string, row: Row): HTMLElement {
    const meaning = parameterMeanings[name] ?? '';
    const bounds = boundsOf(row).join(', ');
    const title = `${meaning}; ${row.default} ${row.unit} by default${bounds && `; ${bounds}`}`;
    const value = new NumberField({
      name: `${name}, ${row.unit}: ${meaning}`,
      meaning: title,
      span: spanOf(row),
      onInput: (number) => this.#set('parameters', name, number === row.default ? undefined : number),
    });
    const spread = new NumberField({
      name: `spread of ${name} over the neurons, percent`,
      meaning:
        'spread over the neurons: standard deviation in percent of the value; cut at three of them, and at bounds',
      className: 'spread',
      empty: '0',
      onInput: (percent) => this.#set('spread', name, percent ? percent / 100 : undefined),
    });
    const back = element(
      'button',
      {
        type: 'button',
        className: 'back',
        title: `back to ${row.default} ${row.unit}, without spread`,
        'aria-label': `${name} back to ${row.default} ${row.unit}`,
        onclick: () =>
          this.change(({ parameters, spread }) => ({
            parameters: without(parameters, name),
            spread: without(spread, name),
          })),
      },
      '↺',
    );
    const complaint = new Complaint([value.field, value.slider as HTMLElement, spread.field]);
    this.#lines.set(name, { value, spread, back, complaint, row });
    const symbol = element('span', { className: 'symbol', 'aria-hidden': 'true', innerHTML: SYMBOLS[name] ?? '' });
    return element(
      'div',
      { className: 'control', title },
      element('span', { className: 'name' }, symbol, name, element('span', { className: 'unit' }, row.unit)),
      value.slider as HTMLElement,
      value.field,
      element('span', { className: 'number' }, '±', spread.field, element('span', { className: 'unit' }, '%')),
      back,
      complaint.element,
    );
  }
}

const without = (numbers: Readonly<Record<string, number>>, name: string): Record<string, number> => {
  const { [name]: _, ...others } = numbers;
  return others;
};

const PRINTED: readonly (readonly [string, string])[] = [
  ['C', 'pF'],
  ['g_L', 'nS'],
  ['E_L', 'mV'],
  ['V_T', 'mV'],
  ['Delta_T', 'mV'],
  ['V_peak', 'mV'],
  ['V_reset', 'mV'],
  ['t_ref', 'ms'],
  ['tau_w', 'ms'],
  ['a', 'nS'],
  ['b', 'pA'],
];

/** Capacitance and conductances, as papers have them. */
class Printed {
  readonly #fields = new Map<string, NumberField>();
  readonly #complaint: Complaint;

  constructor(
    readonly box: HTMLElement,
    readonly change: Change,
  ) {
    const cells = PRINTED.map(([name, unit]) => {
      const label = `${name}, ${unit}`;
      const field = new NumberField({ name: label, meaning: label, onInput: () => this.#propose() });
      this.#fields.set(name, field);
      return element('label', {}, element('code', {}, name), field.field, element('span', { className: 'unit' }, unit));
    });
    this.#complaint = new Complaint([...this.#fields.values()].map(({ field }) => field));
    box.replaceChildren(...cells, this.#complaint.element);
  }

  show(setup: Setup): void {
    if (this.box.contains(document.activeElement)) return;
    this.#complaint.say(undefined);
    const printed = this.#printedOf(setup);
    for (const [name, field] of this.#fields) {
      const value = printed[name];
      (field.field.closest('label') as HTMLElement).hidden = value === undefined;
      field.field.value = shown(value);
    }
  }

  // What the engine takes and papers have no word for, as a resistance of 0, leaves nothing to print.
  #printedOf(setup: Setup): Record<string, number | undefined> {
    try {
      return biophysicsOf(printable(setup)) as unknown as Record<string, number | undefined>;
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      this.#complaint.say(error.message);
      return {};
    }
  }

  #propose(): void {
    const there = [...this.#fields].filter(([, { field }]) => !(field.closest('label') as HTMLElement).hidden);
    const given = Object.fromEntries(there.map(([name, { field }]) => [name, field.valueAsNumber])) as never;
    try {
      const convert = 'a' in (given as object) ? adexFromBiophysics : eifFromBiophysics;
      const converted = convert(given as AdexBiophysics) as Record<string, number>;
      this.#complaint.say(undefined);
      this.change(({ parameters }) => ({ parameters: { ...parameters, ...converted } }));
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      this.#complaint.say(error.message);
    }
  }
}

// What papers have a name for: not the moving threshold.
function printable(setup: Setup): never {
  const known = Object.keys(tableOf(setup)).filter((name) => !/^threshold_/.test(name));
  return Object.fromEntries(known.map((name) => [name, numberOf(setup, name)])) as never;
}
