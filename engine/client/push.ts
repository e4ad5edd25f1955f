import { familiarName, parseReference } from '../api/reference.ts';
import type { ProgressLine } from '../api/wire.ts';
import type { Client } from './client.ts';

/**
 * Pushes an image, or all tags of a repository, and tells how it goes, with the credentials that were stored for its
 * registry. Throws `invalid` on a malformed reference, and what the engine or the registry answered.
 */
export async function* pushImage(
  client: Pick<Client, 'lines'>,
  options: {
    /** The image as it was typed. */
    readonly image: string;
    readonly allTags?: boolean | undefined;
    /** Refused where the image is for another: `os/arch[/variant]`. */
    readonly platform?: string | undefined;
    readonly signal?: AbortSignal | undefined;
  },
): AsyncGenerator<ProgressLine> {
  const reference = parseReference(options.image);
  const { registryAuthHeader } = await import('./credentials.ts');
  // dockerd wants the header, with nothing in it where there is nothing.
  const auth = (await registryAuthHeader(reference.domain)) ?? Buffer.from('{}').toString('base64');
  const name = familiarName(reference) + (reference.digest === undefined ? '' : `@${reference.digest}`);
  const tag = options.allTags ? undefined : reference.tag;
  const headers = { 'X-Registry-Auth': auth };
  yield* client.lines(
    'imagePush',
    { name, tag, platform: options.platform },
    { signal: options.signal, headers },
  );
}
