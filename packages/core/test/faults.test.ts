import { afterEach, describe, expect, jest, test } from '@jest/globals';
import {
  createMemoryStore,
  createTokenSource,
  type TokenSource,
  type TokenSourceOptions,
} from '@unexpired/core';
import {
  createAuthorizationServer,
  createFakeClock,
  type AuthorizationServer,
  type FakeClock,
  type FirstTokens,
} from '@unexpired/testing';
import { createPlace } from './place.ts';
import {
  API,
  authorize,
  createAgedScene,
  DUE_MS,
  EXPIRED_MS,
  errorOf,
  oauthError,
  refreshAt,
  refuse,
  scriptedRefresh,
  settled,
  stateOf,
  tokens,
} from './scene.ts';

let server: AuthorizationServer | undefined;

afterEach(async () => {
  jest.restoreAllMocks();
  server?.release();
  await server?.close();
  server = undefined;
});

describe.each(['request', 'answer', 'body'] as const)('a token endpoint that stalls at the %s', (hold) => {
  async function openStalled(): Promise<{ clock: FakeClock; source: TokenSource; first: FirstTokens }> {
    const clock = createFakeClock();
    server = await createAuthorizationServer({ clock });
    const first = await server.signIn();
    const [refresh, limits] = [refreshAt(server), { exchangeMs: 1000 }];
    const source = createTokenSource({
      origins: [API],
      refresh,
      tokens: first,
      clock,
      limits,
      random: () => 0,
    });
    await source.getAccessToken();
    server.always({ hold });
    return { clock, source, first };
  }

  test('keeps nobody waiting whose access token is valid', async () => {
    const { clock, source, first } = await openStalled();
    await clock.advance(DUE_MS);

    const taken = [await source.getAccessToken()];
    await server!.requestArrived();
    taken.push(await source.getAccessToken());

    expect(taken).toEqual([first.access_token, first.access_token]);
  });

  test('fails the others once each attempt had its time', async () => {
    const { clock, source } = await openStalled();
    await clock.advance(EXPIRED_MS);

    const failing = errorOf(source.getAccessToken());
    for (let attempt = 1; attempt <= 3; attempt += 1) {
      await server!.requestArrived(attempt);
      expect(await stateOf(failing)).toBe('pending');
      await clock.advance(1000);
    }

    expect(await settled(clock, failing)).toMatchObject({ code: 'ERR_REFRESH_FAILED' });
    expect(server!.exchanges).toHaveLength(3);
  });
});

test('200 accounts behind one token endpoint that is down for a minute all recover, with few requests', async () => {
  const clock = createFakeClock();
  const store = createMemoryStore();
  const refresh = scriptedRefresh();
  let atOnce = 0;
  let most = 0;
  const counted: TokenSourceOptions['refresh'] = async (request) => {
    atOnce += 1;
    most = Math.max(most, atOnce);
    await Promise.resolve();
    atOnce -= 1;
    return refresh(request);
  };
  const sources = Array.from({ length: 200 }, (_, index) =>
    createTokenSource({
      origins: [API],
      refresh: counted,
      store,
      account: `account-${index}`,
      tokens: tokens(1, { expires_in: 0 }),
      clock,
      random: () => 0.5,
    }),
  );
  const ask = () => sources.map((source) => source.getAccessToken().then(Boolean, () => false));
  refresh.always(oauthError('temporarily_unavailable', 503));
  for (let second = 0; second < 60; second += 1) {
    void Promise.all(ask());
    await clock.advance(1000);
  }
  const during = refresh.calls.length;
  refresh.always(undefined);

  for (let second = 0; second < 120; second += 1) {
    void Promise.all(ask());
    await clock.advance(1000);
  }

  expect(await Promise.all(ask())).toEqual(Array.from({ length: 200 }, () => true));
  expect(during / 200).toBeLessThan(30);
  expect(refresh.calls.length - during).toBe(200);
  expect(most).toBeLessThanOrEqual(8);
});

test('an access token of sixty days, and a wait that no timer can hold, overflow no timer', async () => {
  const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
  const timers = jest.spyOn(globalThis, 'setTimeout');
  const days = 60 * 24 * 3600;
  const refresh = scriptedRefresh();
  refresh.next(() => tokens(2, { expires_in: days, refresh_in: days - 1 }));
  refresh.next(() =>
    Response.json({ error: 'slow_down' }, { status: 429, headers: { 'Retry-After': `${days}` } }),
  );
  const source = createTokenSource({ origins: [API], refresh, tokens: tokens(1, { expires_in: days }) });

  expect(await refuse(source, await authorize(source))).toBeDefined();
  await source.signIn(tokens(3, { expires_in: 0 }));
  await errorOf(source.getAccessToken());
  await source.close();

  expect(timers).toHaveBeenCalled();
  for (const [, ms = 0] of timers.mock.calls) expect(ms).toBeLessThan(2 ** 31);
  expect(warn).not.toHaveBeenCalled();
});

test.each(['read', 'write'] as const)(
  'a store whose %s never answers is waited for 10 s, and nothing is spent',
  async (hanging) => {
    const place = createPlace();
    const { clock, refresh, source } = await createAgedScene(EXPIRED_MS, { store: place.open() });
    place.before = (call) => (call === hanging ? new Promise<never>(() => undefined) : undefined);

    const failing = errorOf(source.getAccessToken());
    await clock.advance(9999);
    expect(await stateOf(failing)).toBe('pending');
    await clock.advance(1);

    expect(await failing).toMatchObject({ code: 'ERR_STORE_FAILED' });
    expect(refresh.calls).toHaveLength(0);
  },
);
