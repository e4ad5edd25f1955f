import type { Socket } from 'node:net';
import type { StreamFrame } from '../api/multiplex.ts';

/** Where output comes from. What nobody wants is read all the same, so that its writer is not held up. */
export type OutputSource = {
  readonly stream: StreamFrame['stream'];
  readonly socket: Socket;
  readonly wanted: boolean;
};

/** How long after the process's end its output is waited for, where something it left behind holds it open: as docker. */
const LINGER_MS = 2_000;

/**
 * The output of a process, in the order in which it comes, read no faster than it is consumed. It ends once the
 * process has ended and all it wrote was given. `discard` drops the rest instead; may come at any time.
 */
export function readOutput(
  sources: readonly OutputSource[],
  processEnded: Promise<unknown>,
): { readonly output: AsyncIterable<StreamFrame>; discard(): void } {
  const open = new Set(sources.filter(({ wanted }) => wanted));
  let hasEnded = false;
  let discarding = false;
  let wake = () => {};

  for (const source of sources) {
    const { socket } = source;
    const close = () => {
      open.delete(source);
      wake();
    };
    // EIO: the last program on a terminal has ended.
    socket.on('error', () => socket.destroy());
    socket.on('end', close).on('close', close);
    if (source.wanted) socket.on('readable', () => wake());
    else socket.resume();
  }
  const end = () => {
    hasEnded = true;
    for (const { socket, wanted } of sources) if (!wanted) socket.destroy();
    if (discarding) closeAll();
    wake();
  };
  processEnded.then(end, end);

  function closeAll(): void {
    for (const { socket } of sources) socket.destroy();
  }

  async function* output(): AsyncGenerator<StreamFrame> {
    try {
      for (;;) {
        let given = false;
        for (const { stream, socket } of [...open]) {
          const data = socket.read() as Buffer | null;
          if (data === null) continue;
          given = true;
          yield { stream, data };
        }
        if (given) continue;
        if (open.size === 0 && hasEnded) return;
        if (discarding) return;
        if (!(await woken())) return;
      }
    } finally {
      discard();
    }
  }

  /** False when the process has ended, and nothing came for a while. */
  async function woken(): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const timer = hasEnded ? setTimeout(() => resolve(false), LINGER_MS) : undefined;
    wake = () => resolve(true);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      wake = () => {};
    }
  }

  function discard(): void {
    if (discarding) return;
    discarding = true;
    if (hasEnded) closeAll();
    else for (const { socket } of sources) socket.removeAllListeners('readable').resume();
    wake();
  }

  return { output: output(), discard };
}
