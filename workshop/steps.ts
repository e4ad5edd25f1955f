import { setTimeout as delay } from 'node:timers/promises';
import { styleText } from 'node:util';
import { BerthError } from '../engine/api/errors.ts';
import { formatSize } from '../engine/api/sizes.ts';
import type { ContainerInspect, EventMessage } from '../engine/api/wire.ts';
import type { Client } from '../engine/client/index.ts';

export type Steps = AsyncDisposable & {
  /** Settles when the last step has been told, or soon after where it never comes. */
  readonly finish: () => Promise<void>;
};

/** The last step comes at most so long after the container's end: events take their own way. */
const LAST_EVENT_MS = 2_000;

/**
 * Tells the five steps of `berth run` (docs/life-of-a-run.md) as they happen, from the engine's events and what
 * `inspect` says. `container` is the name that the container will have.
 */
export async function tellSteps(options: {
  readonly client: Client;
  readonly container: string;
  readonly image: string;
  readonly say: (line: string) => void;
}): Promise<Steps> {
  const { client, container, image } = options;
  const startedMs = performance.now();
  const tell = (step: string, text: string) => {
    const name = styleText('bold', step.padEnd(17), { stream: process.stdout });
    const ms = String(Math.round(performance.now() - startedMs)).padStart(6);
    options.say(`${name}${styleText('dim', `${ms} ms`, { stream: process.stdout })}  ${text}`);
  };
  let pulled = false;

  /** `there` says that it was in the store already: then there is no event for it. */
  async function tellPull(there: boolean): Promise<void> {
    if (pulled) return;
    pulled = true;
    const { RootFS, Size, Architecture } = await client.call('imageInspect', { name: image });
    const layers = RootFS.Layers.length === 1 ? '1 layer' : `${RootFS.Layers.length} layers`;
    const how = there ? ', pulled before' : '';
    tell('1 pull', `${image}: ${layers}, ${formatSize(Size)} for ${Architecture}${how}`);
  }

  /** The container may have ended, and be removed, before we ask: then there is less to tell. */
  async function inspect(id: string): Promise<ContainerInspect | undefined> {
    try {
      return await client.call('containerInspect', { id });
    } catch (error) {
      if (error instanceof BerthError && error.code === 'notFound') return undefined;
      throw error;
    }
  }

  /** Whether that was the last. */
  async function tellEvent(event: EventMessage): Promise<boolean> {
    if (event.Type === 'image' && event.Action === 'pull') await tellPull(false);
    if (event.Type !== 'container' || event.Actor.Attributes.name !== container) return false;
    if (event.Action === 'create') {
      await tellPull(true);
      tell('2 create', `container ${event.Actor.ID.slice(0, 12)}, named ${container}`);
    }
    if (event.Action !== 'start') return false;
    const found = await inspect(event.Actor.ID);
    const upper = found?.GraphDriver.Data?.UpperDir;
    tell('3 writable layer', `an overlay on the image${upper === undefined ? '' : `: ${upper}`}`);
    const [network] = Object.entries(found?.NetworkSettings.Networks ?? {});
    const address = network?.[1].IPAddress;
    tell('4 network', address ? `${address} on ${network?.[0]}, gateway ${network?.[1].Gateway}` : 'bridge');
    const pid = found?.State.Pid ? `, process ${found.State.Pid} of this machine` : '';
    tell('5 start', `${[found?.Path ?? 'top', ...(found?.Args ?? [])].join(' ')}${pid}`);
    return true;
  }

  const stop = new AbortController();
  // With a moment to start from nothing is missed, however late the engine takes the request.
  const since = (Date.now() / 1000).toFixed(3);
  const events = client.lines('events', { since }, { signal: stop.signal });
  const told = (async () => {
    try {
      for await (const event of events) if (await tellEvent(event)) return;
    } catch (error) {
      if (!stop.signal.aborted) throw error;
    }
  })();
  return {
    finish: () => Promise.race([told, delay(LAST_EVENT_MS, undefined, { ref: false })]),
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await told;
    },
  };
}
