// What this page can run on: the browser's GPU, or the processor. It asks for the device, so that the picture and the
// simulation share it; which neurons run there is not its affair.

/** What was found, and why the page uses it, in words. */
export interface Host {
  readonly device?: GPUDevice;
  readonly why: string;
  /** Whether the GPU is one in hardware. */
  readonly hardware: boolean;
}

export type Wanted = 'auto' | 'webgpu' | 'cpu';

/** Finds a GPU in hardware, or any where `wanted` names WebGPU. Where there is none, the processor is what is left. */
export async function openHost(wanted: Wanted): Promise<Host> {
  const none = (why: string): Host => ({ why, hardware: false });
  if (wanted === 'cpu') return none('the processor was asked for');
  if (!navigator.gpu) return none('this browser has no WebGPU, so the processor does the work');
  const adapter = await navigator.gpu.requestAdapter({ powerPreference: 'high-performance' }).catch(() => null);
  if (!adapter) return none('WebGPU finds no GPU here, so the processor does the work');
  const hardware = !adapter.info.isFallbackAdapter;
  if (!hardware && wanted === 'auto') return none('the only GPU here is one in software, slower than the processor');
  const { maxStorageBufferBindingSize, maxBufferSize } = adapter.limits;
  const requiredLimits = { maxStorageBufferBindingSize, maxBufferSize };
  try {
    const device = await adapter.requestDevice({ label: 'somagpu page', requiredLimits });
    device.addEventListener('uncapturederror', ({ error }) => console.error(error.message));
    return { device, hardware, why: hardware ? 'a GPU in hardware' : 'WebGPU was asked for, in software' };
  } catch {
    return none('the GPU gives no device, so the processor does the work');
  }
}
