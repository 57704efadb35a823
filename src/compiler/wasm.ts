// Writes WebAssembly modules: bytes of functions and of the sections around them. It knows the binary format
// (webassembly.github.io/spec/core/binary), and nothing of WGSL or neurons.

export const Type = { i32: 0x7f, f32: 0x7d, v128: 0x7b } as const;
export type Type = (typeof Type)[keyof typeof Type];

/** Instructions without immediates. Those of 128-bit vectors have the prefix 0xfd, here as the upper byte(s). */
export const Op = {
  end: 0x0b,
  else: 0x05,
  i32eqz: 0x45,
  i32eq: 0x46,
  i32ne: 0x47,
  i32lt: 0x49,
  i32gt: 0x4b,
  i32le: 0x4d,
  i32ge: 0x4f,
  f32eq: 0x5b,
  f32ne: 0x5c,
  f32lt: 0x5d,
  f32gt: 0x5e,
  f32le: 0x5f,
  f32ge: 0x60,
  i32add: 0x6a,
  i32sub: 0x6b,
  i32mul: 0x6c,
  i32div: 0x6e,
  i32rem: 0x70,
  i32and: 0x71,
  i32or: 0x72,
  i32xor: 0x73,
  i32shl: 0x74,
  i32shr: 0x76,
  f32abs: 0x8b,
  f32neg: 0x8c,
  f32floor: 0x8e,
  f32nearest: 0x90,
  f32sqrt: 0x91,
  f32add: 0x92,
  f32sub: 0x93,
  f32mul: 0x94,
  f32div: 0x95,
  select: 0x1b,
  i32reinterpret: 0xbc,
  f32convert: 0xb3,
  /** Saturating, as WGSL wants it. */
  i32truncate: 0xfc01,
  f32reinterpret: 0xbe,
  i32x4splat: 0xfd11,
  f32x4splat: 0xfd13,
  i32x4eq: 0xfd37,
  i32x4ne: 0xfd38,
  i32x4lt: 0xfd3a,
  i32x4gt: 0xfd3c,
  i32x4le: 0xfd3e,
  i32x4ge: 0xfd40,
  f32x4eq: 0xfd41,
  f32x4ne: 0xfd42,
  f32x4lt: 0xfd43,
  f32x4gt: 0xfd44,
  f32x4le: 0xfd45,
  f32x4ge: 0xfd46,
  v128not: 0xfd4d,
  v128and: 0xfd4e,
  v128or: 0xfd50,
  v128xor: 0xfd51,
  v128bitselect: 0xfd52,
  v128anyTrue: 0xfd53,
  f32x4floor: 0xfd68,
  f32x4nearest: 0xfd6a,
  i32x4shl: 0xfdab,
  i32x4shr: 0xfdad,
  i32x4add: 0xfdae,
  i32x4sub: 0xfdb1,
  i32x4mul: 0xfdb5,
  i32x4minU: 0xfdb7,
  i32x4maxU: 0xfdb9,
  i64x2extmulLowU: 0xfdde,
  i64x2extmulHighU: 0xfddf,
  f32x4abs: 0xfde0,
  f32x4neg: 0xfde1,
  f32x4sqrt: 0xfde3,
  f32x4add: 0xfde4,
  f32x4sub: 0xfde5,
  f32x4mul: 0xfde6,
  f32x4div: 0xfde7,
  f32x4pmin: 0xfdea,
  f32x4pmax: 0xfdeb,
  i32x4truncate: 0xfdf9,
  f32x4convert: 0xfdfb,
} as const;
export type Op = (typeof Op)[keyof typeof Op];

/** Unsigned LEB128. */
function unsigned(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...bytes, rest];
    bytes.push((rest % 128) | 0x80);
  }
}

/** Signed LEB128 of a 32-bit integer. */
function signed(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value | 0; ; rest >>= 7) {
    const low = rest & 0x7f;
    if (rest >= -64 && rest < 64) return [...bytes, low];
    bytes.push(low | 0x80);
  }
}

/** Instructions of locals. */
const GET = 0x20;
const SET = 0x21;
const TEE = 0x22;

const bytesOf = (value: number): number[] => [...new Uint8Array(Float32Array.of(value).buffer)];

/** A local variable of a function. */
export interface Local {
  readonly index: number;
  readonly type: Type;
}

/** The body of a function, written from its first instruction to its last. */
export class Body {
  readonly parameters: readonly Local[];
  readonly #locals: Type[] = [];
  readonly #bytes: number[] = [];
  readonly #read = new Set<number>();
  /** Where instructions stand that only fill a local: from a byte to before another. */
  readonly #fills: { local: number; from: number; to: number }[] = [];
  /** The last `set`: which local, and its bytes. */
  #lastSet = { index: -1, from: 0, end: 0 };
  /** By their 32 bits. */
  readonly #constants = new Map<number, Local>();
  /** What its writer has done for it so far, in steps of the writer's own. */
  work = 0;
  /** Blocks that are open: what a branch counts. */
  depth = 0;

  constructor(readonly signature: readonly Type[]) {
    this.parameters = signature.map((type, index) => ({ index, type }));
  }

  local(type: Type): Local {
    this.#locals.push(type);
    return { index: this.signature.length + this.#locals.length - 1, type };
  }

  get({ index }: Local): void {
    this.#read.add(index);
    // What has just been set stays on the stack: half as long.
    const { index: last, from, end } = this.#lastSet;
    if (last === index && end === this.#bytes.length && this.#bytes[from] === SET) this.#bytes[from] = TEE;
    else this.#push(GET, ...unsigned(index));
  }

  set({ index }: Local): void {
    const from = this.#bytes.length;
    this.#push(SET, ...unsigned(index));
    this.#lastSet = { index, from, end: this.#bytes.length };
  }

  tee = ({ index }: Local): void => this.#push(TEE, ...unsigned(index));

  /** Sets a local to what `work` leaves on the stack. If nobody reads it, it costs nothing: engines keep loads for their traps. */
  fill({ index }: Local, work: () => void): void {
    const from = this.#bytes.length;
    // What is left out if nobody reads it takes nothing from before it.
    this.#lastSet.end = -1;
    work();
    this.set({ index, type: Type.v128 });
    this.#fills.push({ local: index, from, to: this.#bytes.length });
  }

  /** Instructions without immediates, in order. */
  op(...ops: Op[]): void {
    for (const op of ops) this.#push(...(op > 0xff ? [op >> 8, ...unsigned(op & 0xff)] : [op]));
  }

  i32 = (value: number): void => this.#push(0x41, ...signed(value));
  f32 = (value: number): void => this.#push(0x43, ...bytesOf(value));

  /** Four times the same number. It is made once, before all else: a vector in place costs 18 bytes each time. */
  f32x4 = (value: number): void => this.#constant(new Int32Array(Float32Array.of(value).buffer)[0] as number);
  i32x4 = (value: number): void => this.#constant(value | 0);

  /** 0, 1, 2, 3. */
  ramp = (): void => this.#push(0xfd, 12, ...[0, 1, 2, 3].flatMap((word) => [word, 0, 0, 0]));

  #constant(word: number): void {
    const found = this.#constants.get(word) ?? this.local(Type.v128);
    this.#constants.set(word, found);
    this.get(found);
  }

  /** Memory accesses at an address on the stack plus `offset`; planes are aligned to 16 bytes. */
  load = (offset: number): void => this.#push(0xfd, 0, 4, ...unsigned(offset));
  store = (offset: number): void => this.#push(0xfd, 11, 4, ...unsigned(offset));
  loadWord = (offset: number): void => this.#push(0x28, 2, ...unsigned(offset));

  /** Four lanes out of the eight of two vectors. */
  shuffle = (lanes: readonly number[]): void =>
    this.#push(0xfd, 13, ...lanes.flatMap((lane) => [0, 1, 2, 3].map((byte) => 4 * lane + byte)));

  /** The first of four lanes. */
  firstF32 = (): void => this.#push(0xfd, 31, 0);

  block = (): void => this.#open(0x02);
  loop = (): void => this.#open(0x03);
  if = (): void => this.#open(0x04);

  #open(code: number): void {
    this.#push(code, 0x40);
    this.depth++;
  }

  else = (): void => this.op(Op.else);

  end(): void {
    this.op(Op.end);
    this.depth--;
  }

  /** Branches out of the block that was opened at this depth (to the start of a loop). */
  br = (depth: number): void => this.#push(0x0c, ...unsigned(this.depth - depth));
  brIf = (depth: number): void => this.#push(0x0d, ...unsigned(this.depth - depth));

  #push(...bytes: number[]): void {
    for (const byte of bytes) this.#bytes.push(byte);
  }

  #needed(): number[] {
    const idle = this.#fills.filter(({ local }) => !this.#read.has(local));
    const edges = [0, ...idle.flatMap(({ from, to }) => [from, to]), this.#bytes.length];
    return edges.flatMap((edge, i) => (i % 2 === 0 ? this.#bytes.slice(edge, edges[i + 1]) : []));
  }

  encode(): number[] {
    const runs: { type: Type; count: number }[] = [];
    for (const type of this.#locals) {
      const last = runs.at(-1);
      if (last?.type === type) last.count++;
      else runs.push({ type, count: 1 });
    }
    const declared = runs.flatMap(({ type, count }) => [...unsigned(count), type]);
    const constants = [...this.#constants].flatMap(([word, { index }]) => [
      ...[0x41, ...signed(word)],
      ...[0xfd, Op.i32x4splat & 0xff],
      ...[SET, ...unsigned(index)],
    ]);
    const body = [...unsigned(runs.length), ...declared, ...constants, ...this.#needed(), Op.end];
    return [...unsigned(body.length), ...body];
  }
}

const nameOf = (name: string): number[] => {
  const bytes = new TextEncoder().encode(name);
  return [...unsigned(bytes.length), ...bytes];
};

const section = (id: number, entries: number[][]): number[] => {
  const content = [...unsigned(entries.length), ...entries.flat()];
  return [id, ...unsigned(content.length), ...content];
};

/** A module that imports one memory, `env.memory`, and exports functions without results. */
export function encodeModule(functions: Readonly<Record<string, Body>>): Uint8Array {
  const bodies = Object.values(functions);
  const FUNCTION = 0;
  const MEMORY = 2;
  return Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(
      1,
      bodies.map(({ signature }) => [0x60, ...unsigned(signature.length), ...signature, 0]),
    ),
    ...section(2, [[...nameOf('env'), ...nameOf('memory'), MEMORY, 0, 1]]),
    ...section(
      3,
      bodies.map((_, index) => unsigned(index)),
    ),
    ...section(
      7,
      Object.keys(functions).map((name, index) => [...nameOf(name), FUNCTION, ...unsigned(index)]),
    ),
    ...section(
      10,
      bodies.map((body) => body.encode()),
    ),
  ]);
}
