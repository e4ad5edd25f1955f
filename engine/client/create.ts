import { toBerthError } from '../api/errors.ts';
import { familiarReference, parseReference } from '../api/reference.ts';
import type { CreateContainerBody, ProgressLine } from '../api/wire.ts';
import type { Client } from './client.ts';
import { pullImage } from './pull.ts';

/** When `run` and `create` fetch the image: always, only when it is missing, or never. */
export const pullPolicies = ['always', 'missing', 'never'] as const;
export type PullPolicy = (typeof pullPolicies)[number];

export type CreateRequest = {
  readonly body: CreateContainerBody & { readonly Image: string };
  readonly name?: string | undefined;
  readonly platform?: string | undefined;
  /** `missing` where it is not given. */
  readonly pull?: PullPolicy | undefined;
  /** Called once before the progress of a pull, with the image's name and whether it was missing. */
  readonly onPull?: ((image: string, missing: boolean) => void) | undefined;
  readonly onProgress?: ((line: ProgressLine) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
};

/**
 * Creates a container, and pulls its image first where that is wanted or it is missing.
 * Throws what the engine answered: `notFound` for an image that is nowhere, `conflict` for a name in use.
 */
export async function createContainer(
  client: Client,
  request: CreateRequest,
): Promise<{ readonly Id: string; readonly Warnings: readonly string[] }> {
  const { body, name, platform, pull = 'missing', signal } = request;
  const image = body.Image;
  const create = () => client.call('containerCreate', { name, platform }, { body, signal });
  const fetchImage = async (missing: boolean) => {
    request.onPull?.(familiarReference(parseReference(image)), missing);
    for await (const line of pullImage(client, { image, platform, signal })) request.onProgress?.(line);
  };
  if (pull === 'always') await fetchImage(false);
  try {
    return await create();
  } catch (error) {
    const { code, message } = toBerthError(error);
    // 404 is also a network that isn't there; dockerd, podman and berth all name the image when it is that.
    if (pull !== 'missing' || code !== 'notFound' || !/image/i.test(message)) throw error;
  }
  await fetchImage(true);
  return create();
}

/**
 * What `run` exits with when a start failed: 127 for a program that is not there, 126 for one that can't be
 * executed, 125 otherwise. Read from the words of the OCI runtime, as the docker CLI does.
 */
export function exitCodeOfFailedStart(message: string): 125 | 126 | 127 {
  if (/executable file .*not found|no such file or directory|command that was not found/i.test(message))
    return 127;
  if (/permission denied|is a directory|exec format error/i.test(message)) return 126;
  return 125;
}
