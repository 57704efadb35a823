// A real Chromium for tests of pages: the headless one inside @sparticuz/chromium, driven by playwright-core, with
// software WebGPU or none. Nothing needs to be installed. Whatever a test opens is closed when it ends, and an error of
// the page that nobody caught fails it. It refuses to know what the page shows.

import { createReadStream, createWriteStream, existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { createBrotliDecompress } from 'node:zlib';
import { unpackTar } from 'modern-tar/fs';
import { type Browser, chromium, type Page } from 'playwright-core';
import { onTestFinished } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const DIST = join(ROOT, 'dist');
const PACKAGE = join(ROOT, 'node_modules/@sparticuz/chromium');
const CACHE = join(ROOT, 'node_modules/.cache/somagpu');

export interface PageOptions {
  /** Whether the page finds a WebGPU adapter: a software one, on every machine, or none, on every machine. */
  webgpu: boolean;
  /** What stands at `/`; everything else comes from dist/. */
  html?: string;
  /** Sent with every answer, the scripts of workers included. */
  headers?: Readonly<Record<string, string>>;
  /** Errors that the test is about, and which therefore do not fail it. */
  expectedErrors?: RegExp;
}

/**
 * Opens a page for the test that is running, in a browser and on an origin (http://127.0.0.1, a secure context) of its
 * own. Uncaught exceptions, console errors, failed requests and crashes fail the test when it ends.
 */
export async function openPage({ webgpu, html, headers, expectedErrors }: PageOptions): Promise<Page> {
  const origin = await serve(html ?? '<!doctype html><html lang="en"><title>somagpu</title></html>', headers ?? {});
  const page = await (await launch(webgpu)).newPage();
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

// A browser a test: it starts in well under a second, and nothing of a page can reach the next.
async function launch(webgpu: boolean): Promise<Browser> {
  const folder = await unpackChromium();
  // Not the package's own flags: they switch off the same-origin policy and give SharedArrayBuffer to every page, so
  // that what works here would not work for users. --disable-features=WebGPU changes nothing; without a GPU process
  // there is no adapter, whatever the machine has.
  const args = webgpu
    ? ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader']
    : ['--disable-gpu', '--disable-software-rasterizer'];
  const { LD_LIBRARY_PATH } = process.env;
  const browser = await chromium.launch({
    executablePath: join(folder, 'chromium'),
    args,
    env: {
      ...process.env,
      LD_LIBRARY_PATH: [join(folder, 'lib'), LD_LIBRARY_PATH].filter(Boolean).join(':'),
      FONTCONFIG_FILE: join(folder, 'fonts.conf'),
    },
  });
  onTestFinished(() => browser.close());
  return browser;
}

/** The folder that holds Chromium and what it needs beside glibc, unpacked the first time. */
async function unpackChromium(): Promise<string> {
  const { version } = JSON.parse(readFileSync(join(PACKAGE, 'package.json'), 'utf8')) as { version: string };
  const folder = join(CACHE, `chromium-${version}`);
  if (existsSync(folder)) return folder;
  await mkdir(CACHE, { recursive: true });
  // Aside and then renamed: processes that start together must not see a half-written folder.
  const aside = await mkdtemp(`${folder}-`);
  const unpack = (archive: string, target: NodeJS.WritableStream) =>
    pipeline(createReadStream(join(PACKAGE, 'bin', archive)), createBrotliDecompress(), target);
  try {
    await Promise.all([
      unpack('chromium.br', createWriteStream(join(aside, 'chromium'), { mode: 0o755 })),
      // Software Vulkan, which Chromium looks for next to itself; libnss3 and its kin, in lib/; fonts/.
      ...['swiftshader', 'al2023', 'fonts'].map((name) => unpack(`${name}.tar.br`, unpackTar(aside))),
    ]);
    await writeFile(join(aside, 'fonts.conf'), FONTS);
    await rename(aside, folder).catch((error) => {
      if (!existsSync(folder)) throw error;
    });
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
  return folder;
}

// The package's own file names folders of a cloud. These fonts and no others, so that pictures agree between machines.
const FONTS = `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir prefix="relative">fonts</dir></fontconfig>
`;

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
};

/** Serves dist/, and the page of a test, until the test ends; the address of the page. */
async function serve(html: string, headers: Readonly<Record<string, string>>): Promise<string> {
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://127.0.0.1');
    const body = pathname === '/' ? html : await readFile(join(DIST, pathname)).catch(() => undefined);
    const type = TYPES[pathname === '/' ? '.html' : extname(pathname)] ?? 'application/octet-stream';
    response.writeHead(body === undefined ? 404 : 200, { ...headers, 'content-type': type }).end(body);
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}
