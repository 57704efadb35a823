// From what a user wrote to what a device takes: times in steps, ranges with their edges, the linear part, states
// relative to rest, and values from initializers.

import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { distribution } from '../../src/distributions.ts';
import { InputError } from '../../src/errors.ts';
import { constant, uniform, type Value } from '../../src/initializers.ts';
import {
  defaultStates,
  firstStepAt,
  onDevice,
  type Plane,
  resolveParameters,
  resolveStates,
  type Scope,
  wholeSteps,
} from '../../src/parameters.ts';
import {
  AdaptiveExponentialSoma,
  ExponentialSoma,
  RefractoryExponentialSoma,
  type Row,
  SimplifiedAdaptiveExponentialSoma,
  type Soma,
} from '../../src/somas.ts';
import { refusal } from '../support/refusal.ts';

const [eif, refractory, adex, simplified] = [
  ExponentialSoma,
  RefractoryExponentialSoma,
  AdaptiveExponentialSoma,
  SimplifiedAdaptiveExponentialSoma,
];

const scopeOf = (soma: Soma, change: Partial<Scope> = {}): Scope => ({
  path: 'cells.parameters',
  owner: soma.name,
  population: 'cells',
  neurons: 4,
  dt: 0.1,
  seed: 7,
  ...change,
});

const parametersOf = (soma: Soma, given: unknown, change: Partial<Scope> = {}): Record<string, Plane> =>
  resolveParameters(soma.parameters, given, scopeOf(soma, change));

function statesOf(soma: Soma, given: unknown, parameters: Record<string, Value> = {}): Record<string, Plane> {
  const scope = scopeOf(soma, { path: 'cells.initial' });
  return resolveStates(soma.states, given, parametersOf(soma, parameters), scope);
}

describe('a duration in whole steps', () => {
  test.each([
    [
      0.1,
      [
        [0.15, 2],
        [0.25, 2],
        [0.35, 4],
        [0.95, 10],
        [0, 0],
        [0.04, 0],
        [0.06, 1],
        [2, 20],
      ],
    ],
    [
      1,
      [
        [0.5, 0],
        [1.5, 2],
        [2.5, 2],
        [3.5, 4],
        [4.5, 4],
        [0.49, 0],
        [0.51, 1],
        [7, 7],
      ],
    ],
    [
      0.25,
      [
        [0.125, 0],
        [0.375, 2],
        [0.625, 2],
        [2, 8],
      ],
    ],
  ] as [number, [number, number][]][])(
    'is the nearest number of them, halves to the even one, at dt %s',
    (dt, cases) => {
      expect(cases.map(([ms]) => [ms, wholeSteps(ms, dt)])).toEqual(cases);
    },
  );

  test('is exact for whole multiples of common time steps', () => {
    for (const dt of [0.01, 0.05, 0.1, 0.2, 0.5, 1]) {
      for (let steps = 0; steps < 1000; steps++) expect(wholeSteps(steps * dt, dt)).toBe(steps);
    }
  });

  test('replaces, on the device, what is given in ms, and nothing else', () => {
    const { cooldown, potential_tau } = refractory.parameters as Record<string, Row>;
    expect(onDevice(cooldown as Row, 0.35, 0.1)).toBe(4);
    expect(onDevice(cooldown as Row, Float32Array.of(0.15, 0.95), 0.1)).toEqual(Float32Array.of(2, 10));
    expect(onDevice(potential_tau as Row, 0.35, 0.1)).toBe(0.35);
  });
});

describe('the first step at or after a moment', () => {
  test('is the multiple itself for decimal multiples of decimal time steps, and the next one right after it', () => {
    const decimal = fc.constantFrom(0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.25, 0.5, 1);
    fc.assert(
      fc.property(decimal, fc.integer({ min: 0, max: 10_000_000 }), (dt, step) => {
        const written = Number((dt * step).toFixed(3));
        expect(firstStepAt(written, dt)).toBe(step);
        expect(firstStepAt(dt * step, dt)).toBe(step);
        expect(firstStepAt(written + dt * 0.001, dt)).toBe(step + 1);
        expect(firstStepAt(written + dt * 0.999, dt)).toBe(step + 1);
      }),
      { numRuns: 500 },
    );
  });

  test('forgives a millionth of a step and no more', () => {
    expect(firstStepAt(3 + 0.9e-6, 1)).toBe(3);
    expect(firstStepAt(3 + 1.1e-6, 1)).toBe(4);
  });

  test('is neither negative nor beyond what 32 bits count', () => {
    expect(Object.is(firstStepAt(-5, 0.1), 0)).toBe(true);
    expect(Object.is(firstStepAt(0, 0.1), 0)).toBe(true);
    expect(firstStepAt(1e12, 0.1)).toBe(4294967295);
  });
});

describe('parameters', () => {
  test('are the defaults where none is given, and undefined counts as not given', () => {
    const defaults = { potential_rest: -70, potential_reset: -51, potential_tau: 5, resistance: 0.5, threshold: -30 };
    const all = { ...defaults, rheobase_threshold: -50, spike_slope: 2 };
    expect(parametersOf(eif, {})).toEqual(all);
    expect(parametersOf(eif, { resistance: undefined })).toEqual(all);
    expect(parametersOf(eif, { resistance: 1 })).toEqual({ ...all, resistance: 1 });
  });

  test('are float32 numbers, one for all from a number or a constant, one each from an array or a uniform', () => {
    expect(parametersOf(eif, { resistance: 0.3 }).resistance).toBe(Math.fround(0.3));
    expect(parametersOf(eif, { resistance: constant(0.3) }).resistance).toBe(Math.fround(0.3));
    expect(parametersOf(eif, { resistance: uniform(0.3, 0.3) }).resistance).toBe(Math.fround(0.3));
    const values = Float32Array.of(0.1, 0.2, 0.3, 0.4);
    expect(parametersOf(eif, { resistance: [0.1, 0.2, 0.3, 0.4] }).resistance).toEqual(values);
    expect(parametersOf(eif, { resistance: values }).resistance).toEqual(values);
    expect(parametersOf(eif, { resistance: uniform(0, 1) }).resistance).toHaveLength(4);
  });

  test('are copied from an array, which stays the user’s', () => {
    const values = Float32Array.of(0.1, 0.2, 0.3, 0.4);
    const { resistance } = parametersOf(eif, { resistance: values });
    values.fill(9);
    expect(resistance).toEqual(Float32Array.of(0.1, 0.2, 0.3, 0.4));
  });
});

const NAN = Number.NaN;
const steps = 2 ** 24 - 2;

/** Neither JSON nor String() has words for it. */
function itself(): object {
  const object = Object.create(null);
  object.itself = object;
  return object;
}

// Each refused value stands beside one that is just allowed.
const ranges: [string, Soma, string, Value, Value, string][] = [
  ['a slope of zero', eif, 'spike_slope', 0, 1e-30, 'must be greater than 0'],
  ['a slope that float32 rounds away', eif, 'spike_slope', 1e-39, 1.2e-38, 'is too small for float32'],
  ['a slope above 1000', eif, 'spike_slope', 1000.001, 1000, 'must be at most 1000'],
  ['a membrane faster than the step', eif, 'potential_tau', 0.0999, 0.1, 'must not be below the time step of 0.1 ms'],
  ['a membrane without time', eif, 'potential_tau', 0, 5, 'must be greater than 0'],
  ['an adaptation faster than the step', adex, 'adaptation_tau', 0.0999, 0.1, 'must not be below the time step'],
  ['a threshold without time', simplified, 'threshold_tau', 0, 0.001, 'must be greater than 0'],
  ['a negative time', simplified, 'threshold_tau', -1, 1, 'must be greater than 0'],
  ['a negative cooldown', refractory, 'cooldown', -0.1, 0, 'must be at least 0'],
  ['a great number', eif, 'resistance', 1.0001e9, 1e9, 'is too large'],
  ['a great negative number', eif, 'resistance', -1.0001e9, -1e9, 'is too large'],
  ['no number at all', eif, 'resistance', NAN, 0, 'is not finite'],
  ['infinity', eif, 'resistance', Infinity, 0, 'is not finite'],
  ['a text', eif, 'resistance', '2' as unknown as Value, 2, 'not a value, got "2"'],
  ['null', eif, 'resistance', null as unknown as Value, 0, 'not a value, got null'],
  ['true', eif, 'resistance', true as unknown as Value, 1, 'not a value, got true'],
  [
    'an object of JSON that looks like a list',
    eif,
    'resistance',
    { length: 4, 0: 1, 1: 2, 2: 3, 3: 4 },
    [1, 2, 3, 4],
    'not a value, got {"0":1,"1":2,"2":3,"3":4,"length":4}',
  ],
  ['an object of nothing', eif, 'resistance', Object.create(null), 1, 'not a value, got {}'],
  [
    'an object that has no text',
    eif,
    'resistance',
    itself() as unknown as Value,
    1,
    'not a value, got [object Object]',
  ],
  [
    'a text in an array',
    eif,
    'resistance',
    [1, 2, '3', 4] as unknown as Value,
    [1, 2, 3, 4],
    '[2]: is no number, got "3"',
  ],
  ['a bad number in an array', eif, 'spike_slope', [1, 2, 3, 0], [1, 2, 3, 1000], '[3]: must be greater than 0, got 0'],
  ['NaN in an array', eif, 'threshold', Float32Array.of(1, NAN, 3, 4), [1, 2, 3, 4], '[1]: is not finite, got NaN'],
  ['too few values', eif, 'threshold', [1, 2, 3], [1, 2, 3, 4], 'has 3 values for 4 neurons'],
  ['too many values', eif, 'threshold', [1, 2, 3, 4, 5], [1, 2, 3, 4], 'has 5 values for 4 neurons'],
  [
    'an interval that begins too low',
    eif,
    'spike_slope',
    uniform(0, 2),
    uniform(0.1, 2),
    'must be greater than 0, got 0',
  ],
  ['an interval that ends too high', eif, 'spike_slope', uniform(1, 1001), uniform(1, 1000), 'must be at most 1000'],
  ['a constant out of range', eif, 'spike_slope', constant(-1), constant(1), 'must be greater than 0, got -1'],
  ['an interval turned round', eif, 'threshold', uniform(2, 1), uniform(1, 2), '.low: is greater than high'],
  [
    'an endless interval',
    eif,
    'threshold',
    uniform(0, Infinity),
    uniform(0, 1),
    '.high: the initializer uniform wants',
  ],
  [
    'an interval with one end',
    eif,
    'threshold',
    { initializer: 'uniform', low: 1 } as Value,
    { initializer: 'uniform', low: 1, high: 2 },
    '.high: the initializer uniform wants a finite number here, got null',
  ],
  [
    'a key that an initializer has not',
    eif,
    'threshold',
    { initializer: 'uniform', low: 1, hihg: 2 } as unknown as Value,
    { initializer: 'uniform', low: 1, high: 2 },
    'unknown key "hihg" of the initializer uniform; did you mean "high"?',
  ],
  [
    'an initializer that is not there',
    eif,
    'threshold',
    { initializer: 'unifrom', low: 1, high: 2 } as unknown as Value,
    { initializer: 'uniform', low: 1, high: 2 },
    '.initializer: unknown initializer, got "unifrom"; did you mean "uniform"?',
  ],
];

describe('refused with path, value and reason', () => {
  test.each(ranges)('is %s (%#)', (_, soma, name, wrong, right, reason) => {
    const message = refusal(() => parametersOf(soma, { [name]: wrong }));
    expect(message).toContain(reason);
    expect(message).toMatch(new RegExp(`^cells\\.parameters\\.${name}[.[:]`));
    expect(() => parametersOf(soma, { [name]: right })).not.toThrow();
  });

  test('is a cooldown of more steps than float32 counts', () => {
    const message = refusal(() => parametersOf(refractory, { cooldown: steps + 1 }, { dt: 1 }));
    expect(message).toContain(`cells.parameters.cooldown: must not be longer than ${steps} steps of 1 ms`);
    expect(parametersOf(refractory, { cooldown: steps }, { dt: 1 }).cooldown).toBe(steps);
    expect(Math.fround(steps + 1)).toBe(steps + 1);
  });

  test('is an unknown name, with the nearest one, or the somas that have it', () => {
    const message = (soma: Soma, name: string) => refusal(() => parametersOf(soma, { [name]: 1 }));
    expect(message(eif, 'toString')).toContain('unknown parameter "toString" of ExponentialSoma; known: ');
    expect(message(adex, 'spike_slop')).toContain(
      'unknown parameter "spike_slop" of AdaptiveExponentialSoma; did you mean "spike_slope"?',
    );
    expect(message(eif, 'adaptation_tau')).toContain(
      'AdaptiveExponentialSoma and RefractoryAdaptiveExponentialSoma have it',
    );
    expect(message(eif, 'cooldown')).toContain(
      'RefractoryAdaptiveExponentialSoma and RefractoryExponentialSoma and SimplifiedAdaptiveExponentialSoma have it',
    );
    expect(() => parametersOf(adex, { spike_slope: 1, adaptation_tau: 1 })).not.toThrow();
  });

  test.each([[null], [[]], ['x'], [3]])('is %j in the place of names with values', (given) => {
    expect(refusal(() => parametersOf(eif, given))).toContain('cells.parameters: is no object');
    expect(() => parametersOf(eif, {})).not.toThrow();
  });
});

/** log2 of the spectral radius, by Gelfand: the norm of the 2^40-th power, squared in float64 with its scale aside. */
function growth(matrix: [number, number, number, number]): number {
  let [a, b, c, d] = matrix;
  let exponent = 0;
  for (let k = 0; k < 40; k++) {
    [a, b, c, d] = [a * a + b * c, b * (a + d), c * (a + d), b * c + d * d];
    const norm = Math.max(Math.abs(a), Math.abs(b), Math.abs(c), Math.abs(d));
    if (norm === 0) return -Infinity;
    [a, b, c, d] = [a / norm, b / norm, c / norm, d / norm];
    exponent += Math.log2(norm) / 2 ** (k + 1);
  }
  return exponent;
}

describe('the linear part', () => {
  const [dt, tau, tauW, resistance] = [0.1, 5, 100, 0.5];
  const [k, b] = [dt / tau, dt / tauW];
  const attempt = (subthreshold: Value) => () => parametersOf(adex, { adaptation_subthreshold: subthreshold });
  // Below: a real eigenvalue of 1 + e, to first order in e. Above: a complex pair of modulus sqrt(determinant).
  const below = (e: number) => -(1 + (e * (k + b)) / (k * b)) / resistance;
  const above = (e: number) => ((1 + e) ** 2 - (1 - k) * (1 - b)) / (k * b) / resistance;

  test.each([
    ['below, where adaptation feeds the potential', below],
    ['above, where both swing', above],
  ])('is accepted at a spectral radius of exactly 1 and refused from a millionth more on: %s', (_, subthreshold) => {
    expect(attempt(subthreshold(0))).not.toThrow();
    expect(attempt(subthreshold(0.9e-6))).not.toThrow();
    expect(refusal(attempt(subthreshold(1.1e-6)))).toContain(
      'cells.parameters.adaptation_subthreshold: makes the neuron unstable below threshold (spectral radius 1.000001 ',
    );
  });

  test('is exactly 1 at a subthreshold adaptation of minus one over the resistance', () => {
    expect(below(0)).toBe(-1 / resistance);
    expect(attempt(-2)).not.toThrow();
    expect(attempt(-2.01)).toThrow(InputError);
  });

  test('is judged neuron by neuron', () => {
    expect(refusal(attempt([0.5, -2, -2.1, -3]))).toContain('adaptation_subthreshold[2]: makes the neuron unstable');
    expect(attempt([0.5, -2, -1, 0])).not.toThrow();
    const mixed = { resistance: [0.5, 0.5, 0.5, 0.6], adaptation_subthreshold: -2 };
    expect(refusal(() => parametersOf(adex, mixed))).toContain('adaptation_subthreshold[3]');
    expect(() => parametersOf(adex, { ...mixed, resistance: [0.5, 0.5, 0.5, 0.4] })).not.toThrow();
  });

  test('is refused where, and only where, repeated steps grow', () => {
    const between = (min: number, max: number) => fc.double({ min, max, noNaN: true }).map(Math.fround);
    fc.assert(
      fc.property(between(0.2, 20), between(0.2, 300), between(0.01, 2), between(-20, 20), (tau, tauW, r, a) => {
        const log2 = growth([1 - dt / tau, (-dt * r) / tau, (a * dt) / tauW, 1 - dt / tauW]);
        const excess = 2 ** log2 - 1 - 1e-6;
        fc.pre(Math.abs(excess) > 1e-9);
        const given = { potential_tau: tau, adaptation_tau: tauW, resistance: r, adaptation_subthreshold: a };
        if (excess > 0) expect(() => parametersOf(adex, given)).toThrow('unstable below threshold');
        else expect(() => parametersOf(adex, given)).not.toThrow();
      }),
      { numRuns: 500 },
    );
  });

  test('is no concern of somas without adaptation', () => {
    expect(() => parametersOf(eif, { resistance: 1e9 })).not.toThrow();
    expect(() => parametersOf(simplified, { threshold_delta: 1e9 })).not.toThrow();
  });
});

describe('states', () => {
  const near = -70 + 1e-6;

  test.each([
    ['a number', near],
    ['a constant', constant(near)],
    ['an array', [near, near, near, near]],
  ] as [string, Value][])('are taken relative to rest in float64 and rounded once, from %s', (_, value) => {
    const { potential } = statesOf(adex, { potential: value });
    const expected = Math.fround(near + 70);
    expect(expected).toBeGreaterThan(0);
    expect(Math.fround(near)).toBe(-70);
    expect(potential).toEqual(typeof potential === 'number' ? expected : new Float32Array(4).fill(expected));
  });

  test('are relative to the rest of their own neuron', () => {
    const rests = { potential_rest: [-70, -60, -50, -40] };
    expect(statesOf(adex, { potential: -55 }, rests).potential).toEqual(Float32Array.of(15, 5, -5, -15));
    expect(statesOf(adex, { potential: [-70, -60, -50, -41] }, rests).potential).toEqual(Float32Array.of(0, 0, 0, -1));
  });

  test('without an origin are what was given; only those given are there', () => {
    expect(statesOf(adex, { adaptation: 12.5 })).toEqual({ adaptation: 12.5 });
    expect(statesOf(refractory, { blocked: [0, 1, 2, 3], potential: undefined })).toEqual({
      blocked: Float32Array.of(0, 1, 2, 3),
    });
  });

  test('of a threshold are relative to rest, as the potential is', () => {
    expect(statesOf(simplified, { threshold: -20 })).toEqual({ threshold: 50 });
  });

  test.each([
    ['potential', NAN, -70, 'is not finite'],
    ['potential', 1.1e9, 1e9, 'is too large'],
    ['potential', -1.1e9, -1e9, 'is too large'],
    ['blocked', -1, 0, 'must be at least 0'],
    ['blocked', 1.5, 2, 'must be a whole number up to 2^24'],
    ['blocked', 2 ** 24 + 2, 2 ** 24, 'must be a whole number up to 2^24'],
    ['potential', [1, 2], [1, 2, 3, 4], 'has 2 values for 4 neurons'],
  ] as [string, Value, Value, string][])('are refused out of range: %s %j', (name, wrong, right, reason) => {
    const message = refusal(() => statesOf(refractory, { [name]: wrong }));
    expect(message).toContain(`cells.initial.${name}: ${reason}`);
    expect(() => statesOf(refractory, { [name]: right })).not.toThrow();
  });

  test('are refused by an unknown name', () => {
    const message = refusal(() => statesOf(eif, { potenial: 1 }));
    expect(message).toContain('unknown state "potenial" of ExponentialSoma; did you mean "potential"?');
    expect(() => statesOf(eif, { potential: 1 })).not.toThrow();
  });

  test('start at rest, without adaptation, blocked for one step, the threshold at its base', () => {
    const start = (soma: Soma, given: Record<string, Value> = {}) =>
      defaultStates(soma.states, parametersOf(soma, given));
    expect(start(eif)).toEqual({ potential: 0 });
    expect(start(adex)).toEqual({ potential: 0, adaptation: 0 });
    expect(start(refractory)).toEqual({ potential: 0, blocked: 1 });
    expect(start(simplified)).toEqual({ potential: 0, blocked: 1, threshold: 40 });
  });

  test('start so for every neuron, whether rest or threshold or both are arrays', () => {
    const [rest, threshold] = [
      [-70, -60, -50, -40],
      [-30, -31, -32, -33],
    ];
    const start = (given: Record<string, Value>) => defaultStates(simplified.states, parametersOf(simplified, given));
    expect(start({ potential_rest: rest as number[] })).toEqual({
      potential: new Float32Array(4),
      blocked: 1,
      threshold: Float32Array.of(40, 30, 20, 10),
    });
    expect(start({ threshold: threshold as number[] })).toEqual({
      potential: 0,
      blocked: 1,
      threshold: Float32Array.of(40, 39, 38, 37),
    });
    expect(start({ potential_rest: rest as number[], threshold: threshold as number[] }).threshold).toEqual(
      Float32Array.of(40, 29, 18, 7),
    );
  });
});

describe('uniform values', () => {
  test('stay from low to high, as float32 has them, whatever the interval and the seed', () => {
    const bound = fc.double({ min: -1e9, max: 1e9, noNaN: true });
    fc.assert(
      fc.property(bound, bound, fc.integer({ min: 0, max: 4294967295 }), (one, other, seed) => {
        const [low, high] = [Math.min(one, other), Math.max(one, other)];
        const { threshold } = parametersOf(eif, { threshold: uniform(low, high) }, { neurons: 50, seed });
        for (const value of typeof threshold === 'number' ? [threshold] : (threshold as Float32Array)) {
          expect(value).toBeGreaterThanOrEqual(Math.fround(low));
          expect(value).toBeLessThanOrEqual(Math.fround(high));
        }
      }),
      { numRuns: 200 },
    );
  });

  test('stay there at the least and the greatest draw there is', () => {
    const { sampler, support } = distribution(uniform(-70, -55), 'x', [1]);
    const value = (draws: () => number) => sampler(draws)(0);
    expect(support).toEqual([-70, -55]);
    const ends = [0.5, 4294967295.5].map((draw) => value(() => draw / 4294967296));
    expect(ends[0]).toBeGreaterThan(-70);
    expect(ends[1]).toBeLessThan(-55);
    expect(ends.map(Math.round)).toEqual([-70, -55]);
    expect(value(() => 0.5)).toBe(-62.5);
  });

  test('are made of the first draw of their own neuron', () => {
    const value = distribution(uniform(0, 4), 'x', [4]).sampler((neuron, draw) => (neuron + 10 * draw) / 4);
    expect([0, 1, 2, 3].map((neuron) => value(neuron))).toEqual([0, 1, 2, 3]);
  });

  test('of a state are relative to rest in float64 and rounded once, so that an interval of a millionth has many', () => {
    const { potential } = statesOf(adex, { potential: uniform(-70, -70 + 1e-6) });
    const values = [...(potential as Float32Array)];
    expect(new Set(values).size).toBe(4);
    expect(Math.min(...values)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...values)).toBeLessThanOrEqual(Math.fround(1e-6));
  });

  test('of a state that counts are whole numbers within the interval, and of others they are not', () => {
    const draw = (state: string) =>
      resolveStates(
        refractory.states,
        { [state]: uniform(2, 5) },
        parametersOf(refractory, { potential_rest: 0 }),
        scopeOf(refractory, { neurons: 200 }),
      )[state] as Float32Array;
    expect([...new Set(draw('blocked'))].sort()).toEqual([2, 3, 4, 5]);
    expect(draw('potential').filter(Number.isInteger).length).toBeLessThan(5);
  });

  test('are the same for the same seed, whatever the number of neurons, and others for another seed or parameter', () => {
    const draw = (name: string, change: Partial<Scope> = {}) =>
      parametersOf(eif, { [name]: uniform(0.2, 1) }, { neurons: 100, ...change })[name] as Float32Array;
    const values = draw('resistance');
    expect(draw('resistance')).toEqual(values);
    expect(draw('resistance', { neurons: 1000 }).subarray(0, 100)).toEqual(values);
    for (const other of [
      draw('resistance', { seed: 8 }),
      draw('resistance', { population: 'others' }),
      draw('spike_slope'),
    ])
      expect(other.filter((value, i) => value === values[i]).length).toBeLessThan(5);
  });
});
