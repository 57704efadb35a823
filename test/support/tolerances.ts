// Every tolerance of the engine's tests, with where it comes from. None is fitted to what the engine gives.

/**
 * One step from the reference's own state (DESIGN.md section 3): relative to max(1, |x|), x relative to rest. WGSL grants
 * exp 3 + 2|x| ulp (about 50 ulp, 3e-6, in the upstroke) and a division 2.5 ulp; what is read back is an absolute
 * float32, 4e-6 mV at -70 mV.
 */
export const FORCED = 1e-4;

/** Relative error of exp(x) up to x = 80: WGSL grants 3 + 2|x| ulp of 2^-23 at most. */
export const EXPONENTIAL = (3 + 2 * 80) * 2 ** -23;

/**
 * The CPU path's own functions, as their files in shaders/math/ promise: ulp for exp and log, absolute for sin and cos.
 * These are the largest errors of any float32 number there, found by trying all of them; each operation is IEEE's, so
 * they are the same on every machine. WGSL grants a GPU 3 + 2|x| ulp for exp, and 2^-11 for sin on [-pi, pi].
 */
export const MATH = { exp: 2.01, log: 1.14, sine: 2 ** -22.9 } as const;

/**
 * A normal number of Box and Muller beside float64: WGSL vouches for cos to 2^-11 on [-pi, pi], times a radius of at most
 * sqrt(2 * 19 ln 2) = 5.14. The CPU path is a thousand times closer.
 */
export const NOISE = 5.14 * 2 ** -11;

/**
 * A sine's wave beside float64, of amplitude 1: our polynomial is good to 1.7e-7, the angle is rounded to 2^-25 turns
 * (1.9e-7), and offset + amplitude * wave to half an ulp each.
 */
export const WAVE = 5e-7;

/**
 * What is left of 1 after half a time constant: where a step loses as little as 8 ulp, what it loses is rounded to whole
 * ones, up to 6 % off, but to either side in turn as the rest shrinks.
 */
export const FORGOTTEN = 5e-4;

/**
 * Statistics gathered in float32 beside float64, relative to the largest value: a mean is moved once a block (here 500
 * steps, in at most 16 blocks) by a share of what it is off, rounded to 2^-24 each time, and samples are read back as absolute float32.
 */
export const GATHERED = 2e-6;

/** What the issue asks of random currents: their moments within 1 %, their autocorrelation within 0.01. */
export const PROCESS = { moment: 0.01, correlation: 0.01 } as const;

/** Three steps of leak alone from at most 1 mV: a dozen roundings of 2^-24 and the 2.5 ulp of dt / tau, mV. */
export const LEAK = 1e-6;

/** Free runs beside the reference (DESIGN.md section 3). Spark eager and jitted differ by 0.3 mV in the upstroke. */
export const FREE = {
  /** mV, for `share` of all samples. */
  potential: 2e-3,
  share: 0.999,
  /** mV, for every sample: the upstroke multiplies what was there. */
  upstroke: 1,
  /** pA and mV. */
  adaptation: 1e-2,
  threshold: 1e-2,
} as const;

/**
 * Protocols whose orbit is chaotic: how many first spikes have to be at the float64 Euler steps (dt 0.1), and how far the
 * count may be off. From a float32 Euler of our own (Math.fround after every operation) beside the published float64 one:
 * they part after this many spikes, because the rounded parameters already differ. Of 400 more runs each, whose exp was
 * off by a random part of 3 + 2|x| ulp, none parted earlier; they gave 32 to 34 spikes where 33 are right in the one
 * case, always 32 in the other.
 */
export const CHAOTIC: Readonly<Record<string, { first: number; count: number }>> = {
  naud2008_irregular: { first: 9, count: 1 },
  naud2008_delayed_regular_bursting: { first: 12, count: 0 },
};

/**
 * Slope of log(error) over log(dt). Forward Euler is of first order; where the potential blows up, as in an upstroke, its
 * error in time is dt (a + b ln(1/dt)), and the logarithm makes the slope a little less than 1 for any dt there is.
 */
export const CONVERGENCE = { least: 0.85, most: 1.02 } as const;

/**
 * Our own exact solver (float64), ms: the analytic latencies it is checked with are given with nine decimals, the
 * protocols' first spikes to better than 1e-9 (DOP853 at rtol 1e-12); ten times as many steps move ours by 4e-11.
 */
export const EXACT = 1e-8;

/** Of random numbers with fixed seeds: below `p`, or beyond `z` standard deviations, chance is no longer the explanation. */
export const CHANCE = { p: 1e-4, z: 5 } as const;

/**
 * Interval statistics beside a two-pass computation, relative: a few thousand float64 roundings (1e-13), times the loss
 * of digits where intervals vary by a millionth of a spike time.
 */
export const INTERVALS = 1e-9;

/** The tests' own distribution functions beside SciPy 1.17's, relative: float64 roundings, times the exponent in far tails. */
export const SHARES = 1e-11;

/**
 * Digits after the point of a ratio that threshold integration gives: some ten thousand float64 roundings where the drift
 * is constant; else second order in its cells, with 20,000 of them.
 */
export const THEORY = { closed: 10, fine: 5 } as const;

/**
 * Noise-driven rates beside theory, relative. Forward Euler is 0.6 to 1.8 % slow at dt 0.1, and a quarter of that at dt
 * 0.025. The standard error is `error` at most, and smaller where Euler's is large: at each point chance would have to add
 * five of it to pass what is left.
 */
export const RATE = { coarse: 0.03, fine: 0.015, error: 0.005 } as const;

/** Closed forms beside the protocols' own, relative: a dozen float64 roundings, times what a gain near 0 makes of them. */
export const CLOSED = 1e-12;

/** Fixed points beside those given with 16 digits, mV: a few units in the last place of 70 mV. */
export const FIXED_POINT = 1e-13;

/**
 * A rheobase by steps of a duration T beside the saddle-node: by the normal form it is above by spike_slope / resistance *
 * 2 (pi tau / T)^2. The way there and from there takes some ten time constants more, of the 200 and more that T has here,
 * and Euler's steps are late: up to twice that.
 */
export const PASSAGE = 2;

/** The gallery's spike times and their differences, ms: two numbers of four digits, off by half of the last at most each. */
export const COMPARED = 1.01e-4;

/** Moved values beside drawn ones, of the mean: a float32 rounding of each, stretched five times at most. */
export const MOVED = 1e-6;

/**
 * Neurons, as a share, whose count of spikes after 1,000 steps may differ between two paths: where exp differs by an ulp a
 * spike may come a step later, and the last one then not at all. At some twenty spikes in 1,000 steps a last one stands
 * within a step of the end in two neurons of 100; an ulp does not move half of them.
 */
export const LAST_SPIKE = 0.01;

/**
 * What reading a damaged file may take beside its own size: garbage that is not collected yet of reading 4 kB some times,
 * and deflate's buffers. What a header claims falsely is 2^31 bytes and more, or a bomb's 20 million. A damaged deflated
 * entry of 3 kB may claim 1,032 times its size, which is what deflate can make of it.
 */
export const FORGERY = { ms: 1000, bytes: 8e6 } as const;

/**
 * Bytes, of JavaScript and of the process in all, by which many simulations made and disposed of may grow it: after half of
 * them the rest is watched in five parts, of which the one in the middle counts. `leak` is for each simulation, `noise` for
 * a part, however many it has: code that is only now compiled, garbage, what an allocator keeps. So in parts of ten a leak
 * of 3 kB of JavaScript and 60 kB in all is found, in parts of 100 one of 1.2 kB and 24 kB; with a device for each, in parts
 * of 20, one of 3 kB and 1.8 MB. One device that stays is 2 MB, one worker 4 MB, what one of these simulations records
 * 0.2 MB: devices, workers and buffers are counted besides, as few of them would not show here. Seen in parts of ten: 0.02
 * to 0.7 kB and -15 to 40 kB each; with a device for each, in parts of two, 0.3 to 14 kB and up to 11 MB, which a software
 * GPU's threads keep for a while.
 */
export const GROWTH = {
  shared: { own: { leak: 1e3, noise: 20e3 }, all: { leak: 20e3, noise: 400e3 } },
  single: { own: { leak: 1e3, noise: 40e3 }, all: { leak: 3e5, noise: 30e6 } },
} as const;
