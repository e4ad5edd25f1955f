import { z } from 'zod';
import { BerthError } from '../api/errors.ts';
import type { RegistryLine, RegistryServeBody } from '../api/wire/registry.ts';
import type { HostedImages } from '../images/hosted/types.ts';
import { type Listener, listen } from './listener.ts';

/** The engine's own registry: its images over the OCI distribution protocol. */
export type Registry = AsyncDisposable & {
  /**
   * Serves for as long as the lines are read: the first says where, the others what is asked. Throws as `listen` does,
   * and `invalid` for a body that is none.
   */
  readonly serve: (body: unknown, signal: AbortSignal) => Promise<AsyncIterable<RegistryLine>>;
  /** Serves until the registry is disposed of. Gives the address. Throws as `listen` does. */
  readonly keepServing: (wanted: RegistryServeBody) => Promise<string>;
};

/** Of a reader that is slow, so many lines are kept. */
const MAX_WAITING = 1_000;
/** How often it is looked what need not be kept any longer. */
const COLLECT_EVERY_MS = 60 * 60_000;

const shape = z.strictObject({
  Address: z.string().max(100).optional(),
  Port: z.int().min(0).max(65_535).optional(),
  Cert: z.string().optional(),
  Key: z.string().optional(),
  Passwords: z.string().optional(),
  ReadOnly: z.boolean().optional(),
  Insecure: z.boolean().optional(),
});

/** Opens it; nothing listens yet. */
export function openRegistry(parts: {
  readonly hosted: HostedImages;
  readonly warn: (message: string) => void;
}): Registry {
  const kept: Listener[] = [];
  const timer = setInterval(() => parts.hosted.collect(), COLLECT_EVERY_MS).unref();
  return {
    serve: async (body, signal) => {
      const lines = openQueue<RegistryLine>(signal);
      const listener = await listen(readBody(body), { ...parts, onAccess: lines.add });
      return read(listener, lines.items);
    },
    keepServing: async (wanted) => {
      const listener = await listen(wanted, { ...parts, onAccess: () => undefined });
      kept.push(listener);
      return listener.url;
    },
    [Symbol.asyncDispose]: async () => {
      clearInterval(timer);
      for (const listener of kept) await listener[Symbol.asyncDispose]();
    },
  };
}

async function* read(listener: Listener, lines: AsyncIterable<RegistryLine>): AsyncGenerator<RegistryLine> {
  await using _ = listener;
  yield { listening: listener.url };
  yield* lines;
}

function readBody(body: unknown): RegistryServeBody {
  const parsed = shape.safeParse(body);
  if (parsed.success) return parsed.data as RegistryServeBody;
  const issue = parsed.error.issues[0];
  throw new BerthError('invalid', `invalid ${issue?.path.join('.') || 'body'}: ${issue?.message}`);
}

/** What is added until the signal fires; of what nobody has read the oldest goes. */
function openQueue<T>(signal: AbortSignal) {
  const waiting: T[] = [];
  let wake = () => {};
  signal.addEventListener('abort', () => wake(), { once: true });
  async function* items(): AsyncGenerator<T> {
    while (!signal.aborted) {
      const next = waiting.shift();
      if (next !== undefined) yield next;
      else
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
    }
  }
  return {
    add: (item: T) => {
      waiting.push(item);
      if (waiting.length > MAX_WAITING) waiting.shift();
      wake();
    },
    items: items(),
  };
}
