// The pace of the page: in each frame some steps, as many as the speed asks for and the device does in time, so that input
// is always answered; and the measures that the status line tells. It knows neither the page nor what is drawn.

/**
 * A run gets longer while its steps take less than the one, and shorter when they take more than the other: ms on the
 * clock, beyond what a run takes in any case, which is a queue's latency and up to so much.
 */
const SHORT_TURN = 12;
const LONG_TURN = 28;
const MOST_LATENCY = 120;
/** What the page lets pass at most between two frames, ms: after a pause nothing has to be made up for. */
const MOST_ELAPSED = 100;

/** How many steps are due, and how many of them fit into a frame. */
export class Pace {
  /** Steps that a frame takes now. */
  most = 8;
  #owed = 0;
  #latency = MOST_LATENCY;

  /** Steps to make now, after so many ms on the clock, at so many ms of model time a second. */
  due(elapsed: number, speed: number, dt: number): number {
    this.#owed += (Math.min(elapsed, MOST_ELAPSED) * speed) / 1000 / dt;
    const steps = Math.min(Math.floor(this.#owed), Math.floor(this.most));
    // What does not fit is dropped: the page then says that it is slower than asked for.
    this.#owed = Math.min(this.#owed - steps, 1);
    return steps;
  }

  /** A run of so many steps took so many ms. */
  took(steps: number, ms: number): void {
    // The shortest run of late; it is forgotten slowly.
    this.#latency = Math.min(this.#latency * 1.003, ms, MOST_LATENCY);
    const own = ms - this.#latency;
    if (own > LONG_TURN) this.most = Math.max(1, Math.min(this.most, steps) * Math.max(0.5, LONG_TURN / own));
    else if (own < SHORT_TURN && steps >= Math.floor(this.most)) this.most = Math.min(this.most * 1.3 + 1, 1e6);
  }
}

/** What the status line tells, of about the last second. */
export interface Measures {
  /** Frames a second, and how many the display showed without a new one from the page. */
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
  #frames: number[] = [];
  #runs: { at: number; steps: number; took: number }[] = [];
  /** What the display needs for a frame, ms: the shortest of late. */
  #display = 1000 / 60;

  frame(now: number): void {
    const before = this.#frames.at(-1);
    const gap = before === undefined ? Number.NaN : now - before;
    // Displays have 60 to 240 Hz, some 30; shorter gaps come from clocks that are rounded.
    if (gap > 4 && gap < this.#display) this.#display += (gap - this.#display) / 8;
    else if (gap < 1.3 * this.#display) this.#display += (gap - this.#display) / 64;
    this.#frames.push(now);
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
    this.#frames = this.#frames.filter((at) => at > now - WINDOW);
    this.#runs = this.#runs.filter(({ at }) => at > now - WINDOW);
    const [first = now] = this.#frames;
    const last = this.#frames.at(-1) ?? now;
    const frames = Math.max(this.#frames.length - 1, 0);
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
