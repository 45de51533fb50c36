import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createStoreFrom, createTokenSource, type CredentialRecord, type TokenSource } from '@unexpired/core';
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
  notSent,
  oauthError,
  refreshAt,
  settled,
  stateOf,
  tokens,
  typesOf,
} from './scene.ts';

let place: Place;

beforeEach(() => {
  place = createPlace();
});

const diskFull = (): never => {
  throw Object.assign(new Error('no space left'), { code: 'ENOSPC' });
};

/** Makes the store refuse one kind of record. */
function breakWrites(broken: 'claims' | 'tokens' | 'all'): void {
  place.before = (call, record) => {
    if (call !== 'write') return;
    const isClaim = record?.claim !== undefined;
    if (broken === 'all' || isClaim === (broken === 'claims')) diskFull();
  };
}

function repair(): void {
  place.before = () => undefined;
}

test('a claim is stored before every exchange, and gone with its tokens', async () => {
  const scene = await createAgedScene(EXPIRED_MS, { store: place.open() });
  const claims: unknown[] = [];
  scene.refresh.next(() => {
    claims.push(place.record?.claim);
    return tokens(2);
  });

  await scene.source.getAccessToken();

  expect(claims).toEqual([{ at: scene.clock.now() }]);
  expect(place.record).toMatchObject({ generation: 2, tokens: { refresh_token: 'refresh-2' } });
  expect(place.record?.claim).toBeUndefined();
});

test('a claim is stored before an exchange without a refresh token too', async () => {
  const scene = createScene({ store: place.open(), tokens: undefined });
  const claims: unknown[] = [];
  scene.refresh.next(() => {
    claims.push(place.record?.claim);
    return tokens(2);
  });

  await scene.source.getAccessToken();

  expect(claims).toEqual([{ at: scene.clock.now() }]);
});

test.each([
  ['surely sent nothing', notSent],
  ['was refused', oauthError('invalid_grant')],
])('the claim of an exchange that %s is taken back', async (_, step) => {
  const scene = await createAgedScene(EXPIRED_MS, { store: place.open() });
  scene.refresh.always(step);

  const failing = errorOf(scene.source.getAccessToken());
  await scene.clock.advance(1000);
  await failing;

  expect(place.record).toMatchObject({ generation: 1, tokens: { refresh_token: 'refresh-1' } });
  expect(place.record?.claim).toBeUndefined();
});

test('tokens are in memory at once and stored next', async () => {
  const scene = await createAgedScene(EXPIRED_MS, { store: place.open() });
  const writing = Promise.withResolvers<void>();
  place.before = (call, record) =>
    call === 'write' && record?.claim === undefined ? writing.promise : undefined;

  const taking = scene.source.getAccessToken();
  await scene.clock.advance(0);

  expect(scene.source.status()).toMatchObject({ accessToken: 'fresh', generation: 2, durability: 'dirty' });
  expect(await scene.source.getAccessToken()).toBe('access-2');
  expect(await stateOf(taking)).toBe('pending');
  writing.resolve();
  expect(await taking).toBe('access-2');
  expect(scene.source.status().durability).toBe('clean');
  expect(typesOf(scene.events).slice(-2)).toEqual(['persisted', 'refreshed']);
});

test('a caller waits no longer than a second for the durable write', async () => {
  const scene = await createAgedScene(EXPIRED_MS, { store: place.open() });
  const writing = Promise.withResolvers<void>();
  place.before = (call, record) =>
    call === 'write' && record?.claim === undefined ? writing.promise : undefined;

  const taking = scene.source.getAccessToken();
  await scene.clock.advance(999);
  expect(await stateOf(taking)).toBe('pending');
  await scene.clock.advance(1);

  expect(await taking).toBe('access-2');
  expect(scene.source.status().durability).toBe('dirty');
});

test('a claim that cannot be stored stops the refresh before the refresh token is spent', async () => {
  const scene = await createAgedScene(EXPIRED_MS, { store: place.open() });
  breakWrites('claims');

  const error = await errorOf(scene.source.getAccessToken());

  expect(error).toMatchObject({ code: 'ERR_STORE_FAILED', permanent: false });
  expect(error['cause']).toMatchObject({ code: 'ENOSPC' });
  expect(scene.refresh.calls).toHaveLength(0);
  expect(scene.events.filter(({ type }) => type === 'persist-failed')).toEqual([
    expect.objectContaining({ during: 'claim' }),
  ]);
  repair();
  expect(await scene.source.getAccessToken()).toBe('access-2');
});

test('a claim that cannot be stored leaves a token that is still usable in use', async () => {
  const scene = await createAgedScene(DUE_MS, { store: place.open() });
  breakWrites('claims');

  for (let i = 0; i < 50; i += 1) expect(await scene.source.getAccessToken()).toBe('access-1');
  await scene.source.flush();

  expect(scene.refresh.calls).toHaveLength(0);
  // Not at the rate of the requests.
  expect(scene.events.filter(({ type }) => type === 'persist-failed')).toHaveLength(1);
});

test('a claim over a record that changed since it was read looks again, and adopts', async () => {
  const scene = await createAgedScene(EXPIRED_MS, { store: place.open() });
  place.before = (call, record) => {
    if (call !== 'write' || record?.claim === undefined) return;
    repair();
    place.records.set('default', {
      ...place.record!,
      revision: place.record!.revision + 2,
      generation: 2,
      tokens: tokens(9) as CredentialRecord['tokens'],
      issuedAt: scene.clock.now(),
    });
  };

  expect(await scene.source.getAccessToken()).toBe('access-9');
  expect(scene.refresh.calls).toHaveLength(0);
});

test('a record that changes under every claim ends in an error, and nothing is spent', async () => {
  const scene = await createAgedScene(EXPIRED_MS, { store: place.open() });
  place.before = (call) => {
    const record = place.record;
    if (call === 'write' && record)
      place.records.set('default', { ...record, revision: record.revision + 1 });
  };

  expect(await errorOf(scene.source.getAccessToken())).toMatchObject({ code: 'ERR_STORE_FAILED' });
  expect(scene.refresh.calls).toHaveLength(0);
});

test('best effort passes over an unwritable claim, with an event', async () => {
  const scene = await createAgedScene(EXPIRED_MS, { store: place.open(), persistence: 'best-effort' });
  breakWrites('all');

  expect(await scene.source.getAccessToken()).toBe('access-2');

  expect(
    scene.events.filter(({ type }) => type === 'persist-failed').map((event) => ({ ...event })),
  ).toMatchObject([{ during: 'claim' }, { during: 'commit' }]);
  expect(scene.source.status().durability).toBe('dirty');
  repair();
  await scene.source.flush();
  expect(place.record).toMatchObject({ generation: 2, tokens: { refresh_token: 'refresh-2' } });
});

test('a commit that fails rejects no caller, shows as dirty, and is tried again until it succeeds', async () => {
  const scene = await createAgedScene(EXPIRED_MS, { store: place.open() });
  breakWrites('tokens');

  expect(await scene.source.getAccessToken()).toBe('access-2');

  expect(scene.source.status().durability).toBe('dirty');
  expect(scene.events.filter(({ type }) => type === 'persist-failed')).toEqual([
    expect.objectContaining({ during: 'commit' }),
  ]);
  expect(place.record?.claim).toBeDefined();
  await scene.clock.advance(3 * 60_000);
  expect(scene.source.status().durability).toBe('dirty');
  expect(scene.events.filter(({ type }) => type === 'persist-failed')).toHaveLength(1);

  repair();
  await scene.clock.advance(60_000);
  expect(scene.source.status().durability).toBe('clean');
  expect(place.record).toMatchObject({ generation: 2, tokens: { refresh_token: 'refresh-2' } });
  expect(place.record?.claim).toBeUndefined();
  expect(scene.events.at(-1)?.type).toBe('persisted');
});

test('attempts to write what is dirty become rarer: 0.5 s, doubling, to a minute', async () => {
  const scene = await createAgedScene(EXPIRED_MS, { store: place.open() });
  const at: number[] = [];
  place.before = (call, record) => {
    if (call !== 'write' || record?.claim !== undefined) return;
    at.push(scene.clock.now());
    diskFull();
  };

  await scene.source.getAccessToken();
  await scene.clock.advance(300_000);

  const gaps = at.slice(1).map((time, i) => time - at[i]!);
  expect(gaps.slice(0, 9)).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]);
});

test('flush writes what is dirty, or says that it could not', async () => {
  const scene = await createAgedScene(EXPIRED_MS, { store: place.open() });
  breakWrites('tokens');
  await scene.source.getAccessToken();

  expect(await errorOf(scene.source.flush())).toMatchObject({ code: 'ERR_STORE_FAILED' });
  repair();
  await scene.source.flush();

  expect(scene.source.status().durability).toBe('clean');
  expect(place.record?.generation).toBe(2);
});

test('flushing often does not multiply the attempts to write what is dirty', async () => {
  const scene = await createAgedScene(EXPIRED_MS, { store: place.open() });
  breakWrites('tokens');
  await scene.source.getAccessToken();
  for (let n = 0; n < 20; n += 1) await errorOf(scene.source.flush());
  const attempts: number[] = [];
  place.before = (call) => {
    if (call !== 'write') return;
    attempts.push(scene.clock.now());
    diskFull();
  };

  await scene.clock.advance(10 * 60_000);

  expect(attempts).toHaveLength(10);
});

test('flush gives up after 5 s on a store that does not answer', async () => {
  const scene = await createAgedScene(EXPIRED_MS, { store: place.open() });
  place.before = (call, record) =>
    call === 'write' && record?.claim === undefined ? new Promise(() => undefined) : undefined;
  const taking = scene.source.getAccessToken();
  await scene.clock.advance(1000);
  await taking;

  const flushing = errorOf(scene.source.flush());
  await scene.clock.advance(5000);

  expect(await flushing).toMatchObject({ code: 'ERR_STORE_FAILED' });
});

test('the exclusive section stays held while tokens are unwritten, and another process adopts after it', async () => {
  const one = await createAgedScene(0, { store: place.open() });
  const two = await createAgedScene(EXPIRED_MS, { store: place.open(), tokens: undefined, clock: one.clock });
  breakWrites('tokens');
  expect(await one.source.getAccessToken()).toBe('access-2');

  const waiting = two.source.getAccessToken();
  await one.clock.advance(5000);
  expect(await stateOf(waiting)).toBe('pending');
  repair();
  await one.source.flush();

  expect(await waiting).toBe('access-2');
  expect(two.refresh.calls).toHaveLength(0);
});

test('later exchanges of the process run inside the section that is held', async () => {
  const scene = await createAgedScene(EXPIRED_MS, { store: place.open() });
  breakWrites('tokens');
  await scene.source.getAccessToken();
  await scene.clock.advance(EXPIRED_MS);

  expect(await scene.source.getAccessToken()).toBe('access-3');

  expect(scene.refresh.calls.map(({ refreshToken }) => refreshToken)).toEqual(['refresh-1', 'refresh-2']);
  repair();
  await scene.source.flush();
  expect(place.record).toMatchObject({ generation: 3, tokens: { refresh_token: 'refresh-3' } });
});

test('a claim carries with it what an earlier commit could not write', async () => {
  const scene = await createAgedScene(EXPIRED_MS, { store: place.open() });
  breakWrites('tokens');
  await scene.source.getAccessToken();
  await scene.clock.advance(EXPIRED_MS);
  scene.refresh.always(oauthError('server_error', 400));

  await settled(scene.clock, errorOf(scene.source.getAccessToken()));

  expect(place.record).toMatchObject({ generation: 2, tokens: { refresh_token: 'refresh-2' } });
  expect(scene.source.status().durability).toBe('clean');
  expect(typesOf(scene.events)).toContain('persisted');
});

test('closing ends the section although tokens are unwritten', async () => {
  const scene = await createAgedScene(EXPIRED_MS, { store: place.open() });
  breakWrites('tokens');
  await scene.source.getAccessToken();
  await scene.source.close();
  repair();

  let entered = false;
  await place.open().runExclusive(
    'default',
    async () => {
      entered = true;
    },
    new AbortController().signal,
  );
  expect(entered).toBe(true);
  await scene.clock.advance(10 * 60_000);
  expect(place.record?.generation).toBe(1);
});

test('members of a record that this version does not know are kept', async () => {
  const scene = await createAgedScene(EXPIRED_MS, { store: place.open() });
  place.records.set('default', {
    ...place.record!,
    revision: 8,
    futureMember: { deep: [1] },
    tokens: { ...place.record!.tokens, device_secret: 'kept' },
  } as CredentialRecord);
  const fresh = createScene({ store: place.open(), tokens: undefined, clock: scene.clock });

  await fresh.source.getAccessToken();

  expect(place.record).toMatchObject({
    generation: 2,
    futureMember: { deep: [1] },
    tokens: { device_secret: 'kept', refresh_token: 'refresh-2' },
  });
});

test('an unreadable store stops a refresh, and an access token that is usable is served meanwhile', async () => {
  const scene = await createAgedScene(DUE_MS, { store: place.open() });
  place.before = (call) => {
    if (call === 'read') throw new Error('busy');
  };

  expect(await scene.source.getAccessToken()).toBe('access-1');
  await scene.source.flush();
  expect(scene.source.status()).toMatchObject({ durability: 'unreadable', accessToken: 'due' });
  await scene.clock.advance(EXPIRED_MS - DUE_MS);
  expect(await errorOf(scene.source.getAccessToken())).toMatchObject({ code: 'ERR_STORE_FAILED' });
  expect(scene.refresh.calls).toHaveLength(0);

  repair();
  expect(await scene.source.getAccessToken()).toBe('access-2');
  expect(scene.source.status().durability).toBe('clean');
});

test('a store that fails is not asked again at the rate of the requests, also after a back-off', async () => {
  const scene = await createAgedScene(DUE_MS, { store: place.open() });
  scene.refresh.always(oauthError('server_error', 400));
  await scene.source.getAccessToken();
  await settled(scene.clock, scene.source.flush());
  await scene.clock.advance(60_000);
  let reads = 0;
  place.before = (call) => {
    if (call !== 'read') return;
    reads += 1;
    throw new Error('busy');
  };

  for (let i = 0; i < 50; i += 1) {
    await scene.source.getAccessToken();
    await scene.clock.advance(1);
  }

  expect(reads).toBe(1);
});

test.each([
  ['no object', 'text'],
  ['damaged', { version: 1, revision: 'x', epoch: 'e', generation: 1 }],
  ['from a newer version', { version: 2, revision: 1, epoch: 'e', generation: 1 }],
])('a stored record that is %s is an error, and is not overwritten', async (_, stored) => {
  place.records.set('default', stored as unknown as CredentialRecord);
  const scene = createScene({ store: place.open() });

  expect(await errorOf(scene.source.getAccessToken())).toMatchObject({ code: 'ERR_STORE_FAILED' });
  await scene.source.close();

  expect(place.record).toEqual(stored);
  expect(scene.refresh.calls).toHaveLength(0);
});

test('a stored record is what a store of one saves and loads, JSON and nothing else', async () => {
  const saved: string[] = [];
  const store = createStoreFrom({
    load: () => (saved.length === 0 ? null : (JSON.parse(saved.at(-1)!) as unknown)),
    save: (_account, record) => void saved.push(JSON.stringify(record)),
  });
  const scene = await createAgedScene(EXPIRED_MS, { store });
  await scene.source.getAccessToken();
  const next = createScene({ store, tokens: undefined, clock: scene.clock });

  expect(await next.source.getAccessToken()).toBe('access-2');
  expect(saved.length).toBeGreaterThanOrEqual(3);
});

test('a lock that cannot be had in time is an error without a penalty, and nothing is spent', async () => {
  const scene = await createAgedScene(EXPIRED_MS, { store: place.open() });
  const holding = Promise.withResolvers<void>();
  void place.open().runExclusive('default', () => holding.promise, new AbortController().signal);

  const failing = errorOf(scene.source.getAccessToken());
  await scene.clock.advance(25_000);

  expect(await failing).toMatchObject({ code: 'ERR_LOCK_TIMEOUT' });
  expect(typesOf(scene.events)).toContain('lock-contended');
  expect(scene.refresh.calls).toHaveLength(0);
  holding.resolve();
  expect(await scene.source.getAccessToken()).toBe('access-2');
});

test('a lock that cannot be had leaves a due token in use', async () => {
  const scene = await createAgedScene(DUE_MS, { store: place.open() });
  void place.open().runExclusive('default', () => new Promise(() => undefined), new AbortController().signal);

  await scene.source.getAccessToken();
  await scene.clock.advance(25_000);

  expect(await scene.source.getAccessToken()).toBe('access-1');
  expect(typesOf(scene.events)).toContain('lock-contended');
});

test('a lock that fails is an error, never a refresh without it', async () => {
  const scene = await createAgedScene(EXPIRED_MS, { store: place.open() });
  place.before = (call) => {
    if (call === 'lock') throw new Error('no lock here');
  };

  expect(await errorOf(scene.source.getAccessToken())).toMatchObject({ code: 'ERR_STORE_FAILED' });
  expect(scene.refresh.calls).toHaveLength(0);
});

test('a lease that is lost before the exchange sends nothing', async () => {
  const lease = new AbortController();
  const scene = await createAgedScene(EXPIRED_MS, { store: place.open({ signal: lease.signal }) });
  place.before = (call, record) => {
    if (call === 'write' && record?.claim !== undefined) lease.abort(new Error('lost'));
  };

  const error = await settled(scene.clock, errorOf(scene.source.getAccessToken()));

  expect(error['code']).toBe('ERR_REFRESH_FAILED');
  expect(scene.refresh.calls).toHaveLength(0);
});

test('before each attempt the store is asked whether the lease is still held', async () => {
  const lease = new AbortController();
  let checks = 0;
  const check = async (): Promise<void> => {
    checks += 1;
    if (checks === 2) lease.abort(new Error('lost'));
  };
  const scene = await createAgedScene(EXPIRED_MS, { store: place.open({ signal: lease.signal, check }) });
  scene.refresh.always(notSent);

  const error = await settled(scene.clock, errorOf(scene.source.getAccessToken()));

  expect(error['code']).toBe('ERR_REFRESH_FAILED');
  expect(scene.refresh.calls).toHaveLength(1);
});

test('a lease that cannot be asked for counts as lost', async () => {
  const check = (): Promise<void> => Promise.reject(new Error('no answer'));
  const scene = await createAgedScene(EXPIRED_MS, { store: place.open({ check }) });

  const error = await settled(scene.clock, errorOf(scene.source.getAccessToken()));

  expect(error['code']).toBe('ERR_REFRESH_FAILED');
  expect(scene.refresh.calls).toHaveLength(0);
});

test('a lease that is lost during the exchange aborts it', async () => {
  const lease = new AbortController();
  const scene = await createAgedScene(EXPIRED_MS, { store: place.open({ signal: lease.signal }) });
  scene.refresh.next(
    ({ signal }) =>
      new Promise<never>((_, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason as Error));
        lease.abort(new Error('lost'));
      }),
  );

  const error = await settled(scene.clock, errorOf(scene.source.getAccessToken()));

  expect(error['code']).toBe('ERR_REFRESH_FAILED');
  expect(scene.refresh.calls).toHaveLength(1);
});

test('a commit over a record that others only marked is written over the new revision', async () => {
  const scene = await createAgedScene(EXPIRED_MS, { store: place.open() });
  scene.refresh.next(() => {
    place.records.set('default', { ...place.record!, revision: place.record!.revision + 5, mark: true });
    return tokens(2);
  });

  await scene.source.getAccessToken();

  expect(place.record).toMatchObject({ generation: 2, tokens: { refresh_token: 'refresh-2' } });
  expect(scene.source.status().durability).toBe('clean');
});

test('a commit never replaces a newer generation', async () => {
  const scene = await createAgedScene(EXPIRED_MS, { store: place.open() });
  scene.refresh.next(() => {
    const record = place.record!;
    place.records.set('default', {
      ...record,
      revision: record.revision + 1,
      generation: 5,
      tokens: { access_token: 'access-5', refresh_token: 'refresh-5' },
      issuedAt: scene.clock.now(),
      claim: undefined,
    });
    return tokens(2);
  });

  expect(await scene.source.getAccessToken()).toBe('access-5');

  expect(place.record?.generation).toBe(5);
});

let server: AuthorizationServer | undefined;

afterEach(async () => {
  await server?.close();
  server = undefined;
});

test('over a strict server no refresh token is lost to a store that fails half of the time', async () => {
  const clock: FakeClock = createFakeClock();
  server = await createAuthorizationServer({ clock });
  let draw = 1;
  place.before = () => {
    draw = (draw * 48_271) % 2_147_483_647;
    if (draw % 2 === 0) diskFull();
  };
  const source: TokenSource = createTokenSource({
    origins: [API],
    refresh: refreshAt(server),
    store: place.open(),
    clock,
    random: () => 0,
  });
  await source.signIn(await server.signIn()).catch(() => undefined);

  for (let round = 0; round < 60; round += 1) {
    await clock.advance(3_600_000);
    await settled(
      clock,
      source.getAccessToken().catch(() => undefined),
    );
  }
  repair();
  await settled(clock, source.flush());

  expect(server.reuses).toHaveLength(0);
  expect(server.exchanges.length).toBeGreaterThan(5);
  expect(place.record?.tokens).toMatchObject({
    refresh_token: server.exchanges.at(-1)?.issued?.refresh_token,
  });
});
