import { posix } from 'node:path';
import { BerthError } from '../../api/errors.ts';
import { type Propagation, propagations } from '../../runtime/mounts.ts';
import { checkVolumeName } from '../../volumes/names.ts';
import { anonymousVolume } from './anonymous.ts';
import type { ContainerMount, VolumeMount } from './types.ts';

/** What a mode may say, at most one word of each kind (docker's volume/mounts parser for Linux). */
const kinds: readonly (readonly string[])[] = [
  ['ro', 'rw'],
  // SELinux labels: without SELinux there is nothing to label.
  ['z', 'Z'],
  propagations,
  ['consistent', 'cached', 'delegated'],
  ['nocopy'],
];

/** Reads `HOST:CONTAINER[:MODE]`, `VOLUME:CONTAINER[:MODE]` or `CONTAINER`, as `-v` takes it. Throws `invalid`. */
export function parseBind(text: string): ContainerMount {
  const wrong = (why: string) =>
    new BerthError('invalid', `invalid volume specification: '${text}': ${why}`, {
      hint: 'write /host/path:/container/path[:ro], or volume:/container/path[:ro]',
    });
  const [source = '', destination, mode = '', ...rest] = text.split(':');
  if (destination === undefined) return anonymousVolume(source, wrong);
  if (rest.length > 0) throw wrong('too many colons');
  if (!destination.startsWith('/')) throw wrong('the path in the container must be absolute');
  if (posix.resolve(destination) === '/') throw wrong("the destination can't be '/'");
  const words = parseMode(mode);
  if (words === undefined) throw wrong(`invalid mode: ${mode}`);
  if (!source.startsWith('/')) return namedVolume({ name: source, destination, mode, words }, wrong);
  if (words.includes('nocopy')) throw wrong(`invalid mode: ${mode}`);
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

function namedVolume(
  given: {
    readonly name: string;
    readonly destination: string;
    readonly mode: string;
    readonly words: readonly string[];
  },
  wrong: (why: string) => BerthError,
): VolumeMount {
  const { mode, words } = given;
  // What is mounted below a volume is nobody's business.
  if (words.some((word) => (propagations as readonly string[]).includes(word)))
    throw wrong(`invalid mode: ${mode}`);
  return {
    type: 'volume',
    name: checkVolumeName(given.name),
    destination: posix.resolve(given.destination),
    mode,
    readOnly: words.includes('ro'),
    anonymous: false,
    copies: !words.includes('nocopy'),
  };
}
