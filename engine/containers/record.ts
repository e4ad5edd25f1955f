import type { PassThrough } from 'node:stream';
import { BerthError } from '../api/errors.ts';
import type { ContainerConfig, HostConfig } from '../api/wire.ts';
import type { ProcessIdentity } from '../host/processes.ts';
import { type Database, durably } from '../state/database.ts';
import { parseBind } from './mounts/bind-text.ts';
import type { ContainerMount } from './mounts/types.ts';

/** Where a container is in its life. Times are RFC 3339. */
export type Life =
  | { readonly status: 'created'; readonly exitCode: number; readonly error: string }
  | {
      readonly status: 'running';
      readonly process: ProcessIdentity;
      readonly startedAt: string;
      /** When the run before this one ended. */
      readonly finishedAt?: string | undefined;
      /** Its processes are frozen. The kernel knows it as well, and better: see recover.ts. */
      readonly paused?: boolean;
    }
  /** It has ended, and its restart policy starts it again after a while. */
  | ({ readonly status: 'restarting' } & Ending)
  /** `error`: why the start after this run failed. */
  | ({ readonly status: 'exited'; readonly error?: string } & Ending)
  /** `volumes`: those without a name go with it. */
  | { readonly status: 'removing'; readonly volumes: boolean; readonly last?: Ending | undefined }
  /** A removal failed; it can be tried again. */
  | { readonly status: 'dead'; readonly error: string; readonly last?: Ending | undefined };

export type Ending = {
  readonly exitCode: number;
  readonly oomKilled: boolean;
  readonly startedAt: string;
  readonly finishedAt: string;
};

/** What a restart policy goes by. */
export type Restarts = {
  /** How often the policy started it since somebody did: `RestartCount`. */
  readonly count: number;
  /** The pause before the last restart; 0 before the first. */
  readonly delayMs: number;
  /** Somebody stopped or signalled it: what `unless-stopped` is about. */
  readonly stoppedByHand: boolean;
  /** The end that comes next is wanted, whatever the policy says. */
  readonly endWanted: boolean;
  /** It is being stopped to be started again: its end removes no container. */
  readonly startWanted: boolean;
};

export const noRestarts: Restarts = {
  count: 0,
  delayMs: 0,
  stoppedByHand: false,
  endWanted: false,
  startWanted: false,
};

/** One container as the engine holds it; its fields and the row in the database change together (see the store). */
export type ContainerRecord = {
  readonly id: string;
  /** Changes with `rename` alone. */
  name: string;
  /** Counts containers in the order of their creation. */
  readonly sequence: number;
  readonly imageId: string;
  /** The image's name as it was given. */
  readonly imageName: string;
  readonly createdAt: string;
  /** The image's config with the user's over it. */
  readonly config: ContainerConfig;
  /** Changes with `update` alone. */
  hostConfig: HostConfig;
  /** What is mounted into it, as settled at its creation. */
  readonly mounts: readonly ContainerMount[];
  life: Life;
  restarts: Restarts;
  /** Starts it again when its policy's pause is over. */
  backoff: NodeJS.Timeout | undefined;
  /** Settles at the end of the run that goes on, or of the next one; with nothing when it is removed before one. */
  exit: PromiseWithResolvers<Ending | undefined>;
  /** Settles when the container is gone; rejects where it could not be removed. */
  removed: PromiseWithResolvers<Ending | undefined>;
  /** Who follows its logs: called when it may have come to rest (rest.ts). */
  readonly followers: Set<() => void>;
  /** Clients' input that waits for the container to start. */
  readonly waitingInputs: Set<PassThrough>;
  /** Restarts that somebody asked for and that are under way. */
  restarting: number;
  /** Ends the last piece of work that changes the container: see `exclusively`. */
  queue: Promise<unknown>;
};

type Row = {
  readonly id: string;
  readonly name: string;
  readonly image_id: string;
  readonly image_name: string;
  readonly created_at: string;
  readonly config: string;
  readonly host_config: string;
  readonly mounts: string | null;
  readonly state: string;
  readonly restarts: string;
};

/** The containers of an engine: in memory, written through to the database. */
export type ContainerStore = {
  /** In the order of their creation. */
  all(): readonly ContainerRecord[];
  /** Those that docker counts as running: paused and restarting ones too. In the order of their creation. */
  active(): readonly ContainerRecord[];
  size(): number;
  /** By id, name, or unique prefix of an id. Throws `notFound`, or `invalid` for a prefix of several. */
  find(name: string): ContainerRecord;
  byId(id: string): ContainerRecord | undefined;
  byName(name: string): ContainerRecord | undefined;
  /** Throws `conflict` when the name is in use. */
  add(fields: Added): ContainerRecord;
  saveLife(record: ContainerRecord, life: Life, restarts?: Restarts): void;
  /** Throws `conflict` when the name is in use. */
  rename(record: ContainerRecord, name: string): void;
  saveHostConfig(record: ContainerRecord, hostConfig: HostConfig): void;
  drop(record: ContainerRecord): void;
};

export type NewContainer = Pick<
  ContainerRecord,
  'id' | 'name' | 'imageId' | 'imageName' | 'createdAt' | 'config' | 'hostConfig' | 'mounts'
>;

/** `also` is done in the transaction in which the row is written. */
type Added = NewContainer & { readonly also: () => void };

export function openContainerStore(database: Database): ContainerStore {
  const insert = database.prepare(
    'INSERT INTO containers (id, name, image_id, image_name, created_at, config, host_config, mounts, state) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
  );
  const update = database.prepare('UPDATE containers SET state = ?, restarts = ? WHERE id = ?');
  const updateName = database.prepare('UPDATE containers SET name = ? WHERE id = ?');
  const updateHostConfig = database.prepare('UPDATE containers SET host_config = ? WHERE id = ?');
  const remove = database.prepare('DELETE FROM containers WHERE id = ?');
  const records = new Map<string, ContainerRecord>();
  const names = new Map<string, ContainerRecord>();
  // Apart, so that `ps` costs what runs and not what lies about.
  const active = new Set<ContainerRecord>();
  let created = 0;

  function hold(fields: NewContainer, life: Life, restarts: Restarts): ContainerRecord {
    created += 1;
    const record = makeRecord(fields, life, restarts, created);
    records.set(record.id, record);
    names.set(record.name, record);
    note(record);
    return record;
  }

  function note(record: ContainerRecord): void {
    if (isActive(record.life)) active.add(record);
    else active.delete(record);
  }

  for (const row of database.prepare('SELECT * FROM containers ORDER BY created_at, rowid').all() as Row[]) {
    hold(
      {
        id: row.id,
        name: row.name,
        imageId: row.image_id,
        imageName: row.image_name,
        createdAt: row.created_at,
        config: JSON.parse(row.config) as ContainerConfig,
        hostConfig: JSON.parse(row.host_config) as HostConfig,
        mounts: readMounts(row),
      },
      JSON.parse(row.state) as Life,
      { ...noRestarts, ...(JSON.parse(row.restarts) as Partial<Restarts>) },
    );
  }

  return {
    all: () => [...records.values()],
    active: () => [...active].sort((a, b) => a.sequence - b.sequence),
    size: () => records.size,
    byId: (id) => records.get(id),
    byName: (name) => names.get(name),
    find(name) {
      const plain = name.replace(/^\//, '');
      const exact = records.get(plain) ?? names.get(plain);
      if (exact !== undefined) return exact;
      const matches = /^[0-9a-f]+$/.test(plain)
        ? [...records.values()].filter((record) => record.id.startsWith(plain))
        : [];
      const [found] = matches;
      if (found === undefined)
        throw new BerthError('notFound', `No such container: ${name}`, { hint: 'berth ps -a' });
      if (matches.length > 1) {
        throw new BerthError('invalid', `multiple containers found with the id prefix ${plain}`, {
          hint: 'give more of the id',
        });
      }
      return found;
    },
    add({ also, ...fields }) {
      const owner = names.get(fields.name);
      if (owner !== undefined) throw nameInUse(fields.name, owner.id);
      const life: Life = { status: 'created', exitCode: 0, error: '' };
      const { id, name, imageId, imageName, createdAt, config, hostConfig, mounts } = fields;
      const texts = [config, hostConfig, mounts, life].map((value) => JSON.stringify(value));
      durably(database, () => {
        insert.run(id, name, imageId, imageName, createdAt, ...texts);
        also();
      });
      return hold(fields, life, noRestarts);
    },
    saveLife(record, life, restarts = record.restarts) {
      const write = () => update.run(JSON.stringify(life), JSON.stringify(restarts), record.id);
      // The container's files go next; its other states are of a process that a power cut ends anyway.
      if (life.status === 'removing') durably(database, write);
      else write();
      record.life = life;
      record.restarts = restarts;
      note(record);
    },
    rename(record, name) {
      const owner = names.get(name);
      if (owner !== undefined) throw nameInUse(name, owner.id);
      durably(database, () => updateName.run(name, record.id));
      names.delete(record.name);
      record.name = name;
      names.set(name, record);
    },
    saveHostConfig(record, hostConfig) {
      durably(database, () => updateHostConfig.run(JSON.stringify(hostConfig), record.id));
      record.hostConfig = hostConfig;
    },
    drop(record) {
      remove.run(record.id);
      records.delete(record.id);
      names.delete(record.name);
      active.delete(record);
    },
  };
}

/** How its last run ended; undefined where there was none. */
export function lastEnding(life: Life): Ending | undefined {
  switch (life.status) {
    case 'exited':
    case 'restarting': {
      const { exitCode, oomKilled, startedAt, finishedAt } = life;
      return { exitCode, oomKilled, startedAt, finishedAt };
    }
    case 'removing':
    case 'dead':
      return life.last;
    default:
      return undefined;
  }
}

/** Whether docker calls it running: also between two runs, when its policy is about to start it. */
export function isActive(life: Life): boolean {
  return life.status === 'running' || life.status === 'restarting';
}

/** Rows of engines that kept no mounts have binds alone. */
function readMounts(row: Row): readonly ContainerMount[] {
  if (row.mounts !== null) return JSON.parse(row.mounts) as readonly ContainerMount[];
  const { Binds } = JSON.parse(row.host_config) as HostConfig;
  return (Binds ?? []).map(parseBind);
}

/** The words that docker's clients know. */
export function nameInUse(name: string, ownerId: string): BerthError {
  return new BerthError(
    'conflict',
    `Conflict. The container name "/${name}" is already in use by container "${ownerId}". You have to remove (or rename) that container to be able to reuse that name.`,
    { hint: `berth rm ${name}` },
  );
}

/**
 * Runs `work` when no other work that changes this container is under way, so that a start, its end and a removal
 * never cross.
 */
export function exclusively<T>(record: ContainerRecord, work: () => Promise<T>): Promise<T> {
  const result = record.queue.then(work, work);
  record.queue = result.catch(() => undefined);
  return result;
}

/** Tells those who wait for the end of this run, and begins the wait for the next. */
export function tellEnd(record: ContainerRecord, ending: Ending | undefined): void {
  const { exit } = record;
  record.exit = Promise.withResolvers();
  exit.resolve(ending);
}

function makeRecord(fields: NewContainer, life: Life, restarts: Restarts, sequence: number): ContainerRecord {
  return {
    ...fields,
    sequence,
    life,
    restarts,
    backoff: undefined,
    exit: Promise.withResolvers(),
    removed: Promise.withResolvers<Ending | undefined>(),
    followers: new Set(),
    waitingInputs: new Set(),
    restarting: 0,
    queue: Promise.resolve(),
  };
}
