import { BerthError } from './errors.ts';

/** An image reference taken apart. `tag` is set when no digest is given; both may be present. */
export type Reference = {
  /** Registry host with its port, `docker.io` for Docker Hub. */
  readonly domain: string;
  /** Repository path, `library/ubuntu`. */
  readonly path: string;
  readonly tag: string | undefined;
  readonly digest: string | undefined;
};

const DEFAULT_DOMAIN = 'docker.io';
const DEFAULT_TAG = 'latest';
// Grammar: distribution/reference, https://pkg.go.dev/github.com/distribution/reference
const DOMAIN =
  /^(?:(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])(?:\.(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]))*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?$/;
const PATH = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const TAG = /^[\w][\w.-]{0,127}$/;
const DIGEST = /^sha256:[a-f0-9]{64}$/;
const MAX_NAME = 255;

/**
 * Reads an image reference as a person writes it (`ubuntu`, `ubuntu:24.04`, `host:5000/team/app@sha256:…`).
 * Throws `invalid`, naming the part that is malformed.
 */
export function parseReference(text: string): Reference {
  const wrong = (why: string) =>
    new BerthError('invalid', `invalid reference format: '${text}': ${why}`, {
      hint: 'write it as [registry/]name[:tag], in lower case, as in ubuntu:24.04',
    });
  if (text === '') throw wrong('it is empty');
  let rest = text;
  let digest: string | undefined;
  const at = rest.indexOf('@');
  if (at >= 0) {
    digest = rest.slice(at + 1);
    rest = rest.slice(0, at);
    if (!DIGEST.test(digest)) throw wrong(`'${digest}' is not a sha256 digest`);
  }
  let tag: string | undefined;
  const colon = rest.lastIndexOf(':');
  if (colon > rest.lastIndexOf('/')) {
    tag = rest.slice(colon + 1);
    rest = rest.slice(0, colon);
    if (!TAG.test(tag)) throw wrong(`'${tag}' is not a tag`);
  }
  let domain = DEFAULT_DOMAIN;
  let path = rest;
  const slash = rest.indexOf('/');
  const first = rest.slice(0, slash);
  if (slash > 0 && (/[.:[]/.test(first) || first === 'localhost' || first !== first.toLowerCase())) {
    domain = first === 'index.docker.io' ? DEFAULT_DOMAIN : first;
    path = rest.slice(slash + 1);
    if (!DOMAIN.test(first)) throw wrong(`'${first}' is not a registry host`);
  }
  if (domain === DEFAULT_DOMAIN && !path.includes('/')) path = `library/${path}`;
  if (!PATH.test(path)) {
    throw wrong(
      path === path.toLowerCase() ? `'${path}' is not a repository name` : 'repository names are lower case',
    );
  }
  if (domain.length + path.length + 1 > MAX_NAME) throw wrong(`it is longer than ${MAX_NAME} characters`);
  return { domain, path, tag: tag ?? (digest === undefined ? DEFAULT_TAG : undefined), digest };
}

/** The name without tag or digest as docker shows it: `ubuntu`, `team/app`, `host:5000/app`. */
export function familiarName(reference: Pick<Reference, 'domain' | 'path'>): string {
  if (reference.domain !== DEFAULT_DOMAIN) return `${reference.domain}/${reference.path}`;
  return reference.path.startsWith('library/') ? reference.path.slice('library/'.length) : reference.path;
}

/** The reference as docker shows it: `ubuntu:latest`, `ubuntu@sha256:…`. */
export function familiarReference(reference: Reference): string {
  const tag = reference.tag === undefined ? '' : `:${reference.tag}`;
  const digest = reference.digest === undefined ? '' : `@${reference.digest}`;
  return `${familiarName(reference)}${tag}${digest}`;
}

/** Docker Hub, in all the names it has where logins are concerned. */
const HUB_NAMES = ['', 'docker.io', 'index.docker.io', 'registry-1.docker.io'];

/**
 * The registry of an address, as it stands in a reference: without scheme and path. Docker Hub is `docker.io`, also
 * where it is written `https://index.docker.io/v1/`, or nothing is. Throws `invalid`.
 */
export function registryDomain(address: string): string {
  const host = address.replace(/^https?:\/\//i, '').split('/')[0] ?? '';
  if (HUB_NAMES.includes(host)) return DEFAULT_DOMAIN;
  if (/^(?:[A-Za-z0-9][A-Za-z0-9._-]*|\[[0-9A-Fa-f:]+\])(?::\d{1,5})?$/.test(host)) return host;
  throw new BerthError('invalid', 'that is not the address of a registry', {
    hint: 'write it as in a reference: registry.example.com, or localhost:5000',
  });
}

/**
 * The registry and the words of a search, split as dockerd does it: the first part is a registry where it could be no
 * name of a user. Throws `invalid`.
 */
export function splitSearchTerm(term: string): { readonly domain: string; readonly words: string } {
  const wrong = (why: string) =>
    new BerthError('invalid', `invalid search term '${term.slice(0, 200)}': ${why}`, {
      hint: 'name what to look for, as in berth search postgres',
    });
  if (term.trim() === '') throw wrong('it is empty');
  if (/^https?:\/\//i.test(term)) throw wrong('it begins with a scheme');
  const slash = term.indexOf('/');
  const first = slash < 0 ? '' : term.slice(0, slash);
  const isHost = first.includes('.') || first.includes(':') || first === 'localhost';
  const domain = isHost ? registryDomain(first) : DEFAULT_DOMAIN;
  const rest = isHost ? term.slice(slash + 1) : term;
  const words = domain === DEFAULT_DOMAIN ? rest.replace(/^library\//, '') : rest;
  if (words === '') throw wrong('only a registry is named');
  return { domain, words };
}
