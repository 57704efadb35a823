// The page: one set-up that is wanted, one population that is alive, and the views that follow it. In each frame it takes
// over what is wanted, runs some steps and draws. It owns the order of these; how each is done is the other modules'.

import { DeviceLostError, InputError, OutOfMemoryError } from '../index.ts';
import { Desk } from './desk.ts';
import { niceAbove } from './elements.ts';
import { FEWEST, halved, NO_ROOM, openFitting } from './fitting.ts';
import type { Host, Wanted } from './host.ts';
import type { Live, Ran } from './live.ts';
import { Meter, Pace, Patience, Pictures } from './loop.ts';
import { Raster } from './raster.ts';
import { checked, type Edit, type Setup, STANDARD } from './setup.ts';
import { Sheet } from './sheet.ts';
import { statusOf } from './status.ts';
import type { TracePlot } from './trace.ts';
import { type Hand, press } from './transport.ts';

const find = <E extends HTMLElement>(id: string): E => document.getElementById(id) as E;

export class Page {
  #live: Live | undefined;
  #wanted: Setup;
  #playing = true;
  #busy = false;
  #restart = false;
  #stepOnce = false;
  /** Whether the views follow; off for measuring what that costs. */
  drawing = true;
  #lost = false;
  /** What is watched for being lost. */
  #watched: GPUDevice | undefined;
  readonly #patience: Patience;
  #asked = 0;
  #frame = 0;
  /** How far the first spike has come; told to whoever measures as the mark `first spike` once it is on the screen. */
  #first: 'made' | 'painted' | 'seen' | undefined;
  #note = '';
  /** What of it is a complaint, to be taken back. */
  #complaint = '';
  readonly #pace = new Pace();
  readonly #meter = new Meter();
  readonly #pictures = new Pictures();
  #drawn = true;
  /** Whether there is a new picture since the last frame, or nothing that it could show. */
  #fresh = true;
  readonly #desk: Desk;
  readonly #sheet: Sheet;
  readonly #raster: Raster;
  #trace: TracePlot | undefined;

  constructor(setup: Setup, free: boolean) {
    this.#wanted = setup;
    this.#patience = new Patience(free);
    const change = (edit: Edit) => this.change(edit);
    const hand: Hand = {
      change: (edit) => {
        const edited = edit(this.#wanted);
        if (edited.units !== undefined) this.#patience.free = false;
        change(() => edited);
      },
      toggle: () => this.play(!this.#playing),
      step: () => this.step(),
      reset: () => this.reset(),
    };
    this.#desk = new Desk(hand, change);
    this.#sheet = new Sheet(find('sheet'), find('ring'), {
      onView: (view) => change(() => ({ view })),
      onNeuron: (neuron) => change(({ view }) => ({ view: { ...view, neuron } })),
    });
    this.#raster = new Raster(find<HTMLCanvasElement>('raster'));
    for (const [id, act] of Object.entries({
      nearer: () => this.#sheet.zoomBy(1.6),
      farther: () => this.#sheet.zoomBy(1 / 1.6),
      whole: () => this.#sheet.home(),
    })) {
      find(id).addEventListener('click', act);
    }
    // It scrolls by itself on wide screens.
    find('plots').tabIndex = 0;
    this.#begin(setup);
    document.addEventListener('keydown', (event) => press(event, hand));
    document.addEventListener('visibilitychange', () => this.#visible());
  }

  /** Opens a device, builds the population and goes on for ever. Tells what it began with: a hand may have been quicker. */
  async start(wanted: Wanted, sized: (setup: Setup, host: Host) => Setup): Promise<Setup> {
    const setup = this.#wanted;
    const asked = (host: Host) => (this.#patience.free ? sized(setup, host) : setup);
    this.#live = await openFitting(asked, wanted, (text) => this.say(text));
    const opened = this.#live.setup;
    const { units } = this.#patience.free ? opened : this.#wanted;
    // What a hand did to a link that is not used goes with it.
    this.#wanted = this.#wanted === setup || opened === STANDARD ? opened : { ...this.#wanted, units };
    await this.#attach();
    if (this.#wanted === opened) this.#begin(opened);
    requestAnimationFrame(this.#onFrame);
    // The plots of a neuron come when all else is there.
    const { TracePlot } = await import('./trace.ts');
    this.#trace = new TracePlot([find('potential'), find('states')], find('traced'));
    this.#trace.begin(this.#live);
    this.#follow(this.#live);
    return opened;
  }

  /** The set-up that is in force, or about to be. */
  get setup(): Setup {
    return this.#wanted;
  }

  /** What runs; nothing before it was opened. */
  get live(): Live | undefined {
    return this.#live;
  }

  /** The GPU it runs on; none is the processor. */
  get device(): GPUDevice | undefined {
    return this.#live?.host.device;
  }

  /** How many pictures of running neurons there were. */
  get pictures(): number {
    return this.#pictures.made;
  }

  /** Whether nothing is on its way: what is wanted is in force, and no step is being made. */
  get idle(): boolean {
    return !this.#busy && !this.#restart && this.#wanted === this.#live?.setup;
  }

  get playing(): boolean {
    return this.#playing;
  }

  /** Spikes per neuron and second of late, Hz. */
  get rate(): number {
    return this.#raster.meanRate;
  }

  get note(): string {
    return this.#note;
  }

  /** Another set-up altogether, from its beginning: a preset, a link. */
  applySetup(setup: Setup): void {
    this.#patience.free = false;
    this.#restart = true;
    this.#wanted = setup;
    this.#begin(setup);
    this.play(true);
  }

  /** Changes some of the set-up, with the next frame. */
  change(edit: Edit): void {
    this.#wanted = { ...this.#wanted, ...edit(this.#wanted) };
  }

  play(playing: boolean): void {
    this.#playing = playing;
    this.#meter.clear();
    this.#desk.transport.showPlaying(playing);
  }

  /** One time step, and then a pause. */
  step(): void {
    this.play(false);
    this.#stepOnce = true;
  }

  /** Back to the beginning. */
  reset(): void {
    this.#restart = true;
  }

  /** The sheet as PNG. */
  picture(): Promise<Blob> {
    return this.#sheet.picture();
  }

  readonly #onFrame = (now: number): void => {
    requestAnimationFrame(this.#onFrame);
    // Most browsers give a hidden page no frames; what it simulated would be seen by nobody.
    if (document.hidden) return;
    this.#meter.frame(now, this.#fresh);
    this.#fresh = false;
    this.#frame++;
    if (this.#first === 'painted') {
      this.#first = 'seen';
      performance.mark('first spike');
    }
    if (!this.#busy) void this.#turn(now);
    if (!this.drawing) return;
    const live = this.#live as Live;
    this.#sheet.paint(now);
    if (!this.#scarce) this.#paintPlots(live, this.#frame % 2 === 0, this.#frame % 2 === 1);
    if (this.#frame % 15 === 0) this.#tell(now);
  };

  /** Whether the time for pictures is what the neurons lack. */
  get #scarce(): boolean {
    return this.#playing && this.#pace.behind;
  }

  #paintPlots({ time, setup }: Live, raster = true, trace = true): void {
    if (raster) this.#raster.paint();
    if (trace) this.#trace?.paint(time);
    this.#desk.transport.showTime(time, setup.dt);
  }

  // Everything that touches the simulation, one thing after the other.
  async #turn(now: number): Promise<void> {
    const live = this.#live as Live;
    this.#busy = true;
    try {
      if (this.#lost) await this.#recover(live);
      if (this.#restart || this.#wanted !== live.setup) await this.#apply(live);
      const { dt, speed } = live.setup;
      const due = this.#pace.due(now - this.#asked, speed, dt);
      this.#asked = now;
      const steps = this.#stepOnce ? 1 : this.#playing ? due : 0;
      this.#stepOnce = false;
      if (steps > 0) await this.#run(live, steps);
      // A pause shows what there is, also where there was no time for it.
      else if (!this.#drawn && this.drawing) await this.#draw(live, now);
      else this.#fresh = true;
    } catch (error) {
      await this.#fail(live, error);
    } finally {
      this.#busy = false;
    }
  }

  async #run(live: Live, steps: number): Promise<void> {
    const begin = performance.now();
    const ran: Ran = await live.run(steps);
    const end = performance.now();
    this.#pace.took(steps, end - begin);
    this.#meter.ran(end, steps, end - begin);
    this.#raster.append(ran);
    this.#trace?.append(ran);
    if (ran.rate.some(({ rates }) => rates.some((rate) => rate > 0))) this.#first ??= 'made';
    this.#drawn = false;
    if (this.drawing && this.#pictures.due(end, this.#scarce)) await this.#draw(live, end);
    this.#watch(live, end);
  }

  // Not with the frame, but when the device has nothing else to do, so that it is known what a picture takes.
  async #draw(live: Live, begin: number): Promise<void> {
    this.#drawn = true;
    this.#sheet.advance(await live.look());
    if (this.#sheet.paint(begin) && this.#first === 'made') this.#first = 'painted';
    if (this.#scarce) this.#paintPlots(live);
    await live.done();
    this.#pictures.took(begin, performance.now() - begin);
    this.#fresh = true;
  }

  async #apply(live: Live): Promise<void> {
    const wanted = this.#wanted;
    const { cells } = live;
    // Another may be asked for meanwhile.
    const restart = this.#restart;
    this.#restart = false;
    let refused: InputError | undefined;
    try {
      if (restart) await live.restart(checked(wanted));
      else await live.apply(checked(wanted));
    } catch (error) {
      if (!(error instanceof InputError)) {
        this.#restart ||= restart;
        throw error;
      }
      refused = error;
    }
    this.#complain(refused);
    // The last good values stay in force.
    if (refused && this.#wanted === wanted) this.#wanted = live.setup;
    if (live.cells !== cells) await this.#attach();
    // Where the hand has gone on, what it wants now comes with the next frame, and nothing older is put in its way.
    if (this.#wanted === live.setup) this.#desk.show(live.setup);
    this.#follow(live);
  }

  async #attach(): Promise<void> {
    const live = this.#live as Live;
    const { setup } = live;
    const { device } = live.host;
    // Once a device: it keeps whoever listens as long as it lives.
    if (device !== this.#watched) {
      this.#watched = device;
      device?.lost.then(() => {
        if (device === this.#watched) this.#lost = true;
      });
    }
    const look = await live.look();
    this.#sheet.attach(live, this.#seen(setup));
    this.#sheet.advance(look);
    this.#raster.begin(live.rows, setup.dt, live.time);
    this.#trace?.begin(live);
    this.#patience.begin();
    this.#meter.clear();
  }

  // The view is the hand's, also while an older one is applied.
  #seen = (setup: Setup): Setup => ({ ...setup, view: this.#wanted.view });

  #follow(live: Live): void {
    const { setup } = live;
    const window = Math.min(niceAbove(Math.max(setup.speed * 3, 20)), 1000);
    this.#sheet.show(this.#seen(setup));
    this.#raster.show(window);
    this.#trace?.show(window);
    this.#trace?.follow(live);
  }

  #begin(setup: Setup): void {
    this.#complain();
    this.#desk.begin(setup);
  }

  // In the line for it too, where it is not seen at its control.
  #complain(error?: InputError): void {
    const said = this.#desk.complain(error, this.#wanted, this.#live?.setup);
    if (said !== this.#complaint && (said || this.#note === this.#complaint)) this.say(said);
    this.#complaint = said;
  }

  async #recover(live: Live): Promise<void> {
    this.#lost = false;
    const what = live.host.device ? 'The GPU' : 'A thread of the processor';
    const at = live.time.toFixed(0);
    const goesOn = await live.recover();
    await this.#attach();
    const then = goesOn ? 'another one took its place, and nothing is different' : 'this begins anew';
    this.say(`${what} was lost at ${at} ms; ${then}, on ${live.simulation.adapter}.`);
  }

  async #fail(live: Live, error: unknown): Promise<void> {
    // What a loss makes fail may fail a moment before the loss is told.
    if (error instanceof DeviceLostError || (await isLost(live.host))) {
      this.#lost = true;
      return;
    }
    if (error instanceof OutOfMemoryError && this.#wanted.units > FEWEST) {
      this.#shrink(live, NO_ROOM);
      return;
    }
    this.play(false);
    this.#wanted = live.setup;
    this.#begin(live.setup);
    this.say(`Paused: ${error instanceof Error ? error.message : String(error)}`);
    console.warn(error);
  }

  #watch(live: Live, now: number): void {
    const { dt, speed, units } = live.setup;
    if (!this.#playing || units <= FEWEST) return;
    if (this.#patience.isOver(now, this.#meter.read(now, dt), speed))
      this.#shrink(live, 'This device is slow for so many neurons');
  }

  #shrink({ setup }: Live, why: string): void {
    this.change(halved);
    this.say(`${why}: ${this.#wanted.units.toLocaleString('en')} instead of ${setup.units.toLocaleString('en')}.`);
  }

  /** Tells what has happened, in the line for it. */
  say(text: string): void {
    this.#note = text;
    find('note').textContent = text;
  }

  #tell(now: number): void {
    const live = this.#live as Live;
    statusOf(find('status'), live, this.#meter.read(now, live.setup.dt), this.#playing);
  }

  #visible(): void {
    // While it is hidden nothing runs; what is left to do is not to count the gap.
    this.#meter.clear();
    this.#asked = performance.now();
    this.#patience.begin();
  }
}

/** Whether the device of a host is lost, or is about to be. */
const isLost = ({ device }: Host): Promise<boolean> => {
  const moment = new Promise<false>((resolve) => setTimeout(resolve, 500, false));
  return Promise.race([device?.lost.then(() => true) ?? false, moment]);
};
