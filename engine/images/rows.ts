import type { Digest } from '../api/digest.ts';
import { BerthError } from '../api/errors.ts';
import type { Layer, LayerId } from '../layers/types.ts';
import { type Database, durably, transaction } from '../state/database.ts';
import { openHostedRows } from './hosted/rows.ts';
import { type LayerBlob, openLayerBlobs } from './layer-blobs.ts';

/** What the database knows of images. Repositories stand in full there: `docker.io/library/ubuntu`. */

export type ImageRow = {
  readonly id: Digest;
  readonly manifestDigest: Digest;
  readonly sizeBytes: number;
  /** Removed by force while a container that doesn't run still needs its layers. */
  readonly removed: boolean;
  /** The image that it was made from here; undefined for one that came from elsewhere. */
  readonly parentId: Digest | undefined;
};

export type NameRow = { readonly repository: string; readonly tag: string; readonly imageId: Digest };
export type DigestRow = { readonly repository: string; readonly digest: Digest; readonly imageId: Digest };

export type NewImage = {
  readonly id: Digest;
  /** Its own id for one that was made here: it has no manifest until it is pushed. */
  readonly manifestDigest: Digest;
  readonly parentId?: Digest | undefined;
  /** Uppermost last. */
  readonly layers: readonly Digest[];
  readonly name: { readonly repository: string; readonly tag: string } | undefined;
  /** The name that it was pulled by. */
  readonly digest: { readonly repository: string; readonly digest: Digest } | undefined;
};

export type ImageRows = ReturnType<typeof openImageRows>;

type Row = Readonly<Record<string, string | number | null>>;

const toImage = (row: Row): ImageRow => ({
  id: row.id as Digest,
  manifestDigest: row.manifest_digest as Digest,
  sizeBytes: Number(row.size_bytes),
  removed: row.removed === 1,
  parentId: row.parent_id === null ? undefined : (row.parent_id as Digest),
});
const toName = (row: Row): NameRow => ({
  repository: String(row.repository),
  tag: String(row.tag),
  imageId: row.image_id as Digest,
});
const toDigest = (row: Row): DigestRow => ({
  repository: String(row.repository),
  digest: row.digest as Digest,
  imageId: row.image_id as Digest,
});

/** The statements on the tables of images. */
export function openImageRows(database: Database) {
  const all = (sql: string) => {
    const statement = database.prepare(sql);
    return (...values: readonly (string | number)[]) => statement.all(...values) as Row[];
  };
  const run = (sql: string) => {
    const statement = database.prepare(sql);
    return (...values: readonly (string | number | null)[]) => void statement.run(...values);
  };
  const blobs = openLayerBlobs(database);
  const hosted = openHostedRows(database);
  const images = all('SELECT * FROM images WHERE removed = 0');
  const image = all('SELECT * FROM images WHERE id = ?');
  const byPrefix = all("SELECT * FROM images WHERE removed = 0 AND id LIKE ? || '%' LIMIT 2");
  const removedImages = all('SELECT * FROM images WHERE removed = 1');
  const named = all('SELECT * FROM image_names WHERE repository = ? AND tag = ?');
  const digested = all('SELECT * FROM image_digests WHERE repository = ? AND digest = ?');
  const names = all('SELECT * FROM image_names ORDER BY repository, tag');
  const digests = all('SELECT * FROM image_digests ORDER BY repository, digest');
  const namesOf = all('SELECT * FROM image_names WHERE image_id = ? ORDER BY repository, tag');
  const digestsOf = all('SELECT * FROM image_digests WHERE image_id = ? ORDER BY repository, digest');
  const lastTagged = all('SELECT MAX(tagged_at) AS tagged_at FROM image_names WHERE image_id = ?');
  const layersOf = all('SELECT layer_id FROM image_layers WHERE image_id = ? ORDER BY position');
  const diffIdsOf = all(
    'SELECT diff_id FROM image_layers JOIN layers ON layers.id = layer_id WHERE image_id = ? ORDER BY position',
  );
  const sizesOf = all(
    'SELECT size_bytes FROM image_layers JOIN layers ON layers.id = layer_id WHERE image_id = ? ORDER BY position',
  );
  const imagesWith = all(
    'SELECT * FROM images WHERE id IN (SELECT image_id FROM image_layers JOIN layers ON layers.id = layer_id WHERE diff_id = ?)',
  );
  const layer = all('SELECT id FROM layers WHERE diff_id = ?');
  const layers = all('SELECT id FROM layers');
  const unusedLayers = all(
    'SELECT id, diff_id FROM layers WHERE id NOT IN (SELECT layer_id FROM image_layers)',
  );
  const blobUsers = all('SELECT id FROM images WHERE id = ?1 OR manifest_digest = ?1 LIMIT 1');
  const layerSizes = all('SELECT diff_id, size_bytes FROM layers');
  const sharedSizes = all(`SELECT image_id, SUM(size_bytes) AS size_bytes
    FROM (SELECT DISTINCT image_id, layer_id FROM image_layers) JOIN layers ON layers.id = layer_id
    WHERE layer_id IN (SELECT layer_id FROM image_layers GROUP BY layer_id HAVING COUNT(DISTINCT image_id) > 1)
    GROUP BY image_id`);
  const allLayers = all('SELECT id, diff_id FROM layers ORDER BY id');
  const faults = all('PRAGMA integrity_check(20)');
  const orphans = all('PRAGMA foreign_key_check');
  const renumber = [
    run('UPDATE layers SET id = ? WHERE id = ?'),
    run('UPDATE image_layers SET layer_id = ? WHERE layer_id = ?'),
    run('UPDATE layer_blobs SET layer_id = ? WHERE layer_id = ?'),
  ];
  const addLayer = run('INSERT INTO layers (id, diff_id, size_bytes) VALUES (?, ?, ?)');
  const removeLayer = run('DELETE FROM layers WHERE id = ?');
  const addImage = run(`INSERT INTO images (id, manifest_digest, size_bytes, parent_id) VALUES (?, ?, 0, ?)
    ON CONFLICT (id) DO UPDATE SET removed = 0`);
  const addImageLayer = run(`INSERT OR IGNORE INTO image_layers (image_id, position, layer_id)
    SELECT ?, ?, id FROM layers WHERE diff_id = ?`);
  const setSize = run(`UPDATE images SET size_bytes =
    (SELECT COALESCE(SUM(size_bytes), 0) FROM image_layers JOIN layers ON layers.id = layer_id WHERE image_id = images.id)
    WHERE id = ?`);
  const addName = run(
    'INSERT OR REPLACE INTO image_names (repository, tag, image_id, tagged_at) VALUES (?, ?, ?, ?)',
  );
  const addDigest = run(
    'INSERT OR REPLACE INTO image_digests (repository, digest, image_id) VALUES (?, ?, ?)',
  );
  const removeName = run('DELETE FROM image_names WHERE repository = ? AND tag = ?');
  const removeDigest = run('DELETE FROM image_digests WHERE repository = ? AND digest = ?');
  const removeImage = run('DELETE FROM images WHERE id = ?');
  const setManifest = run('UPDATE images SET manifest_digest = ? WHERE id = ?');
  const hideImage = run('UPDATE images SET removed = 1 WHERE id = ?');

  return {
    images: () => images().map(toImage),
    image: (id: string) => image(id).map(toImage)[0],
    /** At most two images whose id begins so; `prefix` is `sha256:` and hexadecimal digits. */
    byPrefix: (prefix: string) => byPrefix(prefix).map(toImage),
    removedImages: () => removedImages().map(toImage),
    named: (repository: string, tag: string) => named(repository, tag).map(toName)[0],
    digested: (repository: string, digest: string) => digested(repository, digest).map(toDigest)[0],
    names: () => names().map(toName),
    digests: () => digests().map(toDigest),
    namesOf: (id: string) => namesOf(id).map(toName),
    digestsOf: (id: string) => digestsOf(id).map(toDigest),
    lastTagged: (id: string) => lastTagged(id).map((row) => row.tagged_at)[0] as string | null | undefined,
    /** Lowest first. */
    layersOf: (id: string): readonly LayerId[] => layersOf(id).map((row) => Number(row.layer_id)),
    diffIdsOf: (id: string) => diffIdsOf(id).map((row) => row.diff_id as Digest),
    /** The images that have a layer, removed ones too. */
    imagesWith: (diffId: string) => imagesWith(diffId).map(toImage),
    layer: (diffId: string): LayerId | undefined => layer(diffId).map((row) => Number(row.id))[0],
    /** Bytes of each layer, by diffID. */
    layerSizes: () =>
      new Map(layerSizes().map((row) => [String(row.diff_id), Number(row.size_bytes)] as const)),
    /** Bytes of the layers that an image has in common with others, by its id; none for one that has not. */
    sharedSizes: () =>
      new Map(sharedSizes().map((row) => [String(row.image_id), Number(row.size_bytes)] as const)),
    layers: (): readonly LayerId[] => layers().map((row) => Number(row.id)),
    unusedLayers: () => unusedLayers().map((row) => ({ id: Number(row.id), diffId: String(row.diff_id) })),
    isBlobUsed: (digest: string) =>
      blobs.has(digest) || blobUsers(digest).length > 0 || hosted.isUsed(digest),
    /** The blobs that layers came as. */
    blobs,
    /** What was pushed to the engine's own registry. */
    hosted,
    /** Writes a layer and, where it came as one that is kept, its blob and the repository that had it. */
    addLayer: (
      { id, sizeBytes }: Layer,
      diffId: Digest,
      blob?: LayerBlob & { readonly source?: string | undefined },
    ) =>
      transaction(database, () => {
        addLayer(id, diffId, sizeBytes);
        if (blob === undefined) return;
        blobs.add(id, blob);
        if (blob.source !== undefined) blobs.addSource(blob.digest, blob.source);
      }),
    /** Says that a layer's files are another number's now, which is to be on disk for good. */
    renumberLayer: (from: LayerId, to: LayerId) =>
      durably(database, () => {
        database.exec('PRAGMA defer_foreign_keys = ON');
        for (const statement of renumber) statement(to, from);
      }),
    /** Each layer's number and diffID. */
    allLayers: () => allLayers().map((row) => ({ id: Number(row.id), diffId: row.diff_id as Digest })),
    /** What the database itself finds wrong with its file, in its words. */
    faults: (): readonly string[] => [
      ...faults()
        .map((row) => String(row.integrity_check))
        .filter((text) => text !== 'ok'),
      ...orphans().map((row) => `a row of ${row.table} names one of ${row.parent} that is not there`),
    ],
    /** On the disk when it returns: the layer's files go next. */
    removeLayer: (id: LayerId) => durably(database, () => removeLayer(id)),
    /** Writes an image and its names, all or nothing. Its layers' rows must be there. */
    addImage: (added: NewImage) =>
      durably(database, () => {
        addImage(added.id, added.manifestDigest, added.parentId ?? null);
        for (const [position, diffId] of added.layers.entries()) addImageLayer(added.id, position, diffId);
        if (layersOf(added.id).length !== added.layers.length) {
          throw new BerthError('internal', `a layer of ${added.id} went while the image was pulled`, {
            hint: 'pull it again',
          });
        }
        setSize(added.id);
        const { name, digest } = added;
        if (name !== undefined) addName(name.repository, name.tag, added.id, new Date().toISOString());
        if (digest !== undefined) addDigest(digest.repository, digest.digest, added.id);
      }),
    /** Gives an image a name, which another may have had. */
    addName: ({ repository, tag, imageId }: NameRow) =>
      durably(database, () => addName(repository, tag, imageId, new Date().toISOString())),
    /** Sizes of an image's layers, lowest first. */
    sizesOf: (id: string) => sizesOf(id).map((row) => Number(row.size_bytes)),
    removeName: (name: NameRow) => removeName(name.repository, name.tag),
    removeDigest: (name: DigestRow) => removeDigest(name.repository, name.digest),
    /** On the disk when it returns: blobs and layers that no other image has go next. */
    removeImage: (id: Digest) => durably(database, () => removeImage(id)),
    /** Says which manifest an image has; its bytes must be on disk for good. */
    setManifest: (id: Digest, manifest: Digest) => setManifest(manifest, id),
    addDigest: ({ repository, digest, imageId }: DigestRow) => addDigest(repository, digest, imageId),
    hideImage: (id: Digest) => hideImage(id),
  };
}
