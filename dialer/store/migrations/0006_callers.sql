-- Calls of people who ring back, for a restart: to end those that a dead process left.
CREATE TABLE callers (
  id     TEXT PRIMARY KEY,
  record TEXT NOT NULL -- JSON of dialer.Caller
) STRICT, WITHOUT ROWID;
