// Where slices live: workers of Node or of a page, or the calling thread. It owns their start, their end and the way of
// calls and answers; what is called is slice.ts's. A worker keeps no process alive by itself, and one that dies is an
// error for whoever waits, never a hang.

import { DeviceLostError, NoBackendError, noRoom, SomaError } from './errors.ts';
import { workerSource } from './generated/worker.ts';
import { type Calls, Slices } from './slice.ts';
import type { Answered } from './worker.ts';

/** Calls to the slices of one thread; they are served in the order they come. */
export interface Thread {
  call<Name extends keyof Calls>(
    slice: number,
    name: Name,
    args: Parameters<Calls[Name]>,
    /** Memory of the arguments to move, not copy. */
    transfer?: ArrayBuffer[],
  ): Promise<ReturnType<Calls[Name]>>;
  /** Ends it; whoever still waits gets `reason`. */
  end(reason: Error): void;
}

/** Seconds a worker may be silent at first. Starting one takes some hundredths of one. */
const PATIENCE = 30;

/** How long the calling thread may compute before it lets others in, ms: half a frame of a page. */
const TURN = 8;

/** Serves calls on the calling thread, in turns. */
export class OwnThread implements Thread {
  #slices = new Slices();
  #last: Promise<unknown> = Promise.resolve();
  #ended: Error | undefined;
  #turn = performance.now();

  call<Name extends keyof Calls>(
    slice: number,
    name: Name,
    args: Parameters<Calls[Name]>,
  ): Promise<ReturnType<Calls[Name]>> {
    const serve = async () => {
      if (performance.now() - this.#turn > TURN) {
        await nextTurn();
        this.#turn = performance.now();
      }
      if (this.#ended) throw this.#ended;
      try {
        return this.#slices.serve({ slice, name, args }) as ReturnType<Calls[Name]>;
      } catch (error) {
        throw typed(error as Error);
      }
    };
    const result = this.#last.then(serve);
    this.#last = result.catch(() => {});
    return result;
  }

  end(reason: Error): void {
    this.#ended = reason;
    this.#slices = new Slices();
  }
}

/** Resolves when the event loop has been round: promises alone would keep it waiting. */
function nextTurn(): Promise<void> {
  if (typeof setImmediate === 'function') return new Promise((resolve) => setImmediate(resolve));
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(undefined);
  });
}

/** A worker as Node and pages have it in common. */
interface WorkerLike {
  postMessage(message: unknown, transfer: ArrayBuffer[]): void;
  terminate(): unknown;
  /** Node only: whether it keeps the process alive. */
  ref?(): void;
  unref?(): void;
}

interface Waiting {
  resolve: (result: never) => void;
  reject: (error: Error) => void;
}

/** Serves calls in a worker. */
export class WorkerThread implements Thread {
  readonly #worker: WorkerLike;
  readonly #waiting = new Map<number, Waiting>();
  #next = 0;
  #answered = false;
  readonly #url: string | URL | undefined;
  #silence: unknown;
  #ended: Error | undefined;

  /** @param url - where the worker's script is; by default it is made from its text */
  constructor(url: string | URL | undefined) {
    this.#url = url;
    const heard = (answered: Answered) => this.#answer(answered);
    this.#worker = start(url, heard, (how) => this.#die(how));
    this.#worker.unref?.();
    this.#listen();
  }

  // A script that loads but is none of ours would never answer. Only time in which the event loop goes round counts: what
  // a busy or stopped thread finds when it comes back is first the timer, then the answers that have long been there.
  #listen(rounds = PATIENCE): void {
    this.#silence = setTimeout(() => {
      if (rounds > 0) this.#listen(rounds - 1);
      else this.#die(`it has not answered for ${PATIENCE} s`);
    }, 1000);
    (this.#silence as { unref?: () => void }).unref?.();
  }

  #die(how: string): void {
    this.end(this.#answered ? lost(how) : cannotStart(how, this.#url));
  }

  call<Name extends keyof Calls>(
    slice: number,
    name: Name,
    args: Parameters<Calls[Name]>,
    transfer: ArrayBuffer[] = [],
  ): Promise<ReturnType<Calls[Name]>> {
    return new Promise((resolve, reject) => {
      if (this.#ended) {
        reject(this.#ended);
        return;
      }
      const id = this.#next++;
      this.#worker.postMessage({ id, request: { slice, name, args } }, transfer);
      this.#waiting.set(id, { resolve, reject });
      // Whoever awaits an answer wants the process to live until it is there.
      this.#worker.ref?.();
    });
  }

  #answer({ id, result, error }: Answered): void {
    this.#answered = true;
    clearTimeout(this.#silence as number);
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (this.#waiting.size === 0) this.#worker.unref?.();
    if (error) waiting?.reject(typed(error));
    else waiting?.resolve(result as never);
  }

  end(reason: Error): void {
    if (this.#ended) return;
    this.#ended = reason;
    clearTimeout(this.#silence as number);
    for (const { reject } of this.#waiting.values()) reject(reason);
    this.#waiting.clear();
    void this.#worker.terminate();
  }
}

const lost = (how: string) => new DeviceLostError(`a worker of the CPU path died: ${how}`);

const cannotStart = (how: string, url: string | URL | undefined) =>
  new NoBackendError(
    url
      ? `the CPU path cannot start a worker from workerUrl, ${url}: ${how}; give the address of the file of "somagpu/worker", one that worker-src of the page's Content-Security-Policy, if any, allows`
      : `the CPU path cannot start a worker: ${how}; where a Content-Security-Policy forbids blob: workers, serve the file of "somagpu/worker" and give its address as workerUrl`,
  );

/** What the engine's own code threw, as users know it. */
export const typed = (thrown: { name: string; message: string }): Error =>
  noRoom(thrown) ?? new SomaError(`the CPU path failed (please report this): ${thrown.name}: ${thrown.message}`);

function start(
  url: string | URL | undefined,
  onAnswer: (answered: Answered) => void,
  onDeath: (how: string) => void,
): WorkerLike {
  // Not imported: a page has no such module, and bundlers for pages would stumble over it.
  const node = globalThis.process?.getBuiltinModule?.('node:worker_threads');
  const name = 'somagpu';
  try {
    if (node) {
      const worker = url
        ? new node.Worker(new URL(url), { name })
        : new node.Worker(workerSource, { eval: true, name });
      worker.on('message', onAnswer);
      worker.on('messageerror', (error: Error) => onDeath(error.message));
      worker.on('error', (error: Error) => onDeath(error.message));
      worker.on('exit', (code: number) => onDeath(`it ended with code ${code}`));
      return worker;
    }
    const blob = url ?? URL.createObjectURL(new Blob([workerSource], { type: 'text/javascript' }));
    const worker = new Worker(blob, { name });
    worker.onmessage = ({ data }) => {
      // Not before it has started: some engines still need it then.
      if (!url) URL.revokeObjectURL(blob as string);
      onAnswer(data as Answered);
    };
    worker.onmessageerror = () => onDeath('it sent what cannot be read');
    worker.onerror = (event) => {
      event.preventDefault();
      onDeath(event.message || 'its script could not be loaded');
    };
    return worker;
  } catch (error) {
    throw cannotStart((error as Error).message, url);
  }
}

/** How many threads the machine runs at once. */
export function cores(): number {
  const os = globalThis.process?.getBuiltinModule?.('node:os');
  return os?.availableParallelism() ?? globalThis.navigator?.hardwareConcurrency ?? 1;
}
