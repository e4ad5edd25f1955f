import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { BerthError, isErrno } from '../api/errors.ts';

/**
 * Makes this process the only engine of a directory until it ends, however it ends: SQLite's lock is the kernel's,
 * and goes with the process. Throws `conflict` when another one has it.
 */
export function lockDirectory(directory: string): Disposable {
  const database = new DatabaseSync(join(directory, 'lock.db'), { timeout: 0 });
  try {
    database.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE;');
  } catch (error) {
    database.close();
    throw new BerthError('conflict', `another engine runs with ${directory}`, {
      hint: 'berth engine status',
      cause: error,
    });
  }
  return { [Symbol.dispose]: () => database.close() };
}

/**
 * Writes down that the run directory is that of the engine with `root`. To an engine with another root its containers
 * would be unknown, and be swept: throws `conflict` while there are any. The caller holds the directory's lock.
 */
export function claimRunDirectory(runDir: string, root: string): void {
  const path = join(runDir, 'root');
  const owner = unlessMissing(() => readFileSync(path, 'utf8').trim());
  if (owner === root) return;
  const held = unlessMissing(() => readdirSync(join(runDir, 'containers'))) ?? [];
  if (owner !== undefined && held.length > 0) {
    throw new BerthError('conflict', `${runDir} holds containers of the engine with ${owner}`, {
      hint: 'give this engine a directory of its own with --run',
    });
  }
  writeFileSync(path, `${root}\n`);
}

function unlessMissing<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
    return undefined;
  }
}
