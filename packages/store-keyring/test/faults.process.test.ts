import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createTokenSource, type CredentialRecord, type TokenSource, type TokenStore } from '@unexpired/core';
import { createAuthorizationServer, type AuthorizationServer } from '@unexpired/testing';
import { openKeyringStore } from '../src/keyring-store.ts';
import { describeKeyring, startKeyring, type KeyringSession } from './keyring-session.ts';

const FLAGS = ['--conditions=@unexpired/source', '--no-warnings'];
const TIMES = { callMs: 3000, promptMs: 2000, idleMs: 60_000 };
const { env: outside } = process;

let session: KeyringSession;
let undos: (() => unknown)[] = [];

afterEach(async () => {
  for (const undo of undos.splice(0).reverse()) await undo();
});

async function enterSession(options?: { daemon?: boolean }): Promise<void> {
  session = await startKeyring(options);
  undos.push(() => session.close());
  process.env = { ...session.env };
  undos.push(() => {
    process.env = outside;
  });
}

function openStore(service = 'test'): TokenStore {
  return openKeyringStore({ service, directory: session.directory }, TIMES);
}

function recordOf(revision: number): CredentialRecord {
  return { version: 1, revision, epoch: 'e1', generation: 1 };
}

/** What a process says that reads a record and exits. */
function runReader(callMs: number): Promise<{ output: string; code: unknown }> {
  const script = fileURLToPath(new URL('processes/read.ts', import.meta.url));
  const args = [...FLAGS, script, session.directory, 'test', String(callMs)];
  return new Promise((resolve) => {
    execFile(process.execPath, args, { env: { ...session.env } }, (error, output) =>
      resolve({ output, code: error?.code }),
    );
  });
}

/** The helper processes of stores of this session. */
function helpers(): number[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const isOurs = (pid: string): boolean => {
    try {
      const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      return line.includes('helper-process') && line.includes(session.directory);
    } catch {
      return false;
    }
  };
  return pids.filter(isOurs).map(Number);
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
      await enterSession({ daemon: false });
      if (what === 'no bus') process.env['DBUS_SESSION_BUS_ADDRESS'] = 'unix:path=/nonexistent';
      const store = openStore();
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
  let server: AuthorizationServer;

  beforeEach(async () => {
    await enterSession();
    server = await createAuthorizationServer({ rotation: 'strict' });
    undos.push(() => server.close());
  });

  async function signInExpired(store: TokenStore): Promise<TokenSource> {
    const source = createTokenSource({
      origins: ['https://api.example.com'],
      refresh: ({ refreshToken = '', signal }) =>
        fetch(server.tokenEndpoint, {
          method: 'POST',
          body: new URLSearchParams({ grant_type: 'refresh_token', refresh_token: refreshToken }),
          signal,
        }),
      store,
    });
    undos.push(() => source.close().catch(() => undefined));
    await source.signIn({ ...(await server.signIn()), expires_in: 0 });
    return source;
  }

  test('one process reads what another has written, and exits by itself', async () => {
    await openStore().write('default', recordOf(7), undefined);
    expect(await runReader(10_000)).toEqual({ output: '7\n', code: 3 });
  });

  test('where a locked keyring asks for its password and nobody answers, a call is an error', async () => {
    await openStore().write('default', recordOf(1), undefined);
    await session.lock();
    await expect(openStore().read('default')).rejects.toMatchObject({
      code: 'ERR_STORE_FAILED',
      message: expect.stringMatching(/did not answer within 3000 ms\. It may be locked .* unlock it/),
    });
  });

  test('a process that met a locked keyring exits at once, and leaves none behind', async () => {
    await openStore().write('default', recordOf(1), undefined);
    await session.lock();
    const own = helpers();
    const { output, code } = await runReader(3000);
    expect(code).toBe(3);
    expect(output).toMatch(/did not answer/);
    while (helpers().some((pid) => !own.includes(pid))) await setTimeout(20);
    // The question is open for 25 s.
  });

  test('where the keyring dies before a refresh the refresh token is not spent, and later it is', async () => {
    const source = await signInExpired(openStore());
    process.kill(await session.daemon(), 'SIGKILL');
    await expect(source.getAccessToken()).rejects.toMatchObject({ code: 'ERR_STORE_FAILED' });
    expect(server.presentations).toEqual([]);

    await session.replace();
    expect(server.isAccessTokenValid(await source.getAccessToken())).toBe(true);
    expect(server.reuses).toEqual([]);
  });

  test('where the keyring dies during the exchange, what the server gave is served, and stored once it is back', async () => {
    const store = openStore();
    const source = await signInExpired(store);
    server.next({ hold: 'answer' });
    const taken = source.getAccessToken();
    while (server.presentations.length === 0) await setTimeout(5);
    process.kill(await session.daemon(), 'SIGKILL');
    server.release();
    expect(server.isAccessTokenValid(await taken)).toBe(true);
    expect(source.status().durability).toBe('dirty');

    await session.replace();
    // The write that waits for the keyring that died is given up first.
    const flushes = (): Promise<boolean> =>
      source.flush().then(
        () => true,
        () => false,
      );
    while (!(await flushes()));
    const stored = await openStore().read('default');
    expect(stored?.tokens?.refresh_token).toBe(server.exchanges[0]?.issued?.refresh_token);
  });

  test('a call whose helper is killed is an error, and the next one has another helper', async () => {
    const store = openStore();
    await store.write('default', recordOf(1), undefined);
    const [pid] = helpers();
    process.kill(pid!, 'SIGSTOP');
    const reading = store.read('default');
    process.kill(pid!, 'SIGKILL');
    await expect(reading).rejects.toMatchObject({ message: expect.stringMatching(/ended.*try again/) });
    expect(await store.read('default')).toEqual(recordOf(1));
  });

  test('a helper that is stopped makes calls fail in time, and another takes its place', async () => {
    const store = openStore();
    await store.write('default', recordOf(1), undefined);
    const [pid] = helpers();
    process.kill(pid!, 'SIGSTOP');
    await expect(store.read('default')).rejects.toMatchObject({
      message: expect.stringMatching(/did not answer/),
    });
    expect(await store.read('default')).toEqual(recordOf(1));
  });

  test('many accounts need few connections', async () => {
    const store = openStore();
    for (let i = 0; i < 200; i += 1) await store.read(`account-${i}`);
    const [pid] = helpers();
    expect(readdirSync(`/proc/${pid}/fd`).length).toBeLessThan(80);
  });

  test('neither names nor contents of entries are in a lock file', async () => {
    await openStore('a secret service').write('ann', recordOf(1), undefined);
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
