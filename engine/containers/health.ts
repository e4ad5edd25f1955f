import { constants } from 'node:os';
import type { Health, HealthProbe } from '../api/wire/health.ts';
import type { HealthConfig } from '../api/wire/host-config.ts';
import { signalTree } from '../host/processes.ts';
import type { Context } from './context.ts';
import { runProbe } from './health-probe.ts';
import type { HealthState } from './health-store.ts';
import { isPaused } from './pause.ts';
import type { ContainerRecord } from './record.ts';

export type HealthMonitor = {
  /** Told of all that happens to containers, after it was written down. */
  notice(record: ContainerRecord, action: string): void;
  /** Goes on with what runs, where an earlier engine stopped. */
  resume(record: ContainerRecord): void;
  close(): void;
};

/** Docker's defaults (Dockerfile reference, HEALTHCHECK). */
const INTERVAL_MS = 30_000;
const TIMEOUT_MS = 30_000;
const START_INTERVAL_MS = 5_000;
const RETRIES = 3;
const KEPT_PROBES = 5;
const NS_PER_MS = 1e6;
/** What a timer of Node takes. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** A container's health as `inspect` shows it; undefined for one without a check, or that was never started. */
export function healthOf(context: Pick<Context, 'health'>, record: ContainerRecord): Health | undefined {
  const state = probeArgs(record) === undefined ? undefined : context.health.find(record.id);
  if (state === undefined) return undefined;
  return { Status: state.status, FailingStreak: state.failingStreak, Log: state.log };
}

/** What `ps` adds to the status of a container that runs, and has a check: ` (healthy)`. */
export function describeHealth(context: Pick<Context, 'health'>, record: ContainerRecord): string {
  const status = record.life.status === 'running' && !isPaused(record) && healthOf(context, record)?.Status;
  if (!status) return '';
  return status === 'starting' ? ' (health: starting)' : ` (${status})`;
}

/** Probes the health of containers that run and have a check: one timer for each. */
export function monitorHealth(context: Context): HealthMonitor {
  const running = new Map<string, { readonly stop: AbortController; timer?: NodeJS.Timeout }>();
  const { health } = context;

  function begin(record: ContainerRecord, afterMs: number): void {
    stop(record);
    const watch = { stop: new AbortController() };
    running.set(record.id, watch);
    schedule(record, watch, afterMs);
  }

  function schedule(
    record: ContainerRecord,
    watch: { readonly stop: AbortController; timer?: NodeJS.Timeout },
    afterMs: number,
  ): void {
    watch.timer = setTimeout(() => void probe(), Math.min(Math.max(afterMs, 0), MAX_TIMER_MS));
    watch.timer.unref();

    async function probe(): Promise<void> {
      const args = probeArgs(record);
      const { signal } = watch.stop;
      if (args === undefined || signal.aborted) return;
      const result = await runProbe(context, record, {
        args,
        signal,
        timeoutMs: milliseconds(checkOf(record)?.Timeout) ?? TIMEOUT_MS,
        began: (probing) => {
          const state = health.find(record.id);
          if (state !== undefined && !signal.aborted) health.save(record.id, { ...state, probing });
        },
      });
      if (result === undefined || signal.aborted) return;
      judge(record, result);
      schedule(record, watch, intervalOf(record));
    }
  }

  function judge(record: ContainerRecord, result: HealthProbe): void {
    const before = health.find(record.id);
    if (before === undefined) return;
    const after = judged(record, before, result);
    health.save(record.id, after);
    if (after.status !== before.status) context.record(record, `health_status: ${after.status}`);
  }

  function intervalOf(record: ContainerRecord): number {
    const check = checkOf(record);
    const starting = health.find(record.id)?.status === 'starting' && inStartPeriod(record, Date.now());
    return starting
      ? (milliseconds(check?.StartInterval) ?? START_INTERVAL_MS)
      : (milliseconds(check?.Interval) ?? INTERVAL_MS);
  }

  function stop(record: ContainerRecord): void {
    const watch = running.get(record.id);
    clearTimeout(watch?.timer);
    watch?.stop.abort();
    running.delete(record.id);
  }

  /** Nobody looks any more: docker calls that unhealthy, and says so to nobody. */
  function halt(record: ContainerRecord): void {
    if (!running.has(record.id)) return;
    stop(record);
    const state = health.find(record.id);
    if (state !== undefined) health.save(record.id, { ...state, status: 'unhealthy', probing: undefined });
  }

  return {
    notice(record, action) {
      if (action === 'destroy') {
        stop(record);
        health.forget(record.id);
      }
      if (action === 'die' || action === 'pause') halt(record);
      if ((action !== 'start' && action !== 'unpause') || probeArgs(record) === undefined) return;
      if (action === 'start')
        health.save(record.id, {
          status: 'starting',
          failingStreak: 0,
          log: health.find(record.id)?.log ?? [],
        });
      begin(record, intervalOf(record));
    },

    resume(record) {
      if (record.life.status !== 'running' || probeArgs(record) === undefined) return;
      const state: HealthState = health.find(record.id) ?? { status: 'starting', failingStreak: 0, log: [] };
      if (state.probing !== undefined) signalTree(state.probing, constants.signals.SIGKILL);
      health.save(record.id, { ...state, probing: undefined });
      if (isPaused(record)) return;
      const last = Date.parse(state.log.at(-1)?.End ?? record.life.startedAt);
      begin(record, Math.max(last, Date.parse(record.life.startedAt)) + intervalOf(record) - Date.now());
    },

    close() {
      for (const { timer, stop: stopped } of running.values()) {
        clearTimeout(timer);
        stopped.abort();
      }
      running.clear();
    },
  };
}

/** What a probe's result makes of a container's health: docker's rules. */
function judged(record: ContainerRecord, before: HealthState, result: HealthProbe): HealthState {
  const log = [...before.log, result].slice(-KEPT_PROBES);
  if (result.ExitCode === 0) return { status: 'healthy', failingStreak: 0, log };
  // Until it was healthy once, failures of the start period don't count.
  if (before.status === 'starting' && inStartPeriod(record, Date.parse(result.Start)))
    return { ...before, probing: undefined, log };
  const failingStreak = before.failingStreak + 1;
  const failed = failingStreak >= (checkOf(record)?.Retries || RETRIES);
  return { status: failed ? 'unhealthy' : before.status, failingStreak, log };
}

function inStartPeriod({ life, config }: ContainerRecord, at: number): boolean {
  const period = milliseconds(config.Healthcheck?.StartPeriod) ?? 0;
  return life.status === 'running' && at - Date.parse(life.startedAt) < period;
}

function checkOf({ config }: ContainerRecord): HealthConfig | undefined {
  return config.Healthcheck ?? undefined;
}

/** The command of a container's check; undefined where it has none. */
function probeArgs(record: ContainerRecord): readonly [string, ...string[]] | undefined {
  const [kind, ...words] = checkOf(record)?.Test ?? [];
  const shell = record.config.Shell?.length ? record.config.Shell : ['/bin/sh', '-c'];
  const [program, ...args] = kind === 'CMD' ? words : kind === 'CMD-SHELL' ? [...shell, ...words] : [];
  return program === undefined ? undefined : [program, ...args];
}

/** Nanoseconds as the API has them; 0 stands for the default. */
function milliseconds(nanoseconds: number | undefined): number | undefined {
  return nanoseconds ? nanoseconds / NS_PER_MS : undefined;
}
