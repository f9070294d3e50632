-- The nodes that share the state. KEYS[1] begins the keys of the tag, which is one for all.
--
--   live    node -> state, process, when its life ends (microseconds of this server's clock), when it last said that it lives
--   seats   agent -> node
--   clocks  node -> how far its machine's clock is ahead of this server's, and to how much that is known: milliseconds
--   shares:N  bound -> what node N claims of it: most over all nodes, wants, holds, uses
--   credit  node, line break, campaign -> abandoned calls that it may still have
local base = string.sub(KEYS[1], 1, -2)
local call = redis.call

-- A dead node's leases are being taken back; of a taken one they have been. A
-- forgotten one was given up for good.
local ALIVE, DEAD, TAKEN, FORGOTTEN = 'alive', 'dead', 'taken', 'forgotten'

-- How long a dead node's calls are taken to go on, in microseconds: five minutes.
local CALLS = 300000000

local clock = call('TIME')
local now = clock[1] * 1000000 + clock[2]

local function read(node)
  local text = call('HGET', base .. 'live', node)
  if not text then return nil end
  local n = {}
  n.state, n.process, n.ends, n.seen = string.match(text, '^(%a+) (%w+) (%d+) (%d+)$')
  n.ends, n.seen = tonumber(n.ends), tonumber(n.seen)
  return n
end

local function write(node, n)
  call('HSET', base .. 'live', node, string.format('%s %s %.0f %.0f', n.state, n.process, n.ends, n.seen))
end

local function lives(n) return n and n.state == ALIVE and n.ends > now end

local function forgotten(n) return n and n.state == FORGOTTEN end

-- beat answers whether the node was forgotten (3), replaced (2) or taken for dead (1) since, and then for
-- each node, behind the server's clock, its name, its state and when it was last seen.
local function beat(node, process, life, first, told)
  local n = read(node)
  if forgotten(n) then return { 3 } end
  if n and n.process ~= process and not first then return { 2 } end
  local lost = not first and (not n or n.state ~= ALIVE)
  write(node, { state = ALIVE, process = process, ends = now + life, seen = now })
  if told ~= '' then call('HSET', base .. 'clocks', node, told) end
  local answer = { lost and 1 or 0, string.format('%.0f', now) }
  for _, name in ipairs(call('HKEYS', base .. 'live')) do
    local other = read(name)
    if other.state == ALIVE and other.ends <= now then
      other.state = DEAD
      write(name, other)
    end
    if not forgotten(other) then
      answer[#answer + 1] = name
      answer[#answer + 1] = other.state
      answer[#answer + 1] = string.format('%.0f', other.seen)
    end
  end
  return answer
end

-- forget gives a node up that does not live, and frees its agents. It answers 0 for a
-- node that is not known and 1 for one that lives, else 2.
local function forget(node)
  local n = read(node)
  if not n then return 0 end
  if lives(n) then return 1 end
  n.state = FORGOTTEN
  write(node, n)
  local seats = call('HGETALL', base .. 'seats')
  for i = 1, #seats, 2 do
    if seats[i + 1] == node then call('HDEL', base .. 'seats', seats[i]) end
  end
  return 2
end

-- nodes answers for each node its name, how it stands and when it was last seen.
local function nodes()
  local answer = {}
  for _, name in ipairs(call('HKEYS', base .. 'live')) do
    local n = read(name)
    local stands = 'dead'
    if lives(n) then
      stands = 'living'
    elseif forgotten(n) then
      stands = 'forgotten'
    elseif n.ends == 0 then
      stands = 'left'
    end
    answer[#answer + 1] = name
    answer[#answer + 1] = stands
    answer[#answer + 1] = string.format('%.0f', n.seen)
  end
  return answer
end

-- taken notes that what a dead node held has been taken back.
local function taken(node)
  local n = read(node)
  if n and n.state == DEAD then
    n.state = TAKEN
    write(node, n)
  end
end

-- leave ends a node's life, unless another process has begun under its name.
local function leave(node, process)
  local n = read(node)
  if n and n.process == process and not forgotten(n) then
    n.ends = 0
    write(node, n)
  end
end

-- sit gives the agent to the node, or answers at which other one that lives they are.
local function sit(node, agent)
  local at = call('HGET', base .. 'seats', agent)
  if at and at ~= node and lives(read(at)) then return at end
  call('HSET', base .. 'seats', agent, node)
  return ''
end

local function rise(node, agent)
  if call('HGET', base .. 'seats', agent) == node then call('HDEL', base .. 'seats', agent) end
end

-- pledge writes the node's credits and answers those below zero of nodes that do
-- not live: node, campaign, credit, when it was last heard of.
local function pledge(node, first)
  for i = first, forgotten(read(node)) and 0 or #ARGV, 2 do
    call('HSET', base .. 'credit', node .. '\n' .. ARGV[i], ARGV[i + 1])
  end
  local answer, alive = {}, {}
  local all = call('HGETALL', base .. 'credit')
  for i = 1, #all, 2 do
    local name, campaign = string.match(all[i], '^([^\n]*)\n(.*)$')
    if alive[name] == nil then alive[name] = lives(read(name)) or name == node end
    if not alive[name] and tonumber(all[i + 1]) < 0 then
      answer[#answer + 1] = name
      answer[#answer + 1] = campaign
      answer[#answer + 1] = all[i + 1]
      answer[#answer + 1] = string.format('%.0f', (read(name) or { seen = now }).seen)
    end
  end
  return answer
end

-- held is how much of a bound the other nodes keep for themselves, and what those
-- that live want of it. A dead node's calls may go on for a while.
local function held(bound, node, most)
  local kept, names, wants = 0, { node }, {}
  for _, name in ipairs(call('HKEYS', base .. 'live')) do
    local claim = name ~= node and call('HGET', base .. 'shares:' .. name, bound)
    if claim then
      local its, want, holds, uses = string.match(claim, '^(%d+) (%d+) (%d+) (%d+)$')
      local n = read(name)
      if lives(n) then
        names[#names + 1] = name
        wants[name] = tonumber(want)
        kept = kept + tonumber(holds)
        most = math.min(most, tonumber(its))
      elseif n.ends ~= 0 and not forgotten(n) and now - n.seen < CALLS then
        kept = kept + tonumber(uses)
      end
    end
  end
  return kept, most, names, wants
end

-- turned puts names in an order that is the same for all who ask, and another one every
-- ten seconds, so that what is too little for all goes round.
local function turned(names)
  table.sort(names)
  local out, first = {}, math.floor(now / 10000000) % #names
  for i = 1, #names do out[i] = names[(first + i - 1) % #names + 1] end
  return out
end

-- fair is what a node should have of a pool: what it wants, where that is too much for
-- all an even part of it; what nobody wants is at hand evenly.
local function fair(node, pool, names, wants)
  local open, got, left = turned(names), {}, math.max(pool, 0)
  for _, name in ipairs(open) do got[name] = 0 end
  while left > 0 and #open > 0 do
    local each, rest = math.max(math.floor(left / #open), 1), {}
    for _, name in ipairs(open) do
      local more = math.min(each, (wants[name] or 0) - got[name], left)
      got[name] = got[name] + more
      left = left - more
      if got[name] < (wants[name] or 0) then rest[#rest + 1] = name end
    end
    open = rest
  end
  names = turned(names)
  for i, name in ipairs(names) do
    if name == node then
      return got[name] + math.floor(left / #names) + (i <= left % #names and 1 or 0)
    end
  end
end

-- share takes a living node's claims, four values after the bound's name for each, and answers
-- what it may use of each: never more than the others leave.
local function share(node, process, life, first)
  local n = read(node)
  if not n or n.state ~= ALIVE or n.process ~= process then return {} end
  n.ends = math.max(n.ends, now + life)
  write(node, n)
  local answer, key = {}, base .. 'shares:' .. node
  local dropped = {}
  for _, bound in ipairs(call('HKEYS', key)) do dropped[bound] = true end
  for i = first, #ARGV, 5 do
    local bound, wants, holds = ARGV[i], tonumber(ARGV[i + 2]), tonumber(ARGV[i + 3])
    local kept, most, names, want = held(bound, node, tonumber(ARGV[i + 1]))
    want[node] = wants
    local mine = math.max(math.min(fair(node, most, names, want), most - kept), 0)
    call('HSET', key, bound, string.format('%d %d %d %d', tonumber(ARGV[i + 1]), wants, math.max(holds, mine), tonumber(ARGV[i + 4])))
    answer[#answer + 1] = mine
    dropped[bound] = nil
  end
  for bound in pairs(dropped) do call('HDEL', key, bound) end
  return answer
end

local op = ARGV[1]
if op == 'beat' then
  return beat(ARGV[2], ARGV[3], tonumber(ARGV[4]), ARGV[5] == '1', ARGV[6])
elseif op == 'taken' then
  return taken(ARGV[2])
elseif op == 'forget' then
  return forget(ARGV[2])
elseif op == 'nodes' then
  return nodes()
elseif op == 'leave' then
  return leave(ARGV[2], ARGV[3])
elseif op == 'sit' then
  return sit(ARGV[2], ARGV[3])
elseif op == 'rise' then
  return rise(ARGV[2], ARGV[3])
elseif op == 'share' then
  return share(ARGV[2], ARGV[3], tonumber(ARGV[4]), 5)
elseif op == 'pledge' then
  return pledge(ARGV[2], 3)
end
