// The public surface of somagpu/analysis: figures of spike trains, and what a neuron does under constant currents, in closed
// form and by short runs. Of the engine it imports what everyone can, src/index.ts, and nothing deeper.

export { type Curve, type CurveOptions, currentsBetween, fiCurve } from './curves.ts';
export {
  adaptationIndex,
  type IntervalStatistics,
  IntervalTally,
  intervalStatistics,
  intervalsOf,
  type NeuronIntervals,
  neuronIntervals,
  type SpikeEvents,
} from './intervals.ts';
export {
  type FiringPattern,
  firingPattern,
  type Onset,
  type Pattern,
  type SteadyState,
  type StepOptions,
} from './patterns.ts';
export {
  type Eigenvalue,
  type FixedPoint,
  type FixedPointOptions,
  fixedPoints,
  type PhasePlane,
  type PhasePlaneOptions,
  phasePlane,
  type Stability,
} from './plane.ts';
export {
  type FindRheobaseOptions,
  type FoundRheobase,
  findRheobase,
  type Rheobase,
  rheobase,
  rheobaseMeanings,
} from './rheobase.ts';
export type { ShortRunOptions } from './trains.ts';
