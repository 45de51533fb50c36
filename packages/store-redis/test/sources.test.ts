import { afterEach, beforeEach, expect, test } from '@jest/globals';
import {
  createTokenSource,
  type RefreshFunction,
  type TokenEvent,
  type TokenSource,
  type TokenSourceOptions,
} from '@unexpired/core';
import { createAuthorizationServer, type AuthorizationServer } from '@unexpired/testing';
import { describeRedis } from './redis-server.ts';
import { HASTY, openScene, patient, type Scene } from './scene.ts';

const RECORD = 'app:{default}:record';

let scene: Scene;
let server: AuthorizationServer;
let sources: TokenSource[];
let events: TokenEvent[];
/** What happens at Redis while the refresh token is at the server. */
let during: () => unknown;

const refresh: RefreshFunction = async ({ refreshToken = '' }) => {
  const body = new URLSearchParams({
    grant_type: 'refresh_token',
    refresh_token: refreshToken,
    client_id: 'cli',
  });
  const response = await fetch(server.tokenEndpoint, { method: 'POST', body });
  await during();
  return response;
};

function createSource(store: Scene['store'], options: Partial<TokenSourceOptions> = {}): TokenSource {
  const source = createTokenSource({ origins: ['https://api.example.com'], refresh, store, ...options });
  source.subscribe((event) => void events.push(event));
  sources.push(source);
  return source;
}

/** Another process is in this account's section until what is returned is called. */
async function hold(account: string): Promise<() => Promise<void>> {
  const leaving = Promise.withResolvers<void>();
  const entered = Promise.withResolvers<void>();
  const stay = (): Promise<void> => (entered.resolve(), leaving.promise);
  const holding = scene.other.runExclusive(account, stay, patient);
  await entered.promise;
  return () => (leaving.resolve(), holding);
}

function happened(source: TokenSource, type: TokenEvent['type']): Promise<void> {
  return new Promise((resolve) => {
    const stop = source.subscribe((event) => {
      if (event.type !== type) return;
      stop();
      resolve();
    });
  });
}

const failuresOf = (all: readonly TokenEvent[]): unknown[] =>
  all.flatMap((event) => (event.type === 'persist-failed' ? [event.during] : []));

describeRedis('a token source over Redis', () => {
  beforeEach(async () => {
    scene = await openScene({ times: HASTY });
    server = await createAuthorizationServer();
    sources = [];
    events = [];
    during = () => undefined;
    await createSource(scene.other).signIn({ ...(await server.signIn()), expires_in: 0 });
  });

  afterEach(async () => {
    scene.server.resume();
    await Promise.all(sources.map((source) => source.close()));
    await server.close();
    await scene.close();
  });

  test.each(['required', 'best-effort'] as const)(
    'spends nothing while Redis is halted, with persistence %j',
    async (persistence) => {
      const source = createSource(scene.store, { persistence });
      scene.server.pause();

      await expect(source.getAccessToken()).rejects.toMatchObject({ code: 'ERR_STORE_FAILED' });

      expect(server.presentations).toEqual([]);
      scene.server.resume();
    },
  );

  test('spends nothing where the claim cannot be written', async () => {
    const { store } = scene;
    const cutOff = {
      ...store,
      write: (...call: Parameters<typeof store.write>) => (scene.proxy.cut(), store.write(...call)),
    };

    await expect(createSource(cutOff).getAccessToken()).rejects.toMatchObject({ code: 'ERR_STORE_FAILED' });

    expect(failuresOf(events)).toEqual(['claim']);
    expect(server.presentations).toEqual([]);
    scene.proxy.mend();
  });

  test.each(['required', 'best-effort'] as const)(
    'spends nothing where Redis is cut off after the claim, with persistence %j',
    async (persistence) => {
      const { store } = scene;
      const cutOff: Scene['store'] = {
        ...store,
        async write(...call) {
          const written = await store.write(...call);
          scene.proxy.cut();
          return written;
        },
      };

      const failing = createSource(cutOff, { persistence }).getAccessToken();

      await expect(failing).rejects.toMatchObject({ code: 'ERR_REFRESH_FAILED' });
      expect(server.presentations).toEqual([]);
      scene.proxy.mend();
    },
  );

  test('tells its caller what Redis said', async () => {
    await scene.command('ACL', 'SETUSER', 'default', '-eval');

    const failing = createSource(scene.store).getAccessToken();

    await expect(failing).rejects.toMatchObject({
      code: 'ERR_STORE_FAILED',
      message: expect.stringMatching(/^Redis could not be used: NOPERM/),
    });
  });

  test('goes on without a claim, says so and writes the tokens later, with best effort', async () => {
    const { store } = scene;
    let isMended = false;
    const source = createSource(
      {
        ...store,
        async write(...call) {
          if (!isMended) await scene.command('CONFIG', 'SET', 'maxmemory', '1');
          return store.write(...call);
        },
      },
      { persistence: 'best-effort' },
    );

    const token = await source.getAccessToken();

    expect(server.isAccessTokenValid(token)).toBe(true);
    expect(failuresOf(events)).toContain('claim');
    expect(source.status().durability).toBe('dirty');
    const persisted = happened(source, 'persisted');
    isMended = true;
    await scene.command('CONFIG', 'SET', 'maxmemory', '0');
    await persisted;
    expect((await scene.other.read('default'))?.tokens?.access_token).toBe(token);
  });

  test('keeps what it got while Redis was cut off, and writes it later', async () => {
    during = () => scene.proxy.cut();
    const source = createSource(scene.store);

    const token = await source.getAccessToken();

    expect(server.isAccessTokenValid(token)).toBe(true);
    expect(source.status().durability).toBe('dirty');
    const persisted = happened(source, 'persisted');
    scene.proxy.mend();
    await persisted;
    expect((await scene.other.read('default'))?.tokens?.access_token).toBe(token);
    expect(await createSource(scene.other).getAccessToken()).toBe(token);
    expect(server.reuses).toEqual([]);
  });

  test('does not bring back what was flushed', async () => {
    during = () => scene.command('FLUSHALL');
    const source = createSource(scene.store);

    await source.getAccessToken().catch(() => undefined);
    await source.flush();

    expect(await scene.other.read('default')).toBeUndefined();
    expect(source.status().health).toBe('signed-out');
  });

  test('stores its newest tokens again over a record that a failover set back', async () => {
    const source = createSource(scene.store);
    await scene.command('COPY', RECORD, '{default}:before');
    const token = await source.getAccessToken();
    await scene.command('COPY', '{default}:before', RECORD, 'REPLACE');
    expect((await scene.other.read('default'))?.generation).toBe(1);

    // What another writes leads to a read.
    await scene.command('PUBLISH', 'app:hints', 'changed default another');
    while ((await scene.other.read('default'))?.generation === 1);
    expect((await scene.other.read('default'))?.tokens?.access_token).toBe(token);
    expect(await source.getAccessToken()).toBe(token);

    const sent = (await source.authorize({ url: 'https://api.example.com', method: 'GET' }))!;
    const refusal = { url: 'https://api.example.com', status: 401, header: () => undefined };
    await source.reauthorize(sent, refusal, { replayable: true });

    expect((await scene.other.read('default'))?.generation).toBe(3);
    expect(server.reuses).toEqual([]);
  });

  test('fails in a bounded time where another never leaves, and spends nothing', async () => {
    const leave = await hold('default');

    const waiting = createSource(scene.store, { limits: { lockMs: 500 } }).getAccessToken();

    await expect(waiting).rejects.toMatchObject({ code: 'ERR_LOCK_TIMEOUT' });
    expect(server.presentations).toEqual([]);
    await leave();
  });

  test('keeps what fails of one account away from the others over the same Redis', async () => {
    const accounts = Array.from({ length: 50 }, (_, index) => `tenant ${index}`);
    const [held, revoked, ...others] = accounts;
    for (const account of accounts) {
      const given = await server.signIn({ account });
      if (account === revoked) server.revokeGrant(given.refresh_token!);
      await createSource(scene.other, { account }).signIn({ ...given, expires_in: 0 });
    }
    const leave = await hold(held!);
    const limits = { lockMs: 3000 };
    const asking = accounts.map((account) => createSource(scene.store, { account, limits }).getAccessToken());

    const [late, refused, ...tokens] = await Promise.allSettled(asking);

    expect(late).toMatchObject({ reason: { code: 'ERR_LOCK_TIMEOUT' } });
    expect(refused).toMatchObject({ reason: { code: 'ERR_REAUTHENTICATION_REQUIRED' } });
    const values = tokens.map((token) => (token.status === 'fulfilled' ? token.value : token.reason));
    expect(values.map((value) => server.isAccessTokenValid(value))).toEqual(others.map(() => true));
    expect(new Set(values).size).toBe(others.length);
    expect(server.reuses).toEqual([]);
    await leave();
  });

  test('signs in over a record that cannot be read', async () => {
    await scene.command('SET', 'app:{default}:record', 'no record');
    const source = createSource(scene.store);
    await expect(source.getAccessToken()).rejects.toMatchObject({ code: 'ERR_STORE_FAILED' });

    const given = await server.signIn();
    await source.signIn(given);

    expect((await scene.other.read('default'))?.tokens?.access_token).toBe(given.access_token);
    expect(await scene.command('GET', 'app:{default}:aside')).toBe('no record');
  });

  test('does not sign in twice where the answer to the first write was lost', async () => {
    const source = createSource(scene.store);
    const given = { ...(await server.signIn()), expires_in: 0 };
    const { store } = scene;
    await store.read('default');
    scene.proxy.hold('from-redis');
    const signing = source.signIn(given).catch((error: unknown) => error);
    await signing;
    scene.proxy.release();
    await source.flush().catch(() => undefined);

    const other = createSource(scene.other);
    await other.getAccessToken();
    await source.getAccessToken();

    expect(server.reuses).toEqual([]);
  });
});
