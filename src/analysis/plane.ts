// The phase plane of potential and adaptation under a constant current: nullclines, where they cross, and what becomes of a
// neuron near there. Of the equations in continuous time; the resets, which jump, are not in it.

import { InputError, type Soma } from '../index.ts';
import { checkKnown, checkNumber } from './check.ts';
import { type Neuron, neuronOf, onsetAt } from './neuron.ts';

/**
 * What becomes of a neuron that is near a fixed point: it goes there (stable) or away (unstable), straight (node) or round
 * it (focus); at a saddle it may come near and leaves on one of two sides. `marginal`: neither, exactly at a bifurcation.
 */
export type Stability = 'stable node' | 'stable focus' | 'unstable node' | 'unstable focus' | 'saddle' | 'marginal';

/** Of the Jacobian, 1/ms. */
export interface Eigenvalue {
  real: number;
  imaginary: number;
}

/** A state in which nothing changes. */
export interface FixedPoint {
  /** mV */
  potential: number;
  /** pA; 0 for a soma without adaptation. */
  adaptation: number;
  stability: Stability;
  /** Two, the larger real part first; one for a soma without adaptation. */
  eigenvalues: readonly Eigenvalue[];
  /** False where the neuron would have spiked before it came there. */
  belowThreshold: boolean;
}

export interface PhasePlane {
  /** `[points]`, mV: evenly from `from` to `to`. */
  potentials: Float64Array;
  /**
   * `[points]`, pA: the adaptation under which the potential stands still; below it the potential rises. Of a soma without
   * adaptation: the current that is left over at a potential, whose sign is that of dV/dt.
   */
  potentialNullcline: Float64Array;
  /** `[points]`, pA: the adaptation that stands still at a potential; 0 for a soma without adaptation. */
  adaptationNullcline: Float64Array;
  /** By potential: none, one or two, also outside of the range. */
  fixedPoints: readonly FixedPoint[];
}

export interface FixedPointOptions<Config extends object = object> {
  /** One neuron's: numbers; those not given are the soma's defaults. */
  parameters?: Config;
  /** pA, constant; 0 by default. */
  current?: number;
}

export interface PhasePlaneOptions<Config extends object = object> extends FixedPointOptions<Config> {
  /** mV; by default from 10 mV below the lower of rest and reset. */
  from?: number;
  /** mV; by default to 10 mV above the higher of rheobase threshold and reset. */
  to?: number;
  /** How many potentials; 201 by default. */
  points?: number;
}

/** How far beyond what is of interest a plane reaches by default, mV. */
const MARGIN = 10;

/**
 * The phase plane of a neuron under a constant current.
 *
 * @throws InputError naming what is unknown or wrong
 * @example
 * ```ts
 * import { AdaptiveExponentialSoma } from 'somagpu';
 * import { phasePlane } from 'somagpu/analysis';
 * const { potentials, potentialNullcline, fixedPoints } = phasePlane(AdaptiveExponentialSoma, { current: 30 });
 * fixedPoints.map(({ stability }) => stability); // ['stable node', 'saddle']
 * ```
 */
export function phasePlane<Config extends object, State extends string>(
  soma: Soma<Config, State>,
  options: PhasePlaneOptions<Config> = {},
): PhasePlane {
  checkKnown('', options, ['parameters', 'current', 'from', 'to', 'points'], 'option of phasePlane:');
  const { parameters, current = 0, points = 201 } = options;
  const neuron = neuronOf(soma, parameters);
  const { rest, reset, resistance, slope, onset } = neuron;
  const { from = rest + Math.min(0, reset) - MARGIN, to = rest + Math.max(onset, reset) + MARGIN } = options;
  checkNumber(current, 'current', { unit: 'pA' });
  checkNumber(from, 'from', { unit: 'mV' });
  checkNumber(to, 'to', { unit: 'mV' });
  checkNumber(points, 'points', { unit: 'potentials', whole: true, least: 2, most: 1e6 });
  if (from >= to) throw new InputError('to', to, `is not above from, ${from}`, 'give a higher potential');
  const potentials = Float64Array.from({ length: points }, (_, i) => from + ((to - from) * i) / (points - 1));
  const adaptationAt = restingAdaptation(neuron);
  const left = (v: number) => current + (slope * onsetAt(neuron, v) - v) / resistance;
  return {
    potentials,
    potentialNullcline: potentials.map((potential) => left(potential - rest)),
    adaptationNullcline: potentials.map((potential) => adaptationAt(potential - rest)),
    fixedPoints: pointsOf(neuron, current),
  };
}

/**
 * The fixed points of a neuron under a constant current, by potential: two, the lower of which is where it rests, or one,
 * or none, where it has to fire. Found by Newton's method in float64, to the last digits of a potential (half of them
 * within a hair of the saddle-node, where the two become one).
 *
 * @throws InputError naming what is unknown or wrong
 * @example
 * ```ts
 * fixedPoints(ExponentialSoma)[0]; // potential -69.99990919601788, 'stable node'
 * fixedPoints(ExponentialSoma, { current: 40 }); // []
 * ```
 */
export function fixedPoints<Config extends object, State extends string>(
  soma: Soma<Config, State>,
  options: FixedPointOptions<Config> = {},
): FixedPoint[] {
  checkKnown('', options, ['parameters', 'current'], 'option of fixedPoints:');
  const { parameters, current = 0 } = options;
  const neuron = neuronOf(soma, parameters);
  checkNumber(current, 'current', { unit: 'pA' });
  return pointsOf(neuron, current);
}

// The sum makes of -0, which 0 nS gives below rest, a 0.
const restingAdaptation =
  ({ subthreshold }: Neuron) =>
  (v: number): number =>
    subthreshold * v + 0;

function pointsOf(neuron: Neuron, current: number): FixedPoint[] {
  const { rest, threshold } = neuron;
  const adaptationAt = restingAdaptation(neuron);
  return rootsOf(neuron, current).map((v) => ({
    potential: rest + v,
    adaptation: adaptationAt(v),
    ...stabilityAt(neuron, v),
    belowThreshold: v <= threshold,
  }));
}

/**
 * Where slope * exp((v - onset) / slope) - gain * v + resistance * current, the rise of the potential once adaptation has
 * followed, is 0. It is convex, so Newton's method goes straight to a root from the side where it is positive.
 */
function rootsOf({ slope, onset, gain, resistance }: Neuron, current: number): number[] {
  const drive = resistance * current;
  const rise = (v: number) => slope * Math.exp((v - onset) / slope) - gain * v + drive;
  const steepness = (v: number) => Math.exp((v - onset) / slope) - gain;
  const descend = (from: number) => {
    let v = from;
    for (let i = 0; i < 500; i++) {
      const next = v - rise(v) / steepness(v);
      // At a double root the last steps divide one rounding by another.
      if (!Number.isFinite(next) || Math.abs(next - v) <= Number.EPSILON * Math.abs(v)) break;
      v = next;
    }
    return v;
  };
  const above = (bottom: number) => {
    let step = slope;
    while (rise(bottom + step) <= 0) step *= 2;
    return bottom + step;
  };
  if (gain === 0) return drive < 0 ? [onset + slope * Math.log(-drive / slope)] : [];
  if (gain < 0) return [descend(above(onset))];
  const bottom = onset + slope * Math.log(gain);
  const least = rise(bottom);
  if (least > 0) return [];
  return least === 0 ? [bottom] : [descend(drive / gain), descend(above(bottom))];
}

/** By the eigenvalues of the Jacobian, [[(e - 1) / tau, -R / tau], [a / tau_w, -1 / tau_w]] with e of the exponential. */
function stabilityAt(neuron: Neuron, v: number): Pick<FixedPoint, 'stability' | 'eigenvalues'> {
  const { tau, adaptationTau, gain } = neuron;
  const e = onsetAt(neuron, v);
  if (adaptationTau === undefined) {
    const real = (e - 1) / tau;
    const stability = real < 0 ? 'stable node' : real > 0 ? 'unstable node' : 'marginal';
    return { stability, eigenvalues: [{ real, imaginary: 0 }] };
  }
  const half = ((e - 1) / tau - 1 / adaptationTau) / 2;
  const determinant = (gain - e) / (tau * adaptationTau);
  const discriminant = half * half - determinant;
  const root = Math.sqrt(Math.abs(discriminant));
  const [re, im] = discriminant < 0 ? [0, root] : [root, 0];
  const eigenvalues = [
    { real: half + re, imaginary: im },
    { real: half - re, imaginary: im === 0 ? 0 : -im },
  ];
  if (determinant < 0) return { stability: 'saddle', eigenvalues };
  if (determinant === 0 || half === 0) return { stability: 'marginal', eigenvalues };
  const kind = discriminant < 0 ? 'focus' : 'node';
  return { stability: half < 0 ? `stable ${kind}` : `unstable ${kind}`, eigenvalues };
}
