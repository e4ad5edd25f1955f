import { lstatSync, readdirSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { BerthError, isErrno } from '../../api/errors.ts';
import { extractInto, packPath } from '../../archives/thread.ts';
import type { Bind } from '../../runtime/mounts.ts';
import type { VolumeWish } from '../../volumes/types.ts';
import { type Context, pathsOf } from '../context.ts';
import { lowerLayers } from '../init-layer.ts';
import type { ContainerRecord } from '../record.ts';
import { bindSubpath, unbindSubpaths } from './subpaths.ts';
import type { ContainerMount, VolumeMount } from './types.ts';

type Parts = Pick<ContainerRecord, 'id' | 'imageId' | 'mounts'>;

function volumesIn(mounts: readonly ContainerMount[]): readonly VolumeMount[] {
  return mounts.filter((mount) => mount.type === 'volume');
}

/** The volumes that a new container will have. */
export function wishesOf(mounts: readonly ContainerMount[]): readonly VolumeWish[] {
  return volumesIn(mounts).map(({ name, made }) => ({ name, ...made }));
}

/** Names of those that go with the container. */
export function anonymousOf(mounts: readonly ContainerMount[]): readonly string[] {
  return volumesIn(mounts).flatMap(({ name, anonymous }) => (anonymous ? [name] : []));
}

/** What containers that run hold, by their ids; for the start of an engine. */
export function heldVolumes(records: readonly ContainerRecord[]): ReadonlyMap<string, readonly string[]> {
  return new Map(
    records
      .filter(({ life }) => life.status === 'running')
      .map(({ id, mounts }) => [id, volumesIn(mounts).map(({ name }) => name)]),
  );
}

/** Ids of the containers that have a volume, but for those that are being removed. */
export function usersOfVolume(records: readonly ContainerRecord[], name: string): readonly string[] {
  return records
    .filter(
      ({ life, mounts }) =>
        life.status !== 'removing' && volumesIn(mounts).some((mount) => mount.name === name),
    )
    .map(({ id }) => id);
}

/** Puts into the volumes of a new container what its image has in their places: into those that have nothing in them. */
export async function fillVolumes(context: Context, container: Parts): Promise<void> {
  await fill(context, container, volumesIn(container.mounts));
}

async function fill(context: Context, container: Parts, mounts: readonly VolumeMount[]): Promise<void> {
  const wanted = mounts.filter(({ copies }) => copies);
  if (wanted.length === 0) return;
  const { volumes } = context;
  const holder = `${container.id}.fill`;
  const lower = await lowerLayers(context, container);
  try {
    for (const { name, destination } of wanted) {
      // A look at the first component spares most of them a thread.
      const [, first = ''] = destination.split('/');
      if (!lower.some((layer) => lstatSync(join(layer, first), { throwIfNoEntry: false }) !== undefined))
        continue;
      await volumes.hold([name], holder);
      await volumes.fill(name, (directory) => copyUp(context, container, { lower, destination, directory }));
    }
  } finally {
    volumes.release(holder);
  }
}

/** The directory of the image becomes the volume's `_data`, with its owner, mode and times. */
async function copyUp(
  context: Context,
  { id }: Parts,
  {
    lower,
    destination,
    directory,
  }: { readonly lower: readonly string[]; readonly destination: string; readonly directory: string },
): Promise<void> {
  const at = pathsOf(context, id).view;
  await mkdir(at, { recursive: true });
  const { signal } = new AbortController();
  const path = Buffer.from(`${destination}/.`).toString('latin1');
  try {
    const { archive } = await packPath({ kind: 'overlay', lower, at, binds: [] }, path, signal, {
      as: '_data',
    });
    const options = { path: '/', keepKinds: true, owner: undefined, readOnlyRoot: false };
    await extractInto({ kind: 'directory', path: directory }, options, archive, signal);
  } catch (error) {
    // The image has nothing there, or a file.
    if (!(error instanceof BerthError) || !['notFound', 'invalid'].includes(error.code)) throw error;
  }
}

/** Takes hold of a container's volumes for a run. Those in memory are filled, for they have nothing in them. */
export async function holdVolumes(
  context: Context,
  record: ContainerRecord,
  undo: AsyncDisposableStack,
): Promise<void> {
  const mounts = volumesIn(record.mounts);
  if (mounts.length === 0) return;
  await context.volumes.hold(
    mounts.map(({ name }) => name),
    record.id,
  );
  undo.defer(() => releaseVolumes(context, record));
  await fill(
    context,
    record,
    mounts.filter(({ name }) => context.volumes.forgets(name)),
  );
  for (const { name, destination, readOnly } of mounts)
    tell(context, 'mount', name, {
      container: record.id,
      destination,
      driver: 'local',
      propagation: '',
      'read/write': String(!readOnly),
    });
}

/** Lets go of what a run of a container had of volumes. Safe to repeat, and where there is nothing. */
export function releaseVolumes(
  context: Context,
  record: Pick<ContainerRecord, 'id'> & Partial<Pick<ContainerRecord, 'mounts'>>,
): void {
  unbindSubpaths(pathsOf(context, record.id).subpaths);
  if (!context.volumes.release(record.id)) return;
  for (const { name } of volumesIn(record.mounts ?? []))
    tell(context, 'unmount', name, { container: record.id, driver: 'local' });
}

function tell(
  context: Context,
  action: string,
  id: string,
  attributes: Readonly<Record<string, string>>,
): void {
  context.events.record({ type: 'volume', action, id, attributes });
}

/** A volume as the runtime mounts it. Throws `invalid` for a subpath that isn't there. */
export function volumeMount(context: Context, { id }: ContainerRecord, mount: VolumeMount): Bind {
  const { destination, readOnly, subpath } = mount;
  const directory = context.volumes.mountpoint(mount.name);
  const source =
    subpath === undefined ? directory : bindSubpath(directory, subpath, pathsOf(context, id).subpaths);
  return { source, destination, readOnly, readOnlyBelow: true };
}

let views = 0;

/** A container's volumes as binds, for a look at one that stands still; disposing lets go of them. */
export async function seenVolumes(
  context: Context,
  record: ContainerRecord,
): Promise<Disposable & { readonly binds: readonly Bind[] }> {
  views += 1;
  const holder = `${record.id}.view${views}`;
  const mounts = volumesIn(record.mounts);
  const letGo = () => {
    unbindSubpaths(pathsOf(context, holder).subpaths);
    context.volumes.release(holder);
  };
  await context.volumes.hold(
    mounts.map(({ name }) => name),
    holder,
  );
  try {
    const binds = mounts.map((mount) => volumeMount(context, { ...record, id: holder }, mount));
    return { binds, [Symbol.dispose]: letGo };
  } catch (error) {
    letGo();
    throw error;
  }
}

/** Takes away the parts of volumes that an engine which was killed had mounted for nobody that runs. */
export function forgetSubpaths(context: Context): void {
  let names: readonly string[] = [];
  try {
    names = readdirSync(join(context.runDir, 'subpaths'));
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
  }
  for (const name of names)
    if (context.store.byId(name)?.life.status !== 'running') unbindSubpaths(pathsOf(context, name).subpaths);
}
