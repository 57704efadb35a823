// The tests' own rule, checked: what the GPU complains about to nobody fails the test during which it was done.

import { describe, expect, test } from 'vitest';
import { openDevice, sharedDevice } from '../support/backends.ts';

describe.each([
  ['a device of its own', openDevice],
  ['the device of its file', sharedDevice],
])('a test with %s', (_, deviceOf) => {
  test.fails('fails when the GPU reports an error that nothing catches', async () => {
    const device = await deviceOf();
    // Too much for any device, and mapped for nothing.
    device.createBuffer({ size: 16, usage: 0 });
  });

  test('passes when the error is caught in a scope', async () => {
    const device = await deviceOf();
    device.pushErrorScope('validation');
    device.createBuffer({ size: 16, usage: 0 });
    expect(await device.popErrorScope()).not.toBeNull();
  });
});

describe('the device of a file', () => {
  /** Those that the tests here were given. */
  const given: GPUDevice[] = [];

  test.each([1, 2])('is one for all tests, %i', async (count) => {
    given.push(await sharedDevice(), await sharedDevice());
    expect([given.length, new Set(given).size]).toEqual([2 * count, 1]);
  });

  test('may be lost in a test', async () => {
    const device = await sharedDevice();
    expect(device).toBe(given[0]);
    device.destroy();
  });

  test('is another one for the next, which works', async () => {
    const device = await sharedDevice();
    expect(given).not.toContain(device);
    // One that is lost complains of nothing.
    device.pushErrorScope('validation');
    device.createBuffer({ size: 16, usage: 0 });
    expect(await device.popErrorScope()).not.toBeNull();
  });
});
