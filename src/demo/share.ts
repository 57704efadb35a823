// A set-up as the part of an address behind the #, and back: a readable line such as
// v=1&soma=ExponentialSoma&units=100&dt=0.1&seed=1&speed=60&p=resistance:0.5&i=step,amplitude:65,start:100&view=0.5,0.5,1&end
// Whatever a link holds, reading it ends in a set-up of numbers and known names, or in a sentence that repeats nothing of
// it. What numbers mean to a soma is the engine's to judge, which is asked.

import { InputError, Simulation } from '../index.ts';
import { inputMeanings, parameterMeanings } from '../meanings.ts';
import {
  checked,
  HOME,
  MOST_INPUTS,
  MOST_UNITS,
  PATTERNS,
  populationOf,
  type Setup,
  type SetupInput,
  somaOf,
  tracedIn,
  type View,
} from './setup.ts';

/** Raised where older pages could not read a link, or would read it otherwise; also where a default changes. */
const VERSION = 1;

/** The last part: without it, a link that was cut off in a number would be one of another number. */
const END = 'end';

/** Longer than any link that the page makes: nobody means it. */
const MOST_LENGTH = 50_000;

/** What a link says: a set-up, or in a sentence why there is none; undefined where there is no link. */
export type Link = { setup: Setup } | { refused: string } | undefined;

/** A link that cannot be used; its message repeats nothing of the link. */
class LinkRefused extends Error {}

/**
 * The fragment of a link, with its `#`. {@link readLink} gives back an equal set-up, every number to its last bit.
 *
 * @example
 * ```ts
 * history.replaceState(null, '', writeLink(setup));
 * ```
 */
export function writeLink(setup: Setup): string {
  const { soma, units, dt, seed, speed, parameters, spread, inputs } = setup;
  // A neuron that went when there were fewer is traced no more.
  const view = { ...setup.view, neuron: tracedIn(setup) ?? null };
  const fields: [string, string][] = [
    ['v', String(VERSION)],
    ['soma', escaped(soma)],
    ...Object.entries({ units, dt, seed, speed }).map(([key, value]): [string, string] => [key, digits(value)]),
  ];
  if (Object.keys(parameters).length > 0) fields.push(['p', named(parameters)]);
  if (Object.keys(spread).length > 0) fields.push(['cv', named(spread)]);
  for (const { kind, ...rest } of inputs) fields.push(['i', [escaped(kind), named(rest)].filter(Boolean).join(',')]);
  if (!sameView(view, HOME)) {
    const { x, y, zoom, neuron } = view;
    fields.push(['view', [x, y, zoom, ...(neuron === null ? [] : [neuron])].map(digits).join(',')]);
  }
  return `#${fields.map((field) => field.join('=')).join('&')}&${END}`;
}

/**
 * Reads the fragment of an address.
 *
 * @param fragment - `location.hash`, with or without `#`
 * @returns undefined where it is empty, or the name of a place on the page
 */
export function readLink(fragment: string): Link {
  const text = fragment.replace(/^#/, '');
  if (!/=|%3D/i.test(text)) return undefined;
  try {
    // No link has percent signs by itself; some who pass links on put them in.
    return { setup: read(text.includes('%') ? decodeURIComponent(text) : text) };
  } catch (error) {
    if (error instanceof LinkRefused) return { refused: error.message };
    return { refused: 'The link is broken: it cannot be read.' };
  }
}

/**
 * What the engine has against a set-up, tried on one neuron of it on the processor; undefined where it has nothing, or
 * where there is no way to try.
 */
export async function refusalOf(setup: Setup): Promise<string | undefined> {
  const { dt, seed } = setup;
  let simulation: Simulation | undefined;
  try {
    simulation = await Simulation.create({ dt, seed, backend: 'cpu', workers: 0 });
    const { soma, options } = populationOf({ ...checked(setup), units: 1 });
    simulation.add(soma, options);
    return undefined;
  } catch (error) {
    return error instanceof InputError ? `The link cannot be used: ${error.message}` : undefined;
  } finally {
    simulation?.dispose();
  }
}

function read(text: string): Setup {
  if (text.length > MOST_LENGTH) throw new LinkRefused('The link is broken: it is too long.');
  const parts = text.split('&');
  const last = parts.pop();
  const fields = parts.map((field): [string, string] => {
    const [key = '', ...value] = field.split('=');
    return [key, value.join('=')];
  });
  checkVersion(fields[0]);
  if (last !== END) throw broken('its end is missing');
  const known = ['v', 'soma', 'units', 'dt', 'seed', 'speed', 'p', 'cv', 'i', 'view'];
  if (fields.some(([key]) => !known.includes(key))) throw broken('it has a part that is not known');
  const one = (key: string): string | undefined => {
    const found = fields.filter(([other]) => other === key);
    if (found.length > 1) throw broken(`${key} is there more than once`);
    return found[0]?.[1];
  };
  const units = number(one('units'), 'units', (value) => isWhole(value) && value >= 1 && value <= MOST_UNITS);
  return {
    soma: readSoma(one('soma')),
    units,
    dt: number(one('dt'), 'dt', isPositive),
    seed: number(one('seed'), 'seed', (value) => isWhole(value) && value <= 0xffffffff),
    speed: number(one('speed'), 'speed', isPositive),
    parameters: readNumbers(one('p'), 'parameter', () => true),
    spread: readNumbers(one('cv'), 'spread', (value) => value >= 0),
    inputs: readInputs(fields.filter(([key]) => key === 'i').map(([, value]) => value)),
    view: readView(one('view'), units),
  };
}

function checkVersion([key, value = '']: readonly [string, string] = ['', '']): void {
  if (key !== 'v' || !/^[1-9]\d{0,8}$/.test(value)) throw broken('it does not say which version made it');
  const version = Number(value);
  if (version > VERSION) {
    throw new LinkRefused(
      'The link was made by a newer version of this page. Reload the page, or ask for another link.',
    );
  }
}

function readSoma(text: string | undefined): Setup['soma'] {
  const soma = unescaped(text ?? '') as Setup['soma'];
  try {
    somaOf({ soma });
  } catch {
    throw broken('it names no soma of this page');
  }
  return soma;
}

function readInputs(texts: readonly string[]): SetupInput[] {
  if (texts.length > MOST_INPUTS) throw broken('it has too many inputs');
  return texts.map((text, i) => {
    const what = `input ${i + 1}`;
    const [kind = '', ...parts] = text.split(',');
    const table = Object.hasOwn(inputMeanings, kind) ? inputMeanings[kind] : undefined;
    if (!table) throw broken(`${what} is of no known kind`);
    const values = Object.fromEntries(
      pairs(parts, what).map(([key, value]) => {
        if (key === 'pattern') return [key, readPattern(value, what)];
        if (key === 'shared') return [key, readName(value, what)];
        if (!Object.hasOwn(table, key) && key !== 'intensity') throw broken(`${what} has something that is not known`);
        return [key, number(value, `${key} of ${what}`, () => true)];
      }),
    );
    return { kind, ...values } as unknown as SetupInput;
  });
}

function readPattern(value: string, what: string): string {
  const pattern = PATTERNS.find((known) => known === value);
  if (!pattern) throw broken(`${what} has no known pattern`);
  return pattern;
}

// The one text that is a user's own. Names need no marks, and marks are what does harm in a page.
function readName(value: string, what: string): string {
  const name = unescaped(value);
  if (/^[\p{L}\p{N} _.-]{1,40}$/u.test(name)) return name;
  throw broken(`the noise that ${what} shares has no plain name`);
}

/** Numbers by the names of parameters; which soma has which is the engine's to say. */
function readNumbers(
  text: string | undefined,
  what: string,
  allowed: (value: number) => boolean,
): Record<string, number> {
  if (text === undefined) return {};
  const entries = pairs(text.split(','), `a ${what}`).map(([name, value]): [string, number] => {
    if (!Object.hasOwn(parameterMeanings, name)) throw broken(`it has a ${what} that is not known`);
    return [name, number(value, name, allowed)];
  });
  return Object.fromEntries(entries);
}

function readView(text: string | undefined, units: number): View {
  if (text === undefined) return HOME;
  const parts = text.split(',');
  if (parts.length < 3 || parts.length > 4) throw broken('the view is cut off');
  const [x, y, zoom, neuron] = parts;
  return {
    x: number(x, 'the view', () => true),
    y: number(y, 'the view', () => true),
    zoom: number(zoom, 'the view', isPositive),
    neuron: neuron === undefined ? null : number(neuron, 'the neuron', (value) => isWhole(value) && value < units),
  };
}

/** Names with their values, each name once. */
function pairs(parts: readonly string[], what: string): [string, string][] {
  const entries = parts.map((part): [string, string] => {
    const [name = '', value, ...more] = part.split(':');
    if (value === undefined || more.length > 0) throw broken(`${what} has no value`);
    return [name, value];
  });
  if (new Set(entries.map(([name]) => name)).size < entries.length) throw broken(`${what} is there more than once`);
  return entries;
}

/** A finite number as JavaScript writes it, and in no other way. */
function number(text: string | undefined, what: string, allowed: (value: number) => boolean): number {
  const right = text !== undefined && /^-?\d{1,400}(\.\d{1,400})?(e[+-]?\d{1,3})?$/.test(text);
  const value = right ? Number(text) : Number.NaN;
  if (!Number.isFinite(value)) throw broken(`${what} is no number`);
  if (!allowed(value)) throw broken(`${what} is out of range`);
  return value;
}

const isWhole = (value: number): boolean => Number.isInteger(value) && value >= 0;
const isPositive = (value: number): boolean => value > 0;

const broken = (reason: string): LinkRefused => new LinkRefused(`The link is broken: ${reason}.`);

const digits = (value: number): string => (Object.is(value, -0) ? '-0' : String(value).replace('e+', 'e'));

const named = (values: object): string =>
  Object.entries(values)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${escaped(name)}:${typeof value === 'number' ? digits(value) : escaped(String(value))}`)
    .join(',');

const sameView = (a: View, b: View): boolean =>
  Object.is(a.x, b.x) && Object.is(a.y, b.y) && a.zoom === b.zoom && a.neuron === b.neuron;

// Letters, digits, _ and - stay; everything else is * and four digits. Percent signs are changed by some who pass links on.
const escaped = (text: string): string =>
  text.replace(/[^A-Za-z0-9_-]/g, (unit) => `*${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);

const unescaped = (text: string): string => {
  if (!/^(?:[A-Za-z0-9_-]|\*[0-9a-f]{4})*$/.test(text)) throw broken('it has a sign that no link has');
  return text.replace(/\*(.{4})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
};
