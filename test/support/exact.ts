// First spikes in continuous time, in float64: Runge-Kutta of order 4 in time as long as the membrane is slow, and with
// the potential as the independent variable in the upstroke, where time runs out within fractions of a microsecond.
// Written from the equations alone: it shares nothing with the engine.

/** Parameters by name, user units; without adaptation its terms vanish. */
export type ExactParameters = Readonly<Record<string, number>>;

/** A current that is on from `on` (included) to `off`, ms and pA. */
export interface Pulse {
  on: number;
  off: number;
  amplitude: number;
}

interface Model {
  potential(v: number, w: number, current: number): number;
  adaptation(v: number, w: number): number;
  /** Above it, and rising, the potential takes over as the independent variable. */
  upstroke: number;
  threshold: number;
}

/** Time steps of the slow part, ms, and steps of the upstroke: refining both tenfold moves spikes by 4e-11 ms. */
const STEP = 0.002;
const UPSTROKE_STEPS = 2000;

function modelOf(p: ExactParameters): Model {
  const get = (name: string, otherwise = 0) => p[name] ?? otherwise;
  const rest = get('potential_rest');
  const [rheobase, slope] = [get('rheobase_threshold') - rest, get('spike_slope')];
  const [tau, resistance] = [get('potential_tau'), get('resistance')];
  const [tauW, subthreshold] = [get('adaptation_tau', 1), get('adaptation_subthreshold')];
  return {
    potential: (v, w, current) =>
      (-v + slope * Math.exp((v - rheobase) / slope) - resistance * w + resistance * current) / tau,
    adaptation: (v, w) => (-w + subthreshold * v) / tauW,
    upstroke: rheobase + 4 * slope,
    threshold: get('threshold') - rest,
  };
}

type Derivative = (x: number, y: readonly [number, number]) => readonly [number, number];

function rungeKutta(f: Derivative, x: number, y: readonly [number, number], h: number): [number, number] {
  const shift = (k: readonly [number, number], by: number): [number, number] => [y[0] + by * k[0], y[1] + by * k[1]];
  const k1 = f(x, y);
  const k2 = f(x + h / 2, shift(k1, h / 2));
  const k3 = f(x + h / 2, shift(k2, h / 2));
  const k4 = f(x + h, shift(k3, h));
  const mean = (i: 0 | 1) => (k1[i] + 2 * k2[i] + 2 * k3[i] + k4[i]) / 6;
  return shift([mean(0), mean(1)], h);
}

/**
 * When a neuron spikes first, ms; NaN where it does not before `until`.
 *
 * @param from - potential at the start, mV relative to rest; adaptation starts at 0
 */
export function firstSpike(p: ExactParameters, pulses: readonly Pulse[], until: number, from = 0): number {
  const model = modelOf(p);
  const edges = pulses.flatMap(({ on, off }) => [on, off]).filter((edge) => edge > 0 && edge < until);
  let [begin, state]: [number, readonly [number, number]] = [0, [from, 0]];
  for (const end of [...new Set(edges), until].sort((a, b) => a - b)) {
    const middle = (begin + end) / 2;
    const current = pulses.reduce(
      (sum, { on, off, amplitude }) => sum + (on <= middle && middle < off ? amplitude : 0),
      0,
    );
    const steps = Math.ceil((end - begin) / STEP);
    const h = (end - begin) / steps;
    for (let n = 0; n < steps; n++) {
      if (state[0] > model.upstroke && model.potential(state[0], state[1], current) > 0)
        return begin + n * h + upstrokeTime(model, state, current);
      state = rungeKutta((_, [v, w]) => [model.potential(v, w, current), model.adaptation(v, w)], 0, state, h);
    }
    begin = end;
  }
  return Number.NaN;
}

// From a state in the upstroke to the threshold: dt/dv and dw/dv fall smoothly where dv/dt explodes.
function upstrokeTime(model: Model, [v0, w0]: readonly [number, number], current: number): number {
  const h = (model.threshold - v0) / UPSTROKE_STEPS;
  let y: readonly [number, number] = [0, w0];
  for (let n = 0; n < UPSTROKE_STEPS; n++) {
    y = rungeKutta(
      (v, [, w]) => [1 / model.potential(v, w, current), model.adaptation(v, w) / model.potential(v, w, current)],
      v0 + n * h,
      y,
      h,
    );
  }
  return y[0];
}
