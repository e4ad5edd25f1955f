import type { Digest } from '../api/digest.ts';
import { BerthError } from '../api/errors.ts';
import { parseReference } from '../api/reference.ts';
import type { ContentStore } from '../content/store.ts';
import type { LayerStore } from '../layers/types.ts';
import { hostPlatform } from '../registry/platform.ts';
import { collect, type Pins } from './collect.ts';
import { diskError } from './disk.ts';
import { keepLayer } from './keep-layer.ts';
import { layerType } from './layer-types.ts';
import type { ImageRows } from './rows.ts';
import type { ImageTarget, NewLocalImage } from './types.ts';

export type MakeContext = {
  readonly root: string;
  readonly rows: ImageRows;
  readonly content: ContentStore;
  readonly layers: LayerStore;
  readonly pins: Pins;
};

/** The digest of an archive without an entry: two blocks of zeros. */
const EMPTY_LAYER = 'sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef';

type Json = Readonly<Record<string, unknown>>;

/**
 * Keeps an image that is made here: its layer, its config, then the rows that name them. Killed in between, what no row
 * names is swept at the next start. Throws as `ImageStore.make` says.
 */
export async function makeImage(context: MakeContext, made: NewLocalImage): Promise<Digest> {
  const { rows, content, pins } = context;
  const name = readTarget(made.target);
  const parent =
    made.parent === undefined ? undefined : (JSON.parse(content.read(made.parent).toString()) as Json);
  const below = made.parent === undefined ? [] : rows.diffIdsOf(made.parent);
  try {
    await using blob = await content.take(made.layer);
    const diffId = blob.digest;
    const isEmpty = diffId === EMPTY_LAYER;
    const diffIds = isEmpty ? below : [...below, diffId];
    using pinned = new DisposableStack();
    pinned.use(pins.keep(diffIds));
    let id: Digest | undefined;
    try {
      if (!isEmpty)
        await keepLayer(context, { blob, diffId, mediaType: layerType('none'), signal: made.signal });
      const bytes = Buffer.from(JSON.stringify(configOf(made, { parent, diffIds, isEmpty })));
      id = await content.put(bytes);
      rows.addImage({
        id,
        manifestDigest: id,
        parentId: made.parent,
        layers: diffIds,
        name,
        digest: undefined,
      });
      return id;
    } finally {
      pinned.dispose();
      await collect(context, id === undefined ? [] : [id]);
    }
  } catch (error) {
    throw diskError(error, { doing: 'keeping an image', root: context.root });
  }
}

/** The name that an image is to get; undefined where none is said. Throws `invalid`. */
export function readTarget({
  repo = '',
  tag = '',
}: ImageTarget): { readonly repository: string; readonly tag: string } | undefined {
  if (repo === '') return undefined;
  const given = parseReference(repo);
  if (given.digest !== undefined)
    throw new BerthError('invalid', `refusing to create a tag with a digest reference: '${repo}'`);
  // A tag of its own stands over one in the repository's name.
  const colon = repo.lastIndexOf(':');
  const bare = colon > repo.lastIndexOf('/') ? repo.slice(0, colon) : repo;
  const whole = tag === '' ? given : parseReference(`${bare}:${tag}`);
  return { repository: `${whole.domain}/${whole.path}`, tag: whole.tag ?? 'latest' };
}

/** OCI image spec, config.md, with what docker writes beside it. */
function configOf(
  made: NewLocalImage,
  options: {
    readonly parent: Json | undefined;
    readonly diffIds: readonly Digest[];
    readonly isEmpty: boolean;
  },
): Json {
  const { parent, diffIds, isEmpty } = options;
  const created = new Date().toISOString();
  const { author = '', comment = '', createdBy = '' } = made;
  const { os, architecture, variant } = { ...hostPlatform(), ...pick(parent), ...made.platform };
  const past = Array.isArray(parent?.history) ? parent.history : [];
  return {
    architecture,
    ...(variant === undefined ? {} : { variant }),
    os,
    created,
    ...(author === '' ? {} : { author }),
    ...(comment === '' ? {} : { comment }),
    ...(made.container === undefined ? {} : { container: made.container }),
    config: made.config,
    rootfs: { type: 'layers', diff_ids: diffIds },
    history: [
      ...past,
      {
        created,
        ...(createdBy === '' ? {} : { created_by: createdBy }),
        ...(author === '' ? {} : { author }),
        ...(comment === '' ? {} : { comment }),
        ...(isEmpty ? { empty_layer: true } : {}),
      },
    ],
  };
}

function pick(parent: Json | undefined): { os?: string; architecture?: string; variant?: string } {
  const texts = ['os', 'architecture', 'variant'].flatMap((key) => {
    const value = parent?.[key];
    return typeof value === 'string' && value !== '' ? [[key, value] as const] : [];
  });
  return Object.fromEntries(texts);
}
