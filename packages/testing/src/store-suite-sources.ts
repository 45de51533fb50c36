import assert from 'node:assert/strict';
import {
  createTokenSource,
  type CredentialRecord,
  type RefreshFunction,
  type TokenResponse,
  type TokenSource,
  type TokenSourceOptions,
  type TokenStore,
} from '@unexpired/core';
import { createAuthorizationServer, type AuthorizationServer } from './authorization-server.ts';
import { asJson, type StoreCase } from './store-suite-case.ts';

const API = 'https://api.example.com';

/** What a case of a token source has around it. */
interface Setting {
  readonly open: () => Promise<TokenStore>;
  readonly server: AuthorizationServer;
  /** A token source of its own; every one is closed after the case. */
  readonly createSource: (store: TokenStore, options?: Partial<TokenSourceOptions>) => TokenSource;
  /** What a sign-in returns whose access token is expired already. */
  readonly expired: () => Promise<TokenResponse>;
}

function refreshAt({ tokenEndpoint }: AuthorizationServer): RefreshFunction {
  return ({ refreshToken = '', signal }) =>
    fetch(tokenEndpoint, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'refresh_token',
        refresh_token: refreshToken,
        client_id: 'cli',
      }),
      signal,
    });
}

function caseOf(name: string, run: (setting: Setting) => Promise<void>): StoreCase {
  return {
    name,
    async run(open) {
      const server = await createAuthorizationServer();
      const sources: TokenSource[] = [];
      const createSource: Setting['createSource'] = (store, options) => {
        const source = createTokenSource({ origins: [API], refresh: refreshAt(server), store, ...options });
        sources.push(source);
        return source;
      };
      const expired = async (): Promise<TokenResponse> => ({ ...(await server.signIn()), expires_in: 0 });
      try {
        await run({ open, server, createSource, expired });
      } finally {
        await Promise.all(sources.map((source) => source.close()));
        await server.close();
      }
    },
  };
}

/** One request that a resource server refuses although the token is fresh by the clock, and its replay. */
async function forceRefresh(source: TokenSource): Promise<void> {
  const sent = await source.authorize({ url: API, method: 'GET' });
  const refusal = { url: API, status: 401, header: () => undefined };
  const replay = await source.reauthorize(sent!, refusal, { replayable: true });
  assert.ok(replay !== undefined, 'the refresh brought no other access token');
  source.settled(replay, 200);
}

function generationsShown(server: AuthorizationServer): unknown[] {
  return server.presentations.map(({ generation }) => generation);
}

/** A token source over the store, against an authorization server that ends the grant on reuse. */
export const sources: readonly StoreCase[] = [
  caseOf(
    'a source goes on after a restart where it left off',
    async ({ open, server, createSource, expired }) => {
      const store = await open();
      const first = createSource(store);
      await first.signIn(await expired());
      const token = await first.getAccessToken();
      await first.close();

      const second = createSource(store);
      assert.equal(await second.getAccessToken(), token);
      await forceRefresh(second);
      assert.deepEqual(generationsShown(server), [1, 2]);
    },
  ),
  caseOf('each refresh token is presented once, in order', async ({ open, server, createSource }) => {
    const store = await open();
    for (let restart = 0; restart < 3; restart += 1) {
      const source = createSource(store);
      if (restart === 0) await source.signIn(await server.signIn());
      await forceRefresh(source);
      await forceRefresh(source);
      await source.close();
    }
    assert.deepEqual(generationsShown(server), [1, 2, 3, 4, 5, 6]);
    const stored = await store.read('default');
    assert.equal(stored?.tokens?.refresh_token, server.exchanges.at(-1)?.issued?.refresh_token);
    assert.equal(stored?.claim, undefined);
  }),
  caseOf('100 callers share one exchange', async ({ open, server, createSource, expired }) => {
    const source = createSource(await open());
    await source.signIn(await expired());
    const taken = await Promise.all(Array.from({ length: 100 }, () => source.getAccessToken()));
    assert.equal(new Set(taken).size, 1);
    assert.equal(server.exchanges.length, 1);
  }),
  caseOf('the option `tokens` is stored where there is no record, and only there', async (setting) => {
    const { open, server, createSource } = setting;
    const store = await open();
    const [one, two] = [await server.signIn(), await server.signIn()];
    const source = createSource(store, { tokens: one });
    assert.equal(await source.getAccessToken(), one.access_token);
    await source.close();
    assert.equal(await createSource(store, { tokens: two }).getAccessToken(), one.access_token);
  }),
  caseOf('members that nobody here knows outlive a refresh', async ({ open, createSource, expired }) => {
    const store = await open();
    const source = createSource(store);
    await source.signIn({ ...(await expired()), account_id: 'acct-1' });
    await source.close();
    const stored = (await store.read('default'))!;
    const marked = { ...stored, revision: stored.revision + 1, futureMember: ['kept'] };
    assert.equal(await store.write('default', marked, stored.revision), true);

    await createSource(store).getAccessToken();
    const { futureMember, tokens, generation } = asJson(await store.read('default')) as CredentialRecord;
    assert.deepEqual([futureMember, tokens?.['account_id'], generation], [['kept'], 'acct-1', 2]);
  }),
  caseOf('a refused grant leaves the stored tokens as they are', async (setting) => {
    const { open, server, createSource, expired } = setting;
    const store = await open();
    const source = createSource(store);
    const given = await expired();
    await source.signIn(given);
    server.revokeGrant(given.refresh_token!);

    await assert.rejects(source.getAccessToken(), { code: 'ERR_REAUTHENTICATION_REQUIRED' });
    const stored = await store.read('default');
    assert.deepEqual(
      [stored?.tokens?.access_token, stored?.tokens?.refresh_token, stored?.generation],
      [given.access_token, given.refresh_token, 1],
    );
  }),
  caseOf('a sign-out is remembered, and a sign-in ends it', async ({ open, server, createSource }) => {
    const store = await open();
    const first = createSource(store);
    await first.signIn(await server.signIn());
    await first.signOut();
    await first.close();
    assert.doesNotMatch(JSON.stringify(await store.read('default')), /access_token|refresh_token/);

    const second = createSource(store, { tokens: await server.signIn() });
    await assert.rejects(second.getAccessToken(), { code: 'ERR_REAUTHENTICATION_REQUIRED' });
    const given = await server.signIn();
    await second.signIn(given);
    assert.equal(await second.getAccessToken(), given.access_token);
  }),
  caseOf('sources of two accounts know nothing of each other', async ({ open, server, createSource }) => {
    const store = await open();
    const ann = createSource(store, { account: 'ann', tokens: await server.signIn({ account: 'ann' }) });
    const bob = createSource(store, { account: 'bob', tokens: await server.signIn({ account: 'bob' }) });
    await Promise.all([ann.getAccessToken(), bob.getAccessToken()]);
    await Promise.all([forceRefresh(ann), forceRefresh(bob)]);
    await ann.signOut();
    assert.ok(server.isAccessTokenValid(await bob.getAccessToken()));
    assert.equal(bob.status().generation, 2);
  }),
  {
    ...caseOf('sources over two stores share one exchange', async (setting) => {
      const { open, server, createSource, expired } = setting;
      const [one, two] = [createSource(await open()), createSource(await open())];
      await one.signIn(await expired());
      const taken = await Promise.all([one, two, one, two].map((source) => source.getAccessToken()));
      assert.equal(new Set(taken).size, 1);
      assert.equal(server.exchanges.length, 1);
    }),
    shared: true,
  },
  {
    ...caseOf(
      'sources over two stores take turns without a reuse',
      async ({ open, server, createSource }) => {
        const [one, two] = [createSource(await open()), createSource(await open())];
        await one.signIn(await server.signIn());
        for (let round = 0; round < 5; round += 1) {
          await forceRefresh(one);
          await forceRefresh(two);
        }
        assert.deepEqual(server.reuses, []);
        assert.ok(server.isAccessTokenValid(await one.getAccessToken()));
      },
    ),
    shared: true,
  },
];
