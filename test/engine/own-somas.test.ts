// Somas of one's own on both paths: the two of examples/somas against closed form and published behaviour, and what the
// engine does for any soma done for them. What is refused in their text is in test/host/define.test.ts.

import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';
import { defineSoma, LawError } from '../../src/define.ts';
import { FileError, type Input, Simulation, type Soma, type Tuning, uniform } from '../../src/index.ts';
import { readSource, readTable } from '../../src/wgsl.ts';
import { backends, openDevice, type TestBackend } from '../support/backends.ts';
import { addCells, expectSameBits, expectSameOutcome, type Outcome, outcomeOf, ripple } from '../support/outcome.ts';
import { FORCED } from '../support/tolerances.ts';

const read = (name: string) => readFileSync(new URL(`../../examples/somas/${name}.wgsl`, import.meta.url), 'utf8');
const Leaky = defineSoma<'rest' | 'reset' | 'threshold' | 'tau' | 'resistance' | 'cooldown', 'potential' | 'blocked'>(
  read('leaky'),
  'Leaky',
);
const Izhikevich = defineSoma<'a' | 'b' | 'c' | 'd' | 'peak', 'potential' | 'recovery'>(
  read('izhikevich'),
  'Izhikevich',
);

/** Of each neuron the steps of its spikes. */
function trainsOf({ steps, neurons }: { steps: Uint32Array; neurons: Uint32Array }, count: number): number[][] {
  const trains = Array.from({ length: count }, (): number[] => []);
  for (const [i, neuron] of neurons.entries()) trains[neuron]?.push(steps[i] as number);
  return trains;
}
const intervalsOf = (train: readonly number[]) => train.slice(1).map((step, i) => step - (train[i] as number));

describe.each(backends)('a leaky integrate-and-fire neuron, on $name', ({ open }) => {
  const [tau, resistance, rest, reset, threshold, cooldown] = [10, 0.1, -65, -60, -50, 2];
  const currents = Float32Array.from({ length: 64 }, (_, i) => 155 + 7.3 * i);

  async function trains(dt: number) {
    const simulation = await open({ dt });
    const cells = simulation.add(Leaky, {
      units: currents.length,
      parameters: { tau, resistance, rest, reset, threshold, cooldown },
      input: [{ kind: 'constant', amplitude: currents }],
      record: { spikes: true },
    });
    await simulation.run(200);
    return trainsOf(await cells.spikes(), currents.length);
  }

  // From v the potential relative to rest is RI + (v - RI) (1 - dt/tau)^n after n steps of Euler.
  const stepsFrom = (v: number, current: number, dt: number) => {
    const end = resistance * current;
    return Math.log((end - (threshold - rest)) / (end - v)) / Math.log(1 - dt / tau);
  };

  test.each([0.1, 0.25, 1])(
    'spikes first, and then again, exactly where the map of Euler has it, at dt %d ms',
    async (dt) => {
      const found = await trains(dt);
      let compared = 0;
      for (const [i, current] of currents.entries()) {
        const wanted = [stepsFrom(0, current, dt), stepsFrom(reset - rest, current, dt)];
        // Where the threshold is met in whole steps float32 may round to either side.
        if (wanted.some((steps) => Math.abs(steps - Math.round(steps)) < 1e-3)) continue;
        const [first = 0, interval = 0] = wanted.map(Math.ceil);
        expect((found[i] as number[])[0], `${current} pA`).toBe(first - 1);
        expect(new Set(intervalsOf(found[i] as number[])), `${current} pA`).toEqual(
          new Set([interval + cooldown / dt]),
        );
        compared++;
      }
      expect(compared).toBeGreaterThan(currents.length - 4);
    },
  );

  test('has the latency tau ln(RI / (RI - threshold)), and is off it by less than a step and its own half a step a tau', async () => {
    for (const dt of [0.2, 0.1, 0.05]) {
      const found = await trains(dt);
      for (const [i, current] of currents.entries()) {
        const end = resistance * current;
        const latency = tau * Math.log(end / (end - (threshold - rest)));
        const spike = ((found[i] as number[])[0] as number) + 1;
        // A step of Euler shortens tau by half of it, to first order; then the spike waits for its step to end.
        const early = (dt / tau / 2) * latency * (1 + dt / tau);
        expect(spike * dt - latency, `${current} pA at ${dt} ms`).toBeGreaterThan(-early - 1e-3 * dt);
        expect(spike * dt - latency, `${current} pA at ${dt} ms`).toBeLessThan(dt);
      }
    }
  });
});

// Figure 2 of the paper: a, b, c, d of its neurons, under a step of 10.
const PUBLISHED = {
  'regular spiking': [0.02, 0.2, -65, 8],
  'intrinsically bursting': [0.02, 0.2, -55, 4],
  chattering: [0.02, 0.2, -50, 2],
  'fast spiking': [0.1, 0.2, -65, 2],
  'low-threshold spiking': [0.02, 0.25, -65, 2],
} as const;
const START = 20;
const DURATION = 600;

/** The paper's own script in float32: steps of 1 ms, those of the membrane halved. */
function paperTrain([a, b, c, d]: readonly [number, number, number, number]) {
  const f = Math.fround;
  const square = (v: number) => f(f(f(f(f(f(0.04) * v) * v) + f(5 * v))) + 140);
  const potentials: number[] = [];
  const spikes: number[] = [];
  let [v, u] = [-65, -13];
  for (let step = 0; step < DURATION; step++) {
    const current = step >= START ? 10 : 0;
    for (let half = 0; half < 2; half++) v = f(v + f(0.5 * f(f(square(v) - u) + current)));
    v = Math.min(v, 1e4);
    u = f(u + f(f(a) * f(f(f(b) * v) - u)));
    if (v >= 30) {
      spikes.push(step);
      [v, u] = [f(c), f(u + f(d))];
    }
    potentials.push(v);
  }
  return { spikes, potentials };
}

describe.each(backends)('Izhikevich’s neurons, on $name', ({ open }) => {
  const names = Object.keys(PUBLISHED) as (keyof typeof PUBLISHED)[];
  const columns = (k: number) => names.map((name) => PUBLISHED[name][k] as number);

  async function run(dt: number) {
    const simulation = await open({ dt });
    const cells = simulation.add(Izhikevich, {
      units: names.length,
      parameters: { a: columns(0), b: columns(1), c: columns(2), d: columns(3) },
      input: [{ kind: 'step', amplitude: 10, start: START }],
      record: { spikes: true, states: { potential: {} } },
    });
    await simulation.run(DURATION);
    return { trains: trainsOf(await cells.spikes(), names.length), potential: (await cells.trace('potential')).values };
  }

  test('spike in the steps of the paper’s script in float32, and go its way between spikes', async () => {
    const { trains, potential } = await run(1);
    for (const [i, name] of names.entries()) {
      const { spikes, potentials } = paperTrain(PUBLISHED[name]);
      expect(trains[i], name).toEqual(spikes);
      for (const [step, expected] of potentials.entries()) {
        const found = potential[step * names.length + i] as number;
        if (Math.abs(found - expected) > FORCED * Math.max(1, Math.abs(expected)))
          expect.fail(`${name}, step ${step}: ${found}, expected ${expected}`);
      }
    }
  });

  // In steps of 1 ms, as the paper has them for speed, bursts lose spikes; in short ones they are as in its figure.
  test('do what they are called after', async () => {
    const { trains } = await run(0.1);
    const intervals = trains.map((train) => intervalsOf(train).map((steps) => steps / 10));
    const [regular, bursting, chattering, fast, low] = intervals as [number[], number[], number[], number[], number[]];
    const evenness = (some: readonly number[]) => Math.max(...some) / Math.min(...some);
    // Intervals grow, and then stay.
    expect((regular.at(-1) as number) / (regular[0] as number)).toBeGreaterThan(2);
    expect(evenness(regular.slice(2))).toBeLessThan(1.02);
    // A burst at the beginning, then single spikes.
    expect(Math.max(...bursting.slice(0, 2))).toBeLessThan(5);
    expect(Math.min(...bursting.slice(2))).toBeGreaterThan(25);
    expect(evenness(bursting.slice(3))).toBeLessThan(1.05);
    // Bursts of some spikes all along.
    const bursts = chattering.filter((interval) => interval > 20).length;
    expect(bursts).toBeGreaterThan(7);
    expect(chattering.filter((interval) => interval < 8).length).toBeGreaterThan(3 * bursts);
    expect(chattering.filter((interval) => interval >= 8 && interval <= 20)).toEqual([]);
    // Fast, and once it is under way without adaptation.
    expect(fast.length).toBeGreaterThan(5 * regular.length);
    expect(evenness(fast.slice(5))).toBeLessThan(1.05);
    // Faster than the regular one, with adaptation.
    expect(low.length).toBeGreaterThan(2 * regular.length);
    expect((low.at(-1) as number) / (low[0] as number)).toBeGreaterThan(2);
  });

  test('stay numbers under any current that is allowed', async () => {
    const simulation = await open({ dt: 1 });
    const amplitude = [1e12, -1e12, 1e6, -1e6, 1e9, -1e9];
    const cells = simulation.add(Izhikevich, { units: 6, input: [{ kind: 'constant', amplitude }] });
    await simulation.run(200);
    for (const state of ['potential', 'recovery'] as const)
      for (const value of await cells.readState(state)) expect(Number.isFinite(value), `${state} ${value}`).toBe(true);
  });
});

const NEURONS = 3001;
const STEPS = 300;
const DT = 0.5;

/** Every input there is, so that the law stands beside all of them. */
const inputs: readonly Input[] = [
  { kind: 'constant', amplitude: uniform(150, 250) },
  { kind: 'step', amplitude: 20, start: 10, stop: 100 },
  { kind: 'ramp', from: 0, to: 20, start: 0, stop: 50 },
  { kind: 'sine', amplitude: 10, frequency: 20 },
  { kind: 'pulses', amplitude: 20, width: 2, period: 20 },
  { kind: 'white_noise', mean: 0, sd: 20 },
  { kind: 'ornstein_uhlenbeck', mean: 0, sd: 20, tau: 5 },
  { kind: 'poisson_shot_noise', rate: 100, weight: 20, tau: 3 },
  { kind: 'array', values: ripple(STEPS, 1) },
];

const options = {
  name: 'cells',
  units: NEURONS,
  parameters: { tau: uniform(8, 12), cooldown: uniform(0, 3) },
  input: inputs,
  record: {
    spikes: true,
    states: { potential: { neurons: [3000, 0, 2048, 7], every: 3 } },
    statistics: { potential: {} },
  },
};

interface Way {
  tuning?: Tuning;
  workers?: number;
  runs?: readonly number[];
}

async function follow({ open }: TestBackend, { tuning, workers, runs = [STEPS] }: Way): Promise<Outcome> {
  const simulation = await open({ dt: DT, seed: 8, tuning, ...(workers === undefined ? {} : { workers }) });
  const cells = addCells(simulation, Leaky, options);
  for (const steps of runs) await simulation.run(steps * DT);
  const { mean } = await cells.statistics('potential');
  expect(mean.every((value) => value > -65 && value < -50)).toBe(true);
  return outcomeOf(cells);
}

describe.each(backends)('a soma of one’s own, on $name', (backend) => {
  test('has the same bits however the work is cut up, beside every input, in workers and in tiles', async () => {
    const whole = await follow(backend, {});
    expect(whole.spikes.steps.length).toBeGreaterThan(NEURONS);
    const ways: Way[] =
      backend.name === 'cpu'
        ? [{ workers: 0 }, { workers: 1 }, { workers: 3 }, { tuning: { chunk: 256 } }, { runs: [1, 31, 268] }]
        : [{ tuning: { width: 1 } }, { tuning: { maxBinding: 2 ** 16 } }, { runs: [1, 31, 268] }];
    for (const way of ways) expectSameOutcome(await follow(backend, way), whole);
  });

  test('is checked as others are: parameters by the bounds in its text', async () => {
    const simulation = await backend.open({ dt: DT });
    const add = (parameters: object) => () => simulation.add(Leaky, { units: 2, parameters });
    expect(add({ tau: 0 })).toThrow(
      'tau: must be greater than 0, got 0; allowed: > 0, >= dt (0.5), <= 1000000000 ms; default 10',
    );
    expect(add({ tua: 1 })).toThrow('unknown parameter "tua" of Leaky; did you mean "tau"?');
    expect(add({ tau: 1 })).not.toThrow();
  });

  test('goes on from where it was saved, if it is given again; without it that is refused', async () => {
    const simulation = await backend.open({ dt: DT, seed: 8 });
    const cells = addCells(simulation, Leaky, { ...options, record: {} });
    await simulation.run(50);
    const saved = await simulation.save();
    await simulation.run(50);
    const given = { backend: backend.name, device: backend.name === 'webgpu' ? await openDevice() : undefined };
    await expect(Simulation.restore(saved, given)).rejects.toThrow(FileError);
    await expect(Simulation.restore(saved, given)).rejects.toThrow('give it: somas: [Leaky]');
    const twin = defineSoma(read('izhikevich'), 'Leaky');
    await expect(Simulation.restore(saved, { ...given, somas: [Leaky, twin] })).rejects.toThrow('name of two laws');
    const twins = await backend.open({ dt: DT });
    for (const soma of [Leaky, twin]) twins.add(soma as Soma, { units: 1 });
    await expect(twins.save()).rejects.toThrow('"Leaky"; name them: ');
    await using again = await Simulation.restore(saved, { ...given, somas: [Leaky] });
    await again.run(50);
    const [other] = again.populations;
    for (const state of ['potential', 'blocked'] as const)
      expectSameBits(await other?.readState(state), await cells.readState(state), state);
    expectSameBits(await other?.spikeCounts(), await cells.spikeCounts(), 'spike counts');
  });
});

describe('docs/own-somas.md', () => {
  const doc = readFileSync(new URL('../../docs/own-somas.md', import.meta.url), 'utf8');

  test('shows code that runs', async () => {
    const [, code = ''] = /```ts\n([\s\S]*?)```/.exec(doc) ?? [];
    const lines = code.split('\n').filter((line) => !line.startsWith('import') && !line.includes('fetch'));
    const body = `${lines.join('\n')}; return await cells.spikeCounts();`;
    const main = `const main = async (Simulation, defineSoma, text) => { ${body} };`;
    const run = new Function(`${ts.transpile(main, { target: ts.ScriptTarget.ES2022 })}; return main;`)();
    const counts: Uint32Array = await run(Simulation, defineSoma, read('leaky'));
    expect(counts.length).toBe(1000);
    expect(Math.min(...counts)).toBeGreaterThan(10);
  });

  test('shows the message of a mistake as it is', () => {
    const [, message = ''] = /```text\n([\s\S]*?)\n```/.exec(doc) ?? [];
    expect(() => defineSoma(read('leaky').replace('+ c.scale *', '+ c.scael *'), 'Leaky')).toThrow(message);
  });

  test('shows a table that is read', () => {
    const [, table = ''] = /```wgsl\n([\s\S]*?)```/.exec(doc) ?? [];
    const [, parameters = ''] = /(struct Parameters \{[\s\S]*?\n\})/.exec(table) ?? [];
    expect(Object.keys(readTable(readSource(parameters).structs, 'Parameters'))).toEqual(['tau', 'cooldown']);
  });
});

test('the example runs against the built package as it stands', async () => {
  const file = new URL('../../examples/own-soma.ts', import.meta.url).pathname;
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', file]);
  expect(stdout).toMatch(/^regular spiking: 23\.9 45\.5 .*\n.*\nchattering: .*\nfast spiking: .* ms\n$/);
});

describe('what the device has against a law', () => {
  const law = read('leaky');

  test('is told at its line and column in the text', async () => {
    const device = await openDevice();
    await using simulation = await Simulation.create({ device });
    const text = law.replace('return -s.potential;', 'return -s.potential * sqrt(-1.0f);');
    simulation.add(defineSoma(text, 'Wrong'), { units: 4 });
    const error = await simulation.run(1).catch((error) => error);
    expect(error).toBeInstanceOf(LawError);
    expect(error).toMatchObject({ line: 32, column: 25, source: '  return -s.potential * sqrt(-1.0f);' });
    expect(error.message).toContain('Wrong:32:25: the device refuses it: ');
  });

  test('and nothing where it has nothing, also with names that WGSL has for functions that the subset has not', async () => {
    const device = await openDevice();
    await using simulation = await Simulation.create({ device });
    const own = 'fn tanh(x: lane) -> lane { return x / (lane(1.0) + abs(x)); }\n';
    const text = law.replace('return -s.potential;', 'return -tanh(s.potential);');
    simulation.add(defineSoma(text + own), { units: 4 });
    await simulation.run(1);
  });

  test('agrees with the reader on every word that WGSL keeps for itself', async () => {
    const device = await openDevice();
    const reader = readFileSync(new URL('../../src/compiler/parser.ts', import.meta.url), 'utf8');
    const words = /RESERVED = new Set\(\s*`([^`]+)`/.exec(reader)?.[1]?.split(/\s+/) ?? [];
    expect(words.length).toBeGreaterThan(140);
    const refused = async (word: string) => {
      device.pushErrorScope('validation');
      const module = device.createShaderModule({ code: `fn f() { let ${word} = 1; }` });
      const [{ messages }] = await Promise.all([module.getCompilationInfo(), device.popErrorScope()]);
      return messages.some(({ type }) => type === 'error');
    };
    const free = await Promise.all(words.map(async (word) => ((await refused(word)) ? [] : [word])));
    expect(free.flat()).toEqual([]);
    expect(await refused('potential')).toBe(false);
  });
});
