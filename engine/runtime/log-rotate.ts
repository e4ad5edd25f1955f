import { constants, linkSync, renameSync, rmSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { isErrno } from '../api/errors.ts';
import { rotatedName } from './log-file.ts';

/**
 * Puts a container's log aside and makes conmon begin a new one, so that nothing is lost: the file gets a second name
 * and keeps its first, under which conmon then puts a new file. Until conmon has, it writes to the old one. `files`
 * is how many there may be with the one that grows; with 1 the old one is dropped. Safe to repeat once conmon has
 * answered, or can't. False where conmon has ended.
 */
export async function rotateLog(path: string, bundle: string, files: number): Promise<boolean> {
  // At once, and not in steps that others may see: readers in this process go by these names.
  if (files > 1 && inodeOf(path) !== inodeOf(rotatedName(path, 1))) putAside(path, files);
  return await reopenLog(bundle);
}

function putAside(path: string, files: number): void {
  rmSync(rotatedName(path, files - 1), { force: true });
  for (let number = files - 2; number > 0; number -= 1) {
    try {
      renameSync(rotatedName(path, number), rotatedName(path, number + 1));
    } catch (error) {
      if (!isErrno(error, 'ENOENT')) throw error;
    }
  }
  linkSync(path, rotatedName(path, 1));
}

/** Which file a name stands for; undefined for none. */
export function inodeOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.ino;
}

/**
 * Tells conmon, through its control FIFO, to go on in a new file. conmon 2.1.6 makes it as `PATH.tmp` and renames it
 * over the log's name (`reopen_k8s_file` in src/ctr_logging.c). False where it has ended.
 */
async function reopenLog(bundle: string): Promise<boolean> {
  const REOPEN_LOGS = 2;
  try {
    // O_NONBLOCK: see resizeTerminal.
    await using fifo = await open(join(bundle, 'ctl'), constants.O_WRONLY | constants.O_NONBLOCK);
    await fifo.write(`${REOPEN_LOGS} 0 0\n`);
    return true;
  } catch (error) {
    if (isErrno(error, 'ENXIO') || isErrno(error, 'ENOENT') || isErrno(error, 'EPIPE')) return false;
    throw error;
  }
}
