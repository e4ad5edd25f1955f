import { readdirSync, readFileSync } from 'node:fs';
import { isErrno } from '../api/errors.ts';

/** A process that can be told from a later one with the same number: `startedAt` in clock ticks since boot. */
export type ProcessIdentity = { readonly pid: number; readonly startedAt: string };

/** The identity of a process that runs now; undefined where there is none. */
export function identifyProcess(pid: number): ProcessIdentity | undefined {
  const fields = statFields(pid);
  // Field 22 of proc_pid_stat(5) is starttime; a zombie has ended already.
  if (fields === undefined || fields[0] === 'Z' || fields[0] === 'X') return undefined;
  return { pid, startedAt: fields[19] ?? '' };
}

/** Whether that very process still runs. */
export function isAlive(identity: ProcessIdentity): boolean {
  return identifyProcess(identity.pid)?.startedAt === identity.startedAt;
}

/** Sends a signal to that very process. False where it has ended. */
export function signalProcess(identity: ProcessIdentity, signal: number): boolean {
  if (!isAlive(identity)) return false;
  try {
    process.kill(identity.pid, signal);
    return true;
  } catch (error) {
    if (isErrno(error, 'ESRCH')) return false;
    throw error;
  }
}

/** Sends a signal to that very process and all below it, as far as they still hang together. */
export function signalTree(identity: ProcessIdentity, signal: number): void {
  if (!isAlive(identity)) return;
  for (const child of childrenOf(identity.pid)) {
    const found = identifyProcess(child);
    if (found !== undefined) signalTree(found, signal);
  }
  signalProcess(identity, signal);
}

function childrenOf(pid: number): readonly number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
      readFileSync(`/proc/${pid}/task/${thread}/children`, 'latin1').split(' ').filter(Boolean).map(Number),
    );
  } catch (error) {
    if (isErrno(error, 'ENOENT') || isErrno(error, 'ESRCH')) return [];
    throw error;
  }
}

/** The fields of /proc/PID/stat behind the command's name, which may itself hold spaces and brackets. */
function statFields(pid: number): readonly string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch (error) {
    if (isErrno(error, 'ENOENT') || isErrno(error, 'ESRCH')) return undefined;
    throw error;
  }
}
