import { setTimeout as delay } from 'node:timers/promises';
import { BerthError } from '../api/errors.ts';
import { type Answer, mayPass } from './http.ts';
import type { RegistryLimits } from './settings.ts';

/** Statuses that a registry or what stands before it sends when it is overrun or being restarted. */
export const PASSING: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504]);
/** However long a registry asks to be left alone. */
const MAX_WAIT_MS = 30_000;

/**
 * Sends a request anew while it fails in a way that may pass: 429 and 5xx, cut connections, timeouts. Waits twice
 * as long each time, or as long as `Retry-After` says. Gives the last answer when it has no tries left.
 */
export async function retrying(
  send: () => Promise<Answer>,
  options: { readonly limits: RegistryLimits; readonly signal: AbortSignal },
): Promise<Answer> {
  const { limits, signal } = options;
  for (let attempt = 0; ; attempt += 1) {
    const last = attempt >= limits.retries;
    let retryAfter: string | undefined;
    try {
      const answer = await send();
      if (last || !PASSING.has(answer.status)) return answer;
      retryAfter = answer.header('retry-after');
      answer.discard();
    } catch (error) {
      if (last || !mayPass(error)) throw error;
    }
    await backOff(attempt, { limits, signal, retryAfter });
  }
}

/** Waits before the retry after failure number `attempt`, which counts from 0. */
export async function backOff(
  attempt: number,
  options: {
    readonly limits: RegistryLimits;
    readonly signal: AbortSignal;
    readonly retryAfter?: string | undefined;
  },
): Promise<void> {
  const { limits, signal, retryAfter } = options;
  const asked = retryAfterMs(retryAfter);
  const own = limits.backoffMs * 2 ** attempt * (0.75 + Math.random() / 2);
  const wait = Math.min(MAX_WAIT_MS, Math.max(asked, own));
  try {
    await delay(wait, undefined, { signal });
  } catch (error) {
    throw new BerthError('cancelled', 'the transfer was cancelled', { cause: error });
  }
}

/** `Retry-After`: seconds, or a date (RFC 9110, 10.2.3). What is neither counts as nothing. */
function retryAfterMs(header: string | undefined): number {
  if (header === undefined) return 0;
  const ms = /^\d+$/.test(header.trim()) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isFinite(ms) ? Math.max(0, ms) : 0;
}
