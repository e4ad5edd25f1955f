import {
  closeSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { BerthError, isErrno } from '../../api/errors.ts';
import { type Held, hold, resolveIn, selfPath } from '../../host/rooted-files.ts';
import { mount, unmount } from '../../host/syscalls.ts';

const O_PATH = 0o10000000;

/**
 * Parts of volumes, mounted at places of the engine's own. A volume's content is a container's: its links must not
 * lead out of it, and whoever changes it meanwhile must not change what is mounted. So the kernel resolves the path
 * inside the volume, and what it found is mounted, not its name.
 */
export function bindSubpath(volume: string, subpath: string, directory: string): string {
  using root = hold(openSync(volume, O_PATH));
  using found = find(root, volume, subpath);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const place = join(directory, String(readdirSync(directory).length));
  if (fstatSync(found.descriptor).isDirectory()) mkdirSync(place);
  else writeFileSync(place, '');
  mount({ source: selfPath(found.descriptor), target: place, flags: ['bind', 'rec'] });
  return place;
}

function find(root: Held, volume: string, subpath: string): Held {
  try {
    return resolveIn(root.descriptor, subpath, { follow: true });
  } catch (error) {
    throw new BerthError(
      'invalid',
      `cannot access path ${join(volume, subpath)}: ${(error as NodeJS.ErrnoException).code}`,
      {
        hint: 'the subpath of a volume must be there before the container starts',
        cause: error,
      },
    );
  }
}

/** Takes away all that was mounted in a directory by `bindSubpath`, and nothing of what it shows. */
export function unbindSubpaths(directory: string): void {
  for (const name of namesIn(directory)) {
    const place = join(directory, name);
    try {
      unmount(place, { detach: true });
    } catch (error) {
      // EINVAL: not a mount.
      if (!isErrno(error, 'EINVAL')) throw error;
    }
    removeEmpty(place);
  }
  if (namesIn(directory) !== none) rmdirSync(directory);
}

/** Only what is empty: should something still be mounted here, it must not be emptied. */
function removeEmpty(place: string): void {
  const descriptor = openSync(place, O_PATH);
  const isDirectory = fstatSync(descriptor).isDirectory();
  closeSync(descriptor);
  if (isDirectory) rmdirSync(place);
  else rmSync(place);
}

const none: readonly string[] = [];

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return none;
    throw error;
  }
}
