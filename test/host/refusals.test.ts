// What is not in the subset is refused by name, with file, line and column; beside every refusal stands the nearest form
// that compiles. A `§` marks where the complaint has to point. Whatever WGSL itself refuses is refused here too: a law
// that compiles here has to be one that compiles on the GPU.

import { describe, expect, test } from 'vitest';
import { compileInput } from '../../src/compiler/input.ts';
import { compileSoma } from '../../src/compiler/soma.ts';
import { WgslError } from '../../src/wgsl.ts';
import { runLaw } from '../support/compiled.ts';

const members = ['a', 'b', 'c'];

/** A law whose function `probe` has this body, where a, b and c are lanes and n is a u32. */
const law = (body: string, declarations = ''): string => `${declarations}
struct Probe { a: lane, b: lane, c: lane }
fn probe(p: Probe, n: u32) -> lane {
  let a = p.a; let b = p.b; let c = p.c;
  ${body}
  return a;
}`;

const compile = (text: string) => runLaw({ text, members }, Array(3).fill(Float32Array.of(1)), 6);

/** That a text is refused for this reason, at its mark. */
function expectRefusal(marked: string, reason: string | RegExp): void {
  const text = marked.replace('§', '');
  const before = marked.slice(0, marked.indexOf('§')).split('\n');
  const place = `probe.wgsl:${before.length}:${(before.at(-1) as string).length + 1}: `;
  try {
    compile(text);
  } catch (error) {
    expect(error, String(error)).toBeInstanceOf(WgslError);
    const { message } = error as WgslError;
    expect(message.slice(0, place.length), message).toBe(place);
    if (typeof reason === 'string') expect(message.slice(place.length)).toContain(reason);
    else expect(message.slice(place.length)).toMatch(reason);
    return;
  }
  throw new Error(`this was not refused:\n${text}`);
}

type Row = [what: string, wrong: string, right: string, reason: string | RegExp];

/** Statements of `probe`, each with the nearest that compile. */
function statements(rows: Row[], declarations = ''): void {
  test.each(rows)('%s: %s', (_, wrong, right, reason) => {
    expect(() => compile(law(right, declarations))).not.toThrow();
    expectRefusal(law(wrong, declarations), reason);
  });
}

/** Declarations, and the statement that uses them in both forms. */
function declarations(rows: [...Row, use?: string][]): void {
  test.each(rows)('%s: %s', (_, wrong, right, reason, use = '') => {
    expect(() => compile(law(use, right))).not.toThrow();
    expectRefusal(law(use, wrong), reason);
  });
}

describe('types that are not there', () => {
  statements([
    ['i32', 'let x: §i32 = 1;', 'let x: u32 = 1u;', 'unknown type "i32"'],
    ['i32', 'let x = §i32(1);', 'let x = u32(1);', '"i32" is not supported'],
    ['f16', 'var x: §f16;', 'var x: f32;', 'unknown type "f16"'],
    ['vec4f', 'var x: §vec4f;', 'var x: lane;', 'unknown type "vec4f"'],
    ['vec4f', 'let x = §vec4f(1.0);', 'let x = lane(1.0);', '"vec4f" is not supported'],
    ['vec2<f32>', 'var x: vec2§<f32>;', 'var x: f32;', 'the type vec2<...> is not supported'],
    ['vec4<f32>', 'let x = §vec4<f32>(1.0);', 'let x = lane(1.0);', 'vec4<...> is not supported'],
    [
      'vec4<u32>',
      'let x = bitcast<vec4§<u32>>(a);',
      'let x = bitcast<bits>(a);',
      'the type vec4<...> is not supported',
    ],
    ['mat2x2f', 'var x: §mat2x2f;', 'var x: lane;', 'unknown type "mat2x2f"'],
    ['arrays', 'var x: array§<f32, 3>;', 'var x: f32;', 'the type array<...> is not supported'],
    ['arrays', 'let x = §array<f32, 2>(1.0, 2.0);', 'let x = f32(1.0);', 'array<...> is not supported'],
    ['indexing', 'let x = a§[0];', 'let x = a;', 'indexing is not supported: a law has no arrays'],
    ['atomics', 'var x: atomic§<u32>;', 'var x: u32;', 'the type atomic<...> is not supported'],
    ['a type that is misspelt', 'var x: §bit;', 'var x: bits;', 'unknown type "bit"; did you mean "bits"? known: f32'],
    ['whole numbers with a sign', 'let x = §1i;', 'let x = 1u;', '1i: there are no numbers of type i32'],
    ['numbers of half precision', 'let x = §1.5h;', 'let x = 1.5f;', '1.5h: there are no numbers of type f16'],
    ['numbers of half precision', 'let x = §1h;', 'let x = 1f;', '1h: there are no numbers of type f16'],
    ['hexadecimal i32', 'let x = §0x1Fi;', 'let x = 0x1Fu;', '0x1Fi: there are no numbers of type i32'],
  ]);

  test('a bare whole number without a type, which is an i32 in WGSL', () => {
    expect(() => compile(law('let x = 1u; let y = 1.0; var z: f32 = 1;'))).not.toThrow();
    expectRefusal(law('let x = §1;'), 'i32');
    expectRefusal(law('var x = §0;'), 'i32');
    expectRefusal(law('for (var i = §0; i < 3; i++) {}'), 'i32');
  });
});

describe('numbers', () => {
  statements([
    ['a u32 that is too large', 'let x = §4294967296u;', 'let x = 4294967295u;', '4294967296 is no u32'],
    ['a u32 that is too large', 'let x = n + §4294967296;', 'let x = n + 4294967295;', '4294967296 is no u32'],
    ['a u32 that is too large', 'let x = §0x100000000u;', 'let x = 0xffffffffu;', '4294967296 is no u32'],
    ['a u32 below 0', 'let x = n + §-1;', 'let x = n - 1;', '-1 is no u32'],
    ['a u32 with a fraction', 'let x = §1.5u;', 'let x = 1.5f;', '1.5u is no number'],
    ['a number with two exponents', 'let x = §1e5.;', 'let x = 1e5;', '1e5. is no number'],
    ['a decimal number that begins with 0', 'let x = §01u;', 'let x = 1u;', '01u is no number'],
    ['a number beyond float32', 'let x = lane(§1e39);', 'let x = lane(1e38);', 'beyond'],
    ['a number beyond float32', 'let x = §1e39f;', 'let x = 1e38f;', 'beyond'],
    ['a number beyond float64', 'let x = a + §1e400;', 'let x = a + 1e30;', /not finite|beyond/],
    ['a choice of whole literals', 'let x = select(§5, 7, n > 1u);', 'let x = select(5u, 7, n > 1u);', 'i32'],
    ['a product beyond float32', 'let x = 3e38f §* 10f;', 'let x = 3e37f * 10f;', 'this constant is not finite'],
    [
      'a whole constant beyond 2^53',
      'let x = a + (0xffffffff §* 0xffffffff);',
      'let x = a + (0xffff * 0xffff);',
      '2^53',
    ],
    ['a variable called', 'let exp = a; let x = §exp(b);', 'let ex = a; let x = exp(b);', 'is a variable here'],
    ['a function of a literal', 'let x = §sqrt(0.1);', 'let x = sqrt(0.1f);', 'give the literal the suffix f'],
    ['a division by zero', 'let x = a + 1.0 §/ 0.0;', 'let x = a + 1.0 / 2.0;', 'this constant is not finite'],
    ['a division by zero', 'let x = a + 1 §/ 0;', 'let x = a + 1 / 2;', 'this constant is not finite'],
    ['a quotient 0 / 0', 'let x = a + 0.0 §/ 0.0;', 'let x = a + 0.0 / 1.0;', 'this constant is not finite'],
    [
      'a product beyond float64',
      'let x = a + 1e200 §* 1e200;',
      'let x = a + 1e10 * 1e10;',
      'this constant is not finite',
    ],
    [
      'a remainder of literals',
      'let x = a + 7 §% 4;',
      'let x = a + f32(n % 4);',
      '% is not supported for two literals',
    ],
    ['a comparison of literals', 'let x = 1 §< 2;', 'let x = 1u < 2;', '< is not supported for two literals'],
    [
      'a minimum of literals',
      'let x = §min(1.0, 2.0);',
      'let x = min(1.0f, 2.0);',
      'min of two literals is not supported',
    ],
  ]);
});

describe('statements that are not there', () => {
  const words = 'use a bounded "for", and "if"';
  statements([
    ['while', '§while (n < 1u) {}', 'for (; n < 1u;) {}', `while is not supported: ${words}`],
    ['loop', '§loop {}', '{}', `loop is not supported: ${words}`],
    ['switch', '§switch n { default {} }', 'if (n == 1u) {} else {}', `switch is not supported: ${words}`],
    ['break', 'for (; n < 1u;) { §break; }', 'for (; n < 1u;) {}', `break is not supported: ${words}`],
    ['continue', 'for (; n < 1u;) { §continue; }', 'for (; n < 1u;) {}', `continue is not supported: ${words}`],
    ['discard', '§discard;', ';', `discard is not supported: ${words}`],
    ['const_assert', '§const_assert true;', ';', 'const_assert is not supported'],
    [
      'a loop without a bound',
      'for (var i = 0u; §; i++) {}',
      'for (var i = 0u; i < 1u; i++) {}',
      'a loop without a condition',
    ],
    ['a phony assignment', '§_ = a;', 'let x = a;', '"_"'],
    ['a value alone', 'a§;', 'let x = a;', 'expected an assignment or a call, found ";"'],
    ['an operation alone', 'a + b§;', 'let x = a + b;', 'expected an assignment or a call, found ";"'],
    ['a built-in function whose result is dropped', '§abs(a);', 'let x = abs(a);', 'abs'],
    ['var<private>', 'var§<private> x: f32;', 'var x: f32;', 'var with an address space is not supported'],
  ]);
});

describe('declarations that are not there', () => {
  const here = 'a law has structs, functions and constants';
  declarations([
    ['var<private>', '§var<private> x: f32;', 'const x = 1.0;', `"var" is not supported here: ${here}`],
    ['var<workgroup>', '§var<workgroup> x: f32;', 'const x = 1.0;', `"var" is not supported here: ${here}`],
    ['override', '§override x = 1.0;', 'const x = 1.0;', `"override" is not supported here: ${here}`],
    ['alias', '§alias real = f32;', 'struct real { x: f32 }', `"alias" is not supported here: ${here}`],
    ['enable', '§enable f16;', 'const f16 = 1.0;', `"enable" is not supported here: ${here}`],
    ['let outside functions', '§let x = 1.0;', 'const x = 1.0;', `"let" is not supported here: ${here}`],
    ['a statement outside functions', '§x = 1.0;', 'const x = 1.0;', `"x" is not supported here: ${here}`],
    ['an attribute of a variable', '§@group(0) const x = 1.0;', 'const x = 1.0;', 'attributes are not supported'],
    ['an attribute of a function', '§@compute fn f() {}', 'fn f() {}', 'attributes are not supported'],
    [
      'an attribute of a member',
      'struct S { §@size(16) x: f32 }',
      'struct S { x: f32 }',
      'attributes are not supported',
    ],
    [
      'an attribute of a parameter',
      'fn f(§@builtin(position) x: lane) {}',
      'fn f(x: lane) {}',
      'attributes are not supported',
    ],
    [
      'an attribute of a result',
      'fn f() -> §@location(0) f32 { return 1.0; }',
      'fn f() -> f32 { return 1.0; }',
      'attributes are not supported',
    ],
    [
      'a pointer to storage',
      'fn f(x: §ptr<storage, f32>) {}',
      'fn f(x: ptr<function, f32>) {}',
      'pointers to storage memory are not supported: only ptr<function, ...>',
    ],
    [
      'a pointer to private',
      'fn f(x: §ptr<private, f32>) {}',
      'fn f(x: ptr<function, f32>) {}',
      'pointers to private memory',
    ],
    [
      'a member that is a pointer',
      'struct S { x: §ptr<function, f32> }',
      'struct S { x: f32 }',
      'pointer',
      'let s = S();',
    ],
    [
      'a result that is a pointer',
      'fn f(x: lane) -> §ptr<function, lane> { return x; }',
      'fn f(x: lane) -> lane { return x; }',
      'pointer',
      'let y = f(a);',
    ],
  ]);
});

describe('names', () => {
  const before =
    'const LIMIT = 80.0;\nstruct Pair { left: lane, right: lane }\nfn twice(x: lane) -> lane { return x * 2.0; }';
  statements(
    [
      ['an unknown one', 'let x = §foo;', 'let x = a;', 'unknown name "foo"; known: '],
      ['a misspelt constant', 'let x = a + §LIMT;', 'let x = a + LIMIT;', 'unknown name "LIMT"; did you mean "LIMIT"?'],
      [
        'a misspelt variable',
        'let speed = a; let x = §sped;',
        'let speed = a; let x = speed;',
        'did you mean "speed"?',
      ],
      [
        'a misspelt function',
        'let x = §twise(a);',
        'let x = twice(a);',
        '"twise" is not supported; did you mean "twice"?',
      ],
      ['a misspelt built-in one', 'let x = §flor(a);', 'let x = floor(a);', 'did you mean "floor"?'],
      ['a function that is not there', 'let x = §pow(a, b);', 'let x = exp(a);', '"pow" is not supported; '],
      ['a function that is not there', 'let x = §fma(a, b, c);', 'let x = a * b + c;', '"fma" is not supported; '],
      [
        'a misspelt struct',
        'let x = §Pear(a, b);',
        'let x = Pair(a, b);',
        '"Pear" is not supported; did you mean "Pair"?',
      ],
      ['a misspelt struct', 'var x: §Pear;', 'var x: Pair;', 'unknown type "Pear"; did you mean "Pair"?'],
      [
        'a misspelt member',
        'let s = Pair(); let x = s§.rigt;',
        'let s = Pair(); let x = s.right;',
        'Pair has no member "rigt"; did you mean "right"? known: left, right',
      ],
      ['a member of a parameter', 'let x = p§.d;', 'let x = p.c;', 'Probe has no member "d"'],
      ['a member of a result', 'let x = Pair(a, b)§.up;', 'let x = Pair(a, b).left;', 'Pair has no member "up"'],
      [
        'a lane of four',
        'let x = a§.x;',
        'let x = a;',
        'lane has no members; the lanes of four neurons cannot be told apart',
      ],
      ['several lanes of four', 'let x = a§.xy;', 'let x = a;', 'lane has no members'],
      ['a member of a number', 'let x = n§.x;', 'let x = n;', 'u32 has no members'],
      ['a member of an operation', 'let x = (a + b)§.x;', 'let x = (a + b);', 'lane has no members'],
      [
        'a variable of a block that has ended',
        '{ let x = a; } let y = §x;',
        'let x = a; let y = x;',
        'unknown name "x"',
      ],
      [
        'a variable of a loop that has ended',
        'for (var i = 0u; i < 1u; i++) {} let y = §i;',
        'for (var i = 0u; i < 1u; i++) { let y = i; }',
        'unknown name "i"',
      ],
      ['a variable before it is declared', 'let y = §x; let x = a;', 'let x = a; let y = x;', 'unknown name "x"'],
      ['one declared twice', 'let x = a; §let x = b;', 'let x = a; { let x = b; }', '"x" is declared twice'],
      ['one declared twice', 'let x = a; §var x = b;', 'let x = a; { var x = b; }', '"x" is declared twice'],
      ['one declared twice', '§let p = a;', '{ let p = a; }', '"p" is declared twice'],
      ['one that is a word of WGSL', 'let §for = a;', 'let four = a;', 'for'],
      ['a function as a value', 'let x = §twice;', 'let x = twice(a);', 'twice'],
    ],
    before,
  );

  declarations([
    [
      'an unknown type of a member',
      'struct S { x: §real }',
      'struct S { x: f32 }',
      'unknown type "real"',
      'let s = S();',
    ],
    ['an unknown type of a parameter', 'fn f(x: §real) {}', 'fn f(x: f32) {}', 'unknown type "real"', 'f(1.0);'],
    [
      'an unknown type of a result',
      'fn f() -> §real { return 1.0; }',
      'fn f() -> f32 { return 1.0; }',
      'unknown type "real"',
      'let x = f();',
    ],
    [
      'an unknown type of a constant',
      'const A: §real = 1.0;',
      'const A: f32 = 1.0;',
      'unknown type "real"',
      'let x = A;',
    ],
    ['functions of one name', 'fn f() {}\nfn §f() {}', 'fn f() {}\nfn g() {}', '"f" is declared twice'],
    [
      'structs of one name',
      'struct S { x: f32 }\nstruct §S { y: f32 }',
      'struct S { x: f32 }\nstruct T { y: f32 }',
      '"S" is declared twice',
    ],
    [
      'constants of one name',
      'const A = 1.0;\nconst §A = 2.0;',
      'const A = 1.0;\nconst B = 2.0;',
      '"A" is declared twice',
    ],
    [
      'a constant and a function of one name',
      'const f = 1.0;\nfn §f() {}',
      'const f = 1.0;\nfn g() {}',
      '"f" is declared twice',
    ],
    ['members of one name', 'struct S { x: f32, §x: f32 }', 'struct S { x: f32, y: f32 }', '"x" is declared twice'],
    [
      'parameters of one name',
      'fn f(x: f32, §x: f32) {}',
      'fn f(x: f32, y: f32) {}',
      '"x" is declared twice',
      'f(1.0, 2.0);',
    ],
    [
      "a function's variable that sees its caller's",
      'fn f() -> lane { return §a; }',
      'fn f() -> lane { let a = lane(); return a; }',
      'unknown name "a"',
      'let x = f();',
    ],
  ]);

  test('also in functions and structs that nothing uses', () => {
    expect(() => compile(law('', 'fn f() -> lane { return lane(); }'))).not.toThrow();
    expectRefusal(law('', 'fn f() -> lane { return §foo; }'), 'unknown name "foo"');
    expectRefusal(law('', 'fn f(x: §vec4f) {}'), 'unknown type "vec4f"');
    expectRefusal(law('', 'struct S { x: §vec4f }'), 'unknown type "vec4f"');
    expectRefusal(law('', 'const A = §foo;'), 'unknown name "foo"');
  });
});

describe('recursion', () => {
  declarations([
    [
      'a function that calls itself',
      '§fn f(x: lane) -> lane { return f(x); }',
      'fn f(x: lane) -> lane { return x; }',
      '"f" calls itself',
      'let y = f(a);',
    ],
    [
      'two functions that call each other',
      '§fn f() { g(); }\nfn g() { f(); }',
      'fn f() { g(); }\nfn g() {}',
      '"f" calls itself',
      'f();',
    ],
    ['a struct in itself', 'struct §S { s: S }', 'struct S { s: f32 }', 'S', 'var s: S;'],
    ['a constant that needs itself', 'const §A = A + 1.0;', 'const A = 1.0;', 'A', 'let x = a * A;'],
    [
      'constants that need each other',
      'const §A = B;\nconst B = A;',
      'const A = B;\nconst B = 1.0;',
      'A',
      'let x = a * A;',
    ],
  ]);
});

describe('constants', () => {
  declarations([
    ['without a value', '§const A: f32;', 'const A: f32 = 1.0;', '"A" wants a value'],
    [
      'of a call',
      'fn f() -> f32 { return 1.0; }\nconst A = §f();',
      'fn f() -> f32 { return 1.0; }\nconst A = 1.0;',
      'constant',
      'let x = a * A;',
    ],
    ['of single words', 'const A = 2u §* 3u;', 'const A = 2 * 3;', 'constant', 'let x = n * A;'],
    [
      'of the wrong type',
      'const A: u32 = §1.5;',
      'const A: u32 = 1;',
      'a value of type u32 is wanted here, not abstract float',
      'let x = n * A;',
    ],
    [
      'that are not finite',
      'const A = 1.0 §/ 0.0;',
      'const A = 1.0 / 2.0;',
      'this constant is not finite',
      'let x = a * A;',
    ],
  ]);

  statements(
    [
      ['in a function, of a variable', 'const x = §a;', 'let x = a;', 'constant'],
      ['in a function, of a parameter', 'const x = §n;', 'let x = n;', 'constant'],
      ['assigned to', '§A = 2.0;', 'let x = A;', 'cannot be assigned to'],
      ['assigned to', 'const x = 1.0; §x = 2.0;', 'var x = 1.0; x = 2.0;', 'cannot be assigned to'],
    ],
    'const A = 1.0;',
  );
});

describe('assignments', () => {
  const declared = 'struct Pair { x: lane, y: lane }\nfn pair() -> Pair { return Pair(); }';
  statements(
    [
      ['to a let', 'let x = a; §x = b;', 'var x = a; x = b;', 'this cannot be assigned to: it is no variable'],
      ['to a member of a let', 'let s = Pair(); §s.x = b;', 'var s = Pair(); s.x = b;', 'this cannot be assigned to'],
      ['to a parameter', '§n = 1u;', 'var k = n; k = 1u;', 'this cannot be assigned to'],
      ['to a member of a parameter', '§p.a = b;', 'var q = p; q.a = b;', 'this cannot be assigned to'],
      ['to a let with ++', 'let k = n; §k++;', 'var k = n; k++;', 'this cannot be assigned to'],
      ['to a call', '§pair() = Pair();', 'var s = pair();', 'this cannot be assigned to'],
      ['to a member of a call', '§pair().x = a;', 'var s = pair(); s.x = a;', 'this cannot be assigned to'],
      ['to a number', '§1.0 = a;', 'var x = a;', 'this cannot be assigned to'],
      ['to what is unknown', '§x = a;', 'var x = a;', 'unknown name "x"'],
      [
        'of another type',
        'var x = a; x = §n;',
        'var x = a; x = lane(f32(n));',
        'a value of type lane is wanted here, not u32',
      ],
      [
        'of another type',
        'var x = n; x = §1.5;',
        'var x = n; x = 1;',
        'a value of type u32 is wanted here, not abstract float',
      ],
      [
        'of another struct',
        'var s = Pair(); s = §p;',
        'var s = Pair(); s = Pair();',
        'a value of type Pair is wanted here, not Probe',
      ],
      ['of a number to a lane', 'var x = a; x = §1.0;', 'var x = a; x = lane(1.0);', 'lane(...)'],
      ['of a number to a lane that is declared', 'let x: lane = §1.0;', 'let x: lane = lane(1.0);', 'lane(...)'],
      ['of a number to a lane that is declared', 'let x: lane = §f32(n);', 'let x: lane = lane(f32(n));', 'lane(...)'],
      ['of a number to words', 'var x = bits(n); x = §n;', 'var x = bits(n); x = bits(n);', 'bits(...)'],
      [
        'of a truth to a flag',
        'var x = a > b; x = §true;',
        'var x = a > b; x = b > a;',
        'a value of type flag is wanted here, not bool',
      ],
      ['of nothing', 'let x = §nothing();', 'nothing();', 'nothing'],
      ['of no value', '§let x;', 'var x: f32;', '"x" wants a value'],
      ['of no value', '§var x;', 'var x: f32;', '"x" wants a value'],
      ['++ of a lane', 'var x = a; §x++;', 'var x = a; x += 1.0;', '++'],
      ['++ of an f32', 'var x = 1.0; §x++;', 'var x = 1.0; x += 1.0;', '++'],
      ['++ of words', 'var x = bits(n); §x++;', 'var x = bits(n); x += 1u;', '++'],
    ],
    `${declared}\nfn nothing() {}`,
  );
});

describe('operators', () => {
  const alike = 'wants two of one type';
  statements([
    [
      'a comparison with a bare number',
      'let x = a §> 80.0;',
      'let x = a > lane(80.0);',
      `> ${alike}, not lane and f32; write lane(...) around the number`,
    ],
    [
      'a comparison with an f32',
      'let x = f32(n) §< a;',
      'let x = lane(f32(n)) < a;',
      'write lane(...) around the number',
    ],
    ['words & a word', 'let x = bits(n) §& 1u;', 'let x = bits(n) & bits(1u);', 'write bits(...) around the number'],
    ['lanes and words', 'let x = a §+ bits(n);', 'let x = a + lane(bits(n));', `+ ${alike}, not lane and bits`],
    ['f32 and u32', 'let x = f32(n) §* n;', 'let x = f32(n) * f32(n);', `* ${alike}, not f32 and u32`],
    ['u32 and a fraction', 'let x = n §* 1.5;', 'let x = f32(n) * 1.5;', `* ${alike}, not u32 and f32`],
    ['% of lanes', 'let x = a §% b;', 'let x = a - b * floor(a / b);', '% is not supported for lane'],
    ['% of f32', 'let x = f32(n) §% 2.0;', 'let x = n % 2u;', '% is not supported for f32'],
    ['/ of words', 'let x = bits(n) §/ bits(2u);', 'let x = bits(n) >> bits(1u);', '/ is not supported for bits'],
    ['% of words', 'let x = bits(n) §% bits(2u);', 'let x = bits(n) & bits(1u);', '% is not supported for bits'],
    ['& of lanes', 'let x = a §& b;', 'let x = bitcast<bits>(a) & bitcast<bits>(b);', '& is not supported for lane'],
    ['+ of flags', 'let x = (a > b) §+ (b > c);', 'let x = (a > b) | (b > c);', '+ is not supported for flag'],
    ['< of flags', 'let x = (a > b) §< (b > c);', 'let x = (a > b) == (b > c);', '< is not supported for flag'],
    ['< of bools', 'let x = true §< false;', 'let x = true == false;', '< is not supported for bool'],
    ['- of words', 'let x = §-n;', 'let x = 0u - n;', '- is not supported for u32'],
    ['- of words', 'let x = §-bits(n);', 'let x = bits() - bits(n);', '- is not supported for bits'],
    ['! of words', 'let x = §!n;', 'let x = !(n == 1u);', '! is not supported for u32'],
    ['~ of lanes', 'let x = §~a;', 'let x = ~bits(n);', '~ is not supported for lane'],
    [
      '&& of flags',
      'let x = (a §> b) && true;',
      'let x = (a > b) & (b > c);',
      'a value of type bool is wanted here, not flag',
    ],
    ['|| of words', 'let x = true || §n;', 'let x = true || n == 1u;', 'a value of type bool is wanted here, not u32'],
    ['structs', 'let x = p §== p;', 'let x = p.a == p.a;', '== is not supported for Probe'],
    ['<< of lanes', 'let x = a §<< bits(1u);', 'let x = bits(a) << bits(1u);', '<< is not supported for lane'],
    [
      'lanes shifted by different amounts',
      'let x = bits(n) << §bits(a);',
      'let x = bits(n) << bits(n);',
      /all lanes are shifted alike|of type u32 is wanted here, not lane/,
    ],
    [
      'lanes shifted by different amounts',
      'let y = bits(n); let x = bits(n) >> §y;',
      'let y = n; let x = bits(n) >> bits(y);',
      'all lanes are shifted alike: write the amount as bits(AMOUNT)',
    ],
    [
      'words shifted by a word',
      'let x = bits(n) << §1u;',
      'let x = bits(n) << bits(1u);',
      'all lanes are shifted alike: write the amount as bits(AMOUNT)',
    ],
    [
      'a word shifted by words',
      'let x = n << §bits(1u);',
      'let x = n << 1u;',
      'a value of type u32 is wanted here, not bits',
    ],
    ['a shift by 32', 'let x = n << §32u;', 'let x = n << 31u;', '32'],
    ['a division by the constant 0', 'let x = n / §0u;', 'let x = n / 2u;', '0'],
    ['a remainder by the constant 0', 'let x = n % §0u;', 'let x = n % 2u;', '0'],
  ]);

  const parentheses = 'WGSL wants parentheses around what is beside';
  statements([
    ['& beside ==', 'let x = n §& n == n;', 'let x = (n & n) == n;', `${parentheses} "&"`],
    ['== beside &', 'let x = true == true §& true;', 'let x = true == (true & true);', parentheses],
    ['|| beside &&', 'let x = true || true §&& true;', 'let x = true || (true && true);', `${parentheses} "&&"`],
    ['&& beside ||', 'let x = true && true §|| true;', 'let x = (true && true) || true;', `${parentheses} "||"`],
    ['<< beside +', 'let x = n §<< n + n;', 'let x = n << (n + n);', `${parentheses} "<<"`],
    ['+ beside <<', 'let x = n + n §<< n;', 'let x = (n + n) << n;', `${parentheses} "<<"`],
    ['<< beside <<', 'let x = n << 1u §<< 1u;', 'let x = (n << 1u) << 1u;', `${parentheses} "<<"`],
    ['<< beside *', 'let x = n §<< n * 2u;', 'let x = n << (n * 2u);', `${parentheses} "<<"`],
    ['& beside |', 'let x = n & n §| n;', 'let x = (n & n) | n;', `${parentheses} "|"`],
    ['^ beside &', 'let x = n ^ n §& n;', 'let x = n ^ (n & n);', `${parentheses} "&"`],
    ['& beside +', 'let x = n §& n + n;', 'let x = n & (n + n);', `${parentheses} "&"`],
    ['& beside &&', 'let x = true & true §&& true;', 'let x = (true & true) && true;', `${parentheses} "&&"`],
    ['< beside <', 'let x = n < n §< n;', 'let x = (n < n) == true;', `${parentheses} "<"`],
    ['== beside <', 'let x = n < n §== true;', 'let x = (n < n) == true;', `${parentheses} "=="`],
    [
      '< and > among arguments, which WGSL reads as a template',
      'let x = select(n §< 1u, n > 2u, true);',
      'let x = select((n < 1u), (n > 2u), true);',
      'WGSL reads a template list',
    ],
    [
      '< and >>, which WGSL reads as a template',
      'let x = n §< n >> 1u;',
      'let x = n < (n >> 1u);',
      'WGSL reads a template list',
    ],
  ]);
});

describe('calls', () => {
  const declared = `fn twice(x: lane) -> lane { return x * 2.0; }
fn count(k: u32) -> u32 { return k; }
fn move_on(x: ptr<function, lane>) { *x += 1.0; }
fn both(x: ptr<function, lane>, y: ptr<function, lane>) { *x += 1.0; *y += 2.0; }
struct Pair { x: lane, y: lane }
struct Whole { pair: Pair }`;
  statements(
    [
      ['too few arguments', 'let x = §twice();', 'let x = twice(a);', 'twice wants 1 argument, not 0'],
      ['too many arguments', 'let x = §twice(a, b);', 'let x = twice(a);', 'twice wants 1 argument, not 2'],
      ['too many arguments', 'let x = §floor(a, b);', 'let x = floor(a);', 'floor wants 1 argument, not 2'],
      [
        'too few arguments',
        'let x = §select(a, b);',
        'let x = select(a, b, a > b);',
        'select wants 3 arguments, not 2',
      ],
      ['too few arguments', 'let x = §min(a);', 'let x = min(a, b);', 'min wants 2 arguments, not 1'],
      ['too many values', 'let x = §lane(a, b);', 'let x = lane(a);', 'lane wants 1 argument, not 2'],
      ['four values', 'let x = §lane(1.0, 2.0, 3.0, 4.0);', 'let x = lane(1.0);', 'lane wants 1 argument, not 4'],
      ['too few members', 'let x = §Pair(a);', 'let x = Pair(a, b);', 'Pair wants 2 arguments, not 1'],
      [
        'an argument of another type',
        'let x = twice(§n);',
        'let x = twice(lane(f32(n)));',
        'a value of type lane is wanted here, not u32',
      ],
      [
        'an argument of another type',
        'let x = count(§1.5);',
        'let x = count(1);',
        'a value of type u32 is wanted here, not abstract float',
      ],
      ['a bare number for a lane', 'let x = twice(§1.0);', 'let x = twice(lane(1.0));', 'lane(...)'],
      [
        'a bare number for a member that is a lane',
        'let x = Pair(a, §1.0);',
        'let x = Pair(a, lane(1.0));',
        'lane(...)',
      ],
      [
        'a member of another type',
        'let x = Pair(a, §n);',
        'let x = Pair(a, b);',
        'a value of type lane is wanted here, not u32',
      ],
      ['floor of words', 'let x = §floor(n);', 'let x = floor(f32(n));', 'floor wants a lane or f32, not u32'],
      ['exp of words', 'let x = §exp(bits(n));', 'let x = exp(a);', 'exp wants a lane or f32, not bits'],
      ['abs of words', 'let x = §abs(n);', 'let x = abs(a);', 'abs wants a lane or f32, not u32'],
      [
        'min of a lane and a number',
        'let x = §min(a, 1.0);',
        'let x = min(a, lane(1.0));',
        'min wants two of one type, not lane and f32; write lane(...) around the number',
      ],
      ['min of flags', 'let x = §min(a > b, b > c);', 'let x = min(a, b);', 'min is not supported for flag'],
      ['min of structs', 'let x = §min(p, p);', 'let x = min(p.a, p.a);', 'min is not supported for Probe'],
      [
        'select of a lane and a number',
        'let x = §select(a, 1.0, a > b);',
        'let x = select(a, lane(1.0), a > b);',
        'write lane(...) around the number',
      ],
      [
        'select of structs',
        'let x = §select(p, p, true);',
        'let x = select(p.a, p.a, true);',
        'select is not supported for Probe',
      ],
      [
        'select of numbers by a flag',
        'let x = §select(1.0, 2.0, a > b);',
        'let x = select(lane(1.0), lane(2.0), a > b);',
        'select cannot choose f32 by flag',
      ],
      [
        'select by a number',
        'let x = §select(a, b, n);',
        'let x = select(a, b, n == 1u);',
        'select cannot choose lane by u32',
      ],
      ['lane of a word', 'let x = §lane(n);', 'let x = lane(f32(n));', 'a value of type lane is wanted here, not u32'],
      ['f32 of a lane', 'let x = §f32(a);', 'let x = f32(n);', 'a value of type f32 is wanted here, not lane'],
      [
        'a bitcast to another width',
        'let x = §bitcast<bits>(n);',
        'let x = bitcast<bits>(bits(n));',
        'bitcast<bits> of u32 is not supported',
      ],
      [
        'a bitcast without its type',
        'let x = bitcast§(a);',
        'let x = bitcast<bits>(a);',
        'expected "<" after bitcast, found "("',
      ],
      [
        'a value for a pointer',
        'var x = a; move_on(§x);',
        'var x = a; move_on(&x);',
        'a pointer to a variable is wanted here: &NAME',
      ],
      [
        'a pointer to a let',
        'let x = a; move_on(§&x);',
        'var x = a; move_on(&x);',
        'a pointer to a variable is wanted here: &NAME',
      ],
      [
        'a pointer to another type',
        'var x = n; move_on(§&x);',
        'var x = a; move_on(&x);',
        'a pointer to lane is wanted here, not to u32',
      ],
      [
        'a pointer to a member',
        'var s = Pair(); move_on(§&s.x);',
        'var s = Pair(); var x = s.x; move_on(&x);',
        'a pointer is to a whole variable: copy the member to one',
      ],
      ['a pointer for a value', 'var x = a; let y = twice(§&x);', 'var x = a; let y = twice(x);', /pointer/],
      [
        'a pointer in a variable',
        'var x = a; let y = §&x;',
        'var x = a; move_on(&x);',
        'a pointer can only be given to a function',
      ],
      ['two pointers to one variable', 'var x = a; both(&x, §&x);', 'var x = a; var y = a; both(&x, &y);', 'x'],
      ['* of a value', 'let x = §*a;', 'let x = a;', 'only a pointer can be followed with *'],
      ['* of a value', '§*n = 1u;', 'var k = n; k = 1u;', 'only a pointer can be followed with *'],
    ],
    declared,
  );

  declarations([
    [
      'a pointer read without *',
      'fn f(x: ptr<function, lane>) { let y = §x; }',
      'fn f(x: ptr<function, lane>) { let y = *x; }',
      '"x" is a pointer; follow it: (*x)',
      'var v = a; f(&v);',
    ],
    [
      'a member behind a pointer',
      'struct S { x: lane } fn f(s: ptr<function, S>) { let y = s§.x; }',
      'struct S { x: lane } fn f(s: ptr<function, S>) { let y = (*s).x; }',
      'follow the pointer first: (*s).x',
      'var s = S(); f(&s);',
    ],
    [
      'an assignment to a pointer',
      'fn f(x: ptr<function, lane>) { §x = lane(); }',
      'fn f(x: ptr<function, lane>) { *x = lane(); }',
      '*x',
      'var v = a; f(&v);',
    ],
    [
      'the address of a pointer',
      'fn g(x: ptr<function, lane>) {} fn f(x: ptr<function, lane>) { g(§&x); }',
      'fn g(x: ptr<function, lane>) {} fn f(x: ptr<function, lane>) { g(x); }',
      'a pointer to a variable is wanted here',
      'var v = a; f(&v);',
    ],
  ]);
});

describe('conditions', () => {
  const advice = 'a condition for four neurons at once cannot branch: use select';
  statements([
    ['a flag', 'if (§a > b) {}'.replace('§a >', 'a §>'), 'if (n > 1u) {}', advice],
    ['a flag of a loop', 'for (; a §> b;) {}', 'for (; n > 9u;) {}', advice],
    ['a number', 'if (§n) {}', 'if (n == 1u) {}', 'a condition is a bool, not u32'],
    ['a lane', 'if (§a) {}', 'if (n == 1u) {}', 'a condition is a bool, not lane'],
    ['any of no flag', 'if (§any(n > 1u)) {}', 'if (any(a > b)) {}', 'any wants a flag, not bool'],
    ['a number of a loop', 'for (; §n;) {}', 'for (; n > 9u;) {}', 'a condition is a bool, not u32'],
  ]);
});

describe('returns', () => {
  declarations([
    [
      'that are missing',
      '§fn f() -> lane { let x = lane(); }',
      'fn f() -> lane { let x = lane(); return x; }',
      '"f" wants a return at its end',
      'let x = f();',
    ],
    [
      'in one branch of an if only',
      '§fn f(k: u32) -> u32 { if (k > 1u) { return k; } }',
      'fn f(k: u32) -> u32 { if (k > 1u) { return k; } else { return 1u; } }',
      '"f" wants a return at its end',
      'let x = f(n);',
    ],
    [
      'without a value',
      'fn f() -> lane { §return; }',
      'fn f() -> lane { return lane(); }',
      'a value of type lane has to be returned',
      'let x = f();',
    ],
    [
      'with a value where there is none',
      'fn f() { §return 1.0; }',
      'fn f() { return; }',
      'this function has no result',
      'f();',
    ],
    [
      'of another type',
      'fn f(k: u32) -> f32 { return §k; }',
      'fn f(k: u32) -> f32 { return f32(k); }',
      'a value of type f32 is wanted here, not u32',
      'let x = f(n);',
    ],
    [
      'of a bare number for a lane',
      'fn f() -> lane { return §1.0; }',
      'fn f() -> lane { return lane(1.0); }',
      'lane(...)',
      'let x = f();',
    ],
    [
      'of a flag for a bool',
      'fn f(x: lane) -> bool { return §x > x; }'.replace('§x >', 'x §>'),
      'fn f(x: lane) -> flag { return x > x; }',
      'a value of type bool is wanted here, not flag',
      'let x = f(a);',
    ],
  ]);
});

describe('what is missing in the text', () => {
  statements([
    ['a semicolon', 'let x = a §let y = b;', 'let x = a; let y = b;', 'expected ";" after a statement, found "let"'],
    [
      'a closing parenthesis',
      'let x = (a + b§;',
      'let x = (a + b);',
      'expected ")" after an expression in parentheses, found ";"',
    ],
    [
      'a closing parenthesis of a call',
      'let x = floor(a§;',
      'let x = floor(a);',
      'expected ")" after the arguments of a call, found ";"',
    ],
    ['an operand', 'let x = a + §;', 'let x = a + b;', 'expected an expression, found ";"'],
    ['an expression', 'let x = §;', 'let x = a;', 'expected an expression, found ";"'],
    ['a name', 'let §= a;', 'let x = a;', 'expected a name after let, found "="'],
    ['a type', 'var x: §= a;', 'var x: lane = a;', 'expected a type, found "="'],
    ['a member', 'let x = p.§;', 'let x = p.a;', 'expected a member, found ";"'],
    ['the braces of an if', 'if (n == 1u) §return a;', 'if (n == 1u) { return a; }', 'expected "{"'],
    ['the braces of an else', 'if (n == 1u) {} else §return a;', 'if (n == 1u) {} else { return a; }', 'expected "{"'],
    ['the head of a loop', 'for §{}', 'for (; n < 1u;) {}', 'expected "(" after for, found "{"'],
    [
      'a semicolon in the head of a loop',
      'for (var i = 0u§) {}',
      'for (var i = 0u; i > 1u;) {}',
      'expected ";" after the start of a loop, found ")"',
    ],
    [
      'a semicolon in the head of a loop',
      'for (; n < 1u§) {}',
      'for (; n < 1u;) {}',
      'expected ";" after the condition of a loop, found ")"',
    ],
    ['the end of the head of a loop', 'for (; n < 1u; §{}', 'for (; n < 1u;) {}', /expected/],
    [
      'the type of a bitcast',
      'let x = bitcast<bits§(a);',
      'let x = bitcast<bits>(a);',
      'expected ">" after the type of a bitcast, found "("',
    ],
    ['nothing, there is a character too many', 'let x = §#a;', 'let x = a;', 'unexpected character "#"'],
    ['nothing, there is --', 'let x = a§--b;', 'let x = a - -b;', 'expected ";" after a statement, found "--"'],
  ]);

  declarations([
    ['the name of a function', 'fn §() {}', 'fn f() {}', 'expected the name of a function, found "("'],
    ['the parameters of a function', 'fn f§{}', 'fn f() {}', 'expected "(" after the name of a function, found "{"'],
    ['the body of a function', 'fn f()§;', 'fn f() {}', 'expected "{" after what comes before a block, found ";"'],
    [
      'the type of a parameter',
      'fn f(x§) {}',
      'fn f(x: lane) {}',
      'expected ":" after the name of a parameter, found ")"',
    ],
    [
      'a comma between parameters',
      'fn f(x: lane §y: lane) {}',
      'fn f(x: lane, y: lane) {}',
      'expected ")" after a parameter, found "y"',
    ],
    ['the name of a struct', 'struct §{ x: f32 }', 'struct S { x: f32 }', 'expected the name of a struct, found "{"'],
    [
      'the members of a struct',
      'struct S§;',
      'struct S { x: f32 }',
      'expected "{" after the name of a struct, found ";"',
    ],
    [
      'the type of a member',
      'struct S { x§ }'.replace('x§ }', 'x §}'),
      'struct S { x: f32 }',
      'expected ":" after the name of a member, found "}"',
    ],
    [
      'a comma between members',
      'struct S { x: f32 §y: f32 }',
      'struct S { x: f32, y: f32 }',
      'expected "}" after a member, found "y"',
    ],
    ['a semicolon after a constant', 'const A = 1.0 §const B = 2.0;', 'const A = 1.0; const B = 2.0;', 'expected ";"'],
    [
      'the type of a pointer',
      'fn f(x: ptr§) {}',
      'fn f(x: ptr<function, lane>) {}',
      'expected "<" after ptr, found ")"',
    ],
    [
      'the address space of a pointer',
      'fn f(x: ptr<§>) {}',
      'fn f(x: ptr<function, lane>) {}',
      'expected an address space, found ">"',
    ],
    [
      'what a pointer points to',
      'fn f(x: ptr<function§>) {}',
      'fn f(x: ptr<function, lane>) {}',
      'expected "," after the address space, found ">"',
    ],
    [
      'the end of a pointer',
      'fn f(x: ptr<function, lane§) {}',
      'fn f(x: ptr<function, lane>) {}',
      'expected ">" after the type a pointer points to, found ")"',
    ],
  ]);

  test('the last brace', () => {
    const whole = law('let x = a;');
    expect(() => compile(whole)).not.toThrow();
    expectRefusal(`${whole.slice(0, -2)}§;`, 'this block has no closing brace');
  });

  test('the end of a comment, and all that follows the name of a function', () => {
    expectRefusal(`${law('')} §/* and`, /comment|expected|not supported/);
    expectRefusal(`${law('')} fn §f`, 'expected "(" after the name of a function, found the end of the file');
  });

  test('the function that the engine calls', () => {
    const text = law('').replace('fn probe', 'fn prove');
    expect(() => compile(text)).toThrow(/no function "probe"/);
    expect(() => compile(text.replace('fn prove', 'fn probe'))).not.toThrow();
  });

  test('the result or the parameters of the function that the engine calls', () => {
    const [head, none] = ['fn probe(p: Probe, n: u32) -> lane', 'fn probe(p: Probe, n: u32) -> u32'];
    const body = 'struct Probe { a: lane, b: lane, c: lane }\n';
    expect(() => compile(`${body}${head} { return p.a; }`)).not.toThrow();
    expectRefusal(`${body}${none.replace('-> u32', '-> §u32')} { return n; }`, 'lane');
    expectRefusal(`${body}§fn probe(p: Probe) -> lane { return p.a; }`, /probe/);
  });
});

describe('what the engine itself has to give', () => {
  const file = 'probe.wgsl';

  test('a struct of parameters', () => {
    const text = law('');
    expect(() => compile(text)).not.toThrow();
    expect(() => compile(text.replaceAll('Probe', 'Prove'))).toThrow(/unknown type "Probe"; did you mean "Prove"\?/);
  });

  test('the functions that WebAssembly has not, if the law calls them', () => {
    const source = (body: string) => ({
      files: [{ file, text: law(body) }],
      math: [],
      kind: 'probe',
      struct: 'Probe',
      parameters: members,
      states: [],
    });
    expect(() => compileInput(source('let x = floor(a);'))).not.toThrow();
    expect(() => compileInput(source('let x = exp(a);'))).toThrow(
      'probe.wgsl:5:11: exp: shaders/math/ has no such function',
    );
  });

  test('room for a soma: parameters, states and constants together', () => {
    const soma = (constants: number) => {
      const names = Array.from({ length: constants }, (_, i) => `c${i}`);
      const text = `struct Parameters { x: lane }
struct State { v: lane }
struct Constants { ${names.map((name) => `${name}: lane`).join(', ')} }
fn prepare(p: Parameters, dt: f32) -> Constants { return Constants(${names.map(() => 'p.x').join(', ')}); }
fn drift(c: Constants, s: State) -> lane { return s.v; }
fn advance(c: Constants, s: ptr<function, State>, drift: lane, current: lane) -> flag { return current > c.c0; }`;
      return () => compileSoma({ files: [{ file, text }], math: [], parameters: ['x'], states: ['v'] });
    };
    // 64 planes; four are the engine's own, one is the parameter's and one the state's.
    expect(soma(58)).not.toThrow();
    expect(soma(59)).toThrow('probe.wgsl:4:1: too many parameters, states and constants: there is room for 60');
  });
});

describe('a complaint says where', () => {
  test('after comments and lines that are only comments', () => {
    expectRefusal(law('/* one\n two */ let x = /* three */ §foo; // four'), 'unknown name "foo"');
    expect(() => compile(law('/* one\n two */ let x = /* three */ a; // four'))).not.toThrow();
  });

  test('in text with the line ends of Windows', () => {
    const text = law('let x = a;\nlet y = foo;').replaceAll('\n', '\r\n');
    expect(() => compile(text)).toThrow(/^probe\.wgsl:6:9: unknown name "foo"/);
    expect(() => compile(text.replace('foo', 'a'))).not.toThrow();
  });
});
