// Initializers as values of parameters, states and amplitudes: what could leave a range is refused with bounds that
// would be right, and so are fields that make no sense; each refusal beside what is taken.

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { readExperiment } from '../../src/experiment.ts';
import {
  gamma,
  type Initializer,
  lognormal,
  normal,
  sparse,
  truncatedNormal,
  uniform,
  type Value,
} from '../../src/initializers.ts';
import { resolveInputs } from '../../src/inputs.ts';
import { onDevice, resolveParameters, resolveStates } from '../../src/parameters.ts';
import { uniforms } from '../../src/random.ts';
import {
  AdaptiveExponentialSoma,
  RefractoryExponentialSoma,
  type Row,
  SimplifiedAdaptiveExponentialSoma,
  type Soma,
} from '../../src/somas.ts';
import { refusal } from '../support/refusal.ts';

const [refractory, adex, simplified] = [
  RefractoryExponentialSoma,
  AdaptiveExponentialSoma,
  SimplifiedAdaptiveExponentialSoma,
];

const scopeOf = (soma: Soma, path = 'cells.parameters', neurons = 1000) => ({
  path,
  owner: soma.name,
  population: 'cells',
  neurons,
  dt: 0.1,
  seed: 7,
});

const parametersOf = (soma: Soma, given: Record<string, Value>) =>
  resolveParameters(soma.parameters, given, scopeOf(soma));

const statesOf = (soma: Soma, given: Record<string, Value>) =>
  resolveStates(soma.states, given, parametersOf(soma, {}), scopeOf(soma, 'cells.initial'));

describe('a distribution that can leave the range of its parameter', () => {
  const truncated = (mean: number, sd: number, low: number, high: number) =>
    `; truncate it: ${JSON.stringify({ initializer: 'truncated_normal', mean, sd, low, high })}`;

  test.each([
    ['potential_tau', adex, normal(5, 1), 'normal reaches from -Infinity to Infinity', truncated(5, 1, 2, 8)],
    ['potential_tau', adex, normal(20, 1), 'normal reaches from -Infinity to Infinity', truncated(20, 1, 17, 23)],
    ['potential_tau', adex, normal(1, 1), '>= dt (0.1)', truncated(1, 1, 0.1, 4)],
    ['potential_tau', adex, lognormal(20, 10), 'lognormal reaches from 0 to Infinity', truncated(20, 10, 0.1, 50)],
    ['potential_tau', adex, gamma(4, 5), 'gamma reaches from 0 to Infinity', truncated(20, 10, 0.1, 50)],
    ['potential_tau', adex, truncatedNormal(5, 1, 0), 'truncated_normal reaches from 0', truncated(5, 1, 2, 8)],
    ['potential_tau', adex, truncatedNormal(5, 1, 0, 9), 'must be greater than 0, got 0', truncated(5, 1, 2, 8)],
    ['spike_slope', adex, normal(2, 1), 'allowed: > 0, <= 1000 mV', truncated(2, 1, 0.2, 5)],
    ['spike_slope', adex, lognormal(999, 1), 'lognormal reaches from 0', truncated(999, 1, 996, 1000)],
    ['cooldown', refractory, normal(2, 1), 'normal reaches from -Infinity', truncated(2, 1, 0, 5)],
    ['threshold_tau', simplified, normal(20, 5), 'allowed: > 0', truncated(20, 5, 5, 35)],
  ] as const)('is refused for %s (%#), and what the message proposes is taken', (name, soma, given, reason, fix) => {
    const message = refusal(() => parametersOf(soma, { [name]: given }));
    expect(message.startsWith(`cells.parameters.${name}: `)).toBe(true);
    expect(message).toContain(reason);
    expect(message.slice(-fix.length)).toBe(fix);
    expect(() => parametersOf(soma, { [name]: JSON.parse(fix.slice(fix.indexOf('{'))) as Value })).not.toThrow();
  });

  test('is refused with whole numbers for a state that counts', () => {
    const message = refusal(() => statesOf(refractory, { blocked: normal(3.3, 0.7) }));
    const fix = truncated(3.3, 0.7, 2, 5);
    expect(message.slice(-fix.length)).toBe(fix);
    const { blocked } = statesOf(refractory, { blocked: truncatedNormal(3.3, 0.7, 2, 5) });
    expect([...new Set(blocked as Float32Array)].sort()).toEqual([2, 3, 4, 5]);
  });

  test('is refused without a proposal where its mean is not allowed either', () => {
    expect(refusal(() => parametersOf(adex, { potential_tau: normal(-5, 1) }))).not.toContain('truncate');
  });

  test('is refused where it is part of another, by that part', () => {
    const message = refusal(() => parametersOf(adex, { potential_tau: sparse(0.5, normal(5, 1), 9) }));
    expect(message).toContain('cells.parameters.potential_tau.of: normal reaches');
    const other = refusal(() => parametersOf(adex, { potential_tau: sparse(0.5, uniform(4, 6)) }));
    expect(other).toContain('cells.parameters.potential_tau.otherwise: must be greater than 0, got 0');
    expect(() => parametersOf(adex, { potential_tau: sparse(0.5, uniform(4, 6), 9) })).not.toThrow();
  });

  test('is none where the parameter has no bounds but those of float32, or has none on that side', () => {
    expect(() => parametersOf(adex, { potential_rest: normal(-70, 5), resistance: normal(0.5, 0.1) })).not.toThrow();
    expect(() => parametersOf(refractory, { cooldown: lognormal(2, 1) })).not.toThrow();
    expect(() => parametersOf(simplified, { threshold_tau: gamma(4, 5) })).not.toThrow();
    expect(() => statesOf(refractory, { potential: normal(-70, 5), blocked: lognormal(2, 1) })).not.toThrow();
  });

  test('is refused by the neuron whose value goes beyond what float32 or the counting can hold', () => {
    const beyond = refusal(() => parametersOf(adex, { potential_rest: normal(0, 1e9) }));
    expect(beyond).toMatch(/^cells\.parameters\.potential_rest\[\d+\]: is too large, got /);
    expect(() => parametersOf(adex, { potential_rest: normal(0, 1e8) })).not.toThrow();
    const tiny = refusal(() => parametersOf(simplified, { threshold_tau: gamma(0.01, 5) }));
    expect(tiny).toMatch(/^cells\.parameters\.threshold_tau\[\d+\]: /);
    expect(refusal(() => parametersOf(refractory, { cooldown: gamma(1, 1e8) }))).toContain('must not be longer than');
  });
});

describe('an initializer is refused', () => {
  test.each([
    [{ initializer: 'normal', mean: 5, sd: -1 }, '.sd: must be at least 0, got -1; allowed: >= 0', { sd: 1 }],
    [{ initializer: 'normal', mean: 5 }, '.sd: the initializer normal wants a finite number here, got null', { sd: 1 }],
    [
      { initializer: 'normal', mean: 5, std: 1 },
      'unknown key "std" of the initializer normal; did you mean "sd"?',
      null,
    ],
    [{ initializer: 'truncated_normal', mean: 5, sd: 1, low: 8, high: 2 }, '.low: is greater than high', { high: 9 }],
    [{ initializer: 'truncated_normal', mean: 5, sd: 1, low: null }, '.low: the initializer truncated', { low: 1 }],
    [{ initializer: 'truncated_normal', mean: 5, sd: -1, low: 0 }, '.sd: must be at least 0', { sd: 1 }],
    [{ initializer: 'lognormal', mean: 0, sd: 1 }, '.mean: must be greater than 0, got 0; allowed: > 0', { mean: 1 }],
    [{ initializer: 'lognormal', mean: 1, sd: -1 }, '.sd: must be at least 0', { sd: 1 }],
    [{ initializer: 'gamma', shape: 0, scale: 1 }, '.shape: must be greater than 0, got 0', { shape: 1 }],
    [{ initializer: 'gamma', shape: 2e9, scale: 1e-9 }, '.shape: must be at most 1000000000', { shape: 1e9 }],
    [{ initializer: 'gamma', shape: 1, scale: -1 }, '.scale: must be greater than 0, got -1', { scale: 1 }],
    [{ initializer: 'sparse', density: 1.1, of: 1 }, '.density: must be at most 1, got 1.1', { density: 1 }],
    [{ initializer: 'sparse', density: -0.1, of: 1 }, '.density: must be at least 0', { density: 0 }],
    [{ initializer: 'sparse', density: 0.1 }, '.of.value: the initializer constant wants a finite number', { of: 1 }],
    [
      { initializer: 'sparse', density: 0.1, of: { initializer: 'norml', mean: 1, sd: 1 } },
      '.of.initializer: unknown initializer, got "norml"; did you mean "normal"?',
      { of: { initializer: 'normal', mean: 1, sd: 1 } },
    ],
    [
      { initializer: 'sparse', density: 0.1, of: { initializer: 'normal', mean: 1, sd: -1 } },
      '.of.sd: must be at least 0',
      { of: { initializer: 'normal', mean: 1, sd: 1 } },
    ],
    [{ initializer: 'Normal', mean: 1, sd: 1 }, '.initializer: unknown initializer', { initializer: 'normal' }],
    [{ initializer: 'toString' }, '.initializer: unknown initializer', { initializer: 'constant', value: 1 }],
  ])('%j', (wrong, reason, change) => {
    const given = wrong as unknown as Initializer;
    expect(refusal(() => parametersOf(adex, { potential_rest: given }))).toContain(reason);
    if (change === null) return;
    expect(() => parametersOf(adex, { potential_rest: { ...given, ...change } as Value })).not.toThrow();
  });
});

describe('drawn values', () => {
  test('of a duration become the nearest number of steps', () => {
    const { cooldown } = parametersOf(refractory, { cooldown: truncatedNormal(2, 0.5, 1, 3) });
    const steps = onDevice(
      (refractory.parameters as Record<string, Row>).cooldown as Row,
      cooldown as Float32Array,
      0.1,
    ) as Float32Array;
    expect(steps.every((count) => Number.isInteger(count) && count >= 10 && count <= 30)).toBe(true);
    expect(new Set(steps).size).toBeGreaterThan(15);
  });

  test('of an input and of a state are others than those of a parameter, and the same again', () => {
    const amplitude = () => {
      const scope = scopeOf(adex, 'cells.input');
      return resolveInputs([{ kind: 'constant', amplitude: normal(65, 5) }], scope).laws[0]?.values.amplitude;
    };
    expect(amplitude()).toBeInstanceOf(Float32Array);
    expect(amplitude()).toEqual(amplitude());
    expect(amplitude()).not.toEqual(parametersOf(adex, { resistance: normal(65, 5) }).resistance);
  });

  test('of uniform are those they always were', () => {
    const { resistance } = resolveParameters(adex.parameters, { resistance: uniform(0.2, 1) }, scopeOf(adex, 'p', 4));
    const source = uniforms(7, 'cells', 1, 0, 'resistance');
    const expected = Float32Array.from({ length: 4 }, (_, i) => 0.2 + source(i, 0) * (1 - 0.2));
    expect(resistance).toEqual(expected);
  });
});

describe('an array, or one of a file, does for', () => {
  const values = [-70, -65, -60, -55];
  const readArray = async () => ({ shape: [4], data: Float32Array.from(values) });
  const reference = { file: 'a.npz', array: 'a' };
  const experiment = {
    dt: 0.1,
    steps: 1,
    populations: {
      cells: {
        soma: 'AdaptiveExponentialSoma',
        units: 4,
        parameters: { potential_rest: reference },
        initial: { potential: reference },
        input: [
          { kind: 'step', amplitude: reference, start: 1 },
          { kind: 'constant', amplitude: values },
        ],
      },
    },
  };

  test('parameters, initial states and amplitudes', async () => {
    const { populations } = await readExperiment(experiment, readArray);
    const { parameters, initial, input = [] } = populations[0]?.options ?? {};
    const scope = scopeOf(adex, 'cells', 4);
    const planes = resolveParameters(adex.parameters, parameters, scope);
    expect(planes.potential_rest).toEqual(Float32Array.from(values));
    expect(resolveStates(adex.states, initial, planes, scope).potential).toEqual(new Float32Array(4));
    const { laws } = resolveInputs(input, scope);
    expect(laws.map((law) => law.values.amplitude)).toEqual([Float32Array.from(values), Float32Array.from(values)]);
  });
});

describe('the table of initializers in docs/experiment.md', () => {
  const doc = readFileSync(new URL('../../docs/experiment.md', import.meta.url), 'utf8');
  const [, table = ''] = doc.split('| initializer | keys |');
  const rows = [...(table.split('\n\n')[0] as string).matchAll(/^\| `(\w+)` \|.*\| `(\{.*\})` \|$/gm)];

  test('has one row for each initializer there is', () => {
    const message = refusal(() => parametersOf(adex, { threshold: { initializer: 'x' } as unknown as Initializer }));
    expect(rows.map(([, name]) => name)).toEqual(message.split('known: ')[1]?.split(', '));
  });

  test.each(rows.map(([, name, example]) => [name, example] as [string, string]))(
    'has an example of %s that is taken',
    (name, example) => {
      const given = JSON.parse(example) as Initializer;
      expect(given.initializer).toBe(name);
      const scope = { ...scopeOf(adex), units: [10, 100] };
      expect(() => resolveParameters(adex.parameters, { threshold: given }, scope)).not.toThrow();
    },
  );
});
