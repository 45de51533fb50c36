import { expect, test } from '@jest/globals';
import {
  createMemoryStore,
  createTokenSource,
  type RefreshFunction,
  type TokenEvent,
  type TokenSourceOptions,
} from '@unexpired/core';
import { createFakeClock } from '@unexpired/testing';
import { createPlace } from './place.ts';
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
  refuse,
  scriptedRefresh,
  settled,
  tokens,
} from './scene.ts';

/** Two sources over one store and account. */
async function createPair(
  ageMs: number,
  { one = {}, two = {} }: { one?: Partial<TokenSourceOptions>; two?: Partial<TokenSourceOptions> } = {},
) {
  const store = createMemoryStore();
  const clock = createFakeClock();
  const refresh = scriptedRefresh();
  const create = (more: Partial<TokenSourceOptions>) =>
    createTokenSource({ origins: [API], refresh, store, clock, random: () => 0, tokens: tokens(1), ...more });
  const sources = [create(one), create(two)] as const;
  await Promise.all(sources.map((source) => source.getAccessToken()));
  await clock.advance(ageMs);
  return { sources, clock, refresh, store, create };
}

test('sources over one store and account share the tokens and the flight', async () => {
  const { sources, refresh } = await createPair(EXPIRED_MS);
  const [one, two] = sources;

  const taken = await Promise.all([one, two, one, two].map((source) => source.getAccessToken()));

  expect(new Set(taken)).toEqual(new Set(['access-2']));
  expect(refresh.calls).toHaveLength(1);
  expect(one.status()).toEqual(two.status());
});

test('sources over one store share the gate', async () => {
  const { sources, refresh } = await createPair(EXPIRED_MS);
  const [one, two] = sources;
  refresh.always(oauthError('invalid_grant'));
  await errorOf(one.getAccessToken());

  expect(await errorOf(two.getAccessToken())).toMatchObject({ code: 'ERR_REAUTHENTICATION_REQUIRED' });
  expect(refresh.calls).toHaveLength(1);
});

test('sources over one store share the gates of origins', async () => {
  const { sources, refresh } = await createPair(0);
  const [one, two] = sources;
  const replay = await refuse(one, await authorize(one));
  one.settled(replay!, 401);

  expect(await refuse(two, await authorize(two))).toBeUndefined();
  expect(refresh.calls).toHaveLength(1);
});

test('a sign-in through one source is the other one’s too', async () => {
  const { sources } = await createPair(0);
  const [one, two] = sources;

  await one.signIn(tokens(5));

  expect(await headerFrom(two)).toBe('Bearer access-5');
});

test('origins, fallback and timing are each source’s own', async () => {
  const other = 'https://other.example.com';
  const { sources, refresh, clock } = await createPair(20 * 60_000, {
    one: { fallback: 'one-key', timing: { ttlThresholdMs: 30 * 60_000 } },
    two: { origins: [other], fallback: 'two-key', timing: { ttlThresholdMs: 60_000 } },
  });
  const [one, two] = sources;

  expect(one.authorize({ url: other, method: 'GET' })).toBeUndefined();
  expect(two.authorize({ url: API, method: 'GET' })).toBeUndefined();
  await clock.advance(11 * 60_000);
  expect([one.status().accessToken, two.status().accessToken]).toEqual(['due', 'fresh']);
  await two.getAccessToken();
  expect(refresh.calls).toHaveLength(0);

  await one.signOut();
  expect(await headerFrom(one)).toBe('Bearer one-key');
  expect((await authorize(two, { url: other })).headers['authorization']).toBe('Bearer two-key');
});

test('the refresh function is that of the source that starts the flight', async () => {
  const calls: string[] = [];
  const named =
    (name: string): RefreshFunction =>
    () => {
      calls.push(name);
      return tokens(2);
    };
  const { sources } = await createPair(EXPIRED_MS, {
    one: { refresh: named('one') },
    two: { refresh: named('two') },
  });
  const [one, two] = sources;

  await Promise.all([two.getAccessToken(), one.getAccessToken()]);

  expect(calls).toEqual(['two']);
});

test('every source is told of the events of the account', async () => {
  const told: [TokenEvent[], TokenEvent[]] = [[], []];
  const { sources } = await createPair(EXPIRED_MS, {
    one: { onEvent: (event) => void told[0].push(event) },
    two: { onEvent: (event) => void told[1].push(event) },
  });

  await sources[0].getAccessToken();

  for (const events of told) {
    expect(events.filter(({ type }) => type === 'refreshed')).toHaveLength(1);
  }
});

test('one listener given to two sources is called for each, and goes with each', async () => {
  const told: string[] = [];
  const onEvent = ({ type }: TokenEvent): void => void told.push(type);
  const { sources } = await createPair(0, { one: { onEvent }, two: { onEvent } });
  told.length = 0;

  await sources[1].close();
  await sources[0].signIn(tokens(2));

  expect(told.filter((type) => type === 'signed-in')).toHaveLength(1);
});

test('a closed source leaves the others their state', async () => {
  const { sources, refresh } = await createPair(EXPIRED_MS);
  const [one, two] = sources;
  await one.close();

  expect(await two.getAccessToken()).toBe('access-2');
  expect(await errorOf(one.getAccessToken())).toMatchObject({ code: 'ERR_MISCONFIGURED' });
  expect(refresh.calls).toHaveLength(1);
});

test('a source that is closed while its flight runs leaves the flight to the others', async () => {
  const { sources, refresh } = await createPair(EXPIRED_MS);
  const [one, two] = sources;
  const exchange = Promise.withResolvers<ReturnType<typeof tokens>>();
  refresh.next(() => exchange.promise);
  const taking = [one.getAccessToken(), two.getAccessToken()];
  await one.close();
  exchange.resolve(tokens(2));

  expect(await Promise.all(taking)).toEqual(['access-2', 'access-2']);
});

test('the last source’s end is the end of the shared state: the next one reads the store', async () => {
  const { sources, create, refresh } = await createPair(EXPIRED_MS);
  refresh.always(oauthError('account_deleted'));
  await errorOf(sources[0].getAccessToken());
  await sources[0].close();
  await sources[1].close();
  refresh.always(undefined);

  expect(await create({ tokens: undefined }).getAccessToken()).toBe('access-2');
});

test('closing the last source lets the running refresh end and stores its tokens', async () => {
  const store = createMemoryStore();
  const { source, refresh } = await createAgedScene(DUE_MS, { store });
  const exchange = Promise.withResolvers<ReturnType<typeof tokens>>();
  refresh.next(() => exchange.promise);
  await source.getAccessToken();

  const closing = source.close();
  exchange.resolve(tokens(2));
  await closing;

  expect(await store.read('default')).toMatchObject({ generation: 2 });
});

test('accounts of one store share nothing', async () => {
  const { sources, refresh, create } = await createPair(EXPIRED_MS);
  const other = create({ account: 'other', tokens: tokens(50) });
  refresh.next(oauthError('account_deleted'));
  await errorOf(sources[0].getAccessToken());

  expect(await other.getAccessToken()).toBe('access-50');
  await other.signOut();
  await sources[0].signIn(tokens(3));
  expect(await sources[1].getAccessToken()).toBe('access-3');
  expect(other.status().health).toBe('signed-out');
});

test('stores of one process share nothing', async () => {
  const [one, two] = [createScene(), createScene({ tokens: tokens(2) })];

  expect(await one.source.getAccessToken()).toBe('access-1');
  expect(await two.source.getAccessToken()).toBe('access-2');
});

const bound = (clientId: string, issuer = 'https://id.example.com'): RefreshFunction =>
  Object.assign(() => tokens(2), { binding: { issuer, clientId } });

test.each([
  ['clients', bound('one'), bound('two')],
  ['issuers', bound('one'), bound('one', 'https://other.example.com')],
])('two live sources of different %s over one account are a TypeError', (_, one, two) => {
  const store = createMemoryStore();
  createTokenSource({ origins: [API], store, refresh: one });

  expect(() => createTokenSource({ origins: [API], store, refresh: two })).toThrow(TypeError);
  expect(() => createTokenSource({ origins: [API], store, refresh: two })).toThrow(
    /`refresh`.*'default'.*`account`/,
  );
  // Another account, an equal binding and a function without one are welcome.
  createTokenSource({ origins: [API], store, refresh: two, account: 'other' });
  createTokenSource({ origins: [API], store, refresh: bound('one') });
  createTokenSource({ origins: [API], store, refresh: () => tokens(2) });
});

test('a binding ends with the last source over its account', async () => {
  const store = createMemoryStore();
  await createTokenSource({ origins: [API], store, refresh: bound('one') }).close();

  createTokenSource({ origins: [API], store, refresh: bound('two') });
});

test('100 accounts that are idle leave no timer behind', async () => {
  const clock = createFakeClock();
  const store = createMemoryStore();
  const sources = Array.from({ length: 100 }, (_, i) =>
    createTokenSource({
      origins: [API],
      refresh: () => tokens(2),
      store,
      clock,
      account: `account-${i}`,
      tokens: tokens(1),
    }),
  );

  await Promise.all(sources.map((source) => source.getAccessToken()));
  await clock.advance(EXPIRED_MS);
  await Promise.all(sources.map((source) => source.getAccessToken()));

  expect(clock.pendingTimers).toBe(0);
});

test('a failed flight leaves no timer behind', async () => {
  const scene = await createAgedScene(EXPIRED_MS);
  scene.refresh.always(notSent);

  await settled(scene.clock, errorOf(scene.source.getAccessToken()));

  expect(scene.clock.pendingTimers).toBe(0);
});

test('tokens that a source brings after another without any has failed are used and stored', async () => {
  const place = createPlace();
  const store = place.open();
  const one = createScene({ store, tokens: undefined });
  one.refresh.next(lostAnswer, lostAnswer, lostAnswer);
  await settled(one.clock, errorOf(one.source.getAccessToken()));
  expect(place.record?.claim).toBeDefined();

  const two = createScene({ store, clock: one.clock });

  expect(await two.source.getAccessToken()).toBe('access-1');
  expect(two.source.status()).toMatchObject({ health: 'ok', durability: 'clean' });
  expect(place.record?.tokens).toMatchObject({ refresh_token: 'refresh-1' });
});
