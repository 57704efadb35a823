// The demo page's gallery: which of the published experiments under test/data/protocols/ it shows, under which name, and
// the text of src/generated/gallery.ts, made of their files. Every number comes from a file; only the words are ours.

import { readFileSync } from 'node:fs';
import type { Preset } from '../src/demo/gallery.ts';

/** The words of a preset, and the file its numbers are from. */
interface Shown extends Pick<Preset, 'name' | 'source' | 'note'> {
  protocol: string;
}

/** What is used of a protocol's file. */
interface Protocol {
  soma: Preset['soma'];
  params: Record<string, number>;
  current_protocol: { t_on_ms: number; t_off_ms: number; I_pA: number }[];
  t_end_ms: number;
  spike_times_ms: number[];
  chaotic: boolean;
  euler_check: Record<string, { n: number; first_err: number; max_abs_err: number }>;
}

const BOOK = { text: 'Gerstner et al. 2014, Neuronal Dynamics, Table 6.1', url: 'https://neuronaldynamics.epfl.ch' };
const NAUD = { text: 'Naud et al. 2008, Table 1', url: 'https://doi.org/10.1007/s00422-008-0264-7' };
const BRETTE = { text: 'Brette & Gerstner 2005', url: 'https://doi.org/10.1152/jn.00686.2005' };
const FOURCAUD = { text: 'Fourcaud-Trocmé et al. 2003', url: 'https://doi.org/10.1523/JNEUROSCI.23-37-11628.2003' };
const SPARK = { text: 'the defaults of Spark 1.0.0' };

/** In the order of the page. */
const SHOWN: readonly Shown[] = [
  { name: 'Tonic', protocol: 'nd_table61_tonic', source: BOOK, note: 'Even intervals from the second spike on.' },
  { name: 'Adapting', protocol: 'naud2008_adaptation', source: NAUD, note: 'Intervals grow sevenfold, to a plateau.' },
  {
    name: 'Initial burst',
    protocol: 'nd_table61_initial_burst',
    source: BOOK,
    note: 'A few quick spikes, then slower and regular ones.',
  },
  {
    name: 'Bursting',
    protocol: 'nd_table61_irregular',
    source: BOOK,
    note: 'The book calls these numbers irregular; solved exactly, they burst: 8 spikes, then 5 again and again.',
  },
  {
    name: 'Irregular',
    protocol: 'naud2008_irregular',
    source: NAUD,
    note: 'Chaotic: the least rounding moves the later spikes, so that only the first can agree.',
  },
  { name: 'Transient', protocol: 'nd_table61_transient_55pA', source: BOOK, note: 'Two spikes, then rest.' },
  { name: 'Delayed', protocol: 'nd_table61_delayed_25pA', source: BOOK, note: 'A long ramp to the first spike.' },
  {
    name: 'Delayed bursts',
    protocol: 'naud2008_delayed_regular_bursting',
    source: NAUD,
    note: 'A late start, then bursts of four. Rounding moves the later spikes.',
  },
  {
    name: 'Regular spiking',
    protocol: 'bg2005_regular_spiking_1nA',
    source: BRETTE,
    note: 'The neuron that AdEx was first fitted to, at 1 nA.',
  },
  { name: 'Fast spiking', protocol: 'bg2005_fast_spiking_1nA', source: BRETTE, note: 'The same without jumps of w.' },
  {
    name: 'Rebound',
    protocol: 'bg2005_fig3d_rebound',
    source: { ...BRETTE, text: `${BRETTE.text}, Figure 3D` },
    note: 'Spikes only after a current that held it down.',
  },
  {
    name: 'Exponential',
    protocol: 'ft2003_eif_100pA',
    source: FOURCAUD,
    note: 'No adaptation: leak and spike onset alone.',
  },
  {
    name: 'Refractory',
    protocol: 'spark_default_refrac_65pA',
    source: SPARK,
    note: 'Blocked for 2 ms after each spike.',
  },
  {
    name: 'Moving threshold',
    protocol: 'simple_mild_threshold_65pA',
    source: { text: 'constructed: Spark 1.0.0, threshold_delta 10, threshold_tau 50' },
    note: 'Each spike lifts the threshold, which hardly delays the next: the upstroke passes it in no time.',
  },
];

const PROTOCOLS = new URL('../test/data/protocols/', import.meta.url);

/** The text of src/generated/gallery.ts. */
export function generateGallery(): string {
  const presets = SHOWN.map((shown) => presetOf(shown));
  return [
    '// Generated from test/data/protocols/ by build/gallery.ts; not to be edited.',
    "import type { Preset } from '../demo/gallery.ts';",
    `export const presets: readonly Preset[] = ${JSON.stringify(presets)};`,
    '',
  ].join('\n\n');
}

function presetOf({ protocol, ...words }: Shown): Preset {
  const file = JSON.parse(readFileSync(new URL(`${protocol}.json`, PROTOCOLS), 'utf8')) as Protocol;
  return {
    id: protocol,
    ...words,
    soma: file.soma,
    parameters: file.params,
    currents: file.current_protocol.map(({ t_on_ms: start, t_off_ms: stop, I_pA: amplitude }) => {
      return { amplitude, start, stop };
    }),
    duration: file.t_end_ms,
    spikes: file.spike_times_ms.map(rounded),
    chaotic: file.chaotic,
    euler: Object.entries(file.euler_check).map(([dt, { n, first_err, max_abs_err }]) => {
      return { dt: Number(dt), spikes: n, first: rounded(first_err), largest: rounded(max_abs_err) };
    }),
  };
}

// A hundredth of what the shortest step moves; more digits are bytes that nobody sees.
const rounded = (time: number): number => Number(time.toFixed(4));
