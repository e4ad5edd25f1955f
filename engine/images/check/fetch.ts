import type { Digest } from '../../api/digest.ts';
import { BerthError } from '../../api/errors.ts';
import { familiarName } from '../../api/reference.ts';
import type { ContentStore } from '../../content/store.ts';
import { type Descriptor, parseManifest } from '../../registry/manifest.ts';
import { openRepository, type Repository } from '../../registry/repository.ts';
import type { RegistryLimits, RegistrySettings } from '../../registry/settings.ts';
import type { ImageRow, ImageRows } from '../rows.ts';

export type FetchContext = {
  readonly rows: ImageRows;
  readonly content: ContentStore;
  readonly settings: RegistrySettings;
  readonly limits: RegistryLimits;
};

/** Fetches what is damaged or lost from the registries that it came from, without credentials. */
export function openFetcher(context: FetchContext, signal: AbortSignal) {
  const { rows, content } = context;

  const repositoriesOf = (image: ImageRow) => rows.digestsOf(image.id).map(({ repository }) => repository);

  /** Asks one after the other; throws what the last one said, `notFound` where there is none to ask. */
  const fromAny = async (
    repositories: readonly string[],
    what: string,
    ask: (repository: Repository) => Promise<void>,
  ): Promise<void> => {
    let last: unknown = new BerthError('notFound', `no registry is known that has ${what}`);
    for (const full of new Set(repositories)) {
      try {
        return await ask(open(context, full));
      } catch (error) {
        last = error;
      }
    }
    throw last;
  };

  const blob = async (descriptor: Descriptor, repositories: readonly string[], what: string) =>
    await fromAny(repositories, what, async (repository) => {
      const { digest, sizeBytes } = descriptor;
      const stream = repository.streamBlob(descriptor, signal);
      await using received = await content.receive({ digest, sizeBytes, what }, stream);
      await content.keep(received);
    });

  /** The manifest that an image came with; undefined where it has none, or it can't be read. */
  const manifestOf = (image: ImageRow) => {
    if (image.manifestDigest === image.id) return undefined;
    try {
      const manifest = parseManifest(content.read(image.manifestDigest), undefined, image.id);
      return manifest.kind === 'image' ? manifest : undefined;
    } catch {
      return undefined;
    }
  };

  return {
    blob,
    manifest: async (image: ImageRow) =>
      await fromAny(repositoriesOf(image), 'the manifest', async (repository) => {
        const { bytes } = await repository.fetchManifest(image.manifestDigest, signal);
        content.remove(image.manifestDigest);
        await content.put(bytes);
      }),
    config: async (image: ImageRow) => {
      const manifest = manifestOf(image);
      if (manifest === undefined)
        throw new BerthError('notFound', `no registry is known that has the config`);
      await blob(manifest.config, repositoriesOf(image), 'the config');
    },
    /** Where a layer's blob is to be had: descriptors, with the repositories that have them. */
    layerSources: (diffId: Digest) => [
      ...rows.blobs.ofDiffId(diffId).map((descriptor) => ({
        descriptor,
        repositories: rows.blobs.sources(descriptor.digest),
      })),
      ...rows.imagesWith(diffId).flatMap((image) => {
        const descriptor = manifestOf(image)?.layers[rows.diffIdsOf(image.id).indexOf(diffId)];
        return descriptor === undefined ? [] : [{ descriptor, repositories: repositoriesOf(image) }];
      }),
    ],
  };
}

export type Fetcher = ReturnType<typeof openFetcher>;

function open({ settings, limits }: FetchContext, full: string): Repository {
  const slash = full.indexOf('/');
  const place = { domain: full.slice(0, slash), path: full.slice(slash + 1) };
  return openRepository({ ...place, name: familiarName(place), settings, limits });
}
