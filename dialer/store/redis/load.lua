-- Lists on their way into a campaign.

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
