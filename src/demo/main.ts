// Starts the page: what the address asks for, and what it offers to scripts that drive it.

import type { Wanted } from './host.ts';
import { followAddress, openKeep } from './keep.ts';
import { Page } from './page.ts';
import { MOST_UNITS, type Setup, STANDARD, standardOf } from './setup.ts';
import { readLink, refusalOf } from './share.ts';
import { openTabs } from './tabs.ts';

declare global {
  interface Window {
    page: Page;
  }
}

const find = (id: string) => document.getElementById(id) as HTMLElement;

/** How often what is around the page takes over what has changed, ms; browsers let an address change 100 times in 30 s. */
const FOLLOWED = 500;

const asked = new URLSearchParams(location.search);
const backend = asked.get('backend');
const wanted: Wanted = backend === 'webgpu' || backend === 'cpu' ? backend : 'auto';
const units = Number(asked.get('units'));
const given = Number.isInteger(units) && units > 0 && units <= MOST_UNITS;

/** The set-up of the address, or why there is none. */
async function linked(): Promise<{ setup?: Setup; refused?: string }> {
  const link = readLink(location.hash);
  if (!link || 'refused' in link) return link ?? {};
  const refused = await refusalOf(link.setup);
  return refused ? { refused } : link;
}

const { setup, refused } = await linked();
const page = new Page(setup ?? (given ? standardOf(units) : STANDARD), !given && !setup);
window.page = page;
if (refused) page.say(refused);

// A GPU in hardware starts with a million.
const sized: Parameters<Page['start']>[1] = (setup, { hardware }) => (hardware ? standardOf(2 ** 20) : setup);

let lab: Promise<(setup: Setup) => void> | undefined;

/** The lab is loaded when it is first looked at, and works only while it is. */
async function followLab(): Promise<void> {
  if (find('lab').hidden) return;
  lab ??= import('./lab-panel.ts').then(({ openLab }) => openLab(find('lab'), page));
  (await lab)(page.setup);
}

const tabs = openTabs(find('tabs'), () => void followLab());

async function surround(begun: Setup): Promise<void> {
  openKeep(find('keep'), page);
  const { openGallery } = await import('./gallery-panel.ts');
  const gallery = await openGallery(find('gallery'), page);
  // A link to a published experiment shows what is published of it.
  if (gallery.shown) tabs.show('gallery');
  let last = begun;
  setInterval(() => {
    if (page.setup === last) return;
    last = page.setup;
    followAddress(last);
    gallery.follow(last);
    void followLab();
  }, FOLLOWED);
  addEventListener('hashchange', async () => {
    const { hash } = location;
    const { setup, refused } = await linked();
    // There may be another by now.
    if (location.hash !== hash) return;
    if (setup) page.applySetup(setup);
    if (setup || refused) page.say(refused ?? '');
  });
}

page
  .start(wanted, sized)
  .then(surround)
  .catch((error) => page.say(error instanceof Error ? error.message : String(error)));
