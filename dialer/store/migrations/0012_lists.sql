-- Named lists of leads. A campaign's lists are numbered from 1, 0 stands for leads that were
-- loaded without a list. The class of a lead that is not at an agreed time holds its list's number:
-- 4 * lane + 1 retry, 2 fresh, 3 fresh and put by; the class of an agreed call stays 0.
CREATE TABLE lists (
  campaign INTEGER NOT NULL REFERENCES campaigns(id),
  name     TEXT NOT NULL,
  lane     INTEGER NOT NULL,
  PRIMARY KEY (campaign, name)
) STRICT, WITHOUT ROWID;

ALTER TABLE loads ADD COLUMN list TEXT    NOT NULL DEFAULT '';
ALTER TABLE loads ADD COLUMN lane INTEGER NOT NULL DEFAULT 0;
