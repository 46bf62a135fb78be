import { createHash } from 'node:crypto'

/** A Lua script and the name under which Redis caches it. */
export interface RedisScript {
  readonly lua: string
  readonly sha: string
  /** Whether it only reads, so that users with rights to read may run it. */
  readonly readOnly: boolean
}

/** Chunks of arguments: Lua's stack holds 8,000 values. */
const CHUNK = 4000

/**
 * The dedupe memory of a generation is one hash of 16,384 bins, each a string of concatenated 8-byte ids: one key
 * expires as a whole, and an id costs about 10 bytes instead of 161 as its own key.
 */
const dedupeLua = `
local six_bits = {}
for i = 0, 63 do six_bits[i] = string.char(i) end

local function bin_of(id)
  return string.sub(id, 1, 1) .. six_bits[string.byte(id, 2) % 64]
end

local function holds(bin, id)
  local from = 1
  while true do
    local at = string.find(bin, id, from, true)
    if not at then return false end
    if at % 8 == 1 then return true end
    from = at + 1
  end
end

local function load_bins(key, ids)
  local bins, names = {}, {}
  for i = 1, #ids do
    local name = bin_of(ids[i])
    if bins[name] == nil then
      bins[name] = false
      names[#names + 1] = name
    end
  end
  for first = 1, #names, ${CHUNK} do
    local last = math.min(first + ${CHUNK} - 1, #names)
    local found = redis.call('HMGET', key, unpack(names, first, last))
    for i = first, last do bins[names[i]] = found[i - first + 1] end
  end
  return bins
end

local function split(blob)
  local ids = {}
  for at = 1, #blob, 8 do ids[#ids + 1] = string.sub(blob, at, at + 7) end
  return ids
end
`

/** Bytes of the head of a put or an append in `commitScript`: its length and its TTL (0: none), an unsigned 32-bit number and a double. */
export const putHeadBytes = 12

/**
 * KEYS: position, meta, keys of puts, of appends, of deletes, of generations.
 * ARGV: from, next, meta given (1/0), meta, number of puts, of appends, of deletes, of generations; the heads of all puts and
 * appends, and their values, one after the other: an argument of its own for each would cost the client more than the rest;
 * a TTL and ids per generation. Answers {kind, stored}, the latter as text: numbers are not exact up to 2^53.
 */
export const commitScript = script(`
local text = redis.call('GET', KEYS[1]) or '0'
local stored, from, next = tonumber(text), tonumber(ARGV[1]), tonumber(ARGV[2])
if stored >= next then return {1, text} end
if stored > from then return {2, text} end
if stored < from then return {3, text} end
${dedupeLua}
local puts, appends = tonumber(ARGV[5]), tonumber(ARGV[6])
local deletes, generations = tonumber(ARGV[7]), tonumber(ARGV[8])
local heads, values = ARGV[9], ARGV[10]
local key, arg = 3 + puts + appends, 11

for i = key, key + deletes - 1 do redis.call('DEL', KEYS[i]) end
local first = 1
for i = 0, puts + appends - 1 do
  local length, ttl = struct.unpack('<I4d', heads, i * ${putHeadBytes} + 1)
  local value = string.sub(values, first, first + length - 1)
  first = first + length
  local name = KEYS[3 + i]
  if i >= puts then
    redis.call('APPEND', name, value)
    if ttl > 0 then redis.call('PEXPIRE', name, ttl) else redis.call('PERSIST', name) end
  elseif ttl > 0 then
    redis.call('SET', name, value, 'PX', ttl)
  else
    redis.call('SET', name, value)
  end
end

key = key + deletes
for g = 1, generations do
  local ids = split(ARGV[arg + 1])
  local bins = load_bins(KEYS[key], ids)
  local names, changed = {}, {}
  for i = 1, #ids do
    local id = ids[i]
    local name = bin_of(id)
    local bin = bins[name]
    if not bin or not holds(bin, id) then
      bins[name] = (bin or '') .. id
      if not changed[name] then
        changed[name] = true
        names[#names + 1] = name
      end
    end
  end
  for first = 1, #names, ${CHUNK / 2} do
    local fields = {}
    for i = first, math.min(first + ${CHUNK / 2} - 1, #names) do
      fields[#fields + 1] = names[i]
      fields[#fields + 1] = bins[names[i]]
    end
    redis.call('HSET', KEYS[key], unpack(fields))
  end
  redis.call('PEXPIRE', KEYS[key], ARGV[arg])
  key, arg = key + 1, arg + 2
end

if ARGV[3] == '1' then redis.call('SET', KEYS[2], ARGV[4]) else redis.call('DEL', KEYS[2]) end
redis.call('SET', KEYS[1], ARGV[2])
return {0, ARGV[2]}
`)

/**
 * KEYS: position, meta, keys of generations, of ends, of values. ARGV: number of generations, ids, number of ends, their bytes.
 * Answers {position, meta, one character 0 or 1 per id, values in chunks, ends (false for none)}.
 */
export const foldScript = script(
  `
${dedupeLua}
local generations = tonumber(ARGV[1])
local ids = split(ARGV[2])
local seen = {}
for i = 1, #ids do seen[i] = '0' end
if #ids > 0 then
  for g = 1, generations do
    if redis.call('EXISTS', KEYS[2 + g]) == 1 then
      local bins = load_bins(KEYS[2 + g], ids)
      for i = 1, #ids do
        local bin = bins[bin_of(ids[i])]
        if bin and holds(bin, ids[i]) then seen[i] = '1' end
      end
    end
  end
end
local ends = {}
local last = tonumber(ARGV[3])
for i = 1, last do
  local name = KEYS[2 + generations + i]
  local bytes = redis.call('GETRANGE', name, -tonumber(ARGV[4]), -1)
  ends[i] = (bytes ~= '' or redis.call('EXISTS', name) == 1) and bytes
end
local chunks = {}
for first = 3 + generations + last, #KEYS, ${CHUNK} do
  chunks[#chunks + 1] = redis.call('MGET', unpack(KEYS, first, math.min(first + ${CHUNK} - 1, #KEYS)))
end
return {redis.call('GET', KEYS[1]), redis.call('GET', KEYS[2]), table.concat(seen), chunks, ends}
`,
  true,
)

/** KEYS: the list. ARGV: bytes, most bytes kept, TTL. */
export const appendScript = script(`
local length = redis.call('APPEND', KEYS[1], ARGV[1])
local most = tonumber(ARGV[2])
if length > most then redis.call('SET', KEYS[1], redis.call('GETRANGE', KEYS[1], length - most, -1)) end
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return length
`)

/**
 * KEYS: the list. ARGV: bytes, most bytes kept, TTL, length and last bytes as read.
 * Answers 1 if it appended, else the list as it is now (false: none).
 */
export const appendIfScript = script(`
local read = ARGV[5]
if redis.call('STRLEN', KEYS[1]) ~= tonumber(ARGV[4]) then return redis.call('GET', KEYS[1]) end
if #read > 0 and redis.call('GETRANGE', KEYS[1], -#read, -1) ~= read then return redis.call('GET', KEYS[1]) end
local length = redis.call('APPEND', KEYS[1], ARGV[1])
local most = tonumber(ARGV[2])
if length > most then redis.call('SET', KEYS[1], redis.call('GETRANGE', KEYS[1], length - most, -1)) end
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
`)

/** KEYS: the pointer. ARGV: value expected ('' also means none: see the third), new value, expected given (1/0). Answers 1 where it moved. */
export const movePointerScript = script(`
local stored = redis.call('GET', KEYS[1])
if ARGV[3] == '1' then
  if stored ~= ARGV[1] then return 0 end
elseif stored then
  return 0
end
redis.call('SET', KEYS[1], ARGV[2])
return 1
`)

export function script(lua: string, readOnly = false): RedisScript {
  return { lua, sha: createHash('sha1').update(lua).digest('hex'), readOnly }
}
