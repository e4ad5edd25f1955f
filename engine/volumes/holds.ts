import { BerthError } from '../api/errors.ts';
import { isMounted } from './options.ts';
import type { VolumePlaces } from './places.ts';
import type { VolumeRows } from './rows.ts';

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

  return {
    isHeld,
    release,
    hold(names: readonly string[], holder: string): void {
      if (names.length === 0) return;
      const own = held.get(holder) ?? new Set<string>();
      held.set(holder, own);
      try {
        for (const name of names) {
          const record = rows.find(name);
          if (record === undefined)
            throw new BerthError('notFound', `get ${name}: no such volume`, { hint: 'berth volume ls' });
          own.add(name);
          places.mount(name, record.options);
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
