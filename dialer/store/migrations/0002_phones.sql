-- Where agents' phones are and which calls are nailed up to them, for a restart.
CREATE TABLE phones (
  agent   TEXT PRIMARY KEY,
  binding TEXT NOT NULL DEFAULT '', -- JSON of dialer.Binding; empty: not registered
  call    TEXT NOT NULL DEFAULT ''  -- JSON of dialer.Dialog; empty: none
) STRICT, WITHOUT ROWID;
