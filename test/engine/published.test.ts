// Published and analytic experiments: the engine spikes at exactly the steps that forward Euler in float64 does.

import { describe, expect, test } from 'vitest';
import type { Soma } from '../../src/index.ts';
import { backends, type TestBackend } from '../support/backends.ts';
import { addCells } from '../support/outcome.ts';
import { type Protocol, protocols, somas } from '../support/reference.ts';
import { CHAOTIC } from '../support/tolerances.ts';

const DT = 0.1;

async function spikeSteps({ open }: TestBackend, protocol: Protocol): Promise<number[]> {
  const simulation = await open({ dt: DT });
  const cells = addCells(simulation, somas[protocol.soma] as Soma, {
    units: 1,
    parameters: protocol.params,
    input: protocol.current_protocol.map(({ t_on_ms: start, t_off_ms: stop, I_pA: amplitude }) => ({
      kind: 'step',
      amplitude,
      start,
      stop,
    })),
    record: { spikes: true },
  });
  await simulation.run(protocol.t_end_ms);
  return Array.from((await cells.spikes()).steps);
}

const eulerSteps = (protocol: Protocol): number[] => protocol.euler_check[DT]?.spike_steps_f64 as number[];

const named = (chaotic: boolean) =>
  protocols.filter((protocol) => protocol.chaotic === chaotic).map((protocol) => [protocol.name, protocol] as const);

describe.each(backends)('published experiments at dt 0.1, on $name', (backend) => {
  test('all 25 experiments are here, two of them chaotic', () => {
    expect(protocols).toHaveLength(25);
    expect(protocols.filter(({ chaotic }) => chaotic).map(({ name }) => name)).toEqual(Object.keys(CHAOTIC).sort());
  });

  test.each(named(false))('%s: every spike at its Euler step', async (_, protocol) => {
    expect(await spikeSteps(backend, protocol)).toEqual(eulerSteps(protocol));
  });

  test.each(named(true))(
    '%s, chaotic: the first spikes at their Euler steps, and as many of them',
    async (_, protocol) => {
      const steps = await spikeSteps(backend, protocol);
      const { first, count } = CHAOTIC[protocol.name] as { first: number; count: number };
      expect(steps.slice(0, first)).toEqual(eulerSteps(protocol).slice(0, first));
      expect(Math.abs(steps.length - eulerSteps(protocol).length)).toBeLessThanOrEqual(count);
    },
  );
});
