import { posix } from 'node:path';
import { BerthError } from '../../engine/api/errors.ts';

/** Where something is copied from or to: a container's path, a local one, or a tar archive in a standard stream. */
export type Place =
  | { readonly kind: 'container'; readonly container: string; readonly path: string }
  | { readonly kind: 'local'; readonly path: string }
  | { readonly kind: 'stream' };

/**
 * Reads `CONTAINER:PATH`, a local path, or `-`. A path that begins with a dot or a slash is local whatever it holds
 * (docs.docker.com, "docker container cp").
 */
export function readPlace(text: string): Place {
  if (text === '-') return { kind: 'stream' };
  const colon = text.indexOf(':');
  if (text.startsWith('/') || text.startsWith('.') || colon < 1) return { kind: 'local', path: text };
  return { kind: 'container', container: text.slice(0, colon), path: text.slice(colon + 1) };
}

/** What is known of the two ends of a copy. */
export type Ends = {
  readonly source: { readonly path: string; readonly isDirectory: boolean };
  readonly destination: { readonly path: string; readonly exists: boolean; readonly isDirectory: boolean };
};

/** The directory that the archive is put into, and what the thing that is copied is called in it. */
export type Plan = { readonly directory: string; readonly name: string };

/**
 * Where a copy goes: into a directory that is there under its own name, else under the name that was asked for (moby,
 * pkg/archive, `PrepareArchiveCopy`). `ownName` is what the source is called. Throws `invalid`.
 */
export function planCopy({ source, destination }: Ends, ownName: string): Plan {
  const { path } = destination;
  if (destination.exists && destination.isDirectory) return { directory: path, name: ownName };
  if (destination.exists && source.isDirectory)
    throw new BerthError('invalid', `cannot copy directory ${source.path} to ${path}, which is a file`);
  if (!destination.exists && !source.isDirectory && wantsDirectory(path))
    throw new BerthError('invalid', `no such directory: ${path}`, {
      hint: 'make it first, or leave the slash out',
    });
  const clean = posix.normalize(path).replace(/(.)\/$/, '$1');
  return { directory: posix.dirname(clean), name: posix.basename(clean) };
}

/** Whether a path says of itself that it is a directory: by a slash or a dot at its end. */
export function wantsDirectory(path: string): boolean {
  return path.endsWith('/') || posix.basename(path) === '.';
}

/** What a path's last component is called: `.` for what is inside of it. */
export function nameOf(path: string): string {
  if (/(?:^|\/)\.$/.test(path)) return '.';
  return posix.basename(posix.normalize(path)) || '/';
}

/** A target of a link beside the link itself, with the slash or dot that stood behind the link. */
export function besideLink(link: string, target: string): string {
  const whole = target.startsWith('/')
    ? target
    : posix.join(posix.dirname(link.replace(/\/+\.?$/, '')), target);
  return whole + (/\/\.?$/.exec(link)?.[0] ?? '');
}
