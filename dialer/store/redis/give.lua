-- Agreed calls, leads that go back undialed, and what nodes hold of them.

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
