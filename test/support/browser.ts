// A real Chromium for tests of pages, with software WebGPU or none. Whatever a test opens is closed when it ends, and an
// error of the page that nobody caught fails it. It refuses to know what the page shows.

import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { onTestFinished } from 'vitest';
import { launchChromium, serveFolder } from './chromium.ts';

const DIST = fileURLToPath(new URL('../../dist', import.meta.url));
const BLANK = '<!doctype html><html lang="en"><title>somagpu</title></html>';

export interface PageOptions {
  /** Whether the page finds a WebGPU adapter: a software one, on every machine, or none, on every machine. */
  webgpu: boolean;
  /** What stands at `/`; everything else comes from `folder`. */
  html?: string;
  /** dist/ by default. */
  folder?: string;
  /** Sent with every answer, the scripts of workers included. */
  headers?: Readonly<Record<string, string>>;
  /** Errors that the test is about, and which therefore do not fail it. */
  expectedErrors?: RegExp;
}

/**
 * Opens a page for the test that is running, in a browser and on an origin (http://127.0.0.1, a secure context) of its
 * own. Uncaught exceptions, console errors, failed requests and crashes fail the test when it ends.
 */
export async function openPage(options: PageOptions): Promise<Page> {
  const { webgpu, folder = DIST, html = BLANK, headers, expectedErrors } = options;
  const { origin, close } = await serveFolder(folder, html, headers);
  onTestFinished(close);
  // A browser a test: nothing of a page can reach the next.
  const browser = await launchChromium(webgpu);
  onTestFinished(() => browser.close());
  const page = await browser.newPage();
  const complaints = listen(page);
  onTestFinished(async () => {
    // What happened before this round trip is known after it; a page that has crashed gives no answer.
    await page.evaluate(() => undefined).catch(() => undefined);
    const unexpected = complaints.filter((complaint) => !expectedErrors?.test(complaint));
    if (unexpected.length > 0) throw new Error(`errors of the page:\n${unexpected.join('\n')}`);
  });
  await page.goto(origin);
  return page;
}

/** What goes wrong in a page without anybody's noticing; it grows as it happens. */
function listen(page: Page): string[] {
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(`uncaught: ${error.stack ?? error.message}`));
  page.on('crash', () => complaints.push('the page crashed'));
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(`console: ${message.text()} (${message.location().url})`);
  });
  page.on('requestfailed', (request) => complaints.push(`request: ${request.url()} ${request.failure()?.errorText}`));
  page.on('response', (response) => {
    if (!response.ok()) complaints.push(`request: ${response.url()} ${response.status()}`);
  });
  return complaints;
}
