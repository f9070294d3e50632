-- What caps per caller ID and per lead count.
ALTER TABLE attempts ADD COLUMN caller_id TEXT NOT NULL DEFAULT '';
CREATE INDEX attempts_shown ON attempts(caller_id, at) WHERE caller_id <> '';
CREATE INDEX attempts_lead ON attempts(lead, at) WHERE lead <> 0;

-- A lead's callback may be agreed for one agent alone; answers are those to the
-- campaign's script, JSON object, keys sorted; empty: none.
ALTER TABLE leads ADD COLUMN agent TEXT NOT NULL DEFAULT '';
ALTER TABLE leads ADD COLUMN answers TEXT NOT NULL DEFAULT '';
