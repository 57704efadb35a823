// Somas of one's own: what a text becomes, and what is refused in it, at its line and column. What they do is in
// test/engine/own-somas.test.ts.

import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, expectTypeOf, test } from 'vitest';
import { defineSoma, LawError, type OwnSoma } from '../../src/define.ts';
import { InputError, type Soma, somas, type Value } from '../../src/index.ts';
import { parameterMeanings, stateMeanings } from '../../src/meanings.ts';
import { tokenize } from '../../src/wgsl.ts';

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const leaky = read('examples/somas/leaky.wgsl');
const izhikevich = read('examples/somas/izhikevich.wgsl');

function refusal(text: string, name = 'Own'): LawError {
  try {
    defineSoma(text, name);
  } catch (error) {
    expect(error).toBeInstanceOf(LawError);
    return error as LawError;
  }
  throw new Error(`not refused:\n${text}`);
}

/** The text with one thing changed, which has to be there. */
function changed(from: string, to: string, text = leaky): string {
  expect(text).toContain(from);
  return text.replace(from, to);
}

const validates = async ({ wasm }: Pick<Soma, 'wasm'>) => WebAssembly.validate(Buffer.from(await wasm(), 'hex'));

describe('a soma of one’s own', () => {
  test('has the tables that the comments in its text are, with their meanings', () => {
    const { name, parameters, states } = defineSoma(leaky, 'Leaky');
    expect(name).toBe('Leaky');
    expect(Object.keys(parameters)).toEqual(['rest', 'reset', 'threshold', 'tau', 'resistance', 'cooldown']);
    expect(parameters.tau).toEqual({
      path: 'tau',
      unit: 'ms',
      default: 10,
      above: 0,
      leastDt: true,
      meaning: 'membrane time constant',
    });
    expect(states.potential).toMatchObject({ default: 'rest', from: 'rest', meaning: 'membrane potential' });
  });

  test.each(somas.map((soma) => [soma.name, soma] as const))(
    'made of the file of %s, which uses parts, has its tables and its WebAssembly, byte for byte',
    async (name, soma) => {
      const own = defineSoma(read(`shaders/somas/${name}.wgsl`), 'Own');
      const withMeaning = (table: object, meanings: Readonly<Record<string, string>>) =>
        Object.fromEntries(Object.entries(table).map(([row, facts]) => [row, { ...facts, meaning: meanings[row] }]));
      expect(own.parameters).toEqual(withMeaning(soma.parameters, parameterMeanings));
      expect(own.states).toEqual(withMeaning(soma.states, stateMeanings));
      expect(Object.keys(own.parameters)).toEqual(Object.keys(soma.parameters));
      expect(await own.wasm()).toBe(await soma.wasm());
    },
  );

  test('may keep one number for all neurons among its constants', async () => {
    expect(izhikevich).toContain('half: f32');
    expect(await validates(defineSoma(izhikevich))).toBe(true);
  });

  test('is the same whatever ends its lines, and with the mark that some editors begin a file with', async () => {
    const wasm = await defineSoma(leaky).wasm();
    for (const text of [leaky.replaceAll('\n', '\r\n'), leaky.replaceAll('\n', '\r'), `\uFEFF${leaky}`])
      expect(await defineSoma(text).wasm()).toBe(wasm);
  });

  test('takes names of its parameters and states at compile time, any where none are given', () => {
    const own = defineSoma<'tau' | 'rest', 'potential'>(leaky);
    expectTypeOf(own).toExtend<Soma<{ tau?: Value; rest?: Value }, 'potential'>>();
    expectTypeOf<OwnSoma['parameters']['anything']['meaning']>().toEqualTypeOf<string>();
    // @ts-expect-error: it has no such parameter
    const row = own.parameters.tua;
    expect(row).toBeUndefined();
  });
});

describe('refused in a law, at its place', () => {
  const wrong: [title: string, from: string, to: string, place: [line: number, column: number], says: string][] = [
    ['an unknown name', '+ c.scale *', '+ c.scael *', [38, 33], 'did you mean "scale"?'],
    ['an unknown type', 'tau: lane', 'tau: lain', [7, 8], 'unknown type "lain"'],
    ['a parameter of WGSL’s own types', 'tau: lane', 'tau: f32', [7, 3], 'is of type lane'],
    ['a state that is a vector', 'blocked: lane', 'blocked: vec4f', [14, 3], 'is of type lane'],
    ['flags joined as truths', ') & !held', ') && !held', [39, 22], 'joined with & and |'],
    ['a change of what is none', 'let moved', 'let held2 = held; held2 = held;\n  let moved', [38, 21], 'with var'],
    ['a function that is not there', '-s.potential', '-tanh(s.potential)', [32, 11], 'write 1.0 - 2.0 / (exp('],
    ['a missing semicolon', 'return spike;', 'return spike', [43, 1], 'expected ";"'],
    ['an if on four neurons', 'return spike;', 'if (spike) { }\n  return spike;', [42, 7], 'use select'],
    ['a word that WGSL keeps for itself', 'let moved', 'let final', [38, 7], 'keeps for itself'],
    ['a division by 0', 'return -s.potential;', 'return -s.potential * (1.0 / 0.0);', [32, 30], 'not finite'],
    ['a character that is none of WGSL’s', 'return -s', 'return -§', [32, 11], 'unexpected character'],
    ['a white space that is none of WGSL’s', 'return -s', 'return\u00a0-s', [32, 9], 'unexpected character'],
    ['a null character', '// A step', '// A \0step', [35, 6], 'null character'],
    ['a function of the kernel', 'struct State', 'fn current() {}\nstruct State', [12, 1], 'rename it'],
    ['a function of an input that is not used', 'struct State', 'fn sine() {}\nstruct State', [12, 1], 'rename it'],
    ['a type of WGSL', 'struct State', 'struct vec4f { x: lane }\nstruct State', [12, 8], 'rename it'],
    ['another signature', 'fn drift(c: Constants, s: State)', 'fn drift(s: State)', [31, 13], '(Constants, State)'],
    ['no struct State', 'struct State', 'struct Condition', [1, 1], 'there is no struct "State"'],
    ['no function prepare', 'fn prepare', 'fn prepares', [1, 1], 'there is no function "prepare"'],
    ['a row without a comment', ' // 10 ms, > 0, >= dt: membrane time constant', '', [7, 3], 'DEFAULT UNIT, MARK'],
    ['an unknown mark', '>= 0, in steps', '>= 0, in step', [9, 3], 'known: > x, >= x, <= x, >= dt, in steps'],
    ['a default that is no number', '10 ms', 'ten ms', [7, 3], 'its default ten'],
    ['a default out of its own range', '10 ms, > 0', '0 ms, > 0', [7, 3], 'must be greater than 0'],
    ['a state from nowhere', 'from rest', 'from rust', [13, 3], 'no parameter "rust"'],
    ['a state that starts nowhere', 'rest mV, from', 'rust mV, from', [13, 3], 'its default rust'],
    [
      'a parameter that is no lane',
      '  cooldown: lane',
      '  own: f32, // 1 mV: of all\n  cooldown: lane',
      [9, 3],
      'of type lane',
    ],
    ['a mark for inputs', '0.1 GOhm', '0.1 GOhm, by host', [8, 3], 'are for inputs'],
    ['a name that is not the member’s', '0.1 GOhm', '0.1 GOhm, called ohm', [8, 3], 'are for inputs'],
    [
      'a state of a part that has no parameter here',
      'blocked: lane,  ',
      'c: Cooling,\n  blocked: lane,  ',
      [14, 3],
      'stands twice',
    ],
    [
      'a state with a name that recordings have',
      'blocked: lane,     //',
      'spikes: lane,     //',
      [14, 3],
      'recordings',
    ],
  ];

  test.each(wrong)('%s', (title, from, to, [line, column], says) => {
    // The other rows speak of the state as it was called.
    const text = changed(from, to);
    const error = refusal(title.includes('recordings') ? text.replaceAll(').blocked', ').spikes') : text);
    expect(error.message).toContain(says);
    expect([error.line, error.column], error.message).toEqual([line, column]);
    expect(error.path).toBe(`Own:${line}:${column}`);
    expect(error.source).toBe(text.split('\n')[line - 1]);
    const shown = error.source.replace('\0', '\u{fffd}');
    expect(error.message.split('\n').slice(1)).toEqual([shown, `${' '.repeat(column - 1)}^`]);
    expect(() => defineSoma(leaky)).not.toThrow();
  });

  test('a name of a part that is used beside it', () => {
    const eif = read('shaders/somas/ExponentialSoma.wgsl');
    expect(refusal(`${eif}\nfn intrinsic(v: lane) -> lane { return v; }\n`).message).toContain('declared twice');
    // Of its own it may have what parts have.
    expect(() => defineSoma(`${leaky}\nfn intrinsic(v: lane) -> lane { return v; }\n`)).not.toThrow();
  });

  test('a part whose states are kept from a parameter that is not there, where the law names it', () => {
    const cooling = changed('potential: lane,   // rest mV, from rest: membrane potential', 'cooling: Cooling,')
      .replace(/ {2}blocked: lane.*\n/, '')
      .replace(/\bs(\))?\.(potential|blocked)/g, 's$1.cooling.$2');
    expect(refusal(cooling)).toMatchObject({ line: 13, column: 3, source: '  cooling: Cooling,' });
    expect(refusal(cooling).message).toContain('potential: there is no parameter "potential_rest"');
    expect(() => defineSoma(cooling.replaceAll(/\brest\b/g, 'potential_rest'))).not.toThrow();
  });

  test('the place behind a tab, in a long line, and on another system', () => {
    const tab = refusal(changed('  return -s.potential;', '\treturn -s.potental;'));
    expect(tab.message.split('\n').at(-1)).toBe(`\t${' '.repeat(9)}^`);
    const long = refusal(changed('return -s', `return ${'0.0 + '.repeat(100)}-s.potental; //${' '.repeat(99)}`));
    expect(long.message.split('\n')[1]).toHaveLength(160);
    expect(long.message.split('\n')[1]?.[(long.message.split('\n')[2] as string).length - 1]).toBe('.');
    expect(refusal(changed('+ c.scale *', '+ c.scael *').replaceAll('\n', '\r\n'))).toMatchObject({
      line: 38,
      column: 33,
    });
  });

  test('what would take the compiler for ever, or deeper than it goes', () => {
    const many = (count: number, line: (i: number) => string) =>
      Array.from({ length: count }, (_, i) => line(i)).join('\n');
    const earlier = (i: number, one: string, first: string) => (i > 0 ? one.replaceAll('#', `${i - 1}`) : first);
    for (const more of [
      many(60, (i) => `fn call${i}() { ${earlier(i, 'call#(); call#();', '')} }`),
      many(60, (i) => `struct Pair${i} { a: ${earlier(i, 'Pair#', 'lane')}, b: ${earlier(i, 'Pair#', 'lane')} }`),
      many(60, (i) => `const square${i} = ${earlier(i, 'square# * square#', '1.0')};`),
      `fn deep(x: lane) -> lane { return ${'('.repeat(9000)}x${')'.repeat(9000)}; }`,
      `fn negated(x: lane) -> lane { return ${'-('.repeat(60)}-x${' + x)'.repeat(60)}; }`,
      `fn blocks() { ${'{'.repeat(9000)}${'}'.repeat(9000)} }`,
    ]) {
      const begin = performance.now();
      expect(refusal(`${leaky}\n${more}`).message).toMatch(/too long|too deeply/);
      // Hundreds of times what it takes: that it ends is what matters.
      expect(performance.now() - begin).toBeLessThan(20_000);
    }
    expect(() =>
      defineSoma(`${leaky}\n${many(5, (i) => `fn call${i}() { ${earlier(i, 'call#(); call#();', '')} }`)}`),
    ).not.toThrow();
  });

  test.each([
    ['a number in the place of the text', [3], 'is no law, got 3'],
    ['a text that goes on and on', ['/'.repeat(70_000)], 'is no law'],
    ['a name with a space', [leaky, 'my soma'], 'is no name for a soma'],
    ['the name of one that is built in', [leaky, 'ExponentialSoma'], 'is built in'],
  ] as const)('%s', (_, given, says) => {
    const define = () => defineSoma(...(given as unknown as [string, string]));
    expect(define).toThrow(InputError);
    expect(define).toThrow(says);
    expect(() => defineSoma(leaky, 'My_soma2')).not.toThrow();
  });
});

describe('any text', () => {
  const texts = ['somas', 'parts', 'inputs', 'math'].flatMap((folder) =>
    readdirSync(new URL(`../../shaders/${folder}`, import.meta.url)).map((file) => read(`shaders/${folder}/${file}`)),
  );
  const words = [...new Set(texts.flatMap((text) => tokenize(text).map((token) => token.text)))];
  const laws = [leaky, izhikevich, ...somas.map(({ name }) => read(`shaders/somas/${name}.wgsl`))];

  /** What a slip of the hand does to a text, at a place from 0 to 1. */
  const slip = fc.record({
    what: fc.constantFrom('cut', 'drop', 'insert', 'replace', 'swap', 'garble'),
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    word: fc.constantFrom(...words),
    garbage: fc.string({ maxLength: 5, unit: 'binary' }),
  });
  type Slip = typeof slip extends fc.Arbitrary<infer T> ? T : never;

  function slipped(text: string, { what, at, word, garbage }: Slip): string {
    const place = Math.floor(at * text.length);
    if (what === 'cut') return text.slice(0, place);
    if (what === 'garble') return text.slice(0, place) + garbage + text.slice(place + 1);
    const pieces = text.split(/\b/);
    const i = Math.min(pieces.length - 1, Math.floor(at * pieces.length));
    const piece = pieces[i] as string;
    if (what === 'drop') pieces.splice(i, 1);
    if (what === 'insert') pieces.splice(i, 0, word);
    if (what === 'replace') pieces[i] = word;
    if (what === 'swap') pieces.splice(i, 2, pieces[i + 1] ?? '', piece);
    return pieces.join('');
  }

  test('becomes a soma whose WebAssembly is sound, or is refused at a place in it', async () => {
    let refused = 0;
    let made = 0;
    const some = fc.tuple(fc.constantFrom(...laws), fc.array(slip, { minLength: 1, maxLength: 4 }));
    await fc.assert(
      fc.asyncProperty(some, async ([law, slips]) => {
        const text = slips.reduce(slipped, law);
        let soma: OwnSoma;
        try {
          soma = defineSoma(text);
        } catch (error) {
          refused++;
          expect(error).toBeInstanceOf(LawError);
          const { line, column, source } = error as LawError;
          const lines = text.replace(/^\uFEFF/, '').split(/\r\n|[\n\v\f\r\u0085\u2028\u2029]/);
          expect(source).toBe(lines[line - 1]);
          expect(column).toBeGreaterThan(0);
          expect(column).toBeLessThanOrEqual(source.length + 1);
          return;
        }
        made++;
        expect(await validates(soma)).toBe(true);
      }),
      { numRuns: 500, seed: 8 },
    );
    expect(refused).toBeGreaterThan(100);
    expect(made).toBeGreaterThan(20);
  });
});
