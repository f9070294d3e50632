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

-- Leases ------------------------------------------------------------------

local function release(id, s)
  leave(id, s)
  s.state = WAITING
  enter(id, s, priority(loaded(id)))
end

-- endleases gives back the leases of other nodes that have run out; those of the
-- node that asks run on.
local function endleases(node, now, till)
  for _, p in ipairs(call('ZRANGE', base .. 'h', '-inf', now, 'BYSCORE', 'LIMIT', 0, 200)) do
    local id = unpack_('>I4', p)
    local s = read(id)
    if s.node == node then
      call('ZADD', base .. 'h', till, p)
    else
      release(id, s)
    end
  end
end

-- takeback gives back the leases of a node; of some batches, where they are given.
local function takeback(node, batches)
  local n = 0
  for _, p in ipairs(call('ZRANGE', base .. 'h', 0, -1)) do
    local id = unpack_('>I4', p)
    local s = read(id)
    if s.node == node and (not batches or batches[s.batch]) then
      release(id, s)
      n = n + 1
    end
  end
  return n
end

-- leasedby counts the leases of a node.
local function leasedby(node)
  local n = 0
  for _, p in ipairs(call('ZRANGE', base .. 'h', 0, -1)) do
    if read((unpack_('>I4', p))).node == node then n = n + 1 end
  end
  return n
end

local function promote(now, nown, most)
  local limit = micros(now, nown)
  local due = call('ZRANGE', base .. 'w', '-inf', limit, 'BYSCORE', 'LIMIT', 0, most, 'WITHSCORES')
  for i = 1, #due, 2 do
    local rest, id = unpack_('>HI4', due[i])
    if tonumber(due[i + 1]) < limit or rest <= nown % 1000 then
      local s = read(id)
      leave(id, s)
      s.state = READY
      enter(id, s, priority(loaded(id)))
    end
  end
end

-- The keys of untouched leads of a list, and of the priorities that they have.
local function untouchedkey(lane, prio) return base .. 'f:' .. (lane > 0 and lane .. ':' or '') .. prio end
local function prioritykey(lane) return base .. 'q' .. (lane > 0 and ':' .. lane or '') end

-- lacks takes a priority off those that a list has when no untouched lead has it any more.
local function lacks(lane, prio)
  if call('EXISTS', untouchedkey(lane, prio)) == 0 then call('ZREM', prioritykey(lane), prio) end
end

-- isdue says whether a ready lead is due; else it waits, as when the clock was set back
-- after it had become ready.
local function isdue(id, s, now, nown)
  if s.due < now or s.due == now and s.duen <= nown then return true end
  leave(id, s)
  s.state = WAITING
  enter(id, s, priority(loaded(id)))
  return false
end

-- The ready leads of a class, in order: head gives the first as id, priority and where it stands.
local function readyones(class, size, now, nown)
  local list, i, more = {}, 1, true
  return function()
    while true do
      if i > #list then
        if not more then return nil end
        list = call('ZRANGE', base .. 'r', class * CLASS - 2147483647, class * CLASS + 2147483648, 'BYSCORE', 'LIMIT', 0, size, 'WITHSCORES')
        i, more = 1, #list == 2 * size
        if #list == 0 then return nil end
      end
      local id = unpack_('>I4', list[i])
      local s = read(id)
      i = i + 2
      if s.state == READY and s.class == class and isdue(id, s, now, nown) then
        return id, class * CLASS - tonumber(list[i - 1]), s
      end
    end
  end
end

-- The untouched leads of a list, in order; at the stop those that were told go off it, but for the
-- last ones that are kept.
local function untouchedones(lane, size)
  local prio, list, i = nil, nil, 1
  return function(stop, kept)
    while true do
      if prio and (stop or i > #list) then
        call('LTRIM', untouchedkey(lane, prio), i - 1 - (kept or 0), -1)
        lacks(lane, prio)
        prio = nil
      end
      if stop then return nil end
      if not prio then
        prio = call('ZRANGE', prioritykey(lane), 0, 0)[1]
        if not prio then return nil end
        list, i = call('LRANGE', untouchedkey(lane, prio), 0, size - 1), 1
      end
      local id = tonumber(list[i])
      i = i + 1
      if id then
        local s = read(id)
        if s.state == UNTOUCHED and loaded(id) ~= '' then return id, tonumber(prio), s end
      end
    end
  end
end

-- A source of leads with the first of them in hand.
local function source(ones, lane, behind)
  local o = { lane = lane, behind = behind, ones = ones }
  o.id, o.prio, o.s = ones()
  return o
end

-- before says whether the lead in hand of a source comes before another's.
local function before(a, b)
  if a.prio ~= b.prio then return a.prio > b.prio end
  if a.behind ~= b.behind then return b.behind end
  return a.id < b.id
end

-- first is the source whose lead comes first. One in EACH leads that were put by comes before the
-- others of its priority.
local EACH = 8
local function first(sources, lots, turn)
  local best, late
  for _, o in ipairs(sources) do
    if o.id and (not lots or lots[o.lane] > 0) then
      if not best or before(o, best) then best = o end
      if o.behind and (not late or before(o, late)) then late = o end
    end
  end
  if best and late and best ~= late and best.prio == late.prio then
    local dice = (best.id * 16807 + late.id * 48271 + turn * 69621) % 2147483647
    if floor(dice * 16807 % 2147483647 / 65536) % EACH == 0 then return late end
  end
  return best
end

-- drawn leases a lead.
local function drawn(out, id, s, to)
  local row = loaded(id)
  leave(id, s)
  s.state, s.node, s.batch = LEASED, to.node, to.batch
  out[#out + 1] = id
  out[#out + 1] = row
  out[#out + 1] = enter(id, s, 0, to.till)
  to.n = to.n - 1
end

-- draw leases leads of some sources while there is room; of each list as many as its lot.
local function draw(out, sources, lots, to)
  while to.n > 0 do
    local o = first(sources, lots, to.n)
    if not o then break end
    drawn(out, o.id, o.s, to)
    if lots then lots[o.lane] = lots[o.lane] - 1 end
    if to.n == 0 then break end
    o.id, o.prio, o.s = o.ones()
  end
end

-- top is the highest priority that fresh leads of some lists have, and where they lie: keys with how many.
local function top(lanes, behind)
  local prio, class = nil, behind and BEHIND or FRESH
  local heads = {}
  for _, lane in ipairs(lanes) do
    local c = class + 4 * lane
    local ready = call('ZRANGE', base .. 'r', c * CLASS - 2147483647, c * CLASS + 2147483648, 'BYSCORE', 'LIMIT', 0, 1, 'WITHSCORES')
    if ready[2] then heads[#heads + 1] = { prio = c * CLASS - tonumber(ready[2]), score = tonumber(ready[2]) } end
    local other = not behind and call('ZRANGE', prioritykey(lane), 0, 0)[1]
    if other then heads[#heads + 1] = { prio = tonumber(other), lane = lane, text = other } end
  end
  for _, h in ipairs(heads) do
    if not prio or h.prio > prio then prio = h.prio end
  end
  local places, whole = {}, 0
  for _, h in ipairs(heads) do
    if h.prio == prio then
      h.size = h.score and call('ZCOUNT', base .. 'r', h.score, h.score) or call('LLEN', untouchedkey(h.lane, h.text))
      whole = whole + h.size
      places[#places + 1] = h
    end
  end
  return places, whole
end

-- at gives the lead at a place of those of one priority; nil: it is not there any more.
local function at(h, index)
  if h.score then
    local p = call('ZRANGE', base .. 'r', h.score, h.score, 'BYSCORE', 'LIMIT', index, 1)[1]
    return p and unpack_('>I4', p)
  end
  local id = tonumber(call('LINDEX', untouchedkey(h.lane, h.text), index))
  return id and read(id).state == UNTOUCHED and loaded(id) ~= '' and id
end

-- nextof gives the first untouched lead of a list, and forgets those before it.
local function nextof(h)
  local key = untouchedkey(h.lane, h.text)
  while true do
    local id = tonumber(call('LPOP', key) or nil)
    if not id then break end
    if read(id).state == UNTOUCHED and loaded(id) ~= '' then return id end
  end
  lacks(h.lane, h.text)
end

-- scatter leases most fresh leads from all over some lists. The dice go on where they were, on whichever node.
local function scatter(out, lanes, most, to, now, nown)
  local dice = tonumber(call('GET', base .. 'dice') or 1)
  local stop = to.n - most
  for _, behind in ipairs({ false, true }) do
    while to.n > stop and to.n > 0 do
      local places, whole = top(lanes, behind)
      if whole == 0 then
        if #places == 0 then break end
        for _, h in ipairs(places) do lacks(h.lane, h.text) end
      else
        local id
        for try = 1, 8 do
          dice = dice * 16807 % 2147483647
          local index, k = dice % whole, 1
          while index >= places[k].size do
            index, k = index - places[k].size, k + 1
          end
          id = at(places[k], index)
          if not id and try == 8 and places[k].lane then id = nextof(places[k]) end
          if id then break end
        end
        local s = id and read(id)
        if s and (s.state == UNTOUCHED or isdue(id, s, now, nown)) then drawn(out, id, s, to) end
      end
    end
  end
  call('SET', base .. 'dice', dice)
end

-- lanesof gives the numbers of lists by their names, and how many fresh leads each may give; without names: all.
local function lanesof(n, names)
  local lanes, lots = {}, {}
  local all = call('HGETALL', base .. 'lists')
  local known = { [''] = 0 }
  for i = 1, #all, 2 do known[all[i]] = tonumber(all[i + 1]) end
  for name, lane in pairs(known) do
    local most = not names and n or names[name]
    if most then
      lanes[#lanes + 1] = lane
      lots[lane] = math.min(most, n)
    end
  end
  table.sort(lanes)
  return lanes, lots
end

local function lease(node, batch, n, now, nown, till, most, order, names)
  endleases(node, now, till)
  promote(now, nown, most)
  local out = {}
  local to = { node = node, batch = batch, n = n, till = till }
  local everyone = lanesof(n)
  local lanes, lots = lanesof(n, names)
  local sources = {}
  for _, lane in ipairs(everyone) do sources[#sources + 1] = source(readyones(AGREED + 4 * lane, n, now, nown), lane, false) end
  draw(out, sources, nil, to)
  sources = {}
  for _, lane in ipairs(lanes) do sources[#sources + 1] = source(readyones(RETRY + 4 * lane, n, now, nown), lane, false) end
  draw(out, sources, nil, to)
  local asked, given = 0, {}
  for _, lane in ipairs(lanes) do
    asked = asked + lots[lane]
    if lots[lane] > 0 then given[#given + 1] = lane end
  end
  if to.n == 0 or #given == 0 then return out end
  if order == 'shuffled' then
    if asked > to.n then
      scatter(out, given, to.n, to, now, nown)
    else
      for _, lane in ipairs(given) do scatter(out, { lane }, lots[lane], to, now, nown) end
    end
    return out
  end
  sources = {}
  local size = to.n
  for _, lane in ipairs(given) do
    sources[#sources + 1] = source(readyones(FRESH + 4 * lane, size, now, nown), lane, false)
    sources[#sources + 1] = source(untouchedones(lane, size), lane, false)
    sources[#sources + 1] = source(readyones(BEHIND + 4 * lane, size, now, nown), lane, true)
    sources[#sources - 1].untouched = true
  end
  draw(out, sources, lots, to)
  for _, o in ipairs(sources) do
    if o.untouched then o.ones(true, o.id and o.s.state == UNTOUCHED and 1 or 0) end
  end
  return out
end

-- listnumber gives a list its number; 0: there are too many.
local function listnumber(name, most)
  local lane = tonumber(call('HGET', base .. 'lists', name) or 0)
  if lane > 0 then return lane end
  lane = call('HLEN', base .. 'lists') + 1
  if lane > most then return 0 end
  call('HSET', base .. 'lists', name, lane)
  return lane
end

-- leaseagreed leases the agreed calls that are due, the longest due first.
local function leaseagreed(node, batch, n, now, nown, till)
  local out, limit = {}, micros(now, nown)
  local due = call('ZRANGE', base .. 'a', '-inf', limit, 'BYSCORE', 'LIMIT', 0, n, 'WITHSCORES')
  for i = 1, #due, 2 do
    local rest, id = unpack_('>HI4', due[i])
    if tonumber(due[i + 1]) < limit or rest <= nown % 1000 then
      local s, row = read(id), loaded(id)
      leave(id, s)
      s.state, s.node, s.batch = LEASED, node, batch
      out[#out + 1] = id
      out[#out + 1] = row
      out[#out + 1] = enter(id, s, 0, till)
    end
  end
  return out
end

-- putby gives leases of fresh leads back, to come after the others.
local function putby(node, first)
  for i = first, #ARGV do
    local id = tonumber(ARGV[i])
    local s = read(id)
    if s and s.state == LEASED and s.node == node then
      leave(id, s)
      s.state, s.due, s.duen = READY, 0, 0
      if s.class % 4 == FRESH then s.class = s.class + 1 end
      enter(id, s, priority(loaded(id)))
    end
  end
end

local function giveback(node, due, duen, first)
  for i = first, #ARGV do
    local id = tonumber(ARGV[i])
    local s = read(id)
    if s and s.state == LEASED and s.node == node then
      leave(id, s)
      s.state = WAITING
      if due > 0 or s.class % 4 ~= AGREED then s.due, s.duen = due, duen end
      enter(id, s, priority(loaded(id)))
    end
  end
end

-- How long what a node said of its stock counts, in milliseconds.
local STOCKLIFE = 3000

-- level takes what a node holds, and answers how many leads it may hold; -1: as many as it likes.
-- While another node wants, those that are not idle have even parts of what all hold together.
local function level(node, held, wanting, idle)
  local clock = call('TIME')
  local now = clock[1] * 1000 + floor(clock[2] / 1000)
  call('HSET', base .. 'g', node, string.format('%d %d %d %.0f', held, wanting, idle, now))
  call('PEXPIRE', base .. 'g', STOCKLIFE)
  local total, sharers, wanted = 0, 0, false
  local all = call('HGETALL', base .. 'g')
  for i = 1, #all, 2 do
    local its, wants, idles, at = string.match(all[i + 1], '^(%d+) (%d) (%d) (%d+)$')
    if now - tonumber(at) >= STOCKLIFE then
      call('HDEL', base .. 'g', all[i])
    else
      total = total + tonumber(its)
      if idles == '0' then sharers = sharers + 1 end
      if wants == '1' then wanted = true end
    end
  end
  if not wanted or wanting == 1 then return -1 end
  if idle == 1 then return 0 end
  return math.ceil(total / sharers)
end

-- Attempts ----------------------------------------------------------------

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

local function settle(id, s, prio, c, t)
  local letgo = t.settled == 2
  t.settled, t.seq, t.node = 1, c.seq, c.node
  if s.state == DONE then
    save(id, s)
    return
  end
  if overtaken(s, t, letgo) then
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
  s.tries = s.outcome == c.outcome and s.tries + 1 or 1
  s.outcome = c.outcome
  told(s, c)
  if elsewhere(s, c) then
    save(id, s)
    return
  end
  leave(id, s)
  after(s, c)
  for _, other in ipairs(s.tried) do
    if other.settled == 0 then s.state = DIALING end
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
  s.state, s.due, s.duen = WAITING, due, duen
  s.class = s.class - s.class % 4 + RETRY
  enter(id, s, priority(loaded(id)))
  return 1
end

-- Lists -------------------------------------------------------------------

local buckets = {}

local function bucket(text)
  local h = buckets[text]
  if h then return h end
  h = 0
  for i = 1, #text do h = (h * 31 + string.byte(text, i)) % 65521 end
  buckets[text] = h
  return h
end

-- numbersof reads the numbers at the beginning of a lead's core.
local function numbersof(core, at)
  local numbers, count, n = {}, nil, nil
  count, at = unpack_('>B', core, at)
  for i = 1, count do
    n, at = unpack_('>I7', core, at)
    if n ~= 0 then
      numbers[i] = string.format('%.0f', n)
    else
      numbers[i], at = unpack_('>Bc0', core, at)
    end
  end
  return numbers
end

local function parse(row)
  local r = {}
  local at
  r.prio, r.load, r.external, at = unpack_('>i4I4Hc0', row)
  r.core = string.sub(row, at)
  r.numbers = numbersof(row, at)
  return r
end

-- parserow reads a row as it is set aside.
local function parserow(row)
  local r = {}
  local at
  r.prio, r.external, r.stands, at = unpack_('>i4Hc0Hc0', row)
  r.core = string.sub(row, at)
  r.numbers = numbersof(row, at)
  return r
end

local function indexed(text) return base .. 'p:' .. bucket(text) end

local function index(number, id)
  local key = indexed(number)
  local known = call('HGET', key, number)
  call('HSET', key, number, known and known .. ',' .. id or id)
end

local function unindex(number, id)
  local key = indexed(number)
  local left = {}
  for other in string.gmatch(call('HGET', key, number) or '', '%d+') do
    if tonumber(other) ~= id then left[#left + 1] = other end
  end
  if #left == 0 then call('HDEL', key, number) else call('HSET', key, number, table.concat(left, ',')) end
end

-- withnumber lists the places of the leads with a number, lowest first.
local function withnumber(number)
  local ids = {}
  for id in string.gmatch(call('HGET', indexed(number), number) or '', '%d+') do ids[#ids + 1] = tonumber(id) end
  table.sort(ids)
  return ids
end

-- match is the lead that a row means: the one with its external id, else the first
-- with its first number, which must have no other id if the row has one.
local function match(r)
  if r.external ~= '' then
    local id = call('HGET', base .. 'x:' .. bucket(r.external), r.external)
    if id then return tonumber(id) end
  end
  local ids = withnumber(r.numbers[1])
  r.alone = #ids == 0 -- with its first number
  for _, id in ipairs(ids) do
    local other = parse(loaded(id))
    if other.numbers[1] == r.numbers[1] and (r.external == '' or other.external == '') then return id end
  end
end

-- What rows add is written once for all of them by flushseats: how many leads there are, and those
-- that were never touched, by their lists.
local seats, untouchedby = nil, {}

local function seated()
  seats = seats or tonumber(call('GET', KEYS[1]) or 0)
  return seats
end

local function flushseats()
  if seats then call('SET', KEYS[1], seats) end
  for key, some in pairs(untouchedby) do
    for i = 1, #some.ids, 1000 do call('RPUSH', key, unpack(some.ids, i, math.min(i + 999, #some.ids))) end
    call('ZADD', prioritykey(some.lane), -some.prio, some.prio)
  end
  seats, untouchedby = nil, {}
end

-- seat gives a lead its place, the next one.
local function seat(id, r, load, lane)
  seats = id
  local b = bucketof(id)
  call('RPUSH', base .. 'l:' .. b, pack('>i4I4Hc0', r.prio, load, #r.external, r.external) .. r.core)
  call('RPUSH', base .. 'd:' .. b, lane > 0 and string.char(lane) or '')
  for i, number in ipairs(r.numbers) do
    if i == 1 and r.alone then call('HSET', indexed(number), number, id) else index(number, id) end
  end
  if r.external ~= '' then call('HSET', base .. 'x:' .. bucket(r.external), r.external, id) end
  if r.stands == '' then
    local key = untouchedkey(lane, r.prio)
    local some = untouchedby[key] or { lane = lane, prio = r.prio, ids = {} }
    untouchedby[key] = some
    some.ids[#some.ids + 1] = id
    count(UNTOUCHED, FRESH + 4 * lane, 1)
  else
    local s = decode(r.stands)
    s.class = s.class + 4 * lane
    enter(id, s, r.prio)
  end
end

local function insert(r, load, lane)
  local id = seated() + 1
  seat(id, r, load, lane)
  return id
end

-- undokey holds what a load changed of a lead was like before.
local function undokey(load, id) return base .. 'u:' .. load .. ':' .. bucketof(id) end

-- remember keeps what a lead was like before a load changed it.
local function remember(load, id, row)
  local key = undokey(load, id)
  if call('RPUSH', key, pack('>BB', (id - 1) % SIZE, read(id).turn) .. row) == 1 then
    call('EXPIREAT', key, string.format('%.0f', (tonumber(call('ZSCORE', base .. 'u', load)) or 0) + 86400))
  end
end

-- rewrite makes a lead what a load says of it.
local function rewrite(id, r, old, load)
  call('LSET', base .. 'l:' .. bucketof(id), (id - 1) % SIZE, pack('>i4I4Hc0', r.prio, load, #r.external, r.external) .. r.core)
  local other = table.concat(r.numbers, ' ') ~= table.concat(old.numbers, ' ')
  if other then
    for _, number in ipairs(old.numbers) do unindex(number, id) end
    for _, number in ipairs(r.numbers) do index(number, id) end
  end
  if r.external ~= old.external then
    if old.external ~= '' then call('HDEL', base .. 'x:' .. bucket(old.external), old.external) end
    if r.external ~= '' then call('HSET', base .. 'x:' .. bucket(r.external), r.external, id) end
  end
  local s = read(id)
  if other and s.turn ~= 0 then
    s.turn = 0
    save(id, s)
  end
  if r.prio ~= old.prio and (s.state == UNTOUCHED or s.state == READY) then
    leave(id, s)
    s.state = READY
    enter(id, s, r.prio)
  end
end

-- update says whether the row says something new of the lead.
local function update(id, r, old, load)
  if r.external == '' then r.external = old.external end
  if r.external == old.external and r.prio == old.prio and r.core == old.core then return false end
  if old.load ~= tonumber(load) then remember(load, id, loaded(id)) end
  rewrite(id, r, old, load)
  return true
end

local function stage(load, first)
  local open = call('HGET', base .. 'o', load)
  if not open or string.sub(open, 1, 1) ~= '0' then return redis.error_reply('OVER the load is over') end
  if #ARGV >= first then call('RPUSH', base .. 's:' .. load, unpack(ARGV, first)) end
  return 0
end

local function drop(load)
  call('UNLINK', base .. 's:' .. load, base .. 'j:' .. load)
  call('HDEL', base .. 'o', load)
  call('HDEL', base .. 't', load)
end

-- finish ends the merge of a load.
local function finish(load)
  call('UNLINK', base .. 's:' .. load)
  call('HDEL', base .. 'o', load)
  call('HSET', base .. 'j:' .. load, 'state', 'merged')
end

-- commit decides that a load will be in the campaign.
local function commit(load)
  local open = call('HGET', base .. 'o', load)
  if not open then return redis.error_reply('OVER the load is over') end
  call('HSET', base .. 'o', load, '1' .. string.sub(open, 2))
  call('ZADD', base .. 'u', call('TIME')[1] + UNDOFOR, load)
  return 0
end

-- merge moves the next rows of a committed load into the campaign. A row that
-- means an earlier row of the list is not counted.
local function merge(load, most)
  local open = call('HGET', base .. 'o', load)
  if not open or string.sub(open, 1, 1) ~= '1' then return { 0, 0, 0, 1 } end
  local rows = call('LRANGE', base .. 's:' .. load, 0, most - 1)
  local lane = tonumber(call('HGET', base .. 'll', load) or 0)
  local added, updated, unchanged = 0, 0, 0
  local first, last
  for _, row in ipairs(rows) do
    local r = parserow(row)
    local id = match(r)
    local old = id and parse(loaded(id))
    if not id then
      last = insert(r, load, lane)
      first = first or last
      added = added + 1
    elseif update(id, r, old, load) then
      if old.load ~= tonumber(load) then updated = updated + 1 end
    elseif old.load ~= tonumber(load) then
      unchanged = unchanged + 1
    end
  end
  flushseats()
  local note = base .. 'j:' .. load
  if first then
    call('HSETNX', note, 'first', first)
    call('HSET', note, 'last', last)
  end
  for name, by in pairs({ added = added, updated = updated, unchanged = unchanged }) do call('HINCRBY', note, name, by) end
  if #rows < most then finish(load) else call('LTRIM', base .. 's:' .. load, most, -1) end
  return { added, updated, unchanged, #rows < most and 1 or 0 }
end

-- hasten makes leads due that were never called and wait; it looks at the next
-- ones after skip and says how many of these stay.
local function hasten(skip, most)
  local waiting = call('ZRANGE', base .. 'w', skip, skip + most - 1)
  local stay = 0
  for _, p in ipairs(waiting) do
    local _, id = unpack_('>HI4', p)
    local s = read(id)
    if s.attempts == 0 then
      leave(id, s)
      s.state, s.due, s.duen = READY, 0, 0
      enter(id, s, priority(loaded(id)))
    else
      stay = stay + 1
    end
  end
  return { stay, #waiting }
end

-- busy says whether a lead with the number is at the dialer.
local function busy(number)
  for _, id in ipairs(withnumber(number)) do
    local state = read(id).state
    if state == LEASED or state == DIALING then return 1 end
  end
  return 0
end

-- forget removes what loads remember of a lead.
local function forget(id)
  for _, load in ipairs(call('ZRANGE', base .. 'u', 0, -1)) do
    local key = undokey(load, id)
    for _, kept in ipairs(call('LRANGE', key, 0, -1)) do
      if string.byte(kept) == (id - 1) % SIZE then call('LREM', key, 1, kept) end
    end
  end
end

-- remove takes a lead out of the campaign; its place stays empty.
local function remove(id, r, s)
  leave(id, s)
  call('LSET', base .. 'l:' .. bucketof(id), (id - 1) % SIZE, '')
  local gone = decode('')
  gone.state = DONE
  save(id, gone)
  if r.external ~= '' then call('HDEL', base .. 'x:' .. bucket(r.external), r.external) end
  for _, other in ipairs(r.numbers) do unindex(other, id) end
  forget(id)
end

local function erase(number)
  for _, id in ipairs(withnumber(number)) do remove(id, parse(loaded(id)), read(id)) end
end

-- held counts the leads with the number and lists their other numbers.
local function held(number)
  local ids, out = withnumber(number), {}
  out[1] = #ids
  for _, id in ipairs(ids) do
    for _, other in ipairs(parse(loaded(id)).numbers) do
      if other ~= number then out[#out + 1] = other end
    end
  end
  return out
end

local function lookup(number)
  local id = withnumber(number)[1]
  if not id then return {} end
  return { id, loaded(id), call('LINDEX', base .. 'd:' .. bucketof(id), (id - 1) % SIZE) }
end
