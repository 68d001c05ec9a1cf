-- Who may come in to a guarded service. Runs inside Envoy before the gate is asked, so it also holds while
-- nobody minds the gate. guard.py puts PAGES (language -> kind -> HTML), LANGUAGES (all but English) and
-- ERRORS (kind -> JSON, with the word SERVICE for its name) in front of it, TELL, where Poorwill hears of
-- addresses that guess, and sha256.lua.
--
-- It only ever says that a request has passed. What it did not say that of, also because it broke down, is
-- turned away by the filter behind it.

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
local TOLD = 600 -- seconds until the journal hears of the same address again
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

-- Neither the log nor the journal may be filled by strangers: only so many a minute.
local counts = {}

local function allowed(what, most, now)
  local minute = math.floor(now / 60)
  local seen = counts[what]
  if seen == nil or seen.minute ~= minute then
    seen = { minute = minute, count = 0 }
    counts[what] = seen
  end
  seen.count = seen.count + 1
  return seen.count <= most
end

-- For the journal. Nobody waits for it, and it is lost while Poorwill is down.
local function tell(handle, lock, here, address, now)
  if now - (recall("told " .. here) or 0) < TOLD or not allowed("tellings", 6, now) then return end
  remember("told " .. here, now)
  handle:httpCall("visitors", {
    [":method"] = "POST",
    [":path"] = TELL .. lock.realm,
    [":authority"] = "poorwill",
    ["content-type"] = "text/plain",
  }, address, 5000, true)
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
  if allowed("lines", 60, now) then
    handle:logWarn("refused at " .. lock.realm .. ": wrong password or key from " .. address)
  end
  if left < 2 then tell(handle, lock, here, address, now) end
  turn_away(handle, headers, lock, true)
end
