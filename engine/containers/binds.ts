import { lstatSync, mkdirSync } from 'node:fs';
import { posix } from 'node:path';
import { BerthError, isErrno } from '../api/errors.ts';
import type { MountPoint } from '../api/wire.ts';
import type { Bind } from '../runtime/spec.ts';

/** Reads `HOST:CONTAINER[:ro|rw]`, as `-v` takes it. Throws `invalid`, or `unsupported` for named volumes. */
export function parseBind(text: string): Bind {
  const wrong = (why: string) =>
    new BerthError('invalid', `invalid volume specification: '${text}': ${why}`, {
      hint: 'write /host/path:/container/path[:ro]',
    });
  const [source = '', destination = '', options = '', ...rest] = text.split(':');
  if (rest.length > 0) throw wrong('too many colons');
  if (!destination.startsWith('/')) throw wrong('the path in the container must be absolute');
  if (posix.resolve(destination) === '/') throw wrong("the destination can't be '/'");
  if (!source.startsWith('/')) {
    throw new BerthError('unsupported', `named volumes are not supported: '${text}'`, {
      hint: 'bind a directory by its absolute path',
    });
  }
  const words = options === '' ? [] : options.split(',');
  for (const word of words) {
    if (!['ro', 'rw', 'z', 'Z', 'rprivate', 'private'].includes(word)) throw wrong(`invalid mode: ${word}`);
  }
  return {
    source: posix.resolve(source),
    destination: posix.resolve(destination),
    readOnly: words.includes('ro'),
  };
}

/** Reads all binds of a container. Throws `invalid`, also where two have one destination. */
export function parseBinds(texts: readonly string[]): readonly Bind[] {
  const binds = texts.map(parseBind);
  const twice = binds.find(
    (bind, index) => binds.findIndex(({ destination }) => destination === bind.destination) < index,
  );
  if (twice !== undefined) throw new BerthError('invalid', `Duplicate mount point: ${twice.destination}`);
  return binds;
}

/** Makes a missing source as a directory, which is what docker does for `-v`. */
export function prepareBind(bind: Bind): Bind {
  try {
    lstatSync(bind.source);
  } catch (error) {
    if (!isErrno(error, 'ENOENT') && !isErrno(error, 'ENOTDIR')) throw error;
    if (isErrno(error, 'ENOTDIR')) {
      throw new BerthError('invalid', `cannot bind ${bind.source}: a part of that path is no directory`, {
        cause: error,
      });
    }
    mkdirSync(bind.source, { recursive: true });
  }
  return bind;
}

export function bindView(text: string): MountPoint {
  const { source, destination, readOnly } = parseBind(text);
  return {
    Type: 'bind',
    Source: source,
    Destination: destination,
    Mode: readOnly ? 'ro' : '',
    RW: !readOnly,
    Propagation: 'rprivate',
  };
}
