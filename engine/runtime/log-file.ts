import { closeSync, fstatSync, openSync, read } from 'node:fs';
import { promisify } from 'node:util';

const readAt = promisify(read);

/** A log opened for reading: what was in it is readable even after it was removed. */
export type LogFile = {
  readonly path: string;
  /** How long it is now, in bytes. */
  size(): number;
  /** Fills `buffer` from `position` on; gives how many bytes there were, none once it is closed. */
  read(buffer: Buffer, position: number): Promise<number>;
  /** Lets go of it, once no read is under way: its number may be another file's then. */
  close(): void;
};

/** Opens a container's log. Throws what open(2) does. */
export function openLog(path: string): LogFile {
  const descriptor = openSync(path, 'r');
  let reads = 0;
  let wanted = true;
  const closeWhenIdle = () => {
    if (!wanted && reads === 0) closeSync(descriptor);
  };
  return {
    path,
    size: () => fstatSync(descriptor).size,
    async read(buffer, position) {
      if (!wanted) return 0;
      reads += 1;
      try {
        return (await readAt(descriptor, buffer, 0, buffer.length, position)).bytesRead;
      } finally {
        reads -= 1;
        closeWhenIdle();
      }
    },
    close() {
      if (!wanted) return;
      wanted = false;
      closeWhenIdle();
    },
  };
}
