import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import type { Digest } from '../api/digest.ts';
import { BerthError } from '../api/errors.ts';
import type { ContainerConfig } from '../api/wire.ts';
import { packLayer } from '../archives/thread.ts';
import { applyInstructions } from '../images/instructions.ts';
import type { ImageTarget } from '../images/types.ts';
import { freeze } from '../runtime/freezer.ts';
import { cgroupPathOf } from './cgroup-path.ts';
import { type Context, pathsOf } from './context.ts';
import { isPaused, letGoOn } from './pause.ts';
import { type ContainerRecord, exclusively } from './record.ts';
import { unlinkIfThere } from './start.ts';

export type CommitOptions = ImageTarget & {
  readonly comment?: string | undefined;
  readonly author?: string | undefined;
  /** Whether its processes stand still meanwhile; they do unless it is said that they shall not. */
  readonly pause?: boolean | undefined;
  /** Dockerfile instructions. */
  readonly changes?: readonly string[] | undefined;
  /** What the image says of containers; the container's own config where it is empty. */
  readonly config: ContainerConfig;
};

/** What makes an image of a container. */
export type CommitApi = {
  /** Throws `notFound`, `invalid`, `conflict` for one that is being removed. */
  commit(name: string, options: CommitOptions, signal: AbortSignal): Promise<{ readonly Id: string }>;
};

export function containerCommit(context: Context): CommitApi {
  return {
    async commit(name, options, signal) {
      const record = context.store.find(name);
      const config = configOf(record, options);
      const { imageId, imageName: _imageName } = record;
      const id = await context.images.make({
        layer: layerOf(context, record, options.pause !== false, signal),
        parent: imageId as Digest,
        config,
        author: options.author,
        comment: options.comment,
        createdBy: [...(record.config.Entrypoint ?? []), ...(record.config.Cmd ?? [])].join(' '),
        container: record.id,
        target: options,
        signal,
      });
      const reference = options.repo ? [options.repo, options.tag].filter(Boolean).join(':') : '';
      context.record(record, 'commit', {
        comment: options.comment ?? '',
        imageID: id,
        imageRef: reference,
      });
      return { Id: id };
    },
  };
}

/** What is given stands over the container's own: moby, `daemon/commit.go`, `merge`. */
function configOf(record: ContainerRecord, { config: given, changes = [] }: CommitOptions): ContainerConfig {
  const own = record.config;
  if (Object.keys(given).length === 0) return applyInstructions(own, changes);
  const wanted = applyInstructions(given, changes);
  const ownCommand = wanted.Cmd?.length || wanted.Entrypoint?.length;
  const nameOf = (entry: string) => entry.split('=', 1)[0] ?? '';
  const named = new Set((wanted.Env ?? []).map(nameOf));
  return {
    ...wanted,
    User: wanted.User || own.User || '',
    WorkingDir: wanted.WorkingDir || own.WorkingDir || '',
    Env: [...(wanted.Env ?? []), ...(own.Env ?? []).filter((entry) => !named.has(nameOf(entry)))],
    Cmd: (ownCommand ? wanted.Cmd : own.Cmd) ?? null,
    Entrypoint: wanted.Entrypoint ?? own.Entrypoint ?? null,
    Labels: { ...own.Labels, ...wanted.Labels },
    ExposedPorts: { ...own.ExposedPorts, ...wanted.ExposedPorts },
    Volumes: { ...own.Volumes, ...wanted.Volumes },
    ...((wanted.Healthcheck ?? own.Healthcheck)
      ? { Healthcheck: wanted.Healthcheck ?? own.Healthcheck }
      : {}),
    ...((wanted.StopSignal ?? own.StopSignal) ? { StopSignal: wanted.StopSignal ?? own.StopSignal } : {}),
  };
}

/** The container's own layer, packed while nothing else is done to it. */
async function* layerOf(
  context: Context,
  record: ContainerRecord,
  pause: boolean,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const held = Promise.withResolvers<void>();
  const over = Promise.withResolvers<void>();
  const work = exclusively(record, async () => {
    if (record.life.status === 'removing' || record.life.status === 'dead')
      throw new BerthError('conflict', `container ${record.id} is being removed`);
    const { upper } = pathsOf(context, record.id);
    await mkdir(upper, { recursive: true });
    if (!pause || record.life.status !== 'running' || isPaused(record)) {
      held.resolve();
      return await over.promise;
    }
    await freezeForCommit(context, record);
    try {
      held.resolve();
      await over.promise;
    } finally {
      letGoOn(context, record);
      await unlinkIfThere(pathsOf(context, record.id).committing);
    }
  });
  work.catch(held.reject);
  try {
    await held.promise;
    yield* packLayer(pathsOf(context, record.id).upper, signal);
  } finally {
    over.resolve();
    await work.catch(() => undefined);
  }
}

/** Says on disk why it stands still: an engine that is killed meanwhile lets it go on at its next start. */
async function freezeForCommit(context: Context, record: ContainerRecord): Promise<void> {
  const { life } = record;
  if (life.status !== 'running') return;
  await writeFile(pathsOf(context, record.id).committing, '');
  await freeze(cgroupPathOf(context, record));
  context.store.saveLife(record, { ...life, paused: true });
  context.record(record, 'pause');
}

/** Lets a container go on that the engine was making an image of when it ended. For its next start. */
export async function endCommit(context: Context, record: ContainerRecord): Promise<void> {
  const { committing } = pathsOf(context, record.id);
  if (!existsSync(committing)) return;
  letGoOn(context, record);
  await unlinkIfThere(committing);
}
