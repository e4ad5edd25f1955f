import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isErrno } from '../api/errors.ts';

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

/** The device nodes below /dev, as an OCI spec lists them: what a privileged container gets. */
export function hostDevices(directory = '/dev'): readonly object[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    if (notPassedOn.has(entry.name)) return [];
    const path = join(directory, entry.name);
    if (entry.isDirectory()) return hostDevices(path);
    if (!entry.isCharacterDevice() && !entry.isBlockDevice()) return [];
    try {
      const stat = statSync(path);
      return [
        {
          path,
          type: entry.isBlockDevice() ? 'b' : 'c',
          // Linux dev_t, as makedev(3) packs it.
          major: (stat.rdev >> 8) & 0xfff,
          minor: (stat.rdev & 0xff) | ((stat.rdev >> 12) & 0xfff00),
          fileMode: stat.mode & 0o777,
          uid: stat.uid,
          gid: stat.gid,
        },
      ];
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return [];
      throw error;
    }
  });
}
