// Which GPU a page or process has, and whether it is one. The path that is chosen by it is loaded later.

/** Whether an adapter is the processor in disguise; browsers told by the adapter itself before they had `info`. */
export const isSoftware = (adapter: GPUAdapter): boolean =>
  adapter.info?.isFallbackAdapter ?? (adapter as { isFallbackAdapter?: boolean }).isFallbackAdapter ?? false;

/** The adapter a page has, if any. */
export async function adapterHere(): Promise<GPUAdapter | null | undefined> {
  return globalThis.navigator?.gpu?.requestAdapter({ powerPreference: 'high-performance' });
}

/** An adapter of the host's, or what finds one. */
export type GivenAdapter = GPUAdapter | null | (() => Promise<GPUAdapter | null>);

/** The adapter that was given, or is found now. */
export const given = async (adapter: GivenAdapter | undefined): Promise<GPUAdapter | null | undefined> =>
  typeof adapter === 'function' ? adapter() : adapter;
