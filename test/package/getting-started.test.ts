// What docs/getting-started.md shows does what the page says, for somebody who has the package's tarball and nothing else.

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openPage } from '../support/browser.ts';
import { install } from '../support/consumer.ts';
import { shown } from '../support/shown.ts';

const of = (section: string, language: string) => shown('docs/getting-started.md', section, language);
const printed = of('In Node', 'text');

test('the script for Node prints what the page says', async () => {
  const { node } = await install({ 'main.mjs': of('In Node', 'js') });
  expect(await node('main.mjs')).toBe(printed);
});

test('the page draws as many spikes', async () => {
  const { folder } = await install({});
  const page = await openPage({ webgpu: false, folder, html: of('In a page', 'html') });
  const spikes = /^\d+/.exec(printed)?.[0];
  await page.waitForFunction((text) => document.querySelector('p')?.textContent === text, `${spikes} spikes, by cpu`);
  // A point a spike, which others may cover.
  const dark = await page.evaluate(() => {
    const { width, height } = document.querySelector('canvas') as HTMLCanvasElement;
    const pixels = document.querySelector('canvas')?.getContext('2d')?.getImageData(0, 0, width, height).data;
    return pixels?.filter((value, i) => i % 4 === 3 && value > 0).length ?? 0;
  });
  expect(dark).toBeGreaterThan(10_000);
});

test('the command line leaves the files that the page names', async () => {
  const { folder, node } = await install({ 'experiment.json': of('From the command line', 'json') });
  const [npx, command = '', ...args] = of('From the command line', 'sh').trim().split(' ');
  expect(npx).toBe('npx');
  await node(join('node_modules/.bin', command), ...args);
  expect(readdirSync(join(folder, 'out')).sort()).toEqual(['cells.npz', 'cells.svg', 'summary.json']);
});
