// A link that reads well may still hold what no neuron can be: the engine is asked before the page takes it over.

import { describe, expect, test } from 'vitest';
import { type Setup, STANDARD } from '../../src/demo/setup.ts';
import { readLink, refusalOf, writeLink } from '../../src/demo/share.ts';

async function refusalOfLink(setup: Setup): Promise<string | undefined> {
  const link = readLink(writeLink(setup));
  if (!link || 'refused' in link) throw new Error(`not even read: ${link?.refused}`);
  return refusalOf(link.setup);
}

describe('a set-up from a link', () => {
  test('is taken where the engine takes it, also with a number of neurons that fills a GPU', async () => {
    expect(await refusalOfLink({ ...STANDARD, units: 2048 * 2048 })).toBeUndefined();
  });

  test.each<[string, Partial<Setup>, RegExp]>([
    ['a parameter out of range', { parameters: { spike_slope: -1 } }, /spike_slope.*greater than 0/],
    ['a parameter of another soma', { parameters: { cooldown: 2 } }, /cooldown/],
    ['a time step beyond a time constant', { dt: 8 }, /potential_tau.*time step/],
    ['a time step that no simulation has', { dt: 1e300 }, /dt.*no time step/],
    [
      'an input that lacks something',
      { inputs: [{ kind: 'constant' } as Setup['inputs'][number]] },
      /amplitude.*missing/,
    ],
    ['waves of what has no phase', { inputs: [{ kind: 'constant', amplitude: 1, pattern: 'waves' }] }, /waves/],
  ])('is refused in a sentence with %s', async (_, wrong, reason) => {
    const refusal = await refusalOfLink({ ...STANDARD, ...wrong });
    expect(refusal).toMatch(/^The link cannot be used: /);
    expect(refusal).toMatch(reason);
  });
});
