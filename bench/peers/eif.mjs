// What JavaScript written by hand makes of the work: uncoupled EIF or AdEx neurons, forward Euler; float32 storage and
// double arithmetic, as typed arrays have it. The equations are those of ExponentialSoma and AdaptiveExponentialSoma with
// their defaults, potentials relative to rest. The layout (each worker steps through its slice of the neurons) follows a
// survey of simulators made for this project (js/plain.mjs); written anew here. Asked as ../peer.ts asks everybody; it
// knows `run` alone.

import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

/** Answers each message with one that says how often each neuron spiked, and when, if that is wanted. */
function work({ begin, end, steps, adaptive, recording }) {
  const neurons = end - begin;
  const [low, high] = adaptive ? [20, 80] : [0, 50];
  const current = Float32Array.from(
    { length: neurons },
    (_, i) => low + (high - low) * (((begin + i) * 0.6180339887498949) % 1),
  );
  parentPort.on('message', () => {
    const [potential, adaptation] = [new Float32Array(neurons), new Float32Array(neurons)];
    const counts = new Uint32Array(neurons);
    const advance = adaptive ? advanceAdaptive : advancePlain;
    const recorded = recording ? new Recorded(begin) : undefined;
    for (let step = 0; step < steps; step++) advance(potential, adaptation, current, counts, step, recorded);
    parentPort.postMessage({ counts, recorded: recorded?.finish() });
  });
}

class Recorded {
  constructor(begin) {
    this.begin = begin;
    this.count = 0;
    this.spikes = new Uint32Array(2 ** 16);
  }

  add(step, neuron) {
    if (this.count === this.spikes.length) {
      const larger = new Uint32Array(2 * this.count);
      larger.set(this.spikes);
      this.spikes = larger;
    }
    this.spikes[this.count++] = step;
    this.spikes[this.count++] = this.begin + neuron;
  }

  finish() {
    return this.spikes.subarray(0, this.count);
  }
}

function advanceAdaptive(potential, adaptation, current, counts, step, recorded) {
  for (let i = 0; i < potential.length; i++) {
    let v = potential[i];
    const w = adaptation[i];
    v += (0.1 / 5) * (2 * Math.exp((v - 20) * 0.5) - v - 0.5 * w + 0.5 * current[i]);
    let added = 0;
    if (v > 40) {
      v = 19;
      added = 7;
      counts[i]++;
      recorded?.add(step, i);
    }
    potential[i] = v;
    adaptation[i] = w + (0.1 / 100) * (0.5 * v - w) + added;
  }
}

function advancePlain(potential, _, current, counts, step, recorded) {
  for (let i = 0; i < potential.length; i++) {
    let v = potential[i];
    v += (0.1 / 5) * (2 * Math.exp((v - 20) * 0.5) - v + 0.5 * current[i]);
    if (v > 40) {
      v = 19;
      counts[i]++;
      recorded?.add(step, i);
    }
    potential[i] = v;
  }
}

async function main([soma, size, steps, mode, , threads]) {
  const [neurons, parts] = [Number(size), Number(threads)];
  const edge = (part) => Math.floor((neurons * part) / parts);
  const asked = { steps: Number(steps), adaptive: soma === 'AdaptiveExponentialSoma', recording: mode === 'recording' };
  const workers = Array.from({ length: parts }, (_, part) => {
    const workerData = { ...asked, begin: edge(part), end: edge(part + 1) };
    return new Worker(new URL(import.meta.url), { workerData });
  });
  await Promise.all(workers.map((worker) => once(worker, 'online')));
  for await (const line of createInterface({ input: process.stdin })) {
    if (line !== 'run') throw new Error(`what is ${line}?`);
    const start = performance.now();
    const answers = await Promise.all(
      workers.map((worker) => {
        worker.postMessage('run');
        return once(worker, 'message');
      }),
    );
    const seconds = (performance.now() - start) / 1e3;
    let [spikes, fired, recorded] = [0, 0, 0];
    for (const [part] of answers) {
      recorded += (part.recorded?.length ?? 0) / 2;
      for (const count of part.counts) {
        spikes += count;
        if (count > 0) fired++;
      }
    }
    console.log(JSON.stringify({ seconds, spikes, fired, recorded }));
  }
  for (const worker of workers) await worker.terminate();
}

if (isMainThread) await main(process.argv.slice(2));
else work(workerData);
