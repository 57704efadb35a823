// A page without a bundler: the files of the tarball as a server sends them, one of them enough. What a
// Content-Security-Policy has to allow is tested by leaving out each of it.

import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { openPage, type PageOptions } from '../support/browser.ts';
import { scratch } from '../support/cli.ts';
import { CELLS, type Counted, expectCpu, expectGpu, unpack } from '../support/consumer.ts';

/** A site that has just these files of the package. */
function site(files: readonly string[], own: Readonly<Record<string, string>> = {}): string {
  const { folder } = unpack();
  const there = scratch();
  for (const file of files) cpSync(join(folder, 'dist', file), join(there, file));
  for (const [name, text] of Object.entries({ 'cells.js': CELLS, ...own })) writeFileSync(join(there, name), text);
  return there;
}

/** What a page computes that imports the one file; `options` is code. */
const countedIn = (page: Page, options: string, units = '') =>
  // A text, because in a function vitest would take the imports for its own.
  page.evaluate(
    `Promise.all([import('/cells.js'), import('/somagpu.js')])
      .then(([{ runCells }, library]) => runCells(library, ${options}, ${units}))`,
  ) as Promise<Counted>;

describe('a page without a bundler', () => {
  test.each([
    ['the processor', false, '{}', expectCpu],
    ['a GPU', true, "{ backend: 'webgpu' }", expectGpu],
  ] as const)('computes on %s with one file', async (_, webgpu, options, expectIt) => {
    const folder = site(['somagpu.js']);
    const page = await openPage({ webgpu, folder });
    const loaded: string[] = [];
    page.on('request', (request) => loaded.push(new URL(request.url()).pathname));
    await expectIt(await countedIn(page, options));
    expect(loaded.filter((name) => name !== '/cells.js' && name.startsWith('/'))).toEqual(['/somagpu.js']);
  });

  test.each([
    ['the processor', false, '{}', expectCpu],
    ['a GPU', true, "{ backend: 'webgpu' }", expectGpu],
  ] as const)('computes on %s in a module worker', async (_, webgpu, options, expectIt) => {
    const worker = `import * as library from './somagpu.js';
      import { runCells } from './cells.js';
      runCells(library, ${options}).then((counted) => postMessage(counted));`;
    const page = await openPage({ webgpu, folder: site(['somagpu.js'], { 'host.js': worker }) });
    const counted = await page.evaluate(
      () =>
        new Promise((resolve, reject) => {
          const worker = new Worker('/host.js', { type: 'module' });
          worker.onmessage = ({ data }) => resolve(data);
          worker.onerror = ({ message }) => reject(new Error(message));
        }),
    );
    await expectIt(counted as Counted);
  });
});

describe('a page with a strict Content-Security-Policy', () => {
  const rules = {
    'default-src': "'none'",
    'script-src': "'self' 'wasm-unsafe-eval'",
    'worker-src': "'self'",
  };
  const named = "{ workerUrl: '/worker.js' }";

  async function open(changed: Partial<typeof rules> = {}, options: Partial<PageOptions> = {}): Promise<Page> {
    const policy = Object.entries({ ...rules, ...changed }).map(([name, value]) => `${name} ${value}`);
    const headers = { 'content-security-policy': policy.join('; ') };
    const page = await openPage({
      webgpu: false,
      folder: site(['somagpu.js', 'worker.js']),
      headers,
      ...options,
    });
    return page;
  }

  const expectedErrors = /Content Security Policy/;

  test('computes on the processor with the address of a worker', async () => {
    await expectCpu(await countedIn(await open(), named));
  });

  test('computes on a GPU without workers, WebAssembly or an address', async () => {
    const page = await open({ 'script-src': "'self'", 'worker-src': "'none'" }, { webgpu: true });
    await expectGpu(await countedIn(page, "{ backend: 'webgpu' }"));
  });

  test('computes on the calling thread without workers', async () => {
    await expectCpu(await countedIn(await open({ 'worker-src': "'none'" }), '{ workers: 0 }'));
  });

  test('computes in workers made from text where it allows blob: for them', async () => {
    await expectCpu(await countedIn(await open({ 'worker-src': 'blob:' }), '{}'));
  });

  test('that wants trusted types computes with an address that its own policy has made, and with no other', async () => {
    const trusted = "'self' 'wasm-unsafe-eval'; require-trusted-types-for 'script'";
    const page = await open({ 'script-src': trusted }, { expectedErrors: /TrustedScriptURL/ });
    const make = "trustedTypes.createPolicy('page', { createScriptURL: (url) => url }).createScriptURL('/worker.js')";
    await expectCpu(await countedIn(page, `{ workerUrl: ${make} }`));
    await expect(countedIn(page, named)).rejects.toThrow(/NoBackendError.*TrustedScriptURL/);
  });

  test('is told of workerUrl where it names none, but for populations that want no workers', async () => {
    const page = await open({}, { expectedErrors });
    expect((await countedIn(page, '{}', '1000')).counts.length).toBe(1000);
    await expect(countedIn(page, '{}')).rejects.toThrow(/NoBackendError.*give its address as workerUrl/);
  });

  test('is told of wasm-unsafe-eval where it forbids WebAssembly', async () => {
    const page = await open({ 'script-src': "'self'" }, { expectedErrors });
    await expect(countedIn(page, named)).rejects.toThrow(/NoBackendError.*'wasm-unsafe-eval'/);
  });

  test('is told of worker-src where it forbids the worker it names', async () => {
    const page = await open({ 'worker-src': "'none'" }, { expectedErrors });
    await expect(countedIn(page, named)).rejects.toThrow(/NoBackendError.*\/worker\.js.*worker-src/);
  });
});

test('a page isolated from other origins computes as every page does', async () => {
  const headers = { 'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp' };
  const page = await openPage({ webgpu: false, folder: site(['somagpu.js', 'worker.js']), headers });
  expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
  await expectCpu(await countedIn(page, '{}'));
  await expectCpu(await countedIn(page, "{ workerUrl: '/worker.js' }"));
});
