// What surrounds the population in the page, in a real Chromium: presets reach their published spikes, a link restores the
// picture, and downloads open as what they say they are.

import { readFile } from 'node:fs/promises';
import type { Download, Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { recordedOf } from '../../src/demo/downloads.ts';
import { loadPresets, type Preset, setupOf } from '../../src/demo/gallery.ts';
import type {} from '../../src/demo/main.ts';
import { writeLink } from '../../src/demo/share.ts';
import { readExperiment } from '../../src/experiment.ts';
import { npzNames, readNpzArray, readNpzText } from '../../src/files/index.ts';
import { openPage } from '../support/browser.ts';
import { expectSameBits } from '../support/outcome.ts';
import { coloursIn } from '../support/pictures.ts';
import { CHAOTIC } from '../support/tolerances.ts';

const presets = await loadPresets();

async function openDemo(webgpu: boolean, rest = '', page?: Page): Promise<Page> {
  const opened = page ?? (await openPage({ webgpu }));
  const query = webgpu ? '?backend=webgpu&units=4096' : '?units=4096';
  await opened.goto(new URL(`/page/${query}${rest}`, opened.url()).href);
  await opened.getByRole('tab', { name: 'Firing patterns' }).click();
  await opened.getByRole('button', { name: 'Tonic' }).waitFor();
  return opened;
}

const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });

/** Waits for the page to have taken over what was chosen, and to have run so far, as fast as it can. */
async function runTo(page: Page, ms: number): Promise<void> {
  await page.waitForFunction(() => window.page.live?.setup === window.page.setup);
  await page.evaluate(() => window.page.change(() => ({ speed: 50_000 })));
  await page.waitForFunction((ms) => (window.page.live?.time ?? 0) >= ms, ms);
}

describe.each([
  ['with WebGPU', true],
  ['without WebGPU', false],
] as const)('the gallery %s', (_, webgpu) => {
  test('brings every preset to its published spikes, and says so', async () => {
    const page = await openDemo(webgpu);
    for (const { id, name, spikes, euler, duration, source } of presets) {
      const published = euler.find(({ dt }) => dt === 0.1)?.spikes as number;
      const spread = CHAOTIC[id]?.count ?? 0;
      await button(page, name).click();
      await page.waitForFunction((name) => document.querySelector('.gallery-case strong')?.textContent === name, name);
      const verdict = (await page.locator('.gallery-verdict').textContent()) ?? '';
      const [, all, some, of] = /^(?:All (\d+) spikes are there|(\d+) spikes of (\d+)):/.exec(verdict) ?? [];
      expect(Number(all ?? of), verdict).toBe(spikes.length);
      expect(Math.abs(Number(all ?? some) - published), verdict).toBeLessThanOrEqual(spread);
      expect(await page.locator('.gallery-source').textContent()).toContain(source.text);
      await runTo(page, duration);
      const counts = await page.evaluate(async () => Array.from((await window.page.live?.cells.spikeCounts()) ?? []));
      expect(counts).toHaveLength(1024);
      expect(new Set(counts).size).toBe(1);
      // The page runs on: one more may have come by now.
      expect(counts[0], name).toBeGreaterThanOrEqual(published - spread);
      expect(counts[0], name).toBeLessThanOrEqual(published + spread + 1);
    }
  });

  test('shows what a time step does, and no preset any more when a slider is moved', async () => {
    const page = await openDemo(webgpu);
    await button(page, 'Tonic').click();
    const verdict = page.locator('.gallery-verdict');
    await page.waitForFunction(() => document.querySelector('.gallery-verdict')?.textContent?.includes('0.33 ms late'));
    await button(page, '0.01 ms').click();
    await page.waitForFunction(() => document.querySelector('.gallery-verdict')?.textContent?.includes('0.04 ms late'));
    await page.waitForFunction(() => window.page.live?.setup.dt === 0.01);
    await page.evaluate(() =>
      window.page.change(({ parameters }) => ({ parameters: { ...parameters, resistance: 0.6 } })),
    );
    await verdict.waitFor({ state: 'detached' });
    expect(await page.locator('.gallery-list [aria-pressed=true]').count()).toBe(0);
  });
});

/**
 * The picture of the sheet 12 ms from the beginning. Glows fade with the clock, from step to step, but not faster than in
 * 250 ms: the last steps are slower than that, so that it is the same picture however fast the ones before came.
 */
async function pictureAt12(page: Page): Promise<string> {
  return page.evaluate(async () => {
    window.page.play(false);
    window.page.reset();
    while (window.page.live?.time !== 0) await new Promise(requestAnimationFrame);
    while ((window.page.live?.time ?? 0) < 12) {
      const before: number | undefined = window.page.live?.time;
      window.page.step();
      while (window.page.live?.time === before) await new Promise(requestAnimationFrame);
      if ((before ?? 0) > 10.9) await new Promise((resolve) => setTimeout(resolve, 350));
    }
    const bytes = new Uint8Array(await (await window.page.picture()).arrayBuffer());
    return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  });
}

describe('the address of the page', () => {
  test('restores set-up and picture in another page', async () => {
    const page = await openDemo(false);
    await page.evaluate(() => {
      const view = { x: 0.4, y: 0.6, zoom: 2.5, neuron: 77 };
      window.page.change(() => ({ seed: 5, dt: 0.2, parameters: { resistance: 0.61 }, view }));
    });
    await page.waitForFunction(() => location.hash.includes('resistance:0.61'));
    const { hash, href } = await page.evaluate(() => ({ hash: location.hash, href: location.href }));
    expect(href).not.toContain('?units');
    const there = await openDemo(false, hash);
    const setups = await Promise.all([page, there].map((each) => each.evaluate(() => window.page.live?.setup)));
    expect(setups[1]).toEqual(setups[0]);
    expect(setups[1]).toMatchObject({ units: 4096, seed: 5, dt: 0.2, parameters: { resistance: 0.61 } });
    const picture = await pictureAt12(page);
    expect(picture.length).toBeGreaterThan(10_000);
    // Without the bytes in the message.
    expect((await pictureAt12(there)) === picture).toBe(true);
  });

  test('of a published experiment shows what is published of it', async () => {
    const [preset] = presets;
    const page = await openPage({ webgpu: false });
    await page.goto(new URL(`/page/${writeLink(setupOf(preset as Preset))}`, page.url()).href);
    await page.locator('.gallery-verdict').waitFor();
    expect(await page.locator('.gallery-case strong').textContent()).toBe(preset?.name);
    expect(await page.getByRole('tab', { name: 'Firing patterns' }).getAttribute('aria-selected')).toBe('true');
  });

  test('that is broken, newer or wrong is refused in a sentence, and the page runs all the same', async () => {
    const page = await openDemo(false);
    for (const [hash, sentence] of [
      ['#v=1&soma=<img src=x onerror=alert(1)>', /The link is broken: /],
      ['#v=9&anything=1', /made by a newer version/],
      ['#v=1&soma=ExponentialSoma&units=64&dt=0.1&seed=1&speed=60&p=spike_slope:-2&end', /spike_slope.*greater than 0/],
    ] as const) {
      // Another fragment alone would not load the page anew.
      await openDemo(false, `&again${hash}`, page);
      await openDemo(false, hash, page);
      expect(await page.locator('#note').textContent()).toMatch(sentence);
      await page.waitForFunction(() => (window.page.live?.time ?? 0) > 10);
      expect(await page.evaluate(() => window.page.live?.setup.units)).toBe(4096);
    }
  });

  test('is followed when another is put into its place', async () => {
    const page = await openDemo(false);
    await page.evaluate(() => {
      location.hash = '#v=1&soma=RefractoryExponentialSoma&units=64&dt=0.1&seed=1&speed=60&end';
    });
    await page.waitForFunction(() => window.page.live?.setup.soma === 'RefractoryExponentialSoma');
    expect(await page.evaluate(() => window.page.live?.cells.neurons)).toBe(64);
  });
});

/** The files that a button lets the browser save, by name. */
async function downloadsOf(page: Page, name: string, count: number): Promise<Map<string, Buffer>> {
  const downloads: Download[] = [];
  page.on('download', (download) => downloads.push(download));
  await button(page, name).click();
  await expect.poll(() => downloads.length, { timeout: 60_000 }).toBe(count);
  page.removeAllListeners('download');
  const read = async (each: Download) => [each.suggestedFilename(), await readFile(await each.path())] as const;
  return new Map(await Promise.all(downloads.map(read)));
}

describe('downloads', () => {
  test('are the spikes and traces of the set-up, as npz and CSV, to the bit', async () => {
    const page = await openDemo(false);
    await page.evaluate(() => window.page.change(({ view }) => ({ view: { ...view, neuron: 77 } })));
    await page.getByLabel('time to record, ms').fill('100');
    const setup = await page.evaluate(() => window.page.setup);
    const npz = await downloadsOf(page, 'Spikes and traces, npz', 1);
    const bytes = new Uint8Array(npz.get('cells.npz') as Buffer);
    const states = { potential: { neurons: [77] }, adaptation: { neurons: [77] } };
    const here = await recordedOf(setup, 100, { record: { spikes: true, states }, backend: 'cpu' });
    expect(npzNames(bytes)).toEqual(expect.arrayContaining(['dt', 'spike_steps', 'potential', 'adaptation_neurons']));
    expect(here.spikes?.steps.length).toBeGreaterThan(1000);
    expectSameBits(readNpzArray(bytes, 'spike_steps').data as Uint32Array, here.spikes?.steps, 'spike steps');
    expectSameBits(readNpzArray(bytes, 'spike_neurons').data as Uint32Array, here.spikes?.neurons, 'spike neurons');
    expectSameBits(readNpzArray(bytes, 'potential').data as Float32Array, here.traces?.potential?.values, 'potential');
    expect(JSON.parse(readNpzText(bytes, 'provenance'))).toMatchObject({
      backend: 'cpu',
      steps: 1000,
      seed: setup.seed,
    });
    const csv = await downloadsOf(page, 'Spikes and traces, CSV', 3);
    expect([...csv.keys()].sort()).toEqual(['cells.adaptation.csv', 'cells.potential.csv', 'cells.spikes.csv']);
    const lines = csv.get('cells.spikes.csv')?.toString().trimEnd().split('\n') ?? [];
    expect(lines[1]).toBe('step,time_ms,neuron');
    expect(lines).toHaveLength(2 + (here.spikes?.steps.length ?? 0));
  });

  test('are the experiment, with its arrays in a second file, and the picture', async () => {
    const page = await openDemo(false);
    const files = await downloadsOf(page, 'Experiment', 2);
    const experiment = JSON.parse(files.get('cells.json')?.toString() ?? '');
    const read = await readExperiment(experiment, async (file, name = '') => {
      return readNpzArray(new Uint8Array(files.get(file) as Buffer), name) as {
        shape: readonly number[];
        data: Float32Array;
      };
    });
    expect(read.populations[0]?.options.units).toBe(4096);
    const picture = (await downloadsOf(page, 'Picture', 1)).get('somagpu.png') as Buffer;
    expect(await coloursIn(page, picture)).toBeGreaterThan(20);
  });

  test('that are too much for a page are refused in a sentence', async () => {
    const page = await openDemo(false);
    await page.getByLabel('time to record, ms').fill('1e6');
    await button(page, 'Spikes and traces, npz').click();
    const said = page.locator('#keep [role=status]');
    await expect.poll(() => said.textContent()).toMatch(/too much for a page: record up to 122,070 ms/);
    expect(await button(page, 'Spikes and traces, npz').isEnabled()).toBe(true);
  });
});

test('the link is copied, or the address has it where copying is not allowed', async () => {
  const page = await openDemo(false);
  await button(page, 'Copy link').click();
  await expect.poll(() => page.locator('#keep [role=status]').textContent()).toMatch(/copied|copy it from there/);
});
