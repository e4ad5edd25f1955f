import { rmdirSync } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import type { Fault, Look } from '../state/faults.ts';
import { isMounted } from './options.ts';
import type { VolumePlaces } from './places.ts';
import type { VolumeRecord, VolumeRows } from './rows.ts';

type Checked = {
  readonly rows: VolumeRows;
  readonly places: VolumePlaces;
  readonly isHeld: (name: string) => boolean;
  /** Takes in a directory that no row tells of. */
  readonly adopt: (name: string) => void;
  /** Younger things that are nobody's are let be. */
  readonly settledMs: number;
};

/** What is to be looked at of volumes: rows against directories and mounts, both ways, and what is being removed. */
export function volumeLooks(context: Checked): readonly Look[] {
  const { rows, places } = context;
  return [
    ...rows.all().map((record) => async () => lookAt(context, record)),
    ...places.names().map((name) => () => lookAtDirectory(context, name)),
    ...places.removing().map((path) => () => lookAtRemoval(context, path)),
  ];
}

function lookAt({ rows, places, isHeld }: Checked, record: VolumeRecord): Fault | undefined {
  const { name, options, state } = record;
  // Those that come or go just now are as they may be.
  if (rows.find(name) !== record || state === 'new') return undefined;
  const about = { kind: 'volume', what: `volume ${name}`, where: places.data(name) } as const;
  if (!places.has(name))
    return {
      ...about,
      problem: 'its directory is not there',
      repair: 'make an empty one: what was in it is lost',
      mend: async () => places.make(name),
    };
  if (!isMounted(options)) return undefined;
  const mounted = places.isMounted(name);
  if (mounted && !isHeld(name))
    return {
      ...about,
      kind: 'mount',
      problem: 'it is mounted, and no container runs with it',
      repair: 'take it off',
      mend: async () => places.unmount(name),
    };
  if (!mounted && isHeld(name))
    return {
      ...about,
      kind: 'mount',
      problem: `containers run with it, and ${options.device} is not mounted there`,
      repair: `none here: berth restart the containers that berth ps --filter volume=${name} shows`,
      mend: undefined,
    };
  return undefined;
}

async function lookAtDirectory(context: Checked, name: string): ReturnType<Look> {
  const { rows, places } = context;
  if (rows.find(name) !== undefined || !(await isSettled(context, places.directory(name)))) return undefined;
  const about = { kind: 'volume', what: `the directory ${name}`, where: places.directory(name) } as const;
  if (places.has(name))
    return {
      ...about,
      problem: 'no volume has this name',
      repair: 'make it one: it holds somebody’s data',
      mend: async () => context.adopt(name),
    };
  return {
    ...about,
    problem: 'it is no volume: there is no _data in it',
    repair: 'remove it, where it is empty',
    mend: async () => rmdirSync(places.directory(name)),
  };
}

async function lookAtRemoval(context: Checked, path: string): ReturnType<Look> {
  if (!(await isSettled(context, path))) return undefined;
  return {
    kind: 'volume',
    what: 'a volume that was removed',
    where: path,
    problem: 'its files are still there',
    repair: 'remove them',
    mend: async () => await rm(path, { recursive: true, force: true }),
  };
}

async function isSettled({ settledMs }: Checked, path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found !== undefined && Date.now() - found.ctimeMs >= settledMs;
}
