// What JavaScript written by hand makes of bench/cpu.ts's work: uncoupled AdEx neurons, forward Euler, spikes counted;
// float32 storage and double arithmetic, as typed arrays have it. The equations are those of AdaptiveExponentialSoma
// with its defaults, potentials relative to rest. The layout (each worker steps through its slice of the neurons)
// follows a survey of simulators made for this project (js/plain.mjs); written anew here. Protocol as in adex.cpp:
// node adex.mjs NEURONS WORKERS; a line "run STEPS" is answered with "SECONDS SPIKES FIRED".

import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

/** Answers each message, a number of steps, when they are done. `spikes` is shared with the main thread. */
function work({ begin, end, spikes }) {
  const neurons = end - begin;
  const [potential, adaptation, current] = [0, 0, 0].map(() => new Float32Array(neurons));
  for (let i = 0; i < neurons; i++) current[i] = 20 + 60 * (((begin + i) * 0.6180339887498949) % 1);
  const counts = spikes.subarray(begin, end);
  parentPort.on('message', (steps) => {
    for (let step = 0; step < steps; step++) advance(potential, adaptation, current, counts);
    parentPort.postMessage('done');
  });
}

function advance(potential, adaptation, current, counts) {
  for (let i = 0; i < potential.length; i++) {
    let v = potential[i];
    const w = adaptation[i];
    v += (0.1 / 5) * (2 * Math.exp((v - 20) * 0.5) - v - 0.5 * w + 0.5 * current[i]);
    let added = 0;
    if (v > 40) {
      v = 19;
      added = 7;
      counts[i]++;
    }
    potential[i] = v;
    adaptation[i] = w + (0.1 / 100) * (0.5 * v - w) + added;
  }
}

async function main(neurons, count) {
  const spikes = new Uint32Array(new SharedArrayBuffer(4 * neurons));
  const edge = (part) => Math.floor((neurons * part) / count);
  const workers = Array.from(
    { length: count },
    (_, part) =>
      new Worker(new URL(import.meta.url), { workerData: { begin: edge(part), end: edge(part + 1), spikes } }),
  );
  await Promise.all(workers.map((worker) => once(worker, 'online')));
  for await (const line of createInterface({ input: process.stdin })) {
    const steps = Number(line.replace(/^run /, ''));
    const start = performance.now();
    await Promise.all(
      workers.map((worker) => {
        worker.postMessage(steps);
        return once(worker, 'message');
      }),
    );
    const seconds = (performance.now() - start) / 1e3;
    let [sum, fired] = [0, 0];
    for (const each of spikes) {
      sum += each;
      if (each > 0) fired++;
    }
    process.stdout.write(`${seconds} ${sum} ${fired}\n`);
  }
  for (const worker of workers) await worker.terminate();
}

if (isMainThread) await main(Number(process.argv[2]), Number(process.argv[3]));
else work(workerData);
