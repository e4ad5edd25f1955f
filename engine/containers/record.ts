import type { PassThrough } from 'node:stream';
import { BerthError } from '../api/errors.ts';
import type { ContainerConfig, HostConfig } from '../api/wire.ts';
import type { ProcessIdentity } from '../host/processes.ts';
import { type Database, durably } from '../state/database.ts';

/** Where a container is in its life. Times are RFC 3339. */
export type Life =
  | { readonly status: 'created'; readonly exitCode: number; readonly error: string }
  | { readonly status: 'running'; readonly process: ProcessIdentity; readonly startedAt: string }
  | ({ readonly status: 'exited' } & Ending)
  | { readonly status: 'removing' };

export type Ending = {
  readonly exitCode: number;
  readonly oomKilled: boolean;
  readonly startedAt: string;
  readonly finishedAt: string;
};

/** One container as the engine holds it; `life` and the row in the database change together (see `saveLife`). */
export type ContainerRecord = {
  readonly id: string;
  readonly name: string;
  readonly imageId: string;
  /** The image's name as it was given. */
  readonly imageName: string;
  readonly createdAt: string;
  /** The image's config with the user's over it. */
  readonly config: ContainerConfig;
  readonly hostConfig: HostConfig;
  life: Life;
  /** Settles at the end of the run that goes on, or of the next one; rejects when the container is removed unstarted. */
  exit: PromiseWithResolvers<Ending>;
  /** Settles when the container is gone. */
  readonly removed: PromiseWithResolvers<Ending | undefined>;
  /** Clients' input that waits for the container to start. */
  readonly waitingInputs: Set<PassThrough>;
  /** Stopped to be started again: its end removes no container. */
  restarting: boolean;
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
  readonly state: string;
};

/** The containers of an engine: in memory, written through to the database. */
export type ContainerStore = {
  all(): readonly ContainerRecord[];
  /** By id, name, or unique prefix of an id. Throws `notFound`, or `invalid` for a prefix of several. */
  find(name: string): ContainerRecord;
  byId(id: string): ContainerRecord | undefined;
  byName(name: string): ContainerRecord | undefined;
  /** Throws `conflict` when the name is in use. */
  add(fields: NewContainer): ContainerRecord;
  saveLife(record: ContainerRecord, life: Life): void;
  drop(record: ContainerRecord): void;
};

export type NewContainer = Pick<
  ContainerRecord,
  'id' | 'name' | 'imageId' | 'imageName' | 'createdAt' | 'config' | 'hostConfig'
>;

export function openContainerStore(database: Database): ContainerStore {
  const insert = database.prepare(
    'INSERT INTO containers (id, name, image_id, image_name, created_at, config, host_config, state) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
  );
  const update = database.prepare('UPDATE containers SET state = ? WHERE id = ?');
  const remove = database.prepare('DELETE FROM containers WHERE id = ?');
  const records = new Map<string, ContainerRecord>();
  const names = new Map<string, ContainerRecord>();

  function hold(record: ContainerRecord): ContainerRecord {
    records.set(record.id, record);
    names.set(record.name, record);
    return record;
  }

  for (const row of database.prepare('SELECT * FROM containers ORDER BY created_at').all() as Row[]) {
    hold(
      makeRecord(
        {
          id: row.id,
          name: row.name,
          imageId: row.image_id,
          imageName: row.image_name,
          createdAt: row.created_at,
          config: JSON.parse(row.config) as ContainerConfig,
          hostConfig: JSON.parse(row.host_config) as HostConfig,
        },
        JSON.parse(row.state) as Life,
      ),
    );
  }

  return {
    all: () => [...records.values()],
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
    add(fields) {
      const owner = names.get(fields.name);
      if (owner !== undefined) throw nameInUse(fields.name, owner.id);
      const life: Life = { status: 'created', exitCode: 0, error: '' };
      const { id, name, imageId, imageName, createdAt } = fields;
      const [config, hostConfig] = [JSON.stringify(fields.config), JSON.stringify(fields.hostConfig)];
      durably(database, () =>
        insert.run(id, name, imageId, imageName, createdAt, config, hostConfig, JSON.stringify(life)),
      );
      return hold(makeRecord(fields, life));
    },
    saveLife(record, life) {
      const write = () => update.run(JSON.stringify(life), record.id);
      // The container's files go next; its other states are of a process that a power cut ends anyway.
      if (life.status === 'removing') durably(database, write);
      else write();
      record.life = life;
    },
    drop(record) {
      remove.run(record.id);
      records.delete(record.id);
      names.delete(record.name);
    },
  };
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

/** A promise that is nobody's duty to await. */
export function newExit(): PromiseWithResolvers<Ending> {
  const exit = Promise.withResolvers<Ending>();
  exit.promise.catch(() => undefined);
  return exit;
}

function makeRecord(fields: NewContainer, life: Life): ContainerRecord {
  return {
    ...fields,
    life,
    exit: newExit(),
    removed: Promise.withResolvers<Ending | undefined>(),
    waitingInputs: new Set(),
    restarting: false,
    queue: Promise.resolve(),
  };
}
