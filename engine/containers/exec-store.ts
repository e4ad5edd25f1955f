import { BerthError } from '../api/errors.ts';
import type { ExecProcess } from '../runtime/exec-process.ts';

/** A program to run in a container, checked. */
export type ExecConfig = {
  readonly args: readonly [string, ...string[]];
  readonly env: readonly string[];
  /** As it was given; empty for the container's own. */
  readonly user: string;
  readonly workingDir: string;
  readonly tty: boolean;
  readonly privileged: boolean;
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly consoleSize?: ConsoleSize | undefined;
};

export type ConsoleSize = { readonly rows: number; readonly columns: number };

/** One program that was asked to run in a container. Known as long as the engine runs, as dockerd has it. */
export type ExecRecord = {
  readonly id: string;
  readonly containerId: string;
  readonly config: ExecConfig;
  /** Who the program runs as, in the words of whoever chose. */
  readonly user: string;
  /** The detach keys that were given with it. */
  readonly detachKeys: readonly number[] | undefined;
  life:
    | { readonly status: 'created' }
    | { readonly status: 'starting' }
    | { readonly status: 'running'; readonly process: ExecProcess }
    | { readonly status: 'ended'; readonly exitCode: number; readonly pid: number };
};

export type ExecStore = {
  add(record: ExecRecord): void;
  /** Throws `notFound`. */
  find(id: string): ExecRecord;
  /** Those of a container that have not ended, for its `ExecIDs`. */
  idsOf(containerId: string): readonly string[];
  /** Its run has ended: what was not started never will be. */
  forgetUnstarted(containerId: string): void;
  forgetAll(containerId: string): void;
  /** To be called when one has ended: it can be asked about for a while. */
  forgetLater(record: ExecRecord): void;
  close(): void;
};

/** How long after its end a program's exit code can be asked for: dockerd's 5 to 10 minutes. */
const KEEP_MS = 5 * 60_000;

export function openExecStore(): ExecStore {
  const records = new Map<string, ExecRecord>();
  const timers = new Map<string, NodeJS.Timeout>();

  function forget(id: string): void {
    clearTimeout(timers.get(id));
    timers.delete(id);
    records.delete(id);
  }

  function of(containerId: string): readonly ExecRecord[] {
    return [...records.values()].filter((record) => record.containerId === containerId);
  }

  return {
    add: (record) => void records.set(record.id, record),
    find(id) {
      const record = records.get(id);
      if (record === undefined) throw new BerthError('notFound', `No such exec instance: ${id}`);
      return record;
    },
    idsOf: (containerId) =>
      of(containerId)
        .filter(({ life }) => life.status !== 'ended')
        .map(({ id }) => id),
    forgetUnstarted(containerId) {
      for (const { id, life } of of(containerId)) if (life.status === 'created') forget(id);
    },
    forgetAll(containerId) {
      for (const { id } of of(containerId)) forget(id);
    },
    forgetLater({ id }) {
      if (records.has(id)) timers.set(id, setTimeout(forget, KEEP_MS, id).unref());
    },
    close() {
      for (const timer of timers.values()) clearTimeout(timer);
    },
  };
}
