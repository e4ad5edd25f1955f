import { setTimeout as delay } from 'node:timers/promises';
import { BerthError, toBerthError } from '../../engine/api/errors.ts';
import type { VersionInfo } from '../../engine/api/wire.ts';
import type { Client } from '../../engine/client/index.ts';
import { cleanText } from '../text/clean.ts';
import { createRefresher, type Update } from './refresh.ts';

/** Between attempts to reach the engine: quick at first; a restarted engine is seen within a second. */
const RETRY_MS = [50, 100, 200, 400, 500] as const;
/** Events from this long before the first list are asked for too: none may fall between the two. */
const OVERLAP_S = 2;

/**
 * Keeps the model in step with the engine: lists once, then follows events. When the connection is lost it
 * says so, keeps what it knows, and tries again until the signal.
 */
export async function watchEngine(options: {
  readonly client: Client;
  readonly update: Update;
  readonly signal: AbortSignal;
}): Promise<void> {
  const { client, update, signal } = options;
  let attempt = 0;
  while (!signal.aborted) {
    try {
      await watchOnce(client, update, signal, () => {
        attempt = 0;
      });
    } catch (thrown) {
      if (signal.aborted) return;
      const error = toBerthError(thrown);
      update((model) => ({
        ...model,
        connection: { status: 'lost', message: error.message, hint: error.hint },
      }));
    }
    const waitMs = RETRY_MS[Math.min(attempt, RETRY_MS.length - 1)];
    attempt += 1;
    await delay(waitMs, undefined, { signal }).catch(() => undefined);
  }
}

/** One connection's life. Always ends with a throw. */
async function watchOnce(
  client: Client,
  update: Update,
  signal: AbortSignal,
  onConnected: () => void,
): Promise<never> {
  const ended = new AbortController();
  const both = AbortSignal.any([signal, ended.signal]);
  const failed = Promise.withResolvers<never>();
  // Whoever waits below may be gone by the time it fails.
  failed.promise.catch(() => undefined);
  try {
    const refresher = createRefresher({
      client,
      update,
      signal: both,
      onError(error) {
        if (isLost(error)) failed.reject(error);
        else if (!both.aborted) showError(update, error);
      },
    });
    const since = String(Math.floor(Date.now() / 1000) - OVERLAP_S);
    const events = client.lines(
      'events',
      { since, filter: { type: ['container', 'image'] } },
      { signal: both },
    );
    const followed = (async (): Promise<never> => {
      for await (const event of events) refresher.saw(event);
      throw new BerthError('unavailable', 'the engine closed the connection');
    })();
    followed.catch(failed.reject);
    const [version] = await Promise.race([
      Promise.all([client.call('version', {}, { signal: both }), refresher.all()]),
      failed.promise,
    ]);
    onConnected();
    update((model) => ({
      ...model,
      connection: { status: 'connected', engine: engineName(version) },
      notice:
        model.connection.status === 'lost'
          ? { kind: 'info', text: 'connected again', hint: undefined }
          : model.notice,
    }));
    return await failed.promise;
  } finally {
    ended.abort();
  }
}

function isLost(error: unknown): boolean {
  return error instanceof BerthError && (error.code === 'unavailable' || error.code === 'cancelled');
}

/** Puts what went wrong, and what to do, on the screen. */
export function showError(update: Update, thrown: unknown, prefix = ''): void {
  const error = toBerthError(thrown);
  if (error.code === 'cancelled') return;
  const notice = { kind: 'error', text: prefix + error.message, hint: error.hint } as const;
  update((model) => ({ ...model, notice }));
}

function engineName(version: VersionInfo): string {
  // dockerd calls its main component «Engine», podman «Podman Engine»; podman's platform is the machine's.
  const component = version.Components?.[0]?.Name ?? '';
  const name = component.replace(/ ?Engine$/, '') || (version.Platform?.Name.split(' ')[0] ?? '');
  return cleanText(`${name || 'Docker'} ${version.Version}`);
}
