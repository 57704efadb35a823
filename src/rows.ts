// What a table says of one parameter or state, read from a struct member and its comment in a shader.

/** One row of a parameter, state or input table: a struct member and its comment in the shader. */
export interface Row {
  /** The member's path in the WGSL struct, for example `membrane.potential_rest`. */
  readonly path: string;
  /** A number; or the name of the parameter whose value it is; `end` for an edge in time; absent where required. */
  readonly default?: number | string;
  /** mV, ms, GOhm, pA, nS or steps. */
  readonly unit: string;
  /** Allowed: greater than this. */
  readonly above?: number;
  /** Allowed: this or more. */
  readonly least?: number;
  /** Allowed: the time step or more. */
  readonly leastDt?: true;
  /** Allowed: this or less. */
  readonly most?: number;
  /** Given in ms, kept on the device as a whole number of steps. */
  readonly inSteps?: true;
  /** A whole number. */
  readonly whole?: true;
  /** A whole number on the device, the same for all neurons: a moment in ms, kept as the first step at or after it. */
  readonly edge?: true;
  /** Not the user's to give: the host knows it, or computes it from what the user gave. */
  readonly byHost?: true;
  /** Used by the host alone: what the device needs of it are rows of their own. */
  readonly onHost?: true;
  /** One number, the same for all neurons. */
  readonly single?: true;
  /** Another key that may stand in its place: the value is that one's divided by sqrt(dt). */
  readonly density?: string;
  /** Kept relative to this parameter on the device, absolute outside. */
  readonly from?: string;
}

/** A row with its meaning in words, as the shader has it; the engine does without, see meanings.ts. */
export interface DescribedRow extends Row {
  readonly meaning: string;
}

/** The part of a row that says what numbers it allows. */
export type Bounds = Pick<Row, 'above' | 'least' | 'leastDt' | 'most'>;

export type Table<Name extends string = string> = Readonly<Record<Name, Row>>;

/** What a row allows, in words: `> 0`, `<= 1000`. */
export function boundsOf({ above, least, leastDt, most }: Bounds): string[] {
  const bounds = [
    above === undefined ? '' : `> ${above}`,
    least === undefined ? '' : `>= ${least}`,
    leastDt ? '>= dt' : '',
    most === undefined ? '' : `<= ${most}`,
  ];
  return bounds.filter((bound) => bound !== '');
}

/** How a number is outside of constant bounds, if it is. */
export function outside({ above, least, most }: Bounds, number: number): string | undefined {
  if (above !== undefined && number <= above) return `must be greater than ${above}`;
  if (least !== undefined && number < least) return `must be at least ${least}`;
  if (most !== undefined && number > most) return `must be at most ${most}`;
  return undefined;
}
