import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import { explain401, type TokenSource } from '@unexpired/core';
import type { SuiteAnswer } from './adapter-suite-driver.ts';
import {
  countBy,
  makeExpired,
  scenario,
  statusesOf,
  times,
  type Scenario,
  type World,
} from './adapter-suite-world.ts';
import type { FirstTokens } from './authorization-server.ts';

const NAMES = ['ann', 'bob'] as const;
type Name = (typeof NAMES)[number];

/** Two people, each signed in with a source of their own. */
interface Users {
  readonly sources: Readonly<Record<Name, TokenSource>>;
  readonly first: Readonly<Record<Name, FirstTokens>>;
}

async function signInBoth({ authorization, createSource }: World): Promise<Users> {
  const first = {
    ann: await authorization.signIn({ account: 'ann' }),
    bob: await authorization.signIn({ account: 'bob' }),
  };
  const source = (account: Name): TokenSource => createSource({ account, tokens: first[account] });
  return { first, sources: { ann: source('ann'), bob: source('bob') } };
}

/** Each request names its owner in its path, and carries an access token that was issued to that owner. */
function assertOwnTokens({ api, authorization }: World, { first }: Users): void {
  const owners = new Map<string | undefined, string | undefined>();
  for (const name of NAMES) owners.set(first[name].access_token, name);
  for (const { issued, presentation } of authorization.exchanges) {
    owners.set(issued?.access_token, presentation?.account);
  }
  const seen = api.requests.map(
    ({ url, bearerToken }) => `${url} with a token of ${owners.get(bearerToken)}`,
  );
  const expected = api.requests.map(({ url }) => `${url} with a token of ${url.split('/')[1]}`);
  assert.deepEqual(seen, expected);
}

/** A client for everybody, which learns from the async context whose request it sends. */
function contextClient(
  { api, suite }: World,
  { sources }: Users,
): (name: Name, page?: number) => Promise<SuiteAnswer> {
  const user = new AsyncLocalStorage<Name>();
  const send = suite.createClient(() => sources[user.getStore() ?? assert.fail('the context is lost')]);
  return (name, page = 0) => user.run(name, () => send({ url: `${api.origin}/${name}/${page}` }));
}

/** Many users in one process. */
export const users: readonly Scenario[] = [
  scenario('a resolver chooses the source, and no request gets another account’s token', async (world) => {
    const { api, authorization, suite } = world;
    const both = await signInBoth(world);
    const send = suite.createClient(async ({ account = '' }) => both.sources[account as Name]);
    authorization.revokeAccessTokens('ann');

    const accounts: Name[] = ['ann', 'bob', 'ann', 'bob'];
    const visit = (): Promise<SuiteAnswer[]> =>
      Promise.all(
        accounts.map((account) => send({ url: `${api.origin}/${account}`, unexpired: { account } })),
      );
    const answers = [...(await visit()), ...(await visit())];

    assert.deepEqual(countBy(statusesOf(answers)), { 200: 8 });
    assert.equal(authorization.exchanges.length, 1);
    assertOwnTokens(world, both);
  }),

  scenario(
    'a resolver reads the async context of the caller, also through a refresh and a replay',
    async (world) => {
      const { api, authorization } = world;
      const both = await signInBoth(world);
      const send = contextClient(world, both);
      authorization.revokeAccessTokens('ann');
      authorization.next({ hold: 'answer' });
      const waiting = send('ann', 1);
      await authorization.requestArrived();

      const meanwhile = [await send('bob', 2)];
      authorization.revokeAccessTokens('bob');
      meanwhile.push(await send('bob', 3));
      const queued = send('ann', 4);
      authorization.release();

      const answers = [await waiting, await queued, ...meanwhile, await send('ann', 5), await send('bob', 6)];
      assert.deepEqual(statusesOf(answers), [200, 200, 200, 200, 200, 200]);
      assert.equal(authorization.exchanges.length, 2);
      assert.ok(api.requests.length >= 8);
      assertOwnTokens(world, both);
    },
  ),

  scenario(
    'requests of two users that cross at every step each carry their own access token',
    async (world) => {
      const { authorization } = world;
      const both = await signInBoth(world);
      const send = contextClient(world, both);
      const visit = async (name: Name): Promise<void> => {
        for (let page = 0; page < 10; page += 1) {
          if (page % 3 === 1) authorization.revokeAccessTokens(name);
          const answers = await times(3, () => send(name, page));
          assert.deepEqual(statusesOf(answers), [200, 200, 200]);
        }
      };

      await Promise.all(NAMES.map(visit));

      assert.equal(authorization.exchanges.length, 6);
      assertOwnTokens(world, both);
    },
  ),

  scenario('clients of two sources in one process never mix their access tokens', async (world) => {
    const { api, authorization, suite } = world;
    const both = await signInBoth(world);
    const clients = {
      ann: suite.createClient(both.sources.ann),
      bob: suite.createClient(both.sources.bob),
    };
    const visitBoth = (): Promise<SuiteAnswer[]> =>
      Promise.all(NAMES.map((name) => clients[name]({ url: `${api.origin}/${name}` })));

    const answers = await visitBoth();
    authorization.revokeAccessTokens('ann');
    answers.push(...(await visitBoth()));
    authorization.revokeAccessTokens();
    answers.push(...(await visitBoth()));

    assert.deepEqual(statusesOf(answers), [200, 200, 200, 200, 200, 200]);
    assert.equal(authorization.exchanges.length, 3);
    assertOwnTokens(world, both);
  }),

  scenario('the dead grant of one user leaves the other, who is refreshed as before', async (world) => {
    const { authorization } = world;
    const both = await signInBoth(world);
    const send = contextClient(world, both);
    authorization.revokeGrant(both.first.ann.refresh_token);
    authorization.revokeAccessTokens('bob');

    const [refused, renewed] = await Promise.all([send('ann'), send('bob')]);

    assert.equal(refused.status, 401, String(refused.error));
    if (refused.native) assert.equal(explain401(refused.native)?.reason, 'refresh-failed');
    assert.equal(renewed.status, 200, String(renewed.error));
    await makeExpired(world);
    const [waiting, other] = await Promise.all([send('ann'), send('bob')]);
    assert.equal((waiting.error as { code?: unknown } | undefined)?.code, 'ERR_REAUTHENTICATION_REQUIRED');
    assert.equal(other.status, 200, String(other.error));
    assert.deepEqual(authorization.reuses, []);
    assertOwnTokens(world, both);
  }),
];
