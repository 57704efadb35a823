// Recordings as CSV, a piece at a time: columns in, text out. It knows neither what the columns mean nor where the text
// goes.

import type { NpyData } from './npy.ts';

/** Numbers below this have fewer digits in float32, the smallest of all a single one. */
const SMALLEST_NORMAL = 2 ** -126;

/**
 * The first lines of a CSV file: the names of its columns, and before them, as a comment, a text on one line.
 *
 * @example
 * ```ts
 * csvHead(['step', 'time_ms', 'neuron'], '{"seed":7}'); // '# {"seed":7}\nstep,time_ms,neuron\n'
 * ```
 */
export function csvHead(names: readonly string[], comment?: string): string {
  const first = comment === undefined ? '' : `# ${comment.replace(/\s*\n\s*/g, ' ')}\n`;
  return `${first}${names.join(',')}\n`;
}

/**
 * Rows of a CSV file. Float32 are written with as few digits as give the same float32 back, float64 with 15 digits, so
 * that 3 * 0.1 is 0.3.
 *
 * @param columns - the first has one value a row; one with k times as many, row-major, gives k columns
 * @example
 * ```ts
 * const { steps, times, values } = await cells.trace('potential');
 * const text = csvHead(['step', 'time_ms', 'neuron_0', 'neuron_9']) + csvRows([steps, times, values]);
 * ```
 */
export function csvRows(columns: readonly NpyData[]): string {
  const rows = columns[0]?.length ?? 0;
  const cells = columns.map((column) => ({
    column,
    width: rows === 0 ? 0 : column.length / rows,
    write: writerOf(column),
  }));
  let text = '';
  for (let row = 0; row < rows; row++) {
    let between = '';
    for (const { column, width, write } of cells) {
      for (let i = row * width; i < (row + 1) * width; i++) {
        text += between + write(column[i] as number);
        between = ',';
      }
    }
    text += '\n';
  }
  return text;
}

// Many rows have the same step and time: the last text is kept.
function writerOf(column: NpyData): (value: number | bigint) => string {
  if (!(column instanceof Float64Array)) return column instanceof Float32Array ? (x) => digits32(x as number) : String;
  let [last, text] = [Number.NaN, ''];
  return (value) => {
    if (value !== last) [last, text] = [value as number, String(Number((value as number).toPrecision(15)))];
    return text;
  };
}

function digits32(value: number): string {
  if (Object.is(value, -0)) return '-0';
  if (Number.isInteger(value) && Math.abs(value) < 2 ** 24) return String(value);
  // Six digits are told apart by every normal float32, and nine tell every float32 apart.
  for (let digits = Math.abs(value) < SMALLEST_NORMAL ? 1 : 6; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return String(short);
  }
  return String(Number(value.toPrecision(9)));
}
