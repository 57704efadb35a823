// One neuron in continuous time: the equations that the engine's steps approach, in float64, from a soma's parameters.
// Potentials are relative to rest, as in docs/numerics.md. It knows no simulation and no time step.

import { boundsOf, InputError, type Row, type Soma } from '../index.ts';
import { checkKnown, checkNumber } from './check.ts';

/** A neuron whose parameters were checked. */
export interface Neuron {
  /** mV, absolute: what the potentials below are relative to. */
  rest: number;
  /** ms */
  tau: number;
  /** GOhm */
  resistance: number;
  /** mV */
  slope: number;
  /** mV: where the exponential takes over. */
  onset: number;
  /** mV: beyond it a spike is counted. */
  threshold: number;
  /** mV */
  reset: number;
  /** ms; nothing where the soma has no adaptation current. */
  adaptationTau: number | undefined;
  /** nS; 0 without adaptation. */
  subthreshold: number;
  /** 1 + resistance * subthreshold: how much steeper adaptation makes the leak once it has followed. */
  gain: number;
}

/** All parameters of a soma, as numbers: those given, the others by default. @throws InputError */
export function numbersOf(soma: Soma, given: unknown = {}): Record<string, number> {
  const table: Readonly<Record<string, Row>> = soma?.parameters ?? {};
  if (!('spike_slope' in table && 'rheobase_threshold' in table)) {
    throw new InputError('soma', soma?.name, 'is no exponential soma', 'give one of those that somagpu exports');
  }
  checkKnown('parameters', given, Object.keys(table), `parameter of ${soma.name}:`);
  const values = given as Readonly<Record<string, unknown>>;
  const numbers = Object.entries(table).map(([name, row]) => {
    const value = values[name] ?? row.default;
    const path = `parameters.${name}`;
    if (typeof value === 'object') {
      throw new InputError(path, value, 'is not one number', `give one neuron's, in ${row.unit}`);
    }
    checkNumber(value, path, { unit: [row.unit, ...boundsOf(row)].join(', ') });
    const { above = -Infinity, least = -Infinity, most = Infinity } = row;
    if (value > above && value >= least && value <= most) return [name, value] as const;
    const remedy = `allowed: ${boundsOf(row).join(', ')} ${row.unit}; default ${row.default}`;
    throw new InputError(path, value, 'is out of range', remedy);
  });
  return Object.fromEntries(numbers);
}

/** @throws InputError for parameters that are wrong, also for a resistance through which no current acts */
export function neuronOf(soma: Soma, given?: unknown): Neuron {
  const p = numbersOf(soma, given);
  const of = (name: string) => p[name] as number;
  const [rest, resistance] = [of('potential_rest'), of('resistance')];
  if (resistance <= 0) {
    const remedy = 'give GOhm, greater than 0: a current moves the membrane through it';
    throw new InputError('parameters.resistance', resistance, 'must be greater than 0 here', remedy);
  }
  const { adaptation_tau: adaptationTau, adaptation_subthreshold: subthreshold = 0 } = p;
  return {
    rest,
    tau: of('potential_tau'),
    resistance,
    slope: of('spike_slope'),
    onset: of('rheobase_threshold') - rest,
    threshold: of('threshold') - rest,
    reset: of('potential_reset') - rest,
    adaptationTau,
    subthreshold,
    gain: 1 + resistance * subthreshold,
  };
}

/** exp((v - onset) / slope), capped as the engine caps it. */
export const onsetAt = ({ onset, slope }: Neuron, v: number): number => Math.exp(Math.min((v - onset) / slope, 80));

/** The current under which a potential stands still, once adaptation has followed, pA. */
export const holdingCurrent = (neuron: Neuron, v: number): number =>
  (neuron.gain * v - neuron.slope * onsetAt(neuron, v)) / neuron.resistance;
