// When the page draws: with each run where there is time, and seldom where the neurons want it.

import { describe, expect, test } from 'vitest';
import { Pace, Pictures } from '../../src/demo/loop.ts';

/** A page that runs for so long and draws when it is due: what share of its time it draws, and how many pictures. */
function drawn({ run, picture, behind }: { run: number; picture: (nth: number) => number; behind: boolean }) {
  const pictures = new Pictures();
  let [now, drawing] = [0, 0];
  while (now < 60_000) {
    now += run;
    if (!pictures.due(now, behind)) continue;
    const took = picture(pictures.made);
    pictures.took(now, took);
    now += took;
    drawing += took;
  }
  return { share: drawing / now, made: pictures.made };
}

describe('pictures', () => {
  test.each([1, 8, 30, 250])('of %d ms take a fifth of the time where the device cannot keep up', (picture) => {
    const { share } = drawn({ run: 10, picture: () => picture, behind: true });
    expect(share).toBeLessThanOrEqual(0.21);
    expect(share).toBeGreaterThan(picture < 3 ? 0.05 : 0.15);
  });

  test('are drawn with every run where it keeps up, however long they take', () => {
    const { made } = drawn({ run: 10, picture: () => 30, behind: false });
    expect(made).toBe(60_000 / 40);
  });

  test('are not held back by the first one, which waits for its pipelines', () => {
    const usual = drawn({ run: 10, picture: () => 5, behind: true });
    const late = drawn({ run: 10, picture: (nth) => (nth === 0 ? 500 : 5), behind: true });
    expect(late.made).toBeGreaterThan(0.9 * usual.made);
  });
});

describe('the pace', () => {
  test('is behind where more is asked for than fits into a frame, and not where it fits', () => {
    const pace = new Pace();
    for (let frame = 0; frame < 100; frame++) {
      const steps = pace.due(16, 5000, 0.1);
      pace.took(steps, 5 + steps);
    }
    expect(pace.behind).toBe(true);
    pace.due(16, 6, 0.1);
    pace.due(16, 6, 0.1);
    expect(pace.behind).toBe(false);
  });

  test('makes runs short again that took long, however little it knows of what a step costs', () => {
    const pace = new Pace();
    // All of a length, so that nothing tells the cost of a step from that of a run.
    for (let run = 0; run < 20; run++) pace.took(8, 30);
    expect(pace.most).toBeGreaterThan(8);
    pace.took(20, 2000);
    expect(pace.most).toBeLessThanOrEqual(2);
  });
});
