import { type FSWatcher, watch } from 'node:fs';
import { basename, dirname } from 'node:path';
import { isErrno } from '../api/errors.ts';

/**
 * Calls back when the file of this name may have changed, or another has got its name. Undefined where its directory
 * has gone: then nothing changes any more.
 */
export function watchName(path: string, onChange: () => void): FSWatcher | undefined {
  const name = basename(path);
  try {
    const watcher = watch(dirname(path), (_event, changed) => {
      if (changed === name) onChange();
    });
    watcher.on('error', onChange);
    return watcher;
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
    return undefined;
  }
}
