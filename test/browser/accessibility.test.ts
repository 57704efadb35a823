// The page as axe-core judges it, in a real Chromium: no serious fault, in light and dark, on a desk and on a phone, at the
// start and with a preset of the gallery and the lab's numbers open. What a canvas shows is not for axe to see.

import axe, { type AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import type {} from '../../src/demo/main.ts';
import { openPage } from '../support/browser.ts';

const SIZES = { desk: { width: 1280, height: 800 }, phone: { width: 360, height: 740 } } as const;

/** What axe finds that keeps somebody from using the page, a line each: rule, and where. */
async function faultsOf(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate<AxeResults>('axe.run(document)');
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, help, nodes }) =>
      nodes.map(({ target, failureSummary }) => `${id} (${help}): ${target} ${failureSummary}`),
    );
}

async function openDemo(size: keyof typeof SIZES, colorScheme: 'light' | 'dark'): Promise<Page> {
  const page = await openPage({ webgpu: false });
  await page.setViewportSize(SIZES[size]);
  await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
  await page.goto(new URL('page/', page.url()).href);
  await page.waitForFunction(() => (window.page?.live?.time ?? 0) > 0);
  return page;
}

// Contrast goes by the colours, and everything else by the size: two of the four have it all.
test.each([
  ['light', 'desk'],
  ['dark', 'phone'],
] as const)('the page in %s has no serious fault on a %s', async (colorScheme, size) => {
  const page = await openDemo(size, colorScheme);
  expect(await faultsOf(page)).toEqual([]);
  await page.getByRole('tab', { name: 'Firing patterns' }).click();
  await page.getByRole('button', { name: 'Tonic' }).click();
  await page.locator('.gallery-verdict').waitFor();
  expect(await faultsOf(page)).toEqual([]);
  await page.getByRole('tab', { name: 'Lab' }).click();
  await page.locator('#lab[data-took]').waitFor();
  await page.getByText('The curve in numbers').click();
  await page.locator('#lab td').first().waitFor();
  expect(await faultsOf(page)).toEqual([]);
});

test('a page with a faint text and a button without a name is found at fault', async () => {
  const html =
    '<!doctype html><html lang="en"><title>faulty</title><main><h1>faulty</h1><button></button>' +
    '<p style="color: #ccc; background: #fff">hardly there</p></main></html>';
  const faults = await faultsOf(await openPage({ webgpu: false, html }));
  expect(faults).toEqual([expect.stringMatching(/^button-name/), expect.stringMatching(/^color-contrast/)]);
});
