// A soma of one's own: four of Izhikevich's neurons side by side, each with its own numbers, on whatever runs here.
//   node --import tsx examples/own-soma.ts

import { readFile } from 'node:fs/promises';
import { Simulation } from 'somagpu';
import { defineSoma } from 'somagpu/define';

const text = await readFile(new URL('somas/izhikevich.wgsl', import.meta.url), 'utf8');
const Izhikevich = defineSoma<'a' | 'b' | 'c' | 'd' | 'peak', 'potential' | 'recovery'>(text, 'Izhikevich');

await using simulation = await Simulation.create({ dt: 0.1 });
const cells = simulation.add(Izhikevich, {
  name: 'cells',
  units: 4,
  parameters: { a: [0.02, 0.02, 0.02, 0.1], c: [-65, -55, -50, -65], d: [8, 4, 2, 2] },
  input: [{ kind: 'step', amplitude: 10, start: 20 }],
  record: { spikes: true },
});
await simulation.run(400);

const { times, neurons } = await cells.spikes();
for (const [neuron, pattern] of ['regular spiking', 'intrinsically bursting', 'chattering', 'fast spiking'].entries()) {
  const own = Array.from(times.filter((_, i) => neurons[i] === neuron));
  console.log(`${pattern}: ${own.map((time) => time.toFixed(1)).join(' ')} ms`);
}
