// What may be asked to be recorded: every refusal says where, what and what would be right, and has a control beside it.

import { describe, expect, test } from 'vitest';
import { AdaptiveExponentialSoma } from '../../src/index.ts';
import { makeRecordings, type Recording } from '../../src/record.ts';
import { refusal } from '../support/refusal.ts';

const make = (given: unknown) =>
  makeRecordings(given as Recording, { name: 'cells', soma: AdaptiveExponentialSoma, neurons: 4, dt: 0.1 });
const all = { from: 0, to: 0xffffffff, last: 0xffffffff };

type Row = [what: string, wrong: unknown, right: unknown, path: string, says: string];

const rows: Row[] = [
  [
    'a key of record',
    { spike: true },
    { spikes: true },
    'record',
    'unknown key "spike" of record; did you mean "spikes"?',
  ],
  ['spikes that are no choice', { spikes: 1 }, { spikes: false }, 'record.spikes', 'is neither true nor false, got 1'],
  ['spikes of null', { spikes: null }, { spikes: {} }, 'record.spikes', 'is neither true nor false'],
  ['a list of spikes', { spikes: [0] }, { spikes: { neurons: [0] } }, 'record.spikes', 'is no object'],
  [
    'a key of spikes',
    { spikes: { every: 2 } },
    { spikes: { last: 2 } },
    'record.spikes',
    'unknown key "every" of recorded spikes',
  ],
  [
    'a neuron too many',
    { spikes: { neurons: [4] } },
    { spikes: { neurons: [3] } },
    'record.spikes.neurons[0]',
    'from 0 to 3',
  ],
  [
    'half a neuron',
    { spikes: { neurons: [1, 0.5] } },
    { spikes: { neurons: [1, 0] } },
    'record.spikes.neurons[1]',
    'got 0.5',
  ],
  [
    'neurons by name',
    { spikes: { neurons: 'some' } },
    { spikes: { neurons: 'all' } },
    'record.spikes.neurons',
    'is no list',
  ],
  [
    'an object of JSON that looks like a list',
    { spikes: { neurons: { length: 1, 0: 2 } } },
    { spikes: { neurons: [2] } },
    'record.spikes.neurons',
    'is no list',
  ],
  ['a state', { states: { blocked: {} } }, { states: { adaptation: {} } }, 'record.states', 'unknown state "blocked"'],
  [
    'a key of a state',
    { states: { potential: { bin: 1 } } },
    { states: { potential: { to: 1 } } },
    'record.states.potential',
    'unknown key "bin"',
  ],
  [
    'every',
    { states: { potential: { every: 0 } } },
    { states: { potential: { every: 1 } } },
    'record.states.potential.every',
    'got 0',
  ],
  ['a rate without bins', { rate: {} }, { rate: { bin: 1 } }, 'record.rate.bin', 'is no duration'],
  ['a rate of true', { rate: true }, { rate: { bin: 5 } }, 'record.rate', 'is no object'],
  [
    'a bin between steps',
    { rate: { bin: 0.25 } },
    { rate: { bin: 0.3 } },
    'record.rate.bin',
    'is no whole number of steps of 0.1 ms, got 0.25; give 0.2 or 0.3',
  ],
  [
    'a bin of nothing',
    { rate: { bin: 0 } },
    { rate: { bin: 0.1 } },
    'record.rate.bin',
    'has no step, got 0; give 0.1 or a multiple of it',
  ],
  ['a negative bin', { rate: { bin: -1 } }, { rate: { bin: 1 } }, 'record.rate.bin', 'got -1'],
  [
    'a rate of neurons',
    { rate: { bin: 1, neurons: [0] } },
    { rate: { bin: 1 } },
    'record.rate',
    'unknown key "neurons"',
  ],
];

const places: [string, (window: object) => unknown][] = [
  ['spikes', (window) => ({ spikes: window })],
  ['states.potential', (window) => ({ states: { potential: window } })],
  ['rate', (window) => ({ rate: { bin: 1, ...window } })],
];

for (const [place, within] of places) {
  const row = (what: string, wrong: object, right: object, key: string, says: string): Row => [
    `${what} of ${place}`,
    within(wrong),
    within(right),
    `record.${place}.${key}`,
    says,
  ];
  rows.push(
    row('an end before the beginning', { from: 5, to: 4 }, { from: 5, to: 5 }, 'to', 'is before the beginning, got 4'),
    row('a negative beginning', { from: -1 }, { from: 0 }, 'from', 'is no time, got -1; give ms, 0 or more'),
    row('a beginning in words', { from: 'end' }, { to: 'end' }, 'from', 'got "end"'),
    row('an end in words', { to: 'all' }, { to: 'end' }, 'to', 'got "all"'),
    row('an end without end', { to: Number.POSITIVE_INFINITY }, { to: 1e9 }, 'to', 'is no time'),
    row('a ring of less than nothing', { last: -0.1 }, { last: 0 }, 'last', 'got -0.1'),
    row('a ring of no number', { last: Number.NaN }, { last: 3 }, 'last', 'is no time'),
    row('a ring of null', { last: null }, { last: undefined }, 'last', 'got null'),
  );
}

describe('refused is', () => {
  test.each(rows)('%s', (_, wrong, right, path, says) => {
    expect(() => make(right)).not.toThrow();
    const message = refusal(() => make(wrong));
    expect(message.slice(0, path.length + 8)).toBe(`cells.${path}: `);
    expect(message).toContain(says);
  });
});

describe('what is asked for', () => {
  test('is nothing by default, and all there is where nothing more is said', () => {
    expect(make({})).toMatchObject({ spikes: undefined, rate: undefined, traces: new Map(), statistics: new Map() });
    expect(make({ spikes: false }).spikes).toBeUndefined();
    for (const spikes of [true, {}, { neurons: 'all', to: 'end' }])
      expect(make({ spikes }).spikes).toMatchObject({ window: all, chosen: undefined });
    expect(make({ states: { potential: {} } }).traces.get('potential')).toMatchObject({
      window: all,
      every: 1,
      neurons: Uint32Array.of(0, 1, 2, 3),
    });
    expect(make({ rate: { bin: 2.5 } }).rate).toMatchObject({ window: all, bin: 25, neurons: 4 });
  });

  test('becomes steps: the first that begin at or after each moment', () => {
    const window = { from: 0.3, to: 0.75, last: 0.11 };
    expect(make({ spikes: window }).spikes?.window).toEqual({ from: 3, to: 8, last: 2 });
    expect(make({ rate: { bin: 1, ...window } }).rate?.window).toEqual({ from: 3, to: 8, last: 2 });
  });

  test('is of each chosen neuron once and in order for spikes, as asked for a state', () => {
    const neurons = [3, 1, 3, 0];
    expect(make({ spikes: { neurons } }).spikes?.chosen).toEqual(Uint32Array.of(0, 1, 3));
    const { traces } = make({ states: { potential: { neurons } } });
    expect(traces.get('potential')?.neurons).toEqual(Uint32Array.of(3, 1, 3, 0));
  });
});
