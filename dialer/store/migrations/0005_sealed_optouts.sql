-- The company's own list holds no number in clear: subject is a keyed HMAC of it
-- where key is 1, and sealed the number encrypted, empty once the person was
-- erased. Rows with key 0 are from before and are converted when the store opens.
ALTER TABLE optouts ADD COLUMN sealed BLOB NOT NULL DEFAULT x'';

-- What the key of the list makes of a known text, to tell that it is the right one.
CREATE TABLE optout_key (
  id    INTEGER PRIMARY KEY CHECK (id = 1),
  proof TEXT NOT NULL
) STRICT;

CREATE INDEX optouts_clear ON optouts(key) WHERE key = 0;
