import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createTokenSource, explain401, type Authorization, type TokenSource } from '@unexpired/core';
import {
  createAuthorizationServer,
  createFakeClock,
  faults,
  type AuthorizationServer,
  type FakeClock,
} from '@unexpired/testing';
import { createPlace } from './place.ts';
import {
  API,
  authorize,
  createAgedScene,
  createScene,
  errorOf,
  notSent,
  oauthError,
  refreshAt,
  refuse,
  settled,
  stateOf,
  tokens,
  typesOf,
} from './scene.ts';

let server: AuthorizationServer;
let clock: FakeClock;

beforeEach(async () => {
  clock = createFakeClock();
  server = await createAuthorizationServer({ clock });
});

afterEach(() => server.close());

async function openSignedIn(): Promise<TokenSource> {
  const source = createTokenSource({ origins: [API], refresh: refreshAt(server), clock, random: () => 0 });
  await source.signIn(await server.signIn());
  return source;
}

const headerOf = (authorization: Authorization | undefined): string | undefined =>
  authorization?.headers['authorization'];

test('1,000 refused requests cause one exchange, and each is replayed with its token', async () => {
  const source = await openSignedIn();
  const sent = await Promise.all(Array.from({ length: 1000 }, () => authorize(source)));
  server.revokeAccessTokens();

  const replays = await Promise.all(sent.map((authorization) => refuse(source, authorization)));

  const headers = new Set(replays.map(headerOf));
  expect(headers.size).toBe(1);
  expect(server.isAccessTokenValid([...headers][0]?.slice('Bearer '.length))).toBe(true);
  expect(server.exchanges).toHaveLength(1);
});

test('a late 401 for an old token is replayed with the current one, without an exchange', async () => {
  const source = await openSignedIn();
  const old = await authorize(source);
  await refuse(source, await authorize(source));

  const replays = await Promise.all(Array.from({ length: 100 }, () => refuse(source, old)));

  expect(new Set(replays.map(headerOf))).toEqual(new Set([headerOf(await authorize(source))]));
  expect(server.exchanges).toHaveLength(1);
});

test('a request that begins while a refused token is replaced waits for the new one', async () => {
  const { source, refresh } = await createAgedScene(0);
  const exchange = Promise.withResolvers<ReturnType<typeof tokens>>();
  refresh.next(() => exchange.promise);
  const replaying = refuse(source, await authorize(source));

  const taking = source.getAccessToken();
  expect(await stateOf(taking)).toBe('pending');
  exchange.resolve(tokens(2));

  expect(await taking).toBe('access-2');
  expect(headerOf(await replaying)).toBe('Bearer access-2');
  expect(refresh.calls).toHaveLength(1);
});

test('a transient failure of the forced refresh hands the 401 on and lifts the mark', async () => {
  const { source, refresh, events, clock: time } = await createAgedScene(0);
  refresh.always(notSent);
  const native = {};

  const replay = await settled(time, refuse(source, await authorize(source), { native }));

  expect(replay).toBeUndefined();
  expect(explain401(native)).toMatchObject({
    reason: 'refresh-failed',
    fresh: false,
    error: { code: 'ERR_REFRESH_FAILED' },
  });
  expect(events.at(-1)).toMatchObject({ type: 'not-replayed', reason: 'refresh-failed', origin: API });
  expect(await source.getAccessToken()).toBe('access-1');
});

test('a rejected forced refresh keeps the mark: callers before sending get the typed error', async () => {
  const { source, refresh } = await createAgedScene(0);
  refresh.always(oauthError('invalid_grant'));
  const sent = await Promise.all(Array.from({ length: 10 }, () => authorize(source)));
  const natives = sent.map(() => ({}));

  const replays = await Promise.all(
    sent.map((authorization, i) => refuse(source, authorization, { native: natives[i] })),
  );
  const errors = await Promise.all(
    Array.from({ length: 100 }, () => errorOf((async () => authorize(source))())),
  );

  expect(replays.every((replay) => replay === undefined)).toBe(true);
  expect(natives.map((native) => explain401(native)?.error?.code)).toEqual(
    natives.map(() => 'ERR_REAUTHENTICATION_REQUIRED'),
  );
  expect(new Set(errors.map(({ code }) => code))).toEqual(new Set(['ERR_REAUTHENTICATION_REQUIRED']));
  expect(new Set(errors).size).toBe(100);
  expect(refresh.calls).toHaveLength(1);
});

test('a 401 during a back-off does not force an exchange', async () => {
  const { source, refresh } = await createAgedScene(0);
  refresh.always(() => new Response('', { status: 429, headers: { 'Retry-After': '100' } }));
  await refuse(source, await authorize(source));

  for (let i = 0; i < 20; i += 1) {
    expect(await refuse(source, await authorize(source))).toBeUndefined();
  }
  expect(refresh.calls).toHaveLength(1);
  expect(await source.getAccessToken()).toBe('access-1');
});

test('a body that is spent hands the 401 on at once while the refresh goes on behind it', async () => {
  const { source, refresh, events, clock: time } = await createAgedScene(0);
  const exchange = Promise.withResolvers<ReturnType<typeof tokens>>();
  refresh.next(() => exchange.promise);
  const native = {};

  const replay = await refuse(source, await authorize(source), { replayable: false, native });

  expect(replay).toBeUndefined();
  expect(explain401(native)).toEqual({ reason: 'body-spent', fresh: false, error: undefined });
  expect(events.at(-1)).toMatchObject({ type: 'not-replayed', reason: 'body-spent' });
  exchange.resolve(tokens(2));
  await time.advance(0);
  expect(explain401(native)).toMatchObject({ reason: 'body-spent', fresh: true });
  expect(await source.getAccessToken()).toBe('access-2');
});

test('a failed refresh behind a spent body is no unhandled rejection', async () => {
  const { source, refresh } = await createAgedScene(0);
  const unhandled: unknown[] = [];
  const listen = (reason: unknown): void => void unhandled.push(reason);
  process.on('unhandledRejection', listen);
  refresh.always(oauthError('invalid_grant'));

  await refuse(source, await authorize(source), { replayable: false });
  await source.flush();
  await new Promise(setImmediate);

  process.off('unhandledRejection', listen);
  expect(unhandled).toEqual([]);
});

test.each([
  ['a status of 403', { status: 403 }],
  ['a proxy that wants to be authenticated', { status: 407 }],
  ['a gateway that asks for Basic', { challenge: 'Basic realm="x"' }],
  ['a missing scope', { challenge: 'Bearer error="insufficient_scope"' }],
  ['another origin than the request had', { url: 'https://login.example.com/' }],
  ['another port of the same host', { url: `${API}:8443/items` }],
])('%s is no refusal of the token', async (_, facts) => {
  const { source, refresh, events } = await createAgedScene(0);

  expect(await refuse(source, await authorize(source), facts)).toBeUndefined();

  expect(refresh.calls).toHaveLength(0);
  const handedOn = events.filter((event) => event.type === 'not-replayed');
  expect(handedOn.filter(({ reason }) => reason !== 'not-ours')).toEqual([]);
});

test.each([undefined, '', 'Bearer', 'Bearer error="invalid_token"', 'DPoP error="invalid_token"'])(
  'a 401 with the challenge %p is a refusal',
  async (challenge) => {
    const { source } = await createAgedScene(0);
    const facts = challenge === undefined ? {} : { challenge };

    expect(headerOf(await refuse(source, await authorize(source), facts))).toBe('Bearer access-2');
  },
);

test('a response that does not say where it came from is judged by the request', async () => {
  const { source } = await createAgedScene(0);

  expect(headerOf(await refuse(source, await authorize(source), { url: undefined }))).toBe('Bearer access-2');
});

test('a profile names the statuses that refuse a token', async () => {
  const { source } = await createAgedScene(0, { profile: { refusedStatuses: [403] } });

  expect(await refuse(source, await authorize(source), { status: 401 })).toBeUndefined();
  expect(headerOf(await refuse(source, await authorize(source), { status: 403 }))).toBe('Bearer access-2');
});

test('an abort ends the wait for the replay with its reason, and the refresh goes on', async () => {
  const { source, refresh } = await createAgedScene(0);
  const exchange = Promise.withResolvers<ReturnType<typeof tokens>>();
  refresh.next(() => exchange.promise);
  const leaving = new AbortController();
  const [first, second] = [await authorize(source), await authorize(source)];
  const left = errorOf(refuse(source, first, { signal: leaving.signal }));
  const stayed = refuse(source, second);

  leaving.abort(new Error('enough'));

  expect(await left).toMatchObject({ message: 'enough' });
  exchange.resolve(tokens(2));
  expect(headerOf(await stayed)).toBe('Bearer access-2');
});

test('a replay that is refused too is explained and closes the origin for forced exchanges', async () => {
  const { source, events, refresh } = await createAgedScene(0);
  const replay = await refuse(source, await authorize(source));
  const native = {};

  source.settled(replay!, 401, { native });

  expect(explain401(native)).toEqual({ reason: 'refused-again', fresh: false, error: undefined });
  expect(typesOf(events).slice(-2)).toEqual(['gate-closed', 'not-replayed']);
  expect(events.at(-2)).toMatchObject({ origin: API, durationMs: 5000 });
  const next = {};
  expect(await refuse(source, await authorize(source), { native: next })).toBeUndefined();
  expect(explain401(next)?.reason).toBe('gate-closed');
  expect(refresh.calls).toHaveLength(1);
});

test('an explanation is found from the error that holds the response', () => {
  expect(explain401(undefined)).toBeUndefined();
  expect(explain401('text')).toBeUndefined();
  expect(explain401({})).toBeUndefined();
});

/** One request that is refused, replayed where that is allowed, and refused again. */
async function refusedTwice(source: TokenSource): Promise<void> {
  const replay = await refuse(source, await authorize(source));
  if (replay !== undefined) source.settled(replay, 401);
}

test('an API that refuses every token costs an exchange at most every 5, 10, 20, 40, 60, 60 seconds', async () => {
  const { source, refresh, clock: time } = await createAgedScene(0);
  const at: number[] = [];
  const start = time.now();

  for (let second = 0; second < 240; second += 1) {
    const before = refresh.calls.length;
    await refusedTwice(source);
    await refusedTwice(source);
    if (refresh.calls.length > before) at.push((time.now() - start) / 1000);
    await time.advance(1000);
  }

  expect(at).toEqual([0, 5, 15, 35, 75, 135, 195]);
});

test('a fresh token that another request shows to be refused closes the gate too', async () => {
  const { source, refresh } = await createAgedScene(0);
  const replay = await refuse(source, await authorize(source));

  const native = {};
  expect(await refuse(source, await authorize(source), { native })).toBeUndefined();

  expect(explain401(native)?.reason).toBe('gate-closed');
  expect(replay).toBeDefined();
  expect(refresh.calls).toHaveLength(1);
});

test('a replay that is not refused opens the gate and starts its time anew', async () => {
  const { source, events, clock: time, refresh } = await createAgedScene(0);
  await refusedTwice(source);
  await time.advance(5000);
  const replay = await refuse(source, await authorize(source));
  source.settled(replay!, 404);
  expect(events.at(-1)).toMatchObject({ type: 'gate-opened', origin: API });

  await refusedTwice(source);

  expect(events.findLast(({ type }) => type === 'gate-closed')).toMatchObject({ durationMs: 5000 });
  expect(refresh.calls).toHaveLength(3);
});

test('a token that changed by other means opens the gate', async () => {
  const { source, events, refresh } = await createAgedScene(0);
  await refusedTwice(source);
  await source.signIn(tokens(7));

  const replay = await refuse(source, await authorize(source));

  expect(headerOf(replay)).toBe('Bearer access-3');
  expect(typesOf(events)).toContain('gate-opened');
  expect(refresh.calls).toHaveLength(2);
});

test('while the gate is closed a 401 for an older token is still replayed with the current one', async () => {
  const { source, refresh } = await createAgedScene(0);
  const old = await authorize(source);
  await refusedTwice(source);

  expect(headerOf(await refuse(source, old))).toBe('Bearer access-2');
  expect(refresh.calls).toHaveLength(1);
});

test('the gate of one origin does not close another', async () => {
  const other = 'https://files.example.com';
  const { source, refresh } = await createAgedScene(0, { origins: [API, other] });
  await refusedTwice(source);

  const sent = await authorize(source, { url: `${other}/x` });
  const replay = await refuse(source, sent, { url: `${other}/x` });

  expect(headerOf(replay)).toBe('Bearer access-3');
  expect(refresh.calls).toHaveLength(2);
});

test('the same access token again is not sent again', async () => {
  const { source, refresh, events } = await createAgedScene(0);
  refresh.always(() => tokens(2, { access_token: 'access-1' }));
  const native = {};

  const replay = await refuse(source, await authorize(source), { native });

  expect(replay).toBeUndefined();
  expect(explain401(native)?.reason).toBe('refused-again');
  expect(typesOf(events)).not.toContain('replayed');
  // Its new refresh token is kept, and the origin costs no exchange for each 401.
  expect(await refuse(source, await authorize(source))).toBeUndefined();
  expect(refresh.calls).toHaveLength(1);
  await source.signOut();
});

test('a server that keeps its access token until it expires is not hammered', async () => {
  await server.close();
  server = await createAuthorizationServer({ clock, rotation: 'same-token' });
  const source = await openSignedIn();

  for (let i = 0; i < 10; i += 1) {
    expect(await refuse(source, await authorize(source))).toBeUndefined();
  }
  expect(server.exchanges).toHaveLength(1);
});

test('a just issued token that is refused for 3 seconds costs two exchanges at most', async () => {
  const source = await openSignedIn();

  for (let ms = 0; ms < 3000; ms += 100) {
    await Promise.all([refusedTwice(source), refusedTwice(source)]);
    await clock.advance(100);
  }

  expect(server.exchanges.length).toBeLessThanOrEqual(2);
  expect(server.isGrantAlive((await source.getAccessToken()) as string)).toBe(true);
});

test('a refused token that a signed-out account had is not replayed', async () => {
  const { source, refresh } = await createAgedScene(0);
  const sent = await authorize(source);
  await source.signOut();
  const native = {};

  expect(await refuse(source, sent, { native })).toBeUndefined();

  expect(explain401(native)).toMatchObject({
    reason: 'refresh-failed',
    error: { code: 'ERR_REAUTHENTICATION_REQUIRED' },
  });
  expect(refresh.calls).toHaveLength(0);
});

test('a lost answer of the forced refresh is tried again, for the refused token is of no use', async () => {
  await server.close();
  server = await createAuthorizationServer({ clock, rotation: 'grace' });
  const source = await openSignedIn();
  server.next({ reset: 'answer' }, faults.truncatedJson);

  const replay = await settled(clock, refuse(source, await authorize(source)));

  expect(server.isAccessTokenValid(headerOf(replay)?.slice(7))).toBe(true);
  expect(server.exchanges).toHaveLength(3);
});

test('a source that was closed hands every 401 on', async () => {
  const { source } = createScene();
  const sent = await authorize(source);
  await source.close();

  expect(await refuse(source, sent)).toBeUndefined();
});

test('a refused token that another process has replaced is answered from the store', async () => {
  const place = createPlace();
  const one = await createAgedScene(0, { store: place.open() });
  const withoutHints = { ...place.open(), subscribe: () => undefined };
  const two = await createAgedScene(0, { store: withoutHints, tokens: undefined, clock: one.clock });
  const sent = await authorize(two.source);
  await refuse(one.source, await authorize(one.source));

  expect(headerOf(await refuse(two.source, sent))).toBe('Bearer access-2');
  expect([one.refresh.calls.length, two.refresh.calls.length]).toEqual([1, 0]);
});
