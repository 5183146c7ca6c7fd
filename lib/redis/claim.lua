-- Makes the caller the one writer of a target, or finds that it still is.
--   KEYS[1] the target's epoch   KEYS[2] what the caller has raised last, see renew.lua
--   ARGV[1] the epoch that the caller had, 0 for none
-- Returns {the epoch that the caller has now, 1 if it is the one it had: nobody has taken over meanwhile}.
-- An epoch is a time, so that it grows also where Redis has lost the last one.
local epoch = tonumber(redis.call('GET', KEYS[1]) or 0)
local mine = tonumber(ARGV[1])
if mine ~= 0 and epoch <= mine then
  -- A lower one is what a failover or a restart without data has left.
  if epoch < mine then redis.call('SET', KEYS[1], ARGV[1]) end
  return {ARGV[1], 1}
end
if mine ~= 0 then
  -- Raised by the caller on a new connection, of which it has not heard yet.
  local raised = string.match(redis.call('GET', KEYS[2]) or '', '^%d+ (%d+)$')
  if tonumber(raised) == epoch then return {raised, 1} end
end
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local next = string.format('%d', math.max(epoch + 1, mine + 1, now))
redis.call('SET', KEYS[1], next)
return {next, 0}
