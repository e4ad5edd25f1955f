import { familiarName, parseReference } from '../api/reference.ts';
import type { ProgressLine } from '../api/wire.ts';
import type { Client } from './client.ts';

export type PullOptions = {
  /** The image as it was typed. */
  readonly image: string;
  /** `os/arch[/variant]`; the engine's own where it is not given. */
  readonly platform?: string | undefined;
  readonly signal?: AbortSignal | undefined;
};

/**
 * Pulls an image and tells how it goes, with the credentials that `docker login` stored for its registry.
 * Throws `invalid` on a malformed reference, and what the engine or the registry answered.
 */
export async function* pullImage(
  client: Pick<Client, 'lines'>,
  options: PullOptions,
): AsyncGenerator<ProgressLine> {
  const reference = parseReference(options.image);
  const { registryHeaders } = await import('./credentials.ts');
  const headers = await registryHeaders(reference.domain);
  yield* client.lines(
    'imagePull',
    {
      fromImage: familiarName(reference),
      // Without a tag, dockerd would pull every tag of the repository.
      tag: reference.digest ?? reference.tag,
      platform: options.platform,
    },
    { signal: options.signal, headers },
  );
}
