-- Delivers one batch to one target, once.
--   KEYS[1] the target   KEYS[2] the ledger of this writer and target
--   KEYS[3 .. 2+c] contexts to delete   KEYS[3+c ..] sets of seen ids, one a route
--   ARGV[1] sequence   ARGV[2] list|stream|pubsub   ARGV[3] about how long a stream is kept, 0 for ever
--   ARGV[4] ledger's time to live in ms   ARGV[5] c   ARGV[6] number of bodies, and then the bodies
--   then for each set of seen ids: their number, and as many pairs of score and id
-- The ledger holds the sequence of the last batch done: a batch that is sent again because its reply was lost
-- is recognised and not pushed a second time.
if redis.call('GET', KEYS[2]) == ARGV[1] then return 0 end

local kind, bodies, at = ARGV[2], tonumber(ARGV[6]), 7
if kind == 'list' then
  for first = at, at + bodies - 1, 1000 do
    redis.call('RPUSH', KEYS[1], unpack(ARGV, first, math.min(first + 999, at + bodies - 1)))
  end
else
  for i = at, at + bodies - 1 do
    if kind == 'pubsub' then
      redis.call('PUBLISH', KEYS[1], ARGV[i])
    elseif ARGV[3] == '0' then
      redis.call('XADD', KEYS[1], '*', 'data', ARGV[i])
    else
      redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[3], '*', 'data', ARGV[i])
    end
  end
end
redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[4])

local contexts = tonumber(ARGV[5])
for first = 3, 2 + contexts, 1000 do
  redis.call('UNLINK', unpack(KEYS, first, math.min(first + 999, 2 + contexts)))
end

at = at + bodies
for k = 3 + contexts, #KEYS do
  local pairs_left = tonumber(ARGV[at])
  at = at + 1
  while pairs_left > 0 do
    local now = math.min(pairs_left, 500)
    redis.call('ZADD', KEYS[k], unpack(ARGV, at, at + 2 * now - 1))
    at = at + 2 * now
    pairs_left = pairs_left - now
  end
end
return bodies
