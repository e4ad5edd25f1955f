import { setTimeout as delay } from 'node:timers/promises';
import { BerthError } from '../../engine/api/errors.ts';
import type { EventMessage } from '../../engine/api/wire.ts';
import type { Client } from '../../engine/client/index.ts';
import { type ListedContainer, listContainer, sortContainers } from '../lists/containers.ts';
import type { Model } from '../model.ts';

/** More changed containers than this, and all are listed. */
const MAX_ASKED_BY_ID = 30;
/** Happens often, and changes nothing that is shown. */
const UNSEEN = /^(exec_|attach|detach|resize|top|copy|archive-path|extract-to-dir|export|mount|unmount|sync)/;

/** What an event says about a container's state. */
const stateAfter: Readonly<Record<string, (state: string) => boolean>> = {
  die: (state) => state !== 'running' && state !== 'paused',
  died: (state) => state !== 'running' && state !== 'paused',
  pause: (state) => state !== 'running',
  unpause: (state) => state !== 'paused',
};
/** dockerd tells of a death before its list knows of it: the list is asked again after so long. */
const RECHECK_MS = [30, 60, 120, 240, 480, 960] as const;

export type Update = (change: (model: Model) => Model) => void;

export type Refresher = {
  /** Asks for everything. Throws what the engine answers. */
  all(): Promise<void>;
  /** Notes what an event has changed; it is asked for at once, or right after what is being asked now. */
  saw(event: EventMessage): void;
};

/** Brings what events have changed into the model, with one small list call for all that changed meanwhile. */
export function createRefresher(options: {
  readonly client: Client;
  readonly update: Update;
  readonly signal: AbortSignal;
  /** What went wrong while it refreshed by itself. */
  readonly onError: (error: unknown) => void;
}): Refresher {
  const { client, update, signal, onError } = options;
  const changed = new Set<string>();
  const sinceMs = new Map<string, number>();
  const expected = new Map<string, { readonly holds: (state: string) => boolean; tries: number }>();
  let imagesChanged = false;
  let byId = true;
  let isRefreshing = false;

  function listed(summary: ListedContainer['summary'], nowMs: number, model: Model): ListedContainer {
    const before = model.containers?.find((container) => container.summary.Id === summary.Id);
    return listContainer(summary, nowMs, before, sinceMs.get(summary.Id));
  }

  async function allContainers(): Promise<void> {
    const summaries = await client.call('containerList', { all: true }, { signal });
    const nowMs = Date.now();
    update((model) => {
      const before = new Map(model.containers?.map((one) => [one.summary.Id, one]));
      const containers = summaries.map((summary) =>
        listContainer(summary, nowMs, before.get(summary.Id), sinceMs.get(summary.Id)),
      );
      return { ...model, nowMs, containers: sortContainers(containers) };
    });
    recheck(summaries);
  }

  async function someContainers(ids: ReadonlySet<string>): Promise<void> {
    const summaries = await client.call('containerList', { all: true, filter: { id: [...ids] } }, { signal });
    const nowMs = Date.now();
    update((model) => {
      const fresh = new Map(
        summaries
          .filter((summary) => ids.has(summary.Id))
          .map((summary) => [summary.Id, listed(summary, nowMs, model)] as const),
      );
      const kept = (model.containers ?? []).flatMap((container) => {
        const { Id: id } = container.summary;
        if (!ids.has(id)) return [container];
        const changed = fresh.get(id);
        fresh.delete(id);
        return changed === undefined ? [] : [changed];
      });
      return { ...model, nowMs, containers: sortContainers([...fresh.values(), ...kept]) };
    });
    recheck(summaries);
    for (const id of ids) if (!summaries.some((summary) => summary.Id === id)) sinceMs.delete(id);
  }

  function recheck(summaries: readonly ListedContainer['summary'][]): void {
    for (const { Id: id, State: state } of summaries) {
      const expectation = expected.get(id);
      const waitMs = RECHECK_MS[expectation?.tries ?? 0];
      if (expectation === undefined || expectation.holds(state) || waitMs === undefined) {
        expected.delete(id);
        continue;
      }
      expectation.tries += 1;
      const again = () => {
        changed.add(id);
        void refresh();
      };
      // Aborted where the connection has ended: then all is listed anew.
      void delay(waitMs, undefined, { signal }).then(again, () => undefined);
    }
  }

  async function containers(ids: ReadonlySet<string>): Promise<void> {
    if (!byId || ids.size > MAX_ASKED_BY_ID) return allContainers();
    try {
      await someContainers(ids);
    } catch (error) {
      // An engine that can't filter by id has to list all.
      if (!(error instanceof BerthError) || error.code !== 'invalid') throw error;
      byId = false;
      await allContainers();
    }
  }

  async function images(): Promise<void> {
    const list = await client.call('imageList', {}, { signal });
    update((model) => ({ ...model, nowMs: Date.now(), images: list }));
  }

  async function refresh(): Promise<void> {
    if (isRefreshing) return;
    isRefreshing = true;
    try {
      while (changed.size > 0 || imagesChanged) {
        const ids = new Set(changed);
        const withImages = imagesChanged;
        changed.clear();
        imagesChanged = false;
        await Promise.all([ids.size > 0 ? containers(ids) : undefined, withImages ? images() : undefined]);
      }
    } catch (error) {
      onError(error);
    } finally {
      isRefreshing = false;
    }
  }

  return {
    async all() {
      await Promise.all([allContainers(), images()]);
    },
    saw(event) {
      const action = event.Action ?? event.status ?? '';
      if (UNSEEN.test(action)) return;
      const id = event.Actor?.ID ?? event.id;
      if (event.Type === 'container' && id) {
        changed.add(id);
        const holds = stateAfter[action];
        if (holds === undefined) expected.delete(id);
        else expected.set(id, { holds, tries: 0 });
        // An event has the exact moment; the list has a text like «Up 3 hours».
        if (/^(start|die|died)$/.test(action) && event.timeNano > 0) sinceMs.set(id, event.timeNano / 1e6);
      } else if (event.Type === 'image') imagesChanged = true;
      void refresh();
    },
  };
}
