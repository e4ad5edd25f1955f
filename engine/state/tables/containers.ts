/** One row a container: what it was asked to be, and the last state that was seen of it. */
export const containerTables = `
CREATE TABLE containers (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  image_id TEXT NOT NULL,
  image_name TEXT NOT NULL,
  created_at TEXT NOT NULL,
  config TEXT NOT NULL,
  host_config TEXT NOT NULL,
  state TEXT NOT NULL
) STRICT;
CREATE INDEX containers_by_image ON containers (image_id);
`;

/** What a restart policy goes by, as JSON: beside the state, written with it. */
export const containerRestarts = `
ALTER TABLE containers ADD COLUMN restarts TEXT NOT NULL DEFAULT '{}';
`;

/** What is mounted into a container, settled when it is created: other containers' mounts are copied then. */
export const containerMounts = `
ALTER TABLE containers ADD COLUMN mounts TEXT;
`;
