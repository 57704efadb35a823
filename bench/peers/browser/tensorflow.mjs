// The work in TensorFlow.js: every operation is a kernel, so the fewest operations are the fastest. Potentials are counted
// in spike slopes from the rheobase threshold, y = (v - 20) / 2, and adaptation as u = w / 4: the same law without the
// multiplications that units cost. Constants are tensors made once; a step is one tidy, and nothing is awaited between.

import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-core/dist/public/chained_ops/register_all_chained_ops.js';
import '@tensorflow/tfjs-backend-webgpu';

export async function open({ neurons, recording, currents }) {
  if (recording) throw new Error('TensorFlow.js is measured counting only');
  if (!(await tf.setBackend('webgpu'))) throw new Error('TensorFlow.js finds no WebGPU');
  await tf.ready();
  // dy = 0.02 (-(y + 10) + exp(y) - u + I/4), du = 0.001 (y/4 + 2.5 - u) + 7/4 at a spike.
  const drive = tf.tidy(() => tf.tensor1d(currents).mul(0.25).sub(10));
  const [dt, quarter, middle, forgotten] = [0.02, 0.25, 2.5, 0.001].map((value) => tf.scalar(value));
  const [threshold, jump] = [10, 1.75].map((value) => tf.scalar(value));
  // A scalar would be made an array in each step.
  const reset = tf.fill([neurons], -0.5);
  const constants = [drive, dt, quarter, middle, forgotten, threshold, jump, reset];
  const advance = (y, u, counts) => {
    const risen = y.add(y.exp().sub(y).add(drive).sub(u).mul(dt));
    const spike = risen.greater(threshold);
    const fired = spike.cast('float32');
    const next = tf.where(spike, reset, risen);
    const adapted = u.add(next.mul(quarter).add(middle).sub(u).mul(forgotten)).add(fired.mul(jump));
    return [next, adapted, counts.add(fired)];
  };
  return {
    async run(steps) {
      let states = [tf.fill([neurons], -10), tf.zeros([neurons]), tf.zeros([neurons])];
      await states[2].data();
      const begin = performance.now();
      for (let step = 0; step < steps; step++) {
        const next = tf.tidy(() => advance(...states));
        tf.dispose(states);
        states = next;
      }
      const counts = await states[2].data();
      const seconds = (performance.now() - begin) / 1e3;
      tf.dispose(states);
      return { seconds, counts };
    },
    close: () => tf.dispose(constants),
  };
}
