-- Writes open groups: whole, or only what is new of them.
--   KEYS the contexts   ARGV[1] their time to live in ms, counted from the first write: far above every window
--   then for each context: the bytes of messages that stand there already (0: write it whole), the head, and
--   what follows those bytes, the closing brackets included
-- Returns the positions of the contexts that do not stand there as expected: they want to be written whole.
local unlike = {}
for i, key in ipairs(KEYS) do
  local saved, head, rest = tonumber(ARGV[3 * i - 1]), ARGV[3 * i], ARGV[3 * i + 1]
  if saved == 0 then
    redis.call('SET', key, head .. rest, 'PX', ARGV[1])
  elseif redis.call('STRLEN', key) == #head + saved + 2 then
    redis.call('SETRANGE', key, 0, head)
    redis.call('SETRANGE', key, #head + saved, rest)
  else
    unlike[#unlike + 1] = i
  end
end
return unlike
