import { BerthError } from '../api/errors.ts';
import {
  changeAuths,
  type DockerConfig,
  type Env,
  readDockerConfig,
  type StoredAuth,
} from './docker-config.ts';

/** Logins at registries, kept where docker keeps them: either one's logins serve the other. */

export type Credentials = {
  readonly username?: string;
  readonly password?: string;
  readonly identitytoken?: string;
};

/** Under this name `docker login` stores Docker Hub's credentials. */
const DOCKER_HUB = 'https://index.docker.io/v1/';
/** A credential helper answers this user name where the secret is an identity token. */
const TOKEN_USER = '<token>';

/** What docker calls a registry where credentials are concerned. */
export const serverOf = (domain: string) => (domain === 'docker.io' ? DOCKER_HUB : domain);

/** What is stored for a registry (`docker.io`, `localhost:5000`); undefined where nothing is. Throws `invalid`. */
export async function storedCredentials(
  domain: string,
  env: Env = process.env,
): Promise<Credentials | undefined> {
  const config = readDockerConfig(env);
  const helper = helperFor(config, domain);
  const kept =
    helper === undefined ? undefined : await (await helperNamed(helper, env)).get(serverOf(domain));
  if (kept === undefined) return readStored(config.auths ?? {}, domain);
  const { Username, Secret } = kept;
  return Username === TOKEN_USER ? { identitytoken: Secret } : { username: Username, password: Secret };
}

/**
 * The `X-Registry-Auth` header for a registry, from what is stored; undefined where nothing is. Throws `invalid` when
 * docker's config.json can't be read.
 */
export async function registryAuthHeader(
  domain: string,
  env: Env = process.env,
): Promise<string | undefined> {
  const found = await storedCredentials(domain, env);
  if (found === undefined) return undefined;
  // URL-safe alphabet with padding: what Go's base64.URLEncoding reads.
  return Buffer.from(JSON.stringify({ ...found, serveraddress: serverOf(domain) }))
    .toString('base64')
    .replaceAll('+', '-')
    .replaceAll('/', '_');
}

/** The same as the headers of a call. */
export async function registryHeaders(domain: string): Promise<Readonly<Record<string, string>>> {
  const auth = await registryAuthHeader(domain);
  return auth === undefined ? {} : { 'X-Registry-Auth': auth };
}

/**
 * Stores a login: with the helper that config.json names for it, else in that file. Says which. Throws `unavailable`
 * where the helper fails, `invalid` where the file can't be written; never with the secret.
 */
export async function storeCredentials(
  domain: string,
  { username = '', password = '', identitytoken }: Credentials,
  env: Env = process.env,
): Promise<'helper' | 'file'> {
  const server = serverOf(domain);
  const helper = helperFor(readDockerConfig(env), domain);
  if (helper === undefined) {
    const stored: StoredAuth = {
      auth: Buffer.from(`${username}:${identitytoken === undefined ? password : ''}`).toString('base64'),
      ...(identitytoken === undefined ? {} : { identitytoken }),
    };
    await changeAuths(env, (auths) => ({ ...without(auths, domain), [server]: stored }));
    return 'file';
  }
  const kept =
    identitytoken === undefined
      ? { Username: username, Secret: password }
      : { Username: TOKEN_USER, Secret: identitytoken };
  await (await helperNamed(helper, env)).store(server, kept);
  // docker notes there whom it knows, without the secret.
  await changeAuths(env, (auths) => ({ ...without(auths, domain), [server]: {} }));
  return 'helper';
}

/** Forgets a login. False where there was none. Throws `invalid` where the file can't be written. */
export async function eraseCredentials(domain: string, env: Env = process.env): Promise<boolean> {
  const config = readDockerConfig(env);
  const auths = config.auths ?? {};
  const helper = helperFor(config, domain);
  const erased = helper !== undefined && (await (await helperNamed(helper, env)).erase(serverOf(domain)));
  const isNoted = Object.keys(auths).some((key) => isFor(key, domain));
  if (isNoted) await changeAuths(env, (before) => without(before, domain));
  return erased || isNoted;
}

/** Few have one: what starts it is loaded for those. */
async function helperNamed(name: string, env: Env) {
  return (await import('./credential-helper.ts')).credentialHelper(name, env);
}

function helperFor({ credHelpers, credsStore }: DockerConfig, domain: string): string | undefined {
  const name = credHelpers?.[domain] ?? credHelpers?.[serverOf(domain)] ?? credsStore;
  if (typeof name !== 'string' || name === '') return undefined;
  // It becomes the name of a program: never a path.
  if (/^[A-Za-z0-9._-]+$/.test(name)) return name;
  throw new BerthError('invalid', `'${name.slice(0, 100)}' in docker's config.json is no name of a helper`);
}

/** Older versions stored whole URLs: https://host/v1/. */
function isFor(key: string, domain: string): boolean {
  const host = key.replace(/^https?:\/\//, '').split('/')[0];
  return host === (domain === 'docker.io' ? 'index.docker.io' : domain);
}

function without(
  auths: Readonly<Record<string, StoredAuth>>,
  domain: string,
): Readonly<Record<string, StoredAuth>> {
  return Object.fromEntries(Object.entries(auths).filter(([key]) => !isFor(key, domain)));
}

function readStored(auths: Readonly<Record<string, StoredAuth>>, domain: string): Credentials | undefined {
  for (const [key, stored] of Object.entries(auths)) {
    if (!isFor(key, domain)) continue;
    const plain = Buffer.from(stored.auth ?? '', 'base64').toString('utf8');
    const colon = plain.indexOf(':');
    const token = stored.identitytoken === undefined ? {} : { identitytoken: stored.identitytoken };
    if (colon > 0) return { username: plain.slice(0, colon), password: plain.slice(colon + 1), ...token };
    if (stored.identitytoken !== undefined) return token;
  }
  return undefined;
}
