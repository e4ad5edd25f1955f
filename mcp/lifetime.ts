import { setTimeout as delay } from 'node:timers/promises';
import { BerthError, toBerthError } from '../engine/api/errors.ts';
import type { CreateContainerBody } from '../engine/api/wire.ts';
import { bareName, shortId } from './names.ts';
import { pullWithProgress } from './pull.ts';
import type { Call } from './tool.ts';

const CLEANUP_MS = 15_000;
/** How long a call waits for an engine that went away under it, and how often it looks. */
const COMEBACK_MS = 5000;
const RETRY_MS = 200;

/**
 * Creates the container, and pulls its image first where it is missing. A create that was sent is waited for
 * even when the call is cancelled: cut off, it would leave a container that nobody knows of.
 */
export async function createWithImage(
  wanted: { readonly image: string; readonly name: string | undefined; readonly body: CreateContainerBody },
  call: Call,
): Promise<string> {
  const attempt = async () => {
    call.signal.throwIfAborted();
    return (await call.engine.call('containerCreate', { name: wanted.name }, { body: wanted.body })).Id;
  };
  try {
    return await attempt();
  } catch (error) {
    // 404 is also a network that isn't there; dockerd, podman and berth all name the image when it is that.
    const { code, message } = toBerthError(error);
    if (code !== 'notFound' || !/image/i.test(message)) throw error;
  }
  await pullWithProgress({ image: wanted.image }, call);
  return await attempt();
}

export async function nameOf(
  id: string,
  given: string | undefined,
  { engine, signal }: Call,
): Promise<string> {
  return bareName(given ?? (await engine.call('containerInspect', { id }, { signal })).Name);
}

/** Waits until the container ends; undefined, with the container killed, when that takes longer than allowed. */
export async function waitForEnd(
  id: string,
  timeoutSeconds: number,
  call: Call,
): Promise<number | undefined> {
  const timeout = AbortSignal.timeout(timeoutSeconds * 1000);
  const signal = AbortSignal.any([call.signal, timeout]);
  try {
    return await exitCodeOf(id, { ...call, signal });
  } catch (error) {
    if (call.signal.aborted || !timeout.aborted) throw error;
  }
  await call.engine.act('containerKill', { id }, { signal: call.signal }).catch((error: unknown) => {
    // It may have ended by itself meanwhile.
    if (toBerthError(error).code !== 'conflict') throw error;
  });
  await exitCodeOf(id, call);
  return undefined;
}

/**
 * Waits for a container's end, over the end of the engine too: its containers go on, and it knows how they ended
 * when it is back. Throws `unavailable` when it does not come back soon.
 */
async function exitCodeOf(id: string, { engine, signal, progress }: Call): Promise<number> {
  let lostAt: number | undefined;
  for (;;) {
    try {
      return (await engine.call('containerWait', { id, condition: 'not-running' }, { signal })).StatusCode;
    } catch (error) {
      const { code, message } = toBerthError(error);
      if (signal.aborted || code !== 'unavailable') throw error;
      lostAt ??= Date.now();
      if (Date.now() - lostAt > COMEBACK_MS) {
        const hint = `when it is back, container_inspect ${shortId(id)} tells what became of the container`;
        throw new BerthError('unavailable', `the engine went away: ${message}`, { hint, cause: error });
      }
    }
    progress.report('the engine went away, waiting for it');
    await delay(RETRY_MS, undefined, { signal });
  }
}

/** Stops and removes what a call started. Not bound to the call's signal: that one is why it is done. */
export async function discard(id: string, { engine, log }: Call): Promise<void> {
  try {
    const signal = AbortSignal.timeout(CLEANUP_MS);
    await engine.act('containerRemove', { id, force: true, volumes: true }, { signal });
  } catch (error) {
    const { code, message } = toBerthError(error);
    if (code !== 'notFound') log(`could not remove container ${shortId(id)}: ${message}`);
  }
}
