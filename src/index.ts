// The public surface of somagpu: re-exports only.

export type { GivenAdapter } from './adapter.ts';
export type { GpuPopulation, GpuTile } from './backend.ts';
export type { ArrayInput, CurrentReader, ReadCurrent, WholeCurrent } from './currents.ts';
export type { Tuning } from './device.ts';
export {
  BusyError,
  DeviceLostError,
  DisposedError,
  FileError,
  InputError,
  NoBackendError,
  NonFiniteError,
  OutOfMemoryError,
  SomaError,
} from './errors.ts';
export {
  type ConstantInitializer,
  constant,
  type GammaInitializer,
  gamma,
  type Initializer,
  type LognormalInitializer,
  lognormal,
  type NormalInitializer,
  normal,
  type SparkConstantInitializer,
  type SparkNormalizedSparseUniformInitializer,
  type SparkSparseUniformInitializer,
  type SparkUniformInitializer,
  type SparseInitializer,
  sparkConstant,
  sparkNormalizedSparseUniform,
  sparkSparseUniform,
  sparkUniform,
  sparse,
  type TruncatedNormalInitializer,
  truncatedNormal,
  type UniformInitializer,
  uniform,
  type Value,
} from './initializers.ts';
export type {
  ConstantInput,
  Input,
  LawInput,
  OrnsteinUhlenbeckInput,
  PoissonShotNoiseInput,
  PulsesInput,
  RampInput,
  SineInput,
  StepInput,
  WhiteNoiseInput,
} from './inputs.ts';
export type { Path } from './paths.ts';
export type { Population, PopulationOptions } from './population.ts';
export type {
  RateRecording,
  Recording,
  RecordingWindow,
  SpikeRecording,
  StateRecording,
  StatisticsRecording,
} from './record.ts';
export type { Chunk, Rate, Spikes, Statistics, Steps, Trace } from './recording.ts';
export { type Progress, type RunOptions, Simulation, type SimulationOptions } from './simulation.ts';
export * from './somas.ts';
export type { RestoreOptions } from './state.ts';
export { version } from './version.ts';
