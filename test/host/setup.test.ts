// The page's set-up: what the engine is given for it. And the two pure parts beside it: the pace, and the sliders' ranges.

import { describe, expect, test } from 'vitest';
import { spanOf } from '../../src/demo/controls.ts';
import { numberAt, stopOf } from '../../src/demo/elements.ts';
import { Meter, Pace } from '../../src/demo/loop.ts';
import { inputsOf, parameterOf, parametersOf, populationOf, type Setup, STANDARD } from '../../src/demo/setup.ts';
import { InputError, type Row, somas } from '../../src/index.ts';
import { refusal } from '../support/refusal.ts';

const setup = (changed: Partial<Setup>): Setup => ({ ...STANDARD, spread: {}, inputs: [], ...changed });
const { soma } = STANDARD;

describe('the parameters of a set-up', () => {
  test('are the defaults where none are given, for every soma', () => {
    for (const { name, parameters } of somas) {
      const given = parametersOf(setup({ soma: name as Setup['soma'] }));
      const defaults = Object.entries(parameters as Record<string, Row>).map(([key, row]) => [key, row.default]);
      expect(given).toEqual(Object.fromEntries(defaults));
    }
  });

  test('are spread around their value, three deviations to either side', () => {
    const given = { soma, parameters: { resistance: 0.4 }, spread: { resistance: 0.1 }, dt: 0.1 };
    const drawn = parameterOf(given, 'resistance') as { low: number; high: number };
    expect(drawn).toMatchObject({ initializer: 'truncated_normal', mean: 0.4 });
    expect([drawn.low, drawn.high]).toEqual([expect.closeTo(0.28, 9), expect.closeTo(0.52, 9)]);
  });

  test('are spread no further than they may go', () => {
    const given = { soma, parameters: { potential_tau: 0.2 }, spread: { potential_tau: 1 }, dt: 0.1 };
    expect(parameterOf(given, 'potential_tau')).toMatchObject({ low: 0.1 });
    const slope = { soma, parameters: {}, spread: { spike_slope: 2 }, dt: 0.1 };
    expect(parameterOf(slope, 'spike_slope')).toMatchObject({ low: 0.1 });
  });

  test('that are out of bounds go to the engine as they are, to be refused, spread or not', () => {
    const wrong = { soma, parameters: { spike_slope: -1 }, spread: { spike_slope: 0.1 }, dt: 0.1 };
    expect(parameterOf(wrong, 'spike_slope')).toBe(-1);
  });

  test('of another soma go along, for the engine to refuse', () => {
    expect(parametersOf(setup({ soma: 'ExponentialSoma', parameters: { cooldown: 3 } }))).toHaveProperty('cooldown', 3);
  });
});

describe('the soma of a set-up', () => {
  test('is refused where there is none of its name', () => {
    expect(refusal(() => populationOf(setup({ soma: 'Soma' as Setup['soma'] })), InputError)).toContain('unknown soma');
    expect(populationOf(setup({})).soma.name).toBe('AdaptiveExponentialSoma');
  });
});

describe('the inputs of a set-up', () => {
  test("are the engine's own where they go everywhere alike", () => {
    expect(inputsOf({ units: 9, inputs: [{ kind: 'constant', amplitude: 3 }] })).toEqual([
      { kind: 'constant', amplitude: 3 },
    ]);
    const even = inputsOf({ units: 9, inputs: [{ kind: 'constant', amplitude: 3, pattern: 'even' }] });
    expect(even).toEqual([{ kind: 'constant', amplitude: 3 }]);
  });

  test('grow from the left edge to the right one, row by row', () => {
    const [gradient] = inputsOf({ units: 9, inputs: [{ kind: 'ramp', to: 8, stop: 5, pattern: 'gradient' }] });
    expect(gradient).toMatchObject({ kind: 'ramp', to: Float32Array.of(0, 4, 8, 0, 4, 8, 0, 4, 8), stop: 5 });
  });

  test('go into the middle', () => {
    const [spot] = inputsOf({ units: 9, inputs: [{ kind: 'constant', amplitude: 1, pattern: 'spot' }] });
    const { amplitude } = spot as unknown as { amplitude: Float32Array };
    expect(amplitude[4]).toBe(1);
    expect(Math.max(...amplitude.filter((_, i) => i !== 4))).toBeLessThan(0.01);
  });

  test('run outwards as waves: at any moment a sine with a phase of its own for each neuron', () => {
    const units = 25;
    const given = { kind: 'sine', amplitude: 7, frequency: 10, phase: 0.3, offset: 2, pattern: 'waves' } as const;
    const waves = inputsOf({ units, inputs: [given] }) as unknown as {
      amplitude: Float32Array;
      phase: number;
      offset: number;
    }[];
    const at = (turn: number, neuron: number) =>
      waves.reduce(
        (sum, { amplitude, phase, offset }) => sum + offset + (amplitude[neuron] as number) * Math.sin(turn + phase),
        0,
      );
    for (const turn of [0, 1, 2.5]) {
      expect(at(turn, 12)).toBeCloseTo(2 + 7 * Math.sin(turn + 0.3), 5);
      // In the middle of an edge the wave is 1.5 turns behind.
      expect(at(turn, 10)).toBeCloseTo(2 + 7 * Math.sin(turn + 0.3 - 3 * Math.PI), 5);
    }
  });

  test('are refused as waves where they are no sine', () => {
    const waves = { kind: 'constant', amplitude: 1, pattern: 'waves' } as const;
    expect(refusal(() => inputsOf({ units: 4, inputs: [waves] }))).toContain('pattern');
  });
});

describe('a slider', () => {
  test('has the default of every parameter of every soma within its range, and comes back to it', () => {
    for (const { parameters } of somas) {
      for (const row of Object.values(parameters as Record<string, Row>)) {
        const span = spanOf(row);
        const usual = row.default as number;
        expect(usual).toBeGreaterThanOrEqual(span.from);
        expect(usual).toBeLessThanOrEqual(span.to);
        expect(Math.abs(numberAt(span, stopOf(span, usual)) - usual)).toBeLessThan(0.01 * (span.to - span.from));
      }
    }
  });
});

describe('the pace', () => {
  test('makes the steps that the speed asks for, over many frames', () => {
    const pace = new Pace();
    pace.most = 1000;
    let steps = 0;
    for (let frame = 0; frame < 600; frame++) steps += pace.due(1000 / 60, 33, 0.1);
    expect(Math.abs(steps - 3300)).toBeLessThanOrEqual(1);
  });

  test('makes no more steps than fit, and does not make up for them', () => {
    const pace = new Pace();
    pace.most = 2;
    expect(Math.max(pace.due(16, 1000, 0.1), pace.due(16, 1000, 0.1))).toBe(2);
    pace.most = 1000;
    expect(pace.due(16, 10, 0.1)).toBeLessThanOrEqual(3);
  });

  /** Where it ends where a run takes so many ms, and each step so many more. */
  function settled(run: number, step: number): number {
    const pace = new Pace();
    let sum = 0;
    for (let turn = 0; turn < 300; turn++) {
      const steps = pace.due(100, 1e5, 0.1);
      // Clocks and schedulers are not exact.
      pace.took(steps, run * (1 + 0.3 * Math.sin(turn * turn)) + step * steps);
      if (turn >= 250) sum += pace.most / 50;
    }
    return sum;
  }

  test.each([
    [1, 0.5, 40],
    [60, 0.5, 40],
    [5, 8, 2.5],
  ])('fills a turn where a run takes %d ms and a step %d more', (run, step, steps) => {
    expect(settled(run, step)).toBeGreaterThan(0.4 * steps);
    expect(settled(run, step)).toBeLessThan(3 * steps);
  });

  test('makes at least one step, however long that takes', () => {
    expect(settled(5, 500)).toBeLessThan(2);
    expect(settled(5, 500)).toBeGreaterThanOrEqual(1);
  });
});

describe('the meter', () => {
  test('counts frames, the ones that were dropped, and steps', () => {
    const meter = new Meter();
    let now = 1000;
    for (let frame = 0; frame < 180; frame++) {
      now += frame % 6 === 0 ? 2000 / 60 : 1000 / 60;
      meter.frame(now, true);
      meter.ran(now, 10, 5);
    }
    const { frames, dropped, speed, stepTook } = meter.read(now, 0.1);
    expect(frames).toBeCloseTo(51.4, 0);
    expect(dropped).toBeGreaterThanOrEqual(7);
    expect(dropped).toBeLessThanOrEqual(10);
    expect(speed).toBeGreaterThan(45);
    expect(speed).toBeLessThan(60);
    expect(stepTook).toBe(0.5);
  });

  test('counts a frame without a new picture as dropped', () => {
    const meter = new Meter();
    let now = 1000;
    for (let frame = 0; frame < 180; frame++) {
      now += 1000 / 60;
      meter.frame(now, frame % 3 === 0);
    }
    const { frames, dropped } = meter.read(now, 0.1);
    expect(frames).toBeCloseTo(20, -0.5);
    expect(dropped).toBeGreaterThanOrEqual(38);
    expect(dropped).toBeLessThanOrEqual(41);
  });
});
