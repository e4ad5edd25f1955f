import { mkdir, mkdtemp, readFile, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

/**
 * What a test makes carries the name of its test run, so that the leftovers of one run can be told from what
 * another run on the same machine is using: `npm test` sets BERTH_TEST_RUN and looks for that name at the end.
 */

/** The name of this test run: letters and digits, at most 6. A single file run by hand has its process's. */
export const TEST_RUN = process.env.BERTH_TEST_RUN ?? process.pid.toString(36);

/** Every directory that a test makes is below one whose name starts with this. */
export const TEST_PREFIX = `berth-test-${TEST_RUN}-`;

export type TempRoot = AsyncDisposable & {
  readonly path: string;
  /** A path below the root; not created. */
  readonly join: (...parts: readonly string[]) => string;
  /** A directory below the root, created. */
  readonly directory: (...parts: readonly string[]) => Promise<string>;
};

/**
 * A new directory `/tmp/berth-test-<run>-<prefix>-XXXXXX`, short enough for a Unix socket's path (107 bytes), that
 * is removed when it is disposed of. Engine roots, sockets and settings of a test all belong below it.
 * Disposing fails where something is still mounted below it: that is a leftover that the test must see, and what
 * is mounted there must not be deleted.
 */
export async function tempRoot(prefix = 'root'): Promise<TempRoot> {
  const path = await mkdtemp(join(await realpath(tmpdir()), `${TEST_PREFIX}${basename(prefix)}-`));
  return {
    path,
    join: (...parts) => join(path, ...parts),
    directory: async (...parts) => {
      const directory = join(path, ...parts);
      await mkdir(directory, { recursive: true });
      return directory;
    },
    [Symbol.asyncDispose]: async () => {
      const mounts = await mountsBelow(path);
      if (mounts.length > 0) throw new Error(`still mounted: ${mounts.join(', ')}`);
      await rm(path, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

/** The mount points at or below a path, in this process's mount namespace. */
export async function mountsBelow(path: string): Promise<readonly string[]> {
  const mountinfo = await readFile('/proc/self/mountinfo', 'utf8');
  return mountinfo
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .filter((point) => point === path || point.startsWith(`${path}/`));
}
