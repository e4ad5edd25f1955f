import { mkdirSync, readdirSync, readFileSync, renameSync, statSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { BerthError, isErrno } from '../api/errors.ts';
import { mount, unmount } from '../host/syscalls.ts';
import { isMounted, mountRequest } from './options.ts';
import type { LocalOptions } from './types.ts';

/** Where volumes are on the disk: `<root>/NAME/_data`, and what is being removed below `<root>/.removing`. */
export type VolumePlaces = {
  directory(name: string): string;
  /** Where its files are. */
  data(name: string): string;
  /** Names of all that there are directories for. */
  names(): readonly string[];
  has(name: string): boolean;
  make(name: string): void;
  /** Takes it all away; it is out of sight at once. Throws `conflict` where something is mounted on it. */
  remove(name: string): Promise<void>;
  /** Empties it. */
  clear(name: string): Promise<void>;
  isEmpty(name: string): boolean;
  isMounted(name: string): boolean;
  /** Where the files of volumes are that are being removed. */
  removing(): readonly string[];
  /** Throws `unavailable` with the kernel's word. */
  mount(name: string, options: LocalOptions): void;
  /** Does nothing where nothing is mounted. */
  unmount(name: string): void;
  /** Goes on with removals that were not finished. */
  sweep(): Promise<void>;
};

export function openPlaces(root: string): VolumePlaces {
  const removing = join(root, '.removing');
  mkdirSync(removing, { recursive: true, mode: 0o700 });
  const directory = (name: string) => join(root, name);
  const data = (name: string) => join(root, name, '_data');
  let removed = 0;

  const makeData = (name: string) => mkdirSync(data(name), { recursive: true, mode: 0o755 });
  const places: VolumePlaces = {
    directory,
    data,
    names: () => readdirSync(root).filter((name) => name !== '.removing'),
    has: (name) => statSync(data(name), { throwIfNoEntry: false }) !== undefined,
    make: makeData,
    async remove(name) {
      places.unmount(name);
      if (!places.has(name)) return;
      // What is mounted is not the engine's to remove.
      for (const target of mountsBelow(data(name)))
        throw new BerthError('conflict', `remove ${name}: something is mounted on ${target}`, {
          hint: `umount ${target}`,
        });
      removed += 1;
      const out = join(removing, `${process.pid}-${removed}-${name}`.slice(0, 255));
      renameSync(directory(name), out);
      await rm(out, { recursive: true, force: true });
    },
    async clear(name) {
      makeData(name);
      for (const entry of readdirSync(data(name))) await rm(join(data(name), entry), { recursive: true });
    },
    isMounted: (name) => mountsBelow(data(name)).includes(data(name)),
    removing: () => readdirSync(removing).map((name) => join(removing, name)),
    isEmpty: (name) => readdirSync(data(name)).length === 0,
    mount(name, options) {
      if (!isMounted(options) || places.isMounted(name)) return;
      const { flags, ...request } = mountRequest(options);
      const target = data(name);
      try {
        mount({ ...request, target, flags });
        // A bind takes its other flags only from a remount (mount(2)).
        if (flags.includes('bind') && flags.some((flag) => flag !== 'bind' && flag !== 'rec'))
          mount({ target, flags: [...flags.filter((flag) => flag !== 'rec'), 'remount'] });
      } catch (error) {
        places.unmount(name);
        throw new BerthError(
          'unavailable',
          `failed to mount local volume: mount ${request.source}:${target}, data: ${request.data}: ${(error as NodeJS.ErrnoException).code}`,
          {
            hint: isErrno(error, 'ENODEV')
              ? `the kernel has no file system ${request.type}: modprobe ${request.type}`
              : `berth volume inspect ${name} shows its options`,
            cause: error,
          },
        );
      }
    },
    unmount(name) {
      try {
        unmount(data(name), { detach: true });
      } catch (error) {
        // EINVAL: not a mount.
        if (!isErrno(error, 'EINVAL') && !isErrno(error, 'ENOENT')) throw error;
      }
    },
    sweep: () =>
      rm(removing, { recursive: true, force: true }).then(() => void mkdirSync(removing, { mode: 0o700 })),
  };
  return places;
}

/** Where something is mounted at a path or below it; proc_pid_mounts(5). */
function mountsBelow(path: string): readonly string[] {
  return readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) =>
      (line.split(' ')[1] ?? '').replace(/\\([0-7]{3})/g, (_all, digits: string) =>
        String.fromCharCode(Number.parseInt(digits, 8)),
      ),
    )
    .filter((target) => target === path || target.startsWith(`${path}/`));
}
