import assert from 'node:assert/strict';
import type { SuiteAnswer } from './adapter-suite-driver.ts';
import {
  aWhile,
  countBy,
  makeExpired,
  revokeAll,
  scenario,
  statusesOf,
  times,
  tokensSeen,
  type Scenario,
  type World,
} from './adapter-suite-world.ts';

/** The caller that aborted has left while the refresh is still held. */
async function assertLeft(world: World, leaving: Promise<SuiteAnswer>): Promise<void> {
  const outcome = await Promise.race([leaving.then(({ status }) => status), aWhile(world)]);
  assert.equal(outcome, undefined);
}

/** Many callers, one refresh. */
export const crowds: readonly Scenario[] = [
  scenario('1,000 requests on an expired access token cost one exchange', async (world) => {
    const { get, authorization } = world;
    await makeExpired(world);

    const answers = await times(1000, get);

    assert.deepEqual(countBy(statusesOf(answers)), { 200: 1000 });
    assert.equal(authorization.exchanges.length, 1);
    assert.deepEqual(authorization.reuses, []);
  }),

  scenario('1,000 requests on an access token revoked before its time cost one exchange', async (world) => {
    const { get, authorization } = world;
    revokeAll(world);

    const answers = await times(1000, get);

    assert.deepEqual(countBy(statusesOf(answers)), { 200: 1000 });
    assert.equal(authorization.exchanges.length, 1);
    assert.deepEqual(authorization.reuses, []);
  }),

  scenario('a late 401 for an older access token costs no exchange', async (world) => {
    const { api, get, authorization } = world;
    revokeAll(world);
    api.next({ hold: 'answer' });
    const late = get();
    await api.requestArrived();
    await get();

    api.release();

    assert.equal((await late).status, 200);
    assert.deepEqual(statusesOf(api.requests), [401, 401, 200, 200]);
    assert.equal(authorization.exchanges.length, 1);
  }),

  scenario('a caller that aborts while it waits leaves at once and alone', async (world) => {
    const { api, send, get, authorization } = world;
    await makeExpired(world);
    authorization.next({ hold: 'answer' });
    const controller = new AbortController();
    const leaving = send({ url: api.origin, signal: controller.signal });
    const staying = get();
    await authorization.requestArrived();

    controller.abort();

    await assertLeft(world, leaving);
    authorization.release();
    assert.equal((await staying).status, 200);
    assert.equal(authorization.exchanges.length, 1);
  }),

  scenario('a caller that aborts while its 401 is answered leaves at once and alone', async (world) => {
    const { api, send, get, authorization } = world;
    revokeAll(world);
    authorization.next({ hold: 'answer' });
    const controller = new AbortController();
    const leaving = send({ url: api.origin, signal: controller.signal });
    const staying = get();
    await authorization.requestArrived();

    controller.abort();

    await assertLeft(world, leaving);
    authorization.release();
    assert.equal((await staying).status, 200);
    assert.equal(authorization.exchanges.length, 1);
  }),

  scenario('a refresh that everybody left still brings its access token', async (world) => {
    const { api, send, get, tokens, authorization } = world;
    await makeExpired(world);
    authorization.next({ hold: 'answer' });
    const controller = new AbortController();
    const { signal } = controller;
    const leaving = [1, 2, 3].map(() => send({ url: api.origin, signal }));
    await authorization.requestArrived();
    controller.abort();
    for (const each of leaving) await assertLeft(world, each);

    authorization.release();
    await tokens.getAccessToken();

    assert.equal((await get()).status, 200);
    assert.deepEqual(tokensSeen(api), [authorization.exchanges[0]?.issued?.access_token]);
  }),
];
