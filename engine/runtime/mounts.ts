import { release } from 'node:os';
import { BerthError } from '../api/errors.ts';

/** How mounts made later under a bind are seen on its other side (mount_namespaces(7)). */
export const propagations = ['private', 'rprivate', 'shared', 'rshared', 'slave', 'rslave'] as const;
export type Propagation = (typeof propagations)[number];

export const restrictions = ['ro', 'nosuid', 'nodev', 'noexec'] as const;
export type Restriction = (typeof restrictions)[number];

/** A file or directory of the host that is seen inside. */
export type Bind = {
  readonly source: string;
  readonly destination: string;
  readonly readOnly: boolean;
  /** `rprivate` where it is not given. */
  readonly propagation?: Propagation;
  /** What is mounted below the source is not seen. */
  readonly alone?: boolean;
  /** What the mount that the source is on doesn't allow; crun 1.8 forgets it. */
  readonly restrictions?: readonly Restriction[];
  /** A read-only one makes what is mounted below it read-only too. */
  readonly readOnlyBelow?: boolean;
};

/** A file system in memory; options as mount(8) and docker's `--tmpfs` write them. */
export type Tmpfs = { readonly destination: string; readonly options: readonly string[] };

export type SpecMount = Bind | Tmpfs;

/** What /dev/shm of a container is: its own of so many bytes, a directory of the host, or nothing. */
export type SharedMemory = { readonly bytes: number } | { readonly source: string } | 'none';

/**
 * `mounts` of an OCI spec: docker's own ones, then the given ones, those nearer to the root first. One that is given
 * takes the place of an own one at the same destination.
 */
export function mountsOf(input: {
  readonly privileged: boolean;
  readonly readOnlyRoot: boolean;
  readonly sharedMemory: SharedMemory;
  readonly mounts: readonly SpecMount[];
}): readonly object[] {
  const taken = new Set(input.mounts.map(({ destination }) => destination));
  const depth = ({ destination }: SpecMount) => destination.split('/').length;
  const own = systemMounts(input).filter(
    ({ destination }) => !taken.has(destination) && !(taken.has('/dev') && destination.startsWith('/dev/')),
  );
  return [
    ...own,
    // Stable: of two at one depth the first stays the first.
    ...input.mounts.toSorted((a, b) => depth(a) - depth(b)).map(specMount),
  ];
}

/** `linux.rootfsPropagation`: what lets the mounts of a shared or slave bind through; undefined where none needs it. */
export function rootPropagation(mounts: readonly SpecMount[]): 'shared' | 'rslave' | undefined {
  const found = mounts.map((mount) => ('source' in mount ? (mount.propagation ?? '') : ''));
  if (found.some((propagation) => /^r?shared$/.test(propagation))) return 'shared';
  return found.some((propagation) => /^r?slave$/.test(propagation)) ? 'rslave' : undefined;
}

function specMount(mount: SpecMount): object {
  const { destination } = mount;
  if (!('source' in mount))
    return { destination, type: 'tmpfs', source: 'tmpfs', options: tmpfsOptions(mount.options) };
  const { propagation = 'rprivate', alone = false } = mount;
  return {
    destination,
    type: 'bind',
    source: mount.source,
    options: [
      alone ? 'bind' : 'rbind',
      // Where there is one mount the words mean the same, and crun 1.8 takes the r for that of rbind.
      alone ? propagation.replace(/^r/, '') : propagation,
      mount.readOnly ? (mount.readOnlyBelow === true && !alone && canCloseBelow() ? 'rro' : 'ro') : 'rw',
      ...(mount.restrictions ?? []),
    ],
  };
}

/** mount_setattr(2) makes a whole tree read-only from Linux 5.12 on; docker leaves older ones at the first mount. */
function canCloseBelow(): boolean {
  const [major = 0, minor = 0] = release().split(/[.-]/).map(Number);
  return major > 5 || (major === 5 && minor >= 12);
}

/** Pairs of which the later one holds. */
const opposites = [
  ['ro', 'rw'],
  ['nodev', 'dev'],
  ['nosuid', 'suid'],
  ['noexec', 'exec'],
  ['sync', 'async'],
] as const;
const tmpfsWords = new Set([
  ...opposites.flat(),
  ...['noatime', 'atime', 'nodiratime', 'diratime', 'relatime', 'norelatime', 'strictatime', 'nostrictatime'],
  ...['dirsync', 'mand', 'nomand', 'bind', 'rbind', 'remount'],
  ...['private', 'rprivate', 'shared', 'rshared', 'slave', 'rslave', 'unbindable', 'runbindable'],
]);
const tmpfsValue = /^(size|mode|uid|gid|nr_inodes|nr_blocks|mpol)=[\w:,.%-]+$/;

/** docker's options of a tmpfs, and those that were asked for. Throws `invalid` for one that tmpfs has not. */
export function tmpfsOptions(given: readonly string[]): readonly string[] {
  const kept = new Map<string, string>();
  for (const option of ['noexec', 'nosuid', 'nodev', ...given]) {
    if (!tmpfsWords.has(option) && !tmpfsValue.test(option))
      throw new BerthError('invalid', `invalid tmpfs option ["${option}"]`, { hint: 'see tmpfs(5)' });
    const pair = opposites.find((words) => (words as readonly string[]).includes(option));
    kept.set(pair?.join() ?? option.split('=', 1)[0] ?? '', option);
  }
  return [...kept.values()];
}

function systemMounts({
  privileged,
  readOnlyRoot,
  sharedMemory,
}: {
  readonly privileged: boolean;
  readonly readOnlyRoot: boolean;
  readonly sharedMemory: SharedMemory;
}): readonly { readonly destination: string; readonly [field: string]: unknown }[] {
  const access = privileged && !readOnlyRoot ? 'rw' : 'ro';
  const closed = ['nosuid', 'noexec', 'nodev'];
  return [
    { destination: '/proc', type: 'proc', source: 'proc', options: closed },
    {
      destination: '/dev',
      type: 'tmpfs',
      source: 'tmpfs',
      options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'],
    },
    {
      destination: '/dev/pts',
      type: 'devpts',
      source: 'devpts',
      options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'],
    },
    { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: closed },
    ...sharedMemoryMount(sharedMemory),
    { destination: '/sys', type: 'sysfs', source: 'sysfs', options: [...closed, access] },
    {
      destination: '/sys/fs/cgroup',
      type: 'cgroup',
      source: 'cgroup',
      options: [...closed, 'relatime', access],
    },
  ];
}

function sharedMemoryMount(memory: SharedMemory) {
  if (memory === 'none') return [];
  const destination = '/dev/shm';
  if ('source' in memory) {
    const options = ['rbind', 'rprivate', 'rw'];
    return [{ destination, type: 'bind', source: memory.source, options }];
  }
  const options = ['nosuid', 'noexec', 'nodev', 'mode=1777', `size=${memory.bytes}`];
  return [{ destination, type: 'tmpfs', source: 'shm', options }];
}
