import { createHash } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { createPlace } from './place.ts';
import {
  answer,
  createAgedScene,
  createScene,
  DUE_MS,
  errorOf,
  EXPIRED_MS,
  oauthError,
  settled,
  tokens,
} from './scene.ts';

const fingerprint = (token: string): string => createHash('sha256').update(token).digest('hex').slice(0, 12);

test('before the first call nothing is known', () => {
  const { source } = createScene();

  expect(source.status()).toEqual({
    accessToken: 'none',
    refreshing: false,
    health: 'ok',
    durability: 'clean',
    expiresAt: undefined,
    generation: 0,
    fingerprint: undefined,
    retryAt: undefined,
    lastError: undefined,
  });
});

test('a fresh token shows its expiry, generation and fingerprint', async () => {
  const { source, clock } = createScene();
  const begun = clock.now();
  await source.getAccessToken();

  expect(source.status()).toEqual({
    accessToken: 'fresh',
    refreshing: false,
    health: 'ok',
    durability: 'clean',
    expiresAt: begun + 3_600_000,
    generation: 1,
    fingerprint: fingerprint('access-1'),
    retryAt: undefined,
    lastError: undefined,
  });
});

test('the status is frozen, and the same object until something changes', async () => {
  const { source, clock, refresh } = await createAgedScene(0);
  const status = source.status();

  expect(Object.isFrozen(status)).toBe(true);
  await clock.advance(1000);
  await source.getAccessToken();
  expect(source.status()).toBe(status);

  await clock.advance(DUE_MS);
  const due = source.status();
  expect(due).not.toBe(status);
  expect(source.status()).toBe(due);
  refresh.next(answer('', 429, { 'Retry-After': '300' }));
  await source.getAccessToken();
  await settled(clock, source.flush());
  const backingOff = source.status();
  expect(backingOff.health).toBe('backing-off');
  await clock.advance(10_000);
  expect(source.status()).toBe(backingOff);
});

test('a token that turns from fresh to due to expired says so', async () => {
  const { source, clock } = createScene();
  await source.getAccessToken();

  const seen = [source.status().accessToken];
  for (const ms of [DUE_MS, EXPIRED_MS - DUE_MS]) {
    await clock.advance(ms);
    seen.push(source.status().accessToken);
  }
  expect(seen).toEqual(['fresh', 'due', 'expired']);
});

test('a refused token counts as expired while its replacement is fetched', async () => {
  const { source, refresh } = await createAgedScene(0);
  const exchange = Promise.withResolvers<ReturnType<typeof tokens>>();
  refresh.next(() => exchange.promise);
  const sent = source.authorize({ url: 'https://api.example.com', method: 'GET' });
  const replaying = source.reauthorize(
    (await sent)!,
    { url: undefined, status: 401, header: () => undefined },
    { replayable: true },
  );
  await Promise.resolve();

  expect(source.status()).toMatchObject({ accessToken: 'expired' });
  exchange.resolve(tokens(2));
  await replaying;
  expect(source.status()).toMatchObject({ accessToken: 'fresh', generation: 2 });
});

test.each([
  [oauthError('server_error', 503), 'backing-off', 'ERR_REFRESH_FAILED'],
  [answer('', 401), 'rejected', 'ERR_REFRESH_REJECTED'],
  [oauthError('invalid_grant'), 'signed-out', 'ERR_REAUTHENTICATION_REQUIRED'],
  [oauthError('token_expired', 401), 'signed-out', 'ERR_REAUTHENTICATION_REQUIRED'],
  [oauthError('account_suspended', 403), 'disabled', 'ERR_ACCOUNT_DISABLED'],
  [oauthError('invalid_client', 401), 'misconfigured', 'ERR_MISCONFIGURED'],
] as const)('health after failure %# is %s', async (step, health, code) => {
  let draw = 0;
  const { source, refresh, clock } = await createAgedScene(EXPIRED_MS, { random: () => draw });
  refresh.always(() => {
    draw = refresh.calls.length === 3 ? 0.5 : 0;
    return step({} as never);
  });

  await settled(clock, errorOf(source.getAccessToken()));

  expect(source.status()).toMatchObject({ health, lastError: { code } });
});

test('durability tells clean from dirty from unreadable', async () => {
  const place = createPlace();
  const { source, clock } = await createAgedScene(EXPIRED_MS, { store: place.open() });
  expect(source.status().durability).toBe('clean');
  place.before = (call, record) => {
    if (call === 'write' && record?.claim === undefined) throw new Error('disk full');
  };
  await source.getAccessToken();
  expect(source.status().durability).toBe('dirty');
  place.before = () => undefined;
  await source.flush();
  place.before = (call) => {
    if (call === 'read') throw new Error('busy');
  };
  await clock.advance(EXPIRED_MS);
  await errorOf(source.getAccessToken());
  expect(source.status().durability).toBe('unreadable');
});

test('refreshing is true from the start of a flight to its end', async () => {
  const { source, refresh } = await createAgedScene(DUE_MS);
  const exchange = Promise.withResolvers<ReturnType<typeof tokens>>();
  refresh.next(() => exchange.promise);

  await source.getAccessToken();
  expect(source.status().refreshing).toBe(true);
  exchange.resolve(tokens(2));
  await source.flush();

  expect(source.status().refreshing).toBe(false);
});
