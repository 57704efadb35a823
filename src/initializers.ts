// What a user may give as a value: a number, one number a neuron, or an initializer that draws them. How each draws is in
// distributions.ts.

/** The same value for every neuron. */
export interface ConstantInitializer {
  initializer: 'constant';
  value: number;
}

/** Drawn evenly between `low` and `high`. */
export interface UniformInitializer {
  initializer: 'uniform';
  low: number;
  high: number;
}

export interface NormalInitializer {
  initializer: 'normal';
  mean: number;
  sd: number;
}

/** A normal distribution of which only what lies from `low` to `high` is drawn; `mean` and `sd` are of the whole. */
export interface TruncatedNormalInitializer {
  initializer: 'truncated_normal';
  mean: number;
  sd: number;
  /** No end by default. */
  low?: number;
  /** No end by default. */
  high?: number;
}

/** The logarithm is normal; `mean` and `sd` are of the value itself, not of its logarithm. */
export interface LognormalInitializer {
  initializer: 'lognormal';
  mean: number;
  sd: number;
}

/** Mean `shape * scale`, variance `shape * scale^2`. */
export interface GammaInitializer {
  initializer: 'gamma';
  shape: number;
  scale: number;
}

/** With the probability `density` what `of` gives, else `otherwise`. */
export interface SparseInitializer {
  initializer: 'sparse';
  density: number;
  of: number | Initializer;
  /** 0 by default. */
  otherwise?: number;
}

/** Spark's ConstantInitializer. */
export interface SparkConstantInitializer {
  initializer: 'spark_constant';
  /** 1 by default. */
  scale?: number;
}

/** What Spark's random initializers have in common: even from 0 to `scale`, then clipped. */
export interface SparkClipped {
  /** 1 by default. */
  scale?: number;
  /** What is below becomes this; no end by default. */
  min_value?: number;
  /** What is above becomes this; no end by default. */
  max_value?: number;
}

/** Spark's UniformInitializer: even from 0 to `scale`, then clipped, which piles values up at the two ends. */
export interface SparkUniformInitializer extends SparkClipped {
  initializer: 'spark_uniform';
}

/** Spark's SparseUniformInitializer: zeros but for a share of `density`, then clipped, the zeros too. */
export interface SparkSparseUniformInitializer extends SparkClipped {
  initializer: 'spark_sparse_uniform';
  /** 0.2 by default; Spark compares it in float16, which makes it a multiple of 1/1024. */
  density?: number;
}

/** Spark's NormalizedSparseUniformInitializer: as the sparse one, each group of neurons scaled to the sum `scale`. */
export interface SparkNormalizedSparseUniformInitializer extends SparkClipped {
  initializer: 'spark_normalized_sparse_uniform';
  /** 0.2 by default; Spark compares it in float16, which makes it a multiple of 1/1024. */
  density?: number;
  /** Axes of `units`; neurons with the same place on these are a group. [0] by default: each row is one. */
  norm_axes?: readonly number[];
}

export type Initializer =
  | ConstantInitializer
  | UniformInitializer
  | NormalInitializer
  | TruncatedNormalInitializer
  | LognormalInitializer
  | GammaInitializer
  | SparseInitializer
  | SparkConstantInitializer
  | SparkUniformInitializer
  | SparkSparseUniformInitializer
  | SparkNormalizedSparseUniformInitializer;

/** A number, an array with one value a neuron (flat, row-major), or an initializer. */
export type Value = number | ArrayLike<number> | Initializer;

export function isInitializer(value: unknown): value is Initializer {
  return typeof value === 'object' && value !== null && 'initializer' in value;
}

type Options<Of extends Initializer> = Omit<Of, 'initializer'>;

/** The same value for every neuron. */
export const constant = (value: number): ConstantInitializer => ({ initializer: 'constant', value });

/** Each neuron's value drawn evenly between `low` and `high`. */
export const uniform = (low: number, high: number): UniformInitializer => ({ initializer: 'uniform', low, high });

/** Each neuron's value drawn from a normal distribution. */
export const normal = (mean: number, sd: number): NormalInitializer => ({ initializer: 'normal', mean, sd });

/** The part of a normal distribution from `low` to `high`; an end left out is none. */
export const truncatedNormal = (mean: number, sd: number, low?: number, high?: number): TruncatedNormalInitializer => ({
  initializer: 'truncated_normal',
  mean,
  sd,
  low,
  high,
});

/** Each neuron's value drawn from a lognormal distribution; `mean` and `sd` are of the value, not of its logarithm. */
export const lognormal = (mean: number, sd: number): LognormalInitializer => ({ initializer: 'lognormal', mean, sd });

/** Each neuron's value drawn from a gamma distribution of mean `shape * scale`. */
export const gamma = (shape: number, scale: number): GammaInitializer => ({ initializer: 'gamma', shape, scale });

/** With the probability `density` what `of` gives, else `otherwise`. */
export const sparse = (density: number, of: number | Initializer, otherwise = 0): SparseInitializer => ({
  initializer: 'sparse',
  density,
  of,
  otherwise,
});

/** Spark's ConstantInitializer. */
export const sparkConstant = (scale?: number): SparkConstantInitializer => ({ initializer: 'spark_constant', scale });

/** Spark's UniformInitializer. */
export const sparkUniform = (options?: Options<SparkUniformInitializer>): SparkUniformInitializer => ({
  ...options,
  initializer: 'spark_uniform',
});

/** Spark's SparseUniformInitializer. */
export const sparkSparseUniform = (
  options?: Options<SparkSparseUniformInitializer>,
): SparkSparseUniformInitializer => ({ ...options, initializer: 'spark_sparse_uniform' });

/** Spark's NormalizedSparseUniformInitializer. */
export const sparkNormalizedSparseUniform = (
  options?: Options<SparkNormalizedSparseUniformInitializer>,
): SparkNormalizedSparseUniformInitializer => ({ ...options, initializer: 'spark_normalized_sparse_uniform' });
