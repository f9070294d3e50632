PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE schema_versions (version INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at INTEGER NOT NULL) STRICT;
INSERT INTO schema_versions VALUES(1,'0001_state.sql',1795372490223431506);
INSERT INTO schema_versions VALUES(2,'0002_phones.sql',1795372490224844985);
INSERT INTO schema_versions VALUES(3,'0003_compliance.sql',1795372490226138736);
INSERT INTO schema_versions VALUES(4,'0004_erasures.sql',1795372490235731227);
INSERT INTO schema_versions VALUES(5,'0005_sealed_optouts.sql',1795372490244739144);
INSERT INTO schema_versions VALUES(6,'0006_callers.sql',1795372490253758225);
CREATE TABLE marks (
  name  TEXT PRIMARY KEY,
  value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO marks VALUES('applied',5);
CREATE TABLE campaigns (
  id         INTEGER PRIMARY KEY,
  name       TEXT NOT NULL UNIQUE,
  campaign   TEXT NOT NULL, -- JSON of campaigns.Campaign
  source     TEXT NOT NULL, -- the YAML as applied
  state      TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;
INSERT INTO campaigns VALUES(1,'spring','{"name":"spring","seller":"acme","purpose":"marketing","jurisdiction":"it","caller_ids":["+390612345678"],"pacing":{"mode":""},"ring_timeout":22000000000,"wrap_up":0,"max_attempts":6,"callback":{"opt_out":"","delay":0}}',replace('campaign: spring\n','\n',char(10)),'running',1772442000123456789,1772442000123456789);
CREATE TABLE accounts (
  name  TEXT PRIMARY KEY,
  ha1   TEXT NOT NULL,
  phone TEXT NOT NULL,
  codec TEXT NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO accounts VALUES('anna','0123456789abcdef0123456789abcdef','','');
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
INSERT INTO leads VALUES(1,1,'e1','+390655500001','Name 1','Europe/Rome','Lazio','it',0,'{"city":"Roma"}',0,0,'',0,0,'',1772442000123456789,1,2,'');
INSERT INTO leads VALUES(2,1,'e2','+390655500002','Name 2','Europe/Rome','Lazio','it',1,'{"city":"Roma"}',1,1,'no_answer',1772445600123456789,1772449200123456789,'',1772442000123456789,0,1,'');
INSERT INTO leads VALUES(3,1,'e3','+390655500003','Name 3','Europe/Rome','Lazio','it',0,'{"city":"Roma"}',0,0,'',0,0,'',1772442000123456789,1,2,'');
INSERT INTO leads VALUES(4,1,'e4','+390655500004','Name 4','Europe/Rome','Lazio','it',1,'{"city":"Roma"}',1,1,'bridged',1772445600123456789,1772449200123456789,'sale',1772442000123456789,4,1,'');
INSERT INTO leads VALUES(5,1,'e5','+390655500005','Name 5','Europe/Rome','Lazio','it',0,'{"city":"Roma"}',0,0,'',0,0,'',1772442000123456789,1,2,'');
INSERT INTO leads VALUES(6,1,'e6','+390655500006','Name 6','Europe/Rome','Lazio','it',1,'{"city":"Roma"}',1,0,'',1772445600123456789,1772449200123456789,'',1772442000123456789,3,2,'');
CREATE TABLE loads (
  id       INTEGER PRIMARY KEY AUTOINCREMENT,
  campaign INTEGER NOT NULL REFERENCES campaigns(id),
  at       INTEGER NOT NULL,
  state    INTEGER NOT NULL
) STRICT;
INSERT INTO loads VALUES(2,1,1772442000123456789,0);
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
INSERT INTO attempts VALUES('01J00000000000000000000000',2,'spring','acme','+390655500002',1772445600123456789,1772449200123456789,1,2,'no_answer',0,'',0);
INSERT INTO attempts VALUES('01J00000000000000000000001',4,'spring','acme','+390655500004',1772445600123456789,1772449200123456789,1,4,'bridged',1,'sale',0);
INSERT INTO attempts VALUES('01J00000000000000000000002',6,'spring','acme','+390655500006',1772445600123456789,1772449200123456789,0,5,'',0,'',0);
CREATE TABLE optouts (
  subject  TEXT NOT NULL,
  seller   TEXT NOT NULL,
  campaign TEXT NOT NULL,
  key      INTEGER NOT NULL DEFAULT 0,
  at       INTEGER NOT NULL,
  source   TEXT NOT NULL, sealed BLOB NOT NULL DEFAULT x'',
  PRIMARY KEY (subject, seller, campaign)
) STRICT, WITHOUT ROWID;
INSERT INTO optouts VALUES('11984a51bb2a11f95013554c265ae94f3213a54a85e0462fc9e19fb5a8957df4','','',1,1772442000123456789,'cli',X'd638854d25b8268f716fc3faf16c631534093c12e70312e0cf3c2421d9d4c2a4acd7ef6c4a02816345');
INSERT INTO optouts VALUES('212c93495215dd62879e978f2a72431024b7d2a34339f25c481e7fe511a390ef','acme','spring',1,1772442060123456789,'agent',X'59aa648c96c411e074327b2c1ea5d501bc435187af307bc1357e131f8a8c4df0b235b0d64eaba83347');
CREATE TABLE consents (
  seller   TEXT NOT NULL,
  id       TEXT NOT NULL,
  number   TEXT NOT NULL,
  given_at INTEGER NOT NULL,
  record   TEXT NOT NULL, -- JSON of dnc.Consent
  PRIMARY KEY (seller, id)
) STRICT, WITHOUT ROWID;
INSERT INTO consents VALUES('acme','c1','+390655500001',1772442000123456789,'{"id":"c1","number":"+390655500001","seller":"acme","basis":"consent","given_at":"2026-03-02T09:00:00.123456789Z","text":"v1","source":"web form"}');
CREATE TABLE imports (
  id       INTEGER PRIMARY KEY AUTOINCREMENT,
  ulid     TEXT UNIQUE,
  state    INTEGER NOT NULL,
  register TEXT NOT NULL DEFAULT '',
  at       INTEGER NOT NULL DEFAULT 0,
  record   TEXT NOT NULL DEFAULT '' -- JSON of dnc.Import
) STRICT;
INSERT INTO imports VALUES(1,'01IMPORT',1,'rpo',1772442000123456789,'{"id":"01IMPORT","register":"rpo","seller":"acme","file":"","sha256":"","rows":0,"registered":0,"at":"2026-03-02T09:00:00.123456789Z"}');
CREATE TABLE screenings (
  number     TEXT NOT NULL,
  register   TEXT NOT NULL,
  seller     TEXT NOT NULL,
  import     INTEGER NOT NULL REFERENCES imports(id),
  checked_at INTEGER NOT NULL,
  registered INTEGER NOT NULL,
  PRIMARY KEY (number, register, seller, import)
) STRICT, WITHOUT ROWID;
INSERT INTO screenings VALUES('+390655500001','rpo','acme',1,1772442000123456789,0);
INSERT INTO screenings VALUES('+390655500002','rpo','acme',1,1772442000123456789,1);
CREATE TABLE phones (
  agent   TEXT PRIMARY KEY,
  binding TEXT NOT NULL DEFAULT '', -- JSON of dialer.Binding; empty: not registered
  call    TEXT NOT NULL DEFAULT ''  -- JSON of dialer.Dialog; empty: none
) STRICT, WITHOUT ROWID;
CREATE TABLE advice (
  rules  TEXT PRIMARY KEY, -- hash of the rule file that they make
  record TEXT NOT NULL     -- JSON of store.Advice
) STRICT, WITHOUT ROWID;
CREATE TABLE erasures (
  number TEXT PRIMARY KEY,
  due    INTEGER NOT NULL,
  record TEXT NOT NULL -- JSON of store.Erasure
) STRICT, WITHOUT ROWID;
CREATE TABLE optout_key (
  id    INTEGER PRIMARY KEY CHECK (id = 1),
  proof TEXT NOT NULL
) STRICT;
INSERT INTO optout_key VALUES(1,'edb968ec7279a13c27293dfd25028598183f2bf17e0b2f18218f29ad804e64cb');
CREATE TABLE callers (
  id     TEXT PRIMARY KEY,
  record TEXT NOT NULL -- JSON of dialer.Caller
) STRICT, WITHOUT ROWID;
DELETE FROM sqlite_sequence;
INSERT INTO sqlite_sequence VALUES('loads',2);
INSERT INTO sqlite_sequence VALUES('leads',6);
INSERT INTO sqlite_sequence VALUES('imports',1);
CREATE UNIQUE INDEX leads_external ON leads(campaign, external) WHERE external <> '';
CREATE INDEX leads_number  ON leads(campaign, number);
CREATE INDEX leads_waiting ON leads(campaign, due, class, priority DESC, id) WHERE state = 0;
CREATE INDEX leads_ready   ON leads(campaign, class, priority DESC, id) WHERE state = 1;
CREATE INDEX leads_leased  ON leads(campaign, class) WHERE state = 2;
CREATE INDEX leads_dialing ON leads(campaign, class) WHERE state = 3;
CREATE INDEX leads_done    ON leads(campaign, class) WHERE state = 4;
CREATE INDEX attempts_touches ON attempts(seller, number, at, outcome, refusal);
CREATE INDEX attempts_unsettled ON attempts(lead) WHERE settled = 0;
CREATE INDEX consents_number ON consents(seller, number, given_at);
CREATE INDEX optouts_clear ON optouts(key) WHERE key = 0;
COMMIT;
