// The work of the browser's benchmark: AdEx neurons at rest with their defaults, each with its own constant current, dt
// 0.1 ms; what a contender is; and what must come out, from a float64 computation. It refuses to know who does the work.

export interface Work {
  neurons: number;
  /** All spikes as pairs (step, neuron) on the host, or just how often each neuron has fired. */
  recording: boolean;
}

export interface Made {
  /** From the first step to the results on the host. */
  seconds: number;
  /** How often each neuron has fired. */
  counts: ArrayLike<number>;
  /** How many pairs are on the host, where spikes are recorded. */
  recorded?: number;
}

/** A population in the hands of one library. */
export interface Contender {
  /** Makes so many steps from rest: a multiple of 20, as many as a peer fuses. */
  run(steps: number): Promise<Made>;
  close(): void;
}

/** What a run came to, small enough to leave the page. */
export interface Tally {
  seconds: number;
  /** Hz, mean of all neurons. */
  rate: number;
  /** Share of the neurons that fired at all. */
  fired: number;
  /** Hz, from the recorded pairs. */
  recordedRate?: number;
}

export const DT = 0.1;
/** 100 ms, for which the rate is known: 34.5 Hz, and 68.8 % of the neurons fire. */
export const CHECKED = 1000;

/** How many steps are timed: enough for the fastest to be long beside what a run costs, and not for ever for the slowest. */
export const stepsOf = (neurons: number): number => (neurons > 100_000 ? 200 : CHECKED);

/** pA, from 20 to 80: any range of neurons has the same mixture, and neighbours differ. */
export function currents(neurons: number): Float32Array {
  return Float32Array.from({ length: neurons }, (_, j) => 20 + 60 * ((j * 0.6180339887498949) % 1));
}

export function tally({ seconds, counts, recorded }: Made, steps: number): Tally {
  let [spikes, active] = [0, 0];
  for (let j = 0; j < counts.length; j++) {
    const count = counts[j] as number;
    spikes += count;
    if (count > 0) active++;
  }
  const rate = (total: number) => total / counts.length / (steps * DT * 1e-3);
  return {
    seconds,
    rate: rate(spikes),
    fired: active / counts.length,
    ...(recorded === undefined ? {} : { recordedRate: rate(recorded) }),
  };
}

/** The same in float64, for a sample of neurons that stands for any number of them. */
export function expected(steps: number, sample = 10_000): Tally {
  const counts = new Uint32Array(sample);
  for (const [j, current] of currents(sample).entries()) {
    let [v, w] = [0, 0];
    for (let step = 0; step < steps; step++) {
      v += (DT / 5) * (-v + 2 * Math.exp((v - 20) / 2) - 0.5 * w + 0.5 * current);
      const spike = v > 40;
      if (spike) {
        v = 19;
        counts[j] = (counts[j] as number) + 1;
      }
      w += (DT / 100) * (-w + 0.5 * v) + (spike ? 7 : 0);
    }
  }
  return tally({ seconds: 0, counts }, steps);
}

/** Why a run is not what it must be; nothing if it is. Rounding moves single spikes. */
export function complaint(made: Tally, wanted: Tally): string | undefined {
  const { rate, fired, recordedRate } = made;
  const right = Math.abs(rate / wanted.rate - 1) < 0.01 && Math.abs(fired - wanted.fired) < 0.003;
  if (right && (recordedRate === undefined || recordedRate === rate)) return undefined;
  const text = (hz: number, share: number) => `${hz.toFixed(2)} Hz and ${(100 * share).toFixed(1)} % fired`;
  const pairs = recordedRate === undefined ? '' : `, ${recordedRate.toFixed(2)} Hz recorded`;
  return `${text(rate, fired)}${pairs}, not ${text(wanted.rate, wanted.fired)}`;
}

/** Tells which adapter the page last asked for a device, so that all are known to run on the same one. */
export function watchAdapter(): () => string {
  let seen = 'the processor';
  if (typeof GPUAdapter === 'undefined') return () => seen;
  const { requestDevice } = GPUAdapter.prototype;
  GPUAdapter.prototype.requestDevice = function (this: GPUAdapter, descriptor) {
    const { vendor, architecture, description, device } = this.info;
    seen = [vendor, architecture, device, description].filter(Boolean).join(' ');
    return requestDevice.call(this, descriptor);
  };
  return () => seen;
}
