/**
 * Volumes of the local driver. `state`: `new` while the container that it is made for is being created, `filling`
 * while what the image has at its place is copied into it, `ready` from then on. What a start of the engine finds `new`
 * nobody was told of, and goes; what it finds `filling` was empty before, and is emptied.
 */
export const volumeTables = `
CREATE TABLE volumes (
  name TEXT PRIMARY KEY,
  options TEXT NOT NULL,
  labels TEXT NOT NULL,
  created_at TEXT NOT NULL,
  state TEXT NOT NULL
) STRICT;
`;
