// Share and keep: the address that follows the set-up, and buttons for the link, the experiment, recordings and the picture.
// It asks the page for little; what files hold is downloads.ts's affair, which is loaded when the first is wanted.

import type { Recorded } from './downloads.ts';
import { element, NumberField } from './elements.ts';
import { type Setup, somaOf } from './setup.ts';
import { writeLink } from './share.ts';

/** What is needed of the page. */
interface Page {
  readonly setup: Setup;
  /** The device it runs on; none is the processor. */
  readonly device: GPUDevice | undefined;
  picture(): Promise<Blob>;
}

/** Neurons times ms that are recorded at most: at 100 Hz these are 50 million spikes, 800 MB in a page. */
const MOST_RECORDED = 5e8;
/** Samples of each state of the neuron that is traced. */
const MOST_SAMPLES = 2e7;

/** Where the set-up is found again. */
function addressOf(setup: Setup): string {
  const address = new URL(location.href);
  // The link has its own.
  address.searchParams.delete('units');
  address.hash = writeLink(setup);
  return address.href;
}

/** Keeps the address that of the set-up, so that reloading, bookmarks and copying from the address bar work. */
export function followAddress(setup: Setup): void {
  history.replaceState(null, '', addressOf(setup));
}

/** Fills its place on the page. */
export function openKeep(box: HTMLElement, page: Page): void {
  let duration = 1000;
  const said = element('p', { className: 'quiet', role: 'status' });
  const say = (text: string) => {
    said.textContent = text;
  };
  const buttons: HTMLButtonElement[] = [];
  // One thing at a time: a run for a file takes the device.
  const button = (text: string, title: string, act: () => Promise<string>) => {
    const onclick = async () => {
      for (const each of buttons) each.disabled = true;
      say(await act().catch((error: unknown) => (error instanceof Error ? error.message : String(error))));
      for (const each of buttons) each.disabled = timed.includes(each) && !(duration > 0);
    };
    const made = element('button', { type: 'button', title, onclick }, text);
    buttons.push(made);
    return made;
  };
  const record = (how: 'npz' | 'csv') => async () => {
    const progress = (share: number) => say(`Recording ${duration} ms … ${Math.round(100 * share)} %`);
    return saveRecordings(page, duration, how, progress);
  };
  const field = new NumberField({
    name: 'time to record, ms',
    meaning: 'how much model time, from the beginning, the experiment and the recordings have',
    onInput: (value = 0) => {
      duration = value;
      for (const each of timed) each.disabled = !(duration > 0);
    },
  });
  field.show(duration);
  const npz = button(
    'Spikes and traces, npz',
    'for NumPy: spikes of all neurons, states of the traced one',
    record('npz'),
  );
  const csv = button(
    'Spikes and traces, CSV',
    'as text: spikes of all neurons, states of the traced one',
    record('csv'),
  );
  const kept = [
    button('Copy link', 'the whole set-up as an address', () => copyLink(page.setup)),
    button('Picture', 'the sheet as PNG', () => savePicture(page)),
    button('Experiment', 'a file for: npx somagpu run', () => saveExperiment(page.setup, duration)),
    npz,
    csv,
  ];
  const time = element('label', {}, 'from the beginning to', field.field, element('span', { className: 'unit' }, 'ms'));
  const timed = kept.slice(2);
  box.replaceChildren(
    element(
      'div',
      { className: 'keep' },
      element('div', { className: 'buttons' }, ...kept.slice(0, 2)),
      time,
      element('div', { className: 'buttons' }, ...timed),
      said,
    ),
  );
}

async function copyLink(setup: Setup): Promise<string> {
  const link = addressOf(setup);
  try {
    await navigator.clipboard.writeText(link);
    return 'The link is copied.';
  } catch {
    // Not allowed everywhere; the address bar has it all the same.
    history.replaceState(null, '', link);
    return 'The address of this page is the link now: copy it from there.';
  }
}

async function saveExperiment(setup: Setup, duration: number): Promise<string> {
  const { experimentFiles, save } = await import('./downloads.ts');
  const files = await experimentFiles(setup, duration, recordOf(setup));
  save(files);
  const [name = '', beside] = files.map((file) => file.name);
  const put = beside ? `, with ${beside} beside it` : '';
  return `Saved. Run it${put}: npx somagpu run ${name} --out out`;
}

async function saveRecordings(
  { setup, device }: Page,
  duration: number,
  how: 'npz' | 'csv',
  progress: (share: number) => void,
): Promise<string> {
  const most = Math.floor(Math.min(MOST_RECORDED / setup.units, MOST_SAMPLES * setup.dt));
  if (duration > most) {
    return `That is too much for a page: record up to ${most.toLocaleString('en')} ms, or fewer neurons, or save the experiment and run it.`;
  }
  const { csvOf, npzOf, recordedOf, save } = await import('./downloads.ts');
  const path = device ? ({ backend: 'webgpu', device } as const) : ({ backend: 'cpu' } as const);
  const onProgress = ({ steps, of }: { steps: number; of: number }) => progress(steps / of);
  const recorded: Recorded = await recordedOf(setup, duration, { record: recordOf(setup), onProgress, ...path });
  const files = how === 'npz' ? [await npzOf(recorded)] : csvOf(recorded);
  save(files);
  return `Saved ${files.map(({ name }) => name).join(' and ')}: ${recorded.spikes?.steps.length.toLocaleString('en')} spikes.`;
}

async function savePicture(page: Page): Promise<string> {
  const content = await page.picture();
  const { save } = await import('./downloads.ts');
  save([{ name: 'somagpu.png', content }]);
  return 'Saved somagpu.png.';
}

/** All spikes, and all states of the neuron that is traced. */
function recordOf(setup: Setup) {
  const { view, units } = setup;
  const { neuron } = view;
  if (neuron === null || neuron >= units) return { spikes: true };
  const states = Object.keys(somaOf(setup).states).map((state) => [state, { neurons: [neuron] }]);
  return { spikes: true, states: Object.fromEntries(states) };
}
