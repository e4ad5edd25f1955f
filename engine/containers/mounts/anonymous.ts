import { posix } from 'node:path';
import type { BerthError } from '../../api/errors.ts';
import { ANONYMOUS_LABEL, inventVolumeName } from '../../volumes/names.ts';
import type { VolumeMount } from './types.ts';

/** A volume without a name at a path, as `-v /path` and an image's `VOLUME` ask for. Throws what `wrong` makes. */
export function anonymousVolume(path: string, wrong: (why: string) => BerthError): VolumeMount {
  if (!path.startsWith('/')) throw wrong('the path in the container must be absolute');
  const destination = posix.resolve(path);
  if (destination === '/') throw wrong("the destination can't be '/'");
  return {
    type: 'volume',
    name: inventVolumeName(),
    destination,
    mode: '',
    readOnly: false,
    anonymous: true,
    copies: true,
    made: { options: {}, labels: { [ANONYMOUS_LABEL]: '' } },
  };
}
