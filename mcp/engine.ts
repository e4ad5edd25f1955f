import { BerthError, isErrno } from '../engine/api/errors.ts';
import { type OperationId, operations } from '../engine/api/operations.ts';
import { type Client, chunksOf } from '../engine/client/index.ts';
import type { Engine } from './tool.ts';

/**
 * An engine that may come and go while the server stays. Nothing is connected before the first call, so that a
 * client can list tools at once; and where nobody listens any more, `connect` is asked again, which starts the
 * engine where that is the front end's to do. Asked twice is only what never reached an engine, and what only
 * reads (RFC 9110, 9.2.2): a kept connection may turn out to be that of an engine that has just ended.
 */
export function lastingEngine(connect: () => Promise<Client>): Engine & { close(): void } {
  let current: Promise<Client> | undefined;

  function connected(): Promise<Client> {
    const attempt = current ?? connect();
    current = attempt;
    attempt.catch(() => {
      if (current === attempt) current = undefined;
    });
    return attempt;
  }

  async function ask<T>(id: OperationId, question: (client: Client) => Promise<T>): Promise<T> {
    const attempt = connected();
    try {
      return await question(await attempt);
    } catch (error) {
      if (!mayAskAgain(id, error)) throw error;
      if (current === attempt) current = undefined;
      return await question(await connected());
    }
  }

  return {
    call: (id, input, options) => ask(id, (client) => client.call(id, input, options)),
    act: (id, input, options) => ask(id, (client) => client.act(id, input, options)),
    logs: (input, options) =>
      ask('containerLogs', async (client) =>
        chunksOf(await client.bytes('containerLogs', input, options), client.host),
      ),
    async *lines(id, input, options) {
      const { lines, first } = await ask(id, async (client) => {
        const lines = client.lines(id, input, options);
        return { lines, first: await lines.next() };
      });
      try {
        for (let next = first; !next.done; next = await lines.next()) yield next.value;
      } finally {
        await lines.return(undefined);
      }
    },
    close() {
      current?.then((client) => client.close()).catch(() => {});
      current = undefined;
    },
  };
}

function mayAskAgain(id: OperationId, error: unknown): boolean {
  if (!(error instanceof BerthError) || error.code !== 'unavailable') return false;
  const is = (code: string) => isErrno(error.cause, code);
  if (is('ENOENT') || is('ECONNREFUSED')) return true;
  return operations[id].method === 'GET' && (is('ECONNRESET') || is('EPIPE'));
}
