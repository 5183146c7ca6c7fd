-- Pushes one dead letter to its target again, once.
--   KEYS[1] the target   KEYS[2] the ledger of this letter   KEYS[3] the set of seen ids, where there is one
--   ARGV[1] list|stream|pubsub   ARGV[2] about how long a stream is kept, 0 for ever
--   ARGV[3] ledger's time to live in ms   ARGV[4] the body   ARGV[5] number of a stream entry's other words, and
--   then name and value by turns   then pairs of score and id
-- Returns 1; 0 when an earlier attempt did it, whose answer was lost.
if redis.call('EXISTS', KEYS[2]) == 1 then return 0 end

local last = 5 + tonumber(ARGV[5])
if ARGV[1] == 'list' then
  redis.call('RPUSH', KEYS[1], ARGV[4])
elseif ARGV[1] == 'pubsub' then
  redis.call('PUBLISH', KEYS[1], ARGV[4])
elseif ARGV[2] == '0' then
  redis.call('XADD', KEYS[1], '*', 'data', ARGV[4], unpack(ARGV, 6, last))
else
  redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[2], '*', 'data', ARGV[4], unpack(ARGV, 6, last))
end
redis.call('SET', KEYS[2], '1', 'PX', ARGV[3])

for i = last + 1, #ARGV, 2 do
  redis.call('ZADD', KEYS[3], ARGV[i], ARGV[i + 1])
end
return 1
