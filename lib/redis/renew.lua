-- Raises the epoch of a target's one writer once more, when it stands on a new connection: what an earlier one
-- still carries comes from an epoch that is over, however late it arrives.
--   KEYS[1] the target's epoch   KEYS[2] what this writer has raised last
--   ARGV[1] the epoch that the caller has   ARGV[2] which time this is, growing   ARGV[3] ms to keep KEYS[2]
-- Returns the epoch that it has now. It is refused where another writer has taken over.
local epoch = tonumber(redis.call('GET', KEYS[1]) or 0)
local mine, attempt = tonumber(ARGV[1]), tonumber(ARGV[2])
if epoch > mine then
  -- An earlier attempt whose answer was lost is the writer's own; a later one was there before this.
  local last, raised = string.match(redis.call('GET', KEYS[2]) or '', '^(%d+) (%d+)$')
  if tonumber(raised) ~= epoch or tonumber(last) >= attempt then
    return redis.error_reply(string.format('STALE epoch %d is over, now is %d', mine, epoch))
  end
end
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local next = string.format('%d', math.max(epoch + 1, mine + 1, now))
redis.call('SET', KEYS[1], next)
redis.call('SET', KEYS[2], string.format('%d ', attempt) .. next, 'PX', ARGV[3])
return next
