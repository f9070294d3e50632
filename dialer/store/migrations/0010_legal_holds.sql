-- What may not be erased or purged, whatever its time says: a number, or all that a
-- campaign has to do with.
CREATE TABLE legal_holds (
  number   TEXT NOT NULL,
  campaign TEXT NOT NULL,
  record   TEXT NOT NULL, -- JSON of store.Hold
  PRIMARY KEY (number, campaign)
) STRICT, WITHOUT ROWID;
