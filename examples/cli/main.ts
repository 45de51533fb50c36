import assert from 'node:assert/strict';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createResourceServer } from '@unexpired/testing';
import { visit } from '../device-sign-in/person.ts';
import { startProvider } from '../device-sign-in/provider.ts';
import { makeFolder, start, type Ended, type Running } from '../processes.ts';
import { createStatusReader, HOUR_MS, passTime, tell } from '../scenery.ts';

await using provider = await startProvider('reports-cli', 'reports offline_access');
await using apiServer = await createResourceServer({
  accepts: () => true,
  respond: async ({ bearerToken }) =>
    (await provider.isAccessTokenValid(bearerToken)) ? { body: { reports: [] } } : { status: 401 },
});
const statuses = createStatusReader(apiServer);
await using home = await makeFolder();

/** The program in a process of its own, at the time that it is here. */
function reports(line: string): Running {
  const env = {
    REPORTS_API: apiServer.origin,
    REPORTS_ISSUER: provider.issuer,
    XDG_CONFIG_HOME: home.path,
    STAGE_NOW: String(Date.now()),
    STAGE_ORIGIN: provider.origin,
    // Where there is no keyring, which Linux reaches by this.
    DBUS_SESSION_BUS_ADDRESS: 'unix:path=/nonexistent',
  };
  const preload = new URL('stage.ts', import.meta.url);
  return start(new URL('program.ts', import.meta.url), line.split(' '), { env, preload });
}

async function signIn(line: string): Promise<Ended> {
  const running = reports(line);
  const [, url] = await running.said(/Open (\S+)\nYour code is \S+\n/);
  assert.equal(await visit(url!, 'confirm'), 'Signed in');
  return running.ended;
}

async function expectExit(code: number, running: Running | Promise<Ended>): Promise<Ended> {
  const ended = await ('ended' in running ? running.ended : running);
  const said = `${ended.stdout}${ended.stderr}`;
  assert.equal(ended.code, code, said);
  for (const { bearerToken } of apiServer.requests) assert.ok(!said.includes(bearerToken!));
  return ended;
}

/** How many exchanges were granted since it was last asked. */
let counted = 0;
function granted(): number {
  const all = provider.outcomes.filter((outcome) => outcome === 'granted').length;
  const fresh = all - counted;
  counted = all;
  return fresh;
}

await expectExit(2, reports('cal'));
const unknown = await expectExit(3, reports('call'));
assert.match(unknown.stderr, /reports login --account default/);
await expectExit(0, signIn('login'));
await expectExit(0, signIn('login --account second'));
const file = join(home.path, 'reports', 'credentials.json');
assert.equal((await stat(file)).mode & 0o777, 0o600);
assert.deepEqual(Object.keys(JSON.parse(await readFile(file, 'utf8')).accounts), ['default', 'second']);
assert.equal(granted(), 2);
tell('two accounts signed in, each with a code; the file is 0600');

passTime(2 * HOUR_MS);
const calls = Array.from({ length: 6 }, () => reports('call'));
for (const call of calls) assert.deepEqual(JSON.parse((await expectExit(0, call)).stdout), { reports: [] });
assert.equal(granted(), 1);
assert.deepEqual(statuses(), [200, 200, 200, 200, 200, 200]);
tell('expired: 6 processes at once, 1 exchange, no 401');

await provider.revokeAccessToken(apiServer.requests.at(-1)!.bearerToken!);
await Promise.all(['call', 'call', 'call'].map((line) => expectExit(0, reports(line))));
assert.equal(granted(), 1);
assert.equal(statuses().filter((status) => status === 200).length, 3);
tell('revoked: 3 processes at once, 1 exchange, each 401 cured by a replay');

passTime(2 * HOUR_MS);
const arrived = provider.holdNextRequest();
const stopped = reports('call');
const release = await arrived;
stopped.child.kill('SIGINT');
await stopped.said(/Interrupted/);
release();
await expectExit(130, stopped);
assert.equal(granted(), 1);
assert.match((await expectExit(0, reports('status'))).stdout, /^signed in; access token until \d{4}-\S+Z\n$/);
await expectExit(0, reports('call'));
assert.equal(granted(), 0);
tell('Ctrl+C in the middle of a refresh: what it brought is stored before the process ends');

const { bearerToken } = apiServer.requests.at(-1)!;
await expectExit(0, reports('logout'));
assert.equal(await provider.isAccessTokenValid(bearerToken), false);
await expectExit(3, reports('status'));
await expectExit(0, reports('call --account second'));
assert.equal(granted(), 1);
tell('signed out: the sign-in is revoked, the other account goes on');

if (process.platform === 'linux') {
  const { stderr } = await expectExit(1, reports('call --keyring'));
  assert.match(stderr, /The keyring of this user could not be used[^]*Without --keyring/);
  tell('no keyring here: said, and nothing is kept elsewhere');
}
