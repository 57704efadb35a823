// Pictures of the page for the README, docs/images/page-*.jpg: npm run screenshots. The built page runs in a real Chromium,
// on the processor, which is faster than software WebGPU, until raster and plots are full. What it shows is the page's
// affair.

import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Browser } from 'playwright-core';
import type {} from '../src/demo/main.ts';
import { STANDARD } from '../src/demo/setup.ts';
import { writeLink } from '../src/demo/share.ts';
import { launchChromium, serveFolder } from '../test/support/chromium.ts';

const path = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const PAGE = path('../dist/page');
const IMAGES = path('../docs/images');

interface Shot {
  name: string;
  width: number;
  height: number;
  scheme: 'light' | 'dark';
}

const SHOTS: readonly Shot[] = [
  { name: 'light', width: 1360, height: 800, scheme: 'light' },
  { name: 'dark', width: 1360, height: 800, scheme: 'dark' },
  { name: 'phone', width: 360, height: 740, scheme: 'light' },
  { name: 'desktop', width: 1920, height: 1080, scheme: 'dark' },
];

/** Model time until raster and plots are full, ms. */
const SHOWN_AT = 400;
/** On a busy machine. */
const PATIENCE = 120_000;

async function take(browser: Browser, origin: string, { name, width, height, scheme }: Shot): Promise<void> {
  const page = await browser.newPage({ viewport: { width, height }, colorScheme: scheme });
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  try {
    await page.goto(`${origin}${writeLink(STANDARD)}`);
    await page.waitForFunction((at) => (window.page?.live?.time ?? 0) > at, SHOWN_AT, { timeout: PATIENCE });
    const file = `page-${name}.jpg`;
    if (complaints.length > 0) throw new Error(`${file}: errors of the page:\n${complaints.join('\n')}`);
    // A sheet of noise is four times as large in PNG.
    const taken = await page.screenshot({ type: 'jpeg', quality: 88, path: `${IMAGES}/${file}` });
    console.log(`${file}: ${width} x ${height}, ${taken.length} bytes`);
  } finally {
    await page.close();
  }
}

mkdirSync(IMAGES, { recursive: true });
const { origin, close } = await serveFolder(PAGE);
const browser = await launchChromium(false);
try {
  // One after the other: each takes all of a small machine.
  for (const shot of SHOTS) await take(browser, origin, shot);
} finally {
  await browser.close();
  await close();
}
