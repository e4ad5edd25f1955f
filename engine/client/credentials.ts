import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { BerthError, isErrno } from '../api/errors.ts';

/** What docker's `config.json` says of registries: https://docs.docker.com/reference/cli/docker/login/ */
type DockerConfig = {
  readonly auths?: Readonly<Record<string, StoredAuth>>;
  readonly credsStore?: string;
  readonly credHelpers?: Readonly<Record<string, string>>;
};
type StoredAuth = { readonly auth?: string; readonly identitytoken?: string };
type Env = Readonly<Record<string, string | undefined>>;

/** Under this name `docker login` stores Docker Hub's credentials. */
const DOCKER_HUB = 'https://index.docker.io/v1/';
/** A credential helper answers this user name where the secret is an identity token. */
const TOKEN_USER = '<token>';
const HELPER_TIMEOUT_MS = 10_000;

/**
 * The `X-Registry-Auth` header for a registry (`docker.io`, `localhost:5000`), from what `docker login` stored;
 * undefined where nothing is stored. Throws `invalid` when docker's config.json can't be read.
 */
export async function registryAuthHeader(
  domain: string,
  env: Env = process.env,
): Promise<string | undefined> {
  const directory = env.DOCKER_CONFIG || join(env.HOME || homedir(), '.docker');
  const config = await readConfig(join(directory, 'config.json'));
  if (config === undefined) return undefined;
  const server = domain === 'docker.io' ? DOCKER_HUB : domain;
  const helper = config.credHelpers?.[domain] ?? config.credsStore;
  const found =
    (helper === undefined ? undefined : await askHelper(helper, server, env)) ??
    readStored(config.auths ?? {}, domain);
  if (found === undefined) return undefined;
  // URL-safe alphabet with padding: what Go's base64.URLEncoding reads.
  return Buffer.from(JSON.stringify({ ...found, serveraddress: server }))
    .toString('base64')
    .replaceAll('+', '-')
    .replaceAll('/', '_');
}

type Credentials = {
  readonly username?: string;
  readonly password?: string;
  readonly identitytoken?: string;
};

async function readConfig(path: string): Promise<DockerConfig | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT') || isErrno(error, 'ENOTDIR')) return undefined;
    throw new BerthError('invalid', `can't read ${path}: ${(error as Error).message}`, { cause: error });
  }
  try {
    const config: unknown = JSON.parse(text);
    if (typeof config === 'object' && config !== null) return config;
  } catch {
    // Said below, with the path.
  }
  throw new BerthError('invalid', `${path} is not a JSON object`, {
    hint: 'mend it, or point DOCKER_CONFIG at another directory',
  });
}

function readStored(auths: Readonly<Record<string, StoredAuth>>, domain: string): Credentials | undefined {
  for (const [key, stored] of Object.entries(auths)) {
    // Older versions stored whole URLs: https://host/v1/.
    const host = key.replace(/^https?:\/\//, '').split('/')[0];
    if (host !== (domain === 'docker.io' ? 'index.docker.io' : domain)) continue;
    const plain = Buffer.from(stored.auth ?? '', 'base64').toString('utf8');
    const colon = plain.indexOf(':');
    const token = stored.identitytoken === undefined ? {} : { identitytoken: stored.identitytoken };
    if (colon > 0) return { username: plain.slice(0, colon), password: plain.slice(colon + 1), ...token };
    if (stored.identitytoken !== undefined) return token;
  }
  return undefined;
}

/** Asks `docker-credential-NAME get`; undefined where it has none (it then exits with an error). */
async function askHelper(name: string, server: string, env: Env): Promise<Credentials | undefined> {
  const answer = await new Promise<string | undefined>((resolve) => {
    const child = spawn(`docker-credential-${name}`, ['get'], {
      env: { ...env } as NodeJS.ProcessEnv,
      stdio: ['pipe', 'pipe', 'ignore'],
      timeout: HELPER_TIMEOUT_MS,
    });
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString('utf8');
    });
    child.on('error', () => resolve(undefined));
    child.on('close', (code) => resolve(code === 0 ? text : undefined));
    child.stdin.on('error', () => {});
    child.stdin.end(server);
  });
  if (answer === undefined) return undefined;
  const { Username = '', Secret = '' } = JSON.parse(answer) as { Username?: string; Secret?: string };
  return Username === TOKEN_USER ? { identitytoken: Secret } : { username: Username, password: Secret };
}
