-- What becomes of a campaign's lists beside their loading; added to campaign.lua.

-- before finds what a lead was like before a load changed it first.
local function before(load, id)
  for _, kept in ipairs(call('LRANGE', undokey(load, id), 0, -1)) do
    if string.byte(kept) == (id - 1) % SIZE then return string.sub(kept, 3), string.byte(kept, 2) end
  end
end

-- addedby says whether a load added the lead, whichever changed it since.
local function addedby(load, id, last)
  while last ~= load do
    local earlier = before(last, id)
    if not earlier then return false end
    last = parse(earlier).load
  end
  return not before(load, id)
end

-- kept tells of a lead that stays as it is, and why.
local function kept(out, id, r, why)
  out[#out + 1] = id
  out[#out + 1] = r.external
  out[#out + 1] = r.numbers[1]
  out[#out + 1] = why
end

-- undoadded takes leads out that a load added and that lie from a place on. It answers the
-- place to go on from, how many went, and those that stay.
local function undoadded(load, from, last, most)
  local out, gone = {}, 0
  local upto = math.min(last, from + most - 1)
  for id = from, upto do
    local row = loaded(id)
    local r = row and row ~= '' and parse(row)
    if r and addedby(load, id, r.load) then
      local s = read(id)
      if s.state == LEASED or s.state == DIALING then
        kept(out, id, r, 'held')
      elseif s.attempts > 0 then
        kept(out, id, r, 'dialed')
      elseif r.load ~= load then
        kept(out, id, r, 'changed')
      else
        remove(id, r, s)
        gone = gone + 1
      end
    end
  end
  return { upto + 1, gone, out }
end

-- restore makes a lead what it was before a load.
local function restore(id, r, row, turn)
  local earlier = parse(row)
  rewrite(id, earlier, r, earlier.load)
  local s = read(id)
  if s.turn ~= turn then
    s.turn = turn
    save(id, s)
  end
end

-- undochanged makes the leads of a list what they were before a load that was at a time. It answers how many
-- were restored, and those that stay.
local function undochanged(load, b, at, atn)
  local key, out, back, seen = base .. 'u:' .. load .. ':' .. b, {}, 0, {}
  for _, item in ipairs(call('LRANGE', key, 0, -1)) do
    local id = b * SIZE + string.byte(item) + 1
    local row = loaded(id)
    if seen[id] or not row or row == '' then
      if seen[id] == 'back' then call('LREM', key, 1, item) end
    else
      local r, s = parse(row), read(id)
      seen[id] = 'kept'
      if s.state == LEASED or s.state == DIALING then
        kept(out, id, r, 'held')
      elseif s.last > at or s.last == at and s.lastn > atn then
        kept(out, id, r, 'dialed')
      elseif r.load ~= load then
        kept(out, id, r, 'changed')
      else
        restore(id, r, string.sub(item, 3), string.byte(item, 2))
        call('LREM', key, 1, item)
        seen[id] = 'back'
        back = back + 1
      end
    end
  end
  return { back, out }
end

-- undoable says whether a load can be undone still.
local function undoable(load)
  local till = call('ZSCORE', base .. 'u', load)
  return till and tonumber(till) > tonumber(call('TIME')[1]) and 1 or 0
end

-- tidy forgets the loads of which nothing is kept any more: their keys have run out.
local function tidy()
  call('ZREMRANGEBYSCORE', base .. 'u', '-inf', call('TIME')[1] - 86400)
end

-- found gives for each row, by its external id and first number, the lead that it means.
local function found(first)
  local out = {}
  for i = first, #ARGV, 2 do
    local id = match({ external = ARGV[i], numbers = { ARGV[i + 1] } })
    out[#out + 1] = id or 0
    out[#out + 1] = id and loaded(id) or ''
    out[#out + 1] = id and call('LINDEX', base .. 'd:' .. bucketof(id), (id - 1) % SIZE) or ''
  end
  return out
end

-- known says of numbers whether leads have them.
local function known(first)
  local out = {}
  for i = first, #ARGV do out[#out + 1] = call('HEXISTS', indexed(ARGV[i]), ARGV[i]) end
  return out
end

-- purge takes out leads whose time is over, unless they have changed since they were seen: place and load of each.
local function purge(stopped, at, atn, first)
  local gone = 0
  for i = first, #ARGV, 2 do
    local id = tonumber(ARGV[i])
    local row, s = loaded(id), read(id)
    if row and row ~= '' then
      local r = parse(row)
      local over = s.state == DONE or stopped and s.state <= READY
      if over and r.load == tonumber(ARGV[i + 1]) and (s.last < at or s.last == at and s.lastn < atn) then
        remove(id, r, s)
        gone = gone + 1
      end
    end
  end
  return gone
end

-- pad leaves places empty up to one, some at a time, and answers how many there are.
local function pad(upto, most)
  for id = seated() + 1, math.min(upto, seated() + most) do
    call('RPUSH', base .. 'l:' .. bucketof(id), '')
    call('RPUSH', base .. 'd:' .. bucketof(id), '')
    seats = id
  end
  return seats
end

-- carry seats leads of another store: place, load, number of the list and row of each, in the order of their places.
local function carry(first)
  for i = first, #ARGV, 4 do
    local id = tonumber(ARGV[i])
    if seated() >= id then return redis.error_reply('TAKEN a place of the campaign is taken') end
    pad(id - 1, id)
    seat(id, parserow(ARGV[i + 3]), ARGV[i + 1], tonumber(ARGV[i + 2]))
  end
  return 0
end

local op = ARGV[1]
local answer = 0
if op == 'undoadded' then
  answer = undoadded(tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5]))
elseif op == 'undochanged' then
  local load, all = tonumber(ARGV[2]), {}
  answer = { 0, all }
  for b = tonumber(ARGV[3]), tonumber(ARGV[4]) do
    local some = undochanged(load, b, tonumber(ARGV[5]), tonumber(ARGV[6]))
    answer[1] = answer[1] + some[1]
    for _, item in ipairs(some[2]) do all[#all + 1] = item end
  end
elseif op == 'undoable' then
  answer = {}
  for i = 2, #ARGV do answer[i - 1] = undoable(ARGV[i]) end
elseif op == 'tidy' then
  tidy()
elseif op == 'match' then
  answer = found(2)
elseif op == 'known' then
  answer = known(2)
elseif op == 'pad' then
  answer = pad(tonumber(ARGV[2]), tonumber(ARGV[3]))
elseif op == 'carry' then
  answer = carry(2)
elseif op == 'purge' then
  answer = purge(ARGV[2] == '1', tonumber(ARGV[3]), tonumber(ARGV[4]), 5)
end
flushseats()
flushcounts()
return answer
