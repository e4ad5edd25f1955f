import { parseReference } from '../api/reference.ts';
import { Refusal } from '../images/hosted/error.ts';

/**
 * How the engine's repositories are called in its registry. Those of Docker Hub stand there by their path, so that
 * another engine can name this one as a mirror; those of other registries with their host before it, whose port is
 * written `__5000`, since a colon can't stand in a path. See docs/decisions/0088.
 */

/** OCI distribution spec, "Pulling manifests". */
const PATH = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const HOST_AND_PORT = /^([a-z0-9.-]+)__(\d{1,5})\//;
const MAX_NAME = 255;

/** The repository that a path means: `docker.io/library/ubuntu` for `library/ubuntu`, and for `ubuntu`. Throws NAME_INVALID. */
export function repositoryOf(path: string): string {
  if (path.length > MAX_NAME || !PATH.test(path))
    throw new Refusal('NAME_INVALID', `'${path.slice(0, 100)}' is not a repository name`);
  try {
    const reference = parseReference(path.replace(HOST_AND_PORT, '$1:$2/'));
    return `${reference.domain}/${reference.path}`;
  } catch (cause) {
    throw new Refusal('NAME_INVALID', `'${path.slice(0, 100)}' begins like a host, and is none`, { cause });
  }
}

/** The path of a repository; undefined for one whose host can't stand in a path. */
export function pathOfRepository(repository: string): string | undefined {
  const slash = repository.indexOf('/');
  const domain = repository.slice(0, slash).replace(/:(\d+)$/, '__$1');
  const path = domain === 'docker.io' ? repository.slice(slash + 1) : `${domain}${repository.slice(slash)}`;
  try {
    return repositoryOf(path) === repository ? path : undefined;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return undefined;
  }
}
