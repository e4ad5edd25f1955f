import { BerthError } from '../api/errors.ts';
import type { Filters } from '../api/fields.ts';
import { passesLabels } from '../api/labels.ts';
import { unixMoment } from '../api/moment.ts';
import type { ContainersPruned } from '../api/wire/prune.ts';
import { writtenBytes } from '../archives/sizes.ts';
import { type Context, pathsOf } from './context.ts';
import { removeContainer } from './end.ts';
import { type ContainerRecord, exclusively, isActive } from './record.ts';

export type PruneApi = {
  /**
   * Removes all that don't run and that the filters choose: `label`, `label!`, and `until`, a moment or a length of time
   * before now that they were created before. Throws `invalid` on another filter.
   */
  prune(query: { readonly filter?: Filters | undefined }): Promise<ContainersPruned>;
};

const filters = ['label', 'label!', 'until'];

export function containerPrune(context: Context): PruneApi {
  const { store } = context;
  return {
    async prune({ filter = {} }) {
      const chosen = pruneFilter(filter);
      const removed: string[] = [];
      let bytes = 0;
      for (const record of store.all().filter(chosen)) {
        await exclusively(record, async () => {
          // Somebody may have started it, or removed it, since the list was made.
          if (store.byId(record.id) === undefined || isActive(record.life)) return;
          const written = await writtenBytes(pathsOf(context, record.id).upper);
          try {
            await removeContainer(context, record);
          } catch (error) {
            // One that can't be removed keeps none of the others; it is `dead` now.
            context.warn(`container ${record.id}: ${String(error)}`);
            return;
          }
          bytes += written;
          removed.push(record.id);
        });
      }
      context.events.record({
        type: 'container',
        action: 'prune',
        id: '',
        attributes: { reclaimed: String(bytes) },
      });
      return { ContainersDeleted: removed.length === 0 ? null : removed, SpaceReclaimed: bytes };
    },
  };
}

/** Labels and `until` as prunes take them (Engine API, ContainerPrune). Throws `invalid`. */
function pruneFilter(filter: Filters): (record: ContainerRecord) => boolean {
  for (const name of Object.keys(filter)) {
    if (!filters.includes(name))
      throw new BerthError('invalid', `invalid filter '${name}'`, {
        hint: `prune containers by ${filters.join(', ')}`,
      });
  }
  const { until = [] } = filter;
  if (until.length > 1)
    throw new BerthError('invalid', `more than one until filter specified: ${until.join(', ')}`);
  const before = until[0] === undefined ? Number.POSITIVE_INFINITY : Number(unixMoment(until[0])) * 1000;
  return (record) => {
    const labels = record.config.Labels ?? {};
    if (isActive(record.life) || Date.parse(record.createdAt) > before) return false;
    return passesLabels(labels, filter);
  };
}
