// JSON as people write it: a mistake is reported with its line and column, and a key given twice is refused, where
// JSON.parse would silently keep the last.

import { createScanner, type ParseError, parse, printParseErrorCode, visit } from 'jsonc-parser';
import { InputError } from '../index.ts';

/** Far more than any experiment has, far less than the parser's calls of itself can go. */
const DEEPEST = 100;

/** Parses strict JSON; a byte order mark is passed over. @throws InputError with line and column */
export function parseJson(given: string): unknown {
  const text = given.replace(/^\ufeff/, '');
  refuseDepth(text);
  const errors: ParseError[] = [];
  const value: unknown = parse(text, errors, { disallowComments: true, allowTrailingComma: false });
  const [first] = errors;
  if (first) {
    const words = printParseErrorCode(first.error)
      .replace(/([a-z])([A-Z])/g, '$1 $2')
      .toLowerCase();
    throw new InputError(position(text, first.offset), undefined, `broken JSON (${words})`, 'mend the file there');
  }
  refuseKeys(text);
  return value;
}

function refuseDepth(text: string): void {
  const scanner = createScanner(text, true);
  let depth = 0;
  while (scanner.getPosition() < text.length) {
    scanner.scan();
    const begin = text.charAt(scanner.getTokenOffset());
    if (begin === '[' || begin === '{') depth++;
    if (begin === ']' || begin === '}') depth--;
    if (depth <= DEEPEST) continue;
    const reason = `broken JSON (more than ${DEEPEST} brackets in each other)`;
    throw new InputError(position(text, scanner.getTokenOffset()), undefined, reason, 'mend the file there');
  }
}

// Also __proto__, which would be no key of the object but what it inherits from.
function refuseKeys(text: string): void {
  const open: Set<string>[] = [];
  visit(text, {
    onObjectBegin: () => void open.push(new Set()),
    onObjectEnd: () => void open.pop(),
    onObjectProperty: (key, offset) => {
      const keys = open.at(-1);
      if (key === '__proto__')
        throw new InputError(position(text, offset), undefined, 'unknown key "__proto__"', 'remove it');
      if (keys?.has(key))
        throw new InputError(position(text, offset), undefined, `the key "${key}" stands twice`, 'keep one of the two');
      keys?.add(key);
    },
  });
}

function position(text: string, offset: number): string {
  const before = text.slice(0, offset).split('\n');
  return `line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`;
}
