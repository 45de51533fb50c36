import { expect, test } from '@jest/globals';
import { createTokenSource } from '@unexpired/core';
import {
  API,
  authorize,
  createAgedScene,
  createScene,
  DUE_MS,
  errorOf,
  EXPIRED_MS,
  headerFrom,
  lostAnswer,
  notSent,
  oauthError,
  scriptedRefresh,
  settled,
  tokens,
} from './scene.ts';

test('a fresh token is returned without a refresh', async () => {
  const { source, refresh } = await createAgedScene(DUE_MS - 2);

  expect(await source.getAccessToken()).toBe('access-1');
  expect(refresh.calls).toHaveLength(0);
  expect(source.status()).toMatchObject({ accessToken: 'fresh', refreshing: false });
});

test('the first tokens age from when they were given, not from the first call', async () => {
  const { source, clock, refresh } = createScene();

  await clock.advance(EXPIRED_MS);

  expect(await source.getAccessToken()).toBe('access-2');
  expect(refresh.calls).toHaveLength(1);
});

test('a fresh token is authorized synchronously, with the same object until the token changes', async () => {
  const { source } = await createAgedScene(0);
  const request = { url: `${API}/items`, method: 'GET' };

  const first = source.authorize(request);

  expect(first).not.toBeInstanceOf(Promise);
  expect(source.authorize({ ...request, url: new URL(`${API}/other`) })).toBe(first);
  await source.signIn(tokens(2));
  expect(source.authorize(request)).not.toBe(first);
});

test('a due token is returned at once while one refresh runs behind it', async () => {
  const { source, refresh } = await createAgedScene(DUE_MS);
  const exchange = Promise.withResolvers<ReturnType<typeof tokens>>();
  refresh.next(() => exchange.promise);

  const taken = await Promise.all(Array.from({ length: 100 }, () => source.getAccessToken()));

  expect(new Set(taken)).toEqual(new Set(['access-1']));
  expect(source.authorize({ url: API, method: 'GET' })).not.toBeInstanceOf(Promise);
  expect(source.status()).toMatchObject({ accessToken: 'due', refreshing: true });
  exchange.resolve(tokens(2));
  await source.flush();
  expect(await source.getAccessToken()).toBe('access-2');
  expect(refresh.calls).toHaveLength(1);
});

test.each([
  ['never answers', () => new Promise<never>(() => undefined)],
  ['cannot be reached', notSent],
  ['loses its answer', lostAnswer],
  ['is overloaded', oauthError('temporarily_unavailable', 503)],
  ['refuses the refresh token', oauthError('invalid_grant')],
  ['closed the account', oauthError('account_suspended', 403)],
  ['does not know the client', oauthError('invalid_client', 401)],
  ['answers nonsense', () => ({ nothing: 'here' })],
  [
    'throws at once',
    () => {
      throw new Error('broken');
    },
  ],
])('no caller waits for a due token when the token endpoint %s', async (_, step) => {
  const { source, refresh, clock } = await createAgedScene(DUE_MS);
  refresh.always(step);

  for (let minute = 0; minute < 13; minute += 1) {
    expect(source.authorize({ url: API, method: 'GET' })).not.toBeInstanceOf(Promise);
    expect(await source.getAccessToken()).toBe('access-1');
    await clock.advance(60_000);
  }
  expect(refresh.calls.length).toBeGreaterThan(0);
});

test('an expired token is waited for', async () => {
  const { source, refresh } = await createAgedScene(EXPIRED_MS);
  expect(source.status()).toMatchObject({ accessToken: 'expired', refreshing: false });

  expect(await source.getAccessToken()).toBe('access-2');

  expect(refresh.calls).toHaveLength(1);
  expect(refresh.calls[0]).toMatchObject({ refreshToken: 'refresh-1', attempt: 1 });
  expect(await headerFrom(source)).toBe('Bearer access-2');
});

test('a token without a known lifetime is used until a resource server refuses it', async () => {
  const { source, refresh } = await createAgedScene(400 * 24 * 3_600_000, {
    tokens: { access_token: 'access-1', refresh_token: 'refresh-1' },
  });

  expect(await source.getAccessToken()).toBe('access-1');
  expect(source.status()).toMatchObject({ accessToken: 'fresh', expiresAt: undefined });
  expect(refresh.calls).toHaveLength(0);
});

test('tokens of one second are kept fresh, one refresh for each', async () => {
  const { source, refresh, clock } = createScene({ tokens: tokens(1, { expires_in: 1 }) });
  let generation = 1;
  refresh.always(() => tokens((generation += 1), { expires_in: 1 }));

  for (let tick = 0; tick < 100; tick += 1) {
    await source.getAccessToken();
    await clock.advance(100);
  }

  expect(source.status().accessToken).not.toBe('expired');
  // Ten seconds, and each token is refreshed in the background after three quarters of its life.
  expect(refresh.calls.length).toBeGreaterThanOrEqual(10);
  expect(refresh.calls.length).toBeLessThanOrEqual(14);
});

test.each([0, -5, '0'])('an exchange that answers expires_in %p makes nobody spin', async (expiresIn) => {
  const { source, refresh } = await createAgedScene(EXPIRED_MS);
  refresh.always(() => tokens(2, { expires_in: expiresIn }));

  await source.getAccessToken();
  await source.getAccessToken();

  expect(refresh.calls).toHaveLength(1);
});

test('a refresh token alone is enough to begin with', async () => {
  const { source, refresh } = createScene({ tokens: { refresh_token: 'refresh-1' } });

  expect(await source.getAccessToken()).toBe('access-2');
  expect(refresh.calls[0]?.refreshToken).toBe('refresh-1');
});

test('with nothing stored and nothing given, the refresh function is called without a refresh token', async () => {
  const { source, refresh } = createScene({ tokens: undefined });

  expect(await source.getAccessToken()).toBe('access-2');
  expect(refresh.calls[0]).toMatchObject({ refreshToken: undefined });
  expect(source.status().health).toBe('ok');
});

test('a minimum TTL above what is left is waited for', async () => {
  const { source, refresh } = await createAgedScene(60 * 60_000 - 20 * 60_000);

  expect(await source.getAccessToken({ minTtlMs: 19 * 60_000 })).toBe('access-1');
  expect(await source.getAccessToken({ minTtlMs: 21 * 60_000 })).toBe('access-2');
  expect(refresh.calls).toHaveLength(1);
});

test('a minimum TTL that no token can have counts for nine tenths, and never makes callers spin', async () => {
  const { source, refresh } = await createAgedScene(0);

  expect(await source.getAccessToken({ minTtlMs: 24 * 60 * 60_000 })).toBe('access-1');
  expect(refresh.calls).toHaveLength(0);
});

test('a token from the own exchange is returned even if it lives shorter than asked', async () => {
  const { source, refresh } = await createAgedScene(30 * 60_000);
  refresh.always(() => tokens(2, { expires_in: 1 }));

  expect(await source.getAccessToken({ minTtlMs: 45 * 60_000 })).toBe('access-2');
  expect(refresh.calls).toHaveLength(1);
});

test('a token that expired on its way is returned all the same, rather than asked for again', async () => {
  const { source, refresh, clock } = await createAgedScene(EXPIRED_MS);
  const exchange = Promise.withResolvers<ReturnType<typeof tokens>>();
  refresh.next(() => exchange.promise);
  const taking = source.getAccessToken();

  await clock.advance(8000);
  exchange.resolve(tokens(2, { expires_in: 5 }));

  expect(await settled(clock, taking)).toBe('access-2');
  expect(refresh.calls).toHaveLength(1);
});

test('a token that is usable is returned where the refresh for a minimum TTL fails', async () => {
  const { source, refresh, clock } = await createAgedScene(30 * 60_000);
  refresh.always(notSent);

  expect(await settled(clock, source.getAccessToken({ minTtlMs: 45 * 60_000 }))).toBe('access-1');
});

test('a body that cannot be sent twice gets a token that lives a minute, or a fifth of a short life', async () => {
  const hour = await createAgedScene(3_540_001 - 2, { timing: { leewayMs: 0, ttlThresholdMs: 0 } });
  expect(await hour.source.getAccessToken()).toBe('access-1');
  expect((await authorize(hour.source, { oneShot: true })).headers['authorization']).toBe('Bearer access-1');
  await hour.clock.advance(2);
  expect((await authorize(hour.source, { oneShot: true })).headers['authorization']).toBe('Bearer access-2');

  const short = await createAgedScene(8100, { tokens: tokens(1, { expires_in: 10 }) });
  expect(await headerFrom(short.source)).toBe('Bearer access-1');
  expect((await authorize(short.source, { oneShot: true })).headers['authorization']).toBe('Bearer access-2');
});

test('a day of a stepped wall clock and a night of sleep cost one exchange each at most', async () => {
  const { source, refresh, clock } = await createAgedScene(0);

  clock.step(24 * 3_600_000);
  await source.getAccessToken();
  await source.getAccessToken();
  expect(refresh.calls.length).toBeLessThanOrEqual(1);
  clock.step(-24 * 3_600_000);
  await source.getAccessToken();
  await source.getAccessToken();
  expect(refresh.calls.length).toBeLessThanOrEqual(2);
  clock.sleep(12 * 3_600_000);
  await source.getAccessToken();
  await source.getAccessToken();
  expect(refresh.calls.length).toBeLessThanOrEqual(3);
  expect(source.status().accessToken).not.toBe('expired');
});

test('a request to an origin that is not listed is left alone and told of once', async () => {
  const { source, events } = await createAgedScene(0);

  for (let i = 0; i < 3; i += 1) {
    expect(source.authorize({ url: 'https://other.example/x', method: 'GET' })).toBeUndefined();
  }
  expect(source.authorize({ url: `${API}.evil.example/`, method: 'GET' })).toBeUndefined();
  expect(source.authorize({ url: `${API}:8443/`, method: 'GET' })).toBeUndefined();
  expect(source.authorize({ url: API.replace('https', 'http'), method: 'GET' })).toBeUndefined();

  const told = events.filter(({ type }) => type === 'request-not-authorized');
  expect(told).toHaveLength(4);
  expect(told[0]).toMatchObject({ origin: 'https://other.example', reason: 'origin' });
});

test.each(['own-header', 'skip'] as const)(
  'a request that stands aside (%s) is told of once',
  async (why) => {
    const { source, events } = await createAgedScene(0);

    for (let i = 0; i < 3; i += 1) {
      expect(source.authorize({ url: API, method: 'GET', standAside: why })).toBeUndefined();
    }
    expect(events.filter(({ type }) => type === 'request-not-authorized')).toEqual([
      expect.objectContaining({ origin: API, reason: why }),
    ]);
  },
);

test('an access token that is bound to a proof key is not sent as a bearer token', async () => {
  const { source } = await createAgedScene(0, { tokens: tokens(1, { token_type: 'DPoP' }) });

  const error = await errorOf((async () => source.authorize({ url: API, method: 'GET' }))());

  expect(error).toMatchObject({ name: 'AccessTokenError', code: 'ERR_MISCONFIGURED' });
  expect(error.message).toContain('DPoP');
});

test('a closed source rejects every call', async () => {
  const { source } = await createAgedScene(0);
  await source.close();
  await source.close();

  const calls = [
    source.getAccessToken(),
    source.signIn(tokens(2)),
    source.signOut(),
    (async () => source.authorize({ url: API, method: 'GET' }))(),
  ];
  for (const call of calls) {
    expect(await errorOf(call)).toMatchObject({ code: 'ERR_MISCONFIGURED' });
  }
});

test('what `await using` calls closes a source', async () => {
  const source = createTokenSource({ origins: [API], refresh: scriptedRefresh(), tokens: tokens(1) });

  // Not by the declaration itself, whose syntax Node 22 does not know.
  await source[Symbol.asyncDispose]();

  expect(await errorOf(source.getAccessToken())).toMatchObject({ code: 'ERR_MISCONFIGURED' });
});
