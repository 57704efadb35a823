import { DOMParser } from 'linkedom';
import { describe, expect, test } from 'vitest';
import { drawRaster as drawReplayed, RateTally } from '../../src/cli/picture.ts';

/** Fails on what an XML parser would refuse: linkedom's own forgives it. */
function expectWellFormed(text: string): void {
  const open: string[] = [];
  const roots: string[] = [];
  const markup = /<(\/?)([a-zA-Z][\w:-]*)((?:\s+[a-zA-Z][\w:-]*="[^"<]*")*)\s*(\/?)>/g;
  for (const [, closing, name, attributes, empty] of text.matchAll(markup)) {
    const names = [...(attributes ?? '').matchAll(/\s([a-zA-Z][\w:-]*)=/g)].map(([, attribute]) => attribute);
    expect(new Set(names).size).toBe(names.length);
    if (closing) expect(open.pop()).toBe(name);
    else if (open.length === 0) roots.push(name as string);
    if (!closing && !empty) open.push(name as string);
  }
  expect(open).toEqual([]);
  expect(roots).toEqual(['svg']);
  expect(text.replaceAll(markup, '')).not.toMatch(/[<>]|\p{Cc}(?<!\n)/u);
  expect(text).not.toMatch(/&(?!(?:amp|lt|gt|quot|apos|#\d+);)|NaN|undefined|Infinity/);
}

function read(text: string) {
  expectWellFormed(text);
  const { documentElement: root } = new DOMParser().parseFromString(text, 'image/svg+xml');
  const path = root.querySelector('[aria-label="spikes"]')?.getAttribute('d') ?? '';
  const texts = [...root.querySelectorAll('text')].map((node) => node.textContent ?? '');
  return { root, path, texts, ticks: path.match(/h/g)?.length ?? 0 };
}

/** The ends of a path's range in y. */
function range(path: string): [number, number] {
  const ys = [...path.matchAll(/,([\d.]+)/g)].map(([, y]) => Number(y));
  return [Math.min(...ys), Math.max(...ys)];
}

/** Every neuron in turn, each at its own phase of a regular rhythm. */
function rhythm(neurons: number, duration: number, interval: number) {
  const spikes: { time: number; neuron: number }[] = [];
  for (let neuron = 0; neuron < neurons; neuron++) {
    for (let time = 1 + (neuron % interval); time <= duration; time += interval) spikes.push({ time, neuron });
  }
  spikes.sort((a, b) => a.time - b.time || a.neuron - b.neuron);
  return {
    times: Float64Array.from(spikes, ({ time }) => time),
    neurons: Uint32Array.from(spikes, ({ neuron }) => neuron),
  };
}

function randomSpikes(count: number, neurons: number, duration: number) {
  let state = 1;
  const next = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  const times = Float64Array.from({ length: count }, () => next() * duration).sort();
  return { times, neurons: Uint32Array.from({ length: count }, () => Math.floor(next() * neurons)) };
}

type Train = ReturnType<typeof rhythm>;

const drawRaster = (spikes: Train, options: Parameters<typeof drawReplayed>[1]) =>
  drawReplayed(() => [spikes], options);

function populationRate({ times }: Pick<Train, 'times'>, options: ConstructorParameters<typeof RateTally>[0]) {
  const tally = new RateTally(options);
  tally.add({ times });
  return { bin: tally.bin, ...tally.read() };
}

const silence = { times: new Float64Array(), neurons: new Uint32Array() };

describe('the picture of a run', () => {
  test('is one SVG element with a size, a white ground, a title and the units of its axes', async () => {
    const { root, texts } = read(await drawRaster(rhythm(20, 500, 50), { neurons: 20, duration: 500, title: 'A run' }));
    expect(root.getAttribute('xmlns')).toBe('http://www.w3.org/2000/svg');
    expect(root.getAttribute('viewBox')).toBe(`0 0 ${root.getAttribute('width')} ${root.getAttribute('height')}`);
    expect(root.querySelector('rect')?.getAttribute('fill')).toBe('#ffffff');
    expect(root.querySelectorAll('svg, style')).toHaveLength(0);
    for (const label of ['A run', 'neuron index (20 neurons)', 'time (ms)', 'population rate (Hz, bins of 2 ms)']) {
      expect(texts).toContain(label);
    }
  });

  test('keeps what a title and a subtitle say, whatever characters they are made of', async () => {
    const words = { title: 'a < b & "c" > d\u0007', subtitle: "it's ]]> <b>" };
    const { texts } = read(await drawRaster(silence, { neurons: 3, duration: 10, ...words }));
    expect(texts.slice(0, 2)).toEqual(['a < b & "c" > d ', words.subtitle]);
  });

  test('shortens a title that would leave the picture', async () => {
    const { root, texts } = read(await drawRaster(silence, { neurons: 3, duration: 10, title: 'long '.repeat(40) }));
    expect(texts[0]).toMatch(/^.{60,70}…$/);
    expect(root.querySelector('title')?.textContent).toBe('long '.repeat(40));
  });

  test('has a tick for each spike where all neurons are shown', async () => {
    const spikes = rhythm(300, 1000, 20);
    expect(read(await drawRaster(spikes, { neurons: 300, duration: 1000, title: '' })).ticks).toBe(spikes.times.length);
  });

  test('has a tick for each spike of the shown neurons, from the first to the last, where there are more', async () => {
    const spikes = rhythm(2991, 1000, 50);
    const { ticks, texts } = read(await drawRaster(spikes, { neurons: 2991, duration: 1000, title: '' }));
    expect(texts).toContain('neuron index (300 of 2,991 neurons)');
    expect(ticks).toBe(spikes.neurons.filter((neuron) => neuron % 10 === 0).length);
  });

  test('is the same whatever the parts its spikes come in', async () => {
    const whole = randomSpikes(200_000, 300, 1000);
    const options = { neurons: 300, duration: 1000, title: '' };
    const part = (from: number, to: number): Train => ({
      times: whole.times.slice(from, to),
      neurons: whole.neurons.slice(from, to),
    });
    const parts = [part(0, 1), part(1, 1), part(1, 150_000), part(150_000, 200_000)];
    expect(await drawReplayed(() => parts, options)).toBe(await drawRaster(whole, options));
  });

  test('carries metadata, whatever they say, unseen', async () => {
    const metadata = '{"title":"a < b & \\u03c3"}';
    const { root, texts } = read(await drawRaster(silence, { neurons: 3, duration: 10, title: '', metadata }));
    expect(root.querySelector('metadata')?.textContent).toBe(metadata);
    expect(texts.join()).not.toContain('a < b');
  });

  test('puts a spike where the axes say', async () => {
    const spikes = { times: Float64Array.of(25, 100), neurons: Uint32Array.of(0, 3) };
    const { path, root } = read(await drawRaster(spikes, { neurons: 4, duration: 100, title: '' }));
    const starts = [...path.matchAll(/M([\d.]+) ([\d.]+)h([\d.]+)/g)].map((match) => match.slice(1).map(Number));
    const centres = starts.map(([x, y, wide]) => [((x as number) + (wide as number) / 2) / 10, (y as number) / 10]);
    const places = (label: string): number[][] =>
      [...root.querySelectorAll(`[aria-label="${label}"]`)].flatMap((group) =>
        [...group.querySelectorAll('text')]
          .filter(({ textContent }) => ['0', '3', '100'].includes(textContent ?? ''))
          .map((node) => (node.getAttribute('transform')?.match(/[\d.]+/g) ?? []).map(Number)),
      );
    const [left, right] = places('x-axis tick label').map(([x]) => x as number) as [number, number];
    const [bottom, top] = places('y-axis tick label').map(([, y]) => y as number) as [number, number];
    expect(centres[0]?.[0]).toBeCloseTo(left + 0.25 * (right - left), 1);
    expect(centres[1]?.[0]).toBeCloseTo(right, 1);
    expect([centres[0]?.[1], centres[1]?.[1]]).toEqual([expect.closeTo(bottom, 1), expect.closeTo(top, 1)]);
  });

  test('says that there are no spikes', async () => {
    const { texts, ticks } = read(await drawRaster(silence, { neurons: 1000, duration: 50, title: 'Silence' }));
    expect(texts).toContain('no spikes');
    expect(ticks).toBe(0);
    read(await drawRaster(silence, { neurons: 0, duration: 0, title: '' }));
  });

  test('says so where only neurons that are not shown have spikes', async () => {
    const spikes = { times: Float64Array.of(5), neurons: Uint32Array.of(1) };
    const { texts } = read(await drawRaster(spikes, { neurons: 100_000, duration: 10, title: '' }));
    expect(texts).toContain('no spikes of the neurons shown');
  });

  test('shows all of the neurons that were recorded, where only some were, by their numbers', async () => {
    const spikes = { times: Float64Array.of(10, 30, 70), neurons: Uint32Array.of(7, 501, 501) };
    const chosen = Uint32Array.of(7, 501);
    const { texts, ticks } = read(await drawRaster(spikes, { neurons: 1000, chosen, duration: 100, title: '' }));
    expect(ticks).toBe(3);
    for (const text of ['neuron index (2 of 1,000 neurons)', '7', '501']) expect(texts).toContain(text);
    expect(texts).toContain('rate of the recorded neurons (Hz, bins of 1 ms)');
    read(await drawRaster(silence, { neurons: 1000, chosen: new Uint32Array(), duration: 100, title: '' }));
  });

  test('shows a single neuron', async () => {
    const spikes = { times: Float64Array.of(10, 30, 70), neurons: new Uint32Array(3) };
    const { texts, ticks } = read(await drawRaster(spikes, { neurons: 1, duration: 100, title: '' }));
    expect(texts).toContain('neuron index (1 neuron)');
    expect(ticks).toBe(3);
  });

  test('stays small for a million spikes of 100,000 neurons', async () => {
    const text = await drawRaster(randomSpikes(1e6, 1e5, 1000), { neurons: 1e5, duration: 1000, title: '' });
    const { texts, ticks } = read(text);
    expect(texts).toContain('neuron index (300 of 100,000 neurons)');
    expect(ticks).toBeGreaterThan(2800);
    expect(ticks).toBeLessThan(3200);
    expect(text.length).toBeLessThan(100_000);
  });

  test('shows fewer neurons where each has thousands of spikes, and stays below a megabyte', async () => {
    const text = await drawRaster(randomSpikes(1e6, 300, 60_000), { neurons: 300, duration: 60_000, title: '' });
    expect(text).toMatch(/neuron index \(\d+ of 300 neurons\)/);
    expect(text.length).toBeLessThan(1e6);
  });
});

describe('the population rate', () => {
  test('of a synchronous volley is one spike per neuron and bin, in the bin that ends with it', async () => {
    const volley = {
      times: new Float64Array(1000).fill(250),
      neurons: Uint32Array.from({ length: 1000 }, (_, i) => i),
    };
    const { bin, edges, rates } = populationRate(volley, { neurons: 1000, duration: 1000 });
    expect(bin).toBe(5);
    expect(Math.max(...rates)).toBe(200);
    expect(edges[rates.indexOf(200) + 1]).toBe(250);
    const { root } = read(await drawRaster(volley, { neurons: 1000, duration: 1000, title: '' }));
    const drawn = range(root.querySelector('[aria-label="line"] path')?.getAttribute('d') ?? '');
    const axis = [...root.querySelectorAll('[aria-label="y-axis tick label"]')].at(-1)?.querySelectorAll('text') ?? [];
    const places = [...axis].map((node) => [node.textContent, node.getAttribute('transform')?.match(/,([\d.]+)/)?.[1]]);
    expect(places).toContainEqual(['200', String(drawn[0])]);
    expect(places).toContainEqual(['0', String(drawn[1])]);
  });

  test('counts every spike once, the last of the run as well', () => {
    const times = Float64Array.from({ length: 10_030 }, (_, step) => (step + 1) * 0.1);
    const { edges, rates } = populationRate({ times }, { neurons: 1, duration: 1003 });
    const spikes = rates.map((rate, k) => (rate * ((edges[k + 1] as number) - (edges[k] as number))) / 1000);
    expect(spikes.every((count, k) => Math.abs(count - (k < 200 ? 50 : 30)) < 1e-6)).toBe(true);
  });

  test('is of the neurons that were recorded, and of the time that was', async () => {
    const times = Float64Array.from({ length: 600 }, (_, i) => 200 + i + 1);
    const asked = { neurons: 1000, chosen: Uint32Array.of(3), duration: 1000, window: [202, 800] as const };
    const { rates } = populationRate({ times: times.subarray(2) }, asked);
    // A spike a ms; the bin from 200 to 205 was recorded from 202 on.
    expect(rates.every((rate, k) => (k >= 40 && k < 160 ? Math.abs(rate - 1000) < 1e-6 : Number.isNaN(rate)))).toBe(
      true,
    );
    read(await drawRaster({ times, neurons: new Uint32Array(600).fill(3) }, { ...asked, title: '' }));
    read(await drawRaster(silence, { ...asked, window: [1000, 1000], title: '' }));
  });

  test('has 100 to 250 bins of a round width, unless they would be shorter than 1 ms', () => {
    const binsOf = (duration: number) => populationRate({ times: new Float64Array() }, { neurons: 1, duration });
    for (const duration of [100, 250, 251, 300, 499.9, 500, 1000, 1250, 2000, 12_345, 1e6]) {
      const { bin, rates } = binsOf(duration);
      expect(rates.length).toBeGreaterThanOrEqual(100);
      expect(rates.length).toBeLessThanOrEqual(250);
      expect(String(bin)).toMatch(/^[125]0*$/);
    }
    expect(binsOf(20).rates).toHaveLength(20);
  });
});
