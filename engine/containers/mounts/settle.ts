import { posix } from 'node:path';
import { BerthError } from '../../api/errors.ts';
import type { HostConfig, MountPoint } from '../../api/wire.ts';
import { tmpfsOptions } from '../../runtime/mounts.ts';
import { parseBind, parseMode } from './bind-text.ts';
import { readMount } from './mount-object.ts';
import type { ContainerMount } from './types.ts';

/**
 * What will be mounted into a new container: of other containers, then its own, which take the place of theirs.
 * `mountsOf` gives those of another container. Throws `invalid`, `unsupported`, and what `mountsOf` does.
 */
export function settleMounts(
  host: HostConfig,
  mountsOf: (container: string) => readonly ContainerMount[],
): readonly ContainerMount[] {
  const own = [...(host.Binds ?? []).map(parseBind), ...(host.Mounts ?? []).map(readMount)];
  const memory = Object.entries(host.Tmpfs ?? {}).map(([path, options]) => readTmpfs(path, options));
  const all = [...own.map(({ destination }) => destination), ...memory.map(({ destination }) => destination)];
  const twice = all.find((destination, index) => all.indexOf(destination) < index);
  if (twice !== undefined) throw new BerthError('invalid', `Duplicate mount point: ${twice}`);
  const mounts = new Map<string, ContainerMount>();
  for (const text of host.VolumesFrom ?? [])
    for (const mount of mountsFrom(text, mountsOf)) mounts.set(mount.destination, mount);
  for (const mount of own) mounts.set(mount.destination, mount);
  return [...mounts.values()];
}

/** What stands in `Tmpfs` of a HostConfig. Throws `invalid`. */
export function readTmpfs(path: string, options: string) {
  if (!path.startsWith('/')) {
    throw new BerthError('invalid', `invalid mount path: '${path}' mount path must be absolute`, {
      hint: 'write /path[:OPTIONS]',
    });
  }
  const destination = posix.resolve(path);
  if (destination === '/') throw new BerthError('invalid', "invalid specification: destination can't be '/'");
  const words = options.split(',').filter((word) => word !== '');
  tmpfsOptions(words);
  return { destination, options: words };
}

/** Reads `CONTAINER[:MODE]`. */
function mountsFrom(
  text: string,
  mountsOf: (container: string) => readonly ContainerMount[],
): readonly ContainerMount[] {
  const [container = '', mode = ''] = text.split(/:(.*)/s);
  if (container === '')
    throw new BerthError('invalid', `malformed volumes-from specification: '${text}'`, {
      hint: 'write CONTAINER[:ro]',
    });
  const words = parseMode(mode);
  if (words === undefined || words.some((word) => !['ro', 'rw', 'z', 'Z'].includes(word)))
    throw new BerthError('invalid', `invalid mode: ${mode}: '${text}'`, { hint: 'write CONTAINER[:ro]' });
  return mountsOf(container).map((mount) => ({
    ...mount,
    readOnly: mount.readOnly || words.includes('ro'),
  }));
}

/** A mount as inspect shows it. */
export function mountView(mount: ContainerMount): MountPoint {
  const { destination, readOnly } = mount;
  const [source, mode, propagation] =
    mount.type === 'bind' ? [mount.source, mount.mode, mount.propagation] : ['', '', ''];
  return {
    Type: mount.type,
    Source: source,
    Destination: destination,
    Mode: mode,
    RW: !readOnly,
    Propagation: propagation,
  };
}
