import { chmodSync, closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { isErrno } from '../api/errors.ts';
import { makeNode } from './syscalls.ts';

/**
 * Makes a null device of the engine's own in `directory` and gives its path; undefined on a file system that allows
 * no devices. For processes in containers: runtimes hand their standard streams over to the container's user, and
 * crun 1.8 does that to the host's /dev/null too.
 */
export function makeOwnNull(directory: string): string | undefined {
  const path = join(directory, 'null');
  try {
    try {
      makeNode(path, { type: 'character', mode: 0o666, major: 1, minor: 3 });
    } catch (error) {
      if (!isErrno(error, 'EEXIST')) throw error;
    }
    chmodSync(path, 0o666);
    closeSync(openSync(path, 'r+'));
    return path;
  } catch (error) {
    // EPERM: an engine that may make no devices. EACCES: mounted with nodev.
    if (isErrno(error, 'EPERM') || isErrno(error, 'EACCES')) return undefined;
    throw error;
  }
}
