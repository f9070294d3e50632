-- Which leads are leased next.

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
