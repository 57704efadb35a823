// `somagpu import-spark`: a soma configuration that Spark saved becomes an experiment file. It reads, unpacks and writes;
// what becomes what is in spark.ts.

import { existsSync, statSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { InputError } from '../index.ts';
import { checkDt } from '../parameters.ts';
import { fromSpark, type SparkImport, type SparkOptions } from '../spark.ts';
import { inFile, unreadable } from './file.ts';
import { Aside } from './folder.ts';
import { parseJson } from './json.ts';

export interface ImportOptions extends SparkOptions {
  out?: string;
}

/** The longest text V8 holds, about; a small xz file may unpack to any size. */
const MOST_BYTES = 2 ** 29 - 32;
/** How an xz file begins: tukaani.org/xz/xz-file-format.txt, 2.1.1.1. Spark's own reader goes by it too. */
const XZ = Buffer.from('fd377a585a00', 'hex');

/** Prints the experiment, or writes it to `out`; what was not carried over goes to stderr, a line each. */
export async function importSpark(file: string, { out, ...options }: ImportOptions): Promise<void> {
  if (options.dt !== undefined) checkDt(options.dt, '--dt');
  if (out !== undefined && existsSync(out) && statSync(out).isDirectory()) {
    throw new InputError('--out', out, 'is a folder', 'give the name of a file');
  }
  const { experiment, leftOut } = await convert(file, options);
  const text = print(experiment);
  if (out === undefined) process.stdout.write(text);
  else {
    const aside = await Aside.open(dirname(out));
    try {
      await writeFile(aside.path(basename(out)), text);
      await aside.publish([basename(out)]);
    } finally {
      await aside.remove();
    }
  }
  for (const line of leftOut) process.stderr.write(`not carried over: ${line}\n`);
}

async function convert(file: string, options: SparkOptions): Promise<SparkImport> {
  try {
    return fromSpark(parseJson(await readText(file)), options);
  } catch (error) {
    throw inFile(error, file);
  }
}

async function readText(file: string): Promise<string> {
  const bytes = await readFile(file).catch((error) => {
    throw unreadable(error, 'give the path of a file that Spark saved');
  });
  const text = bytes.subarray(0, XZ.length).equals(XZ) ? await unpack(bytes) : decode([bytes]);
  if (/^\s*\{/.test(text)) return text;
  throw new InputError(
    '',
    undefined,
    'is neither JSON nor JSON in xz',
    'give a file that config.to_file of Spark wrote',
  );
}

async function unpack(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  // Loaded when it is needed: most runs of the command line are no imports.
  const { XzReadableStream } = await import('xz-decompress');
  const parts: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const part of new XzReadableStream(new Blob([bytes]).stream())) {
      parts.push(part);
      size += part.length;
      if (size > MOST_BYTES) break;
    }
  } catch {
    // The library's reasons are numbers.
    const remedy = 'save it again from Spark, or unpack it with xz';
    throw new InputError('', undefined, 'is no xz file that can be unpacked: broken, cut short or unusual', remedy);
  }
  return decode(parts);
}

function decode(parts: readonly Uint8Array[]): string {
  const size = parts.reduce((sum, part) => sum + part.length, 0);
  if (size <= MOST_BYTES) return Buffer.concat(parts).toString('utf8');
  throw new InputError('', undefined, `is too large: more than ${MOST_BYTES} bytes`, 'save fewer values');
}

/** Indented, but a list of numbers on one line. */
const print = (experiment: object): string =>
  `${JSON.stringify(experiment, null, 2).replace(/\[[^[\]{}"]*\]/g, (list) => list.replace(/\s+/g, ' '))}\n`;
