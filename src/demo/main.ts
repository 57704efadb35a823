// Starts the page: what the address asks for, and what it offers to scripts that drive it.

import type { Wanted } from './host.ts';
import { Page } from './page.ts';
import { MOST_UNITS, STANDARD } from './setup.ts';

declare global {
  interface Window {
    page: Page;
  }
}

const asked = new URLSearchParams(location.search);
const backend = asked.get('backend');
const wanted: Wanted = backend === 'webgpu' || backend === 'cpu' ? backend : 'auto';
const units = Number(asked.get('units'));
const given = Number.isInteger(units) && units > 0 && units <= MOST_UNITS;

const page = new Page(given ? { ...STANDARD, units } : STANDARD, !given);
window.page = page;

// A GPU in hardware starts with a million.
const sized: Parameters<Page['start']>[1] = (setup, { hardware }) => (hardware ? { ...setup, units: 2 ** 20 } : setup);
page.start(wanted, sized).catch((error) => {
  const note = document.querySelector('#note') as HTMLElement;
  note.textContent = error instanceof Error ? error.message : String(error);
});
