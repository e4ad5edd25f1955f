import type { HealthProbe, HealthStatus } from '../api/wire/health.ts';
import type { ProcessIdentity } from '../host/processes.ts';
import type { Database } from '../state/database.ts';

/** What is kept of a container's health, over restarts of the engine too. */
export type HealthState = {
  readonly status: HealthStatus;
  readonly failingStreak: number;
  readonly log: readonly HealthProbe[];
  /** The probe that runs: one that an engine did not see to its end is ended by the next. */
  readonly probing?: ProcessIdentity | undefined;
};

export type HealthStore = {
  find(containerId: string): HealthState | undefined;
  save(containerId: string, state: HealthState): void;
  forget(containerId: string): void;
};

export function openHealthStore(database: Database): HealthStore {
  const read = database.prepare('SELECT container_id, state FROM container_health');
  const write = database.prepare(
    'INSERT INTO container_health (container_id, state) VALUES (?, ?) ON CONFLICT DO UPDATE SET state = excluded.state',
  );
  const states = new Map(
    (read.all() as { container_id: string; state: string }[]).map((row) => [
      row.container_id,
      JSON.parse(row.state) as HealthState,
    ]),
  );
  return {
    find: (id) => states.get(id),
    save(id, state) {
      write.run(id, JSON.stringify(state));
      states.set(id, state);
    },
    // Its row goes with the container's.
    forget: (id) => void states.delete(id),
  };
}
