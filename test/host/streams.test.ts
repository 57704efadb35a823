// Chunks between a run and its reader: nothing is lost, doubled or out of order, and nobody hangs.

import { describe, expect, test } from 'vitest';
import { Bell, MOST_WAITING, Stream } from '../../src/streams.ts';

function open() {
  let held = true;
  const stream = new Stream<number>(new Bell(), () => {
    held = false;
  });
  return { stream, held: () => held };
}

const done = { value: undefined, done: true };
const chunk = (value: number) => ({ value, done: false });

describe('a stream', () => {
  test('gives chunks in the order they came, those that are waited for and those that wait', async () => {
    const { stream } = open();
    const early = [stream.next(), stream.next(), stream.next()];
    stream.push(1);
    stream.push(2);
    expect(await Promise.all(early.slice(0, 2))).toEqual([chunk(1), chunk(2)]);
    stream.push(3);
    stream.push(4);
    expect(await early[2]).toEqual(chunk(3));
    expect(await stream.next()).toEqual(chunk(4));
  });

  test('gives what is left after its end, then is done for ever, also for those who wait', async () => {
    const { stream, held } = open();
    stream.push(1);
    expect(held()).toBe(true);
    stream.end();
    expect(held()).toBe(false);
    expect(await stream.next()).toEqual(chunk(1));
    expect(await stream.next()).toEqual(done);
    expect(await stream.next()).toEqual(done);
    const other = open().stream;
    const waiting = [other.next(), other.next()];
    other.end();
    expect(await Promise.all(waiting)).toEqual([done, done]);
  });

  test('throws the failure it ended with once, after what is left', async () => {
    const { stream } = open();
    stream.push(1);
    const error = new Error('lost');
    stream.end({ error });
    expect(await stream.next()).toEqual(chunk(1));
    await expect(stream.next()).rejects.toBe(error);
    expect(await stream.next()).toEqual(done);
  });

  test('that a reader breaks out of keeps nothing, and ends another wait for it', async () => {
    const { stream, held } = open();
    for (const value of [1, 2, 3]) stream.push(value);
    for await (const value of stream) {
      expect(value).toBe(1);
      break;
    }
    expect(held()).toBe(false);
    expect(await stream.next()).toEqual(done);
    const other = open().stream;
    const waiting = other.next();
    await other.return();
    expect(await waiting).toEqual(done);
  });

  test(`is full with ${MOST_WAITING} chunks, and no longer when one is taken; a waiting run wakes up`, async () => {
    const { stream } = open();
    for (let i = 0; i < MOST_WAITING; i++) {
      expect(stream.full).toBe(false);
      stream.push(i);
    }
    expect(stream.full).toBe(true);
    const woken = stream.bell.wait();
    await stream.next();
    await woken;
    expect(stream.full).toBe(false);
  });
});
