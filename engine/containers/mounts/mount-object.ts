import { existsSync } from 'node:fs';
import { posix } from 'node:path';
import { BerthError } from '../../api/errors.ts';
import type { Mount } from '../../api/wire/host-config.ts';
import { propagations, tmpfsOptions } from '../../runtime/mounts.ts';
import { ANONYMOUS_LABEL, checkDriver, checkVolumeName, inventVolumeName } from '../../volumes/names.ts';
import { checkOptions } from '../../volumes/options.ts';
import type { ContainerMount } from './types.ts';

/**
 * Reads a mount as `--mount` sends it, in docker's words. Throws `invalid`, `unsupported` for kinds of mounts that
 * aren't served, `notFound` for a volume's driver that isn't there.
 */
export function readMount(mount: Mount): ContainerMount {
  const { Type: type, Target: target = '' } = mount;
  const wrong = (why: string) =>
    new BerthError('invalid', `invalid mount config for type "${type}": ${why}`, {
      hint: 'write type=bind,source=/host/path,target=/container/path',
    });
  const refuse = (...fields: readonly (keyof Mount)[]) => {
    for (const field of fields)
      if (Object.keys(mount[field] ?? {}).length > 0) throw wrong(`field ${field} must not be specified`);
  };
  if (type === 'image' || type === 'cluster' || type === 'npipe') {
    throw new BerthError('unsupported', `mounts of type ${type} are not supported: '${target}'`, {
      hint: 'use type=bind, type=volume or type=tmpfs',
    });
  }
  if (type !== 'bind' && type !== 'tmpfs' && type !== 'volume') throw wrong('mount type unknown');
  if (target === '') throw wrong('field Target must not be empty');
  if (!target.startsWith('/')) throw wrong(`invalid mount path: '${target}' mount path must be absolute`);
  const destination = posix.resolve(target);
  if (destination === '/') throw wrong("invalid specification: destination can't be '/'");
  const common = { destination, readOnly: mount.ReadOnly === true };
  if (type === 'tmpfs') {
    refuse('BindOptions', 'VolumeOptions');
    if (mount.Source) throw wrong('field Source must not be specified');
    return { ...common, type, options: optionsOf(mount) };
  }
  if (type === 'volume') {
    refuse('BindOptions', 'TmpfsOptions');
    return { ...common, ...readVolume(mount, wrong) };
  }
  refuse('VolumeOptions', 'TmpfsOptions');
  return { ...common, ...readBind(mount, wrong) };
}

function readBind(mount: Mount, wrong: (why: string) => BerthError) {
  const { Source: source = '', BindOptions: options } = mount;
  const propagation = options?.Propagation || 'rprivate';
  const known = propagations.find((name) => name === propagation);
  if (known === undefined) throw wrong(`invalid propagation mode: ${propagation}`);
  if (source === '') throw wrong('field Source must not be empty');
  if (!source.startsWith('/')) throw wrong(`invalid mount path: '${source}' mount path must be absolute`);
  const deep = options?.ReadOnlyForceRecursive === true;
  if (deep && options?.ReadOnlyNonRecursive === true)
    throw wrong('ReadOnlyForceRecursive and ReadOnlyNonRecursive can not both be set');
  if ((deep || options?.ReadOnlyNonRecursive === true) && mount.ReadOnly !== true)
    throw wrong('a recursive or non-recursive read-only mount must be read-only');
  const makesSource = options?.CreateMountpoint === true;
  if (!makesSource && !existsSync(source)) throw wrong(`bind source path does not exist: ${source}`);
  return {
    type: 'bind',
    source: posix.resolve(source),
    mode: '',
    propagation: known,
    alone: options?.NonRecursive === true,
    makesSource,
    readOnlyBelow: options?.ReadOnlyNonRecursive !== true,
  } as const;
}

function readVolume(
  { Source: source = '', VolumeOptions: options }: Mount,
  wrong: (why: string) => BerthError,
) {
  const { NoCopy = false, Labels, DriverConfig, Subpath = '' } = options ?? {};
  checkDriver(DriverConfig?.Name);
  if (Subpath.startsWith('/') || Subpath.split('/').includes('..'))
    throw wrong(`subpath must be a relative path within the volume: ${Subpath}`);
  const anonymous = source === '';
  return {
    type: 'volume',
    name: anonymous ? inventVolumeName() : checkVolumeName(source),
    mode: 'z',
    anonymous,
    copies: !NoCopy,
    ...(Subpath === '' ? {} : { subpath: posix.normalize(Subpath) }),
    made: {
      options: checkOptions(DriverConfig?.Options ?? {}),
      labels: { ...(anonymous ? { [ANONYMOUS_LABEL]: '' } : {}), ...Labels },
    },
  } as const;
}

/** A tmpfs's options as mount(8) writes them. */
function optionsOf({ ReadOnly, TmpfsOptions: options }: Mount): readonly string[] {
  const words = [
    ...(options?.Options ?? []).map((pair) => pair.join('=')),
    ...(options?.SizeBytes ? [`size=${options.SizeBytes}`] : []),
    ...(options?.Mode ? [`mode=${options.Mode.toString(8)}`] : []),
    ...(ReadOnly === true ? ['ro'] : []),
  ];
  tmpfsOptions(words);
  return words;
}
