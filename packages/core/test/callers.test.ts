import { expect, test } from '@jest/globals';
import { createPlace } from './place.ts';
import {
  answer,
  API,
  authorize,
  createAgedScene,
  createScene,
  DUE_MS,
  errorOf,
  EXPIRED_MS,
  oauthError,
  refuse,
  stateOf,
  tokens,
  type Scene,
} from './scene.ts';

/** A scene whose exchange waits for the test. */
async function createHeldScene(
  ageMs = EXPIRED_MS,
  options: Parameters<typeof createScene>[0] = {},
): Promise<Scene & { readonly exchange: PromiseWithResolvers<ReturnType<typeof tokens>> }> {
  const scene = await createAgedScene(ageMs, options);
  const exchange = Promise.withResolvers<ReturnType<typeof tokens>>();
  scene.refresh.next(() => exchange.promise);
  return { ...scene, exchange };
}

test('an abort ends one caller’s wait at once with its reason, and nobody else’s', async () => {
  const { source, exchange, refresh } = await createHeldScene();
  const leaving = new AbortController();
  const first = errorOf(source.getAccessToken({ signal: leaving.signal }));
  const others = [source.getAccessToken(), source.getAccessToken()];
  const reason = new Error('the user left');

  leaving.abort(reason);

  expect(await first).toBe(reason);
  expect(await stateOf(others[0]!)).toBe('pending');
  exchange.resolve(tokens(2));
  expect(await Promise.all(others)).toEqual(['access-2', 'access-2']);
  expect(refresh.calls).toHaveLength(1);
});

test('an abort is noticed by requests of adapters too', async () => {
  const { source, exchange } = await createHeldScene();
  const leaving = new AbortController();
  const waiting = errorOf(authorize(source, { signal: leaving.signal }));

  leaving.abort(new Error('left'));

  expect(await waiting).toMatchObject({ message: 'left' });
  exchange.resolve(tokens(2));
});

test('when all who waited have left, no timer keeps the process alive, and who comes next waits anew', async () => {
  const { source, clock, exchange, refresh } = await createHeldScene();
  const leaving = [new AbortController(), new AbortController()];
  const waiting = leaving.map(({ signal }) => errorOf(source.getAccessToken({ signal })));
  await clock.advance(0);
  const timers = clock.pendingTimers;

  leaving[0]!.abort();
  await waiting[0];
  expect(clock.pendingTimers).toBe(timers);
  leaving[1]!.abort();
  await waiting[1];
  expect(clock.pendingTimers).toBe(timers - 1);
  const next = source.getAccessToken();
  expect(clock.pendingTimers).toBe(timers);

  exchange.resolve(tokens(2));
  expect(await next).toBe('access-2');
  expect(refresh.calls).toHaveLength(1);
});

test('who comes in the moment in which the last has left is not taken along', async () => {
  const { source, exchange } = await createHeldScene();
  const leaving = new AbortController();
  const first = errorOf(source.getAccessToken({ signal: leaving.signal }));

  leaving.abort(new Error('left'));
  const next = source.getAccessToken();
  exchange.resolve(tokens(2));

  expect((await first).message).toBe('left');
  expect(await next).toBe('access-2');
});

test('a signal that is aborted already rejects before anything is started', async () => {
  const { source, refresh } = await createHeldScene();

  const error = await errorOf(source.getAccessToken({ signal: AbortSignal.abort(new Error('before')) }));

  expect(error.message).toBe('before');
  expect(refresh.calls).toHaveLength(0);
});

test('when every caller has left, the exchange still runs to its end', async () => {
  const place = createPlace();
  const { source, exchange, refresh, clock } = await createHeldScene(EXPIRED_MS, { store: place.open() });
  const leaving = new AbortController();
  const waiting = errorOf(source.getAccessToken({ signal: leaving.signal }));
  await clock.advance(0);

  leaving.abort(new Error('left'));
  await waiting;
  expect(refresh.calls[0]?.signal.aborted).toBe(false);
  exchange.resolve(tokens(2));
  await source.flush();

  expect(place.record).toMatchObject({ generation: 2 });
  expect(await source.getAccessToken()).toBe('access-2');
});

test('waitMs ends one caller’s wait, and the refresh goes on', async () => {
  const { source, exchange, clock, refresh } = await createHeldScene(EXPIRED_MS, {
    limits: { waitMs: 1000 },
  });
  const waiting = errorOf(source.getAccessToken());
  await clock.advance(500);
  const later = source.getAccessToken();
  await clock.advance(500);

  const error = await waiting;
  expect(error).toMatchObject({ code: 'ERR_WAIT_TIMEOUT', permanent: false });
  expect(error.message).toContain('`limits.waitMs`');
  expect(await stateOf(later)).toBe('pending');
  exchange.resolve(tokens(2));
  expect(await later).toBe('access-2');
  expect(refresh.calls).toHaveLength(1);
});

test('callers of the same moment wait as one, each with an error of its own', async () => {
  const { source, clock } = await createHeldScene(EXPIRED_MS, { limits: { waitMs: 6400 } });
  const first = errorOf(source.getAccessToken());
  await clock.advance(99);
  const timers = clock.pendingTimers;
  const second = errorOf(source.getAccessToken());
  const authorize = (): Promise<unknown> => Promise.resolve(source.authorize({ url: API, method: 'GET' }));
  const [third, fourth] = [errorOf(authorize()), errorOf(authorize())];
  expect(clock.pendingTimers).toBe(timers);
  await clock.advance(6301);

  const errors = await Promise.all([first, second, third, fourth]);
  expect(errors.map(({ code }) => code)).toEqual(Array.from({ length: 4 }, () => 'ERR_WAIT_TIMEOUT'));
  expect(new Set(errors).size).toBe(4);
});

test('a caller of a later moment has its whole time', async () => {
  const { source, exchange, clock } = await createHeldScene(EXPIRED_MS, { limits: { waitMs: 6400 } });
  const first = errorOf(source.getAccessToken());
  await clock.advance(100);
  const later = source.getAccessToken();
  await clock.advance(6300);

  expect(await first).toMatchObject({ code: 'ERR_WAIT_TIMEOUT' });
  expect(await stateOf(later)).toBe('pending');
  exchange.resolve(tokens(2));
  expect(await later).toBe('access-2');
});

test('a minimum TTL that is not to be had in time is no reason to refuse what is held', async () => {
  const { source, clock } = await createHeldScene(DUE_MS, { limits: { waitMs: 1000 } });
  const wanting = source.getAccessToken({ minTtlMs: 3_000_000 });
  await clock.advance(1000);

  expect(await wanting).toBe('access-1');
});

test('a caller’s time is the same, however many things it waits for', async () => {
  const place = createPlace();
  const reading = Promise.withResolvers<void>();
  place.before = (call) => (call === 'read' ? reading.promise : undefined);
  const { source, clock, refresh } = createScene({
    store: place.open(),
    tokens: undefined,
    limits: { waitMs: 1000 },
  });
  const exchange = Promise.withResolvers<ReturnType<typeof tokens>>();
  refresh.next(() => exchange.promise);
  const waiting = source.getAccessToken();
  const failing = errorOf(waiting);
  await clock.advance(600);
  reading.resolve();
  await clock.advance(399);
  expect(await stateOf(waiting)).toBe('pending');
  await clock.advance(1);

  expect(await failing).toMatchObject({ code: 'ERR_WAIT_TIMEOUT' });
  expect(refresh.calls).toHaveLength(1);
  exchange.resolve(tokens(1));
});

test('a sign-in serves those who wait for a refresh that hangs', async () => {
  const { source, exchange, clock } = await createHeldScene(EXPIRED_MS);
  const waiting = source.getAccessToken();
  const asking = source.getAccessToken({ signal: new AbortController().signal });
  await clock.advance(0);
  await source.signIn(tokens(7));

  expect(await Promise.all([waiting, asking])).toEqual(['access-7', 'access-7']);
  exchange.resolve(tokens(2));
  await source.flush();
  expect(await source.getAccessToken()).toBe('access-7');
});

test('a sign-in of another process serves those who wait for a refresh that hangs', async () => {
  const place = createPlace();
  const one = await createHeldScene(EXPIRED_MS, { store: place.open() });
  const two = createScene({ store: place.open(), tokens: undefined, clock: one.clock });
  const waiting = one.source.getAccessToken();
  await one.clock.advance(0);
  await two.source.signIn(tokens(8));
  await one.clock.advance(50);

  expect(await waiting).toBe('access-8');
  one.exchange.resolve(tokens(2));
});

test('who comes with an aborted signal gets its reason, though a fresh token is held', async () => {
  const { source } = await createAgedScene(0);
  const reason = new Error('left');

  await expect(source.getAccessToken({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
});

test('a sign-in without an access token leaves them waiting for one refresh', async () => {
  const { source, exchange, refresh, clock } = await createHeldScene(EXPIRED_MS);
  const waiting = source.getAccessToken({ signal: new AbortController().signal });
  await clock.advance(0);
  await source.signIn({ refresh_token: 'refresh-7' });
  expect(await stateOf(waiting)).toBe('pending');
  refresh.next(() => tokens(8));
  exchange.resolve(tokens(2));

  expect(await waiting).toBe('access-8');
  expect(refresh.calls.map(({ refreshToken }) => refreshToken)).toEqual(['refresh-1', 'refresh-7']);
});

test('a sign-out ends the wait for a refresh that hangs', async () => {
  const { source, exchange, clock } = await createHeldScene(EXPIRED_MS);
  const waiting = errorOf(source.getAccessToken());
  await clock.advance(0);
  const leaving = source.signOut();

  expect(await waiting).toMatchObject({ code: 'ERR_REAUTHENTICATION_REQUIRED' });
  exchange.resolve(tokens(2));
  await leaving;
});

test('an abort while the store is first read ends that caller alone', async () => {
  const place = createPlace();
  const reading = Promise.withResolvers<void>();
  place.before = (call) => (call === 'read' ? reading.promise : undefined);
  const { source } = createScene({ store: place.open() });
  const leaving = new AbortController();
  const first = errorOf(source.getAccessToken({ signal: leaving.signal }));
  const second = source.getAccessToken();

  leaving.abort(new Error('left'));

  expect(await first).toMatchObject({ message: 'left' });
  reading.resolve();
  expect(await second).toBe('access-1');
  expect(place.reads).toBe(1);
});

test('an abort while the lock is waited for ends that caller alone', async () => {
  const place = createPlace();
  const scene = await createAgedScene(EXPIRED_MS, { store: place.open() });
  const holding = Promise.withResolvers<void>();
  void place.open().runExclusive('default', () => holding.promise, new AbortController().signal);
  const leaving = new AbortController();
  const first = errorOf(scene.source.getAccessToken({ signal: leaving.signal }));
  const second = scene.source.getAccessToken();
  await scene.clock.advance(0);

  leaving.abort(new Error('left'));

  expect(await first).toMatchObject({ message: 'left' });
  holding.resolve();
  expect(await second).toBe('access-2');
});

test('an abort during a back-off ends that caller alone', async () => {
  const { source, refresh, clock } = await createAgedScene(EXPIRED_MS);
  refresh.next(answer('', 429, { 'Retry-After': '6' }));
  await errorOf(source.getAccessToken());
  await clock.advance(2000);
  const leaving = new AbortController();
  const first = errorOf(source.getAccessToken({ signal: leaving.signal }));
  const second = source.getAccessToken();
  await clock.advance(0);

  leaving.abort(new Error('left'));

  expect(await first).toMatchObject({ message: 'left' });
  await clock.advance(4002);
  expect(await second).toBe('access-2');
});

test('a sign-in during a back-off is what its waiters get', async () => {
  const { source, refresh, clock } = await createAgedScene(EXPIRED_MS);
  refresh.next(answer('', 429, { 'Retry-After': '6' }));
  await errorOf(source.getAccessToken());
  await clock.advance(2000);
  const waiting = source.getAccessToken();
  await clock.advance(0);

  await source.signIn(tokens(9));
  await clock.advance(4002);

  expect(await waiting).toBe('access-9');
  expect(refresh.calls).toHaveLength(1);
});

test('callers that leave, refreshes that fail behind them and listeners that throw reject nothing unhandled', async () => {
  const unhandled: unknown[] = [];
  const listen = (reason: unknown): void => void unhandled.push(reason);
  process.on('unhandledRejection', listen);
  const onEvent = (): never => {
    throw new Error('listener');
  };
  for (const ageMs of [DUE_MS, EXPIRED_MS]) {
    const { source, exchange, clock } = await createHeldScene(ageMs, { onEvent });
    const leaving = new AbortController();
    const waiting = source.getAccessToken({ signal: leaving.signal }).catch(() => undefined);
    await clock.advance(0);
    leaving.abort();
    await waiting;
    exchange.reject(new Error('failed'));
    await clock.advance(120_000);
    await source.close();
  }
  const refused = await createAgedScene(DUE_MS, { onEvent });
  refused.refresh.always(oauthError('invalid_grant'));
  await refused.source.authorize({ url: API, method: 'GET' });
  await refused.clock.advance(60_000);
  await new Promise(setImmediate);

  process.off('unhandledRejection', listen);
  expect(unhandled).toEqual([]);
});

test.each([
  [{ signal: {} }, '`signal`'],
  [{ minTtlMs: -1 }, '`minTtlMs`'],
  [{ minTtlMs: '5' }, '`minTtlMs`'],
  [{ minTTL: 5 }, '`minTTL`'],
])('getAccessToken(%j) is a TypeError that names the option', async (wish, name) => {
  const { source } = createScene();

  const error = await errorOf(source.getAccessToken(wish as never));

  expect(error).toBeInstanceOf(TypeError);
  expect(error.message).toContain(name);
});

test('a signal that is aborted already ends a replay before the token counts as refused', async () => {
  const { source, refresh } = createScene();
  const sent = await authorize(source);
  const reason = new Error('gone');

  expect(await errorOf(refuse(source, sent, { signal: AbortSignal.abort(reason) }))).toBe(reason);

  expect(source.status().accessToken).toBe('fresh');
  expect(refresh.calls).toHaveLength(0);
});
