// What papers print, as parameters: the published sets against protocols that were converted by others, the paper's own
// equation against the steps of those protocols, and every refusal beside its control.

import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type AdexBiophysics,
  adexFromBiophysics,
  biophysicsOf,
  type EifBiophysics,
  eifFromBiophysics,
} from '../../src/biophysics.ts';
import { type ReadArray, readExperiment } from '../../src/experiment.ts';
import { InputError, uniform } from '../../src/index.ts';
import { type Protocol, protocols } from '../support/reference.ts';
import { rejection } from '../support/refusal.ts';

type Printed = { [Name in keyof AdexBiophysics]: number };

const naud = { V_T: -50, Delta_T: 2, V_peak: 0 };
const brette = { C: 281, g_L: 30, E_L: -70.6, V_T: -50.4, Delta_T: 2, V_peak: -40.4, V_reset: -70.6, tau_w: 144 };

/** As printed: Naud et al. 2008, table 1; Brette & Gerstner 2005, with C = 281 pF and g_L = 30 nS. */
const published: Record<string, Printed> = {
  naud2008_tonic: { ...naud, C: 200, g_L: 10, E_L: -70, a: 2, tau_w: 30, b: 0, V_reset: -58 },
  naud2008_adaptation: { ...naud, C: 200, g_L: 12, E_L: -70, a: 2, tau_w: 300, b: 60, V_reset: -58 },
  naud2008_initial_burst: { ...naud, C: 130, g_L: 18, E_L: -58, a: 4, tau_w: 150, b: 120, V_reset: -50 },
  naud2008_delayed_regular_bursting: { ...naud, C: 100, g_L: 10, E_L: -65, a: -10, tau_w: 90, b: 30, V_reset: -47 },
  naud2008_irregular: { ...naud, C: 100, g_L: 12, E_L: -60, a: -11, tau_w: 130, b: 30, V_reset: -48 },
  bg2005_regular_spiking_1nA: { ...brette, a: 4, b: 80.5 },
  bg2005_fast_spiking_1nA: { ...brette, a: (2 * 281) / 144, b: 0 },
};

const tonic = published.naud2008_tonic as Printed;
const { tau_w: _, a: __, b: ___, ...eif } = tonic;

const protocolNamed = (name: string) => protocols.find((protocol) => protocol.name === name) as Protocol;

/** Forward Euler of the equation that the papers print, undivided; the order of a step is that of docs/numerics.md. */
function paperSteps(p: Printed, { current_protocol, t_end_ms }: Protocol, dt: number): number[] {
  const spikes: number[] = [];
  let [v, w] = [p.E_L, 0];
  for (let step = 0; step < Math.round(t_end_ms / dt); step++) {
    const on = current_protocol.filter(
      ({ t_on_ms, t_off_ms }) => step >= Math.ceil(t_on_ms / dt - 1e-6) && step < Math.ceil(t_off_ms / dt - 1e-6),
    );
    const current = on.reduce((sum, { I_pA }) => sum + I_pA, 0);
    const onset = p.g_L * p.Delta_T * Math.exp((v - p.V_T) / p.Delta_T);
    v += (dt / p.C) * (-p.g_L * (v - p.E_L) + onset - w + current);
    const spike = v > p.V_peak;
    if (spike) v = p.V_reset;
    w += (dt / p.tau_w) * (p.a * (v - p.E_L) - w) + (spike ? p.b : 0);
    if (spike) spikes.push(step);
  }
  return spikes;
}

describe('published neurons', () => {
  test.each(Object.entries(published))('%s has the parameters of its protocol, to the last bit', (name, printed) => {
    expect(adexFromBiophysics(printed)).toEqual(protocolNamed(name).params);
  });

  const exact = Object.entries(published).filter(([name]) => !protocolNamed(name).chaotic);
  test.each(exact)('%s: the equation as printed spikes at the steps of the protocol', (name, printed) => {
    const protocol = protocolNamed(name);
    const steps = protocol.euler_check[0.1]?.spike_steps_f64;
    expect(paperSteps(printed, protocol, 0.1)).toEqual(steps);
    // The control: the steps do depend on what was printed.
    expect(paperSteps({ ...printed, g_L: printed.g_L * 1.1 }, protocol, 0.1)).not.toEqual(steps);
  });
});

describe('what a printed name becomes', () => {
  test('resistance is 1 / g_L and the time constant C / g_L, in GOhm and ms', () => {
    expect(adexFromBiophysics(tonic)).toMatchObject({ resistance: 0.1, potential_tau: 20 });
  });

  test('an EIF has no adaptation, and no cooldown unless t_ref is given, which becomes it as it is', () => {
    const { potential_rest, potential_reset, potential_tau, resistance, threshold, rheobase_threshold, spike_slope } =
      adexFromBiophysics(tonic);
    const membrane = { potential_rest, potential_reset, potential_tau, resistance };
    const all = { ...membrane, threshold, rheobase_threshold, spike_slope };
    expect(eifFromBiophysics(eif)).toEqual(all);
    expect(eifFromBiophysics({ ...eif, t_ref: 1.7 })).toEqual({ ...all, cooldown: 1.7 });
    expect(adexFromBiophysics({ ...tonic, t_ref: 1.7 })).toEqual({ ...adexFromBiophysics(tonic), cooldown: 1.7 });
    expect(biophysicsOf(adexFromBiophysics({ ...tonic, t_ref: 1.7 })).t_ref).toBe(1.7);
  });

  test('an array is one value a neuron, and a number beside it serves all', () => {
    const { resistance, potential_tau, potential_rest } = eifFromBiophysics({ ...eif, g_L: [10, 20], E_L: [-70, -65] });
    expect(Array.from(resistance as ArrayLike<number>)).toEqual([0.1, 0.05]);
    expect(Array.from(potential_tau as ArrayLike<number>)).toEqual([20, 10]);
    expect(potential_rest).toEqual([-70, -65]);
    const other = eifFromBiophysics({ ...eif, C: Float32Array.of(100, 200) });
    expect(other.resistance).toBe(0.1);
    expect(Array.from(other.potential_tau as ArrayLike<number>)).toEqual([10, 20]);
  });

  test('an initializer is passed on where nothing is divided', () => {
    const drawn = adexFromBiophysics({ ...tonic, V_reset: uniform(-60, -50), b: uniform(0, 60) });
    expect(drawn).toMatchObject({ potential_reset: uniform(-60, -50), adaptation_delta: uniform(0, 60) });
  });
});

const positive = fc.double({ min: 1e-3, max: 1e4, noNaN: true });
const any = fc.double({ min: -1e3, max: 1e3, noNaN: true });
const neuron: fc.Arbitrary<Printed> = fc.record({
  ...{ C: positive, g_L: positive, Delta_T: positive, tau_w: positive },
  ...{ E_L: any, V_T: any, V_peak: any, V_reset: any, a: any, b: any },
});
const near = (value: number, wanted: number) =>
  expect(Math.abs(value - wanted)).toBeLessThanOrEqual(4 * Number.EPSILON * Math.abs(wanted));

describe('the way back', () => {
  test('gives what was printed: C and g_L to the rounding of two quotients, all else to the bit', () => {
    fc.assert(
      fc.property(neuron, (printed) => {
        const back = biophysicsOf(adexFromBiophysics(printed)) as Printed;
        const { C, g_L, ...copied } = back;
        near(C, printed.C);
        near(g_L, printed.g_L);
        expect({ C: 0, g_L: 0, ...copied }).toEqual({ ...printed, C: 0, g_L: 0 });
      }),
    );
  });

  test('goes neuron by neuron, and the other way round as well', () => {
    const parameters = { ...eifFromBiophysics({ ...eif, t_ref: 2 }), resistance: [0.1, 0.3], potential_tau: 7 };
    const { C, g_L, t_ref } = biophysicsOf(parameters);
    expect(t_ref).toBe(2);
    const again = eifFromBiophysics({ ...eif, C, g_L });
    Array.from(again.resistance as ArrayLike<number>).forEach((value, i) => {
      near(value, parameters.resistance[i] as number);
    });
    for (const value of Array.from(again.potential_tau as ArrayLike<number>)) near(value, 7);
  });

  const parameters = adexFromBiophysics(tonic);
  const { adaptation_delta: _delta, ...lacking } = parameters;
  const refusals: [title: string, wrong: object, right: object, says: string[]][] = [
    [
      'a parameter without counterpart',
      { ...parameters, threshold_tau: 20 },
      parameters,
      ['unknown parameter "threshold_tau"'],
    ],
    ['an adaptation without all its parameters', lacking, parameters, ['parameters.adaptation_delta: is missing']],
    ['no resistance', { ...parameters, resistance: undefined }, parameters, ['parameters.resistance: is missing']],
    [
      'a resistance of 0',
      { ...parameters, resistance: 0 },
      parameters,
      ['parameters.resistance: must be greater than 0, got 0', 'GOhm'],
    ],
    [
      'a resistance that is drawn',
      { ...parameters, resistance: uniform(0.1, 0.2) },
      parameters,
      ['parameters.resistance: cannot be an initializer'],
    ],
    [
      'arrays of two lengths',
      { ...parameters, resistance: [1, 1], potential_tau: [1, 1, 1] },
      { ...parameters, resistance: [1, 1], potential_tau: [1, 1] },
      ['parameters.potential_tau: has 3 values', '2'],
    ],
  ];
  test.each(refusals)('refuses %s', (_title, wrong, right, says) => {
    expectRefusal(() => biophysicsOf(wrong as typeof parameters), says);
    expect(() => biophysicsOf(right as typeof parameters)).not.toThrow();
  });
});

function expectRefusal(wrong: () => unknown, says: string[]): void {
  try {
    wrong();
  } catch (error) {
    expect(error, String(error)).toBeInstanceOf(InputError);
    for (const part of says) expect((error as Error).message).toContain(part);
    return;
  }
  throw new Error('this was not refused');
}

describe('refused from papers', () => {
  const refusals: [title: string, wrong: object, right: object, says: string[]][] = [
    [
      'an unknown name, with the one that was probably meant',
      { g_l: 10 },
      {},
      ['biophysics: unknown name "g_l" of biophysics', 'did you mean "g_L"?'],
    ],
    ['a missing name', { b: undefined }, { b: 0 }, ['biophysics.b: is missing; give it, in pA']],
    ['a missing conductance', { g_L: undefined }, { g_L: 10 }, ['biophysics.g_L: is missing; give it, in nS']],
    [
      'a capacitance of 0',
      { C: 0 },
      { C: 1e-3 },
      ['biophysics.C: must be greater than 0, got 0; give pF, greater than 0'],
    ],
    [
      'a conductance below 0, naming the neuron',
      { g_L: [10, -1] },
      { g_L: [10, 1] },
      ['biophysics.g_L[1]: must be greater than 0, got -1'],
    ],
    ['NaN', { E_L: Number.NaN }, { E_L: -70 }, ['biophysics.E_L: is not finite, got NaN; give mV']],
    ['an object that looks like a list', { C: { length: 1, 0: 5 } }, { C: [5] }, ['biophysics.C: is not a value']],
    ['a text', { V_T: '-50' }, { V_T: -50 }, ['biophysics.V_T: is not a value, got "-50"']],
    [
      'a text among numbers',
      { V_T: [-50, '-50'] },
      { V_T: [-50, -50] },
      ['biophysics.V_T[1]: is no number, got "-50"'],
    ],
    [
      'a slope of 0, under the name it has in papers',
      { Delta_T: 0 },
      { Delta_T: 1e-3 },
      ['biophysics.Delta_T: must be greater than 0'],
    ],
    [
      'an initializer of a capacitance',
      { C: uniform(100, 200) },
      { C: [100, 200] },
      ['biophysics.C: cannot be an initializer, because C / g_L is computed of it'],
    ],
    [
      'an initializer of a conductance',
      { g_L: uniform(5, 15) },
      { V_T: uniform(-55, -50) },
      ['biophysics.g_L: cannot be an initializer, because 1 / g_L is computed of it'],
    ],
    [
      'arrays of two lengths',
      { C: [100, 200, 300], g_L: [10, 20] },
      { C: [100, 200], g_L: [10, 20] },
      ['biophysics.C: has 3 values, where what it is divided by has 2'],
    ],
  ];
  test.each(refusals)('%s', (_title, wrong, right, says) => {
    expectRefusal(() => adexFromBiophysics({ ...tonic, ...wrong }), says);
    expect(() => adexFromBiophysics({ ...tonic, ...right })).not.toThrow();
  });

  test('what is no object', () => {
    expectRefusal(() => adexFromBiophysics([] as unknown as AdexBiophysics), ['biophysics: is no object']);
  });

  test('adaptation of an EIF, naming the soma that has it, and a refractory period below 0', () => {
    expectRefusal(
      () => eifFromBiophysics({ ...eif, tau_w: 30 } as EifBiophysics),
      ['unknown name "tau_w"', 'AdaptiveExponentialSoma and RefractoryAdaptiveExponentialSoma have it'],
    );
    expectRefusal(
      () => eifFromBiophysics({ ...eif, t_ref: -1 }),
      ['biophysics.t_ref: must be at least 0, got -1; give ms, 0 or more'],
    );
    expect(eifFromBiophysics({ ...eif, t_ref: 0 }).cooldown).toBe(0);
  });
});

describe('in an experiment file', () => {
  const readArray: ReadArray = async () => ({ shape: [2], data: Float64Array.of(100, 200) });
  const read = async (parameters: unknown, soma = 'AdaptiveExponentialSoma') => {
    const populations = { cells: { soma, units: 2, parameters } };
    const {
      populations: [cells],
    } = await readExperiment({ dt: 0.1, steps: 1, populations }, readArray);
    return cells?.options.parameters;
  };
  const { C: _C, V_peak: _peak, ...rest } = tonic;

  test('biophysics stands for the parameters it becomes', async () => {
    expect(await read({ biophysics: tonic })).toEqual(adexFromBiophysics(tonic));
    const beside = { threshold_tau: 50, cooldown: 1 };
    expect(await read({ biophysics: eif, ...beside }, 'SimplifiedAdaptiveExponentialSoma')).toEqual({
      ...eifFromBiophysics(eif),
      ...beside,
    });
  });

  test('a name may be left out where the parameter it becomes stands beside', async () => {
    const beside = { threshold: -30, potential_tau: 9 };
    expect(await read({ biophysics: rest, ...beside })).toEqual({ ...adexFromBiophysics(tonic), ...beside });
  });

  test('both the time constant and the resistance beside make the conductance superfluous', async () => {
    const { g_L: _g, ...none } = rest;
    const beside = { threshold: -30, potential_tau: 9, resistance: uniform(0.1, 0.2) };
    expect(await read({ biophysics: none, ...beside })).toMatchObject(beside);
    await expect(read({ biophysics: none, threshold: -30, resistance: 0.1 })).rejects.toThrow(
      'biophysics.C: is missing',
    );
  });

  test('its values may come from files', async () => {
    const parameters = (await read({ biophysics: { ...tonic, C: { file: 'a.npz', array: 'C' } } })) as Printed & {
      potential_tau: Float64Array;
    };
    expect(Array.from(parameters.potential_tau)).toEqual([10, 20]);
  });

  const path = 'populations.cells.parameters';
  const refusals: [title: string, wrong: unknown, right: unknown, says: string[]][] = [
    [
      'a parameter said twice',
      { biophysics: tonic, threshold: 0 },
      { biophysics: tonic },
      [`${path}.biophysics.V_peak: says what threshold beside it says`],
    ],
    [
      'a time constant said twice',
      { biophysics: tonic, potential_tau: 20 },
      { biophysics: tonic },
      [`${path}.biophysics.C: says what potential_tau beside it says`],
    ],
    [
      'a name left out that nothing stands for',
      { biophysics: rest, potential_tau: 20 },
      { biophysics: rest, potential_tau: 20, threshold: 0 },
      [`${path}.biophysics.V_peak: is missing`],
    ],
    [
      'a wrong value',
      { biophysics: { ...tonic, g_L: 0 } },
      { biophysics: tonic },
      [`${path}.biophysics.g_L: must be greater than 0, got 0`],
    ],
    [
      'null',
      { biophysics: { ...tonic, g_L: null } },
      { biophysics: tonic },
      [`${path}.biophysics.g_L: is not a value`],
    ],
    ['a list', { biophysics: [tonic] }, { biophysics: tonic }, [`${path}.biophysics: is no object`]],
  ];
  test.each(refusals)('%s is refused', async (_title, wrong, right, says) => {
    const refused = await rejection(read(wrong));
    for (const part of says) expect(refused).toContain(part);
    await read(right);
  });

  test('a refractory period is refused for a soma that has none', async () => {
    const given = { biophysics: { ...eif, t_ref: 2 } };
    await expect(read(given, 'ExponentialSoma')).rejects.toThrow('unknown name "t_ref"');
    const adex = { biophysics: { ...tonic, t_ref: 2 } };
    await expect(read(adex, 'AdaptiveExponentialSoma')).rejects.toThrow('RefractoryAdaptiveExponentialSoma and');
    expect(await read(adex, 'RefractoryAdaptiveExponentialSoma')).toEqual(adexFromBiophysics({ ...tonic, t_ref: 2 }));
    expect(await read(given, 'RefractoryExponentialSoma')).toMatchObject({ cooldown: 2 });
  });
});
