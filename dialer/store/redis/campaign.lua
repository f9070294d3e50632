-- One campaign's leads. KEYS[1] is the campaign's counter of leads; every other
-- key has its hash tag, so that one node of a cluster holds them all.
--
--   n       how many leads were ever loaded; a lead's place is its number, from 1
--   lists   list -> its number, from 1; 0 stands for leads without a list. ll: load -> number of its list
--   l:B     list of 64: what was loaded of each lead; empty: erased
--   d:B     list of 64: where each lead stands; at most one byte: fresh and never touched, and the byte is its list
--   f:P     list of the places of untouched leads of priority P, in list order; f:N:P for those of list N
--   q       priorities that have an f list, highest first; q:N for those of list N
--   r       ready leads by class and priority; w: waiting leads by due time; h: leased leads by the lease's end
--   a       agreed calls that are not leased, by due time
--   k       how many leads are in which state and class
--   p:B     number -> places; x:B: external id -> place
--   o       open loads -> state and node; s:L: rows of load L
--   t       time of each load; j:L what is known of load L: state, leads added, updated, unchanged, first, last, note
--   g       node -> what it holds leased and not taken, whether it wants, whether it is idle, when it said so (milliseconds of this server's clock)
--   u       loads that can be undone, by when no more; u:L:B list: what load L changed of the leads of list B was like before
local base = string.sub(KEYS[1], 1, -2)
local call, pack, unpack_ = redis.call, struct.pack, struct.unpack
local floor = math.floor

local UNTOUCHED, WAITING, READY, LEASED, DIALING, DONE = 0, 1, 2, 3, 4, 5
local AGREED, RETRY, FRESH, BEHIND = 0, 1, 2, 3 -- and four times the number of the list
local CLASS = 1099511627776 -- 2^40: one class in the score of a ready lead
local SIZE = 64 -- leads in a list
local HEAD = '>BBHHI4I4I4I4'
local WORDS = 'Bc0Bc0Bc0I4BBc0Hc0'
local TRIED = '>c8BI6c4I4I4'
local TRIEDSIZE = 27
local UNDOFOR = 2592000 -- 30 days: how long a load can be undone

local counts = {}

local function count(state, class, by)
  local field = floor(class / 4) * 32 + state * 4 + class % 4
  counts[field] = (counts[field] or 0) + by
end

local function flushcounts()
  for field, by in pairs(counts) do
    if by ~= 0 then call('HINCRBY', base .. 'k', field, by) end
  end
end

local function bucketof(id) return floor((id - 1) / SIZE) end

local function decode(blob)
  if not blob then return nil end
  local s = { state = UNTOUCHED, class = FRESH, attempts = 0, tries = 0, last = 0, lastn = 0, due = 0, duen = 0,
    outcome = '', disposition = '', node = '', batch = 0, turn = 0, agent = '', answers = '', tried = {} }
  if #blob <= 1 then
    if blob ~= '' then s.class = FRESH + 4 * string.byte(blob) end
    return s
  end
  local at
  s.state, s.class, s.attempts, s.tries, s.last, s.lastn, s.due, s.duen, at = unpack_(HEAD, blob)
  s.outcome, s.disposition, s.node, s.batch, s.turn, s.agent, s.answers, at = unpack_('>' .. WORDS, blob, at)
  while at + TRIEDSIZE - 1 <= #blob do
    local t = {}
    t.hash, t.settled, t.seq, t.node, t.at, t.atn, at = unpack_(TRIED, blob, at)
    s.tried[#s.tried + 1] = t
  end
  return s
end

local function encode(s)
  local parts = { pack(HEAD .. WORDS, s.state, s.class, s.attempts, s.tries, s.last, s.lastn, s.due, s.duen,
    #s.outcome, s.outcome, #s.disposition, s.disposition, #s.node, s.node, s.batch,
    s.turn, #s.agent, s.agent, #s.answers, s.answers) }
  for _, t in ipairs(s.tried) do
    parts[#parts + 1] = pack(TRIED, t.hash, t.settled, t.seq, t.node, t.at, t.atn)
  end
  return table.concat(parts)
end

local function read(id) return decode(call('LINDEX', base .. 'd:' .. bucketof(id), (id - 1) % SIZE)) end

local function save(id, s)
  local blob = encode(s)
  call('LSET', base .. 'd:' .. bucketof(id), (id - 1) % SIZE, blob)
  return blob
end

local function loaded(id) return call('LINDEX', base .. 'l:' .. bucketof(id), (id - 1) % SIZE) end

local function priority(row) return (unpack_('>i4', row)) end

local function place(id) return pack('>I4', id) end

-- micros and the rest make a time that a score can hold.
local function micros(sec, nano) return sec * 1000000 + floor(nano / 1000) end

local function waitplace(id, s) return pack('>HI4', s.duen % 1000, id) end

local function score(class, prio) return class * CLASS - prio end

-- agreed says whether a lead is one of the agreed calls that are not leased.
local function agreed(s) return s.class % 4 == AGREED and (s.state == WAITING or s.state == READY) end

local function leave(id, s)
  if agreed(s) then call('ZREM', base .. 'a', waitplace(id, s)) end
  if s.state == WAITING then
    call('ZREM', base .. 'w', waitplace(id, s))
  elseif s.state == READY then
    call('ZREM', base .. 'r', place(id))
  elseif s.state == LEASED then
    call('ZREM', base .. 'h', place(id))
  end
  count(s.state, s.class, -1)
end

local function enter(id, s, prio, till)
  if s.state == WAITING and s.due == 0 and s.duen == 0 then s.state = READY end
  if agreed(s) then call('ZADD', base .. 'a', micros(s.due, s.duen), waitplace(id, s)) end
  if s.state == WAITING then
    call('ZADD', base .. 'w', micros(s.due, s.duen), waitplace(id, s))
  elseif s.state == READY then
    call('ZADD', base .. 'r', score(s.class, prio), place(id))
  elseif s.state == LEASED then
    call('ZADD', base .. 'h', till, place(id))
  end
  if s.state ~= LEASED then s.node, s.batch = '', 0 end
  count(s.state, s.class, 1)
  return save(id, s)
end
