import { checkOptions } from './options.ts';
import type { VolumePlaces } from './places.ts';
import type { VolumeRecord, VolumeRows } from './rows.ts';
import type { VolumeKeeper, VolumeWish } from './types.ts';

/**
 * Volumes on behalf of containers that are being created. Several may want one that isn't there yet: it stays when
 * one of them is kept, and goes when none is.
 */
export function createClaims(parts: {
  readonly rows: VolumeRows;
  readonly places: VolumePlaces;
  readonly made: (record: VolumeRecord) => void;
  readonly remove: (record: VolumeRecord) => Promise<void>;
}): Pick<VolumeKeeper, 'claim' | 'fill'> & { isClaimed(name: string): boolean } {
  const { rows, places } = parts;
  const counts = new Map<string, number>();
  /** Ends the last piece of work on a volume's content. */
  const queues = new Map<string, Promise<unknown>>();

  const count = (name: string, by: number) => {
    const left = (counts.get(name) ?? 0) + by;
    if (left > 0) counts.set(name, left);
    else counts.delete(name);
  };

  const make = ({ name, options = {}, labels = {} }: VolumeWish) => {
    const createdAt = new Date().toISOString();
    const record: VolumeRecord = { name, options: checkOptions(options), labels, createdAt, state: 'new' };
    rows.add(record);
    places.make(name);
    parts.made(record);
  };

  async function letGo(names: readonly string[]): Promise<void> {
    for (const name of names) count(name, -1);
    for (const name of names) {
      const record = rows.find(name);
      if (record?.state === 'new' && !counts.has(name)) await parts.remove(record);
    }
  }

  async function fillNow(name: string, work: (directory: string) => Promise<void>): Promise<void> {
    const record = rows.find(name);
    if (record === undefined || !places.isEmpty(name)) return;
    const before = record.state;
    // One that is `new` goes as a whole.
    if (before === 'ready') rows.setState(record, 'filling');
    try {
      await work(places.directory(name));
    } catch (error) {
      await places.clear(name);
      throw error;
    } finally {
      if (before === 'ready') rows.setState(record, 'ready');
    }
  }

  return {
    isClaimed: (name) => counts.has(name),
    fill(name, work) {
      const result = (queues.get(name) ?? Promise.resolve()).then(() => fillNow(name, work));
      const over = result
        .catch(() => undefined)
        .then(() => {
          if (queues.get(name) === over) queues.delete(name);
        });
      queues.set(name, over);
      return result;
    },
    async claim(wishes) {
      const names = [...new Set(wishes.map(({ name }) => name))];
      for (const name of names) count(name, 1);
      try {
        for (const wish of wishes) if (rows.find(wish.name) === undefined) make(wish);
      } catch (error) {
        await letGo(names);
        throw error;
      }
      return {
        keep() {
          for (const name of names) {
            const record = rows.find(name);
            if (record?.state === 'new') rows.markReady(record);
          }
        },
        [Symbol.asyncDispose]: () => letGo(names),
      };
    },
  };
}
