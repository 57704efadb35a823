// What runs in a worker, of Node or of a page: it serves calls to its slices, one after the other. It is bundled into a
// text at build time (src/generated/worker.ts), because a worker that is a file of its own would not survive bundlers.

import { type Request, Slices } from './slice.ts';

/** @internal A call on its way to a worker. */
export interface Asked {
  id: number;
  request: Request;
}

/** @internal Its answer: what it gave, or the error's name and message. */
export interface Answered {
  id: number;
  result?: unknown;
  error?: { name: string; message: string };
}

interface Port {
  postMessage(message: Answered, transfer: ArrayBuffer[]): void;
}

type Threads = { parentPort: Port & { on(event: string, listener: (asked: Asked) => void): void } };
const node = globalThis.process?.getBuiltinModule?.('node:worker_threads') as Threads | undefined;
const port: Port = node?.parentPort ?? (globalThis as unknown as Port);
const slices = new Slices();

function answer({ id, request }: Asked): void {
  try {
    const result = slices.serve(request);
    port.postMessage({ id, result }, buffersIn(result));
  } catch (error) {
    // SpiderMonkey throws a bare string where memory ends.
    const { name = 'RangeError', message = String(error) } = error as Partial<Error>;
    port.postMessage({ id, error: { name, message } }, []);
  }
}

/** The memory of the arrays in a result, all of it made for the result: moved, not copied. */
function buffersIn(result: unknown): ArrayBuffer[] {
  const parts =
    Array.isArray(result) || ArrayBuffer.isView(result) ? [result].flat() : Object.values(result ?? {}).flat();
  return parts.filter((part) => ArrayBuffer.isView(part)).map((part) => part.buffer as ArrayBuffer);
}

// Nobody would be answered: better to die, and be heard of.
const unreadable = () => {
  throw new Error('a call came that cannot be read');
};

if (node) {
  node.parentPort.on('message', answer);
  node.parentPort.on('messageerror', unreadable);
} else {
  addEventListener('message', ({ data }) => answer(data as Asked));
  addEventListener('messageerror', unreadable);
}
