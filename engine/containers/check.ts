import { existsSync, readFileSync } from 'node:fs';
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { BerthError } from '../api/errors.ts';
import { unmount } from '../host/syscalls.ts';
import { type Look, SETTLED_MS } from '../state/faults.ts';
import { type Context, pathsOf } from './context.ts';
import type { ContainerRecord } from './record.ts';

export type CheckApi = {
  /** What is to be looked at of containers: their images, directories and mounts. */
  checks(): Promise<readonly Look[]>;
};

/** `settledMs`: younger directories that are nobody's are let be. */
export function containerChecks(context: Looked, settledMs = SETTLED_MS): CheckApi {
  const top = join(context.root, 'containers');
  return {
    checks: async () => [
      ...context.store.all().map((record) => () => lookAt(context, record)),
      ...(await readdir(top)).map(
        (name) => () => lookAtDirectory({ ...context, settledMs }, join(top, name), name),
      ),
      ...mountsBelow(top).map((path) => () => lookAtMount(context, top, path)),
    ],
  };
}

type Looked = Pick<Context, 'root' | 'runDir' | 'store' | 'images'>;

const short = (id: string) => id.slice(0, 12);

const lookAt = async (context: Looked, record: ContainerRecord): ReturnType<Look> => {
  const { id, life } = record;
  const { root, rootfs } = pathsOf(context, id);
  // Those that come or go just now are as they may be.
  if (context.store.byId(id) !== record || ['removing', 'dead'].includes(life.status)) return undefined;
  const about = { kind: 'container', what: `container ${short(id)}`, where: root, mend: undefined } as const;
  const remove = `none here: berth rm -f ${short(id)}`;
  if (!existsSync(root)) return { ...about, problem: 'its directory is not there', repair: remove };
  try {
    context.images.resolve(record.imageId);
  } catch (error) {
    if (!(error instanceof BerthError)) throw error;
    return { ...about, problem: `its image can't be used: ${error.message}`, repair: remove };
  }
  if (life.status === 'running' && !mountsBelow(root).includes(rootfs))
    return {
      ...about,
      where: rootfs,
      problem: 'it runs, and its file system is not mounted here',
      repair: `none here: berth restart ${short(id)}`,
    };
  return undefined;
};

const lookAtDirectory = async (
  context: Looked & { readonly settledMs: number },
  path: string,
  name: string,
): ReturnType<Look> => {
  if (context.store.byId(name) !== undefined) return undefined;
  const found = await stat(path).catch(() => undefined);
  if (found === undefined || Date.now() - found.ctimeMs < context.settledMs) return undefined;
  return {
    kind: 'container',
    what: `the directory ${name.slice(0, 64)}`,
    where: path,
    problem: 'there is no such container',
    repair: 'remove it',
    mend: async () => {
      const [mounted] = mountsBelow(path);
      if (mounted !== undefined) throw new BerthError('conflict', `${mounted} is mounted there`);
      await rm(path, { recursive: true, force: true });
    },
  };
};

const lookAtMount = async (context: Looked, top: string, path: string): ReturnType<Look> => {
  const id = path.slice(top.length + 1).split('/')[0] ?? '';
  if (context.store.byId(id) !== undefined || !mountsBelow(path).includes(path)) return undefined;
  return {
    kind: 'mount',
    what: `a mount of ${short(id)}`,
    where: path,
    problem: 'there is no such container',
    repair: 'take it off',
    mend: async () => unmount(path, { detach: true }),
  };
};

/** The mount points at or below a path: proc_pid_mountinfo(5). Paths with other characters are not the engine's. */
function mountsBelow(path: string): readonly string[] {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .filter((point) => point === path || point.startsWith(`${path}/`));
}
