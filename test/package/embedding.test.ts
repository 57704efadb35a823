// What docs/embedding.md shows runs as it stands, with the package from its tarball.

import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openPage } from '../support/browser.ts';
import { scratch } from '../support/cli.ts';
import { install, unpack } from '../support/consumer.ts';
import { shown } from '../support/shown.ts';

const TEXT = readFileSync(new URL('../../docs/embedding.md', import.meta.url), 'utf8');

const of = (section: string, language: string) => shown('docs/embedding.md', section, language);

test('the script for Node runs', async () => {
  const { node } = await install({ 'main.js': of('Node', 'js') });
  expect(await node('main.js')).toBe('cpu 10000\n');
});

test('the page without a bundler runs', async () => {
  const folder = scratch();
  cpSync(join(unpack().folder, 'dist/somagpu.js'), join(folder, 'somagpu.js'));
  const page = await openPage({ webgpu: false, folder, html: of('Without a bundler', 'html') });
  await page.waitForFunction(() => document.body?.textContent?.trim() === 'cpu: 10000 neurons');
});

test('the policy is the one that pages are tested under', () => {
  const tested = readFileSync(new URL('page.test.ts', import.meta.url), 'utf8');
  const rules = of('Content-Security-Policy', '').trim().split('; ');
  expect(rules.length).toBe(3);
  for (const rule of rules) {
    const [, name, value] = /^(\S+) (.+)$/.exec(rule) ?? [];
    expect(tested).toContain(`'${name}': "${value}"`);
  }
});

test('the size of the one file is as it is said', () => {
  const { folder } = unpack();
  const bytes = readFileSync(join(folder, 'dist/somagpu.js')).length;
  const [, said] = /one file: both paths, all somas, (\d+) kB/.exec(TEXT) ?? [];
  expect(Math.abs(bytes / 1000 - Number(said))).toBeLessThan(15);
});
