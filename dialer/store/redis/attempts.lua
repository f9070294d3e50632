-- Attempts on leads.

local function find(s, hash)
  for _, t in ipairs(s.tried) do
    if t.hash == hash then return t end
  end
end

-- elsewhere says whether another node has the lead, leased or dialing.
local function elsewhere(s, c)
  if s.state == LEASED then return s.node ~= c.owner end
  if s.state ~= DIALING then return false end
  for _, t in ipairs(s.tried) do
    if t.settled == 0 and t.node ~= c.node then return true end
  end
  return false
end

-- late says whether another attempt on the lead was begun after this one.
local function late(s, at, atn) return at < s.last or at == s.last and atn < s.lastn end

local function intend(id, s, prio, c)
  local theirs = s.state == DONE or elsewhere(s, c) or not c.claimed and late(s, c.at, c.atn)
  s.attempts = s.attempts + 1
  if c.at > s.last or c.at == s.last and c.atn > s.lastn then s.last, s.lastn = c.at, c.atn end
  local t = { hash = c.hash, settled = 0, seq = c.settled and 0 or c.seq, node = c.node, at = c.at, atn = c.atn }
  s.tried[#s.tried + 1] = t
  if theirs then
    save(id, s)
    return t
  end
  leave(id, s)
  s.due, s.duen, s.state = c.retry, c.retryn, DIALING
  enter(id, s, prio)
  return t
end

local function after(s, c)
  s.due, s.duen, s.class = c.retry, c.retryn, s.class - s.class % 4 + c.class
  s.state = c.done and DONE or WAITING
end

-- told keeps what a settlement says beside the lead's state.
local function told(s, c)
  if c.disposition ~= '' then s.disposition = c.disposition end
  if c.next > 0 then s.turn = c.next - 1 end
  s.agent = c.agent
  if c.answers ~= '' then s.answers = c.answers end
end

-- overtaken says whether others have gone on with the lead since the attempt was
-- begun: then its end does not say when the lead is due.
local function overtaken(s, t, letgo)
  if letgo and (s.state == LEASED or s.state == DIALING) then return true end
  if not late(s, t.at, t.atn) then return false end
  if s.state ~= DIALING then return true end
  for _, other in ipairs(s.tried) do
    if other.settled == 0 then return true end
  end
  return false
end

-- unmade takes an attempt back that never left: the lead has had one less, and none then.
local function unmade(s, t)
  s.attempts = math.max(s.attempts - 1, 0)
  t.at, t.atn = 0, 0
end

-- later says whether an instant comes after the one at which a lead is due.
local function later(s, sec, nano) return sec > s.due or sec == s.due and nano > s.duen end

-- unknown says whether it is not known of an attempt on a lead what it came to.
local function unknown(s)
  for _, t in ipairs(s.tried) do
    if t.settled == 2 then return true end
  end
  return false
end

local function settle(id, s, prio, c, t)
  local letgo, older = t.settled == 2, late(s, t.at, t.atn)
  local made = c.outcome ~= 'refused'
  t.settled, t.seq, t.node = 1, c.seq, c.node
  local passed = overtaken(s, t, letgo)
  if not made then unmade(s, t) end
  if s.state == DONE then
    save(id, s)
    return
  end
  if passed then
    if c.done and s.state ~= DIALING then -- whoever has it leased is refused the call
      leave(id, s)
      s.tries, s.outcome = 1, c.outcome
      told(s, c)
      after(s, c)
      enter(id, s, prio)
    else
      save(id, s)
    end
    return
  end
  if older and not c.done then -- the later call has ended and said when the lead is due
    leave(id, s)
    if unknown(s) and later(s, c.retry, c.retryn) then s.due, s.duen = c.retry, c.retryn end
    s.state = WAITING
    enter(id, s, prio)
    return
  end
  if made then
    s.tries = s.outcome == c.outcome and s.tries + 1 or 1
    s.outcome = c.outcome
  end
  told(s, c)
  if s.state == LEASED and elsewhere(s, c) and not c.done then
    save(id, s)
    return
  end
  leave(id, s)
  after(s, c)
  if not c.done then -- who is not to be called again is not, whatever is still open
    for _, other in ipairs(s.tried) do
      if other.settled == 0 then s.state = DIALING end
    end
  end
  enter(id, s, prio)
end

-- amend follows a settlement that replaces an earlier one, if it was the lead's
-- last attempt and nobody has taken the lead since; but a lead that is done is done even when leased.
local function amend(id, s, prio, c, t)
  if t.node == c.node and t.seq >= c.seq then return end
  t.seq, t.node = c.seq, c.node
  if t.at == s.last and t.atn == s.lastn and s.state ~= DIALING and (s.state ~= LEASED or c.done) then
    leave(id, s)
    if c.outcome ~= '' and c.outcome ~= s.outcome then s.tries, s.outcome = 1, c.outcome end
    told(s, c)
    after(s, c)
    enter(id, s, prio)
  else
    save(id, s)
  end
end

local function apply(c)
  local s = read(c.id)
  local row = loaded(c.id)
  if not s or row == '' then return end
  local prio = priority(row)
  local t = find(s, c.hash)
  if not c.settled then
    if not t then intend(c.id, s, prio, c) end
  elseif not t then
    settle(c.id, s, prio, c, intend(c.id, s, prio, c))
  elseif t.settled ~= 1 then
    settle(c.id, s, prio, c, t)
  elseif c.amended then
    amend(c.id, s, prio, c, t)
  end
end

-- change reads the 16 values of a change of this node: its name, and what stands for
-- it in tried.
local function change(owner, node, i)
  return { owner = owner, node = node, id = tonumber(ARGV[i]), settled = ARGV[i + 1] == '1', amended = ARGV[i + 2] == '1',
    hash = ARGV[i + 3], seq = tonumber(ARGV[i + 4]), at = tonumber(ARGV[i + 5]), atn = tonumber(ARGV[i + 6]),
    retry = tonumber(ARGV[i + 7]), retryn = tonumber(ARGV[i + 8]), outcome = ARGV[i + 9], done = ARGV[i + 10] == '1',
    disposition = ARGV[i + 11], class = tonumber(ARGV[i + 12]), next = tonumber(ARGV[i + 13]), agent = ARGV[i + 14],
    answers = ARGV[i + 15] }
end

local function applyall(owner, node, first)
  for i = first, #ARGV, 16 do apply(change(owner, node, i)) end
end

-- claim writes an intent, if the node has the lead leased; 0: it has not.
local function claim(c)
  local s, row = read(c.id), loaded(c.id)
  if not s or row == '' then return 0 end
  if find(s, c.hash) then return 1 end
  if s.state ~= LEASED or s.node ~= c.owner then return 0 end
  c.claimed = true
  intend(c.id, s, priority(row), c)
  return 1
end

-- letgo has a lead that a dead node was dialing wait until it is due; the attempt
-- stays open for that node.
local function letgo(id, hash, due, duen)
  local s = read(id)
  local t = s and find(s, hash)
  if not t or t.settled ~= 0 then return 0 end
  t.settled = 2
  if s.state ~= DIALING then
    save(id, s)
    return 1
  end
  for _, other in ipairs(s.tried) do
    if other.settled == 0 then
      save(id, s)
      return 1
    end
  end
  leave(id, s)
  s.state = WAITING
  if later(s, due, duen) or not late(s, t.at, t.atn) then -- else a later call's end says when
    s.due, s.duen = due, duen
    s.class = s.class - s.class % 4 + RETRY
  end
  enter(id, s, priority(loaded(id)))
  return 1
end
