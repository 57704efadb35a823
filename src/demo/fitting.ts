// How many neurons fit: a page that opens with more than the device has room for takes half as many, and so on; and a link
// whose set-up cannot be used gives way to the standard one. What the page does about too many later on is its own affair.

import { InputError, OutOfMemoryError } from '../index.ts';
import type { Host, Wanted } from './host.ts';
import { Live } from './live.ts';
import { type Setup, STANDARD } from './setup.ts';

/** A slow device is not given fewer neurons than these. */
export const FEWEST = 4096;

export const NO_ROOM = 'The device has no room for so many neurons';

/** Half as many neurons, the same one traced if it is still there. */
export function halved(setup: Setup): Setup {
  const units = Math.max(Math.floor(setup.units / 2), FEWEST);
  const { neuron } = setup.view;
  return { ...setup, units, view: { ...setup.view, neuron: neuron === null ? null : Math.min(neuron, units - 1) } };
}

/** Opens what is asked for, or what of it can be had: `say` tells of the difference. @throws what `Live.open` throws */
export async function openFitting(
  asked: (host: Host) => Setup,
  wanted: Wanted,
  say: (text: string) => void,
): Promise<Live> {
  let tried: Setup | undefined;
  const first = (host: Host) => {
    tried ??= asked(host);
    return tried;
  };
  for (;;) {
    try {
      return await Live.open(first, wanted);
    } catch (error) {
      // A link may want more than there is room for here, or what is wrong in some neurons only.
      if (error instanceof OutOfMemoryError && tried && tried.units > FEWEST) {
        tried = halved(tried);
        say(`${NO_ROOM}: ${tried.units.toLocaleString('en')} instead.`);
      } else if (error instanceof InputError && tried !== STANDARD) {
        tried = STANDARD;
        say(`The link cannot be used: ${error.message}`);
      } else throw error;
    }
  }
}
