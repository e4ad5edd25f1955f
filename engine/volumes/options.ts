import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { BerthError } from '../api/errors.ts';
import type { MountFlag } from '../host/syscalls.ts';
import type { LocalOptions } from './types.ts';

/** What the local driver takes, and what each needs beside it (moby, volume/local). */
const needed: Readonly<Record<string, readonly string[]>> = {
  type: ['device'],
  device: ['type'],
  o: ['device', 'type'],
};

/** Words of mount(8) that are flags of mount(2), and those that take one back. */
const flags: Readonly<Record<string, MountFlag>> = {
  ro: 'ro',
  nosuid: 'nosuid',
  nodev: 'nodev',
  noexec: 'noexec',
  noatime: 'noatime',
  relatime: 'relatime',
  bind: 'bind',
};
const opposites: Readonly<Record<string, MountFlag>> = {
  rw: 'ro',
  suid: 'nosuid',
  dev: 'nodev',
  exec: 'noexec',
  atime: 'noatime',
};
/** Of mount(8) alone: the kernel never hears of them. */
const unheard = ['defaults', 'async', 'auto', 'noauto', 'user', 'nouser', '_netdev', 'nofail'];

/** Checks options of the local driver. Throws `invalid` with the name of the one that is wrong. */
export function checkOptions(options: LocalOptions): LocalOptions {
  for (const [name, value] of Object.entries(options)) {
    if (name === 'size')
      throw new BerthError(
        'unsupported',
        `volume option size=${value} is not supported: a directory has no quota`,
        {
          hint: 'for a volume in memory: -o type=tmpfs -o device=tmpfs -o o=size=100m',
        },
      );
    if (!Object.hasOwn(needed, name))
      throw new BerthError('invalid', `invalid option: "${name}" (${name}=${value})`, {
        hint: `a volume takes type, device and o: what mount(8) calls an option goes there, as -o o=${name}=${value}`,
      });
    if (value.includes('\0'))
      throw new BerthError('invalid', `invalid option: "${name}" holds a null byte`, {
        hint: 'write a path',
      });
  }
  for (const [name, others] of Object.entries(needed)) {
    if (!options[name]) continue;
    for (const other of others)
      if (!options[other])
        throw new BerthError('invalid', `missing required option: "${other}"`, {
          hint: `${name}=${options[name]} needs ${others.join(' and ')} beside it: ${exampleOf(options)}`,
        });
  }
  return options;
}

/** All three options together, as the type that was given has them. */
function exampleOf({ type = '' }: LocalOptions): string {
  if (type === 'tmpfs') return '-o type=tmpfs -o device=tmpfs -o o=size=100m';
  if (remote.includes(type)) return `-o type=${type} -o device=:/export -o o=addr=10.0.0.2`;
  return '-o type=none -o device=/srv/data -o o=bind';
}

/** Whether a volume with these options is something that is mounted, and not the engine's own directory. */
export function isMounted(options: LocalOptions): boolean {
  return Boolean(options.type);
}

/** File systems of other machines, whose address the kernel wants as a number. */
const remote = ['nfs', 'nfs4', 'cifs', 'smb3'];

/**
 * The options with the address of the machine that they name, in `addr` or in the device of NFS (`nas:/export`):
 * mount(8) has helpers for that, mount(2) has not. Throws `unavailable` where the name is not found, `invalid` where an
 * NFS volume names no machine.
 */
export async function withAddress(options: LocalOptions): Promise<LocalOptions> {
  const { type = '', device = '', o = '' } = options;
  if (!remote.includes(type)) return options;
  const [, given = ''] = /(?:^|,)addr=([^,]*)/.exec(o) ?? [];
  const [, plain, bracketed] = (type.startsWith('nfs') && /^(?:([^/:[\]]+)|\[(.+)\]):/.exec(device)) || [];
  const name = given || plain || bracketed;
  if (name === undefined) {
    if (!type.startsWith('nfs')) return options;
    throw new BerthError('invalid', `failed to mount local volume: ${device} is on no machine`, {
      hint: `name it: ${exampleOf(options)}`,
    });
  }
  try {
    const address = isIP(name) === 0 ? (await lookup(name)).address : name;
    const others = o.split(',').filter((word) => word !== '' && !word.startsWith('addr='));
    return { ...options, o: [...others, `addr=${address}`].join(',') };
  } catch (error) {
    throw new BerthError(
      'unavailable',
      `failed to mount local volume: ${name}: ${(error as NodeJS.ErrnoException).code}`,
      { hint: 'write the address: -o o=addr=10.0.0.2', cause: error },
    );
  }
}

/** What mount(2) is to be given for such a volume. */
export function mountRequest({ type = '', device = '', o = '' }: LocalOptions): {
  readonly source: string;
  readonly type: string | undefined;
  readonly flags: readonly MountFlag[];
  readonly data: string;
} {
  const found = new Set<MountFlag>();
  const data: string[] = [];
  for (const word of o.split(',').filter((part) => part !== '')) {
    const [flag, taken] = [flags[word], opposites[word]];
    if (word === 'rbind') found.add('bind').add('rec');
    else if (flag !== undefined) found.add(flag);
    else if (taken !== undefined) found.delete(taken);
    else if (!unheard.includes(word)) data.push(word);
  }
  const bound = found.has('bind');
  return {
    source: device,
    type: bound || type === 'none' ? undefined : type,
    flags: [...found],
    data: data.join(','),
  };
}
