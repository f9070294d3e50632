-- What is known of one number. KEYS[1] is one of its keys, which share a hash tag:
--
--   a  attempts: id -> settled, record and node of the settlement, outcome, intent, settlement; the last two are not looked into
--   b:S the lead (or attempt of none) for which seller S claimed the number last, for as long as a gate may not have seen it
--   o  opt-outs: seller and campaign -> time, source, sealed number; k: the person's own key
--   v  verdicts: register, seller and import -> time, registered, date asked about; n: the number
local FORM = '>BI6Bc0Bc0Hc0Hc0'
local call = redis.call

local function read(id)
  local blob = call('HGET', KEYS[1], id)
  if not blob then return nil end
  local a = {}
  a.settled, a.seq, a.node, a.outcome, a.intent, a.settlement = struct.unpack(FORM, blob)
  return a
end

local function write(id, a)
  call('HSET', KEYS[1], id, struct.pack(FORM, a.settled, a.seq, #a.node, a.node, #a.outcome, a.outcome, #a.intent, a.intent, #a.settlement, a.settlement))
end

local function intend(id, intent)
  local a = { settled = 0, seq = 0, node = '', outcome = '', intent = intent, settlement = '' }
  write(id, a)
  return a
end

local function settle(id, a, seq, node, outcome, settlement)
  a.settled, a.seq, a.node, a.settlement = 1, seq, node, settlement
  if outcome ~= '' or a.outcome == '' then a.outcome = outcome end
  write(id, a)
end

-- apply writes one step of an attempt and answers whether the attempt is settled.
local function apply(id, settled, amended, seq, node, outcome, intent, settlement)
  local a = read(id)
  if not a then
    a = intend(id, intent)
  elseif not settled and a.settled == 0 then
    a.intent = intent -- a claim does not know the record yet
    write(id, a)
  end
  if settled and (a.settled == 0 or amended and (a.node ~= node or a.seq < seq)) then
    settle(id, a, seq, node, outcome, settlement)
  end
  return a.settled
end

-- claim writes an intent, unless one for the seller was claimed just before (KEYS[2]) for another
-- lead. Attempts on one lead are kept apart by its lease.
local function claim(id, lead, intent, span)
  local last = call('GET', KEYS[2])
  if last and last ~= lead then return 0 end
  call('SET', KEYS[2], lead, 'PX', span)
  if not read(id) then intend(id, intent) end
  return 1
end

-- newer compares times given as seconds and nanoseconds.
local function newer(sec, nano, othersec, othernano)
  return sec > othersec or sec == othersec and nano > othernano
end

-- optout keeps the earlier of two entries and answers whether there was none. The person's key is
-- kept where there is one already: then the sealed number is not used, unless the entry has none.
local function optout(field, sec, nano, source, sealed)
  local known = call('HGET', KEYS[1], field)
  if not known then
    call('HSET', KEYS[1], field, struct.pack('>I4I4Hc0Hc0', sec, nano, #source, source, #sealed, sealed))
    return 1
  end
  local oldsec, oldnano, oldsource, oldsealed = struct.unpack('>I4I4Hc0Hc0', known)
  if newer(oldsec, oldnano, sec, nano) then oldsec, oldnano, oldsource = sec, nano, source end
  if oldsealed == '' then oldsealed = sealed end
  call('HSET', KEYS[1], field, struct.pack('>I4I4Hc0Hc0', oldsec, oldnano, #oldsource, oldsource, #oldsealed, oldsealed))
  return 0
end

-- person gives the number's own key, the given one where there was none.
local function person(wrapped)
  call('SETNX', KEYS[1], wrapped)
  return call('GET', KEYS[1])
end

-- optin takes an entry off; with the last one the person's key goes.
local function optin(field)
  local n = call('HDEL', KEYS[1], field)
  if call('EXISTS', KEYS[1]) == 0 then call('DEL', KEYS[2]) end
  return n
end

-- forget makes the numbers of the entries unreadable for good.
local function forget()
  call('DEL', KEYS[2])
  for _, field in ipairs(call('HKEYS', KEYS[1])) do
    local sec, nano, source = struct.unpack('>I4I4Hc0Hc0', call('HGET', KEYS[1], field))
    call('HSET', KEYS[1], field, struct.pack('>I4I4Hc0Hc0', sec, nano, #source, source, 0, ''))
  end
end

-- verdict keeps the newest of an import; at equal times registered wins.
local function verdict(number, field, sec, nano, registered, since, sincenano)
  local known = call('HGET', KEYS[1], field)
  if known then
    local oldsec, oldnano, oldregistered = struct.unpack('>I4I4B', known)
    local same = oldsec == sec and oldnano == nano
    if not newer(sec, nano, oldsec, oldnano) and not (same and registered > oldregistered) then return end
  end
  call('HSET', KEYS[1], 'n', number, field, struct.pack('>I4I4BI4I4', sec, nano, registered, since, sincenano))
end

-- gone removes a record that has not changed since it was seen. A number alone is no verdict.
local function gone(field, value)
  if call('HGET', KEYS[1], field) ~= value then return 0 end
  call('HDEL', KEYS[1], field)
  if call('HLEN', KEYS[1]) == 1 and call('HEXISTS', KEYS[1], 'n') == 1 then call('DEL', KEYS[1]) end
  return 1
end

-- swap writes a field that still is as it was read; empty stands for none.
local function swap(field, old, new)
  if (call('HGET', KEYS[1], field) or '') ~= old then return 0 end
  if new == '' then
    call('HDEL', KEYS[1], field)
  else
    call('HSET', KEYS[1], field, new)
  end
  return 1
end

local function numbers(first)
  local out = {}
  for i = first, #ARGV do out[#out + 1] = tonumber(ARGV[i]) end
  return unpack(out)
end

local op = ARGV[1]
if op == 'apply' then
  return apply(ARGV[2], ARGV[3] == '1', ARGV[4] == '1', tonumber(ARGV[5]), ARGV[6], ARGV[7], ARGV[8], ARGV[9])
elseif op == 'claim' then
  return claim(ARGV[2], ARGV[3], ARGV[4], ARGV[5])
elseif op == 'optout' then
  return optout(ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5], ARGV[6])
elseif op == 'person' then
  return person(ARGV[2])
elseif op == 'optin' then
  return optin(ARGV[2])
elseif op == 'forget' then
  return forget()
elseif op == 'swap' then
  return swap(ARGV[2], ARGV[3], ARGV[4])
elseif op == 'gone' then
  return gone(ARGV[2], ARGV[3])
elseif op == 'verdict' then
  return verdict(ARGV[2], ARGV[3], numbers(4))
end
