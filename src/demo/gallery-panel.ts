// The gallery on the page: a button for each firing pattern, and below them what is published of the one chosen, beside what
// was simulated. It draws what it is given; choosing and simulating are its owner's affair.

import { element } from './elements.ts';
import { type Comparison, compare, loadPresets, type Preset, setupOf, shows, simulate } from './gallery.ts';
import type { Edit, Setup } from './setup.ts';

/** What is simulated: with which time step, ms, and the spikes, ms. */
interface Simulated {
  dt: number;
  spikes: readonly number[];
}

/** What the hand does. */
interface GalleryEvents {
  /** A preset was chosen. */
  choose(preset: Preset): void;
  /** A time step was chosen, ms. */
  step(dt: number): void;
}

export interface GalleryPanel {
  readonly element: HTMLElement;
  /** Shows a preset, with the spikes that were simulated; without them, what is published alone. */
  show(preset: Preset, simulated?: Simulated): void;
  /** No preset is at work any more: somebody moved a slider. */
  clear(): void;
}

/** What the gallery needs of the page. */
interface Page {
  readonly setup: Setup;
  applySetup(setup: Setup): void;
  change(edit: Edit): void;
}

/** The gallery at work, in its place on the page. */
export interface Gallery {
  /** Whether the set-up is that of a preset. */
  readonly shown: boolean;
  /** Follows the page's set-up, when it has changed. */
  follow(setup: Setup): void;
}

export async function openGallery(box: HTMLElement, page: Page): Promise<Gallery> {
  const presets = await loadPresets();
  let shown: Preset | undefined;
  let dt: number | undefined;
  const panel = galleryPanel(presets, {
    choose: (preset) => page.applySetup(setupOf(preset)),
    step: (dt) => page.change(() => ({ dt })),
  });
  box.replaceChildren(panel.element);
  const follow = async (setup: Setup): Promise<void> => {
    const preset = presets.find((preset) => shows(setup, preset));
    if (!preset && shown) panel.clear();
    if (preset === shown && (!preset || setup.dt === dt)) return;
    [shown, dt] = [preset, setup.dt];
    if (!preset) return;
    // The page says why a time step is refused.
    const spikes = await simulate(setup, preset.duration).catch(() => undefined);
    if (preset === shown && setup.dt === dt) panel.show(preset, spikes && { dt: setup.dt, spikes });
  };
  await follow(page.setup);
  return {
    get shown() {
      return shown !== undefined;
    },
    follow: (setup) => void follow(setup),
  };
}

/** The panel of the gallery. */
export function galleryPanel(presets: readonly Preset[], { choose, step }: GalleryEvents): GalleryPanel {
  const buttons = new Map(
    presets.map((preset) => {
      const given = { type: 'button', title: preset.note, 'aria-pressed': false, onclick: () => choose(preset) };
      return [preset.id, element('button', given, preset.name)] as const;
    }),
  );
  const items = Array.from(buttons.values(), (button) => element('li', {}, button));
  const shown = element('div', { className: 'gallery-case' });
  const press = (id?: string) => {
    for (const [own, button] of buttons) button.setAttribute('aria-pressed', String(own === id));
  };
  const list = element('ul', { className: 'gallery-list', 'aria-label': 'Firing patterns' }, ...items);
  return {
    element: element('div', { className: 'gallery' }, list, shown),
    show(preset, simulated) {
      press(preset.id);
      shown.replaceChildren(...caseOf(preset, step, simulated));
    },
    clear() {
      press();
      shown.replaceChildren();
    },
  };
}

function caseOf(preset: Preset, step: GalleryEvents['step'], simulated?: Simulated): HTMLElement[] {
  const { name, note, source, spikes, duration } = preset;
  const { text, url } = source;
  const origin = url ? element('a', { href: url, rel: 'noreferrer', target: '_blank' }, text) : text;
  const rows = [spikeRow('exact', spikes, duration)];
  const verdict = element('p', { className: 'gallery-verdict', role: 'status' });
  if (simulated) {
    rows.push(spikeRow(`dt ${simulated.dt} ms`, simulated.spikes, duration));
    verdict.textContent = verdictOf(compare(spikes, simulated.spikes), preset);
  }
  return [
    element('p', {}, element('strong', {}, name), '. ', note),
    element('p', { className: 'gallery-source quiet' }, 'Source: ', origin),
    element('div', { className: 'gallery-spikes' }, ...rows, element('span'), axisOf(duration)),
    verdict,
    effectsOf(preset, step, simulated?.dt),
  ];
}

/** What a comparison says, in a sentence. */
export function verdictOf({ matched, missing, extra, first, largest }: Comparison, { chaotic }: Preset): string {
  const expected = matched + missing;
  const counted =
    missing + extra === 0 ? `All ${expected} spikes are there` : `${matched + extra} spikes of ${expected}`;
  if (first === undefined || largest === undefined) return `${counted}.`;
  const late = `the first ${ms(Math.abs(first))} ${first < 0 ? 'early' : 'late'}`;
  const off = expected > 1 ? `, at most ${ms(largest)} off` : '';
  return `${counted}: ${late}${off}.${chaotic ? ' Later ones cannot agree: the pattern is chaotic.' : ''}`;
}

/** What the time step does, for those steps that were published. */
function effectsOf(preset: Preset, step: GalleryEvents['step'], now?: number): HTMLElement {
  const head = ['time step', 'spikes', 'first late by', 'off by up to'];
  const row = (name: Node | string, ...texts: string[]) =>
    element('tr', {}, element('th', { scope: 'row' }, name), ...texts.map((text) => element('td', {}, text)));
  const rows = preset.euler.map(({ dt, spikes, first, largest }) => {
    const given = {
      type: 'button',
      title: `run with dt ${dt} ms`,
      'aria-pressed': dt === now,
      onclick: () => step(dt),
    };
    return row(element('button', given, `${dt} ms`), String(spikes), ms(first), ms(largest));
  });
  return element(
    'table',
    { className: 'gallery-effects' },
    element('caption', {}, 'Forward Euler in double precision, by time step'),
    element('thead', {}, element('tr', {}, ...head.map((text) => element('th', { scope: 'col' }, text)))),
    element('tbody', {}, ...rows, row('exact', String(preset.spikes.length), '', '')),
  );
}

const ms = (time?: number): string => (time === undefined ? '' : `${Number(time.toPrecision(time < 0.1 ? 1 : 2))} ms`);

const SVG = 'http://www.w3.org/2000/svg';
const [WIDTH, HEIGHT] = [1000, 20];

/** A name, and a tick for each spike; as wide as there is room. */
function spikeRow(label: string, times: readonly number[], duration: number): DocumentFragment {
  const svg = document.createElementNS(SVG, 'svg');
  const first = times[0] === undefined ? '' : `, the first at ${ms(times[0])}`;
  const plural = times.length === 1 ? 'spike' : 'spikes';
  const attributes = {
    viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
    preserveAspectRatio: 'none',
    role: 'img',
    'aria-label': `${label}: ${times.length} ${plural}${first}`,
  };
  for (const [name, value] of Object.entries(attributes)) svg.setAttribute(name, value);
  const ticks = document.createElementNS(SVG, 'path');
  const at = (time: number) => Number(((time / duration) * WIDTH).toFixed(1));
  ticks.setAttribute('d', times.map((time) => `M${at(time)} 0V${HEIGHT}`).join(''));
  ticks.setAttribute('vector-effect', 'non-scaling-stroke');
  svg.append(ticks);
  const row = document.createDocumentFragment();
  row.append(element('span', { 'aria-hidden': true }, label), svg);
  return row;
}

function axisOf(duration: number): HTMLElement {
  const ends = ['0', `${duration} ms`].map((text) => element('span', {}, text));
  return element('div', { className: 'gallery-axis', 'aria-hidden': true }, ...ends);
}
