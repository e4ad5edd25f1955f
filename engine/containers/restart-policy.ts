import { BerthError } from '../api/errors.ts';
import type { HostConfig } from '../api/wire.ts';
import type { ContainerRecord, Ending, Life, Restarts } from './record.ts';

/** Names of policies that Docker knows; nothing said means `no`. */
const policies = ['', 'no', 'always', 'unless-stopped', 'on-failure'];

const FIRST_DELAY_MS = 100;
const LONGEST_DELAY_MS = 60_000;
/** A run that lasted so long was no failure to start: the pauses begin anew. */
const STEADY_MS = 10_000;

/** Throws `invalid` on a policy that Docker's engine refuses too. */
export function checkRestartPolicy({ RestartPolicy, AutoRemove }: HostConfig): void {
  const name = RestartPolicy?.Name ?? '';
  const retries = RestartPolicy?.MaximumRetryCount ?? 0;
  if (!policies.includes(name)) {
    throw new BerthError('invalid', `invalid restart policy '${name}'`, {
      hint: 'use one of no, always, unless-stopped, on-failure',
    });
  }
  if (retries < 0) throw new BerthError('invalid', `maximum retry count cannot be negative: ${retries}`);
  if (retries > 0 && name !== 'on-failure') {
    throw new BerthError(
      'invalid',
      `maximum retry count (${retries}) cannot be used with restart policy '${name || 'no'}'`,
      { hint: 'use it with on-failure' },
    );
  }
  if (AutoRemove === true && name !== '' && name !== 'no')
    throw new BerthError('invalid', `can't create 'AutoRemove' container with restart policy '${name}'`);
}

/**
 * What becomes of a container whose run has ended: what its row says then. The pauses are Docker's: 100 ms, doubled
 * each time up to a minute.
 */
export function afterEnd(
  record: Pick<ContainerRecord, 'hostConfig' | 'restarts' | 'restarting'>,
  ending: Ending,
): { readonly life: Life; readonly restarts: Restarts } {
  const { restarts } = record;
  // Whoever asked for the restart was cut off: the engine was killed in the middle of it.
  if (restarts.startWanted && record.restarting === 0)
    return { life: { status: 'restarting', ...ending }, restarts: { ...restarts, delayMs: 0 } };
  if (restarts.endWanted || !asksFor(record, ending.exitCode))
    return { life: { status: 'exited', ...ending }, restarts };
  const ranMs = Date.parse(ending.finishedAt) - Date.parse(ending.startedAt);
  const before = ranMs >= STEADY_MS ? 0 : restarts.delayMs;
  const delayMs = before === 0 ? FIRST_DELAY_MS : Math.min(before * 2, LONGEST_DELAY_MS);
  return {
    life: { status: 'restarting', ...ending },
    restarts: { ...restarts, count: restarts.count + 1, delayMs },
  };
}

/**
 * Whether one that has ended is started when the engine starts. `always` takes no note of a stop by hand then; the
 * others do. Rule: https://docs.docker.com/engine/containers/start-containers-automatically/
 */
export function startsWithEngine(record: Pick<ContainerRecord, 'hostConfig' | 'restarts' | 'life'>): boolean {
  const { life, restarts, hostConfig } = record;
  if (life.status !== 'exited') return false;
  if (restarts.startWanted) return true;
  if (hostConfig.RestartPolicy?.Name === 'on-failure' && restarts.stoppedByHand) return false;
  return asksFor(record, life.exitCode);
}

function asksFor(
  { hostConfig, restarts }: Pick<ContainerRecord, 'hostConfig' | 'restarts'>,
  exitCode: number,
): boolean {
  const { Name, MaximumRetryCount } = hostConfig.RestartPolicy ?? {};
  switch (Name) {
    case 'always':
      return true;
    case 'unless-stopped':
      return !restarts.stoppedByHand;
    case 'on-failure':
      return exitCode !== 0 && (!MaximumRetryCount || restarts.count < MaximumRetryCount);
    default:
      return false;
  }
}
