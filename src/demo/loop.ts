// The pace of the page: in each frame some steps, as many as the speed asks for and the device does in time, so that input
// is always answered; and the measures that the status line tells. It knows neither the page nor what is drawn.

/** What the steps of a run should take, ms on the clock, beside what a run takes in any case: the latency of a device. */
const TURN = 20;
/** What a run may take at most, ms: until its end nothing that a hand has changed comes into force. */
const LONGEST_RUN = 200;
/** What a run weighs in the estimate, beside the one after it. */
const MEMORY = 0.96;
/** What the page lets pass at most between two frames, ms: after a pause nothing has to be made up for. */
const MOST_ELAPSED = 100;

type Sums = [number, number, number, number, number, number];

/** How many steps are due, and how many of them fit into a frame. */
export class Pace {
  /** Steps that a frame takes at most. */
  most = 8;
  /** Whether the device does less than it is asked for. */
  behind = false;
  #owed = 0;
  #shorter = false;
  // Decaying sums over runs: their weights, steps, times, squares of steps, products of both, squares of times.
  #sums: Sums = [0, 0, 0, 0, 0, 0];

  /** Steps to make now, after so many ms on the clock, at so many ms of model time a second. */
  due(elapsed: number, speed: number, dt: number): number {
    this.#owed += (Math.min(elapsed, MOST_ELAPSED) * speed) / 1000 / dt;
    // Runs of two lengths tell what a step costs apart from what a run does.
    this.#shorter = !this.#shorter;
    const most = Math.max(1, Math.floor(this.#shorter ? 0.6 * this.most : this.most));
    const steps = Math.min(Math.floor(this.#owed), most);
    this.behind = this.#owed - steps > 1;
    // What does not fit is dropped: the page then says that it is slower than asked for.
    this.#owed = Math.min(this.#owed - steps, 1);
    return steps;
  }

  /** A run of so many steps took so many ms. */
  took(steps: number, ms: number): void {
    const own = [1, steps, ms, steps * steps, steps * ms, ms * ms];
    this.#sums = this.#sums.map((sum, i) => sum * MEMORY + (own[i] as number)) as Sums;
    const [weight, n, t, nn, nt, tt] = this.#sums;
    const spread = Math.max(nn / weight - (n / weight) ** 2, 1e-9);
    const slope = (nt / weight - (n / weight) * (t / weight)) / spread;
    // What of a step's cost is sure, for times scatter: two standard errors less. Where nothing is, longer runs will tell.
    const scatter = Math.max(tt / weight - (t / weight) ** 2 - slope * slope * spread, 0);
    const sure = slope - 2 * Math.sqrt(scatter / spread / weight);
    const right = weight < 2 ? this.most : sure > 0 ? TURN / sure : Number.POSITIVE_INFINITY;
    this.most = Math.max(1, Math.min(right, 1.15 * this.most + 0.5, 1e6), this.most / 1.3);
    if (ms > LONGEST_RUN) this.most = Math.max(1, Math.min(this.most, (steps * LONGEST_RUN) / ms));
  }
}

/** What pictures may take of the time of a device that does less than it is asked for. */
const PICTURES_SHARE = 0.2;

/** When the next picture is due: with each run where there is time for it, else as seldom as it takes long. */
export class Pictures {
  /** How many there were. */
  made = 0;
  #took = 0;
  #last = Number.NEGATIVE_INFINITY;

  due(now: number, behind: boolean): boolean {
    return !behind || now - this.#last >= this.#took / PICTURES_SHARE;
  }

  /** One was begun at a moment, and took so many ms of the device. */
  took(begin: number, ms: number): void {
    this.made++;
    this.#last = begin;
    // The first of all compile what draws them, and one of many may have been held up.
    this.#took = this.made < 3 ? ms : this.#took + (Math.min(ms, 3 * this.#took + 1) - this.#took) / 8;
  }
}

/** What the status line tells, of about the last second. */
export interface Measures {
  /** Frames a second that were fresh, and how many could have been and were not. */
  frames: number;
  dropped: number;
  /** Steps a second, and model ms a second. */
  steps: number;
  speed: number;
  /** ms on the clock that a step took, where steps were made. */
  stepTook: number;
}

const WINDOW = 1000;

export class Meter {
  #frames: { at: number; fresh: boolean }[] = [];
  #runs: { at: number; steps: number; took: number }[] = [];
  /** What the display needs for a frame, ms: the shortest of late. */
  #display = 1000 / 60;

  /** A frame of the display; `fresh` where it showed something new, or there was nothing new to show. */
  frame(now: number, fresh: boolean): void {
    const before = this.#frames.at(-1)?.at;
    const gap = before === undefined ? Number.NaN : now - before;
    // Displays have 60 to 240 Hz, some 30; shorter gaps come from clocks that are rounded.
    if (gap > 4 && gap < this.#display) this.#display += (gap - this.#display) / 8;
    else if (gap < 1.3 * this.#display) this.#display += (gap - this.#display) / 64;
    this.#frames.push({ at: now, fresh });
  }

  ran(at: number, steps: number, took: number): void {
    this.#runs.push({ at, steps, took });
  }

  /** After a pause, which says nothing about the device. */
  clear(): void {
    this.#frames = [];
    this.#runs = [];
  }

  read(now: number, dt: number): Measures {
    this.#frames = this.#frames.filter(({ at }) => at > now - WINDOW);
    this.#runs = this.#runs.filter(({ at }) => at > now - WINDOW);
    const [first = now, last = now] = [this.#frames[0]?.at, this.#frames.at(-1)?.at];
    const frames = this.#frames.slice(1).filter(({ fresh }) => fresh).length;
    const seconds = Math.max(last - first, 1) / 1000;
    const steps = this.#runs.reduce((sum, run) => sum + run.steps, 0);
    const took = this.#runs.reduce((sum, run) => sum + run.took, 0);
    const span = Math.max(now - (this.#runs[0]?.at ?? now) + (this.#runs[0]?.took ?? 0), 1) / 1000;
    return {
      frames: frames / seconds,
      dropped: Math.max(0, Math.round((last - first) / this.#display) - frames),
      steps: steps / span,
      speed: (steps * dt) / span,
      stepTook: steps === 0 ? 0 : took / steps,
    };
  }
}

/** Steps that take longer than this, ms, make the page take fewer neurons; so does a speed far below what was asked. */
const LONGEST_STEP = 200;
/** How many runs have to be of such steps, one after the other: a single one may have waited for something else. */
const SLOW_RUNS = 4;
const LOWEST_SHARE = 0.2;
/** How long a population is watched before that, ms. */
const WATCHED = 2500;

/** How long the page puts up with a slow device before it takes fewer neurons. */
export class Patience {
  #since = 0;
  #slowRuns = 0;
  /** The speed before the last time that there were to be fewer. */
  #slow = 0;

  /** @param free - whether the number of neurons was nobody's wish, so that the page may choose it */
  constructor(public free: boolean) {}

  /** Watches anew: other neurons, or after a pause. */
  begin(now = performance.now()): void {
    this.#since = now;
  }

  /** Whether there should be fewer: at once where single steps would hold the page up, else only if nobody chose them. */
  isOver(now: number, { stepTook, speed }: Measures, asked: number): boolean {
    if (now - this.#since < WATCHED) return false;
    this.#slowRuns = stepTook > LONGEST_STEP ? this.#slowRuns + 1 : 0;
    const slow = this.free && speed < LOWEST_SHARE * asked;
    // Where fewer did not help, still fewer would not either.
    if (slow && speed < 1.2 * this.#slow) this.free = false;
    else if (this.#slowRuns >= SLOW_RUNS || slow) {
      this.#slow = speed;
      this.begin(now);
      return true;
    } else if (now - this.#since > 4 * WATCHED) this.begin(now);
    return false;
  }
}
