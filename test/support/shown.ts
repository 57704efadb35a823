// The code that the pages show, for the tests that run it as it stands. It knows no page's name and runs nothing.

import { readFileSync } from 'node:fs';

export interface Piece {
  /** The nearest heading above. */
  section: string;
  /** As the page says it: `ts`, `sh` or nothing. */
  language: string;
  code: string;
}

/** All pieces of code in a page, which is named from the repository's root. */
export function piecesOf(page: string): Piece[] {
  const text = readFileSync(new URL(`../../${page}`, import.meta.url), 'utf8');
  const pieces: Piece[] = [];
  let section = '';
  for (const [, heading, language = '', code = ''] of text.matchAll(/^#+ (.+)$|^```(\w*)\n([\s\S]*?)^```$/gm)) {
    if (heading === undefined) pieces.push({ section, language, code });
    else section = heading;
  }
  return pieces;
}

/** The first piece of code in a section that is in a language. @throws Error where the page has none there */
export function shown(page: string, section: string, language: string): string {
  const piece = piecesOf(page).find((piece) => piece.section === section && piece.language === language);
  if (!piece) throw new Error(`${page} shows no ${language} under ${section}`);
  return piece.code;
}
