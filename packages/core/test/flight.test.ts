import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createTokenSource, type RefreshFunction, type TokenSource, type TokenStore } from '@unexpired/core';
import {
  createAuthorizationServer,
  createFakeClock,
  faults,
  type AuthorizationServer,
  type FakeClock,
} from '@unexpired/testing';
import { createPlace } from './place.ts';
import { API, errorOf, refreshAt, settled } from './scene.ts';

let server: AuthorizationServer;
let clock: FakeClock;

beforeEach(async () => {
  clock = createFakeClock();
  server = await createAuthorizationServer({ clock, expiresIn: 3600 });
});

afterEach(() => server.close());

function open(store?: TokenStore, refresh: RefreshFunction = refreshAt(server)): TokenSource {
  return createTokenSource({ origins: [API], refresh, store, clock, random: () => 0 });
}

async function openExpired(): Promise<TokenSource> {
  const source = open();
  await source.signIn(await server.signIn());
  await clock.advance(3_600_000);
  return source;
}

test('1,000 callers with an expired token share one exchange', async () => {
  const source = await openExpired();

  const taken = await Promise.all(Array.from({ length: 1000 }, () => source.getAccessToken()));

  expect(new Set(taken).size).toBe(1);
  expect(server.isAccessTokenValid(taken[0])).toBe(true);
  expect(server.exchanges).toHaveLength(1);
});

test('many generations present each refresh token once and in order', async () => {
  const source = await openExpired();

  for (let generation = 0; generation < 20; generation += 1) {
    await Promise.all(Array.from({ length: 10 }, () => source.getAccessToken()));
    await clock.advance(3_600_000);
  }

  expect(server.presentations.map(({ generation }) => generation)).toEqual(
    Array.from({ length: 20 }, (_, i) => i + 1),
  );
  expect(server.reuses).toHaveLength(0);
  expect(source.status().generation).toBe(21);
});

test.each([
  ['answers 503', { respond: { status: 503 } }],
  ['drops the connection before anything took effect', { reset: 'request' } as const],
  ['answers a page of HTML', faults.badGateway],
  ['is overloaded for the moment', faults.oauthError('temporarily_unavailable')],
])('callers of an expired token succeed when the token endpoint twice %s', async (_, fault) => {
  const source = await openExpired();
  server.next(fault, fault);

  const taken = await settled(clock, Promise.all([source.getAccessToken(), source.getAccessToken()]));

  expect(server.isAccessTokenValid(taken[0])).toBe(true);
  expect(server.exchanges).toHaveLength(3);
});

test.each(['seconds', 'date'] as const)(
  'a short Retry-After in %s is waited for in the flight',
  async (as) => {
    const source = await openExpired();
    server.next(faults.retryLater(429, { seconds: 3, as }));

    const taking = source.getAccessToken();
    await settled(clock, server.requestArrived());
    while (clock.pendingTimers < 2 || server.exchanges[0]!.status === undefined) await clock.advance(0);
    const waited = clock.now();
    while (server.exchanges.length === 1) await clock.advance(100);

    expect(server.isAccessTokenValid(await settled(clock, taking))).toBe(true);
    expect(server.exchanges[1]!.at - waited).toBeGreaterThanOrEqual(3000);
    expect(server.exchanges[1]!.at - waited).toBeLessThan(4000);
  },
);

test('a flight makes three attempts and rejects every caller with an error of its own', async () => {
  const source = await openExpired();
  server.always({ respond: { status: 500 } });

  const failing = Array.from({ length: 5 }, () => errorOf(source.getAccessToken()));
  const errors = await settled(clock, Promise.all(failing));

  expect(server.exchanges).toHaveLength(3);
  expect(errors.map(({ code }) => code)).toEqual(errors.map(() => 'ERR_REFRESH_FAILED'));
  expect(new Set(errors).size).toBe(5);
  expect(errors[0]?.message).toContain('500');
});

test('a refresh token that an answer leaves out is kept', async () => {
  const source = await openExpired();
  server.next(faults.without('refresh_token'));
  await source.getAccessToken();
  await clock.advance(3_600_000);

  await errorOf(source.getAccessToken());

  expect(server.presentations[1]?.refreshToken).toBe(server.presentations[0]?.refreshToken);
});

test('a server that does not rotate is asked once for each expiry', async () => {
  await server.close();
  server = await createAuthorizationServer({ clock, expiresIn: 3600, rotation: 'non-rotating' });
  const place = createPlace();
  const [one, two] = [open(place.open()), open(place.open())];
  await one.signIn(await server.signIn());
  await clock.advance(3_600_000);

  const taken = await Promise.all([one.getAccessToken(), two.getAccessToken(), one.getAccessToken()]);

  expect(new Set(taken).size).toBe(1);
  expect(server.exchanges).toHaveLength(1);
});

test('of two processes that find the token expired one exchanges and the other adopts', async () => {
  const place = createPlace();
  const [one, two] = [open(place.open()), open(place.open())];
  await one.signIn(await server.signIn());
  await two.getAccessToken();

  for (let round = 1; round <= 5; round += 1) {
    await clock.advance(3_600_000);
    const taken = await Promise.all([one, two, one, two].map((source) => source.getAccessToken()));
    expect(new Set(taken).size).toBe(1);
    expect(server.exchanges).toHaveLength(round);
  }
  expect(server.reuses).toHaveLength(0);
  expect(two.status().generation).toBe(6);
});

test('a process that slept through a generation adopts it without an exchange', async () => {
  const place = createPlace();
  const one = open(place.open());
  await one.signIn(await server.signIn());
  // Without hints, as where a network lost them.
  const two = open({ ...place.open(), subscribe: () => undefined });
  await two.getAccessToken();
  await clock.advance(3_600_000);
  const current = await one.getAccessToken();

  expect(await two.getAccessToken()).toBe(current);
  expect(server.exchanges).toHaveLength(1);
});

test('a process that adopted a due generation presents its refresh token, not the old one', async () => {
  const place = createPlace();
  const one = open(place.open());
  await one.signIn(await server.signIn());
  const two = open({ ...place.open(), subscribe: () => undefined });
  await two.getAccessToken();
  await clock.advance(3_600_000);
  await one.getAccessToken();
  await clock.advance(3_600_000);

  await two.getAccessToken();

  expect(server.presentations.map(({ generation }) => generation)).toEqual([1, 2]);
});

test('a hint of another process brings its tokens before they are needed', async () => {
  const place = createPlace();
  const [one, two] = [open(place.open()), open(place.open())];
  await one.signIn(await server.signIn());
  await two.getAccessToken();

  for (const generation of [2, 3]) {
    await clock.advance(2_700_001);
    await one.getAccessToken();
    await one.flush();
    await clock.advance(50);
    expect(two.status()).toMatchObject({ accessToken: 'fresh', generation, refreshing: false });
  }
});

test('a refusal that a peer outran is no refusal: its tokens are adopted', async () => {
  const place = createPlace();
  const [one, two] = [open(place.open()), open(place.open())];
  await one.signIn(await server.signIn());
  await two.getAccessToken();
  await clock.advance(3_600_000);
  // What a program does that ignores lock and claim: it spends the token and stores the result late.
  server.next({ hold: 'request' });
  const taking = one.getAccessToken();
  await server.requestArrived();
  const spent = server.presentations[0]!.refreshToken;
  const peer = await refreshAt(server)({
    refreshToken: spent,
    tokens: undefined,
    signal: new AbortController().signal,
    attempt: 1,
  });
  const won = (await (peer as Response).json()) as { access_token: string; refresh_token: string };
  server.next(faults.oauthError('invalid_grant'));
  const { claim: _, ...record } = place.record!;
  server.release();
  while (server.held > 0 || server.exchanges[0]!.status === undefined) await clock.advance(0);
  await two.flush();
  place.records.set('default', {
    ...record,
    revision: record.revision + 1,
    generation: 2,
    tokens: { ...record.tokens, ...won },
    issuedAt: clock.now(),
  });
  const taken = taking.then(
    (token) => ({ token }),
    (error: unknown) => ({ error }),
  );
  await clock.advance(1000);

  expect(await settled(clock, taken)).toEqual({ token: won.access_token });
});

test('at most 8 exchanges run at once for one refresh function', async () => {
  const refresh = refreshAt(server);
  server.always({ hold: 'request' });
  const place = createPlace();
  const sources = await Promise.all(
    Array.from({ length: 50 }, async (_, i) =>
      createTokenSource({
        origins: [API],
        refresh,
        store: place.open(),
        account: `account-${i}`,
        tokens: { refresh_token: (await server.signIn({ account: `account-${i}` })).refresh_token },
        clock,
        random: () => 0,
      }),
    ),
  );
  let most = 0;

  const taking = Promise.all(sources.map((source) => source.getAccessToken()));
  for (let arrived = 1; arrived <= 50; arrived += 1) {
    await server.requestArrived(arrived);
    if (arrived % 8 !== 0 && arrived !== 50) continue;
    await clock.advance(0);
    most = Math.max(most, server.held);
    server.release();
  }
  const taken = await settled(clock, taking);

  expect(most).toBe(8);
  expect(new Set(taken).size).toBe(50);
  expect(server.exchanges).toHaveLength(50);
});

test('an account that fails does not stop the others', async () => {
  const refresh = refreshAt(server);
  const sources = await Promise.all(
    ['ann', 'bob', 'eve'].map(async (account) =>
      createTokenSource({
        origins: [API],
        refresh,
        account,
        tokens: { refresh_token: (await server.signIn({ account })).refresh_token },
        clock,
        random: () => 0,
      }),
    ),
  );
  server.next(faults.oauthError('invalid_grant'));

  const results = await Promise.allSettled(sources.map((source) => source.getAccessToken()));

  expect(results.filter(({ status }) => status === 'rejected')).toHaveLength(1);
});

test('a lost answer of a server that tolerates reuse for a while is repeated early', async () => {
  await server.close();
  server = await createAuthorizationServer({ clock, expiresIn: 3600, rotation: 'grace' });
  const source = open();
  await source.signIn(await server.signIn());
  await clock.advance(3_600_000);
  server.next({ reset: 'answer' });

  const token = await settled(clock, source.getAccessToken());

  expect(server.isAccessTokenValid(token)).toBe(true);
  expect(server.presentations.map(({ outcome }) => outcome)).toEqual(['accepted', 'grace']);
});

test('a lost answer of a strict server ends in the advice to sign in, and says why', async () => {
  const source = await openExpired();
  server.next({ reset: 'answer' });

  const error = await settled(clock, errorOf(source.getAccessToken()));

  expect(error).toMatchObject({ code: 'ERR_REAUTHENTICATION_REQUIRED' });
  expect(error.message).toContain('interrupted');
  expect(server.presentations).toHaveLength(2);
});

test('an answer that comes after its attempt was given up is committed', async () => {
  const answers = Promise.withResolvers<Response>();
  const send = refreshAt(server);
  const refresh: RefreshFunction = async (request) => {
    if (request.attempt > 1) throw new Error('never');
    const response = await send({ ...request, signal: new AbortController().signal });
    answers.resolve(response as Response);
    return late.promise;
  };
  const late = Promise.withResolvers<Response>();
  const place = createPlace();
  const source = open(place.open(), refresh);
  await source.signIn(await server.signIn());
  await clock.advance(2_700_001);
  await source.getAccessToken();
  const response = await answers.promise;
  await clock.advance(10_000);
  expect(source.status()).toMatchObject({ health: 'backing-off', generation: 1 });

  late.resolve(response);
  while (source.status().generation === 1) await clock.advance(0);
  await source.flush();

  expect(source.status()).toMatchObject({ health: 'ok', accessToken: 'fresh', durability: 'clean' });
  expect(place.record).toMatchObject({ generation: 2 });
  expect(place.record?.claim).toBeUndefined();
  expect(server.isAccessTokenValid(await source.getAccessToken())).toBe(true);
  expect(server.reuses).toHaveLength(0);
});

test('a late answer is discarded once somebody signed in', async () => {
  const late = Promise.withResolvers<object>();
  const source = open(undefined, () => late.promise as Promise<Response>);
  await source.signIn(await server.signIn());
  await clock.advance(2_700_001);
  await source.getAccessToken();
  await clock.advance(10_000);
  const signedIn = await server.signIn();
  await source.signIn(signedIn);

  late.resolve({ access_token: 'late', refresh_token: 'late', expires_in: 3600 });
  await clock.advance(0);

  expect(await source.getAccessToken()).toBe(signedIn.access_token);
});

/** A flight whose first attempt never ends by itself, and what ends it. */
async function openLate(next: () => object) {
  const late = Promise.withResolvers<object>();
  const idToken = (sub: string): string => `e30.${btoa(JSON.stringify({ sub }))}.`;
  const source = open(undefined, ({ attempt }) =>
    attempt === 1 ? (late.promise as Promise<Response>) : (next() as Response),
  );
  await source.signIn({ ...(await server.signIn()), id_token: idToken('alice') });
  await clock.advance(3_600_000);
  const taking = source.getAccessToken().catch(() => undefined);
  await clock.advance(10_000);
  await settled(clock, taking);
  return { source, late, idToken };
}

test('a late answer is discarded once a later attempt brought the next generation', async () => {
  const { source, late } = await openLate(() => ({
    access_token: 'second',
    refresh_token: 'r2',
    expires_in: 9,
  }));
  expect(await source.getAccessToken()).toBe('second');

  late.resolve({ access_token: 'late', refresh_token: 'r1', expires_in: 3600 });
  await clock.advance(0);

  expect(await source.getAccessToken()).toBe('second');
  expect(source.status().generation).toBe(2);
});

test('a late answer about another subject is discarded', async () => {
  const { source, late, idToken } = await openLate(() => new Response('', { status: 400 }));

  late.resolve({ access_token: 'late', expires_in: 3600, id_token: idToken('mallory') });
  await clock.advance(0);

  expect(source.status()).toMatchObject({ generation: 1, accessToken: 'expired' });
});

test('exchangeMs aborts the signal of the refresh function', async () => {
  const signals: AbortSignal[] = [];
  const source = createTokenSource({
    origins: [API],
    clock,
    random: () => 0,
    tokens: { refresh_token: 'refresh-1' },
    limits: { exchangeMs: 100, waitMs: 60_000 },
    refresh: ({ signal }) => {
      signals.push(signal);
      return new Promise<never>(() => undefined);
    },
  });

  const failing = errorOf(source.getAccessToken());
  await clock.advance(100);
  expect(signals[0]?.aborted).toBe(true);
  expect((signals[0]!.reason as Error).name).toBe('TimeoutError');
  await clock.advance(300);

  expect(await settled(clock, failing)).toMatchObject({ code: 'ERR_REFRESH_FAILED' });
  expect(signals).toHaveLength(3);
});

test('flightMs ends the attempts of one flight', async () => {
  let calls = 0;
  const source = createTokenSource({
    origins: [API],
    clock,
    random: () => 0,
    tokens: { refresh_token: 'refresh-1' },
    limits: { exchangeMs: 10_000, flightMs: 15_000, waitMs: 120_000 },
    refresh: () => {
      calls += 1;
      return new Promise<never>(() => undefined);
    },
  });

  const failing = errorOf(source.getAccessToken());
  await clock.advance(60_000);

  expect(await failing).toMatchObject({ code: 'ERR_REFRESH_FAILED' });
  expect(calls).toBe(2);
});
