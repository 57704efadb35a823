// All that a hand can turn: the transport, the parameters, the inputs, and the equations beside them. It shows the set-up
// that is in force and says at a control what is wrong with it; what is then done about it is the page's affair.

import type { InputError } from '../index.ts';
import { Controls } from './controls.ts';
import { equationsOf } from './equations.ts';
import { InputEditor } from './inputs.ts';
import { type Edit, inputAt, type Setup } from './setup.ts';
import { type Hand, Transport } from './transport.ts';

const find = (id: string): HTMLElement => document.getElementById(id) as HTMLElement;

export class Desk {
  readonly transport: Transport;
  readonly #controls: Controls;
  readonly #inputs: InputEditor;
  /** What is shown; nothing where a control may show what was refused. */
  #shown: Setup | undefined;
  #refused = false;

  constructor(hand: Hand, change: (edit: Edit) => void) {
    this.transport = new Transport(find('transport'), find('basics'), hand);
    this.#controls = new Controls(find('parameters'), find('printed'), change);
    this.#inputs = new InputEditor(find('inputs'), change);
  }

  /** Shows a set-up; only what has changed is touched. */
  show(setup: Setup): void {
    const { soma, parameters, spread, inputs } = setup;
    const before = this.#shown;
    this.#shown = setup;
    if (soma !== before?.soma || parameters !== before.parameters || spread !== before.spread)
      this.#controls.show(setup);
    if (inputs !== before?.inputs) this.#inputs.show(setup);
    if (soma !== before?.soma) find('equations').replaceChildren(...equationsOf(soma));
    this.transport.show(setup);
  }

  /** Shows another set-up altogether, with which nothing is wrong. */
  begin(setup: Setup): void {
    this.complain();
    this.#shown = undefined;
    this.show(setup);
  }

  /**
   * Says what is wrong, where there is a control for it; nothing takes it back.
   *
   * @param wanted - what was refused
   * @param before - what is in force
   * @returns what is still to be said, as nobody may be looking at that control, or there is none
   */
  complain(error?: InputError, wanted?: Setup, before?: Setup): string {
    if (error || this.#refused) this.#shown = undefined;
    this.#refused = error !== undefined;
    const [, table, name = ''] = /^(?:cells\.)?(parameters|input)?[.[]?(\w+)/.exec(error?.path ?? '') ?? [];
    const text = error && `${error.reason}; ${error.remedy}`;
    const card = table === 'input' && wanted ? inputAt(wanted, Number(name)) : undefined;
    this.#controls.complain(table === 'parameters' ? name : undefined, text);
    this.#inputs.complain(card, text);
    this.transport.complain(table ? undefined : name, text);
    const changed = (...keys: (keyof Setup)[]) => keys.some((key) => wanted?.[key] !== before?.[key]);
    const seen =
      table === 'input'
        ? changed('inputs')
        : table
          ? this.#controls.has(name) && changed('parameters', 'spread')
          : this.transport.has(name);
    return error && !seen ? error.message : '';
  }
}
