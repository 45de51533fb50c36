// Each script is one step for Redis, and always runs on the master: a replica may lag behind what it answers. A hint
// that may not be published does not undo what was done before it.

/** Keys: record. Answers revision and record. */
export const READ = `
local found = redis.call('HMGET', KEYS[1], 'revision', 'record')
if not (found[1] and found[2]) and redis.call('EXISTS', KEYS[1]) == 1 then
  return redis.error_reply('ERR this hash is not a credential')
end
return found`;

const PRINT = `
local function print()
  local found = redis.call('DUMP', KEYS[1])
  return found and redis.sha1hex(found) or 'nothing'
end`;

/** Keys: record. Answers what tells apart all that may be stored there, of whatever kind. */
export const FINGERPRINT: string = `${PRINT}
return print()`;

/**
 * Keys: record, lease, aside. Arguments: the expected revision ('' for none, or 'replace'), revision, record, the lease
 * that a claim is written under ('' for none), channel, hint, the fingerprint of what 'replace' is for. Answers
 * 'written', 'changed' or 'lost'.
 */
export const WRITE: string = `${PRINT}
if ARGV[4] ~= '' and redis.call('GET', KEYS[2]) ~= ARGV[4] then return 'lost' end
if ARGV[1] == 'replace' then
  if print() ~= ARGV[7] then return 'changed' end
  if redis.call('EXISTS', KEYS[1]) == 1 then redis.call('RENAME', KEYS[1], KEYS[3]) end
else
  local revision = redis.call('HGET', KEYS[1], 'revision')
  if not revision and redis.call('EXISTS', KEYS[1]) == 1 then
    return redis.error_reply('ERR this hash is not a credential')
  end
  if (revision or '') ~= ARGV[1] then return 'changed' end
end
redis.call('HSET', KEYS[1], 'revision', ARGV[2], 'record', ARGV[3])
redis.pcall('PUBLISH', ARGV[5], ARGV[6])
return 'written'`;

/**
 * Keys: lease. Arguments: lease, milliseconds. Answers whether it was given, and the time in seconds and microseconds.
 * A client that lost the answer may ask again: what was given is given anew.
 */
export const ACQUIRE = `
local time = redis.call('TIME')
local holder = redis.call('GET', KEYS[1])
local free = not holder or holder == ARGV[1]
if free then redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2]) end
return { free and 'yes' or 'no', time[1], time[2] }`;

/** Keys: lease. Arguments: lease, milliseconds. Answers as above. */
export const EXTEND = `
local time = redis.call('TIME')
local held = redis.call('GET', KEYS[1]) == ARGV[1]
if held then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return { held and 'yes' or 'no', time[1], time[2] }`;

/** Keys: lease. Arguments: lease, channel, hint. */
export const RELEASE = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 'no' end
redis.call('DEL', KEYS[1])
redis.pcall('PUBLISH', ARGV[2], ARGV[3])
return 'yes'`;
