import { randomBytes } from 'node:crypto';
import { BerthError } from '../api/errors.ts';

/** What docker marks a volume with that was made without a name. */
export const ANONYMOUS_LABEL = 'com.docker.volume.anonymous';

/** A name for a volume that is given none. */
export function inventVolumeName(): string {
  return randomBytes(32).toString('hex');
}

/** A file system's longest name. */
const MAX_NAME_BYTES = 255;

/** Checks the name of a volume. Throws `invalid`, in the words that docker's users know. */
export function checkVolumeName(name: string): string {
  if (name.length === 1)
    throw new BerthError(
      'invalid',
      `volume name is too short, names should be at least two alphanumeric characters: "${name}"`,
    );
  if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/.test(name))
    throw new BerthError(
      'invalid',
      `"${name}" includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path`,
    );
  if (name.length > MAX_NAME_BYTES)
    throw new BerthError(
      'invalid',
      `volume name is too long: ${name.length} characters, and at most ${MAX_NAME_BYTES} are allowed`,
    );
  return name;
}

/** Throws for a driver that this engine hasn't: `notFound`, as docker calls a plugin that is not installed. */
export function checkDriver(driver: string | null | undefined): void {
  if (!driver || driver === 'local') return;
  throw new BerthError(
    'notFound',
    `volume driver "${driver}" not found: this engine runs no volume plugins`,
    {
      hint: 'use the driver local: its options type, device and o mount what mount(8) can, NFS too',
    },
  );
}
