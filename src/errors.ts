// Every error somagpu throws on purpose, the words of refusals, and the checks that all modules share. Hosts tell errors
// apart by class; the command line turns them into exit codes.

/** The common ancestor of the errors below. */
export class SomaError extends Error {
  override readonly name: string = 'SomaError';
}

/**
 * Something a user passed is wrong; nothing was run, changed or allocated.
 *
 * `path` says where, in the words of the experiment file (`cells.parameters.spike_slope[3]`), `value` what stood there,
 * `reason` what is wrong with it and `remedy` what would be right.
 */
export class InputError extends SomaError {
  override readonly name: string = 'InputError';
  constructor(
    readonly path: string,
    readonly value: unknown,
    readonly reason: string,
    readonly remedy: string,
    /** Lines to stand below. */
    readonly below: readonly string[] = [],
  ) {
    const got = value === undefined ? '' : `, got ${show(value)}`;
    const line = onOneLine(`${path === '' ? '' : `${path}: `}${reason}${got}; ${remedy}`);
    super([line, ...below].join('\n'));
  }

  /** The same, said of where the user has it. */
  at(path: string, reason = this.reason): InputError {
    return new InputError(path, this.value, reason, this.remedy, this.below);
  }
}

/** No device of the wanted kind is here; the message says what to do. */
export class NoBackendError extends SomaError {
  override readonly name = 'NoBackendError';
}

/**
 * There was not the memory that was asked for. Of what only reads that is all. A run that has no room for what it makes
 * ends, and goes on from `reset` only; a simulation that has no room for itself cannot go on: make a smaller one.
 */
export class OutOfMemoryError extends SomaError {
  override readonly name = 'OutOfMemoryError';
}

/**
 * What the engine's own code threw, where it says that memory has come to its end: V8 and JavaScriptCore do so by a
 * RangeError, SpiderMonkey by a bare string. Other range errors are not a user's to mend.
 */
export function noRoom(thrown: unknown): OutOfMemoryError | undefined {
  const { name = 'RangeError', message = String(thrown) } = thrown as Partial<Error>;
  if (name !== 'RangeError' || !/alloca|memory|array length|buffer size/i.test(message)) return undefined;
  return new OutOfMemoryError(`the memory has no room left: ${message}`, { cause: thrown });
}

/** Does what needs the host's memory. @throws OutOfMemoryError */
export function inRoom<T>(work: () => T): T {
  try {
    return work();
  } catch (thrown) {
    throw noRoom(thrown) ?? thrown;
  }
}

/** The device is gone, unplugged, reset by its watchdog or destroyed by the host, and no other could take its place. */
export class DeviceLostError extends SomaError {
  override readonly name = 'DeviceLostError';
  /** The step the simulation had reached: all before it is recorded. */
  step = 0;
}

/**
 * A state is infinite or NaN after a step, as a law of one's own can make it. The simulation stands where it last was well,
 * at the end of the block of steps before; where nothing was kept, as with `recover: false`, it goes on from `reset` only.
 */
export class NonFiniteError extends SomaError {
  override readonly name = 'NonFiniteError';
  /** What `save` gives of the simulation as it stands now; nothing where nothing was kept. */
  checkpoint: ArrayBuffer | undefined;

  constructor(
    readonly population: string,
    readonly neuron: number,
    readonly state: string,
    /** The first after which it is no number; where nothing was kept, the last of its block. */
    readonly step: number,
    /** Those of the neuron, in user units; times are whole steps. */
    readonly parameters: Readonly<Record<string, number>>,
  ) {
    const words = Object.entries(parameters).map(([name, value]) => `${name} ${Number(value.toPrecision(7))}`);
    super(
      `${population}: the ${state} of neuron ${neuron} is no number after step ${step}; its parameters: ${words.join(', ')}; bound the law, or use a smaller dt`,
    );
  }
}

/** The simulation was used after `dispose`, or disposed of while it ran. */
export class DisposedError extends SomaError {
  override readonly name = 'DisposedError';
}

/** A second `run` or `step` was asked for while one is still going on. */
export class BusyError extends SomaError {
  override readonly name = 'BusyError';
}

/** A file's bytes are not what they should be: broken, cut short, or of a kind that is not read. */
export class FileError extends SomaError {
  override readonly name = 'FileError';
  constructor(message: string, options?: ErrorOptions) {
    super(onOneLine(message), options);
  }
}

/** One of some laws whose name another of them has, too, if there is one: what is saved knows a law by its name. */
export const namesakeIn = <Law extends { name: string; wgsl: string }>(laws: readonly Law[]): Law | undefined =>
  laws.find(({ name, wgsl }) => laws.some((other) => other.name === name && other.wgsl !== wgsl));

// Whatever a name in a file holds: a terminal would obey its control characters.
const onOneLine = (text: string): string => text.replace(/[\p{Cc}\u2028\u2029]/gu, ' ');

// A value as a message shows it: short, and telling "2" from 2.
function show(value: unknown): string {
  if (typeof value === 'number') return String(value);
  if (ArrayBuffer.isView(value)) return `an array of ${(value as Uint8Array).length} values`;
  if (typeof value === 'function') return 'a function';
  let text: string;
  try {
    text = JSON.stringify(value) ?? String(value);
  } catch {
    // A bigint; or an object that contains itself, or has no text, which is any without a prototype.
    text = typeof value === 'object' ? Object.prototype.toString.call(value) : String(value);
  }
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

/** Whether a value is an array, typed or not, or another object like one; text is none, nor is what JSON calls an object. */
export function isList(value: unknown): value is ArrayLike<unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const plain = [Object.prototype, null].includes(Object.getPrototypeOf(value));
  return !plain && typeof (value as ArrayLike<unknown>).length === 'number';
}

/** `did you mean "x"? ` where a known name is near, else nothing. */
export function didYouMean(name: string, known: readonly string[]): string {
  const distance = (candidate: string) => editDistance(name.toLowerCase(), candidate.toLowerCase());
  const [near] = known
    .filter((known) => distance(known) <= Math.min(known.length - 1, Math.max(2, known.length / 3)))
    .sort((a, b) => distance(a) - distance(b));
  return near ? `did you mean "${near}"? ` : '';
}

/** What would be right for a name: the one that was probably meant, and all there are. */
export const suggest = (name: string, known: readonly string[]): string =>
  `${didYouMean(name, known)}known: ${known.join(', ')}`;

// Levenshtein's distance, one row of the table at a time.
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    row = next;
  }
  return row[b.length] as number;
}

/** Refuses what is no object, and names that are not known: `unknown KIND "x" of OWNER; did you mean "y"?` */
export function checkNames(
  path: string,
  given: unknown,
  known: readonly string[],
  what: string,
  hint?: (name: string) => string,
): asserts given is object {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new InputError(path, given, 'is no object', 'give names with their values, {} for none');
  }
  for (const name of Object.keys(given)) checkName(path, name, known, what, hint);
}

/** Refuses what is none of the known names, also where there is none: `unknown KIND undefined of OWNER; known: ...` */
export function checkName(
  path: string,
  name: unknown,
  known: readonly string[],
  what: string,
  hint?: (name: string) => string,
): void {
  if (known.includes(name as string)) return;
  const text = typeof name === 'string' ? name : '';
  const remedy = hint?.(text) || suggest(text, known);
  throw new InputError(path, undefined, `unknown ${what.replace('NAME', show(name))}`, remedy);
}
