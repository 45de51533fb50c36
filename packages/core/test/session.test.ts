import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createTokenSource, type CredentialRecord, type TokenSet, type TokenStore } from '@unexpired/core';
import {
  createAuthorizationServer,
  createFakeClock,
  type AuthorizationServer,
  type FakeClock,
} from '@unexpired/testing';
import { createPlace, type Place } from './place.ts';
import {
  API,
  createAgedScene,
  createScene,
  DUE_MS,
  errorOf,
  EXPIRED_MS,
  oauthError,
  refreshAt,
  settled,
  tokens,
  typesOf,
} from './scene.ts';

let place: Place;
let server: AuthorizationServer;
let clock: FakeClock;

beforeEach(async () => {
  place = createPlace();
  clock = createFakeClock();
  server = await createAuthorizationServer({ clock });
});

afterEach(() => server.close());

const idToken = (sub: string): string => `e30.${btoa(JSON.stringify({ sub }))}.`;

/** Puts over the stored record what another program did. */
function change(members: Partial<CredentialRecord>): void {
  const record = place.record!;
  place.records.set('default', { ...record, revision: record.revision + 1, ...members });
}

test('a sign-in is used and stored at once, as generation 1 of a new epoch', async () => {
  const { source } = await createAgedScene(0, { store: place.open() });
  const before = place.record?.epoch;

  await source.signIn(tokens(5, { custom: 'kept' }));

  expect(await source.getAccessToken()).toBe('access-5');
  expect(place.record).toMatchObject({ generation: 1, tokens: { access_token: 'access-5', custom: 'kept' } });
  expect(place.record?.epoch).not.toBe(before);
});

test('a sign-in whose write got no answer, though it landed, does not replace what others got with it', async () => {
  const store = place.open();
  let isAnswered = false;
  const silent: TokenStore = {
    ...store,
    async write(account, record, expected) {
      const written = await store.write(account, record, expected);
      if (!isAnswered) throw new Error('no answer in time');
      return written;
    },
  };
  const { source, clock: own } = createScene({ store: silent, tokens: undefined });
  await errorOf(source.signIn(tokens(5, { expires_in: 0 })));
  const other = createScene({ store: place.open(), tokens: undefined });
  await other.source.getAccessToken();
  expect(place.record?.generation).toBe(2);

  isAnswered = true;
  await own.advance(1000);

  expect(place.record?.generation).toBe(2);
  expect(source.status()).toMatchObject({ durability: 'clean', generation: 2 });
});

test('a sign-in wins over a refresh that began before it, whose tokens are given back', async () => {
  const revoked: TokenSet[] = [];
  const scene = await createAgedScene(EXPIRED_MS, {
    store: place.open(),
    revoke: async (given) => void revoked.push(given),
  });
  const exchange = Promise.withResolvers<ReturnType<typeof tokens>>();
  scene.refresh.next(() => exchange.promise);
  const waiting = scene.source.getAccessToken();
  await scene.clock.advance(0);

  await scene.source.signIn(tokens(8));
  exchange.resolve(tokens(2));

  expect(await waiting).toBe('access-8');
  expect(await scene.source.getAccessToken()).toBe('access-8');
  await scene.source.flush();
  expect(place.record?.tokens).toMatchObject({ refresh_token: 'refresh-8' });
  expect(revoked).toMatchObject([{ refresh_token: 'refresh-2' }]);
});

test('a sign-in of another process wins over a refresh that began before it', async () => {
  const revoked: TokenSet[] = [];
  const one = await createAgedScene(EXPIRED_MS, {
    store: place.open(),
    revoke: async (given) => void revoked.push(given),
  });
  const two = createScene({ store: place.open(), tokens: undefined, clock: one.clock });
  const exchange = Promise.withResolvers<ReturnType<typeof tokens>>();
  one.refresh.next(() => exchange.promise);
  const waiting = one.source.getAccessToken();
  await one.clock.advance(0);

  await two.source.signIn(tokens(8));
  exchange.resolve(tokens(2));

  expect(await settled(one.clock, waiting)).toBe('access-8');
  expect(place.record?.tokens).toMatchObject({ refresh_token: 'refresh-8' });
  expect(one.refresh.calls).toHaveLength(1);
  expect(revoked).toMatchObject([{ refresh_token: 'refresh-2' }]);
});

test('a sign-in that cannot be stored is used all the same, and rejects', async () => {
  const { source } = await createAgedScene(0, { store: place.open() });
  place.before = (call) => {
    if (call === 'write') throw new Error('disk full');
  };

  expect(await errorOf(source.signIn(tokens(5)))).toMatchObject({ code: 'ERR_STORE_FAILED' });

  expect(await source.getAccessToken()).toBe('access-5');
  expect(source.status().durability).toBe('dirty');
});

test('with best effort a sign-in that cannot be stored resolves', async () => {
  const { source } = await createAgedScene(0, { store: place.open(), persistence: 'best-effort' });
  place.before = (call) => {
    if (call === 'write') throw new Error('disk full');
  };

  await source.signIn(tokens(5));

  expect(source.status().durability).toBe('dirty');
});

test('a sign-in replaces a record that cannot be read', async () => {
  place.records.set('default', 'torn' as unknown as CredentialRecord);
  const { source } = createScene({ store: place.open(), tokens: undefined });
  await errorOf(source.getAccessToken());

  await source.signIn(tokens(5));

  expect(await source.getAccessToken()).toBe('access-5');
  expect(place.record).toMatchObject({ tokens: { access_token: 'access-5' } });
});

test('a sign-in whose access token is expired is refreshed before it is used', async () => {
  const { source, refresh } = await createAgedScene(0);

  await source.signIn(tokens(5, { expires_in: 0 }));

  expect(await source.getAccessToken()).toBe('access-2');
  expect(refresh.calls[0]?.refreshToken).toBe('refresh-5');
});

test.each([
  ['nothing', undefined, 'got undefined'],
  ['a string', 'access', 'got a string'],
  ['camelCase members', { accessToken: 'secret-x' }, 'accessToken'],
  ['an empty access token', { access_token: '' }, 'access_token'],
])('a sign-in with %s is a TypeError that says what came', async (_, given, part) => {
  const { source } = await createAgedScene(0);

  const error = await errorOf(source.signIn(given as never));

  expect(error).toBeInstanceOf(TypeError);
  expect(error.message).toContain('`tokenResponse`');
  expect(error.message).toContain(part);
  expect(error.message).not.toContain('secret-x');
  expect(await source.getAccessToken()).toBe('access-1');
});

test('a sign-out leaves a marker without tokens, and every call fails until a sign-in', async () => {
  const scene = await createAgedScene(0, { store: place.open() });

  await scene.source.signOut();

  expect(place.record).toMatchObject({ signedOut: true });
  expect(JSON.stringify(place.record)).not.toMatch(/access-1|refresh-1/);
  expect(scene.source.status()).toMatchObject({ health: 'signed-out', accessToken: 'none' });
  expect(await errorOf(scene.source.getAccessToken())).toMatchObject({
    code: 'ERR_REAUTHENTICATION_REQUIRED',
    permanent: true,
  });
  await scene.source.signIn(tokens(3));
  expect(await scene.source.getAccessToken()).toBe('access-3');
  expect(scene.refresh.calls).toHaveLength(0);
});

test('a sign-out wins over a refresh that began before it', async () => {
  const revoked: TokenSet[] = [];
  const scene = await createAgedScene(EXPIRED_MS, {
    store: place.open(),
    revoke: async (given) => void revoked.push(given),
  });
  const exchange = Promise.withResolvers<ReturnType<typeof tokens>>();
  scene.refresh.next(() => exchange.promise);
  const waiting = errorOf(scene.source.getAccessToken());
  await scene.clock.advance(0);

  const signingOut = scene.source.signOut();
  exchange.resolve(tokens(2));
  await signingOut;

  expect(await waiting).toMatchObject({ code: 'ERR_REAUTHENTICATION_REQUIRED' });
  expect(place.record).toMatchObject({ signedOut: true });
  expect(place.record?.tokens).toBeUndefined();
  expect(revoked.map((given) => given.refresh_token)).toContain('refresh-2');
});

test('a sign-out of another process wins over a refresh that began before it', async () => {
  const one = await createAgedScene(EXPIRED_MS, { store: place.open() });
  const two = createScene({ store: place.open(), tokens: undefined, clock: one.clock });
  const exchange = Promise.withResolvers<ReturnType<typeof tokens>>();
  one.refresh.next(() => exchange.promise);
  const waiting = errorOf(one.source.getAccessToken());
  await one.clock.advance(0);

  await two.source.signOut();
  exchange.resolve(tokens(2));

  expect(await waiting).toMatchObject({ code: 'ERR_REAUTHENTICATION_REQUIRED' });
  expect(place.record).toMatchObject({ signedOut: true });
  expect(place.record?.tokens).toBeUndefined();
  expect(one.events.filter(({ type }) => type === 'signed-out')).toEqual([
    expect.objectContaining({ reason: 'elsewhere' }),
  ]);
});

test('a sign-out revokes the newest tokens, unless it is told not to', async () => {
  const revoked: TokenSet[] = [];
  const revoke = async (given: TokenSet): Promise<void> => void revoked.push(given);
  const scene = await createAgedScene(EXPIRED_MS, { revoke });
  await scene.source.getAccessToken();

  await scene.source.signOut();
  expect(revoked).toMatchObject([{ access_token: 'access-2', refresh_token: 'refresh-2' }]);

  await scene.source.signIn(tokens(9));
  await scene.source.signOut({ revoke: false });
  expect(revoked).toHaveLength(1);
});

test('a sign-out revokes once nobody can be spending the refresh token', async () => {
  const order: string[] = [];
  const scene = await createAgedScene(EXPIRED_MS, {
    revoke: async ({ refresh_token }) => void order.push(`revoke ${refresh_token}`),
  });
  const exchange = Promise.withResolvers<ReturnType<typeof tokens>>();
  scene.refresh.next(() => exchange.promise);
  scene.source.getAccessToken().catch(() => undefined);
  await scene.clock.advance(0);

  const signingOut = scene.source.signOut();
  await scene.clock.advance(0);
  expect(order).toEqual([]);
  exchange.resolve(tokens(2));
  await signingOut;

  expect(order).toEqual(['revoke refresh-2', 'revoke refresh-1']);
});

test('a revocation that fails does not fail the sign-out', async () => {
  const { source } = await createAgedScene(0, {
    revoke: async () => {
      throw new Error('offline');
    },
  });

  await source.signOut();

  expect(source.status().health).toBe('signed-out');
});

test('a sign-out before anything was read revokes what is stored', async () => {
  await (await createAgedScene(0, { store: place.open() })).source.close();
  const revoked: TokenSet[] = [];
  const { source } = createScene({
    store: place.open(),
    tokens: undefined,
    revoke: async (given) => void revoked.push(given),
  });

  await source.signOut();

  expect(revoked).toMatchObject([{ refresh_token: 'refresh-1' }]);
  expect(place.record).toMatchObject({ signedOut: true });
});

test('a sign-out marker wins over the option `tokens`', async () => {
  await (await createAgedScene(0, { store: place.open() })).source.signOut();
  const { source, refresh } = createScene({ store: place.open() });

  expect(await errorOf(source.getAccessToken())).toMatchObject({ code: 'ERR_REAUTHENTICATION_REQUIRED' });
  expect(refresh.calls).toHaveLength(0);
  expect(place.record).toMatchObject({ signedOut: true });
});

test('a stored record wins over the option `tokens`', async () => {
  await (await createAgedScene(0, { store: place.open() })).source.close();

  const { source } = createScene({ store: place.open(), tokens: tokens(7) });

  expect(await source.getAccessToken()).toBe('access-1');
  expect(place.record?.tokens).toMatchObject({ refresh_token: 'refresh-1' });
});

test('the option `tokens` is stored where there is no record', async () => {
  const { source } = createScene({ store: place.open(), tokens: tokens(7) });

  expect(await source.getAccessToken()).toBe('access-7');
  expect(place.record).toMatchObject({ generation: 1, tokens: { refresh_token: 'refresh-7' } });
});

test('the option `tokens` is stored over a record that never held tokens', async () => {
  const empty = createScene({ store: place.open(), tokens: undefined });
  empty.refresh.always(oauthError('invalid_grant'));
  const failing = errorOf(empty.source.getAccessToken());
  await empty.clock.advance(1000);
  await failing;
  expect(place.record?.tokens).toBeUndefined();

  const { source } = createScene({ store: place.open(), tokens: tokens(7) });

  expect(await source.getAccessToken()).toBe('access-7');
  expect(place.record).toMatchObject({ generation: 1, tokens: { refresh_token: 'refresh-7' } });
  expect(source.status().durability).toBe('clean');
});

test('of two processes that bring different first tokens, one wins for both', async () => {
  const one = createScene({ store: place.open(), tokens: tokens(1), clock });
  const two = createScene({ store: place.open(), tokens: tokens(2), clock });

  await Promise.all([one.source.getAccessToken(), two.source.getAccessToken()]);
  await clock.advance(1000);

  expect(new Set([await one.source.getAccessToken(), await two.source.getAccessToken()]).size).toBe(1);
});

test('an unreadable store is ERR_STORE_FAILED, never the option `tokens`', async () => {
  place.before = () => {
    throw new Error('locked key ring');
  };
  const { source, refresh } = createScene({ store: place.open() });

  expect(await errorOf(source.getAccessToken())).toMatchObject({ code: 'ERR_STORE_FAILED' });
  expect(source.status()).toMatchObject({ durability: 'unreadable', accessToken: 'none' });
  expect(refresh.calls).toHaveLength(0);

  place.before = () => undefined;
  expect(await source.getAccessToken()).toBe('access-1');
});

test('where the stored record won over other tokens and is refused, the error says so', async () => {
  await (await createAgedScene(0, { store: place.open(), clock })).source.close();
  const scene = createScene({ store: place.open(), tokens: tokens(7), clock });
  await clock.advance(EXPIRED_MS);
  scene.refresh.always(oauthError('invalid_grant'));

  const failing = errorOf(scene.source.getAccessToken());
  await clock.advance(1000);
  const error = await failing;

  expect(error.message).toContain('`tokens`');
  expect(error.message).toContain('signIn()');
});

test('where the stored record won and the endpoint is merely down, the option is not blamed', async () => {
  await (await createAgedScene(0, { store: place.open(), clock })).source.close();
  const scene = createScene({ store: place.open(), tokens: tokens(7), clock });
  await clock.advance(EXPIRED_MS);
  scene.refresh.always(oauthError('server_error', 503));

  const error = await settled(clock, errorOf(scene.source.getAccessToken()));

  expect(error.message).not.toContain('`tokens`');
});

test('after a sign-in a refusal does not blame the option `tokens`', async () => {
  await (await createAgedScene(0, { store: place.open(), clock })).source.close();
  const scene = createScene({ store: place.open(), tokens: tokens(7), clock });
  await scene.source.getAccessToken();
  await scene.source.signIn(tokens(9));
  await clock.advance(EXPIRED_MS);
  scene.refresh.always(oauthError('invalid_grant'));

  const failing = errorOf(scene.source.getAccessToken());
  await clock.advance(1000);

  expect((await failing).message).not.toContain('`tokens`');
});

test('the same tokens given again are no reason for a remark', async () => {
  await (await createAgedScene(0, { store: place.open(), clock })).source.close();
  const scene = createScene({ store: place.open(), tokens: tokens(1), clock });
  await clock.advance(EXPIRED_MS);
  scene.refresh.always(oauthError('invalid_grant'));

  const failing = errorOf(scene.source.getAccessToken());
  await clock.advance(1000);

  expect((await failing).message).not.toContain('`tokens`');
});

test('a record that vanished is a sign-out for new work, and the access token lives on', async () => {
  const scene = await createAgedScene(DUE_MS, { store: place.open() });
  place.records.clear();

  expect(await scene.source.getAccessToken()).toBe('access-1');
  await scene.source.flush();
  expect(scene.source.status()).toMatchObject({ health: 'signed-out', accessToken: 'due' });
  expect(scene.events.filter(({ type }) => type === 'signed-out')).toEqual([
    expect.objectContaining({ reason: 'vanished' }),
  ]);
  await scene.clock.advance(EXPIRED_MS - DUE_MS);
  expect(await errorOf(scene.source.getAccessToken())).toMatchObject({
    code: 'ERR_REAUTHENTICATION_REQUIRED',
    permanent: true,
  });
  expect(scene.refresh.calls).toHaveLength(0);
  expect(place.records.size).toBe(0);
});

test('a record that vanished and came back is used again', async () => {
  const scene = await createAgedScene(EXPIRED_MS, { store: place.open() });
  const record = place.record!;
  place.records.clear();
  await errorOf(scene.source.getAccessToken());
  place.records.set('default', record);
  await scene.clock.advance(1000);

  expect(await scene.source.getAccessToken()).toBe('access-2');
});

test('a record that vanished during an exchange is not brought back', async () => {
  const scene = await createAgedScene(EXPIRED_MS, { store: place.open() });
  scene.refresh.next(() => {
    place.records.clear();
    return tokens(2);
  });

  const taking = scene.source.getAccessToken().catch(() => undefined);
  await scene.clock.advance(50);
  await taking;

  expect(place.records.size).toBe(0);
  expect(typesOf(scene.events)).toContain('signed-out');
});

const binding = { issuer: 'https://id.example.com', clientId: 'cli' };

test.each([
  ['issuer', { issuer: 'https://other.example.com', clientId: 'cli' }],
  ['client', { issuer: 'https://id.example.com', clientId: 'web' }],
])('a record of another %s is a mismatch before anything is sent', async (_, other) => {
  const first = createScene({ store: place.open() });
  await first.source.getAccessToken();
  change({ binding: other });
  const scene = createScene({ clock });
  const refresh = Object.assign(() => scene.refresh({} as never), { binding });
  const source = createTokenSource({ origins: [API], refresh, store: place.open(), clock });

  expect(await errorOf(source.getAccessToken())).toMatchObject({ code: 'ERR_ACCOUNT_MISMATCH' });
  expect(scene.refresh.calls).toHaveLength(0);
});

test('the binding of the refresh function is kept in the record', async () => {
  const refresh = Object.assign(() => tokens(2), { binding });
  const source = createTokenSource({ origins: [API], refresh, store: place.open(), clock });

  await source.signIn(tokens(1));

  expect(place.record?.binding).toEqual(binding);
});

test('a later generation of another subject is never adopted', async () => {
  const scene = await createAgedScene(EXPIRED_MS, {
    store: place.open(),
    tokens: tokens(1, { id_token: idToken('alice') }),
  });
  change({ subject: 'bob', generation: 2, tokens: { access_token: 'of-bob' }, issuedAt: scene.clock.now() });

  expect(await errorOf(scene.source.getAccessToken())).toMatchObject({ code: 'ERR_ACCOUNT_MISMATCH' });
  expect(scene.refresh.calls).toHaveLength(0);
});

test('another subject that signed in elsewhere under the same account is never adopted', async () => {
  const one = await createAgedScene(0, {
    store: place.open(),
    tokens: tokens(1, { id_token: idToken('alice') }),
  });
  const two = createScene({ store: place.open(), tokens: undefined, clock: one.clock });
  await two.source.signIn(tokens(8, { id_token: idToken('bob') }));
  await one.clock.advance(1000);

  expect(await one.source.getAccessToken()).toBe('access-1');
  await one.clock.advance(EXPIRED_MS);
  expect(await errorOf(one.source.getAccessToken())).toMatchObject({ code: 'ERR_ACCOUNT_MISMATCH' });
  expect(one.refresh.calls).toHaveLength(0);
});

test('another subject that signed in during an exchange is never adopted', async () => {
  const one = await createAgedScene(EXPIRED_MS, {
    store: place.open(),
    tokens: tokens(1, { id_token: idToken('alice') }),
  });
  const two = createScene({ store: place.open(), tokens: undefined, clock: one.clock });
  one.refresh.next(async () => {
    await two.source.signIn(tokens(8, { id_token: idToken('bob') }));
    return tokens(2);
  });

  const taken = await one.source.getAccessToken().catch(() => undefined);
  await one.clock.advance(1000);

  expect(taken).not.toBe('access-8');
  expect(one.source.status().fingerprint).not.toBe(two.source.status().fingerprint);
  expect(place.record?.tokens).toMatchObject({ refresh_token: 'refresh-8' });
});

test('this process may sign in as somebody else', async () => {
  const { source } = await createAgedScene(0, {
    store: place.open(),
    tokens: tokens(1, { id_token: idToken('alice') }),
  });

  await source.signIn(tokens(8, { id_token: idToken('bob') }));

  expect(await source.getAccessToken()).toBe('access-8');
  expect(place.record?.subject).toBe('bob');
});

test('over a strict server the refresh token of a sign-in is the next one presented', async () => {
  const source = createTokenSource({ origins: [API], refresh: refreshAt(server), clock, random: () => 0 });
  const first = await server.signIn();
  const second = await server.signIn();
  await source.signIn(first);
  await source.signIn(second);
  await clock.advance(3_600_000);

  await settled(clock, source.getAccessToken());

  expect(server.presentations.map(({ refreshToken }) => refreshToken)).toEqual([second.refresh_token]);
});

test('a sign-out that cannot be stored while a refresh runs rejects its caller, and nobody else', async () => {
  const unhandled: unknown[] = [];
  const listen = (reason: unknown): void => void unhandled.push(reason);
  process.on('unhandledRejection', listen);
  const scene = await createAgedScene(EXPIRED_MS, { store: place.open() });
  const exchange = Promise.withResolvers<ReturnType<typeof tokens>>();
  scene.refresh.next(() => exchange.promise);
  const waiting = errorOf(scene.source.getAccessToken());
  await scene.clock.advance(0);
  place.before = (call) => {
    if (call === 'write') throw new Error('disk full');
  };

  const signingOut = errorOf(scene.source.signOut());
  await scene.clock.advance(0);
  exchange.resolve(tokens(2));

  expect(await signingOut).toMatchObject({ code: 'ERR_STORE_FAILED' });
  expect(await waiting).toMatchObject({ code: 'ERR_REAUTHENTICATION_REQUIRED' });
  process.off('unhandledRejection', listen);
  expect(unhandled).toEqual([]);
});

test('a revoke that throws at once is ignored too', async () => {
  const scene = await createAgedScene(EXPIRED_MS, {
    revoke: () => {
      throw new Error('broken');
    },
  });
  const exchange = Promise.withResolvers<ReturnType<typeof tokens>>();
  scene.refresh.next(() => exchange.promise);
  const waiting = scene.source.getAccessToken();
  await scene.clock.advance(0);
  await scene.source.signIn(tokens(8));
  exchange.resolve(tokens(2));

  expect(await waiting).toBe('access-8');
  await scene.source.signOut();
});

/** Holds the answer to the next read until it is let go. */
function holdNextRead(): () => void {
  const answering = Promise.withResolvers<void>();
  place.before = (call) => {
    if (call !== 'read') return;
    place.before = () => undefined;
    return answering.promise;
  };
  return answering.resolve;
}

test('a sign-in is not undone by a first read of the store that began before it', async () => {
  const letGo = holdNextRead();
  const { source } = createScene({ store: place.open(), tokens: undefined });
  const first = source.getAccessToken();

  await source.signIn(tokens(5));
  letGo();

  expect(await first).toBe('access-5');
  expect(await source.getAccessToken()).toBe('access-5');
  expect(source.status().health).toBe('ok');
});

test('a sign-out is not undone by a read of the store that began before it', async () => {
  const one = await createAgedScene(0, { store: place.open() });
  const letGo = holdNextRead();
  const { revision } = place.record!;
  await place.open().write('default', { ...place.record!, revision: revision + 1 }, revision);
  await one.clock.advance(50);

  await one.source.signOut();
  letGo();
  await one.clock.advance(0);

  expect(one.source.status()).toMatchObject({ accessToken: 'none', health: 'signed-out' });
});

test('of two sign-ins at once the later one is used and stored', async () => {
  const { source } = await createAgedScene(0, { store: place.open() });

  await Promise.all([source.signIn(tokens(5)), source.signIn(tokens(6))]);

  expect(await source.getAccessToken()).toBe('access-6');
  expect(place.record?.tokens).toMatchObject({ refresh_token: 'refresh-6' });
});

test('a sign-out right after a sign-in stays', async () => {
  const { source } = await createAgedScene(0, { store: place.open() });

  await Promise.all([source.signIn(tokens(5)), source.signOut()]);

  expect(source.status().health).toBe('signed-out');
  expect(place.record).toMatchObject({ signedOut: true });
});

test('a stored record from the future is served, and refreshed behind its callers', async () => {
  const ahead = createFakeClock({ now: clock.now() + 24 * 3_600_000 });
  await (await createAgedScene(0, { store: place.open(), clock: ahead })).source.close();
  const { source, refresh } = createScene({ store: place.open(), tokens: undefined, clock });

  expect(await source.getAccessToken()).toBe('access-1');
  await source.flush();

  expect(refresh.calls).toHaveLength(1);
  expect(await source.getAccessToken()).toBe('access-2');
  expect(source.status().accessToken).toBe('fresh');
});
