// The tests' own rule for pages, checked: what goes wrong in a page and is caught by nobody fails the test that opened
// it. The tests that pass are the control: without them, a browser that does not start would satisfy the others.

import { describe, expect, test } from 'vitest';
import { openPage } from '../support/browser.ts';

describe('a test with a page', () => {
  test.fails('fails when an exception is caught by nobody', async () => {
    const page = await openPage({ webgpu: false });
    await page.evaluate(() => reportError(new Error('nobody caught this')));
  });

  test.fails('fails when an exception is caught by nobody in a worker', async () => {
    const page = await openPage({ webgpu: false });
    await page.evaluate(
      () =>
        new Promise((resolve) => {
          new Worker(URL.createObjectURL(new Blob(['throw new Error("nor this")']))).onerror = resolve;
        }),
    );
  });

  test.fails('fails when the console shows an error', async () => {
    const page = await openPage({ webgpu: false });
    await page.evaluate(() => console.error('look here'));
  });

  test.fails('fails when a file is missing', async () => {
    await openPage({ webgpu: false, html: '<!doctype html><script src="/nowhere.js"></script>' });
  });

  test('passes when the error is one that it expects', async () => {
    const page = await openPage({ webgpu: false, expectedErrors: /look here/ });
    await page.evaluate(() => console.error('look here'));
  });

  test('gets its own HTML and the built files, as a secure context that is isolated no more than others', async () => {
    const html = '<!doctype html><title>mine</title><script type="module" src="/index.js"></script>';
    const page = await openPage({ webgpu: false, html });
    expect(await page.title()).toBe('mine');
    const seen = await page.evaluate(() => ({ secure: isSecureContext, isolated: crossOriginIsolated }));
    expect(seen).toEqual({ secure: true, isolated: false });
  });
});
