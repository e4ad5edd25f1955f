import type { Digest } from '../../api/digest.ts';
import { type Database, durably } from '../../state/database.ts';

/** A manifest in a repository of the engine's own registry. */
export type HostedManifest = {
  readonly repository: string;
  readonly digest: Digest;
  readonly mediaType: string;
  readonly subject: Digest | undefined;
  /** The engine's image that it is, or that its index chooses for this machine. */
  readonly imageId: Digest | undefined;
};

export type NewHostedManifest = HostedManifest & {
  readonly tag: string | undefined;
  /** The blobs and manifests that it names. */
  readonly references: readonly Digest[];
};

type Row = Readonly<Record<string, string | number | null>>;

const toManifest = (row: Row): HostedManifest => ({
  repository: String(row.repository),
  digest: row.digest as Digest,
  mediaType: String(row.media_type),
  subject: (row.subject ?? undefined) as Digest | undefined,
  imageId: (row.image_id ?? undefined) as Digest | undefined,
});

/** What images have names in a repository: `?1`. */
const NAMED = `SELECT image_id FROM image_names WHERE repository = ?1
  UNION SELECT image_id FROM image_digests WHERE repository = ?1`;
/** A tag that is an image's is one for as long as the image has that name. */
const STALE_TAG = `SELECT 1 FROM hosted_manifests AS m WHERE m.repository = t.repository AND m.digest = t.digest
  AND m.image_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM image_names AS n
    WHERE n.repository = t.repository AND n.tag = t.tag AND n.image_id = m.image_id)`;

/** The statements on the tables of the engine's own registry. */
export function openHostedRows(database: Database) {
  const all = (sql: string) => {
    const statement = database.prepare(sql);
    return (...values: readonly (string | number)[]) => statement.all(...values) as Row[];
  };
  const run = (sql: string) => {
    const statement = database.prepare(sql);
    return (...values: readonly (string | number | null)[]) => Number(statement.run(...values).changes);
  };
  const texts = (rows: readonly Row[], column: string) => rows.map((row) => String(row[column]));
  const digestsOf = (rows: readonly Row[]) => rows.map((row) => row.digest as Digest);

  const blob = all('SELECT 1 FROM hosted_blobs WHERE repository = ? AND digest = ?');
  const imageBlob = all(`SELECT 1 FROM layer_blobs WHERE digest = ?2 AND layer_id IN
      (SELECT layer_id FROM image_layers WHERE image_id IN (${NAMED}))
    UNION ALL SELECT 1 FROM images WHERE id = ?2 AND id IN (${NAMED})`);
  const manifest = all('SELECT * FROM hosted_manifests WHERE repository = ? AND digest = ?');
  const imageWithManifest = all(
    `SELECT id FROM images WHERE manifest_digest = ?2 AND removed = 0 AND id IN (${NAMED})`,
  );
  const tag = all(`SELECT m.* FROM hosted_tags AS t JOIN hosted_manifests AS m
    ON m.repository = t.repository AND m.digest = t.digest
    WHERE t.repository = ? AND t.tag = ? AND NOT EXISTS (${STALE_TAG})`);
  const tags = all(`SELECT tag FROM hosted_tags AS t WHERE repository = ?1 AND NOT EXISTS (${STALE_TAG})
    UNION SELECT tag FROM image_names WHERE repository = ?1 ORDER BY tag`);
  const tagsWith = all('SELECT tag FROM hosted_tags WHERE repository = ? AND digest = ?');
  const repositories = all(`SELECT repository FROM hosted_manifests UNION SELECT repository FROM image_names
    UNION SELECT repository FROM image_digests ORDER BY repository`);
  const known = all(`SELECT 1 FROM hosted_blobs WHERE repository = ?1
    UNION ALL SELECT 1 FROM hosted_manifests WHERE repository = ?1
    UNION ALL SELECT 1 FROM image_names WHERE repository = ?1
    UNION ALL SELECT 1 FROM image_digests WHERE repository = ?1 LIMIT 1`);
  const referrers = all('SELECT * FROM hosted_manifests WHERE repository = ? AND subject = ? ORDER BY rowid');
  const references = all('SELECT digest FROM hosted_references WHERE repository = ? AND manifest = ?');
  const referring = all('SELECT 1 FROM hosted_references WHERE repository = ? AND digest = ? LIMIT 1');
  const used = all(`SELECT 1 FROM hosted_blobs WHERE digest = ?1
    UNION ALL SELECT 1 FROM hosted_manifests WHERE digest = ?1 LIMIT 1`);
  const digests = all('SELECT digest FROM hosted_blobs UNION SELECT digest FROM hosted_manifests');
  const blobDigests = all('SELECT DISTINCT digest FROM hosted_blobs');
  const placesOf = all(`SELECT repository FROM hosted_blobs WHERE digest = ?1
    UNION SELECT repository FROM hosted_manifests WHERE digest = ?1 ORDER BY repository`);
  const orphans = all(`SELECT m.* FROM hosted_manifests AS m WHERE image_id IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM image_digests AS d WHERE d.repository = m.repository AND d.digest = m.digest)
    AND NOT EXISTS (SELECT 1 FROM hosted_tags AS t WHERE t.repository = m.repository AND t.digest = m.digest)
    AND NOT EXISTS (SELECT 1 FROM hosted_references AS r WHERE r.repository = m.repository AND r.digest = m.digest)`);
  const unnamed = all(`SELECT repository, digest FROM hosted_blobs AS b WHERE linked_at < ? AND NOT EXISTS
    (SELECT 1 FROM hosted_references AS r WHERE r.repository = b.repository AND r.digest = b.digest)`);

  const link = run(`INSERT INTO hosted_blobs (repository, digest, linked_at) VALUES (?, ?, ?)
    ON CONFLICT DO UPDATE SET linked_at = excluded.linked_at`);
  const unlink = run('DELETE FROM hosted_blobs WHERE repository = ? AND digest = ?');
  const addManifest = run(`INSERT INTO hosted_manifests (repository, digest, media_type, subject, image_id)
    VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET image_id = COALESCE(excluded.image_id, image_id)`);
  const addReference = run('INSERT OR IGNORE INTO hosted_references VALUES (?, ?, ?)');
  const setTag = run(`INSERT INTO hosted_tags (repository, tag, digest) VALUES (?, ?, ?)
    ON CONFLICT DO UPDATE SET digest = excluded.digest`);
  const removeTag = run('DELETE FROM hosted_tags WHERE repository = ? AND tag = ?');
  const removeStaleTags = run(`DELETE FROM hosted_tags AS t WHERE EXISTS (${STALE_TAG})`);
  const removeManifest = run('DELETE FROM hosted_manifests WHERE repository = ? AND digest = ?');
  const removeName = run('DELETE FROM image_names WHERE repository = ? AND tag = ?');

  return {
    /** Whether a blob was pushed to a repository, or belongs to an image that has a name in it. */
    hasBlob: (repository: string, digest: string) =>
      blob(repository, digest).length > 0 || imageBlob(repository, digest).length > 0,
    manifest: (repository: string, digest: string) => manifest(repository, digest).map(toManifest)[0],
    /** The image with a name in a repository whose manifest this is. */
    imageWithManifest: (repository: string, digest: string) =>
      imageWithManifest(repository, digest).map((row) => row.id as Digest)[0],
    /** What was pushed under a tag; not one whose image has lost that name since. */
    tagged: (repository: string, name: string) => tag(repository, name).map(toManifest)[0],
    /** The tags of a repository, those of images included, in the order of their bytes. */
    tags: (repository: string) => texts(tags(repository), 'tag'),
    tagsWith: (repository: string, digest: string) => texts(tagsWith(repository, digest), 'tag'),
    repositories: () => texts(repositories(), 'repository'),
    isKnown: (repository: string) => known(repository).length > 0,
    /** The manifests that say something about one, oldest first. */
    referrers: (repository: string, subject: string) => referrers(repository, subject).map(toManifest),
    references: (repository: string, digest: string) => digestsOf(references(repository, digest)),
    isReferred: (repository: string, digest: string) => referring(repository, digest).length > 0,
    /** Whether any repository has a blob or manifest. */
    isUsed: (digest: string) => used(digest).length > 0,
    digests: () => digestsOf(digests()),
    blobDigests: () => digestsOf(blobDigests()),
    /** The repositories that have a blob or manifest. */
    placesOf: (digest: string) => texts(placesOf(digest), 'repository'),
    /** Manifests of images that have lost their last name in their repository. */
    orphans: () => orphans().map(toManifest),
    /** Blobs that were pushed before a moment and that no manifest names. */
    unnamed: (beforeMs: number) =>
      unnamed(beforeMs).map((row) => ({ repository: String(row.repository), digest: row.digest as Digest })),
    /** Says that a repository has a blob. Its file must be on disk for good. */
    link: (repository: string, digest: Digest, atMs: number) => void link(repository, digest, atMs),
    /** Says whether there was one. */
    unlink: (repository: string, digest: string) => unlink(repository, digest) > 0,
    /**
     * Writes a manifest and its tag, all or nothing; its file must be on disk for good. A tag that is no image takes
     * the name from the image that had it.
     */
    addManifest: (added: NewHostedManifest) =>
      durably(database, () => {
        const { repository, digest, mediaType, subject, imageId } = added;
        addManifest(repository, digest, mediaType, subject ?? null, imageId ?? null);
        for (const named of added.references) addReference(repository, digest, named);
        if (added.tag === undefined) return;
        if (imageId === undefined) removeName(repository, added.tag);
        setTag(repository, added.tag, digest);
      }),
    removeTag: (repository: string, name: string) => removeTag(repository, name) > 0,
    removeStaleTags: () => void removeStaleTags(),
    /** On the disk when it returns: files go next. */
    removeManifest: (repository: string, digest: string) =>
      durably(database, () => removeManifest(repository, digest) > 0),
  };
}
