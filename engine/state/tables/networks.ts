/** Networks, and the address that each container holds on one. */
export const networkTables = `
CREATE TABLE networks (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  driver TEXT NOT NULL,
  bridge TEXT,
  subnet TEXT,
  gateway TEXT,
  created_at TEXT NOT NULL
) STRICT;
CREATE TABLE endpoints (
  id TEXT PRIMARY KEY,
  network_id TEXT NOT NULL REFERENCES networks (id),
  container_id TEXT NOT NULL,
  address TEXT,
  mac TEXT,
  host_interface TEXT,
  UNIQUE (network_id, address),
  UNIQUE (network_id, container_id)
) STRICT;
`;
