// A set-up as a link: what is written reads back to the last bit, and whatever else stands there ends in a sentence.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HOME, MOST_UNITS, PATTERNS, type Setup, type SetupInput, STANDARD } from '../../src/demo/setup.ts';
import { readLink, writeLink } from '../../src/demo/share.ts';
import { somas } from '../../src/index.ts';
import { inputMeanings, parameterMeanings } from '../../src/meanings.ts';

const finite = fc.double({ noNaN: true, noDefaultInfinity: true });
const positive = fc.double({ min: Number.MIN_VALUE, noNaN: true, noDefaultInfinity: true });
const word = fc.integer({ min: 0, max: 0xffffffff });
const name = fc.constantFrom('a', 'frozen noise', 'Ä-1.b_c', '雪');

const numbersOf = (names: readonly string[], number: fc.Arbitrary<number>): fc.Arbitrary<Record<string, number>> =>
  fc.record(Object.fromEntries(names.map((key) => [key, number])), { requiredKeys: [] }) as fc.Arbitrary<
    Record<string, number>
  >;

const input: fc.Arbitrary<SetupInput> = fc
  .constantFrom(...Object.entries(inputMeanings))
  .chain(([kind, table]) =>
    fc
      .tuple(
        numbersOf([...Object.keys(table), ...(kind === 'white_noise' ? ['intensity'] : [])], finite),
        fc.record({ pattern: fc.constantFrom(...PATTERNS), shared: name }, { requiredKeys: [] }),
      )
      .map(([numbers, words]) => ({ kind, ...numbers, ...words }) as unknown as SetupInput),
  );

const setup: fc.Arbitrary<Setup> = fc.integer({ min: 1, max: MOST_UNITS }).chain((units) =>
  fc.record({
    soma: fc.constantFrom(...somas.map((soma) => soma.name as Setup['soma'])),
    units: fc.constant(units),
    dt: positive,
    seed: word,
    speed: positive,
    parameters: numbersOf(Object.keys(parameterMeanings), finite),
    spread: numbersOf(Object.keys(parameterMeanings), positive),
    inputs: fc.array(input, { maxLength: 5 }),
    view: fc.oneof(
      fc.constant(HOME),
      fc.record({ x: finite, y: finite, zoom: positive, neuron: fc.option(fc.nat({ max: units - 1 })) }),
    ),
  }),
);

/** What a link may say when it is refused: no sign of it that could be markup. */
const SENTENCE = /^The link (is broken: |was made by a newer version)[A-Za-z0-9 :_.,]*\.$/;

const refusalOf = (fragment: string): string => {
  const link = readLink(fragment);
  if (!link || !('refused' in link)) throw new Error(`${fragment} was not refused`);
  expect(link.refused).toMatch(SENTENCE);
  return link.refused;
};

const setupOf = (fragment: string): Setup => {
  const link = readLink(fragment);
  if (!link || !('setup' in link)) throw new Error(`${fragment}: ${link?.refused}`);
  return link.setup;
};

const plain = writeLink(STANDARD);

describe('a link', () => {
  test('gives back every field, every number to its last bit', () => {
    fc.assert(
      fc.property(setup, (given) => {
        // Unlike toEqual, toStrictEqual tells -0 from 0 and what is missing from what is undefined.
        expect(setupOf(writeLink(given))).toStrictEqual(structuredClone(given));
      }),
      { numRuns: 1000 },
    );
  });

  test('of fewer neurons than there were traces none that has gone', () => {
    const { view } = setupOf(writeLink({ ...STANDARD, units: 1000 }));
    expect(view).toStrictEqual({ ...STANDARD.view, neuron: null });
  });

  test('can be read by people, and is short', () => {
    expect(plain).toBe(
      '#v=1&soma=AdaptiveExponentialSoma&units=102400&dt=0.1&seed=1&speed=60&cv=potential_tau:0.1,resistance:0.05' +
        '&i=constant,amplitude:42&i=sine,amplitude:22,frequency:5,pattern:waves&i=ornstein_uhlenbeck,mean:0,sd:10,tau:5' +
        '&view=0.5,0.5,1,51306&end',
    );
    expect(setupOf(plain)).toStrictEqual(STANDARD);
  });

  test('has no sign that an address may not have, or that is changed on its way', () => {
    fc.assert(
      fc.property(setup, (given) => {
        const link = writeLink(given);
        expect(link).toMatch(/^#[A-Za-z0-9_.,:=&*-]+$/);
        expect(new URL(link, 'https://example.org/page/').hash).toBe(link);
      }),
    );
  });

  test('can be read after somebody has put percent signs into it', () => {
    fc.assert(
      fc.property(setup, (given) => {
        const changed = `#${encodeURIComponent(writeLink(given).slice(1))}`;
        expect(setupOf(changed)).toStrictEqual(structuredClone(given));
      }),
    );
  });

  test('that is missing, or names a place on the page, is none', () => {
    for (const fragment of ['', '#', '#gallery', '#main-content']) expect(readLink(fragment)).toBeUndefined();
  });
});

describe('a link that is broken', () => {
  test('is refused wherever it was cut off', () => {
    const long = writeLink({
      ...STANDARD,
      parameters: { resistance: 0.51 },
      view: { ...HOME, zoom: 12, neuron: 1234 },
    });
    expect(setupOf(long).view.neuron).toBe(1234);
    for (let end = long.indexOf('=') + 1; end < long.length; end++) refusalOf(long.slice(0, end));
  });

  test('is refused, or still gives a set-up of numbers and known names, whatever was changed in it', () => {
    const change = fc.record({
      at: fc.nat(),
      gone: fc.nat({ max: 3 }),
      come: fc.oneof(
        fc.string({ unit: 'binary' }),
        fc.constantFrom('<b>', '__proto__:1', '&', '=', ':', ',', '*', '-', 'e'),
      ),
    });
    const harmless = /^[\p{L}\p{N} _.-]*$/u;
    const walk = (part: unknown): void => {
      if (typeof part === 'number') expect(Number.isFinite(part)).toBe(true);
      else if (typeof part === 'string') expect(part).toMatch(harmless);
      else for (const [key, value] of Object.entries(part ?? {})) [key, value].forEach(walk);
    };
    fc.assert(
      fc.property(setup, fc.array(change, { minLength: 1, maxLength: 3 }), (given, changes) => {
        let link = writeLink(given);
        for (const { at, gone, come } of changes) {
          const place = 1 + (at % (link.length - 1));
          link = link.slice(0, place) + come + link.slice(place + gone);
        }
        const read = readLink(link);
        if (read && 'setup' in read) walk(read.setup);
        else if (read) expect(read.refused).toMatch(SENTENCE);
      }),
      { numRuns: 2000 },
    );
  });

  test('is refused in a sentence, whatever stands there', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const read = readLink(`#v=1&${text}=`);
        expect(read && 'refused' in read && SENTENCE.test(read.refused)).toBe(true);
      }),
    );
  });

  test.each([
    ['of a newer version', plain.replace('v=1', 'v=2'), /newer version/],
    ['of no version', plain.replace('v=1&', ''), /which version/],
    ['with a soma that is none', plain.replace('AdaptiveExponentialSoma', 'constructor'), /no soma/],
    ['without neurons', plain.replace('units=102400', 'units=0'), /units is out of range/],
    ['with more neurons than the page shows', plain.replace('102400', '4194305'), /units is out of range/],
    ['with a part of a neuron', plain.replace('102400', '102400.5'), /units is out of range/],
    ['with a time step of 0', plain.replace('dt=0.1', 'dt=0'), /dt is out of range/],
    ['with a number in other digits', plain.replace('dt=0.1', 'dt=0x1'), /dt is no number/],
    ['with an infinite number', plain.replace('dt=0.1', 'dt=1e999'), /dt is no number/],
    ['with something twice', plain.replace('dt=0.1', 'dt=0.1&dt=0.2'), /dt is there more than once/],
    ['with a part that nobody knows', plain.replace('dt=0.1', 'dt=0.1&x=1'), /not known/],
    ['with a parameter that nobody knows', plain.replace('resistance', 'resistence'), /spread that is not known/],
    ['with a name that objects have', plain.replace('resistance', '__proto__'), /spread that is not known/],
    ['with a parameter twice', plain.replace('resistance', 'potential_tau'), /more than once/],
    ['with a negative spread', plain.replace('tau:0.1', 'tau:-0.1'), /potential_tau is out of range/],
    ['with an input that nobody knows', plain.replace('constant', 'toString'), /input 1 is of no known kind/],
    ['with a key that an input has not', plain.replace('frequency', 'width'), /input 2 has something/],
    ['with a pattern that nobody knows', plain.replace('waves', 'stripes'), /input 2 has no known pattern/],
    ['with markup for a name', plain.replace('tau:5', 'tau:5,shared:*003cb*003e'), /no plain name/],
    ['with a neuron that is not there', plain.replace('51306', '102400'), /the neuron is out of range/],
    ['with half a percent sign', plain.replace('dt=0.1', 'dt=%'), /cannot be read/],
    ['without end', `${plain}${'&i=constant'.repeat(9000)}`, /too long/],
  ])('%s is refused', (_, link, reason) => {
    expect(refusalOf(link)).toMatch(reason);
  });
});
