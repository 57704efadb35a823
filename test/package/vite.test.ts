// A plain Vite app with the package installed from its tarball: built, and run in a real Chromium on both paths; in a
// worker of its own; and under a strict policy.

import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Page } from 'playwright-core';
import { createServer } from 'vite';
import { describe, expect, onTestFinished, test } from 'vitest';
import { defineSoma } from '../../src/define.ts';
import { openPage, type PageOptions } from '../support/browser.ts';
import { type Counted, expectCpu, expectGpu, install, tool } from '../support/consumer.ts';

const HTML = '<!doctype html><html lang="en"><title>app</title><script type="module" src="/main.js"></script></html>';

/** Installs and builds an app; gives the folder of what was built. */
async function build(files: Readonly<Record<string, string>>): Promise<string> {
  const { folder } = await install({ 'index.html': HTML, ...files });
  // Our Vite, as the app's own would: from the app's folder, it finds no package but those in there.
  const { stdout } = await promisify(execFile)(process.execPath, [tool('vite/bin/vite.js'), 'build'], { cwd: folder });
  expect(stdout).toContain('built in');
  return join(folder, 'dist');
}

/** Opens what was built, as it stands on a server. */
async function open(folder: string, options: Omit<PageOptions, 'folder'>): Promise<Page> {
  const page = await openPage({ ...options, folder });
  await page.goto(new URL('/index.html', page.url()).href);
  return page;
}

const countedIn = (page: Page) =>
  page.evaluate(async () => {
    const host = window as unknown as { counted?: Promise<unknown> };
    while (!host.counted) await new Promise(requestAnimationFrame);
    return host.counted;
  }) as Promise<Counted>;

const main = (options: string) =>
  `import * as library from 'somagpu';
  import { runCells } from './cells.js';
  window.counted = runCells(library, ${options});`;

describe('a plain Vite app', () => {
  test('computes on the processor where there is no GPU, in workers that no bundler had to know of', async () => {
    const page = await open(await build({ 'main.js': main('{}') }), { webgpu: false });
    await expectCpu(await countedIn(page));
  });

  test('computes on a GPU', async () => {
    const page = await open(await build({ 'main.js': main("{ backend: 'webgpu' }") }), { webgpu: true });
    await expectGpu(await countedIn(page));
  });

  test('computes in development, from what the server has bundled beforehand', async () => {
    const { folder } = await install({ 'index.html': HTML, 'main.js': main('{}') });
    const options = { root: folder, configFile: false, logLevel: 'silent', mode: 'development' } as const;
    const server = await createServer({ ...options, server: { host: '127.0.0.1' } });
    onTestFinished(() => server.close());
    await server.listen();
    const page = await openPage({ webgpu: false });
    await page.goto(server.resolvedUrls?.local[0] as string);
    await expectCpu(await countedIn(page));
  });

  test('loads just the path it runs on', async () => {
    const folder = await build({ 'main.js': main("{ backend: 'webgpu' }") });
    const chunks = readdirSync(join(folder, 'assets'));
    expect(chunks.filter((name) => /^(cpu|laws|webgpu)-/.test(name)).length).toBe(3);
    const page = await openPage({ webgpu: true, folder });
    const loaded: string[] = [];
    page.on('request', (request) => loaded.push(request.url()));
    await page.goto(new URL('/index.html', page.url()).href);
    await countedIn(page);
    expect(loaded.join()).toMatch(/webgpu-/);
    expect(loaded.join()).not.toMatch(/(cpu|laws)-/);
  });

  test('has the address of the worker from Vite, for a policy that forbids workers made from text', async () => {
    const folder = await build({
      'main.js': `import workerUrl from 'somagpu/worker?url&no-inline';\n${main('{ workerUrl }')}`,
    });
    const policy = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'";
    const page = await open(folder, { webgpu: false, headers: { 'content-security-policy': policy } });
    await expectCpu(await countedIn(page));
  });
});

test.each([
  ['the processor', false, '{}', expectCpu],
  ['a GPU', true, "{ backend: 'webgpu' }", expectGpu],
] as const)('a Vite app computes with a soma of its own on %s', async (_, webgpu, options, expectIt) => {
  const law = readFileSync(new URL('../../examples/somas/leaky.wgsl', import.meta.url), 'utf8');
  const main = `import * as library from 'somagpu';
    import { defineSoma } from 'somagpu/define';
    import { runCells } from './cells.js';
    import text from './leaky.wgsl?raw';
    window.counted = runCells(library, ${options}, 5000, defineSoma(text, 'Leaky'));`;
  const folder = await build({ 'main.js': main, 'leaky.wgsl': law });
  await expectIt(await countedIn(await open(folder, { webgpu })), defineSoma(law, 'Leaky'));
});

describe('a worker of a Vite app', () => {
  const worker = (options: string) =>
    `import * as library from 'somagpu';
    import { runCells } from './cells.js';
    runCells(library, ${options}).then((counted) => postMessage(counted));`;
  const page = `const worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
    window.counted = new Promise((resolve) => { worker.onmessage = ({ data }) => resolve(data); });`;

  test.each([
    ['the processor', false, '{}', expectCpu],
    ['a GPU', true, "{ backend: 'webgpu' }", expectGpu],
  ] as const)('computes on %s', async (_, webgpu, options, expectIt) => {
    const folder = await build({ 'main.js': page, 'worker.js': worker(options) });
    await expectIt(await countedIn(await open(folder, { webgpu })));
  });
});
