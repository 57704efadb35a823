// The lab of the page, in a real Chromium: it appears, its numbers are right for each soma, and they follow the sliders.

import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { findRheobase, rheobase, rheobaseMeanings } from '../../src/analysis/index.ts';
import type {} from '../../src/demo/main.ts';
import { openPage } from '../support/browser.ts';
import { somas } from '../support/reference.ts';

async function openDemo(webgpu: boolean): Promise<Page> {
  const page = await openPage({ webgpu });
  await page.goto(new URL(webgpu ? '/page/?backend=webgpu&units=4096' : '/page/?units=4096', page.url()).href);
  await page.getByRole('tab', { name: 'Lab' }).click();
  await page.locator('#lab[data-took]').waitFor();
  return page;
}

const figure = (page: Page, name: string) => page.locator(`#lab [data-figure=${name}]`);
const textOf = (page: Page, name: string) => figure(page, name).textContent();
const pA = (current: number) => `${Number(current.toFixed(3))} pA`;

/** Waits for a figure to be so. */
const toBe = (page: Page, name: string, text: string | RegExp) => expect.poll(() => textOf(page, name)).toMatch(text);

const slider = (page: Page, name: string) => page.locator(`#parameters input[type=range][aria-label^="${name},"]`);

describe.each([
  ['with WebGPU', true],
  ['without WebGPU', false],
] as const)('the lab %s', (_, webgpu) => {
  test('appears with rheobase, curve, phase plane and train of what the page starts with', async () => {
    const page = await openDemo(webgpu);
    expect(await textOf(page, 'rheobase')).toBe('46.044 pA');
    expect(await textOf(page, 'kind')).toBe(rheobaseMeanings.hopf);
    expect(await textOf(page, 'current')).toBe('42 pA');
    expect(await textOf(page, 'fixed-0')).toMatch(/^-52\.81 mV, 8\.597 pA: stable node$/);
    expect(await textOf(page, 'fixed-1')).toMatch(/: saddle$/);
    expect(Number.parseInt((await textOf(page, 'spikes')) ?? '', 10)).toBeGreaterThan(5);
    expect(await page.locator('#lab svg').count()).toBe(3);
    expect(await page.locator('#lab tbody tr').count()).toBe(41);
    // Two fixed points, and the intervals, all in one.
    expect(await page.locator('#lab svg .mark').count()).toBe(3);
    expect((await page.locator('#lab .small path').getAttribute('d'))?.split('M').length).toBeGreaterThan(5);
  });

  test('is right for each soma', async () => {
    const page = await openDemo(webgpu);
    for (const [name, soma] of Object.entries(somas)) {
      await page.locator('select[aria-label=soma]').selectOption(name);
      const { current, kind } = rheobase(soma);
      await toBe(page, 'rheobase', pA(current));
      expect(await textOf(page, 'kind')).toBe(rheobaseMeanings[kind]);
      const { firing } = await findRheobase(soma);
      await toBe(page, 'found', `${pA(firing)}, on for 1000 ms`);
      expect(await page.locator('#lab .lab-refused').count()).toBe(0);
    }
  });

  test('follows a slider, and comes back with it', async () => {
    const page = await openDemo(webgpu);
    const before = await textOf(page, 'found');
    await slider(page, 'resistance').focus();
    for (let press = 0; press < 3; press++) await page.keyboard.press('PageUp');
    await expect.poll(() => textOf(page, 'found')).not.toBe(before);
    await page.waitForFunction(() => window.page.live?.setup === window.page.setup);
    const resistance = await page.evaluate(() => window.page.setup.parameters.resistance as number);
    expect(resistance).toBeGreaterThan(0.5);
    await toBe(page, 'rheobase', pA(rheobase(somas.AdaptiveExponentialSoma as never, { resistance } as never).current));
    await page.getByRole('button', { name: 'resistance back to' }).click();
    await toBe(page, 'rheobase', '46.044 pA');
    await toBe(page, 'found', before ?? '');
  });
});

test('the lab names the pattern of a preset, and shows what the newest of many changes asks for', async () => {
  const page = await openDemo(false);
  await page.getByRole('tab', { name: 'Firing patterns' }).click();
  await page.getByRole('button', { name: 'Initial burst', exact: true }).click();
  await page.getByRole('tab', { name: 'Lab' }).click();
  await toBe(page, 'pattern', /^initial burst$/);
  for (const amplitude of [10, 400, 20, 300, 30]) {
    await page.evaluate(
      (amplitude) => window.page.change(() => ({ inputs: [{ kind: 'constant', amplitude }] })),
      amplitude,
    );
    // Longer than the page takes to follow, shorter than that and the numbers.
    await page.waitForTimeout(520);
  }
  await toBe(page, 'current', '30 pA');
  await toBe(page, 'pattern', 'silent');
  await page.waitForFunction(() => document.querySelector('#lab')?.getAttribute('aria-busy') === 'false');
  expect(await textOf(page, 'current')).toBe('30 pA');
});

test('what the analysis refuses is told in its place, and the page goes on', async () => {
  const page = await openDemo(false);
  // The engine takes it: no current reaches the potential.
  await page.evaluate(() => window.page.change(() => ({ parameters: { resistance: 0 } })));
  const refused = page.locator('#lab .lab-refused');
  await expect.poll(() => refused.first().textContent()).toMatch(/resistance.*greater than 0/);
  expect(await textOf(page, 'rheobase')).toBe('–');
  const time = await page.evaluate(() => window.page.live?.time ?? 0);
  await page.waitForFunction((time) => (window.page.live?.time ?? 0) > time, time);
  await page.evaluate(() => window.page.change(() => ({ parameters: {} })));
  await toBe(page, 'rheobase', '46.044 pA');
  expect(await refused.count()).toBe(0);
});
