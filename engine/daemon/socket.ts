import { chmod, chown, mkdir, readFile, rm } from 'node:fs/promises';
import type { Server } from 'node:http';
import { dirname } from 'node:path';
import { isErrno } from '../api/errors.ts';

const GROUP = 'berth';

/**
 * Listens on a Unix socket that root and the group `berth` may use (0660). A socket that an engine left there is
 * replaced; the caller holds the root's lock, so it is nobody's.
 */
export async function listenOn(server: Server, path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o755 });
  await rm(path, { force: true });
  const before = process.umask(0o117);
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(path, resolve);
    });
  } finally {
    process.umask(before);
  }
  await chmod(path, 0o660);
  const gid = await groupId(GROUP);
  if (gid !== undefined) await chown(path, 0, gid);
}

async function groupId(name: string): Promise<number | undefined> {
  let text: string;
  try {
    text = await readFile('/etc/group', 'utf8');
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
    return undefined;
  }
  const row = text.split('\n').find((line) => line.startsWith(`${name}:`));
  return row === undefined ? undefined : Number(row.split(':')[2]);
}
