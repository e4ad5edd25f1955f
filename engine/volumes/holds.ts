import { BerthError } from '../api/errors.ts';
import { isMounted, withAddress } from './options.ts';
import type { VolumePlaces } from './places.ts';
import type { VolumeRecord, VolumeRows } from './rows.ts';
import type { LocalOptions } from './types.ts';

/** Which runs of containers hold which volumes: one with options of mount(8) is mounted while somebody holds it. */
export function createHolds({ rows, places }: { readonly rows: VolumeRows; readonly places: VolumePlaces }) {
  const held = new Map<string, Set<string>>();
  const isHeld = (name: string) => [...held.values()].some((names) => names.has(name));

  function release(holder: string): boolean {
    const names = held.get(holder);
    if (names === undefined) return false;
    held.delete(holder);
    for (const name of names) {
      const record = rows.find(name);
      if (record !== undefined && isMounted(record.options) && !isHeld(name)) places.unmount(name);
    }
    return true;
  }

  function find(name: string): VolumeRecord {
    const record = rows.find(name);
    if (record !== undefined) return record;
    throw new BerthError('notFound', `get ${name}: no such volume`, { hint: 'berth volume ls' });
  }

  return {
    isHeld,
    release,
    async hold(names: readonly string[], holder: string): Promise<void> {
      if (names.length === 0) return;
      const settled = new Map<string, LocalOptions>();
      for (const name of names) settled.set(name, await withAddress(find(name).options));
      const own = held.get(holder) ?? new Set<string>();
      held.set(holder, own);
      try {
        for (const name of names) {
          const { options } = find(name);
          if (!places.has(name))
            throw new BerthError('notFound', `volume ${name}: its directory ${places.data(name)} is gone`, {
              hint: 'berth system check --repair makes an empty one',
            });
          own.add(name);
          places.mount(name, settled.get(name) ?? options);
        }
      } catch (error) {
        release(holder);
        throw error;
      }
    },
    /** Nothing is mounted but what those hold who run. */
    recover(running: ReadonlyMap<string, readonly string[]>): void {
      for (const [holder, names] of running) held.set(holder, new Set(names));
      for (const { name, options } of rows.all())
        if (isMounted(options) && !isHeld(name)) places.unmount(name);
    },
  };
}
