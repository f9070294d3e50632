-- What of a number could not be erased when it was asked for, and from when it can.
CREATE TABLE erasures (
  number TEXT PRIMARY KEY,
  due    INTEGER NOT NULL,
  record TEXT NOT NULL -- JSON of store.Erasure
) STRICT, WITHOUT ROWID;
