// Rheobases in closed form, against those of the published protocols; where they are looked for, and what is refused.

import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fiCurve, findRheobase, fixedPoints, rheobase } from '../../src/analysis/index.ts';
import {
  AdaptiveExponentialSoma,
  ExponentialSoma,
  RefractoryExponentialSoma,
  SimplifiedAdaptiveExponentialSoma,
  type Soma,
  uniform,
} from '../../src/index.ts';
import { protocols, somas } from '../support/reference.ts';
import { refusal, rejection } from '../support/refusal.ts';
import { CLOSED } from '../support/tolerances.ts';

/** Equal but for roundings; what the protocols have as null is NaN. */
function near(value: number, wanted: number | null | undefined): void {
  if (wanted === null || wanted === undefined) expect(value).toBeNaN();
  else expect(Math.abs(value / wanted - 1)).toBeLessThanOrEqual(CLOSED);
}

describe('the rheobase in closed form', () => {
  test.each(protocols.map((protocol) => [protocol.name, protocol] as const))('is that of %s', (_, protocol) => {
    const { saddleNode, hopf, current, kind } = rheobase(somas[protocol.soma] as Soma, protocol.params);
    const { EIF_pA, I_saddle_node_pA, I_hopf_pA, AdEx_type } = protocol.rheobase;
    near(saddleNode, AdEx_type === undefined ? EIF_pA : I_saddle_node_pA);
    near(hopf, I_hopf_pA);
    near(current, I_hopf_pA ?? (AdEx_type === undefined ? EIF_pA : I_saddle_node_pA));
    const named = kind === 'hopf' ? 'II (Hopf)' : 'I (saddle-node)';
    if (AdEx_type !== undefined && kind !== 'none') expect(named).toBe(AdEx_type);
  });

  test('is 36 pA of the default membrane, whatever soma it is in, and 46.044 with adaptation', () => {
    for (const soma of [ExponentialSoma, RefractoryExponentialSoma, SimplifiedAdaptiveExponentialSoma]) {
      expect(rheobase(soma as Soma)).toEqual({ current: 36, kind: 'saddle-node', saddleNode: 36, hopf: Number.NaN });
    }
    const { current, kind, saddleNode, hopf } = rheobase(AdaptiveExponentialSoma);
    expect([current, saddleNode, hopf].map((pA) => pA.toFixed(3))).toEqual(['46.044', '46.116', '46.044']);
    expect(kind).toBe('hopf');
  });

  test('is (rheobase_threshold - rest - slope) / resistance of the published membranes', () => {
    const rest = { potential_rest: -65, threshold: -30 };
    const fourcaud = { ...rest, resistance: 0.04, rheobase_threshold: -59.9, spike_slope: 3.48 };
    expect(rheobase(ExponentialSoma, fourcaud).current).toBeCloseTo(40.5, 10);
    const neurodynex = { ...rest, resistance: 0.02, rheobase_threshold: -55, spike_slope: 2 };
    expect(rheobase(ExponentialSoma, neurodynex).current).toBeCloseTo(400, 10);
  });

  test('is the current that holds the potential at a threshold below the onset of the exponential', () => {
    const { current, kind, saddleNode } = rheobase(ExponentialSoma, { threshold: -60 });
    expect(kind).toBe('threshold');
    expect(saddleNode).toBe(36);
    const [rest] = fixedPoints(ExponentialSoma, { parameters: { threshold: -60 }, current });
    expect(rest?.potential).toBeCloseTo(-60, 9);
  });

  test('is NaN where adaptation pushes the potential as hard as the leak pulls it', () => {
    const none = { current: Number.NaN, kind: 'none', saddleNode: Number.NaN, hopf: Number.NaN };
    expect(rheobase(AdaptiveExponentialSoma, { adaptation_subthreshold: -2 })).toEqual(none);
    expect(rheobase(AdaptiveExponentialSoma, { adaptation_subthreshold: -1.9 }).kind).toBe('saddle-node');
  });

  const neuron = fc.record({
    potential_rest: fc.double({ min: -90, max: -50, noNaN: true }),
    potential_tau: fc.double({ min: 1, max: 50, noNaN: true }),
    resistance: fc.double({ min: 0.01, max: 1, noNaN: true }),
    rheobase_threshold: fc.double({ min: -49, max: -30, noNaN: true }),
    spike_slope: fc.double({ min: 0.5, max: 5, noNaN: true }),
    adaptation_tau: fc.double({ min: 5, max: 500, noNaN: true }),
    adaptation_subthreshold: fc.double({ min: -0.9, max: 20, noNaN: true }),
    threshold: fc.constant(20),
  });

  test('is where the stable fixed point ends: there just below it, gone or unstable just above', () => {
    const stable = (parameters: object, current: number) =>
      fixedPoints(AdaptiveExponentialSoma, { parameters, current }).some(({ stability }) =>
        stability.startsWith('stable'),
      );
    fc.assert(
      fc.property(neuron, (parameters) => {
        const { current } = rheobase(AdaptiveExponentialSoma, parameters);
        const hair = 1e-6 * Math.max(1, Math.abs(current));
        expect(stable(parameters, current - hair)).toBe(true);
        expect(stable(parameters, current + hair)).toBe(false);
      }),
      { numRuns: 300 },
    );
  });
});

describe('parameters are refused', () => {
  const attempts: [string, object, object, string[]][] = [
    ['an unknown name', { spike_slop: 2 }, { spike_slope: 2 }, ['parameters', '"spike_slop"', 'spike_slope']],
    ["another soma's", { cooldown: 2 }, { threshold: -20 }, ['"cooldown"', 'of ExponentialSoma']],
    ['a list', { resistance: [0.5, 0.4] }, { resistance: 0.4 }, ['parameters.resistance', 'not one number', 'GOhm']],
    [
      'an initializer',
      { resistance: uniform(0.4, 0.5) },
      { resistance: 0.4 },
      ['parameters.resistance', 'not one number'],
    ],
    ['NaN', { potential_rest: Number.NaN }, { potential_rest: -71 }, ['parameters.potential_rest', 'not finite']],
    ['text', { potential_rest: '-70' }, { potential_rest: -70 }, ['parameters.potential_rest', 'no number', '"-70"']],
    [
      'a slope of 0',
      { spike_slope: 0 },
      { spike_slope: 0.1 },
      ['parameters.spike_slope', 'out of range', '> 0', 'default 2'],
    ],
    [
      'a slope above 1000',
      { spike_slope: 1001 },
      { spike_slope: 1000, rheobase_threshold: 2000, threshold: 5000 },
      ['parameters.spike_slope', '<= 1000'],
    ],
    ['a resistance of 0', { resistance: 0 }, { resistance: 1e-3 }, ['parameters.resistance', 'greater than 0']],
  ];

  test.each(attempts)('%s', (_, wrong, right, says) => {
    const message = refusal(() => rheobase(ExponentialSoma, wrong));
    for (const words of says) expect(message).toContain(words);
    expect(rheobase(ExponentialSoma, right).kind).toBe('saddle-node');
    expect(refusal(() => fixedPoints(ExponentialSoma, { parameters: wrong }))).toBe(message);
    expect(fixedPoints(ExponentialSoma, { parameters: right })).toHaveLength(2);
  });

  test('no object, and what is no soma', () => {
    expect(refusal(() => rheobase(ExponentialSoma, 3 as never))).toContain('parameters: is no object');
    expect(refusal(() => rheobase({ name: 'Other', parameters: {} } as never))).toContain(
      'soma: is no exponential soma',
    );
    expect(refusal(() => rheobase(undefined as never))).toContain('soma: is no exponential soma');
  });
});

describe('a short run refuses, before anything runs', () => {
  const curves: [string, object, string][] = [
    ['an unknown option', { currents: [1], durations: 3 }, 'unknown option of fiCurve: "durations"; known: parameters'],
    ['no currents', {}, 'currents: is no list of currents'],
    ['an empty list of currents', { currents: [] }, 'currents: is no list of currents'],
    ['a current that is NaN', { currents: [1, Number.NaN] }, 'currents[1]: is not finite, got NaN'],
    ['a current beyond what a step can take', { currents: [1e13] }, 'currents[0]: must be at most 1000000000000'],
    ['a duration of 0', { currents: [1], duration: 0 }, 'duration: must be greater than 0'],
    [
      'a settle that leaves nothing',
      { currents: [1], duration: 5, settle: 5 },
      'settle: leaves nothing of the duration',
    ],
    ['a negative settle', { currents: [1], settle: -1 }, 'settle: must be at least 0'],
  ];
  test.each(curves)('of an f-I curve %s', async (_, options, says) => {
    expect(await rejection(fiCurve(ExponentialSoma, options as never))).toContain(says);
  });

  const searches: [string, object, string][] = [
    ['an unknown option', { step: 1 }, 'unknown option of findRheobase: "step"; known: parameters, settle'],
    ['parameters that are a list', { parameters: { resistance: [1] } }, 'parameters.resistance: is not one number'],
    ['ends the wrong way round', { from: 3, to: 2 }, 'to: is not above from, 3, got 2'],
    ['an end that is not finite', { to: Infinity }, 'to: is not finite'],
    ['a precision of 0', { precision: 0 }, 'precision: must be greater than 0'],
    ['two neurons', { neurons: 2 }, 'neurons: must be at least 3'],
    ['half a neuron', { neurons: 3.5 }, 'neurons: is no whole number'],
    ['a settle that leaves nothing', { duration: 5, settle: 6 }, 'settle: leaves nothing of the duration'],
  ];
  test.each(searches)('of a search %s', async (_, options, says) => {
    expect(await rejection(findRheobase(ExponentialSoma, options as never))).toContain(says);
  });
});
