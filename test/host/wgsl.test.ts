// The reader of our WGSL: tables from comments, complaints with places, what needs what, and texts without comments.

import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { link, readSource, readTable, strip, tokenize, WgslError } from '../../src/wgsl.ts';

const SHADERS = new URL('../../shaders/', import.meta.url);
const shaderFiles = readdirSync(SHADERS, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.wgsl'))
  .sort();
const readShader = (file: string): string => readFileSync(new URL(file, SHADERS), 'utf8');

const table = (text: string, struct = 'Parameters') => readTable(readSource(text).structs, struct);
const row = (comment: string, type = 'lane') => table(`struct Parameters {\n  x: ${type}, // ${comment}\n}`).x;

/** The message of the complaint about a text; it starts with the place. */
function complaint(text: string): string {
  try {
    table(text);
  } catch (error) {
    expect(error).toBeInstanceOf(WgslError);
    const { line, column, reason, message } = error as WgslError;
    expect(message).toBe(`${line}:${column}: ${reason}`);
    return message;
  }
  throw new Error('there was no complaint');
}

describe('a table', () => {
  test('has a row for every member of a struct, in their order, with default, unit and meaning', () => {
    const rows = table(`struct Parameters {
      tau: lane,     // 5 ms: time constant
      rest: lane,    // -70.5 mV: where it rests: always
    }`);
    expect(Object.keys(rows)).toEqual(['tau', 'rest']);
    expect(rows).toEqual({
      tau: { path: 'tau', default: 5, unit: 'ms', meaning: 'time constant' },
      rest: { path: 'rest', default: -70.5, unit: 'mV', meaning: 'where it rests: always' },
    });
  });

  test('has the leaves of nested structs, each with its path, whichever struct is declared first', () => {
    const inner = 'struct Inner {\n tau: lane, // 5 ms: a\n}';
    const outer = 'struct Outer {\n inner: Inner,\n rest: lane, // 1 mV: b\n}';
    const parameters = 'struct Parameters {\n outer: Outer,\n last: lane, // 2 pA: c\n}';
    for (const order of [
      [inner, outer, parameters],
      [parameters, outer, inner],
    ]) {
      const rows = Object.entries(table(order.join('\n'))).map(([name, { path }]) => [name, path]);
      expect(rows).toEqual([
        ['tau', 'outer.inner.tau'],
        ['rest', 'outer.rest'],
        ['last', 'last'],
      ]);
    }
  });

  test('is empty where there is no such struct', () => {
    expect(table('struct Other {\n x: f32,\n}')).toEqual({});
  });

  test.each([
    ['5 ms, > 0: a', { above: 0 }],
    ['5 ms, > -1.5: a', { above: -1.5 }],
    ['5 ms, >= 0: a', { least: 0 }],
    ['5 ms, >= dt: a', { leastDt: true }],
    ['5 ms, <= 1000: a', { most: 1000 }],
    ['5 ms, in steps: a', { inSteps: true }],
    ['5 ms, whole: a', { whole: true }],
    ['5 ms, from potential_rest: a', { from: 'potential_rest' }],
    ['5 ms, by host: a', { byHost: true }],
    ['5 ms, on host: a', { onHost: true }],
    ['5 ms, or density: a', { density: 'density' }],
    ['5 ms, > 0, >= dt, <= 9: a', { above: 0, leastDt: true, most: 9 }],
    ['5 ms: a', {}],
  ])('reads the marks of "%s"', (comment, marks) => {
    expect(row(comment)).toEqual({ path: 'x', default: 5, unit: 'ms', meaning: 'a', ...marks });
  });

  test('has as default a number, the name of a parameter or of an edge, or nothing where one is required', () => {
    expect(row('0 mV: a')).toHaveProperty('default', 0);
    expect(row('-0.25 mV: a')).toHaveProperty('default', -0.25);
    expect(row('potential_rest mV: a')).toHaveProperty('default', 'potential_rest');
    expect(row('end ms: a')).toHaveProperty('default', 'end');
    expect(row('required pA: a')).not.toHaveProperty('default');
  });

  test('marks members of type u32 as edges in time, others not', () => {
    expect(row('0 ms: a', 'u32')).toHaveProperty('edge', true);
    expect(row('0 ms: a')).not.toHaveProperty('edge');
  });

  test('marks members of type f32 as one number for all, others not', () => {
    expect(row('0 ms: a', 'f32')).toHaveProperty('single', true);
    expect(row('0 ms: a')).not.toHaveProperty('single');
  });

  test('knows a member by the name a user calls it, where WGSL reserves that', () => {
    const rows = table('struct Parameters {\n first: lane, // 0 pA, called from: a\n}');
    expect(rows).toEqual({ from: { path: 'first', default: 0, unit: 'pA', meaning: 'a' } });
  });

  test("takes a member's comment from its own line, as a line or a block", () => {
    const rows = table('struct Parameters {\n // 1 mV: above\n x: lane, /* 2 mV: beside */\n // 3 mV: below\n}');
    expect(rows.x).toEqual({ path: 'x', default: 2, unit: 'mV', meaning: 'beside' });
  });
});

describe('a complaint names line and column', () => {
  const good = '// a\nstruct Parameters {\n  good: lane, // 1 mV, > 0: fine\n    x: lane,   // 2 mV, > 0: fine\n}\n';

  test('and there is none about a text that is right', () => {
    expect(Object.keys(table(good))).toEqual(['good', 'x']);
  });

  test.each([
    ['a comment that is missing', '   // 2 mV, > 0: fine', '', '4:5: x: its comment wants the form'],
    ['a comment without meaning', '> 0: fine\n}', '> 0\n}', '4:5: x: its comment wants the form'],
    ['a comment on the next line', '   // 2 mV', '\n // 2 mV', '4:5: x: its comment wants the form'],
    ['a default without unit', '2 mV, > 0', '2, > 0', '4:5: x: "2" wants a default and a unit'],
    ['an unknown mark', '2 mV, > 0', '2 mV, >> 0', '4:5: x: unknown mark ">> 0"'],
    ['a mark that is nearly one', '2 mV, > 0', '2 mV, > tau', '4:5: x: unknown mark "> tau"'],
    ['a mark with too much', '2 mV, > 0', '2 mV, whole numbers', '4:5: x: unknown mark "whole numbers"'],
    ['a type no table has', 'x: lane', 'x: f16', '4:5: x: a table has members of type lane, f32 or u32, not f16'],
    [
      'a type with a template',
      'x: lane',
      'x: vec4<f32>',
      '4:5: x: a table has members of type lane, f32 or u32, not vec4<f32>',
    ],
    [
      'a struct that is not there',
      'x: lane',
      'x: Lane',
      '4:5: x: a table has members of type lane, f32 or u32, not Lane',
    ],
    ['a character that WGSL has not', 'x: lane', 'x: la#ne', '4:10: unexpected character "#"'],
    ['a struct that is not closed', '}\n', '', '2:19: this struct has no closing brace'],
    ['a struct without a name', 'struct Parameters', 'struct', '2:1: struct wants a name'],
    ['a name declared twice', '}\n', '}\n\n  fn Parameters() {}', '7:6: "Parameters" is declared twice'],
    ['a member that stands twice', 'good:', 'x:', '4:5: "x" stands twice in Parameters'],
  ])('for %s', (_, right, wrong, message) => {
    expect(good).toContain(right);
    expect(complaint(good.replace(right, wrong))).toContain(message);
  });

  test('for a name that two nested structs have, and none where the names differ', () => {
    const text = (name: string) =>
      `struct A {\n x: lane, // 1 mV: a\n}\nstruct B {\n ${name}: lane, // 2 mV: b\n}\nstruct Parameters {\n a: A,\n b: B,\n}`;
    expect(Object.keys(table(text('y')))).toEqual(['x', 'y']);
    expect(complaint(text('x'))).toBe('9:2: "x" stands twice in Parameters');
  });

  test('also after comments of several lines', () => {
    expect(() => tokenize('/* one\n two\n three */ a $')).toThrow(new WgslError('unexpected character "$"', 3, 13));
    expect(() => tokenize('/* one\n two\n three */ a b')).not.toThrow();
    // In WGSL they nest; in ours there are none.
    expect(() => tokenize('/* one /* two */ a')).toThrow(new WgslError('unexpected character "/"', 1, 1));
  });
});

describe('what a text declares and uses', () => {
  const source = readSource(`
    // fn commented() {}
    /* struct Commented {
       x: f32 } */
    struct Thing { x: f32, y: array<vec4f> }
    alias lane = vec4f;
    const LIMIT = 80.0;
    override width: u32 = 4u;
    @group(0) @binding(1) var<storage, read_write> planes: array<lane>;
    var<private> hidden: f32;
    fn work(a: ptr<function, Thing>, count: u32) -> f32 {
      var local = other((*a).x);
      for (var i = 0u; i < count; i++) { let inner = planes[i]; }
      return local;
    }`);

  test('are the declarations of module scope: not locals, arguments, members or comments', () => {
    expect([...source.declares]).toEqual(['Thing', 'lane', 'LIMIT', 'width', 'planes', 'hidden', 'work']);
  });

  test('are all identifiers, whether declared there or not, and none of a comment', () => {
    for (const name of ['other', 'Thing', 'planes', 'local']) expect(source.uses).toContain(name);
    for (const name of ['commented', 'Commented']) expect(source.uses).not.toContain(name);
  });

  test('has the members of structs with their types', () => {
    const members = source.structs.get('Thing')?.map(({ name, type }) => [name, type]);
    expect(members).toEqual([
      ['x', 'f32'],
      ['y', 'array<vec4f>'],
    ]);
    expect([...source.structs.keys()]).toEqual(['Thing']);
  });
});

describe('linking', () => {
  const library = [
    'fn unrelated() {}',
    'fn base() { deepest(); }',
    'struct Part { x: f32 }\nfn part() { base(); }',
    'fn deepest() {}',
  ].map(readSource);

  test('takes what a text uses, directly or through others, in the order of the library', () => {
    expect(link(library, readSource('fn soma() { part(); }'))).toEqual([1, 2, 3]);
    expect(link(library, readSource('struct S { p: Part }'))).toEqual([1, 2, 3]);
    expect(link(library, readSource('fn soma() { base(); }'))).toEqual([1, 3]);
    expect(link(library, readSource('fn soma() { deepest(); }'))).toEqual([3]);
  });

  test('takes nothing for a text that stands alone, or that names a part in a comment only', () => {
    expect(link(library, readSource('fn soma() { own(); } fn own() {}'))).toEqual([]);
    expect(link(library, readSource('// part()\nfn soma() {}'))).toEqual([]);
  });

  test('ends where parts use one another, and leaves out the wanted text itself', () => {
    const circle = ['fn a() { b(); }', 'fn b() { c(); }', 'fn c() { a(); }'].map(readSource);
    expect(link(circle, readSource('fn soma() { b(); }'))).toEqual([0, 1, 2]);
    expect(link(library, library[2] as (typeof library)[number])).toEqual([1, 3]);
  });

  test('gives each soma the parts that its law is made of', () => {
    const parts = ['adaptation', 'membrane', 'refractory'];
    const sources = parts.map((name) => readSource(readShader(`parts/${name}.wgsl`)));
    const linked = (soma: string) => link(sources, readSource(readShader(`somas/${soma}.wgsl`))).map((i) => parts[i]);
    expect(linked('ExponentialSoma')).toEqual(['membrane']);
    expect(linked('AdaptiveExponentialSoma')).toEqual(['adaptation', 'membrane']);
    expect(linked('RefractoryAdaptiveExponentialSoma')).toEqual(parts);
    expect(linked('RefractoryExponentialSoma')).toEqual(['membrane', 'refractory']);
    expect(linked('SimplifiedAdaptiveExponentialSoma')).toEqual(['membrane', 'refractory']);
  });
});

describe('stripping', () => {
  const lawOf = (text: string) =>
    tokenize(text)
      .filter(({ kind }) => kind !== 'comment')
      .map((token) => token.text);

  test('has shaders of all kinds to be tried on', () => {
    expect(shaderFiles).toEqual(expect.arrayContaining(['block.wgsl', 'inputs/step.wgsl', 'parts/membrane.wgsl']));
    expect(shaderFiles.length).toBeGreaterThanOrEqual(11);
  });

  test.each(shaderFiles)('keeps the tokens of %s, drops all comments and makes it shorter', (file) => {
    const [text, stripped] = [readShader(file), strip(readShader(file))];
    expect(lawOf(stripped)).toEqual(lawOf(text));
    expect(tokenize(stripped).filter(({ kind }) => kind === 'comment')).toEqual([]);
    expect(stripped.length).toBeLessThan(text.length);
    expect(strip(stripped)).toBe(stripped);
  });

  test('drops block comments of several lines, and what looks like code in them', () => {
    const text = 'fn a() {\n  /* let b = 1;\n     let c = 2; */\n  let d = 3; /* e */\n}';
    expect(lawOf(strip(text))).toEqual(['fn', 'a', '(', ')', '{', 'let', 'd', '=', '3', ';', '}']);
    expect(strip('/* all\n of it */')).toBe('');
  });

  test.each(['a = b / *p;', 'a = b - -c;', 'a = b & &c;', 'a = -b < -c;', 'a = b >= c || !d;'])(
    'joins no two operators into another or into a comment: %s',
    (text) => {
      expect(lawOf(strip(text))).toEqual(lawOf(text));
    },
  );

  test('keeps the white space that separates words', () => {
    expect(strip('  return   x ;  // y')).toMatch(/^return +x;$/);
    expect(strip('let a = b;\nlet c = d;')).toBe('let a=b;\nlet c=d;');
  });
});
