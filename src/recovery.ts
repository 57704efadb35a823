// What outlives its device: a backend around a backend that looks at all populations now and then and, where a device is
// lost or a state is no number any more, opens another and brings everything back to where it was, with the same bits. What
// was done to a population is kept in kept.ts; here is when it is done again, and when that is given up.

import { type Backend, type DevicePopulation, hostMemory, type PopulationPlan } from './backend.ts';
import { DeviceLostError, DisposedError } from './errors.ts';
import { type Keeper, KeptPopulation } from './kept.ts';
import type { Opened, PathOptions } from './paths.ts';

/** Losses without a step between them, the last of which is told; ms after which one is not counted any more. */
const MOST_LOSSES = 4;
const FORGOTTEN = 60_000;
/** Before each further attempt, ms: a page's GPU process takes a moment to come back. */
const PAUSE = 250;
/** A look is taken when this many times its cost has passed, and not before a second has. */
const COSTS = 100;
const SOONEST = 1000;
/** Bytes a ms, before it was measured. */
const USUAL = 1e6;
/** Bytes, kept to be given again, that are worth a look at once, however short memory is. */
const MOST_KEPT = 2 ** 28;

export class Recovery implements Backend, Keeper {
  readonly kind: Backend['kind'];
  readonly adapter: string;
  readonly software: boolean;
  /** How often the device was replaced. */
  recoveries = 0;
  readonly #recover: boolean;
  readonly #populations: KeptPopulation[] = [];
  readonly #reopen: Opened['reopen'];
  readonly #step: () => number;
  /** Between two looks, ms, where their cost is not to decide. */
  readonly #pace: number | undefined;
  readonly #mostKept: number;
  #backend: Backend;
  #replacing: Promise<unknown> | undefined;
  /** Why nothing goes on. */
  #failure: unknown;
  #losses = 0;
  #lostAt = -1;
  #disposed = false;
  #astray: Promise<Error> | undefined;
  gone: Error | undefined;
  #backTo = 0;
  /** When the device was lost last, ms. */
  #lostWhen = 0;
  /** When the last look was taken, and what it took, ms. */
  #looked: number | undefined;
  #cost: number | undefined;
  #looking = false;
  /** How long none is tried after one that found no room, ms. */
  #pause = 0;
  /** Why nothing is kept any more. */
  #forgotten: unknown;

  /** @param step - which step has been reached: all before it is recorded */
  constructor({ backend, reopen }: Opened, step: () => number, { recover = true, tuning }: PathOptions) {
    ({ kind: this.kind, adapter: this.adapter, software: this.software } = backend);
    this.#backend = backend;
    this.#reopen = recover ? reopen : undefined;
    this.#recover = recover;
    this.#step = step;
    this.#pace = tuning?.snapshot;
    this.#mostKept = tuning?.kept ?? MOST_KEPT;
  }

  checkRoom(neurons: number, planes: number, path: string): void {
    this.#backend.checkRoom(neurons, planes, path);
  }

  populate(plan: PopulationPlan): DevicePopulation {
    const population = new KeptPopulation(this, plan, this.#backend.populate(plan));
    this.#populations.push(population);
    return population;
  }

  /** Lets go of one that there was no room for. */
  keepFirst(count: number): void {
    this.#populations.length = count;
  }

  dispose(): void {
    this.#disposed = true;
    this.#backend.dispose();
  }

  async surviving<T>(ask: () => Promise<T>): Promise<T> {
    for (;;) {
      if (this.#replacing) await this.#replacing;
      if (this.#failure) throw this.#failure;
      const backend = this.#backend;
      try {
        return await ask();
      } catch (error) {
        // What it says of a device that is being replaced, or was, is beside the point.
        if (this.#replacing || backend !== this.#backend) continue;
        if (this.#disposed || !(error instanceof DeviceLostError)) throw error;
        this.#stopFor(this.#replace(error));
      }
    }
  }

  /** Everything waits for it. */
  #stopFor(work: Promise<unknown>): void {
    const stop = work.finally(() => {
      this.#replacing = undefined;
    });
    stop.catch(() => {});
    this.#replacing = stop;
  }

  // The first population's block comes first; so all stand at the same step.
  beforeBlock(population: KeptPopulation): void {
    if (population === this.#populations[0] && !this.#looking && !this.#replacing && this.#due()) void this.#look();
  }

  #sum = (kind: 'bytes' | 'size'): number => this.#populations.reduce((sum, each) => sum + each[kind], 0);

  #due(): boolean {
    const now = performance.now();
    this.#looked ??= now;
    const since = now - this.#looked;
    if (this.#sum('bytes') > this.#mostKept) return true;
    if (since < this.#pause) return false;
    const size = this.#sum('size');
    const least = this.#pace ?? Math.max(SOONEST, COSTS * (this.#cost ?? size / USUAL));
    return since > least && 4 * size < hostMemory();
  }

  // It stands between the blocks as a read does; the run goes on meanwhile.
  async #look(): Promise<void> {
    this.#looking = true;
    const looks = this.#populations.map((population) => population.look());
    try {
      const ran = await Promise.all(looks.map(({ ran }) => ran));
      const begin = performance.now();
      const takes = await Promise.all(looks.map(({ read }) => read));
      this.#cost = performance.now() - begin;
      // All or none: going back to a step, they have to meet there.
      if (ran.every((well) => well)) for (const take of takes) take();
      this.#pause = 0;
    } catch (error) {
      // That the device is lost the block that follows will tell; else there is no room for it, and may be later.
      if (!(error instanceof DeviceLostError)) {
        this.#pause = Math.max(2 * this.#pause, this.#pace ?? SOONEST);
        this.#forget(error);
      }
    } finally {
      this.#looked = performance.now();
      this.#looking = false;
    }
  }

  // What grows for as long as a run goes on would end it: better what is lost then is lost.
  #forget(cause: unknown): void {
    if (this.#replacing || this.#astray || this.#sum('bytes') <= this.#mostKept) return;
    this.#forgotten = cause;
    for (const population of this.#populations) population.forget();
  }

  get keeps(): boolean {
    return this.#recover && this.#forgotten === undefined;
  }

  /** Before a reset, which sets everything anew: from then on it is known again. The loss of a device is for good. */
  remember(): void {
    this.#forgotten = undefined;
    if (!this.#failure || this.#failure instanceof DeviceLostError) return;
    this.#failure = undefined;
    for (const population of this.#populations) population.revive();
  }

  /** The step that all populations have gone back to, if they have; to be asked when a run has ended. */
  backTo(): number | undefined {
    const step = this.gone && this.#backTo;
    this.gone = undefined;
    return step;
  }

  /** Why some states are no numbers any more; all populations then stand where the block before that ended. */
  astray(): Promise<Error> {
    this.#astray ??= this.#goBack().finally(() => {
      this.#astray = undefined;
    });
    return this.#astray;
  }

  async #goBack(): Promise<Error> {
    // The first block to come back with such a state need not be the first that has one.
    const blocks = await this.surviving(() => Promise.all(this.#populations.map((each) => each.firstBeyond())));
    while (this.#replacing) await this.#replacing;
    const first = Math.min(...blocks.map((block) => block?.first ?? Infinity));
    const found = this.#search(
      blocks.findIndex((block) => block?.first === first),
      first,
    );
    this.#stopFor(found);
    return found;
  }

  async #search(index: number, first: number): Promise<Error> {
    for (;;) {
      this.#stop();
      try {
        const replays = this.#populations.map((each) => each.replay(each.device, first));
        // Also where one fails nothing is under way any more when that is told: a reset may follow.
        await Promise.all(replays).finally(() => Promise.allSettled(replays));
        const error = await (this.#populations[index] as KeptPopulation).search(first);
        if (this.#disposed) throw error;
        for (const population of this.#populations) population.resume(first, error);
        this.#backTo = first;
        this.gone = error;
        return error;
      } catch (lost) {
        if (!(lost instanceof DeviceLostError)) this.#failure = lost;
        if (this.#disposed || this.#failure) throw lost;
        await this.#replace(lost as DeviceLostError);
      }
    }
  }

  #stop(): void {
    for (const population of this.#populations) population.stop();
  }

  async #replace(lost: DeviceLostError): Promise<void> {
    // A device of the host's would not be replaced anyway.
    for (let cause = this.#reopen && this.#forgotten; ; ) {
      this.#stop();
      const step = this.#step();
      const now = performance.now();
      // A machine that sleeps now and then loses a device that waits each time.
      this.#losses = step === this.#lostAt && now - this.#lostWhen < FORGOTTEN ? this.#losses + 1 : 1;
      [this.#lostAt, this.#lostWhen] = [step, now];
      if (!this.#reopen || this.#forgotten || this.#losses >= MOST_LOSSES) {
        const told = cause instanceof DeviceLostError || !cause ? lost : new DeviceLostError(lost.message, { cause });
        told.step = step;
        this.#failure = told;
        throw told;
      }
      this.#backend.dispose();
      try {
        await this.#open(this.#reopen);
        this.recoveries++;
        return;
      } catch (error) {
        if (this.#disposed) throw error;
        cause = error;
      }
    }
  }

  async #open(reopen: () => Promise<Backend>): Promise<void> {
    if (this.#losses > 1) await new Promise((resolve) => setTimeout(resolve, PAUSE * this.#losses));
    if (this.#disposed) throw new DisposedError('the simulation was disposed of');
    const backend = await reopen();
    // Another device could give other bits.
    if (this.#disposed || backend.adapter !== this.adapter) {
      backend.dispose();
      throw new Error(`there is only ${backend.adapter} now, where there was ${this.adapter}`);
    }
    this.#backend = backend;
    const devices = this.#populations.map(({ plan }) => backend.populate(plan));
    for (const [i, { plan, capacity }] of this.#populations.entries()) {
      const { capacity: now } = devices[i] as DevicePopulation;
      if (now >= capacity) continue;
      throw new Error(
        `the GPU there is now has smaller limits: ${now} steps of ${plan.name} at once, no longer ${capacity}`,
      );
    }
    await Promise.all(this.#populations.map((each, i) => each.replay(devices[i] as DevicePopulation)));
  }
}
