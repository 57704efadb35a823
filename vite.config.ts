// Demo page, library, command line and tests. The shaders' tables are generated before anything is built or served,
// and again when a shader changes.

import { chmodSync, writeFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { defineConfig, esmExternalRequirePlugin, type Plugin } from 'vite';
import type { ViteUserConfig } from 'vitest/config';
import { bundleWorker, writeGenerated } from './build/generate.ts';

const shaders = (): Plugin => ({
  name: 'somagpu-shaders',
  buildStart: writeGenerated,
  handleHotUpdate: async ({ file }) => {
    if (/\.wgsl$|src\/(worker|slice|frame|recording)\.ts$/.test(file)) await writeGenerated();
  },
});

// One chunk for what the entries share, without the experiment file, saved simulations and what these read, so that
// embedding the engine costs just the engine; and without the two paths, of which a page loads the one it runs on.
const apart = 'index|define|wgsl|experiment|experiment-file|biophysics|meanings|node|files|cli|state|packed';
const paths = 'cpu|threads|slice|webgpu|tile|device|kernel';
const engine = {
  name: 'engine',
  test: new RegExp(`src/(?!(${apart}|${paths})\\.ts)[^/]*\\.ts|generated.shaders|package\\.json`),
};

// npx links the file as it is: without this bit it would refuse it after a rebuild.
const executable = (): Plugin => ({ name: 'somagpu-executable', writeBundle: () => chmodSync('dist/cli.js', 0o755) });

// The worker's script is a text inside the engine; as a file it serves pages that forbid workers made from text.
const workerFile = (): Plugin => ({
  name: 'somagpu-worker',
  writeBundle: async () => writeFileSync('dist/worker.js', await bundleWorker()),
});

// The demo, and the benchmark that it links to. Nothing is preloaded: the code for it would be 0.8 kB of the page's.
const site = {
  outDir: 'dist/page',
  modulePreload: false as const,
  rolldownOptions: { input: ['index.html', 'bench/browser/index.html'] },
};

// What Vite puts around each import() for preloading is 0.9 kB of the page's, and with nothing preloaded it has nothing to do.
const noPreload = (): Plugin => ({
  name: 'somagpu-no-preload',
  enforce: 'pre',
  load: (id) => (id === '\0vite/preload-helper.js' ? 'export const __vitePreload = (load) => load();' : undefined),
});

// Packages for Node that are CommonJS `require` what Node has; in a module that is an import.
const builtIn = () => esmExternalRequirePlugin({ external: [...builtinModules] });

// Lines stay lines: Node prints the line that an uncaught error was thrown on. Who bundles a page takes them out.
const lines = { compress: true, mangle: true, codegen: { removeWhitespace: false } };

const library = {
  lib: {
    entry: {
      index: 'src/index.ts',
      experiment: 'src/experiment.ts',
      biophysics: 'src/biophysics.ts',
      analysis: 'src/analysis/index.ts',
      define: 'src/define.ts',
      meanings: 'src/meanings.ts',
      node: 'src/node.ts',
      files: 'src/files/index.ts',
    },
    formats: ['es' as const],
  },
  rolldownOptions: {
    external: [/^node:/, 'webgpu'],
    output: { minify: lines, chunkFileNames: '[name].js', codeSplitting: { groups: [engine] } },
  },
  // The first of the builds: nothing of an earlier version is packed.
  emptyOutDir: true,
};

// The engine once more, both paths and all laws in it: one file for a page that has no bundler, or comes from a CDN.
const bundle = {
  lib: { entry: { somagpu: 'src/index.ts' }, formats: ['es' as const] },
  rolldownOptions: { output: { minify: true, codeSplitting: false } },
  emptyOutDir: false,
};

// The command line carries what it uses: a package without run-time dependencies.
const cli = {
  ssr: 'src/cli/main.ts',
  rolldownOptions: {
    external: ['webgpu'],
    output: { entryFileNames: 'cli.js', chunkFileNames: 'cli-[name].js', banner: '#!/usr/bin/env node' },
  },
  emptyOutDir: false,
};

// Two files at a time: one waits for a process or a device while the other computes. Those of the package drive pages of a
// browser beside them, which have a result to give and no frames to keep; those of the browser have, and go alone.
const project = (name: string, more: ViteUserConfig['test'] = {}) => ({
  extends: true as const,
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    pool: 'forks' as const,
    maxWorkers: 2,
    sequence: { groupOrder: 0 },
    // For machines that are busy; a test that hangs is found all the same.
    testTimeout: 120_000,
    ...more,
  },
});

const tests: ViteUserConfig['test'] = {
  // The JSON is for .ci/run.
  reporters: ['default', ['json', { outputFile: 'node_modules/.cache/somagpu/tests.json' }]],
  projects: [
    project('host'),
    project('engine'),
    // What is packed, in clean folders; it wants `npm run build` before.
    project('package', { globalSetup: 'test/support/tarball.ts' }),
    project('browser', { maxWorkers: 1, sequence: { groupOrder: 1 }, expect: { poll: { timeout: 30_000 } } }),
  ],
};

export default defineConfig(({ mode }) => ({
  base: './',
  plugins: [
    shaders(),
    noPreload(),
    ...(mode === 'cli' ? [executable()] : mode === 'library' ? [workerFile(), builtIn()] : []),
  ],
  build: { library, bundle, cli }[mode] ?? site,
  ssr: mode === 'cli' ? { noExternal: true } : {},
  test: tests,
}));
