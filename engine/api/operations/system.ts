import { boolean, list } from '../fields.ts';
import type { CheckLine } from '../wire/check.ts';
import type { BuildCachePruned, DiskUsage } from '../wire/disk-usage.ts';
import type { EventMessage, SystemInfo, VersionInfo } from '../wire.ts';
import { operation } from './define.ts';
import { shared } from './shared.ts';

/** The engine itself. */
export const systemOperations = {
  ping: operation<string>()({
    summary: 'Ask whether the engine answers',
    route: 'GET /_ping',
    answer: 'bytes',
  }),
  version: operation<VersionInfo>()({
    summary: 'Show the versions of the engine and its parts',
    route: 'GET /version',
  }),
  info: operation<SystemInfo>()({ summary: 'Show what the engine runs on and holds', route: 'GET /info' }),
  diskUsage: operation<DiskUsage>()({
    summary: 'Show what the engine holds on the disk',
    route: 'GET /system/df',
    query: { type: list('Count only these: container, image, volume, build-cache') },
  }),
  systemCheck: operation<CheckLine>()({
    summary: 'Look at every blob, layer, row and directory, and repair what is broken',
    route: 'POST /system/check',
    query: { repair: boolean('Repair what can be repaired') },
    answer: 'lines',
  }),
  buildPrune: operation<BuildCachePruned>()({
    summary: 'Remove what builds have left to be reused',
    route: 'POST /build/prune',
    query: { filter: shared.filter },
  }),
  events: operation<EventMessage>()({
    summary: 'Follow what happens in the engine',
    route: 'GET /events',
    query: { since: shared.since, until: shared.until, filter: shared.filter },
    answer: 'lines',
  }),
};
