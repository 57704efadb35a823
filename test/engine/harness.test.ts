// The tests' own rule, checked: what the GPU complains about to nobody fails the test during which it was done.

import { describe, expect, test } from 'vitest';
import { openDevice } from '../support/backends.ts';

describe('a test with a device', () => {
  test.fails('fails when the GPU reports an error that nothing catches', async () => {
    const device = await openDevice();
    // Too much for any device, and mapped for nothing.
    device.createBuffer({ size: 16, usage: 0 });
  });

  test('passes when the error is caught in a scope', async () => {
    const device = await openDevice();
    device.pushErrorScope('validation');
    device.createBuffer({ size: 16, usage: 0 });
    expect(await device.popErrorScope()).not.toBeNull();
  });
});
