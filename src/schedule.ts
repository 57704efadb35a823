// How much a GPU is given at once: submits of a few hundredths of a second, so that a page beside them stays alive and no
// watchdog ends them. It learns from how long the blocks before took; it knows no device, and no clock.

/** What a submit should take, ms: with what it takes longer now and then still below 50. */
const AIM = 30;
/** Neuron updates a submit begins with on a device that is not known: 50 ms where there are 10 million a second. */
const FIRST = 2 ** 19;
const LEAST = 2 ** 14;
/** How much more it may be from one block to the next. */
const GROWTH = 4;
/** Clocks of browsers are as coarse as this, ms. */
const CLOCK = 0.1;
/** Blocks it is the median of: the host may have been late to see one or the other done. */
const BLOCKS = 5;

export class Schedule {
  /** Neuron updates in one submit at most. */
  updates = FIRST;
  readonly #rates: number[] = [];
  #done = 0;

  /** Learns from a block of so many updates that was submitted and seen done then, ms. */
  took(updates: number, submitted: number, done: number): void {
    // What was queued before it has to be done first.
    const time = Math.max(CLOCK, done - Math.max(submitted, this.#done));
    this.#done = done;
    // What is small and soon done tells of the way there and back.
    if (updates < this.updates / 2 && time < AIM) return;
    this.#rates.push(updates / time);
    if (this.#rates.length > BLOCKS) this.#rates.shift();
    const median = this.#rates.toSorted((a, b) => b - a)[this.#rates.length >> 1] as number;
    this.updates = Math.max(LEAST, Math.min(GROWTH * this.updates, Math.floor(AIM * median)));
  }
}
