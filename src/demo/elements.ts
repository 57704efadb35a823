// Small pieces of the page that others are put together from: elements, and a number with its slider and its complaint.
// They know nothing of neurons.

type Given = Record<string, string | number | boolean | EventListener | undefined>;

/** An element; properties that begin with `on` are listeners, those with `aria-` or `data-` attributes. */
export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  given: Given = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined) continue;
    if (typeof value === 'function') made.addEventListener(name.slice(2), value);
    else if (/^(aria|data)-|^(for|role|list)$/.test(name)) made.setAttribute(name, String(value));
    else Object.assign(made, { [name]: value });
  }
  made.append(...children);
  return made;
}

let count = 0;
/** An id that no other element has. */
const freshId = (): string => `e${count++}`;

/** What a slider goes over; evenly in the logarithm where `log` is set. */
export interface Span {
  from: number;
  to: number;
  log?: boolean;
}

const STOPS = 1000;

/** Where on a slider a number is, and what number is there: of three digits, so that it can be read. */
export const stopOf = ({ from, to, log }: Span, value: number): number => {
  const part = log ? Math.log(Math.max(value, from) / from) / Math.log(to / from) : (value - from) / (to - from);
  return Math.round(Math.min(Math.max(part, 0), 1) * STOPS);
};
export const numberAt = ({ from, to, log }: Span, stop: number): number => {
  const part = stop / STOPS;
  const exact = log ? from * (to / from) ** part : from + (to - from) * part;
  return Number(log ? exact.toPrecision(3) : exact.toFixed(Math.max(0, 2 - Math.floor(Math.log10(to - from)))));
};

/** 10, 20, 30, 50, 100, ... at or above a number. */
export function niceAbove(number: number): number {
  const power = 10 ** Math.floor(Math.log10(number));
  return ([1, 2, 3, 5, 10].find((factor) => factor * power >= number * 0.999) ?? 10) * power;
}

/** A number as a field shows it: whole ones to their last digit, a seed has ten. */
export const shown = (value: number | undefined): string =>
  value === undefined ? '' : String(Number.isInteger(value) ? value : Number(value.toPrecision(7)));

/** Says what is wrong at a place on the page, or nothing any more. */
export class Complaint {
  readonly element = element('p', { className: 'complaint', role: 'alert', id: freshId(), hidden: true });

  constructor(readonly fields: readonly HTMLElement[]) {
    for (const field of fields) field.setAttribute('aria-describedby', this.element.id);
  }

  say(text: string | undefined): void {
    this.element.hidden = text === undefined;
    if (this.element.textContent !== (text ?? '')) this.element.textContent = text ?? '';
    for (const field of this.fields) field.setAttribute('aria-invalid', String(text !== undefined));
  }
}

/** What a number field is made of. */
export interface NumberOptions {
  /** For screen readers, and as a tooltip. */
  name: string;
  meaning: string;
  span?: Span;
  /** Whether it may be left empty, and what it then shows. */
  empty?: string;
  className?: string;
  onInput(value: number | undefined): void;
}

/** A number with, where it has a span, a slider. */
export class NumberField {
  readonly field: HTMLInputElement;
  readonly slider: HTMLInputElement | undefined;
  readonly #span: Span | undefined;
  /** What it would show if no hand were in it. */
  #value: number | undefined;

  constructor({ name, meaning, span, empty, className = '', onInput }: NumberOptions) {
    const common = { title: meaning, 'aria-label': name };
    this.#span = span;
    this.field = element('input', {
      ...common,
      className,
      type: 'number',
      step: 'any',
      inputMode: 'decimal',
      placeholder: empty ?? '',
      oninput: () => {
        const { value, validity } = this.field;
        // What is being typed is no number yet: "-", "1e".
        if (validity.badInput || (value === '' && empty === undefined)) return;
        this.#value = value === '' ? undefined : Number(value);
        this.#slide(this.#value);
        onInput(this.#value);
      },
      onblur: () => this.show(this.#value),
    });
    if (!span) return;
    const slider = element('input', {
      ...common,
      'aria-label': `${name}, slider`,
      type: 'range',
      min: '0',
      max: String(STOPS),
      oninput: () => {
        const value = numberAt(span, slider.valueAsNumber);
        this.#value = value;
        this.field.value = shown(value);
        this.#tell(slider, value);
        onInput(value);
      },
    });
    this.slider = slider;
  }

  /** Shows a value; what is being typed stays until the hand leaves the field, and what was refused as long as that is said. */
  show(value: number | undefined): void {
    this.#value = value;
    if (this.field.getAttribute('aria-invalid') === 'true') return;
    if (document.activeElement !== this.field) this.field.value = shown(value);
    this.#slide(value);
  }

  #slide(value: number | undefined): void {
    const { slider } = this;
    if (!slider || !this.#span || value === undefined) return;
    const stop = stopOf(this.#span, value);
    // A stop stands for many numbers: a slider that is at the right one stays where the hand has it.
    if (slider.valueAsNumber !== stop) slider.value = String(stop);
    this.#tell(slider, value);
  }

  #tell(slider: HTMLInputElement, value: number): void {
    slider.setAttribute('aria-valuetext', shown(value));
  }
}
