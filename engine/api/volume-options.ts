import { readMap, saidOnly } from './create/pairs.ts';
import { list, string, type ValuesOf } from './fields.ts';
import type { VolumeCreateBody } from './wire/volumes.ts';

/** What can be said of a new volume, beside its name. */
export const volumeFields = {
  driver: string('Driver of the volume: local', { short: 'd', placeholder: 'DRIVER' }),
  opt: list('Option of the driver: type, device and o, as mount(8) takes them', {
    short: 'o',
    placeholder: 'KEY=VALUE',
  }),
  label: list('Set a label', { placeholder: 'NAME=VALUE' }),
} as const;

/** The body of `POST /volumes/create`; without a name the engine invents one. Throws `invalid`. */
export function volumeBody(name: string, options: ValuesOf<typeof volumeFields>): VolumeCreateBody {
  return saidOnly({
    Name: name,
    Driver: options.driver || 'local',
    DriverOpts: readMap('opt', options.opt, { bare: true }),
    Labels: readMap('label', options.label, { bare: true }),
  }) as VolumeCreateBody;
}
