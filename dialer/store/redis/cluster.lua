-- The nodes that share the state. KEYS[1] begins the keys of the tag, which is one for all.
--
--   live    node -> state, process, when its life ends (microseconds of this server's clock), when it last said that it lives
--   seats   agent -> node
--   credit  node, line break, campaign -> abandoned calls that it may still have
local base = string.sub(KEYS[1], 1, -2)
local call = redis.call

-- A dead node's leases are being taken back; of a taken one they have been.
local ALIVE, DEAD, TAKEN = 'alive', 'dead', 'taken'

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

-- beat answers whether the node was replaced (2) or given up (1) since, and then for each
-- node its name, its state and when it was last seen.
local function beat(node, process, life, first)
  local n = read(node)
  if n and n.process ~= process and not first then return { 2 } end
  local lost = not first and (not n or n.state ~= ALIVE)
  write(node, { state = ALIVE, process = process, ends = now + life, seen = now })
  local answer = { lost and 1 or 0 }
  for _, name in ipairs(call('HKEYS', base .. 'live')) do
    local other = read(name)
    if other.state == ALIVE and other.ends <= now then
      other.state = DEAD
      write(name, other)
    end
    answer[#answer + 1] = name
    answer[#answer + 1] = other.state
    answer[#answer + 1] = string.format('%.0f', other.seen)
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
  if n and n.process == process then
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
-- not live: node, campaign, credit.
local function pledge(node, first)
  for i = first, #ARGV, 2 do
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
    end
  end
  return answer
end

local op = ARGV[1]
if op == 'beat' then
  return beat(ARGV[2], ARGV[3], tonumber(ARGV[4]), ARGV[5] == '1')
elseif op == 'taken' then
  return taken(ARGV[2])
elseif op == 'leave' then
  return leave(ARGV[2], ARGV[3])
elseif op == 'sit' then
  return sit(ARGV[2], ARGV[3])
elseif op == 'rise' then
  return rise(ARGV[2], ARGV[3])
elseif op == 'pledge' then
  return pledge(ARGV[2], 3)
end
