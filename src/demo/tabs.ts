// Tabs beside the sheet, as WAI-ARIA's pattern for them has it: one panel is shown, arrows go from tab to tab. What is in
// the panels is their owners' affair, who are told when one is shown.

/** The tabs of a list, made to work. */
export interface Tabs {
  /** Shows a panel, by its id. */
  show(panel: string): void;
}

/** @param onShow - told the id of a panel when it is shown, the first one too */
export function openTabs(list: HTMLElement, onShow: (panel: string) => void): Tabs {
  const tabs = [...list.querySelectorAll<HTMLElement>('[role=tab]')];
  const panelOf = (tab: HTMLElement) => tab.getAttribute('aria-controls') as string;
  const show = (panel: string): void => {
    for (const tab of tabs) {
      const chosen = panelOf(tab) === panel;
      tab.setAttribute('aria-selected', String(chosen));
      // One stop for the Tab key; from there the arrows go on.
      tab.tabIndex = chosen ? 0 : -1;
      (document.getElementById(panelOf(tab)) as HTMLElement).hidden = !chosen;
    }
    onShow(panel);
  };
  const go = (index: number): void => {
    const tab = tabs.at(index % tabs.length) as HTMLElement;
    show(panelOf(tab));
    tab.focus();
  };
  const keys: Record<string, (index: number) => number> = {
    ArrowRight: (index) => index + 1,
    ArrowLeft: (index) => index - 1,
    Home: () => 0,
    End: () => -1,
  };
  for (const [index, tab] of tabs.entries()) {
    tab.addEventListener('click', () => show(panelOf(tab)));
    tab.addEventListener('keydown', (event) => {
      const to = keys[event.key];
      if (!to || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      go(to(index));
    });
  }
  show(panelOf(tabs[0] as HTMLElement));
  return { show };
}
