import { posix } from 'node:path';
import { BerthError } from '../../api/errors.ts';
import type { HostConfig, MountPoint } from '../../api/wire.ts';
import { tmpfsOptions } from '../../runtime/mounts.ts';
import { anonymousVolume } from './anonymous.ts';
import { parseBind, parseMode } from './bind-text.ts';
import { readMount } from './mount-object.ts';
import type { ContainerMount } from './types.ts';

/**
 * What will be mounted into a new container: of other containers, then its own, which take the place of theirs; and a
 * volume at each path of `volumes`, the image's and the client's, where nothing else is. `mountsOf` gives those of
 * another container. Throws `invalid`, `unsupported`, and what `mountsOf` does.
 */
export function settleMounts(
  host: HostConfig,
  volumes: readonly string[],
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
  for (const path of volumes) {
    const volume = anonymousVolume(
      path,
      (why) =>
        new BerthError('invalid', `invalid volume: '${path}': ${why}`, { hint: 'write /container/path' }),
    );
    const taken = mounts.has(volume.destination) || all.includes(volume.destination);
    if (!taken) mounts.set(volume.destination, volume);
  }
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
  return mountsOf(container).map((mount) => {
    const readOnly = mount.readOnly || words.includes('ro');
    return mount.type === 'volume' ? { ...mount, readOnly, copies: false } : { ...mount, readOnly };
  });
}

/** A mount as inspect shows it; `mountpoint` tells where a volume is. */
export function mountView(mount: ContainerMount, mountpoint: (name: string) => string): MountPoint {
  const { destination, readOnly } = mount;
  if (mount.type === 'volume')
    return {
      Type: 'volume',
      Name: mount.name,
      Source: mountpoint(mount.name),
      Destination: destination,
      Driver: 'local',
      Mode: mount.mode || (mount.anonymous ? '' : 'z'),
      RW: !readOnly,
      Propagation: '',
    };
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
