import { boolean } from '../fields.ts';
import type { Volume, VolumeCreateBody, VolumeList, VolumesPruned } from '../wire/volumes.ts';
import { operation } from './define.ts';
import { shared } from './shared.ts';

/** Volumes: directories that outlive the containers that use them. */
export const volumeOperations = {
  volumeCreate: operation<Volume, VolumeCreateBody>()({
    summary: 'Create a volume',
    route: 'POST /volumes/create',
    body: 'json',
  }),
  volumeList: operation<VolumeList>()({
    summary: 'List volumes',
    route: 'GET /volumes',
    query: { filter: shared.filter },
  }),
  volumePrune: operation<VolumesPruned>()({
    summary: 'Remove volumes that no container has: those without a name, or all of them',
    route: 'POST /volumes/prune',
    query: { filter: shared.filter },
  }),
  volumeInspect: operation<Volume>()({
    summary: 'Show all about a volume',
    route: 'GET /volumes/{name*}',
    query: { size: boolean('Show what it takes, and how many containers have it', { short: 's' }) },
  }),
  volumeRemove: operation()({
    summary: 'Remove a volume and all that is in it',
    route: 'DELETE /volumes/{name*}',
    query: { force: boolean('Say nothing of one that is not there', { short: 'f' }) },
    answer: 'none',
  }),
};
