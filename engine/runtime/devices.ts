import { readdirSync, realpathSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { BerthError, isErrno } from '../api/errors.ts';
import type { DeviceMapping } from '../api/wire/host-config.ts';

/** A device node of a container, as `linux.devices` of an OCI spec lists it. */
export type Device = {
  readonly path: string;
  readonly type: 'b' | 'c';
  readonly major: number;
  readonly minor: number;
  readonly fileMode: number;
  readonly uid: number;
  readonly gid: number;
};

/** A rule of `linux.resources.devices`. */
export type DeviceRule = {
  readonly allow: boolean;
  readonly type?: string;
  /** Absent for all. */
  readonly major?: number;
  readonly minor?: number;
  readonly access: string;
};

/** Made by the runtime itself, or a tree of its own in every container. */
const notPassedOn = new Set([
  'pts',
  'shm',
  'fd',
  'mqueue',
  'console',
  'ptmx',
  'null',
  'zero',
  'full',
  'random',
  'urandom',
  'tty',
]);

/** The device nodes below a directory of the host, seen below `inside`; all of /dev is what a privileged container gets. */
export function hostDevices(directory = '/dev', inside = directory): readonly Device[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    if (notPassedOn.has(entry.name)) return [];
    const path = join(directory, entry.name);
    if (entry.isDirectory()) return hostDevices(path, join(inside, entry.name));
    if (!entry.isCharacterDevice() && !entry.isBlockDevice()) return [];
    try {
      return [describeDevice(path, join(inside, entry.name))].flatMap((device) => device ?? []);
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return [];
      throw error;
    }
  });
}

/** The nodes that a mapping asks for: one, or all below a directory. Throws `invalid` where the host has none there. */
export function mappedDevices(mapping: DeviceMapping): readonly Device[] {
  const { PathOnHost: source } = mapping;
  const inside = mapping.PathInContainer || source;
  const failed = (why: string) =>
    new BerthError(
      'invalid',
      `error gathering device information while adding custom device "${source}": ${why}`,
      {
        hint: 'name a device of the host, or a directory of devices',
      },
    );
  let real: string;
  try {
    real = realpathSync(source);
    const device = describeDevice(real, inside);
    if (device !== undefined) return [device];
    if (!statSync(real).isDirectory()) throw failed('not a device node');
  } catch (error) {
    if (isErrno(error, 'ENOENT')) throw failed('no such file or directory');
    if (isErrno(error, 'ENOTDIR')) throw failed('a part of that path is no directory');
    throw error;
  }
  const found = hostDevices(real, inside);
  if (found.length === 0) throw failed('no device nodes in it');
  return found;
}

/** Lets a container use a device; `access` is some of `rwm`. */
export function allowDevice(device: Device, access: string): DeviceRule {
  return { allow: true, type: device.type, major: device.major, minor: device.minor, access };
}

/** Reads a rule as the kernel's devices cgroup takes it: `c 10:200 rwm`, `a *:* rwm`. Throws `invalid`. */
export function parseDeviceRule(text: string): DeviceRule {
  const match = /^([acb]) (\d+|\*):(\d+|\*) ([rwm]{1,3})$/.exec(text);
  if (match === null) {
    throw new BerthError('invalid', `invalid device cgroup rule format: '${text}'`, {
      hint: "write it as in 'c 10:200 rwm'",
    });
  }
  const [, type = 'a', major = '*', minor = '*', access = ''] = match;
  return {
    allow: true,
    type,
    ...(major === '*' ? {} : { major: Number(major) }),
    ...(minor === '*' ? {} : { minor: Number(minor) }),
    access,
  };
}

/** Major and minor number of a block device, for limits of its traffic. Throws `invalid` where it is none. */
export function blockDevice(path: string): { readonly major: number; readonly minor: number } {
  try {
    const device = describeDevice(realpathSync(path), path);
    if (device?.type === 'b') return { major: device.major, minor: device.minor };
  } catch (error) {
    if (!isErrno(error, 'ENOENT') && !isErrno(error, 'ENOTDIR')) throw error;
  }
  throw new BerthError('invalid', `${path} is no block device of the host`, { hint: 'lsblk -p' });
}

/** Undefined where the path is no device node. Throws what stat(2) does. */
function describeDevice(path: string, inside: string): Device | undefined {
  const stat = statSync(path);
  if (!stat.isBlockDevice() && !stat.isCharacterDevice()) return undefined;
  return {
    path: inside,
    type: stat.isBlockDevice() ? 'b' : 'c',
    // Linux dev_t, as makedev(3) packs it.
    major: (stat.rdev >> 8) & 0xfff,
    minor: (stat.rdev & 0xff) | ((stat.rdev >> 12) & 0xfff00),
    fileMode: stat.mode & 0o777,
    uid: stat.uid,
    gid: stat.gid,
  };
}
