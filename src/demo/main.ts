// The placeholder of the demo page: one run of the engine, to show that it is there. The page itself comes later.

import { AdaptiveExponentialSoma, Simulation } from '../index.ts';

const status = document.querySelector('#status') as HTMLElement;
try {
  await using simulation = await Simulation.create({ dt: 0.1 });
  const cells = simulation.add(AdaptiveExponentialSoma, { units: 1000, input: [{ kind: 'constant', amplitude: 65 }] });
  await simulation.run(1000);
  const spikes = (await cells.spikeCounts()).reduce((sum, count) => sum + count, 0);
  status.textContent = `${spikes.toLocaleString('en')} spikes on ${simulation.adapter}.`;
} catch (error) {
  status.textContent = error instanceof Error ? error.message : String(error);
}
