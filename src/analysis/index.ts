// The public surface of somagpu/analysis: figures of spike trains, and what a neuron does under constant currents, in closed
// form and by short runs. Of the engine it imports what everyone can, src/index.ts, and nothing deeper.

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
