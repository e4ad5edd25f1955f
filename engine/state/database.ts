import { DatabaseSync } from 'node:sqlite';
import { BerthError } from '../api/errors.ts';
import { containerMounts, containerRestarts, containerTables } from './tables/containers.ts';
import { eventTables } from './tables/events.ts';
import { healthTables } from './tables/health.ts';
import { hostedTables } from './tables/hosted.ts';
import { imageParents, imageTables, layerBlobs } from './tables/images.ts';
import { networkTables, userNetworks } from './tables/networks.ts';
import { volumeTables } from './tables/volumes.ts';

export type Database = DatabaseSync;

/** The schema, as steps that are only ever added to. `PRAGMA user_version` counts those that were taken. */
const migrations: readonly string[] = [
  imageTables + containerTables + networkTables + eventTables,
  containerRestarts,
  containerMounts,
  healthTables,
  imageParents,
  layerBlobs,
  userNetworks,
  hostedTables,
  volumeTables,
];

/** How long a write waits for another process's transaction. */
const BUSY_TIMEOUT_MS = 5_000;

/**
 * Opens the engine's database and brings its schema up to date, in one transaction.
 * Throws `unsupported` when a newer Berth wrote it.
 */
export function openDatabase(path: string): Database {
  const database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS, enableForeignKeyConstraints: true });
  // NORMAL: a write is the kernel's as soon as it returns, so that a killed engine loses none, and costs 0.02 ms
  // where FULL takes 2.3; only a power cut can lose the last ones. What must survive that goes through `durably`.
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;');
  const row = database.prepare('PRAGMA user_version').get() as { user_version: number };
  if (row.user_version > migrations.length) {
    database.close();
    throw new BerthError('unsupported', `${path} was written by a newer Berth (schema ${row.user_version})`, {
      hint: 'upgrade Berth, or start it with another --root',
    });
  }
  transaction(database, () => {
    for (const step of migrations.slice(row.user_version)) database.exec(step);
    database.exec(`PRAGMA user_version = ${migrations.length}`);
  });
  return database;
}

/** Runs `work` in one transaction: all of it is kept, or none. Does not nest. */
export function transaction<T>(database: Database, work: () => T): T {
  database.exec('BEGIN IMMEDIATE');
  try {
    const result = work();
    database.exec('COMMIT');
    return result;
  } catch (error) {
    // SQLite has done so itself after some errors, a full disk among them (https://www.sqlite.org/lang_transaction.html).
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

/**
 * Runs `work` in one transaction that is on the disk when this returns, and with it all that was written before:
 * for rows that files are made or removed after, and for what was promised to a client.
 */
export function durably<T>(database: Database, work: () => T): T {
  database.exec('PRAGMA synchronous = FULL');
  try {
    return transaction(database, work);
  } finally {
    database.exec('PRAGMA synchronous = NORMAL');
  }
}
