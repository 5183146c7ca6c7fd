-- Keeps beside a target what a killed process would take with it.
--   KEYS[1] the target's epoch, and then the key of each entry; a place takes two keys
--   ARGV[1] the writer's epoch   ARGV[2] a context's time to live in ms, counted from its first write: far
--   above every window   then the entries:
--     place MARKER BASE NUMBER MARKERS   how far the route is (NUMBER '': only the marker; MARKERS '': only the
--                                   last one); the second key holds the deliveries behind it
--     context SAVED HEAD REST       an open group: SAVED bytes of messages stand there already (0: write it
--                                   whole), and REST follows them, the closing brackets included
--     set TEXT TTL                  TTL in ms, 0 for ever
--     delete
--     add N SCORE ID …              to a set of seen ids, N pairs
--     trim SCORE                    forgets the ids below
-- Returns the positions of the keys whose contexts do not stand there as expected: they want to be written
-- whole.
local epoch = tonumber(redis.call('GET', KEYS[1]) or 0)
local mine = tonumber(ARGV[1])
if epoch > mine then return redis.error_reply(string.format('STALE epoch %d is over, now is %d', mine, epoch)) end
if epoch < mine then redis.call('SET', KEYS[1], ARGV[1]) end

local unlike, at, k = {}, 3, 2
local entry = {
  place = function(key)
    redis.call('HSET', key, 'marker', ARGV[at], 'base', ARGV[at + 1])
    if ARGV[at + 2] ~= '' then
      -- What was pushed since may have gone further already.
      local known = tonumber(redis.call('HGET', key, 'number') or 0)
      if known < tonumber(ARGV[at + 2]) then redis.call('HSET', key, 'number', ARGV[at + 2]) end
      redis.call('ZREMRANGEBYSCORE', KEYS[k + 1], '-inf', ARGV[at + 2])
    end
    if ARGV[at + 3] ~= '' then redis.call('HSET', key, 'markers', ARGV[at + 3]) end
    at, k = at + 4, k + 1
  end,
  context = function(key)
    local saved, head, rest = tonumber(ARGV[at]), ARGV[at + 1], ARGV[at + 2]
    if saved == 0 then
      redis.call('SET', key, head .. rest, 'PX', ARGV[2])
    elseif redis.call('STRLEN', key) == #head + saved + 2 then
      redis.call('SETRANGE', key, 0, head)
      redis.call('SETRANGE', key, #head + saved, rest)
    else
      unlike[#unlike + 1] = k
    end
    at = at + 3
  end,
  set = function(key)
    if ARGV[at + 1] == '0' then
      redis.call('SET', key, ARGV[at])
    else
      redis.call('SET', key, ARGV[at], 'PX', ARGV[at + 1])
    end
    at = at + 2
  end,
  delete = function(key) redis.call('UNLINK', key) end,
  add = function(key)
    local last = at + 2 * tonumber(ARGV[at])
    for first = at + 1, last, 1000 do
      redis.call('ZADD', key, unpack(ARGV, first, math.min(first + 999, last)))
    end
    at = last + 1
  end,
  trim = function(key)
    redis.call('ZREMRANGEBYSCORE', key, '-inf', '(' .. ARGV[at])
    at = at + 1
  end,
}
while k <= #KEYS do
  at = at + 1
  entry[ARGV[at - 1]](KEYS[k])
  k = k + 1
end
return unlike
