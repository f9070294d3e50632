-- Several numbers per lead. leads.number is the first of them, by which a list finds
-- its lead again; numbers holds all as JSON of []campaigns.LeadNumber, empty where the lead has one of
-- no stated type; turn is the place in it of the one to call next.
ALTER TABLE leads ADD COLUMN numbers    TEXT    NOT NULL DEFAULT '';
ALTER TABLE leads ADD COLUMN turn       INTEGER NOT NULL DEFAULT 0;
ALTER TABLE leads ADD COLUMN address    TEXT    NOT NULL DEFAULT '';
ALTER TABLE leads ADD COLUMN best_hours TEXT    NOT NULL DEFAULT ''; -- JSON of campaigns.Hours; empty: none
ALTER TABLE leads ADD COLUMN digest     INTEGER NOT NULL DEFAULT 0;  -- of what the list says, the external id left out; 0: not known
ALTER TABLE leads ADD COLUMN load       INTEGER NOT NULL DEFAULT 0;  -- that added it
ALTER TABLE leads ADD COLUMN changed_by INTEGER NOT NULL DEFAULT 0;  -- load that changed it last

-- The numbers of leads beyond the first, to find the lead by them.
CREATE TABLE lead_numbers (
  number TEXT NOT NULL,
  lead   INTEGER NOT NULL,
  PRIMARY KEY (number, lead)
) STRICT, WITHOUT ROWID;

CREATE INDEX lead_numbers_lead ON lead_numbers(lead);

-- What a load changed was like before, for as long as the load can be undone.
CREATE TABLE lead_undo (
  load       INTEGER NOT NULL,
  lead       INTEGER NOT NULL,
  external   TEXT NOT NULL,
  number     TEXT NOT NULL,
  numbers    TEXT NOT NULL,
  turn       INTEGER NOT NULL,
  name       TEXT NOT NULL,
  address    TEXT NOT NULL,
  zone       TEXT NOT NULL,
  region     TEXT NOT NULL,
  language   TEXT NOT NULL,
  priority   INTEGER NOT NULL,
  best_hours TEXT NOT NULL,
  fields     TEXT NOT NULL,
  digest     INTEGER NOT NULL,
  changed_by INTEGER NOT NULL,
  PRIMARY KEY (load, lead)
) STRICT, WITHOUT ROWID;

CREATE INDEX lead_undo_lead ON lead_undo(lead);

CREATE TRIGGER leads_gone AFTER DELETE ON leads BEGIN
  DELETE FROM lead_numbers WHERE lead = old.id;
  DELETE FROM lead_undo WHERE lead = old.id;
END;

-- Loads stay, as the history of a campaign's lists. state: 0 staging, 1 committed and
-- being merged, 2 dropped, 3 merged, 4 undone.
ALTER TABLE loads ADD COLUMN record     TEXT    NOT NULL DEFAULT ''; -- JSON of store.LoadNote
ALTER TABLE loads ADD COLUMN first_lead INTEGER NOT NULL DEFAULT 0;  -- the leads that it added lie from here
ALTER TABLE loads ADD COLUMN last_lead  INTEGER NOT NULL DEFAULT 0;  -- to here
ALTER TABLE loads ADD COLUMN added      INTEGER NOT NULL DEFAULT 0;
ALTER TABLE loads ADD COLUMN updated    INTEGER NOT NULL DEFAULT 0;
ALTER TABLE loads ADD COLUMN unchanged  INTEGER NOT NULL DEFAULT 0;
ALTER TABLE loads ADD COLUMN undo       INTEGER NOT NULL DEFAULT 1;  -- 0: what it changed is not kept any more

-- Rows that are set aside, some hundreds in one. A load that a crash cut off while it was
-- merged by an older version is given up: load its list again.
CREATE TABLE lead_batches (
  id   INTEGER PRIMARY KEY,
  load INTEGER NOT NULL,
  rows BLOB NOT NULL
) STRICT;

CREATE INDEX lead_batches_load ON lead_batches(load);

UPDATE loads SET state = 2 WHERE state = 1;
DROP TABLE lead_stage;
