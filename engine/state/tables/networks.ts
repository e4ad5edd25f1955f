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

/**
 * Networks that users define: what they said of them. Attachments are what a container is to have of a network, as
 * long as it exists; endpoints what it has while it runs, with the host's ports that lead to it.
 */
export const userNetworks = `
ALTER TABLE networks ADD COLUMN config TEXT;
ALTER TABLE endpoints ADD COLUMN address6 TEXT;
ALTER TABLE endpoints ADD COLUMN interface TEXT;
CREATE TABLE attachments (
  container_id TEXT NOT NULL,
  network_id TEXT NOT NULL,
  network_name TEXT NOT NULL,
  wish TEXT NOT NULL,
  UNIQUE (container_id, network_id)
) STRICT;
CREATE TABLE published (
  container_id TEXT PRIMARY KEY,
  ports TEXT NOT NULL
) STRICT;
`;
