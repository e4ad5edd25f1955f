import { constants } from 'node:fs';
import { call, callAside, check, cString, type Path } from './libc.ts';

/**
 * The system calls on files and mounts that Node lacks.
 * Each throws an `Error` with Node's fields (`code` as in 'EBUSY', `errno`, `syscall`, `path`) when it fails.
 */

/** mount(2) flags, <linux/mount.h>. */
const mountFlags = {
  ro: 0x1,
  nosuid: 0x2,
  nodev: 0x4,
  noexec: 0x8,
  remount: 0x20,
  noatime: 0x400,
  bind: 0x1000,
  move: 0x2000,
  rec: 0x4000,
  unbindable: 0x20000,
  private: 0x40000,
  slave: 0x80000,
  shared: 0x100000,
  relatime: 0x200000,
} as const;

export type MountFlag = keyof typeof mountFlags;

const MNT_DETACH = 2;
const UMOUNT_NOFOLLOW = 8;

/**
 * mount(2). `type` is the file system ('overlay', 'proc', 'bind' needs none), `data` its options
 * ('lowerdir=…', at most one page). Throws with `code` 'EBUSY', 'ENOENT', 'EPERM', 'EINVAL', …
 */
export function mount(options: {
  readonly source?: Path | undefined;
  readonly target: Path;
  readonly type?: string | undefined;
  readonly flags?: readonly MountFlag[] | undefined;
  readonly data?: string | undefined;
}): void {
  const { source = 'none', target, type, flags = [], data } = options;
  const bits = flags.reduce((sum, flag) => sum | mountFlags[flag], 0);
  const result = call(
    'int mount(const uint8_t *, const uint8_t *, const uint8_t *, unsigned long, const uint8_t *)',
  )(
    cString(source),
    cString(target),
    type === undefined ? null : cString(type),
    bits,
    data === undefined ? null : cString(data),
  );
  check(result, 'mount', target, ` (${type ?? flags.join(',')} from '${source}')`);
}

/**
 * umount2(2); a symbolic link is never followed. `detach` takes it off the tree at once, and the rest when it is
 * no longer in use. Throws with `code` 'EBUSY' where it is in use, 'EINVAL' where nothing is mounted.
 */
export function unmount(target: Path, options: { readonly detach?: boolean } = {}): void {
  const flags = UMOUNT_NOFOLLOW | (options.detach === true ? MNT_DETACH : 0);
  check(call('int umount2(const uint8_t *, int)')(cString(target), flags), 'umount2', target);
}

/**
 * The same, beside the engine's thread: taking an overlay off writes out what the file system below it has not written
 * yet, which takes as long as others have written much.
 */
export async function unmountAside(target: Path, options: { readonly detach?: boolean } = {}): Promise<void> {
  const flags = UMOUNT_NOFOLLOW | (options.detach === true ? MNT_DETACH : 0);
  const result = await callAside('int umount2(const uint8_t *, int)', cString(target), flags);
  // Which errno it was is the other thread's to know: asked again, it is this one's.
  if (result < 0) unmount(target, options);
}

const fileTypes = {
  file: 0o100000,
  fifo: 0o010000,
  character: 0o020000,
  block: 0o060000,
  socket: 0o140000,
} as const;

/** mknod(2). `mode` holds the permission bits; the umask applies to them. */
export function makeNode(
  path: Path,
  node: {
    readonly type: keyof typeof fileTypes;
    readonly mode: number;
    readonly major?: number;
    readonly minor?: number;
  },
): void {
  const { type, mode, major = 0, minor = 0 } = node;
  const device = makeDevice(major, minor);
  const result = call('int mknod(const uint8_t *, unsigned int, uint64_t)')(
    cString(path),
    fileTypes[type] | mode,
    device,
  );
  check(result, 'mknod', path);
}

/** The device number of a major and a minor, as the C library's makedev(3) packs them. */
function makeDevice(major: number, minor: number): bigint {
  const [high, low] = [BigInt(major), BigInt(minor)];
  return ((high & ~0xfffn) << 32n) | ((high & 0xfffn) << 8n) | ((low & ~0xffn) << 12n) | (low & 0xffn);
}

/** lsetxattr(2): sets an extended attribute of the file itself, not of what a link points at. */
export function setXattr(path: Path, name: string, value: Uint8Array): void {
  const result = call('int lsetxattr(const uint8_t *, const uint8_t *, const uint8_t *, size_t, int)')(
    cString(path),
    cString(name),
    value,
    value.length,
    0,
  );
  check(result, 'lsetxattr', path, ` (${name})`);
}

/** The most an extended attribute may hold, XATTR_SIZE_MAX in <linux/limits.h>. */
const XATTR_SIZE_MAX = 65536;

let attributes: Buffer | undefined;
/** Room for one answer: to clear as much for each of many files takes longer than the call. */
function scratch(): Buffer {
  attributes ??= Buffer.alloc(XATTR_SIZE_MAX);
  return attributes;
}

/** lgetxattr(2): an extended attribute of the file itself. Throws with `code` 'ENODATA' where it has none. */
export function getXattr(path: Path, name: string): Buffer {
  const value = scratch();
  const size = call('long lgetxattr(const uint8_t *, const uint8_t *, uint8_t *, size_t)')(
    cString(path),
    cString(name),
    value,
    value.length,
  );
  check(size, 'lgetxattr', path, ` (${name})`);
  return Buffer.from(value.subarray(0, size));
}

/** llistxattr(2): names of the extended attributes of the file itself. */
export function listXattrs(path: Path): readonly string[] {
  const names = scratch();
  const size = call('long llistxattr(const uint8_t *, uint8_t *, size_t)')(
    cString(path),
    names,
    names.length,
  );
  check(size, 'llistxattr', path);
  return names
    .subarray(0, size)
    .toString()
    .split('\0')
    .filter((name) => name !== '');
}

/** A moment since 1970; `nanoseconds` count forward from `seconds`, which may be negative. */
export type Timespec = { readonly seconds: number; readonly nanoseconds: number };

const AT_FDCWD = -100;
const AT_SYMLINK_NOFOLLOW = 0x100;
/** Two struct timespec of 64-bit fields: access, then modification. */
const times = Buffer.alloc(32);

/**
 * utimensat(2): sets access and modification time of the file itself, not of what a link points at. Node's own
 * `lutimes` takes a floating-point number, which has no room for nanoseconds.
 */
export function setTimes(path: Path, time: Timespec): void {
  for (const at of [0, 16]) {
    times.writeBigInt64LE(BigInt(time.seconds), at);
    times.writeBigInt64LE(BigInt(time.nanoseconds), at + 8);
  }
  const result = call('int utimensat(int, const uint8_t *, const uint8_t *, int)')(
    AT_FDCWD,
    cString(path),
    times,
    AT_SYMLINK_NOFOLLOW,
  );
  check(result, 'utimensat', path);
}

/** syncfs(2): returns when all that was written to the file system of this open file is on disk. */
export function syncFileSystem(descriptor: number, path: Path): void {
  check(call('int syncfs(int)')(descriptor), 'syncfs', path);
}

const SYS_OPENAT2 = 437;
const O_PATH = 0o10000000;
const O_CLOEXEC = 0o2000000;
const { O_DIRECTORY, O_NOFOLLOW } = constants;
const RESOLVE_IN_ROOT = 0x10;

/**
 * openat2(2) with RESOLVE_IN_ROOT: opens what `path` names for a process whose root directory is the open directory
 * `root`. The kernel holds to that whatever is renamed or linked meanwhile. Gives a descriptor (O_PATH) that stands
 * for the file and neither reads nor writes it; whoever asked closes it. Throws with `code` 'ENOENT', 'ENOTDIR',
 * 'ELOOP', 'EAGAIN' where something was renamed on the way.
 */
export function openInRoot(
  root: number,
  path: Path,
  options: { readonly follow: boolean; readonly directory?: boolean },
): number {
  const flags =
    O_PATH | O_CLOEXEC | (options.follow ? 0 : O_NOFOLLOW) | (options.directory === true ? O_DIRECTORY : 0);
  // struct open_how: flags, mode, resolve (<linux/openat2.h>).
  const how = Buffer.alloc(24);
  how.writeBigUInt64LE(BigInt(flags), 0);
  how.writeBigUInt64LE(BigInt(RESOLVE_IN_ROOT), 16);
  const descriptor = call('long syscall(long, int, const uint8_t *, const uint8_t *, size_t)')(
    SYS_OPENAT2,
    root,
    cString(path),
    how,
    how.length,
  );
  check(descriptor, 'openat2', path);
  return descriptor;
}

const CLONE_NEWNS = 0x20000;

/**
 * unshare(2): gives the calling thread a mount namespace of its own, in which nothing that is mounted reaches the
 * others. It ends with the thread, and all mounts made in it with it. Only for worker threads, and only synchronous
 * calls are made in it: the others are made by threads of a pool.
 */
export function leaveMountNamespace(): void {
  check(call('int unshare(int)')(CLONE_NEWNS), 'unshare', 'mount namespace');
  mount({ target: '/', flags: ['rec', 'private'] });
}
