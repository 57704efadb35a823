// What is asked of an analysis, checked: names of options, numbers in ranges. It knows no soma; what a simulation refuses is
// the engine's to say.

import { InputError } from '../index.ts';

/** What a number may be, and what it is of. */
export interface Range {
  unit: string;
  above?: number;
  least?: number;
  most?: number;
  /** A whole number. */
  whole?: true;
}

/** Refuses what is no object, and names that are not known; `path` is '' where the object is the whole argument. */
export function checkKnown(path: string, given: unknown, known: readonly string[], what: string): void {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new InputError(path, given, 'is no object', 'give names with their values, {} for none');
  }
  const unknown = Object.keys(given).find((name) => !known.includes(name));
  if (unknown === undefined) return;
  throw new InputError(path, undefined, `unknown ${what} ${JSON.stringify(unknown)}`, `known: ${known.join(', ')}`);
}

/** Refuses what is no finite number, or out of range. */
export function checkNumber(value: unknown, path: string, range: Range): asserts value is number {
  const { above, least, most, whole } = range;
  const refuse = (reason: string) => new InputError(path, value, reason, `give ${allowed(range)}`);
  if (typeof value !== 'number') throw refuse('is no number');
  if (!Number.isFinite(value)) throw refuse('is not finite');
  if (whole && !Number.isInteger(value)) throw refuse('is no whole number');
  if (above !== undefined && value <= above) throw refuse(`must be greater than ${above}`);
  if (least !== undefined && value < least) throw refuse(`must be at least ${least}`);
  if (most !== undefined && value > most) throw refuse(`must be at most ${most}`);
}

function allowed({ unit, above, least, most, whole }: Range): string {
  const bounds = [
    above === undefined ? '' : `greater than ${above}`,
    least === undefined ? '' : `${least} or more`,
    most === undefined ? '' : `up to ${most}`,
  ];
  return [`${whole ? 'a whole number of ' : ''}${unit}`, ...bounds.filter((bound) => bound !== '')].join(', ');
}

/** Refuses spike times that are no list of finite numbers in order. */
export function checkTimes(times: unknown, path: string): asserts times is ArrayLike<number> {
  const list = times as ArrayLike<unknown> | null;
  if (typeof list !== 'object' || list === null || typeof list.length !== 'number') {
    throw new InputError(path, times, 'is no list', 'give the times of the spikes, ms, [] for none');
  }
  let last = -Infinity;
  for (let i = 0; i < list.length; i++) {
    const time = list[i];
    if (!Number.isFinite(time)) checkNumber(time, `${path}[${i}]`, { unit: 'ms' });
    if ((time as number) < last) {
      throw new InputError(`${path}[${i}]`, time, 'is before the spike before it', 'give the times in order');
    }
    last = time as number;
  }
}
