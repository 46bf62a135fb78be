import { script } from './state-scripts.ts'

/**
 * Charges buckets: for each request all of them, or none if one refuses. The arguments are the number of requests; of each request the
 * number of its buckets; of each bucket the microseconds that it is charged, those of its burst, and 1 if the request is more than a burst.
 * Answers for each request the number of the bucket that refuses it (0: none) and the microseconds to wait (-1: for ever).
 */
export const bucketScript = script(`
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local answers = {}
local key, arg = 1, 2
for request = 1, tonumber(ARGV[1]) do
  local count = tonumber(ARGV[arg])
  arg = arg + 1
  local refusing, longest = 0, 0
  local ends = {}
  for i = 1, count do
    local charged, burst, never = tonumber(ARGV[arg]), tonumber(ARGV[arg + 1]), ARGV[arg + 2] == '1'
    arg = arg + 3
    local from = tonumber(redis.call('GET', KEYS[key + i - 1]) or '0')
    if from < now then from = now end
    ends[i] = math.ceil(from + charged)
    local over = ends[i] - burst - now
    if never then
      if longest >= 0 then refusing, longest = i, -1 end
    elseif over >= 1 and longest >= 0 and over > longest then
      refusing, longest = i, math.ceil(over)
    end
  end
  if refusing == 0 then
    for i = 1, count do
      redis.call('SET', KEYS[key + i - 1], string.format('%.0f', ends[i]), 'PX', math.ceil((ends[i] - now) / 1000) + 1)
    end
  end
  answers[request] = { refusing, longest }
  key = key + count
end
return answers
`)
