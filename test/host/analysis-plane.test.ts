// The phase plane: fixed points against known ones, against the equations themselves and their derivatives, and where
// they change with the current.

import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { currentsBetween, type FixedPoint, fixedPoints, phasePlane, rheobase } from '../../src/analysis/index.ts';
import { AdaptiveExponentialSoma, ExponentialSoma, SimplifiedAdaptiveExponentialSoma } from '../../src/index.ts';
import { refusal } from '../support/refusal.ts';
import { FIXED_POINT } from '../support/tolerances.ts';

const defaults = {
  ...{ potential_rest: -70, potential_reset: -51, potential_tau: 5, resistance: 0.5, threshold: -30 },
  ...{ rheobase_threshold: -50, spike_slope: 2, adaptation_tau: 100, adaptation_subthreshold: 0.5 },
};
type Parameters = typeof defaults;

/** dV/dt and dw/dt as they are printed, mV and pA per ms. */
function flow(p: Parameters, current: number, potential: number, w: number): [number, number] {
  const v = potential - p.potential_rest;
  const onset = p.spike_slope * Math.exp((potential - p.rheobase_threshold) / p.spike_slope);
  return [
    (-v + onset - p.resistance * w + p.resistance * current) / p.potential_tau,
    (p.adaptation_subthreshold * v - w) / p.adaptation_tau,
  ];
}

const kinds = (points: readonly FixedPoint[]) => points.map(({ stability }) => stability);

describe('fixed points', () => {
  test('of the default membrane at rest are where they are known to be', () => {
    const [rest, unstable, ...more] = fixedPoints(ExponentialSoma);
    expect(Math.abs((rest?.potential ?? 0) - -69.99990919601788)).toBeLessThanOrEqual(FIXED_POINT);
    expect(Math.abs((unstable?.potential ?? 0) - -44.94407359603565)).toBeLessThanOrEqual(FIXED_POINT);
    expect(more).toEqual([]);
    expect(kinds(fixedPoints(ExponentialSoma))).toEqual(['stable node', 'unstable node']);
  });

  test('are the same for a soma whose threshold moves, and have no adaptation where there is none', () => {
    expect(fixedPoints(SimplifiedAdaptiveExponentialSoma)).toEqual(fixedPoints(ExponentialSoma));
    expect(fixedPoints(ExponentialSoma).map(({ adaptation }) => adaptation)).toEqual([0, 0]);
  });

  const number = (min: number, max: number) => fc.double({ min, max, noNaN: true });
  const neuron = fc.record({
    potential_rest: number(-90, -50),
    potential_reset: fc.constant(-60),
    potential_tau: number(1, 50),
    resistance: number(0.01, 1),
    threshold: fc.constant(20),
    rheobase_threshold: number(-49, -30),
    spike_slope: number(0.5, 5),
    adaptation_tau: number(5, 500),
    adaptation_subthreshold: number(-3, 20),
  });

  test('are where nothing changes, in order, with the eigenvalues of the derivatives there', () => {
    fc.assert(
      fc.property(neuron, number(-500, 500), (p, current) => {
        const points = fixedPoints(AdaptiveExponentialSoma, { parameters: p, current });
        expect(points.length).toBeLessThanOrEqual(2);
        if (points.length === 2) expect(points[0]?.potential).toBeLessThan(points[1]?.potential as number);
        for (const { potential, adaptation, eigenvalues } of points) {
          const [dv, dw] = flow(p, current, potential, adaptation);
          const scale = 1 + Math.abs(potential - p.potential_rest) + p.resistance * Math.abs(current);
          expect(Math.abs(dv * p.potential_tau)).toBeLessThan(1e-9 * scale);
          expect(Math.abs(dw * p.adaptation_tau)).toBeLessThan(1e-9 * (1 + Math.abs(adaptation)));
          // The Jacobian by differences: its trace is the sum of the eigenvalues, its determinant their product.
          const h = 1e-5;
          const slope = (i: 0 | 1, dV: number, dW: number) =>
            (flow(p, current, potential + dV, adaptation + dW)[i] -
              flow(p, current, potential - dV, adaptation - dW)[i]) /
            (2 * h);
          const [a, b, c, d] = [slope(0, h, 0), slope(0, 0, h), slope(1, h, 0), slope(1, 0, h)];
          const [one, two] = eigenvalues;
          if (!one || !two) throw new Error('there are two eigenvalues');
          const size = 1 + Math.abs(a) + Math.abs(d);
          expect(Math.abs(one.real + two.real - (a + d))).toBeLessThan(1e-5 * size);
          const product = one.real * two.real - one.imaginary * two.imaginary;
          expect(Math.abs(product - (a * d - b * c))).toBeLessThan(1e-5 * size * size);
          expect(one.imaginary).toBe(-two.imaginary + 0);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('are two below the saddle-node and none above; with a leak that adaptation outweighs, one at any current', () => {
    const { saddleNode } = rheobase(AdaptiveExponentialSoma);
    expect(fixedPoints(AdaptiveExponentialSoma, { current: saddleNode - 1e-6 })).toHaveLength(2);
    expect(fixedPoints(AdaptiveExponentialSoma, { current: saddleNode + 1e-6 })).toHaveLength(0);
    const parameters = { adaptation_subthreshold: -3 };
    for (const current of [-1000, 0, 1000]) {
      expect(kinds(fixedPoints(AdaptiveExponentialSoma, { parameters, current }))).toEqual(['saddle']);
    }
    // Exactly as strong as the leak: one below 0 pA, none from there on.
    const equal = { adaptation_subthreshold: -2 };
    expect(kinds(fixedPoints(AdaptiveExponentialSoma, { parameters: equal, current: -10 }))).toEqual(['saddle']);
    expect(fixedPoints(AdaptiveExponentialSoma, { parameters: equal, current: 0 })).toEqual([]);
  });

  test('lose their stability at the Hopf bifurcation, by a turn outwards, before they vanish', () => {
    const { hopf, saddleNode } = rheobase(AdaptiveExponentialSoma);
    const at = (current: number) => kinds(fixedPoints(AdaptiveExponentialSoma, { current }));
    expect(at(hopf - 1e-3)).toEqual(['stable focus', 'saddle']);
    expect(at(hopf + 1e-3)).toEqual(['unstable focus', 'saddle']);
    expect(at(saddleNode - 1e-4)).toEqual(['unstable node', 'saddle']);
    expect(at(0)).toEqual(['stable node', 'saddle']);
    const [rest] = fixedPoints(AdaptiveExponentialSoma, { current: hopf });
    expect(Math.abs(rest?.eigenvalues[0]?.real as number)).toBeLessThan(1e-9);
  });

  test('tell which of them a spike comes before', () => {
    const parameters = { threshold: -47 };
    const reached = fixedPoints(ExponentialSoma, { parameters }).map(({ belowThreshold }) => belowThreshold);
    expect(reached).toEqual([true, false]);
    expect(fixedPoints(ExponentialSoma).every(({ belowThreshold }) => belowThreshold)).toBe(true);
  });
});

describe('the phase plane', () => {
  test('has nullclines on which potential and adaptation stand still', () => {
    const current = 30;
    const plane = phasePlane(AdaptiveExponentialSoma, {
      parameters: defaults,
      current,
      from: -80,
      to: -40,
      points: 81,
    });
    expect(plane.potentials).toHaveLength(81);
    expect([plane.potentials[0], plane.potentials[40], plane.potentials[80]]).toEqual([-80, -60, -40]);
    plane.potentials.forEach((potential, i) => {
      const [dv] = flow(defaults, current, potential, plane.potentialNullcline[i] as number);
      const [, dw] = flow(defaults, current, potential, plane.adaptationNullcline[i] as number);
      expect(Math.abs(dv)).toBeLessThan(1e-12);
      expect(Math.abs(dw)).toBeLessThan(1e-12);
    });
    expect(plane.fixedPoints).toEqual(fixedPoints(AdaptiveExponentialSoma, { current }));
  });

  test('of a soma without adaptation is the current left over, 0 where a fixed point is', () => {
    const { potentials, potentialNullcline, adaptationNullcline, fixedPoints } = phasePlane(ExponentialSoma);
    expect(new Set(adaptationNullcline)).toEqual(new Set([0]));
    const [rest, unstable] = fixedPoints.map(({ potential }) => potential) as [number, number];
    potentials.forEach((potential, i) => {
      const rises = potential < rest || potential > unstable;
      expect(Math.sign(potentialNullcline[i] as number)).toBe(rises ? 1 : -1);
    });
  });

  test('reaches by default beyond rest, reset and the onset of the exponential', () => {
    const { potentials } = phasePlane(AdaptiveExponentialSoma);
    expect([potentials.length, potentials[0], potentials.at(-1)]).toEqual([201, -80, -40]);
    const high = phasePlane(AdaptiveExponentialSoma, { parameters: { potential_reset: -45 } });
    expect(high.potentials.at(-1)).toBe(-35);
    const low = phasePlane(AdaptiveExponentialSoma, { parameters: { potential_reset: -85 } });
    expect(low.potentials[0]).toBe(-95);
  });

  test('stays finite far up, as the engine does', () => {
    const { potentialNullcline } = phasePlane(AdaptiveExponentialSoma, { to: 1e6 });
    expect(potentialNullcline.every(Number.isFinite)).toBe(true);
  });

  test.each([
    [
      'an unknown option',
      { steps: 3 },
      { points: 3 },
      'unknown option of phasePlane: "steps"; known: parameters, current',
    ],
    ['a current that is no number', { current: '3' }, { current: 3 }, 'current: is no number, got "3"; give pA'],
    ['one point', { points: 1 }, { points: 2 }, 'points: must be at least 2'],
    ['half a point', { points: 2.5 }, { points: 3 }, 'points: is no whole number'],
    ['ends the wrong way round', { from: -40, to: -50 }, { from: -50, to: -40 }, 'to: is not above from, -40, got -50'],
    ['an end that is not finite', { from: -Infinity }, { from: -100 }, 'from: is not finite'],
  ])('refuses %s', (_, wrong, right, says) => {
    expect(refusal(() => phasePlane(AdaptiveExponentialSoma, wrong as never))).toContain(says);
    expect(phasePlane(AdaptiveExponentialSoma, right as never).fixedPoints).toHaveLength(2);
  });

  test('refuses for its fixed points what it refuses itself', () => {
    const options = { currents: 3 } as never;
    expect(refusal(() => fixedPoints(ExponentialSoma, options))).toContain('unknown option of fixedPoints: "currents"');
    expect(refusal(() => fixedPoints(ExponentialSoma, { current: Number.NaN }))).toContain('current: is not finite');
    expect(fixedPoints(ExponentialSoma, { current: 3 })).toHaveLength(2);
  });
});

describe('currents between two', () => {
  test('are evenly spaced, both ends included', () => {
    expect(Array.from(currentsBetween(-50, 50, 5))).toEqual([-50, -25, 0, 25, 50]);
    expect(currentsBetween(0.1, 0.7, 7).at(-1)).toBe(0.7);
  });

  test.each([
    ['one point', [0, 1, 1], 'points: must be at least 2'],
    ['ends that are the same', [1, 1, 2], 'to: is not above from, 1'],
    ['an end that is NaN', [Number.NaN, 1, 2], 'from: is not finite'],
  ] as const)('refuse %s', (_, [from, to, points], says) => {
    expect(refusal(() => currentsBetween(from, to, points))).toContain(says);
  });
});
