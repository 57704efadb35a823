// The gallery's panel, on a document without a browser: buttons, ticks and words are those of the data.

import { parseHTML } from 'linkedom';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { loadPresets, type Preset } from '../../src/demo/gallery.ts';
import { galleryPanel, verdictOf } from '../../src/demo/gallery-panel.ts';

const presets = await loadPresets();
const presetNamed = (name: string) => presets.find((preset) => preset.name === name) as Preset;

beforeEach(() => {
  vi.stubGlobal('document', parseHTML('<!doctype html><html><body></body></html>').document);
  return () => vi.unstubAllGlobals();
});

function opened({ choose = (_: Preset) => {}, step = (_: number) => {} } = {}) {
  const panel = galleryPanel(presets, { choose, step });
  document.body.append(panel.element);
  const all = (selector: string) => Array.from(document.querySelectorAll(selector));
  return { ...panel, all, text: (selector: string) => all(selector).map(({ textContent }) => textContent) };
}

describe('the gallery on a page', () => {
  test('has a button for each preset, which says that it was pressed', () => {
    const choose = vi.fn();
    const { all, text } = opened({ choose });
    expect(text('ul button')).toEqual(presets.map(({ name }) => name));
    (all('ul button')[3] as HTMLElement).click();
    expect(choose).toHaveBeenCalledExactlyOnceWith(presets[3]);
  });

  test('marks the button of what it shows, and none when it is cleared', () => {
    const { all, show, clear } = opened();
    const pressed = () => all('ul button').filter((button) => button.getAttribute('aria-pressed') === 'true');
    expect(pressed()).toEqual([]);
    show(presetNamed('Tonic'));
    show(presetNamed('Bursting'));
    expect(pressed().map(({ textContent }) => textContent)).toEqual(['Bursting']);
    clear();
    expect(pressed()).toEqual([]);
    expect(all('svg')).toEqual([]);
  });

  test('draws a tick for each spike: what is right, and below it what was simulated', () => {
    const { all, show } = opened();
    const preset = presetNamed('Regular spiking');
    show(preset, { dt: 0.1, spikes: preset.spikes.slice(1) });
    const ticks = all('path').map((path) => path.getAttribute('d')?.match(/M/g)?.length);
    expect(ticks).toEqual([preset.spikes.length, preset.spikes.length - 1]);
    const labels = all('svg').map((svg) => svg.getAttribute('aria-label'));
    expect(labels).toEqual(['exact: 5 spikes, the first at 32 ms', 'dt 0.1 ms: 4 spikes, the first at 45 ms']);
    show(preset);
    expect(all('path')).toHaveLength(1);
  });

  test('puts a tick where its spike is in the time of the experiment', () => {
    const { all, show } = opened();
    const preset = presetNamed('Tonic');
    show(preset, { dt: 1, spikes: [0, preset.duration / 2, preset.duration] });
    expect(all('path')[1]?.getAttribute('d')).toBe('M0 0V20M500 0V20M1000 0V20');
  });

  test('names the source, and what every published time step does', () => {
    const { all, text, show } = opened();
    for (const preset of presets) {
      show(preset);
      expect(text('.gallery-source')).toEqual([`Source: ${preset.source.text}`]);
      expect(all('.gallery-source a').map((link) => link.getAttribute('href'))).toEqual(
        preset.source.url ? [preset.source.url] : [],
      );
      const counts = text('tbody td:nth-child(2)');
      expect(counts).toEqual([...preset.euler.map(({ spikes }) => String(spikes)), `${preset.spikes.length}`]);
    }
  });

  test('lets a time step be chosen, and marks the one that is simulated', () => {
    const step = vi.fn();
    const { all, show } = opened({ step });
    show(presetNamed('Tonic'), { dt: 0.05, spikes: [] });
    const buttons = all('tbody button') as HTMLElement[];
    expect(buttons.map((button) => [button.textContent, button.getAttribute('aria-pressed')])).toEqual([
      ['0.1 ms', 'false'],
      ['0.05 ms', 'true'],
      ['0.01 ms', 'false'],
    ]);
    buttons[2]?.click();
    expect(step).toHaveBeenCalledExactlyOnceWith(0.01);
  });

  test('takes text as text', () => {
    const { all, text, show } = opened();
    const marked = '<img src=x onerror=alert(1)>';
    show({ ...presetNamed('Tonic'), name: marked, note: marked, source: { text: marked } });
    expect(all('img')).toEqual([]);
    expect(text('strong')).toEqual([marked]);
  });
});

describe('what is said of a comparison', () => {
  const tonic = presetNamed('Tonic');
  const none = { matched: 0, missing: 0, extra: 0, first: undefined, largest: undefined, mean: undefined };

  test('is how many spikes there are, and how far they are off', () => {
    const comparison = { matched: 9, missing: 0, extra: 0, first: 0.329, largest: 2.38, mean: 1.2 };
    expect(verdictOf(comparison, tonic)).toBe('All 9 spikes are there: the first 0.33 ms late, at most 2.4 ms off.');
    expect(verdictOf({ ...comparison, matched: 7, missing: 2, first: -0.329 }, tonic)).toBe(
      '7 spikes of 9: the first 0.33 ms early, at most 2.4 ms off.',
    );
    expect(verdictOf({ ...comparison, matched: 1, extra: 2 }, tonic)).toBe('3 spikes of 1: the first 0.33 ms late.');
  });

  test('is just that where there is nothing to compare', () => {
    expect(verdictOf({ ...none, missing: 9 }, tonic)).toBe('0 spikes of 9.');
  });

  test('says so where later spikes cannot agree', () => {
    const comparison = { matched: 9, missing: 0, extra: 0, first: 0.3, largest: 2, mean: 1 };
    expect(verdictOf(comparison, presetNamed('Irregular'))).toMatch(/chaotic\.$/);
    expect(verdictOf(comparison, tonic)).not.toMatch(/chaotic/);
  });
});
