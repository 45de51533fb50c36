import assert from 'node:assert/strict';
import {
  authorizationsSeen,
  makeExpired,
  revokeAll,
  scenarioWith,
  statusesOf,
  type Scenario,
  type World,
} from './adapter-suite-world.ts';
import { faults } from './faults.ts';

const inHeader = { source: { fallback: { header: 'X-Api-Key', value: 'static-key' } } };

/** The authorization server refuses the grant from now on; the API takes anything. */
async function refuseGrant(world: World): Promise<void> {
  world.authorization.always(faults.oauthError('invalid_grant'));
  world.api.always(200);
  await makeExpired(world);
}

/** What is sent while there is no access token to be had. */
export const fallbacks: readonly Scenario[] = [
  scenarioWith(
    { source: { fallback: 'static-key' } },
    'a fallback stands in for a refused grant until a sign-in',
    async (world) => {
      const { api, get, tokens, authorization } = world;
      await refuseGrant(world);

      const before = await get();
      const second = await authorization.signIn();
      await tokens.signIn(second);
      const after = await get();

      assert.deepEqual(statusesOf([before, after]), [200, 200]);
      assert.deepEqual(authorizationsSeen(api), [['Bearer static-key'], [`Bearer ${second.access_token}`]]);
      assert.equal(authorization.exchanges.length, 1);
    },
  ),

  scenarioWith(
    { source: { fallback: 'static-key' } },
    'a fallback replaces a refused access token in the replay',
    async (world) => {
      const { api, get, authorization } = world;
      authorization.always(faults.oauthError('invalid_grant'));
      revokeAll(world);
      api.next({}, 200);

      assert.equal((await get()).status, 200);
      assert.deepEqual(authorizationsSeen(api)[1], ['Bearer static-key']);
    },
  ),

  scenarioWith(inHeader, 'a fallback in a header of its own has that header alone', async (world) => {
    const { api, send, events } = world;
    await refuseGrant(world);

    const answer = await send({
      url: api.origin,
      headers: { Authorization: 'Bearer mine' },
      unexpired: { replaceAuthorization: true },
    });

    assert.equal(answer.status, 200, String(answer.error));
    assert.deepEqual(authorizationsSeen(api), [[]]);
    assert.equal(api.requests[0]?.headers['x-api-key'], 'static-key');
    assert.ok(events.some(({ type }) => type === 'fallback-used'));
  }),

  scenarioWith(inHeader, 'a redirect does not take the header of a fallback along', async (world) => {
    const { api, elsewhere, get } = world;
    await refuseGrant(world);
    api.next({ respond: { status: 302, headers: { Location: elsewhere.origin } } });

    await get();

    assert.equal(api.requests[0]?.headers['x-api-key'], 'static-key');
    for (const { headers } of elsewhere.requests) assert.equal(headers['x-api-key'], undefined);
  }),
];
