/**
 * What was pushed to this engine's own registry. Repositories are named as in `image_names`; a manifest that is an
 * image of the engine has its id, and its tag then stands in `image_names` too.
 */
export const hostedTables = `
CREATE TABLE hosted_blobs (
  repository TEXT NOT NULL,
  digest TEXT NOT NULL,
  -- Milliseconds since 1970: one that no manifest names goes some time after.
  linked_at INTEGER NOT NULL,
  PRIMARY KEY (repository, digest)
) STRICT;
CREATE INDEX hosted_blobs_by_digest ON hosted_blobs (digest);
CREATE TABLE hosted_manifests (
  repository TEXT NOT NULL,
  digest TEXT NOT NULL,
  media_type TEXT NOT NULL,
  -- The manifest that it says something about, such as the image that it is the signature of.
  subject TEXT,
  image_id TEXT,
  PRIMARY KEY (repository, digest)
) STRICT;
CREATE INDEX hosted_manifests_by_digest ON hosted_manifests (digest);
CREATE INDEX hosted_manifests_by_subject ON hosted_manifests (repository, subject);
CREATE TABLE hosted_references (
  repository TEXT NOT NULL,
  manifest TEXT NOT NULL,
  digest TEXT NOT NULL,
  PRIMARY KEY (repository, manifest, digest),
  FOREIGN KEY (repository, manifest) REFERENCES hosted_manifests (repository, digest) ON DELETE CASCADE
) STRICT;
CREATE INDEX hosted_references_by_digest ON hosted_references (repository, digest);
CREATE TABLE hosted_tags (
  repository TEXT NOT NULL,
  tag TEXT NOT NULL,
  digest TEXT NOT NULL,
  PRIMARY KEY (repository, tag),
  FOREIGN KEY (repository, digest) REFERENCES hosted_manifests (repository, digest) ON DELETE CASCADE
) STRICT;
CREATE INDEX hosted_tags_by_digest ON hosted_tags (repository, digest);
`;
