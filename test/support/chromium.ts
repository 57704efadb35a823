// The headless Chromium inside @sparticuz/chromium, driven by playwright-core, with software WebGPU or none, and a server
// of folders for its pages. Nothing needs to be installed. It refuses to know who opens a page and what for.

import { createReadStream, createWriteStream, existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { createBrotliDecompress } from 'node:zlib';
import { unpackTar } from 'modern-tar/fs';
import { type Browser, chromium } from 'playwright-core';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PACKAGE = join(ROOT, 'node_modules/@sparticuz/chromium');
const CACHE = join(ROOT, 'node_modules/.cache/somagpu');

/** Starts a browser, in well under a second; whoever starts it closes it. */
export async function launchChromium(webgpu: boolean): Promise<Browser> {
  const folder = await unpackChromium();
  // Not the package's own flags: they switch off the same-origin policy and give SharedArrayBuffer to every page, so
  // that what works here would not work for users. --disable-features=WebGPU changes nothing; without a GPU process
  // there is no adapter, whatever the machine has.
  const args = webgpu
    ? ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader', ...CANVAS]
    : ['--disable-gpu', '--disable-software-rasterizer'];
  const { LD_LIBRARY_PATH } = process.env;
  return chromium.launch({
    executablePath: join(folder, 'chromium'),
    args,
    env: {
      ...process.env,
      // A machine without a locale would have a language that Intl refuses.
      LC_ALL: 'en_US.UTF-8',
      LD_LIBRARY_PATH: [join(folder, 'lib'), LD_LIBRARY_PATH].filter(Boolean).join(':'),
      FONTCONFIG_FILE: join(folder, 'fonts.conf'),
    },
  });
}

// A canvas of WebGPU's wants the browser to draw by Vulkan as well; else its first frame ends the GPU process.
const CANVAS = [
  '--enable-features=Vulkan',
  '--use-vulkan=swiftshader',
  '--use-gl=angle',
  '--use-angle=swiftshader',
  '--ignore-gpu-blocklist',
];

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

/** Serves a folder, on an origin of its own; `html` stands at `/`, and `headers` go with every answer. */
export async function serveFolder(
  folder: string,
  html?: string,
  headers?: Readonly<Record<string, string>>,
): Promise<{ origin: string; close: () => Promise<void> }> {
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://127.0.0.1');
    const name = pathname.endsWith('/') ? `${pathname}index.html` : pathname;
    const given = pathname === '/' ? html : undefined;
    const body = given ?? (await readFile(join(folder, name)).catch(() => undefined));
    const type = TYPES[extname(name)] ?? 'application/octet-stream';
    response.writeHead(body === undefined ? 404 : 200, { ...headers, 'content-type': type }).end(body);
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  const close = async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  };
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, close };
}
