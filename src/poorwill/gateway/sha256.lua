-- SHA-256 (FIPS 180-4): Envoy's Lua has no hash of its own. About 2 microseconds a block.

local bit = require("bit")
local band, bor, bxor, bnot = bit.band, bit.bor, bit.bxor, bit.bnot
local lshift, rshift, ror, tobit, tohex = bit.lshift, bit.rshift, bit.ror, bit.tobit, bit.tohex

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
