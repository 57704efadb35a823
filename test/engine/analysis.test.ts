// Short runs, on both paths: f-I curves and rheobases against exact solutions, quadrature and closed forms.

import { describe, expect, test } from 'vitest';
import {
  currentsBetween,
  fiCurve,
  findRheobase,
  firingPattern,
  intervalsOf,
  rheobase,
  type ShortRunOptions,
} from '../../src/analysis/index.ts';
import { AdaptiveExponentialSoma, ExponentialSoma, RefractoryExponentialSoma, type Soma } from '../../src/index.ts';
import { backends, openDevice, type TestBackend } from '../support/backends.ts';
import { firstSpike } from '../support/exact.ts';
import { protocols, somas } from '../support/reference.ts';
import { rejection } from '../support/refusal.ts';
import { CONVERGENCE, PASSAGE } from '../support/tolerances.ts';

const eif = {
  ...{ potential_rest: -70, potential_reset: -51, potential_tau: 5, resistance: 0.5 },
  ...{ threshold: -30, rheobase_threshold: -50, spike_slope: 2 },
};
const always = (amplitude: number) => [{ on: 0, off: Number.POSITIVE_INFINITY, amplitude }];

const on = async ({ name }: TestBackend): Promise<ShortRunOptions> =>
  name === 'webgpu' ? { backend: name, device: await openDevice() } : { backend: name };

const mean = (values: ArrayLike<number>) => Array.from(values).reduce((sum, value) => sum + value, 0) / values.length;

describe.each(backends)('an f-I curve, on $name', (backend) => {
  test('has latencies and intervals that approach those of quadrature at the order of forward Euler', async () => {
    const currents = currentsBetween(54, 144, 64);
    const exact = {
      latency: Array.from(currents, (current) => firstSpike(eif, always(current), 100)),
      interval: Array.from(currents, (current) => firstSpike(eif, always(current), 100, 19)),
    };
    const late: Record<'latency' | 'interval', number[]> = { latency: [], interval: [] };
    for (const dt of [0.1, 0.00625]) {
      const run = { ...(await on(backend)), dt, duration: 40 };
      const { latencies, first } = await fiCurve(ExponentialSoma, { currents, ...run });
      late.latency.push(mean(latencies.map((latency, i) => latency - (exact.latency[i] as number))));
      late.interval.push(mean(first.map((rate, i) => 1000 / rate - (exact.interval[i] as number))));
    }
    for (const [coarse, fine] of Object.values(late) as [number, number][]) {
      expect(fine).toBeGreaterThan(0);
      const order = Math.log(coarse / fine) / Math.log(0.1 / 0.00625);
      expect(order).toBeGreaterThan(CONVERGENCE.least);
      expect(order).toBeLessThan(CONVERGENCE.most);
    }
  });

  test('comes to the quadrature of three published currents with small steps', async () => {
    const currents = [65, 108, 360];
    const known = {
      latency: [6.442696504, 3.198191755, 0.86805922],
      interval: [2.100131518, 1.038786781, 0.310751811],
    };
    const at = async (dt: number) => {
      const options = { ...(await on(backend)), currents, dt, duration: 16 };
      const { latencies, first } = await fiCurve(ExponentialSoma, options);
      return currents.map((_, i) => ({
        latency: (latencies[i] as number) - (known.latency[i] as number),
        interval: 1000 / (first[i] as number) - (known.interval[i] as number),
      }));
    };
    const [coarse, fine] = [await at(0.1), await at(0.001)];
    const shrunk = (0.001 / 0.1) ** CONVERGENCE.least;
    fine.forEach((late, i) => {
      for (const key of ['latency', 'interval'] as const) {
        expect(late[key]).toBeGreaterThan(0);
        // A step more, because times are whole steps.
        expect(late[key]).toBeLessThan((coarse[i]?.[key] as number) * shrunk + 0.001);
      }
    });
  });

  test('tells counts, rates, latencies and trains of each current alike', async () => {
    const currents = [20, 50, 65, 100];
    const options = { ...(await on(backend)), currents, duration: 200, settle: 100 };
    const curve = await fiCurve(AdaptiveExponentialSoma, options);
    expect(curve).toMatchObject({ duration: 200, settle: 100, currents: Float64Array.from(currents) });
    expect(curve.counts[0]).toBe(0);
    expect([curve.rates[0], curve.first[0], curve.steady[0], curve.latencies[0]]).toEqual([0, 0, 0, Number.NaN]);
    for (const i of [1, 2, 3]) {
      const train = curve.trains[i] as Float64Array;
      expect(train.length).toBe(curve.counts[i]);
      expect(train.length).toBeGreaterThan(2);
      expect(curve.rates[i]).toBeCloseTo((train.length / 200) * 1000, 9);
      expect(curve.latencies[i]).toBe(train[0]);
      const intervals = intervalsOf(train);
      expect(curve.first[i]).toBeCloseTo(1000 / (intervals[0] as number), 9);
      const late = intervals.filter((_, n) => (train[n + 1] as number) > 100);
      expect(curve.steady[i]).toBeCloseTo(1000 / mean(late), 9);
      // It adapts.
      expect(curve.steady[i]).toBeLessThan(curve.first[i] as number);
    }
    expect(curve.steady[3]).toBeGreaterThan(curve.steady[2] as number);
  });

  test("is that of the published neuron, spike for spike, at its protocol's current", async () => {
    for (const { params, current_protocol, t_end_ms, soma, euler_check } of protocols.filter(
      ({ chaotic, name }) => !chaotic && /naud2008|nd_table61|eif_\d|refrac/.test(name),
    )) {
      const current = current_protocol[0]?.I_pA as number;
      const options = { ...(await on(backend)), parameters: params, currents: [current, 0], duration: t_end_ms };
      const { trains } = await fiCurve(somas[soma] as Soma, options);
      const steps = Array.from(trains[0] as Float64Array, (time) => Math.round(time / 0.1) - 1);
      expect(steps).toEqual(euler_check[0.1]?.spike_steps_f64);
      expect(trains[1]).toHaveLength(0);
    }
  });

  test('takes a parameter with one value a current', async () => {
    const options = { ...(await on(backend)), currents: [65, 65], duration: 100 };
    const { counts } = await fiCurve(RefractoryExponentialSoma, { ...options, parameters: { cooldown: [0, 20] } });
    expect(counts[0]).toBeGreaterThan(2 * (counts[1] as number));
    const wrong = fiCurve(RefractoryExponentialSoma, { ...options, parameters: { cooldown: [0, 20, 3] } });
    expect(await rejection(wrong)).toContain('parameters.cooldown: has 3 values for 2 neurons');
  });
});

describe.each(backends)('a rheobase by steps, on $name', (backend) => {
  test('of an exponential soma lies above the saddle-node by what the passage takes, less for longer steps', async () => {
    const excess: number[] = [];
    for (const duration of [1000, 2000]) {
      const run = { ...(await on(backend)), duration, precision: 1e-5 };
      const { current, silent, firing } = await findRheobase(ExponentialSoma, run);
      expect(current).toBe(firing);
      expect(firing - silent).toBeGreaterThan(0);
      expect(firing - silent).toBeLessThanOrEqual(1e-5);
      const passage = (2 / 0.5) * 2 * ((Math.PI * 5) / duration) ** 2;
      excess.push((firing - 36) / passage);
      expect(silent).toBeGreaterThanOrEqual(36);
      expect(excess.at(-1)).toBeLessThan(PASSAGE);
    }
    expect(excess[1]).toBeGreaterThan(0);
  });

  test('of an adaptive soma is where a run alone is silent on the one side and fires on the other', async () => {
    const run = { ...(await on(backend)), duration: 500 };
    const { silent, firing, runs } = await findRheobase(AdaptiveExponentialSoma, run);
    const { counts } = await fiCurve(AdaptiveExponentialSoma, {
      ...(await on(backend)),
      duration: 500,
      currents: [silent, firing],
    });
    expect(counts[0]).toBe(0);
    expect(counts[1]).toBeGreaterThan(0);
    expect(firing).toBeLessThan(rheobase(AdaptiveExponentialSoma).saddleNode + 0.1);
    expect(runs).toBeLessThan(6);
  });

  test('of an adaptive soma, below where rest ends, comes with small steps to that of the exact solution', async () => {
    const p = { ...eif, adaptation_tau: 100, adaptation_subthreshold: 0.5 };
    let [silent, firing] = [36, 46];
    for (let i = 0; i < 20; i++) {
      const middle = (silent + firing) / 2;
      if (Number.isNaN(firstSpike(p, always(middle), 80))) silent = middle;
      else firing = middle;
    }
    const off: number[] = [];
    for (const dt of [0.1, 0.0125]) {
      const run = { ...(await on(backend)), dt, duration: 80, precision: 1e-4 };
      off.push(Math.abs((await findRheobase(AdaptiveExponentialSoma, run)).firing - firing));
    }
    const [coarse, fine] = off as [number, number];
    expect(fine).toBeLessThan(coarse * (0.0125 / 0.1) ** CONVERGENCE.least + 1e-4);
    expect(firing).toBeLessThan(rheobase(AdaptiveExponentialSoma).current - 5);
  });

  test('of the published transient neuron is below 55 pA for a spike, above for firing that lasts', async () => {
    const { params } = protocols.find(({ name }) => name === 'nd_table61_transient_55pA') as { params: object };
    const run = { parameters: params, duration: 500 };
    const once = await findRheobase(AdaptiveExponentialSoma, { ...(await on(backend)), ...run });
    const lasting = await findRheobase(AdaptiveExponentialSoma, { ...(await on(backend)), ...run, settle: 300 });
    expect(once.firing).toBeLessThan(55);
    expect(lasting.silent).toBeGreaterThan(55);
    expect(lasting.firing).toBeLessThan(65);
  });

  test('is found where it is below 0, and far from where it is looked for first', async () => {
    // At 0 pA this one fires: its rheobase is (-68 + 70 - 4) / 0.5 = -4 pA.
    const parameters = { rheobase_threshold: -68, spike_slope: 4 };
    const { firing } = await findRheobase(ExponentialSoma, { ...(await on(backend)), parameters, duration: 500 });
    expect(firing).toBeGreaterThan(-4);
    expect(firing).toBeLessThan(-3.9);
    // A spike in half a time constant wants much more than the rheobase.
    const short = await findRheobase(ExponentialSoma, { ...(await on(backend)), duration: 0.5, dt: 0.01 });
    expect(short.firing).toBeGreaterThan(4 * 36);
  });

  test('is refused where all currents asked for are silent, or all fire', async () => {
    const search = async (range: object) =>
      findRheobase(ExponentialSoma, { ...(await on(backend)), duration: 200, ...range });
    expect(await rejection(search({ from: 0, to: 30 }))).toContain('to: it does not fire within 200 ms up to 30 pA');
    expect(await rejection(search({ from: 50, to: 80 }))).toContain('from: it fires down to 50 pA');
    expect((await search({ from: 30, to: 50 })).firing).toBeCloseTo(36, 0);
  });
});

describe('short runs', () => {
  test('give the same on the processor whatever the number of currents beside', async () => {
    const alone = await fiCurve(AdaptiveExponentialSoma, { currents: [65], duration: 300 });
    const among = await fiCurve(AdaptiveExponentialSoma, { currents: currentsBetween(0, 130, 3), duration: 300 });
    expect(among.trains[1]).toEqual(alone.trains[0]);
  });

  test('end with the reason of a signal', async () => {
    const abort = new AbortController();
    abort.abort(new Error('enough'));
    const run = fiCurve(ExponentialSoma, { currents: [65], signal: abort.signal });
    await expect(run).rejects.toThrow('enough');
  });

  test('refuse what the engine refuses, in their own words', async () => {
    const currents = [65];
    const parameters = { potential_tau: 0.05 };
    const wrong = await rejection(fiCurve(ExponentialSoma, { currents, parameters, duration: 10 }));
    expect(wrong).toMatch(/^parameters\.potential_tau: must not be below the time step of 0\.1 ms, got 0\.05/);
    expect(
      (await fiCurve(ExponentialSoma, { currents, parameters, duration: 10, dt: 0.05 })).counts[0],
    ).toBeGreaterThan(0);
    const uneven = await rejection(fiCurve(ExponentialSoma, { currents, duration: 0.25 }));
    expect(uneven).toContain('duration: is no whole number of steps of 0.1 ms');
    const misspelt = await rejection(fiCurve(ExponentialSoma, { currents, parameters: { spike_slop: 2 } as never }));
    expect(misspelt).toContain('did you mean "spike_slope"?');
  });

  test('show the adapting neuron of the table adapt with a membrane of 20 ms, where one of 200 ms hardly does', async () => {
    const { params } = protocols.find(({ name }) => name === 'nd_table61_adapting_tau200') as { params: object };
    const patternOf = async (tau: number) => {
      const parameters = { ...params, potential_tau: tau };
      const { trains } = await fiCurve(AdaptiveExponentialSoma, { parameters, currents: [65], duration: 1500 });
      return firingPattern(trains[0] as Float64Array, { stop: 1500, tau }).pattern;
    };
    expect(await patternOf(20)).toBe('adapting');
    expect(await patternOf(200)).toBe('tonic');
  });
});
