// The equations of the somas, as docs/numerics.md has them, and the symbols in them by the names of the parameters.

import { parameterMeanings } from '../meanings.ts';
import { element } from './elements.ts';
import { type SomaName, tableOf } from './setup.ts';

const sub = (of: string, below: string) => `<i>${of}</i><sub>${below}</sub>`;

/** What stands for a parameter in equations, as HTML. */
export const SYMBOLS: Readonly<Record<string, string>> = {
  potential_rest: sub('E', 'L'),
  potential_reset: sub('V', 'r'),
  potential_tau: sub('τ', 'm'),
  resistance: '<i>R</i>',
  threshold: '<i>θ</i>',
  rheobase_threshold: sub('V', 'T'),
  spike_slope: sub('Δ', 'T'),
  adaptation_tau: sub('τ', 'w'),
  adaptation_delta: '<i>b</i>',
  adaptation_subthreshold: '<i>a</i>',
  cooldown: sub('t', 'ref'),
  threshold_tau: sub('τ', 'θ'),
  threshold_delta: sub('δ', 'θ'),
};

// MathML, as short as it can be written: names of one letter, with an index after `_`.
const mi = (name: string) => {
  const [letter = '', index] = name.split('_');
  // Upright for the browser, italic by the style: few machines have a font with mathematical letters.
  const one = `<mi mathvariant="normal">${letter}</mi>`;
  return index ? `<msub>${one}<mtext>${index}</mtext></msub>` : one;
};
const mo = (sign: string) => `<mo>${sign}</mo>`;
const frac = (above: string, below: string) => `<mfrac><mrow>${above}</mrow><mrow>${below}</mrow></mfrac>`;
const minus = (a: string, b: string) => mi(a) + mo('−') + mi(b);
const rate = (name: string) => frac(mo('d') + mi(name), mo('d') + mi('t'));
const math = (body: string) => `<math display="block">${body}</math>`;
const becomes = (name: string, what: string) => mi(name) + mo(':=') + what;
const when = (condition: string, ...then: string[]) =>
  math(`<mtext>at </mtext>${condition}${mo(':')}${then.join(mo(','))}`);

const membrane = (adaptive: boolean) => {
  const exponential = `<msup>${mi('e')}<mrow>${mo('(') + minus('V', 'V_T') + mo(')') + mo('/') + mi('Δ_T')}</mrow></msup>`;
  const leak = mo('−') + mo('(') + minus('V', 'E_L') + mo(')');
  const current = adaptive ? mi('R') + mo('(') + minus('I', 'w') + mo(')') : mi('R') + mi('I');
  return math(mi('τ_m') + rate('V') + mo('=') + leak + mo('+') + mi('Δ_T') + exponential + mo('+') + current);
};
const passes = mi('V') + mo('&gt;') + mi('θ');
const reset = becomes('V', mi('V_r'));
const adaptation = math(
  mi('τ_w') + rate('w') + mo('=') + mi('a') + mo('(') + minus('V', 'E_L') + mo(')') + mo('−') + mi('w'),
);
const jump = becomes('w', mi('w') + mo('+') + mi('b'));
const pause = `<mtext>then no input and no spike for </mtext>${mi('t_ref')}`;
const hold = `<mtext>then held at </mtext>${mi('V_r')}<mtext> for </mtext>${mi('t_ref')}`;

/** The law of each soma, as MathML. */
export const LAWS: Readonly<Record<SomaName, string>> = {
  ExponentialSoma: membrane(false) + when(passes, reset),
  RefractoryExponentialSoma: membrane(false) + when(passes, reset) + math(pause),
  AdaptiveExponentialSoma: membrane(true) + adaptation + when(passes, reset, jump),
  RefractoryAdaptiveExponentialSoma: membrane(true) + adaptation + when(passes, reset, jump) + math(hold),
  SimplifiedAdaptiveExponentialSoma:
    membrane(false) +
    math(mi('τ_θ') + rate('ϑ') + mo('=') + minus('θ', 'ϑ')) +
    when(mi('V') + mo('&gt;') + mi('ϑ'), reset, becomes('ϑ', mi('ϑ') + mo('+') + mi('δ_θ'))) +
    math(pause),
};

/** The equations of a soma, and what their symbols mean. */
export function equationsOf(soma: SomaName): Node[] {
  const names = Object.keys(tableOf({ soma })).flatMap((name) => [
    element('dt', { innerHTML: SYMBOLS[name] ?? '' }),
    element('dd', {}, element('code', {}, name), ` ${parameterMeanings[name]}`),
  ]);
  const others = [
    ['<i>V</i>', 'membrane potential'],
    ['<i>I</i>', 'sum of the inputs'],
    ...(LAWS[soma].includes(adaptation) ? [['<i>w</i>', 'adaptation current']] : []),
    ...(soma === 'SimplifiedAdaptiveExponentialSoma' ? [['<i>ϑ</i>', 'moving threshold']] : []),
  ].flatMap(([symbol, meaning]) => [element('dt', { innerHTML: symbol }), element('dd', {}, meaning as string)]);
  // Where they are wider than the page they scroll, by keys too.
  const given = { className: 'laws', tabIndex: 0, role: 'group', 'aria-label': 'Equations', innerHTML: LAWS[soma] };
  return [element('div', given), element('dl', {}, ...others, ...names)];
}
