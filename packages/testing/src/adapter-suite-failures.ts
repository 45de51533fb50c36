import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import type { SuiteAnswer } from './adapter-suite-driver.ts';
import {
  assertExplained,
  countBy,
  makeExpired,
  revokeAll,
  scenario,
  statusesOf,
  times,
  whileTimePasses,
  type Scenario,
  type World,
} from './adapter-suite-world.ts';
import { faults } from './faults.ts';

function codesOf(answers: readonly SuiteAnswer[]): unknown[] {
  return answers.map(({ error }) => (error as { code?: unknown } | undefined)?.code);
}

/** Nothing that a person reads of the error has a token in it. */
function assertNoToken({ first, authorization }: World, error: unknown): void {
  const issued = authorization.exchanges.flatMap((exchange) => exchange.issued ?? []);
  const secrets = [first, ...issued].flatMap((tokens) => [tokens.access_token, tokens.refresh_token]);
  const shown = `${inspect(error, { depth: 12 })} ${String(error)} ${JSON.stringify(error)}`;
  for (const secret of secrets) if (secret !== undefined) assert.ok(!shown.includes(secret), shown);
}

/** What happens when no other access token can be had, or none is accepted. */
export const failures: readonly Scenario[] = [
  scenario('a refused grant rejects everybody who waits, alike, and is not asked again', async (world) => {
    const { api, get, authorization } = world;
    await makeExpired(world);
    authorization.always(faults.oauthError('invalid_grant'));

    const waiting = await times(20, get);
    const later = await times(100, get);

    assert.deepEqual(countBy(codesOf([...waiting, ...later])), { ERR_REAUTHENTICATION_REQUIRED: 120 });
    assert.equal(new Set(waiting.map(({ error }) => String(error))).size, 1);
    assert.equal(authorization.exchanges.length, 1);
    assert.equal(api.requests.length, 0);
  }),

  scenario('a refused grant leaves those who hold a 401 with it, explained', async (world) => {
    const { get, authorization, first } = world;
    revokeAll(world);
    authorization.revokeGrant(first.access_token);

    const answers = await times(20, get);
    await times(100, get);

    assert.deepEqual(countBy(statusesOf(answers)), { 401: 20 });
    for (const answer of answers) {
      assertExplained(world, answer, { reason: 'refresh-failed', fresh: false });
      assert.match(answer.text, /invalid_token/);
    }
    assert.equal(authorization.exchanges.length, 1);
  }),

  scenario('callers succeed through a token endpoint that is unavailable twice', async (world) => {
    const { get, authorization } = world;
    await makeExpired(world);
    authorization.next({ respond: { status: 503 } }, { respond: { status: 503 } });

    const answers = await whileTimePasses(world, times(5, get));

    assert.deepEqual(countBy(statusesOf(answers)), { 200: 5 });
    assert.deepEqual(statusesOf(authorization.exchanges), [503, 503, 200]);
  }),

  scenario('callers succeed through a token endpoint that resets twice', async (world) => {
    const { get, authorization } = world;
    revokeAll(world);
    authorization.next({ reset: 'request' }, { reset: 'request' });

    const answers = await whileTimePasses(world, times(5, get));

    assert.deepEqual(countBy(statusesOf(answers)), { 200: 5 });
    assert.deepEqual(authorization.reuses, []);
  }),

  scenario('a second 401 is handed on, explained', async (world) => {
    const { api, get, authorization } = world;
    api.always(401);

    const answer = await get();

    assertExplained(world, answer, { reason: 'refused-again' });
    assert.deepEqual(statusesOf(api.requests), [401, 401]);
    assert.equal(authorization.exchanges.length, 1);
  }),

  scenario(
    'an API that refuses every access token costs one exchange, not one for each 401',
    async (world) => {
      const { api, get, authorization } = world;
      api.always(401);

      for (let request = 0; request < 10; request += 1) await get();

      assert.equal(authorization.exchanges.length, 1);
      assertExplained(world, await get(), { reason: 'gate-closed' });
    },
  ),

  scenario('a 401 that asks for Basic, and a 403, are handed on', async (world) => {
    const { api, get, authorization } = world;
    api.next({ respond: { status: 401, headers: { 'WWW-Authenticate': 'Basic realm="gateway"' } } }, 403);

    const answers = [await get(), await get()];

    assert.deepEqual(statusesOf(answers), [401, 403]);
    assert.equal(answers[0]?.headers.get('www-authenticate'), 'Basic realm="gateway"');
    assert.equal(authorization.exchanges.length, 0);
    assert.equal(api.requests.length, 2);
  }),

  scenario('no error shows a token', async (world) => {
    const { api, get, tokens, authorization } = world;
    api.always(401);
    const refusedAgain = await get();
    api.always(undefined);
    api.next({ reset: 'request' }, { reset: 'request' });
    const dropped = await get();
    authorization.always(faults.oauthError('invalid_grant'));
    await makeExpired(world);
    const rejected = await get();
    const source = await tokens.getAccessToken().catch((error: unknown) => error);

    assert.equal(dropped.status, undefined);
    for (const { error } of [refusedAgain, dropped, rejected]) assertNoToken(world, error);
    assertNoToken(world, source);
  }),
];
