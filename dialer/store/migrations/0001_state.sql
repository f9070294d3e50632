-- Times are nanoseconds since 1970 UTC; 0 is the zero time. Numbers are E.164
-- with the plus sign. An empty string is "none".

CREATE TABLE marks (
  name  TEXT PRIMARY KEY,
  value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE campaigns (
  id         INTEGER PRIMARY KEY,
  name       TEXT NOT NULL UNIQUE,
  campaign   TEXT NOT NULL, -- JSON of campaigns.Campaign
  source     TEXT NOT NULL, -- the YAML as applied
  state      TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;

CREATE TABLE accounts (
  name  TEXT PRIMARY KEY,
  ha1   TEXT NOT NULL,
  phone TEXT NOT NULL,
  codec TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- state: 0 waiting, 1 ready, 2 leased, 3 dialing, 4 done.
-- class: 0 callback, 1 retry, 2 fresh; the order of leasing.
-- The id is the list order: it grows with each row loaded.
CREATE TABLE leads (
  id           INTEGER PRIMARY KEY AUTOINCREMENT,
  campaign     INTEGER NOT NULL REFERENCES campaigns(id),
  external     TEXT NOT NULL,
  number       TEXT NOT NULL,
  name         TEXT NOT NULL,
  zone         TEXT NOT NULL,
  region       TEXT NOT NULL,
  language     TEXT NOT NULL,
  priority     INTEGER NOT NULL,
  fields       TEXT NOT NULL, -- JSON object, keys sorted; empty: none
  attempts     INTEGER NOT NULL DEFAULT 0,
  tries        INTEGER NOT NULL DEFAULT 0,
  last_outcome TEXT NOT NULL DEFAULT '',
  last_attempt INTEGER NOT NULL DEFAULT 0,
  due          INTEGER NOT NULL DEFAULT 0,
  disposition  TEXT NOT NULL DEFAULT '',
  loaded_at    INTEGER NOT NULL,
  state        INTEGER NOT NULL,
  class        INTEGER NOT NULL DEFAULT 2,
  node         TEXT NOT NULL DEFAULT ''
) STRICT;

CREATE UNIQUE INDEX leads_external ON leads(campaign, external) WHERE external <> '';
CREATE INDEX leads_number  ON leads(campaign, number);
CREATE INDEX leads_waiting ON leads(campaign, due, class, priority DESC, id) WHERE state = 0;
CREATE INDEX leads_ready   ON leads(campaign, class, priority DESC, id) WHERE state = 1;
CREATE INDEX leads_leased  ON leads(campaign, class) WHERE state = 2;
CREATE INDEX leads_dialing ON leads(campaign, class) WHERE state = 3;
CREATE INDEX leads_done    ON leads(campaign, class) WHERE state = 4;

-- state: 0 staging, 1 committed and being merged, 2 dropped. A merged load has no row.
CREATE TABLE loads (
  id       INTEGER PRIMARY KEY AUTOINCREMENT,
  campaign INTEGER NOT NULL REFERENCES campaigns(id),
  at       INTEGER NOT NULL,
  state    INTEGER NOT NULL
) STRICT;

CREATE TABLE lead_stage (
  id       INTEGER PRIMARY KEY,
  load     INTEGER NOT NULL,
  key      TEXT NOT NULL, -- what makes a row unique in a file: external id, else number
  external TEXT NOT NULL,
  number   TEXT NOT NULL,
  name     TEXT NOT NULL,
  zone     TEXT NOT NULL,
  region   TEXT NOT NULL,
  language TEXT NOT NULL,
  priority INTEGER NOT NULL,
  fields   TEXT NOT NULL,
  due      INTEGER NOT NULL,
  lead     INTEGER, -- the lead that it matches, found when merging
  UNIQUE (load, key)
) STRICT;

-- Attempts outlive leads and campaigns: they are what the gate's caps count.
CREATE TABLE attempts (
  id          TEXT PRIMARY KEY,
  lead        INTEGER NOT NULL,
  campaign    TEXT NOT NULL,
  seller      TEXT NOT NULL,
  number      TEXT NOT NULL,
  at          INTEGER NOT NULL,
  retry_at    INTEGER NOT NULL,
  settled     INTEGER NOT NULL DEFAULT 0,
  seq         INTEGER NOT NULL DEFAULT 0, -- of the settlement
  outcome     TEXT NOT NULL DEFAULT '',
  done        INTEGER NOT NULL DEFAULT 0,
  disposition TEXT NOT NULL DEFAULT '',
  refusal     INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

CREATE INDEX attempts_touches ON attempts(seller, number, at, outcome, refusal);
CREATE INDEX attempts_unsettled ON attempts(lead) WHERE settled = 0;

-- subject is the number in clear while key is 0. A later version may hold a
-- keyed HMAC of the number here, with the id of its key in key.
CREATE TABLE optouts (
  subject  TEXT NOT NULL,
  seller   TEXT NOT NULL,
  campaign TEXT NOT NULL,
  key      INTEGER NOT NULL DEFAULT 0,
  at       INTEGER NOT NULL,
  source   TEXT NOT NULL,
  PRIMARY KEY (subject, seller, campaign)
) STRICT, WITHOUT ROWID;

CREATE TABLE consents (
  seller   TEXT NOT NULL,
  id       TEXT NOT NULL,
  number   TEXT NOT NULL,
  given_at INTEGER NOT NULL,
  record   TEXT NOT NULL, -- JSON of dnc.Consent
  PRIMARY KEY (seller, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX consents_number ON consents(seller, number, given_at);

-- state: 0 staging, 1 committed, 2 dropped (its ulid is given up and its rows
-- are removed bit by bit).
CREATE TABLE imports (
  id       INTEGER PRIMARY KEY AUTOINCREMENT,
  ulid     TEXT UNIQUE,
  state    INTEGER NOT NULL,
  register TEXT NOT NULL DEFAULT '',
  at       INTEGER NOT NULL DEFAULT 0,
  record   TEXT NOT NULL DEFAULT '' -- JSON of dnc.Import
) STRICT;

-- A reader sees the rows whose import is committed, the newest first.
CREATE TABLE screenings (
  number     TEXT NOT NULL,
  register   TEXT NOT NULL,
  seller     TEXT NOT NULL,
  import     INTEGER NOT NULL REFERENCES imports(id),
  checked_at INTEGER NOT NULL,
  registered INTEGER NOT NULL,
  PRIMARY KEY (number, register, seller, import)
) STRICT, WITHOUT ROWID;
