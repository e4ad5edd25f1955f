import { closeSync, fstatSync, openSync, read, statSync } from 'node:fs';
import { promisify } from 'node:util';
import { isErrno } from '../api/errors.ts';

const readAt = promisify(read);

/**
 * A container's log opened for reading, as one long file: those that were rotated away, and the one that grows. What
 * was in it is readable even after it was removed.
 */
export type LogFile = {
  readonly path: string;
  /** How long it is now, in bytes, from the beginning of the oldest file there was when it was opened. */
  size(): number;
  /** Fills `buffer` from `position` on; gives how many bytes there were, none at the end and once it is closed. */
  read(buffer: Buffer, position: number): Promise<number>;
  /** Takes up files that came since, so that rotating them away takes nothing from this reader. */
  catchUp(): void;
  /** Lets go of the files that end before `position`: they will not be read again. */
  forget(position: number): void;
  /** Lets go of all, once no read is under way: a file's number may be another's then. */
  close(): void;
};

/** One file of a log. */
type Part = {
  readonly descriptor: number;
  readonly inode: number;
  readonly start: number;
  /** Undefined while it grows. */
  length: number | undefined;
};

/** The name of a file of a log: 0 is the one that grows, higher numbers are older. */
export const rotatedName = (path: string, number: number) => (number === 0 ? path : `${path}.${number}`);

/** Opens a container's log. Throws what open(2) does. */
export function openLog(path: string): LogFile {
  const parts: Part[] = [];
  let reads = 0;
  let wanted = true;

  function add(descriptor: number): void {
    const last = parts.at(-1);
    const { ino } = fstatSync(descriptor);
    if (last !== undefined) last.length ??= fstatSync(last.descriptor).size;
    const start = last === undefined ? 0 : last.start + (last.length ?? 0);
    parts.push({ descriptor, inode: ino, start, length: undefined });
  }

  /** Opens the files that are newer than the last one here, oldest first. */
  function catchUp(): void {
    const last = parts.at(-1);
    if (!wanted || (last !== undefined && inodeOf(path) === last.inode)) return;
    const newer: number[] = [];
    const inodes = new Set<number>();
    for (let number = 0; ; number += 1) {
      const descriptor = openUnlessMissing(rotatedName(path, number));
      if (descriptor === undefined) {
        if (number > 0) break;
        // Removed with its container: what is open is all there will be.
        if (last !== undefined) return;
        continue;
      }
      const { ino } = fstatSync(descriptor);
      // A rotation that was cut short has one file under two names.
      if (ino === last?.inode || inodes.has(ino)) closeSync(descriptor);
      else newer.push(descriptor);
      if (ino === last?.inode) break;
      inodes.add(ino);
    }
    for (const descriptor of newer.reverse()) add(descriptor);
  }

  const closeWhenIdle = () => {
    if (wanted || reads > 0) return;
    for (const { descriptor } of parts.splice(0)) closeSync(descriptor);
  };

  closeSync(openSync(path, 'r'));
  catchUp();
  return {
    path,
    catchUp,
    size() {
      catchUp();
      const last = parts.at(-1);
      return last === undefined ? 0 : last.start + fstatSync(last.descriptor).size;
    },
    async read(buffer, position) {
      if (!wanted) return 0;
      reads += 1;
      try {
        let filled = 0;
        while (filled < buffer.length) {
          const from = position + filled;
          const at = parts.findLastIndex((part) => part.start <= from);
          const part = parts[at];
          if (part === undefined) break;
          // Before the read: a file that has a successor grows no more.
          if (at === parts.length - 1) catchUp();
          const left = (part.length ?? Number.POSITIVE_INFINITY) - (from - part.start);
          const length = Math.min(buffer.length - filled, left);
          const { bytesRead } = await readAt(part.descriptor, buffer, filled, length, from - part.start);
          filled += bytesRead;
          const next = parts[at + 1];
          if (next === undefined || next.start > position + filled) break;
        }
        return filled;
      } finally {
        reads -= 1;
        closeWhenIdle();
      }
    },
    forget(position) {
      if (reads > 0) return;
      while ((parts[1]?.start ?? Number.POSITIVE_INFINITY) <= position) {
        const part = parts.shift();
        if (part !== undefined) closeSync(part.descriptor);
      }
    },
    close() {
      if (!wanted) return;
      wanted = false;
      closeWhenIdle();
    },
  };
}

function inodeOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.ino;
}

function openUnlessMissing(path: string): number | undefined {
  try {
    return openSync(path, 'r');
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
    return undefined;
  }
}
