// Refusals, looked at.

import { expect } from 'vitest';
import { InputError, type SomaError } from '../../src/index.ts';

/** The message of a refusal; fails where nothing is refused, or with another error than `kind`. */
export function refusal(attempt: () => unknown, kind: new (...args: never[]) => SomaError = InputError): string {
  try {
    attempt();
  } catch (error) {
    expect(error).toBeInstanceOf(kind);
    return (error as SomaError).message;
  }
  throw new Error('it was not refused');
}
