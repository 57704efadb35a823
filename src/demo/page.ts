// The page: one set-up that is wanted, one population that is alive, and the views that follow it. In each frame it takes
// over what is wanted, runs some steps and draws. It owns the order of these; how each is done is the other modules'.

import { DeviceLostError, InputError, OutOfMemoryError } from '../index.ts';
import { Controls } from './controls.ts';
import { niceAbove } from './elements.ts';
import { equationsOf } from './equations.ts';
import type { Host, Wanted } from './host.ts';
import { InputEditor } from './inputs.ts';
import { Live, type Ran, tracedIn } from './live.ts';
import { Meter, Pace, Pictures } from './loop.ts';
import { Raster } from './raster.ts';
import { checked, type Edit, inputAt, type Setup } from './setup.ts';
import { Sheet } from './sheet.ts';
import { statusOf } from './status.ts';
import type { TracePlot } from './trace.ts';
import { Transport } from './transport.ts';

/** Steps that take longer than this, ms, make the page take fewer neurons; so does a speed far below what was asked. */
const LONGEST_STEP = 200;
/** How many runs have to be of such steps, one after the other: a single one may have waited for something else. */
const SLOW_RUNS = 4;
const LOWEST_SHARE = 0.2;
/** How long a population is watched before that, ms. */
const WATCHED = 2500;
const FEWEST = 4096;

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
  /** Whether the number of neurons was nobody's wish, so that the page may choose it. */
  #free: boolean;
  #since = 0;
  #slowRuns = 0;
  /** The speed before the last time that the page took fewer neurons. */
  #slow = 0;
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
  readonly #transport: Transport;
  readonly #controls: Controls;
  readonly #inputs: InputEditor;
  readonly #sheet: Sheet;
  readonly #raster: Raster;
  #trace: TracePlot | undefined;

  constructor(setup: Setup, free: boolean) {
    this.#wanted = setup;
    this.#free = free;
    const change = (edit: Edit) => this.change(edit);
    this.#transport = new Transport(find('transport'), find('basics'), {
      change: (edit) => {
        const edited = edit(this.#wanted);
        if (edited.units !== undefined) this.#free = false;
        change(() => edited);
      },
      toggle: () => this.play(!this.#playing),
      step: () => this.step(),
      reset: () => this.reset(),
    });
    this.#controls = new Controls(find('parameters'), find('printed'), change);
    this.#inputs = new InputEditor(find('inputs'), change);
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
    this.#showControls(setup);
    document.addEventListener('keydown', (event) => this.#key(event));
    document.addEventListener('visibilitychange', () => this.#visible());
  }

  /** Opens a device, builds the population and goes on for ever. Tells what it began with: a hand may have been quicker. */
  async start(wanted: Wanted, sized: (setup: Setup, host: Host) => Setup): Promise<Setup> {
    const setup = this.#wanted;
    this.#live = await Live.open((host) => (this.#free ? sized(setup, host) : setup), wanted);
    const opened = this.#live.setup;
    this.#wanted = this.#wanted === setup ? opened : { ...this.#wanted, units: opened.units };
    await this.#attach();
    this.#showControls(this.#live.setup);
    requestAnimationFrame(this.#onFrame);
    // The plots of a neuron come when all else is there.
    const { TracePlot } = await import('./trace.ts');
    this.#trace = new TracePlot([find('potential'), find('states')], find('traced'));
    this.#trace.begin(this.#live.setup, tracedIn(this.#live.setup));
    this.#follow(this.#live.setup);
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
    this.#free = false;
    this.#restart = true;
    this.#wanted = setup;
    this.#showControls(setup);
    this.play(true);
  }

  /** Changes some of the set-up, with the next frame. */
  change(edit: Edit): void {
    this.#wanted = { ...this.#wanted, ...edit(this.#wanted) };
  }

  play(playing: boolean): void {
    this.#playing = playing;
    this.#meter.clear();
    this.#transport.showPlaying(playing);
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
    this.#transport.showTime(time, setup.dt);
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
    const { cells, setup: before } = live;
    try {
      if (this.#restart) await live.restart(checked(wanted));
      else await live.apply(checked(wanted));
      this.#complain();
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      this.#complain(error);
      // The last good values stay in force.
      if (this.#wanted === wanted) this.#wanted = live.setup;
    } finally {
      this.#restart = false;
    }
    if (live.cells !== cells) await this.#attach();
    if (live.setup !== before) this.#showChanged(live.setup, before);
    this.#follow(live.setup);
  }

  async #attach(): Promise<void> {
    const live = this.#live as Live;
    const { setup, cells } = live;
    live.host.device?.lost.then(() => {
      if (live.cells === cells) this.#lost = true;
    });
    this.#sheet.attach(live);
    this.#sheet.advance(await live.look());
    this.#raster.begin(live.rows, setup.dt, live.time);
    this.#trace?.begin(setup, tracedIn(setup));
    this.#since = performance.now();
    this.#meter.clear();
  }

  // Only what has changed: fields that the hand is in stay as they are.
  #showChanged(setup: Setup, before: Setup): void {
    const { soma, parameters, spread, inputs } = setup;
    if (soma !== before.soma || parameters !== before.parameters || spread !== before.spread)
      this.#controls.show(setup);
    if (inputs !== before.inputs) this.#inputs.show(setup);
    if (soma !== before.soma) find('equations').replaceChildren(...equationsOf(soma));
    this.#transport.show(setup);
  }

  #showControls(setup: Setup): void {
    this.#controls.show(setup);
    this.#inputs.show(setup);
    this.#transport.show(setup);
    find('equations').replaceChildren(...equationsOf(setup.soma));
    this.#complain();
  }

  #follow(setup: Setup): void {
    const window = Math.min(niceAbove(Math.max(setup.speed * 3, 20)), 1000);
    this.#sheet.show(setup);
    this.#raster.show(window);
    this.#trace?.show(window);
    this.#trace?.follow(setup);
  }

  // At the control that it is about, where there is one; in the line for it too where that was not the one that was changed.
  #complain(error?: InputError): void {
    const [, table, name = ''] = /^(?:cells\.)?(parameters|input)?[.[]?(\w+)/.exec(error?.path ?? '') ?? [];
    const text = error && `${error.reason}; ${error.remedy}`;
    this.#controls.complain(table === 'parameters' ? name : undefined, text);
    this.#inputs.complain(table === 'input' ? inputAt(this.#wanted, Number(name)) : undefined, text);
    this.#transport.complain(table ? undefined : name, text);
    const [before, wanted] = [this.#live?.setup, this.#wanted];
    const seen =
      table === 'input'
        ? wanted.inputs !== before?.inputs
        : table
          ? this.#controls.has(name) && (wanted.parameters !== before?.parameters || wanted.spread !== before.spread)
          : this.#transport.has(name);
    const said = error && !seen ? error.message : '';
    if (said !== this.#complaint && (said || this.#note === this.#complaint)) this.say(said);
    this.#complaint = said;
  }

  async #recover(live: Live): Promise<void> {
    this.#lost = false;
    const at = live.time.toFixed(0);
    const goesOn = await live.recover();
    await this.#attach();
    const then = goesOn ? 'another one took its place, and nothing is different' : 'this begins anew';
    this.say(`The GPU was lost at ${at} ms; ${then}, on ${live.simulation.adapter}.`);
  }

  async #fail(live: Live, error: unknown): Promise<void> {
    // What a loss makes fail may fail a moment before the loss is told.
    if (error instanceof DeviceLostError || (await isLost(live.host))) {
      this.#lost = true;
      return;
    }
    if (error instanceof OutOfMemoryError && this.#wanted.units > FEWEST) {
      this.#shrink(live, 'The device has no room for so many neurons');
      return;
    }
    this.play(false);
    this.#wanted = live.setup;
    this.say(`Paused: ${error instanceof Error ? error.message : String(error)}`);
    console.warn(error);
  }

  // A slow device gets fewer neurons: at once where single steps would hold the page up, else only if nobody chose them.
  #watch(live: Live, now: number): void {
    if (!this.#playing || now - this.#since < WATCHED || live.setup.units <= FEWEST) return;
    const { stepTook, speed } = this.#meter.read(now, live.setup.dt);
    this.#slowRuns = stepTook > LONGEST_STEP ? this.#slowRuns + 1 : 0;
    const slow = this.#free && speed < LOWEST_SHARE * live.setup.speed;
    // Where fewer did not help, still fewer would not either.
    if (slow && speed < 1.2 * this.#slow) this.#free = false;
    else if (this.#slowRuns >= SLOW_RUNS || slow) {
      this.#slow = speed;
      this.#shrink(live, 'This device is slow for so many neurons');
    } else if (now - this.#since > 4 * WATCHED) this.#since = now;
  }

  #shrink({ setup }: Live, why: string): void {
    const units = Math.max(Math.floor(this.#wanted.units / 2), FEWEST);
    this.change(() => ({ units }));
    this.#since = performance.now();
    this.say(`${why}: ${units.toLocaleString('en')} instead of ${setup.units.toLocaleString('en')}.`);
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
    this.#since = performance.now();
  }

  #key(event: KeyboardEvent): void {
    const { target, key } = event;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (target instanceof HTMLElement && target.matches('input, select, textarea, button, summary, a')) return;
    const acts: Record<string, () => void> = {
      ' ': () => this.play(!this.#playing),
      '.': () => this.step(),
      '0': () => this.reset(),
    };
    const act = acts[key];
    if (!act) return;
    event.preventDefault();
    act();
  }
}

/** Whether the device of a host is lost, or is about to be. */
const isLost = ({ device }: Host): Promise<boolean> => {
  const moment = new Promise<false>((resolve) => setTimeout(resolve, 500, false));
  return Promise.race([device?.lost.then(() => true) ?? false, moment]);
};
