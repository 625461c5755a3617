-- Talks to the service as docs/osc.md wants it: sends again until it is answered, follows events without a gap,
-- says hello anew where the service was away.

local FIRST_GAP_MS = 100
local LONGEST_GAP_MS = 1000
local HELLO_AFTER = 3      -- unheard repeats of a command after which hello is said again
local AWAY_AFTER_MS = 3000 -- without a welcome: the lamp says away
local PATIENCE_MS = 30000  -- without a sign of a command: it is given up
local BARRED_MS = 60000    -- after a hello that was refused; more of them would only bar for longer
local MOST_EARLY = 200     -- events kept that came before missing ones
local AWAY, ASKING, CONNECTED = 0, 1, 2
local PASSING = { busy = true, closing = true } -- refusals after which the same command is sent again

local client = {
  name = '', seq = 0, pending = {}, lamp = AWAY, asked_ms = nil, barred_until_ms = nil, heard_ms = 0, pinged_ms = 0,
  heartbeat_ms = 10000, epoch = '', number = -1, is_subscribed = false, early = {}, recap = {}
}

-- Asking

local function put(pending)
  sendOSC({ PREFIX .. pending.name, pending.arguments })
end

function is_asking(name)
  for _, pending in pairs(client.pending) do
    if pending.name == name then
      return true
    end
  end
  return false
end

-- Sends a command until it is answered; `answered` gets the answer, or nil where none came in time.
function ask(name, given, answered)
  local now = getMillis()
  client.seq = client.seq + 1
  local pending = {
    name = name, seq = client.seq, arguments = typed(name, client.name, client.seq, given), answered = answered,
    sign_ms = now, due_ms = now + FIRST_GAP_MS, gap_ms = FIRST_GAP_MS, repeats = 0, is_acked = false
  }
  client.pending[client.seq] = pending
  put(pending)
end

local function set_lamp(lamp, words)
  client.lamp = lamp
  show('lamp', lamp)
  show('state', words)
end

local function hello()
  if is_asking('hello') or client.barred_until_ms then
    return
  end
  if client.asked_ms == nil then
    client.asked_ms = getMillis()
    set_lamp(ASKING, 'Looking for stembridge')
  end
  ask('hello', { TABLE.reply_port, TABLE.token })
end

function is_let_in()
  return client.barred_until_ms == nil
end

local function subscribe()
  client.is_subscribed = false
  if not is_asking('subscribe') then
    ask('subscribe', client.epoch == '' and {} or { client.number, client.epoch })
  end
end

local function introduce_anew()
  client.is_subscribed = false
  hello()
end

local function ask_missed()
  if not is_asking('events') then
    ask('events', { client.number, client.epoch })
  end
end

-- What came early

-- The numbers of events that came before those that are missing, in order.
local function waiting()
  local numbers = {}
  for number in pairs(client.early) do
    table.insert(numbers, number)
  end
  table.sort(numbers)
  return numbers
end

-- Tells what waits for nothing any more.
local function tell_ready()
  for _, number in ipairs(waiting()) do
    local event = client.early[number]
    if event.values.after <= client.number and client.number < number then
      client.number = number
      on_event(event)
    end
    if number <= client.number then
      client.early[number] = nil
    end
  end
end

-- Answers

local TAKE = {}

function TAKE.welcome(heard)
  client.asked_ms = nil
  client.heartbeat_ms = math.max(100, heard.values.heartbeat_s * 1000)
  set_lamp(CONNECTED, 'Connected to stembridge ' .. heard.values.version)
  if not client.is_subscribed or heard.values.epoch ~= client.epoch then
    subscribe()
  end
end

-- The state is told before; if it is not all here, a part of it was lost, and it is asked again.
function TAKE.subscribed(heard)
  if heard.values.epoch ~= client.epoch or heard.values.from > client.number then
    subscribe()
    return
  end
  client.is_subscribed = true
  if heard.values.last > client.number then
    ask_missed()
  end
end

function TAKE.events_told(heard)
  local values = heard.values
  if values.epoch == client.epoch then
    if values.told <= client.number then
      client.number = math.max(client.number, values.upto)
    end
    tell_ready()
    if values.last > client.number or next(client.early) then
      ask_missed()
    end
  end
end

function TAKE.pong(heard)
  if heard.values.is_subscribed == 0 or heard.values.epoch ~= client.epoch then
    introduce_anew()
  end
end

function TAKE.refused(heard)
  show('message', heard.values.message)
end

-- The token is wrong, or the service was started anew and has not seen it yet.
local function take_bar(pending, heard)
  if pending.name ~= 'hello' then
    pending.due_ms = client.heard_ms + LONGEST_GAP_MS
    hello()
    return
  end
  client.pending = {}
  client.asked_ms, client.barred_until_ms = nil, client.heard_ms + BARRED_MS
  set_lamp(AWAY, 'Not let in; tried again in a minute')
  show('message', heard.values.message)
end

local function take_reply(heard)
  local pending = client.pending[heard.values.seq]
  if not pending then
    return
  end
  pending.sign_ms = client.heard_ms
  if heard.name == 'ack' then
    pending.is_acked = true
  elseif heard.name == 'refused' and heard.values.code == 'not_permitted' then
    take_bar(pending, heard)
  elseif heard.name == 'refused' and PASSING[heard.values.code] then
    pending.due_ms = client.heard_ms + LONGEST_GAP_MS
  else
    client.pending[pending.seq] = nil
    if TAKE[heard.name] then
      TAKE[heard.name](heard)
    end
    if pending.answered then
      pending.answered(heard)
    end
  end
end

-- Events

local function take_event(heard)
  local values = heard.values
  if values.epoch ~= client.epoch then
    return
  end
  client.early[values.number] = heard
  local numbers = waiting()
  if #numbers > MOST_EARLY then -- the lowest are those that close the gap
    client.early[numbers[#numbers]] = nil
  end
  tell_ready()
  if next(client.early) then
    ask_missed()
  end
end

local function take_beat(heard)
  if heard.values.epoch == client.epoch and heard.values.last > client.number then
    ask_missed()
  end
end

local function take_recap(heard)
  local values = heard.values
  local key = values.epoch .. ' ' .. values.last
  if client.recap.key ~= key then
    client.recap = { key = key, parts = {}, count = 0 }
  end
  local recap = client.recap
  if not recap.parts[values.part] then
    recap.parts[values.part] = heard.rows
    recap.count = recap.count + 1
  end
  if recap.count == values.parts and (values.epoch ~= client.epoch or values.last >= client.number) then
    client.epoch, client.number, client.early = values.epoch, values.last, {}
    on_recap(recap.parts, values.parts)
  end
end

-- Time

local function repeat_one(pending, now)
  pending.repeats = pending.repeats + 1
  pending.gap_ms = math.min(LONGEST_GAP_MS, 2 * pending.gap_ms)
  pending.due_ms = now + pending.gap_ms
  put(pending)
  if pending.name == 'hello' then
    if client.lamp ~= AWAY and now - client.asked_ms >= AWAY_AFTER_MS then
      set_lamp(AWAY, 'stembridge is away: is it running, and are host and ports set?')
    end
  elseif not pending.is_acked and pending.repeats % HELLO_AFTER == 0 then
    hello()
  end
end

-- A ping every heartbeat; one that is not heard brings the hello.
local function keep_alive(now)
  if client.barred_until_ms then
    if now >= client.barred_until_ms then
      client.barred_until_ms = nil
      hello()
    end
    return
  end
  if now - client.pinged_ms < client.heartbeat_ms then
    return
  end
  client.pinged_ms = now
  if not is_asking('hello') and not is_asking('ping') then
    ask('ping', {})
  end
end

local function due(now)
  local found = {}
  for _, pending in pairs(client.pending) do
    if now >= pending.due_ms then
      table.insert(found, pending)
    end
  end
  return found
end

-- TouchOSC's callbacks

function init()
  local day, time = getDate(), getTime()
  math.randomseed(time[4] + 1000 * time[3] + 60000 * time[2])
  client.name = string.format(
    'touch-%d%02d%02d-%02d%02d%02d%03d-%d',
    day[1], day[2], day[3], time[1], time[2], time[3], time[4], math.random(1000000)
  )
  client.heard_ms, client.pinged_ms = getMillis(), getMillis()
  show_first()
  hello()
end

function update()
  local now = getMillis()
  for _, pending in ipairs(due(now)) do
    if pending.name ~= 'hello' and now - pending.sign_ms >= PATIENCE_MS then
      client.pending[pending.seq] = nil
      if pending.answered then
        pending.answered(nil)
      end
    elseif client.pending[pending.seq] then
      repeat_one(pending, now)
    end
  end
  keep_alive(now)
end

function onReceiveOSC(message, connections)
  local heard = read(message)
  if not heard or (heard.values.client and heard.values.client ~= client.name) then
    return
  end
  client.heard_ms = getMillis()
  if heard.kind == 'reply' then
    take_reply(heard)
  elseif heard.kind == 'event' then
    take_event(heard)
  elseif heard.name == 'beat' then
    take_beat(heard)
  elseif heard.name == 'resync' then
    take_recap(heard)
  else -- unknown_client, closing
    introduce_anew()
  end
end
