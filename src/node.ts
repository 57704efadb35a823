// What Node has and pages have not: files larger than memory, which are src/disk's, and WebGPU through the optional
// package `webgpu` (Dawn). Hardware comes first; where there is none, SwiftShader, the software Vulkan inside the
// development dependency @sparticuz/chromium, needs no system library.

import { accessSync, existsSync, constants as fsConstants, mkdirSync } from 'node:fs';
import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { constants, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { brotliDecompress } from 'node:zlib';
import { isSoftware } from './adapter.ts';
import { NoBackendError } from './errors.ts';

export * from './disk/index.ts';

/** glibc's RTLD_NODELETE, which Node does not name: the loader stays although it is no Node addon. */
const RTLD_NODELETE = 0x1000;

// Dawn crashes the process when the object from its `create` is collected while a device of it lives. Each keeps 2 MB and
// more, so that one is asked as long as it answers, and no other driver is to be found.
const instances: { driver: string | undefined; gpu: GPU }[] = [];

/**
 * Finds a GPU in hardware for `Simulation.create`; `null` where there is none or the package `webgpu` is missing:
 * the simulation then runs on the processor.
 *
 * Each call gives a new adapter, good for one device. The process ends by itself when the simulation is disposed of.
 *
 * @example
 * ```ts
 * import { findHardware } from 'somagpu/node';
 * const simulation = await Simulation.create({ adapter: findHardware }); // asked again if the GPU is lost
 * ```
 */
export async function findHardware(): Promise<GPUAdapter | null> {
  const found = await requestInstalled().catch((error: unknown) => {
    if (error instanceof NoBackendError) return null;
    throw error;
  });
  return found && !isSoftware(found) ? found : null;
}

/**
 * Finds a GPU for `Simulation.create({ backend: 'webgpu' })`: hardware if there is any, else software Vulkan.
 *
 * Each call gives a new adapter, as {@link findHardware} does.
 *
 * @throws NoBackendError saying what to install
 */
export async function findAdapter(): Promise<GPUAdapter> {
  // First, because without it nothing else that might be missing helps.
  await loadDawn();
  const found = await requestInstalled();
  if (found && !isSoftware(found)) return found;
  const software = (await useSwiftShader()) ? await requestAdapter() : null;
  const adapter = software ?? found;
  if (adapter) return adapter;
  throw new NoBackendError(
    'no GPU that WebGPU can reach on this machine; install its Vulkan driver, or for software Vulkan: npm install @sparticuz/chromium',
  );
}

// Without a Vulkan loader Dawn would complain on stderr before it finds nothing.
const requestInstalled = async (): Promise<GPUAdapter | null> =>
  process.platform !== 'linux' || canLoad('libvulkan.so.1') ? requestAdapter() : null;

type CreateGpu = (options: string[]) => GPU;

async function loadDawn(): Promise<CreateGpu> {
  try {
    return (await import('webgpu')).create;
  } catch (cause) {
    throw new NoBackendError('WebGPU for Node is not installed; npm install webgpu', { cause });
  }
}

async function requestAdapter(): Promise<GPUAdapter | null> {
  const create = await loadDawn();
  const driver = process.env.VK_ICD_FILENAMES;
  const wanted = { powerPreference: 'high-performance' } as const;
  const last = instances.at(-1);
  const found = last?.driver === driver ? await last?.gpu.requestAdapter(wanted) : null;
  if (found) return found;
  const gpu = create([]);
  instances.push({ driver, gpu });
  return gpu.requestAdapter(wanted);
}

function canLoad(library: string): boolean {
  const { RTLD_NOW, RTLD_GLOBAL } = constants.dlopen;
  try {
    process.dlopen({ exports: {} }, library, RTLD_NOW | RTLD_GLOBAL | RTLD_NODELETE);
    return true;
  } catch (error) {
    // It is loaded all the same: only its registration as an addon failed.
    return error instanceof Error && error.message.includes('did not self-register');
  }
}

let swiftShader: Promise<boolean> | undefined;

/** Makes this process's Vulkan loader find SwiftShader; once. */
function useSwiftShader(): Promise<boolean> {
  swiftShader ??= (async () => {
    const folder = await unpackSwiftShader();
    if (!folder || !canLoad(join(folder, 'libvulkan.so.1'))) return false;
    process.env.VK_ICD_FILENAMES = join(folder, 'vk_swiftshader_icd.json');
    return true;
  })();
  return swiftShader;
}

/** The folder that holds SwiftShader, unpacked next to its package the first time. */
async function unpackSwiftShader(): Promise<string | undefined> {
  const found = locateArchive();
  if (!found) return undefined;
  const places = [join(found.modules, '.cache'), tmpdir()].map((place) =>
    join(place, 'somagpu', `swiftshader-${found.version}`),
  );
  const folder = places.find(existsSync) ?? places.find(canMake);
  if (!folder || existsSync(folder)) return folder;
  const { unpackTar } = await import('modern-tar');
  const entries = await unpackTar(await promisify(brotliDecompress)(await readFile(found.archive)));
  // Aside and then renamed: processes that start together must not see a half-written folder.
  const aside = await mkdtemp(`${folder}-`);
  for (const { header, data } of entries) {
    if (data && /^(libvk_swiftshader\.so|libvulkan\.so\.1|vk_swiftshader_icd\.json)$/.test(header.name)) {
      await writeFile(join(aside, header.name), data, { mode: 0o755 });
    }
  }
  await rename(aside, folder).catch(() => rm(aside, { recursive: true }));
  return existsSync(folder) ? folder : undefined;
}

// node_modules may be read-only.
function canMake(folder: string): boolean {
  try {
    mkdirSync(dirname(folder), { recursive: true });
    accessSync(dirname(folder), fsConstants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function locateArchive(): { archive: string; modules: string; version: string } | undefined {
  try {
    const require = createRequire(import.meta.url);
    const manifest = findManifest(require.resolve('@sparticuz/chromium'));
    const archive = join(dirname(manifest), 'bin', 'swiftshader.tar.br');
    const { version } = require(manifest) as { version: string };
    return existsSync(archive) ? { archive, modules: join(dirname(manifest), '..', '..'), version } : undefined;
  } catch {
    return undefined;
  }
}

// The package does not export its package.json; it lies above its entry.
function findManifest(entry: string): string {
  for (let folder = dirname(entry); folder !== dirname(folder); folder = dirname(folder)) {
    if (existsSync(join(folder, 'package.json')) && existsSync(join(folder, 'bin')))
      return join(folder, 'package.json');
  }
  throw new Error(`no package around ${entry}`);
}
