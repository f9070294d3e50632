-- What all campaigns share. KEYS[1] begins the keys of the tag, which is one for all.
local base = string.sub(KEYS[1], 1, -2)
local call = redis.call

-- putcampaign writes a campaign; one that exists keeps its state. It answers
-- whether it is new.
local function putcampaign(name, record, created, state, updated)
  local new = call('HEXISTS', base .. 'records', name) == 0
  if new then
    call('HSET', base .. 'numbers', name, call('INCR', base .. 'n'))
    call('HSET', base .. 'created', name, created)
    call('HSET', base .. 'states', name, state)
  end
  call('HSET', base .. 'records', name, record)
  call('HSET', base .. 'updated', name, updated)
  return new and 1 or 0
end

local function setstate(name, state, updated)
  if call('HEXISTS', base .. 'records', name) == 0 then return 0 end
  call('HSET', base .. 'states', name, state)
  call('HSET', base .. 'updated', name, updated)
  return 1
end

-- openimport gives the number of the import that is being staged under an id,
-- 0 when it is committed.
local function openimport(id, node)
  if call('HEXISTS', base .. 'imports', id) == 1 then return 0 end
  local no = call('HGET', base .. 'staging', id)
  if not no then
    no = call('INCR', base .. 'i')
    call('HSET', base .. 'staging', id, no)
    call('HSET', base .. 'stagers', id, node)
  end
  return tonumber(no)
end

local function commitimport(id, record, node)
  local no = openimport(id, node)
  if no == 0 then return 0 end
  call('HDEL', base .. 'staging', id)
  call('HDEL', base .. 'stagers', id)
  call('HSET', base .. 'imports', id, record)
  call('HSET', base .. 'committed', no, id)
  return no
end

-- dropimport gives up what was staged under an id and answers its number.
local function dropimport(id)
  local no = call('HGET', base .. 'staging', id)
  if not no then return 0 end
  call('HDEL', base .. 'staging', id)
  call('HDEL', base .. 'stagers', id)
  return tonumber(no)
end

-- most raises a number that only grows.
local function most(name, value)
  local now = tonumber(call('GET', base .. name) or 0)
  if tonumber(value) > now then call('SET', base .. name, value) end
end

local op = ARGV[1]
if op == 'campaign' then
  return putcampaign(ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6])
elseif op == 'state' then
  return setstate(ARGV[2], ARGV[3], ARGV[4])
elseif op == 'stage' then
  return openimport(ARGV[2], ARGV[3])
elseif op == 'commit' then
  return commitimport(ARGV[2], ARGV[3], ARGV[4])
elseif op == 'drop' then
  return dropimport(ARGV[2])
elseif op == 'most' then
  return most(ARGV[2], ARGV[3])
end
