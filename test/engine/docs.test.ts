// The documentation: what is generated says what a fresh run says, and the site is whole.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { brokenLinks, buildSite } from '../../build/docs.ts';
import { plain, somasPage } from '../../build/somas-doc.ts';
import { validationPage } from '../../build/validation-doc.ts';
import { somas } from '../../src/index.ts';
import { scratch } from '../support/cli.ts';

const page = (name: string) => readFileSync(new URL(`../../docs/${name}`, import.meta.url), 'utf8');
const stale = 'npm run docs writes it anew';

describe('docs/somas.md', () => {
  test('is what the shaders and the equations of the page say', () => {
    expect(page('somas.md'), stale).toBe(somasPage());
  });

  test('has an equation of the potential and a reset for every soma', () => {
    for (const { name } of somas) {
      const [, section = ''] = page('somas.md').split(`## ${name}\n`);
      const [equations = ''] = section.split('## ');
      expect(equations, name).toContain('τ_m dV/dt = -(V - E_L) + Δ_T exp((V - V_T) / Δ_T) + R ');
      expect(equations, name).toContain('V := V_r');
    }
  });

  test('writes MathML as text: fractions, exponents, subscripts, words', () => {
    const fraction = '<mfrac><mrow><mi>V</mi><mo>−</mo><mi>x</mi></mrow><mrow><mi>D</mi></mrow></mfrac>';
    const power = `<msup><mi>e</mi><mrow>${fraction}</mrow></msup>`;
    expect(plain(`<math><mi>y</mi><mo>=</mo>${power}</math><math><mtext>for ever</mtext></math>`)).toBe(
      'y = exp(V-x/D)\nfor ever',
    );
  });
});

test('docs/validation.md is what a fresh run of every protocol gives', async () => {
  expect(page('validation.md'), stale).toBe(await validationPage());
});

describe('the site', () => {
  test('is built without a warning, has every page, and none of its links leads nowhere', async () => {
    const out = join(scratch(), 'site');
    await buildSite(out);
    const start = readFileSync(join(out, 'index.html'), 'utf8');
    for (const name of ['Getting_started', 'The_somas', 'Validation', 'What_somagpu_does_not_do', 'Contributing'])
      expect(start).toContain(`documents/${name}.html`);
  });

  test('is refused for a link to a file, to a place in a file, or to a picture that is not there', () => {
    const out = scratch();
    mkdirSync(join(out, 'documents'));
    const text = (to: string) => `<a href="../index.html#place">x</a> <a href="#own">x</a> <p id="own"></p> ${to}`;
    writeFileSync(join(out, 'index.html'), '<p id="place"></p><a href="https://example.org/x">x</a>');
    const write = (to: string) => writeFileSync(join(out, 'documents/page.html'), text(to));
    write('');
    expect(brokenLinks(out)).toEqual([]);
    for (const link of ['href="gone.html"', 'href="../index.html#gone"', 'href="#gone"', 'src="gone.svg"']) {
      write(`<a ${link}>x</a>`);
      expect(brokenLinks(out)).toEqual([`documents/page.html: ${/"(.*)"/.exec(link)?.[1]}`]);
    }
  });
});
