import type { Labels } from '../api/wire.ts';
import { type Database, durably } from '../state/database.ts';
import type { LocalOptions } from './types.ts';

export type VolumeState = 'new' | 'filling' | 'ready';

export type VolumeRecord = {
  readonly name: string;
  readonly options: LocalOptions;
  readonly labels: Labels;
  readonly createdAt: string;
  state: VolumeState;
};

/** Volumes in memory, written through to the database; see `state/tables/volumes.ts` for what a state means. */
export type VolumeRows = {
  all(): readonly VolumeRecord[];
  find(name: string): VolumeRecord | undefined;
  add(record: VolumeRecord): void;
  /** In a transaction of its own, which is on the disk when this returns. */
  setState(record: VolumeRecord, state: VolumeState): void;
  /** In the transaction of whoever calls it. */
  markReady(record: VolumeRecord): void;
  drop(record: VolumeRecord): void;
};

type Row = {
  readonly name: string;
  readonly options: string;
  readonly labels: string;
  readonly created_at: string;
  readonly state: string;
};

export function openVolumeRows(database: Database): VolumeRows {
  const insert = database.prepare(
    'INSERT INTO volumes (name, options, labels, created_at, state) VALUES (?, ?, ?, ?, ?)',
  );
  const update = database.prepare('UPDATE volumes SET state = ? WHERE name = ?');
  const remove = database.prepare('DELETE FROM volumes WHERE name = ?');
  const records = new Map<string, VolumeRecord>();
  for (const row of database.prepare('SELECT * FROM volumes').all() as Row[]) {
    records.set(row.name, {
      name: row.name,
      options: JSON.parse(row.options) as LocalOptions,
      labels: JSON.parse(row.labels) as Labels,
      createdAt: row.created_at,
      state: row.state as VolumeState,
    });
  }
  return {
    all: () => [...records.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    find: (name) => records.get(name),
    add(record) {
      const { name, options, labels, createdAt, state } = record;
      durably(database, () =>
        insert.run(name, JSON.stringify(options), JSON.stringify(labels), createdAt, state),
      );
      records.set(name, record);
    },
    setState(record, state) {
      durably(database, () => update.run(state, record.name));
      record.state = state;
    },
    markReady(record) {
      update.run('ready', record.name);
      record.state = 'ready';
    },
    drop(record) {
      durably(database, () => remove.run(record.name));
      records.delete(record.name);
    },
  };
}
