-- Makes the caller the one writer of a target, or finds that it still is.
--   KEYS[1] the target's epoch   KEYS[2] what the caller has raised last, see renew.lua
--   ARGV[1] the epoch that the caller had, 0 for none   ARGV[2] which time this is, growing, counted with the
--   renewals   ARGV[3] ms to keep KEYS[2]
-- Returns {the epoch that the caller has now, 1 if it is the one it had: nobody has taken over meanwhile}.
-- An epoch is a time, so that it grows also where Redis has lost the last one.
local epoch = tonumber(redis.call('GET', KEYS[1]) or 0)
local mine, attempt = tonumber(ARGV[1]), tonumber(ARGV[2])
if mine ~= 0 and epoch <= mine then
  -- A lower one is what a failover or a restart without data has left.
  if epoch < mine then redis.call('SET', KEYS[1], ARGV[1]) end
  return {ARGV[1], 1}
end
local last, raised, claimed = string.match(redis.call('GET', KEYS[2]) or '', '^(%d+) (%d+)(.*)$')
-- What a dropped connection carried arrives behind what the caller has done since, and deposes nobody.
if last and tonumber(last) >= attempt then return redis.error_reply('STALE claim') end
-- Raised by the caller itself, which has not heard of it yet: on a new connection, or by a claim like this.
if tonumber(raised) == epoch then return {raised, claimed == '' and 1 or 0} end
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local next = string.format('%d', math.max(epoch + 1, mine + 1, now))
redis.call('SET', KEYS[1], next)
redis.call('SET', KEYS[2], string.format('%d ', attempt) .. next .. ' claimed', 'PX', ARGV[3])
return {next, 0}
