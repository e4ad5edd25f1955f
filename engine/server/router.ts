import { BerthError } from '../api/errors.ts';
import { API_VERSION, MIN_API_VERSION } from '../api/versions.ts';

/** A path of the operations table: `{name}` is one segment, `{name*}` may hold slashes. */
export type Pattern = {
  readonly method: string;
  readonly path: string;
  /** A key that the query must have. */
  readonly when?: string | undefined;
};

export type Match<P extends Pattern> = {
  readonly pattern: P;
  readonly path: Readonly<Record<string, string>>;
};

const PREFIX = /^\/v(\d+)\.(\d+)(?=\/|$)/;
const minorOf = (version: string) => Number(version.slice('1.'.length));

/**
 * Takes `/v1.NN` off a path; without it a request speaks the newest version.
 * Throws `invalid` for a version that is not served, in dockerd's words: clients look for them.
 */
export function splitVersion(pathname: string): { readonly path: string; readonly apiMinor: number } {
  const prefix = PREFIX.exec(pathname);
  if (prefix === null) return { path: pathname, apiMinor: minorOf(API_VERSION) };
  const [whole, major, minor] = [prefix[0], Number(prefix[1]), Number(prefix[2])];
  if (major > 1 || (major === 1 && minor > minorOf(API_VERSION))) {
    throw new BerthError(
      'invalid',
      `client version ${major}.${minor} is too new. Maximum supported API version is ${API_VERSION}`,
      { hint: `set DOCKER_API_VERSION=${API_VERSION}` },
    );
  }
  if (major < 1 || minor < minorOf(MIN_API_VERSION)) {
    throw new BerthError(
      'invalid',
      `client version ${major}.${minor} is too old. Minimum supported API version is ${MIN_API_VERSION}, please upgrade your client to a newer version`,
    );
  }
  return { path: pathname.slice(whole.length), apiMinor: minor };
}

/** Finds the pattern that a method and path fit; the first one wins. Throws `invalid` on a broken %-escape. */
export function openRouter<P extends Pattern>(
  patterns: readonly P[],
): (method: string, path: string, query?: URLSearchParams) => Match<P> | undefined {
  const compiled = patterns.map((pattern) => ({ pattern, ...compile(pattern.path) }));
  return (method, path, query) => {
    for (const { pattern, expression, names } of compiled) {
      if (pattern.method !== method) continue;
      if (pattern.when !== undefined && !query?.get(pattern.when)) continue;
      const found = expression.exec(path);
      if (found === null) continue;
      const values = names.map((name, index) => [name, decodePath(found[index + 1] ?? '')]);
      return { pattern, path: Object.fromEntries(values) };
    }
    return undefined;
  };
}

function compile(path: string): { readonly expression: RegExp; readonly names: readonly string[] } {
  const names: string[] = [];
  const source = path
    .split(/(\{\w+\*?\})/)
    .map((part) => {
      const name = /^\{(\w+)(\*?)\}$/.exec(part);
      if (name === null) return part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
      names.push(name[1] ?? '');
      return name[2] === '' ? '([^/]+)' : '(.+)';
    })
    .join('');
  return { expression: new RegExp(`^${source}/?$`), names };
}

function decodePath(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new BerthError('invalid', `'${text}' in the path is not URL-encoded`);
  }
}
