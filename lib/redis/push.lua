-- Delivers one batch to one target, once.
--   KEYS[1] the target   KEYS[2] the ledger of this writer and target   KEYS[3] the target's epoch
--   KEYS[4 .. 3+c] contexts to delete, then s sets of seen ids, then two keys for each route: its place, and
--   its deliveries behind that
--   ARGV[1] sequence   ARGV[2] list|stream|pubsub   ARGV[3] about how long a stream is kept, 0 for ever
--   ARGV[4] ledger's time to live in ms   ARGV[5] the writer's epoch   ARGV[6] c   ARGV[7] s
--   ARGV[8] number of bodies, and then the bodies; in a stream behind each the number of its other fields, and
--   as many pairs of name and value
--   then for each set of seen ids: their number, and as many pairs of score and id
--   then for each route: the marker, its base, the number up to which all is delivered ('': unknown), how many
--   deliveries are told one by one, and as many pairs of number and name
-- The ledger holds the sequence of the last batch done: a batch that is sent again because its reply was lost
-- is recognised and not pushed a second time. A writer of an earlier epoch is refused: another replica has
-- taken over.
local epoch = tonumber(redis.call('GET', KEYS[3]) or 0)
local mine = tonumber(ARGV[5])
if epoch > mine then return redis.error_reply(string.format('STALE epoch %d is over, now is %d', mine, epoch)) end
if redis.call('GET', KEYS[2]) == ARGV[1] then return 0 end

local kind, bodies, at = ARGV[2], tonumber(ARGV[8]), 9
if kind == 'list' then
  for first = at, at + bodies - 1, 1000 do
    redis.call('RPUSH', KEYS[1], unpack(ARGV, first, math.min(first + 999, at + bodies - 1)))
  end
  at = at + bodies
elseif kind == 'pubsub' then
  for i = at, at + bodies - 1 do redis.call('PUBLISH', KEYS[1], ARGV[i]) end
  at = at + bodies
else
  for _ = 1, bodies do
    local last = at + 1 + 2 * tonumber(ARGV[at + 1])
    if ARGV[3] == '0' then
      redis.call('XADD', KEYS[1], '*', 'data', ARGV[at], unpack(ARGV, at + 2, last))
    else
      redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[3], '*', 'data', ARGV[at], unpack(ARGV, at + 2, last))
    end
    at = last + 1
  end
end
redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[4])
if epoch < mine then redis.call('SET', KEYS[3], ARGV[5]) end

local contexts = tonumber(ARGV[6])
for first = 4, 3 + contexts, 1000 do
  redis.call('UNLINK', unpack(KEYS, first, math.min(first + 999, 3 + contexts)))
end

-- Adds the pairs that begin behind their number at ARGV[at] to a sorted set.
local function add_pairs(key)
  local last = at + 2 * tonumber(ARGV[at])
  for first = at + 1, last, 1000 do
    redis.call('ZADD', key, unpack(ARGV, first, math.min(first + 999, last)))
  end
  at = last + 1
end

local sets = tonumber(ARGV[7])
for k = 4 + contexts, 3 + contexts + sets do add_pairs(KEYS[k]) end
for k = 4 + contexts + sets, #KEYS, 2 do
  redis.call('HSET', KEYS[k], 'marker', ARGV[at], 'base', ARGV[at + 1])
  if ARGV[at + 2] ~= '' then redis.call('HSET', KEYS[k], 'number', ARGV[at + 2]) end
  at = at + 3
  add_pairs(KEYS[k + 1])
end
return bodies
