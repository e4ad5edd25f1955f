import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { BerthError, isErrno } from '../api/errors.ts';

/** What docker's `config.json` says of registries: https://docs.docker.com/reference/cli/docker/login/ */
export type DockerConfig = {
  readonly auths?: Readonly<Record<string, StoredAuth>>;
  readonly credsStore?: string;
  readonly credHelpers?: Readonly<Record<string, string>>;
};
export type StoredAuth = { readonly auth?: string; readonly identitytoken?: string };
export type Env = Readonly<Record<string, string | undefined>>;

/** `$DOCKER_CONFIG/config.json`; in `~/.docker` where that is not set. */
export function dockerConfigPath(env: Env): string {
  return join(env.DOCKER_CONFIG || join(env.HOME || homedir(), '.docker'), 'config.json');
}

/** Reads it; empty where there is none. Throws `invalid` on one that can't be read, without what it holds. */
export function readDockerConfig(env: Env): DockerConfig {
  const path = dockerConfigPath(env);
  let text: string;
  try {
    // At once: to load what reads it otherwise takes a command longer than all else of the file.
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT') || isErrno(error, 'ENOTDIR')) return {};
    throw new BerthError('invalid', `can't read ${path}: ${(error as Error).message}`, { cause: error });
  }
  try {
    const config: unknown = JSON.parse(text);
    if (isObject(config) && [config.auths, config.credHelpers].every((map) => map == null || isObject(map)))
      return config;
  } catch {
    // Said below, with the path.
  }
  throw new BerthError('invalid', `${path} is not a JSON object`, {
    hint: 'mend it, or point DOCKER_CONFIG at another directory',
  });
}

/**
 * Changes what it says of registries' logins and leaves all else in it as it is. It is there whole or as it was before,
 * through a link where it is one, for its owner alone where it is new.
 */
export async function changeAuths(
  env: Env,
  change: (auths: Readonly<Record<string, StoredAuth>>) => Readonly<Record<string, StoredAuth>>,
): Promise<void> {
  const { chmod, chown, mkdir, open, realpath, rename, rm, stat } = await import('node:fs/promises');
  const config = readDockerConfig(env);
  const text = `${JSON.stringify({ ...config, auths: change(config.auths ?? {}) }, undefined, '\t')}\n`;
  const named = dockerConfigPath(env);
  const path = await realpath(named).catch(() => named);
  const begun = `${path}.${process.pid}`;
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const before = await stat(path).catch(() => undefined);
    await using file = await open(begun, 'wx', 0o600);
    await file.writeFile(text);
    await file.sync();
    if (before !== undefined) {
      await chown(begun, before.uid, before.gid);
      await chmod(begun, before.mode & 0o777);
    }
    await rename(begun, path);
  } catch (error) {
    await rm(begun, { force: true });
    throw new BerthError('invalid', `can't write ${path}: ${(error as Error).message}`, { cause: error });
  }
}

function isObject(value: unknown): value is Readonly<Record<string, never>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
