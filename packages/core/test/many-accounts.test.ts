import { getEventListeners } from 'node:events';
import { expect, test } from '@jest/globals';
import {
  createKeyedMutex,
  createMemoryStore,
  createTokenSource,
  type AccessTokenError,
  type RefreshFunction,
  type TokenEvent,
  type TokenResponse,
  type TokenSource,
  type TokenSourceOptions,
  type TokenStore,
} from '@unexpired/core';
import { createFakeClock } from '@unexpired/testing';
import { joinCredential } from '../src/registry.ts';
import {
  API,
  authorize,
  COOL_DOWN_MS,
  errorOf,
  EXPIRED_MS,
  notSent,
  oauthError,
  settled,
  stateOf,
  tokens,
} from './scene.ts';

const clock = createFakeClock();
const AT_ONCE = 8;

function createAccount(number: number, options: Partial<TokenSourceOptions>): TokenSource {
  return createTokenSource({
    origins: [API],
    refresh: () => tokens(2),
    account: `account-${number}`,
    tokens: { refresh_token: `refresh-${number}` },
    clock,
    random: () => 0,
    ...options,
  });
}

function createAccounts(count: number, options: Partial<TokenSourceOptions>): TokenSource[] {
  return Array.from({ length: count }, (_, number) => createAccount(number, options));
}

interface Gathered {
  readonly refresh: RefreshFunction;
  /** The accounts whose exchange has begun, in that order. */
  readonly begun: number[];
  readonly end: (number: number, how?: 'granted' | 'refused') => Promise<void>;
}

/** A refresh function whose every exchange waits for the test. */
function gather(): Gathered {
  const begun: number[] = [];
  const answers = new Map<number, (response: TokenResponse | Response) => void>();
  return {
    begun,
    refresh({ refreshToken }) {
      const number = Number(refreshToken!.replace('refresh-', ''));
      begun.push(number);
      return new Promise((resolve) => answers.set(number, resolve));
    },
    async end(number, how = 'granted') {
      const refusal = Response.json({ error: 'invalid_grant' }, { status: 400 });
      answers.get(number)!(how === 'granted' ? tokens(number) : refusal);
      await clock.advance(0);
    },
  };
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, number) => number);

test('8 accounts at once refresh by one function, the others in the order in which they came', async () => {
  const { refresh, begun, end } = gather();
  const sources = createAccounts(20, { refresh, store: createMemoryStore() });
  const taking = sources.map((source) => source.getAccessToken().catch(({ code }: AccessTokenError) => code));
  await clock.advance(0);
  expect(begun).toEqual(upTo(AT_ONCE));

  // Whichever ends first, and however it ends.
  await end(5);
  await end(2, 'refused');
  expect(begun).toEqual(upTo(AT_ONCE + 2));
  for (const number of upTo(20)) if (number !== 5 && number !== 2) await end(number);

  expect(begun).toEqual(upTo(20));
  const taken = await Promise.all(taking);
  expect(taken.filter((token) => token === 'ERR_REAUTHENTICATION_REQUIRED')).toHaveLength(1);
  expect(taken[2]).toBe('ERR_REAUTHENTICATION_REQUIRED');
  expect(taken[19]).toBe('access-19');
});

test('the accounts of another refresh function do not wait for these', async () => {
  const { refresh, begun } = gather();
  const store = createMemoryStore();
  const sources = createAccounts(20, { refresh, store });
  const taking = Promise.allSettled(sources.map((source) => source.getAccessToken()));
  await clock.advance(0);

  expect(await createAccount(20, { store }).getAccessToken()).toBe('access-2');
  expect(begun).toEqual(upTo(AT_ONCE));
  await clock.advance(30_000);
  await taking;
});

test('exchanges that never end give their places up when their time is over, and before they are tried again', async () => {
  const refresh: RefreshFunction = (request) =>
    request.refreshToken === 'refresh-8' ? tokens(2) : new Promise(() => undefined);
  const sources = createAccounts(9, { refresh, store: createMemoryStore() });
  const failing = sources.slice(0, AT_ONCE).map((source) => errorOf(source.getAccessToken()));
  const taking = sources[AT_ONCE]!.getAccessToken();
  await clock.advance(10_000);

  expect(await stateOf(taking)).toBe('fulfilled');
  await clock.advance(60_000);
  await Promise.all(failing);
});

test('attempts that are repeated queue again: never more than 8 at once, and no place is lost', async () => {
  const attempts = new Map<string, number>();
  let running = 0;
  let most = 0;
  const refresh: RefreshFunction = async ({ refreshToken, attempt }) => {
    running += 1;
    most = Math.max(most, running);
    await new Promise(setImmediate);
    running -= 1;
    attempts.set(refreshToken!, attempt);
    return attempt < 3 ? notSent() : tokens(2);
  };
  const sources = createAccounts(30, { refresh, store: createMemoryStore() });
  const taking = Promise.all(sources.map((source) => source.getAccessToken()));

  expect(new Set(await settled(clock, taking))).toEqual(new Set(['access-2']));
  expect([...attempts.values()]).toEqual(sources.map(() => 3));
  expect(most).toBe(AT_ONCE);
});

test('an attempt whose turn comes after the time of its flight is not sent', async () => {
  const { refresh, begun, end } = gather();
  let attempts = 0;
  const shared: RefreshFunction = (request) => {
    if (request.refreshToken !== 'refresh-0') return refresh(request);
    attempts += 1;
    return notSent();
  };
  const limits = { exchangeMs: 60_000, flightMs: 5000 };
  const sources = createAccounts(20, { refresh: shared, store: createMemoryStore(), limits });
  const failing = errorOf(sources[0]!.getAccessToken());
  const taking = sources.slice(1).map((source) => source.getAccessToken());
  await clock.advance(6000);
  expect(begun).toHaveLength(AT_ONCE);
  for (const number of upTo(20).slice(1)) await end(number);

  expect(await failing).toMatchObject({ code: 'ERR_REFRESH_FAILED' });
  expect(attempts).toBe(1);
  await Promise.all(taking);
});

test('an account that fails closes no gate, ends no wait and tells no event of another', async () => {
  const told = new Map<string, string[]>();
  const onEvent = ({ account, type }: TokenEvent): void => {
    told.set(account, [...(told.get(account) ?? []), type]);
  };
  const refresh: RefreshFunction = (request) =>
    Number(request.refreshToken!.slice('refresh-'.length)) % 2 === 0
      ? oauthError('account_deleted')(request)
      : tokens(2);
  const sources = createAccounts(100, { refresh, store: createMemoryStore(), onEvent });
  await Promise.allSettled(sources.map((source) => source.getAccessToken()));

  const odd = sources.filter((_, number) => number % 2 === 1);
  expect(await Promise.all(odd.map((source) => source.getAccessToken()))).toEqual(odd.map(() => 'access-2'));
  expect(odd.map((source) => source.status())).toEqual(
    odd.map(() => expect.objectContaining({ health: 'ok', lastError: undefined })),
  );
  const even = sources.filter((_, number) => number % 2 === 0);
  for (const source of even) expect(source.status().health).not.toBe('ok');
  expect(told.get('account-1')).toEqual(told.get('account-99'));
  expect(told.get('account-1')?.filter((type) => /fail|gate|signed-out/.test(type))).toEqual([]);
});

test('callers of several accounts never share an error', async () => {
  const sources = createAccounts(3, { refresh: oauthError('invalid_grant'), store: createMemoryStore() });

  const errors = await Promise.all(sources.map((source) => errorOf(source.getAccessToken())));

  expect(new Set(errors).size).toBe(3);
});

interface Watched {
  readonly store: TokenStore;
  readonly signal: AbortSignal;
  /** Accounts whose section is held or waited for, now and at most. */
  readonly locks: () => number;
  readonly mostLocks: () => number;
  readonly subscriptions: () => number;
}

function watchedStore(): Watched {
  const mutex = createKeyedMutex();
  const { signal } = new AbortController();
  let subscriptions = 0;
  let mostLocks = 0;
  return {
    signal,
    locks: () => mutex.size,
    mostLocks: () => mostLocks,
    subscriptions: () => subscriptions,
    store: {
      ...createMemoryStore(),
      runExclusive(account, task, patience) {
        const running = mutex.runExclusive(account, () => task({ signal, clock: undefined }), patience);
        mostLocks = Math.max(mostLocks, mutex.size);
        return running;
      },
      subscribe() {
        subscriptions += 1;
        return () => {
          subscriptions -= 1;
        };
      },
    },
  };
}

test('10,000 accounts that are idle cost no lock and no timer', async () => {
  const { store, locks } = watchedStore();
  const sources = createAccounts(10_000, { store, tokens: tokens(1) });
  await Promise.all(sources.map((source) => source.getAccessToken()));
  await clock.advance(EXPIRED_MS);

  expect(locks()).toBe(0);
  expect(clock.pendingTimers).toBe(0);
});

test('accounts that were refreshed leave neither lock nor timer nor listener; closed, nothing', async () => {
  const count = 1000;
  const { store, signal, locks, mostLocks, subscriptions } = watchedStore();
  const sources = createAccounts(count, { store });
  await Promise.all(sources.map((source) => source.getAccessToken()));
  await Promise.all(sources.map((source) => authorize(source)));

  expect(mostLocks()).toBeGreaterThan(AT_ONCE);
  expect(locks()).toBe(0);
  expect(clock.pendingTimers).toBe(0);
  expect(getEventListeners(signal, 'abort')).toEqual([]);
  expect(subscriptions()).toBe(count);

  await Promise.all(sources.map((source) => source.close()));

  expect(subscriptions()).toBe(0);
  expect(clock.pendingTimers).toBe(0);
  const source = { binding: undefined, clock, random: Math.random };
  const left = upTo(count).filter(
    (number) => joinCredential(store, `account-${number}`, source).credential.snapshot !== undefined,
  );
  expect(left).toEqual([]);
});

test('accounts whose refresh fails leave none of these either', async () => {
  const { store, signal, locks } = watchedStore();
  const sources = createAccounts(100, { refresh: oauthError('invalid_grant'), store });
  const failing = Promise.allSettled(sources.map((source) => source.getAccessToken()));
  await clock.advance(COOL_DOWN_MS);
  await failing;

  expect(locks()).toBe(0);
  expect(clock.pendingTimers).toBe(0);
  expect(getEventListeners(signal, 'abort')).toEqual([]);
});
