-- Who took responsibility for rules that loosen those of the program.
CREATE TABLE advice (
  rules  TEXT PRIMARY KEY, -- hash of the rule file that they make
  record TEXT NOT NULL     -- JSON of store.Advice
) STRICT, WITHOUT ROWID;
