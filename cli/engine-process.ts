import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { BerthError, isErrno } from '../engine/api/errors.ts';
import type { Flag } from './command.ts';
import type { EnginePlace } from './engine-place.ts';

/** Flags of the engine's own process, as `berth engine run` takes them. */
export const engineFlags: Readonly<Record<'root' | 'run' | 'settings', Flag<string>>> = {
  settings: { type: 'string', summary: 'Settings file: mirrors, registries, networks', placeholder: 'FILE' },
  root: { type: 'string', summary: 'Folder for images, containers and the database', placeholder: 'DIR' },
  run: {
    type: 'string',
    summary: "Folder for the pid file and the log; the socket's where it is not given",
    placeholder: 'DIR',
  },
};

/** The engine's command-line flags for a place. */
export function flagsOf(
  place: EnginePlace,
  { root, settings }: { readonly root?: string | undefined; readonly settings?: string | undefined },
): readonly string[] {
  return [
    ...['--host', `unix://${place.socket}`, '--run', place.run],
    ...(root === undefined ? [] : ['--root', root]),
    ...(settings === undefined ? [] : ['--settings', settings]),
  ];
}

/**
 * The process of the engine at a place, from its pid file; undefined where none runs. A pid that another program
 * has got since, after a crash, is not taken for it: the command line must be an engine's.
 */
export async function findEngine({ run }: EnginePlace): Promise<number | undefined> {
  const text = await readOptional(join(run, 'engine.pid'));
  const pid = Number(text?.trim());
  if (!Number.isSafeInteger(pid) || pid <= 1) return undefined;
  const line = (await readOptional(`/proc/${pid}/cmdline`))?.split('\0') ?? [];
  const isEngine = line.some((word) => /(?:^|\/)(?:engine\.c?js|daemon\/main\.ts)$/.test(word));
  return isEngine ? pid : undefined;
}

const STOP_TIMEOUT_MS = 15_000;
const POLL_MS = 20;

/** Asks the engine to stop and waits until its process is gone. Throws `unavailable` when it does not go. */
export async function stopEngine(pid: number, signal: AbortSignal): Promise<void> {
  process.kill(pid, 'SIGTERM');
  const deadline = Date.now() + STOP_TIMEOUT_MS;
  while (await lives(pid)) {
    if (Date.now() > deadline)
      throw new BerthError(
        'unavailable',
        `the engine (pid ${pid}) did not stop within ${STOP_TIMEOUT_MS / 1000} s`,
        {
          hint: `kill -KILL ${pid}; containers go on running, and the next start finds them`,
        },
      );
    await delay(POLL_MS, undefined, { signal });
  }
}

async function lives(pid: number): Promise<boolean> {
  const stat = await readOptional(`/proc/${pid}/stat`);
  // proc(5): the state follows the name, which is in brackets and may hold any character. Z: it only waits for its parent.
  return stat !== undefined && stat.charAt(stat.lastIndexOf(')') + 2) !== 'Z';
}

async function readOptional(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    // ESRCH: the process ended between opening its file and reading it.
    if (isErrno(error, 'ENOENT') || isErrno(error, 'ENOTDIR') || isErrno(error, 'ESRCH')) return undefined;
    throw error;
  }
}
