// The page in a real Chromium, with software WebGPU and without WebGPU: it starts, its neurons spike, and it answers.
// Errors on the console, which the page's GPU errors become, fail the test that sees them.

import { gzipSync } from 'node:zlib';
import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import type {} from '../../src/demo/main.ts';
import { somas } from '../../src/index.ts';
import { openPage, type PageOptions } from '../support/browser.ts';
import { coloursIn } from '../support/pictures.ts';

/** Small enough for software; with WebGPU it has to be asked for by name, because that is slower than the processor. */
const QUERY = { true: '?backend=webgpu&units=4096', false: '?units=4096' };

async function openDemo(options: PageOptions, query = QUERY[`${options.webgpu}`]): Promise<Page> {
  const page = await openPage(options);
  await page.goto(new URL(`/page/${query}`, page.url()).href);
  await page.waitForFunction(() => (window.page?.live?.time ?? 0) > 0);
  // As fast as it can, so that model time passes also where machines are slow.
  await page.evaluate(() => window.page.change(() => ({ speed: 5000 })));
  await page.waitForFunction(() => (window.page?.live?.time ?? 0) > 20);
  return page;
}

const timeOf = (page: Page) => page.evaluate(() => window.page.live?.time ?? 0);

/** Runs on for so many ms of model time. */
async function runOn(page: Page, ms: number): Promise<void> {
  const until = (await timeOf(page)) + ms;
  await page.waitForFunction((until) => (window.page.live?.time ?? 0) > until, until);
}

/** The mean rate over a stretch of model time, Hz, from the counts of all neurons. */
async function rateOver(page: Page, ms: number): Promise<number> {
  return page.evaluate(async (ms) => {
    const measure = async () => {
      // Between two runs: one at a time.
      const counts = (await window.page.live?.cells.spikeCounts()) ?? new Uint32Array();
      return {
        time: window.page.live?.time ?? 0,
        spikes: counts.reduce((sum, count) => sum + count, 0),
        cells: counts.length,
      };
    };
    const before = await measure();
    while ((window.page.live?.time ?? 0) < before.time + ms) await new Promise(requestAnimationFrame);
    const after = await measure();
    return (1000 * (after.spikes - before.spikes)) / (after.time - before.time) / after.cells;
  }, ms);
}

/** How many different colours the picture of the sheet has. */
async function coloursOf(page: Page): Promise<number> {
  const bytes = await page.evaluate(async () => [...new Uint8Array(await (await window.page.picture()).arrayBuffer())]);
  return coloursIn(page, Buffer.from(bytes));
}

const slider = (page: Page, name: string) => page.locator(`#parameters input[type=range][aria-label^="${name},"]`);
const number = (page: Page, name: string) => page.locator(`#parameters input[type=number][aria-label^="${name},"]`);

/** As a browser does that puts a page behind another; a headless one shows all of them. */
const hide = (page: Page) =>
  page.evaluate(() => {
    Object.defineProperty(document, 'hidden', { configurable: true, get: () => true });
    document.dispatchEvent(new Event('visibilitychange'));
  });

describe.each([
  ['with WebGPU', true, 'webgpu'],
  ['without WebGPU', false, 'cpu'],
] as const)('the page %s', (_, webgpu, backend) => {
  test('starts, says what it runs on, and its neurons spike', async () => {
    const page = await openDemo({ webgpu });
    expect(await page.evaluate(() => window.page.live?.simulation.backend)).toBe(backend);
    expect(await page.locator('#status').textContent()).toMatch(webgpu ? /WebGPU: / : /no (WebGPU|GPU).*Processor: /);
    expect(await rateOver(page, 100)).toBeGreaterThan(1);
    expect(await page.evaluate(() => window.page.rate)).toBeGreaterThan(1);
    await page.waitForFunction(() => /[kMG]/.test(document.querySelector('[data-part=updates]')?.textContent ?? ''));
  });

  test('draws the neurons in many colours, and all alike before they run', async () => {
    const page = await openDemo({ webgpu });
    // The potential alone has 64 shades; how many there are of the glow depends on how often it was painted.
    expect(await coloursOf(page)).toBeGreaterThan(40);
    await page.evaluate(() => {
      window.page.play(false);
      window.page.reset();
    });
    await page.waitForFunction(() => window.page.live?.time === 0 && window.page.idle);
    expect(await coloursOf(page)).toBeLessThan(8);
  });

  test('lets a slider move the rate up and down, without a restart', async () => {
    const page = await openDemo({ webgpu });
    const before = await rateOver(page, 200);
    await slider(page, 'resistance').focus();
    for (let press = 0; press < 8; press++) await page.keyboard.press('PageUp');
    await runOn(page, 20);
    const more = await rateOver(page, 200);
    expect(more).toBeGreaterThan(1.5 * before);
    await slider(page, 'resistance').focus();
    await page.keyboard.press('Home');
    await runOn(page, 50);
    expect(await rateOver(page, 200)).toBeLessThan(0.2 * before);
    expect(await timeOf(page)).toBeGreaterThan(600);
  });

  test('refuses a wrong number at its place, keeps the last good one in force, and takes a right one', async () => {
    const page = await openDemo({ webgpu });
    const field = number(page, 'spike_slope');
    await field.fill('-1');
    const complaint = page.locator('.control:has([aria-label^="spike_slope,"]) .complaint');
    await complaint.waitFor();
    expect(await complaint.textContent()).toContain('greater than 0');
    expect(await field.getAttribute('aria-invalid')).toBe('true');
    await runOn(page, 20);
    expect(await page.evaluate(() => window.page.setup.parameters.spike_slope)).toBeUndefined();
    await field.fill('3');
    await complaint.waitFor({ state: 'hidden' });
    expect(await page.evaluate(() => window.page.setup.parameters.spike_slope)).toBe(3);
  });

  test('says at the top what is wrong with a parameter that was not touched, and takes it back', async () => {
    const page = await openDemo({ webgpu });
    const field = (name: string) => page.locator(`input[type=number][aria-label="${name}"]`);
    await field('time step, ms').fill('7');
    await page.waitForFunction(() => /potential_tau.*time step of 7 ms/.test(window.page.note));
    expect(await page.evaluate(() => window.page.live?.setup.dt)).toBe(0.1);
    await field('time step, ms').fill('0.2');
    await page.waitForFunction(() => window.page.live?.setup.dt === 0.2);
    expect(await page.evaluate(() => window.page.note)).toBe('');
    await field('speed, model ms a second').fill('0');
    await page.getByText('is no speed').waitFor();
  });

  test('takes another input while it runs on', async () => {
    const page = await openDemo({ webgpu });
    const field = page.locator('#inputs input[type=number][aria-label="Input 1: amplitude, pA"]');
    await field.fill('-200');
    await page.waitForFunction(() => JSON.stringify(window.page.live?.setup.inputs[0])?.includes('-200'));
    await runOn(page, 60);
    expect(await rateOver(page, 100)).toBe(0);
    await field.fill('120');
    await runOn(page, 60);
    expect(await rateOver(page, 100)).toBeGreaterThan(20);
    expect(await timeOf(page)).toBeGreaterThan(300);
  });

  test('traces the neuron that is pointed at', async () => {
    const page = await openDemo({ webgpu });
    const before = await page.evaluate(() => window.page.live?.setup.view.neuron);
    const box = (await page.locator('#sheet').boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
    await page.mouse.click(box.x + box.width * 0.3, box.y + box.height * 0.7);
    await page.waitForFunction((before) => window.page.live?.setup.view.neuron !== before, before);
    const neuron = await page.evaluate(() => window.page.live?.setup.view.neuron ?? 0);
    // 64 columns.
    expect(neuron % 64).toBeCloseTo(0.3 * 64, -1);
    expect(Math.floor(neuron / 64)).toBeCloseTo(0.7 * 64, -1);
    expect(await page.locator('#traced').textContent()).toContain(neuron.toLocaleString('en'));
    await page.locator('#ring').waitFor();
    expect(await page.evaluate(() => [...(window.page.live?.cells.recordedStates ?? [])])).toEqual([
      'potential',
      'adaptation',
    ]);
    await runOn(page, 50);
    expect(await page.locator('#potential canvas').count()).toBe(1);
    expect(await page.locator('#states canvas').count()).toBe(1);
  });

  test('pauses, makes one step, and goes back to the beginning, by keys', async () => {
    const page = await openDemo({ webgpu });
    await page.locator('#sheet').focus();
    await page.keyboard.press('Space');
    await page.waitForFunction(() => !window.page.playing && window.page.idle);
    const time = await timeOf(page);
    await page.keyboard.press('.');
    await page.waitForFunction((time) => Math.abs((window.page.live?.time ?? 0) - time - 0.1) < 1e-6, time);
    await page.keyboard.press('0');
    await page.waitForFunction(() => window.page.live?.time === 0);
    await page.keyboard.press('Space');
    await runOn(page, 10);
  });

  test('does nothing while it is hidden, and goes on from there without a jump', async () => {
    const page = await openDemo({ webgpu });
    await page.evaluate(() => window.page.change(() => ({ speed: 100 })));
    await page.waitForFunction(() => window.page.live?.setup.speed === 100);
    await hide(page);
    // A run that was on its way comes to its end.
    await page.waitForFunction(() => window.page.idle, undefined, { polling: 20 });
    const [before, pictures] = [await timeOf(page), await page.evaluate(() => window.page.pictures)];
    await page.waitForTimeout(1500);
    expect(await timeOf(page)).toBe(before);
    expect(await page.evaluate(() => window.page.pictures)).toBe(pictures);
    // 100 ms in a second, and not what the 1.5 s would have been.
    const { ran, ms } = await page.evaluate(async (before) => {
      const begin = performance.now();
      Object.defineProperty(document, 'hidden', { configurable: true, get: () => false });
      document.dispatchEvent(new Event('visibilitychange'));
      while (window.page.live?.time === before) await new Promise(requestAnimationFrame);
      return { ran: (window.page.live?.time ?? 0) - before, ms: performance.now() - begin };
    }, before);
    expect(ran).toBeLessThanOrEqual(0.1 * ms + 1);
    await runOn(page, 20);
  });

  test('runs every soma, and the same set-up gives the same spikes again', async () => {
    const page = await openDemo({ webgpu });
    for (const { name: soma } of somas.filter(({ name }) => name !== 'AdaptiveExponentialSoma')) {
      await page.locator('select[aria-label=soma]').selectOption(soma);
      await page.waitForFunction((soma) => window.page.live?.setup.soma === soma, soma);
      expect(await rateOver(page, 40)).toBeGreaterThan(0);
    }
    const counted = () =>
      page.evaluate(async () => {
        window.page.play(false);
        window.page.applySetup({ ...window.page.setup });
        window.page.play(false);
        const { page } = window;
        while (page.live?.time !== 0 || page.live.setup !== page.setup) await new Promise(requestAnimationFrame);
        await page.live.run(600);
        return Array.from((await window.page.live?.cells.spikeCounts()) ?? []);
      });
    const first = await counted();
    expect(await counted()).toEqual(first);
    expect(first.some((count) => count > 0)).toBe(true);
  });
});

describe('a hand', () => {
  // While it plays it is never idle in the moment that a frame begins.
  const ready = async (page: Page) => {
    await page.evaluate(() => window.page.play(false));
    await page.waitForFunction(() => window.page.idle);
  };
  const field = (page: Page, name: string) => page.locator(`input[type=number][aria-label="${name}"]`);

  test('that types while the page takes over what was typed before loses no sign', async () => {
    const page = await openDemo({ webgpu: false }, '?units=200000');
    await field(page, 'seed').fill('');
    await field(page, 'seed').pressSequentially('4294967291', { delay: 40 });
    await field(page, 'Input 1: amplitude, pA').fill('');
    await field(page, 'Input 1: amplitude, pA').pressSequentially('43.2345', { delay: 40 });
    await ready(page);
    expect(await page.evaluate(() => window.page.setup)).toMatchObject({
      seed: 4294967291,
      inputs: [{ amplitude: 43.2345 }, {}, {}],
    });
    expect(await field(page, 'seed').inputValue()).toBe('4294967291');
  });

  test('that leaves what was refused finds what is in force, once something else is accepted', async () => {
    const page = await openDemo({ webgpu: false });
    await number(page, 'potential_tau').fill('0.01');
    await page.getByText('must not be below the time step').waitFor();
    await page.locator('#nearer').click();
    await page.getByText('must not be below the time step').waitFor({ state: 'hidden' });
    await ready(page);
    expect(await number(page, 'potential_tau').inputValue()).toBe('5');
    await number(page, 'potential_tau').focus();
    await page.keyboard.press('Delete');
    await page.keyboard.type('-');
    await number(page, 'resistance').focus();
    expect(await number(page, 'potential_tau').inputValue()).toBe('5');
  });

  test('that asks for two beginnings, one while the other is made, gets both', async () => {
    const page = await openDemo({ webgpu: false }, '?units=200000');
    const begun = await page.evaluate(async () => {
      const { page } = window;
      const live = page.live as NonNullable<typeof page.live>;
      const restart = live.restart.bind(live);
      let begun = 0;
      live.restart = async (setup) => {
        // The second comes while this one is awaited.
        if (begun++ === 0) page.applySetup({ ...page.setup, parameters: { resistance: 0.6 } });
        await restart(setup);
      };
      page.applySetup({ ...page.setup, parameters: { resistance: 0.4 } });
      while (begun < 2) await new Promise(requestAnimationFrame);
      page.play(false);
      while (!page.idle) await new Promise(requestAnimationFrame);
      return begun;
    });
    expect(begun).toBe(2);
    expect(await page.evaluate(() => window.page.live?.setup.parameters)).toEqual({ resistance: 0.6 });
  });

  test('chooses the kind of an input by arrow keys, and takes inputs away by keys', async () => {
    const page = await openDemo({ webgpu: false });
    const focused = () => page.evaluate(() => document.activeElement?.getAttribute('aria-label'));
    await page.locator('select[aria-label="Input 1: kind"]').focus();
    for (const kind of ['step', 'ramp']) {
      await page.keyboard.press('ArrowDown');
      await page.waitForFunction((kind) => window.page.live?.setup.inputs[0]?.kind === kind, kind);
      await ready(page);
      expect(await focused()).toBe('Input 1: kind');
    }
    await page.locator('[aria-label="Take input 3 away"]').focus();
    await page.keyboard.press('Enter');
    await page.waitForFunction(() => window.page.live?.setup.inputs.length === 2);
    await ready(page);
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Add an input');
  });

  test('that takes fewer neurons has a link that opens', async () => {
    const page = await openDemo({ webgpu: false });
    const neuron = await page.evaluate(() => window.page.setup.view.neuron ?? 0);
    await field(page, 'neurons').fill('100');
    await page.waitForFunction(() => /units=100&/.test(location.hash));
    await ready(page);
    expect(await page.locator('#traced').textContent()).toContain('Point at a neuron');
    await page.reload();
    await page.waitForFunction(() => (window.page?.live?.time ?? 0) > 0);
    expect(await page.evaluate(() => [window.page.note, window.page.setup.units])).toEqual(['', 100]);
    expect(neuron).toBeGreaterThan(100);
  });
});

describe('a link', () => {
  test('to what is wrong in a few neurons only is told of, and the page runs all the same', async () => {
    const page = await openPage({ webgpu: false });
    const wrong = 'p=adaptation_subthreshold:-1.5,resistance:0.5&cv=adaptation_subthreshold:0.2';
    const link = `#v=1&soma=AdaptiveExponentialSoma&units=4096&dt=0.1&seed=2&speed=60&${wrong}&end`;
    await page.goto(new URL(`/page/${link}`, page.url()).href);
    await page.waitForFunction(() => (window.page?.live?.time ?? 0) > 0);
    expect(await page.evaluate(() => window.page.note)).toMatch(/^The link cannot be used: .*unstable below threshold/);
    expect(await page.evaluate(() => window.page.setup.units)).toBe(102_400);
  });
});

describe('the tabs beside the sheet', () => {
  test('show one panel at a time, by the pointer and by keys', async () => {
    const page = await openDemo({ webgpu: false });
    const shown = () =>
      page.evaluate(() => [...document.querySelectorAll('[role=tabpanel]:not([hidden])')].map(({ id }) => id));
    const focused = () => page.evaluate(() => document.activeElement?.id);
    expect(await shown()).toEqual(['activity']);
    await page.getByRole('tab', { name: 'Firing patterns' }).click();
    expect(await shown()).toEqual(['gallery']);
    await page.keyboard.press('ArrowLeft');
    expect([await shown(), await focused()]).toEqual([['activity'], 'activity-tab']);
    await page.keyboard.press('End');
    expect(await shown()).not.toEqual(['activity']);
    await page.keyboard.press('ArrowRight');
    expect([await shown(), await focused()]).toEqual([['activity'], 'activity-tab']);
    // One stop of the Tab key: the next is none of the tabs.
    await page.keyboard.press('Tab');
    expect(await page.evaluate(() => document.activeElement?.getAttribute('role'))).not.toBe('tab');
  });
});

describe('the page, when its GPU is lost,', () => {
  // Between bursts of all neurons they look much alike.
  const seeColours = (page: Page) => expect.poll(() => coloursOf(page), { timeout: 20_000 }).toBeGreaterThan(40);

  test('goes on from where it was, and says so, playing or not', async () => {
    const page = await openDemo({ webgpu: true });
    await runOn(page, 100);
    const lose = async () => {
      const time = await page.evaluate(() => {
        window.page.say('');
        window.page.live?.host.device?.destroy();
        return window.page.live?.time ?? 0;
      });
      await page.waitForFunction(() => window.page.note.includes('was lost'));
      const note = await page.evaluate(() => window.page.note);
      expect(note).toContain('another one took its place');
      expect(Number(/lost at (\d+) ms/.exec(note)?.[1])).toBeGreaterThanOrEqual(Math.floor(time));
      return time;
    };
    await lose();
    await runOn(page, 50);
    expect(await rateOver(page, 100)).toBeGreaterThan(1);
    await seeColours(page);
    await page.evaluate(() => window.page.play(false));
    await lose();
    await page.evaluate(() => window.page.play(true));
    await runOn(page, 50);
    await seeColours(page);
  });

  test('begins anew on the processor where no other is found, and says so', async () => {
    const page = await openDemo({ webgpu: true });
    await runOn(page, 100);
    await page.evaluate(() => {
      navigator.gpu.requestAdapter = async () => null;
      window.page.live?.host.device?.destroy();
    });
    await page.waitForFunction(() => window.page.note.includes('was lost'));
    expect(await page.evaluate(() => window.page.note)).toMatch(/this begins anew, on WebAssembly/);
    await runOn(page, 50);
    await seeColours(page);
  });
});

describe('what the page loads', () => {
  test('is under 120 kB of JavaScript, gzipped, and nothing from elsewhere', async () => {
    const page = await openPage({ webgpu: true });
    const scripts: Promise<Buffer>[] = [];
    const hosts = new Set<string>();
    page.on('response', (response) => {
      const { host, pathname, protocol } = new URL(response.url());
      if (protocol.startsWith('http')) hosts.add(host);
      if (pathname.endsWith('.js')) scripts.push(response.body());
    });
    for (const query of [QUERY.true, QUERY.false]) {
      await page.goto(new URL(`/page/${query}`, page.url()).href);
      await page.waitForFunction(() => (window.page?.live?.time ?? 0) > 20);
      await page.getByRole('tab', { name: 'Lab' }).click();
      await page.locator('#lab[data-took]').waitFor();
      const download = page.waitForEvent('download');
      await page.getByRole('button', { name: 'Experiment' }).click();
      await download;
    }
    const bodies = new Map((await Promise.all(scripts)).map((body) => [body.toString(), body]));
    const bytes = [...bodies.values()].reduce((sum, body) => sum + gzipSync(body).length, 0);
    expect(bodies.size).toBeGreaterThan(3);
    expect(bytes).toBeLessThan(120_000);
    expect([...hosts]).toEqual([new URL(page.url()).host]);
  });
});
