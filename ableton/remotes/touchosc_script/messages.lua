-- Messages as TABLE describes them, which is made from the table of addresses.

local PREFIX = '/stembridge/'

-- Names and arguments by the table; nil for what is not in it.
local function named(fields, arguments, start)
  local values = {}
  for i, field in ipairs(fields) do
    values[field] = arguments[start + i].value
  end
  return values
end

local function read(message)
  local arguments = message[2]
  local name = string.match(message[1], '^' .. PREFIX .. '([a-z_]+)$')
  local entry = name and TABLE.sent[name]
  if not entry or #arguments < #entry.fields then
    return nil
  end
  local heard = { name = name, kind = entry.kind, values = named(entry.fields, arguments, 0), rows = {} }
  local at = #entry.fields
  while #entry.row > 0 and at + #entry.row <= #arguments do
    table.insert(heard.rows, named(entry.row, arguments, at))
    at = at + #entry.row
  end
  return heard
end

-- Empty arguments at the end are left out: they are the service's defaults.
local function typed(name, client_name, seq, given)
  local types = TABLE.commands[name]
  local last = #given
  while last > 0 and given[last] == '' do
    last = last - 1
  end
  local arguments = { { tag = types[1], value = client_name }, { tag = types[2], value = seq } }
  for i = 1, last do
    table.insert(arguments, { tag = types[i + 2], value = given[i] })
  end
  return arguments
end
