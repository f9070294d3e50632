-- Calls at an agreed time that wait for it, to be found each second.
CREATE INDEX leads_agreed ON leads(campaign, due) WHERE class = 0 AND state IN (0, 1);
