// The built engine in a real Chromium: with WebGPU it gives what it gives in Node, without WebGPU the processor takes
// over, and a page whose policy forbids workers from blobs names the worker's address or is told to. The experiment is
// one function; what a page runs is its text, so that it may use nothing from around it.

import { readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import * as define from '../../src/define.ts';
import * as engine from '../../src/index.ts';
import { openDevice } from '../support/backends.ts';
import { openPage } from '../support/browser.ts';
import { expectSameBits } from '../support/outcome.ts';

type Library = typeof engine;
type Options = engine.SimulationOptions;

interface Run {
  options: Options;
  units: number;
}

interface Outcome {
  backend: 'webgpu' | 'cpu';
  counts: Uint32Array;
  steps: Uint32Array;
  neurons: Uint32Array;
}

async function runCells({ library, options, units }: Run & { library: Library }): Promise<Outcome> {
  const { AdaptiveExponentialSoma, Simulation, uniform } = library;
  const simulation = await Simulation.create({ dt: 0.1, seed: 11, ...options });
  try {
    const cells = simulation.add(AdaptiveExponentialSoma, {
      name: 'cells',
      units,
      parameters: {
        potential_tau: uniform(4, 6),
        resistance: uniform(0.4, 0.6),
        spike_slope: uniform(1.5, 2.5),
        adaptation_delta: uniform(3, 9),
      },
      input: [{ kind: 'constant', amplitude: uniform(65, 130) }],
      record: { spikes: true },
    });
    await simulation.run(100);
    const { steps, neurons } = await cells.spikes();
    return { backend: simulation.backend, counts: await cells.spikeCounts(), steps, neurons };
  } finally {
    simulation.dispose();
  }
}

/** Few neurons stay on the calling thread of the CPU path, many go to workers. */
const FEW = 1000;
const MANY = 5000;

const runHere = (options: Options, units = FEW): Promise<Outcome> => runCells({ library: engine, options, units });

/** Runs the cells in a page, with the built library. */
async function runIn(page: Page, options: Options, units = FEW): Promise<Outcome> {
  const library = await page.evaluateHandle<Library>("import('/index.js')");
  return page.evaluate(runCells, { library, options, units });
}

const findsAdapter = (page: Page): Promise<boolean> =>
  page.evaluate(async () => Boolean(await navigator.gpu?.requestAdapter()));

const sum = (counts: Uint32Array): number => counts.reduce((total, count) => total + count, 0);

function expectSameSpikes(actual: Outcome, expected: Outcome): void {
  expect(sum(expected.counts)).toBeGreaterThan(expected.counts.length);
  expectSameBits(actual.steps, expected.steps, 'spike steps');
  expectSameBits(actual.neurons, expected.neurons, 'spike neurons');
}

describe('a page with WebGPU', () => {
  test('gives the spike counts that Node gives, of each neuron and in all', async () => {
    const page = await openPage({ webgpu: true });
    expect(await findsAdapter(page)).toBe(true);
    const there = await runIn(page, { backend: 'webgpu' });
    const here = await runHere({ device: await openDevice() });
    expect(there.backend).toBe('webgpu');
    expect(there.counts.length).toBe(here.counts.length);
    expect(sum(here.counts)).toBeGreaterThan(here.counts.length);
    // Node may have hardware, the page has none: exp may differ by an ulp, and so may whether a last spike still came.
    const few = here.counts.length / 100;
    expect(here.counts.filter((count, neuron) => count !== there.counts[neuron]).length).toBeLessThanOrEqual(few);
    expect(Math.abs(sum(there.counts) - sum(here.counts))).toBeLessThanOrEqual(few);
  });
});

/** Makes a simulation, disposes of it while it runs, and says how the run ended. */
async function disposeWhileRunning({ library, options, units }: Run & { library: Library }): Promise<string> {
  const { AdaptiveExponentialSoma, Simulation } = library;
  const simulation = await Simulation.create({ dt: 0.1, ...options });
  const input = [{ kind: 'constant', amplitude: 100 }] as const;
  simulation.add(AdaptiveExponentialSoma, { name: 'cells', units, input: [...input], record: { spikes: true } });
  let begun = () => {};
  const running = new Promise<void>((resolve) => {
    begun = resolve;
  });
  const run = simulation.run(1e7, { onProgress: begun });
  await running;
  simulation.dispose();
  return run.then(
    () => 'it ran to its end',
    (error) => error.name,
  );
}

describe.each([{ webgpu: true }, { webgpu: false }])('a page that disposes while it runs, with %o', ({ webgpu }) => {
  test('hears of it from the run alone, has no worker left, and computes as if nothing had been', async () => {
    const page = await openPage({ webgpu });
    const options: Options = { backend: webgpu ? 'webgpu' : 'cpu' };
    const library = await page.evaluateHandle<Library>("import('/index.js')");
    for (let i = 0; i < 3; i++)
      expect(await page.evaluate(disposeWhileRunning, { library, options, units: MANY })).toBe('DisposedError');
    await expect.poll(() => page.workers().length).toBe(0);
    const after = await runIn(page, options);
    expect(after.backend).toBe(options.backend);
    if (webgpu) expect(sum(after.counts)).toBeGreaterThan(FEW);
    else expectSameSpikes(after, await runHere(options));
  });
});

describe('a page without WebGPU', () => {
  test.each([FEW, MANY])('computes %d neurons on the processor, to the last bit as Node does', async (units) => {
    const page = await openPage({ webgpu: false });
    expect(await findsAdapter(page)).toBe(false);
    const there = await runIn(page, { backend: 'auto' }, units);
    expect(there.backend).toBe('cpu');
    expectSameSpikes(there, await runHere({ backend: 'cpu' }, units));
  });
});

describe('a soma of one’s own, in a page', () => {
  const text = readFileSync(new URL('../../examples/somas/leaky.wgsl', import.meta.url), 'utf8');
  type Define = typeof define;

  async function runOwn({
    library,
    own,
    text,
    options,
  }: {
    library: Library;
    own: Define;
    text: string;
    options: Options;
  }) {
    const { Simulation, uniform } = library;
    const simulation = await Simulation.create({ dt: 0.1, seed: 11, ...options });
    try {
      const input = [{ kind: 'constant' as const, amplitude: uniform(160, 300) }];
      const cells = simulation.add(own.defineSoma(text, 'Leaky'), { name: 'cells', units: 5000, input });
      await simulation.run(100);
      return { backend: simulation.backend, counts: await cells.spikeCounts() };
    } finally {
      simulation.dispose();
    }
  }

  test.each(['webgpu', 'cpu'] as const)(
    'spikes on %s as it does in Node, the processor’s in workers',
    async (backend) => {
      const page = await openPage({ webgpu: backend === 'webgpu' });
      const library = await page.evaluateHandle<Library>("import('/index.js')");
      const own = await page.evaluateHandle<Define>("import('/define.js')");
      const there = await page.evaluate(runOwn, { library, own, text, options: { backend } });
      const options = backend === 'cpu' ? { backend } : { device: await openDevice() };
      const here = await runOwn({ library: engine, own: define, text, options });
      expect(there.backend).toBe(backend);
      expect(sum(here.counts)).toBeGreaterThan(5 * here.counts.length);
      expectSameBits(there.counts, here.counts, 'spike counts');
    },
  );

  test('is refused at its place', async () => {
    const page = await openPage({ webgpu: false });
    const own = await page.evaluateHandle<Define>("import('/define.js')");
    const [right, wrong] = [text, text.replace('return spike;', 'return spyke;')];
    await expect(
      page.evaluate(({ own, wrong }) => void own.defineSoma(wrong, 'Leaky'), { own, wrong }),
    ).rejects.toThrow('Leaky:42:10: unknown name "spyke"');
    await page.evaluate(({ own, right }) => void own.defineSoma(right, 'Leaky'), { own, right });
  });
});

describe('a page whose policy forbids workers from blobs', () => {
  const headers = { 'content-security-policy': "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'" };
  const expectedErrors = /Content Security Policy/;

  test('refuses them, which an ordinary page does not', async () => {
    const startsFromBlob = (page: Page) =>
      page.evaluate(
        () =>
          new Promise<boolean>((resolve) => {
            const worker = new Worker(URL.createObjectURL(new Blob(['postMessage("")'])));
            worker.onmessage = () => resolve(true);
            worker.onerror = () => resolve(false);
          }),
      );
    expect(await startsFromBlob(await openPage({ webgpu: false, headers, expectedErrors }))).toBe(false);
    expect(await startsFromBlob(await openPage({ webgpu: false }))).toBe(true);
  });

  test('computes in workers from the address it names', async () => {
    const page = await openPage({ webgpu: false, headers });
    const workers: string[] = [];
    page.on('worker', (worker) => workers.push(new URL(worker.url()).pathname));
    const there = await runIn(page, { backend: 'cpu', workerUrl: '/worker.js' }, MANY);
    expect(new Set(workers)).toEqual(new Set(['/worker.js']));
    expectSameSpikes(there, await runHere({ backend: 'cpu' }, MANY));
  });

  test('is told so when it forbids WebAssembly too', async () => {
    const strict = { 'content-security-policy': "default-src 'self'; script-src 'self'" };
    const page = await openPage({ webgpu: false, headers: strict, expectedErrors });
    await expect(runIn(page, { backend: 'auto' })).rejects.toThrow(/NoBackendError.*wasm-unsafe-eval/);
  });

  test('is told to name an address when it does not, instead of waiting for ever', async () => {
    const page = await openPage({ webgpu: false, headers, expectedErrors });
    await expect(runIn(page, { backend: 'cpu' }, MANY)).rejects.toThrow(/^.*workerUrl/);
  }, 60_000);
});
