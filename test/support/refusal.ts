// Refusals, looked at.

import { expect } from 'vitest';
import { InputError, type SomaError } from '../../src/index.ts';

type Kind = new (...args: never[]) => SomaError;

/** The message of a refusal; fails where nothing is refused, or with another error than `kind`. */
export function refusal(attempt: () => unknown, kind: Kind = InputError): string {
  try {
    attempt();
  } catch (error) {
    expect(error).toBeInstanceOf(kind);
    return (error as SomaError).message;
  }
  throw new Error('it was not refused');
}

/** The same of what is refused a little later. */
export async function rejection(attempt: Promise<unknown>, kind: Kind = InputError): Promise<string> {
  const error = await attempt.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(kind);
  return (error as SomaError).message;
}
