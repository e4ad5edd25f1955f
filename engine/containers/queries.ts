import { BerthError } from '../api/errors.ts';
import type { Context } from './context.ts';
import { filterContainers } from './filter.ts';
import type { ContainerRecord } from './record.ts';
import type { Containers } from './types.ts';
import { inspectionOf, summaryOf } from './views.ts';

const SHORT_ID = 12;

/** Questions about containers that change nothing. */
export function containerQueries(context: Context): Pick<Containers, 'list' | 'inspect' | 'count'> {
  const { store } = context;
  return {
    async list({ all, limit = 0, filter = {} }) {
      const passes = filterContainers(store, filter, (name) => imageIdOf(context, name));
      const everything = all === true || limit > 0 || 'status' in filter || 'exited' in filter;
      const found = store
        .all()
        .filter((record) => (everything || record.life.status === 'running') && passes(record))
        .reverse();
      return (limit > 0 ? found.slice(0, limit) : found).map((record) =>
        summaryOf(context, record, imageNameOf(context, record)),
      );
    },

    inspect: async (name) => inspectionOf(context, store.find(name)),

    count() {
      const running = store.all().filter((record) => record.life.status === 'running').length;
      return { running, paused: 0, stopped: store.all().length - running };
    },
  };
}

/** The name that the image still has, else its id, as docker's `ps` shows it. */
function imageNameOf(context: Context, record: ContainerRecord): string {
  return imageIdOf(context, record.imageName) === record.imageId
    ? record.imageName
    : record.imageId.replace('sha256:', '').slice(0, SHORT_ID);
}

function imageIdOf(context: Context, name: string): string | undefined {
  try {
    return context.images.resolve(name).id;
  } catch (error) {
    if (error instanceof BerthError) return undefined;
    throw error;
  }
}
