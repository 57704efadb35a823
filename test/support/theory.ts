// How often an exponential integrate-and-fire neuron spikes under white noise, in float64: the stationary Fokker-Planck
// equation by threshold integration (Richardson 2007, Phys. Rev. E 76, 021919, doi.org/10.1103/PhysRevE.76.021919).
// Written from the equations alone: it shares nothing with the engine.

/**
 * A membrane under white noise: tau dV/dt = drift(V) + sigma sqrt(2 tau) xi(t), put back to `reset` when it passes
 * `threshold`. Under a leak alone, drift(V) = -V, sigma is the standard deviation of V.
 */
export interface NoisyMembrane {
  /** mV: leak, exponential and mean input. */
  drift(potential: number): number;
  /** ms */
  tau: number;
  /** mV */
  sigma: number;
  /** mV */
  reset: number;
  /** mV */
  threshold: number;
}

/** Cells between floor and reset, and as many up to the threshold: twice as many move the published rates by less than 1e-8. */
const CELLS = 20_000;

/** The density vanishes (e^-32) this many sigma below wherever leak and mean input can bring a potential. */
const FAR = 8;

/**
 * Mean time from a spike to the next, ms.
 *
 * Of the density P of potentials and its flux J, sigma^2 P' = drift P - tau J, where P(threshold) = 0, and J is the rate
 * above the reset and 0 below. It is integrated downwards for J = 1, over a cell exactly for the drift at its middle;
 * the integral of P then is the time a spike takes.
 *
 * @param floor - below which nothing is, mV
 */
export function meanInterval(membrane: NoisyMembrane, floor: number, cells = CELLS): number {
  const { drift, tau, sigma, reset, threshold } = membrane;
  let [density, time] = [0, 0];
  for (const [low, high, flux] of [
    [reset, threshold, tau / sigma ** 2],
    [floor, reset, 0],
  ] as const) {
    const h = (high - low) / cells;
    for (let cell = 0; cell < cells; cell++) {
      const exponent = (-h * drift(high - (cell + 0.5) * h)) / sigma ** 2;
      time += h * (density * growth(exponent) + flux * h * slowGrowth(exponent));
      density = density * Math.exp(exponent) + flux * h * growth(exponent);
    }
  }
  return time;
}

/** The integral of e^(x s) over s from 0 to 1: (e^x - 1) / x. */
const growth = (x: number): number => (Math.abs(x) < 1e-8 ? 1 + x / 2 : Math.expm1(x) / x);

/** The integral of s growth(x s) over s from 0 to 1: (e^x - 1 - x) / x^2, by its series where digits would be lost. */
const slowGrowth = (x: number): number =>
  Math.abs(x) < 1e-2 ? 1 / 2 + x / 6 + x ** 2 / 24 + x ** 3 / 120 + x ** 4 / 720 : (Math.expm1(x) - x) / x ** 2;

/** Parameters of an exponential soma by name, user units. */
export interface Exponential {
  potential_rest: number;
  potential_reset: number;
  potential_tau: number;
  resistance: number;
  threshold: number;
  rheobase_threshold: number;
  spike_slope: number;
}

/** The density of the white noise that moves a membrane by sigma (mV), were there its leak alone: pA*sqrt(ms). */
export const intensityOf = ({ potential_tau, resistance }: Exponential, sigma: number): number =>
  (sigma * Math.sqrt(2 * potential_tau)) / resistance;

/**
 * The rate of an exponential integrate-and-fire neuron, Hz.
 *
 * @param current - mean, pA
 * @param sigma - of the noise, mV, see {@link intensityOf}
 * @param blocked - ms after a spike in which it takes no input and cannot spike, while leak and exponential go on
 */
export function noisyRate(p: Exponential, current: number, sigma: number, blocked = 0): number {
  const { potential_rest: rest, potential_tau: tau, threshold } = p;
  const drive = p.resistance * current;
  const intrinsic = (v: number) => rest - v + p.spike_slope * Math.exp((v - p.rheobase_threshold) / p.spike_slope);
  const reset = flow(intrinsic, p.potential_reset, blocked / tau);
  const floor = Math.min(rest, rest + drive, reset) - FAR * sigma;
  return 1000 / (blocked + meanInterval({ drift: (v) => intrinsic(v) + drive, tau, sigma, reset, threshold }, floor));
}

/** Where a potential is after `time` time constants without input (Runge and Kutta, order 4). */
function flow(drift: (v: number) => number, from: number, time: number): number {
  const steps = 1000;
  const h = time / steps;
  let v = from;
  for (let n = 0; n < steps; n++) {
    const k1 = drift(v);
    const k2 = drift(v + (h / 2) * k1);
    const k3 = drift(v + (h / 2) * k2);
    v += (h / 6) * (k1 + 2 * k2 + 2 * k3 + drift(v + h * k3));
  }
  return v;
}

/** An exponential neuron whose rates under noise are known to four digits, with these: mean current (pA), sigma (mV), Hz. */
export const published: { neuron: Exponential; rates: readonly (readonly [number, number, number])[] } = {
  neuron: {
    potential_rest: -65,
    potential_reset: -68,
    potential_tau: 10,
    resistance: 0.04,
    threshold: -30,
    rheobase_threshold: -59.9,
    spike_slope: 3.48,
  },
  rates: [
    [40.5, 6, 23.68],
    [100.5, 3, 27.75],
    [190.5, 5, 50.89],
  ],
};
