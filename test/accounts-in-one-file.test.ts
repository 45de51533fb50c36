import { readFile } from 'node:fs/promises';
import { expect, test } from '@jest/globals';
import type { AccessTokenError, CredentialRecord, RefreshFunction, TokenSource } from '@unexpired/core';
import { expired, openFile, type OneFile } from './one-file.ts';
import { afterwards, refreshAt } from './world.ts';

const COUNT = 200;
const [FAILING, HELD] = ['account-3', 'account-5'];
/** More than enough for a loaded machine, while exchanges are held back. */
const limits = { exchangeMs: 80_000, flightMs: 80_000, lockMs: 80_000, waitMs: 80_000 };

interface Turnstile {
  readonly refresh: RefreshFunction;
  readonly running: () => number;
  /** Resolves when the eighth has come. */
  readonly full: Promise<void>;
  /** Lets all exchanges go on but that of the account that is held. */
  readonly open: () => void;
  readonly release: () => void;
}

/** The grant at the server; every exchange waits for the test. */
function createTurnstile({ server }: OneFile, held: () => string | undefined): Turnstile {
  const send = refreshAt(server);
  const [opened, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const full = Promise.withResolvers<void>();
  let running = 0;
  return {
    async refresh(request) {
      running += 1;
      if (running === 8) full.resolve();
      await (request.refreshToken === held() ? released : opened).promise;
      running -= 1;
      return send(request);
    },
    running: () => running,
    full: full.promise,
    open: opened.resolve,
    release: released.resolve,
  };
}

interface Office extends OneFile, Turnstile {
  readonly sources: ReadonlyMap<string, TokenSource>;
  readonly first: ReadonlyMap<string, string>;
}

/** Signed in with access tokens that have expired. */
async function openOffice(): Promise<Office> {
  const file = await openFile();
  const first = new Map<string, string>();
  const sources = new Map<string, TokenSource>();
  for (let number = 0; number < COUNT; number += 1) {
    const account = `account-${number}`;
    const tokens = await expired(file.server, account);
    first.set(account, tokens.refresh_token);
  }
  const turnstile = createTurnstile(file, () => first.get(HELD));
  const { refresh } = turnstile;
  for (const [account, refreshToken] of first) {
    const tokens = { refresh_token: refreshToken };
    sources.set(account, file.createSource({ account, tokens, refresh, limits }));
  }
  // Closing a source waits for what it exchanges, so this comes first.
  afterwards(turnstile.open);
  afterwards(turnstile.release);
  return { ...file, ...turnstile, sources, first };
}

type Taken = readonly [account: string, token: string];

async function take(account: string, source: TokenSource): Promise<Taken> {
  return [account, await source.getAccessToken().catch(({ code }: AccessTokenError) => code)];
}

/** What the server issued last to each account. */
function issuedBy({ server }: OneFile, member: 'access_token' | 'refresh_token'): Map<unknown, unknown> {
  return new Map(
    server.exchanges.map(({ presentation, issued }) => [presentation?.account, issued?.[member]]),
  );
}

async function storedIn({ path }: OneFile): Promise<[string, CredentialRecord][]> {
  const { accounts } = JSON.parse(await readFile(path, 'utf8')) as {
    accounts: Record<string, CredentialRecord>;
  };
  return Object.entries(accounts);
}

test('of 200 accounts in one file 8 refresh at once by one function, and those of another do not wait', async () => {
  const { server, sources, running, full, open, release, createSource } = await openOffice();
  const taking = [...sources].map(([account, source]) => take(account, source));
  await full;
  const others = Array.from({ length: 10 }, async (_, number) => {
    const account = `other-${number}`;
    const tokens = await expired(server, account);
    return createSource({ account, tokens, limits }).getAccessToken();
  });

  for (const token of await Promise.all(others)) expect(server.isAccessTokenValid(token)).toBe(true);
  expect(running()).toBe(8);
  open();
  release();
  const taken = await Promise.all(taking);
  expect(taken.filter(([, token]) => !server.isAccessTokenValid(token))).toEqual([]);
});

test('of 200 accounts in one file one that fails and one whose exchange hangs leave the others alone', async () => {
  const office = await openOffice();
  const { server, events, sources, first, open, release } = office;
  server.revokeGrant(first.get(FAILING)!);
  open();

  const taking = new Map([...sources].map(([account, source]) => [account, take(account, source)]));
  const waiting = taking.get(HELD)!;
  taking.delete(HELD);
  const taken = await Promise.all(taking.values());

  const issued = issuedBy(office, 'access_token');
  const expected = taken.map(([account]) => [
    account,
    issued.get(account) ?? 'ERR_REAUTHENTICATION_REQUIRED',
  ]);
  expect(taken).toEqual(expected);
  expect(issued.get(FAILING)).toBeUndefined();
  const states = [...sources].map(([account, source]) => {
    const { health, durability, refreshing } = source.status();
    return { account, health, durability, refreshing };
  });
  expect(states.filter(({ health }) => health !== 'ok')).toEqual([
    { account: FAILING, health: 'signed-out', durability: 'clean', refreshing: false },
  ]);
  expect(states.filter(({ refreshing }) => refreshing)).toEqual([
    { account: HELD, health: 'ok', durability: 'clean', refreshing: true },
  ]);
  const troubled = events.filter(({ type }) => /fail|rejected|required|contended/.test(type));
  expect(new Set(troubled.map(({ account }) => account))).toEqual(new Set([FAILING]));

  release();
  expect(server.isAccessTokenValid((await waiting)[1])).toBe(true);
  const newest = issuedBy(office, 'refresh_token');
  const stored = (await storedIn(office)).map(([account, { tokens, claim }]) => [
    account,
    tokens?.refresh_token,
    claim,
  ]);
  expect(stored).toHaveLength(COUNT);
  expect(stored).toEqual(
    stored.map(([account]) => [account, newest.get(account) ?? first.get(FAILING), undefined]),
  );
  expect(server.presentations).toHaveLength(COUNT);
});
