// The status line: what runs where, and how fast that really is.

import type { Live } from './live.ts';
import type { Measures } from './loop.ts';

const whole = (value: number): string => Math.round(value).toLocaleString('en');

/** 1.2 k, 34 M, 5.6 G. */
function short(value: number): string {
  const powers = [
    [1e9, 'G'],
    [1e6, 'M'],
    [1e3, 'k'],
  ] as const;
  const [power, letter] = powers.find(([least]) => value >= least) ?? [1, ''];
  return `${(value / power).toPrecision(value / power >= 100 ? 3 : 2)} ${letter}`.trimEnd();
}

/** Puts the present measures into the status line, whose parts stand in the page. */
export function statusOf(box: HTMLElement, live: Live, measures: Measures, playing: boolean): void {
  const { simulation, cells, host, setup } = live;
  const { frames, dropped, steps, speed } = measures;
  const texts: Record<string, string> = {
    device: `${simulation.backend === 'webgpu' ? 'WebGPU' : 'Processor'}: ${simulation.adapter}`,
    why: host.why,
    neurons: whole(cells.neurons),
    updates: playing ? short(steps * cells.neurons) : 'paused',
    speed: playing ? `${short(speed)} of ${short(setup.speed)}` : 'paused',
    real: playing && speed > 0 ? ratio(speed / 1000) : '–',
    frames: whole(frames),
    dropped: whole(dropped),
  };
  for (const part of box.querySelectorAll<HTMLElement>('[data-part]')) {
    const text = texts[part.dataset.part ?? ''] ?? '';
    if (part.textContent !== text) part.textContent = text;
  }
}

const ratio = (share: number): string =>
  share < 1 ? `1 : ${(1 / share).toPrecision(2)}` : `${share.toPrecision(2)} : 1`;
