/** One row for each container with a health check that was started: its health, and the probe that runs. */
export const healthTables = `
CREATE TABLE container_health (
  container_id TEXT PRIMARY KEY REFERENCES containers (id) ON DELETE CASCADE,
  state TEXT NOT NULL
) STRICT;
`;
