import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { beforeEach, expect, test } from '@jest/globals';
import { createAuthorizationServer, type AuthorizationServer } from '@unexpired/testing';
import {
  afterwards,
  enterSession,
  eventually,
  FLAGS,
  halt,
  helpersOf,
  openStore,
  recordOf,
  signInExpired,
} from './in-session.ts';
import { describeKeyring, type KeyringSession } from './keyring-session.ts';

/** For a keyring that does not answer; what fills it first must be told to a helper that runs. */
const SHORT = { callMs: 3000, promptMs: 5000 };

/** What a process says that reads a record and exits. */
function runReader(session: KeyringSession, callMs: number): Promise<{ output: string; code: unknown }> {
  const script = fileURLToPath(new URL('processes/read.ts', import.meta.url));
  const args = [...FLAGS, script, session.directory, 'test', String(callMs)];
  return new Promise((resolve) => {
    execFile(process.execPath, args, { env: { ...session.env } }, (error, output) =>
      resolve({ output, code: error?.code }),
    );
  });
}

test('processes of one user agree on the place of the locks, whatever their environments say', () => {
  const place = new URL('../src/place.ts', import.meta.url);
  const script = `import { directoryOfUser } from '${place.href}'; process.stdout.write(directoryOfUser())`;
  const odd = { HOME: '/elsewhere', XDG_STATE_HOME: '/state', XDG_RUNTIME_DIR: '/run' };
  const found = [{}, odd].map((env) =>
    execFileSync(process.execPath, [...FLAGS, '--input-type=module', '--eval', script], {
      env,
      encoding: 'utf8',
    }),
  );
  expect(found[0]).toBe(found[1]);
  expect(found[0]!.startsWith(userInfo().homedir)).toBe(true);
});

describeKeyring('where there is no keyring', () => {
  // reason: only Linux has a Secret Service
  const linux = process.platform === 'linux' ? test : test.skip;

  linux.each(['no bus', 'no daemon'])(
    'for %s, a call is an error that says what is missing',
    async (what) => {
      const session = await enterSession({ daemon: false });
      if (what === 'no bus') process.env['DBUS_SESSION_BUS_ADDRESS'] = 'unix:path=/nonexistent';
      const store = openStore(session);
      for (const call of [store.read('ann'), store.write('ann', recordOf(1), undefined)]) {
        await expect(call).rejects.toMatchObject({
          name: 'AccessTokenError',
          code: 'ERR_STORE_FAILED',
          message: expect.stringMatching(
            /DBus error: .* A Secret Service .* must run .* use @unexpired\/store-file/,
          ),
        });
      }
    },
  );
});

describeKeyring('with a keyring', () => {
  let session: KeyringSession;
  let server: AuthorizationServer;

  beforeEach(async () => {
    session = await enterSession();
    server = await createAuthorizationServer({ rotation: 'strict' });
    afterwards(() => server.close());
  });

  test('one process reads what another has written, and exits by itself', async () => {
    await openStore(session).write('default', recordOf(7), undefined);
    expect(await runReader(session, 30_000)).toEqual({ output: '7\n', code: 3 });
  });

  test('where a locked keyring asks for its password and nobody answers, a call is an error', async () => {
    await openStore(session).write('default', recordOf(1), undefined);
    await session.lock();
    await expect(openStore(session, SHORT).read('default')).rejects.toMatchObject({
      code: 'ERR_STORE_FAILED',
      message: expect.stringMatching(/did not answer within 3000 ms\. It may be locked .* unlock it/),
    });
  });

  test('a process that met a locked keyring exits at once, and leaves none behind', async () => {
    await openStore(session).write('default', recordOf(1), undefined);
    await session.lock();
    const own = helpersOf(session);
    const { output, code } = await runReader(session, 3000);
    expect(code).toBe(3);
    expect(output).toMatch(/did not answer/);
    while (helpersOf(session).some((pid) => !own.includes(pid))) await setTimeout(20);
    // The question is open for 25 s.
  });

  test('where the keyring dies before a refresh the refresh token is not spent, and later it is', async () => {
    const source = await signInExpired(openStore(session, SHORT), server);
    process.kill(await session.daemon(), 'SIGKILL');
    await expect(source.getAccessToken()).rejects.toMatchObject({ code: 'ERR_STORE_FAILED' });
    expect(server.presentations).toEqual([]);

    await session.replace();
    const token = await eventually(() => source.getAccessToken(), 3);
    expect(server.isAccessTokenValid(token)).toBe(true);
    expect(server.reuses).toEqual([]);
  });

  test('where the keyring dies during the exchange, what the server gave is served, and stored once it is back', async () => {
    const source = await signInExpired(openStore(session, SHORT), server);
    server.next({ hold: 'answer' });
    const taken = source.getAccessToken();
    while (server.presentations.length === 0) await setTimeout(5);
    process.kill(await session.daemon(), 'SIGKILL');
    server.release();
    expect(server.isAccessTokenValid(await taken)).toBe(true);
    expect(source.status().durability).toBe('dirty');

    await session.replace();
    // The write that waits for the keyring that died is given up first.
    await eventually(() => source.flush(), 3);
    const stored = await openStore(session).read('default');
    expect(stored?.tokens?.refresh_token).toBe(server.exchanges[0]?.issued?.refresh_token);
  });

  test('where the bus falls silent, a call is an error that does not speak of a lock', async () => {
    const store = openStore(session);
    await store.read('default');
    halt(await session.bus());
    await expect(store.read('default')).rejects.toThrow(
      /Did not receive a reply.*A Secret Service .* must run/,
    );
  });

  test('many accounts need few connections', async () => {
    const store = openStore(session);
    for (let i = 0; i < 200; i += 1) await store.read(`account-${i}`);
    const [pid] = helpersOf(session);
    expect(readdirSync(`/proc/${pid}/fd`).length).toBeLessThan(80);
  });

  test('neither names nor contents of entries are in a lock file', async () => {
    await openStore(session).write('ann', recordOf(1), undefined);
    const files = readdirSync(session.directory);
    expect(files.map((name) => readFileSync(`${session.directory}/${name}`, 'utf8'))).toEqual(
      files.map(() => ''),
    );
    const { stdout } = spawnSync(
      'stat',
      ['-c', '%a', session.directory, ...files.map((name) => `${session.directory}/${name}`)],
      { encoding: 'utf8' },
    );
    expect(stdout.trim().split('\n')).toEqual(['700', ...files.map(() => '600')]);
  });
});
