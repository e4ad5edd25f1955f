import type { Digest } from '../api/digest.ts';
import type { LayerId } from '../layers/types.ts';
import type { Database } from '../state/database.ts';

/** A layer's archive as a registry has it, compressed as a rule; its file is in the content store. */
export type LayerBlob = { readonly digest: Digest; readonly sizeBytes: number; readonly mediaType: string };

/**
 * Which blobs are kept of which layers, and the repositories (`docker.io/library/ubuntu`) that each was seen in. A
 * layer may have several, since others compress it differently; a blob belongs to one layer, which its bytes say.
 */
export function openLayerBlobs(database: Database) {
  const select = (sql: string) => database.prepare(sql);
  const ofLayer = select('SELECT * FROM layer_blobs WHERE layer_id = ? ORDER BY rowid');
  const ofDiffId = select(
    'SELECT layer_blobs.* FROM layer_blobs JOIN layers ON layers.id = layer_id WHERE diff_id = ? ORDER BY layer_blobs.rowid',
  );
  const digests = select('SELECT digest FROM layer_blobs');
  const all = select('SELECT layer_blobs.*, diff_id FROM layer_blobs JOIN layers ON layers.id = layer_id');
  const size = select('SELECT size_bytes FROM layer_blobs WHERE digest = ?');
  const sizes = select(
    'SELECT diff_id, SUM(layer_blobs.size_bytes) AS bytes FROM layer_blobs JOIN layers ON layers.id = layer_id GROUP BY diff_id',
  );
  const held =
    select(`SELECT image_id, SUM(bytes) AS bytes, SUM(CASE WHEN users > 1 THEN bytes ELSE 0 END) AS shared
    FROM (SELECT DISTINCT image_id, layer_id FROM image_layers)
    JOIN (SELECT layer_id, SUM(size_bytes) AS bytes FROM layer_blobs GROUP BY layer_id) USING (layer_id)
    JOIN (SELECT layer_id, COUNT(DISTINCT image_id) AS users FROM image_layers GROUP BY layer_id) USING (layer_id)
    GROUP BY image_id`);
  const sources = select('SELECT repository FROM blob_sources WHERE digest = ? ORDER BY rowid');
  const add = select(
    'INSERT OR IGNORE INTO layer_blobs (digest, layer_id, size_bytes, media_type) VALUES (?, ?, ?, ?)',
  );
  const remove = select('DELETE FROM layer_blobs WHERE digest = ?');
  const addSource = select(
    'INSERT OR IGNORE INTO blob_sources (digest, repository) SELECT digest, ? FROM layer_blobs WHERE digest = ?',
  );
  const toBlob = (row: Record<string, unknown>): LayerBlob => ({
    digest: row.digest as Digest,
    sizeBytes: Number(row.size_bytes),
    mediaType: String(row.media_type),
  });
  return {
    /** Of one layer, the first that was kept first. */
    of: (layer: LayerId): readonly LayerBlob[] => ofLayer.all(layer).map(toBlob),
    ofDiffId: (diffId: string): readonly LayerBlob[] => ofDiffId.all(diffId).map(toBlob),
    /** All of them, each with its layer's diffID. */
    all: () => all.all().map((row) => ({ ...toBlob(row), diffId: row.diff_id as Digest })),
    digests: () => digests.all().map((row) => row.digest as Digest),
    has: (digest: string) => size.get(digest) !== undefined,
    /** Bytes of a blob; undefined where it is not kept. */
    sizeOf: (digest: string) => size.get(digest)?.size_bytes as number | undefined,
    /** Bytes of the blobs of each layer, by diffID. */
    sizes: () => new Map(sizes.all().map((row) => [String(row.diff_id), Number(row.bytes)] as const)),
    /** Bytes of the blobs of each image's layers, and of those among them that other images have too; by its id. */
    held: () =>
      new Map(
        held
          .all()
          .map(
            (row) =>
              [String(row.image_id), { bytes: Number(row.bytes), shared: Number(row.shared) }] as const,
          ),
      ),
    /** The repositories that a blob was seen in. */
    sources: (digest: string) => sources.all(digest).map((row) => String(row.repository)),
    /** Says that a layer has a blob. Its file must be on disk for good. */
    add: (layer: LayerId, { digest, sizeBytes, mediaType }: LayerBlob) =>
      void add.run(digest, layer, sizeBytes, mediaType),
    remove: (digest: string) => void remove.run(digest),
    /** Says that a repository has a blob; of a blob that is not kept nothing is noted. */
    addSource: (digest: string, repository: string) => void addSource.run(repository, digest),
  };
}
