-- What the panel shows of jobs, and what its buttons do. The names of the controls are those of TABLE.

local OPEN = { PENDING = 'Waiting', PROCESSING = 'Starting', RETRYING_QA = 'Checking again' }
local ENDED = { SUCCESS = 'Done', FAILED = 'Failed', CANCELLED = 'Cancelled' }
local LAMPS = { [0] = Color(0.35, 0.35, 0.38, 1), [1] = Color(0.95, 0.7, 0.2, 1), [2] = Color(0.3, 0.8, 0.45, 1) }
local MOST_JOBS = 100 -- more than a recap has
local SHOWN_JOBS = 3

local jobs = {}  -- by id
local order = {} -- ids, the newest last
local shown = nil
local chosen = { recipe = 1, target = 1 }
local presses = 0

function show(name, value)
  local control = self.children[name]
  if TABLE.displays[name] == 'lamp' then
    control.color = LAMPS[value]
  elseif TABLE.displays[name] == 'bar' then
    control.values.x = value
  else
    control.values.text = value
  end
end

local function minutes(seconds)
  local whole = math.max(0, math.floor(seconds + 0.5))
  return string.format('%d:%02d', math.floor(whole / 60), whole % 60)
end

local function words_of(job)
  local ended = ENDED[job.state]
  if ended then
    return ended .. (job.files > 0 and ': ' .. job.files .. ' files' or '')
  end
  return job.words ~= '' and job.words or OPEN[job.state]
end

local function line_of(job)
  local share = ENDED[job.state] and '' or string.format(' %d%%', math.floor(100 * job.share))
  return (job == shown and '> ' or '') .. job.title .. '  -  ' .. words_of(job) .. share
end

local function draw()
  local job = shown
  show('title', job and job.title or '')
  show('stage', job and words_of(job) or 'No job yet')
  show('progress', job and job.share or 0)
  show('remaining', job and OPEN[job.state] and job.remaining_s >= 0 and minutes(job.remaining_s) .. ' to go' or '')
  show('before', job and job.before or '')
  show('after', job and job.after or '')
  local lines = {}
  for i = #order, math.max(1, #order - SHOWN_JOBS + 1), -1 do
    table.insert(lines, line_of(jobs[order[i]]))
  end
  show('jobs', table.concat(lines, '\n'))
end

local function job_of(id)
  if not jobs[id] then
    jobs[id] = {
      id = id, title = '', state = 'PENDING', words = '', share = 0, remaining_s = -1, files = 0, before = '',
      after = '', is_asked = false
    }
    table.insert(order, id)
    if #order > MOST_JOBS then -- the oldest goes, but not the one that is shown
      jobs[table.remove(order, shown and order[1] == shown.id and 2 or 1)] = nil
    end
  end
  return jobs[id]
end

local function loudness(found, before)
  local lufs, dbtp = tonumber(found[before .. 'integrated_lufs']), tonumber(found[before .. 'true_peak_dbtp'])
  return lufs and dbtp and string.format('%.1f LUFS  %.1f dBTP', lufs, dbtp) or ''
end

-- Loudness and peak before and after, page by page; of several masters the first.
local function ask_figures(job, offset, found, master)
  job.is_asked = true
  ask('figures', { job.id, offset }, function(heard)
    if not heard or heard.name ~= 'figure_list' then
      return
    end
    for _, row in ipairs(heard.rows) do
      found[row.figure] = row.value
      master = master or string.match(row.figure, '^(masters%..+%.)integrated_lufs$')
    end
    local upto = offset + #heard.rows
    if #heard.rows > 0 and upto < heard.values.total then
      ask_figures(job, upto, found, master)
      return
    end
    local before, after = loudness(found, 'source.'), master and loudness(found, master) or ''
    job.before = before ~= '' and 'Before  ' .. before or ''
    job.after = after ~= '' and 'After  ' .. after or ''
    draw()
  end)
end

local function look_at(job)
  shown = job
  if job.state == 'SUCCESS' and not job.is_asked then
    ask_figures(job, 0, {}, nil)
  end
end

-- Events do not say it, and a job may be told of that was not there, or was forgotten.
local function ask_title(job)
  if job.title ~= '' or is_asking('status') then
    return
  end
  ask('status', { job.id }, function(heard)
    if heard and heard.name == 'job' then
      job.title = heard.values.title
      draw()
    end
  end)
end

-- What each event says of its job

-- What was known of the time that is left holds no more.
local function stands(job, state, words)
  job.state, job.words, job.remaining_s = state, words, -1
end

local function progressed(job, values)
  job.state, job.words, job.share = 'PROCESSING', values.words, values.share
  job.remaining_s = values.remaining_s or -1
end

local function ended(state, share)
  return function(job, values)
    job.state, job.share, job.words = state, share, ''
    job.files = values.files or 0
    job.title = job.title ~= '' and job.title or values.title or ''
    show('message', values.message or values.reason or '')
  end
end

local TELL = {
  stage = progressed,
  progress = progressed,
  done = ended('SUCCESS', 1),
  failed = ended('FAILED', 0),
  cancelled = ended('CANCELLED', 0)
}

function TELL.queued(job, values)
  job.title = values.title
  stands(job, 'PENDING', '')
end

function TELL.started(job)
  stands(job, 'PROCESSING', '')
  show('message', '')
end

function TELL.note(_, values)
  show('message', values.text)
end

function TELL.postponed(job, values)
  stands(job, 'PENDING', 'Goes on in ' .. minutes(values.delay_s))
  show('message', values.reason)
end

function on_event(heard)
  local job = job_of(heard.values.job)
  TELL[heard.name](job, heard.values)
  if not shown or job == shown or not OPEN[shown.state] then
    look_at(job)
  end
  ask_title(shown)
  draw()
end

local function job_at_work()
  for i = #order, 1, -1 do
    local job = jobs[order[i]]
    if OPEN[job.state] and job.state ~= 'PENDING' then
      return job
    end
  end
end

-- The state of things instead of the story: what is not in it is no longer known.
function on_recap(parts, count)
  local shown_id = shown and shown.id
  jobs, order, shown = {}, {}, nil
  for part = 0, count - 1 do
    for _, row in ipairs(parts[part]) do
      local job = job_of(row.job)
      job.title, job.state, job.share, job.files = row.title, row.state, row.share, row.files
    end
  end
  local job = shown_id and jobs[shown_id] or job_at_work() or jobs[order[#order]]
  if job then
    look_at(job)
  end
  draw()
end

-- Buttons and choices

local function word_of(choice)
  return chosen[choice] == 1 and '' or TABLE.choices[choice][chosen[choice]]
end

local function value_of(source)
  if source == 'job' then
    return shown.id
  end
  return source == '' and '' or word_of(source)
end

-- The job that a command made, or found; events, and answers to newer commands, may be ahead of it.
local function accept(values, is_newest)
  local job = job_of(values.job)
  job.title = values.title
  if not OPEN[values.state] then
    job.state = values.state
    job.share = values.state == 'SUCCESS' and 1 or 0
  end
  if is_newest then
    look_at(job)
  end
  draw()
end

local function needs_job(sources)
  for _, source in ipairs(sources) do
    if source == 'job' then
      return true
    end
  end
  return false
end

local function press(command)
  if not is_let_in() then
    return
  end
  local sources = TABLE.buttons[command].sources
  presses = presses + 1
  local mine = presses
  show('message', '')
  if needs_job(sources) and not shown then
    show('message', 'There is no job yet. Press "Process newest".')
    return
  end
  local given = {}
  for i, source in ipairs(sources) do
    given[i] = value_of(source)
  end
  ask(command, given, function(heard)
    if not heard then
      show('message', 'stembridge does not answer')
    elseif heard.name == 'accepted' then
      accept(heard.values, mine == presses)
    end
  end)
end

local function show_next_job()
  local first = math.max(1, #order - SHOWN_JOBS + 1)
  local next_id = order[#order]
  for i = first + 1, #order do
    if shown and order[i] == shown.id then
      next_id = order[i - 1]
    end
  end
  if next_id then
    presses = presses + 1
    show('message', '')
    look_at(jobs[next_id])
    draw()
  end
end

local function show_choice(choice)
  local words = TABLE.choices[choice]
  self.children[choice .. '_text'].values.text = TABLE.labels[choice] .. ':  ' .. words[chosen[choice]]
end

local function choose_next(choice)
  chosen[choice] = chosen[choice] % #TABLE.choices[choice] + 1
  show_choice(choice)
end

function show_first()
  show_choice('recipe')
  show_choice('target')
  show('message', '')
  draw()
end

function onReceiveNotify(key, name)
  if key == 'pressed' and name == 'next_job' then
    show_next_job()
  elseif key == 'pressed' and TABLE.choices[name] then
    choose_next(name)
  elseif key == 'pressed' then
    press(name)
  end
end
