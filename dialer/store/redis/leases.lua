-- Leases of leads and how they end.

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
