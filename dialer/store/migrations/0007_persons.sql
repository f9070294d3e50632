-- A person's own key, wrapped by the key of the company's own list. Numbers of
-- optouts with key 2 are sealed with it; erasing the person destroys it. Rows with
-- a lower key are from before and are converted when the store opens.
CREATE TABLE persons (
  subject TEXT PRIMARY KEY,
  key     BLOB NOT NULL
) STRICT, WITHOUT ROWID;

DROP INDEX optouts_clear;
CREATE INDEX optouts_before ON optouts(key) WHERE key < 2;

-- The date that a register of reassigned numbers was asked about; 0: none.
ALTER TABLE screenings ADD COLUMN since INTEGER NOT NULL DEFAULT 0;
