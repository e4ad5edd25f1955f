/** The events that happened, oldest first; only the newest are kept. */
export const eventTables = `
CREATE TABLE events (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  time_nano INTEGER NOT NULL,
  message TEXT NOT NULL
) STRICT;
CREATE INDEX events_by_time ON events (time_nano);
`;
