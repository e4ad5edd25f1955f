import { BerthError } from '../api/errors.ts';
import type { ContainerSummary } from '../api/wire.ts';
import { writtenBytes } from '../archives/sizes.ts';
import { type Context, pathsOf } from './context.ts';
import { filterContainers, looksAtAll } from './filter.ts';
import { isPaused } from './pause.ts';
import type { ContainerRecord } from './record.ts';
import type { Containers } from './types.ts';
import { inspectionOf, summaryOf } from './views.ts';

const SHORT_ID = 12;

/** Questions about containers that change nothing. */
export function containerQueries(context: Context): Pick<Containers, 'list' | 'inspect' | 'count'> {
  const { store } = context;
  return {
    async list({ all, limit = 0, size = false, filter = {} }) {
      const imageName = imageNames(context);
      const summarize = (record: ContainerRecord) => summaryOf(context, record, imageName(record));
      const passes = filterContainers({ ...context, summarize }, filter);
      const everything = all === true || limit > 0 || looksAtAll(filter);
      const found = (everything ? store.all() : store.active()).filter(passes).reverse();
      const rows: ContainerSummary[] = [];
      for (const record of limit > 0 ? found.slice(0, limit) : found)
        rows.push({ ...summarize(record), ...(size ? shownSizes(await sizesOf(context, record)) : {}) });
      return rows;
    },

    async inspect(name, { size = false } = {}) {
      const record = store.find(name);
      const sizes = size ? await sizesOf(context, record) : {};
      return { ...inspectionOf(context, record), ...sizes };
    },

    count() {
      const active = store.active();
      const paused = active.filter(isPaused).length;
      return { running: active.length - paused, paused, stopped: store.size() - active.length };
    },
  };
}

async function sizesOf(context: Context, record: ContainerRecord) {
  const SizeRw = await writtenBytes(pathsOf(context, record.id).upper);
  return { SizeRw, SizeRootFs: SizeRw + context.images.resolve(record.imageId).sizeBytes };
}

/** In a list dockerd leaves out a size of nothing. */
function shownSizes({ SizeRw, SizeRootFs }: Awaited<ReturnType<typeof sizesOf>>): Partial<ContainerSummary> {
  return { ...(SizeRw > 0 ? { SizeRw } : {}), ...(SizeRootFs > 0 ? { SizeRootFs } : {}) };
}

/** The name that a container's image still has, else its id, as docker's `ps` shows it. Each looked up once. */
function imageNames(context: Context): (record: ContainerRecord) => string {
  const ids = new Map<string, string | undefined>();
  return ({ imageName, imageId }) => {
    if (!ids.has(imageName)) ids.set(imageName, imageIdOf(context, imageName));
    return ids.get(imageName) === imageId ? imageName : imageId.replace('sha256:', '').slice(0, SHORT_ID);
  };
}

function imageIdOf(context: Context, name: string): string | undefined {
  try {
    return context.images.resolve(name).id;
  } catch (error) {
    if (error instanceof BerthError) return undefined;
    throw error;
  }
}
