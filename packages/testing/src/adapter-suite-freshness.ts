import assert from 'node:assert/strict';
import {
  countBy,
  makeDue,
  makeExpired,
  revokeAll,
  scenario,
  statusesOf,
  times,
  tokensSeen,
  type Scenario,
} from './adapter-suite-world.ts';

export const freshness: readonly Scenario[] = [
  scenario('a fresh access token goes with the request, without an exchange', async (world) => {
    const { api, get, first, authorization } = world;

    const answer = await get();

    assert.equal(answer.status, 200, String(answer.error));
    assert.deepEqual(tokensSeen(api), [first.access_token]);
    assert.equal(authorization.exchanges.length, 0);
  }),

  scenario('a due access token is refreshed while requests go on with it', async (world) => {
    const { api, get, first, authorization } = world;
    await makeDue(world);
    authorization.next({ hold: 'answer' });

    const answers = [await get(), await get()];

    assert.deepEqual(statusesOf(answers), [200, 200]);
    assert.deepEqual(tokensSeen(api), [first.access_token, first.access_token]);
    await authorization.requestArrived();
    authorization.release();
  }),

  scenario('callers with an expired access token share one exchange', async (world) => {
    const { api, get, authorization } = world;
    await makeExpired(world);

    const answers = await times(20, get);

    assert.deepEqual(countBy(statusesOf(answers)), { 200: 20 });
    assert.equal(authorization.exchanges.length, 1);
    assert.deepEqual(countBy(tokensSeen(api)), { [authorization.exchanges[0]!.issued!.access_token]: 20 });
  }),

  scenario('a refused access token is replaced and the request sent once more', async (world) => {
    const { api, get, authorization } = world;
    revokeAll(world);

    const answer = await get();

    assert.equal(answer.status, 200, String(answer.error));
    assert.deepEqual(statusesOf(api.requests), [401, 200]);
    assert.equal(authorization.exchanges.length, 1);
  }),

  scenario('the access token is read afresh for each request', async (world) => {
    const { api, get, tokens, first, authorization } = world;
    api.next(503);
    await get();
    const second = await authorization.signIn();
    await tokens.signIn(second);

    await get();

    assert.deepEqual(tokensSeen(api), [first.access_token, second.access_token]);
  }),

  scenario('a request that asks for a longer lifetime waits for a new access token', async (world) => {
    const { api, send, authorization } = world;
    await world.clock.advance(1_800_000);

    await send({ url: api.origin, unexpired: { minTtlMs: 1_000_000 } });
    await send({ url: api.origin, unexpired: { minTtlMs: 2_000_000 } });

    const [exchange] = authorization.exchanges;
    assert.equal(authorization.exchanges.length, 1);
    assert.deepEqual(tokensSeen(api), [world.first.access_token, exchange?.issued?.access_token]);
  }),

  scenario('each attempt has exactly one Authorization line', async (world) => {
    const { api, send } = world;
    revokeAll(world);

    await send({ url: api.origin, headers: { Accept: '*/*' } });
    await send({
      url: api.origin,
      headers: { AUTHORIZATION: 'Bearer mine' },
      unexpired: { replaceAuthorization: true },
    });

    assert.deepEqual(statusesOf(api.requests), [401, 200, 200]);
    assert.deepEqual(
      api.requests.map(({ authorization }) => authorization.length),
      [1, 1, 1],
    );
  }),

  scenario('a connection that drops during the refresh does not harm the replay', async (world) => {
    const { api, elsewhere, get, send, authorization } = world;
    revokeAll(world);
    authorization.next({ hold: 'answer' });
    const answer = get();
    await authorization.requestArrived();
    api.dropConnections();
    await send({ url: elsewhere.origin });
    authorization.release();

    assert.equal((await answer).status, 200);
    assert.deepEqual(statusesOf(api.requests), [401, 200]);
  }),
];
