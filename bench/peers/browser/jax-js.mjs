// The work in jax-js, in two ways. `open` is how its users write an iteration: jit of several steps on one array a state.
// A kernel of jax-js has one output, so whatever two states need is a kernel of its own: about four a step. `openOneArray`
// has all states as rows of one array, so that all steps of a call are one kernel; each row makes the whole work for it.
// There is no lax.scan: steps are unrolled. As its documentation wants, calls are awaited regularly, or they pile up.

import { blockUntilReady, defaultDevice, init, jit, numpy as np } from '@jax-js/jax';

/** Steps in one call; spikes of a call are one word a neuron, exact in float32 and int32. */
const FUSED = 20;
/** Steps between two waits. */
const AWAITED = 40;

export async function open(work) {
  const advance = jit((v, w, counts, current) => {
    let words = np.zeros([work.neurons], { dtype: np.int32 });
    for (let step = 0; step < FUSED; step++) {
      let spike;
      [v, w, spike] = adex(v, w, current);
      const fired = spike.astype(np.int32);
      if (work.recording) words = words.add(fired.ref.mul(2 ** step));
      counts = counts.add(fired);
    }
    current.dispose();
    if (work.recording) return [v, w, counts, words];
    words.dispose();
    return [v, w, counts];
  });
  const states = () => [
    np.zeros([work.neurons]),
    np.zeros([work.neurons]),
    np.zeros([work.neurons], { dtype: np.int32 }),
  ];
  return contender(work, states, {
    call: ([v, w, counts], current) => {
      const [nextV, nextW, nextCounts, words] = advance(v, w, counts, current);
      return { states: [nextV, nextW, nextCounts], words };
    },
    counts: ([v, w, counts]) => {
      v.dispose();
      w.dispose();
      return counts.data();
    },
  });
}

export async function openOneArray(work) {
  const { neurons, recording } = work;
  const rows = recording ? 4 : 3;
  const advance = jit((all, current) => {
    let v = all.ref.slice(0);
    let w = all.ref.slice(1);
    let counts = all.slice(2);
    let words = np.zeros([neurons]);
    for (let step = 0; step < FUSED; step++) {
      let spike;
      [v, w, spike] = adex(v, w, current);
      if (recording) words = words.add(np.where(spike.ref, 2 ** step, 0));
      counts = counts.add(np.where(spike, 1, 0));
    }
    current.dispose();
    const row = np.arange(rows).reshape([rows, 1]);
    const rest = recording ? np.where(np.equal(row.ref, 2), counts, words) : counts;
    if (!recording) words.dispose();
    return np.where(np.equal(row.ref, 0), v, np.where(np.equal(row, 1), w, rest));
  });
  return contender(work, () => [np.zeros([rows, neurons])], {
    call: ([all], current) => {
      const next = advance(all, current);
      return { states: [next], words: recording ? next.ref.slice(3) : undefined };
    },
    counts: ([all]) => all.slice(2).data(),
  });
}

/** One step; takes v and w over, leaves current. */
function adex(v, w, current) {
  const slope = np.exp(v.ref.sub(20).mul(0.5)).mul(2).sub(v.ref).sub(w.ref.mul(0.5)).add(current.ref.mul(0.5));
  const risen = v.add(slope.mul(0.02));
  const spike = np.greater(risen.ref, 40);
  const reset = np.where(spike.ref, 19, risen);
  const adapted = w.ref.add(reset.ref.mul(0.5).sub(w).mul(0.001)).add(np.where(spike.ref, 7, 0));
  return [reset, adapted, spike];
}

async function contender({ neurons, recording, currents }, atRest, { call, counts }) {
  if (!(await init('webgpu')).includes('webgpu')) throw new Error('jax-js finds no WebGPU');
  defaultDevice('webgpu');
  const current = await blockUntilReady(np.array(currents));
  return {
    async run(steps) {
      let states = await blockUntilReady(atRest());
      const [spikeSteps, spikeNeurons] = [[], []];
      const begin = performance.now();
      for (let step = 0; step < steps; step += FUSED) {
        const made = call(states, current.ref);
        states = made.states;
        if (recording) decode(await made.words.data(), step, spikeSteps, spikeNeurons);
        else if ((step + FUSED) % AWAITED === 0) await blockUntilReady(states);
      }
      const result = await counts(states);
      const seconds = (performance.now() - begin) / 1e3;
      return { seconds, counts: result, recorded: recording ? spikeNeurons.length : undefined };
    },
    close: () => current.dispose(),
  };

  /** Pairs ordered by step, then neuron. */
  function decode(words, first, spikeSteps, spikeNeurons) {
    for (let step = 0; step < FUSED; step++) {
      const bit = 2 ** step;
      for (let j = 0; j < neurons; j++) {
        if (!(words[j] & bit)) continue;
        spikeSteps.push(first + step);
        spikeNeurons.push(j);
      }
    }
  }
}
