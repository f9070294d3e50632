PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE schema_versions (version INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at INTEGER NOT NULL) STRICT;
INSERT INTO schema_versions VALUES(1,'0001_state.sql',1795374374465344075);
INSERT INTO schema_versions VALUES(2,'0002_phones.sql',1795374374467494359);
INSERT INTO schema_versions VALUES(3,'0003_compliance.sql',1795374374468100128);
INSERT INTO schema_versions VALUES(4,'0004_erasures.sql',1795374374468575297);
INSERT INTO schema_versions VALUES(5,'0005_sealed_optouts.sql',1795374374469856192);
INSERT INTO schema_versions VALUES(6,'0006_callers.sql',1795374374470426929);
INSERT INTO schema_versions VALUES(7,'0007_persons.sql',1795374374471627891);
INSERT INTO schema_versions VALUES(8,'0008_lists.sql',1795374374475957994);
INSERT INTO schema_versions VALUES(9,'0009_caps.sql',1795374374477666573);
INSERT INTO schema_versions VALUES(10,'0010_legal_holds.sql',1795374374482575400);
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
INSERT INTO campaigns VALUES(1,'spring','{"name":"spring","seller":"acme","purpose":"marketing","jurisdiction":"it","caller_ids":["+390612345678"],"weight":0,"pacing":{"mode":""},"ring_timeout":22000000000,"wrap_up":0,"max_attempts":6,"callback":{"opt_out":"","delay":0}}',replace('campaign: spring\n','\n',char(10)),'running',1772442000123456789,1772442000123456789);
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
, numbers    TEXT    NOT NULL DEFAULT '', turn       INTEGER NOT NULL DEFAULT 0, address    TEXT    NOT NULL DEFAULT '', best_hours TEXT    NOT NULL DEFAULT '', digest     INTEGER NOT NULL DEFAULT 0, load       INTEGER NOT NULL DEFAULT 0, changed_by INTEGER NOT NULL DEFAULT 0, agent TEXT NOT NULL DEFAULT '', answers TEXT NOT NULL DEFAULT '') STRICT;
INSERT INTO leads VALUES(1,1,'e1','+390655500001','Name 1','Europe/Rome','Lazio','it',0,'{"city":"Roma"}',0,0,'',0,0,'',1772442000123456789,1,2,'','',0,'','',-577459605941985317,1,0,'','');
INSERT INTO leads VALUES(2,1,'e2','+390655500002','Name 2','Europe/Rome','Lazio','it',1,'{"city":"Roma"}',1,1,'no_answer',1772445600123456789,1772449200123456789,'',1772442000123456789,0,1,'','',0,'','',6956669273060034269,1,0,'','');
INSERT INTO leads VALUES(3,1,'e3','+390655500003','Name 3','Europe/Rome','Lazio','it',0,'{"city":"Roma"}',0,0,'',0,0,'',1772442000123456789,1,2,'','',0,'','',8908535471262738957,1,0,'','');
INSERT INTO leads VALUES(4,1,'e4','+390655500004','Name 4','Europe/Rome','Lazio','it',1,'{"city":"Roma"}',1,1,'bridged',1772445600123456789,1772449200123456789,'sale',1772442000123456789,4,1,'','',0,'','',5631662734990399271,1,0,'','');
INSERT INTO leads VALUES(5,1,'e5','+390655500005','Name 5','Europe/Rome','Lazio','it',0,'{"city":"Roma"}',0,0,'',0,0,'',1772442000123456789,1,2,'','',0,'','',5557799873783923153,1,0,'','');
INSERT INTO leads VALUES(6,1,'e6','+390655500006','Name 6','Europe/Rome','Lazio','it',1,'{"city":"Roma"}',1,0,'',1772445600123456789,1772449200123456789,'',1772442000123456789,3,2,'','',0,'','',8622458105713131501,1,0,'','');
CREATE TABLE loads (
  id       INTEGER PRIMARY KEY AUTOINCREMENT,
  campaign INTEGER NOT NULL REFERENCES campaigns(id),
  at       INTEGER NOT NULL,
  state    INTEGER NOT NULL
, record     TEXT    NOT NULL DEFAULT '', first_lead INTEGER NOT NULL DEFAULT 0, last_lead  INTEGER NOT NULL DEFAULT 0, added      INTEGER NOT NULL DEFAULT 0, updated    INTEGER NOT NULL DEFAULT 0, unchanged  INTEGER NOT NULL DEFAULT 0, undo       INTEGER NOT NULL DEFAULT 1) STRICT;
INSERT INTO loads VALUES(1,1,1772442000123456789,3,'',1,6,6,0,0,1);
INSERT INTO loads VALUES(2,1,1772442000123456789,0,'',0,0,0,0,0,1);
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
, caller_id TEXT NOT NULL DEFAULT '') STRICT, WITHOUT ROWID;
INSERT INTO attempts VALUES('01J00000000000000000000000',2,'spring','acme','+390655500002',1772445600123456789,1772449200123456789,1,2,'no_answer',0,'',0,'');
INSERT INTO attempts VALUES('01J00000000000000000000001',4,'spring','acme','+390655500004',1772445600123456789,1772449200123456789,1,4,'bridged',1,'sale',0,'');
INSERT INTO attempts VALUES('01J00000000000000000000002',6,'spring','acme','+390655500006',1772445600123456789,1772449200123456789,0,5,'',0,'',0,'');
CREATE TABLE optouts (
  subject  TEXT NOT NULL,
  seller   TEXT NOT NULL,
  campaign TEXT NOT NULL,
  key      INTEGER NOT NULL DEFAULT 0,
  at       INTEGER NOT NULL,
  source   TEXT NOT NULL, sealed BLOB NOT NULL DEFAULT x'',
  PRIMARY KEY (subject, seller, campaign)
) STRICT, WITHOUT ROWID;
INSERT INTO optouts VALUES('2ffe4ba1f5da5eb5d8589181457876610afd4e134f0ee70744215e7ee5f66c97','acme','spring',2,1772442060123456789,'agent',X'd4c1b9711e30f83d8802a62ae22518e9de7398e393adf2ab0d259ec02ac21466d4e112e5a57405761e');
INSERT INTO optouts VALUES('b179257795aa6346a4df588035b5b7415d6f4fd46342d026d6633b0f35d4bcc9','','',2,1772442000123456789,'cli',X'a394ff6792b3ccfdcf487752e7bc8f0dbcda939ecbc0b3b49c98241fef59b0cb08afcc1080f34199ee');
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
  registered INTEGER NOT NULL, since INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (number, register, seller, import)
) STRICT, WITHOUT ROWID;
INSERT INTO screenings VALUES('+390655500001','rpo','acme',1,1772442000123456789,0,0);
INSERT INTO screenings VALUES('+390655500002','rpo','acme',1,1772442000123456789,1,0);
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
INSERT INTO optout_key VALUES(1,'ff87c4ea2e0463a3d6d606fd3e52682e0287fac257f6bb779578bec73d483150');
CREATE TABLE callers (
  id     TEXT PRIMARY KEY,
  record TEXT NOT NULL -- JSON of dialer.Caller
) STRICT, WITHOUT ROWID;
CREATE TABLE persons (
  subject TEXT PRIMARY KEY,
  key     BLOB NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO persons VALUES('2ffe4ba1f5da5eb5d8589181457876610afd4e134f0ee70744215e7ee5f66c97',X'8dbcccbfcd59e7f048c5e28337343af3e3d11cb3d89c3b5f8071222020b2f22ced49571d7fa43de719f479f9276f4b8cd6da1f142fbdb84ea45428f0');
INSERT INTO persons VALUES('b179257795aa6346a4df588035b5b7415d6f4fd46342d026d6633b0f35d4bcc9',X'14081be798c3bf3cbdf37d5c775b61e6af04a3be234ec0dbd177587050989ee7ea0a74e7c2d7735ea5c5c0ba7088e2378689be727f9b81ddc0053604');
CREATE TABLE lead_numbers (
  number TEXT NOT NULL,
  lead   INTEGER NOT NULL,
  PRIMARY KEY (number, lead)
) STRICT, WITHOUT ROWID;
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
CREATE TABLE lead_batches (
  id   INTEGER PRIMARY KEY,
  load INTEGER NOT NULL,
  rows BLOB NOT NULL
) STRICT;
CREATE TABLE legal_holds (
  number   TEXT NOT NULL,
  campaign TEXT NOT NULL,
  record   TEXT NOT NULL, -- JSON of store.Hold
  PRIMARY KEY (number, campaign)
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
CREATE INDEX optouts_before ON optouts(key) WHERE key < 2;
CREATE INDEX lead_numbers_lead ON lead_numbers(lead);
CREATE INDEX lead_undo_lead ON lead_undo(lead);
CREATE TRIGGER leads_gone AFTER DELETE ON leads BEGIN
  DELETE FROM lead_numbers WHERE lead = old.id;
  DELETE FROM lead_undo WHERE lead = old.id;
END;
CREATE INDEX lead_batches_load ON lead_batches(load);
CREATE INDEX attempts_shown ON attempts(caller_id, at) WHERE caller_id <> '';
CREATE INDEX attempts_lead ON attempts(lead, at) WHERE lead <> 0;
COMMIT;
