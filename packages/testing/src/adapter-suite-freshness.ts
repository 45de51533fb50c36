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
];
