// somagpu doing the work of the browser's benchmark, on WebGPU where the page has it.

import { AdaptiveExponentialSoma, Simulation } from '../../src/index.ts';
import { DT } from '../work.ts';
import type { Asked, Contender } from './work.ts';

export async function open({ neurons, recording, currents }: Asked): Promise<Contender> {
  const adapter = await navigator.gpu?.requestAdapter();
  const simulation = await Simulation.create({ dt: DT, backend: adapter ? 'webgpu' : 'cpu' });
  const cells = simulation.add(AdaptiveExponentialSoma, {
    units: neurons,
    input: [{ kind: 'constant', amplitude: currents }],
    record: { spikes: recording },
  });
  return {
    async run(steps) {
      simulation.reset();
      const begin = performance.now();
      await simulation.run(steps * DT);
      const recorded = recording ? (await cells.spikes()).neurons.length : 0;
      const counts = await cells.spikeCounts();
      return { seconds: (performance.now() - begin) / 1e3, counts, recorded };
    },
    close: () => simulation.dispose(),
  };
}
