// The example of a host that draws our neurons with its own pipeline, on its own device, in its own render loop: built
// from the tarball, and run in a real Chromium. An error of the device is one of the page's console, and fails the test.

import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import type { Host } from '../../examples/render-loop/main.ts';
import { openPage } from '../support/browser.ts';
import { install, tool } from '../support/consumer.ts';

const example = (name: string) => readFileSync(new URL(`../../examples/render-loop/${name}`, import.meta.url), 'utf8');

declare global {
  interface Window {
    host: Host;
  }
}

/** The example in a page, when some frames have been drawn. */
async function openExample(): Promise<Page> {
  const files = { 'index.html': example('index.html'), 'main.ts': example('main.ts') };
  const { folder } = await install(files);
  await promisify(execFile)(process.execPath, [tool('vite/bin/vite.js'), 'build'], { cwd: folder });
  const page = await openPage({ webgpu: true, folder: join(folder, 'dist') });
  await page.goto(new URL('/index.html', page.url()).href);
  await page.waitForFunction(() => window.host?.simulation.time > 3);
  return page;
}

describe("a host's render loop", () => {
  test('draws a spike where a neuron has spiked since the last frame, and nowhere else', async () => {
    const page = await openExample();
    const { white, spiked } = await page.evaluate(async () => {
      const { cells, draw, simulation, stop } = window.host;
      await stop();
      // The first spikes come all at once.
      await simulation.run(50);
      draw();
      const before = await cells.spikeCounts();
      await simulation.run(3);
      const after = await cells.spikeCounts();
      // In one task: the canvas loses the picture when the page has shown it.
      draw();
      const canvas = document.querySelector('canvas') as HTMLCanvasElement;
      const copy = new OffscreenCanvas(canvas.width, canvas.height);
      const context = copy.getContext('2d') as OffscreenCanvasRenderingContext2D;
      context.drawImage(canvas, 0, 0);
      const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
      const [side = 0] = cells.units;
      const cell = canvas.width / side;
      const middle = (i: number) => Math.floor((i + 0.4) * cell);
      const redAt = (i: number) => data[4 * (middle(Math.floor(i / side)) * canvas.width + middle(i % side))];
      return {
        white: Array.from(after, (_, i) => redAt(i) === 255),
        spiked: Array.from(after, (count, i) => count !== before[i]),
      };
    });
    expect(white).toEqual(spiked);
    const spikes = spiked.filter(Boolean).length;
    expect(spikes).toBeGreaterThan(spiked.length / 100);
    expect(spikes).toBeLessThan(spiked.length);
  });

  test('has its device to itself when the simulation is disposed of, whose buffers are gone then', async () => {
    const page = await openExample();
    const { lost, said, words } = await page.evaluate(async () => {
      const { device, draw, simulation, stop } = window.host;
      await stop();
      simulation.dispose();
      device.pushErrorScope('validation');
      draw();
      const said = (await device.popErrorScope())?.message;
      const usage = GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ;
      const buffer = device.createBuffer({ size: 16, usage });
      device.queue.writeBuffer(buffer, 0, Uint32Array.of(1, 2, 3, 4));
      await buffer.mapAsync(GPUMapMode.READ);
      const lost = await Promise.race([device.lost, Promise.resolve('not lost')]);
      return { lost, said, words: [...new Uint32Array(buffer.getMappedRange())] };
    });
    expect(said).toMatch(/somagpu.*destroyed/s);
    expect(lost).toBe('not lost');
    expect(words).toEqual([1, 2, 3, 4]);
  });
});
