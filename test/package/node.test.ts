// The package in Node, installed from its tarball: as a module, required, in a thread, on both paths, and its command line.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { defineSoma } from '../../src/define.ts';
import { type Counted, expectCpu, expectGpu, install } from '../support/consumer.ts';

const counted = (printed: string) => JSON.parse(printed) as Counted;

describe('installed into a clean folder', () => {
  test('the package comes alone, without a network', async () => {
    const { folder } = await install({});
    expect(readdirSync(join(folder, 'node_modules')).filter((name) => !name.startsWith('.'))).toEqual(['somagpu']);
  });

  test('its command line runs, with nothing else installed', async () => {
    const { folder, node } = await install({});
    expect(readdirSync(join(folder, 'node_modules/.bin'))).toEqual(['somagpu']);
    expect(await node('node_modules/.bin/somagpu', 'somas')).toContain('AdaptiveExponentialSoma');
  });

  test('every entry but the script of the worker can be imported, and gives what it is for', async () => {
    const names = { '': 'Simulation', '/bundle': 'Simulation', '/node': 'findHardware', '/files': 'writeNpz' };
    const more = { '/experiment': 'readExperiment', '/biophysics': 'biophysicsOf', '/analysis': 'fiCurve' };
    const entries = Object.entries({ ...names, ...more, '/meanings': 'stateMeanings', '/define': 'defineSoma' });
    const lines = entries.map(
      ([entry, name]) => `import { ${name} as _${name}${entry.length} } from 'somagpu${entry}';`,
    );
    const rest = "import.meta.resolve('somagpu/worker')";
    const { node } = await install({ 'main.js': `${lines.join('\n')}\nconsole.log(${rest});` });
    expect(await node('main.js')).toMatch(/somagpu\/dist\/worker\.js\n$/);
  });
});

describe('a script', () => {
  const script = (options: string) =>
    `import * as library from 'somagpu';
    import { findAdapter, findHardware } from 'somagpu/node';
    import { runCells } from './cells.js';
    console.log(JSON.stringify(await runCells(library, ${options})));`;

  test('computes on the processor, to the last bit as here', async () => {
    const { node } = await install({ 'main.js': script("{ backend: 'cpu' }") });
    await expectCpu(counted(await node('main.js')));
  });

  test('falls back to the processor without the package webgpu, and says what to install where it is insisted on', async () => {
    const { node } = await install({
      'main.js': script('{ adapter: await findHardware() }'),
      'insists.js': script("{ backend: 'webgpu', adapter: await findAdapter() }"),
    });
    await expectCpu(counted(await node('main.js')));
    await expect(node('insists.js')).rejects.toThrow(/NoBackendError.*npm install webgpu$/m);
  });

  test('computes on a GPU with the package webgpu', async () => {
    // SwiftShader comes with the other package; where there is hardware it is not asked.
    const { node } = await install({ 'main.js': script("{ backend: 'webgpu', adapter: await findAdapter() }") }, [
      'webgpu',
      '@sparticuz/chromium',
    ]);
    await expectGpu(counted(await node('main.js')));
  });

  test('that catches nothing is told what is wrong in lines that can be read', async () => {
    const main = "import { Simulation } from 'somagpu';\nawait Simulation.create({ dt: -1 });";
    const { node } = await install({ 'main.js': main });
    const error = (await node('main.js').catch((error) => error)) as { stderr: string };
    expect(error.stderr).toMatch(/InputError\]?: dt: /);
    // Node prints the source around: of code without line breaks that would be all of it.
    expect(error.stderr.length).toBeLessThan(5000);
  });

  test('may be CommonJS: Node requires modules', async () => {
    const { node } = await install({
      'main.cjs': `const library = require('somagpu');
        const { runCells } = require('./cells.js');
        runCells(library, { backend: 'cpu' }).then((counted) => console.log(JSON.stringify(counted)));`,
    });
    await expectCpu(counted(await node('main.cjs')));
  });
});

describe('a soma of one’s own', () => {
  const law = readFileSync(new URL('../../examples/somas/leaky.wgsl', import.meta.url), 'utf8');
  const main = `import { readFileSync } from 'node:fs';
    import * as library from 'somagpu';
    import { defineSoma } from 'somagpu/define';
    import { findAdapter } from 'somagpu/node';
    import { runCells } from './cells.js';
    const soma = defineSoma(readFileSync('leaky.wgsl', 'utf8'), 'Leaky');
    const options = process.argv[2] === 'cpu' ? { backend: 'cpu' } : { backend: 'webgpu', adapter: await findAdapter() };
    console.log(JSON.stringify(await runCells(library, options, 5000, soma)));`;

  test('computes on the processor, in threads, to the last bit as here', async () => {
    const { node } = await install({ 'main.js': main, 'leaky.wgsl': law });
    await expectCpu(counted(await node('main.js', 'cpu')), defineSoma(law, 'Leaky'));
  });

  test('computes on a GPU', async () => {
    const { node } = await install({ 'main.js': main, 'leaky.wgsl': law }, ['webgpu', '@sparticuz/chromium']);
    await expectGpu(counted(await node('main.js', 'webgpu')), defineSoma(law, 'Leaky'));
  });

  test('is refused with the line and a mark under the place, also where nothing is caught', async () => {
    const wrong = law.replace('return spike;', 'return spyke;');
    const { node } = await install({ 'main.js': main, 'leaky.wgsl': wrong });
    const error = (await node('main.js', 'cpu').catch((error) => error)) as { stderr: string };
    expect(error.stderr).toMatch(/LawError\]?: Leaky:42:10: unknown name "spyke".*\n {2}return spyke;\n {9}\^\n/);
    expect(error.stderr.length).toBeLessThan(5000);
  });
});

test('a worker thread computes, with threads of its own', async () => {
  const { node } = await install({
    'main.js': `import { Worker } from 'node:worker_threads';
      new Worker(new URL('./thread.js', import.meta.url)).on('message', (counted) => console.log(counted));`,
    'thread.js': `import { parentPort } from 'node:worker_threads';
      import * as library from 'somagpu';
      import { runCells } from './cells.js';
      parentPort.postMessage(JSON.stringify(await runCells(library, { backend: 'cpu', workers: 2 })));`,
  });
  await expectCpu(counted(await node('main.js')));
});
