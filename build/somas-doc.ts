// The text of docs/somas.md: of each soma its papers, its equations and its tables, from its shader and from the equations
// that the page shows. `npm run docs` writes it; a test finds it out of date. Only the words around are written here.

import { readFileSync } from 'node:fs';
import { LAWS, SYMBOLS } from '../src/demo/equations.ts';
import type { SomaName } from '../src/demo/setup.ts';
import { boundsOf, type Row, type Soma, somas } from '../src/index.ts';
import { parameterMeanings, stateMeanings } from '../src/meanings.ts';
import { header } from './generate.ts';

const HEAD = `# The somas

Generated from the shaders, and from the equations that the page shows, by \`npm run docs\`; not to be edited. \`somagpu somas\` prints the same tables.

Equations are in continuous time, with V the membrane potential, I the sum of the inputs, and the symbols of the tables. A
step takes them by forward Euler in [this order](numerics.md). Potentials are absolute, in mV. Every parameter is a number,
an array with one value a neuron, or an initializer; a value that is not allowed is refused before anything runs. Where
"allowed" is empty, any number up to 1e9 in magnitude is.

A soma of your own is a text: [own-somas.md](own-somas.md). One of ours is added as a file:
[CONTRIBUTING.md](../CONTRIBUTING.md#a-new-soma).
`;

/** The text of docs/somas.md. */
export const somasPage = (): string => [HEAD, ...somas.map(section)].join('\n');

function section({ name, parameters, states }: Soma): string {
  const lines = header(readFileSync(new URL(`../shaders/somas/${name}.wgsl`, import.meta.url), 'utf8'));
  // Sentences say what it is; then come papers, without a full stop.
  const sentences = lines.findIndex((line) => line.endsWith('.')) + 1;
  const about = lines.slice(0, sentences).join(' ');
  const papers = lines.slice(sentences).join(' ').split('; ').map(linked).join('; ');
  const rows = (of: Readonly<Record<string, Row>>, meanings: Readonly<Record<string, string>>) =>
    Object.entries(of).map(([key, row]) => ({ key, row, meaning: meanings[key] ?? '' }));
  return `## ${name}

${about} In WGSL: [${name}.wgsl](../shaders/somas/${name}.wgsl).

\`\`\`text
${plain(LAWS[name as SomaName])}
\`\`\`

${tableOf(
  ['', 'parameter', 'default', 'allowed', 'meaning'],
  rows(parameters, parameterMeanings).map(({ key, row, meaning }) => [
    SYMBOLS[key] ?? '',
    `\`${key}\``,
    `${row.default} ${row.unit}`,
    allowed(row),
    meaning,
  ]),
)}

${tableOf(
  ['state', 'starts at', 'meaning'],
  rows(states, stateMeanings).map(({ key, row, meaning }) => [`\`${key}\``, start(row), meaning]),
)}

${papers}
`;
}

/** A table of Markdown. */
export const tableOf = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');

const allowed = (row: Row): string =>
  [...boundsOf(row), ...(row.inSteps || row.whole ? ['whole steps'] : [])].join(', ');

const start = ({ default: value, unit }: Row): string =>
  typeof value === 'string' ? `\`${value}\`, ${unit}` : `${value} ${unit}`;

const linked = (text: string): string =>
  text.replace(/[\w.]+\.(?:org|epfl\.ch)\/[\w./()-]+/g, (address) => `<https://${address}>`);

/** Equations of MathML as lines of text: what GitHub and every other reader of Markdown show alike. */
export function plain(mathml: string): string {
  const bare = (text: string) => text.replace(/<[^>]+>/g, '');
  const lines = mathml
    .replace(/<msub>(.*?)<mtext>(.*?)<\/mtext><\/msub>/g, (_, of, below) => ` ${bare(of)}_${below} `)
    .replace(/<msup>.*?<mrow>(.*?)<\/mrow><\/msup>/g, ' exp($1) ')
    .replace(/<mfrac><mrow>(.*?)<\/mrow><mrow>(.*?)<\/mrow><\/mfrac>/g, (_, above, below) => {
      const [a, b] = [above, below].map((part) => bare(part).replaceAll(' ', ''));
      return ` ${a}/${b} `;
    })
    .replace(/<m[io][^>]*>(.*?)<\/m[io]>/g, ' $1 ')
    .split('</math>');
  return lines
    .map((line) => bare(line).replaceAll('&gt;', '>').replaceAll('−', '-').replace(/\s+/g, ' ').trim())
    .filter((line) => line !== '')
    .map((line) =>
      line
        .replace(/\( /g, '(')
        .replace(/ ([,)]|:(?!=))/g, '$1')
        .replace(/= - /g, '= -')
        .replace(/exp\(\((.*?)\) \/ (\S+?)\)/g, 'exp(($1) / $2)')
        .replace(/exp \(/g, 'exp('),
    )
    .join('\n');
}
