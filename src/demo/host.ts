// What this page can run on: the browser's GPU, or the processor. It asks for the device, so that the picture and the
// simulation share it; which neurons run there is not its affair.

/** What was found, and why the page uses it, in words. */
export interface Host {
  /** The GPU; none is the processor. */
  device?: GPUDevice;
  readonly why: string;
  /** Whether the GPU is one in hardware. */
  readonly hardware: boolean;
  /** Its device; another one where that was lost. */
  again(): Promise<GPUDevice>;
}

export type Wanted = 'auto' | 'webgpu' | 'cpu';

/** Finds a GPU in hardware, or any where `wanted` names WebGPU. Where there is none, the processor is what is left. */
export async function openHost(wanted: Wanted): Promise<Host> {
  const none = (why: string): Host => ({ why, hardware: false, again: () => Promise.reject(new Error(why)) });
  if (wanted === 'cpu') return none('the processor was asked for');
  if (!navigator.gpu) return none('this browser has no WebGPU, so the processor does the work');
  const adapter = await find().catch(() => null);
  if (!adapter) return none('WebGPU finds no GPU here, so the processor does the work');
  const hardware = !adapter.info.isFallbackAdapter;
  if (!hardware && wanted === 'auto') return none('the only GPU here is one in software, slower than the processor');
  let lost = false;
  const open = async (found: GPUAdapter | null): Promise<GPUDevice> => {
    if (!found) throw new Error('WebGPU finds no GPU any more');
    const { maxStorageBufferBindingSize, maxBufferSize } = found.limits;
    const requiredLimits = { maxStorageBufferBindingSize, maxBufferSize };
    const device = await found.requestDevice({ label: 'somagpu page', requiredLimits });
    device.addEventListener('uncapturederror', ({ error }) => console.error(error.message));
    lost = false;
    device.lost.then(() => {
      lost = true;
    });
    host.device = device;
    return device;
  };
  const host: Host = {
    hardware,
    why: hardware ? 'a GPU in hardware' : 'WebGPU was asked for, in software',
    again: async () => (host.device && !lost ? host.device : open(await find())),
  };
  try {
    await open(adapter);
    return host;
  } catch {
    return none('the GPU gives no device, so the processor does the work');
  }
}

const find = () => navigator.gpu.requestAdapter({ powerPreference: 'high-performance' });
