// As dt falls, first spikes approach those of the equations in continuous time, at the order of forward Euler.

import { describe, expect, test } from 'vitest';
import type { Soma } from '../../src/index.ts';
import { backends, type TestBackend } from '../support/backends.ts';
import { firstSpike, type Pulse } from '../support/exact.ts';
import { addCells } from '../support/outcome.ts';
import { protocols, somas } from '../support/reference.ts';
import { CONVERGENCE, EXACT } from '../support/tolerances.ts';

const NEURONS = 64;
const DURATION = 40;
const STEPS = [0.1, 0.05, 0.025, 0.0125, 0.00625];

const always = (amplitude: number): Pulse[] => [{ on: 0, off: Number.POSITIVE_INFINITY, amplitude }];

const defaultsOf = (soma: Soma): Record<string, number> =>
  Object.fromEntries(
    Object.entries(soma.parameters).map(([name, row]) => [name, (row as { default: number }).default]),
  );

describe('the exact solution the engine is measured with', () => {
  const eif = defaultsOf(somas.ExponentialSoma as Soma);

  test.each([
    { current: 65, latency: 6.442696504, interval: 2.100131518 },
    { current: 108, latency: 3.198191755, interval: 1.038786781 },
    { current: 360, latency: 0.86805922, interval: 0.310751811 },
  ])('meets the quadrature of the default neuron at $current pA', ({ current, latency, interval }) => {
    expect(Math.abs(firstSpike(eif, always(current), 100) - latency)).toBeLessThan(EXACT);
    expect(Math.abs(firstSpike(eif, always(current), 100, 19) - interval)).toBeLessThan(EXACT);
  });

  test('knows the rheobase of the default neuron: no spike just below 36 pA, one just above', () => {
    expect(firstSpike(eif, always(35.99), 2000)).toBeNaN();
    expect(firstSpike(eif, always(36.01), 2000)).toBeGreaterThan(100);
  });

  test.each(protocols.map((protocol) => [protocol.name, protocol] as const))(
    'meets the first spike of %s',
    (_, protocol) => {
      const pulses = protocol.current_protocol.map(({ t_on_ms: on, t_off_ms: off, I_pA: amplitude }) => ({
        on,
        off,
        amplitude,
      }));
      const [published] = protocol.spike_times_ms;
      const found = firstSpike(protocol.params, pulses, protocol.t_end_ms);
      expect(Math.abs(found - (published as number))).toBeLessThan(EXACT);
    },
  );
});

/** Currents from 1.5 to 4 times rheobase; of the adaptive somas', the saddle-node of its fixed points, pA. */
const rheobaseOf = (soma: string) => (/^(Refractory)?Adaptive/.test(soma) ? 46.116 : 36);
const currentsFor = (soma: string) =>
  Float64Array.from({ length: NEURONS }, (_, i) => rheobaseOf(soma) * (1.5 + (2.5 * i) / (NEURONS - 1)));

/** First spikes of all neurons, ms. */
async function firstSpikes({ open }: TestBackend, soma: string, dt: number): Promise<number[]> {
  const simulation = await open({ dt });
  const cells = addCells(simulation, somas[soma] as Soma, {
    units: NEURONS,
    input: [{ kind: 'constant', amplitude: currentsFor(soma) }],
    record: { spikes: true },
  });
  await simulation.run(DURATION);
  const { times, neurons } = await cells.spikes();
  return Array.from({ length: NEURONS }, (_, neuron) => times[neurons.indexOf(neuron)] ?? Number.NaN);
}

/** The slope of the straight line through points, by least squares. */
function slopeOf(x: number[], y: number[]): number {
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [mx, my] = [mean(x), mean(y)];
  const products = x.map((value, i) => (value - mx) * ((y[i] as number) - my));
  return mean(products) / mean(x.map((value) => (value - mx) ** 2));
}

describe.each(backends)('convergence, on $name', (backend) => {
  test.each(Object.keys(somas))('%s: first spikes come late by an error of first order in dt', async (soma) => {
    const parameters = defaultsOf(somas[soma] as Soma);
    const exact = Array.from(currentsFor(soma), (amplitude) => firstSpike(parameters, always(amplitude), DURATION));
    const errors: number[] = [];
    for (const dt of STEPS) {
      const late = (await firstSpikes(backend, soma, dt)).map((time, i) => time - (exact[i] as number));
      expect(Math.min(...late), `least error at dt ${dt}`).toBeGreaterThan(0);
      errors.push(late.reduce((sum, error) => sum + error, 0) / NEURONS);
    }
    const slope = slopeOf(STEPS.map(Math.log), errors.map(Math.log));
    expect(slope).toBeGreaterThan(CONVERGENCE.least);
    expect(slope).toBeLessThan(CONVERGENCE.most);
  });
});
