// Streams: chunks of a recording on their way from a run to a reader, who may be slower. They know neither what is in a
// chunk nor who makes it; a run asks whether one is full, and then waits.

/** Chunks a reader may leave lying before the run waits for it; blocks on their way then add theirs. */
export const MOST_WAITING = 2;

/** Wakes whoever waits, readers and runs alike; each then looks whether it was for them. */
export class Bell {
  #rung: Promise<void> | undefined;
  #wake = () => {};

  wait(): Promise<void> {
    this.#rung ??= new Promise((resolve) => {
      this.#wake = resolve;
    });
    return this.#rung;
  }

  ring(): void {
    this.#wake();
    this.#rung = undefined;
  }
}

/** The chunks one reader has not taken yet. */
export class Stream<Chunk> implements AsyncIterableIterator<Chunk, undefined> {
  #chunks: Chunk[] = [];
  #over = false;
  #failure: { error: unknown } | undefined;

  constructor(
    readonly bell: Bell,
    readonly letGo: () => void,
  ) {}

  get full(): boolean {
    return this.#chunks.length >= MOST_WAITING;
  }

  push(chunk: Chunk): void {
    this.#chunks.push(chunk);
    this.bell.ring();
  }

  /** The last chunk was pushed; after it the reader gets the failure, if there is one. */
  end(failure?: { error: unknown }): void {
    this.#over = true;
    this.#failure = failure;
    this.letGo();
    this.bell.ring();
  }

  async next(): Promise<IteratorResult<Chunk, undefined>> {
    while (this.#chunks.length === 0 && !this.#over) await this.bell.wait();
    const value = this.#chunks.shift();
    this.bell.ring();
    if (value !== undefined) return { value, done: false };
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure) throw failure.error;
    return { value: undefined, done: true };
  }

  /** What a reader's `break` calls: nothing more is kept for it. */
  async return(): Promise<IteratorResult<Chunk, undefined>> {
    this.#chunks = [];
    this.end();
    return { value: undefined, done: true };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
