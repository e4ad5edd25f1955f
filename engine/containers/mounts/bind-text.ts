import { posix } from 'node:path';
import { BerthError } from '../../api/errors.ts';
import { type Propagation, propagations } from '../../runtime/mounts.ts';
import type { BindMount } from './types.ts';

/** What a mode may say, at most one word of each kind (docker's volume/mounts parser for Linux). */
const kinds: readonly (readonly string[])[] = [
  ['ro', 'rw'],
  // SELinux labels: without SELinux there is nothing to label.
  ['z', 'Z'],
  propagations,
  ['consistent', 'cached', 'delegated'],
];

/** Reads `HOST:CONTAINER[:MODE]`, as `-v` takes it. Throws `invalid`, or `unsupported` for named volumes. */
export function parseBind(text: string): BindMount {
  const wrong = (why: string) =>
    new BerthError('invalid', `invalid volume specification: '${text}': ${why}`, {
      hint: 'write /host/path:/container/path[:ro]',
    });
  const [source = '', destination, mode = '', ...rest] = text.split(':');
  if (destination === undefined) throw namedVolume(`anonymous volumes are not supported: '${text}'`);
  if (rest.length > 0) throw wrong('too many colons');
  if (!destination.startsWith('/')) throw wrong('the path in the container must be absolute');
  if (posix.resolve(destination) === '/') throw wrong("the destination can't be '/'");
  if (!source.startsWith('/')) throw namedVolume(`named volumes are not supported: '${text}'`);
  const words = parseMode(mode);
  if (words === undefined) throw wrong(`invalid mode: ${mode}`);
  return {
    type: 'bind',
    source: posix.resolve(source),
    destination: posix.resolve(destination),
    mode,
    readOnly: words.includes('ro'),
    propagation: propagationIn(words),
    alone: false,
    makesSource: true,
    readOnlyBelow: true,
  };
}

/** Reads `ro,rslave`; undefined where it is no mode. */
export function parseMode(mode: string): readonly string[] | undefined {
  const words = mode === '' ? [] : mode.split(',');
  const fits =
    words.every((word) => kinds.some((kind) => kind.includes(word))) &&
    kinds.every((kind) => words.filter((word) => kind.includes(word)).length <= 1);
  return fits ? words : undefined;
}

function propagationIn(words: readonly string[]): Propagation {
  return propagations.find((propagation) => words.includes(propagation)) ?? 'rprivate';
}

function namedVolume(message: string): BerthError {
  return new BerthError('unsupported', message, { hint: 'bind a directory by its absolute path' });
}
