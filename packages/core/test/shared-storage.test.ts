import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createStoreFrom, createTokenSource, type RecordStorage } from '@unexpired/core';
import {
  createAuthorizationServer,
  createFakeClock,
  type AuthorizationServer,
  type FakeClock,
} from '@unexpired/testing';
import { API, EXPIRED_MS, refreshAt } from './scene.ts';

/** As a database: each call takes a turn of the event loop. */
function createStorage(): RecordStorage {
  const saved = new Map<string, string>();
  const turn = (): Promise<void> => new Promise(setImmediate);
  return {
    async load(account) {
      await turn();
      const text = saved.get(account);
      return text === undefined ? null : (JSON.parse(text) as unknown);
    },
    async save(account, record) {
      await turn();
      saved.set(account, JSON.stringify(record));
    },
  };
}

let clock: FakeClock;
let server: AuthorizationServer;

beforeEach(async () => {
  clock = createFakeClock();
  server = await createAuthorizationServer({ clock, rotation: 'strict' });
});

afterEach(() => server.close());

test('two stores over one storage share one exchange, also where a reuse would end the grant', async () => {
  const storage = createStorage();
  const [one, two] = [1, 2].map(() =>
    createTokenSource({
      origins: [API],
      refresh: refreshAt(server),
      store: createStoreFrom(storage),
      clock,
      random: () => 0,
    }),
  ) as [ReturnType<typeof createTokenSource>, ReturnType<typeof createTokenSource>];
  await one.signIn(await server.signIn());
  await two.getAccessToken();
  await clock.advance(EXPIRED_MS);

  const taken = await Promise.all([one.getAccessToken(), two.getAccessToken()]);

  expect(new Set(taken).size).toBe(1);
  expect(server.exchanges).toHaveLength(1);
  expect(server.isAccessTokenValid(taken[0])).toBe(true);
});
