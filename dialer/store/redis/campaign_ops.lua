-- heldby gives the leads that a node has leased: place, batch, and what was loaded of each.
local function heldby(node)
  local out = {}
  for _, p in ipairs(call('ZRANGE', base .. 'h', 0, -1)) do
    local id = unpack_('>I4', p)
    local s = read(id)
    if s.node == node then
      out[#out + 1] = id
      out[#out + 1] = s.batch
      out[#out + 1] = loaded(id)
    end
  end
  return out
end

-- perhaps has leads that a node has leased, given by place, batch and hash of an attempt, wait until they are due,
-- as if it had called them: it may have, and the word of it may be lost. A lead that is not leased so any more stays.
local function perhaps(node, mark, at, atn, due, duen, first)
  for i = first, #ARGV, 3 do
    local id, batch, hash = tonumber(ARGV[i]), tonumber(ARGV[i + 1]), ARGV[i + 2]
    local s = read(id)
    if s.state == LEASED and s.node == node and s.batch == batch then
      leave(id, s)
      if s.class % 4 ~= AGREED then s.class = s.class - s.class % 4 + RETRY end
      s.state, s.due, s.duen, s.attempts = WAITING, due, duen, s.attempts + 1
      if not late(s, at, atn) then s.last, s.lastn = at, atn end
      s.tried[#s.tried + 1] = { hash = hash, settled = 1, seq = 0, node = mark, at = at, atn = atn }
      enter(id, s, priority(loaded(id)))
    end
  end
end

-- What a campaign's script is asked for on the way to a call.
local op = ARGV[1]
local answer = 0
if op == 'lease' then
  local lists, names = tonumber(ARGV[10]), nil
  if lists >= 0 then
    names = {}
    for i = 11, 10 + 2 * lists, 2 do names[ARGV[i]] = tonumber(ARGV[i + 1]) end
  end
  local batches
  for i = 11 + 2 * math.max(lists, 0), #ARGV do
    batches = batches or {}
    batches[tonumber(ARGV[i])] = true
  end
  if batches then takeback(ARGV[2], batches) end
  answer = lease(ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8]), ARGV[9], names)
elseif op == 'agreed' then
  answer = leaseagreed(ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7]))
elseif op == 'level' then
  answer = level(ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5]))
elseif op == 'return' then
  giveback(ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), 5)
elseif op == 'putby' then
  putby(ARGV[2], 3)
elseif op == 'list' then
  answer = listnumber(ARGV[2], tonumber(ARGV[3]))
elseif op == 'takeback' then
  answer = takeback(ARGV[2])
elseif op == 'perhaps' then
  perhaps(ARGV[2], ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7]), 8)
elseif op == 'heldby' then
  answer = heldby(ARGV[2])
elseif op == 'leasedby' then
  answer = leasedby(ARGV[2])
elseif op == 'apply' then
  applyall(ARGV[2], ARGV[3], 4)
elseif op == 'claim' then
  answer = claim(change(ARGV[2], ARGV[3], 4))
elseif op == 'letgo' then
  answer = letgo(tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5]))
elseif op == 'stage' then
  answer = stage(ARGV[2], 3)
elseif op == 'commit' then
  answer = commit(ARGV[2])
elseif op == 'merge' then
  answer = merge(ARGV[2], tonumber(ARGV[3]))
elseif op == 'drop' then
  drop(ARGV[2])
elseif op == 'hasten' then
  answer = hasten(tonumber(ARGV[2]), tonumber(ARGV[3]))
elseif op == 'busy' then
  answer = busy(ARGV[2])
elseif op == 'held' then
  answer = held(ARGV[2])
elseif op == 'erase' then
  erase(ARGV[2])
elseif op == 'find' then
  answer = lookup(ARGV[2])
end
flushcounts()
return answer
