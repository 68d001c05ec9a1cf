-- Who may come in to a guarded service. Runs inside Envoy before the gate is asked, so it also holds while
-- nobody minds the gate. guard.py puts PAGES (language -> kind -> HTML), LANGUAGES (all but English) and
-- ERRORS (kind -> JSON, with the word SERVICE for its name) in front of it.
--
-- It only ever says that a request has passed. What it did not say that of, also because it broke down, is
-- turned away by the filter behind it.

local bit = require("bit")
local band, bor, bxor, bnot = bit.band, bit.bor, bit.bxor, bit.bnot
local lshift, rshift, ror, tobit, tohex = bit.lshift, bit.rshift, bit.ror, bit.tobit, bit.tohex

-- SHA-256 (FIPS 180-4): Envoy's Lua has no hash of its own. About 2 microseconds a block.

local ROUNDS = {}
local BEGIN = {}

-- The constants are the first 32 bits of the fractions of the cube and square roots of the first primes.
do
  local found, candidate = 0, 2
  while found < 64 do
    local prime = true
    for divisor = 2, math.floor(math.sqrt(candidate)) do
      if candidate % divisor == 0 then prime = false end
    end
    if prime then
      found = found + 1
      local cube, square = candidate ^ (1 / 3), candidate ^ 0.5
      ROUNDS[found] = tobit(math.floor((cube - math.floor(cube)) * 2 ^ 32))
      if found <= 8 then BEGIN[found] = tobit(math.floor((square - math.floor(square)) * 2 ^ 32)) end
    end
    candidate = candidate + 1
  end
end

local WORDS = {}

local function block(text, at, state)
  for i = 1, 16 do
    local a, b, c, d = string.byte(text, at + i * 4 - 4, at + i * 4 - 1)
    WORDS[i] = bor(lshift(a, 24), lshift(b, 16), lshift(c, 8), d)
  end
  for i = 17, 64 do
    local x, y = WORDS[i - 15], WORDS[i - 2]
    local near = bxor(ror(x, 7), ror(x, 18), rshift(x, 3))
    local far = bxor(ror(y, 17), ror(y, 19), rshift(y, 10))
    WORDS[i] = tobit(WORDS[i - 16] + near + WORDS[i - 7] + far)
  end
  local a, b, c, d, e, f, g, h = unpack(state)
  for i = 1, 64 do
    local mixed = bxor(ror(e, 6), ror(e, 11), ror(e, 25)) + bxor(band(e, f), band(bnot(e), g))
    local one = tobit(h + mixed + ROUNDS[i] + WORDS[i])
    local two = bxor(ror(a, 2), ror(a, 13), ror(a, 22)) + bxor(band(a, b), band(a, c), band(b, c))
    h, g, f, e, d, c, b, a = g, f, e, tobit(d + one), c, b, a, tobit(one + two)
  end
  for i, value in ipairs({ a, b, c, d, e, f, g, h }) do
    state[i] = tobit(state[i] + value)
  end
end

local function sha256(text)
  local size = #text
  local bits = string.char(rshift(size, 21), band(rshift(size, 13), 255), band(rshift(size, 5), 255), band(size * 8, 255))
  text = text .. "\128" .. string.rep("\0", (55 - size) % 64) .. "\0\0\0\0" .. bits
  local state = { unpack(BEGIN) }
  for at = 1, #text, 64 do
    block(text, at, state)
  end
  for i = 1, 8 do
    state[i] = tohex(state[i])
  end
  return table.concat(state)
end

local VALUES = {}
for i = 1, 64 do
  VALUES[string.byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", i)] = i - 1
end

local function from_base64(text)
  local held, bits, bytes = 0, 0, {}
  for i = 1, #text do
    local value = VALUES[string.byte(text, i)]
    if value == nil then break end -- the padding
    held, bits = held * 64 + value, bits + 6
    if bits >= 8 then
      bits = bits - 8
      bytes[#bytes + 1] = string.char(math.floor(held / 2 ^ bits))
      held = held % 2 ^ bits
    end
  end
  return table.concat(bytes)
end

-- What is remembered, for each service and address: forgotten in two steps, so that strangers cannot fill the memory.

local MOST = 5000
local memory = { new = {}, old = {}, count = 0 }

local function recall(key)
  return memory.new[key] or memory.old[key]
end

local function remember(key, value)
  if memory.new[key] == nil then
    memory.count = memory.count + 1
    if memory.count > MOST then
      memory.old, memory.new, memory.count = memory.new, {}, 1
    end
  end
  memory.new[key] = value
end

local TRIES = 20 -- wrong ones at once, and then
local PAUSE = 3 -- one in so many seconds
local FRIEND = 3600 -- seconds for which who got in is let in although others at the same address guess

local function address_of(handle)
  local whole = handle:streamInfo():downstreamRemoteAddress()
  local six = string.match(whole, "^%[(.-)%]")
  if six == nil then return (string.match(whole, "^(.-):%d+$") or whole) end
  local groups = {} -- the first half: a household has all of the rest
  for group in string.gmatch((string.gsub(six, "::.*", "")), "[^:]+") do
    if #groups < 4 then groups[#groups + 1] = group end
  end
  return table.concat(groups, ":") .. "::/64"
end

local function tries_left(here, now)
  local seen = recall(here)
  if seen == nil then return TRIES end
  return math.min(TRIES, seen.left + math.max(0, now - seen.at) / PAUSE)
end

-- Who it is.

local LONGEST = 1024

local function digest_of(text)
  return #text <= LONGEST and sha256(text) or ""
end

-- Returns the name, whether anything was shown, and the header that it was shown in.
local function who(headers, lock)
  local given = headers:get("authorization")
  if given ~= nil then
    local scheme, rest = string.match(given, "^(%a+) +(%S+) *$")
    scheme = string.lower(scheme or "")
    if scheme == "basic" then
      local pair = from_base64(#rest <= LONGEST and rest or "")
      local name = string.match(pair, "^([^:]*):") or ""
      local user = lock.users[name]
      local salt = user and user.salt or "0123456789abcdef" -- a stranger's name takes as long
      local digest = digest_of(salt .. ":" .. pair)
      return user and user.digest == digest and name or nil, true, "authorization"
    elseif scheme == "bearer" then
      local name = lock.keys[digest_of(rest)]
      if name then return name, true, "authorization" end
    end
  end
  local key = headers:get("x-api-key")
  if key ~= nil then return lock.keys[digest_of(key)], true, "x-api-key" end
  return nil, given ~= nil, "authorization"
end

local function is_open(path, lock)
  path = string.match(path, "^[^?#]*")
  -- Some services read these as slashes and dots, and would be somewhere else than where the path says.
  local lower = string.lower(path)
  for _, hidden in ipairs({ "%2e", "%2f", "%5c", "%25", "\\", ";" }) do
    if string.find(lower, hidden, 1, true) then return false end
  end
  if lock.open[path] then return true end
  for _, prefix in ipairs(lock.below) do
    if string.sub(path, 1, #prefix) == prefix then return true end
  end
  return false
end

-- What is answered.

local function answer(handle, headers, lock, kind, more)
  local all = { ["cache-control"] = "no-store", ["vary"] = "accept, accept-language, authorization" }
  for name, value in pairs(more) do
    all[name] = value
  end
  if headers:get("origin") ~= nil then all["access-control-allow-origin"] = "*" end
  local body = string.gsub(ERRORS[kind], string.gsub(SERVICE, "%-", "%%-"), (lock.realm))
  all["content-type"] = "application/json"
  if string.find(headers:get("accept") or "", "text/html", 1, true) then
    local wish, language = string.lower(headers:get("accept-language") or ""), "en"
    for _, one in ipairs(LANGUAGES) do
      if string.sub(wish, 1, #one) == one then language = one end
    end
    all["content-type"] = "text/html; charset=utf-8"
    body = PAGES[language][kind]
  end
  handle:respond(all, body)
end

local function turn_away(handle, headers, lock, shown)
  local basic = 'Basic realm="' .. lock.realm .. '", charset="UTF-8"'
  local bearer = 'Bearer realm="' .. lock.realm .. '"'
  local has_key = headers:get("x-api-key") ~= nil or string.find(headers:get("authorization") or "", "^[Bb]earer ")
  -- A browser would ask a person for a password, where a script sent a wrong key.
  local challenge = next(lock.users) ~= nil and not (shown and has_key) and basic or bearer
  answer(handle, headers, lock, "locked", { [":status"] = "401", ["www-authenticate"] = challenge })
end

-- A browser asks before a script of another site sends a key, and never shows one then. The answer lets it
-- send what the script itself knows, never what the browser remembers (no Allow-Credentials).
local function preflight(handle, headers)
  handle:respond({
    [":status"] = "204",
    ["access-control-allow-origin"] = "*",
    ["access-control-allow-methods"] = headers:get("access-control-request-method"),
    ["access-control-allow-headers"] = headers:get("access-control-request-headers") or "authorization",
    ["access-control-max-age"] = "600",
    ["vary"] = "access-control-request-method, access-control-request-headers",
  }, "")
end

local locks, held = {}, 0

-- What guard.py writes: a kind and words in each line.
local function read(text)
  local lock = { users = {}, keys = {}, open = {}, below = {}, forward = false }
  for line in string.gmatch(text, "[^\n]+") do
    local kind, one, two, three = string.match(line, "^(%S+) (%S+) ?(%S*) ?(%S*)$")
    if kind == "realm" then lock.realm = one end
    if kind == "user" then lock.users[one] = { salt = two, digest = three } end
    if kind == "key" then lock.keys[one] = two end
    if kind == "open" then lock.open[one] = true end
    if kind == "below" then lock.below[#lock.below + 1] = one end
    if kind == "forward" then lock.forward = true end
  end
  return lock
end

-- Read once for each version of a service's users and keys.
local function lock_of(handle)
  local context = handle:filterContext()
  local version = context:get("version")
  local lock = locks[version]
  if lock == nil then
    if held >= 1000 then locks, held = {}, 0 end
    lock = read(context:get("lock"))
    locks[version], held = lock, held + 1
  end
  return lock
end

local function pass(handle, headers, name)
  headers:remove("x-forwarded-user")
  if name ~= nil then headers:add("x-forwarded-user", name) end
  handle:streamInfo():dynamicMetadata():set("poorwill.guard", "passed", true)
end

function envoy_on_request(handle)
  local headers, lock = handle:headers(), lock_of(handle)
  if is_open(headers:get(":path") or "", lock) then return pass(handle, headers, nil) end
  local asks = headers:get("origin") ~= nil and headers:get("access-control-request-method") ~= nil
  if asks and headers:get(":method") == "OPTIONS" then return preflight(handle, headers) end

  local name, shown, where = who(headers, lock)
  if not shown then return turn_away(handle, headers, lock, false) end
  local now, address = os.time(), address_of(handle)
  local here = lock.realm .. " " .. address
  local left = tries_left(here, now)
  local friend = name ~= nil and here .. " " .. name
  if name ~= nil and (left >= 1 or now - (recall(friend) or 0) < FRIEND) then
    remember(friend, now)
    if not lock.forward then headers:remove(where) end
    return pass(handle, headers, name)
  end
  if left < 1 then
    return answer(handle, headers, lock, "guessing", { [":status"] = "429", ["retry-after"] = tostring(PAUSE) })
  end
  remember(here, { left = left - 1, at = now })
  handle:logWarn("refused at " .. lock.realm .. ": wrong password or key from " .. address)
  if left < 2 then handle:logWarn("no more from " .. address .. " for now: too many wrong ones") end
  turn_away(handle, headers, lock, true)
end
