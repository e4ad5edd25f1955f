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

/** Images that were made from another one here. */
export const imageParents = `
ALTER TABLE images ADD COLUMN parent_id TEXT;
`;
