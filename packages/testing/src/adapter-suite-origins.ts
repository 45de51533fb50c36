import assert from 'node:assert/strict';
import {
  authorizationsSeen,
  makeExpired,
  revokeAll,
  scenario,
  scenarioWith,
  statusesOf,
  tokensSeen,
  type Scenario,
  type World,
} from './adapter-suite-world.ts';
import type { Answer } from './fault.ts';

function redirectTo(location: string, status = 302): { readonly respond: Answer } {
  return { respond: { status, headers: { Location: location } } };
}

function reasonsOf({ events }: World): unknown[] {
  return events.flatMap((event) => (event.type === 'request-not-authorized' ? [event.reason] : []));
}

/** Which requests see the access token. */
export const origins: readonly Scenario[] = [
  scenario('another origin never sees the access token', async (world) => {
    const { elsewhere, send } = world;

    const answer = await send({ url: `${elsewhere.origin}/page`, headers: { 'X-Mine': 'kept' } });

    assert.equal(answer.status, 200, String(answer.error));
    assert.deepEqual(authorizationsSeen(elsewhere), [[]]);
    assert.equal(elsewhere.requests[0]?.headers['x-mine'], 'kept');
    assert.deepEqual(reasonsOf(world), ['origin']);
  }),

  scenario('a 401 of another origin costs no exchange', async (world) => {
    const { elsewhere, send, authorization } = world;
    elsewhere.next(401);

    assert.equal((await send({ url: elsewhere.origin })).status, 401);
    assert.equal(elsewhere.requests.length, 1);
    assert.equal(authorization.exchanges.length, 0);
  }),

  scenario('a redirect to another origin does not take the access token along', async (world) => {
    const { api, elsewhere, get } = world;
    api.next(redirectTo(elsewhere.origin), redirectTo(elsewhere.origin, 307));

    const answers = [await get(), await get()];

    assert.deepEqual(statusesOf(answers), [200, 200]);
    assert.deepEqual(authorizationsSeen(elsewhere), [[], []]);
  }),

  scenario('a redirect within the origin keeps the access token', async (world) => {
    const { api, get, first } = world;
    api.next(redirectTo('/moved'));

    assert.equal((await get()).status, 200);
    assert.deepEqual(tokensSeen(api), [first.access_token, first.access_token]);
  }),

  scenario('the 401 of a redirect target on another origin costs no exchange', async (world) => {
    const { api, elsewhere, get, authorization } = world;
    api.next(redirectTo(elsewhere.origin));
    elsewhere.next(401);

    assert.equal((await get()).status, 401);
    assert.equal(authorization.exchanges.length, 0);
    assert.equal(api.requests.length, 1);
  }),

  scenario("a caller's own Authorization stands", async (world) => {
    const { api, send, authorization } = world;

    const answer = await send({ url: api.origin, headers: { Authorization: 'Bearer mine' } });

    assert.equal(answer.status, 401);
    assert.deepEqual(authorizationsSeen(api), [['Bearer mine']]);
    assert.equal(authorization.exchanges.length, 0);
    assert.deepEqual(reasonsOf(world), ['own-header']);
  }),

  scenarioWith(
    { adapter: { replaceAuthorization: true } },
    "a caller's own Authorization is replaced where the adapter is told so",
    async ({ api, send, first }) => {
      const headers = { Authorization: 'Bearer mine' };

      await send({ url: api.origin, headers });
      await send({ url: api.origin, headers, unexpired: { replaceAuthorization: false } });

      assert.deepEqual(tokensSeen(api), [first.access_token, 'mine']);
    },
  ),

  scenario('a request that skips is left alone', async (world) => {
    const { api, send, authorization } = world;
    await makeExpired(world);

    const answer = await send({ url: api.origin, unexpired: { skip: true } });

    assert.equal(answer.status, 401);
    assert.deepEqual(authorizationsSeen(api), [[]]);
    assert.equal(authorization.exchanges.length, 0);
    assert.deepEqual(reasonsOf(world), ['skip']);
  }),

  scenario('a wrong option of a request is a TypeError, and nothing is sent', async ({ api, send }) => {
    const account = await send({ url: api.origin, unexpired: { account: 'ann' } });
    const skip = await send({ url: api.origin, unexpired: { skip: 'yes' as unknown as boolean } });

    for (const { error } of [account, skip]) assert.equal((error as Error | undefined)?.name, 'TypeError');
    assert.match(String(account.error), /unexpired\.account/);
    assert.match(String(skip.error), /unexpired\.skip.*true or false/);
    assert.equal(api.requests.length, 0);
  }),

  scenario('a resolver that names no source leaves the request untouched', async (world) => {
    const { api, suite } = world;
    const seen: unknown[] = [];
    const send = suite.createClient(({ url, method, account }) => {
      seen.push({ url: new URL(url).href, method, account });
      return undefined;
    });

    const answer = await send({ url: `${api.origin}/things?a=1`, method: 'DELETE' });

    assert.equal(answer.status, 401);
    assert.deepEqual(authorizationsSeen(api), [[]]);
    assert.deepEqual(seen, [{ url: `${api.origin}/things?a=1`, method: 'DELETE', account: undefined }]);
  }),

  scenario('the replay after a redirect within the origin begins anew', async (world) => {
    const { api, get } = world;
    revokeAll(world);
    api.next(redirectTo('/moved'));

    assert.equal((await get()).status, 200);
    assert.deepEqual(
      api.requests.map(({ url, status }) => [url, status]),
      [
        ['/things', 302],
        ['/moved', 401],
        ['/things', 200],
      ],
    );
  }),
];
