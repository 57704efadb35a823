// An experiment, read from its file and run; a public entry of its own, so that a page that embeds the engine need not carry
// it. How the file is read is experiment-file.ts's; devices and kernels are the simulation's.

import { InputError, OutOfMemoryError } from './errors.ts';
import type { Experiment } from './experiment-file.ts';
import type { Population, PopulationOptions } from './population.ts';
import { checkWindow } from './record.ts';
import { samplesIn } from './recording.ts';
import { type Progress, type RunOptions, Simulation, type SimulationOptions } from './simulation.ts';
import type { RestoreOptions } from './state.ts';
import { version } from './version.ts';

export * from './experiment-file.ts';

/** Samples of one population that are kept in memory: 2 GiB less room for the rest. */
const MOST_TRACE_BYTES = 2 ** 31 - 2 ** 27;

/** What a run was and did; summary.json has these, the version and the date. */
export interface Summary {
  backend: string;
  /** Why this backend, in words. */
  backend_reason: string;
  adapter: string;
  dt: number;
  steps: number;
  seed: number;
  /** Only there, and true, when the run was stopped before its end. */
  interrupted?: true;
  /** Only there when it went on from a checkpoint: at which step; time and updates per second are of what came then. */
  resumed_at_step?: number;
  wall_seconds: number;
  neuron_updates_per_second: number;
  populations: Record<string, { soma: string; units: readonly number[]; spikes: number; mean_rate_hz: number }>;
}

/**
 * Where a run's files come from, as a line of JSON in ASCII: somagpu's version, backend, adapter, seed, dt, steps, and the
 * experiment. The same run has the same; it says neither when nor where.
 *
 * @param json - the experiment, parsed
 */
export function provenanceOf(
  { backend, adapter, seed, dt, steps }: Pick<Summary, 'backend' | 'adapter' | 'seed' | 'dt' | 'steps'>,
  json: unknown,
): string {
  const text = JSON.stringify({ somagpu: version, backend, adapter, seed, dt, steps, experiment: json });
  return text.replace(/[\u007f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** How far to run an experiment. */
export interface ExperimentRunOptions extends RunOptions {
  /** Steps to make; all that are left by default. */
  steps?: number;
}

/** An experiment on a device: its populations added, its kernels compiled. */
export class ExperimentRun {
  #seconds = 0;
  readonly #begun: number;

  private constructor(
    readonly experiment: Experiment,
    readonly simulation: Simulation,
    readonly populations: readonly Population[],
  ) {
    this.#begun = simulation.steps;
  }

  /**
   * Opens a device and adds the populations.
   *
   * @param options - `seed` overrides the experiment's
   * @throws InputError, NoBackendError, OutOfMemoryError; nothing stays allocated then
   */
  static async create(experiment: Experiment, options: Omit<SimulationOptions, 'dt'> = {}): Promise<ExperimentRun> {
    const { dt, seed } = experiment;
    return ExperimentRun.#checked(experiment, await Simulation.create({ seed, ...options, dt }), (simulation) => {
      for (const { soma, options } of experiment.populations) simulation.add(soma, options);
    });
  }

  /**
   * Goes on with an experiment that was saved on its way, `run.simulation.save()`.
   *
   * @param experiment - the same as then; of its inputs those that are read by functions are taken from it
   * @throws FileError, and what `create` throws
   */
  static async restore(
    experiment: Experiment,
    saved: ArrayBuffer | ArrayBufferView,
    options: RestoreOptions = {},
  ): Promise<ExperimentRun> {
    const sources = experiment.populations.flatMap(({ name, options }) =>
      (options.input ?? []).flatMap((input, i) => {
        return 'read' in input && input.read ? [[`${name}.input[${i}]`, input.read] as const] : [];
      }),
    );
    const somas = experiment.populations.map(({ soma }) => soma);
    const given = { ...options, somas, sources: Object.fromEntries(sources) };
    return ExperimentRun.#checked(experiment, await Simulation.restore(saved, given), () => {});
  }

  static async #checked(
    experiment: Experiment,
    simulation: Simulation,
    fill: (simulation: Simulation) => void,
  ): Promise<ExperimentRun> {
    try {
      fill(simulation);
      const { populations } = simulation;
      for (const population of populations) population.checkStreams(experiment.steps);
      experiment.populations.forEach(({ options }, i) => {
        checkTraces(options, populations[i]?.neurons ?? 0, experiment);
      });
      await simulation.compile();
      return new ExperimentRun(experiment, simulation, populations);
    } catch (error) {
      simulation.dispose();
      if (error instanceof OutOfMemoryError) {
        throw new InputError('populations', undefined, error.message, 'give fewer neurons, or record less');
      }
      throw placed(error);
    }
  }

  /**
   * Runs all steps that are left, or so many of them; what it then tells is of the whole. An abort is no error here: the
   * summary says how far it came.
   */
  async run({ signal, onProgress, steps: most = Infinity }: ExperimentRunOptions = {}): Promise<Summary> {
    const { simulation, experiment, populations } = this;
    const begin = performance.now();
    const done = simulation.steps;
    const progress = ({ steps }: Progress) => onProgress?.({ steps: done + steps, of: experiment.steps });
    try {
      await simulation.run(Math.min(experiment.steps - done, most) * experiment.dt, { signal, onProgress: progress });
    } catch (error) {
      if (!signal?.aborted || error !== signal.reason) throw placed(error);
    }
    const counts = await Promise.all(populations.map((population) => population.spikeCounts()));
    this.#seconds += (performance.now() - begin) / 1000;
    const { steps, dt, seed, backend, backendReason, adapter } = simulation;
    const neurons = populations.reduce((sum, population) => sum + population.neurons, 0);
    const report = populations.map(({ name, soma, units, neurons }, i) => {
      const spikes = (counts[i] as Uint32Array).reduce((sum, count) => sum + count, 0);
      return [
        name,
        { soma: soma.name, units, spikes, mean_rate_hz: spikes / neurons / (Math.max(steps, 1) * dt * 1e-3) },
      ];
    });
    return {
      backend,
      backend_reason: backendReason,
      adapter,
      dt,
      steps,
      seed,
      ...(steps < experiment.steps ? { interrupted: true as const } : {}),
      ...(this.#begun > 0 ? { resumed_at_step: this.#begun } : {}),
      wall_seconds: this.#seconds,
      neuron_updates_per_second: (neurons * (steps - this.#begun)) / this.#seconds,
      populations: Object.fromEntries(report),
    };
  }
}

// The engine names places in populations; in the file they stand under a key.
function placed(error: unknown): unknown {
  // A place in the text of a law, line and column, is its own.
  if (!(error instanceof InputError) || error.path.includes(':')) return error;
  return error.at(`populations.${error.path}`);
}

/** Refuses to record more samples than fit, before the run that would lose them. */
function checkTraces({ name, record }: PopulationOptions<object, string>, all: number, { dt, steps }: Experiment) {
  let bytes = 0;
  for (const [state, recording] of Object.entries(record?.states ?? {})) {
    const { neurons = 'all', every = 1 } = recording ?? {};
    const path = `${name}.record.states.${state}`;
    const { from, to, last } = checkWindow(recording ?? {}, dt, path);
    const recorded = samplesIn(from, Math.max(Math.min(to, steps) - from, 0), every);
    bytes += 4 * Math.min(recorded, Math.ceil(last / every)) * (neurons === 'all' ? all : neurons.length);
    if (bytes <= MOST_TRACE_BYTES) continue;
    const reason = `the samples of ${name} would take ${bytes} bytes, and ${MOST_TRACE_BYTES} fit into memory`;
    const remedy = 'record fewer neurons, set every, or keep only the last ones';
    throw new InputError(path, undefined, reason, remedy);
  }
}
