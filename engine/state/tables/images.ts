/**
 * Images, their names, and the layers they are made of. Manifests, configs and layers themselves are files; a row
 * names one only when it is on disk for good.
 */
export const imageTables = `
CREATE TABLE images (
  id TEXT PRIMARY KEY,
  manifest_digest TEXT NOT NULL,
  size_bytes INTEGER NOT NULL,
  -- Set when it was removed while a stopped container still needs its layers.
  removed INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE image_names (
  repository TEXT NOT NULL,
  tag TEXT NOT NULL,
  image_id TEXT NOT NULL REFERENCES images (id) ON DELETE CASCADE,
  tagged_at TEXT NOT NULL,
  PRIMARY KEY (repository, tag)
) STRICT;
CREATE INDEX image_names_by_image ON image_names (image_id);
CREATE TABLE image_digests (
  repository TEXT NOT NULL,
  digest TEXT NOT NULL,
  image_id TEXT NOT NULL REFERENCES images (id) ON DELETE CASCADE,
  PRIMARY KEY (repository, digest)
) STRICT;
CREATE INDEX image_digests_by_image ON image_digests (image_id);
CREATE TABLE layers (
  id INTEGER PRIMARY KEY,
  diff_id TEXT NOT NULL UNIQUE,
  size_bytes INTEGER NOT NULL
) STRICT;
CREATE TABLE image_layers (
  image_id TEXT NOT NULL REFERENCES images (id) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  layer_id INTEGER NOT NULL REFERENCES layers (id),
  PRIMARY KEY (image_id, position)
) STRICT;
CREATE INDEX image_layers_by_layer ON image_layers (layer_id);
`;

/** The blobs that layers came as: what a push sends again, byte for byte. */
export const layerBlobs = `
CREATE TABLE layer_blobs (
  digest TEXT PRIMARY KEY,
  layer_id INTEGER NOT NULL REFERENCES layers (id) ON DELETE CASCADE,
  size_bytes INTEGER NOT NULL,
  media_type TEXT NOT NULL
) STRICT;
CREATE INDEX layer_blobs_by_layer ON layer_blobs (layer_id);
-- Where a blob was seen: a registry gives it from there to another repository of its own.
CREATE TABLE blob_sources (
  digest TEXT NOT NULL REFERENCES layer_blobs (digest) ON DELETE CASCADE,
  repository TEXT NOT NULL,
  PRIMARY KEY (digest, repository)
) STRICT;
`;

/** Images that were made from another one here. */
export const imageParents = `
ALTER TABLE images ADD COLUMN parent_id TEXT;
`;
