import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { makeOwnNull } from '../host/null-device.ts';
import type { ImageUser } from '../images/types.ts';
import { containerArchives } from './archive.ts';
import { containerChecks } from './check.ts';
import { containerCommit } from './commit.ts';
import type { Context } from './context.ts';
import { createContainer } from './create.ts';
import { containerExec } from './exec.ts';
import { openExecStore } from './exec-store.ts';
import { handleExit, watchExits } from './exits.ts';
import { monitorHealth } from './health.ts';
import { openHealthStore } from './health-store.ts';
import { readMachine } from './host-config/machine.ts';
import { makeInitLayer } from './init-layer.ts';
import { containerLife } from './life.ts';
import { logRotation } from './log-rotation.ts';
import { containerNetworking } from './networking.ts';
import { containerPause } from './pause.ts';
import { containerPrune } from './prune.ts';
import { containerQueries } from './queries.ts';
import { isActive, openContainerStore } from './record.ts';
import { recoverContainers } from './recover.ts';
import { containerLinks } from './remove.ts';
import { containerRename } from './rename.ts';
import { startWithEngine } from './restarts.ts';
import { containerStats } from './stats.ts';
import { attachContainer, readLogs } from './streams.ts';
import { containerTop } from './top.ts';
import type { Containers } from './types.ts';
import { containerUpdate } from './update.ts';

export type ContainersOptions = Omit<
  Context,
  'store' | 'record' | 'machine' | 'execs' | 'health' | 'nullDevice'
> & {
  readonly database: Parameters<typeof openContainerStore>[0];
};

/** The containers of an engine, recovered and watched; `close` stops watching and leaves them running. */
export async function openContainers(options: ContainersOptions): Promise<
  Containers & {
    close(): void;
    /** Which containers use an image. */
    usersOf(imageId: string): readonly ImageUser[];
  }
> {
  const store = openContainerStore(options.database);
  const execs = openExecStore();
  const nullDevice = makeOwnNull(options.root);
  // What an earlier engine's execs left; those that go on need none of it.
  await rm(join(options.runDir, 'execs'), { recursive: true, force: true });
  const context: Context = {
    ...options,
    machine: readMachine(options.cgroups),
    store,
    execs,
    health: openHealthStore(options.database),
    nullDevice,
    record(record, action, attributes = {}) {
      if (action === 'start') rotation.begin(record);
      if (action === 'die') rotation.end(record);
      if (action === 'die') execs.forgetUnstarted(record.id);
      if (action === 'destroy') execs.forgetAll(record.id);
      options.events.record({
        type: 'container',
        action,
        id: record.id,
        attributes: { ...record.config.Labels, ...attributes, image: record.imageName, name: record.name },
      });
      health.notice(record, action);
    },
  };
  const rotation = logRotation(context);
  const health = monitorHealth(context);
  makeInitLayer(context);
  await recoverContainers(context);
  const watcher = watchExits(context);
  for (const record of store.active())
    if (record.life.status === 'running') await handleExit(context, record.id);
  const starting = startWithEngine(context);
  for (const record of store.all()) if (record.life.status === 'running') rotation.begin(record);
  for (const record of store.active()) health.resume(record);

  return {
    close() {
      watcher.close();
      starting.close();
      for (const record of store.all()) clearTimeout(record.backoff);
      rotation.close();
      execs.close();
      health.close();
    },
    usersOf: (imageId) =>
      store
        .all()
        .filter((record) => record.imageId === imageId)
        .map((record) => ({ containerId: record.id, running: isActive(record.life) })),

    async create(body, query) {
      const { record, warnings } = await createContainer(context, body, query);
      return { Id: record.id, Warnings: warnings };
    },

    ...containerQueries(context),
    ...containerLife(context),
    ...containerExec(context),
    ...containerStats(context),
    ...containerTop(context),
    ...containerNetworking(context),
    ...containerPause(context),
    ...containerRename(context),
    ...containerLinks(context),
    ...containerPrune(context),
    ...containerArchives(context),
    ...containerUpdate(context),
    ...containerChecks(context),
    ...containerCommit(context),
    logs: (name, query, signal) => readLogs(context, store.find(name), query, signal),
    attach: (name, query) => attachContainer(context, store.find(name), query),
  };
}
